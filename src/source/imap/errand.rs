//! The network's half of a reading: lists, examines and fetches, and hands raw messages on. Part of
//! `source::imap`; it reads no mail, but for the dates that decide how much of it to fetch.
//!
//! Invariant: a mark leaves after the messages it speaks of, and mailboxes are only examined.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::choice::{Choice, Chosen, choose};
use super::cursor::State;
use super::plan::{Kind, Times, arrived_at};
use super::visit::Visit;
use super::{Account, Kept};
use crate::evidence::{Complaint, Cursor, Folder, Level, Role};
use crate::imap::{Error, Fetched, MailboxName, UidSet};
use crate::limits;
use crate::net::Trouble;
use crate::read::mail::{MailContext, read_message};
use crate::source::guarded;
use crate::time::{Timestamp, Zone};

/// What the blocking half is handed, in order.
pub(super) enum Item {
    /// A message.
    Raw(Raw),
    /// Something was read up to here.
    Mark(Cursor),
    /// Something could not be read.
    Complaint(Complaint),
    /// A folder is done.
    Folder(Folder),
    /// All folders are.
    Through {
        /// A folder of sent mail is among them.
        sent_found: bool,
    },
}

/// A message as it came.
pub(super) struct Raw {
    /// Folder and UID, for complaints.
    pub place: String,
    /// What its folder or its labels say.
    pub role: Role,
    /// INTERNALDATE, or now.
    pub arrived_at: Timestamp,
    /// Its header, or header and text as one piece.
    pub bytes: Vec<u8>,
    /// With text.
    pub text: bool,
    /// Messages left in this reading, as far as known.
    pub left: u64,
    /// Its share of what may be on its way.
    _room: OwnedSemaphorePermit,
}

/// Why a reading ends early.
pub(super) enum End {
    /// Nobody listens any more.
    Stopped,
    /// The connection is of no more use.
    Lost(Trouble),
}

/// Why a folder is left.
pub(super) enum Left {
    Ended(End),
    /// The server will not show it, or not now.
    Refused(Trouble),
}

impl From<Error> for Left {
    fn from(error: Error) -> Left {
        match error {
            Error::Refused(trouble) => Left::Refused(trouble),
            Error::Lost(trouble) => Left::Ended(End::Lost(trouble)),
        }
    }
}

impl From<End> for Left {
    fn from(end: End) -> Left {
        Left::Ended(end)
    }
}

/// One reading.
pub(super) struct Errand {
    account: Arc<Account>,
    now: Timestamp,
    zone: Zone,
    pub times: Times,
    /// Mailboxes as their cursors know them, and all cursors that are stored.
    known: BTreeMap<String, State>,
    stored: Vec<Cursor>,
    sender: mpsc::Sender<Item>,
    room: Arc<Semaphore>,
    /// Messages left in the folder at hand, and in later ones that were never read.
    pub left: u64,
    later: u64,
    /// Refusals that may still be looked into.
    pub patience: u32,
    /// Sets in the midst of which a connection ended, and whether whole messages were asked for.
    pub ends: Vec<(MailboxName, UidSet, bool)>,
}

impl Errand {
    pub(super) fn new(
        account: Arc<Account>,
        occasion: &crate::source::Occasion<'_>,
        stored: Vec<Cursor>,
        sender: mpsc::Sender<Item>,
    ) -> Errand {
        let known = stored.iter().filter_map(|c| Some((c.place.clone(), State::load(c)?))).collect();
        let since = account.params.history.before(occasion.now, occasion.zone);
        Errand {
            account,
            now: occasion.now,
            zone: occasion.zone.clone(),
            times: Times { since, text_since: occasion.text_since },
            known,
            stored,
            sender,
            room: Arc::new(Semaphore::new(limits::RAW_BYTES)),
            left: 0,
            later: 0,
            patience: limits::REFUSALS,
            ends: Vec::new(),
        }
    }

    /// Reads the account to its end.
    ///
    /// # Errors
    /// Why it could not be read, or not all of it.
    pub(super) async fn run(mut self) -> Result<(), Trouble> {
        let read = self.read_all_of_it().await;
        read.map_err(|trouble| self.account.about(trouble))
    }

