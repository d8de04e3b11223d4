//! The store as others see it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::panic)]
#![allow(clippy::type_complexity, clippy::cloned_ref_to_slice_refs)]

use std::fs;
use std::path::Path;

use super::trees::{Place, Trees};
use super::*;
use crate::address::Address;
use crate::evidence::{Place as Folder, *};
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
        places: vec![Folder { source: "work".into(), role: Role::Inbox }],
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
fn contents(store: &Store) -> impl PartialEq + std::fmt::Debug + use<> {
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
fn a_child_that_has_not_begun_its_program_holds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let of_the_child = store.lock.0.try_clone().unwrap();
    drop(store);
    open(dir.path());
    drop(of_the_child);
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

#[test]
fn reading_again_changes_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let before = contents(&store);
    let journal = fs::read(dir.path().join("journal")).unwrap();
    store.commit(facts(all(&store)), Strength::Durable).unwrap();
    assert_eq!(contents(&store), before);
    assert_eq!(fs::read(dir.path().join("journal")).unwrap(), journal);
}

#[test]
fn a_moved_meeting_leaves_one_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for start in [100, 5_000, 50] {
        let moved = Observation::Meeting(meeting("coffee", start, &["dana@uni.example"]));
        store.commit(facts(vec![moved.clone()]), Strength::Atomic).unwrap();
        assert_eq!(all(&store), [moved.clone()]);
        assert_eq!(store.of_address(&addr("dana@uni.example"), 9).unwrap(), [moved]);
        assert_eq!(store.counts().meetings, 1);
        assert_eq!(store.trees().unwrap().count(Place::ByAddress).unwrap(), 2);
    }
    let id = MeetingKey { uid: "coffee".into(), recurrence: Recurrence::Main }.id();
    store.commit(Commit { removed: vec![id], ..Commit::default() }, Strength::Atomic).unwrap();
    for place in [Place::Evidence, Place::Known, Place::ByAddress, Place::Thread] {
        assert_eq!(store.trees().unwrap().count(place).unwrap(), 0, "{place:?}");
    }
    assert_eq!(store.counts(), Counts::default());
}

#[test]
fn a_large_commit_is_split_and_its_cursor_comes_last() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mails = |from: u32| {
        let mail =
            |n| Observation::Mail(mail(n, "ada@example.org", &["me@example.org", "bob@example.org"], Class::Person));
        (from..from + 400).map(mail).collect::<Vec<_>>()
    };
    // a fact that no tree can take stops the commit: what came before it may stay, the cursor may not move
    let trees = store.trees().unwrap();
    store.commit(Commit { cursors: vec![cursor(b"old")], ..facts(mails(0)) }, Strength::Atomic).unwrap();
    trees.tree(Place::Known).unwrap().insert(EvidenceId::of("mail", &[b"799@mail.example"]).bytes(), b"odd").unwrap();
    let half = store.commit(Commit { cursors: vec![cursor(b"new")], ..facts(mails(400)) }, Strength::Atomic);
    assert!(matches!(half, Err(StoreError::Damaged { .. })), "{half:?}");
    assert!((401..800).contains(&store.counts().mails), "{:?}", store.counts());
    assert_eq!(store.cursors("work").unwrap()[0].value, b"old");
    assert!(!store.check().unwrap().findings.is_empty());
    store.commit(Commit { cursors: vec![cursor(b"new")], ..facts(mails(400)) }, Strength::Atomic).unwrap();
    assert_eq!((store.counts().mails, all(&store).len()), (800, 800));
    assert_eq!(store.cursors("work").unwrap()[0].value, b"new");
    assert_eq!(store.check().unwrap(), Checked::default());
    store.commit(Commit { cursors: vec![cursor(b"")], ..Commit::default() }, Strength::Atomic).unwrap();
    assert_eq!(store.cursors("work").unwrap(), []);
}

