//! What is to be fetched of one mailbox, and in which order. Part of `source::imap`; pure.
//!
//! Invariant: a mark of [`State`] moves over a UID only after everything wanted up to it was read.

use std::collections::BTreeMap;

use super::cursor::State;
use crate::imap::{Fetched, Uid, UidSet};
use crate::limits;
use crate::time::Timestamp;

/// One way through a part of a mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pass {
    /// What came since the last reading, oldest first, so that one mark is enough.
    New {
        /// From here ...
        first: Uid,
        /// ... to here.
        last: Uid,
    },
    /// The text window once more, newest first.
    Window {
        /// From here ...
        first: Uid,
        /// ... to here.
        last: Uid,
    },
    /// The first reading, newest first.
    History {
        /// From 1 to here.
        last: Uid,
    },
}

impl Pass {
    /// The UIDs it may touch.
    pub(super) fn range(self) -> (Uid, Uid) {
        match self {
            Pass::New { first, last } | Pass::Window { first, last } => (first, last),
            Pass::History { last } => (1, last),
        }
    }

    /// So few UIDs that they are fetched without a look at their dates.
    pub(super) fn is_short(self) -> bool {
        let (first, last) = self.range();
        matches!(self, Pass::New { .. }) && last - first < limits::FETCH_AT_ONCE
    }
}

/// What is done with a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// Its text may count.
    Recent,
    /// Its header counts.
    Older,
    /// Before the history, a draft, or marked as deleted.
    Unwanted,
}

/// Which times count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Where the history begins.
    pub since: Timestamp,
    /// Where the text window begins.
    pub text_since: Timestamp,
}

impl Times {
    /// What is done with a message that arrived then; no Date is believed that lies further ahead.
    pub(super) fn kind(&self, row: &Fetched) -> Kind {
        let set_aside = row.flags.as_ref().is_some_and(|f| f.draft || f.deleted);
        match arrived_at(row).map(|at| at.plus(limits::DATE_AHEAD)) {
            _ if set_aside => Kind::Unwanted,
            Some(latest) if latest < self.since => Kind::Unwanted,
            Some(latest) if latest < self.text_since => Kind::Older,
            _ => Kind::Recent,
        }
    }
}

/// INTERNALDATE, unless it is one of those that a move from server to server leaves behind (1970).
pub(super) fn arrived_at(row: &Fetched) -> Option<Timestamp> {
    row.internal_date.filter(|at| at.second() >= limits::DATE_EARLIEST)
}

/// Messages of one kind with nothing of another kind among them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Stretch {
    /// From here ...
    pub first: Uid,
    /// ... to here.
    pub last: Uid,
    /// What they are.
    pub kind: Kind,
    /// How many of them there are.
    pub count: u32,
}

/// Gathers a look at a mailbox: a few bytes for many messages.
#[derive(Default)]
pub(super) struct Survey(BTreeMap<Uid, Stretch>);

impl Survey {
    /// One more message. They may come in any order; in ascending order they take least room.
    pub(super) fn add(&mut self, uid: Uid, kind: Kind) {
        if let Some((_, s)) = self.0.range_mut(..=uid).next_back() {
            // what comes too late to be told apart is read with its neighbours
            let inside = uid <= s.last;
            if inside || (s.kind == kind && s.count < limits::STRETCH) {
                s.last = s.last.max(uid);
                s.kind = s.kind.min(kind);
                s.count += 1;
                return;
            }
        }
        self.0.insert(uid, Stretch { first: uid, last: uid, kind, count: 1 });
    }

    /// The lumps in which a pass reads what was found.
    pub(super) fn lumps(self, pass: Pass) -> Vec<Lump> {
        let wanted = |s: &Stretch| match pass {
            Pass::Window { .. } => s.kind == Kind::Recent,
            _ => s.kind != Kind::Unwanted,
        };
        let mut stretches: Vec<Stretch> = self.0.into_values().filter(wanted).collect();
        if !matches!(pass, Pass::New { .. }) {
            stretches.reverse();
        }
        let mut lumps: Vec<Lump> = Vec::new();
        for stretch in stretches {
            match lumps.last_mut() {
                Some(lump) if lump.count() + stretch.count <= limits::LUMP => lump.stretches.push(stretch),
                _ => lumps.push(Lump { stretches: vec![stretch] }),
            }
        }
        lumps
    }
}

/// What is read before a mark moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lump {
    /// In the order of the pass.
    pub stretches: Vec<Stretch>,
}

impl Lump {
    /// A whole range of which nobody knows what it holds.
    pub(super) fn unseen((first, last): (Uid, Uid)) -> Lump {
        let count = (last - first).saturating_add(1);
        Lump { stretches: vec![Stretch { first, last, kind: Kind::Recent, count }] }
    }

    /// Messages in it.
    pub(super) fn count(&self) -> u32 {
        self.stretches.iter().map(|s| s.count).sum()
    }

    /// Sets of at most `most` messages of a kind, each for one command.
    pub(super) fn sets(&self, kind: Kind, most: u32) -> Vec<UidSet> {
        let mut sets: Vec<(u32, Vec<(Uid, Uid)>)> = Vec::new();
        for s in self.stretches.iter().filter(|s| s.kind == kind) {
            match sets.last_mut() {
                Some((count, ranges)) if *count + s.count <= most => {
                    *count += s.count;
                    ranges.push((s.first, s.last));
                }
                _ => sets.push((s.count, vec![(s.first, s.last)])),
            }
        }
        sets.into_iter().map(|(_, ranges)| UidSet::ranges(ranges)).collect()
    }
}

impl State {
    /// The ways through a mailbox that shows this UIDNEXT, in their order.
    pub(super) fn passes(&self, uid_next: Uid) -> Vec<Pass> {
        let new = (self.next < uid_next).then(|| Pass::New { first: self.next, last: uid_next - 1 });
        let window = (self.low < self.text_low).then(|| Pass::Window { first: self.low, last: self.text_low - 1 });
        let history = (self.low > 1).then(|| Pass::History { last: self.low - 1 });
        [new, window, history].into_iter().flatten().collect()
    }

    /// A lump of a pass was read, and held so many messages.
    pub(super) fn read(&mut self, pass: Pass, lump: &Lump, count: u64) {
        let first = lump.stretches.iter().map(|s| s.first).min();
        let last = lump.stretches.iter().map(|s| s.last).max();
        match (pass, first.zip(last)) {
            (_, None) => {}
            (Pass::New { .. }, Some((_, last))) => self.next = self.next.max(last.saturating_add(1)),
            (Pass::Window { .. }, Some((first, _))) => self.text_low = self.text_low.min(first),
            (Pass::History { .. }, Some((first, _))) => {
                self.low = self.low.min(first);
                self.text_low = self.low;
            }
        }
        if !matches!(pass, Pass::Window { .. }) {
            self.read += count;
        }
    }

    /// A pass came to its end.
    pub(super) fn passed(&mut self, pass: Pass) {
        match pass {
            Pass::New { last, .. } => self.next = self.next.max(last.saturating_add(1)),
            Pass::Window { first, .. } => self.text_low = first,
            Pass::History { .. } => (self.low, self.text_low) = (1, 1),
        }
    }
}

#[cfg(test)]
mod tests;
