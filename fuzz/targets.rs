//! What is fed with arbitrary bytes: one function a target, used by cargo-fuzz (`fuzz_targets/`) and by
//! the short form on stable (`tests/promises/fuzz.rs`). A panic, an abort or a hang is the finding.

use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use kithd::config::Surroundings;
use kithd::control::Call;
use kithd::delivery::smtp;
use kithd::evidence::{Envelope, MessageId, ReminderId, Role, Showing, Speaker};
use kithd::imap::{Items, MailboxName, UidSet};
use kithd::net::token::Credentials;
use kithd::net::{Login, Proof, Secret, Security, Server};
use kithd::outbox::verbs::read_answer;
use kithd::read::calendar::{CalendarContext, read_calendar};
use kithd::read::cards::read_cards;
use kithd::read::html::read_html;
use kithd::read::mail::{MailContext, read_message};
use kithd::store::{Store, restore};
use kithd::time::{DAY, Hours, Timestamp, Zone};

/// Name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("mail", mail),
    ("calendar", calendar),
    ("card", card),
    ("html", html),
    ("answer", answer),
    ("control", control),
    ("config", config),
    ("backup", backup),
    ("journal", journal),
    ("imap", imap),
    ("smtp", smtp),
];

const NOW: Timestamp = Timestamp::from_second(1_780_000_000);

pub fn mail(bytes: &[u8]) {
    let zone = Zone::utc();
    let context = MailContext {
        source: "m",
        place: "p",
        role: Role::Inbox,
        arrived_at: NOW,
        now: NOW,
        text_since: NOW.minus(1_000 * DAY),
        zone: &zone,
    };
    if let Ok(message) = read_message(bytes, &context) {
        let again = read_message(bytes, &context).expect("it was readable");
        assert_eq!(message.mail.id, again.mail.id, "an id depends on the bytes alone");
        for complaint in &message.complaints {
            assert!(!complaint.what.contains(char::is_control), "{}", complaint.what);
        }
    }
}

pub fn calendar(bytes: &[u8]) {
    let zone = Zone::named("Europe/Berlin").expect("a zone");
    let context = CalendarContext {
        source: "c",
        place: "p",
        speaker: Speaker::Feed("c".to_string()),
        read_at: NOW,
        from: NOW.minus(366 * DAY),
        until: NOW.plus(180 * DAY),
        zone: &zone,
    };
    let mut count = 0_u64;
    let reading = read_calendar(BufReader::new(Cursor::new(bytes)), &context, &mut |_| count += 1);
    assert_eq!(reading.instances, count);
}

pub fn card(bytes: &[u8]) {
    let (cards, _) = read_cards(bytes, "s", "p", NOW);
    assert!(cards.iter().all(|c| c.addresses.len() <= kithd::limits::CARD_ADDRESSES));
}

pub fn html(bytes: &[u8]) {
    let _ = read_html(&String::from_utf8_lossy(bytes));
}

pub fn answer(bytes: &[u8]) {
    let hours = Hours {
        zone: Zone::utc(),
        days: [true, true, true, true, true, false, false],
        opens: 480,
        closes: 1080,
        holidays: Default::default(),
    };
    let _ = read_answer(&String::from_utf8_lossy(bytes), &["mentor", "friend"], &hours, NOW);
}

pub fn control(bytes: &[u8]) {
    let Ok(frame) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let method = frame.get("method").and_then(|m| m.as_str()).unwrap_or_default();
    if let Err(fault) = Call::read(method, frame.get("params").cloned()) {
        assert!(!fault.message.contains(char::is_control), "{}", fault.message);
    }
}

pub fn config(bytes: &[u8]) {
    let surroundings = Surroundings::of(|_| None, false, Zone::utc());
    let text = String::from_utf8_lossy(bytes);
    if let Err(errors) = kithd::config::read(&text, Path::new("config.toml"), &surroundings) {
        assert!(!errors.to_string().is_empty());
    }
}

