//! The one owner of the store: takes events, gives effects, answers questions. Floor 7.
//!
//! Invariant: synchronous, and knows neither clock nor network; `now` comes with each event, and
//! what is committed before an effect is returned is durable.

pub mod event;
pub mod reply;

mod answers;
mod ask;
mod choose;
mod gather;
mod mails;
mod observe;
mod plan;
mod sources;
mod state;
mod wake;

use std::path::Path;

use thiserror::Error;

use crate::evidence::{Delivery, MessageId, Showing};
use crate::fail;
use crate::outbox::{Entry, EntryKind, State};
use crate::store::{Commit, Store, StoreError, Strength};
use crate::time::Timestamp;

pub use event::{ContactSetting, Effect, Event, Found, Setup, SourceKind, SourceSpec};
pub use reply::{Reply, Request};
pub use sources::SourceState;
use state::Memory;

/// Why the engine could not do what it was asked.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reminder's words are missing: a broken build.
    #[error("the words of the reminders cannot be read: this build of kithd is broken")]
    Words,
    /// `--at` before the last `--at`.
    #[error(
        "--at {asked} lies before the store's last --at, {last}: time cannot go back in a store; use a later time or another [store] path"
    )]
    Backwards {
        /// What was asked.
        asked: Timestamp,
        /// The last one.
        last: Timestamp,
    },
}

/// Result of the engine.
pub type Result<T> = std::result::Result<T, EngineError>;

/// The engine.
pub struct Engine {
    store: Store,
    setup: Setup,
    memory: Memory,
    /// What was set aside when the store was opened, in plain words.
    pub rebuilt: Option<String>,
}

impl Engine {
    /// Opens the store at `path` and takes in what it holds.
    pub fn open(path: &Path, setup: Setup, now: Timestamp) -> Result<Engine> {
        let opened = Store::open(path, now)?;
        let memory = Memory::load(&opened.store)?;
        Ok(Engine { store: opened.store, setup, memory, rebuilt: opened.rebuilt })
    }

    /// Goes on with another config. What is known stays; what follows from it is looked at again.
    pub fn configure(&mut self, setup: Setup, now: Timestamp) -> Result<()> {
        self.setup = setup;
        self.reload(now)
    }

    /// Opens the store again after a failure: a disk that was full, a store that was damaged. What was
    /// wanted done and not begun, or whose outcome was lost with the failure, is searched for.
    pub fn reopen(&mut self, now: Timestamp) -> Result<()> {
        self.rebuilt = self.store.reopen(now)?;
        self.reload(now)?;
        self.memory.in_flight.clear();
        Ok(())
    }

    /// Goes on with the store of a backup; where the present one was set aside is returned. What the old one
    /// wanted done is over.
    pub fn restore(&mut self, file: &std::path::Path, now: Timestamp) -> Result<Option<std::path::PathBuf>> {
        let aside = self.store.restore(file, now)?;
        self.memory = Memory::load(&self.store)?;
        self.refresh(now)?;
        Ok(aside)
    }

    /// Takes in what the store holds, but keeps in mind whom new evidence speaks of and what is on its way.
    fn reload(&mut self, now: Timestamp) -> Result<()> {
        let loaded = Memory::load(&self.store)?;
        let before = std::mem::replace(&mut self.memory, loaded);
        self.memory.touched.extend(before.touched);
        self.memory.in_flight = before.in_flight;
        self.refresh(now)
    }

    /// Makes what was taken in durable; an error says that the store does not work any more.
    pub fn sync(&self) -> Result<()> {
        Ok(self.store.sync()?)
    }

    /// The time of the store's last event.
    pub fn last_now(&self) -> Option<Timestamp> {
        self.memory.clock.map(|c| c.now)
    }

    /// The time commands answer as of: the store's last `--at` where it was last run so, else `real`.
    pub fn as_of(&self, real: Timestamp) -> Timestamp {
        self.memory.clock.filter(|c| c.pinned).map_or(real, |c| c.now)
    }

    /// Begins a round at `now`; `pinned` where the user named it with `--at`. Returns how far the
    /// clock went back, in seconds, where it did.
    pub fn begin_round(&mut self, now: Timestamp, pinned: bool) -> Result<Option<i64>> {
        let last = self.memory.clock;
        if let Some(last) = last.filter(|c| pinned && c.pinned && now < c.now) {
            return Err(EngineError::Backwards { asked: now, last: last.now });
        }
        let clock = state::Clock { now, pinned };
        self.memory.clock = Some(clock);
        let commit = Commit { puts: vec![state::put_clock(clock)], ..Commit::default() };
        self.store.commit(commit, Strength::Atomic)?;
        Ok(last.filter(|c| now < c.now && !pinned).map(|c| c.now.since(now)))
    }

    /// Reading positions of a source, for its door.
    pub fn cursors(&self, source: &str) -> Result<Vec<crate::evidence::Cursor>> {
        Ok(self.store.cursors(source)?)
    }

    /// Takes one event. What it wants done is durable before it is returned.
    pub fn apply(&mut self, event: Event, now: Timestamp) -> Result<Vec<Effect>> {
        fail::point("engine.event");
        match event {
            Event::Observed(batch) => {
                let brings_any = !batch.observations.is_empty() || batch.full.is_some();
                if brings_any && !self.memory.knows_people {
                    self.refresh(now)?;
                }
                self.observe(batch, now)?;
                Ok(Vec::new())
            }
            Event::ReadThrough { source, until, folders, sent_found } => {
                self.read_through(&source, until, folders, sent_found, now)?;
                Ok(Vec::new())
            }
            Event::SourceFailed { source, level, what } => {
                self.source_failed(&source, level, &what, now)?;
                Ok(Vec::new())
            }
            Event::Woke => self.wake(now),
            Event::Settled { showing, delivery } => self.settled(showing, &delivery, now),
            Event::Found { showing, answer } => self.found(showing, answer, now),
            Event::Chose(choice) => {
                self.refresh(now)?;
                self.chose(vec![choice], now)?;
                Ok(Vec::new())
            }
        }
    }

