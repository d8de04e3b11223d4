//! Calendars of type `ics`: one file, a folder of them as vdirsyncer keeps it, or a feed. Part of `source`.
//!
//! Invariant: only a whole reading that is no suspiciously small part of the last one says what is
//! gone; whatever else was read is taken.

mod web;

use std::path::PathBuf;

use super::events::{CalendarReader, calendar_reader, observe_calendar};
use super::files::{self, Held};
use super::{Batches, Occasion, READER_FAILED, Send, Stopped};
use crate::engine::reply::Finding;
use crate::evidence::{Cursor, Role, Speaker};
use crate::limits;
use crate::net::Web;
use crate::net::token::Credentials;
use crate::read::calendar::CalendarContext;
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
    /// A feed, and who we are there if it asks.
    Url(Web, Option<Credentials>),
}

/// Reads the feed if it changed or a day has passed. `Err` when nobody listens any more. Inside a
/// runtime; blocks.
pub fn read(
    params: &Params,
    cursors: Vec<Cursor>,
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
) -> Result<(), Stopped> {
    read_with(params, &cursors, occasion, send, &calendar_reader)
}

/// What there is to say of a feed, without keeping any of it. Inside a runtime; blocks.
pub fn check(params: &Params, occasion: &Occasion<'_>) -> Vec<Finding> {
    match &params.place {
        Place::Path(_) => Vec::new(),
        Place::Url(web, credentials) => web::check(params, web, credentials.as_ref(), occasion),
    }
}

