//! The mailbox in which reminders arrive, searched and tidied by IMAP. Part of `delivery`.
//!
//! Invariant: mailboxes are examined only; one is opened for writing by [`retire`] alone, after the
//! reminder was found in it unread, and then one message is marked and removed, and no other.

use super::Answer;
use crate::address::{safe_text, veil};
use crate::evidence::{Level, MessageId};
use crate::imap::{
    Error, Fetched, Items, Listed, MailboxName, Row, Session, SpecialUse, Transport, Uid, UidSet, connect, quoted,
};
use crate::limits;
use crate::net::token::Credentials;
use crate::net::{Server, Trouble};

/// An IMAP account.
#[derive(Clone, PartialEq, Debug)]
pub struct Inbox {
    /// Server.
    pub server: Server,
    /// Login.
    pub credentials: Credentials,
}

/// What became of a reminder that was to be taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retired {
    /// It is gone.
    Gone,
    /// It was read, so it stays.
    Read,
    /// It is nowhere, or in the trash already.
    NotThere,
}

/// Does the mail lie in any mailbox of the account, Junk and Trash too? `No` only where all of them
/// could be searched.
pub async fn find(inbox: &Inbox, id: &MessageId) -> Answer {
    match connect(&inbox.server, &inbox.credentials).await {
        Ok(mut session) => {
            let answer = find_in(&mut session, id).await;
            session.logout().await;
            answer
        }
        Err(trouble) => {
            tracing::warn!("the inbox cannot be searched: {}", veil(&trouble.to_string()));
            Answer::CannotSearch
        }
    }
}

/// Takes a reminder away, if it was not read. Needs UIDPLUS (RFC 4315): without it, removing one
/// message would remove whatever else is marked.
///
/// # Errors
/// It lies there still, and why.
pub async fn retire(inbox: &Inbox, id: &MessageId) -> Result<Retired, Trouble> {
    let mut session = connect(&inbox.server, &inbox.credentials).await?;
    let retired = retire_in(&mut session, id).await;
    session.logout().await;
    Ok(retired?)
}

pub(super) async fn find_in<S: Transport>(session: &mut Session<S>, id: &MessageId) -> Answer {
    match search(session, id).await {
        Ok(true) => Answer::Yes,
        Ok(false) => Answer::No,
        Err(error) => {
            tracing::warn!("the inbox cannot be searched: {}", veil(&error.to_string()));
            Answer::CannotSearch
        }
    }
}

async fn search<S: Transport>(session: &mut Session<S>, id: &MessageId) -> Result<bool, Error> {
    let mut refused = None;
    for mailbox in places(session.list(false).await?) {
        match lies_in(session, &mailbox.name, id).await {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(true),
            // it may lie in another one; where it does not, nobody knows
            Err(error @ Error::Refused(_)) => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    refused.map_or(Ok(false), Err)
}

pub(super) async fn retire_in<S: Transport>(session: &mut Session<S>, id: &MessageId) -> Result<Retired, Error> {
    if !session.capabilities().has("UIDPLUS") {
        let what = "reminders cannot be taken away here, the server offers no UIDPLUS: set retire = false".to_string();
        return Err(Error::Refused(Trouble { level: Level::Wait, what }));
    }
    let thrown_away = |mailbox: &Listed| mailbox.special_use.contains(&SpecialUse::Trash);
    for mailbox in places(session.list(false).await?).into_iter().filter(|mailbox| !thrown_away(mailbox)) {
        // most mailboxes do not hold it, and are not opened for writing
        let found = match lies_in(session, &mailbox.name, id).await {
            Err(Error::Refused(_)) => None,
            other => other?,
        };
        match found {
            None => {}
            Some(message) if is_seen(&message) => return Ok(Retired::Read),
            Some(_) => return take_away(session, &mailbox.name, id).await,
        }
    }
    Ok(Retired::NotThere)
}

async fn take_away<S: Transport>(
    session: &mut Session<S>,
    name: &MailboxName,
    id: &MessageId,
) -> Result<Retired, Error> {
    session.select(name).await?;
    // looked at again in the open mailbox: UIDs of the last one may be others, and it may be read by now
    match look(session, id).await? {
        None => Ok(Retired::NotThere),
        Some(message) if is_seen(&message) => Ok(Retired::Read),
        Some(message) => {
            session.uid_store_deleted(message.uid).await?;
            session.uid_expunge(message.uid).await?;
            Ok(Retired::Gone)
        }
    }
}

/// Unknown flags count as read.
fn is_seen(message: &Fetched) -> bool {
    message.flags.as_ref().is_none_or(|flags| flags.seen)
}

/// Where a mail may lie: INBOX first; where one mailbox holds all mail (Gmail), that one, Junk and
/// Trash; else every one.
fn places(listed: Vec<Listed>) -> Vec<Listed> {
    let is = |mailbox: &Listed, uses: &[SpecialUse]| mailbox.special_use.iter().any(|u| uses.contains(u));
    let is_inbox = |mailbox: &Listed| mailbox.name.raw() == "INBOX";
    let mut places: Vec<Listed> = listed.into_iter().filter(|mailbox| mailbox.selectable).collect();
    if places.iter().any(|mailbox| is(mailbox, &[SpecialUse::All])) {
        places.retain(|m| is_inbox(m) || is(m, &[SpecialUse::All, SpecialUse::Junk, SpecialUse::Trash]));
    }
    places.sort_by_key(|mailbox| (!is_inbox(mailbox), !is(mailbox, &[SpecialUse::Junk, SpecialUse::Trash])));
    places
}

/// Examines a mailbox and looks for the mail.
pub(super) async fn lies_in<S: Transport>(
    session: &mut Session<S>,
    name: &MailboxName,
    id: &MessageId,
) -> Result<Option<Fetched>, Error> {
    session.examine(name).await?;
    look(session, id).await
}

/// The mail in the open mailbox, with its flags. What SEARCH finds is looked at: a server may take a
/// substring, or words of it, for a match.
async fn look<S: Transport>(session: &mut Session<S>, id: &MessageId) -> Result<Option<Fetched>, Error> {
    let bracketed = format!("<{id}>");
    let Some(quoted) = quoted(&bracketed) else {
        let what = format!("cannot search for {}: it is not ASCII", safe_text(&bracketed, limits::ERROR_BYTES));
        return Err(Error::Refused(Trouble { level: Level::Wait, what }));
    };
    let uids: Vec<Uid> = session.uid_search(&format!("HEADER Message-ID {quoted}")).await?;
    let last = uids.into_iter().rev().take(limits::MENTIONS).collect::<Vec<_>>();
    if last.is_empty() {
        return Ok(None);
    }
    let items = Items { flags: true, header_fields: &["Message-ID"], ..Items::default() };
    let mut rows = session.uid_fetch(vec![UidSet::of(last)], items);
    let mut found = None;
    while let Some(row) = rows.next().await? {
        if let Row::Message(message) = row {
            let header = message.header.as_deref().unwrap_or_default();
            if header.windows(bracketed.len()).any(|part| part == bracketed.as_bytes()) {
                found = Some(*message);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
