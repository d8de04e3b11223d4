//! Plays a scenario: statements to the world, rounds to the inbox, expectations to errors.
//!
//! A round is run when something happened since the last one and the story goes on, or an
//! expectation is asked. The clock goes on one second with each message.

use std::fs;

use kithd::config::{Config, Surroundings};
use kithd::daemon::{Post, doors, once};
use kithd::engine::reply::{Act, ReminderRow, Setting};
use kithd::engine::{Engine, Reply, Request};
use kithd::outbox::verbs::when;
use kithd::time::{BareM, DAY, Span, Timestamp, add_days, days_between};

use crate::calendar::{event, vcalendar};
use crate::text::{Statement, Words, statements};
use crate::world::{Letter, World};

/// How a scenario is played.
#[derive(Clone, Copy, Default)]
pub struct Manner {
    /// The store is closed and opened again after every statement.
    pub stopped: bool,
    /// Files of one poll are found in another order.
    pub shuffled: bool,
    /// Each round is run twice.
    pub twice: bool,
}

/// A mail that reached the user.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub at: Timestamp,
    /// `rule/occasion`.
    pub rule: String,
    pub reminder: String,
    pub message_id: String,
    pub subject: String,
    pub body: String,
}

pub struct Play {
    pub world: World,
    manner: Manner,
    config_text: String,
    config: Option<Config>,
    engine: Option<Engine>,
    runtime: tokio::runtime::Runtime,
    pub now: Timestamp,
    dirty: bool,
    begun: bool,
    pub unclaimed: Vec<Delivered>,
    pub claimed: Option<Delivered>,
    pub delivered: Vec<Delivered>,
    pub said: String,
}

const CONFIG: &str = r#"
[me]
name = "Alex Doe"
addresses = ["alex@example.org"]
timezone = "Europe/Berlin"
language = "en"
[store]
path = "store"
[[mailbox]]
name = "mail"
type = "maildir"
path = "mail"
[[calendar]]
name = "cal"
type = "ics"
path = "cal"
[[address_book]]
name = "people"
type = "vcard"
path = "people"
[delivery]
to = "alex@example.org"
type = "maildir"
path = "inbox"
[schedule]
summary = "never"
"#;

/// Where a broken folder waits to be mended.
fn away(what: &str) -> String {
    format!("away-{}", what.replace('/', "-"))
}

/// Plays it; gives every delivery and the last state of every reminder.
pub fn play(told: &str, manner: Manner) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build().unwrap();
    let mut play = Play {
        world: World::new(manner.shuffled),
        manner,
        config_text: CONFIG.to_string(),
        config: None,
        engine: None,
        runtime,
        now: Timestamp::parse("2020-01-01T00:00:00Z").unwrap(),
        dirty: false,
        begun: false,
        unclaimed: Vec::new(),
        claimed: None,
        delivered: Vec::new(),
        said: String::new(),
    };
    for statement in statements(told) {
        play.statement(&statement).map_err(|e| format!("line {}: {}\n    {e}", statement.number, statement.line))?;
        if manner.stopped {
            play.engine = None;
        }
    }
    play.settle()?;
    play.end()
}

