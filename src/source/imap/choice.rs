//! Which mailboxes of an account are read, as what, and in which order. Part of `source::imap`; pure.
//!
//! Invariant: junk, trash and drafts are read only where the config names them themselves, and with
//! `\All` no message is fetched from two mailboxes unless the config asks for it.

use super::Params;
use crate::evidence::Role;
use crate::imap::{Listed, MailboxName, SpecialUse, Status};
use crate::limits;
use crate::source::folders::{Purpose, picks};

/// A mailbox that is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Chosen {
    /// As the server names it: the key of its cursor.
    pub name: MailboxName,
    /// As the user knows it.
    pub path: String,
    /// What it is for; `None`: each message says it by its labels (Gmail).
    pub role: Option<Role>,
    /// The config names it, or it is the inbox or holds sent mail: it has to be readable.
    pub needed: bool,
    /// What the server said of it when it listed it.
    pub status: Option<Status>,
}

impl Chosen {
    /// Does it tell which mail the user sent?
    pub(super) fn tells_sent(&self) -> bool {
        matches!(self.role, None | Some(Role::Sent))
    }
}

/// What came of a listing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Choice {
    /// The inbox first, then sent mail, then by name.
    pub chosen: Vec<Chosen>,
    /// Folders that the config names and that are not there.
    pub missing: Vec<String>,
    /// There were more than [`limits::FOLDERS`].
    pub cut: bool,
}

/// Chooses among everything the server lists. `labels`: Gmail, where labels tell the role.
pub(super) fn choose(params: &Params, listed: Vec<Listed>, labels: bool) -> Choice {
    let marked: Vec<(String, Purpose)> =
        listed.iter().filter_map(|l| Some((l.path(), l.special_use.iter().find_map(|u| of(*u))?))).collect();
    let all = listed.iter().any(|l| l.selectable && l.special_use.contains(&SpecialUse::All));
    let mut chosen: Vec<Chosen> = Vec::new();
    for listed in listed.iter().filter(|l| l.selectable) {
        let path = listed.path();
        let named = |patterns: &[String]| {
            let fits = |p: &String| picks(p, &path) || picks(p, listed.name.raw());
            (patterns.iter().any(fits), patterns.iter().any(|p| !p.contains(['*', '%']) && fits(p)))
        };
        let purpose = purpose(&path, &marked);
        let is_all = listed.special_use.contains(&SpecialUse::All);
        let (picked, picked_itself) = named(&params.folders);
        let (picked_sent, _) = named(&params.sent);
        let is_sent = if params.sent.is_empty() { purpose == Purpose::Sent } else { picked_sent };
        let view = |l: &Listed| l.special_use.iter().any(|u| matches!(u, SpecialUse::Flagged | SpecialUse::Important));
        let wanted = match (params.folders.is_empty(), all) {
            (true, true) => is_all || (is_sent && !labels),
            (true, false) => purpose.is_read() && !view(listed),
            (false, _) => picked_itself || (picked && purpose.is_read()),
        };
        if wanted || picked_sent {
            let role = match purpose {
                _ if is_sent => Role::Sent,
                Purpose::Sent => Role::Other,
                purpose => purpose.role(),
            };
            let role = (!(labels && is_all)).then_some(role);
            let needed = picked_itself || picked_sent || role != Some(Role::Other);
            chosen.push(Chosen { name: listed.name.clone(), path, role, needed, status: listed.status });
        }
    }
    let rank = |c: &Chosen| match c.role {
        Some(Role::Inbox) => 0,
        Some(Role::Sent) => 1,
        _ => 2,
    };
    chosen.sort_by(|a, b| (rank(a), &a.path, a.name.raw()).cmp(&(rank(b), &b.path, b.name.raw())));
    chosen.dedup_by(|a, b| a.name == b.name);
    let cut = chosen.len() > limits::FOLDERS;
    chosen.truncate(limits::FOLDERS);
    let is_there = |p: &String| listed.iter().any(|l| picks(p, &l.path()) || picks(p, l.name.raw()));
    let missing = params.folders.iter().chain(&params.sent).filter(|p| !is_there(p)).cloned().collect();
    Choice { chosen, missing, cut }
}

