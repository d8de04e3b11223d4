//! What stands in each mail beside its entry. Part of `engine`.

use super::sources::Gap;
use super::state::Reviewed;
use super::{Engine, Result};
use crate::evidence::Mail;
use crate::limits;
use crate::outbox::compose::{Bar, Content, LastContact, Line, Section, subject};
use crate::outbox::words::Words;
use crate::outbox::{Channel, Entry, EntryKind, State};
use crate::policy::Fact;
use crate::store::Strength;
use crate::time::{DAY, Timestamp, add_days};
use minijinja::context;

/// A summary that could not go out on its day is still of use this long.
const SUMMARY_LIFE: i64 = 3 * DAY;

impl Engine {
    /// Everything the mail of an entry says.
    pub(super) fn content(&self, entry: &mut Entry, words: &Words, now: Timestamp) -> Result<Content> {
        match entry.kind {
            EntryKind::Reminder => self.reminder_content(entry, words, now),
            EntryKind::Summary => self.summary_content(entry, words, now),
            EntryKind::Notice => {
                Ok(Content { subject: text(entry, "subject"), intro: entry.reason.clone(), ..Content::default() })
            }
            EntryKind::Help => Ok(help_content(entry, words)),
        }
    }

    fn reminder_content(&self, entry: &Entry, words: &Words, now: Timestamp) -> Result<Content> {
        let contact = entry.whom.as_ref().and_then(|w| self.memory.people.by_id(w.id));
        let last = match contact {
            Some(contact) => {
                let history = self.history_of(contact, &self.viewpoint(), now)?;
                let latest = history.interactions.iter().rev().filter(|i| i.counts).take(3);
                latest.map(|i| LastContact { at: i.at, kind: i.kind.as_str(), subject: i.subject.clone() }).collect()
            }
            None => Vec::new(),
        };
        let merged = entry.items.iter().filter_map(|id| self.memory.entries.get(id));
        let also = merged.map(|e| (subject(words, e), e.reason.clone())).collect();
        Ok(Content { last, also, sent_until: self.sent_until(), ..Content::default() })
    }

    /// The latest point at or before `now` at which a summary was planned, or the next after it.
    fn summary_at(&self, now: Timestamp, next: bool) -> Option<Timestamp> {
        let (day, minute) = self.setup.summary?;
        let today = self.zone().date(now);
        let days = (0..=7).map(|n| add_days(today, if next { n } else { -n }));
        let planned = days.filter(|d| d.weekday().to_monday_zero_offset() == i8::try_from(day).unwrap_or(0));
        planned.map(|d| self.zone().at(d, minute)).find(|t| if next { *t > now } else { *t <= now })
    }

    pub(super) fn next_summary(&self, now: Timestamp) -> Option<Timestamp> {
        self.summary_at(now, true)
    }

    /// Lines of the next summary: the quieter reminders that are due, most points first.
    fn summary_items(&self, now: Timestamp) -> Vec<&Entry> {
        let quiet = |e: &&Entry| {
            e.channel == Channel::Summary && e.state == State::Due && e.due_at <= now && e.expires_at > now
        };
        let mut items: Vec<&Entry> = self.reminders().filter(quiet).collect();
        items.sort_by_key(|e| (-e.score, e.expires_at, e.id));
        items.truncate(limits::SUMMARY_ITEMS);
        items
    }

    /// Puts the week's summary into the outbox once its time has come, if it has anything to say.
    /// `before` is the last wake: a summary whose time passed before it had nothing to say then.
    pub(super) fn queue_summary(&mut self, words: &Words, before: Option<Timestamp>, now: Timestamp) -> Result<()> {
        let Some(at) = self.summary_at(now, false) else { return Ok(()) };
        let expires = at.plus(SUMMARY_LIFE);
        let week = self.zone().date(at).to_string();
        let entry = Entry::new(EntryKind::Summary, "summary", "summary", &week, at, expires);
        let known = self.memory.entries.contains_key(&entry.id);
        let is_over = before.is_some_and(|t| t >= at);
        if known || now >= expires || is_over {
            return Ok(());
        }
        self.refresh(now)?;
        let mut draft = entry.clone();
        let content = self.summary_content(&mut draft, words, now)?;
        if content.sections.is_empty() {
            return Ok(());
        }
        self.keep(vec![entry], Vec::new(), Strength::Atomic)
    }

