//! The properties of one `VEVENT` (RFC 5545 3.6.1) to what is kept of it. Part of `read::calendar`.
//!
//! Invariant: an event has a start, or it is refused with a reason; everything else that is broken
//! is left out and said.

use super::CalendarContext;
use super::components::Property;
use super::people::{named, people};
use super::recurrence::{Rule, Wall};
use super::stamp::{Length, Stamp, When};
use super::words;
use super::zones::{EventZone, Zones, wall};
use crate::address::{clip, safe_text};
use crate::evidence::{EventStatus, EventUid, EvidenceId, Revision};
use crate::limits;
use crate::time::{DAY, Timestamp, days_between};

/// One `VEVENT`.
#[derive(Clone, Debug)]
pub struct Event {
    /// `UID`; without one a digest of what it is.
    pub uid: EventUid,
    /// `DTSTART`.
    pub start: When,
    /// `DTEND` or `DURATION`.
    pub length: Length,
    /// Is it a series? Also where its rule cannot be read: its first instance keeps its key.
    pub recurs: bool,
    /// `RRULE`, each with its end on the clock of `start`.
    pub rules: Vec<(Rule, Option<Wall>)>,
    /// `EXRULE` (RFC 2445), the same.
    pub except_rules: Vec<(Rule, Option<Wall>)>,
    /// `RDATE`, with the length where it is a period.
    pub dates: Vec<(When, Option<Length>)>,
    /// `EXDATE`.
    pub except: Vec<When>,
    /// `RECURRENCE-ID`: this speaks of one instance only ...
    pub instance: Option<When>,
    /// ... or of it and all later ones (`RANGE=THISANDFUTURE`).
    pub and_later: bool,
    /// What it says; start and end are those of `DTSTART`.
    pub says: Revision,
    /// What was left out.
    pub problems: Vec<String>,
}

/// The `UID` as it is kept, if there is one.
pub fn uid_of(all: &[Property]) -> Option<EventUid> {
    let uid = all.iter().find(|p| p.name == "UID")?.value.trim();
    let plain = safe_text(uid, limits::UID_BYTES);
    if plain.is_empty() {
        None
    } else if uid.len() > limits::UID_BYTES {
        // two long ones may differ only beyond the cut
        Some(format!("{}-{}", clip(&plain, 200), EvidenceId::of("uid", &[uid.as_bytes()])))
    } else {
        Some(plain)
    }
}

impl Event {
    /// Reads an event. `Err` says why it is none.
    pub fn read(all: &[Property], zones: &mut Zones<'_>, context: &CalendarContext<'_>) -> Result<Event, String> {
        let first = |name: &str| all.iter().find(|p| p.name == name);
        let property = first("DTSTART").ok_or("an event without DTSTART")?;
        let (stamp, tzid) =
            stamp(property).ok_or_else(|| format!("DTSTART that is no date: {}", safe_text(&property.value, 40)))?;
        let zone = match &tzid {
            Some(tzid) => zones.named(tzid),
            None => zones.floating(),
        };
        let mut start = When::new(stamp, zone);
        let all_day = first("X-MICROSOFT-CDO-ALLDAYEVENT").is_some_and(|p| p.value.trim().eq_ignore_ascii_case("TRUE"));
        if all_day
            && let When::At(time, _) = &start
            && time.hour() == 0
            && time.minute() == 0
        {
            start = When::Date(time.date());
        }
        let mut problems = Vec::new();
        let length = length(all, &start, zones, &mut problems);
        let mut event = Event {
            uid: uid_of(all).unwrap_or_else(|| uid_by_content(all)),
            says: revision(all, &start, length, zones, context),
            length,
            recurs: all.iter().any(|p| matches!(p.name.as_str(), "RRULE" | "RDATE") && !p.value.trim().is_empty()),
            rules: Vec::new(),
            except_rules: Vec::new(),
            dates: Vec::new(),
            except: Vec::new(),
            instance: None,
            and_later: false,
            start,
            problems,
        };
        for property in all {
            event.recur(property, zones);
        }
        Ok(event)
    }

