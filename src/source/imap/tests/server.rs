//! A small IMAP server for readings: mailboxes in memory, and what real servers do wrong on request.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::time::{Timestamp, Zone};

pub struct Message {
    pub subject: String,
    pub written_at: Timestamp,
    pub arrived_at: Timestamp,
    pub flags: String,
    pub labels: String,
}

/// A message that arrived when it was written.
pub fn mail(subject: &str, at: Timestamp) -> Message {
    let (flags, labels) = (String::new(), String::new());
    Message { subject: subject.to_string(), written_at: at, arrived_at: at, flags, labels }
}

impl Message {
    fn header(&self) -> String {
        let date = Zone::utc().local(self.written_at).strftime("%a, %d %b %Y %H:%M:%S +0000");
        format!(
            "From: Ada <ada@example.org>\r\nTo: alex@example.org\r\nSubject: {0}\r\nDate: {date}\r\n\
             Message-ID: <{0}@example.org>\r\n\r\n",
            self.subject
        )
    }
}

#[derive(Default)]
pub struct Folder {
    pub attributes: String,
    pub validity: u32,
    pub next: u32,
    pub mails: BTreeMap<u32, Message>,
}

impl Folder {
    /// As after a restore: another UIDVALIDITY, and UIDs from 1.
    pub fn renew(&mut self) {
        self.validity += 1;
        self.mails = (1..).zip(std::mem::take(&mut self.mails).into_values()).collect();
        self.next = u32::try_from(self.mails.len()).unwrap() + 1;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Deadly {
    Text,
    Header,
}

#[derive(Default)]
pub struct Quirks {
    /// Courier, Exchange: UIDNEXT is not said.
    pub no_uid_next: bool,
    /// Mailboxes that cannot be opened.
    pub closed: BTreeSet<String>,
    /// UIDs whose text and header cannot be read.
    pub broken: BTreeSet<u32>,
    /// UIDs that end the connection where their text, or their header too, is asked for.
    pub deadly: BTreeMap<u32, Deadly>,
    /// Mailboxes that vanish when they are opened.
    pub vanishing: BTreeSet<String>,
    /// No FETCH is answered but with NO.
    pub mute: bool,
    /// Each FETCHing connection ends after so many rows, as long as there are entries.
    pub cut_after: Vec<usize>,
    /// After so many rows the mailbox is made anew, and the server says so.
    pub anew_after: Option<usize>,
}

pub struct World {
    pub capabilities: String,
    pub boxes: BTreeMap<String, Folder>,
    pub quirks: Quirks,
    /// Commands after the login, without their tags.
    pub log: Vec<String>,
    open: Vec<TcpStream>,
}

impl World {
    pub fn make(&mut self, name: &str, attributes: &str) {
        let folder = Folder { attributes: attributes.to_string(), validity: 7, next: 1, mails: BTreeMap::new() };
        self.boxes.insert(name.to_string(), folder);
    }

    pub fn add(&mut self, name: &str, message: Message) {
        let _uid = self.put(name, message);
    }

    /// Gives its UID.
    pub fn put(&mut self, name: &str, message: Message) -> u32 {
        if !self.boxes.contains_key(name) {
            self.make(name, "");
        }
        let folder = self.boxes.get_mut(name).unwrap();
        let uid = folder.next;
        folder.mails.insert(uid, message);
        folder.next += 1;
        uid
    }
}

pub struct Server {
    pub port: u16,
    world: Arc<Mutex<World>>,
}

impl Server {
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut world = World {
            capabilities: "IMAP4rev1 IDLE SPECIAL-USE LIST-EXTENDED LIST-STATUS".to_string(),
            boxes: BTreeMap::new(),
            quirks: Quirks::default(),
            log: Vec::new(),
            open: Vec::new(),
        };
        for (name, attributes) in [("INBOX", ""), ("Sent", "\\Sent"), ("Junk", "\\Junk"), ("Drafts", "\\Drafts")] {
            world.make(name, attributes);
        }
        let world = Arc::new(Mutex::new(world));
        let shared = Arc::clone(&world);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = Arc::clone(&shared);
                world.lock().unwrap().open.push(stream.try_clone().unwrap());
                std::thread::spawn(move || Client { stream, world, open: String::new(), told: 0, rows: 0 }.serve());
            }
        });
        Server { port, world }
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap())
    }

    /// Ends every connection.
    pub fn hang_up(&self) {
        self.with(|world| world.open.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both))));
    }
}