    /// When something falls due without any event; at most a day ahead.
    pub fn next_wake(&self, now: Timestamp) -> Timestamp {
        let limit = now.plus(crate::time::DAY);
        let entries = self.memory.entries.values().filter_map(|e| match e.state {
            State::Due | State::Snoozed | State::Sending => Some(e.try_at.max(e.due_at)),
            State::Sent => Some(e.expires_at),
            _ => None,
        });
        // before people are known the next review is, or else it is to be seen at once
        let unknown = match &self.memory.settled {
            _ if self.memory.knows_people => None,
            Some(settled) => settled.next_review_at,
            None => Some(now.plus(1)),
        };
        let reviews = self.memory.reviews.values().filter_map(|r| r.next_at).chain(unknown);
        let summary = self.next_summary(now);
        let hours = &self.setup.hours;
        let tomorrow = hours.zone.at(crate::time::add_days(hours.zone.date(now), 1), 0);
        let opening = hours.next_open(if hours.is_open(now) { tomorrow } else { now.plus(1) });
        entries.chain(reviews).chain(summary).chain([opening]).filter(|t| *t > now).min().unwrap_or(limit).min(limit)
    }

    fn settled(&mut self, showing: Showing, delivery: &Delivery, now: Timestamp) -> Result<Vec<Effect>> {
        let Some(mut entry) = self.memory.entries.get(&showing.reminder).cloned() else { return Ok(Vec::new()) };
        if entry.showing != showing.number {
            return Ok(Vec::new());
        }
        self.memory.in_flight.remove(&showing);
        entry.settle(delivery, now);
        self.keep_shown(entry, now)?;
        match delivery {
            Delivery::Unknown(_) => Ok(self.searches(now)),
            _ => Ok(Vec::new()),
        }
    }

    fn found(&mut self, showing: Showing, answer: Found, now: Timestamp) -> Result<Vec<Effect>> {
        self.memory.in_flight.remove(&showing);
        let Some(mut entry) = self.memory.entries.get(&showing.reminder).cloned() else { return Ok(Vec::new()) };
        if entry.state != State::Sending || entry.showing != showing.number {
            return Ok(Vec::new());
        }
        match answer {
            Found::Yes => entry.shown(now),
            Found::No => entry.not_found(now),
            Found::NotYet => entry.not_found_yet(true, now),
            Found::CannotSearch => entry.not_found_yet(false, now),
        }
        self.keep_shown(entry, now)?;
        Ok(Vec::new())
    }

    /// Keeps an entry whose showing ended; what stood in the same mail shares its fate.
    fn keep_shown(&mut self, entry: Entry, now: Timestamp) -> Result<()> {
        let mut changed = Vec::new();
        for id in &entry.items {
            let Some(mut item) = self.memory.entries.get(id).cloned() else { continue };
            match (entry.state, item.state) {
                (State::Sent, State::Due | State::Sending) => {
                    item.showing = item.showing.max(1);
                    item.message_id.clone_from(&entry.message_id);
                    item.shown_in = Some(entry.id);
                    item.shown(now);
                }
                // it did not leave: each may find another mail to stand in
                (State::Due | State::Failed, State::Sending) if item.shown_in == Some(entry.id) => {
                    item.state = State::Due;
                    item.shown_in = None;
                }
                _ => continue,
            }
            changed.push(item);
        }
        if entry.state == State::Sent {
            let contact = entry.whom.as_ref().map(|w| w.id.to_string());
            tracing::info!(reminder = %entry.id, contact, rule = entry.rule, "a reminder was delivered");
        }
        changed.push(entry);
        self.keep(changed, Vec::new(), Strength::Durable)
    }

    /// Commits entries, and records beside them, and remembers them.
    fn keep(&mut self, entries: Vec<Entry>, puts: Vec<state::Put>, strength: Strength) -> Result<()> {
        if entries.is_empty() && puts.is_empty() {
            return Ok(());
        }
        let mut commit = Commit { puts, ..Commit::default() };
        commit.puts.extend(entries.iter().map(state::put_entry));
        fail::point("outbox.change");
        self.store.commit(commit, strength)?;
        fail::point("outbox.changed");
        self.memory.entries.extend(entries.into_iter().map(|e| (e.id, e)));
        Ok(())
    }

    /// Searches for showings whose outcome is unknown: at start-up, at once, and again after 1, 5, 15
    /// and 60 minutes. What is on its way, or being searched for, is left alone.
    pub fn searches(&mut self, now: Timestamp) -> Vec<Effect> {
        let sending = self.memory.entries.values().filter(|e| e.state == State::Sending && e.try_at <= now);
        let open = sending.filter(|e| !self.memory.in_flight.contains(&e.showing()));
        let found: Vec<(Showing, MessageId)> =
            open.filter_map(|e| Some((e.showing(), e.message_id.clone()?))).collect();
        self.memory.in_flight.extend(found.iter().map(|(showing, _)| *showing));
        found.into_iter().map(|(showing, message_id)| Effect::Find { showing, message_id }).collect()
    }

    /// Entries of reminders about people, without notices and help.
    fn reminders(&self) -> impl Iterator<Item = &Entry> {
        self.memory.entries.values().filter(|e| e.kind == EntryKind::Reminder)
    }
}
