//! Calendars: invented ones against their golden texts, and a corpus of odd ones where there is one.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs
)]

mod measure;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kithd::evidence::{Meeting, Speaker};
use kithd::read::calendar::{CalendarContext, CalendarReading, read_calendar};
use kithd::time::{Timestamp, Zone};

fn read(path: &Path, from: &str, until: &str) -> (CalendarReading, Vec<Meeting>) {
    read_between(path, Timestamp::parse(from).unwrap(), Timestamp::parse(until).unwrap())
}

fn read_between(path: &Path, from: Timestamp, until: Timestamp) -> (CalendarReading, Vec<Meeting>) {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let place = path.file_name().unwrap().to_string_lossy().into_owned();
    let context = CalendarContext {
        source: "corpus",
        place: &place,
        speaker: Speaker::Feed("corpus".into()),
        read_at: Timestamp::parse("2026-05-20T00:00:00Z").unwrap(),
        from,
        until,
        zone: &zone,
    };
    let mut meetings = Vec::new();
    let reader = BufReader::new(File::open(path).unwrap());
    let reading = read_calendar(reader, &context, &mut |m| meetings.push(m));
    (reading, meetings)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "ics"));
    all.sort();
    all
}

/// Where calendars of others are, if they are.
fn third_party() -> PathBuf {
    measure::folder().join("calendars")
}

/// One line an instance: key, time, and whatever is not the ordinary.
fn golden(reading: &CalendarReading, meetings: &[Meeting]) -> String {
    let mut out = String::new();
    for meeting in meetings {
        let says = &meeting.revisions[0];
        write!(out, "{} {}/{} {:?} {:?}", meeting.key, says.start, says.end, says.status, says.summary).unwrap();
        if says.all_day {
            out.push_str(" all-day");
        }
        if says.humans > 0 {
            write!(out, " humans={}", says.humans).unwrap();
        }
        for attendee in &says.attendees {
            let human = if attendee.human { "" } else { " (thing)" };
            write!(out, " [{} {:?}{human}]", attendee.who, attendee.partstat).unwrap();
        }
        for name in &says.names {
            write!(out, " names={name}").unwrap();
        }
        let marks = format!("{:?}", says.marks);
        let set: Vec<&str> = marks
            .trim_start_matches("MeetingMarks {")
            .trim_end_matches('}')
            .split(',')
            .filter_map(|m| m.trim().strip_suffix(": true"))
            .collect();
        if !set.is_empty() {
            write!(out, " {}", set.join(" ")).unwrap();
        }
        out.push('\n');
    }
    for complaint in &reading.complaints {
        writeln!(out, "! {}: {}", complaint.place, complaint.what).unwrap();
    }
    out
}

#[test]
fn invented_calendars_read_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/calendar");
    let all = files(&folder);
    assert!(all.len() >= 15, "the folder of examples is gone");
    for path in all {
        let (reading, meetings) = read(&path, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let found = golden(&reading, &meetings);
        let expected = path.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&expected).unwrap_or_default(), "{}", path.display());
    }
}

/// Calendars of others are not kept here, only what becomes of each: events, instances, complaints, and a digest of the
/// golden text, which lies under `target/tmp/calendars` after a run.
#[test]
fn calendars_of_others_become_what_they_became() {
    let all = files(&third_party());
    if all.is_empty() {
        return println!("skipped: no {}", third_party().display());
    }
    let shown = Path::new(env!("CARGO_TARGET_TMPDIR")).join("calendars");
    fs::create_dir_all(&shown).unwrap();
    let mut found = String::new();
    for path in all {
        let (reading, meetings) = read(&path, "1900-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
        let text = golden(&reading, &meetings);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        fs::write(shown.join(&name).with_extension("txt"), &text).unwrap();
        let digest = blake3::hash(text.as_bytes()).to_hex();
        let (instances, complaints) = (meetings.len(), reading.complaints.len());
        writeln!(found, "{name}: {} {instances} {complaints} {}", reading.events, &digest[..16]).unwrap();
    }
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/calendars_of_others.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &found).unwrap();
    }
    let expected = fs::read_to_string(&expected).unwrap_or_default();
    let name = |line: &str| line.split(':').next().unwrap().to_string();
    let (known, new): (Vec<&str>, Vec<&str>) =
        found.lines().partition(|line| expected.lines().any(|e| name(e) == name(line)));
    println!("{} files compared, not yet known: {new:?}", known.len());
    assert!(known.len() >= 200, "few are known: {}", known.len());
    let changed: Vec<&&str> = known.iter().filter(|line| !expected.lines().any(|e| e == **line)).collect();
    assert!(changed.is_empty(), "see {}: {changed:#?}", shown.display());
}