    fn summary_content(&self, entry: &mut Entry, words: &Words, now: Timestamp) -> Result<Content> {
        let items = self.summary_items(now);
        entry.items = items.iter().map(|e| e.id).collect();
        let phrase = |key: &str| words.phrase("summary", key, &context! {});
        let mut people: Vec<&Reviewed> =
            self.memory.reviews.values().filter(|r| r.row.is_contact && !r.row.muted).collect();
        people.sort_by(|a, b| (b.row.strength, &a.row.name).cmp(&(a.row.strength, &b.row.name)));
        let this_week = |at: Option<Timestamp>| at.is_some_and(|t| t > now.minus(7 * DAY) && t <= now);
        let names = |of: fn(&Reviewed) -> Option<Timestamp>| -> Vec<String> {
            people.iter().filter(|r| this_week(of(r))).map(|r| r.row.name.clone()).collect()
        };
        let (met, wrote) = (names(|r| r.row.last_met_at), names(|r| r.row.last_sent_at));
        let (near, drifting) = picture(&people, words, now);
        let held: Vec<&Entry> = self.memory.entries.values().filter(|e| e.held.is_some()).collect();
        // that all is well is no reason for a mail
        let is_quiet = items.is_empty() && met.is_empty() && wrote.is_empty() && drifting.is_empty() && held.is_empty();
        let near = if is_quiet { Vec::new() } else { near };
        let item = |e: &&Entry| Line { head: subject(words, e), body: e.reason.clone(), bar: None };
        let held_line = |e: &&Entry| Line {
            head: subject(words, e),
            body: e.held.as_ref().map(|(_, why)| words.local(why)).unwrap_or_default(),
            bar: None,
        };
        let list = |key: &str, lines: Vec<Line>| Section { title: phrase(key), lines, ..Section::default() };
        let pace = |lines: &[Line]| if lines.is_empty() { String::new() } else { phrase("pace") };
        let text = |key: &str, text: String| Section { title: phrase(key), text, ..Section::default() };
        let sections = [
            Section { numbered: true, ..list("items", items.iter().map(item).collect()) },
            text("met", some_names(&met, words)),
            text("wrote", some_names(&wrote, words)),
            Section { text: pace(&near), ..list("near", near) },
            Section { text: pace(&drifting), ..list("drifting", drifting) },
            list("held", held.iter().map(held_line).take(limits::SUMMARY_ITEMS).collect()),
        ];
        let facts = context! { met => met, items => entry.items.iter().map(ToString::to_string).collect::<Vec<_>>() };
        Ok(Content {
            subject: words.phrase("summary", "subject", &facts),
            intro: phrase("intro"),
            how: phrase("how"),
            sections: sections.into_iter().filter(|s| !s.lines.is_empty() || !s.text.is_empty()).collect(),
            ..Content::default()
        })
    }
}

/// Who is near, the strongest first, and who drifts, the furthest beyond the usual first: of those
/// whose rhythm is known. Who drifts is what the rules say: nobody who left, or whom the user is about to meet.
fn picture(people: &[&Reviewed], words: &Words, now: Timestamp) -> (Vec<Line>, Vec<Line>) {
    let (mut near, mut drifting) = (Vec::new(), Vec::new());
    for r in people {
        let (Some(last), Some(usual)) = (r.row.last_contact_at, r.usual_days.filter(|u| *u > 0)) else { continue };
        let days = now.since(last) / DAY;
        let facts = context! { days => days, usual_days => usual };
        let body = words.phrase("summary", "silence", &facts);
        let line = Line { head: r.row.name.clone(), body, bar: Some(Bar::new(days, usual)) };
        if r.drifting {
            drifting.push((days.saturating_mul(100) / usual, line));
        } else if days <= usual {
            near.push(line);
        }
    }
    drifting.sort_by_key(|(beyond, _)| std::cmp::Reverse(*beyond));
    near.truncate(limits::SUMMARY_PICTURE);
    (near, drifting.into_iter().map(|(_, line)| line).take(limits::SUMMARY_PICTURE).collect())
}

