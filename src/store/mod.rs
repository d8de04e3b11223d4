//! The store: evidence, its indexes, cursors and the records of other rooms, in sled. Floor 6; the
//! only owner of sled.
//!
//! Invariant: there is one write path, [`Store::commit`]. A cursor is never ahead of the evidence it
//! speaks of, and what cannot be read again from the sources is in the journal before it is in a tree.
//!
//! sled stays at 0.34.7 on purpose: 1.0-alpha loses acknowledged batches and has no transaction over
//! several trees (measured). What 0.34 does badly is answered here: its flush is no fsync, it panics
//! on damaged pages, and it keeps what a transaction replaced until many later reads.

mod check;
mod commit;
mod copy;
mod fault;
mod journal;
mod keys;
mod open;
mod seal;
mod trees;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::address::AddrSpec;
use crate::evidence::{Cursor, EvidenceId, MessageId, Observation, SourceName};
use crate::limits;
use crate::time::Timestamp;

pub use check::Checked;
pub use copy::{Erased, Erasure, restore};
pub use fault::{Result, StoreError};
use journal::Journal;
use keys::Under;
use open::Lock;
use trees::{Place, Trees};

/// Everything kithd keeps. One process holds it at a time; one engine owns it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// `None` after a failure that only opening again can mend.
    trees: Option<Trees>,
    secret: [u8; 32],
    writer: Mutex<Writer>,
    /// Given back last.
    lock: Arc<Lock>,
}

/// What only one commit at a time may touch.
#[derive(Debug)]
struct Writer {
    journal: Journal,
    counts: Counts,
}

/// A store that is open, and what had to be done for it.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// In plain words: what was damaged, where it was set aside, and what follows. The user is told.
    pub rebuilt: Option<String>,
}

/// One write. Either strength keeps its order: evidence, then puts and drops, and cursors with
/// coverage last.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Joined with what is known (see [`Observation::join`]); replaces what has the same id.
    pub evidence: Vec<Observation>,
    /// Evidence to take out.
    pub removed: Vec<EvidenceId>,
    /// Reading positions; an empty value takes one out.
    pub cursors: Vec<(SourceName, Cursor)>,
    /// Records to write: shelf, key, value.
    pub puts: Vec<(Shelf, Vec<u8>, Vec<u8>)>,
    /// Records to take out.
    pub drops: Vec<(Shelf, Vec<u8>)>,
}

/// What a commit withstands when it has returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// The process may be killed; a power cut may take it back whole. For what can be read again.
    Atomic,
    /// The power may fail. Before any effect leaves the process, and after each choice of the user.
    Durable,
}

/// Records of other rooms: bytes under keys, each shelf a tree of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shelf {
    /// Derived facts of an address.
    Address,
    /// Derived: contact to the time of its next look.
    Review,
    /// Reminder to its entry. Journalled.
    Outbox,
    /// Source to what of it has been read. Written after the evidence, like a cursor.
    Coverage,
    /// Folders and states of the sources, for `status`.
    Status,
    /// What could not be read, for `status`.
    Complaint,
    /// Single values of the engine.
    Meta,
    /// Keyed hashes of forgotten addresses. Journalled.
    Forgotten,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Shelf; 8] = [
        Shelf::Address,
        Shelf::Review,
        Shelf::Outbox,
        Shelf::Coverage,
        Shelf::Status,
        Shelf::Complaint,
        Shelf::Meta,
        Shelf::Forgotten,
    ];

    /// Can it be made anew from the evidence?
    pub const fn is_derived(self) -> bool {
        matches!(self, Shelf::Address | Shelf::Review)
    }

    /// Can it be read again from nowhere, so that it goes to the journal too?
    pub const fn is_journalled(self) -> bool {
        matches!(self, Shelf::Outbox | Shelf::Forgotten)
    }
}

/// How much evidence there is, by own counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Messages.
    pub mails: u64,
    /// Instances of events.
    pub meetings: u64,
    /// Cards.
    pub cards: u64,
    /// Words of the user.
    pub choices: u64,
}

impl Counts {
    /// All evidence.
    pub const fn evidence(&self) -> u64 {
        self.mails.saturating_add(self.meetings).saturating_add(self.cards).saturating_add(self.choices)
    }

    fn of_kind(&mut self, observation: &Observation) -> &mut u64 {
        match observation {
            Observation::Mail(_) => &mut self.mails,
            Observation::Meeting(_) => &mut self.meetings,
            Observation::Card(_) => &mut self.cards,
            Observation::Choice(_) => &mut self.choices,
        }
    }
}

