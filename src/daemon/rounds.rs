//! Rounds that a user asked the service for: `run --once` while it runs. Part of `daemon`.
//!
//! Invariant: a round ends when every source was read by a reading that began after it was asked for,
//! and what was due then has been delivered or has failed.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use super::once::count;
use super::schedule::Number;
use crate::control::{Answer, Fault, Round};
use crate::evidence::{Batch, Envelope, SourceName};

/// Rounds under way.
#[derive(Debug, Default)]
pub struct Rounds(Vec<UnderWay>);

#[derive(Debug)]
struct UnderWay {
    /// Readings up to this one began too early.
    after: Number,
    pending: BTreeSet<SourceName>,
    woken: bool,
    round: Round,
    answer: oneshot::Sender<Result<Answer, Fault>>,
}

impl Rounds {
    /// One more is asked for.
    pub fn begin(
        &mut self,
        sources: impl Iterator<Item = SourceName>,
        after: Number,
        answer: oneshot::Sender<Result<Answer, Fault>>,
    ) {
        let pending = sources.collect();
        self.0.push(UnderWay { after, pending, woken: false, round: Round::default(), answer });
    }

    /// A reading brought something.
    pub fn brought(&mut self, batch: &Batch, number: Number) {
        self.0.iter_mut().filter(|u| number > u.after).for_each(|u| count(batch, &mut u.round));
    }

    /// A reading ended; `failed` says why, where it did.
    pub fn ended(&mut self, source: &str, number: Number, failed: Option<&str>) {
        for u in self.0.iter_mut().filter(|u| number > u.after) {
            if u.pending.remove(source) {
                u.round.failed.extend(failed.map(|what| (source.to_string(), what.to_string())));
            }
        }
    }

    /// Sources that are not there any more are not waited for.
    pub fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.0.iter_mut().for_each(|u| u.pending.retain(|name| is_kept(name)));
    }

    /// Is one read through and wants its reminders sent?
    pub fn want_wake(&self) -> bool {
        self.0.iter().any(|u| u.pending.is_empty() && !u.woken)
    }

    /// Reminders were looked at.
    pub fn woke(&mut self) {
        self.0.iter_mut().filter(|u| u.pending.is_empty()).for_each(|u| u.woken = true);
    }

    /// A delivery ended.
    pub fn delivered(&mut self, sent: Option<&Envelope>, trouble: Option<&str>) {
        for u in &mut self.0 {
            u.round.sent.extend(sent.cloned());
            u.round.undelivered.extend(trouble.map(str::to_string));
        }
    }

    /// Nothing is being delivered: what is complete is answered.
    pub fn finish(&mut self) {
        let (complete, open) = std::mem::take(&mut self.0).into_iter().partition(|u: &UnderWay| u.woken);
        self.0 = open;
        for u in complete {
            // a client that went away asked in vain
            let _ = u.answer.send(Ok(Answer::Round(Box::new(u.round))));
        }
    }

    /// The store failed: nobody gets an answer but this.
    pub fn fail(&mut self, why: &str) {
        for u in std::mem::take(&mut self.0) {
            let _ = u.answer.send(Err(Fault::new(Fault::FAILED, why)));
        }
    }
}