    fn recur(&mut self, property: &Property, zones: &mut Zones<'_>) {
        let name = property.name.as_str();
        if property.value.trim().is_empty() {
            return;
        }
        match name {
            "RRULE" | "EXRULE" => match Rule::parse(&property.value).and_then(|rule| self.ended(rule)) {
                Ok(_) if self.rules.len().max(self.except_rules.len()) >= limits::RULES => {}
                Ok(rule) if name == "RRULE" => self.rules.push(rule),
                Ok(rule) => self.except_rules.push(rule),
                Err(problem) => self.problems.push(problem),
            },
            "RDATE" | "EXDATE" => {
                let tzid = property.param("TZID").map(str::to_string);
                for value in property.value.split(',').filter(|v| !v.trim().is_empty()) {
                    let (begin, end) = value.split_once('/').map_or((value, None), |(b, e)| (b, Some(e)));
                    let Some(stamp) = Stamp::parse(begin) else {
                        self.problems.push(format!("{name} that is no date: {}", safe_text(begin, 40)));
                        continue;
                    };
                    let when = place(stamp, tzid.as_deref(), &self.start, zones);
                    if name == "EXDATE" {
                        self.except.push(when);
                    } else {
                        let length = end.and_then(|end| period(&when, end, tzid.as_deref(), zones));
                        self.dates.push((when, length));
                    }
                }
            }
            "RECURRENCE-ID" if self.instance.is_none() => {
                let Some((stamp, tzid)) = stamp(property) else {
                    self.problems.push(format!("RECURRENCE-ID that is no date: {}", safe_text(&property.value, 40)));
                    return;
                };
                self.instance = Some(place(stamp, tzid.as_deref(), &self.start, zones));
                self.and_later = property.param("RANGE").is_some_and(|r| r.eq_ignore_ascii_case("THISANDFUTURE"));
            }
            _ => {}
        }
    }

    /// The rule with its `UNTIL` on the clock of `DTSTART`. One that cannot be read makes the rule
    /// void: a series must not go on for ever because of a typing error.
    fn ended(&self, rule: Rule) -> Result<(Rule, Option<Wall>), String> {
        let Some(text) = rule.until.as_deref() else { return Ok((rule, None)) };
        let until = Stamp::parse(text).ok_or_else(|| format!("a rule with UNTIL={}", safe_text(text, 40)))?;
        let last = match (&self.start, until) {
            (When::Date(_), other) => civil_midnight(other.wall()),
            (When::At(..), Stamp::Date(_)) => until.wall().saturating_add(DAY - 1),
            (When::At(_, zone), Stamp::Utc(time)) => wall(zone.local(EventZone::utc().instant(time))),
            (When::At(..), Stamp::Local(_)) => until.wall(),
        };
        Ok((rule, Some(last)))
    }
}

fn civil_midnight(at: Wall) -> Wall {
    at.saturating_sub(at.rem_euclid(DAY))
}

/// A date property and its `TZID`. A colon in an unquoted `TZID` moved the beginning of the value.
pub fn stamp(property: &Property) -> Option<(Stamp, Option<String>)> {
    let tzid = property.param("TZID").map(str::to_string);
    let read = |value: &str, tzid| Some((Stamp::parse(value)?, tzid));
    let value = property.value.split(',').next().unwrap_or("");
    read(value, tzid.clone()).or_else(|| {
        let (moved, value) = property.value.rsplit_once(':')?;
        read(value, tzid.map(|tzid| format!("{tzid}:{moved}")))
    })
}

/// A value in its own zone, else in that of `DTSTART`.
pub fn place(stamp: Stamp, tzid: Option<&str>, start: &When, zones: &mut Zones<'_>) -> When {
    let zone = match (tzid, start) {
        (Some(tzid), _) => zones.named(tzid),
        (None, When::At(_, zone)) => zone.clone(),
        (None, When::Date(_)) => zones.floating(),
    };
    When::new(stamp, zone)
}