/// As many names as a phone shows at a glance, and how many more.
fn some_names(names: &[String], words: &Words) -> String {
    match names.split_at_checked(limits::SUMMARY_NAMES) {
        Some((first, rest)) if rest.len() > 1 => {
            words.phrase("summary", "more", &context! { names => first.join(", "), n => rest.len() })
        }
        _ => words.people(names),
    }
}

fn text(entry: &Entry, fact: &str) -> String {
    match entry.facts.get(fact) {
        Some(Fact::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

/// The one answer to an answer that was not understood, or that asked for help.
pub(super) fn help(words: &Words, mail: &Mail, unknown: String, now: Timestamp) -> Option<Entry> {
    let mut entry = Entry::new(EntryKind::Help, "help", "help", &mail.id.to_string(), now, now.plus(DAY));
    entry.reason = words.phrase("help", "intro", &context! {});
    if !unknown.is_empty() {
        entry.reason = format!("{} {}", words.phrase("help", "unknown", &context! { text => unknown }), entry.reason);
    }
    entry.about = Some(crate::policy::About::mail(mail));
    Some(entry)
}

fn help_content(entry: &Entry, words: &Words) -> Content {
    let lines = words.list("help", "verbs").into_iter().map(|head| Line { head, ..Line::default() }).collect();
    Content {
        subject: words.phrase("help", "subject", &context! {}),
        intro: entry.reason.clone(),
        sections: vec![Section { lines, ..Section::default() }],
        ..Content::default()
    }
}

/// Tells the user what is missing.
pub(super) fn notice(words: &Words, gap: &Gap, since: Timestamp, now: Timestamp) -> Entry {
    let occasion = if gap.no_sent { "no_sent" } else { "failing" };
    let cause = format!("{} {occasion} {since}", gap.source);
    let mut entry = Entry::new(EntryKind::Notice, "notice", occasion, &cause, now, now.plus(14 * DAY));
    let facts = context! { source => &gap.source, since => since.to_string(), what => &gap.why };
    entry.reason = words.phrase("notice", occasion, &facts);
    let subject = words.phrase("notice", &format!("{occasion}_subject"), &facts);
    entry.facts.insert("subject".to_string(), Fact::Text(subject));
    entry
}

/// Tells the user that a source has failed for two weeks, and how to go on without it.
pub(super) fn lost(words: &Words, source: &str, since: Timestamp, now: Timestamp) -> Entry {
    let cause = format!("{source} lost {since}");
    let mut entry = Entry::new(EntryKind::Notice, "notice", "lost", &cause, now, now.plus(60 * DAY));
    let facts = context! { source => source, since => since.to_string() };
    entry.reason = words.phrase("notice", "lost", &facts);
    entry.facts.insert("subject".to_string(), Fact::Text(words.phrase("notice", "failing_subject", &facts)));
    entry
}

/// Tells the user that it is well again.
pub(super) fn well(words: &Words, source: &str, now: Timestamp) -> Entry {
    let mut entry =
        Entry::new(EntryKind::Notice, "notice", "well", &format!("{source} well {now}"), now, now.plus(2 * DAY));
    let facts = context! { source => source, since => now.to_string() };
    entry.reason = words.phrase("notice", "well", &facts);
    entry.facts.insert("subject".to_string(), Fact::Text(words.phrase("notice", "well_subject", &facts)));
    entry
}
