//! One event to its instances inside the window. Part of `read::calendar`.
//!
//! Invariant: an instance is known by where the series first put it, so that a moved or cancelled
//! one replaces itself and nothing else, whatever its SEQUENCE says.

use std::collections::{BTreeMap, HashSet};

use super::CalendarContext;
use super::event::{Event, place};
use super::recurrence::Wall;
use super::stamp::{Length, Stamp, When};
use super::zones::{Zones, civil, wall};
use crate::evidence::{Meeting, MeetingKey, Recurrence, Revision};
use crate::limits;
use crate::time::{DAY, Date, Timestamp};

/// What the first pass found about the changed instances of one series.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// `RECURRENCE-ID`s as written.
    pub ids: Vec<(Stamp, Option<String>)>,
    /// Those that hold for all later instances too.
    pub later: Vec<Event>,
    /// Start of the series, once it was met.
    pub master: Option<When>,
    /// How often it was met.
    pub versions: u32,
    /// `SEQUENCE` of the series, and which of its changed instances it has; where all of it was read.
    pub has: Option<(u32, HashSet<Timestamp>)>,
}

impl Changes {
    /// Is this instance of an older version, and the series of today has it no more? Some calendars
    /// keep what was changed before it was taken out.
    fn outdated(&self, event: &Event, original: Timestamp) -> bool {
        let outdated = |(sequence, has): &(u32, HashSet<Timestamp>)| {
            event.says.sequence < *sequence && !event.and_later && !has.contains(&original)
        };
        self.has.as_ref().is_some_and(outdated)
    }
}

/// Points and days at which a series has no instance of its own.
#[derive(Default)]
struct Except {
    points: HashSet<Timestamp>,
    /// All-day instances, and timed ones named by their date.
    days: HashSet<Date>,
    walls: HashSet<Wall>,
}

impl Except {
    fn add(&mut self, when: &When, start: &When, zones: &Zones<'_>) {
        match (when, start) {
            (When::Date(date), _) => {
                self.days.insert(*date);
            }
            (When::At(time, zone), When::Date(_)) => {
                // all-day instances named by a time: midnight as written, else the local day
                let midnight = time.hour() == 0 && time.minute() == 0;
                let date = if midnight { time.date() } else { zones.default.date(zone.instant(*time)) };
                self.days.insert(date);
            }
            (When::At(time, zone), When::At(..)) => {
                self.points.insert(zone.instant(*time));
            }
        }
    }

    fn holds(&self, when: &When, zones: &Zones<'_>) -> bool {
        if self.walls.contains(&when.wall()) {
            return true;
        }
        match when {
            When::Date(date) => self.days.contains(date),
            When::At(time, _) => self.days.contains(&time.date()) || self.points.contains(&when.instant(zones)),
        }
    }
}

/// Gives every instance of `event` that touches the window to `sink`. What could not be read of its
/// rules is returned.
pub fn expand(
    event: &Event,
    changes: Option<&mut Changes>,
    zones: &mut Zones<'_>,
    context: &CalendarContext<'_>,
    sink: &mut dyn FnMut(Meeting),
) -> Vec<String> {
    if let Some(instance) = &event.instance {
        let named = named_instance(instance, event, changes.as_deref(), zones);
        let key = recurrence(&named, zones);
        let original = instance.instant(zones);
        let inside = original >= context.from && original < context.until;
        let outdated = inside && changes.is_some_and(|c| c.outdated(event, named.instant(zones)));
        if !outdated && (inside || touches(&event.says, context)) {
            sink(meeting(event, key, event.says.clone()));
        }
        return Vec::new();
    }
    let Some(changes) = changes else { return expand_series(event, &[], &Except::default(), zones, context, sink).0 };
    changes.versions = changes.versions.saturating_add(1);
    if changes.versions > limits::SERIES_VERSIONS {
        return vec!["a series that is given too often; this one was left out".into()];
    }
    let mut changed = Except::default();
    for (stamp, tzid) in &changes.ids {
        let when = place(*stamp, tzid.as_deref(), &event.start, zones);
        changed.add(&when, &event.start, zones);
    }
    changes.master = Some(event.start.clone());
    let later = ranged(&changes.later, zones);
    let (problems, has) = expand_series(event, &later, &changed, zones, context, sink);
    changes.has = problems.is_empty().then_some((event.says.sequence, has));
    problems
}

/// The series itself, without its changed instances; which of those it has is returned as well.
fn expand_series(
    event: &Event,
    later: &[(Timestamp, &Event)],
    changed: &Except,
    zones: &mut Zones<'_>,
    context: &CalendarContext<'_>,
    sink: &mut dyn FnMut(Meeting),
) -> (Vec<String>, HashSet<Timestamp>) {
    let mut problems = Vec::new();
    let mut has = HashSet::new();
    let mut except = Except::default();
    if !event.recurs {
        if touches(&event.says, context) {
            sink(meeting(event, Recurrence::Main, event.says.clone()));
        }
        return (problems, has);
    }
    for when in &event.except {
        except.add(when, &event.start, zones);
    }
    let window = window(event, later, zones, context);
    for (rule, until) in &event.except_rules {
        match rule.dates(event.start.wall(), false, *until, window, &mut zones.budget) {
            Ok(dates) => except.walls.extend(dates.walls),
            Err(problem) => problems.push(problem),
        }
    }
    let mut given = 0;
    for (at, (when, length)) in instances(event, window, zones, &mut problems) {
        if except.holds(&when, zones) {
            continue;
        }
        if changed.holds(&when, zones) {
            has.insert(at);
            continue;
        }
        let says = instance(event, later, at, &when, length, zones);
        if touches(&says, context) && given < limits::INSTANCES {
            given += 1;
            sink(meeting(event, recurrence(&when, zones), says));
        }
    }
    (problems, has)
}

