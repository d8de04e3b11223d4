//! Which pairs of addresses are worth weighing. Part of floor 2, `identity`.
//!
//! Invariant: the number of pairs grows linearly with the number of addresses, whatever they are
//! called, and depends only on the set of them.

use std::collections::{BTreeMap, BTreeSet};

use super::nicknames::groups;
use super::profile::{Profile, without_number};
use crate::limits;

/// Pairs of indices into `profiles` (first below second) that share a key.
pub(super) fn pairs(profiles: &[Profile<'_>]) -> BTreeSet<(usize, usize)> {
    let mut blocks: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, profile) in profiles.iter().enumerate().filter(|(_, p)| p.person) {
        for key in keys(profile) {
            blocks.entry(key).or_default().push(i);
        }
    }
    let mut pairs = BTreeSet::new();
    for members in blocks.values_mut() {
        let reach = if members.len() > limits::BLOCK { limits::BLOCK_REACH } else { limits::BLOCK };
        for (at, a) in members.iter().enumerate() {
            for b in members.iter().skip(at + 1).take(reach) {
                pairs.insert((*a, *b));
            }
        }
    }
    pairs
}

fn keys(profile: &Profile<'_>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    keys.insert(format!("@{}", profile.plain));
    for word in profile
        .handles
        .iter()
        .chain(&profile.singles)
        .chain([&profile.local, &profile.local_spelling])
        .filter(|w| !w.is_empty())
    {
        keys.insert(format!("h{word}"));
        keys.insert(format!("h{}", without_number(word)));
    }
    for name in &profile.fulls {
        keys.extend(name.spellings().into_iter().map(|s| format!("h{s}")));
        let mut turned = name.words.clone();
        for _ in 0..turned.len() {
            turned.rotate_left(1);
            keys.insert(format!("h{}", turned.concat()));
        }
        for (i, word) in name.words.iter().enumerate().filter(|(_, w)| w.chars().count() >= 2) {
            for (_, other) in name.words.iter().enumerate().filter(|(j, _)| *j != i) {
                keys.extend(other.chars().next().map(|c| format!("w{word} {c}")));
                keys.extend(groups(other).iter().map(|g| format!("w{word} {g}")));
            }
        }
    }
    keys
}
