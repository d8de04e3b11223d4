//! Delivers reminders into a mailbox by IMAP (APPEND of RFC 3501). Part of `delivery`.
//!
//! Invariant: one Message-ID is put into the mailbox at most once as far as it can be seen, and
//! never as read.

use super::inbox::{Inbox, lies_in};
use super::message::format;
use crate::evidence::{Delivery, Envelope, Level};
use crate::imap::{Error, MailboxName, Session, Transport, connect};
use crate::net::Trouble;

/// Where reminders are put.
#[derive(Clone, PartialEq, Debug)]
pub struct Params {
    /// The account.
    pub inbox: Inbox,
    /// The mailbox, its levels separated by `/`; `None`: INBOX.
    pub folder: Option<String>,
}

/// Logs in and looks for the mailbox; puts nothing there.
///
/// # Errors
/// What keeps reminders from it, and what to do.
pub async fn check(params: &Params) -> Result<String, Trouble> {
    let mut session = connect(&params.inbox.server, &params.inbox.credentials).await?;
    let folder = params.folder.as_deref().unwrap_or("INBOX");
    let found = named(&mut session, folder).await;
    session.logout().await;
    match found? {
        Some(_) => Ok(format!("into {folder} of {}, by IMAP", params.inbox.server.host)),
        None => Err(Trouble { level: Level::Wait, what: no_mailbox(folder) }),
    }
}

fn no_mailbox(folder: &str) -> String {
    format!("there is no mailbox {folder}: make it, or set `folder` in [delivery]")
}

/// Puts one mail into the mailbox, unless it lies there already. [`Delivery::Unknown`] from the
/// moment its last byte may have left until its server has answered.
pub async fn deliver(params: &Params, envelope: &Envelope) -> Delivery {
    let mut session = match connect(&params.inbox.server, &params.inbox.credentials).await {
        Ok(session) => session,
        Err(trouble) => return Delivery::Transient(trouble.what),
    };
    let delivery = deliver_in(&mut session, params.folder.as_deref(), envelope).await;
    session.logout().await;
    delivery
}

async fn deliver_in<S: Transport>(session: &mut Session<S>, folder: Option<&str>, envelope: &Envelope) -> Delivery {
    let bytes = match format(envelope) {
        Ok(bytes) => bytes,
        Err(what) => return Delivery::Permanent(what),
    };
    let before = async {
        let Some(name) = named(session, folder.unwrap_or("INBOX")).await? else { return Ok(None) };
        let is_there = lies_in(session, &name, &envelope.message_id).await?.is_some();
        Ok::<_, Error>(Some((name, is_there)))
    };
    let name = match before.await {
        Ok(Some((_, true))) => return Delivery::Accepted,
        Ok(Some((name, false))) => name,
        Ok(None) => {
            return Delivery::Transient(no_mailbox(folder.unwrap_or("INBOX")));
        }
        Err(error) => return Delivery::Transient(error.to_string()),
    };
    match session.append(&name, &[], &bytes).await {
        Ok(_) => Delivery::Accepted,
        Err(failed) if failed.unknown => Delivery::Unknown(format!(
            "{failed}, and whether it took the reminder is not known: the mailbox is searched before it is put there again"
        )),
        Err(failed) => Delivery::Transient(failed.to_string()),
    }
}

/// The mailbox as its server names it.
async fn named<S: Transport>(session: &mut Session<S>, folder: &str) -> Result<Option<MailboxName>, Error> {
    let name = MailboxName::from_text(folder);
    if name.raw() == "INBOX" {
        return Ok(Some(name));
    }
    let listed = session.list(false).await?;
    let found = listed.into_iter().find(|mailbox| mailbox.name == name || mailbox.path() == folder);
    Ok(found.filter(|mailbox| mailbox.selectable).map(|mailbox| mailbox.name))
}

#[cfg(test)]
mod tests;