fn read_with(
    params: &Params,
    cursors: &[Cursor],
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
    reader: &CalendarReader,
) -> Result<(), Stopped> {
    let batches = Batches::new(&params.name, send);
    let path = match &params.place {
        Place::Path(path) => path,
        Place::Url(web, credentials) => {
            return web::read(params, web, credentials.as_ref(), cursors, occasion, batches, reader);
        }
    };
    let place = files::Place {
        kind: "calendar",
        table: "calendar",
        endings: &["ics", "ical", "icalendar"],
        role: Role::Calendar,
        path,
        salt: salt(params, occasion),
        day: day(occasion),
        until: occasion.now.plus(limits::CALENDAR_AHEAD),
    };
    files::read(&place, cursors, occasion, batches, &mut |path, shown, batches| {
        let mut file = match files::open_whole(path, "VCALENDAR") {
            Ok(file) => file,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let context = context(params, shown, occasion);
        let found = observe_calendar(&mut file, &context, reader, batches, &mut |_| {})?;
        let Some(found) = found else { return Ok(Err((READER_FAILED.to_string(), false))) };
        Ok(Ok(Held { items: found.events, whole: found.complete }))
    })
}

/// Whatever else makes a new reading necessary.
fn salt(params: &Params, occasion: &Occasion<'_>) -> String {
    format!("{} {} {}", crate::read::READER, params.history, occasion.zone.name())
}

/// The window of instances moves with the day.
fn day(occasion: &Occasion<'_>) -> i64 {
    days_between(Date::constant(1970, 1, 1), occasion.zone.date(occasion.now))
}

fn context<'a>(params: &'a Params, place: &'a str, occasion: &'a Occasion<'_>) -> CalendarContext<'a> {
    CalendarContext {
        source: &params.name,
        place,
        speaker: Speaker::Feed(params.name.clone()),
        read_at: occasion.now,
        from: params.history.before(occasion.now, occasion.zone),
        until: occasion.now.plus(limits::CALENDAR_AHEAD),
        zone: occasion.zone,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::fs;

    use super::*;
    use crate::evidence::{
        Batch, EventStatus, FullReading, Level, Meeting, MeetingKey, MeetingMarks, Observation, Recurrence, Revision,
    };
    use crate::read::calendar::CalendarReading;
    use crate::source::Report;
    use crate::source::events::Bytes;
    use crate::time::{DAY, Timestamp, Zone};

    const NOW: i64 = 1_780_000_000;

    /// A reader that knows `UID` and `BAD`.
    fn fake(file: &mut dyn Bytes, context: &CalendarContext<'_>, sink: &mut dyn FnMut(Meeting)) -> CalendarReading {
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let mut reading = CalendarReading { complete: true, ..CalendarReading::default() };
        for uid in text.lines().filter_map(|l| l.strip_prefix("UID:")) {
            reading.events += 1;
            let revision = Revision {
                said_by: context.speaker.clone(),
                start: context.read_at,
                end: context.read_at,
                all_day: false,
                status: EventStatus::Confirmed,
                gone: false,
                summary: String::new(),
                organizer: None,
                attendees: Vec::new(),
                humans: 0,
                names: Vec::new(),
                sequence: 0,
                last_modified: None,
                read_at: context.read_at,
                marks: MeetingMarks::default(),
            };
            let key = MeetingKey { uid: uid.to_string(), recurrence: Recurrence::Main };
            sink(Meeting { key, revisions: vec![revision] });
        }
        reading
    }

    struct World {
        dir: tempfile::TempDir,
        params: Params,
        cursors: Vec<Cursor>,
        now: i64,
    }

    struct Seen {
        uids: Vec<String>,
        fulls: Vec<FullReading>,
        batches: Vec<Batch>,
        complaints: usize,
        end: Report,
    }

    impl World {
        fn new(path: &str) -> World {
            let dir = tempfile::tempdir().unwrap();
            let place = Place::Path(dir.path().join(path));
            let params = Params { name: "team".into(), place, history: Span { months: 24, seconds: 0 } };
            World { dir, params, cursors: Vec::new(), now: NOW }
        }

        /// Writes a calendar of these events, `age` seconds before the reading.
        fn write(&self, name: &str, uids: std::ops::Range<u32>, age: i64) {
            let events: String = uids.map(|n| format!("BEGIN:VEVENT\nUID:{n}\nEND:VEVENT\n")).collect();
            self.raw(name, &format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n"), age);
        }

        fn raw(&self, name: &str, text: &str, age: i64) {
            let path = self.dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let time = std::time::Duration::from_secs(u64::try_from(self.now - age).unwrap());
            fs::File::open(path).unwrap().set_modified(std::time::UNIX_EPOCH + time).unwrap();
        }

        fn read(&mut self) -> Seen {
            let zone = Zone::utc();
            let now = Timestamp::from_second(self.now);
            let occasion = Occasion { now, zone: &zone, text_since: now };
            let mut batches = Vec::new();
            let mut end = None;
            let mut send = |report: Report| {
                assert!(end.is_none());
                match report {
                    Report::Batch(batch) => batches.push(batch),
                    report => end = Some(report),
                }
                Ok(())
            };
            read_with(&self.params, &self.cursors, &occasion, &mut send, &fake).unwrap();
            for batch in &batches {
                assert!(batch.observations.len() <= limits::BATCH);
                if !batch.cursors.is_empty() {
                    self.cursors.clone_from(&batch.cursors);
                }
            }
            let uids = batches.iter().flat_map(|b| &b.observations).map(|o| match o {
                Observation::Meeting(m) => m.key.uid.clone(),
                other => panic!("{other:?}"),
            });
            Seen {
                uids: uids.collect(),
                fulls: batches.iter().filter_map(|b| b.full.clone()).collect(),
                complaints: batches.iter().map(|b| b.complaints.len()).sum(),
                batches,
                end: end.unwrap(),
            }
        }
    }

    impl Seen {
        /// Number of events handed on, whether it was a full reading, and why it failed.
        fn sum(&self) -> (usize, bool, Option<String>) {
            let failure = match &self.end {
                Report::Failed { level: Level::Wait, what } => Some(what.clone()),
                Report::Through { .. } => None,
                other => panic!("{other:?}"),
            };
            (self.uids.len(), !self.fulls.is_empty(), failure)
        }
    }

    #[test]
    fn a_feed_is_read_when_it_changed_or_a_day_has_passed() {
        let mut world = World::new("team.ics");
        world.write("team.ics", 0..1_200, 100);
        let seen = world.read();
        assert_eq!(seen.sum(), (1_200, true, None));
        let now = Timestamp::from_second(NOW);
        let until = now.plus(limits::CALENDAR_AHEAD);
        let [full] = seen.fulls.as_slice() else { panic!() };
        assert_eq!((full.began_at, full.until, full.seen.len()), (now, until, 1_200));
        assert!(full.seen.is_sorted());
        assert!(seen.batches.last().unwrap().full.is_some(), "only the last batch is the end of a full reading");
        assert!(matches!(seen.end, Report::Through { until, .. } if until == now));
        assert_eq!(world.read().batches.len(), 0);
        world.write("team.ics", 0..1_201, 50);
        assert_eq!(world.read().sum(), (1_201, true, None));
        world.now += DAY;
        assert_eq!(world.read().sum(), (1_201, true, None));
        assert_eq!(world.read().sum(), (0, false, None));
        // changed within the second of the reading: not believed to stay
        world.write("team.ics", 0..1_202, 0);
        assert_eq!(world.read().sum(), (1_202, true, None));
        assert_eq!(world.read().sum(), (1_202, true, None));
    }

    #[test]
    fn a_folder_of_events_is_one_calendar() {
        let mut world = World::new("cal");
        world.write("cal/work/a.ics", 0..1, 100);
        world.write("cal/home/b.ICS", 1..2, 100);
        world.write("cal/home/.c.ics", 2..3, 100);
        world.write("cal/notes.txt", 3..4, 100);
        assert_eq!(world.read().sum(), (2, true, None));
        assert_eq!(world.read().sum(), (0, false, None));
        fs::remove_file(world.dir.path().join("cal/work/a.ics")).unwrap();
        let seen = world.read();
        assert_eq!((seen.uids.as_slice(), seen.fulls.len()), (["1".to_string()].as_slice(), 1));
    }

    #[test]
    fn a_feed_that_turns_empty_cancels_nothing() {
        for (before, after, doubted) in [(40, 0, true), (40, 11, true), (40, 13, false), (6, 1, false), (1, 0, true)] {
            let mut world = World::new("team.ics");
            world.write("team.ics", 0..before, 100);
            world.read();
            world.write("team.ics", 0..after, 50);
            let seen = world.read();
            assert_eq!(seen.fulls.is_empty(), doubted, "{before} {after}");
            assert_eq!(seen.uids.len(), usize::try_from(after).unwrap());
            if doubted {
                assert!(seen.sum().2.unwrap().contains(&format!("held {before} items and now holds {after}")));
                world.now += 3 * DAY;
                assert!(world.read().fulls.is_empty());
                // it comes back
                world.write("team.ics", 0..before, 50);
                assert_eq!(world.read().sum(), (usize::try_from(before).unwrap(), true, None));
                // or stays away for good
                world.write("team.ics", 0..after, 50);
                assert!(world.read().fulls.is_empty());
                world.now += 15 * DAY;
                assert_eq!(world.read().fulls.len(), 1);
            }
        }
    }

    #[test]
    fn what_is_no_calendar_cancels_nothing() {
        for (text, word) in [
            ("<!DOCTYPE html><p>login</p>", "web page"),
            ("", "empty"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n", "in the middle"),
            ("hello", "begin"),
        ] {
            let mut world = World::new("team.ics");
            world.write("team.ics", 0..3, 100);
            world.read();
            let cursors = world.cursors.clone();
            world.raw("team.ics", text, 50);
            let (read, full, failure) = world.read().sum();
            assert_eq!((read, full), (0, false));
            assert!(failure.unwrap().contains(word), "{word}");
            assert_eq!(world.cursors, cursors);
        }
        // one bad file among good ones is complained of, and the good ones are taken
        let mut world = World::new("cal");
        world.write("cal/a.ics", 0..1, 100);
        world.write("cal/b.ics", 1..2, 100);
        world.read();
        world.raw("cal/b.ics", "<html>", 50);
        let seen = world.read();
        assert_eq!((seen.sum(), seen.complaints), ((1, false, None), 1));
        // it stays as bad as it is until it changes; then all is whole again
        assert_eq!(world.read().sum(), (0, false, None));
        world.write("cal/b.ics", 1..2, 40);
        assert_eq!(world.read().sum(), (2, true, None));
    }

    #[test]
    fn a_feed_that_is_not_there_fails_in_words() {
        let mut world = World::new("team.ics");
        let (_, _, failure) = world.read().sum();
        assert!(failure.unwrap().contains("check [[calendar]] path"));
        // an empty folder is an empty calendar
        let mut world = World::new("cal");
        fs::create_dir(world.dir.path().join("cal")).unwrap();
        assert_eq!(world.read().sum(), (0, true, None));
        // a file that cannot be opened may be read another time
        let mut world = World::new("cal");
        world.write("cal/a.ics", 0..1, 100);
        fs::create_dir(world.dir.path().join("target.d")).unwrap();
        std::os::unix::fs::symlink(world.dir.path().join("target.d"), world.dir.path().join("cal/b.ics")).unwrap();
        assert_eq!(world.read().sum(), (1, false, None));
        assert_eq!(world.read().sum(), (1, false, None));
    }
}
