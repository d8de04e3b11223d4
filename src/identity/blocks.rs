//! Which pairs of addresses are worth weighing. Part of floor 2, `identity`.
//!
//! Invariant: the number of pairs grows linearly with the number of addresses, whatever they are
//! called, and depends only on the set of them.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::nicknames::groups;
use super::profile::{Profile, without_number};
use crate::limits;

/// A digest is enough: two keys that happen to share one cost a comparison, no more.
type Key = u64;

/// Pairs of indices into `profiles` (first below second) that share a key; sorted.
pub(super) fn pairs(profiles: &[Profile<'_>]) -> Vec<(usize, usize)> {
    let mut keyed: Vec<(Key, usize)> = Vec::new();
    for (i, profile) in profiles.iter().enumerate().filter(|(_, p)| p.person) {
        keyed.extend(keys(profile).into_iter().map(|key| (key, i)));
    }
    keyed.sort_unstable();
    keyed.dedup();
    let mut pairs = Vec::new();
    for block in keyed.chunk_by(|(a, _), (b, _)| a == b) {
        let reach = if block.len() > limits::BLOCK { limits::BLOCK_REACH } else { limits::BLOCK };
        for (at, (_, a)) in block.iter().enumerate() {
            pairs.extend(block.iter().skip(at + 1).take(reach).map(|(_, b)| (*a, *b)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn key(parts: impl Hash) -> Key {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

fn keys(profile: &Profile<'_>) -> Vec<Key> {
    let mut keys = vec![key(("mailbox", &profile.plain))];
    let words = profile.handles.iter().chain(&profile.singles).chain([&profile.local, &profile.local_spelling]);
    for word in words.filter(|w| !w.is_empty()) {
        keys.extend([key(("handle", word.as_str())), key(("handle", without_number(word)))]);
    }
    for name in &profile.fulls {
        keys.extend(name.together.iter().chain(&name.shortened).map(|s| key(("handle", s.as_str()))));
        for (i, word) in name.words.iter().enumerate().filter(|(_, w)| w.chars().count() >= 2) {
            for (_, other) in name.words.iter().enumerate().filter(|(j, _)| *j != i) {
                keys.push(key((word, other.chars().next())));
                keys.extend(groups(other).iter().map(|g| key((word, g))));
            }
        }
    }
    keys
}
