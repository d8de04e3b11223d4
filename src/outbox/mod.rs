//! Reminders and what has become of them. Floor 5.
//!
//! Invariant: one cause has one entry for ever; its state moves only along the table in
//! [`Entry`]'s verbs, and a closed entry is never opened again (a withdrawn one was never shown).

pub mod compose;
mod faults;
pub mod queue;
pub mod verbs;
pub mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::address::AddrSpec;
use crate::evidence::{Delivery, MessageId, ReminderId, Showing};
use crate::identity::ContactId;
use crate::limits;
use crate::policy::{About, Fact, Needs, Point, Standing, Verdict};
use crate::time::Timestamp;

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// About a contact.
    Reminder,
    /// The weekly summary.
    Summary,
    /// Something the user must know: a source failing, or well again.
    Notice,
    /// The answer to an answer that was not understood.
    Help,
}

/// How it reaches the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A mail of its own.
    Own,
    /// A line of the weekly summary.
    Summary,
}

/// What has become of it (PRODUCT 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum State {
    Due,
    Sending,
    Sent,
    Snoozed,
    Held,
    Done,
    Dismissed,
    Withdrawn,
    Expired,
    Failed,
}

impl State {
    /// Still to be acted on, by us or by the user.
    pub const fn is_open(self) -> bool {
        matches!(self, State::Due | State::Sending | State::Sent | State::Snoozed | State::Held)
    }

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Due => "due",
            State::Sending => "sending",
            State::Sent => "sent",
            State::Snoozed => "snoozed",
            State::Held => "held",
            State::Done => "done",
            State::Dismissed => "dismissed",
            State::Withdrawn => "withdrawn",
            State::Expired => "expired",
            State::Failed => "failed",
        }
    }
}

/// Whom a reminder is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Whom {
    /// Stable id.
    pub id: ContactId,
    /// What to call them.
    pub name: String,
    /// Where to write to.
    pub address: Option<AddrSpec>,
    /// What they are to the user.
    pub relationship: Option<String>,
}

/// One entry of the outbox.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Same cause, same id.
    pub id: ReminderId,
    /// What it is.
    pub kind: EntryKind,
    /// Name of the rule; `summary`, `notice`, `help` for the others.
    pub rule: String,
    /// Name of the occasion.
    pub occasion: String,
    /// The cause, as hashed.
    pub cause: String,
    /// See [`Verdict::step`].
    pub step: u32,
    /// How it reaches the user.
    pub channel: Channel,
    /// What has become of it.
    pub state: State,
    /// Evidence that closed it, or `user`.
    pub closed_by: Option<String>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Whom it is about.
    pub whom: Option<Whom>,
    /// From then on.
    pub due_at: Timestamp,
    /// Never after.
    pub expires_at: Timestamp,
    /// Tenths of points.
    pub score: i32,
    /// The points.
    pub points: Vec<Point>,
    /// Why it exists, one sentence or two.
    pub reason: String,
    /// What it states.
    pub facts: BTreeMap<String, Fact>,
    /// The mail it is about.
    pub about: Option<About>,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// What its absence rests on.
    pub needs: Needs,
    /// May come although the contact had one this week.
    pub pressing: bool,
    /// The present showing; 1 from the first attempt on, 0 before.
    pub showing: u32,
    /// Attempts of the present showing, counted before they are made.
    pub attempts: u32,
    /// Not before then.
    pub try_at: Timestamp,
    /// When the present showing reached the user.
    pub sent_at: Option<Timestamp>,
    /// When the first one did.
    pub first_sent_at: Option<Timestamp>,
    /// Message-ID of the present showing.
    pub message_id: Option<MessageId>,
    /// Message-IDs of earlier showings: answers to them count.
    pub earlier_ids: Vec<MessageId>,
    /// Held since, and why.
    pub held: Option<(Timestamp, String)>,
    /// What went wrong last.
    pub trouble: Option<String>,
    /// Since when nobody knows whether the present showing arrived.
    #[serde(default)]
    pub unknown_since: Option<Timestamp>,
    /// Searches for it since then that did not find it.
    #[serde(default)]
    pub searched: u32,
    /// Reminders shown by this mail: the numbered lines of a summary, or those merged into it.
    pub items: Vec<ReminderId>,
    /// The mail this one was merged into.
    pub shown_in: Option<ReminderId>,
}