/// The values of a store, as its backup holds them.
pub fn backup(bytes: &[u8]) {
    let dir = folder();
    let file = dir.path().join("backup");
    std::fs::write(&file, bytes).expect("a file");
    if restore(&file, &dir.path().join("state"), NOW).is_ok() {
        Store::open(&dir.path().join("state"), NOW).expect("what was restored opens");
    }
}

/// The journal of a store whose trees are gone.
pub fn journal(bytes: &[u8]) {
    let dir = folder();
    std::fs::write(dir.path().join("journal"), bytes).expect("a file");
    drop(Store::open(dir.path(), NOW).expect("a store opens whatever its journal says"));
    let opened = Store::open(dir.path(), NOW).expect("and opens again");
    assert!(opened.rebuilt.is_none(), "it is told once: {:?}", opened.rebuilt);
}

fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("kithd-fuzz-").tempdir_in(place).expect("a folder")
}

/// A server that says the next bytes at each line it is told, and then goes away. `%` is the tag.
struct Fake {
    port: u16,
    say: Mutex<mpsc::Sender<Vec<u8>>>,
}

impl Fake {
    fn start() -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (say, heard) = mpsc::channel::<Vec<u8>>();
        std::thread::spawn(move || {
            while let Ok(bytes) = heard.recv() {
                if let Ok((stream, _)) = listener.accept() {
                    let _ = speak(stream, &bytes);
                }
            }
        });
        Fake { port, say: Mutex::new(say) }
    }

    fn server(&self, bytes: &[u8]) -> Server {
        self.say.lock().expect("one at a time").send(bytes.to_vec()).expect("it listens");
        Server { host: "127.0.0.1".to_string(), port: self.port, security: Security::None, ca_file: None }
    }
}

/// Turns are separated by a NUL.
fn speak(mut stream: TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(60)))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut turns = bytes.split(|b| *b == 0);
    stream.write_all(turns.next().unwrap_or_default())?;
    for turn in turns {
        let mut line = Vec::new();
        if reader.by_ref().take(1 << 16).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let tag: Vec<u8> = line.split(|b| *b == b' ').next().unwrap_or_default().to_vec();
        let mut said = Vec::new();
        for byte in turn {
            if *byte == b'%' { said.extend_from_slice(&tag) } else { said.push(*byte) }
        }
        stream.write_all(&said)?;
    }
    Ok(())
}

static FAKE: LazyLock<Mutex<Fake>> = LazyLock::new(|| Mutex::new(Fake::start()));

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // a server that ends its talk never keeps a client longer than this
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), future).await.expect("a hang") })
}

/// The IMAP wire: login, LIST, EXAMINE, SEARCH, FETCH.
pub fn imap(bytes: &[u8]) {
    let fake = FAKE.lock().expect("one at a time");
    let server = fake.server(bytes);
    run(async {
        let login = Login { username: "alex".to_string(), proof: Proof::Password(Secret::Env("HOME".to_string())) };
        let Ok(mut session) = kithd::imap::connect(&server, &Credentials::new(&login)).await else { return };
        let _ = session.list(true).await;
        let _ = session.examine(&MailboxName::from_text("INBOX")).await;
        let _ = session.uid_search("ALL").await;
        let items = Items { flags: true, internal_date: true, message: Some(4096), ..Items::default() };
        let mut rows = session.uid_fetch(vec![UidSet::range(1, 9)], items);
        for _ in 0..1000 {
            if !matches!(rows.next().await, Ok(Some(_))) {
                break;
            }
        }
    });
}

/// Replies of an SMTP server.
pub fn smtp(bytes: &[u8]) {
    let fake = FAKE.lock().expect("one at a time");
    let params = smtp::Params { server: fake.server(bytes), credentials: None };
    let _ = run(smtp::deliver(&params, &envelope("f@kithd.local")));
}

/// A reminder to hand in.
pub fn envelope(id: &str) -> Envelope {
    Envelope {
        showing: Showing { reminder: ReminderId::of("a", "b", "c", 1), number: 1 },
        message_id: MessageId::new(id).expect("an id"),
        from: kithd::address::Address::parse("kithd <alex@localhost>").expect("an address"),
        to: kithd::address::Address::parse("alex@localhost").expect("an address"),
        date: NOW,
        subject: "s".into(),
        in_reply_to: None,
        references: Vec::new(),
        headers: Vec::new(),
        text: "t".into(),
        html: "<p>t</p>".into(),
    }
}

