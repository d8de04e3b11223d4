//! Every key of the config, in one table. Part of `config`.
//!
//! Invariant: nothing is a key that is not in this table; what is unknown, what is near, and what
//! `config.example.toml` must show are all read off it.

/// What may stand behind a key.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// `"text"`.
    Text,
    /// `["text", "text"]`.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
    /// Where a secret is found; never the secret.
    Secret,
    /// A table in braces, with these keys.
    Braces(&'static [Key]),
    /// `[section]` with these keys.
    Section(&'static [Key]),
    /// `[[section]]`, any number of them.
    Sections(&'static [Key]),
    /// `[section.NAME]` with names the user chooses.
    Named(&'static [Key]),
}

/// One key.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What stands behind it.
    pub kind: Kind,
    /// The values of `type` it belongs to; empty: all.
    pub types: &'static [&'static str],
}

impl Key {
    /// Does it belong to a table of this type?
    pub fn fits(&self, kind: Option<&str>) -> bool {
        self.types.is_empty() || kind.is_none_or(|k| self.types.contains(&k))
    }
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, types: &[] }
}

const fn only(types: &'static [&'static str], name: &'static str, kind: Kind) -> Key {
    Key { name, kind, types }
}

/// The types of a mailbox.
pub const MAILBOX_TYPES: &[&str] = &["imap", "maildir"];
/// The types of a calendar.
pub const CALENDAR_TYPES: &[&str] = &["caldav", "ics"];
/// The types of an address book.
pub const BOOK_TYPES: &[&str] = &["carddav", "vcard"];
/// The types of delivery.
pub const DELIVERY_TYPES: &[&str] = &["smtp", "append", "maildir"];

/// The sections.
pub const ROOT: &[Key] = &[
    key("me", Kind::Section(ME)),
    key("store", Kind::Section(&[key("path", Kind::Text)])),
    key("mailbox", Kind::Sections(MAILBOX)),
    key("calendar", Kind::Sections(CALENDAR)),
    key("address_book", Kind::Sections(BOOK)),
    key("delivery", Kind::Section(DELIVERY)),
    key("schedule", Kind::Section(SCHEDULE)),
    key("rules", Kind::Section(RULES)),
    key("relationships", Kind::Named(&[key("every", Kind::Text), key("at_most", Kind::Text)])),
    key("contact", Kind::Sections(CONTACT)),
    key("control", Kind::Section(&[key("socket", Kind::Text), key("allow", Kind::Texts)])),
];

const ME: &[Key] =
    &[key("name", Kind::Text), key("addresses", Kind::Texts), key("timezone", Kind::Text), key("language", Kind::Text)];

const IMAP: &[&str] = &["imap"];
const MAILBOX: &[Key] = &[
    key("name", Kind::Text),
    key("type", Kind::Text),
    only(IMAP, "host", Kind::Text),
    only(IMAP, "port", Kind::Number),
    only(IMAP, "security", Kind::Text),
    only(IMAP, "ca_file", Kind::Text),
    only(IMAP, "username", Kind::Text),
    only(IMAP, "password", Kind::Secret),
    only(IMAP, "oauth2", Kind::Braces(OAUTH2)),
    only(IMAP, "idle", Kind::Flag),
    only(&["maildir"], "path", Kind::Text),
    only(&["maildir"], "sync_state", Kind::Texts),
    key("folders", Kind::Texts),
    key("sent", Kind::Texts),
    key("history", Kind::Text),
    key("poll", Kind::Text),
    key("bodies", Kind::Flag),
];

const CALENDAR: &[Key] = &[
    key("name", Kind::Text),
    key("type", Kind::Text),
    key("url", Kind::Text),
    key("username", Kind::Text),
    key("password", Kind::Secret),
    key("oauth2", Kind::Braces(OAUTH2)),
    key("ca_file", Kind::Text),
    only(&["caldav"], "include", Kind::Texts),
    only(&["caldav"], "exclude", Kind::Texts),
    only(&["ics"], "path", Kind::Text),
    key("owner", Kind::Text),
    key("holidays", Kind::Flag),
    key("history", Kind::Text),
    key("poll", Kind::Text),
];

const CARDDAV: &[&str] = &["carddav"];
const BOOK: &[Key] = &[
    key("name", Kind::Text),
    key("type", Kind::Text),
    only(CARDDAV, "url", Kind::Text),
    only(CARDDAV, "username", Kind::Text),
    only(CARDDAV, "password", Kind::Secret),
    only(CARDDAV, "oauth2", Kind::Braces(OAUTH2)),
    only(CARDDAV, "ca_file", Kind::Text),
    only(CARDDAV, "include", Kind::Texts),
    only(CARDDAV, "exclude", Kind::Texts),
    only(&["vcard"], "path", Kind::Text),
    key("poll", Kind::Text),
];

const SMTP: &[&str] = &["smtp"];
const DELIVERY: &[Key] = &[
    key("to", Kind::Text),
    key("from", Kind::Text),
    key("type", Kind::Text),
    key("inbox", Kind::Text),
    key("thread", Kind::Flag),
    key("retire", Kind::Flag),
    only(SMTP, "host", Kind::Text),
    only(SMTP, "port", Kind::Number),
    only(SMTP, "security", Kind::Text),
    only(SMTP, "ca_file", Kind::Text),
    only(SMTP, "username", Kind::Text),
    only(SMTP, "password", Kind::Secret),
    only(SMTP, "oauth2", Kind::Braces(OAUTH2)),
    only(&["append"], "mailbox", Kind::Text),
    only(&["append"], "folder", Kind::Text),
    only(&["maildir"], "path", Kind::Text),
];

const SCHEDULE: &[Key] = &[
    key("days", Kind::Texts),
    key("hours", Kind::Text),
    key("per_day", Kind::Number),
    key("per_contact", Kind::Text),
    key("summary", Kind::Text),
];

const RULES: &[Key] = &[
    key("thank_you", Kind::Section(RULE)),
    key("follow_up", Kind::Section(RULE)),
    key("reply_owed", Kind::Section(RULE)),
    key("promise", Kind::Section(RULE)),
    key("keep_in_touch", Kind::Section(RULE)),
    key("milestone", Kind::Section(RULE)),
];
const RULE: &[Key] = &[key("enabled", Kind::Flag), key("after", Kind::Text)];

const CONTACT: &[Key] = &[
    key("addresses", Kind::Texts),
    key("name", Kind::Text),
    key("relationship", Kind::Text),
    key("every", Kind::Text),
    key("mute", Kind::Flag),
];

/// Where a secret is found: exactly one of these.
pub const SECRET: &[Key] =
    &[key("command", Kind::Texts), key("file", Kind::Text), key("env", Kind::Text), key("credential", Kind::Text)];

/// `token_command` alone, or the other four.
const OAUTH2: &[Key] = &[
    key("token_command", Kind::Texts),
    key("token_url", Kind::Text),
    key("client_id", Kind::Text),
    key("client_secret", Kind::Secret),
    key("refresh_token", Kind::Secret),
];
