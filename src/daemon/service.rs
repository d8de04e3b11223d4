//! `kithd run`: the loop. Part of `daemon`.
//!
//! Invariant: this task alone holds the engine. It waits for one thing at a time, gives it to the
//! engine, and does nothing that blocks but that: readings, deliveries and clients have tasks of their own.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::doors::Source;
use super::errand::{self, Done};
use super::post::Post;
use super::reading::{Reading, Said, Word, event};
use super::rounds::Rounds;
use super::schedule::{Ended, Number, Schedule};
use super::signals::Signal;
use super::trace::{Trace, What};
use super::watch::{Watcher, chance};
use super::words::Words;
use crate::address::veil;
use crate::config::Config;
use crate::control::{Answer, Asked, Fault, Order, Peers};
use crate::engine::{Effect, Engine, EngineError, Event, Reply, Request, Result};
use crate::evidence::{Level, SourceName};
use crate::limits;
use crate::notify;
use crate::source::Report;
use crate::store::StoreError;
use crate::time::{self, Timestamp};

/// Reads the config again.
pub type Load = Box<dyn Fn() -> std::result::Result<Config, String>>;

/// The service.
pub(super) struct Service {
    pub engine: Engine,
    pub config: Config,
    pub load: Load,
    pub trace: Trace,
    pub schedule: Schedule,
    pub sources: BTreeMap<SourceName, Seated>,
    /// Where reminders go; made with the sources.
    pub post: Post,
    pub running: BTreeMap<SourceName, Running>,
    pub rounds: Rounds,
    pub words: Words,
    pub peers: watch::Sender<Peers>,
    pub wake: Wake,
    pub errands: VecDeque<Effect>,
    pub abroad: Option<JoinHandle<Done>>,
    pub senders: Senders,
    /// The last look at the wall clock.
    pub now: Timestamp,
    /// Something was taken in and is not durable yet, since then.
    pub unsynced: Option<Timestamp>,
    /// Seconds before a store that failed is opened again.
    pub mend_secs: i64,
    /// Seconds between two words to systemd's watchdog, and when the last was said.
    pub watchdog: Option<i64>,
    pub alive_at: Timestamp,
}

/// A source of the config.
pub(super) struct Seated {
    pub source: Source,
    /// Waits for its news.
    pub watcher: Option<Watcher>,
}

/// Where readings and watchers speak to.
pub(super) struct Senders {
    pub said: mpsc::Sender<Said>,
    pub news: mpsc::Sender<SourceName>,
}

/// Where the loop hears everything.
pub(super) struct Inbox {
    pub said: mpsc::Receiver<Said>,
    pub news: mpsc::Receiver<SourceName>,
    pub asked: mpsc::Receiver<Asked>,
    pub signals: mpsc::Receiver<Signal>,
}

/// A reading that goes on.
#[derive(Debug)]
pub(super) struct Running {
    pub number: Number,
    pub stop: Arc<AtomicBool>,
    /// How it ended, once it has said so.
    pub ended: Option<Ended>,
    /// Why it failed.
    pub failed: Option<String>,
    /// It brought something, or mended a failure: reminders are to be looked at.
    pub matters: bool,
}

/// When reminders are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wake {
    /// The engine's time.
    pub at: Timestamp,
    /// Wanted since then.
    pub wanted_at: Option<Timestamp>,
    /// Something is held back until its source is read.
    pub holds: bool,
}

/// What the loop waited for.
pub(super) enum Happened {
    Said(Said),
    News(SourceName),
    Asked(Asked),
    Signal(Signal),
    /// `None`: it was lost; the engine looks for what it was about at the next start.
    Errand(Option<Done>),
    Time,
}

