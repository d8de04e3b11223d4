//! Whole calendars, as they are met.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Cursor;

use super::*;
use crate::evidence::{EventStatus, Method, Recurrence};

pub fn context<'a>(zone: &'a Zone) -> CalendarContext<'a> {
    CalendarContext {
        source: "test",
        place: "test.ics",
        speaker: Speaker::Feed("test".into()),
        read_at: Timestamp::parse("2026-05-20T00:00:00Z").unwrap(),
        from: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
        until: Timestamp::parse("2027-01-01T00:00:00Z").unwrap(),
        zone,
    }
}

fn read(bytes: &[u8]) -> (CalendarReading, Vec<Meeting>) {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let mut meetings = Vec::new();
    let reading = read_calendar(Cursor::new(bytes), &context(&zone), &mut |m| meetings.push(m));
    (reading, meetings)
}

/// Events given by their lines, in one calendar.
fn calendar(events: &[&str]) -> String {
    let bodies: String = events.iter().map(|e| format!("BEGIN:VEVENT\n{}\nEND:VEVENT\n", e.trim())).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{bodies}END:VCALENDAR\n").replace('\n', "\r\n")
}

/// Each instance as `key start/end`, and the complaints.
fn shown(text: &str) -> (Vec<String>, Vec<String>) {
    let (reading, meetings) = read(text.as_bytes());
    let line = |m: &Meeting| {
        let r = &m.revisions[0];
        let cancelled = if r.status == EventStatus::Cancelled { " cancelled" } else { "" };
        let key = match m.key.recurrence {
            Recurrence::Main => "main".to_string(),
            Recurrence::At(at) => at.to_string(),
            Recurrence::On(date) => date.to_string(),
        };
        format!("{key} {}/{}{cancelled}", r.start, r.end)
    };
    (
        meetings.iter().map(line).collect(),
        reading.complaints.into_iter().map(|c| format!("{} {}", c.place, c.what)).collect(),
    )
}

fn check(events: &[&str], expected: &[&str]) {
    let (instances, complaints) = shown(&calendar(events));
    assert_eq!(instances, expected, "{events:?} {complaints:?}");
    assert_eq!(complaints, Vec::<String>::new(), "{events:?}");
}

const ONE: &str = "UID:1\nDTSTART:20260512T090000Z\nDTEND:20260512T100000Z\nSUMMARY:Team sync";

#[test]
fn plain_events() {
    check(&[ONE], &["main 2026-05-12T09:00:00Z/2026-05-12T10:00:00Z"]);
    // floating: in the user's zone; a length instead of an end
    check(&["UID:1\nDTSTART:20260512T090000\nDURATION:PT45M"], &["main 2026-05-12T07:00:00Z/2026-05-12T07:45:00Z"]);
    check(&["UID:1\nDTSTART;VALUE=DATE:20260512"], &["main 2026-05-11T22:00:00Z/2026-05-12T22:00:00Z"]);
    check(
        &["UID:1\nDTSTART;VALUE=DATE:20260512\nDTEND;VALUE=DATE:20260515"],
        &["main 2026-05-11T22:00:00Z/2026-05-14T22:00:00Z"],
    );
    // an end before the start is none
    check(
        &["UID:1\nDTSTART:20260512T090000Z\nDTEND:20260512T080000Z"],
        &["main 2026-05-12T09:00:00Z/2026-05-12T09:00:00Z"],
    );
    // begins before the window and reaches into it
    check(
        &["UID:1\nDTSTART:20251231T090000Z\nDTEND:20260102T080000Z"],
        &["main 2025-12-31T09:00:00Z/2026-01-02T08:00:00Z"],
    );
    check(&["UID:1\nDTSTART:20251231T090000Z\nDTEND:20251231T100000Z", "UID:2\nDTSTART:20270101T000000Z"], &[]);
    check(
        &["UID:1\nDTSTART;TZID=(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna:20260512T090000"],
        &["main 2026-05-12T07:00:00Z/2026-05-12T07:00:00Z"],
    );
}