impl Play {
    fn statement(&mut self, s: &Statement) -> Result<(), String> {
        let mut w = Words::new(&s.line);
        let verb = w.word()?;
        if verb != "expect" && verb != "at" && verb != "answer" && verb != "mail" {
            self.leftover()?;
        }
        match verb {
            "at" => self.at(&mut w)?,
            "through" => self.through(&mut w)?,
            "config" => return self.configure(&mut w, s),
            "name" => {
                let address = w.word()?;
                self.world.call(address, w.quoted()?);
            }
            "contact" => self.contact(&mut w)?,
            "mail" => self.mail(&mut w, s)?,
            "invitation" => self.invitation(&mut w)?,
            "answer" => self.answer(&mut w)?,
            "event" => {
                let (world, zone) = (&self.world, self.world.zone.clone());
                let event = event(&mut w, &zone, &|a| world.name_of(a), self.now)?;
                self.world.schedule(&event, self.now);
            }
            "cancel" => self.world.cancel(w.word()?, false, self.now)?,
            "delete" => self.world.cancel(w.word()?, true, self.now)?,
            "card" => self.card(&mut w)?,
            "break" => {
                let what = w.word()?;
                fs::rename(self.world.path(what), self.world.path(&away(what))).map_err(|e| e.to_string())?;
            }
            // a file in its place: what would write there fails, and knows that it did
            "block" => {
                let path = self.world.path(w.word()?);
                let away = path.with_file_name(away(&path.file_name().unwrap_or_default().to_string_lossy()));
                if path.exists() {
                    fs::rename(&path, away).map_err(|e| e.to_string())?;
                }
                fs::write(path, "").map_err(|e| e.to_string())?;
            }
            "unblock" => {
                let path = self.world.path(w.word()?);
                let away = path.with_file_name(away(&path.file_name().unwrap_or_default().to_string_lossy()));
                fs::remove_file(&path).map_err(|e| e.to_string())?;
                if away.exists() {
                    fs::rename(away, path).map_err(|e| e.to_string())?;
                }
            }
            "mend" => {
                let what = w.word()?;
                fs::rename(self.world.path(&away(what)), self.world.path(what)).map_err(|e| e.to_string())?;
            }
            "say" => {
                self.settle()?;
                self.say(&mut w)?;
            }
            "expect" => {
                if self.dirty {
                    self.round()?;
                }
                return self.expect(&mut w);
            }
            other => return Err(format!("`{other}` begins no statement")),
        }
        if !w.is_empty() {
            return Err(format!("what is `{}`?", w.rest()));
        }
        self.dirty = true;
        Ok(())
    }

    fn at(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        self.settle()?;
        self.leftover()?;
        let at = w.time(&self.world.zone)?;
        if w.take("is") {
            w.need("refused")?;
            let refused = self.engine().begin_round(at, true).is_err();
            return if refused { Ok(()) } else { Err("it was not refused".to_string()) };
        }
        if at < self.now {
            return Err("time goes back".to_string());
        }
        (self.now, self.begun) = (at, true);
        Ok(())
    }

    /// Rounds at 08:00, 12:00 and 17:00 of each day from now on, and one at the given time.
    fn through(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        self.settle()?;
        let (zone, end) = (self.world.zone.clone(), w.time(&self.world.zone)?);
        let (first, last) = (zone.date(self.now), zone.date(end));
        for n in 0..=days_between(first, last) {
            for hour in [8, 12, 17] {
                let at = zone.at(add_days(first, n), hour * 60);
                if at > self.now && at < end {
                    self.now = at;
                    self.round()?;
                }
            }
        }
        self.now = self.now.max(end);
        Ok(())
    }

    /// Everything that happened is read before the story goes on.
    fn settle(&mut self) -> Result<(), String> {
        if self.dirty && self.begun { self.round() } else { Ok(()) }
    }

    fn leftover(&self) -> Result<(), String> {
        match self.unclaimed.first() {
            Some(d) => Err(format!("nobody expected {} {:?} ({})\n    {}", d.rule, d.subject, d.at, d.body)),
            None => Ok(()),
        }
    }

    /// `config` with TOML lines beneath it, or `config in SECTION key = value`.
    fn configure(&mut self, w: &mut Words<'_>, s: &Statement) -> Result<(), String> {
        if w.take("in") {
            let section = w.word()?;
            let key = w.peek();
            let mut lines: Vec<String> = self.config_text.lines().map(str::to_string).collect();
            let is_head = |l: &String| *l == format!("[{section}]") || *l == format!("[[{section}]]");
            let head = lines.iter().position(is_head).ok_or("there is no such section")?;
            let end =
                lines.iter().skip(head + 1).position(|l| l.starts_with('[')).map_or(lines.len(), |n| head + 1 + n);
            if let Some(old) = lines[head..end].iter().position(|l| l.split_whitespace().next() == Some(key)) {
                lines.remove(head + old);
            }
            lines.insert(head + 1, w.rest().to_string());
            self.config_text = lines.join("\n");
        } else {
            self.config_text.push_str(&format!("\n{}\n", s.more.join("\n")));
        }
        (self.config, self.engine) = (None, None);
        Ok(())
    }

