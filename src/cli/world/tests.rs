#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use super::*;
use crate::evidence::{Role, Speaker};
use crate::read::calendar::{CalendarContext, read_calendar};
use crate::read::mail::{MailContext, read_message};
use crate::time::Zone;

/// A Sunday evening in Berlin.
const SUNDAY: &str = "2026-05-10T19:00:00Z";

fn world(now: &str) -> (tempfile::TempDir, World) {
    let dir = tempfile::tempdir().unwrap();
    let world = write_world(dir.path(), Timestamp::parse(now).unwrap()).unwrap();
    (dir, world)
}

/// Every file below `dir`, by its path there.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(dir).unwrap().to_path_buf(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn mails(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = files(&world.dir.join("mail"));
    all.retain(|path, _| path.to_string_lossy().contains("cur"));
    all
}

#[test]
fn the_demo_runs_at_ten_of_a_working_day() {
    let cases = [
        (SUNDAY, "2026-05-08T08:00:00Z"),
        ("2026-05-11T07:59:59Z", "2026-05-08T08:00:00Z"),
        ("2026-05-11T08:00:00Z", "2026-05-11T08:00:00Z"),
        ("2026-01-07T23:30:00Z", "2026-01-07T09:00:00Z"),
    ];
    for (now, at) in cases {
        assert_eq!(Days::ending(Timestamp::parse(now).unwrap()).at, Timestamp::parse(at).unwrap(), "{now}");
    }
}

#[test]
fn the_same_year_has_the_same_bytes() {
    let (_a, first) = world(SUNDAY);
    let (_b, again) = world("2026-05-09T11:00:00Z");
    assert_eq!(files(&first.dir.join("mail")), files(&again.dir.join("mail")));
    for name in ["calendar.ics", "people.vcf"] {
        assert_eq!(fs::read(first.dir.join(name)).unwrap(), fs::read(again.dir.join(name)).unwrap());
    }
}

#[test]
fn every_mail_is_read_and_answers_an_earlier_one() {
    for now in [SUNDAY, "2024-03-01T12:00:00Z", "2026-11-24T12:00:00Z"] {
        let (_dir, world) = world(now);
        let zone = Zone::named(ZONE).unwrap();
        let all = mails(&world);
        assert_eq!(all.len(), world.messages);
        assert!((600..=900).contains(&all.len()), "{}", all.len());
        let mut times = BTreeMap::new();
        let mut answers = Vec::new();
        for (path, bytes) in &all {
            let role = if path.to_string_lossy().contains(".Sent") { Role::Sent } else { Role::Inbox };
            let context = MailContext {
                source: "mail",
                place: "",
                role,
                arrived_at: world.at,
                now: world.at,
                text_since: Timestamp::MIN,
                zone: &zone,
            };
            let read = read_message(bytes, &context).unwrap();
            assert!(read.complaints.is_empty(), "{:?}", read.complaints);
            assert!(read.mail.at <= world.at, "{path:?} is of the future");
            assert!(path.to_string_lossy().contains(&format!("{}.", read.mail.at.second())), "{path:?}");
            let id = read.mail.message_id.clone().unwrap();
            answers.extend(read.mail.ancestors().map(|a| (a.clone(), read.mail.at)));
            assert!(times.insert(id, read.mail.at).is_none(), "{path:?}: a Message-ID twice");
        }
        assert!(answers.len() > 200);
        for (parent, at) in answers {
            assert!(times[&parent] <= at, "{parent} is answered before it was written");
        }
    }
}

#[test]
fn the_calendar_is_folded_and_read() {
    let (_dir, world) = world(SUNDAY);
    let bytes = fs::read(world.dir.join("calendar.ics")).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.split("\r\n").all(|line| line.len() <= calendar::LINE && !line.contains('\n')));
    let zone = Zone::named(ZONE).unwrap();
    let context = CalendarContext {
        source: "calendar",
        place: "",
        speaker: Speaker::Feed("calendar".to_string()),
        read_at: world.at,
        from: world.at.minus(400 * crate::time::DAY),
        until: world.at.plus(30 * crate::time::DAY),
        zone: &zone,
    };
    let mut uids = BTreeSet::new();
    let reading = read_calendar(Cursor::new(bytes), &context, &mut |meeting| {
        uids.insert(meeting.key.uid.to_string());
    });
    assert!(reading.complete && reading.complaints.is_empty(), "{:?}", reading.complaints);
    assert!(uids.len() > 20 && reading.instances > 100, "{} {}", uids.len(), reading.instances);
}

#[test]
fn a_folder_with_mail_in_it_is_left_alone() {
    let (_dir, world) = world(SUNDAY);
    assert!(write_world(&world.dir, world.at).is_err());
}
