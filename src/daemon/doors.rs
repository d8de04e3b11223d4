//! The configured sources and the delivery, as doors to call. Part of `daemon`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{BookDoor, CalendarDoor, Config, DeliveryDoor, MailboxDoor};
use crate::delivery::{self, Answer};
use crate::engine::Found;
use crate::evidence::{Cursor, Delivery, Envelope, MessageId, SourceName};
use crate::source::{Occasion, Send, Stopped, cards, feed, imap, maildir};

/// A source.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// A Maildir.
    Maildir(maildir::Params),
    /// An IMAP account.
    Imap(Arc<imap::Account>),
    /// An .ics file or folder.
    Feed(feed::Params),
    /// A vCard file or folder.
    Cards(cards::Params),
    /// A kind this build has no door for; it fails with these words.
    Missing {
        /// Its name.
        name: SourceName,
        /// In plain words.
        what: String,
    },
}

impl Source {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Source::Maildir(p) => &p.name,
            Source::Imap(account) => &account.params().name,
            Source::Feed(p) => &p.name,
            Source::Cards(p) => &p.name,
            Source::Missing { name, .. } => name,
        }
    }

    /// Reads it once; blocks.
    pub fn read(&self, cursors: Vec<Cursor>, occasion: &Occasion<'_>, send: &mut Send<'_>) -> Result<(), Stopped> {
        match self {
            Source::Maildir(params) => maildir::read(params, cursors, occasion, send),
            Source::Imap(account) => account.read(cursors, occasion, send),
            Source::Feed(params) => feed::read(params, cursors, occasion, send),
            Source::Cards(params) => cards::read(params, cursors, occasion, send),
            Source::Missing { what, .. } => {
                let (level, what) = (crate::evidence::Level::Stop, what.clone());
                send(crate::source::Report::Failed { level, what })
            }
        }
    }
}

/// The sources of a config.
pub fn sources(config: &Config) -> Vec<Source> {
    let missing = |name: &str, what: &str| Source::Missing {
        name: name.to_string(),
        what: format!("`{name}`: this version of kithd reads {what}"),
    };
    let mailboxes = config.mailboxes.iter().map(|m| match &m.door {
        MailboxDoor::Maildir { path, sync_state } => Source::Maildir(maildir::Params {
            name: m.name.clone(),
            path: path.clone(),
            folders: m.folders.clone(),
            sent: m.sent.clone(),
            history: m.history,
            bodies: m.bodies,
            sync_state: sync_state.clone(),
        }),
        MailboxDoor::Imap { server, login, .. } => Source::Imap(Arc::new(imap::Account::new(imap::Params {
            name: m.name.clone(),
            server: server.clone(),
            login: login.clone(),
            folders: m.folders.clone(),
            sent: m.sent.clone(),
            history: m.history,
            bodies: m.bodies,
        }))),
    });
    let calendars = config.calendars.iter().map(|c| match &c.door {
        CalendarDoor::Path(path) => Source::Feed(feed::Params {
            name: c.name.clone(),
            place: feed::Place::Path(path.clone()),
            history: c.history,
        }),
        CalendarDoor::CalDav(..) | CalendarDoor::Url(_) => {
            missing(&c.name, "calendars by path only; let vdirsyncer fetch it")
        }
    });
    let books = config.address_books.iter().map(|b| match &b.door {
        BookDoor::Vcard(path) => Source::Cards(cards::Params { name: b.name.clone(), path: path.clone() }),
        BookDoor::CardDav(..) => missing(&b.name, "type = \"vcard\" only; let vdirsyncer fetch it"),
    });
    mailboxes.chain(calendars).chain(books).collect()
}

/// The delivery of a config.
pub fn post(config: &Config) -> Post {
    match &config.delivery.door {
        DeliveryDoor::Maildir { path } => Post::Maildir(path.clone()),
        DeliveryDoor::Smtp { .. } | DeliveryDoor::Append { .. } => Post::Missing(
            "this version of kithd delivers with type = \"maildir\" only: set it under [delivery]".to_string(),
        ),
    }
}

/// Where reminders go.
#[derive(Clone, PartialEq, Debug)]
pub enum Post {
    /// Into a Maildir.
    Maildir(PathBuf),
    /// A kind this build has no door for; it fails with these words.
    Missing(String),
}

impl Post {
    /// Delivers one mail; blocks.
    pub fn deliver(&self, envelope: &Envelope) -> Delivery {
        match self {
            Post::Maildir(path) => delivery::maildir::deliver(path, envelope),
            Post::Missing(what) => Delivery::Transient(what.clone()),
        }
    }

    /// Takes a mail out of the inbox if it is unread; blocks. A Maildir is the user's: nothing is
    /// taken out of it.
    pub fn retire(&self, _id: &MessageId) -> Result<(), String> {
        Ok(())
    }

    /// Is this mail there? Blocks.
    pub fn find(&self, id: &MessageId) -> Found {
        match self {
            Post::Maildir(path) => match delivery::maildir::find(path, id) {
                Answer::Yes => Found::Yes,
                Answer::No => Found::No,
                Answer::CannotSearch => Found::CannotSearch,
            },
            Post::Missing(_) => Found::CannotSearch,
        }
    }
}