    pub fn config(&mut self) -> &Config {
        if self.config.is_none() {
            let root = self.world.path("");
            let around = Surroundings {
                home: Some(root.clone()),
                state_home: None,
                state_directory: None,
                is_root: false,
                zone: self.world.zone.clone(),
                locale: None,
            };
            let read = kithd::config::read(&self.config_text, &root.join("config.toml"), &around);
            self.config = Some(read.unwrap_or_else(|e| panic!("{e}\n{}", self.config_text)));
        }
        self.config.as_ref().unwrap()
    }

    pub fn engine(&mut self) -> &mut Engine {
        if self.engine.is_none() {
            let (store, setup) = (self.config().store.clone(), self.config().setup.clone());
            self.engine = Some(Engine::open(&store, setup, self.now).unwrap());
        }
        self.engine.as_mut().unwrap()
    }

    fn round(&mut self) -> Result<(), String> {
        self.dirty = false;
        for _ in 0..if self.manner.twice { 2 } else { 1 } {
            let sources = doors::sources(self.config());
            let post = Post::of(self.config(), &sources);
            let (now, zone) = (self.now, self.world.zone.clone());
            self.engine().begin_round(now, true).map_err(|e| e.to_string())?;
            let engine = self.engine.as_mut().unwrap();
            let round = self.runtime.block_on(once(engine, &sources, &post, &zone, now, &mut |_| ()));
            round.map_err(|e| e.to_string())?;
            self.fetch();
        }
        Ok(())
    }

