//! What would be sent by then, if nothing else happened. Part of `engine`.
//!
//! Invariant: runs the same reviews, queue and states as a wake, over a copy of the outbox, and
//! commits nothing.

use std::collections::BTreeMap;

use super::reply::ReminderRow;
use super::{Engine, Result};
use crate::evidence::ReminderId;
use crate::identity::ContactId;
use crate::outbox::{Channel, Entry, EntryKind, State, queue};
use crate::time::{DAY, Timestamp};

/// Steps of one plan; a year of hourly steps.
const STEPS: usize = 9_000;

impl Engine {
    /// Reminders that would be sent between `now` and `until`, each with its time.
    pub(super) fn plan(&mut self, until: Timestamp, now: Timestamp) -> Result<Vec<ReminderRow>> {
        self.refresh(now)?;
        let words = self.words(now)?;
        let (policies, view) = (self.policies(), self.viewpoint());
        let mut entries: BTreeMap<ReminderId, Entry> = self.memory.entries.clone();
        let mut next: BTreeMap<ContactId, Timestamp> =
            self.memory.reviews.iter().filter_map(|(id, r)| Some((*id, r.next_at?))).collect();
        next.extend(self.memory.touched.iter().filter_map(|a| self.memory.people.contact_of(a)).map(|c| (c.id, now)));
        let mut rows = Vec::new();
        let mut at = now;
        for _ in 0..STEPS {
            let due: Vec<ContactId> = next.iter().filter(|(_, t)| **t <= at).map(|(id, _)| *id).collect();
            for id in due {
                next.remove(&id);
                let Some(contact) = self.memory.people.by_id(id) else { continue };
                let history = self.history_of(contact, &view, at)?;
                let review = crate::policy::review(&history, &policies, at);
                next.extend(review.next_at.map(|t| (id, t)));
                let changed = super::wake::reconcile(&entries, &history, &review, &policies, &words, at);
                entries.extend(changed.into_iter().map(|e| (e.id, e)));
            }
            for entry in entries.values_mut().filter(|e| e.state.is_open()) {
                entry.tick(at);
                entry.hold(None, at);
            }
            while let Some(pick) = queue::pick(&entries, &policies, self.setup.caps, at) {
                for id in std::iter::once(&pick.lead).chain(&pick.merged) {
                    if let Some(entry) = entries.get_mut(id) {
                        entry.begin(|_| None);
                        entry.shown(at);
                        if *id != pick.lead {
                            entry.shown_in = Some(pick.lead);
                        }
                        rows.push((at, entry.clone()));
                    }
                }
            }
            self.plan_summary(&mut entries, at, &mut rows);
            let waiting = entries
                .values()
                .filter(|e| matches!(e.state, State::Due | State::Snoozed))
                .map(|e| e.try_at.max(e.due_at));
            let opening = policies.hours.next_open(at.plus(1).max(policies.away_until(at).unwrap_or(at)));
            let opening = if policies.hours.is_open(at) {
                policies
                    .hours
                    .next_open(policies.hours.zone.at(crate::time::add_days(policies.hours.zone.date(at), 1), 0))
            } else {
                opening
            };
            let times = next.values().copied().chain(waiting).chain([opening]).chain(self.next_summary(at));
            match times.filter(|t| *t > at).min() {
                Some(t) if t <= until => at = t,
                _ => break,
            }
        }
        rows.retain(|(_, e)| e.kind == EntryKind::Reminder);
        Ok(rows
            .into_iter()
            .map(|(at, e)| ReminderRow {
                would_send_at: Some(at),
                sent_at: None,
                state: State::Due.as_str().to_string(),
                ..self.reminder_row(&e, &words)
            })
            .collect())
    }

    /// The summary shows what is due for it on its morning.
    fn plan_summary(
        &self,
        entries: &mut BTreeMap<ReminderId, Entry>,
        at: Timestamp,
        rows: &mut Vec<(Timestamp, Entry)>,
    ) {
        let is_time = self.next_summary(at.minus(1)).is_some_and(|t| t <= at && at.since(t) < DAY);
        if !is_time {
            return;
        }
        let quiet =
            entries.values_mut().filter(|e| e.channel == Channel::Summary && e.state == State::Due && e.due_at <= at);
        for entry in quiet {
            entry.begin(|_| None);
            entry.shown(at);
            rows.push((at, entry.clone()));
        }
    }
}
