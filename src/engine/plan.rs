//! What would be sent by then, if nothing else happened. Part of `engine`.
//!
//! Invariant: runs the same reviews, queue and states as a wake, over a copy of the outbox, and
//! commits nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::reply::ReminderRow;
use super::{Engine, Result};
use crate::evidence::{Observation, ReminderId};
use crate::identity::{Contact, ContactId};
use crate::ledger::{ContactHistory, Viewpoint, history};
use crate::limits;
use crate::outbox::words::Words;
use crate::outbox::{Channel, Entry, EntryKind, State, queue};
use crate::policy::{Policies, Review, Standing, review};
use crate::time::{DAY, Timestamp, add_days};

/// A plan in the making.
struct Draft<'a> {
    engine: &'a Engine,
    words: Words,
    policies: Policies,
    view: Viewpoint,
    entries: BTreeMap<ReminderId, Entry>,
    /// What each contact's looks will find, by time.
    looks: BTreeMap<ContactId, VecDeque<(Timestamp, Look)>>,
    sent: Vec<(Timestamp, Entry)>,
}

/// What a review at its time finds of one contact. Which reminders were shown by then changes nothing in it, so a
/// contact's looks are made one after the other from facts that are read once, and only what an entry needs is kept.
struct Look {
    history: ContactHistory,
    review: Review,
}

impl Engine {
    /// Reminders that would be sent between `now` and `until`, each with its time.
    pub(super) fn plan(&mut self, until: Timestamp, now: Timestamp) -> Result<Vec<ReminderRow>> {
        self.refresh(now)?;
        let mut draft = self.draft(now)?;
        let mut next: BTreeMap<ContactId, Timestamp> =
            self.memory.reviews.iter().filter_map(|(id, r)| Some((*id, r.next_at?))).collect();
        let touched = self.memory.touched.iter().filter_map(|a| self.memory.people.contact_of(a));
        next.extend(touched.map(|c| (c.id, now)));
        draft.await_meetings(&mut next, until, now)?;
        for (id, at) in next {
            if let Some(contact) = self.memory.people.by_id(id) {
                draft.look_ahead(contact, at.max(now), until.max(now))?;
            }
        }
        draft.forget_what_never_comes();
        draft.run(until, now)?;
        Ok(draft.rows())
    }

    /// What is due at `now` and waits for hours or caps, each with the time it would go.
    pub(super) fn waiting(&self, now: Timestamp) -> Result<Vec<ReminderRow>> {
        let mut draft = self.draft(now)?;
        draft.run(now.plus(14 * DAY), now)?;
        Ok(draft.rows().into_iter().filter(|r| r.due_at <= now && r.would_send_at.is_some_and(|t| t > now)).collect())
    }

    fn draft(&self, now: Timestamp) -> Result<Draft<'_>> {
        Ok(Draft {
            engine: self,
            words: self.words(now)?,
            policies: self.policies(),
            view: self.viewpoint(),
            entries: self.memory.entries.clone(),
            looks: BTreeMap::new(),
            sent: Vec::new(),
        })
    }
}