/// What a target begins with, besides the files of its folder in the corpus.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let text: &[&str] = match target {
        "card" => &[
            "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada Abel\r\nEMAIL:ada@example.org\r\nBDAY:19800512\r\nCATEGORIES:friend\r\nEND:VCARD\r\n",
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=84;B\r\nEMAIL;INTERNET:b@x.example\r\nBDAY:--0512\r\nEND:VCARD\r\n",
        ],
        "answer" => &[
            "done",
            "snooze 2w",
            "2 done\n3 snooze tomorrow",
            "every 6w",
            "pause 2w",
            "erledigt",
            "snooze 2026-05-12",
            "without work",
        ],
        "control" => &[
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":{}}",
            "{\"method\":\"reminders\",\"params\":{\"all\":true}}",
            "{\"method\":\"merge\",\"params\":{\"a\":\"x\",\"b\":\"y\"}}",
            "{\"method\":\"snooze\",\"params\":{\"id\":\"44aadfa5d396bda6\",\"until\":\"2w\"}}",
        ],
        "journal" => &["00000000 {}\n", "2144df1c 0\n"],
        "imap" => &[
            "* OK [CAPABILITY IMAP4rev1] hi\r\n\0% OK in\r\n\0* CAPABILITY IMAP4rev1\r\n% OK\r\n\0* LIST () \"/\" INBOX\r\n% OK\r\n\0* 2 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 3] n\r\n% OK [READ-ONLY] done\r\n\0* SEARCH 1 2\r\n% OK\r\n\0* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE \"02-Mar-2026 10:00:00 +0000\" BODY[]<0> {5}\r\nab\r\nc)\r\n% OK\r\n",
            "* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS SPECIAL-USE LIST-STATUS CONDSTORE] hi\r\n\0* LIST (\\Sent \\HasNoChildren) \"/\" {4}\r\nSent\r\n* STATUS Sent (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3)\r\n% OK\r\n\0* OK [HIGHESTMODSEQ 9] m\r\n% OK\r\n\0* ESEARCH (TAG \"%\") UID ALL 1:3\r\n% OK\r\n\0* 1 FETCH (UID 1 MODSEQ (5) FLAGS ())\r\n% OK\r\n",
        ],
        "smtp" => &[
            "220 hi\r\n\x00250-me\r\n250-SIZE 1000\r\n250 8BITMIME\r\n\x00250 ok\r\n\x00250 ok\r\n\x00354 go\r\n\0\0\x00250 queued\r\n\x00221 bye\r\n",
            "220-a\r\n220 b\r\n\x00250 AUTH PLAIN LOGIN\r\n\x00451 4.3.0 later\r\n",
        ],
        "config" => &[
            "[me]\nname = \"A\"\naddresses = [\"a@example.org\"]\n[delivery]\nto = \"a@example.org\"\ntype = \"maildir\"\npath = \"/x\"\n",
        ],
        _ => &[],
    };
    let mut all: Vec<Vec<u8>> = text.iter().map(|t| t.as_bytes().to_vec()).collect();
    if target == "backup" {
        let dir = folder();
        let store = Store::open(&dir.path().join("s"), NOW).expect("a store").store;
        let file = dir.path().join("b");
        store.backup(&file).expect("a backup");
        all.push(std::fs::read(&file).expect("it is there"));
    }
    if target == "journal" {
        let dir = folder();
        drop(Store::open(dir.path(), NOW).expect("a store"));
        all.push(std::fs::read(dir.path().join("journal")).expect("it is there"));
    }
    all
}

/// Where files lie that a target may begin with.
pub fn corpus(target: &str) -> Option<(&'static str, &'static str)> {
    match target {
        "mail" => Some(("tests/corpus/mail", "eml")),
        "calendar" => Some(("tests/corpus/calendar", "ics")),
        "html" => Some(("tests/corpus/html", "html")),
        "config" => Some((".", "toml")),
        _ => None,
    }
}
