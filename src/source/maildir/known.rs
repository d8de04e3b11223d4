//! The cursor of one Maildir folder: which messages were read, by the hashes of their unique names.
//! Part of `maildir`.
//!
//! Invariant: a hash is in the cursor only if its message was read.

use serde::{Deserialize, Serialize};

use crate::evidence::{Cursor, Role};
use crate::source::buckets::Buckets;

/// Version of the cursor's bytes.
const VERSION: u8 = 1;

/// Seconds and nanoseconds of a directory's last change.
pub(super) type Mtime = (i64, i64);

/// Part 0: how and when the folder was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// [`crate::read::READER`].
    pub reader: u16,
    /// Text was wanted at all.
    pub bodies: bool,
    /// Seconds of text window.
    pub window: i64,
    /// Seconds of history.
    pub history: i64,
    /// Role the folder had.
    pub role: Role,
    /// `cur`, where its time stamp can be relied upon.
    pub cur: Option<Mtime>,
    /// `new`, the same.
    pub new: Option<Mtime>,
    /// Leading bits of a hash that choose its bucket.
    pub bits: u8,
    /// Messages in the cursor.
    pub read: u64,
}

/// A folder's cursor as it was stored.
pub(super) struct Known {
    /// `None`: never read, or in a way that does not count any more.
    pub state: Option<State>,
    buckets: Buckets<8>,
}

impl Known {
    pub(super) fn load(cursors: Vec<Cursor>) -> Known {
        let buckets = Buckets::load(cursors);
        Known { state: buckets.head().and_then(decode), buckets }
    }

    /// The hashes of what was read, sorted.
    pub(super) fn hashes(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self.buckets.records().map(|b| u64::from_be_bytes(*b)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What has to be stored so that the cursor holds `hashes` (sorted) and `state`: buckets first,
    /// part 0 last. Afterwards this is the stored cursor.
    pub(super) fn update(&mut self, place: &str, mut state: State, hashes: &[u64]) -> Vec<Cursor> {
        state.bits = Buckets::<8>::bits(self.state.map_or(0, |s| s.bits), hashes.len());
        state.read = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
        let records = hashes.iter().map(|h| h.to_be_bytes());
        let changes = self.buckets.update(place, encode(&state), state.bits, records);
        self.state = Some(state);
        changes
    }
}

fn encode(state: &State) -> Vec<u8> {
    let mut value = vec![VERSION];
    // writing into memory does not fail; if it did, the folder would only be read again
    value.extend(postcard::to_allocvec(state).unwrap_or_default());
    value
}

fn decode(value: &[u8]) -> Option<State> {
    let (version, rest) = value.split_first()?;
    (*version == VERSION).then(|| postcard::from_bytes(rest).ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::limits;

    fn state() -> State {
        State {
            reader: 1,
            bodies: true,
            window: 1,
            history: 2,
            role: Role::Inbox,
            cur: Some((3, 4)),
            new: None,
            bits: 0,
            read: 0,
        }
    }

    fn hashes(n: u64) -> Vec<u64> {
        let mut all: Vec<u64> = (0..n).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        all.sort_unstable();
        all
    }

    fn apply(store: &mut BTreeMap<u16, Vec<u8>>, changes: Vec<Cursor>) {
        for c in changes {
            assert!(c.value.len() <= limits::VALUE_BYTES, "{}", c.value.len());
            if c.value.is_empty() {
                store.remove(&c.part)
            } else {
                store.insert(c.part, c.value)
            };
        }
    }

    fn load(store: &BTreeMap<u16, Vec<u8>>) -> Known {
        Known::load(store.iter().map(|(p, v)| Cursor { place: "x".into(), part: *p, value: v.clone() }).collect())
    }

    #[test]
    fn what_was_stored_is_known_again_at_any_size() {
        for n in [0, 1, 300, 5_000, 1_000_000] {
            let mut store = BTreeMap::new();
            let all = hashes(n);
            let changes = Known::load(Vec::new()).update("x", state(), &all);
            assert_eq!(changes.last().unwrap().part, 0);
            apply(&mut store, changes);
            let known = load(&store);
            assert_eq!(known.hashes(), all, "{n}");
            assert_eq!(known.state.unwrap().read, n);
        }
    }

    #[test]
    fn one_more_message_writes_one_bucket() {
        let mut store = BTreeMap::new();
        let mut all = hashes(100_000);
        apply(&mut store, Known::load(Vec::new()).update("x", state(), &all));
        all.push(u64::MAX);
        let changes = load(&store).update("x", state(), &all);
        assert_eq!(changes.len(), 2);
        apply(&mut store, changes);
        assert_eq!(load(&store).hashes(), all);
        // and removing everything empties it
        let changes = load(&store).update("x", state(), &[]);
        apply(&mut store, changes);
        assert_eq!(store.keys().collect::<Vec<_>>(), [&0]);
    }

    #[test]
    fn foreign_bytes_are_no_cursor() {
        for value in [vec![], vec![0], vec![VERSION], vec![VERSION, 255, 255], vec![9; 40]] {
            let known = Known::load(vec![Cursor { place: "x".into(), part: 0, value }]);
            assert_eq!(known.state, None);
        }
    }
}
