//! Readings of a real Dovecot: what is new, and only that, is read; nothing is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(dead_code)]

#[path = "servers/bed.rs"]
mod bed;
#[path = "servers/certs.rs"]
mod certs;
#[path = "servers/cyrus.rs"]
mod cyrus;
#[path = "servers/dovecot.rs"]
mod dovecot;
#[path = "servers/proxy.rs"]
mod proxy;
#[path = "servers/raw.rs"]
mod raw;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bed::Bed;
use certs::Certs;
use cyrus::Cyrus;
use dovecot::{Dovecot, PASSWORD, Wishes};
use kithd::evidence::{Cursor, Level, Mail, Observation, Role};
use kithd::net::{Login, Proof, Secret, Security, Server};
use kithd::source::imap::{Account, Params};
use kithd::source::{Occasion, Report, Stopped};
use kithd::time::{DAY, Span, Timestamp, Zone};
use proxy::{Harm, Plan, Proxy, Way};
use raw::Raw;

struct Place {
    runtime: tokio::runtime::Runtime,
    account: Arc<Account>,
    cursors: BTreeMap<(String, u16), Vec<u8>>,
    mails: BTreeMap<String, Mail>,
}

/// What a reading said.
#[derive(Default, Debug)]
struct Said {
    mails: Vec<Mail>,
    complaints: Vec<String>,
    folders: Vec<(String, u64, Role)>,
    through: bool,
    failed: Option<(Level, String)>,
}

impl Said {
    fn subjects(&self) -> Vec<&str> {
        self.mails.iter().map(|m| m.subject.as_str()).collect()
    }
}

fn params(bed: &Bed, certs: &Certs, port: u16, security: Security) -> Params {
    let secret = bed.file("password", &format!("{PASSWORD}\n"));
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    Params {
        name: "work".into(),
        server: Server { host: "localhost".into(), port, security, ca_file: Some(certs.ca.clone()) },
        login: Login { username: "alex".into(), proof: Proof::Password(Secret::File(secret)) },
        folders: Vec::new(),
        sent: Vec::new(),
        history: Span::days(730),
        bodies: true,
    }
}

impl Place {
    fn new(params: Params) -> Place {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Place { runtime, account: Arc::new(Account::new(params)), cursors: BTreeMap::new(), mails: BTreeMap::new() }
    }

    fn read(&mut self, now: Timestamp) -> Said {
        self.read_until(now, usize::MAX)
    }

    fn read_until(&mut self, now: Timestamp, reports: usize) -> Said {
        let cursors = self.cursors.iter().map(|((place, part), value)| {
            let (place, part, value) = (place.clone(), *part, value.clone());
            Cursor { place, part, value }
        });
        let (cursors, account) = (cursors.collect(), Arc::clone(&self.account));
        let reading = move || {
            let (zone, mut heard) = (Zone::utc(), Vec::new());
            let occasion = Occasion { now, zone: &zone, text_since: now.minus(120 * DAY) };
            let _ = account.read(cursors, &occasion, &mut |report| {
                heard.push(report);
                if heard.len() > reports { Err(Stopped) } else { Ok(()) }
            });
            heard.truncate(reports);
            heard
        };
        let heard = self.runtime.block_on(async { tokio::task::spawn_blocking(reading).await.unwrap() });
        let mut said = Said::default();
        for report in heard {
            match report {
                Report::Batch(batch) => {
                    for observation in batch.observations {
                        if let Observation::Mail(mail) = observation {
                            self.mails.insert(mail.subject.clone(), mail.clone());
                            said.mails.push(mail);
                        }
                    }
                    said.complaints.extend(batch.complaints.into_iter().map(|c| format!("{}: {}", c.place, c.what)));
                    for c in batch.cursors {
                        self.cursors.insert((c.place, c.part), c.value);
                    }
                }
                Report::Through { folders, .. } => {
                    said.through = true;
                    said.folders = folders.into_iter().map(|f| (f.name, f.read, f.role)).collect();
                }
                Report::Failed { level, what } => said.failed = Some((level, what)),
            }
        }
        said
    }
}

fn message(subject: &str, at: Timestamp) -> String {
    let date = Zone::utc().local(at).strftime("%a, %d %b %Y %H:%M:%S +0000");
    format!(
        "From: Ada <ada@example.org>\nTo: alex@example.org\nSubject: {subject}\nDate: {date}\n\
         Message-ID: <{}@example.org>\n\nHello Alex,\n\ncould you send me the deck?\n",
        subject.replace(' ', ".")
    )
}

fn now() -> Timestamp {
    kithd::time::now()
}

