#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::address::Address;
use crate::evidence::{Class, EvidenceId, Mail, MessageId, Place as Lies, Signals, TextFacts};
use crate::source::Report;
use crate::time::{DAY, Zone};

const NOW: i64 = 1_780_000_000;

/// A reader that knows `Message-ID`, `Date` (in seconds) and `From`.
fn fake(bytes: &[u8], context: &MailContext<'_>) -> Result<Message, Complaint> {
    let text = String::from_utf8_lossy(bytes);
    let field = |name: &str| text.lines().take_while(|l| !l.is_empty()).find_map(|l| l.strip_prefix(name));
    let id =
        field("Message-ID: ").ok_or_else(|| Complaint::new(context.source, context.place, "no mail", context.now))?;
    let at = field("Date: ").map_or(context.arrived_at, |s| Timestamp::from_second(s.parse().unwrap()));
    assert!(!id.contains("poison"), "a message the reader does not stand");
    let words = text.split_once("\n\n").map_or(0, |(_, body)| u32::try_from(body.len()).unwrap());
    let mail = Mail {
        id: EvidenceId::of("mail", &[id.as_bytes()]),
        message_id: MessageId::new(id),
        at,
        from: Address::parse("dana@uni.example").into_iter().collect(),
        to: Vec::new(),
        cc: Vec::new(),
        bcc: Vec::new(),
        recipients: 0,
        in_reply_to: None,
        references: Vec::new(),
        subject: String::new(),
        places: vec![Lies { source: context.source.to_string(), role: context.role }],
        class: Class::Person,
        class_reasons: Vec::new(),
        signals: Signals::default(),
        text: (at >= context.text_since).then(|| TextFacts { words, ..TextFacts::default() }),
        out_of_office: None,
        bounce: None,
        own: None,
        answer: None,
        reader: 1,
    };
    Ok(Message { mail, new_text: String::new(), meetings: Vec::new(), complaints: Vec::new() })
}

/// A Maildir on disk, and the cursor the engine would have kept.
struct World {
    dir: tempfile::TempDir,
    params: Params,
    store: BTreeMap<(String, u16), Vec<u8>>,
    now: i64,
    opened: AtomicUsize,
    /// Stop listening after so many batches.
    batches_max: usize,
}

struct Seen {
    mails: Vec<Mail>,
    complaints: Vec<Complaint>,
    end: Option<Report>,
    opened: usize,
    written: usize,
    lefts: Vec<u64>,
}

impl Seen {
    fn ids(&self) -> Vec<String> {
        self.mails.iter().map(|m| m.message_id.as_ref().unwrap().to_string()).collect()
    }

    fn through(&self) -> (Timestamp, Vec<Folder>, bool) {
        match self.end.clone() {
            Some(Report::Through { until, folders, sent_found }) => (until, folders, sent_found),
            other => panic!("{other:?}"),
        }
    }

    fn failure(&self) -> String {
        match &self.end {
            Some(Report::Failed { level: Level::Wait, what }) => what.clone(),
            other => panic!("{other:?}"),
        }
    }
}

impl World {
    fn new(folders: &[&str]) -> World {
        let dir = tempfile::tempdir().unwrap();
        let params = Params {
            name: "old".into(),
            path: dir.path().join("Mail"),
            folders: Vec::new(),
            sent: Vec::new(),
            history: Span { months: 24, seconds: 0 },
            bodies: true,
            sync_state: Vec::new(),
        };
        let world = World {
            dir,
            params,
            store: BTreeMap::new(),
            now: NOW,
            opened: AtomicUsize::new(0),
            batches_max: usize::MAX,
        };
        fs::create_dir(&world.params.path).unwrap();
        folders.iter().for_each(|f| world.folder(f));
        world
    }

