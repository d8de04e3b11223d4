//! Calendars that are files: one `.ics`, or a folder of them as vdirsyncer keeps it. Part of `source`.
//!
//! Invariant: only a whole reading that is no suspiciously small part of the last one says what is
//! gone; whatever else was read is taken.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::files::{self, Files, State};
use super::{Batches, Occasion, Send, Stopped};
use crate::evidence::{Cursor, Folder, Level, Observation, Role, Speaker};
use crate::limits;
use crate::read::calendar::{CalendarContext, CalendarReading, read_calendar};
use crate::time::{Date, Span, days_between};

/// A `[[calendar]]` of type `ics`.
#[derive(Clone, PartialEq, Debug)]
pub struct Params {
    /// Name of the calendar.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// How far back meetings are taken.
    pub history: Span,
}

/// Where a feed lies.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// A file, or a folder of `.ics` files; `~` already resolved.
    Path(PathBuf),
}

type Sink<'a> = &'a mut dyn FnMut(Observation);
type Reader = dyn Fn(std::fs::File, &CalendarContext<'_>, Sink<'_>) -> CalendarReading;

/// Reads the feed if it changed or a day has passed. `Err` when nobody listens any more.
pub fn read(
    params: &Params,
    cursors: Vec<Cursor>,
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
) -> Result<(), Stopped> {
    read_with(params, &cursors, occasion, send, &|file, context, sink| {
        read_calendar(&mut BufReader::new(file), context, &mut |meeting| sink(Observation::Meeting(meeting)))
    })
}

fn read_with(
    params: &Params,
    cursors: &[Cursor],
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
    reader: &Reader,
) -> Result<(), Stopped> {
    let Place::Path(path) = &params.place;
    let mut batches = Batches::new(&params.name, send);
    let salt = format!("{} {} {}", crate::read::READER, params.history, occasion.zone.name());
    let look = || files::look(path, &["ics", "ical", "icalendar"], &salt, occasion.now);
    let files = match look() {
        Ok(files) => files,
        Err(error) => {
            let what = format!(
                "the calendar `{}` at {} cannot be read ({}): check [[calendar]] path, or whether it is mounted",
                params.name,
                path.display(),
                files::reason(&error)
            );
            return batches.failed(Level::Wait, what);
        }
    };
    let last = State::load(cursors).unwrap_or_default();
    let day = days_between(Date::constant(1970, 1, 1), occasion.zone.date(occasion.now));
    if last.digest == Some(files.digest) && last.day == day && last.doubted_since.is_none() {
        let folders = vec![folder(params, path, last.items)];
        return batches.through(occasion.now, folders, false);
    }
    let mut reading = read_files(params, &files, occasion, &mut batches, reader)?;
    // files that change while they are read are read again before anything is said to be gone
    let steady = look().is_ok_and(|again| again.digest == files.digest);
    reading.whole &= steady;
    reading.retry |= !steady;
    let until = occasion.now.plus(limits::CALENDAR_AHEAD);
    let next = State { digest: files.settled.then_some(files.digest), day, ..State::default() };
    let folders = vec![folder(params, path, reading.items)];
    reading.end("calendar", &last, next, (occasion.now, until), &mut batches, folders)
}

fn folder(params: &Params, path: &Path, read: u64) -> Folder {
    let name = path.file_name().map_or(params.name.clone(), |n| n.to_string_lossy().into_owned());
    Folder { name, read, role: Role::Calendar }
}

fn read_files(
    params: &Params,
    files: &Files,
    occasion: &Occasion<'_>,
    batches: &mut Batches<'_, '_>,
    reader: &Reader,
) -> Result<files::Reading, Stopped> {
    let mut reading = files::Reading::new(&params.name, files, occasion.now, batches);
    for path in &files.paths {
        let place = path.display().to_string();
        let file = match files::open_whole(path, "VCALENDAR") {
            Ok(file) => file,
            Err(trouble) => {
                reading.could_not(&params.name, &place, trouble, occasion.now, batches);
                continue;
            }
        };
        let context = CalendarContext {
            source: &params.name,
            place: &place,
            speaker: Speaker::Feed(params.name.clone()),
            read_at: occasion.now,
            from: params.history.before(occasion.now, occasion.zone),
            until: occasion.now.plus(limits::CALENDAR_AHEAD),
            zone: occasion.zone,
        };
        let mut outcome = Ok(());
        let found = reader(file, &context, &mut |observation| {
            if outcome.is_ok() {
                outcome = batches.observe(observation);
            }
        });
        outcome?;
        reading.good += 1;
        reading.items += found.events;
        batches.batch.read += found.events;
        found.complaints.into_iter().for_each(|c| batches.complain(c));
    }
    Ok(reading)
}
