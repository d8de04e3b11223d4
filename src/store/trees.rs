//! The trees themselves, and what makes a write to them last. Floor 6.
//!
//! Invariant: all trees are opened together from one folder, and closed together.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError, TransactionResult};

use crate::evidence::EvidenceId;
use crate::time::Timestamp;
use crate::{fail, limits};

use super::fault::{Result, StoreError, guarded};
use super::{Ops, Shelf, keys};

/// A tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// Schema, secret, counts.
    Meta,
    /// Time and id to fact.
    Evidence,
    /// Id to time.
    Known,
    /// Derived: who to time and id.
    ByAddress,
    /// Derived: Message-ID to id.
    Thread,
    /// Source and place to reading position.
    Cursor,
    /// Records of other rooms.
    Shelf(Shelf),
}

impl Place {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Place> {
        let own = [Place::Meta, Place::Evidence, Place::Known, Place::ByAddress, Place::Thread, Place::Cursor];
        own.into_iter().chain(Shelf::ALL.into_iter().map(Place::Shelf))
    }

    /// The tree's name in sled, which never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Place::Meta => "meta",
            Place::Evidence => "evidence",
            Place::Known => "known",
            Place::ByAddress => "by_address",
            Place::Thread => "thread",
            Place::Cursor => "cursor",
            Place::Shelf(Shelf::Address) => "address",
            Place::Shelf(Shelf::Review) => "review",
            Place::Shelf(Shelf::Outbox) => "outbox",
            Place::Shelf(Shelf::Coverage) => "coverage",
            Place::Shelf(Shelf::Status) => "status",
            Place::Shelf(Shelf::Complaint) => "complaint",
            Place::Shelf(Shelf::Meta) => "engine",
            Place::Shelf(Shelf::Forgotten) => "forgotten",
        }
    }
}

/// Times sled is asked again for its lock, which a thread of an earlier opening may still hold.
const LOCK_TRIES: u32 = 300;

/// The open trees.
#[derive(Debug)]
pub struct Trees {
    path: PathBuf,
    db: sled::Db,
    trees: BTreeMap<Place, sled::Tree>,
    /// Something may have been written since the last [`Trees::sync`].
    written: AtomicBool,
}

impl Trees {
    /// Opens or creates the trees in the folder `path`.
    pub fn open(path: &Path) -> Result<Trees> {
        // what must last is flushed by `sync`; a thread of sled's own would wake the machine twice a second
        let config = sled::Config::new().path(path).cache_capacity(limits::CACHE_BYTES).flush_every_ms(None);
        let mut tries = 0;
        let db = loop {
            match guarded(|| config.open().map_err(|e| StoreError::sled(path, e))) {
                Err(StoreError::Locked { .. }) if tries < LOCK_TRIES => {
                    tries += 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
                db => break db?,
            }
        };
        let tree = |place: Place| Ok((place, db.open_tree(place.name()).map_err(|e| StoreError::sled(path, e))?));
        let trees = guarded(|| Place::all().map(tree).collect::<Result<_>>())?;
        Ok(Trees { path: path.to_path_buf(), db, trees, written: AtomicBool::new(true) })
    }

    /// One tree.
    pub fn tree(&self, place: Place) -> Result<&sled::Tree> {
        self.trees.get(&place).ok_or(StoreError::Closed)
    }

    /// One value, as stored.
    pub fn get(&self, place: Place, key: &[u8]) -> Result<Option<sled::IVec>> {
        self.tree(place)?.get(key).map_err(|e| StoreError::sled(&self.path, e))
    }

    /// Entries from one key to another, with the path for their errors.
    pub fn range(&self, place: Place, keys: Range<Vec<u8>>) -> Result<(sled::Iter, PathBuf)> {
        // sled panics on a range that ends before it begins
        let keys = if keys.start > keys.end { keys.start.clone()..keys.start } else { keys };
        guarded(|| Ok((self.tree(place)?.range(keys), self.path.clone())))
    }

    /// Entries whose key begins so.
    pub fn prefix(&self, place: Place, prefix: &[u8]) -> Result<(sled::Iter, PathBuf)> {
        guarded(|| Ok((self.tree(place)?.scan_prefix(prefix), self.path.clone())))
    }

    /// The time a fact is stored under.
    pub fn time_of(&self, id: EvidenceId) -> Result<Option<Timestamp>> {
        match self.get(Place::Known, &id.bytes())? {
            None => Ok(None),
            Some(at) => match keys::TimeKey::try_from(at.as_ref()) {
                Ok(at) => Ok(Some(keys::read_time(at))),
                Err(_) => Err(StoreError::damaged(format!("the time of the fact {id}"))),
            },
        }
    }

    /// Entries of a tree, counted one by one.
    pub fn count(&self, place: Place) -> Result<u64> {
        let (iter, path) = self.prefix(place, &[])?;
        guarded(|| iter.keys().try_fold(0u64, |n, key| key.map(|_| n + 1)).map_err(|e| StoreError::sled(&path, e)))
    }

    /// All operations or none.
    pub fn transact(&self, ops: &Ops) -> Result<()> {
        let trees: Vec<&sled::Tree> = ops.keys().map(|place| self.tree(*place)).collect::<Result<_>>()?;
        if trees.is_empty() {
            return Ok(());
        }
        fail::point("store.transaction");
        self.written.store(true, Ordering::Relaxed);
        let done: TransactionResult<(), ()> = trees.as_slice().transaction(|trees| {
            for (tree, ops) in trees.iter().zip(ops.values()) {
                for (key, value) in ops {
                    match value {
                        Some(value) => tree.insert(key.as_slice(), value.as_slice())?,
                        None => tree.remove(key.as_slice())?,
                    };
                }
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        done.map_err(|e| match e {
            TransactionError::Storage(e) => StoreError::sled(&self.path, e),
            TransactionError::Abort(()) => StoreError::Closed,
        })?;
        fail::point("store.transacted");
        // see limits::BREATHERS
        let evidence = self.tree(Place::Evidence)?;
        for _ in 0..limits::BREATHERS {
            evidence.get([]).map_err(|e| StoreError::sled(&self.path, e))?;
        }
        Ok(())
    }

    /// Removes every entry of a tree.
    pub fn clear(&self, place: Place) -> Result<()> {
        self.written.store(true, Ordering::Relaxed);
        guarded(|| self.tree(place)?.clear().map_err(|e| StoreError::sled(&self.path, e)))
    }

    /// Makes everything written so far outlast a power cut: sled's flush only starts the writing, the
    /// file and the folders that name it are synced here (39 of 40 stores came back empty without).
    /// What was synced already is not synced again.
    pub fn sync(&self) -> Result<()> {
        fail::point("store.flush");
        guarded(|| self.db.flush().map(drop).map_err(|e| StoreError::sled(&self.path, e)))?;
        if !self.written.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let synced = [self.path.join("db"), self.path.join("blobs"), self.path.clone()].iter().try_for_each(|path| {
            fail::point("store.fsync");
            match File::open(path).and_then(|f| f.sync_all()) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound && path.ends_with("blobs") => Ok(()),
                done => done.map_err(|e| StoreError::io("cannot sync", path, e)),
            }
        });
        self.written.fetch_or(synced.is_err(), Ordering::Relaxed);
        fail::point("store.synced");
        synced
    }
}