    fn folder(&self, name: &str) {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(self.params.path.join(name).join(part)).unwrap();
        }
        self.settle();
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.params.path.join(file), text).unwrap();
        self.settle();
    }

    /// A message of `days` ago.
    fn mail(&self, folder: &str, days: i64, name: &str) {
        let at = NOW - days * DAY;
        let id = name.split(':').next().unwrap();
        self.write(&format!("{folder}/{at}.{name}"), &format!("Message-ID: <{id}>\nDate: {at}\n\ntext\n"));
    }

    /// Directories look changed at different, long settled times.
    fn settle(&self) {
        let mut open = vec![self.params.path.clone()];
        while let Some(path) = open.pop() {
            let Ok(entries) = fs::read_dir(&path) else { continue };
            let mut names = Vec::new();
            for entry in entries.flatten() {
                names.push(entry.file_name());
                if entry.file_type().unwrap().is_dir() {
                    open.push(entry.path());
                }
            }
            names.sort();
            let hash = blake3::hash(format!("{names:?}").as_bytes());
            let at = 1_700_000_000 + u64::from(hash.as_bytes()[0]) * 256 + u64::from(hash.as_bytes()[1]);
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at);
            if let Ok(file) = fs::File::open(&path) {
                file.set_modified(time).unwrap();
            }
        }
    }

    fn read(&mut self) -> Seen {
        self.read_text_since(self.now - 120 * DAY)
    }

    fn read_text_since(&mut self, text_since: i64) -> Seen {
        let cursors = self.store.iter().map(|((place, part), value)| Cursor {
            place: place.clone(),
            part: *part,
            value: value.clone(),
        });
        let cursors: Vec<Cursor> = cursors.collect();
        let zone = Zone::utc();
        let occasion = Occasion {
            now: Timestamp::from_second(self.now),
            zone: &zone,
            text_since: Timestamp::from_second(text_since),
        };
        let mut seen = Seen { mails: vec![], complaints: vec![], end: None, opened: 0, written: 0, lefts: vec![] };
        let before = self.opened.load(Ordering::Relaxed);
        let (store, opened, most) = (&mut self.store, &self.opened, self.batches_max);
        let mut batches = 0;
        let mut send = |report: Report| {
            assert!(seen.end.is_none(), "something after the end");
            match report {
                Report::Batch(batch) => {
                    batches += 1;
                    if batches > most {
                        return Err(Stopped);
                    }
                    assert!(batch.observations.len() <= limits::BATCH && batch.cursors.len() <= limits::CURSORS);
                    assert_eq!(batch.source, "old");
                    seen.lefts.extend(batch.left);
                    seen.written += batch.cursors.len();
                    seen.complaints.extend(batch.complaints);
                    for observation in batch.observations {
                        if let Observation::Mail(mail) = observation {
                            seen.mails.push(mail);
                        }
                    }
                    for c in batch.cursors {
                        if c.value.is_empty() {
                            store.remove(&(c.place, c.part));
                        } else {
                            store.insert((c.place, c.part), c.value);
                        }
                    }
                }
                end => seen.end = Some(end),
            }
            Ok(())
        };
        let counting = |bytes: &[u8], context: &MailContext<'_>| {
            opened.fetch_add(1, Ordering::Relaxed);
            fake(bytes, context)
        };
        let outcome = read_with(&self.params, cursors, &occasion, &mut send, &counting);
        assert_eq!(outcome.is_err(), batches > most);
        assert_eq!(seen.end.is_some(), outcome.is_ok());
        seen.opened = self.opened.load(Ordering::Relaxed) - before;
        seen
    }
}

#[test]
fn every_layout_is_understood() {
    let mut plus = World::new(&["", ".Sent", ".Clients.Acme", ".Entw&APw-rfe", ".Trash", ".Junk"]);
    plus.mail("cur", 1, "a:2,S");
    plus.mail(".Sent/cur", 2, "b:2,S");
    plus.mail(".Clients.Acme/new", 3, "c");
    plus.mail(".Entw&APw-rfe/cur", 3, "d:2,S");
    plus.mail(".Trash/cur", 3, "e:2,S");
    plus.write(".notmuch", "");
    let mut nested = World::new(&["INBOX", "Sent", "Clients/Acme", "Entw&APw-rfe", "Trash", "Junk"]);
    nested.mail("INBOX/cur", 1, "a:2,S");
    nested.mail("Sent/cur", 2, "b:2,S");
    nested.mail("Clients/Acme/new", 3, "c");
    nested.mail("Entw&APw-rfe/cur", 3, "d:2,S");
    fs::create_dir_all(nested.params.path.join(".notmuch/xapian")).unwrap();
    for world in [&mut plus, &mut nested] {
        let seen = world.read();
        assert_eq!(seen.ids(), ["a", "c", "b"]);
        let (until, folders, sent_found) = seen.through();
        assert_eq!(until.second(), NOW);
        assert!(sent_found);
        let shown: Vec<_> = folders.iter().map(|f| (f.name.as_str(), f.role, f.read)).collect();
        assert_eq!(shown, [("INBOX", Role::Inbox, 1), ("Clients/Acme", Role::Other, 1), ("Sent", Role::Sent, 1)]);
        assert!(seen.mails[2].lies_in_sent() && !seen.mails[0].lies_in_sent());
    }
}