impl Entry {
    /// A new entry without a cause among people.
    pub fn new(
        kind: EntryKind,
        rule: &str,
        occasion: &str,
        cause: &str,
        due_at: Timestamp,
        expires_at: Timestamp,
    ) -> Entry {
        Entry {
            id: ReminderId::of(rule, occasion, cause, 1),
            kind,
            rule: rule.to_string(),
            occasion: occasion.to_string(),
            cause: cause.to_string(),
            step: 1,
            channel: Channel::Own,
            state: State::Due,
            closed_by: None,
            closed_at: None,
            whom: None,
            due_at,
            expires_at,
            score: 100,
            points: Vec::new(),
            reason: String::new(),
            facts: BTreeMap::new(),
            about: None,
            evidence: Vec::new(),
            needs: Needs::default(),
            pressing: false,
            showing: 0,
            attempts: 0,
            try_at: due_at,
            sent_at: None,
            first_sent_at: None,
            message_id: None,
            earlier_ids: Vec::new(),
            held: None,
            trouble: None,
            unknown_since: None,
            searched: 0,
            items: Vec::new(),
            shown_in: None,
        }
    }

    /// The entry of a verdict that has become due.
    pub fn of_verdict(v: &Verdict, whom: Whom, reason: String) -> Entry {
        let (rule, occasion) = (v.occasion.rule().as_str(), v.occasion.as_str());
        let mut entry = Entry::new(EntryKind::Reminder, rule, occasion, &v.cause, v.due_at, v.expires_at);
        entry.id = v.id;
        entry.step = v.step;
        entry.update(v, whom, reason);
        entry
    }

    /// Takes in what a later review says of the same cause.
    fn update(&mut self, v: &Verdict, whom: Whom, reason: String) {
        self.channel = if v.is_own() { Channel::Own } else { Channel::Summary };
        self.whom = Some(whom);
        self.due_at = v.due_at;
        self.expires_at = v.expires_at;
        self.score = v.score();
        self.points.clone_from(&v.points);
        self.reason = reason;
        self.facts.clone_from(&v.facts);
        self.about.clone_from(&v.about);
        self.evidence.clone_from(&v.evidence);
        self.needs = v.needs;
        self.pressing = v.pressing;
    }

    /// Was it ever shown to the user?
    pub const fn was_shown(&self) -> bool {
        self.first_sent_at.is_some()
    }

    /// The present showing.
    pub const fn showing(&self) -> Showing {
        Showing { reminder: self.id, number: self.showing }
    }

    fn close(&mut self, state: State, by: Option<String>, now: Timestamp) {
        self.state = state;
        self.closed_by = by;
        self.closed_at = Some(now);
        self.held = None;
    }

    /// What a new review of its cause makes of it. `true` if it changed.
    pub fn reconcile(&mut self, v: &Verdict, whom: Whom, reason: String, now: Timestamp) -> bool {
        let before = self.clone();
        let revived = self.state == State::Withdrawn && !self.was_shown();
        if self.state == State::Sending || !(self.state.is_open() || revived) {
            return false;
        }
        let shown = self.was_shown();
        match v.standing(now) {
            Standing::Closed if revived => {}
            Standing::Closed => {
                let (by, at) = v.closed_by.clone().map_or((None, now), |(by, at)| (Some(by), at));
                self.close(if shown { State::Done } else { State::Withdrawn }, by, at.min(now));
            }
            Standing::Vetoed | Standing::Low | Standing::Waiting if !shown && !revived => {
                self.close(State::Withdrawn, None, now)
            }
            Standing::Expired if !revived && self.state != State::Snoozed => self.close(State::Expired, None, now),
            Standing::Due if !shown && self.state != State::Snoozed => {
                if revived {
                    self.state = State::Due;
                    self.closed_at = None;
                }
                self.update(v, whom, reason);
            }
            _ if self.state != State::Sent && !revived => {
                let (due, expires) = (self.due_at, self.expires_at);
                self.update(v, whom, reason);
                (self.due_at, self.expires_at) = (due, expires.max(self.expires_at));
            }
            _ => {}
        }
        before != *self
    }

