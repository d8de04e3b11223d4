//! Time and new evidence to reviews, and reviews to mail. Part of `engine`.
//!
//! Invariant: only contacts that were touched, or whose time has come, or who have an open entry,
//! are reviewed; each reminder is reviewed once more in the same wake before it leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::event::SourceKind;
use super::reply::{ContactRow, Tally};
use super::state::{Put, Reviewed, put_retire, put_review, put_woke_at};
use super::{Effect, Engine, EngineError, Result, mails};
use crate::address::AddrSpec;
use crate::evidence::{Class, MessageId, Observation, ReminderId};
use crate::identity::{Contact, ContactId};
use crate::ledger::{ContactHistory, Kind};
use crate::outbox::compose::{message_id, reason};
use crate::outbox::queue::{self, Pick};
use crate::outbox::words::Words;
use crate::outbox::{Entry, EntryKind, State, Whom};
use crate::policy::{Occasion, Policies, Review, Standing, Verdict, review};
use crate::store::{Commit, Strength};
use crate::time::{DAY, Timestamp};

/// A source that fails this long is reported, whether or not it holds anything back.
const LOST_AFTER: i64 = 14 * DAY;

/// What a review of one contact changes.
pub(super) struct Outcome {
    pub entries: Vec<Entry>,
    pub reviewed: Reviewed,
}

impl Engine {
    pub(super) fn words(&self, now: Timestamp) -> Result<Words> {
        Words::new(&self.setup.letterhead.language, self.zone(), now).ok_or(EngineError::Words)
    }

    pub(super) fn wake(&mut self, now: Timestamp) -> Result<Vec<Effect>> {
        let before = self.memory.woke_at;
        self.touch_passed(now)?;
        let words = self.words(now)?;
        if self.memory.knows_people || !self.is_settled(now)? {
            self.refresh(now)?;
            self.review_due(&words, now)?;
        }
        self.tick(now)?;
        self.hold(now)?;
        self.queue_summary(&words, before, now)?;
        self.queue_notices(&words, now)?;
        let mut effects: Vec<Effect> = self.memory.to_retire.keys().cloned().map(Effect::Retire).collect();
        // once more at the next wake: this process may die before it is done
        let mut puts: Vec<Put> = Vec::new();
        if !effects.is_empty() {
            self.memory.to_retire.values_mut().for_each(|tries| *tries = tries.saturating_add(1));
            self.memory.to_retire.retain(|_, tries| *tries < 2);
            puts.push(put_retire(&self.memory.to_retire));
        }
        effects.extend(self.searches(now));
        effects.extend(self.deliver(&words, now)?);
        // last, so that a wake that was cut short is one that never was
        self.memory.woke_at = Some(now);
        puts.extend(self.settle());
        puts.push(put_woke_at(now));
        self.store.commit(Commit { puts, ..Commit::default() }, Strength::Atomic)?;
        self.store.sync()?;
        Ok(effects)
    }

    /// Facts whose time has come since the last wake: meetings that ended, mail read before its date.
    fn touch_passed(&mut self, now: Timestamp) -> Result<()> {
        let passed = self.passed(now)?;
        self.memory.touched.extend(passed);
        Ok(())
    }

    /// Whom such facts speak of.
    pub(super) fn passed(&self, now: Timestamp) -> Result<BTreeSet<AddrSpec>> {
        let woke_at = self.memory.woke_at.unwrap_or_else(|| now.minus(DAY)).min(now);
        let mut addresses = BTreeSet::new();
        // a meeting lies at its start; what lasts longer than a day is none
        for observation in self.store.evidence_between(woke_at.minus(DAY), now) {
            match observation? {
                Observation::Meeting(m) if m.main().is_some_and(|r| r.end > woke_at && r.end <= now) => {
                    addresses.extend(m.addresses().cloned());
                }
                Observation::Mail(mail) if mail.at > woke_at && mail.class == Class::Person => {
                    addresses.extend(mail.addresses().cloned());
                }
                _ => {}
            }
        }
        Ok(addresses)
    }

    /// Contacts to look at now.
    fn due_for_review(&mut self, now: Timestamp) -> Vec<Contact> {
        let touched = std::mem::take(&mut self.memory.touched);
        self.memory.unreviewed.clear();
        let people = &self.memory.people;
        let mut ids: BTreeSet<ContactId> = touched.iter().filter_map(|a| people.contact_of(a)).map(|c| c.id).collect();
        ids.extend(self.memory.reviews.iter().filter(|(_, r)| r.next_at.is_some_and(|t| t <= now)).map(|(id, _)| *id));
        ids.into_iter().filter_map(|id| people.by_id(id)).cloned().collect()
    }