#[test]
fn the_config_picks_folders_and_says_which_hold_sent_mail() {
    let mut world = World::new(&["", ".Sent", ".Wysyłka", ".Junk", ".Clients.Acme", ".Clients"]);
    for (folder, id) in
        [("", "a"), (".Sent/", "b"), (".Wysyłka/", "c"), (".Junk/", "d"), (".Clients.Acme/", "e"), (".Clients/", "f")]
    {
        world.mail(&format!("{folder}cur"), 1, id);
    }
    let check = |world: &mut World, folders: &[&str], sent: &[&str], expected: &[&str], sent_ids: &[&str]| {
        world.store.clear();
        world.params.folders = folders.iter().map(ToString::to_string).collect();
        world.params.sent = sent.iter().map(ToString::to_string).collect();
        let seen = world.read();
        let mut ids = seen.ids();
        ids.sort();
        assert_eq!(ids, expected);
        let sent: Vec<_> =
            seen.mails.iter().filter(|m| m.lies_in_sent()).map(|m| m.message_id.clone().unwrap().to_string()).collect();
        assert_eq!(sent, sent_ids);
        assert_eq!(seen.through().2, !sent.is_empty());
    };
    check(&mut world, &[], &[], &["a", "b", "c", "e", "f"], &["b"]);
    check(&mut world, &["inbox", "Junk"], &[], &["a", "d"], &[]);
    check(&mut world, &["Clients/*"], &[], &["e"], &[]);
    check(&mut world, &["INBOX"], &["Wysyłka"], &["a", "c"], &["c"]);
    check(&mut world, &[], &["Wysyłka"], &["a", "b", "c", "e", "f"], &["c"]);
    world.params.folders = vec!["nothing".into()];
    world.params.sent.clear();
    assert!(world.read().failure().contains("`folders`"));
}

#[test]
fn trashed_messages_and_drafts_are_left_out_until_their_flag_goes() {
    let mut world = World::new(&[""]);
    world.mail("cur", 1, "kept:2,S");
    world.mail("cur", 1, "trash:2,ST");
    world.mail("cur", 1, "draft:2,D");
    assert_eq!(world.read().ids(), ["kept"]);
    let at = NOW - DAY;
    let path = world.params.path.join("cur");
    fs::rename(path.join(format!("{at}.trash:2,ST")), path.join(format!("{at}.trash:2,S"))).unwrap();
    world.settle();
    assert_eq!(world.read().ids(), ["trash"]);
}

