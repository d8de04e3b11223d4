//! The store as others see it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::panic)]

use std::fs;
use std::path::Path;

use super::*;
use crate::address::Address;
use crate::evidence::*;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_second(1_780_000_000);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second)
}

fn addr(text: &str) -> AddrSpec {
    AddrSpec::parse(text).unwrap()
}

fn person(text: &str) -> Address {
    Address::new(Some("A Person"), addr(text))
}

fn mid(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn mail(n: u32, from: &str, to: &[&str], class: Class) -> Mail {
    let name = format!("{n}@mail.example");
    Mail {
        id: EvidenceId::of("mail", &[name.as_bytes()]),
        message_id: Some(mid(&name)),
        at: at(i64::from(n)),
        from: vec![person(from)],
        to: to.iter().map(|t| person(t)).collect(),
        cc: Vec::new(),
        bcc: Vec::new(),
        recipients: to.len() as u32,
        in_reply_to: None,
        references: Vec::new(),
        subject: "Lunch?".into(),
        places: vec![Place { source: "work".into(), role: Role::Inbox }],
        class,
        class_reasons: Vec::new(),
        signals: Signals::default(),
        text: Some(TextFacts { words: 12, ..TextFacts::default() }),
        out_of_office: None,
        bounce: None,
        own: None,
        answer: None,
        reader: 1,
    }
}

fn meeting(uid: &str, start: i64, attendees: &[&str]) -> Meeting {
    let attendee = |a: &&str| Attendee { who: person(a), partstat: PartStat::Accepted, human: true };
    let revision = Revision {
        said_by: Speaker::Feed("team".into()),
        start: at(start),
        end: at(start + 1800),
        all_day: false,
        status: EventStatus::Confirmed,
        gone: false,
        summary: "Coffee".into(),
        organizer: Some(person("me@example.org")),
        attendees: attendees.iter().map(attendee).collect(),
        humans: 2,
        names: Vec::new(),
        sequence: 0,
        last_modified: None,
        read_at: NOW,
        marks: MeetingMarks::default(),
    };
    Meeting { key: MeetingKey { uid: uid.into(), recurrence: Recurrence::Main }, revisions: vec![revision] }
}

fn mute(who: &str) -> Observation {
    Observation::Choice(Choice::by_command(Word::Mute(addr(who), true), at(7)))
}

fn open(path: &Path) -> Store {
    let opened = Store::open(path, NOW).unwrap();
    assert_eq!(opened.rebuilt, None);
    opened.store
}

fn facts(evidence: Vec<Observation>) -> Commit {
    Commit { evidence, ..Commit::default() }
}

fn cursor(value: &[u8]) -> (SourceName, Cursor) {
    ("work".into(), Cursor { place: "INBOX".into(), part: 0, value: value.to_vec() })
}

fn all(store: &Store) -> Vec<Observation> {
    store.evidence_between(Timestamp::MIN, Timestamp::MAX).collect::<Result<_>>().unwrap()
}

/// A store with one of everything.
fn filled(path: &Path) -> Store {
    let store = open(path);
    let mut answer = mail(2, "me@example.org", &["ada@example.org"], Class::Person);
    answer.in_reply_to = Some(mid("1@mail.example"));
    let card = Card {
        id: EvidenceId::of("card", &[b"dana"]),
        source: "people".into(),
        names: vec!["Dana Ito".into()],
        addresses: vec![addr("dana@uni.example")],
        birthday: None,
        anniversary: None,
        categories: Vec::new(),
        gone: false,
    };
    let commit = Commit {
        evidence: vec![
            Observation::Mail(mail(1, "ada@example.org", &["me@example.org"], Class::Person)),
            Observation::Mail(answer),
            Observation::Mail(mail(3, "news@shop.example", &["me@example.org", "ada@example.org"], Class::Bulk)),
            Observation::Meeting(meeting("coffee", 100, &["dana@uni.example"])),
            Observation::Meeting(meeting("lunch with Dana", 200, &[])),
            Observation::Card(card),
            mute("ada@example.org"),
        ],
        cursors: vec![cursor(b"uidnext 4")],
        puts: vec![
            (Shelf::Outbox, b"r1".to_vec(), b"sent".to_vec()),
            (Shelf::Status, b"work".to_vec(), b"ok".to_vec()),
            (Shelf::Address, b"ada@example.org".to_vec(), b"derived".to_vec()),
        ],
        ..Commit::default()
    };
    store.commit(commit, Strength::Durable).unwrap();
    store
}

/// Everything but what is derived.
fn contents(store: &Store) -> impl PartialEq + std::fmt::Debug {
    let shelves = Shelf::ALL.into_iter().filter(|s| !s.is_derived());
    let records: Vec<_> = shelves.map(|s| store.records(s).collect::<Result<Vec<_>>>().unwrap()).collect();
    (all(store), records, store.cursors("work").unwrap(), *store.secret(), store.counts())
}

#[test]
fn what_was_committed_is_there_after_reopening_and_found_under_whom_it_speaks_of() {
    let dir = tempfile::tempdir().unwrap();
    let before = contents(&filled(dir.path()));
    let store = open(dir.path());
    assert_eq!(contents(&store), before);
    assert_eq!(store.counts(), Counts { mails: 3, meetings: 2, cards: 1, choices: 1 });
    let found = |a: &str| -> Vec<i64> {
        store.of_address(&addr(a), 10).unwrap().iter().map(|o| o.at().second() - 1_700_000_000).collect()
    };
    assert_eq!(found("ada@example.org"), [7, 2, 1], "newest first, not the newsletter");
    assert_eq!(found("news@shop.example"), [3]);
    assert_eq!(found("dana@uni.example"), [100, Timestamp::MIN.second() - 1_700_000_000]);
    assert_eq!(found("nobody@example.org"), [0i64; 0]);
    assert_eq!(store.of_address(&addr("ada@example.org"), 1).unwrap().len(), 1);
    let nobody: Vec<_> = store.of_nobody(at(0), at(1_000)).collect::<Result<_>>().unwrap();
    assert_eq!(nobody, [Observation::Meeting(meeting("lunch with Dana", 200, &[]))]);
    assert_eq!(store.of_nobody(at(0), at(199)).count(), 0);
    assert_eq!(store.choices().collect::<Result<Vec<_>>>().unwrap(), [mute("ada@example.org")]);
    assert_eq!(store.mentioning(&mid("1@mail.example")).unwrap().len(), 2);
    assert_eq!(store.mentioning(&mid("3@mail.example")).unwrap(), []);
    let second = EvidenceId::of("mail", &[b"2@mail.example"]);
    assert_eq!(store.evidence(second).unwrap().unwrap().id(), second);
}

#[test]
fn only_one_holds_it_and_nobody_else_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let store = open(&path);
    assert!(matches!(Store::open(&path, NOW), Err(StoreError::Locked { .. })));
    for (name, mode) in [("", 0o700), ("db", 0o700), ("db/db", 0o600), ("journal", 0o600), ("lock", 0o600)] {
        assert_eq!(fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
    drop(store);
    open(&path);
}