#[test]
fn values_are_written_as_ever() {
    let choice = Observation::Choice(Choice {
        id: EvidenceId::from_bytes([1; 16]),
        at: at(0),
        what: Word::Name(addr("a@b.example"), "Ada".into()),
        by_mail: None,
    });
    let golden = "01414cb56a030101010101010101010101010101010180c49fd50c080b6140622e6578616d706c650341646100";
    let (same, bytes) = values::encode(choice.clone()).unwrap();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, golden, "version 1 of a choice: a new shape needs a new version");
    assert_eq!((values::decode(&bytes).unwrap(), same), (choice.clone(), choice));

    let digest = |o: Observation| {
        let bytes = values::encode(o.clone()).unwrap().1;
        assert_eq!(values::decode(&bytes).unwrap(), o);
        (bytes.len(), crc32fast::hash(&bytes))
    };
    let mail = digest(Observation::Mail(mail(1, "ada@example.org", &["me@example.org"], Class::Person)));
    let meeting = digest(Observation::Meeting(meeting("coffee", 1, &["dana@uni.example"])));
    assert_eq!([mail, meeting], [(143, 2713702861), (114, 3191611940)], "version 1: a new shape needs a new version");
}

#[test]
fn a_value_with_any_bit_flipped_or_byte_missing_is_damaged() {
    let whole = Observation::Mail(mail(1, "ada@example.org", &["me@example.org"], Class::Person));
    let bytes = values::encode(whole).unwrap().1;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(values::decode(&flipped), Err(StoreError::Damaged { .. })), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(values::decode(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn what_is_too_long_is_shortened_the_same_way_each_time() {
    let mut long = mail(1, "ada@example.org", &[], Class::Person);
    let many =
        |kind: &str| (0..16).map(|n| person(&format!("{kind}{n}@{}.example", "x".repeat(200)))).collect::<Vec<_>>();
    (long.to, long.cc, long.bcc) = (many("to"), many("cc"), many("bcc"));
    long.from = many("from");
    long.references = (0..6).map(|n| mid(&format!("{n}{}", "r".repeat(240)))).collect();
    let (short, value) = values::encode(Observation::Mail(long.clone())).unwrap();
    assert!(value.len() <= limits::VALUE_BYTES);
    assert_eq!(values::decode(&value).unwrap(), short);
    assert_eq!(values::encode(short.clone()).unwrap().1, value, "what was shortened stays so");
    let Observation::Mail(short) = short else { panic!() };
    assert!(short.from.len() >= 2 && !short.to.is_empty(), "several writers stay several");

    let people: Vec<String> = (0..16).map(|n| format!("p{n}@{}.example", "x".repeat(300))).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let value = values::encode(Observation::Meeting(meeting("big", 1, &people))).unwrap().1;
    assert!(value.len() <= limits::VALUE_BYTES);
}

#[test]
fn a_damaged_store_is_set_aside_and_what_cannot_be_read_again_comes_back() {
    let spoil: [(&str, fn(&Path)); 3] = [
        ("zeroed", |db| fs::write(db.join("db"), vec![0; 1 << 20]).unwrap()),
        ("garbage", |db| fs::write(db.join("db"), b"not a database".repeat(40_000)).unwrap()),
        ("empty", |db| fs::write(db.join("db"), b"").unwrap()),
    ];
    for (name, spoil) in spoil {
        let dir = tempfile::tempdir().unwrap();
        let store = filled(dir.path());
        let secret = *store.secret();
        drop(store);
        spoil(&dir.path().join("db"));
        let Opened { store, rebuilt } = Store::open(dir.path(), NOW).unwrap();
        let told = rebuilt.unwrap_or_else(|| panic!("{name}: nothing was said"));
        assert!(told.contains("store.bad-20260528T202640Z"), "{name}: {told}");
        assert!(dir.path().join("store.bad-20260528T202640Z/db").exists(), "{name}");
        assert_eq!(*store.secret(), secret, "{name}");
        assert_eq!(store.choices().collect::<Result<Vec<_>>>().unwrap(), [mute("ada@example.org")], "{name}");
        assert_eq!(store.record(Shelf::Outbox, b"r1").unwrap().as_deref(), Some(&b"sent"[..]), "{name}");
        assert_eq!(store.cursors("work").unwrap(), [], "{name}: the sources are read again");
        drop(store);
        open(dir.path());
    }
}

#[test]
fn a_store_whose_facts_are_missing_keeps_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let evidence = store.trees().unwrap().tree(Place::Evidence).unwrap();
    let key = evidence.iter().keys().nth(2).unwrap().unwrap();
    evidence.remove(key).unwrap();
    drop(store);
    // as after a crash: without the mark of a clean closing the facts are counted
    fs::remove_file(dir.path().join("clean")).unwrap();
    let Opened { store, rebuilt } = Store::open(dir.path(), NOW).unwrap();
    assert!(rebuilt.unwrap().contains("holds 6 facts and should hold 7"));
    assert_eq!((all(&store).len(), store.counts().evidence()), (6, 6));
    assert_eq!(store.record(Shelf::Status, b"work").unwrap().as_deref(), Some(&b"ok"[..]));
    assert_eq!(store.cursors("work").unwrap(), []);
    assert_eq!(store.check().unwrap(), Checked::default());
}

#[test]
fn a_store_that_is_behind_its_journal_catches_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let outbox = store.trees().unwrap().tree(Place::Shelf(Shelf::Outbox)).unwrap();
    outbox.insert(b"r1", values::seal(b"due")).unwrap();
    outbox.insert(b"r2", values::seal(b"ghost")).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.record(Shelf::Outbox, b"r1").unwrap().as_deref(), Some(&b"sent"[..]));
    drop(store);
    fs::remove_dir_all(dir.path().join("db")).unwrap();
    let Opened { store, rebuilt } = Store::open(dir.path(), NOW).unwrap();
    assert!(rebuilt.unwrap().contains("missing"));
    assert_eq!(store.record(Shelf::Outbox, b"r1").unwrap().as_deref(), Some(&b"sent"[..]));
    assert_eq!(store.counts(), Counts { choices: 1, ..Counts::default() });
}