#[test]
fn only_what_is_new_is_opened() {
    let mut world = World::new(&["", ".Sent"]);
    for n in 0..30 {
        world.mail("cur", n, &format!("m{n}:2,S"));
        world.mail(".Sent/cur", n, &format!("s{n}:2,S"));
    }
    let seen = world.read();
    assert_eq!((seen.mails.len(), seen.opened), (60, 60));
    // in the order of time within a folder
    assert!(seen.mails[..30].is_sorted_by_key(|m| m.at));
    // nothing new: nothing opened, nothing written
    let seen = world.read();
    assert_eq!((seen.mails.len(), seen.opened, seen.written), (0, 0, 0));
    assert_eq!(seen.through().1.iter().map(|f| f.read).sum::<u64>(), 60);
    // one new: one opened, its bucket and the state of its folder written
    world.mail("new", 0, "fresh");
    let seen = world.read();
    assert_eq!((seen.ids(), seen.opened, seen.written), (vec!["fresh".to_string()], 1, 2));
    // read and flagged, moved from new to cur, numbered by mbsync: still the same messages
    let path = world.params.path.clone();
    fs::rename(path.join(format!("new/{NOW}.fresh")), path.join(format!("cur/{NOW}.fresh:2,S"))).unwrap();
    let at = NOW - 3 * DAY;
    fs::rename(path.join(format!("cur/{at}.m3:2,S")), path.join(format!("cur/{at}.m3,U=4:2,FS"))).unwrap();
    world.settle();
    let seen = world.read();
    assert_eq!((seen.mails.len(), seen.opened), (0, 0));
    // a message moved to another folder lies there, too
    fs::rename(path.join(format!("cur/{at}.m3,U=4:2,FS")), path.join(format!(".Sent/cur/{at}.m3:2,FS"))).unwrap();
    world.settle();
    let seen = world.read();
    assert_eq!((seen.ids(), seen.opened), (vec!["m3".to_string()], 1));
    assert_eq!(seen.through().1.iter().map(|f| f.read).collect::<Vec<_>>(), [30, 31]);
}

