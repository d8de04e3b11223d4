//! What one address says about who holds it. Part of floor 2, `identity`.
//!
//! Invariant: an address that is no person's (desk, placeholder, relay) offers nothing to compare.

use super::AddressFacts;
use super::names::{Name, contradict, fold_word, is_kin, is_nobody, lists_contradict};
use super::nicknames::is_given;
use crate::address::AddrSpec;
use crate::limits;
use crate::time::Timestamp;

/// An address made comparable.
#[derive(Clone, Debug)]
pub(super) struct Profile<'a> {
    pub addr: &'a AddrSpec,
    /// Without tag, or the account number of a code host: equal means the same mailbox.
    pub plain: String,
    /// The names shown with it, but for mine, and how often.
    pub seen: Vec<(Name, u32)>,
    /// Full names, cards first.
    pub fulls: Vec<Name>,
    /// One-word names and code-host accounts that tell people apart, folded.
    pub handles: Vec<String>,
    /// One-word names without a number: first names, mostly.
    pub singles: Vec<String>,
    /// Local part, as far as it may spell a name.
    pub local_spelling: String,
    /// Local part, folded, letters and digits only; empty where it says nothing.
    pub local: String,
    /// A human's own address.
    pub person: bool,
    /// I wrote to it, met its holder, or have it on a card: it may be merged by evidence.
    pub known: bool,
    /// I sent mail to it.
    pub sent: bool,
    /// Its earliest and its latest fact.
    pub seen_at: Option<(Timestamp, Timestamp)>,
    /// Registrable domain of the holder's own; empty for mailboxes anybody can get.
    pub private_domain: &'a str,
}

impl<'a> Profile<'a> {
    pub fn of(addr: &'a AddrSpec, facts: &AddressFacts, mine: &[Name]) -> Profile<'a> {
        let seen: Vec<(Name, u32)> = facts
            .names
            .iter()
            .filter_map(|(text, count)| Some((Name::read(text)?, *count)))
            .filter(|(name, _)| !mine.iter().any(|m| m.is_same_as(name)))
            .collect();
        let names =
            distinct(facts.card_names.iter().filter_map(|n| Name::read(n)).chain(seen.iter().map(|(n, _)| n.clone())));
        let relay = is_relay(&names);
        // `mail@` of one's own domain is how many people write their address, if a name stands with it.
        let own_mail = addr.local() == "mail" && names.iter().any(|n| n.full);
        let person = !relay && (own_mail || !addr.is_role()) && !is_placeholder(addr);
        let account = account(addr);
        let mut profile = Profile {
            addr,
            plain: account_number(addr).unwrap_or_else(|| addr.without_tag().as_str().to_string()),
            fulls: Vec::new(),
            handles: Vec::new(),
            local: String::new(),
            local_spelling: String::new(),
            singles: Vec::new(),
            seen,
            person,
            known: facts.sent > 0 || facts.met > 0 || !facts.card_names.is_empty(),
            sent: facts.sent > 0,
            seen_at: facts.first_at.zip(facts.last_at),
            private_domain: if addr.is_free_mail() || account.is_some() { "" } else { addr.registrable_domain() },
        };
        if !person {
            return profile;
        }
        let own_local = account.unwrap_or_else(|| addr.without_tag().local().to_string());
        let local = fold_word(&own_local);
        let (fulls, single): (Vec<Name>, Vec<Name>) = names.into_iter().partition(|n| n.full);
        let is_own_word = |h: &str| fulls.iter().any(|n| n.words.iter().any(|w| w == h));
        let telling = |h: &str| is_telling(h) && !is_own_word(h);
        let singles: Vec<String> = single.iter().map(Name::joined).collect();
        // A single word is a first name until it is long, numbered, or long enough and the local part too.
        let is_handle = |h: &str| {
            let letters = h.chars().count();
            has_number(h)
                || letters >= limits::LONG_HANDLE_CHARS
                || without_number(&local) == h && letters >= limits::OWN_HANDLE_CHARS
        };
        profile.handles = singles.iter().filter(|h| telling(h) && is_handle(h)).cloned().collect();
        profile.singles = singles.into_iter().filter(|h| !has_number(h)).collect();
        if account_of_code_host(addr) && telling(&local) {
            profile.handles.push(local.clone());
        }
        profile.handles.sort();
        profile.handles.dedup();
        if telling(&local) {
            profile.local.clone_from(&local);
        }
        if !is_own_word(&local) && !is_nobody(&local) {
            profile.local_spelling = local;
        }
        profile.fulls = fulls;
        profile
    }

    /// Do the names of the two contradict each other? One agreeing pair of names is enough to say no.
    pub fn contradicts(&self, other: &Profile<'_>) -> bool {
        lists_contradict(&self.fulls, &other.fulls)
    }

    /// Were the two in use one after the other, as when somebody changes jobs? The old one falls silent when the
    /// new one begins, and stays so. `None` where their times are not known.
    pub fn takes_turns_with(&self, other: &Profile<'_>) -> Option<bool> {
        let (a, b) = self.seen_at.zip(other.seen_at)?;
        let ((_, old_last), (new_first, new_last)) = (a.min(b), a.max(b));
        let hands_over = old_last <= new_first.plus(limits::ADDRESS_OVERLAP);
        Some(hands_over && new_last >= old_last.plus(limits::ADDRESS_SILENCE))
    }

    /// Do both have a mailbox of a house of their own, and of different ones?
    pub fn works_elsewhere_than(&self, other: &Profile<'_>) -> bool {
        let (a, b) = (self.private_domain, other.private_domain);
        !a.is_empty() && !b.is_empty() && a != b
    }

    /// Is this a code-host account called what the other is called?
    pub fn is_account_of(&self, other: &Profile<'_>) -> bool {
        let long = |h: &&String| h.chars().count() >= limits::OWN_HANDLE_CHARS;
        let mut account = Some(&self.local).filter(|_| account_of_code_host(self.addr)).filter(long).into_iter();
        account.any(|h| other.singles.contains(h))
    }

    /// Are the single names shown with this address no reason against the full names of the other?
    pub fn fits_singles(&self, other: &Profile<'_>) -> bool {
        let fits = |single: &String| {
            other.fulls.iter().any(|n| n.is_spelled(single) || n.words.iter().any(|w| is_kin(w, single)))
        };
        self.singles.is_empty() || self.singles.iter().any(fits)
    }
}

fn distinct(all: impl Iterator<Item = Name>) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for name in all.take(2 * limits::NAMES) {
        if names.iter().all(|n| n.words != name.words || n.full != name.full) {
            names.push(name);
        }
    }
    names
}