/// A clean closing spares the next opening the count of all facts.
impl Drop for Store {
    fn drop(&mut self) {
        if self.trees.is_some() && self.sync().is_ok() {
            self.trees = None;
            seal::set(&self.path);
        }
    }
}

impl Store {
    /// The state folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Thirty-two random bytes, made once; what is signed with them only this store can have written.
    pub const fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// How much evidence there is.
    pub fn counts(&self) -> Counts {
        self.writer().counts
    }

    /// One fact.
    pub fn evidence(&self, id: EvidenceId) -> Result<Option<Observation>> {
        let trees = self.trees()?;
        fault::guarded(|| match trees.time_of(id)? {
            None => Ok(None),
            Some(at) => match trees.get(Place::Evidence, &keys::evidence(at, id))? {
                Some(value) => values::decode(&value).map(Some),
                None => Err(StoreError::damaged(format!("the fact {id} is missing"))),
            },
        })
    }

    /// Facts by time, both ends included. Cards lie at [`Timestamp::MIN`]; choices are here too.
    pub fn evidence_between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Result<Observation>> {
        let first = keys::time(from).to_vec();
        let last = [keys::time(to).as_slice(), &[u8::MAX; 17]].concat();
        Walk::over(self.trees().and_then(|t| t.range(Place::Evidence, first..last)), |(_, value)| {
            values::decode(&value)
        })
    }

    /// The newest facts found under an address, newest first: mail between people under everyone in
    /// it, other mail under its sender and the recipient it bounced from, what lies in Sent under
    /// everyone, meetings, cards and choices under everyone.
    pub fn of_address(&self, address: &AddrSpec, limit: usize) -> Result<Vec<Observation>> {
        self.under(Under::Address(address), Timestamp::MIN, Timestamp::MAX).rev().take(limit).collect()
    }

    /// Meetings, by time, that list no attendee and name nobody: a name in the summary may.
    pub fn of_nobody(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Result<Observation>> {
        self.under(Under::Nobody, from, to)
    }

    /// Everything the user ever said, oldest first.
    pub fn choices(&self) -> impl Iterator<Item = Result<Observation>> {
        self.under(Under::Choices, Timestamp::MIN, Timestamp::MAX)
    }

    /// Mails whose own id, In-Reply-To or first reference is `mid`, and out-of-office answers and
    /// bounces about it; at most [`limits::MENTIONS`], in the order of their ids.
    pub fn mentioning(&self, mid: &MessageId) -> Result<Vec<EvidenceId>> {
        Ok(self.conversation(mid)?.iter().map(Observation::id).collect())
    }

    /// The same, read.
    pub fn conversation(&self, mid: &MessageId) -> Result<Vec<Observation>> {
        self.conversation_beside(mid, &|_| false)
    }

    /// The same without those the caller holds already.
    pub fn conversation_beside(&self, mid: &MessageId, held: &dyn Fn(EvidenceId) -> bool) -> Result<Vec<Observation>> {
        let trees = self.trees()?;
        let entries = Walk::over(trees.prefix(Place::Thread, &keys::message(mid)), |(key, _)| {
            keys::read_thread(&key).ok_or_else(|| StoreError::damaged("a key of a thread"))
        });
        let mut found = Vec::new();
        for short in entries.take(limits::MENTIONS) {
            let facts = Walk::over(trees.prefix(Place::Known, &short?), |(id, at)| {
                let id =
                    EvidenceId::from_bytes(id.as_ref().try_into().map_err(|_| StoreError::damaged("a key of an id"))?);
                let at =
                    at.as_ref().try_into().map_err(|_| StoreError::damaged(format!("the time of the fact {id}")))?;
                Ok((keys::read_time(at), id))
            });
            for fact in facts {
                let (at, id) = fact?;
                if held(id) {
                    continue;
                }
                // entries whose fact is gone are harmless; `check` sweeps them up
                let value = fault::guarded(|| trees.get(Place::Evidence, &keys::evidence(at, id)))?;
                let observation = value.ok_or_else(|| StoreError::damaged(format!("the fact {id} is missing")))?;
                let observation = values::decode(&observation)?;
                if commit::mentions(&observation).contains(&mid) {
                    found.push(observation);
                }
            }
        }
        Ok(found)
    }

    /// The reading positions of a source, by place and part.
    pub fn cursors(&self, source: &str) -> Result<Vec<Cursor>> {
        let all = Walk::over(self.trees()?.prefix(Place::Cursor, &keys::cursors_of(source)), |(key, value)| {
            let (_, place, part) = keys::read_cursor(&key).ok_or_else(|| StoreError::damaged("a key of a cursor"))?;
            Ok(Cursor { place: place.to_string(), part, value: values::unseal(&value)?.to_vec() })
        });
        all.collect()
    }

    /// One record.
    pub fn record(&self, shelf: Shelf, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let trees = self.trees()?;
        fault::guarded(|| match trees.get(Place::Shelf(shelf), key)? {
            Some(value) => values::unseal(&value).map(|v| Some(v.to_vec())),
            None => Ok(None),
        })
    }

    /// All records of a shelf, by key.
    pub fn records(&self, shelf: Shelf) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>)>> {
        Walk::over(self.trees().and_then(|t| t.prefix(Place::Shelf(shelf), &[])), |(key, value)| {
            Ok((key.to_vec(), values::unseal(&value)?.to_vec()))
        })
    }

