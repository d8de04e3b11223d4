//! Mail on an IMAP server. Part of `source`; the protocol itself is spoken by `crate::imap`.
//!
//! Invariant: mailboxes are only examined, never selected, and no flag changes; a cursor leaves after
//! the evidence it speaks of. An account has two connections at most: one waits for news, and one is for everything
//! else, one thing after another.

mod choice;
mod cursor;
mod errand;
mod intake;
mod plan;
mod visit;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

use self::choice::{Choice, choose};
use self::cursor::Way;
use self::errand::Errand;
use super::{Occasion, Send, Stopped};
use crate::evidence::{Cursor, Level, Role};
use crate::imap::{self, MailboxName, Session};
use crate::limits;
use crate::net::token::Credentials;
use crate::net::{Login, Server, Trouble, tls};
use crate::time::Span;

/// A `[[mailbox]]` of type `imap`.
#[derive(Clone, PartialEq, Debug)]
pub struct Params {
    /// Name of the mailbox.
    pub name: String,
    /// Where it is.
    pub server: Server,
    /// Who we are there.
    pub login: Login,
    /// Patterns of folders to read; empty: the default choice.
    pub folders: Vec<String>,
    /// Patterns of folders that hold sent mail; empty: by SPECIAL-USE, else by their names.
    pub sent: Vec<String>,
    /// How far back mail is taken.
    pub history: Span,
    /// Read text, not only headers.
    pub bodies: bool,
}

impl Params {
    fn way(&self, role: Option<Role>, window: i64) -> Way {
        let history = self.history.approx_seconds();
        Way { reader: crate::read::READER, bodies: self.bodies, window, history, role }
    }
}

/// An account, with the connection that its readings share.
pub struct Account {
    params: Params,
    credentials: Credentials,
    /// Held while a reading or an errand is connected.
    kept: Arc<Mutex<Option<Kept>>>,
}

/// The account's one connection beside that which waits for news is free for somebody else; readings wait until this
/// is dropped.
#[must_use]
pub struct Turn(#[expect(dead_code, reason = "it is held, not looked at")] OwnedMutexGuard<Option<Kept>>);

/// A connection, and what is open in it.
struct Kept {
    session: Session<tls::Stream>,
    folder: Option<MailboxName>,
}

/// What a look at an account found, for `kithd check`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Folders that are read, as the user knows them.
    pub folders: Vec<String>,
    /// Those of them that hold sent mail. Empty on Gmail too, where each message says it.
    pub sent: Vec<String>,
    /// It is known which mail the user sent.
    pub sent_found: bool,
    /// Names in `folders` and `sent` that fit no folder.
    pub missing: Vec<String>,
    /// Folders the server has, read or not.
    pub listed: usize,
    /// IDLE (RFC 2177): news comes at once.
    pub idle: bool,
    /// CONDSTORE (RFC 7162).
    pub condstore: bool,
}

impl Account {
    /// Nothing is connected yet.
    pub fn new(params: Params) -> Account {
        let credentials = Credentials::new(&params.login);
        Account { params, credentials, kept: Arc::default() }
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Its login, to be shared with whoever else speaks to the account.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Reads what is new since `cursors`, folder by folder. Blocks; to be called on a thread of a
    /// runtime's blocking pool. `Err` when nobody listens any more.
    pub fn read(
        self: &Arc<Self>,
        cursors: Vec<Cursor>,
        occasion: &Occasion<'_>,
        send: &mut Send<'_>,
    ) -> Result<(), Stopped> {
        let (sender, receiver) = mpsc::channel(limits::RAW_QUEUE);
        let errand = Errand::new(Arc::clone(self), occasion, cursors, sender);
        let task = Handle::current().spawn(errand.run());
        let ending = task.abort_handle();
        let outcome = intake::take_in(&self.params, receiver, task, occasion, send);
        // where nobody listens any more it may still wait for the server
        ending.abort();
        outcome
    }

    /// Waits for news of the inbox on a connection of its own (IDLE), and calls `news` when the
    /// waiting begins and whenever mail came. Ends only when that is not possible any more:
    /// [`Level::Stop`] where the server does not offer it, and polling has to do.
    pub async fn watch(&self, mut news: impl FnMut() + std::marker::Send) -> Trouble {
        match self.watch_inbox(&mut news).await {
            Err(trouble) => self.about(trouble),
            Ok(()) => self.about(Trouble { level: Level::Wait, what: "the waiting for news ended".to_string() }),
        }
    }

    async fn watch_inbox(&self, news: &mut (impl FnMut() + std::marker::Send)) -> Result<(), Trouble> {
        let mut session = imap::connect(&self.params.server, &self.credentials).await?;
        if !session.capabilities().has("IDLE") {
            session.logout().await;
            let what = "the server does not offer IDLE; new mail is found by polling".to_string();
            return Err(Trouble { level: Level::Stop, what });
        }
        session.examine(&MailboxName::from_raw("INBOX")).await?;
        // what came before is found by the reading that this begins
        news();
        let renew_after = Duration::from_secs(limits::IDLE_SECS);
        loop {
            let came = session.idle(renew_after, std::future::pending()).await?;
            if came.exists.is_some() {
                news();
            }
        }
    }

    /// Connects, logs in and looks what there is; for `kithd check`.
    ///
    /// # Errors
    /// What keeps the account from being read, without its name.
    pub async fn check(&self) -> Result<Checked, Trouble> {
        let mut session = imap::connect(&self.params.server, &self.credentials).await?;
        let listed = session.list(false).await?;
        let capabilities = session.capabilities();
        let (idle, condstore) = (capabilities.has("IDLE"), capabilities.has_condstore());
        let labels = capabilities.has("X-GM-EXT-1");
        let count = listed.len();
        let Choice { chosen, missing, .. } = choose(&self.params, listed, labels);
        session.logout().await;
        let paths = |role: Option<Role>| {
            let fitting = chosen.iter().filter(move |c| role.is_none() || c.role == role);
            fitting.map(|c| c.path.clone()).collect::<Vec<_>>()
        };
        Ok(Checked {
            folders: paths(None),
            sent: paths(Some(Role::Sent)),
            sent_found: chosen.iter().any(choice::Chosen::tells_sent),
            missing,
            listed: count,
            idle,
            condstore,
        })
    }

    /// Waits for the reading that goes on, a minute at most, and closes the connection it leaves. `None`: it goes on.
    pub async fn turn(&self) -> Option<Turn> {
        let free = Arc::clone(&self.kept).lock_owned();
        let mut kept = tokio::time::timeout(Duration::from_secs(limits::IMAP_TURN_SECS), free).await.ok()?;
        if let Some(kept) = kept.take() {
            kept.session.logout().await;
        }
        Some(Turn(kept))
    }

    async fn connect(&self) -> Result<Kept, Trouble> {
        let session = imap::connect(&self.params.server, &self.credentials).await?;
        Ok(Kept { session, folder: None })
    }

    /// Trouble with the name of the account.
    fn about(&self, trouble: Trouble) -> Trouble {
        let name = format!("`{}`", self.params.name);
        match trouble.what.contains(&name) {
            true => trouble,
            false => Trouble { what: format!("{name}: {}", trouble.what), ..trouble },
        }
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Account) -> bool {
        self.params == other.params
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.params.fmt(f)
    }
}

#[cfg(test)]
mod tests;
