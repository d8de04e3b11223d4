//! Calendars (RFC 5545) to meetings. Part of `read`; with `cards` the only owner of icalendar,
//! calcard, rrule and chrono.
//!
//! Invariant: a feed is read in two passes, component by component, in memory that does not grow
//! with its events; one bad event is a complaint and stops nothing.

mod components;
mod event;
mod itip;
mod people;
mod recurrence;
mod series;
mod stamp;
mod words;
mod zones;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, Seek, SeekFrom};

use crate::evidence::{Complaint, EventUid, Meeting, Speaker};
use crate::limits;
use crate::time::{Timestamp, Zone};
use components::{Component, Piece, Splitter, properties};
use event::Event;
use series::Changes;
use zones::Zones;

pub use itip::read_invitation;
pub use people::is_thing;

/// Where a calendar was found and what is wanted of it.
#[derive(Clone, Debug)]
pub struct CalendarContext<'a> {
    /// Calendar of the config, or the path given to `read`.
    pub source: &'a str,
    /// File or URL, for complaints.
    pub place: &'a str,
    /// Who says what is read.
    pub speaker: Speaker,
    /// Now; goes into every revision and complaint.
    pub read_at: Timestamp,
    /// Instances that end after this point ...
    pub from: Timestamp,
    /// ... and begin before this one are read.
    pub until: Timestamp,
    /// The user's zone: floating times and all-day dates are taken in it.
    pub zone: &'a Zone,
}

/// What came of reading a calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarReading {
    /// `VEVENT`s met, readable or not.
    pub events: u64,
    /// Meetings handed out.
    pub instances: u64,
    /// It began and ended as a calendar does: what is missing from it is really gone.
    pub complete: bool,
    /// `METHOD`, upper-case, where there is one.
    pub method: Option<String>,
    /// What could not be read, at most [`limits::COMPLAINTS`] and one that counts the rest.
    pub complaints: Vec<Complaint>,
}

/// Reads a whole feed or file. Meetings go to `sink` in the order of the file.
pub fn read_calendar<R: BufRead + Seek>(
    mut reader: R,
    context: &CalendarContext<'_>,
    sink: &mut dyn FnMut(Meeting),
) -> CalendarReading {
    let mut reading = CalendarReading::default();
    let mut complaints = Complaints { context, list: Vec::new(), more: 0 };
    let mut zones = Zones::new(context.zone);
    let mut counted = 0;
    let result = first_pass(&mut reader, context, &mut zones, &mut complaints, &mut reading).and_then(|first| {
        let FirstPass { mut changes, sequences } = first;
        reader.seek(SeekFrom::Start(0))?;
        let mut splitter = Splitter::new(&mut reader);
        let mut count = |meeting: Meeting| {
            counted += 1;
            sink(meeting);
        };
        let (mut older, mut older_bytes) = (Vec::new(), 0_usize);
        while let Some(piece) = splitter.next_piece()? {
            let Piece::Component(component) = piece else { continue };
            if component.name != "VEVENT" {
                continue;
            }
            reading.events += 1;
            let glance = Glance::of(&component);
            let is_older = sequences.get(&glance.uid).is_some_and(|newest| *newest > glance.sequence);
            match (is_older, glance.instance) {
                (true, false) => {}
                // whether its series still has it is known once that was read
                (true, true) if older_bytes < limits::OLDER_BYTES => {
                    older_bytes = older_bytes.saturating_add(component.bytes);
                    older.push(component);
                }
                _ => read_event(&component, &mut changes, &mut zones, &mut complaints, &mut count),
            }
        }
        for component in older {
            read_event(&component, &mut changes, &mut zones, &mut complaints, &mut count);
        }
        Ok(())
    });
    if let Err(error) = result {
        reading.complete = false;
        complaints.add("", &format!("reading failed: {error}"));
    }
    reading.instances = counted;
    reading.complaints = complaints.done();
    reading
}

/// What must be known before the first event is read.
#[derive(Default)]
struct FirstPass {
    /// Changed instances, by series.
    changes: HashMap<EventUid, Changes>,
    /// The newest SEQUENCE of each event that is not in its first version: some calendars hold the
    /// older ones too.
    sequences: HashMap<u64, u32>,
}

/// What is seen of an event without parsing it.
struct Glance {
    uid: u64,
    sequence: u32,
    instance: bool,
}

impl Glance {
    fn of(component: &Component) -> Glance {
        let mut glance = Glance { uid: 0, sequence: 0, instance: false };
        for line in component.text.lines() {
            if line.starts_with("UID") {
                let mut hasher = DefaultHasher::new();
                line.hash(&mut hasher);
                glance.uid = hasher.finish();
            } else if let Some(sequence) = line.strip_prefix("SEQUENCE:") {
                glance.sequence = sequence.trim().parse().unwrap_or(0);
            } else if line.starts_with("RECURRENCE-ID") {
                glance.instance = true;
            }
        }
        glance
    }
}

