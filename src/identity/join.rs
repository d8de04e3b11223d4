//! Joins addresses into clusters: the user's word first, then evidence, best first. Part of floor 2,
//! `identity`.
//!
//! Invariant: evidence never joins what the user keeps apart, nor two contradicting full names,
//! not even by a chain of third addresses; and the outcome depends on the set of facts only.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks;
use super::names::{Name, lists_contradict};
use super::points::{MERGE, SUGGEST, Tie, Weight, are_numbered_apart, weigh};
use super::profile::Profile;
use super::said::Said;
use super::{Merge, MergedBy, Ties};
use crate::address::AddrSpec;
use crate::limits;

/// Indices into the profiles, and why they are together.
#[derive(Clone, Debug, Default)]
pub(super) struct Cluster {
    pub members: Vec<usize>,
    pub merges: Vec<Merge>,
    /// Full names, one list for each unit the user made or address that came by evidence.
    units: Vec<Vec<Name>>,
}

struct Edge {
    a: usize,
    b: usize,
    weight: Weight,
    tie: Tie,
    automatic: bool,
}

/// Clusters in no particular order, and proposals, best first.
pub(super) fn join(profiles: &[Profile<'_>], said: &Said, ties: &Ties) -> (Vec<Cluster>, Vec<Merge>) {
    let index: BTreeMap<&AddrSpec, usize> = profiles.iter().enumerate().map(|(i, p)| (p.addr, i)).collect();
    let mut clusters = Clusters::new(profiles, said, &index);
    for group in &said.groups {
        clusters.join_group(&group.members, group.by, profiles, &index);
    }
    let mut edges = edges(profiles, ties, &index);
    demote_rivals(&mut edges, profiles);
    edges.sort_by_key(|e| {
        let apart = [e.a, e.b].iter().any(|i| profiles.get(*i).is_some_and(|p| said.apart.contains(p.addr)));
        (apart, -e.weight.points, e.a, e.b)
    });
    for edge in edges.iter().filter(|e| e.automatic) {
        if clusters.may_join(edge.a, edge.b) {
            clusters.join(edge.a, edge.b, edge.merge(profiles));
        }
    }
    let mut proposed = BTreeSet::new();
    let mut proposals: Vec<Merge> = Vec::new();
    for edge in &edges {
        let (a, b) = (clusters.root(edge.a), clusters.root(edge.b));
        if clusters.may_join(a, b) && proposed.insert((a.min(b), a.max(b))) {
            proposals.extend(edge.merge(profiles));
        }
    }
    proposals.sort_by(|x, y| y.points.cmp(&x.points).then_with(|| (&x.a, &x.b).cmp(&(&y.a, &y.b))));
    proposals.truncate(limits::PROPOSALS);
    (clusters.clusters.into_values().collect(), proposals)
}

impl Edge {
    fn merge(&self, profiles: &[Profile<'_>]) -> Option<Merge> {
        let (a, b) = (profiles.get(self.a)?.addr.clone(), profiles.get(self.b)?.addr.clone());
        let by = if self.tie.card { MergedBy::Card } else { MergedBy::Evidence };
        Some(Merge {
            a,
            b,
            points: self.weight.points,
            reasons: self.weight.reasons.iter().map(ToString::to_string).collect(),
            by,
        })
    }
}

fn edges(profiles: &[Profile<'_>], ties: &Ties, index: &BTreeMap<&AddrSpec, usize>) -> Vec<Edge> {
    let pair = |a: &AddrSpec, b: &AddrSpec| match (index.get(a), index.get(b)) {
        (Some(a), Some(b)) if a != b => Some(((*a).min(*b), (*a).max(*b))),
        _ => None,
    };
    let carded: BTreeSet<(usize, usize)> = ties
        .cards
        .iter()
        .map(|card| card.get(..limits::CARD_ADDRESSES).unwrap_or(card))
        .flat_map(|card| card.iter().flat_map(move |a| card.iter().filter_map(move |b| pair(a, b))))
        .collect();
    let threads: BTreeSet<(usize, usize)> = ties.threads.iter().filter_map(|(a, b)| pair(a, b)).collect();
    let words = WordCounts::of(profiles);
    let mut pairs = blocks::pairs(profiles);
    pairs.extend(&carded);
    pairs.sort_unstable();
    pairs.dedup();
    let weighed = pairs.into_iter().filter_map(|(a, b)| {
        let (x, y) = (profiles.get(a)?, profiles.get(b)?);
        let tie = Tie { card: carded.contains(&(a, b)), thread: threads.contains(&(a, b)) };
        let same_mailbox = x.plain == y.plain;
        if !(x.person && y.person && (x.known || y.known || same_mailbox)) {
            return None;
        }
        let weight = weigh(x, y, tie);
        let moved = !weight.by_likeness && x.takes_turns_with(y) == Some(true);
        let second = tie.card || tie.thread || !weight.by_name || moved;
        let proven = second || !(words.are_common(x) || words.are_common(y)) && is_telling(x, y, &weight);
        let automatic = weight.points >= MERGE && (same_mailbox || x.known && y.known && proven);
        (weight.points >= SUGGEST).then_some(Edge { a, b, weight, tie, automatic })
    });
    weighed.collect()
}

/// Does a name alone, no common one, say that two addresses are one person's? Not where it only resembles the
/// other, nor where both mailboxes tell themselves apart by numbers, nor at two houses at the same time: those
/// may be namesakes. One house settles it.
fn is_telling(x: &Profile<'_>, y: &Profile<'_>, weight: &Weight) -> bool {
    let one_house = !x.private_domain.is_empty() && x.private_domain == y.private_domain;
    let doubtful = weight.by_likeness
        || are_numbered_apart(x, y)
        || x.works_elsewhere_than(y) && x.takes_turns_with(y) == Some(false);
    !doubtful || one_house
}

/// In how many different full names each word stands, and how many such names there are.
struct WordCounts {
    counts: BTreeMap<String, usize>,
    names: usize,
}

impl WordCounts {
    fn of(profiles: &[Profile<'_>]) -> WordCounts {
        let names: BTreeSet<&[String]> = profiles.iter().flat_map(|p| &p.fulls).map(|n| n.words.as_slice()).collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for word in names.iter().copied().flatten() {
            *counts.entry(word.clone()).or_default() += 1;
        }
        WordCounts { counts, names: names.len() }
    }

    /// Are two people of this name to be expected among those one knows? Then the name alone is no proof.
    fn is_common(&self, name: &Name) -> bool {
        let counted = name.words.iter().filter(|w| w.chars().count() > 1);
        let mut counts: Vec<usize> = counted.map(|w| self.counts.get(w).copied().unwrap_or(0)).collect();
        counts.sort_unstable();
        let rarest: usize = counts.iter().take(2).fold(limits::COMMON_NAME_SHARE, |all, n| all.saturating_mul(*n));
        counts.first().is_some_and(|n| *n >= limits::COMMON_NAME) && rarest >= self.names
    }

    fn are_common(&self, profile: &Profile<'_>) -> bool {
        !profile.fulls.is_empty() && profile.fulls.iter().all(|n| self.is_common(n))
    }
}

/// Of the partners of an address one for each way of being called, with the most points.
type Partners<'a> = BTreeMap<Vec<&'a [String]>, (i32, usize)>;

/// Where an address fits two people who are not one equally well, it is nobody's by itself.
fn demote_rivals(edges: &mut [Edge], profiles: &[Profile<'_>]) {
    let called = |i: usize| -> Vec<&[String]> {
        profiles.get(i).into_iter().flat_map(|p| &p.fulls).map(|n| n.words.as_slice()).collect()
    };
    let mut partners: BTreeMap<usize, Partners<'_>> = BTreeMap::new();
    for edge in edges.iter().filter(|e| e.automatic) {
        for (who, partner) in [(edge.a, edge.b), (edge.b, edge.a)] {
            let best = partners.entry(who).or_default().entry(called(partner)).or_insert((0, partner));
            best.0 = best.0.max(edge.weight.points);
        }
    }
    let rivalled = |who: usize, partner: usize, points: i32| {
        let rivals = partners.get(&who).filter(|r| r.len() >= 2).into_iter().flatten().take(limits::BLOCK_REACH);
        let mut rivals = rivals.filter(|(_, (theirs, _))| *theirs >= points);
        let partner = profiles.get(partner);
        rivals.any(|(_, (_, rival))| partner.zip(profiles.get(*rival)).is_some_and(|(p, r)| p.contradicts(r)))
    };
    let lost: Vec<bool> = edges
        .iter()
        .map(|e| e.automatic && (rivalled(e.a, e.b, e.weight.points) || rivalled(e.b, e.a, e.weight.points)))
        .collect();
    for (edge, lost) in edges.iter_mut().zip(lost) {
        edge.automatic &= !lost;
    }
}

/// A disjoint-set forest that keeps what each set holds at its root.
struct Clusters {
    parent: Vec<usize>,
    clusters: BTreeMap<usize, Cluster>,
    never: BTreeSet<(usize, usize)>,
}

impl Clusters {
    fn new(profiles: &[Profile<'_>], said: &Said, index: &BTreeMap<&AddrSpec, usize>) -> Clusters {
        let single = |(i, p): (usize, &Profile<'_>)| {
            (i, Cluster { members: vec![i], merges: Vec::new(), units: vec![p.fulls.clone()] })
        };
        let never = said.never.iter().filter_map(|(a, b)| Some((*index.get(a)?, *index.get(b)?)));
        Clusters {
            parent: (0..profiles.len()).collect(),
            clusters: profiles.iter().enumerate().map(single).collect(),
            never: never.map(|(a, b)| (a.min(b), a.max(b))).collect(),
        }
    }

    fn root(&mut self, of: usize) -> usize {
        let mut at = of;
        while let Some(up) = self.parent.get(at).copied().filter(|up| *up != at) {
            let above = self.parent.get(up).copied().unwrap_or(up);
            if let Some(slot) = self.parent.get_mut(at) {
                *slot = above;
            }
            at = up;
        }
        at
    }

    fn may_join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        let (Some(x), Some(y)) = (self.clusters.get(&a), self.clusters.get(&b)) else { return false };
        let split = || {
            let met = |i: &usize, j: &usize| self.never.contains(&((*i).min(*j), (*i).max(*j)));
            x.members.iter().any(|i| y.members.iter().any(|j| met(i, j)))
        };
        a != b
            && x.members.len() + y.members.len() <= limits::CONTACT_ADDRESSES
            && (self.never.is_empty() || !split())
            && !x.units.iter().any(|u| y.units.iter().any(|v| lists_contradict(u, v)))
    }

    fn join(&mut self, a: usize, b: usize, merge: Option<Merge>) {
        let (a, b) = (self.root(a), self.root(b));
        let (keep, gone) = match (self.size(a), self.size(b)) {
            (x, y) if x >= y => (a, b),
            _ => (b, a),
        };
        let Some(taken) = (a != b).then(|| self.clusters.remove(&gone)).flatten() else { return };
        if let Some(slot) = self.parent.get_mut(gone) {
            *slot = keep;
        }
        if let Some(cluster) = self.clusters.get_mut(&keep) {
            cluster.members.extend(taken.members);
            cluster.merges.extend(taken.merges);
            cluster.merges.extend(merge);
            for unit in taken.units {
                if !cluster.units.contains(&unit) {
                    cluster.units.push(unit);
                }
            }
        }
    }

    fn size(&self, root: usize) -> usize {
        self.clusters.get(&root).map_or(0, |c| c.members.len())
    }

    /// Joins what the user joined; their names then count as one person's.
    fn join_group(
        &mut self,
        members: &BTreeSet<AddrSpec>,
        by: MergedBy,
        profiles: &[Profile<'_>],
        index: &BTreeMap<&AddrSpec, usize>,
    ) {
        let known: Vec<usize> = members.iter().filter_map(|m| index.get(m).copied()).collect();
        let Some((first, others)) = known.split_first() else { return };
        for other in others {
            let reason = if by == MergedBy::Config { "your configuration" } else { "your word" };
            let merge = profiles.get(*first).zip(profiles.get(*other)).map(|(a, b)| Merge {
                a: a.addr.clone(),
                b: b.addr.clone(),
                points: super::points::SAID,
                reasons: vec![reason.to_string()],
                by,
            });
            self.join(*first, *other, merge);
        }
        let root = self.root(*first);
        if let Some(cluster) = self.clusters.get_mut(&root) {
            let pooled = cluster.units.drain(..).flatten().collect();
            cluster.units.push(pooled);
        }
    }
}
