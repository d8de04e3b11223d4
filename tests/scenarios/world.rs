//! The world of a scenario on disk: a Maildir with Sent, calendars, an address book, the inbox.
//!
//! Invariant: whatever kithd reads, it reads from real files; times of files are the story's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kithd::time::{Timestamp, Zone};
use tempfile::TempDir;

use crate::calendar::{Event, vcalendar};

pub struct World {
    dir: TempDir,
    pub zone: Zone,
    names: BTreeMap<String, String>,
    /// Message-ID to its ancestors, itself last.
    threads: BTreeMap<String, Vec<String>>,
    events: BTreeMap<(String, String), Vec<String>>,
    shuffled: bool,
    written: u32,
}

/// A message to write.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    pub folder: String,
    pub from: Vec<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub subject: String,
    pub id: String,
    pub re: Option<String>,
    pub references_only: bool,
    pub headers: Vec<String>,
    pub file: Option<String>,
    pub calendar: Option<(String, String)>,
    pub text: String,
}

impl World {
    pub fn new(shuffled: bool) -> World {
        let base = std::env::var_os("KITHD_TEST_TMP").map(PathBuf::from);
        let memory = Path::new("/dev/shm").is_dir().then(|| PathBuf::from("/dev/shm"));
        let base = base.or(memory).unwrap_or_else(std::env::temp_dir);
        let dir = tempfile::Builder::new().prefix("kithd-scenario-").tempdir_in(base).unwrap();
        for folder in ["mail", "mail/.Sent", "inbox"] {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(dir.path().join(folder).join(part)).unwrap();
            }
        }
        for folder in ["cal", "people"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let zone = Zone::named("Europe/Berlin").unwrap();
        let (names, threads, events) = Default::default();
        World { dir, zone, names, threads, events, shuffled, written: 0 }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn call(&mut self, address: &str, name: &str) {
        self.names.insert(address.to_string(), name.to_string());
    }

    pub fn name_of(&self, address: &str) -> String {
        self.names.get(address).cloned().unwrap_or_default()
    }

    fn mailbox(&self, who: &str) -> String {
        let (address, name) =
            if who == "me" { ("alex@example.org", "Alex Doe".to_string()) } else { (who, self.name_of(who)) };
        if name.is_empty() { address.to_string() } else { format!("\"{name}\" <{address}>") }
    }

    fn mailboxes(&self, all: &[String]) -> String {
        all.iter().map(|w| self.mailbox(w)).collect::<Vec<_>>().join(", ")
    }

    /// Writes a message that was sent, and lay in its folder, at `at`.
    pub fn post(&mut self, l: &Letter, at: Timestamp) {
        let date = Zone::utc().local(at).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let mut head = String::new();
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        };
        if l.folder != "Sent" {
            line("Received", &format!("from mx.example.net by mail.example.org; {date}"));
        }
        line("From", &self.mailboxes(&l.from));
        line("To", &self.mailboxes(&l.to));
        line("Cc", &self.mailboxes(&l.cc));
        line("Bcc", &self.mailboxes(&l.bcc));
        line("Subject", &l.subject);
        line("Date", &date);
        line("Message-ID", &format!("<{}>", l.id));
        let mut chain =
            l.re.as_ref().map_or_else(Vec::new, |p| self.threads.get(p).cloned().unwrap_or(vec![p.clone()]));
        let references = chain.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" ");
        if let (Some(parent), false) = (&l.re, l.references_only) {
            line("In-Reply-To", &format!("<{parent}>"));
        }
        line("References", &references);
        for header in &l.headers {
            let (name, value) = header.split_once(':').unwrap();
            line(name, value.trim());
        }
        line("MIME-Version", "1.0");
        chain.push(l.id.clone());
        self.threads.insert(l.id.clone(), chain);
        let message = format!("{head}{}", body(l));
        let (part, flags) = if l.folder == "Sent" { ("cur", ":2,S") } else { ("new", "") };
        let folder = if l.folder == "INBOX" { "mail".to_string() } else { format!("mail/.{}", l.folder) };
        fs::create_dir_all(self.path(&folder).join("cur")).unwrap();
        self.written += 1;
        // shuffled: files of one poll are found in another order than they were written in
        let order = if self.shuffled { (self.written * 7919) % 1000 } else { self.written };
        let name = format!("{}.M{order:04}P{}.host{flags}", at.second() - i64::from(order), self.written);
        self.put(&self.path(&folder).join(part).join(name), message.as_bytes(), at);
    }

    /// Writes a file; it and its folder get the story's time.
    pub fn put(&self, path: &Path, bytes: &[u8], at: Timestamp) {
        let parent = path.parent().unwrap();
        fs::create_dir_all(parent).unwrap();
        fs::write(path, bytes).unwrap();
        let seconds = u64::try_from(at.second()).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, self.written);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        File::open(parent).unwrap().set_modified(time).unwrap();
    }

    /// Writes an event into its calendar; the same uid again replaces it, an instance joins its series.
    pub fn schedule(&mut self, event: &Event, at: Timestamp) {
        let all = self.events.entry((event.calendar.clone(), event.uid.clone())).or_default();
        if !event.is_instance() {
            all.clear();
        }
        all.push(event.vevent());
        self.written += 1;
        self.write_event(&event.calendar, &event.uid, at);
    }

    fn write_event(&self, calendar: &str, uid: &str, at: Timestamp) {
        let vevents = &self.events[&(calendar.to_string(), uid.to_string())];
        self.put(&self.path(calendar).join(format!("{uid}.ics")), vcalendar(None, vevents).as_bytes(), at);
    }

    /// Cancels an event in every calendar that has it, or takes it away.
    pub fn cancel(&mut self, uid: &str, delete: bool, at: Timestamp) -> Result<(), String> {
        let found: Vec<(String, String)> = self.events.keys().filter(|(_, u)| u == uid).cloned().collect();
        for key in &found {
            self.written += 1;
            if delete {
                self.events.remove(key);
                fs::remove_file(self.path(&key.0).join(format!("{uid}.ics"))).unwrap();
                continue;
            }
            for vevent in self.events.get_mut(key).unwrap() {
                *vevent = vevent.replacen("SEQUENCE:0", "SEQUENCE:1\r\nSTATUS:CANCELLED", 1);
            }
            self.write_event(&key.0, uid, at);
        }
        if found.is_empty() { Err(format!("there is no event {uid}")) } else { Ok(()) }
    }
}

fn body(l: &Letter) -> String {
    let text = l.text.replace('\n', "\r\n");
    let plain = format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n");
    let second = match (&l.file, &l.calendar) {
        (Some(file), _) => format!(
            "Content-Type: application/pdf; name=\"{file}\"\r\nContent-Disposition: attachment; filename=\"{file}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n"
        ),
        (None, Some((method, ics))) => {
            format!("Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n{ics}\r\n")
        }
        (None, None) => return plain,
    };
    format!("Content-Type: multipart/mixed; boundary=\"=b\"\r\n\r\n--=b\r\n{plain}--=b\r\n{second}--=b--\r\n")
}