#[test]
fn a_newer_store_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let before = contents(&store);
    let meta = store.trees().unwrap().tree(Place::Meta).unwrap().clone();
    meta.insert(b"schema", values::seal(&2u32.to_be_bytes())).unwrap();
    drop((store, meta));
    let refused = Store::open(dir.path(), NOW).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 2, known: 1, .. }));
    assert!(refused.to_string().contains("newer kithd"));
    let trees = Trees::open(&dir.path().join("db")).unwrap();
    trees.tree(Place::Meta).unwrap().insert(b"schema", values::seal(&1u32.to_be_bytes())).unwrap();
    drop(trees);
    assert_eq!(contents(&open(dir.path())), before);
}

#[test]
fn a_backup_comes_back_whole_and_a_broken_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to, file) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("backup"));
    let store = filled(&from);
    store.backup(&file).unwrap();
    let before = contents(&store);
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    assert_eq!(restore(&file, &to, NOW).unwrap(), None);
    assert_eq!(contents(&open(&to)), before);
    assert_eq!(open(&to).of_address(&addr("ada@example.org"), 9).unwrap().len(), 3);

    let whole = fs::read(&file).unwrap();
    for cut in (0..whole.len()).step_by(37).chain([whole.len() - 1]) {
        fs::write(&file, &whole[..cut]).unwrap();
        assert!(matches!(restore(&file, &to, NOW), Err(StoreError::BadBackup { .. })), "cut at {cut}");
    }
    for at in (0..whole.len()).step_by(41) {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        fs::write(&file, flipped).unwrap();
        assert!(restore(&file, &to, NOW).is_err(), "flipped at {at}");
    }
    assert_eq!(contents(&open(&to)), before);

    fs::write(&file, &whole).unwrap();
    assert!(matches!(restore(&file, &from, NOW), Err(StoreError::Locked { .. })), "in use");
    drop(store);
    let aside = restore(&file, &from, NOW).unwrap().unwrap();
    assert!(aside.join("db/db").exists() && aside.join("journal").exists());
    assert_eq!(contents(&open(&from)), before);
}

/// Does any file below `path` hold these bytes?
fn holds(path: &Path, needle: &[u8]) -> bool {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().any(|e| holds(&e.unwrap().path(), needle));
    }
    fs::read(path).unwrap().windows(needle.len()).any(|w| w == needle)
}