#[test]
fn what_is_new_is_read_and_nothing_is_written() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let dovecot = Dovecot::start(&bed, &certs, &Wishes::default());
    let mut raw = Raw::login(dovecot.imap, "alex");
    let now = now();
    raw.append("INBOX", "", &message("one", now.minus(2 * DAY)));
    raw.append("INBOX", "\\Flagged", &message("two", now.minus(DAY)));
    raw.append("Sent", "\\Seen", &message("sent", now));
    raw.append("Junk", "", &message("junk", now));
    raw.append("Drafts", "\\Draft", &message("draft", now));
    raw.ask("CREATE \"Entw&APw-rfe f&APw-r alle\"");
    raw.append("Entw&APw-rfe f&APw-r alle", "", &message("folder", now));

    let mut place = Place::new(params(&bed, &certs, dovecot.imaps, Security::Tls));
    let said = place.read(now);
    assert_eq!(said.failed, None);
    assert_eq!(said.subjects(), ["one", "two", "sent", "folder"]);
    assert!(said.mails.iter().all(|m| m.text.is_some()));
    assert!(place.mails["sent"].lies_in_sent() && !place.mails["one"].lies_in_sent());
    let expected = [
        ("INBOX", 2, Role::Inbox),
        ("Sent", 1, Role::Sent),
        ("Archive", 0, Role::Other),
        ("Entwürfe für alle", 1, Role::Other),
    ];
    assert_eq!(said.folders, expected.map(|(name, read, role)| (name.to_string(), read, role)));

    assert!(place.read(now).mails.is_empty());
    raw.append("INBOX", "", &message("three", now));
    assert_eq!(place.read(now).subjects(), ["three"]);

    // unread is still unread, and nobody has answered anything
    let flags: Vec<String> = raw.messages("INBOX").into_iter().map(|(flags, _)| flags).collect();
    assert!(flags.iter().all(|f| !f.contains("Seen")), "{flags:?}");

    // another UIDVALIDITY (the second of its making): everything is read again, and is the same
    std::thread::sleep(Duration::from_millis(1_100));
    let before = place.mails.clone();
    for file in std::fs::read_dir(dovecot.maildir("alex", "INBOX")).unwrap().flatten() {
        let name = file.file_name().to_string_lossy().to_string();
        if name.starts_with("dovecot") && !name.starts_with("dovecot.list") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    let mut place2 = Place::new(params(&bed, &certs, dovecot.imap, Security::StartTls));
    place2.cursors.clone_from(&place.cursors);
    let said = place2.read(now);
    assert_eq!((said.subjects().len(), said.failed), (3, None));
    assert!(place2.mails.iter().all(|(subject, mail)| before[subject] == *mail));

    // renamed: read under its new name
    raw.ask("RENAME \"Entw&APw-rfe f&APw-r alle\" \"Alle\"");
    let said = place2.read(now);
    assert_eq!(said.subjects(), ["folder"], "{said:?}");
    assert!(place2.read(now).mails.is_empty());
}

#[test]
fn cyrus_is_read_as_well() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let cyrus = Cyrus::start(&bed, &certs, &["alex"]);
    let mut raw = Raw::login(cyrus.imap, "alex");
    let now = now();
    raw.append("Sent", "\\Seen", &message("sent", now));
    (0..40).for_each(|n| raw.append("INBOX", "", &message(&format!("m{n}"), now.minus(n * 10 * DAY))));
    let mut place = Place::new(params(&bed, &certs, cyrus.imaps, Security::Tls));
    let said = place.read(now);
    assert_eq!((said.failed, place.mails.len()), (None, 41));
    // all of it arrived today, and of what was written long ago the header is enough
    assert_eq!(place.mails.values().filter(|m| m.text.is_some()).count(), 14);
    assert!(place.mails["sent"].lies_in_sent(), "{:?}", said.folders);
    assert!(place.read(now).mails.is_empty());
    raw.append("INBOX", "", &message("new", now));
    assert_eq!(place.read(now).subjects(), ["new"]);
    assert!(raw.messages("INBOX").iter().all(|(flags, _)| !flags.contains("Seen")));
}

#[test]
fn news_comes_by_idle() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let dovecot = Dovecot::start(&bed, &certs, &Wishes::default());
    let place = Place::new(params(&bed, &certs, dovecot.imaps, Security::Tls));
    let (sender, receiver) = std::sync::mpsc::channel();
    let account = Arc::clone(&place.account);
    place.runtime.spawn(async move { account.watch(move || sender.send(()).unwrap()).await });
    receiver.recv_timeout(Duration::from_secs(120)).unwrap();
    let mut raw = Raw::login(dovecot.imap, "alex");
    let begun = Instant::now();
    raw.append("INBOX", "", &message("news", now()));
    receiver.recv_timeout(Duration::from_secs(120)).unwrap();
    eprintln!("told after {:?}", begun.elapsed());
    let checked = place.runtime.block_on(place.account.check()).unwrap();
    assert_eq!((checked.sent.as_slice(), checked.idle, checked.condstore), (&["Sent".to_string()][..], true, true));
}

#[test]
fn a_reading_goes_on_wherever_it_was_cut() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let dovecot = Dovecot::start(&bed, &certs, &Wishes::default());
    let mut raw = Raw::login(dovecot.imap, "alex");
    let now = now();
    (0..150).for_each(|n| raw.append("INBOX", "", &message(&format!("m{n}"), now.minus(n * DAY))));
    let proxy = Proxy::start(dovecot.imap);
    // a server on this machine, so that the proxy sees what passes
    let plain = |port| params(&bed, &certs, port, Security::None);
    let mut whole = Place::new(plain(proxy.port));
    assert_eq!(whole.read(now).failed, None);
    let (_, bytes) = proxy.passed();
    for step in 0..12 {
        let mut place = Place::new(plain(proxy.port));
        // both connections of the reading end there
        proxy.harm(Plan { way: Way::ToClient, after: bytes * step / 12, harm: Harm::Close, times: 2 });
        let said = place.read(now);
        let failed = said.failed.map(|(level, what)| (level, what.contains("`work`")));
        assert_eq!(failed.unwrap_or((Level::Wait, true)), (Level::Wait, true), "{step}");
        proxy.harm(Plan { way: Way::ToClient, after: u64::MAX, harm: Harm::Close, times: 1 });
        let said = place.read(now);
        assert_eq!((said.failed, said.through), (None, true));
        assert_eq!(place.mails, whole.mails, "{step}");
        // and where nobody listens any more
        let mut place = Place::new(plain(dovecot.imap));
        place.read_until(now, usize::try_from(step % 3).unwrap());
        place.read(now);
        assert_eq!(place.mails, whole.mails, "{step}");
    }
}