    /// Takes new mail out of the inbox; a copy lies in the mailbox, where kithd finds it again.
    fn fetch(&mut self) {
        let mut files: Vec<_> =
            fs::read_dir(self.world.path("inbox/new")).into_iter().flatten().map(|e| e.unwrap().path()).collect();
        files.sort();
        let mut new = Vec::new();
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            let header =
                |name: &str| mail.header(name).and_then(|h| h.as_text()).unwrap_or_default().trim().to_string();
            new.push(Delivered {
                at: self.now,
                rule: header("X-Kithd-Rule"),
                reminder: header("X-Kithd-Reminder"),
                message_id: mail.message_id().unwrap_or_default().to_string(),
                subject: mail.subject().unwrap_or_default().to_string(),
                body: mail.body_text(0).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
            });
            let name = file.file_name().unwrap();
            fs::rename(&file, self.world.path("inbox/cur").join(name)).unwrap();
            if self.world.path("mail").is_dir() {
                self.world.put(&self.world.path("mail/new").join(name), &bytes, self.now);
            }
        }
        new.sort_by(|a, b| (&a.rule, &a.reminder).cmp(&(&b.rule, &b.reminder)));
        self.delivered.extend(new.clone());
        self.unclaimed.extend(new);
    }

    pub fn ask(&mut self, request: Request) -> Result<Reply, String> {
        let now = self.now;
        self.engine().answer(request, now).map_err(|e| e.to_string())
    }

    pub fn reminders(&mut self) -> Result<Vec<ReminderRow>, String> {
        match self.ask(Request::Reminders { all: true })? {
            Reply::Reminders(rows) => Ok(rows),
            other => Err(format!("{other:?}")),
        }
    }

    /// `contact ADDR "Name" since DATE [every 35d until DATE]`: a mail from them, answered the next day.
    fn contact(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        let (who, name) = (w.word()?.to_string(), w.quoted()?);
        self.world.call(&who, name);
        w.need("since")?;
        let mut at = w.time(&self.world.zone)?.plus(10 * 3600);
        let (step, until) = if w.take("every") {
            let step = Span::parse(w.word()?, BareM::Months).ok_or("no span")?.approx_seconds();
            w.need("until")?;
            (step, w.time(&self.world.zone)?)
        } else {
            (DAY, at)
        };
        while at <= until {
            let first = Letter {
                folder: "INBOX".to_string(),
                from: vec![who.clone()],
                to: vec!["me".to_string()],
                subject: "News".to_string(),
                id: format!("in-{}-{who}", at.second()),
                text: "Hello Alex,\n\nthe report is out and all is well here.".to_string(),
                ..Letter::default()
            };
            let answer = Letter {
                folder: "Sent".to_string(),
                from: vec!["me".to_string()],
                to: vec![who.clone()],
                subject: "Re: News".to_string(),
                id: format!("out-{}-{who}", at.second()),
                re: Some(first.id.clone()),
                text: "Hello,\n\nall is well here too, the garden is green.".to_string(),
                ..Letter::default()
            };
            self.world.post(&first, at);
            self.world.post(&answer, at.plus(DAY));
            at = at.plus(step);
        }
        Ok(())
    }

    fn mail(&mut self, w: &mut Words<'_>, s: &Statement) -> Result<(), String> {
        let mut l = self.envelope(w)?;
        let mut at = None;
        let mut texts: Vec<String> = Vec::new();
        loop {
            if w.take("re") {
                l.re = Some(self.parent(w)?);
            } else if w.take("refs") {
                l.re = Some(self.parent(w)?);
                l.references_only = true;
            } else if w.take("with") {
                w.need("file")?;
                l.file = Some(w.word()?.to_string());
            } else if w.take("dated") {
                at = Some(w.time(&self.world.zone)?);
            } else {
                break;
            }
        }
        if !w.is_empty() {
            texts.push(w.rest().to_string());
        }
        *w = Words::new("");
        for line in &s.more {
            match line.strip_prefix("header ") {
                Some(header) => l.headers.push(header.to_string()),
                None => texts.push(line.clone()),
            }
        }
        l.text = texts.join("\n");
        self.post(&l, at);
        Ok(())
    }

    fn post(&mut self, l: &Letter, at: Option<Timestamp>) {
        self.now = self.now.plus(1);
        self.world.post(l, at.unwrap_or(self.now));
    }

    /// `<id>` or `showing [RULE]`.
    fn parent(&self, w: &mut Words<'_>) -> Result<String, String> {
        if let Some(id) = w.try_id() {
            return Ok(id.to_string());
        }
        w.need("showing")?;
        Ok(self.delivered.last().ok_or("nothing was shown")?.message_id.clone())
    }

    /// `in FOLDER FROM -> TO[, TO][; cc WHO][; bcc WHO] "Subject" <id>`
    fn envelope(&self, w: &mut Words<'_>) -> Result<Letter, String> {
        let mut l = Letter::default();
        if !w.take("in") {
            w.need("out")?;
        }
        l.folder = w.word()?.to_string();
        let (people, rest) = w.rest().split_once('"').ok_or("a subject is missing")?;
        let (from, to) = people.split_once("->").ok_or("`->` is missing")?;
        let list = |text: &str| text.split(',').map(|a| a.trim().to_string()).filter(|a| !a.is_empty()).collect();
        l.from = list(from);
        for part in to.split(';') {
            match part.trim().split_once(' ') {
                Some(("cc", who)) => l.cc = list(who),
                Some(("bcc", who)) => l.bcc = list(who),
                _ => l.to = list(part),
            }
        }
        let (subject, rest) = rest.split_once('"').ok_or("a subject ends with a quote")?;
        l.subject = subject.to_string();
        *w = Words::new(rest);
        l.id = w.try_id().ok_or("an <id> is missing")?.to_string();
        Ok(l)
    }

    /// `invitation METHOD in FOLDER FROM -> TO "Subject" <id> "Summary" START ...`
    fn invitation(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        let method = w.word()?.to_uppercase();
        let mut l = self.envelope(w)?;
        let (world, zone) = (&self.world, self.world.zone.clone());
        let event = event(w, &zone, &|a| world.name_of(a), self.now)?;
        l.calendar = Some((method.clone(), vcalendar(Some(&method), &[event.vevent()])));
        l.text = "An invitation.".to_string();
        self.post(&l, None);
        Ok(())
    }

    /// `answer "done" [to RULE] [in FOLDER] [from WHO,WHO] [rcpt WHO,WHO] [refs only]`
    fn answer(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        if self.dirty {
            self.round()?;
        }
        let text = w.quoted()?.replace("\\n", "\n");
        let mut l = Letter { folder: "Sent".to_string(), text, ..Letter::default() };
        let (mut from, mut to, mut rule) = ("me", "me", "");
        while !w.is_empty() {
            match w.word()? {
                "to" => rule = w.word()?,
                "in" => l.folder = w.word()?.to_string(),
                "from" => from = w.word()?,
                "rcpt" => to = w.word()?,
                "refs" => l.references_only = w.take("only"),
                other => return Err(format!("what is `{other}`?")),
            }
        }
        let shown = self.delivered.iter().rev().find(|d| d.rule.starts_with(rule)).ok_or("nothing was shown")?;
        l.re = Some(shown.message_id.clone());
        l.subject = format!("Re: {}", shown.subject);
        l.from = from.split(',').map(str::to_string).collect();
        l.to = to.split(',').map(str::to_string).collect();
        l.id = format!("answer-{}@example.org", self.now.second());
        self.post(&l, None);
        Ok(())
    }

    /// `card WHO "Name" [birthday DATE] [anniversary DATE]`, dates as in vCard: `1980-05-12`, `--0512`.
    fn card(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        let (who, name) = (w.word()?, w.quoted()?);
        self.world.call(who, name);
        let mut lines = format!("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:card-{who}\r\nFN:{name}\r\nEMAIL:{who}\r\n");
        while !w.is_empty() {
            match w.word()? {
                "birthday" => lines.push_str(&format!("BDAY:{}\r\n", w.word()?)),
                "anniversary" => lines.push_str(&format!("ANNIVERSARY:{}\r\n", w.word()?)),
                "email" => lines.push_str(&format!("EMAIL:{}\r\n", w.word()?)),
                other => return Err(format!("`{other}` is nothing a card has")),
            }
        }
        self.world.put(
            &self.world.path("people").join(format!("{who}.vcf")),
            format!("{lines}END:VCARD\r\n").as_bytes(),
            self.now,
        );
        Ok(())
    }

    /// A command, as the CLI would send it.
    fn say(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        let hours = self.config().setup.hours.clone();
        let verb = w.word()?;
        let request = match verb {
            "done" | "dismiss" | "snooze" => {
                let until = if verb == "snooze" { when(w.word()?, &hours, self.now) } else { None };
                let row = self.row(w)?;
                let act = match (verb, until) {
                    ("done", _) => Act::Done,
                    ("dismiss", _) => Act::Dismiss,
                    (_, until) => Act::Snooze(until.ok_or("snooze until when?")?),
                };
                Request::Act(row.id, act)
            }
            "pause" => Request::Pause(when(w.word()?, &hours, self.now).ok_or("until when?")?),
            "without" => Request::Without(w.word()?.to_string(), true),
            "with" => Request::Without(w.word()?.to_string(), false),
            "merge" => Request::Merge(w.word()?.to_string(), w.word()?.to_string()),
            "split" => {
                let (who, address) = (w.word()?.to_string(), w.word()?);
                Request::Split(who, kithd::address::AddrSpec::parse(address).ok_or("no address")?)
            }
            "forget" => Request::Forget(w.word()?.to_string()),
            "set" => {
                let who = w.word()?.to_string();
                let setting = match w.word()? {
                    "every" => Setting::Every(Span::parse(w.word()?, BareM::Months)),
                    "relationship" => Setting::Relationship(w.word()?.to_string()),
                    "mute" => Setting::Mute(true),
                    "unmute" => Setting::Mute(false),
                    "person" => Setting::Person,
                    "ignore" => Setting::Ignore,
                    "name" => Setting::Name(w.quoted()?.to_string()),
                    other => return Err(format!("what is `{other}`?")),
                };
                Request::Set(who, vec![setting])
            }
            other => return Err(format!("`{other}` is no command")),
        };
        self.said = match self.ask(request)? {
            Reply::Done(said) => said,
            Reply::Refused { why, .. } => format!("refused: {why}"),
            other => return Err(format!("{other:?}")),
        };
        Ok(())
    }

    fn end(&mut self) -> Result<String, String> {
        self.leftover()?;
        let mut end = String::new();
        let root = self.world.path("").display().to_string();
        for d in &self.delivered {
            end.push_str(&format!("{} {} {} {:?}\n    {}\n", d.at, d.rule, d.reminder, d.subject, d.body));
        }
        for mut row in self.reminders()? {
            row.message_id = None;
            end.push_str(&serde_json::to_string(&row).unwrap());
            end.push('\n');
        }
        // each run has a folder of its own
        Ok(end.replace(&root, ""))
    }
}