impl Draft<'_> {
    fn run(&mut self, until: Timestamp, now: Timestamp) -> Result<()> {
        let mut at = now;
        for _ in 0..limits::PLAN_STEPS {
            self.review(at);
            for entry in self.entries.values_mut().filter(|e| e.state.is_open()) {
                entry.tick(at);
                entry.hold(None, at);
            }
            while let Some(pick) = queue::pick(&self.entries, &self.policies, self.engine.setup.caps, at) {
                self.show(pick.lead, None, at);
                for id in pick.merged {
                    self.show(id, Some(pick.lead), at);
                }
            }
            self.summary(at);
            match self.next_step(at) {
                Some(next) if next <= until => at = next,
                _ => break,
            }
        }
        Ok(())
    }

    /// Everything a contact's reviews will find from `at` to `until`.
    fn look_ahead(&mut self, contact: &Contact, mut at: Timestamp, until: Timestamp) -> Result<()> {
        if at > until {
            return Ok(());
        }
        let facts = self.engine.facts_of(contact, at)?;
        let since = |e: &Entry| e.first_sent_at.unwrap_or(e.due_at);
        let mut earliest = self.entries.values().filter(|e| e.state.is_open()).map(since).min();
        let mut looks = VecDeque::new();
        for _ in 0..limits::PLAN_STEPS {
            let mut history = history(facts.clone(), &self.view, at);
            let review = review(&history, &self.policies, at);
            let next = review.next_at.filter(|t| *t <= until);
            earliest = earliest.into_iter().chain(review.verdicts.iter().map(|v| v.due_at)).min();
            history.forget_all_but(|i| earliest.is_some_and(|t| i.at > t));
            history.people.retain(|a, _| review.verdicts.iter().any(|v| v.address.as_ref() == Some(a)));
            looks.push_back((at, Look { history, review }));
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        self.looks.insert(contact.id, looks);
        Ok(())
    }

    /// Verdicts that neither are an entry's nor ever due, of whomever: one cause may concern several people.
    fn forget_what_never_comes(&mut self) {
        let mut known: BTreeSet<ReminderId> = self.entries.keys().copied().collect();
        for (at, look) in self.looks.values().flatten() {
            let due = look.review.verdicts.iter().filter(|v| v.standing(*at) == Standing::Due);
            known.extend(due.map(|v| v.id));
        }
        for (_, look) in self.looks.values_mut().flatten() {
            look.review.verdicts.retain(|v| known.contains(&v.id));
        }
    }

    fn review(&mut self, at: Timestamp) {
        for looks in self.looks.values_mut() {
            while let Some((_, Look { history, review })) = looks.pop_front_if(|(t, _)| *t <= at) {
                let changed = super::wake::reconcile(&self.entries, &history, &review, &self.words, at);
                self.entries.extend(changed.into_iter().map(|e| (e.id, e)));
            }
        }
    }

    fn show(&mut self, id: ReminderId, lead: Option<ReminderId>, at: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.begin(|_| None);
            entry.shown(at);
            entry.shown_in = lead;
            self.sent.push((at, entry.clone()));
        }
    }

    /// The summary shows what is due for it on its morning.
    fn summary(&mut self, at: Timestamp) {
        let is_time = self.engine.next_summary(at.minus(1)).is_some_and(|t| t <= at && at.since(t) < DAY);
        let quiet = |e: &&Entry| e.channel == Channel::Summary && e.state == State::Due && e.due_at <= at;
        let items: Vec<ReminderId> = self.entries.values().filter(quiet).map(|e| e.id).collect();
        for id in items.into_iter().filter(|_| is_time).take(limits::SUMMARY_ITEMS) {
            self.show(id, None, at);
        }
    }

    /// The next point at which anything can happen.
    fn next_step(&self, at: Timestamp) -> Option<Timestamp> {
        let hours = &self.policies.hours;
        let waiting = self.entries.values().filter(|e| matches!(e.state, State::Due | State::Snoozed));
        let waiting = waiting.map(|e| e.try_at.max(e.due_at));
        let tomorrow = hours.zone.at(add_days(hours.zone.date(at), 1), 0);
        let from = if hours.is_open(at) { tomorrow } else { at.plus(1) };
        let opening = hours.next_open(from.max(self.policies.away_until(at).unwrap_or(from)));
        let summary = self.engine.next_summary(at);
        let looks = self.looks.values().filter_map(|looks| looks.front()).map(|(at, _)| *at);
        looks.chain(waiting).chain([opening]).chain(summary).filter(|t| *t > at).min()
    }

    /// Planned meetings give their people a review when they have ended.
    fn await_meetings(
        &self,
        next: &mut BTreeMap<ContactId, Timestamp>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        for observation in self.engine.store.evidence_between(now, until) {
            let Observation::Meeting(meeting) = observation? else { continue };
            let Some(end) = meeting.main().map(|r| r.end.plus(1)) else { continue };
            for contact in meeting.addresses().filter_map(|a| self.engine.memory.people.contact_of(a)) {
                let at = next.entry(contact.id).or_insert(end);
                *at = (*at).min(end);
            }
        }
        Ok(())
    }

    fn rows(self) -> Vec<ReminderRow> {
        let reminders = self.sent.iter().filter(|(_, e)| e.kind == EntryKind::Reminder);
        let row = |(at, e): &(Timestamp, Entry)| ReminderRow {
            would_send_at: Some(*at),
            sent_at: None,
            state: State::Due.as_str().to_string(),
            ..self.engine.reminder_row(e, &self.words)
        };
        reminders.map(row).collect()
    }
}
