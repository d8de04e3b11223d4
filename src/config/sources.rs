//! `[[mailbox]]`, `[[calendar]]` and `[[address_book]]`. Part of `config`.
//!
//! Invariant: a source's name is its own over all three kinds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::secrets;
use super::section::{Section, shown};
use super::shape::{BOOK_TYPES, CALENDAR_TYPES, MAILBOX_TYPES};
use super::{Around, read_addr, read_span};
use crate::address::AddrSpec;
use crate::engine::event::{SourceKind, SourceSpec};
use crate::evidence::SourceName;
use crate::identity::Me;
use crate::limits;
use crate::net::{Login, Server, Web};
use crate::time::{BareM, DAY, MINUTE, Span};

/// How far back a first reading goes.
const HISTORY: Span = Span { months: 24, seconds: 0 };
/// Between two looks into a mailbox.
const POLL_MAIL: Span = Span { months: 0, seconds: 5 * MINUTE };
/// Between two looks at a calendar or an address book.
const POLL_FEED: Span = Span { months: 0, seconds: 15 * MINUTE };

/// `[[mailbox]]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailboxConfig {
    /// Its name.
    pub name: SourceName,
    /// Folders to read, with `*`; empty: the default choice.
    pub folders: Vec<String>,
    /// Folders with sent mail; empty: found out.
    pub sent: Vec<String>,
    /// How far back the first reading goes.
    pub history: Span,
    /// Between two looks.
    pub poll: Span,
    /// Read text, not only headers.
    pub bodies: bool,
    /// Where it is.
    pub door: MailboxDoor,
}

/// Where a mailbox is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailboxDoor {
    /// `type = "imap"`.
    Imap {
        /// Server.
        server: Server,
        /// Login.
        login: Login,
        /// Wait for news with IDLE (RFC 2177).
        idle: bool,
    },
    /// `type = "maildir"`.
    Maildir {
        /// The Maildir, `~` resolved.
        path: PathBuf,
        /// Patterns of files the fetcher touches, `~` resolved.
        sync_state: Vec<String>,
    },
}

/// `[[calendar]]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CalendarConfig {
    /// Its name.
    pub name: SourceName,
    /// Whose it is; `None`: mine.
    pub owner: Option<AddrSpec>,
    /// Its all-day events are no working days.
    pub holidays: bool,
    /// How far back the first reading goes.
    pub history: Span,
    /// Between two looks.
    pub poll: Span,
    /// Where it is.
    pub door: CalendarDoor,
}

/// Which collections of a server are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Collections {
    /// All that are found.
    #[default]
    All,
    /// These.
    Only(Vec<String>),
    /// All but these.
    Without(Vec<String>),
}

/// Where a calendar is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CalendarDoor {
    /// `type = "caldav"`.
    CalDav(Web, Collections),
    /// `type = "ics"` with `url`.
    Url(Web),
    /// `type = "ics"` with `path`: a file or a folder of .ics files.
    Path(PathBuf),
}

/// `[[address_book]]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookConfig {
    /// Its name.
    pub name: SourceName,
    /// Between two looks.
    pub poll: Span,
    /// Where it is.
    pub door: BookDoor,
}

/// Where an address book is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BookDoor {
    /// `type = "carddav"`.
    CardDav(Web, Collections),
    /// `type = "vcard"`: a file or a folder of .vcf files.
    Vcard(PathBuf),
}

/// Names that are taken, and by whom.
pub(super) type Names = BTreeMap<SourceName, String>;