#[test]
fn odd_calendars_are_survived() {
    let Some(survival) = measure::odd_calendars(&measure::folder()) else {
        return println!("skipped: no {}", third_party().display());
    };
    println!("{} files, {} complaints", survival.files, survival.complaints);
    assert_eq!(survival.panics, Vec::<String>::new());
    assert_eq!(survival.undated, Vec::<String>::new());
}

/// `UID` and the second an instance begins.
type Instances = BTreeSet<(String, i64)>;

/// What python-recurring-ical-events says of recurring events, by file, with the window it looked at.
/// Files it cannot read are not there.
fn second_opinion(files: &[PathBuf]) -> BTreeMap<PathBuf, (Timestamp, Timestamp, Instances)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join("target/servers/python/bin/python"))
        .arg(root.join("tests/corpus/instances.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{e}: run tests/run, which installs python-recurring-ical-events"));
    let mut names = python.stdin.take().unwrap();
    let list: String = files.iter().map(|f| format!("{}\n", f.display())).collect();
    let writer = std::thread::spawn(move || names.write_all(list.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let mut all: BTreeMap<PathBuf, (Timestamp, Timestamp, Instances)> = BTreeMap::new();
    let mut file = PathBuf::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match *line.split('\t').collect::<Vec<_>>() {
            ["", uid, at] => {
                all.get_mut(&file).unwrap().2.insert((uid.to_string(), at.parse().unwrap()));
            }
            [_, "error", _] => {}
            [name, from, until] => {
                file = PathBuf::from(name);
                let second = |text: &str| Timestamp::from_second(text.parse().unwrap());
                all.insert(file.clone(), (second(from), second(until), Instances::new()));
            }
            _ => panic!("{line}"),
        }
    }
    all
}

/// Files and UIDs (`*`: all of the file) of the table of differences in docs/calendars.md.
fn explained() -> BTreeSet<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/calendars.md");
    let text = fs::read_to_string(path).unwrap();
    let cells = text.lines().filter_map(|l| l.strip_prefix("| `")?.split_once("` | `"));
    cells.filter_map(|(file, rest)| Some((file.to_string(), rest.split_once('`')?.0.to_string()))).collect()
}

#[test]
fn recurring_events_have_the_instances_a_second_implementation_gives_them() {
    let mut all = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/calendar"));
    all.extend(files(&third_party()));
    let opinions = second_opinion(&all);
    assert!(opinions.len() >= 8, "the second implementation reads nothing");
    let explained = explained();
    let mut used = BTreeSet::new();
    let (mut same, mut unexplained) = (0, Vec::new());
    for (path, (from, until, theirs)) in &opinions {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let uids: BTreeSet<&String> = theirs.iter().map(|(uid, _)| uid).collect();
        let (_, meetings) = read_between(path, *from, *until);
        let begins = |m: &Meeting| {
            let uid = if m.key.uid.starts_with("no-uid-") { String::new() } else { m.key.uid.clone() };
            (uid, m.revisions[0].start.second())
        };
        let inside = |(_, at): &(String, i64)| (from.second()..until.second()).contains(at);
        let recurs = |(uid, _): &(String, i64)| uids.contains(uid);
        let ours: Instances = meetings.iter().map(begins).filter(|i| inside(i) && recurs(i)).collect();
        let theirs: Instances = theirs.iter().filter(|i| inside(i)).cloned().collect();
        same += ours.intersection(&theirs).count();
        let odd: BTreeSet<&String> = ours.symmetric_difference(&theirs).map(|(uid, _)| uid).collect();
        for uid in odd {
            let is_explained = [uid, "*"].iter().any(|uid| {
                let known = (file.clone(), (*uid).to_string());
                used.insert(known.clone());
                explained.contains(&known)
            });
            if !is_explained {
                let of = |set: &Instances, other: &Instances| -> Vec<String> {
                    let only = set.difference(other).filter(|(u, _)| u == uid);
                    only.map(|(_, at)| Timestamp::from_second(*at).to_string()).take(4).collect()
                };
                let (ours, theirs) = (of(&ours, &theirs), of(&theirs, &ours));
                unexplained.push(format!("{file} {uid}\n    ours {ours:?}\n    theirs {theirs:?}"));
            }
        }
    }
    println!("{} files, {same} instances the same", opinions.len());
    assert!(unexplained.is_empty(), "explain these in docs/calendars.md:\n{}", unexplained.join("\n"));
    let there: BTreeSet<String> =
        opinions.keys().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let idle: Vec<_> = explained.difference(&used).filter(|(file, _)| there.contains(file)).collect();
    assert!(idle.is_empty(), "docs/calendars.md explains what is the same: {idle:?}");
}