    pub(super) fn review_due(&mut self, words: &Words, now: Timestamp) -> Result<()> {
        let contacts = self.due_for_review(now);
        tracing::debug!(contacts = contacts.len(), "to review");
        self.review(&contacts, words, now)
    }

    fn review(&mut self, contacts: &[Contact], words: &Words, now: Timestamp) -> Result<()> {
        let (policies, view) = (self.policies(), self.viewpoint());
        for chunk in contacts.chunks(50) {
            let (mut entries, mut puts): (Vec<Entry>, Vec<Put>) = (Vec::new(), Vec::new());
            for contact in chunk {
                let history = self.history_of(contact, &view, now)?;
                let outcome = self.outcome(&history, &policies, words, now);
                puts.push(put_review(&outcome.reviewed));
                self.memory.reviews.insert(contact.id, outcome.reviewed);
                entries.extend(outcome.entries);
            }
            puts.extend(self.retire(&entries));
            self.keep(entries, puts, Strength::Atomic)?;
        }
        // a contact that was merged away has no review any more
        let people = &self.memory.people;
        self.memory.reviews.retain(|id, _| people.by_id(*id).is_some_and(|c| c.id == *id));
        Ok(())
    }

    /// Notes mails in the inbox whose last reminder is closed by evidence in these entries; to be kept
    /// with them.
    fn retire(&mut self, changed: &[Entry]) -> Option<Put> {
        if !self.setup.retire {
            return None;
        }
        let old = &self.memory.entries;
        let get = |id: &ReminderId| changed.iter().find(|e| e.id == *id).or_else(|| old.get(id));
        let was_sent = |e: &&Entry| old.get(&e.id).is_some_and(|old| old.state == State::Sent);
        let closed = changed.iter().filter(was_sent).filter(|e| e.state == State::Done);
        let mails = closed.filter_map(|e| e.shown_in.as_ref().map_or(Some(e), get));
        let is_over = |mail: &&Entry| {
            let mut shown = mail.items.iter().filter_map(get);
            mail.kind == EntryKind::Reminder && !mail.state.is_open() && shown.all(|item| !item.state.is_open())
        };
        let gone: Vec<MessageId> = mails.filter(is_over).filter_map(|e| e.message_id.clone()).collect();
        let is_new = !gone.is_empty();
        self.memory.to_retire.extend(gone.into_iter().map(|id| (id, 0)));
        is_new.then(|| put_retire(&self.memory.to_retire))
    }

    /// Reviews one contact and reconciles their entries; changes nothing itself.
    pub(super) fn outcome(
        &self,
        history: &ContactHistory,
        policies: &Policies,
        words: &Words,
        now: Timestamp,
    ) -> Outcome {
        let review = review(history, policies, now);
        let entries = reconcile(&self.memory.entries, history, &review, words, now);
        let usual = usual_days(history);
        // what is not due may become so by a date that draws near, or as a veto lapses: looked at daily
        let unsettled = |v: &Verdict| matches!(v.standing(now), Standing::Low | Standing::Vetoed | Standing::Waiting);
        let soon = review.verdicts.iter().any(unsettled).then(|| now.plus(DAY));
        let next_at = review.next_at.into_iter().chain(soon).min();
        let mass = Some(history.mass);
        let drifting =
            review.verdicts.iter().any(|v| v.occasion == Occasion::KeepInTouch && v.standing(now) == Standing::Due);
        let row = row(history, policies, now);
        let reviewed = Reviewed { next_at, at: now, row, mass, usual_days: usual, drifting };
        Outcome { entries, reviewed }
    }

    /// What time alone changes.
    fn tick(&mut self, now: Timestamp) -> Result<()> {
        let mut changed: Vec<Entry> = self.memory.entries.values().filter(|e| e.state.is_open()).cloned().collect();
        changed.retain_mut(|e| e.tick(now));
        self.keep(changed, Vec::new(), Strength::Atomic)
    }

    /// Holds what is not covered, and lets go what is again.
    fn hold(&mut self, now: Timestamp) -> Result<()> {
        let mut changed: Vec<Entry> = Vec::new();
        for entry in
            self.memory.entries.values().filter(|e| matches!(e.state, State::Due | State::Held) && e.due_at <= now)
        {
            let mut entry = entry.clone();
            if entry.hold(self.gap(entry.needs, now).map(|g| g.why), now) {
                changed.push(entry);
            }
        }
        self.keep(changed, Vec::new(), Strength::Atomic)
    }

    /// Hands out what may go now.
    fn deliver(&mut self, words: &Words, now: Timestamp) -> Result<Vec<Effect>> {
        let policies = self.policies();
        let mut effects = Vec::new();
        while let Some(pick) = queue::pick(&self.memory.entries, &policies, self.setup.caps, now) {
            self.refresh(now)?;
            // reviewed once more just before it leaves: its reason may be gone, its words of yesterday
            let stale = self.contact_to_review(&pick, now);
            match stale {
                Some(contact) => {
                    self.review(&[contact], words, now)?;
                    self.hold(now)?;
                }
                None => effects.extend(self.begin(&pick, words, now)?),
            }
        }
        Ok(effects)
    }