#[test]
fn summer_time() {
    let berlin = "DTSTART;TZID=Europe/Berlin";
    // 02:30 does not exist on 29 March and comes twice on 25 October
    check(&[&format!("UID:1\n{berlin}:20260329T023000")], &["main 2026-03-29T01:30:00Z/2026-03-29T01:30:00Z"]);
    check(&[&format!("UID:1\n{berlin}:20261025T023000")], &["main 2026-10-25T00:30:00Z/2026-10-25T00:30:00Z"]);
    check(
        &[&format!("UID:1\n{berlin}:20260328T090000\nRRULE:FREQ=DAILY;COUNT=3")],
        &[
            "2026-03-28T08:00:00Z 2026-03-28T08:00:00Z/2026-03-28T08:00:00Z",
            "2026-03-29T07:00:00Z 2026-03-29T07:00:00Z/2026-03-29T07:00:00Z",
            "2026-03-30T07:00:00Z 2026-03-30T07:00:00Z/2026-03-30T07:00:00Z",
        ],
    );
    check(
        &[&format!("UID:1\n{berlin}:20260328T023000\nRRULE:FREQ=DAILY;COUNT=2")],
        &[
            "2026-03-28T01:30:00Z 2026-03-28T01:30:00Z/2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z 2026-03-29T01:30:00Z/2026-03-29T01:30:00Z",
        ],
    );
    // UNTIL in UTC is the last instance itself
    check(
        &[&format!("UID:1\n{berlin}:20260511T090000\nRRULE:FREQ=DAILY;UNTIL=20260512T070000Z")],
        &[
            "2026-05-11T07:00:00Z 2026-05-11T07:00:00Z/2026-05-11T07:00:00Z",
            "2026-05-12T07:00:00Z 2026-05-12T07:00:00Z/2026-05-12T07:00:00Z",
        ],
    );
    check(
        &[&format!("UID:1\n{berlin}:20260511T090000\nRRULE:FREQ=DAILY;UNTIL=20260511")],
        &["2026-05-11T07:00:00Z 2026-05-11T07:00:00Z/2026-05-11T07:00:00Z"],
    );
}

const DAILY: &str = "UID:1\nDTSTART;TZID=Europe/Berlin:20260511T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4";

fn daily(lines: &[&str]) -> String {
    format!("{DAILY}\n{}", lines.join("\n"))
}

#[test]
fn dates_added_and_taken_away() {
    let day = |d: u32| format!("2026-05-{d}T07:00:00Z 2026-05-{d}T07:00:00Z/2026-05-{d}T08:00:00Z");
    let rest = [day(11), day(13), day(14)];
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    for exdate in [
        "EXDATE;TZID=Europe/Berlin:20260512T090000",
        "EXDATE:20260512T070000Z",
        "EXDATE:20260512T090000",
        "EXDATE;VALUE=DATE:20260512",
        "EXDATE;TZID=America/New_York:20260512T030000",
        "EXDATE;TZID=W. Europe Standard Time:20200101T000000,20260512T090000",
        "EXRULE:FREQ=WEEKLY;BYDAY=TU",
    ] {
        check(&[&daily(&[exdate])], &rest);
    }
    check(
        &[&daily(&[
            "EXDATE;VALUE=DATE:20260512,20260513,20260514",
            "RDATE;VALUE=PERIOD:20260601T070000Z/PT3H,20260602T070000Z/20260602T080000Z",
        ])],
        &[
            &day(11),
            "2026-06-01T07:00:00Z 2026-06-01T07:00:00Z/2026-06-01T10:00:00Z",
            "2026-06-02T07:00:00Z 2026-06-02T07:00:00Z/2026-06-02T08:00:00Z",
        ],
    );
    check(
        &[
            "UID:1\nDTSTART;VALUE=DATE:20260512\nRDATE;VALUE=DATE:20260514\nRDATE;VALUE=DATE:20260516\nEXDATE;VALUE=DATE:20260516",
        ],
        &[
            "2026-05-12 2026-05-11T22:00:00Z/2026-05-12T22:00:00Z",
            "2026-05-14 2026-05-13T22:00:00Z/2026-05-14T22:00:00Z",
        ],
    );
}

