//! Which of the due reminders go out now. Part of `outbox`.
//!
//! Invariant: the caps are counted from what was really sent, so a restart forgets nothing.

use std::collections::BTreeMap;

use super::{Channel, Entry, EntryKind, State};
use crate::evidence::ReminderId;
use crate::identity::ContactId;
use crate::limits;
use crate::policy::Policies;
use crate::time::{DAY, HOUR, Timestamp};

/// `[schedule]` beyond the hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    /// Reminders a day.
    pub per_day: usize,
    /// Seconds between two reminders about one contact.
    pub per_contact: i64,
}

/// What goes out next, and what it takes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pick {
    /// The entry that gives the mail.
    pub lead: ReminderId,
    /// Others about the same contact that are due and stand in the same mail.
    pub merged: Vec<ReminderId>,
}

/// Picks the next mail at `now`, or `None` where nothing may go out. Picking again after that one
/// was begun gives the next.
pub fn pick(entries: &BTreeMap<ReminderId, Entry>, policies: &Policies, caps: Caps, now: Timestamp) -> Option<Pick> {
    let hour = entries.values().filter(|e| e.attempts > 0 && attempted_at(e).is_some_and(|t| now.since(t) < HOUR));
    if hour.count() >= limits::MAILS_AN_HOUR {
        return None;
    }
    let ready = |e: &&Entry| e.state == State::Due && e.channel == Channel::Own && e.try_at <= now && e.due_at <= now;
    // a notice or an answer to an answer is not held up by caps, only by the hour's breaker
    if let Some(e) = entries.values().filter(ready).find(|e| matches!(e.kind, EntryKind::Notice | EntryKind::Help)) {
        return Some(Pick { lead: e.id, merged: Vec::new() });
    }
    if !policies.hours.is_open(now) || policies.away_until(now).is_some() {
        return None;
    }
    if let Some(e) = entries.values().filter(ready).find(|e| e.kind == EntryKind::Summary) {
        return Some(Pick { lead: e.id, merged: Vec::new() });
    }
    if shown_on(entries, policies, now) >= caps.per_day {
        return None;
    }
    let free = |e: &&Entry| e.kind == EntryKind::Reminder && !contact_is_full(entries, e, caps, now);
    let mut due: Vec<&Entry> = entries.values().filter(ready).filter(free).collect();
    due.sort_by_key(|a| rank(a));
    // the relationship that was served longest ago comes first, so that none starves
    let served = |relationship: Option<&str>| {
        let of_kind = entries.values().filter(|e| e.was_shown() && relationship_of(e) == relationship);
        of_kind.filter_map(|e| e.first_sent_at).max().unwrap_or(Timestamp::MIN)
    };
    // what cannot wait, and what would run out before the next day's places: a birthday is never late
    let urgent = due.iter().find(|e| e.pressing || e.showing > 0 || e.expires_at.since(now) < DAY);
    let lead = urgent.or_else(|| due.iter().min_by_key(|e| (served(relationship_of(e)), rank(e))))?;
    let whom = lead.whom.as_ref().map(|w| w.id);
    let same = due.iter().filter(|e| e.id != lead.id && whom.is_some() && e.whom.as_ref().map(|w| w.id) == whom);
    Some(Pick { lead: lead.id, merged: same.map(|e| e.id).collect() })
}

/// Most points first, then the one that runs out first, then the older, then the id.
fn rank(e: &Entry) -> (i32, Timestamp, Timestamp, ReminderId) {
    (-e.score, e.expires_at, e.due_at, e.id)
}

fn relationship_of(e: &Entry) -> Option<&str> {
    e.whom.as_ref().and_then(|w| w.relationship.as_deref())
}

fn attempted_at(e: &Entry) -> Option<Timestamp> {
    e.sent_at.or(Some(e.try_at))
}

/// Mails about reminders that reached, or may have reached, the user on the local day of `now`.
fn shown_on(entries: &BTreeMap<ReminderId, Entry>, policies: &Policies, now: Timestamp) -> usize {
    let today = policies.hours.zone.date(now);
    let is_today = |t: Timestamp| policies.hours.zone.date(t) == today;
    let own =
        entries.values().filter(|e| e.kind == EntryKind::Reminder && e.shown_in.is_none() && e.channel == Channel::Own);
    own.filter(|e| e.sent_at.is_some_and(is_today) || e.state == State::Sending).count()
}

/// Had this contact a reminder within the limit? A dated promise and an interview break it, and so
/// does a snoozed reminder that comes back.
fn contact_is_full(entries: &BTreeMap<ReminderId, Entry>, entry: &Entry, caps: Caps, now: Timestamp) -> bool {
    let Some(whom) = &entry.whom else { return false };
    if entry.pressing || entry.showing > 0 {
        return false;
    }
    last_shown(entries, whom.id).is_some_and(|at| now.since(at) < caps.per_contact)
}

/// When a reminder about this contact was last shown.
pub fn last_shown(entries: &BTreeMap<ReminderId, Entry>, whom: ContactId) -> Option<Timestamp> {
    let theirs =
        entries.values().filter(|e| e.whom.as_ref().is_some_and(|w| w.id == whom) && e.channel == Channel::Own);
    theirs.filter_map(|e| if e.state == State::Sending { Some(e.try_at) } else { e.sent_at }).max()
}
