//! Writes a life: letters and meetings into the world, and what they mean into the gold ledger.
//!
//! Invariant: everything that happens has the time at which it can be read; what happens after the
//! end of the story did not happen.

use std::collections::BTreeMap;

use base64::Engine as _;
use kithd::time::{Date, HOUR, Timestamp, Zone, add_days, days_between};

use super::calendar::Appointment;
use super::cast::{Agency, Client, Id, Person, Tongue};
use super::clients::{Quoted, render};
use super::dice::Dice;
use super::gold::{Debt, Gold, Kind, Letter};
use super::phrases::{self, Phrases};

pub const ME: Id = 0;

/// Something in the world changes.
#[derive(Clone, Debug)]
pub struct Happening {
    pub at: Timestamp,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// A message lies in a folder of an account.
    Mail {
        account: &'static str,
        sent: bool,
        bytes: String,
    },
    Event {
        uid: String,
        ics: String,
    },
    Card {
        name: String,
        vcf: String,
    },
    /// The user's accounts are others from now on.
    Accounts(Vec<&'static str>),
}

/// A letter that was written, to be answered.
#[derive(Clone, Debug)]
pub struct Msg {
    pub id: String,
    pub refs: Vec<String>,
    pub at: Timestamp,
    pub from: Id,
    pub to: Vec<Id>,
    pub subject: String,
    /// As it stands in the mail, quote included.
    pub text: String,
}

/// A letter to be written.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    pub at: Timestamp,
    pub from: Id,
    pub to: Vec<Id>,
    pub cc: Vec<Id>,
    pub bcc: Vec<Id>,
    pub subject: &'a str,
    pub re: Option<&'a Msg>,
    pub body: Vec<String>,
    pub file: Option<&'a str>,
    /// The sign-off thanks.
    pub thanks_off: bool,
    /// Beneath the signature: a mail that is handed on.
    pub below: String,
    pub headers: Vec<(&'a str, String)>,
    /// Seconds until it can be read.
    pub late: i64,
    /// Another address of the writer's.
    pub from_address: Option<String>,
    /// Without opening, closing and quote.
    pub bare: bool,
    pub machine: bool,
    pub story: &'static str,
}

impl Draft<'_> {
    pub fn new(at: Timestamp, from: Id, to: Vec<Id>, story: &'static str) -> Draft<'static> {
        Draft {
            at,
            from,
            to,
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: "",
            re: None,
            body: Vec::new(),
            file: None,
            thanks_off: false,
            below: String::new(),
            headers: Vec::new(),
            late: 0,
            from_address: None,
            bare: false,
            machine: false,
            story,
        }
    }
}

pub struct Author {
    pub dice: Dice,
    pub zone: Zone,
    pub cast: Vec<Person>,
    pub agency: Agency,
    pub gold: Gold,
    pub happenings: Vec<Happening>,
    pub born: Date,
    pub start: Date,
    pub end: Date,
    pub away: Vec<(Date, Date)>,
    /// The user's private address, and the account it is read in.
    pub home: String,
    /// The user's work addresses, each from a day on.
    pub work: Vec<(Date, String, &'static str)>,
    pub busy: BTreeMap<Id, Vec<(Date, Date)>>,
    pub written: u64,
    pub events: BTreeMap<String, (Appointment, u32)>,
}

impl Author {
    pub fn new(dice: Dice, zone: Zone, me: Person, home: String, born: Date, start: Date, end: Date) -> Author {
        let work = vec![(born, me.address.clone(), "work")];
        Author {
            dice,
            zone,
            cast: vec![me],
            agency: Agency::default(),
            gold: Gold::default(),
            happenings: Vec::new(),
            born,
            start,
            end,
            away: Vec::new(),
            home,
            work,
            busy: BTreeMap::new(),
            written: 0,
            events: BTreeMap::new(),
        }
    }

    // ---- people

    pub fn add(&mut self, person: Person) -> Id {
        self.cast.push(person);
        self.cast.len() - 1
    }