    /// A connection that is lost is replaced once; again only while that tells more exactly which
    /// message ends it.
    async fn read_all_of_it(&mut self) -> Result<(), Trouble> {
        let mut lost: Option<Trouble> = None;
        let mut slot = Arc::clone(&self.account.kept).lock_owned().await;
        for attempt in 0..limits::CONNECTIONS_LOST {
            let connected = match slot.take() {
                Some(kept) => Ok(kept),
                None => self.account.connect().await,
            };
            let mut kept = match connected {
                Ok(kept) => kept,
                // what the first connection met says more than that there is no second one
                Err(trouble) => return Err(lost.filter(|_| trouble.level != Level::Stop).unwrap_or(trouble)),
            };
            let ends = self.ends.len();
            match self.read_all(&mut kept).await {
                Ok(outcome) => {
                    *slot = Some(kept);
                    return outcome;
                }
                Err(End::Stopped) => return Ok(()),
                Err(End::Lost(trouble)) => lost = Some(trouble),
            }
            if attempt > 0 && self.ends.len() == ends {
                break;
            }
        }
        let what = lost.map_or_else(|| "the connection was lost".to_string(), |trouble| trouble.what);
        Err(Trouble { level: Level::Wait, what })
    }

    /// `Err`: not to its end. `Ok(Err)`: to its end, but not all of it can be read.
    async fn read_all(&mut self, kept: &mut Kept) -> Result<Result<(), Trouble>, End> {
        let params = &self.account.params;
        let labels = kept.session.capabilities().has("X-GM-EXT-1");
        let listed = match kept.session.list(true).await {
            Ok(listed) => listed,
            Err(Error::Refused(trouble)) => return Ok(Err(trouble)),
            Err(Error::Lost(trouble)) => return Err(End::Lost(trouble)),
        };
        let Choice { mut chosen, missing, cut } = choose(params, listed, labels);
        if chosen.is_empty() {
            let what = format!("no folder of `{}` is one of `folders` in its [[mailbox]]", params.name);
            return Ok(Err(Trouble { level: Level::Wait, what }));
        }
        if cut {
            let what = format!("holds more than {} folders; the others are not read", limits::FOLDERS);
            self.complain(&params.name, &what).await?;
        }
        for pattern in missing {
            self.complain(&pattern, "the config names this folder, and there is none").await?;
        }
        self.ask_status(kept, &mut chosen).await?;
        let unread = |c: &Chosen| match self.known.contains_key(c.name.raw()) {
            true => 0,
            false => c.status.and_then(|s| s.messages).map_or(0, u64::from),
        };
        let expected: Vec<u64> = chosen.iter().map(unread).collect();
        self.later = expected.iter().sum();
        let mut refused = Vec::new();
        for (folder, expected) in chosen.iter().zip(expected) {
            self.later = self.later.saturating_sub(expected);
            match self.read_folder(kept, folder).await {
                Ok(()) => {}
                Err(Left::Ended(end)) => return Err(end),
                Err(Left::Refused(trouble)) => refused.push((folder.name.clone(), trouble)),
            }
        }
        if let Some(trouble) = self.look_again(kept, &mut chosen, refused).await? {
            return Ok(Err(trouble));
        }
        if !cut {
            self.forget(&chosen).await?;
        }
        let sent_found = chosen.iter().any(Chosen::tells_sent);
        self.say(Item::Through { sent_found }).await?;
        Ok(Ok(()))
    }

    /// STATUS of the folders that the listing did not come with.
    async fn ask_status(&self, kept: &mut Kept, chosen: &mut [Chosen]) -> Result<(), End> {
        let bare: Vec<MailboxName> = chosen.iter().filter(|c| c.status.is_none()).map(|c| c.name.clone()).collect();
        if bare.is_empty() {
            return Ok(());
        }
        match kept.session.statuses(&bare).await {
            Ok(statuses) => {
                for (folder, status) in chosen.iter_mut().filter(|c| c.status.is_none()).zip(statuses) {
                    folder.status = status;
                }
                Ok(())
            }
            // opening them will tell
            Err(Error::Refused(_)) => Ok(()),
            Err(Error::Lost(trouble)) => Err(End::Lost(trouble)),
        }
    }

    /// Folders that could not be opened. One that is not listed any more was removed or renamed a
    /// moment ago. What was read before, or has to be, is missing now; of others nobody knows that
    /// they hold any mail (shared ones without rights).
    async fn look_again(
        &mut self,
        kept: &mut Kept,
        chosen: &mut Vec<Chosen>,
        refused: Vec<(MailboxName, Trouble)>,
    ) -> Result<Option<Trouble>, End> {
        if refused.is_empty() {
            return Ok(None);
        }
        let listed = match kept.session.list(false).await {
            Ok(listed) => listed,
            Err(Error::Refused(trouble)) => return Ok(Some(trouble)),
            Err(Error::Lost(trouble)) => return Err(End::Lost(trouble)),
        };
        let mut failed = None;
        for (name, trouble) in refused {
            if !listed.iter().any(|l| l.name == name && l.selectable) {
                chosen.retain(|c| c.name != name);
                continue;
            }
            let Some(folder) = chosen.iter().find(|c| c.name == name) else { continue };
            let account = &self.account.params.name;
            let what = format!("the folder `{}` of `{account}` cannot be read: {}", folder.path, trouble.what);
            if folder.needed || self.known.contains_key(name.raw()) {
                failed.get_or_insert(Trouble { level: Level::Wait, what });
            } else {
                self.complain(&folder.path, &what).await?;
            }
        }
        Ok(failed)
    }