#[test]
fn moved_and_cancelled_instances() {
    let day = |d: u32| format!("2026-05-{d}T07:00:00Z 2026-05-{d}T07:00:00Z/2026-05-{d}T08:00:00Z");
    let moved = "UID:1\nSEQUENCE:7\nRECURRENCE-ID:20260512T070000Z\nDTSTART:20260512T150000Z\nDTEND:20260512T160000Z";
    let at = "2026-05-12T07:00:00Z 2026-05-12T15:00:00Z/2026-05-12T16:00:00Z";
    check(&[DAILY, moved], &[&day(11), &day(13), &day(14), at]);
    check(&[moved, DAILY], &[at, &day(11), &day(13), &day(14)]);
    check(&[moved], &[at]);
    // named by its date, and by floating time
    check(
        &[DAILY, &moved.replace("RECURRENCE-ID:20260512T070000Z", "RECURRENCE-ID;VALUE=DATE:20260512")],
        &[&day(11), &day(13), &day(14), at],
    );
    let cancelled = "UID:1\nSTATUS:CANCELLED\nRECURRENCE-ID;TZID=Europe/Berlin:20260512T090000\nDTSTART;TZID=Europe/Berlin:20260512T090000\nDURATION:PT1H";
    check(&[DAILY, cancelled], &[&day(11), &day(13), &day(14), &format!("{} cancelled", day(12))]);
    // moved out of the window it still says where it went
    let far = "UID:1\nRECURRENCE-ID:20260512T070000Z\nDTSTART:20280512T150000Z";
    check(
        &[DAILY, far],
        &[&day(11), &day(13), &day(14), "2026-05-12T07:00:00Z 2028-05-12T15:00:00Z/2028-05-12T15:00:00Z"],
    );
    check(
        &[
            "UID:1\nDTSTART;VALUE=DATE:20260511\nRRULE:FREQ=DAILY;COUNT=2",
            "UID:1\nRECURRENCE-ID;VALUE=DATE:20260512\nDTSTART;VALUE=DATE:20260520",
        ],
        &[
            "2026-05-11 2026-05-10T22:00:00Z/2026-05-11T22:00:00Z",
            "2026-05-12 2026-05-19T22:00:00Z/2026-05-20T22:00:00Z",
        ],
    );
}

#[test]
fn this_and_all_later_instances() {
    let change = "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260512T070000Z\nDTSTART;TZID=Europe/Berlin:20260512T110000\nDURATION:PT2H";
    check(
        &[DAILY, change],
        &[
            "2026-05-11T07:00:00Z 2026-05-11T07:00:00Z/2026-05-11T08:00:00Z",
            "2026-05-13T07:00:00Z 2026-05-13T09:00:00Z/2026-05-13T11:00:00Z",
            "2026-05-14T07:00:00Z 2026-05-14T09:00:00Z/2026-05-14T11:00:00Z",
            "2026-05-12T07:00:00Z 2026-05-12T09:00:00Z/2026-05-12T11:00:00Z",
        ],
    );
}

#[test]
fn only_the_newest_version_of_a_series_counts() {
    let shorter = DAILY.replace("COUNT=4", "COUNT=1\nSEQUENCE:2");
    let only = ["2026-05-11T07:00:00Z 2026-05-11T07:00:00Z/2026-05-11T08:00:00Z"];
    check(&[DAILY, &shorter], &only);
    check(&[&shorter, DAILY], &only);
    check(&[&shorter, &shorter.replace("SEQUENCE:2", "SEQUENCE:1")], &only);
}

