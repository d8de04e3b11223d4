//! Calendars by CalDAV (RFC 4791) and address books by CardDAV (RFC 6352). Part of `source`.
//!
//! Invariant: a poll with nothing new is one request; what an event or card lost is gone only after
//! its resource was read, or the server said that it is gone, and a collection that holds
//! suspiciously little loses nothing.

mod account;
mod discovery;
mod known;
mod multistatus;
mod plan;
mod reading;
mod wire;

use crate::engine::reply::Finding;
use crate::evidence::{Cursor, Role};
use crate::net::token::Credentials;
use crate::net::{Trouble, Web};
use crate::time::Span;

use super::folders::picks;
use super::{Batches, Occasion, Send, Stopped, finding};

/// A `[[calendar]]` of type `caldav`, or an `[[address_book]]` of type `carddav`.
#[derive(Clone, PartialEq, Debug)]
pub struct Params {
    /// Its name.
    pub name: String,
    /// What is read there.
    pub kind: Kind,
    /// Where to begin: any address of the server, or one collection.
    pub web: Web,
    /// Who we are there, if it asks.
    pub credentials: Option<Credentials>,
    /// Which collections are read.
    pub picked: Picked,
    /// How far back meetings are taken.
    pub history: Span,
}

/// What is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// CalDAV.
    Calendars,
    /// CardDAV.
    AddressBooks,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Kind::Calendars => "calendar",
            Kind::AddressBooks => "address book",
        }
    }

    const fn protocol(self) -> &'static str {
        match self {
            Kind::Calendars => "CalDAV",
            Kind::AddressBooks => "CardDAV",
        }
    }

    const fn role(self) -> Role {
        match self {
            Kind::Calendars => Role::Calendar,
            Kind::AddressBooks => Role::Cards,
        }
    }
}

/// Which collections are read, by displayname or the last part of their address; `*` stands for
/// anything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Picked {
    /// All that are found.
    #[default]
    All,
    /// These.
    Only(Vec<String>),
    /// All but these.
    Without(Vec<String>),
}

impl Picked {
    fn picks(&self, name: &str, last_part: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|p| picks(p, name) || picks(p, last_part));
        match self {
            Picked::All => true,
            Picked::Only(patterns) => any(patterns),
            Picked::Without(patterns) => !any(patterns),
        }
    }
}

/// What ends a reading early.
enum Halt {
    /// Nobody listens.
    Stopped,
    /// It failed.
    Failed(Trouble),
}

impl From<Stopped> for Halt {
    fn from(_: Stopped) -> Halt {
        Halt::Stopped
    }
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Halt {
        Halt::Failed(trouble)
    }
}

/// Reads what is new in the account. `Err` when nobody listens any more. Inside a runtime; blocks.
pub fn read(
    params: &Params,
    cursors: Vec<Cursor>,
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
) -> Result<(), Stopped> {
    let mut batches = Batches::new(&params.name, send);
    match reading::read(params, cursors, occasion, &mut batches) {
        Ok(folders) => batches.through(occasion.now, folders, false),
        Err(Halt::Stopped) => Err(Stopped),
        Err(Halt::Failed(Trouble { level, what })) => {
            batches.failed(level, format!("the {} `{}` cannot be read: {what}", params.kind.word(), params.name))
        }
    }
}

/// What there is to say of an account, without keeping any of it. Inside a runtime; blocks.
pub fn check(params: &Params, occasion: &Occasion<'_>) -> Vec<Finding> {
    let found = match account::find(params, occasion.now) {
        Ok(found) => found,
        Err(Trouble { what, .. }) => return vec![finding("fail", what)],
    };
    let host = params.web.url.host();
    let (read, left): (Vec<_>, Vec<_>) = found.iter().partition(|c| c.is_picked(&params.picked));
    let names = |all: &[&account::Collection]| all.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut findings = Vec::new();
    if read.is_empty() {
        let what = format!("none of these is picked by `include` or `exclude`: {}", names(&left));
        return vec![finding("fail", what)];
    }
    findings.push(finding("ok", format!("at {host} kithd reads {}", names(&read))));
    if let Picked::Only(patterns) | Picked::Without(patterns) = &params.picked {
        let nowhere = |p: &&String| !found.iter().any(|c| picks(p, &c.name) || picks(p, c.last_part()));
        for pattern in patterns.iter().filter(nowhere) {
            findings.push(finding("note", format!("nothing at {host} is called \"{pattern}\"")));
        }
    }
    findings
}