    /// Whom the pick is about, if they were not reviewed at `now` yet.
    fn contact_to_review(&self, pick: &Pick, now: Timestamp) -> Option<Contact> {
        let whom = self.memory.entries.get(&pick.lead)?.whom.as_ref()?;
        let contact = self.memory.people.by_id(whom.id)?;
        let fresh = self.memory.reviews.get(&contact.id).is_some_and(|r| r.at == now);
        (!fresh).then(|| contact.clone())
    }

    fn begin(&mut self, pick: &Pick, words: &Words, now: Timestamp) -> Result<Option<Effect>> {
        let Some(mut entry) = self.memory.entries.get(&pick.lead).cloned() else { return Ok(None) };
        if entry.kind == EntryKind::Reminder {
            entry.items.clone_from(&pick.merged);
        }
        let secret = *self.store.secret();
        let id: ReminderId = entry.id;
        entry.begin(|showing| -> Option<MessageId> { message_id(&secret, id, showing) });
        entry.try_at = now;
        let content = self.content(&mut entry, words, now)?;
        let envelope = crate::outbox::compose::compose(&entry, &content, words, &self.setup.letterhead, now);
        let mut changed: Vec<Entry> =
            pick.merged.iter().filter_map(|id| self.memory.entries.get(id)).cloned().collect();
        for item in &mut changed {
            item.state = State::Sending;
            item.shown_in = Some(entry.id);
        }
        changed.push(entry);
        self.keep(changed, Vec::new(), Strength::Durable)?;
        self.memory.in_flight.extend(envelope.as_ref().map(|e| e.showing));
        Ok(envelope.map(|e| Effect::Deliver(Box::new(e))))
    }

    /// What is missing is told once by mail, and once more when it is well again.
    fn queue_notices(&mut self, words: &Words, now: Timestamp) -> Result<()> {
        let held: Vec<(crate::policy::Needs, Timestamp)> =
            self.memory.entries.values().filter_map(|e| Some((e.needs, e.held.as_ref()?.0))).collect();
        let mut new = Vec::new();
        for (needs, since) in held {
            let Some(gap) = self.gap(needs, now) else { continue };
            let state = self.memory.sources.get(&gap.source).cloned().unwrap_or_default();
            let begun = state.failing_since.unwrap_or(since);
            let told = self.memory.entries.values().any(|e| {
                e.kind == EntryKind::Notice
                    && e.state != State::Done
                    && e.cause.starts_with(&format!("{} ", gap.source))
            });
            if !told && new.iter().all(|e: &Entry| !e.cause.starts_with(&format!("{} ", gap.source))) {
                new.push(mails::notice(words, &gap, begun, now));
            }
        }
        for spec in self.setup.sources.iter().filter(|s| !self.is_left_out(&s.name)) {
            let state = self.memory.sources.get(&spec.name);
            if let Some(since) = state.and_then(|s| s.failing_since).filter(|t| now.since(*t) >= LOST_AFTER) {
                let lost = mails::lost(words, &spec.name, since, now);
                new.extend((!self.memory.entries.contains_key(&lost.id)).then_some(lost));
            }
        }
        for entry in self
            .memory
            .entries
            .values()
            .filter(|e| e.kind == EntryKind::Notice && e.state == State::Sent && e.occasion != "well")
        {
            let source = entry.cause.split(' ').next().unwrap_or_default().to_string();
            let spec = self.setup.sources.iter().find(|s| s.name == source);
            let needs = crate::policy::Needs { sent: true, folders: true, calendars: true };
            let concerned = spec.filter(|s| s.kind != SourceKind::AddressBook);
            if concerned.is_none_or(|_| self.gap(needs, now).is_none_or(|g| g.source != source)) {
                let mut closed = entry.clone();
                closed.state = State::Done;
                closed.closed_at = Some(now);
                // what the user took out of coverage is not read again, only not waited for
                let mended = concerned.is_some() && !self.is_left_out(&source);
                new.extend(mended.then(|| mails::well(words, &source, now)));
                new.push(closed);
            }
        }
        self.keep(new, Vec::new(), Strength::Atomic)
    }
}