    /// Somebody new of a company of their own.
    pub fn stranger(&mut self) -> Id {
        let firm = self.agency.firm();
        self.stranger_of(&firm)
    }

    pub fn stranger_of(&mut self, domain: &str) -> Id {
        let tongue = self.tongue();
        let person = self.agency.person(&mut self.dice, tongue, Some(domain));
        self.add(person)
    }

    /// A mailing list's own address, as one who is written to.
    pub fn list(&mut self) -> Id {
        let known = self.cast.iter().position(|p| p.address == "makers@lists.example");
        known.unwrap_or_else(|| {
            let mut list = self.cast[ME].clone();
            (list.first, list.last, list.address) = ("Makers".into(), "List".into(), "makers@lists.example".into());
            self.add(list)
        })
    }

    /// A language to write in: mostly the user's own.
    pub fn tongue(&mut self) -> Tongue {
        let mine = self.cast[ME].tongue;
        if self.dice.chance(70) { mine } else { *self.dice.pick(&super::cast::TONGUES) }
    }

    pub fn words(&self, who: Id) -> &'static Phrases {
        phrases::of(self.cast[who].tongue)
    }

    pub fn line(&mut self, of: &[&'static str]) -> String {
        (*self.dice.pick(of)).to_string()
    }

    pub fn chat(&mut self, who: Id) -> String {
        let words = self.words(who);
        self.line(words.chat)
    }

    /// Nobody else's story may use them from `from` for `days`.
    pub fn claim(&mut self, who: Id, from: Date, days: i64) {
        self.busy.entry(who).or_default().push((from, add_days(from, days)));
    }

    pub fn is_free(&self, who: Id, from: Date, days: i64) -> bool {
        let until = add_days(from, days);
        self.busy.get(&who).is_none_or(|all| all.iter().all(|(a, b)| *b < from || *a > until))
    }

    /// The user's address towards somebody, and the account it is read in.
    pub fn mine(&self, other: Option<Id>, at: Timestamp) -> (String, &'static str) {
        if other.is_some_and(|o| self.cast[o].private) {
            return (self.home.clone(), "home");
        }
        let date = self.zone.date(at);
        let (_, address, account) = self.work.iter().rev().find(|(from, ..)| *from <= date).unwrap_or(&self.work[0]);
        (address.clone(), account)
    }

    pub fn address(&self, who: Id, other: Option<Id>, at: Timestamp) -> String {
        if who == ME { self.mine(other, at).0 } else { self.cast[who].address_at(at).to_string() }
    }

    // ---- time

    pub fn is_working_day(&self, date: Date) -> bool {
        date.weekday().to_monday_zero_offset() < 5 && !self.is_away(date)
    }

    pub fn is_away(&self, date: Date) -> bool {
        self.away.iter().any(|(a, b)| *a <= date && date <= *b)
    }

    /// Somewhere in the working hours of the first working day from `date` on.
    pub fn work_time(&mut self, date: Date) -> Timestamp {
        let mut date = date;
        while !self.is_working_day(date) {
            date = add_days(date, 1);
        }
        let minute = self.dice.between(9 * 60, 17 * 60);
        self.zone.at(date, u16::try_from(minute).unwrap())
    }

    /// The n-th working day after `at`, at some time of that day's hours.
    pub fn days_later(&mut self, at: Timestamp, n: i64) -> Timestamp {
        let mut date = self.zone.date(at);
        for _ in 0..n {
            date = add_days(date, 1);
            while !self.is_working_day(date) {
                date = add_days(date, 1);
            }
        }
        if n == 0 { at.plus(self.dice.between(900, 3 * HOUR)) } else { self.work_time(date) }
    }

    // ---- letters

    /// An id as the writer's client makes them.
    fn message_id(&mut self, who: Id) -> String {
        self.written += 1;
        let (n, r) = (self.written, self.dice.roll());
        match self.cast[who].client {
            Client::Gmail => format!("CA{r:016x}+{n}@mail.gmail.com"),
            Client::Outlook => format!("AM0PR{n:06}MB{r:016X}@AM0PR{n:06}.eurprd02.prod.outlook.com"),
            Client::Apple | Client::Phone => format!(
                "{:08X}-{:04X}-4{:03X}-{n:012}@{}",
                r >> 32,
                (r >> 16) & 0xffff,
                r & 0xfff,
                self.cast[who].domain()
            ),
            Client::Thunderbird => format!("{:08x}-{n}-{:04x}@{}", r >> 32, r & 0xffff, self.cast[who].domain()),
            Client::Mutt => format!("20260101.{n}.{:x}@host.{}", r & 0xff_ffff, self.cast[who].domain()),
        }
    }

    fn compose(&mut self, d: &Draft<'_>, subject: &str) -> String {
        let tongue = if d.from == ME {
            d.to.first().map_or(self.cast[ME].tongue, |t| self.cast[*t].tongue)
        } else {
            self.cast[d.from].tongue
        };
        let words = phrases::of(tongue);
        let mut text = String::new();
        if !d.bare {
            let first = d.to.first().map(|t| self.cast[*t].first.clone()).unwrap_or_default();
            text = self.line(words.openings).replace("{n}", &first);
            text.push_str("\n\n");
        }
        for (n, sentence) in d.body.iter().enumerate() {
            if n > 0 {
                text.push_str(if self.dice.chance(50) { " " } else { "\n\n" });
            }
            text.push_str(sentence);
        }
        if !d.bare {
            let closings = if d.thanks_off { words.thanks_closings } else { words.closings };
            text.push_str("\n\n");
            text.push_str(&self.line(closings).replace("{me}", &self.cast[d.from].first.clone()));
        }
        let mut writer = self.cast[d.from].clone();
        writer.tongue = tongue;
        let quoted_from = d.re.map(|m| (self.cast[m.from].clone(), self.address(m.from, m.to.first().copied(), m.at)));
        let quoted = d.re.zip(quoted_from.as_ref()).filter(|_| !d.bare).map(|(m, (from, address))| Quoted {
            at: m.at,
            from,
            from_address: address,
            to: m.to.first().map(|t| self.cast[*t].name()).unwrap_or_default(),
            subject,
            text: &m.text,
        });
        let zone = self.zone.clone();
        if !d.below.is_empty() {
            text = format!("{text}\n\n{}", d.below);
        }
        let rendered = if d.machine {
            super::clients::Rendered { plain: text, html: None }
        } else {
            render(&writer, &text, quoted.as_ref(), &zone)
        };
        body(&rendered, d.file)
    }

    /// Writes a letter, posts it, and notes what it said.
    pub fn say(&mut self, d: Draft<'_>) -> Msg {
        let (at, id) = (d.at, self.message_id(d.from));
        let subject = match d.re {
            Some(m) if d.subject.is_empty() => {
                let prefix = match (self.cast[d.from].client, self.cast[d.from].tongue) {
                    (Client::Outlook, Tongue::De) => "AW: ",
                    (Client::Outlook, Tongue::Nl) => "Antw: ",
                    (Client::Outlook, _) => "RE: ",
                    _ => "Re: ",
                };
                let bare = ["AW: ", "Antw: ", "RE: ", "Re: "]
                    .iter()
                    .find_map(|p| m.subject.strip_prefix(p))
                    .unwrap_or(&m.subject);
                format!("{prefix}{bare}")
            }
            _ => d.subject.to_string(),
        };
        let others: Vec<Id> = d.to.iter().chain(&d.cc).chain(&d.bcc).copied().filter(|p| *p != ME).collect();
        let other = if d.from == ME { others.first().copied() } else { Some(d.from) };
        let (_, account) = self.mine(other, at);
        let from_address = d.from_address.clone().unwrap_or_else(|| self.address(d.from, other, at));
        let content = self.compose(&d, &subject);
        let refs: Vec<String> = d.re.map(|m| m.refs.iter().chain([&m.id]).cloned().collect()).unwrap_or_default();
        let mut head = String::new();
        let mut field = |name: &str, value: &str| {
            if !value.is_empty() {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        };
        let here = Zone::utc().instant(self.zone.local(at)).since(at) / 60;
        // everybody's clock shows their own time
        let offset = if d.from == ME { here } else { self.cast[d.from].clock };
        let local = Zone::utc().local(at.plus(offset * 60));
        let date = format!(
            "{} {}{:02}{:02}",
            local.strftime("%a, %d %b %Y %H:%M:%S"),
            if offset < 0 { '-' } else { '+' },
            offset.abs() / 60,
            offset.abs() % 60
        );
        if d.from != ME {
            field("Received", &format!("from mx.{} by mail.home.example; {date}", self.cast[d.from].domain()));
        }
        let list = |who: &[Id]| {
            who.iter()
                .map(|p| mailbox(&self.cast[*p].display(), &self.address(*p, other, at)))
                .collect::<Vec<_>>()
                .join(",\r\n ")
        };
        field("From", &mailbox(&self.cast[d.from].display(), &from_address));
        field("To", &list(&d.to));
        field("Cc", &list(&d.cc));
        field("Bcc", &list(&d.bcc));
        field("Subject", &encoded(&subject));
        field("Date", &date);
        field("Message-ID", &format!("<{id}>"));
        if let Some(parent) = d.re {
            field("In-Reply-To", &format!("<{}>", parent.id));
        }
        field("References", &refs.iter().map(|r| format!("<{r}>")).collect::<Vec<_>>().join("\r\n "));
        for (name, value) in &d.headers {
            field(name, value);
        }
        field("MIME-Version", "1.0");
        let arrives = at.plus(d.late.max(0));
        self.gold.letters.insert(
            id.clone(),
            Letter {
                at,
                arrives,
                from: d.from,
                to: d.to.clone(),
                cc: d.cc.clone(),
                subject: subject.clone(),
                said: d.body.join("\n"),
                file: d.file.is_some(),
                thanks: phrases::thanks(&d.body) || d.thanks_off && !phrases::asks(&d.body),
                machine: d.machine,
                story: d.story,
            },
        );
        let text = plain_part(&content);
        self.happenings.push(Happening {
            at: arrives,
            what: What::Mail { account, sent: d.from == ME, bytes: format!("{head}{content}") },
        });
        Msg { id, refs, at, from: d.from, to: d.to, subject, text }
    }

    /// One to one, with a subject of the writer's language.
    pub fn write(&mut self, at: Timestamp, from: Id, to: Id, body: Vec<String>, story: &'static str) -> Msg {
        let words = self.words(if from == ME { to } else { from });
        let subject = self.line(words.subjects);
        self.say(Draft { subject: &subject, body, ..Draft::new(at, from, vec![to], story) })
    }

    /// An answer to the writer alone.
    pub fn reply(&mut self, at: Timestamp, from: Id, re: &Msg, body: Vec<String>, story: &'static str) -> Msg {
        let to = if re.from == from { re.to.clone() } else { vec![re.from] };
        self.say(Draft { re: Some(re), body, ..Draft::new(at, from, to, story) })
    }

    // ---- gold

    pub fn owe(&mut self, debt: Debt) {
        self.gold.debts.push(debt);
    }

    /// What the further course of things closes: a mail to whom an answer is owed, a word from whom one
    /// was awaited. Thanks that have not been said by the next mail are still owed, but nobody could
    /// blame who keeps silent about them.
    pub fn settle(&mut self) {
        let letters: Vec<Letter> = self.gold.letters.values().filter(|l| !l.machine).cloned().collect();
        for d in self.gold.debts.iter_mut().filter(|d| !d.cause.is_empty()) {
            let at = self.gold.letters.get(&d.cause).map_or(d.from, |l| l.at);
            let to_them =
                |l: &&Letter| l.from == ME && l.at > at && l.to.iter().chain(&l.cc).any(|p| d.who.contains(p));
            let from_them = |l: &&Letter| d.who.contains(&l.from) && l.at > at && l.to.contains(&ME);
            let sent = letters.iter().filter(to_them).map(|l| l.arrives).min();
            let heard = letters.iter().filter(from_them).map(|l| l.arrives).min();
            match d.kind {
                Kind::ReplyOwed | Kind::FirstMeeting => d.until = sent.map_or(d.until, |t| t.min(d.until)),
                Kind::Unanswered => d.until = heard.map_or(d.until, |t| t.min(d.until)),
                Kind::Introduction | Kind::Favour | Kind::Milestone => d.fades = sent.unwrap_or(d.until),
                Kind::Interview | Kind::Promise | Kind::KeepInTouch => {}
            }
        }
    }

    pub fn noise(&mut self, cause: &str, what: &'static str) {
        self.gold.noise.insert(cause.to_string(), what);
    }

    /// Sorts the world by time and drops what lies after the end.
    pub fn finish(&mut self) {
        let end = self.zone.at(self.end, 0);
        self.happenings.retain(|h| h.at < end);
        self.happenings.sort_by_key(|h| h.at);
        self.gold.debts.retain(|d| d.from < end);
    }

    pub fn days(&self) -> i64 {
        days_between(self.start, self.end)
    }
}

fn encoded(text: &str) -> String {
    if text.is_ascii() {
        text.to_string()
    } else {
        format!("=?utf-8?B?{}?=", base64::engine::general_purpose::STANDARD.encode(text))
    }
}

fn mailbox(name: &str, address: &str) -> String {
    if name.is_empty() {
        return address.to_string();
    }
    if name.is_ascii() { format!("\"{name}\" <{address}>") } else { format!("{} <{address}>", encoded(name)) }
}

/// The content of a message: headers of its body, and the body.
fn body(r: &super::clients::Rendered, file: Option<&str>) -> String {
    let crlf = |t: &str| t.replace('\n', "\r\n");
    let plain = format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
        crlf(&r.plain)
    );
    let text = match &r.html {
        None => plain,
        Some(html) => format!(
            "Content-Type: multipart/alternative; boundary=\"=alt\"\r\n\r\n--=alt\r\n{plain}--=alt\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n--=alt--\r\n",
            crlf(html)
        ),
    };
    match file {
        None => text,
        Some(file) => format!(
            "Content-Type: multipart/mixed; boundary=\"=mix\"\r\n\r\n--=mix\r\n{text}\r\n--=mix\r\nContent-Type: application/pdf; name=\"{file}\"\r\nContent-Disposition: attachment; filename=\"{file}\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--=mix--\r\n"
        ),
    }
}

/// The text of a message as its reader's client would quote it.
fn plain_part(content: &str) -> String {
    let start = content.find("text/plain").and_then(|p| content[p..].find("\r\n\r\n").map(|q| p + q + 4)).unwrap_or(0);
    let end = content[start..].find("--=alt").map_or(content.len(), |e| start + e);
    let end = content[start..end].find("--=mix").map_or(end, |e| start + e);
    content[start..end].replace("\r\n", "\n").trim_end().to_string()
}

impl Author {
    /// A bounce, written by hand.
    pub fn dsn(&mut self, daemon: Id, at: Timestamp, parts: String, of: &str) {
        let date = Zone::utc().local(at).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let (address, account) = self.mine(None, at);
        let from = self.cast[daemon].address.clone();
        let bytes = format!(
            "Return-Path: <>\r\nReceived: from localhost by mail.home.example; {date}\r\nFrom: Mail Delivery Subsystem <{from}>\r\nTo: <{address}>\r\nSubject: Undelivered Mail Returned to Sender\r\nDate: {date}\r\nMessage-ID: <dsn-{of}>\r\nIn-Reply-To: <{of}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"=dsn\"\r\n\r\n{parts}\r\n"
        );
        self.happenings.push(Happening { at, what: What::Mail { account, sent: false, bytes } });
    }
}