/// Zones, and which instances of which series are changed.
fn first_pass<R: BufRead>(
    reader: &mut R,
    context: &CalendarContext<'_>,
    zones: &mut Zones<'_>,
    complaints: &mut Complaints<'_>,
    reading: &mut CalendarReading,
) -> std::io::Result<FirstPass> {
    let mut splitter = Splitter::new(reader);
    let mut changed = Vec::new();
    let mut later = 0;
    let mut first = FirstPass::default();
    while let Some(piece) = splitter.next_piece()? {
        match piece {
            Piece::Method(method) => reading.method = Some(method.to_ascii_uppercase()),
            Piece::Component(component) if component.name == "VTIMEZONE" => zones.add(component),
            Piece::Component(component) => {
                let glance = Glance::of(&component);
                if !glance.instance {
                    if glance.sequence > 0 && glance.uid != 0 && first.sequences.len() < limits::SEQUENCES {
                        let newest = first.sequences.entry(glance.uid).or_default();
                        *newest = glance.sequence.max(*newest);
                    }
                    continue;
                }
                let (all, _) = properties(&component.text);
                let id = all.iter().find(|p| p.name == "RECURRENCE-ID");
                let (Some(uid), Some(id)) = (event::uid_of(&all), id) else { continue };
                let Some(stamp) = event::stamp(id) else { continue };
                if id.param("RANGE").is_some() && later < limits::RANGED {
                    later += 1;
                    changed.push((uid.clone(), all.clone()));
                }
                let ids = &mut first.changes.entry(uid).or_default().ids;
                if ids.len() < limits::INSTANCES {
                    ids.push(stamp);
                }
            }
        }
    }
    // only now are all zones known
    for (uid, all) in changed {
        if let Ok(event) = Event::read(&all, zones, context)
            && event.and_later
            && let Some(changes) = first.changes.get_mut(&uid)
        {
            changes.later.push(event);
        }
    }
    reading.complete = splitter.begun && !splitter.truncated;
    if splitter.is_empty() {
        complaints.add("", "the file is empty");
    } else if !splitter.begun {
        complaints.add("", "this is no calendar: it holds no BEGIN:VCALENDAR");
    } else if splitter.truncated {
        complaints.add("", "the calendar ends in the middle; what came before is read");
    }
    if splitter.too_deep {
        complaints.add("", "components are nested too deep; the inner ones are left out");
    }
    Ok(first)
}

fn read_event(
    component: &Component,
    changes: &mut HashMap<EventUid, Changes>,
    zones: &mut Zones<'_>,
    complaints: &mut Complaints<'_>,
    sink: &mut dyn FnMut(Meeting),
) {
    let line = format!("line {}", component.line);
    let (all, refused) = properties(&component.text);
    let context = complaints.context;
    let place = event::uid_of(&all).unwrap_or(line);
    match Event::read(&all, zones, context) {
        Ok(event) => {
            let problems = series::expand(&event, changes.get_mut(&event.uid), zones, context, sink);
            for problem in event.problems.iter().chain(&problems) {
                complaints.add(&place, problem);
            }
        }
        Err(problem) => complaints.add(&place, &problem),
    }
    if refused > 0 {
        complaints.add(&place, "a line that cannot be read; it was left out");
    }
    if component.cut {
        complaints.add(&place, "an event that is too large; part of it was left out");
    }
    for tzid in zones.unknown.drain(..) {
        complaints.add(&place, &format!("unknown time zone {tzid:?}: taken in your own"));
    }
}

/// Complaints of one reading, bounded.
struct Complaints<'a> {
    context: &'a CalendarContext<'a>,
    list: Vec<Complaint>,
    more: u64,
}

impl Complaints<'_> {
    fn add(&mut self, inside: &str, what: &str) {
        if self.list.len() >= limits::COMPLAINTS {
            self.more += 1;
            return;
        }
        let context = self.context;
        let place = if inside.is_empty() { context.place.to_string() } else { format!("{}: {inside}", context.place) };
        self.list.push(Complaint::new(context.source, &place, what, context.read_at));
    }

    fn done(mut self) -> Vec<Complaint> {
        if self.more > 0 {
            let what = format!("and {} more like these", self.more);
            self.list.push(Complaint::new(self.context.source, self.context.place, &what, self.context.read_at));
        }
        self.list
    }
}

#[cfg(test)]
mod tests;