/// Sets the entries of one contact against a review: what is new, what changed, what vanished.
pub(super) fn reconcile(
    entries: &BTreeMap<ReminderId, Entry>,
    history: &ContactHistory,
    review: &Review,
    words: &Words,
    now: Timestamp,
) -> Vec<Entry> {
    let mut changed = Vec::new();
    let mut seen: BTreeSet<ReminderId> = BTreeSet::new();
    for v in &review.verdicts {
        seen.insert(v.id);
        let whom = whom(history, v.address.clone());
        let known = entries.get(&v.id);
        if known.is_none() && v.standing(now) != Standing::Due {
            continue;
        }
        if known.is_none() && is_refused(entries, v.occasion.rule().as_str(), &history.person.addresses) {
            continue;
        }
        let why = reason(words, v, &history.person.name);
        match known {
            Some(entry) => {
                let mut entry = entry.clone();
                if entry.reconcile(v, whom, why, now) {
                    changed.push(entry);
                }
            }
            None => changed.push(Entry::of_verdict(v, whom, why)),
        }
    }
    let theirs = |w: &Whom| history.person.addresses.iter().any(|a| ContactId::of(a) == w.id);
    let vanished =
        entries.values().filter(|e| e.kind == EntryKind::Reminder && e.state.is_open() && !seen.contains(&e.id));
    for entry in vanished.filter(|e| e.whom.as_ref().is_some_and(theirs)) {
        let mut entry = entry.clone();
        let since = entry.first_sent_at.unwrap_or(entry.due_at);
        let contact =
            history.interactions.iter().find(|i| i.counts && i.at > since).map(|i| (i.evidence.clone(), i.at));
        if entry.state != State::Sending && entry.vanish(contact, now) {
            changed.push(entry);
        }
    }
    changed
}

/// Three refusals in a row of one rule for one contact switch it off.
pub(super) fn is_refused(
    entries: &BTreeMap<ReminderId, Entry>,
    rule: &str,
    addresses: &BTreeSet<crate::address::AddrSpec>,
) -> bool {
    let theirs = |e: &&Entry| {
        e.rule == rule && e.whom.as_ref().is_some_and(|w| addresses.iter().any(|a| ContactId::of(a) == w.id))
    };
    let mut closed: Vec<&Entry> =
        entries.values().filter(theirs).filter(|e| e.was_shown() && !e.state.is_open()).collect();
    closed.sort_by_key(|e| std::cmp::Reverse((e.closed_at, e.id)));
    closed.len() >= 3 && closed.iter().take(3).all(|e| e.state == State::Dismissed)
}

fn whom(history: &ContactHistory, address: Option<crate::address::AddrSpec>) -> Whom {
    // an interview has several people, and the one to write to may be another than who stands for them
    let other = address.as_ref().filter(|a| !history.person.addresses.contains(a));
    Whom {
        id: history.person.id,
        name: other.map_or_else(|| history.person.name.clone(), |a| history.name_of(a)),
        address,
        relationship: history.person.relationship.clone(),
    }
}

/// Days between two contacts, half of the gaps being shorter; `None` where there are too few to speak of a rhythm.
fn usual_days(h: &ContactHistory) -> Option<i64> {
    let median = h.rhythm.median_gap().filter(|_| h.rhythm.episodes.len() >= 6)?;
    Some((median + DAY / 2) / DAY)
}

/// The row of `contacts`.
pub(super) fn row(h: &ContactHistory, policies: &Policies, now: Timestamp) -> ContactRow {
    let relationship = h.person.relationship.as_ref().and_then(|r| policies.relationships.get(r));
    let rhythm = usual_days(h).map(|days| days.max(1));
    let (every_days, every_from) = match (h.person.every, relationship, rhythm) {
        (Some(every), ..) => (Some(every.approx_days()), Some("user")),
        (None, Some(interval), _) => (Some(interval.every.approx_days()), Some("relationship")),
        (None, None, Some(days)) => (Some(days), Some("rhythm")),
        (None, None, None) => (None, None),
    };
    let count = |kind| h.interactions.iter().filter(|i| i.kind == kind).fold(0_u64, |n, _| n.saturating_add(1));
    ContactRow {
        id: h.person.id,
        name: h.person.name.clone(),
        addresses: h.person.addresses.iter().cloned().collect(),
        relationship: h.person.relationship.clone(),
        every_days,
        every_from: every_from.map(str::to_string),
        muted: h.person.muted,
        is_contact: h.is_contact && !h.is_role,
        first_contact_at: h.first().map(|i| i.at),
        last_contact_at: h.last_contact_at(),
        last_sent_at: h.last(Some(Kind::Sent)).map(|i| i.at),
        last_received_at: h.last(Some(Kind::Received)).map(|i| i.at),
        last_met_at: h.last(Some(Kind::Met)).map(|i| i.at),
        next_meeting_at: h.next_meeting(now).map(|e| e.start),
        counts: Tally { sent: count(Kind::Sent), received: count(Kind::Received), meetings: count(Kind::Met) },
        strength: h.strength,
    }
}
