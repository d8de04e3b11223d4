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
use crate::source::{Occasion, Report, Send, Stopped};
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
        let occasion = Occasion { now: self.now, zone: &self.zone, text_since: self.now.minus(limits::TEXT_WINDOW) };
        let read = |send: &mut Send<'_>| self.source.read(self.cursors.clone(), &occasion, send);
        let name = self.source.name();
        let say = |word: Word| {
            let said = Said { source: name.to_string(), number: self.number, word };
            sender.blocking_send(said).map_err(|_| Stopped)
        };
        supervise(name, &self.stop, read, say);
    }
}

/// Lets a door read, and sees to it that its reading ends as the invariant says.
fn supervise(
    name: &str,
    stop: &AtomicBool,
    read: impl FnOnce(&mut Send<'_>) -> Result<(), Stopped>,
    say: impl Fn(Word) -> Result<(), Stopped>,
) {
    let mut ended = false;
    let mut send = |report: Report| {
        if stop.load(Ordering::Relaxed) || ended {
            return Err(Stopped);
        }
        ended = !matches!(report, Report::Batch(_));
        say(Word::Report(report))
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| read(&mut send)));
    let fault = match outcome {
        Ok(Ok(())) if !ended => Some(format!("reading `{name}` ended without a word: please report this")),
        Ok(_) => None,
        Err(_) => Some(format!("reading `{name}` ended in a fault of kithd's own; the other sources go on")),
    };
    if let Some(what) = fault.filter(|_| !ended && !stop.load(Ordering::Relaxed)) {
        // a receiver that is gone has nothing left to be told
        let _ = say(Word::Report(Report::Failed { level: Level::Wait, what }));
    }
    let _ = say(Word::Ended);
}

/// What a report is to the engine.
pub fn event(source: SourceName, report: Report) -> Event {
    match report {
        Report::Batch(batch) => Event::Observed(batch),
        Report::Through { until, folders, sent_found } => Event::ReadThrough { source, until, folders, sent_found },
        Report::Failed { level, what } => Event::SourceFailed { source, level, what },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::cell::RefCell;

    use super::*;

    /// The words of a reading: b(atch), t(hrough), f(ailed), e(nded).
    fn words(stopped: bool, read: impl FnOnce(&mut Send<'_>) -> Result<(), Stopped>) -> String {
        let words = RefCell::new(String::new());
        let say = |word: Word| {
            words.borrow_mut().push(match word {
                Word::Report(Report::Batch(_)) => 'b',
                Word::Report(Report::Through { .. }) => 't',
                Word::Report(Report::Failed { .. }) => 'f',
                Word::Ended => 'e',
            });
            Ok(())
        };
        supervise("work", &AtomicBool::new(stopped), read, say);
        words.into_inner()
    }

    fn through() -> Report {
        Report::Through { until: Timestamp::from_second(0), folders: Vec::new(), sent_found: false }
    }

    #[test]
    fn a_reading_ends_once_whatever_its_door_does() {
        let batch = || Report::Batch(crate::evidence::Batch::default());
        assert_eq!(words(false, |send| send(batch()).and_then(|()| send(through()))), "bte");
        assert_eq!(words(false, |send| send(batch())), "bfe", "a door that forgets to end");
        assert_eq!(words(false, |_| panic!("in a door")), "fe");
        assert_eq!(words(false, |send| send(through()).map(|()| panic!("after the end"))), "te");
        assert_eq!(words(false, |send| send(through()).and_then(|()| send(through()))), "te");
        assert_eq!(words(true, |send| send(batch()).and_then(|()| send(through()))), "e", "stopped at its next word");
        assert_eq!(words(true, |_| panic!("while it is stopped")), "e");
    }
}
