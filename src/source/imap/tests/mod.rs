//! Whole readings against a small server on loopback with the quirks of large ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, clippy::string_slice)]

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use self::server::{Deadly, Server, mail};
use super::cursor::State;
use super::*;
use crate::evidence::{Complaint, Folder, Observation};
use crate::net::{Proof, Secret, Security};
use crate::source::Report;
use crate::time::{DAY, Timestamp, Zone};

const NOW: Timestamp = Timestamp::from_second(1_780_000_000);

/// What stays of readings: the store's part.
#[derive(Default)]
struct Kept {
    cursors: BTreeMap<(String, u16), Vec<u8>>,
    /// Subject to the roles it was seen in, and whether its text was read.
    mails: BTreeMap<String, (BTreeSet<Role>, bool)>,
}

/// What one reading said.
#[derive(Default, Debug)]
struct Said {
    /// Subjects in the order in which they came.
    subjects: Vec<String>,
    complaints: Vec<Complaint>,
    folders: Vec<Folder>,
    sent_found: Option<bool>,
    failed: Option<(Level, String)>,
}

fn params(port: u16) -> Params {
    let server = crate::net::Server { host: "127.0.0.1".into(), port, security: Security::None, ca_file: None };
    let password = Secret::Command(vec!["echo".into(), "secret".into()]);
    Params {
        name: "work".into(),
        server,
        login: Login { username: "alex".into(), proof: Proof::Password(password) },
        folders: Vec::new(),
        sent: Vec::new(),
        history: Span::days(730),
        bodies: true,
    }
}

struct Reader {
    runtime: tokio::runtime::Runtime,
    account: Arc<Account>,
}

impl Reader {
    fn new(server: &Server) -> Reader {
        Reader::with(params(server.port))
    }

    fn with(params: Params) -> Reader {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Reader { runtime, account: Arc::new(Account::new(params)) }
    }

    fn read(&self, kept: &mut Kept) -> Said {
        self.read_until(kept, usize::MAX)
    }

    /// Nobody listens after so many reports.
    fn read_until(&self, kept: &mut Kept, reports: usize) -> Said {
        let cursors = kept.cursors.iter().map(|((place, part), value)| Cursor {
            place: place.clone(),
            part: *part,
            value: value.clone(),
        });
        let (cursors, account) = (cursors.collect(), Arc::clone(&self.account));
        let heard = self.runtime.block_on(async move {
            let reading = move || {
                let zone = Zone::utc();
                let occasion = Occasion { now: NOW, zone: &zone, text_since: NOW.minus(limits::TEXT_WINDOW) };
                let mut heard = Vec::new();
                let _ = account.read(cursors, &occasion, &mut |report| {
                    if heard.len() >= reports {
                        return Err(Stopped);
                    }
                    heard.push(report);
                    Ok(())
                });
                heard
            };
            tokio::task::spawn_blocking(reading).await.unwrap()
        });
        heard.into_iter().fold(Said::default(), |mut said, report| {
            kept.take(report, &mut said);
            said
        })
    }
}

impl Kept {
    fn take(&mut self, report: Report, said: &mut Said) {
        match report {
            Report::Batch(batch) => {
                for observation in batch.observations {
                    let Observation::Mail(mail) = observation else { continue };
                    said.subjects.push(mail.subject.clone());
                    let known = self.mails.entry(mail.subject.clone()).or_default();
                    known.0.extend(mail.places.iter().map(|p| p.role));
                    known.1 |= mail.text.is_some();
                }
                said.complaints.extend(batch.complaints);
                for c in batch.cursors {
                    if c.value.is_empty() {
                        self.cursors.remove(&(c.place, c.part));
                    } else {
                        self.cursors.insert((c.place, c.part), c.value);
                    }
                }
            }
            Report::Through { folders, sent_found, until } => {
                assert_eq!(until, NOW);
                (said.folders, said.sent_found) = (folders, Some(sent_found));
            }
            Report::Failed { level, what } => said.failed = Some((level, what)),
        }
    }