/// The second half of a period: a length or an end.
fn period(begin: &When, end: &str, tzid: Option<&str>, zones: &mut Zones<'_>) -> Option<Length> {
    Length::parse(end).or_else(|| {
        let end = place(Stamp::parse(end)?, tzid, begin, zones);
        Some(between(begin, &end, zones))
    })
}

fn between(start: &When, end: &When, zones: &Zones<'_>) -> Length {
    match (start, end) {
        (When::Date(from), When::Date(to)) => Length { days: days_between(*from, *to).max(0), seconds: 0 },
        (When::Date(from), When::At(to, _)) => {
            let begun = i64::from(to.time() != crate::time::DateTime::constant(1, 1, 1, 0, 0, 0, 0).time());
            Length { days: (days_between(*from, to.date()) + begun).max(0), seconds: 0 }
        }
        _ => Length { days: 0, seconds: end.instant(zones).since(start.instant(zones)).max(0) },
    }
}

fn length(all: &[Property], start: &When, zones: &mut Zones<'_>, problems: &mut Vec<String>) -> Length {
    let none = Length { days: 0, seconds: 0 };
    if let Some(property) = all.iter().find(|p| p.name == "DTEND") {
        match stamp(property) {
            Some((stamp, tzid)) => {
                let end = place(stamp, tzid.as_deref(), start, zones);
                return between(start, &end, zones);
            }
            None => problems.push(format!("DTEND that is no date: {}", safe_text(&property.value, 40))),
        }
    }
    let Some(property) = all.iter().find(|p| p.name == "DURATION") else { return none };
    Length::parse(&property.value).unwrap_or_else(|| {
        problems.push(format!("DURATION that is none: {}", safe_text(&property.value, 40)));
        none
    })
}

/// Some exporters leave the `UID` out. The same event gives the same one again.
fn uid_by_content(all: &[Property]) -> EventUid {
    let value = |name: &str| all.iter().find(|p| p.name == name).map_or("", |p| p.value.as_str());
    let parts = ["DTSTART", "SUMMARY", "ORGANIZER", "LOCATION"].map(|name| value(name).as_bytes());
    format!("no-uid-{}", EvidenceId::of("uid", &parts))
}

fn revision(
    all: &[Property],
    start: &When,
    length: Length,
    zones: &mut Zones<'_>,
    context: &CalendarContext<'_>,
) -> Revision {
    let value = |name: &str| all.iter().find(|p| p.name == name).map_or("", |p| p.value.trim());
    let mut categories = String::new();
    for list in all.iter().filter(|p| p.name == "CATEGORIES") {
        categories.push_str(&list.value.replace(',', " ; "));
        categories.push_str(" ; ");
    }
    let people = people(all);
    let summary = value("SUMMARY");
    let mut marks = words::marks(summary, &categories);
    // not INTENDEDSTATUS: that is what the organizer wishes
    let busy = |word: &str| value("X-MICROSOFT-CDO-BUSYSTATUS").eq_ignore_ascii_case(word);
    marks.transparent = value("TRANSP").eq_ignore_ascii_case("TRANSPARENT") || busy("FREE");
    marks.absence |= busy("OOF");
    marks.working_location |= busy("WORKINGELSEWHERE");
    let modified = all.iter().find(|p| p.name == "LAST-MODIFIED").and_then(stamp);
    Revision {
        said_by: context.speaker.clone(),
        start: start.instant(zones),
        end: length.end(start, zones),
        all_day: matches!(start, When::Date(_)),
        status: match value("STATUS").to_ascii_uppercase().as_str() {
            "CANCELLED" | "CANCELED" => EventStatus::Cancelled,
            "TENTATIVE" => EventStatus::Tentative,
            _ => EventStatus::Confirmed,
        },
        gone: false,
        summary: safe_text(summary, limits::SUBJECT_BYTES),
        names: named(&[summary, value("LOCATION"), value("DESCRIPTION")], &people),
        organizer: people.organizer,
        attendees: people.attendees,
        humans: people.humans,
        sequence: value("SEQUENCE").parse().unwrap_or(0),
        last_modified: modified.map(|(stamp, _)| Timestamp::from_second(stamp.wall())),
        read_at: context.read_at,
        marks,
    }
}