struct Client {
    stream: TcpStream,
    world: Arc<Mutex<World>>,
    open: String,
    /// Messages of the open mailbox that were told of.
    told: usize,
    rows: usize,
}

/// The connection is over.
struct Over;

impl Client {
    fn serve(mut self) {
        let mut lines = BufReader::new(self.stream.try_clone().unwrap()).lines();
        self.say("* OK ready\r\n");
        while let Some(Ok(line)) = lines.next() {
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            let (tag, command) = (tag.to_string(), command.to_string());
            let verb = command.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "CAPABILITY" => {
                    let all = self.world.lock().unwrap().capabilities.clone();
                    format!("* CAPABILITY {all}\r\n{tag} OK done\r\n")
                }
                "LOGIN" => format!("{tag} OK welcome\r\n"),
                "IDLE" => {
                    self.idle(&tag, &mut lines);
                    continue;
                }
                "LOGOUT" => format!("* BYE see you\r\n{tag} OK\r\n"),
                _ => {
                    self.world.lock().unwrap().log.push(command.clone());
                    match self.answer(&tag, &verb, &command) {
                        Ok(answer) => answer,
                        Err(Over) => break,
                    }
                }
            };
            self.say(&answer);
        }
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn say(&mut self, text: &str) {
        let _ = self.stream.write_all(text.as_bytes());
    }