impl Inbox {
    /// Waits for the next thing, or for the time.
    pub async fn next(&mut self, sleep: Duration, abroad: &mut Option<JoinHandle<Done>>) -> Happened {
        let errand = async {
            match abroad {
                Some(abroad) => abroad.await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(signal) = self.signals.recv() => Happened::Signal(signal),
            Some(asked) = self.asked.recv() => Happened::Asked(asked),
            done = errand => Happened::Errand(done),
            Some(source) = self.news.recv() => Happened::News(source),
            Some(said) = self.said.recv() => Happened::Said(said),
            () = tokio::time::sleep(sleep) => Happened::Time,
        }
    }
}

impl Service {
    /// Runs until it is told to stop.
    pub async fn serve(&mut self, inbox: &mut Inbox) -> Result<()> {
        loop {
            let mut step = match self.attend() {
                Ok(sleep) => match inbox.next(sleep, &mut self.abroad).await {
                    Happened::Signal(Signal::Stop) => return Ok(()),
                    happened => self.take(happened, time::now()),
                },
                Err(error) => Err(error),
            };
            while let Err(error) = step {
                step = match self.mend(error, inbox).await {
                    Ok(true) => Ok(()),
                    Ok(false) => return Ok(()),
                    // it filled up again before anything was written
                    Err(full @ EngineError::Store(StoreError::Full { .. })) => Err(full),
                    Err(other) => return Err(other),
                };
            }
        }
    }

    /// Gives the engine an event; what it wants done is queued.
    pub fn apply(&mut self, event: Event, now: Timestamp) -> Result<()> {
        self.trace.write(now, || What::Event(event.clone()));
        let effects = self.engine.apply(event, now)?;
        self.unsynced.get_or_insert(now);
        self.errands.extend(effects);
        Ok(())
    }

    /// Takes what happened.
    pub fn take(&mut self, happened: Happened, now: Timestamp) -> Result<()> {
        match happened {
            Happened::Said(Said { source, number, word }) => self.hear(source, number, word, now),
            Happened::News(source) => {
                self.schedule.news(&source, now);
                Ok(())
            }
            Happened::Asked(asked) => self.asked(asked, now),
            Happened::Errand(done) => {
                self.abroad = None;
                let Some(done) = done else { return Ok(()) };
                self.rounds.delivered(done.sent.as_deref(), done.trouble.as_deref());
                done.event.map_or(Ok(()), |event| self.apply(event, now))?;
                self.wake.at = self.wake.at.min(self.engine.next_wake(now));
                Ok(())
            }
            Happened::Signal(Signal::Reload) => self.reload(now).map(drop),
            Happened::Signal(Signal::Stop) | Happened::Time => Ok(()),
        }
    }

    /// A word of a reading.
    fn hear(&mut self, source: SourceName, number: Number, word: Word, now: Timestamp) -> Result<()> {
        let Some(running) = self.running.get_mut(&source).filter(|r| r.number == number) else { return Ok(()) };
        let report = match word {
            Word::Ended => return self.ended(&source, now),
            // its successor reads this anew
            Word::Report(_) if running.stop.load(Ordering::Relaxed) => return Ok(()),
            Word::Report(report) => report,
        };
        self.schedule.heard(&source, now);
        match &report {
            Report::Batch(batch) => {
                running.matters |= !batch.observations.is_empty();
                self.rounds.brought(batch, number);
                self.words.brought(batch);
            }
            Report::Through { .. } => running.ended = Some(Ended::Good),
            Report::Failed { level, what } => {
                running.ended = Some(Ended::Failed(*level));
                if *level == Level::Retry && self.schedule.failures(&source) == 0 {
                    tracing::debug!(source, "tried again at once: {what}");
                    return Ok(());
                }
                tracing::warn!(source, "{}", veil(what));
                running.failed = Some(what.clone());
            }
        }
        self.apply(event(source, report), now)
    }

    /// A reading is over.
    fn ended(&mut self, source: &str, now: Timestamp) -> Result<()> {
        let Some(running) = self.running.remove(source) else { return Ok(()) };
        self.words.ended(source);
        let ended = running.ended.unwrap_or(Ended::Stopped);
        let failures = self.schedule.failures(source);
        let first = !self.schedule.was_read(source);
        if self.schedule.end(source, ended, now, chance()) {
            return Ok(());
        }
        tracing::debug!(source, ?ended, "reading ended");
        if ended != Ended::Stopped {
            self.rounds.ended(source, running.number, running.failed.as_deref());
            if ended == Ended::Good && failures > 0 {
                tracing::info!(source, "it is read again");
            }
            self.words.failing(source, running.failed);
        }
        let mended = ended == Ended::Good && (first || failures > 0 || self.wake.holds);
        if running.matters || mended {
            self.wake.wanted_at.get_or_insert(now);
        }
        Ok(())
    }

