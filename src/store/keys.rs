//! Keys of all trees. Floor 6.
//!
//! Invariant: keys are big-endian and fixed in width, so that their order in a tree is the order of
//! what they mean, and they fit into the 22 bytes that sled keeps without an allocation.

use crate::address::AddrSpec;
use crate::evidence::{EvidenceId, MessageId};
use crate::time::Timestamp;

/// Bytes of a time: seconds since [`Timestamp::MIN`], which fit into 39 bits.
pub const TIME: usize = 5;
/// Bytes of the hash of an address or a Message-ID. Two may collide, so what is found is checked.
pub const HASH: usize = 8;

/// A time in a key.
pub type TimeKey = [u8; TIME];

/// Order-preserving bytes of a time.
pub fn time(at: Timestamp) -> TimeKey {
    let [_, _, _, rest @ ..] = at.since(Timestamp::MIN).to_be_bytes();
    rest
}

/// The time of such bytes.
pub fn read_time(key: TimeKey) -> Timestamp {
    let [a, b, c, d, e] = key;
    Timestamp::MIN.plus(i64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
}

/// `evidence`: time, id.
pub fn evidence(at: Timestamp, id: EvidenceId) -> [u8; 21] {
    join(&[&time(at), &id.bytes()])
}

/// Time and id of an `evidence` key.
pub fn read_evidence(key: &[u8]) -> Option<(Timestamp, EvidenceId)> {
    let (at, id) = key.split_first_chunk::<TIME>()?;
    Some((read_time(*at), EvidenceId::from_bytes(id.try_into().ok()?)))
}

/// Who an entry of `by_address` is found under.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Under<'a> {
    /// An address.
    Address(&'a AddrSpec),
    /// Meetings that name nobody but their organizer: a name in the summary may.
    Nobody,
    /// All choices of the user, whomever they speak of.
    Choices,
}

impl Under<'_> {
    /// The first bytes of its keys. An address always holds an `@`, so the other two are no address's.
    pub fn hash(self) -> [u8; HASH] {
        match self {
            Under::Address(a) => hash(a.as_str()),
            Under::Nobody => hash(""),
            Under::Choices => hash("choices"),
        }
    }
}

/// `by_address`: who, time, and as much of the id as fits.
pub fn by_address(under: [u8; HASH], at: Timestamp, id: EvidenceId) -> [u8; 21] {
    join(&[&under, &time(at), &short(id)])
}

/// Time and short id of a `by_address` key.
pub fn read_by_address(key: &[u8]) -> Option<(TimeKey, [u8; HASH])> {
    let (_, rest) = key.split_first_chunk::<HASH>()?;
    let (at, id) = rest.split_first_chunk::<TIME>()?;
    Some((*at, id.try_into().ok()?))
}

/// `thread`: Message-ID, and as much of the id of the mail that names it as fits.
pub fn thread(mid: &MessageId, id: EvidenceId) -> [u8; 16] {
    join(&[&message(mid), &short(id)])
}

/// The first bytes of a Message-ID's keys.
pub fn message(mid: &MessageId) -> [u8; HASH] {
    hash(mid.as_str())
}

/// Short id of a `thread` key.
pub fn read_thread(key: &[u8]) -> Option<[u8; HASH]> {
    key.split_first_chunk::<HASH>()?.1.try_into().ok()
}

/// `cursor`: source, place, part; the texts with their lengths, so that no two run into each other.
pub fn cursor(source: &str, place: &str, part: u16) -> Vec<u8> {
    let mut key = cursors_of(source);
    key.extend_from_slice(place.as_bytes());
    key.extend_from_slice(&part.to_be_bytes());
    key
}

/// The first bytes of a source's cursors.
pub fn cursors_of(source: &str) -> Vec<u8> {
    let mut key = u16::try_from(source.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    key.extend_from_slice(source.as_bytes());
    key
}

/// Source, place and part of a `cursor` key.
pub fn read_cursor(key: &[u8]) -> Option<(&str, &str, u16)> {
    let (length, rest) = key.split_first_chunk::<2>()?;
    let (source, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (place, part) = rest.split_last_chunk::<2>()?;
    Some((std::str::from_utf8(source).ok()?, std::str::from_utf8(place).ok()?, u16::from_be_bytes(*part)))
}

fn hash(text: &str) -> [u8; HASH] {
    let mut out = [0; HASH];
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    hasher.finalize_xof().fill(&mut out);
    out
}

/// The first half of an id. Only as long as it must be to find the whole one; what is found is checked.
fn short(id: EvidenceId) -> [u8; HASH] {
    let [a, b, c, d, e, f, g, h, ..] = id.bytes();
    [a, b, c, d, e, f, g, h]
}

fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut().zip(parts.iter().copied().flatten()).for_each(|(to, from)| *to = *from);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn at() -> impl Strategy<Value = Timestamp> {
        prop_oneof![any::<i64>(), -100_000i64..100_000, Just(i64::MIN), Just(i64::MAX)].prop_map(Timestamp::from_second)
    }

    fn id() -> impl Strategy<Value = EvidenceId> {
        any::<[u8; 16]>().prop_map(EvidenceId::from_bytes)
    }

    proptest! {
        #[test]
        fn evidence_keys_round_trip_and_sort_by_time(a in at(), b in at(), i in id(), j in id()) {
            prop_assert_eq!(read_evidence(&evidence(a, i)), Some((a, i)));
            prop_assert_eq!(evidence(a, i).cmp(&evidence(b, j)), (a, i).cmp(&(b, j)));
        }

        #[test]
        fn address_keys_round_trip_and_sort_by_time(a in at(), b in at(), i in id(), j in id(), hash in any::<[u8; 8]>()) {
            let key = by_address(hash, a, i);
            let (time, short_id) = read_by_address(&key).unwrap();
            prop_assert_eq!((read_time(time), short_id), (a, short(i)));
            prop_assert_eq!(key.cmp(&by_address(hash, b, j)), (a, short(i)).cmp(&(b, short(j))));
        }

        #[test]
        fn thread_keys_round_trip(text in "[a-z0-9.@]{1,40}", i in id()) {
            let mid = MessageId::new(&text).unwrap();
            let key = thread(&mid, i);
            prop_assert!(key.starts_with(&message(&mid)));
            prop_assert_eq!(read_thread(&key), Some(short(i)));
        }

        #[test]
        fn cursor_keys_round_trip(source in ".{0,20}", place in ".{0,60}", part in any::<u16>(), other in ".{0,20}") {
            let key = cursor(&source, &place, part);
            prop_assert_eq!(read_cursor(&key), Some((source.as_str(), place.as_str(), part)));
            prop_assert_eq!(key.starts_with(&cursors_of(&other)), source == other);
        }

        #[test]
        fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (read_evidence(&bytes), read_by_address(&bytes), read_thread(&bytes), read_cursor(&bytes));
        }
    }
}