    /// Its cause is in no window any more: what was not shown is withdrawn; what was is done if
    /// there was contact since, else it runs out.
    pub fn vanish(&mut self, contact_since: Option<(String, Timestamp)>, now: Timestamp) -> bool {
        match self.state {
            State::Due | State::Held if !self.was_shown() => {
                self.close(State::Withdrawn, contact_since.map(|c| c.0), now)
            }
            State::Sent | State::Due | State::Held | State::Snoozed if contact_since.is_some() => {
                let at = contact_since.as_ref().map_or(now, |c| c.1);
                self.close(State::Done, contact_since.map(|c| c.0), at);
            }
            State::Sent if now >= self.expires_at => self.close(State::Expired, None, now),
            _ => return false,
        }
        true
    }

    /// Time alone: a snoozed one comes back with its next showing; a sent one runs out.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        match self.state {
            State::Snoozed if self.try_at <= now => {
                self.state = State::Due;
                self.expires_at = self.expires_at.max(now.plus(7 * crate::time::DAY));
                true
            }
            State::Sent | State::Due | State::Held if now >= self.expires_at => {
                self.close(State::Expired, None, now);
                true
            }
            _ => false,
        }
    }

    /// Begins an attempt, counted before anything leaves the process. A snoozed one that comes back
    /// begins a new showing.
    pub fn begin(&mut self, message_id: impl Fn(u32) -> Option<MessageId>) {
        let returning = self.sent_at.is_some();
        if self.showing == 0 || returning {
            self.showing = self.showing.saturating_add(1);
            self.attempts = 0;
            self.sent_at = None;
            self.earlier_ids.extend(self.message_id.take());
        }
        self.attempts = self.attempts.saturating_add(1);
        self.message_id = message_id(self.showing);
        self.state = State::Sending;
        self.held = None;
        self.unknown_since = None;
        self.searched = 0;
    }

    /// What came of the attempt. `now` is when it came.
    pub fn settle(&mut self, delivery: &Delivery, now: Timestamp) {
        if self.state != State::Sending {
            return;
        }
        match delivery {
            Delivery::Accepted => self.shown(now),
            Delivery::Transient(why) => {
                self.trouble = Some(why.clone());
                if self.attempts >= limits::ATTEMPTS {
                    self.close(State::Failed, None, now);
                } else {
                    self.state = State::Due;
                    self.try_at = now.plus(backoff_secs(self.attempts));
                }
            }
            Delivery::Permanent(why) => {
                self.trouble = Some(why.clone());
                self.close(State::Failed, None, now);
            }
            Delivery::Unknown(why) => {
                self.trouble = Some(why.clone());
                self.unknown_since = Some(now);
                self.try_at = now;
            }
        }
    }

    /// It reached the user.
    pub fn shown(&mut self, now: Timestamp) {
        self.state = State::Sent;
        self.sent_at = Some(now);
        self.first_sent_at.get_or_insert(now);
        self.trouble = None;
        self.unknown_since = None;
    }

    /// A search did not find the showing, and a later one may: it is searched for again, and goes out
    /// again once the last search is over. `told`: the inbox could be searched.
    pub fn not_found_yet(&mut self, told: bool, now: Timestamp) {
        if self.state != State::Sending {
            return;
        }
        let since = *self.unknown_since.get_or_insert(now);
        let next = usize::try_from(self.searched).ok().and_then(|n| SEARCH_AFTER.get(n));
        self.searched = self.searched.saturating_add(1);
        match next {
            Some(after) => self.try_at = since.plus(*after).max(now.plus(1)),
            None if told || now.since(since) >= limits::UNKNOWN_SECS => self.not_found(now),
            None => self.try_at = now.plus(crate::time::HOUR),
        }
    }

    /// A search of the inbox said that the showing is not there: it may go out again.
    pub fn not_found(&mut self, now: Timestamp) {
        if self.state == State::Sending {
            self.state = State::Due;
            self.try_at = now;
        }
    }

    /// Coverage is missing (or there again: `None`).
    pub fn hold(&mut self, why: Option<String>, now: Timestamp) -> bool {
        match (self.state, why) {
            (State::Due, Some(why)) => {
                self.state = State::Held;
                self.held = Some((now, why));
                true
            }
            (State::Held, Some(why)) => {
                let since = self.held.as_ref().map_or(now, |(since, _)| *since);
                let changed = self.held.as_ref().is_none_or(|(_, old)| *old != why);
                self.held = Some((since, why));
                changed
            }
            (State::Held, None) => {
                self.state = State::Due;
                self.held = None;
                true
            }
            _ => false,
        }
    }

    /// The user's word. `false` where it changes nothing.
    pub fn obey(&mut self, word: &crate::evidence::Word, at: Timestamp) -> bool {
        use crate::evidence::Word;
        let open = self.state.is_open();
        match word {
            Word::Done(_) if open => self.close(State::Done, Some("user".to_string()), at),
            Word::Dismiss(_) if open => self.close(State::Dismissed, Some("user".to_string()), at),
            Word::Snooze(_, until) if open || self.state == State::Expired => {
                self.state = State::Snoozed;
                self.closed_at = None;
                self.held = None;
                self.try_at = *until;
            }
            _ => return false,
        }
        true
    }
}

