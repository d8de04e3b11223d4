//! What the user said about who is who, settled into groups. Part of floor 2, `identity`.
//!
//! Invariant: of two words about the same pair the later one holds, and no pair is both joined and
//! kept apart.

use std::collections::BTreeSet;

use super::{MergedBy, Ties};
use crate::address::AddrSpec;
use crate::evidence::Word;

/// Addresses the user joined.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub members: BTreeSet<AddrSpec>,
    pub by: MergedBy,
}

/// The user's merges and splits, the config's first, then the words in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub groups: Vec<Group>,
    /// Pairs that must not meet in one contact, smaller address first.
    pub never: BTreeSet<(AddrSpec, AddrSpec)>,
    /// Addresses that were split off: evidence about them is looked at last.
    pub apart: BTreeSet<AddrSpec>,
}

impl Said {
    pub fn read(ties: &Ties, words: &[Word]) -> Said {
        let mut said = Said::default();
        for contact in &ties.config {
            for pair in contact.addresses.windows(2) {
                if let [a, b] = pair {
                    said.merge(a, b, MergedBy::Config);
                }
            }
        }
        for word in words {
            match word {
                Word::Merge(a, b) => said.merge(a, b, MergedBy::User),
                Word::Split(from, address) => said.split(from, address),
                _ => {}
            }
        }
        said
    }

    fn take_group(&mut self, addr: &AddrSpec) -> BTreeSet<AddrSpec> {
        match self.groups.iter().position(|g| g.members.contains(addr)) {
            Some(at) => self.groups.swap_remove(at).members,
            None => BTreeSet::from([addr.clone()]),
        }
    }

    fn merge(&mut self, a: &AddrSpec, b: &AddrSpec, by: MergedBy) {
        let mut members = self.take_group(a);
        if !members.contains(b) {
            let others = self.take_group(b);
            self.never.retain(|(x, y)| {
                !(members.contains(x) && others.contains(y) || members.contains(y) && others.contains(x))
            });
            members.extend(others);
        }
        self.apart.remove(b);
        self.groups.push(Group { members, by });
    }

    fn split(&mut self, from: &AddrSpec, address: &AddrSpec) {
        if from == address {
            return;
        }
        let mut left = self.take_group(address);
        left.remove(address);
        let keeps = self.groups.iter().find(|g| g.members.contains(from)).map(|g| g.members.clone());
        for other in left.iter().chain(keeps.iter().flatten()).chain(Some(from)) {
            let (a, b) = if other < address { (other, address) } else { (address, other) };
            self.never.insert((a.clone(), b.clone()));
        }
        if left.len() >= 2 {
            self.groups.push(Group { members: left, by: MergedBy::User });
        }
        self.apart.insert(address.clone());
    }
}