/// All `[[mailbox]]`es that can be read.
pub(super) fn mailboxes(sections: &[Section<'_>], names: &mut Names, around: &Around<'_>) -> Vec<MailboxConfig> {
    let mut read = |s: &Section<'_>| mailbox(s, name(s, names), around);
    sections.iter().filter_map(&mut read).collect()
}

/// All `[[calendar]]`s that can be read.
pub(super) fn calendars(sections: &[Section<'_>], names: &mut Names, around: &Around<'_>) -> Vec<CalendarConfig> {
    let mut read = |s: &Section<'_>| calendar(s, name(s, names), around);
    sections.iter().filter_map(&mut read).collect()
}

/// All `[[address_book]]`s that can be read.
pub(super) fn books(sections: &[Section<'_>], names: &mut Names, around: &Around<'_>) -> Vec<BookConfig> {
    let mut read = |s: &Section<'_>| book(s, name(s, names), around);
    sections.iter().filter_map(&mut read).collect()
}

fn name(s: &Section<'_>, names: &mut Names) -> Option<SourceName> {
    s.need("name", "\"work\"");
    let name = s.text("name", |text| {
        if text.trim().is_empty() || text.trim() != text {
            Err("a name is not empty and has no blanks around it".to_string())
        } else if text.contains('/') || text.contains(char::is_control) {
            Err("a name has no `/` and no control characters".to_string())
        } else if text.len() > limits::CONFIG_WORD_BYTES {
            Err(format!("a name has at most {} bytes", limits::CONFIG_WORD_BYTES))
        } else {
            Ok(text.to_string())
        }
    })?;
    // `without NAME` is an answer, and answers are read in any case
    match names.insert(name.to_lowercase(), s.title.clone()) {
        None => Some(name),
        Some(other) => {
            s.fault(
                "name",
                format!("name = \"{}\" is taken by {other}: each source needs a name of its own", shown(&name)),
            );
            None
        }
    }
}

fn mailbox(s: &Section<'_>, name: Option<SourceName>, around: &Around<'_>) -> Option<MailboxConfig> {
    s.need("type", "\"imap\" (or \"maildir\")");
    let door = match s.choice("type", MAILBOX_TYPES) {
        Some("imap") => {
            let server = secrets::server(s, [993, 143, 143], around);
            let login = secrets::login(s, true, around);
            server.zip(login).map(|(server, login)| MailboxDoor::Imap { server, login, idle: s.flag("idle", true) })
        }
        Some(_) => {
            s.need("path", "\"~/Mail\"");
            let sync_state = s.texts("sync_state", |p| around.path(p).map(|p| p.to_string_lossy().into_owned()));
            if !s.has("sync_state") {
                s.warn(
                    "path",
                    "without `sync_state` kithd cannot know whether your fetcher runs: name files it touches, \
                     such as sync_state = [\"~/.mbsync/*\"]",
                );
            }
            around.outside_store(s, "path").map(|path| MailboxDoor::Maildir { path, sync_state })
        }
        None => None,
    };
    let mailbox = MailboxConfig {
        name: name?,
        folders: folders(s, "folders"),
        sent: folders(s, "sent"),
        history: span(s, "history", BareM::Months, HISTORY),
        poll: poll(s, POLL_MAIL),
        bodies: s.flag("bodies", true),
        door: door?,
    };
    Some(mailbox)
}

fn folders(s: &Section<'_>, key: &str) -> Vec<String> {
    if s.is_list(key) && s.texts(key, |t| Ok(t.to_string())).is_empty() {
        s.fault(key, format!("`{key}` is empty: leave it out for the default, or name a folder"));
    }
    s.texts(key, |text| match text.trim().is_empty() || text.contains(char::is_control) {
        true => Err("a folder has a name".to_string()),
        false => Ok(text.to_string()),
    })
}

fn calendar(s: &Section<'_>, name: Option<SourceName>, around: &Around<'_>) -> Option<CalendarConfig> {
    s.need("type", "\"caldav\" (or \"ics\")");
    let door = match s.choice("type", CALENDAR_TYPES) {
        Some("caldav") => {
            s.need("url", "\"https://dav.example.org/\"");
            let collections = collections(s);
            secrets::web(s, around).map(|web| CalendarDoor::CalDav(web, collections))
        }
        Some(_) => feed(s, around),
        None => None,
    };
    let calendar = CalendarConfig {
        name: name?,
        owner: s.text("owner", read_addr),
        holidays: s.flag("holidays", false),
        history: span(s, "history", BareM::Months, HISTORY),
        poll: poll(s, POLL_FEED),
        door: door?,
    };
    Some(calendar)
}

fn feed(s: &Section<'_>, around: &Around<'_>) -> Option<CalendarDoor> {
    match (s.has("url"), s.has("path")) {
        (true, false) => secrets::web(s, around).map(CalendarDoor::Url),
        (false, true) => {
            let of_web = ["username", "password", "oauth2", "ca_file"];
            if let Some(key) = of_web.into_iter().find(|k| s.has(k)) {
                s.fault(key, format!("`{key}` is for a `url`; this calendar has a `path`"));
            }
            around.outside_store(s, "path").map(CalendarDoor::Path)
        }
        (true, true) => {
            s.fault("path", "`url` and `path` exclude each other: keep one, or make two calendars");
            None
        }
        (false, false) => {
            s.fault("url", "say where it is: url = \"https://cal.example/team.ics\", or path = \"~/team.ics\"");
            None
        }
    }
}

fn book(s: &Section<'_>, name: Option<SourceName>, around: &Around<'_>) -> Option<BookConfig> {
    s.need("type", "\"carddav\" (or \"vcard\")");
    let door = match s.choice("type", BOOK_TYPES) {
        Some("carddav") => {
            s.need("url", "\"https://dav.example.org/\"");
            let collections = collections(s);
            secrets::web(s, around).map(|web| BookDoor::CardDav(web, collections))
        }
        Some(_) => {
            s.need("path", "\"~/people.vcf\"");
            around.outside_store(s, "path").map(BookDoor::Vcard)
        }
        None => None,
    };
    Some(BookConfig { name: name?, poll: poll(s, POLL_FEED), door: door? })
}

fn collections(s: &Section<'_>) -> Collections {
    if s.has("include") && s.has("exclude") {
        s.fault("exclude", "`include` and `exclude` exclude each other: keep one");
    }
    match (folders(s, "include"), folders(s, "exclude")) {
        (only, _) if !only.is_empty() => Collections::Only(only),
        (_, without) if !without.is_empty() => Collections::Without(without),
        _ => Collections::All,
    }
}

fn span(s: &Section<'_>, key: &str, bare_m: BareM, default: Span) -> Span {
    s.text(key, |text| read_span(text, bare_m)).unwrap_or(default)
}

fn poll(s: &Section<'_>, default: Span) -> Span {
    let poll = span(s, "poll", BareM::Minutes, default);
    if poll.approx_seconds() > DAY {
        s.warn("poll", format!("poll = \"{poll}\": looked at this rarely, reminders come late"));
    }
    poll
}

/// What the engine must know of the sources.
pub(super) fn specs(
    mailboxes: &[MailboxConfig],
    calendars: &[CalendarConfig],
    books: &[BookConfig],
    me: &Me,
) -> Vec<SourceSpec> {
    let spec =
        |name: &SourceName, kind, grace| SourceSpec { name: name.clone(), kind, own: true, holidays: false, grace };
    let of_mail = mailboxes.iter().map(|m| {
        let named = matches!(&m.door, MailboxDoor::Maildir { sync_state, .. } if !sync_state.is_empty());
        let grace = if named { limits::COVERAGE_SYNC_STATE } else { limits::COVERAGE_MAIL };
        spec(&m.name, SourceKind::Mailbox, grace)
    });
    let of_calendars = calendars.iter().map(|c| SourceSpec {
        own: c.owner.as_ref().is_none_or(|o| me.is_me(o)),
        holidays: c.holidays,
        ..spec(&c.name, SourceKind::Calendar, limits::COVERAGE_FEED)
    });
    let of_books = books.iter().map(|b| spec(&b.name, SourceKind::AddressBook, limits::COVERAGE_FEED));
    of_mail.chain(of_calendars).chain(of_books).collect()
}
