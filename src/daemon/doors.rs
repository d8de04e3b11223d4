//! The configured sources and the delivery, as doors to call. Part of `daemon`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{BookDoor, CalendarDoor, Collections, Config, MailboxConfig, MailboxDoor};
use crate::evidence::{Cursor, SourceName};
use crate::net::token::Credentials;
use crate::net::{Trouble, Web};
use crate::source::{Occasion, Send, Stopped, cards, dav, feed, imap, maildir};
use crate::time::Span;

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
    /// CalDAV or CardDAV.
    Dav(dav::Params),
}

impl Source {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Source::Maildir(p) => &p.name,
            Source::Imap(account) => &account.params().name,
            Source::Feed(p) => &p.name,
            Source::Cards(p) => &p.name,
            Source::Dav(p) => &p.name,
        }
    }

    /// Reads it once; blocks.
    pub fn read(&self, cursors: Vec<Cursor>, occasion: &Occasion<'_>, send: &mut Send<'_>) -> Result<(), Stopped> {
        match self {
            Source::Maildir(params) => maildir::read(params, cursors, occasion, send),
            Source::Imap(account) => account.read(cursors, occasion, send),
            Source::Feed(params) => feed::read(params, cursors, occasion, send),
            Source::Cards(params) => cards::read(params, cursors, occasion, send),
            Source::Dav(params) => dav::read(params, cursors, occasion, send),
        }
    }
}

impl Source {
    /// Waits for news and calls `news` at each; returns when that breaks. Where there is nothing to
    /// wait for it waits for ever, and the source is read at its poll.
    pub async fn watch(&self, news: impl Fn() + std::marker::Send) -> Trouble {
        match self {
            Source::Imap(account) => account.watch(news).await,
            Source::Maildir(_) | Source::Feed(_) | Source::Cards(_) | Source::Dav(_) => std::future::pending().await,
        }
    }
}

/// How a source is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Seconds between two readings.
    pub poll: i64,
    /// Its news are waited for.
    pub idle: bool,
}

/// The pace of each source.
pub fn paces(config: &Config) -> BTreeMap<SourceName, Pace> {
    let idle = |m: &MailboxConfig| matches!(m.door, MailboxDoor::Imap { idle: true, .. });
    let mailboxes = config.mailboxes.iter().map(|m| (&m.name, m.poll, idle(m)));
    let calendars = config.calendars.iter().map(|c| (&c.name, c.poll, false));
    let books = config.address_books.iter().map(|b| (&b.name, b.poll, false));
    let all = mailboxes.chain(calendars).chain(books);
    all.map(|(name, poll, idle)| (name.clone(), Pace { poll: poll.approx_seconds(), idle })).collect()
}

/// The sources of a config.
pub fn sources(config: &Config) -> Vec<Source> {
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
        CalendarDoor::Url(web) => Source::Feed(feed::Params {
            name: c.name.clone(),
            place: feed::Place::Url(web.clone(), web.login.as_ref().map(Credentials::new)),
            history: c.history,
        }),
        CalendarDoor::CalDav(web, collections) => {
            Source::Dav(account(&c.name, dav::Kind::Calendars, web, collections, c.history))
        }
    });
    let books = config.address_books.iter().map(|b| match &b.door {
        BookDoor::Vcard(path) => Source::Cards(cards::Params { name: b.name.clone(), path: path.clone() }),
        BookDoor::CardDav(web, collections) => {
            Source::Dav(account(&b.name, dav::Kind::AddressBooks, web, collections, Span::default()))
        }
    });
    mailboxes.chain(calendars).chain(books).collect()
}

fn account(name: &str, kind: dav::Kind, web: &Web, collections: &Collections, history: Span) -> dav::Params {
    let picked = match collections.clone() {
        Collections::All => dav::Picked::All,
        Collections::Only(names) => dav::Picked::Only(names),
        Collections::Without(names) => dav::Picked::Without(names),
    };
    let credentials = web.login.as_ref().map(Credentials::new);
    dav::Params { name: name.to_string(), kind, web: web.clone(), credentials, picked, history }
}
