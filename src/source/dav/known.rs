//! The cursor of one collection: its tokens, and which resources were read in which version. Part of `dav`.
//!
//! Invariant: a resource is known with an etag only if it was read as of that etag; which events or
//! cards it held is known as long as the resource is.

use std::collections::BTreeMap;

use libdav::encoding::normalise_percent_encoded;
use serde::{Deserialize, Serialize};

use crate::evidence::{Cursor, EvidenceId};
use crate::limits;
use crate::source::buckets::Buckets;

/// Version of the cursor's bytes.
const VERSION: u8 = 1;

/// Part 0: how far the collection was read.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Digest of whatever else makes a new reading necessary.
    pub salt: u64,
    /// Local day of the last reading of everything, in days since 1970.
    pub read_on: i64,
    /// What stood in the account's listing when the collection was last read to its end: as long as
    /// it stands there nothing has changed.
    pub mark: Option<String>,
    /// `sync-token` to ask for changes since then.
    pub token: Option<String>,
    /// Leading bits of a hash that choose its bucket.
    bits: u8,
}

impl State {
    pub(super) fn new(salt: u64, read_on: i64, mark: Option<String>, token: Option<String>) -> State {
        State { salt, read_on, mark, token, bits: 0 }
    }
}

/// What was read of one resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Held {
    /// Digest of its etag; 0 where that is not known.
    pub etag: u64,
    /// Its events ([`crate::evidence::MeetingKey::event`]) or cards.
    pub events: Vec<EvidenceId>,
}

/// A collection's cursor.
pub(super) struct Known {
    /// `None`: never read.
    pub state: Option<State>,
    /// By digest of the href.
    pub resources: BTreeMap<u64, Held>,
    place: String,
    buckets: Buckets<32>,
}

/// No event: a resource that held none still has a record.
const NONE: [u8; 16] = [0; 16];

impl Known {
    pub(super) fn load(place: &str, cursors: Vec<Cursor>) -> Known {
        let buckets: Buckets<32> = Buckets::load(cursors);
        let mut resources: BTreeMap<u64, Held> = BTreeMap::new();
        for record in buckets.records() {
            let Some((href, etag, event)) = record_parts(record) else { continue };
            let held = resources.entry(href).or_default();
            held.etag = etag;
            if event != NONE {
                held.events.push(EvidenceId::from_bytes(event));
            }
        }
        let state = buckets.head().and_then(|head| {
            let (version, rest) = head.split_first()?;
            (*version == VERSION).then(|| postcard::from_bytes(rest).ok()).flatten()
        });
        Known { state, resources, place: place.to_string(), buckets }
    }

    /// What has to be stored so that the cursor holds `state` and the resources as they are now.
    pub(super) fn update(&mut self, mut state: State) -> Vec<Cursor> {
        let records: usize = self.resources.values().map(|held| held.events.len().max(1)).sum();
        state.bits = Buckets::<32>::bits(self.state.as_ref().map_or(0, |s| s.bits), records);
        for token in [&mut state.mark, &mut state.token] {
            token.take_if(|t| t.len() > limits::VALUE_BYTES / 3);
        }
        let mut head = vec![VERSION];
        // writing into memory does not fail; if it did, the collection would only be read again
        head.extend(postcard::to_allocvec(&state).unwrap_or_default());
        let records = self.resources.iter().flat_map(|(href, held)| {
            let none = held.events.is_empty().then_some(NONE);
            let events = held.events.iter().map(|event| event.bytes()).chain(none);
            events.map(|event| record(*href, held.etag, event))
        });
        let changes = self.buckets.update(&self.place, head, state.bits, records);
        self.state = Some(state);
        changes
    }

    /// What has to be stored so that nothing of the collection is.
    pub(super) fn forget(&mut self) -> Vec<Cursor> {
        self.resources.clear();
        self.state = None;
        self.buckets.forget(&self.place)
    }
}