#[test]
fn forgetting_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(dir.path());
    let outbox = vec![(Shelf::Outbox, b"r2".to_vec(), b"Thank ada@example.org?".to_vec())];
    store.commit(Commit { puts: outbox, ..Commit::default() }, Strength::Durable).unwrap();
    assert!(holds(dir.path(), b"ada@example.org"));
    let (secret, ada) = (*store.secret(), addr("ada@example.org"));
    let mut observation = |o: Observation| match o {
        Observation::Mail(mut m) if m.class == Class::Bulk => {
            m.to.retain(|a| a.address != ada);
            Some(Observation::Mail(m))
        }
        o => (!o.addresses().contains(&ada)).then_some(o),
    };
    let mut record = |_: Shelf, _: &[u8], v: Vec<u8>| (!v.starts_with(b"Thank ada")).then_some(v);
    let erasure = Erasure { observation: &mut observation, record: &mut record, forgotten: vec![b"hash".to_vec()] };
    let erased = store.forget(erasure, NOW).unwrap();
    assert_eq!(erased, Erased { facts: 3, redacted: 1, left: Vec::new() });
    assert!(!holds(dir.path(), b"ada@example.org"), "a trace is left");
    assert_eq!(store.counts().evidence(), 4);
    assert_eq!((*store.secret(), store.cursors("work").unwrap().len()), (secret, 1));
    assert_eq!(store.record(Shelf::Forgotten, b"hash").unwrap(), Some(Vec::new()));
    assert_eq!(store.record(Shelf::Outbox, b"r1").unwrap().as_deref(), Some(&b"sent"[..]));
    assert_eq!(store.records(Shelf::Address).count(), 0, "derived shelves are to be made anew");
    store.commit(facts(vec![mute("bob@example.org")]), Strength::Durable).unwrap();
    drop(store);
    // nothing of it comes back by the journal
    fs::remove_dir_all(dir.path().join("db")).unwrap();
    let store = Store::open(dir.path(), NOW).unwrap().store;
    assert_eq!(store.choices().collect::<Result<Vec<_>>>().unwrap(), [mute("bob@example.org")]);
    assert!(!holds(dir.path(), b"ada@example.org"));
}

#[test]
fn a_swap_that_was_cut_short_is_finished_or_undone() {
    let dir = tempfile::tempdir().unwrap();
    let before = contents(&filled(dir.path()));
    // built, but never whole
    fs::create_dir_all(dir.path().join("next/db")).unwrap();
    assert_eq!(contents(&open(dir.path())), before);
    assert!(!dir.path().join("next").exists());
    // whole, and the old trees already half removed
    drop(copy::begin(dir.path(), [], NOW).unwrap());
    fs::write(dir.path().join("next/complete"), "store.old").unwrap();
    fs::create_dir_all(dir.path().join("store.old")).unwrap();
    fs::rename(dir.path().join("db"), dir.path().join("store.old/db")).unwrap();
    let store = open(dir.path());
    assert_eq!(store.counts(), Counts::default());
    assert!(dir.path().join("store.old/db").exists() && dir.path().join("store.old/journal").exists());
}

#[test]
fn check_mends_what_derived_trees_lost_or_made_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let before = contents(&store);
    let trees = store.trees().unwrap();
    let dump = || {
        [Place::Known, Place::ByAddress, Place::Thread]
            .map(|p| trees.tree(p).unwrap().iter().flatten().collect::<Vec<_>>())
    };
    let whole = dump();
    for place in [Place::Known, Place::ByAddress, Place::Thread] {
        let tree = trees.tree(place).unwrap();
        let (key, _) = tree.first().unwrap().unwrap();
        tree.remove(&key).unwrap();
        assert_eq!(store.check().unwrap().findings.len(), 1, "{place:?} lost an entry");
        let (value, length) = (if place == Place::Known { vec![0; 5] } else { Vec::new() }, key.len());
        tree.insert(vec![3; length], value).unwrap();
        assert_eq!(store.check().unwrap().findings.len(), 1, "{place:?} made one up");
        assert_eq!(dump(), whole);
    }
    assert_eq!(store.check().unwrap(), Checked::default());
    store.rebuild_derived().unwrap();
    assert_eq!((dump(), contents(&store)), (whole, before));
}