    fn asked(&mut self, Asked { call, answer }: Asked, now: Timestamp) -> Result<()> {
        let outcome = match call.order() {
            Order::Round => {
                self.sources.keys().for_each(|name| self.schedule.ask(name, now));
                self.rounds.begin(self.sources.keys().cloned(), self.schedule.last(), answer);
                return Ok(());
            }
            Order::Backup => {
                let _ = answer.send(self.backup(now));
                return self.engine.sync();
            }
            Order::Restore(file) => self.restore(&file, now)?,
            Order::Reload => {
                self.reload(now)?.map(Reply::Done).unwrap_or_else(|why| Reply::Refused { why, several: Vec::new() })
            }
            Order::Ask(request) => {
                let order = is_order(&request);
                if order {
                    self.trace.write(now, || What::Request(request.clone()));
                }
                match self.engine.answer(request, now) {
                    Ok(reply) => {
                        if order {
                            self.wake.wanted_at.get_or_insert(now);
                        }
                        reply
                    }
                    Err(error) => {
                        // a client that went away asked in vain
                        let _ = answer.send(Err(Fault::new(Fault::FAILED, error.to_string())));
                        return self.engine.sync();
                    }
                }
            }
        };
        let _ = answer.send(Fault::or_answer(outcome));
        Ok(())
    }

    /// A copy of the store, in a file that goes away with its last reader.
    fn backup(&mut self, now: Timestamp) -> std::result::Result<Answer, Fault> {
        let failed = |e: &dyn std::fmt::Display| Fault::new(Fault::FAILED, format!("no backup could be made: {e}"));
        let file = self.config.store.join("backup.unsent");
        let made = self.engine.answer(Request::Backup(file.clone()), now).map_err(|e| failed(&e));
        let opened = made.and_then(|_| File::open(&file).map_err(|e| failed(&e)));
        // what is left of it is written over by the next
        let _ = std::fs::remove_file(&file);
        opened.map(Answer::Backup)
    }

    /// Sees to everything whose time has come. Returns how long nothing else will.
    fn attend(&mut self) -> Result<Duration> {
        let now = self.look()?;
        self.give_up_hung(now)?;
        self.wake_if_due(now)?;
        self.start_due(now)?;
        if self.abroad.is_none()
            && let Some(effect) = self.errands.pop_front()
        {
            self.abroad = Some(tokio::spawn(errand::run(effect, self.post.clone())));
        }
        if self.abroad.is_none() {
            self.rounds.finish();
        }
        if self.unsynced.is_some_and(|t| now.since(t) >= limits::SYNC_SECS) {
            self.engine.sync()?;
            (self.unsynced, self.mend_secs) = (None, 1);
        }
        self.say_alive(now)?;
        let next_at = self.schedule.next().map_or(self.wake.at, |t| t.min(self.wake.at));
        // a reading that has brought nothing yet is over in a moment, or has something to tell soon
        let quiet = self.running.is_empty() || self.words.is_reading();
        let pending = quiet && self.words.say(next_at, &self.config.setup.hours.zone, now);
        let mut wait = next_at.since(now).clamp(1, limits::SLEEP_SECS);
        if pending || self.wake.wanted_at.is_some() {
            wait = 1;
        } else if self.unsynced.is_some() {
            wait = wait.min(limits::SYNC_SECS);
        }
        let wait = self.watchdog.map_or(wait, |every| wait.min(every));
        Ok(Duration::from_secs(wait.unsigned_abs()))
    }

