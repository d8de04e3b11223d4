//! The delivery of the config, and the inbox it ends in. Part of `daemon`.
//!
//! Invariant: what may be on its way is searched for in the inbox the user reads, by the door that
//! sees it; where none does, nobody claims to know.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::doors::Source;
use crate::config::{Config, DeliveryDoor};
use crate::delivery::inbox::{self, Inbox, Retired};
use crate::delivery::{self, Answer, append, smtp};
use crate::engine::Found;
use crate::evidence::{Delivery, Envelope, Level, MessageId};
use crate::net::Trouble;
use crate::net::token::Credentials;
use crate::source::imap::{Account, Turn};

const BUSY: &str = "the mailbox is being read at this moment; it is tried again later";

/// Where reminders go; clones share their logins.
#[derive(Clone, PartialEq, Debug)]
pub struct Post {
    way: Way,
    /// The account that receives them, where it is read by IMAP.
    inbox: Option<Arc<Inbox>>,
    /// The same as it is read: reading and delivery take turns.
    account: Option<Arc<Account>>,
}

#[derive(Clone, PartialEq, Debug)]
enum Way {
    Maildir(PathBuf),
    Smtp(Arc<smtp::Params>),
    Append(Arc<append::Params>),
    /// An account that is not configured; the config refuses it before.
    Nowhere,
}

impl Post {
    /// The delivery of a config whose sources are these.
    pub fn of(config: &Config, sources: &[Source]) -> Post {
        let account = |name: &str| {
            sources.iter().find_map(|source| match source {
                Source::Imap(account) if account.params().name == name => Some(account),
                _ => None,
            })
        };
        let inbox_of = |account: &Arc<Account>| Inbox {
            server: account.params().server.clone(),
            credentials: account.credentials().clone(),
        };
        let mut read = config.delivery.inbox.as_deref().and_then(account);
        let way = match &config.delivery.door {
            DeliveryDoor::Maildir { path } => Way::Maildir(path.clone()),
            DeliveryDoor::Smtp { server, login } => {
                let credentials = login.as_ref().map(Credentials::new);
                Way::Smtp(Arc::new(smtp::Params { server: server.clone(), credentials }))
            }
            DeliveryDoor::Append { mailbox, folder } => match account(mailbox) {
                Some(account) => {
                    read = Some(account);
                    Way::Append(Arc::new(append::Params { inbox: inbox_of(account), folder: folder.clone() }))
                }
                None => Way::Nowhere,
            },
        };
        Post { way, inbox: read.map(|account| Arc::new(inbox_of(account))), account: read.cloned() }
    }

    /// The account's connection, where it is not read just now.
    fn turn(&self) -> Option<Turn> {
        Handle::current().block_on(self.account.as_ref()?.turn())
    }

    /// Delivers one mail; blocks, on a thread of a runtime. News of a failure that SMTP does not take
    /// goes straight into the inbox.
    pub fn deliver(&self, envelope: &Envelope) -> Delivery {
        let delivery = match &self.way {
            Way::Maildir(path) => delivery::maildir::deliver(path, envelope),
            Way::Smtp(params) => Handle::current().block_on(smtp::deliver(params, envelope)),
            Way::Append(params) => self.append(params, envelope),
            Way::Nowhere => Delivery::Permanent("the mailbox named under [delivery] is not there".to_string()),
        };
        let failed = matches!(delivery, Delivery::Transient(_) | Delivery::Permanent(_));
        match (&self.way, &self.inbox) {
            (Way::Smtp(_), Some(inbox)) if failed && envelope.is_notice() => {
                let params = append::Params { inbox: Inbox::clone(inbox), folder: None };
                match self.append(&params, envelope) {
                    Delivery::Accepted => Delivery::Accepted,
                    _ => delivery,
                }
            }
            _ => delivery,
        }
    }

    fn append(&self, params: &append::Params, envelope: &Envelope) -> Delivery {
        match self.turn() {
            Some(_turn) => Handle::current().block_on(append::deliver(params, envelope)),
            None => Delivery::Transient(BUSY.to_string()),
        }
    }

    /// Is this mail there? Blocks. What SMTP took may lie in a queue for a while.
    pub fn find(&self, id: &MessageId) -> Found {
        let answer = match (&self.way, &self.inbox) {
            (Way::Maildir(path), _) => delivery::maildir::find(path, id),
            (_, Some(inbox)) => match self.turn() {
                Some(_turn) => Handle::current().block_on(inbox::find(inbox, id)),
                None => Answer::CannotSearch,
            },
            (_, None) => Answer::CannotSearch,
        };
        match answer {
            Answer::Yes => Found::Yes,
            Answer::No if matches!(self.way, Way::Smtp(_)) => Found::NotYet,
            Answer::No => Found::No,
            Answer::CannotSearch => Found::CannotSearch,
        }
    }

    /// Takes a mail out of the inbox if it is unread; blocks. The engine asks for it only where the
    /// user wants that.
    ///
    /// # Errors
    /// It lies there still, and why.
    pub fn retire(&self, id: &MessageId) -> Result<(), Trouble> {
        let Some(inbox) = &self.inbox else { return Ok(()) };
        let Some(_turn) = self.turn() else {
            return Err(Trouble { level: Level::Wait, what: BUSY.to_string() });
        };
        let retired = Handle::current().block_on(inbox::retire(inbox, id))?;
        if retired == Retired::Gone {
            tracing::info!("a reminder whose reason is gone was taken out of the inbox");
        }
        Ok(())
    }

    /// Tries it, and sends nothing; blocks.
    ///
    /// # Errors
    /// What does not work, and what to do.
    pub fn check(&self) -> Result<String, Trouble> {
        match &self.way {
            Way::Maildir(path) => Ok(format!("into the Maildir {}", path.display())),
            Way::Smtp(params) => Handle::current().block_on(smtp::check(params)),
            Way::Append(params) => Handle::current().block_on(append::check(params)),
            Way::Nowhere => Ok(String::new()),
        }
    }

    /// Does it lie on this machine?
    pub fn is_near(&self) -> bool {
        matches!(self.way, Way::Maildir(_))
    }

    /// Can the inbox be searched after an unknown outcome?
    pub fn can_search(&self) -> bool {
        self.inbox.is_some() || matches!(self.way, Way::Maildir(_))
    }
}