#[test]
fn a_folder_changed_just_now_is_listed_again() {
    let mut world = World::new(&[""]);
    world.mail("cur", 1, "a:2,S");
    let just_now = |world: &World| {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(NOW - 1).unwrap());
        fs::File::open(world.params.path.join("cur")).unwrap().set_modified(time).unwrap();
    };
    just_now(&world);
    assert_eq!(world.read().ids(), ["a"]);
    // a second message within the same time stamp
    world.mail("cur", 1, "b:2,S");
    just_now(&world);
    assert_eq!(world.read().ids(), ["b"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_tried_again() {
    let mut world = World::new(&[""]);
    world.mail("cur", 1, "good:2,S");
    let path = world.params.path.join("cur");
    fs::create_dir(path.join("1770000000.dir:2,S")).unwrap();
    std::os::unix::fs::symlink("nowhere", path.join("1770000001.link:2,S")).unwrap();
    world.write("cur/1770000002.bad:2,S", "\n");
    world.write("cur/1770000003.empty:2,S", "");
    let seen = world.read();
    assert_eq!(seen.ids(), ["good"]);
    let mut places: Vec<_> = seen.complaints.iter().map(|c| c.place.rsplit('/').next().unwrap()).collect();
    places.sort_unstable();
    let expected = ["1770000000.dir:2,S", "1770000001.link:2,S", "1770000002.bad:2,S", "1770000003.empty:2,S"];
    assert_eq!(places, expected);
    assert_eq!(seen.through().1[0].read, 3);
    // what is bad in itself stays read; the others are tried again though no directory changed
    let seen = world.read();
    assert_eq!((seen.mails.len(), seen.opened, seen.complaints.len()), (0, 0, 2));
    fs::write(world.params.path.join("nowhere"), "").unwrap();
    fs::write(path.join("nowhere"), "Message-ID: <link>\n\n").unwrap();
    fs::remove_dir(path.join("1770000000.dir:2,S")).unwrap();
    world.settle();
    let seen = world.read();
    assert!(seen.ids().contains(&"link".to_string()));
    let seen = world.read();
    assert_eq!((seen.opened, seen.complaints.len(), seen.written), (0, 0, 0));
}

#[test]
fn a_message_the_reader_does_not_stand_is_set_aside() {
    let mut world = World::new(&[""]);
    (0..20).for_each(|n| world.mail("cur", n, &format!("m{n}:2,S")));
    world.mail("cur", 5, "poison:2,S");
    let seen = world.read();
    assert_eq!((seen.mails.len(), seen.complaints.len()), (20, 1));
    assert!(seen.complaints[0].place.contains("poison"));
    assert_eq!(seen.through().1[0].read, 21);
    assert_eq!(world.read().opened, 0);
}

#[test]
fn a_maildir_that_is_not_there_fails_in_words_and_loses_nothing() {
    let mut world = World::new(&["", ".Sent"]);
    world.mail("cur", 1, "a:2,S");
    world.read();
    let store = world.store.clone();
    let away = world.dir.path().join("away");
    fs::rename(&world.params.path, &away).unwrap();
    let what = world.read().failure();
    assert!(what.contains("`old`") && what.contains("is not there: check [[mailbox]] path, or whether"), "{what}");
    // an empty mount point
    fs::create_dir(&world.params.path).unwrap();
    assert!(world.read().failure().contains("holds no folder"));
    // a file
    fs::remove_dir(&world.params.path).unwrap();
    fs::write(&world.params.path, "").unwrap();
    world.read().failure();
    fs::remove_file(&world.params.path).unwrap();
    assert_eq!(world.store, store);
    fs::rename(&away, &world.params.path).unwrap();
    assert_eq!(world.read().opened, 0);
}

#[test]
fn a_bad_folder_does_not_stop_the_others() {
    let mut world = World::new(&["", ".Bad", ".Sent"]);
    world.mail("cur", 1, "a:2,S");
    world.mail(".Sent/cur", 1, "b:2,S");
    fs::remove_dir(world.params.path.join(".Bad/new")).unwrap();
    world.write(".Bad/new", "");
    let seen = world.read();
    assert_eq!(seen.ids(), ["a", "b"]);
    assert!(seen.failure().contains("`Bad`"));
    fs::remove_file(world.params.path.join(".Bad/new")).unwrap();
    world.folder(".Bad");
    let seen = world.read();
    assert_eq!(seen.opened, 0);
    seen.through();
}

#[test]
fn a_folder_that_is_gone_is_forgotten() {
    let mut world = World::new(&["", ".Sent"]);
    world.mail(".Sent/cur", 1, "b:2,S");
    world.read();
    assert!(world.store.keys().any(|(place, _)| place == ".Sent"));
    fs::remove_dir_all(world.params.path.join(".Sent")).unwrap();
    assert!(!world.read().through().2);
    assert!(world.store.keys().all(|(place, _)| place == "."));
}

#[test]
fn a_reading_that_is_cut_off_is_made_again() {
    let mut world = World::new(&["", ".Sent"]);
    for n in 0..1_200 {
        let name = format!("cur/{}.m{n}:2,S", NOW - n);
        fs::write(world.params.path.join(name), format!("Message-ID: <m{n}>\n\n")).unwrap();
    }
    world.mail(".Sent/cur", 1, "s:2,S");
    for cut in 0..3 {
        world.batches_max = cut;
        assert_eq!(world.read().mails.len(), limits::BATCH * cut);
        assert!(world.store.is_empty(), "no cursor before the last of what it speaks of");
    }
    world.batches_max = usize::MAX;
    let seen = world.read();
    assert_eq!(seen.mails.len(), 1_201);
    assert_eq!(seen.lefts.first(), Some(&u64::try_from(1_201 - limits::BATCH).unwrap()));
    assert_eq!(seen.lefts.last(), Some(&0));
    assert!(seen.lefts.is_sorted_by(|a, b| a >= b));
    assert_eq!(world.read().opened, 0);
}

#[test]
fn history_bounds_what_is_taken_and_a_longer_one_takes_more() {
    let mut world = World::new(&[""]);
    world.mail("cur", 10, "young:2,S");
    world.mail("cur", 800, "old:2,S");
    // fetched lately, written long ago
    world.write("cur/1779000000.late:2,S", &format!("Message-ID: <late>\nDate: {}\n\n", NOW - 900 * DAY));
    let seen = world.read();
    // the name alone says that the old one is old
    assert_eq!((seen.ids(), seen.opened), (vec!["young".to_string()], 2));
    assert_eq!(seen.through().1[0].read, 3);
    assert_eq!(world.read().opened, 0);
    world.params.history = Span { months: 60, seconds: 0 };
    assert_eq!(world.read().ids(), ["old", "late", "young"]);
    world.params.history = Span { months: 12, seconds: 0 };
    assert_eq!(world.read().opened, 0);
}

#[test]
fn text_is_read_inside_its_window_only_and_a_wider_one_reads_it_again() {
    let mut world = World::new(&[""]);
    world.mail("cur", 10, "young:2,S");
    world.mail("cur", 200, "mid:2,S");
    world.mail("cur", 300, "old:2,S");
    let long = "x".repeat(3 * limits::HEADER_BYTES);
    let at = NOW - DAY;
    world.write(&format!("cur/{at}.long:2,S"), &format!("Message-ID: <long>\nDate: {at}\n\n{long}"));
    let seen = world.read();
    let words = |seen: &Seen, id: &str| {
        let mail = seen.mails.iter().find(|m| m.message_id == MessageId::new(id)).unwrap();
        mail.text.as_ref().map(|t| t.words)
    };
    assert_eq!(words(&seen, "old"), None);
    assert_eq!(words(&seen, "young"), Some(5));
    assert_eq!(words(&seen, "long"), Some(u32::try_from(long.len()).unwrap()));
    // twice the long one: its head first
    assert_eq!(seen.opened, 5);
    let seen = world.read_text_since(NOW - 250 * DAY);
    assert_eq!(seen.ids(), ["mid", "young", "long"]);
    assert_eq!(world.read_text_since(NOW - 250 * DAY).opened, 0);
    // without bodies no text at all, and asking for it later reads it
    world.store.clear();
    world.params.bodies = false;
    let seen = world.read();
    assert!(seen.mails.iter().all(|m| m.text.is_none()) && seen.opened == 4);
    world.params.bodies = true;
    assert_eq!(world.read().ids(), ["young", "long"]);
    // a change of role is told of every message
    world.params.sent = vec!["INBOX".into()];
    assert_eq!(world.read().mails.len(), 4);
}

#[test]
fn a_newer_reader_reads_the_window_again() {
    let mut world = World::new(&[""]);
    world.mail("cur", 10, "young:2,S");
    world.mail("cur", 300, "old:2,S");
    world.read();
    let key = (".".to_string(), 0);
    let cursors = vec![Cursor { place: ".".into(), part: 0, value: world.store[&key].clone() }];
    let mut known = Known::load(cursors);
    let older = State { reader: 0, ..known.state.unwrap() };
    let value = known.update(".", older, &[]).pop().unwrap().value;
    world.store.insert(key, value);
    assert_eq!(world.read().ids(), ["young"]);
    assert_eq!(world.read().opened, 0);
}

#[test]
fn the_fetcher_says_how_fresh_the_copy_is() {
    let mut world = World::new(&[""]);
    let state = world.dir.path().join("mbsync");
    fs::create_dir(&state).unwrap();
    world.params.sync_state = vec![format!("{}/*", state.display())];
    let seen = world.read();
    assert_eq!(seen.through().0, Timestamp::MIN);
    assert_eq!(seen.complaints.len(), 1);
    for (name, ago) in [("a", 5_000), ("b", 600), (".hidden", 1)] {
        fs::write(state.join(name), "").unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(NOW - ago).unwrap());
        fs::File::open(state.join(name)).unwrap().set_modified(time).unwrap();
    }
    assert_eq!(world.read().through().0.second(), NOW - 600);
    // the future is not covered
    world.now = NOW - 100_000;
    assert_eq!(world.read().through().0.second(), NOW - 100_000);
}

#[test]
fn nothing_in_the_maildir_is_touched() {
    let mut world = World::new(&["", ".Sent"]);
    world.mail("new", 1, "a");
    world.mail("cur", 2, "b:2,S");
    let tree = |world: &World| {
        let mut found = Vec::new();
        let mut open = vec![world.params.path.clone()];
        while let Some(path) = open.pop() {
            let meta = fs::metadata(&path).unwrap();
            found.push((path.clone(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec(), meta.len()));
            if meta.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            }
        }
        found.sort();
        found
    };
    let before = tree(&world);
    world.read();
    assert_eq!(tree(&world), before);
}

#[test]
fn links_in_circles_are_walked_once() {
    let mut world = World::new(&["INBOX", "Sent"]);
    world.mail("INBOX/cur", 1, "a:2,S");
    std::os::unix::fs::symlink(".", world.params.path.join("self")).unwrap();
    std::os::unix::fs::symlink("../INBOX", world.params.path.join("INBOX/again")).unwrap();
    std::os::unix::fs::symlink("INBOX", world.params.path.join("Mirror")).unwrap();
    let seen = world.read();
    assert_eq!(seen.ids(), ["a"]);
    assert_eq!(seen.through().1.len(), 2);
}