#[test]
fn zones_of_the_calendar() {
    let zone = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Office:20260512T090000\nEND:VEVENT\n\
                BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:-0300\nTZOFFSETTO:-0300\n\
                END:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n";
    assert_eq!(shown(zone), (vec!["main 2026-05-12T12:00:00Z/2026-05-12T12:00:00Z".to_string()], vec![]));
    let hint = zone.replace("TZID:Office", "X-LIC-LOCATION:Asia/Tokyo\nTZID:Office");
    assert_eq!(shown(&hint).0, ["main 2026-05-12T00:00:00Z/2026-05-12T00:00:00Z"]);
    let unknown =
        calendar(&["UID:1\nDTSTART;TZID=Nowhere:20260512T090000", "UID:2\nDTSTART;TZID=Nowhere:20260512T090000"]);
    let (instances, complaints) = shown(&unknown);
    assert_eq!(instances, ["main 2026-05-12T07:00:00Z/2026-05-12T07:00:00Z"; 2]);
    assert_eq!(complaints, ["test.ics: 1 unknown time zone \"Nowhere\": taken in your own"]);
}

#[test]
fn damage_is_named_and_stops_nothing() {
    let good = "main 2026-05-12T09:00:00Z/2026-05-12T10:00:00Z".to_string();
    let with = |bad: &str| calendar(&[ONE, bad, ONE]);
    for (bad, complaint) in [
        ("UID:bad\nSUMMARY:x", "test.ics: bad an event without DTSTART"),
        ("UID:bad\nDTSTART:tomorrow", "test.ics: bad DTSTART that is no date: tomorrow"),
        ("SUMMARY:x", "test.ics: line 9 an event without DTSTART"),
    ] {
        let (instances, complaints) = shown(&with(bad));
        assert_eq!((instances, complaints), (vec![good.clone(), good.clone()], vec![complaint.to_string()]), "{bad}");
    }
    for (text, instances, complaint) in [
        ("", 0, "test.ics the file is empty"),
        (
            "<!DOCTYPE html>\n<html><body>Log in: now</body></html>\n",
            0,
            "test.ics this is no calendar: it holds no BEGIN:VCALENDAR",
        ),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260512T090000Z\nDTEND:20260512T100000Z\nSUMM",
            1,
            "test.ics the calendar ends in the middle; what came before is read",
        ),
    ] {
        let (found, complaints) = shown(text);
        assert_eq!((found.len(), complaints), (instances, vec![complaint.to_string()]), "{text}");
        assert!(!read(text.as_bytes()).0.complete);
    }
    let deep = format!(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}UID:1\nDTSTART:20260512T090000Z\nEND:VEVENT\n{}",
        "BEGIN:X\n".repeat(100_000),
        calendar(&[ONE])
    );
    let (found, complaints) = shown(&deep);
    assert_eq!(found, [good]);
    assert!(complaints.iter().any(|c| c.contains("nested too deep")), "{complaints:?}");
}

#[test]
fn complaints_are_bounded() {
    let bad = vec!["UID:bad"; limits::COMPLAINTS + 100];
    let (reading, meetings) = read(calendar(&[&bad[..], &[ONE]].concat()).as_bytes());
    assert_eq!((meetings.len(), reading.complaints.len()), (1, limits::COMPLAINTS + 1));
    assert_eq!(reading.events, (limits::COMPLAINTS + 101) as u64);
    assert_eq!(reading.complaints.last().unwrap().what, "and 100 more like these");
}

#[test]
fn long_lists_do_not_hide_the_date_behind_them() {
    let people: String = (0..5_000).map(|n| format!("ATTENDEE;CN=Person {n}:mailto:person{n}@uni.example\n")).collect();
    let event = format!("UID:1\n{people}DTSTART:20260512T090000Z\nDTEND:20260512T100000Z");
    let (reading, meetings) = read(calendar(&[&event]).as_bytes());
    let says = &meetings[0].revisions[0];
    assert!(says.humans > 1_000 && says.attendees.len() == limits::ATTENDEES);
    assert_eq!(reading.complaints[0].what, "an event that is too large; part of it was left out");
}