fn record(href: u64, etag: u64, event: [u8; 16]) -> [u8; 32] {
    let mut record = [0; 32];
    let bytes = href.to_be_bytes().into_iter().chain(etag.to_be_bytes()).chain(event);
    record.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    record
}

fn record_parts(record: &[u8; 32]) -> Option<(u64, u64, [u8; 16])> {
    let (href, rest) = record.split_first_chunk::<8>()?;
    let (etag, event) = rest.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*href), u64::from_be_bytes(*etag), event.try_into().ok()?))
}

/// Path of an href, written in one way: servers give them with and without host, and escape at will.
pub(super) fn path_of(href: &str) -> String {
    let path = match href.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => href,
    };
    normalise_percent_encoded(path).map_or_else(|_| path.to_string(), |p| p.into_owned())
}

/// Digest of an href, by its path.
pub(super) fn href_digest(href: &str) -> u64 {
    digest("href", &path_of(href))
}

/// Digest of an etag; 0 where there is none.
pub(super) fn etag_digest(etag: Option<&str>) -> u64 {
    etag.map_or(0, |etag| digest("etag", etag).max(1))
}

/// Eight bytes of a digest.
pub(super) fn digest(kind: &str, text: &str) -> u64 {
    let bytes = EvidenceId::of(kind, &[text.as_bytes()]).bytes();
    bytes.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stored(changes: Vec<Cursor>) -> Vec<Cursor> {
        changes.into_iter().filter(|c| !c.value.is_empty()).collect()
    }

    #[test]
    fn a_collection_is_known_again() {
        let event = |n: u32| EvidenceId::of("meeting", &[&n.to_be_bytes()]);
        for n in [0_u32, 1, 3_000] {
            let mut known = Known::load("c /cal/", Vec::new());
            assert!(known.state.is_none());
            for i in 0..n {
                let events = (0..i % 3).map(|k| event(i * 3 + k)).collect();
                let held = Held { etag: etag_digest(Some(&i.to_string())), events };
                known.resources.insert(href_digest(&format!("/cal/{i}.ics")), held);
            }
            let state = State { salt: 7, read_on: 20_000, mark: Some("m".into()), token: Some("t".into()), bits: 0 };
            let changes = known.update(state.clone());
            assert!(changes.iter().all(|c| c.value.len() <= limits::VALUE_BYTES && c.place == "c /cal/"));
            let mut again = Known::load("c /cal/", stored(changes));
            let sorted = |known: &Known| {
                let mut all = known.resources.clone();
                all.values_mut().for_each(|held| held.events.sort_unstable());
                all
            };
            assert_eq!(sorted(&again), sorted(&known), "{n}");
            assert_eq!(again.state.as_ref().unwrap().token, state.token);
            assert!(again.forget().iter().all(|c| c.value.is_empty()));
        }
    }

    #[test]
    fn endless_tokens_and_foreign_bytes_are_forgotten() {
        let mut known = Known::load("c", Vec::new());
        let state = State { token: Some("x".repeat(9_000)), mark: Some("m".into()), ..State::default() };
        let again = Known::load("c", known.update(state));
        assert_eq!(again.state.unwrap(), State { mark: Some("m".into()), ..State::default() });
        for value in [vec![], vec![0], vec![VERSION], vec![9; 40]] {
            assert!(Known::load("c", vec![Cursor { place: "c".into(), part: 0, value }]).state.is_none());
        }
    }

    #[test]
    fn an_href_is_known_however_it_is_written() {
        for href in ["/cal/a b.ics", "/cal/a%20b.ics", "https://dav.example:8443/cal/a%20b.ics", "/c%61l/a b.ics"] {
            assert_eq!(path_of(href), "/cal/a b.ics", "{href}");
        }
        assert_eq!(path_of("https://dav.example"), "/");
        assert_ne!(href_digest("/cal/a%2Fb"), href_digest("/cal/a/b"));
        assert_eq!((etag_digest(None), etag_digest(Some("1")) == etag_digest(Some("W/1"))), (0, false));
    }
}
