//! One reading of one source, on a thread of its own. Part of `daemon`.
//!
//! Invariant: whatever the door does, its reading says [`Word::Ended`] last, and before it exactly one
//! good or bad end, unless nobody listens any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use super::doors::Source;
use super::schedule::Number;
use crate::engine::Event;
use crate::evidence::{Cursor, Level, SourceName};
use crate::limits;
use crate::source::{Occasion, Report, Stopped};
use crate::time::{Timestamp, Zone};

/// Something a reading says.
#[derive(Debug)]
pub struct Said {
    /// Whose reading.
    pub source: SourceName,
    /// Which.
    pub number: Number,
    /// What.
    pub word: Word,
}

/// A word of a reading.
#[derive(Debug)]
pub enum Word {
    /// Of its door.
    Report(Report),
    /// Nothing more comes.
    Ended,
}

/// A reading to make.
#[derive(Debug)]
pub struct Reading {
    /// What is read.
    pub source: Source,
    /// Which reading of it this is.
    pub number: Number,
    /// How far it was read.
    pub cursors: Vec<Cursor>,
    /// The user's zone.
    pub zone: Zone,
    /// As of then.
    pub now: Timestamp,
    /// Once set, the reading ends at its next word.
    pub stop: Arc<AtomicBool>,
}

impl Reading {
    /// Starts it. Its thread is not waited for by anybody: what hangs in the system cannot be ended.
    pub fn start(self, sender: mpsc::Sender<Said>) {
        tokio::task::spawn_blocking(move || self.make(&sender));
    }

    fn make(&self, sender: &mpsc::Sender<Said>) {
        let mut ended = false;
        let mut send = |report: Report| {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Stopped);
            }
            ended |= !matches!(report, Report::Batch(_));
            self.say(sender, Word::Report(report))
        };
        let occasion = Occasion { now: self.now, zone: &self.zone, text_since: self.now.minus(limits::TEXT_WINDOW) };
        let cursors = self.cursors.clone();
        let read = catch_unwind(AssertUnwindSafe(|| self.source.read(cursors, &occasion, &mut send)));
        let name = self.source.name();
        let fault = match read {
            Ok(Ok(())) if !ended => Some(format!("reading `{name}` ended without a word: please report this")),
            Ok(_) => None,
            Err(_) => Some(format!("reading `{name}` ended in a fault of kithd's own; the other sources go on")),
        };
        if let Some(what) = fault.filter(|_| !self.stop.load(Ordering::Relaxed)) {
            // a receiver that is gone has nothing left to be told
            let _ = self.say(sender, Word::Report(Report::Failed { level: Level::Wait, what }));
        }
        let _ = self.say(sender, Word::Ended);
    }

    fn say(&self, sender: &mpsc::Sender<Said>, word: Word) -> Result<(), Stopped> {
        let said = Said { source: self.source.name().to_string(), number: self.number, word };
        sender.blocking_send(said).map_err(|_| Stopped)
    }
}

/// What a report is to the engine.
pub fn event(source: SourceName, report: Report) -> Event {
    match report {
        Report::Batch(batch) => Event::Observed(batch),
        Report::Through { until, folders, sent_found } => Event::ReadThrough { source, until, folders, sent_found },
        Report::Failed { level, what } => Event::SourceFailed { source, level, what },
    }
}