/// Wait before the next attempt, doubled each time.
pub fn backoff_secs(attempts: u32) -> i64 {
    let doubled = limits::BACKOFF_SECS_MIN.checked_shl(attempts.saturating_sub(1).min(20)).unwrap_or(i64::MAX);
    doubled.clamp(limits::BACKOFF_SECS_MIN, limits::BACKOFF_SECS_MAX)
}

/// When an unknown outcome is searched for again: 1, 5, 15 and 60 minutes after it.
pub const SEARCH_AFTER: [i64; 4] = [60, 300, 900, 3600];

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry whose delivery ended in the dark at second 0.
    fn unknown() -> Entry {
        let zero = Timestamp::from_second(0);
        let mut entry = Entry::new(EntryKind::Notice, "notice", "failing", "x", zero, zero.plus(crate::time::DAY));
        entry.begin(|_| MessageId::new("a@b.example"));
        entry.settle(&Delivery::Unknown("cut".to_string()), zero);
        entry
    }

    #[test]
    fn what_may_be_on_its_way_is_searched_for_an_hour() {
        let mut entry = unknown();
        let mut searched_at = Vec::new();
        while entry.state == State::Sending {
            searched_at.push(entry.try_at.second());
            entry.not_found_yet(true, entry.try_at);
        }
        assert_eq!(searched_at, [0, 60, 300, 900, 3600]);
        assert_eq!((entry.state, entry.showing), (State::Due, 1));
    }

    #[test]
    fn what_cannot_be_searched_for_goes_out_again_after_six_hours() {
        let mut entry = unknown();
        let mut last = 0;
        while entry.state == State::Sending {
            last = entry.try_at.second();
            entry.not_found_yet(false, entry.try_at);
        }
        assert!((limits::UNKNOWN_SECS..limits::UNKNOWN_SECS + crate::time::HOUR).contains(&last), "{last}");
        assert_eq!((entry.state, entry.showing), (State::Due, 1));
    }

    #[test]
    fn a_search_that_finds_ends_it() {
        let mut entry = unknown();
        entry.not_found_yet(true, Timestamp::from_second(0));
        entry.shown(Timestamp::from_second(61));
        assert_eq!((entry.state, entry.unknown_since, entry.attempts), (State::Sent, None, 1));
    }
}