    /// Looks at the wall clock, which may have gone back, or on without us.
    fn look(&mut self) -> Result<Timestamp> {
        let now = time::now();
        if now.plus(limits::CLOCK_SLACK) < self.now {
            tracing::warn!("the clock went back by {} s; kithd goes on", self.now.since(now));
            self.trace.write(now, || What::Began {});
            self.engine.begin_round(now, false)?;
            self.schedule.clock_went_back(now);
            self.wake.at = self.engine.next_wake(now);
            self.wake.wanted_at = self.wake.wanted_at.map(|t| t.min(now));
            self.unsynced = self.unsynced.map(|t| t.min(now));
            self.alive_at = self.alive_at.min(now);
        } else if now.since(self.now) > 2 * limits::SLEEP_SECS {
            tracing::debug!("{} s passed since the last look", now.since(self.now));
            self.schedule.slept(now);
        }
        self.now = now;
        Ok(now)
    }

    /// A reading that says nothing any more is a failure, though its thread cannot be ended.
    fn give_up_hung(&mut self, now: Timestamp) -> Result<()> {
        for source in self.schedule.hung(now) {
            let Some(running) = self.running.get_mut(&source).filter(|r| r.failed.is_none()) else { continue };
            running.stop.store(true, Ordering::Relaxed);
            let minutes = limits::READING_SILENCE / time::MINUTE;
            let what =
                format!("reading `{source}` hangs: nothing came for {minutes} minutes; it is left alone until it ends");
            tracing::warn!(source, "{what}");
            (running.ended, running.failed) = (Some(Ended::Failed(Level::Wait)), Some(what.clone()));
            self.rounds.ended(&source, running.number, Some(&what));
            self.words.failing(&source, Some(what.clone()));
            self.apply(Event::SourceFailed { source, level: Level::Wait, what }, now)?;
        }
        Ok(())
    }

    /// Looks at the reminders when it is time, once what they rest on is read.
    fn wake_if_due(&mut self, now: Timestamp) -> Result<()> {
        if now >= self.wake.at {
            self.wake.wanted_at.get_or_insert(now);
        }
        let asked = self.rounds.want_wake();
        let Some(wanted_at) = self.wake.wanted_at.or(asked.then_some(now)) else { return Ok(()) };
        if !asked {
            self.schedule.freshen(now);
            if self.schedule.is_reading(now) && now.since(wanted_at) < limits::WAKE_PATIENCE {
                return Ok(());
            }
        }
        self.engine.begin_round(now, false)?;
        self.apply(Event::Woke, now)?;
        // a wake is durable, and shows that the store works
        (self.unsynced, self.mend_secs) = (None, 1);
        self.rounds.woke();
        self.look_around(now)
    }

    /// What the reminders look like after a wake.
    pub fn look_around(&mut self, now: Timestamp) -> Result<()> {
        self.wake.at = self.engine.next_wake(now);
        self.wake.wanted_at = None;
        if let Reply::Status(status) = self.engine.answer(Request::Status, now)? {
            self.wake.holds = !status.held.is_empty();
            self.words.open(status.counts.reminders, status.held.len());
        }
        Ok(())
    }

    /// Starts the readings whose time has come.
    fn start_due(&mut self, now: Timestamp) -> Result<()> {
        for name in self.schedule.due(now) {
            let Some(seated) = self.sources.get(&name).filter(|_| !self.running.contains_key(&name)) else {
                continue;
            };
            let cursors = self.engine.cursors(&name)?;
            let number = self.schedule.begin(&name, now);
            let stop = Arc::<AtomicBool>::default();
            let running = Running { number, stop: stop.clone(), ended: None, failed: None, matters: false };
            self.running.insert(name, running);
            let zone = self.config.setup.hours.zone.clone();
            let source = seated.source.clone();
            Reading { source, number, cursors, zone, now, stop }.start(self.senders.said.clone());
        }
        Ok(())
    }

    /// Tells systemd's watchdog, once the store has shown that it works.
    fn say_alive(&mut self, now: Timestamp) -> Result<()> {
        if self.watchdog.is_some_and(|every| now.since(self.alive_at) >= every) {
            self.engine.sync()?;
            notify::alive();
            self.alive_at = now;
        }
        Ok(())
    }
}

/// Does it change anything?
const fn is_order(request: &Request) -> bool {
    matches!(
        request,
        Request::Act(..)
            | Request::Pause(_)
            | Request::Without(..)
            | Request::Set(..)
            | Request::Merge(..)
            | Request::Split(..)
            | Request::Forget(_)
    )
}