    fn under(
        &self,
        under: Under<'_>,
        from: Timestamp,
        to: Timestamp,
    ) -> impl DoubleEndedIterator<Item = Result<Observation>> {
        let hash = under.hash();
        let first = [hash.as_slice(), &keys::time(from)].concat();
        let last = [hash.as_slice(), &keys::time(to), &[u8::MAX; 9]].concat();
        let wanted = match under {
            Under::Address(address) => Some(address.clone()),
            Under::Nobody | Under::Choices => None,
        };
        let entries = Walk::over(self.trees().and_then(|t| t.range(Place::ByAddress, first..last)), |(key, _)| {
            keys::read_by_address(&key).ok_or_else(|| StoreError::damaged("a key of an address"))
        });
        entries.flat_map(move |entry| {
            let facts = entry.and_then(|(at, short)| self.facts(&[at.as_slice(), &short].concat()));
            // two addresses may share a hash, and an entry may outlive its fact
            let wanted = wanted.as_ref();
            let fits = |o: &Observation| wanted.is_none_or(|w| commit::is_found_under(o, w));
            match facts {
                Ok(facts) => facts.into_iter().filter(fits).map(Ok).collect(),
                Err(e) => vec![Err(e)],
            }
        })
    }

    /// Facts whose key begins so; nearly always one.
    fn facts(&self, prefix: &[u8]) -> Result<Vec<Observation>> {
        Walk::over(self.trees()?.prefix(Place::Evidence, prefix), |(_, value)| values::decode(&value)).collect()
    }

    fn trees(&self) -> Result<&Trees> {
        self.trees.as_ref().ok_or(StoreError::Closed)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A range of a tree, each entry read by `read`. Ends after the first failure of the tree itself.
struct Walk<F> {
    iter: Option<sled::Iter>,
    path: PathBuf,
    error: Option<StoreError>,
    read: F,
}

impl<T, F: Fn((sled::IVec, sled::IVec)) -> Result<T>> Walk<F> {
    fn over(range: Result<(sled::Iter, PathBuf)>, read: F) -> Walk<F> {
        match range {
            Ok((iter, path)) => Walk { iter: Some(iter), path, error: None, read },
            Err(error) => Walk { iter: None, path: PathBuf::new(), error: Some(error), read },
        }
    }

    fn step(
        &mut self,
        step: impl Fn(&mut sled::Iter) -> Option<sled::Result<(sled::IVec, sled::IVec)>>,
    ) -> Option<Result<T>> {
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        let iter = self.iter.as_mut()?;
        let entry = fault::guarded(|| step(iter).transpose().map_err(|e| StoreError::sled(&self.path, e)));
        match entry {
            Ok(entry) => entry.map(&self.read),
            Err(error) => {
                self.iter = None;
                Some(Err(error))
            }
        }
    }
}

impl<T, F: Fn((sled::IVec, sled::IVec)) -> Result<T>> Iterator for Walk<F> {
    type Item = Result<T>;
    fn next(&mut self) -> Option<Result<T>> {
        self.step(Iterator::next)
    }
}

impl<T, F: Fn((sled::IVec, sled::IVec)) -> Result<T>> DoubleEndedIterator for Walk<F> {
    fn next_back(&mut self) -> Option<Result<T>> {
        self.step(DoubleEndedIterator::next_back)
    }
}

/// Operations of one transaction, by tree.
type Ops = BTreeMap<Place, Vec<(Vec<u8>, Option<Vec<u8>>)>>;