    fn idle(&mut self, tag: &str, lines: &mut std::io::Lines<BufReader<TcpStream>>) {
        self.say("+ idling\r\n");
        let (world, open, told) = (Arc::clone(&self.world), self.open.clone(), self.told);
        let mut stream = self.stream.try_clone().unwrap();
        let telling = std::thread::spawn(move || {
            for _ in 0..1_000 {
                let now = world.lock().unwrap().boxes[&open].mails.len();
                if now != told {
                    let _ = write!(stream, "* {now} EXISTS\r\n");
                    return now;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            told
        });
        let _done = lines.next();
        self.told = telling.join().unwrap();
        self.say(&format!("{tag} OK idled\r\n"));
    }

    fn answer(&mut self, tag: &str, verb: &str, command: &str) -> Result<String, Over> {
        let name = || command.split('"').nth(1).unwrap_or_else(|| command.split(' ').nth(1).unwrap()).to_string();
        let world = Arc::clone(&self.world);
        let mut world = world.lock().unwrap();
        let mut out = String::new();
        match verb {
            "LIST" => {
                for (name, folder) in &world.boxes {
                    let _ = write!(out, "* LIST ({}) \"/\" \"{name}\"\r\n", folder.attributes);
                    if command.contains("STATUS") && folder.attributes != "\\Noselect" {
                        let _ = write!(out, "* STATUS \"{name}\" {}\r\n", status(folder, &world.quirks));
                    }
                }
            }
            "STATUS" => match world.boxes.get(&name()) {
                Some(folder) => {
                    let _ = write!(out, "* STATUS \"{}\" {}\r\n", name(), status(folder, &world.quirks));
                }
                None => return Ok(format!("{tag} NO [NONEXISTENT] no such mailbox\r\n")),
            },
            "EXAMINE" => {
                if world.quirks.vanishing.contains(&name()) {
                    world.boxes.remove(&name());
                }
                let closed = world.quirks.closed.contains(&name());
                let Some(folder) = world.boxes.get(&name()).filter(|_| !closed) else {
                    return Ok(format!("{tag} NO [NOPERM] not for you\r\n"));
                };
                let _ =
                    write!(out, "* {} EXISTS\r\n* OK [UIDVALIDITY {}] valid\r\n", folder.mails.len(), folder.validity);
                if !world.quirks.no_uid_next {
                    let _ = write!(out, "* OK [UIDNEXT {}] next\r\n", folder.next);
                }
                self.told = folder.mails.len();
                self.open = name();
            }
            "UID" => return self.fetch(tag, command, &mut world),
            _ => return Ok(format!("{tag} BAD what?\r\n")),
        }
        Ok(format!("{out}{tag} OK done\r\n"))
    }

    fn fetch(&mut self, tag: &str, command: &str, world: &mut World) -> Result<String, Over> {
        let set = command.split(' ').nth(2).unwrap();
        let whole = command.contains("BODY.PEEK[]");
        let deep = whole || command.contains("BODY.PEEK[HEADER");
        let mut out = String::new();
        if world.quirks.mute {
            return Ok(format!("{tag} NO [UNAVAILABLE] not now\r\n"));
        }
        let World { boxes, quirks, .. } = world;
        let folder = boxes.get_mut(&self.open).unwrap();
        let last = folder.mails.keys().next_back().copied().unwrap_or(0);
        let wanted: Vec<u32> = folder.mails.keys().copied().filter(|uid| contains(set, *uid, last)).collect();
        for uid in wanted {
            if deep && quirks.broken.contains(&uid) {
                return Ok(format!("{out}{tag} NO [SERVERBUG] cannot read it\r\n"));
            }
            let deadly = quirks.deadly.get(&uid).is_some_and(|d| whole || *d == Deadly::Header);
            if deep && deadly && !command.contains("FIELDS") {
                self.say(&out);
                return Err(Over);
            }
            if quirks.cut_after.first().is_some_and(|rows| self.rows >= *rows) {
                quirks.cut_after.remove(0);
                self.say(&out);
                return Err(Over);
            }
            if quirks.anew_after.is_some_and(|rows| self.rows >= rows) {
                quirks.anew_after = None;
                folder.validity += 1;
                let _ = write!(out, "* OK [UIDVALIDITY {}] made anew\r\n", folder.validity);
            }
            self.rows += 1;
            let _ = write!(out, "* {} FETCH ({})\r\n", self.rows, row(uid, &folder.mails[&uid], command));
        }
        Ok(format!("{out}{tag} OK done\r\n"))
    }
}

fn row(uid: u32, message: &Message, command: &str) -> String {
    let mut row = format!("UID {uid}");
    if command.contains("FLAGS") {
        let _ = write!(row, " FLAGS ({})", message.flags);
    }
    if command.contains("INTERNALDATE") {
        let date = Zone::utc().local(message.arrived_at).strftime("%d-%b-%Y %H:%M:%S +0000");
        let _ = write!(row, " INTERNALDATE \"{date}\"");
    }
    if command.contains("X-GM-LABELS") {
        let label = message.labels.replace('\\', "\\\\");
        let _ = write!(row, " X-GM-MSGID {uid} X-GM-LABELS (\"{label}\")");
    }
    let header = message.header();
    let (section, text) = if command.contains("HEADER.FIELDS") {
        let date = header.lines().find(|l| l.starts_with("Date:")).unwrap();
        ("HEADER.FIELDS (DATE)", format!("{date}\r\n\r\n"))
    } else if command.contains("BODY.PEEK[HEADER]") {
        ("HEADER", header)
    } else if command.contains("BODY.PEEK[]") {
        ("", format!("{header}Hello Alex,\r\n\r\ncould you send me the deck?\r\n"))
    } else {
        return row;
    };
    let origin = if section.contains("FIELDS") { "" } else { "<0>" };
    let _ = write!(row, " BODY[{section}]{origin} {{{}}}\r\n{text}", text.len());
    row
}

fn status(folder: &Folder, quirks: &Quirks) -> String {
    let next = if quirks.no_uid_next { String::new() } else { format!("UIDNEXT {} ", folder.next) };
    format!("(MESSAGES {} {next}UIDVALIDITY {})", folder.mails.len(), folder.validity)
}

/// As servers read `n:*`: the last message is in it, whatever n is.
fn contains(set: &str, uid: u32, last: u32) -> bool {
    set.split(',').any(|range| {
        let (first, end) = range.split_once(':').unwrap_or((range, range));
        let number = |text: &str| if text == "*" { last } else { text.parse().unwrap() };
        let (first, end) = (number(first), number(end));
        (first.min(end)..=first.max(end)).contains(&uid)
    })
}