#[test]
fn sloppy_files_are_read() {
    let plain = calendar(&[ONE]);
    let good = ["main 2026-05-12T09:00:00Z/2026-05-12T10:00:00Z"];
    for text in [
        plain.replace("\r\n", "\n"),
        plain.replace("\r\n", "\r"),
        plain.replace("\r\n", "\r\r\n"),
        format!("\u{feff}{plain}"),
        plain.to_lowercase(),
        plain.replace("END:VEVENT\r\n", ""),
        plain.replace("VERSION:2.0", "a line without sense\r\n\r\nX-NOTHING"),
        plain.replace("SUMMARY:", "SUMM\r\n ARY:").replace("20260512T09", "2026\r\n\t0512T09"),
        plain.replace("DTEND", "X BAD KEY:1\r\nDTEND"),
        plain.replace("UID:1", "UID:1\r\nATTACH;ENCODING=BASE64:AAAA\r\n AAAA"),
        plain.replace("UID:1", &format!("UID:1\r\nX-BIG:{}", "x".repeat(1 << 20))),
        plain.replace("UID:1", "UID:1\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nDTSTART:20200101T000000Z\r\nEND:VALARM"),
    ] {
        let (instances, complaints) = shown(&text);
        assert_eq!((instances, complaints), (vec![good[0].to_string()], vec![]), "{text:.300}");
    }
    assert_eq!(shown(&format!("{plain}{plain}")).0.len(), 2);
    // a line that no parser can read costs that line
    let (instances, complaints) = shown(&plain.replace("UID:1", "UID:1\r\nATTENDEE;CN=\"a\"b:mailto:x@y.example"));
    assert_eq!(instances, good);
    assert_eq!(complaints, ["test.ics: 1 a line that cannot be read; it was left out"]);
}

#[test]
fn folds_inside_a_character() {
    let mut bytes = calendar(&["UID:1\nDTSTART:20260512T090000Z\nSUMMARY:Caf@@ Zürich"]).into_bytes();
    let at = bytes.windows(2).position(|w| w == b"@@").unwrap();
    bytes.splice(at..at + 2, *b"\xc3\r\n \xa9");
    assert_eq!(read(&bytes).1[0].revisions[0].summary, "Café Zürich");
    // not UTF-8 at all: read as Latin-1
    let latin: Vec<u8> = calendar(&["UID:1\nDTSTART:20260512T090000Z\nSUMMARY:Caf\u{1}"]).into_bytes();
    let latin: Vec<u8> = latin.into_iter().map(|b| if b == 1 { 0xe9 } else { b }).collect();
    assert_eq!(read(&latin).1[0].revisions[0].summary, "Café");
}

#[test]
fn facts_of_an_event() {
    let text = "UID:1\nDTSTART:20260512T090000Z\nDTEND:20260512T100000Z\nSUMMARY:Vacation\\, really\nSTATUS:tentative\nSEQUENCE:3\n\
                LAST-MODIFIED:20260501T080000Z\nTRANSP:TRANSPARENT\nORGANIZER;CN=\"Ito, Dana\":MAILTO:dana@uni.example\n\
                ATTENDEE;PARTSTAT=ACCEPTED:mailto:alex@example.org\nDESCRIPTION:ask lee@firm.example\\nor alex@example.org\n\
                X-MICROSOFT-CDO-BUSYSTATUS:OOF";
    let (_, meetings) = read(calendar(&[text]).as_bytes());
    let says = &meetings[0].revisions[0];
    assert_eq!((says.summary.as_str(), says.status, says.sequence), ("Vacation, really", EventStatus::Tentative, 3));
    assert_eq!(says.last_modified, Timestamp::parse("2026-05-01T08:00:00Z"));
    assert_eq!(says.organizer.as_ref().unwrap().to_string(), "Ito, Dana <dana@uni.example>");
    assert_eq!((says.humans, says.attendees.len()), (2, 1));
    assert_eq!(says.names.iter().map(|a| a.as_str()).collect::<Vec<_>>(), ["lee@firm.example"]);
    assert!(says.marks.absence && says.marks.transparent && !says.marks.interview);
}