#[test]
fn check_takes_out_a_damaged_fact_and_has_its_source_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let evidence = store.trees().unwrap().tree(Place::Evidence).unwrap();
    let (key, mut value) = evidence.iter().nth(2).unwrap().map(|(k, v)| (k, v.to_vec())).unwrap();
    value[9] ^= 1;
    evidence.insert(key, value).unwrap();
    assert!(
        store.evidence_between(Timestamp::MIN, Timestamp::MAX).any(|r| matches!(r, Err(StoreError::Damaged { .. })))
    );
    let checked = store.check().unwrap();
    assert!(checked.lost && !checked.findings.is_empty());
    assert_eq!((all(&store).len(), store.counts().evidence()), (6, 6));
    assert_eq!(store.cursors("work").unwrap(), []);
    assert_eq!(store.check().unwrap(), Checked::default());
    drop(store);
    open(dir.path());
}

#[test]
fn a_folder_that_cannot_be_used_is_said_and_nothing_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = Store::open(&file.join("state"), NOW).unwrap_err();
    assert!(matches!(refused, StoreError::Io { .. }), "{refused}");
    assert!(refused.to_string().contains("state"), "{refused}");
    drop(filled(dir.path()));
    fs::remove_file(dir.path().join("journal")).unwrap();
    fs::create_dir(dir.path().join("journal")).unwrap();
    assert!(matches!(Store::open(dir.path(), NOW), Err(StoreError::Io { .. })));
    assert!(!fs::read_dir(dir.path()).unwrap().any(|e| e.unwrap().file_name().to_string_lossy().starts_with("store.")));
}

#[test]
fn only_damage_is_called_damage() {
    use std::io::{Error, ErrorKind};
    let check = |kind: ErrorKind, said: &str| match StoreError::sled(
        Path::new("/s"),
        sled::Error::Io(Error::new(kind, said)),
    ) {
        StoreError::Full { .. } => "full",
        StoreError::Damaged { .. } => "damaged",
        StoreError::Locked { .. } => "locked",
        StoreError::Io { .. } => "io",
        _ => "?",
    };
    for (kind, said, expected) in [
        (ErrorKind::StorageFull, "no", "full"),
        (ErrorKind::QuotaExceeded, "no", "full"),
        (ErrorKind::Other, "Os { code: 28, kind: StorageFull, message: \"No space left on device\" }", "full"),
        (ErrorKind::PermissionDenied, "no", "io"),
        (ErrorKind::ReadOnlyFilesystem, "no", "io"),
        (ErrorKind::OutOfMemory, "no", "io"),
        (ErrorKind::UnexpectedEof, "short", "damaged"),
        (ErrorKind::NotFound, "a blob", "damaged"),
        (ErrorKind::Other, "could not acquire lock on \"db\"", "locked"),
        (ErrorKind::Other, "bad segment", "damaged"),
    ] {
        assert_eq!(check(kind, said), expected, "{kind:?} {said}");
    }
    let too_many = Error::from_raw_os_error(24);
    assert!(matches!(StoreError::sled(Path::new("/s"), sled::Error::Io(too_many)), StoreError::Io { .. }));
    let denied = StoreError::io("cannot write", Path::new("/s"), Error::from(ErrorKind::PermissionDenied)).to_string();
    assert!(denied.starts_with("cannot write /s: permission denied (it must belong"), "{denied}");
}

#[test]
fn a_damaged_journal_is_written_anew_from_the_trees() {
    let dir = tempfile::tempdir().unwrap();
    let before = contents(&filled(dir.path()));
    let path = dir.path().join("journal");
    let mut bytes = fs::read(&path).unwrap();
    let second = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
    bytes[second + 12] ^= 1;
    fs::write(&path, bytes).unwrap();
    let Opened { store, rebuilt } = Store::open(dir.path(), NOW).unwrap();
    assert!(rebuilt.unwrap().contains("1 lines of the journal"));
    assert_eq!(contents(&store), before);
    drop(store);
    assert_eq!(contents(&open(dir.path())), before, "told once");
    // and it says everything again
    fs::remove_dir_all(dir.path().join("db")).unwrap();
    let store = Store::open(dir.path(), NOW).unwrap().store;
    assert_eq!(store.choices().collect::<Result<Vec<_>>>().unwrap(), [mute("ada@example.org")]);
    assert_eq!(store.record(Shelf::Outbox, b"r1").unwrap().as_deref(), Some(&b"sent"[..]));
}