    /// Folders that are gone, or not chosen any more: their cursors go, too.
    async fn forget(&mut self, chosen: &[Chosen]) -> Result<(), End> {
        let gone = |c: &Cursor| !chosen.iter().any(|f| f.name.raw() == c.place);
        for cursor in std::mem::take(&mut self.stored).into_iter().filter(gone) {
            self.say(Item::Mark(Cursor { value: Vec::new(), ..cursor })).await?;
        }
        Ok(())
    }

    async fn read_folder(&mut self, kept: &mut Kept, folder: &Chosen) -> Result<(), Left> {
        let key = folder.name.raw();
        let way = self.account.params.way(folder.role, self.now.since(self.times.text_since));
        let known = self.known.get(key).copied();
        // what a server says of the mailbox that is open may be as old as its opening
        let status = folder.status.filter(|_| kept.folder.as_ref() != Some(&folder.name));
        if let Some(state) = known
            && let Some((validity, next)) = status.and_then(|s| s.uid_validity.zip(s.uid_next))
            && state.is_whole(way, validity, next)
        {
            return Ok(self.done(folder, &state).await?);
        }
        let (mut visit, uid_next) = Visit::begin(self, kept, folder, known).await?;
        let mut state = State::begin(known, way, visit.validity, uid_next);
        for pass in state.passes(uid_next) {
            for lump in visit.survey(pass).await? {
                let count = visit.read_lump(pass, &lump, way).await?;
                state.read(pass, &lump, count);
                visit.errand.mark(key, state).await?;
            }
            state.passed(pass);
        }
        if known != Some(state) {
            self.mark(key, state).await?;
        }
        Ok(self.done(folder, &state).await?)
    }

    async fn mark(&mut self, key: &str, state: State) -> Result<(), End> {
        self.known.insert(key.to_string(), state);
        self.say(Item::Mark(state.cursor(key))).await
    }

    async fn done(&self, folder: &Chosen, state: &State) -> Result<(), End> {
        let role = folder.role.unwrap_or(Role::Other);
        self.say(Item::Folder(Folder { name: folder.path.clone(), read: state.read, role })).await
    }

    /// Hands a message on, and says so, unless it was set aside. Waits while too much is on its way.
    pub(super) async fn hand_on(&mut self, folder: &Chosen, message: Fetched) -> Result<bool, End> {
        self.left = self.left.saturating_sub(1);
        let labelled = |label: &str| message.gm_labels.iter().any(|l| l.eq_ignore_ascii_case(label));
        let set_aside = self.times.kind(&message) == Kind::Unwanted || labelled("\\Draft") || labelled("\\Drafts");
        let text = message.message.is_some();
        let role = match folder.role {
            Some(role) => role,
            None if labelled("\\Sent") => Role::Sent,
            None if labelled("\\Inbox") => Role::Inbox,
            None => Role::Other,
        };
        let arrived_at = arrived_at(&message).unwrap_or(self.now);
        // without either it was removed a moment ago
        let Some(bytes) = message.message.or(message.header).filter(|_| !set_aside) else { return Ok(false) };
        let size = bytes.len().clamp(1, limits::RAW_BYTES);
        let permits = u32::try_from(size).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| End::Stopped)?;
        let place = format!("{} UID {}", folder.path, message.uid);
        let left = self.left + self.later;
        let raw = Raw { place, role, arrived_at, bytes, text, left, _room: room };
        self.say(Item::Raw(raw)).await?;
        Ok(true)
    }

    /// One message, or the whole account, that could not be read.
    pub(super) async fn complain(&self, place: &str, what: &str) -> Result<(), End> {
        self.say(Item::Complaint(Complaint::new(&self.account.params.name, place, what, self.now))).await
    }

    pub(super) async fn say(&self, item: Item) -> Result<(), End> {
        self.sender.send(item).await.map_err(|_| End::Stopped)
    }

    /// The `Date` where the reader would believe it.
    pub(super) fn was_written_at(&self, row: &Fetched) -> Timestamp {
        let arrived_at = arrived_at(row).unwrap_or(self.now);
        let context = MailContext {
            source: "",
            place: "",
            role: Role::Other,
            arrived_at,
            now: self.now,
            text_since: Timestamp::MAX,
            zone: &self.zone,
        };
        let header = row.header.as_deref().unwrap_or_default();
        let read = guarded(|| read_message(header, &context)).and_then(Result::ok);
        read.map_or(arrived_at, |message| message.mail.at)
    }
}
