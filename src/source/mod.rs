//! The doors through which evidence comes in. Floor 8.
//!
//! Invariant: a cursor leaves in the batch of the observations it speaks of, or in a later one; and
//! exactly one [`Report::Through`] or [`Report::Failed`] ends each reading.

mod answer;
mod buckets;
pub mod cards;
pub mod dav;
mod events;
pub mod feed;
mod files;
pub mod folders;
pub mod imap;
pub mod maildir;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::reply::Finding;
use crate::evidence::{Batch, Complaint, Cursor, EvidenceId, Folder, FullReading, Level, Observation};
use crate::limits;
use crate::time::{Timestamp, Zone};

/// When and for whom a reading is made.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// Now.
    pub now: Timestamp,
    /// The user's zone.
    pub zone: &'a Zone,
    /// Text is read of mail from this time on.
    pub text_since: Timestamp,
}

/// What a reading says while it goes on.
#[derive(Clone, PartialEq, Debug)]
pub enum Report {
    /// Something was read.
    Batch(Batch),
    /// Everything there is was read.
    Through {
        /// What happened in the source until then is known now.
        until: Timestamp,
        /// What was read, for `status`.
        folders: Vec<Folder>,
        /// A mailbox: a folder of sent mail is among them. Calendars and address books say `false`.
        sent_found: bool,
    },
    /// It could not be read, or not all of it.
    Failed {
        /// What is done about it.
        level: Level,
        /// In plain words.
        what: String,
    },
}

/// Nobody listens any more: stop reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped;

/// Where reports go. It may block while the engine is busy.
pub type Send<'a> = dyn FnMut(Report) -> Result<(), Stopped> + 'a;

/// Runs a reader over bytes of somebody else's. `None` where it panicked: then these bytes are set
/// aside, and not everything that lies beside them.
fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).ok()
}

/// What is said of such bytes.
const READER_FAILED: &str = "kithd failed on it; please report this";

/// One line of `check`: `ok`, `note` or `fail`.
fn finding(level: &str, what: String) -> Finding {
    Finding { level: level.to_string(), what }
}

/// Works on a lot of messages on [`limits::PARSERS`] threads; what comes of them is in their order.
fn in_parallel<T: Sync, R: std::marker::Send>(lot: &[T], work: &(dyn Fn(&T) -> R + Sync)) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut outcomes = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = lot.get(index) else { return outcomes };
            outcomes.push((index, work(one)));
        }
    };
    let mut outcomes = std::thread::scope(|scope| {
        // a few new messages are read before a thread has started
        let others = if lot.len() < 8 { 0 } else { limits::PARSERS - 1 };
        let others: Vec<_> = (0..others).map(|_| scope.spawn(share)).collect();
        let mut outcomes = share();
        for other in others {
            match other.join() {
                Ok(theirs) => outcomes.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcomes
    });
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Gathers what a reading finds into batches of a bounded size.
struct Batches<'a, 's> {
    send: &'a mut Send<'s>,
    batch: Batch,
    complaints: usize,
    seen: Vec<EvidenceId>,
}

impl<'a, 's> Batches<'a, 's> {
    fn new(source: &str, send: &'a mut Send<'s>) -> Self {
        Batches {
            send,
            batch: Batch { source: source.to_string(), ..Batch::default() },
            complaints: 0,
            seen: Vec::new(),
        }
    }

    fn observe(&mut self, observation: Observation) -> Result<(), Stopped> {
        if matches!(observation, Observation::Meeting(_) | Observation::Card(_)) {
            self.seen.push(observation.id());
        }
        self.batch.observations.push(observation);
        if self.batch.observations.len() >= limits::BATCH { self.flush() } else { Ok(()) }
    }

    /// Beyond [`limits::COMPLAINTS`] of one reading they are only noise: `status` keeps no more.
    fn complain(&mut self, complaint: Complaint) {
        if self.complaints < limits::COMPLAINTS {
            self.batch.complaints.push(complaint);
        }
        self.complaints += 1;
    }

    /// One more thing was looked at. What gives nothing to observe still shows as progress.
    fn looked_at(&mut self, left: Option<u64>) -> Result<(), Stopped> {
        self.batch.read += 1;
        self.batch.left = left;
        let silent = self.batch.read >= 10 * u64::try_from(limits::BATCH).unwrap_or(u64::MAX);
        if silent { self.flush() } else { Ok(()) }
    }

    fn cursor(&mut self, cursor: Cursor) -> Result<(), Stopped> {
        self.batch.cursors.push(cursor);
        if self.batch.cursors.len() >= limits::CURSORS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Stopped> {
        let next = Batch { source: self.batch.source.clone(), left: self.batch.left, ..Batch::default() };
        let batch = std::mem::replace(&mut self.batch, next);
        let empty = batch.observations.is_empty()
            && batch.complaints.is_empty()
            && batch.cursors.is_empty()
            && batch.read == 0
            && batch.full.is_none();
        if empty { Ok(()) } else { (self.send)(Report::Batch(batch)) }
    }

    fn through(&mut self, until: Timestamp, folders: Vec<Folder>, sent_found: bool) -> Result<(), Stopped> {
        self.flush()?;
        (self.send)(Report::Through { until, folders, sent_found })
    }

    /// The last batch of a good reading of the source, or of these events and cards of it: whatever
    /// is not among the things seen is gone.
    fn full(&mut self, began_at: Timestamp, until: Timestamp, of: Option<Vec<EvidenceId>>) -> Result<(), Stopped> {
        let mut seen = std::mem::take(&mut self.seen);
        seen.sort_unstable();
        self.batch.full = Some(FullReading { began_at, until, seen, of });
        self.flush()
    }

    fn failed(&mut self, level: Level, what: String) -> Result<(), Stopped> {
        self.flush()?;
        (self.send)(Report::Failed { level, what })
    }
}