    fn state(&self, place: &str) -> Option<State> {
        let value = self.cursors.get(&(place.to_string(), 0))?.clone();
        State::load(&Cursor { place: place.to_string(), part: 0, value })
    }
}

fn sorted(subjects: &[String]) -> Vec<&str> {
    let mut all: Vec<&str> = subjects.iter().map(String::as_str).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_first_reading_takes_the_history_newest_first_and_the_text_of_its_window() {
    let server = Server::start();
    server.with(|world| {
        for (n, days) in [(1, 900), (2, 700), (3, 200), (4, 50), (5, 1)] {
            world.put("INBOX", mail(&format!("i{n}"), NOW.minus(days * DAY)));
        }
        world.put("Sent", mail("s1", NOW.minus(2 * DAY)));
        world.put("Junk", mail("j1", NOW));
        world.put("Drafts", mail("d1", NOW));
        world.put("Entw&APw-rfe", mail("e1", NOW));
        world.put("B&APY-rse", mail("b1", NOW));
        let draft = world.put("B&APY-rse", mail("b2", NOW));
        world.boxes.get_mut("B&APY-rse").unwrap().mails.get_mut(&draft).unwrap().flags = "\\Draft".into();
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    let said = reader.read(&mut kept);
    assert_eq!(said.failed, None);
    assert_eq!(said.subjects, ["i4", "i5", "i2", "i3", "s1", "b1"]);
    let text: Vec<&str> = kept.mails.iter().filter(|(_, (_, text))| *text).map(|(s, _)| s.as_str()).collect();
    assert_eq!(text, ["b1", "i4", "i5", "s1"]);
    assert_eq!(kept.mails["s1"].0, [Role::Sent].into());
    assert_eq!(said.sent_found, Some(true));
    let folders: Vec<_> = said.folders.iter().map(|f| (f.name.as_str(), f.read, f.role)).collect();
    assert_eq!(folders, [("INBOX", 4, Role::Inbox), ("Sent", 1, Role::Sent), ("Börse", 1, Role::Other)]);
}

#[test]
fn later_readings_ask_once_and_fetch_only_what_is_new() {
    let server = Server::start();
    server.with(|world| {
        (0..300).for_each(|n| world.add("INBOX", mail(&format!("i{n}"), NOW.minus(n * DAY))));
        world.put("Sent", mail("s1", NOW));
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    assert_eq!(reader.read(&mut kept).subjects.len(), 301);
    server.with(|world| world.log.clear());
    assert!(reader.read(&mut kept).subjects.is_empty());
    // one LIST with STATUS, on the same connection; the folder that is open is looked at by opening it
    let asked = server.with(|world| std::mem::take(&mut world.log));
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].starts_with("LIST") && asked[1].starts_with("EXAMINE"), "{asked:?}");
    server.with(|world| world.put("INBOX", mail("new", NOW)));
    assert_eq!(reader.read(&mut kept).subjects, ["new"]);
    let asked = server.with(|world| std::mem::take(&mut world.log));
    assert_eq!(asked.iter().filter(|c| c.starts_with("UID FETCH")).count(), 1, "{asked:?}");
    // a server without LIST-STATUS is asked folder by folder
    server.with(|world| world.capabilities = "IMAP4rev1 IDLE".into());
    let reader = Reader::new(&server);
    assert!(reader.read(&mut kept).subjects.is_empty());
    let asked = server.with(|world| std::mem::take(&mut world.log));
    assert!(asked.iter().all(|c| !c.starts_with("UID FETCH") && !c.starts_with("EXAMINE")), "{asked:?}");
}

#[test]
fn a_mailbox_without_uidnext_is_read_all_the_same() {
    let server = Server::start();
    server.with(|world| {
        world.quirks.no_uid_next = true;
        (0..30).for_each(|n| world.add("INBOX", mail(&format!("i{n}"), NOW.minus(n * DAY))));
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    assert_eq!(reader.read(&mut kept).subjects.len(), 30);
    // `n:*` answers with the last message, which is known
    assert!(reader.read(&mut kept).subjects.is_empty());
    server.with(|world| world.put("INBOX", mail("new", NOW)));
    assert_eq!(reader.read(&mut kept).subjects, ["new"]);
}

#[test]
fn a_mailbox_that_was_made_anew_is_read_again() {
    let server = Server::start();
    server.with(|world| (0..5).for_each(|n| world.add("INBOX", mail(&format!("i{n}"), NOW))));
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    assert_eq!(reader.read(&mut kept).subjects.len(), 5);
    // another UIDVALIDITY
    server.with(|world| world.boxes.get_mut("INBOX").unwrap().validity += 1);
    assert_eq!(reader.read(&mut kept).subjects.len(), 5);
    // the same, and UIDNEXT fell
    server.with(|world| {
        let inbox = world.boxes.get_mut("INBOX").unwrap();
        inbox.mails = (1..).zip(std::mem::take(&mut inbox.mails).into_values().take(3)).collect();
        inbox.next = 4;
    });
    assert_eq!(reader.read(&mut kept).subjects.len(), 3);
    assert!(reader.read(&mut kept).subjects.is_empty());
    assert_eq!(kept.state("INBOX").unwrap().read, 3);
}

#[test]
fn a_mailbox_made_anew_while_it_is_read_is_begun_again() {
    let server = Server::start();
    server.with(|world| {
        (0..60).for_each(|n| world.add("INBOX", mail(&format!("i{n}"), NOW)));
        world.quirks.anew_after = Some(70);
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    let said = reader.read(&mut kept);
    assert_eq!(said.failed, None);
    assert_eq!(said.sent_found, Some(true));
    assert_eq!(kept.mails.len(), 60);
    assert_eq!(kept.state("INBOX").unwrap().validity, 8);
}

#[test]
fn folders_come_and_go() {
    let server = Server::start();
    server.with(|world| world.put("Clients/Acme", mail("a", NOW)));
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    assert_eq!(reader.read(&mut kept).subjects, ["a"]);
    // renamed: read again under its new name, and the old cursor goes
    server.with(|world| {
        let folder = world.boxes.remove("Clients/Acme").unwrap();
        world.boxes.insert("Old/Acme".into(), folder);
    });
    let said = reader.read(&mut kept);
    assert_eq!((said.subjects.as_slice(), said.failed), (&["a".to_string()][..], None));
    assert!(kept.state("Clients/Acme").is_none() && kept.state("Old/Acme").is_some());
    // gone, after it was listed
    server.with(|world| {
        world.put("Old/Acme", mail("b", NOW));
        world.quirks.vanishing.insert("Old/Acme".into());
    });
    let said = reader.read(&mut kept);
    assert_eq!((said.failed, said.sent_found), (None, Some(true)));
    assert!(kept.state("Old/Acme").is_none());
    assert_eq!(said.folders.len(), 2);
}

#[test]
fn a_folder_that_cannot_be_opened_stops_no_other() {
    let server = Server::start();
    server.with(|world| {
        world.put("INBOX", mail("i", NOW));
        world.put("Other Users/Bea", mail("b", NOW));
        world.put("Zoo", mail("z", NOW));
        world.quirks.closed.insert("Other Users/Bea".into());
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    // nobody knows that it holds any mail: no more than a complaint
    let said = reader.read(&mut kept);
    assert_eq!(said.subjects, ["i", "z"]);
    assert_eq!((said.failed, said.sent_found), (None, Some(true)));
    assert!(said.complaints[0].what.contains("Other Users/Bea"), "{:?}", said.complaints);
    // what was read before is missing now
    server.with(|world| world.quirks.closed = [String::from("Zoo")].into());
    assert_eq!(reader.read(&mut kept).subjects, ["b"]);
    server.with(|world| world.put("Zoo", mail("z2", NOW)));
    let said = reader.read(&mut kept);
    let (level, what) = said.failed.unwrap();
    assert_eq!((level, said.sent_found), (Level::Wait, None));
    assert!(what.contains("Zoo") && what.contains("`work`"), "{what}");
    assert!(kept.state("Zoo").is_some());
    server.with(|world| world.quirks.closed.clear());
    assert_eq!(reader.read(&mut kept).subjects, ["z2"]);
}

#[test]
fn a_message_the_server_cannot_give_is_named_and_left_out() {
    let server = Server::start();
    server.with(|world| {
        (0..250).for_each(|n| world.add("INBOX", mail(&format!("i{n:03}"), NOW)));
        world.quirks.broken.extend([7, 119]);
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    let said = reader.read(&mut kept);
    assert_eq!(said.failed, None);
    assert_eq!(kept.mails.len(), 248);
    let named: Vec<&str> = said.complaints.iter().map(|c| c.place.as_str()).collect();
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), ["INBOX UID 119", "INBOX UID 7"].into());
    assert!(reader.read(&mut kept).subjects.is_empty());
    // a server that gives nothing at all is another matter
    server.with(|world| {
        world.quirks.mute = true;
        world.put("INBOX", mail("new", NOW));
    });
    assert!(matches!(reader.read(&mut kept).failed, Some((Level::Wait, _))));
    server.with(|world| world.quirks.mute = false);
    assert_eq!(reader.read(&mut kept).subjects, ["new"]);
}

#[test]
fn a_message_that_ends_each_connection_is_found_and_gone_around() {
    let server = Server::start();
    server.with(|world| {
        (0..150).for_each(|n| world.add("INBOX", mail(&format!("i{n:03}"), NOW)));
        (0..150).for_each(|n| world.add("INBOX", mail(&format!("o{n:03}"), NOW.minus(400 * DAY))));
        world.quirks.deadly = [(70, Deadly::Text)].into();
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    let said = reader.read(&mut kept);
    assert_eq!((said.failed, kept.mails.len()), (None, 300));
    // the header of that one is read
    assert!(!kept.mails["i069"].1 && kept.mails["i068"].1 && kept.mails["i070"].1);
    assert_eq!(said.complaints.iter().map(|c| c.place.as_str()).collect::<Vec<_>>(), ["INBOX UID 70"]);
    // where its header ends the connection as well it is left out
    for uid in [70, 170] {
        server.with(|world| world.quirks.deadly = [(uid, Deadly::Header)].into());
        let (reader, mut kept) = (Reader::new(&server), Kept::default());
        let said = reader.read(&mut kept);
        assert_eq!((said.failed, kept.mails.len()), (None, 299), "{uid}");
        assert!(said.complaints.iter().any(|c| c.place == format!("INBOX UID {uid}")), "{uid}");
    }
}

#[test]
fn text_that_is_wanted_later_is_read_then() {
    let server = Server::start();
    server.with(|world| (0..30).for_each(|n| world.add("INBOX", mail(&format!("i{n}"), NOW.minus(n * 10 * DAY)))));
    let mut kept = Kept::default();
    let headers_only = Params { bodies: false, ..params(server.port) };
    Reader::with(headers_only).read(&mut kept);
    assert!(kept.mails.len() == 30 && kept.mails.values().all(|(_, text)| !text));
    server.with(|world| world.log.clear());
    let said = Reader::new(&server).read(&mut kept);
    assert_eq!((said.subjects.len(), said.failed), (13, None));
    assert_eq!(kept.mails.values().filter(|(_, text)| *text).count(), 13);
    // a shorter history changes nothing, a longer one reads all of it
    let said = Reader::with(Params { history: Span::days(100), ..params(server.port) }).read(&mut kept);
    assert!(said.subjects.is_empty());
    let said = Reader::with(Params { history: Span::days(900), ..params(server.port) }).read(&mut kept);
    assert_eq!(said.subjects.len(), 30);
}

#[test]
fn gmail_is_read_in_one_place_and_its_labels_tell_the_roles() {
    let server = Server::start();
    server.with(|world| {
        world.capabilities = "IMAP4rev1 IDLE X-GM-EXT-1 SPECIAL-USE LIST-STATUS LIST-EXTENDED".into();
        world.boxes.clear();
        for (name, attributes) in [
            ("INBOX", ""),
            ("[Gmail]", "\\Noselect"),
            ("[Gmail]/All Mail", "\\All"),
            ("[Gmail]/Sent Mail", "\\Sent"),
            ("[Gmail]/Drafts", "\\Drafts"),
        ] {
            world.make(name, attributes);
        }
        for (subject, labels) in [("a", "\\Inbox"), ("b", "\\Sent"), ("c", "Clients"), ("d", "\\Draft")] {
            let uid = world.put("[Gmail]/All Mail", mail(subject, NOW));
            let all = world.boxes.get_mut("[Gmail]/All Mail").unwrap();
            all.mails.get_mut(&uid).unwrap().labels = labels.into();
        }
        world.put("INBOX", mail("a", NOW));
        world.put("[Gmail]/Sent Mail", mail("b", NOW));
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    let said = reader.read(&mut kept);
    assert_eq!((sorted(&said.subjects), said.sent_found), (vec!["a", "b", "c"], Some(true)));
    assert_eq!(kept.mails["b"].0, [Role::Sent].into());
    assert_eq!(kept.mails["a"].0, [Role::Inbox].into());
    assert_eq!(kept.mails["c"].0, [Role::Other].into());
}

#[test]
fn a_connection_that_died_meanwhile_is_replaced_once() {
    let server = Server::start();
    server.with(|world| (0..3).for_each(|n| world.add("INBOX", mail(&format!("i{n}"), NOW))));
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    assert_eq!(reader.read(&mut kept).subjects.len(), 3);
    server.hang_up();
    server.with(|world| world.put("INBOX", mail("new", NOW)));
    let said = reader.read(&mut kept);
    assert_eq!((said.subjects, said.failed), (vec!["new".to_string()], None));
    // it dies each time
    server.with(|world| {
        (0..50).for_each(|n| world.add("INBOX", mail(&format!("n{n}"), NOW)));
        world.quirks.cut_after = vec![0, 0, 0];
    });
    let said = reader.read(&mut kept);
    let (level, what) = said.failed.unwrap();
    assert_eq!(level, Level::Wait);
    assert!(what.contains("work"), "{what}");
    assert_eq!(server.with(|world| world.quirks.cut_after.len()), 1);
}

#[test]
fn a_mailbox_that_moved_lately_gives_no_old_text() {
    let server = Server::start();
    server.with(|world| {
        for n in 0..40 {
            // all of it arrived here today
            let uid = world.put("INBOX", mail(&format!("i{n}"), NOW.minus(n * 10 * DAY)));
            world.boxes.get_mut("INBOX").unwrap().mails.get_mut(&uid).unwrap().arrived_at = NOW;
        }
    });
    let (reader, mut kept) = (Reader::new(&server), Kept::default());
    reader.read(&mut kept);
    assert_eq!(kept.mails.len(), 40);
    assert_eq!(kept.mails.values().filter(|(_, text)| *text).count(), 13);
    let asked = server.with(|world| world.log.join("\n"));
    assert_eq!(asked.matches("BODY.PEEK[]").count(), 1, "{asked}");
}

#[test]
fn news_is_told_at_once_and_where_there_is_no_idle_that_is_said() {
    let server = Server::start();
    let reader = Reader::new(&server);
    let (sender, receiver) = std::sync::mpsc::channel();
    let account = Arc::clone(&reader.account);
    let watching = reader.runtime.spawn(async move { account.watch(move || sender.send(()).unwrap()).await });
    let wait = std::time::Duration::from_secs(10);
    // once when it begins
    receiver.recv_timeout(wait).unwrap();
    server.with(|world| world.put("INBOX", mail("new", NOW)));
    receiver.recv_timeout(wait).unwrap();
    server.hang_up();
    let trouble = reader.runtime.block_on(watching).unwrap();
    assert!(trouble.level < Level::Stop && trouble.what.contains("`work`"), "{trouble:?}");

    server.with(|world| world.capabilities = "IMAP4rev1".into());
    let trouble = reader.runtime.block_on(reader.account.watch(|| panic!("there is no news")));
    assert!(trouble.level == Level::Stop && trouble.what.contains("IDLE"), "{trouble:?}");
}

#[test]
fn an_account_is_checked_without_being_read() {
    let server = Server::start();
    let reader = Reader::new(&server);
    let checked = reader.runtime.block_on(reader.account.check()).unwrap();
    assert_eq!(checked.folders, ["INBOX", "Sent"]);
    assert_eq!((checked.sent, checked.sent_found), (vec!["Sent".to_string()], true));
    assert!(checked.idle && !checked.condstore && checked.listed == 4);
    let named = Reader::with(Params { folders: vec!["INBOX".into(), "Clints".into()], ..params(server.port) });
    assert_eq!(named.runtime.block_on(named.account.check()).unwrap().missing, ["Clints"]);
    let closed = Reader::with(params(1));
    let trouble = closed.runtime.block_on(closed.account.check()).unwrap_err();
    assert!(trouble.what.contains("127.0.0.1:1"), "{trouble:?}");
}

#[derive(Clone, Debug)]
enum Step {
    Arrive(u8, u16),
    Expunge(usize),
    Anew,
    /// Read; killed after so many reports, cut off after so many rows.
    Read(usize, Vec<usize>),
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_cut_off_nothing_is_lost(steps in proptest::collection::vec(prop_oneof![
        (1_u8..120, 0_u16..800).prop_map(|(n, days)| Step::Arrive(n, days)),
        (0_usize..5).prop_map(Step::Expunge),
        Just(Step::Anew),
        (0_usize..4, proptest::collection::vec(0_usize..150, 0..2)).prop_map(|(n, cuts)| Step::Read(n, cuts)),
    ], 1..8)) {
        let server = Server::start();
        let (reader, mut kept, mut made) = (Reader::new(&server), Kept::default(), 0);
        for step in steps {
            match step {
                Step::Arrive(count, days) => server.with(|world| {
                    for n in 0..count {
                        let at = NOW.minus(i64::from(days) * DAY + i64::from(n) * DAY);
                        world.put("INBOX", mail(&format!("m{made}"), at));
                        made += 1;
                    }
                }),
                Step::Expunge(nth) => server.with(|world| {
                    let inbox = world.boxes.get_mut("INBOX").unwrap();
                    let gone: BTreeSet<u32> = inbox.mails.keys().copied().step_by(nth + 2).collect();
                    inbox.mails.retain(|uid, _| !gone.contains(uid));
                }),
                Step::Anew => server.with(|world| world.boxes.get_mut("INBOX").unwrap().renew()),
                Step::Read(reports, cuts) => {
                    server.with(|world| world.quirks.cut_after = cuts);
                    reader.read_until(&mut kept, reports);
                    holds(&server, &kept);
                }
            }
        }
        server.with(|world| world.quirks.cut_after.clear());
        let said = reader.read(&mut kept);
        prop_assert_eq!(said.failed, None);
        holds(&server, &kept);
        let state = kept.state("INBOX").unwrap();
        prop_assert_eq!(state.low, 1);
        prop_assert_eq!(state.next, server.with(|world| world.boxes["INBOX"].next));
        prop_assert!(reader.read(&mut kept).subjects.is_empty());
    }
}

/// The cursor is not ahead of the evidence.
fn holds(server: &Server, kept: &Kept) {
    let Some(state) = kept.state("INBOX") else { return };
    server.with(|world| {
        let inbox = &world.boxes["INBOX"];
        if inbox.validity != state.validity {
            return;
        }
        for (uid, mail) in inbox.mails.range(state.low..state.next) {
            if mail.written_at > NOW.minus(729 * DAY) {
                assert!(kept.mails.contains_key(&mail.subject), "{uid} was not read: {state:?}");
            }
        }
    });
}