/// Three people behind one address: a list, a forge, an assistant.
fn is_relay(names: &[Name]) -> bool {
    let mut people: Vec<&Name> = Vec::new();
    for name in names.iter().filter(|n| n.full) {
        if people.iter().all(|p| contradict(p, name)) {
            people.push(name);
        }
    }
    people.len() >= limits::RELAY_NAMES
}

/// A word long and rare enough to tell people apart: no first name, no stand-in.
fn is_telling(word: &str) -> bool {
    let stem = without_number(word);
    let long_enough = if is_given(stem) { limits::OWN_HANDLE_CHARS } else { limits::HANDLE_CHARS };
    word.chars().count() >= long_enough
        && !is_given(word)
        && !is_nobody(stem)
        && GENERIC_LOCALS.binary_search(&stem).is_err()
}

fn has_number(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit())
}

/// `dana82` without its number.
pub(super) fn without_number(word: &str) -> &str {
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

fn account_of_code_host(addr: &AddrSpec) -> bool {
    addr.domain().starts_with("users.noreply.")
}

/// `12345+dana@users.noreply.github.com`: the account is `dana`.
fn account(addr: &AddrSpec) -> Option<String> {
    let local = addr.local();
    let numbered = local.split_once(['+', '-']).filter(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()));
    account_of_code_host(addr).then(|| numbered.map_or(local, |(_, account)| account).to_string())
}

/// The number in front outlives a renamed account.
fn account_number(addr: &AddrSpec) -> Option<String> {
    let (number, _) = addr.local().split_once('+').filter(|_| account_of_code_host(addr))?;
    Some(format!("{number}@{}", addr.domain()))
}

/// Nobody reads what is sent there, or many people write from there.
pub(super) fn is_placeholder(addr: &AddrSpec) -> bool {
    let local = addr.local().split_once('+').map_or(addr.local(), |(plain, _)| plain);
    let word: String = local.chars().filter(|c| c.is_alphanumeric()).collect();
    let domain = addr.domain();
    let host = domain.split('.').next().unwrap_or("");
    let robot = ["noreply", "donotreply", "mailerdaemon", "unsubscribe", "notification", "bounce", "autoreply"];
    robot.iter().any(|r| word.starts_with(r))
        || PLACEHOLDER_LOCALS.binary_search(&word.as_str()).is_ok()
        || ["localhost", "none", "test", "invalid", "youremail", "yourdomain", "unknown"].contains(&host)
            && !domain.contains("users.")
        || domain.ends_with(".invalid")
}

/// Local parts that name nobody, letters and digits only; sorted.
const PLACEHOLDER_LOCALS: &[&str] = &[
    "anonymous",
    "devnull",
    "email",
    "example",
    "firstlast",
    "firstnamelastname",
    "invalid",
    "nobody",
    "none",
    "noone",
    "null",
    "root",
    "someone",
    "test",
    "unknown",
    "user",
    "username",
    "you",
    "youremail",
    "yourname",
];

/// Local parts people choose for a purpose, not as their name; sorted.
const GENERIC_LOCALS: &[&str] = &[
    "account",
    "alerts",
    "bugzilla",
    "coding",
    "commit",
    "commits",
    "company",
    "computer",
    "contact",
    "desktop",
    "develop",
    "developer",
    "development",
    "facebook",
    "general",
    "gerrit",
    "github",
    "gitlab",
    "google",
    "internet",
    "junkmail",
    "laptop",
    "linkedin",
    "linux",
    "listen",
    "lists",
    "mailbox",
    "mailing",
    "mailinglist",
    "mailinglists",
    "mailme",
    "notebook",
    "opensource",
    "personal",
    "postgres",
    "privat",
    "private",
    "professional",
    "programming",
    "public",
    "python",
    "research",
    "science",
    "secret",
    "service",
    "software",
    "student",
    "ubuntu",
    "webmail",
    "website",
    "windows",
    "worker",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(PLACEHOLDER_LOCALS.is_sorted() && GENERIC_LOCALS.is_sorted());
    }
}