/// What a mailbox is for: by its own attribute or the one of a mailbox above it, else by its name. A
/// name makes it sent mail only where no attribute does.
fn purpose(path: &str, marked: &[(String, Purpose)]) -> Purpose {
    let above = marked.iter().filter(|(above, _)| {
        path.strip_prefix(above.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let nearest = above.max_by_key(|(above, _)| above.len()).map(|(_, purpose)| *purpose);
    let sent_is_marked = marked.iter().any(|(_, purpose)| *purpose == Purpose::Sent);
    match (nearest, Purpose::of(path)) {
        (Some(purpose), _) => purpose,
        (None, Purpose::Sent) if sent_is_marked => Purpose::Other,
        (None, purpose) => purpose,
    }
}

const fn of(special_use: SpecialUse) -> Option<Purpose> {
    match special_use {
        SpecialUse::Sent => Some(Purpose::Sent),
        SpecialUse::Junk => Some(Purpose::Junk),
        SpecialUse::Trash => Some(Purpose::Trash),
        SpecialUse::Drafts => Some(Purpose::Drafts),
        SpecialUse::All | SpecialUse::Archive | SpecialUse::Flagged | SpecialUse::Important => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::{Login, Proof, Secret, Security, Server};
    use crate::time::Span;

    fn params(folders: &[&str], sent: &[&str]) -> Params {
        let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        Params {
            name: "work".into(),
            server: Server { host: "localhost".into(), port: 143, security: Security::None, ca_file: None },
            login: Login { username: "me".into(), proof: Proof::Password(Secret::Env("X".into())) },
            folders: texts(folders),
            sent: texts(sent),
            history: Span::days(730),
            bodies: true,
        }
    }

    /// `name`, `name \Use`, `name -` where it cannot be selected.
    fn listed(lines: &[&str]) -> Vec<Listed> {
        let one = |line: &&str| {
            let (name, mark) = line.split_once(" \\").or(line.split_once(" -")).unwrap_or((line, "none"));
            let special_use = match mark {
                "All" => vec![SpecialUse::All],
                "Sent" => vec![SpecialUse::Sent],
                "Junk" => vec![SpecialUse::Junk],
                "Trash" => vec![SpecialUse::Trash],
                "Drafts" => vec![SpecialUse::Drafts],
                "Flagged" => vec![SpecialUse::Flagged],
                "Important" => vec![SpecialUse::Important],
                _ => vec![],
            };
            let name = MailboxName::from_text(name);
            Listed { name, delimiter: Some('/'), selectable: !line.ends_with(" -"), special_use, status: None }
        };
        lines.iter().map(one).collect()
    }

    fn chosen(params: &Params, lines: &[&str], labels: bool) -> Vec<String> {
        let role = |c: &Chosen| match c.role {
            Some(Role::Sent) => " sent",
            Some(Role::Inbox) => " inbox",
            None => " by label",
            _ => "",
        };
        choose(params, listed(lines), labels).chosen.iter().map(|c| format!("{}{}", c.path, role(c))).collect()
    }

    const PLAIN: &[&str] = &[
        "Zoo",
        "Trash \\Trash",
        "Trash/old",
        "Clients -",
        "Clients/Acme",
        "Spam",
        "Drafts",
        "Sent Items",
        "INBOX",
        "Gesendet \\Sent",
        "Important \\Important",
        "Entwürfe",
    ];
    const GMAIL: &[&str] = &[
        "INBOX",
        "Work",
        "[Gmail] -",
        "[Gmail]/All Mail \\All",
        "[Gmail]/Drafts \\Drafts",
        "[Gmail]/Important \\Important",
        "[Gmail]/Sent Mail \\Sent",
        "[Gmail]/Spam \\Junk",
        "[Gmail]/Starred \\Flagged",
        "[Gmail]/Trash \\Trash",
    ];

    #[test]
    fn folders_are_chosen_by_attribute_then_by_name() {
        for (folders, sent, lines, labels, expected) in [
            (
                &[][..],
                &[][..],
                PLAIN,
                false,
                &["INBOX inbox", "Gesendet sent", "Clients/Acme", "Sent Items", "Zoo"][..],
            ),
            (
                &[],
                &[],
                &["INBOX", "Sent", "sent-mail", "Éléments envoyés"],
                false,
                &["INBOX inbox", "Sent sent", "sent-mail sent", "Éléments envoyés sent"],
            ),
            // the config's word on sent mail
            (&[], &["Zoo"], PLAIN, false, &["INBOX inbox", "Zoo sent", "Clients/Acme", "Gesendet", "Sent Items"]),
            (&["INBOX"], &["Zoo"], PLAIN, false, &["INBOX inbox", "Zoo sent"]),
            (&["inbox", "Clients/*"], &[], PLAIN, false, &["INBOX inbox", "Clients/Acme"]),
            // junk is read only by its own name
            (
                &["*"],
                &[],
                PLAIN,
                false,
                &["INBOX inbox", "Gesendet sent", "Clients/Acme", "Important", "Sent Items", "Zoo"],
            ),
            (&["INBOX", "Spam", "Trash"], &[], PLAIN, false, &["INBOX inbox", "Spam", "Trash"]),
            // where everything lies in one place it is read there
            (&[], &[], GMAIL, true, &["[Gmail]/All Mail by label"]),
            (&[], &[], GMAIL, false, &["[Gmail]/Sent Mail sent", "[Gmail]/All Mail"]),
            (&["INBOX", "Work"], &[], GMAIL, true, &["INBOX inbox", "Work"]),
            (
                &["[Gmail]/*"],
                &[],
                GMAIL,
                true,
                &["[Gmail]/Sent Mail sent", "[Gmail]/All Mail by label", "[Gmail]/Important", "[Gmail]/Starred"],
            ),
            (&["Nothing"], &[], PLAIN, false, &[]),
            // names as the server writes them pick as well
            (&["Entw&APw-rfe"], &[], PLAIN, false, &["Entwürfe"]),
        ] {
            assert_eq!(chosen(&params(folders, sent), lines, labels), expected, "{folders:?} {sent:?}");
        }
    }

    #[test]
    fn a_name_that_is_not_there_is_said_and_the_inbox_is_never_cut_off() {
        let choice = choose(&params(&["INBOX", "Clints/*", "Zoo"], &["Gone"]), listed(PLAIN), false);
        assert_eq!(choice.missing, ["Clints/*", "Gone"]);
        let many: Vec<String> = (0..limits::FOLDERS + 9).map(|n| format!("A{n}")).chain(["INBOX".into()]).collect();
        let lines: Vec<&str> = many.iter().map(String::as_str).collect();
        let choice = choose(&params(&[], &[]), listed(&lines), false);
        assert!(choice.cut && choice.chosen.len() == limits::FOLDERS);
        assert_eq!(choice.chosen.first().unwrap().path, "INBOX");
    }

    #[test]
    fn what_the_config_names_has_to_be_there() {
        let needed = |folders: &[&str]| {
            let all = choose(&params(folders, &[]), listed(PLAIN), false).chosen;
            all.iter().filter(|c| c.needed).map(|c| c.path.clone()).collect::<Vec<_>>()
        };
        assert_eq!(needed(&[]), ["INBOX", "Gesendet"]);
        assert_eq!(needed(&["*"]), ["INBOX", "Gesendet"]);
        assert_eq!(needed(&["Zoo", "Clients/*"]), ["Zoo"]);
    }
}