/// What `DTSTART`, `RRULE` and `RDATE` put into the window, by where it begins; a period brings its
/// own length.
fn instances(
    event: &Event,
    window: (Wall, Wall),
    zones: &mut Zones<'_>,
    problems: &mut Vec<String>,
) -> BTreeMap<Timestamp, (When, Option<Length>)> {
    let mut instances = BTreeMap::new();
    instances.insert(event.says.start, (event.start.clone(), None));
    // with several rules it cannot be said whose first one the start is
    let start_counts = event.rules.len() == 1;
    for (rule, until) in &event.rules {
        match rule.dates(event.start.wall(), start_counts, *until, window, &mut zones.budget) {
            Ok(dates) => {
                for wall in dates.walls {
                    let when = event.start.moved_to(wall);
                    instances.insert(when.instant(zones), (when, None));
                }
                if dates.capped {
                    problems.push("a rule with more instances than are read; later ones are left out".into());
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    for (when, length) in &event.dates {
        let when = like_start(when, &event.start, zones);
        instances.insert(when.instant(zones), (when, *length));
    }
    instances
}

/// The window on the clock of the series, wide enough for what began before it and for instances
/// that a later change moved.
fn window(
    event: &Event,
    later: &[(Timestamp, &Event)],
    zones: &Zones<'_>,
    context: &CalendarContext<'_>,
) -> (Wall, Wall) {
    let clock = |at: Timestamp| match &event.start {
        When::Date(_) => wall(zones.default.local(at)),
        When::At(_, zone) => wall(zone.local(at)),
    };
    let longest = later.iter().map(|(_, e)| e.length.seconds()).fold(event.length.seconds(), i64::max);
    let moved = later.iter().map(|(at, e)| e.says.start.since(*at).abs()).max().unwrap_or(0);
    let back = longest.saturating_add(moved).saturating_add(DAY).min(limits::LOOKBACK);
    (clock(context.from.minus(back)), clock(context.until.plus(moved.min(limits::LOOKBACK))))
}

/// Changes for all later instances, by the point from which they hold.
fn ranged<'e>(later: &'e [Event], zones: &Zones<'_>) -> Vec<(Timestamp, &'e Event)> {
    let mut all: Vec<(Timestamp, &Event)> =
        later.iter().filter_map(|e| Some((e.instance.as_ref()?.instant(zones), e))).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

/// What is said of the instance that was to begin at `at`.
fn instance(
    event: &Event,
    later: &[(Timestamp, &Event)],
    at: Timestamp,
    when: &When,
    length: Option<Length>,
    zones: &Zones<'_>,
) -> Revision {
    let index = later.partition_point(|(from, _)| *from <= at);
    let changed = index.checked_sub(1).and_then(|i| later.get(i)).map(|(_, e)| *e);
    let Some(change) = changed else {
        let length = length.unwrap_or(event.length);
        return Revision { start: at, end: length.end(when, zones), ..event.says.clone() };
    };
    // moved by as much on the clock as the changed one was
    let moved = match (&change.instance, &change.start, when) {
        (Some(When::At(from, from_zone)), When::At(_, zone), When::At(..)) => {
            let shift = change.start.wall() - wall(zone.local(from_zone.instant(*from)));
            When::At(civil(wall(zone.local(at)).saturating_add(shift)), zone.clone())
        }
        (Some(from), start, _) => start.moved_to(when.wall().saturating_add(start.wall() - from.wall())),
        (None, start, _) => start.clone(),
    };
    Revision { start: moved.instant(zones), end: change.length.end(&moved, zones), ..change.says.clone() }
}

/// A date for a timed series is that day at its time; a time for an all-day series is its day.
fn like_start(when: &When, start: &When, zones: &Zones<'_>) -> When {
    match (when, start) {
        (When::Date(date), When::At(time, zone)) => When::At(date.to_datetime(time.time()), zone.clone()),
        (When::At(time, zone), When::Date(_)) => {
            let midnight = time.hour() == 0 && time.minute() == 0;
            When::Date(if midnight { time.date() } else { zones.default.date(zone.instant(*time)) })
        }
        _ => when.clone(),
    }
}

/// The instance that `RECURRENCE-ID` names, in the form the series itself has.
fn named_instance(instance: &When, event: &Event, changes: Option<&Changes>, zones: &Zones<'_>) -> When {
    let master = changes.and_then(|c| c.master.as_ref());
    match (instance, master) {
        (_, Some(start)) => like_start(instance, start, zones),
        // a date names a timed instance: as far as is known, at the time it has now
        (When::Date(_), None) => like_start(instance, &event.start, zones),
        (When::At(..), None) => instance.clone(),
    }
}

fn recurrence(when: &When, zones: &Zones<'_>) -> Recurrence {
    match when {
        When::Date(date) => Recurrence::On(*date),
        When::At(..) => Recurrence::At(when.instant(zones)),
    }
}

fn touches(says: &Revision, context: &CalendarContext<'_>) -> bool {
    says.start < context.until && (says.end > context.from || says.start >= context.from)
}

fn meeting(event: &Event, recurrence: Recurrence, says: Revision) -> Meeting {
    Meeting { key: MeetingKey { uid: event.uid.clone(), recurrence }, revisions: vec![says] }
}