#[test]
fn an_event_without_uid_keeps_its_key() {
    let event = "DTSTART:20260512T090000Z\nSUMMARY:x";
    let key = |text: &str| read(calendar(&[text]).as_bytes()).1[0].key.uid.clone();
    assert_eq!(key(event), key(&format!("{event}\nDTSTAMP:20260101T000000Z")));
    assert_ne!(key(event), key("DTSTART:20260512T090000Z\nSUMMARY:y"));
    let (a, b) = (format!("UID:{}a\n{event}", "x".repeat(999)), format!("UID:{}b\n{event}", "x".repeat(999)));
    assert!(key(&a).len() <= limits::UID_BYTES && key(&a) != key(&b));
}

#[test]
fn endless_rules_are_cut_and_named() {
    let (instances, complaints) = shown(&calendar(&["UID:1\nDTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY", ONE]));
    assert_eq!(instances.len(), limits::INSTANCES + 1);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    // far in the past, and reaching into the window
    let (instances, _) = shown(&calendar(&["UID:1\nDTSTART:19700101T000000Z\nRRULE:FREQ=YEARLY;BYHOUR=1,2"]));
    assert_eq!(instances.len(), 2);
}

#[test]
fn invitations_name_their_speaker() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let dana = AddrSpecForTest::parse("dana@uni.example").unwrap();
    let text = calendar(&[ONE]);
    let with = |method: &str| text.replace("VERSION:2.0", &format!("VERSION:2.0\r\nMETHOD:{method}"));
    for (text, param, method, status) in [
        (with("REQUEST"), None, Method::Request, EventStatus::Confirmed),
        (with("reply"), Some("REQUEST"), Method::Reply, EventStatus::Confirmed),
        (with("CANCEL"), None, Method::Cancel, EventStatus::Cancelled),
        (with("COUNTER"), Some("request"), Method::Other, EventStatus::Confirmed),
        (text.clone(), Some("request"), Method::Request, EventStatus::Confirmed),
        (text.clone(), None, Method::Other, EventStatus::Confirmed),
    ] {
        let (meetings, complaints) = read_invitation(text.as_bytes(), param, Some(&dana), true, &context(&zone));
        let says = &meetings[0].revisions[0];
        assert_eq!(says.said_by, Speaker::Mail { from: Some(dana.clone()), method, in_sent: true });
        assert_eq!((says.status, complaints.len()), (status, 0));
    }
    let (meetings, complaints) = read_invitation(b"nothing", None, None, false, &context(&zone));
    assert_eq!((meetings.len(), complaints.len()), (0, 1));
}

use crate::address::AddrSpec as AddrSpecForTest;

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        read(&bytes);
    }

    #[test]
    fn no_lines_panic(lines in proptest::collection::vec(r"(BEGIN|END):(VEVENT|VCALENDAR|VTIMEZONE|STANDARD|VALARM)|(DTSTART|DTEND|RDATE|EXDATE|RECURRENCE-ID|DURATION|RRULE|UID|TZID|ATTENDEE)(;(TZID|VALUE|CN|RANGE)=[A-Za-z/:+\x220-9é]{0,12}){0,2}:([0-9]{8}(T[0-9]{6}Z?)?|P[0-9DTHM]{0,6}|FREQ=(SECONDLY|DAILY|WEEKLY|MONTHLY|YEARLY)(;(COUNT|INTERVAL|BYDAY|BYMONTHDAY|BYSETPOS|UNTIL|BYWEEKNO|BYYEARDAY)=-?[0-9A-Z,]{0,8}){0,3}|\PC{0,12})", 0..30)) {
        let inner = lines.join("\r\n");
        read(format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260101T000000\r\n{inner}\r\n").as_bytes());
    }
}
