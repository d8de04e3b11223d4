//! Plays a life through the real doors, the real store and the real rules, day by day.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use kithd::config::{Config, Surroundings};
use kithd::daemon::{Post, doors};
use kithd::engine::reply::ReminderRow;
use kithd::engine::{Effect, Engine, Event, Reply, Request};
use kithd::limits;
use kithd::source::{Occasion, Report};
use kithd::time::{DAY, HOUR, Timestamp, add_days, days_between};
use tempfile::TempDir;

use super::author::What;
use super::dice::Dice;
use super::life::Life;

/// Rounds of a working day, in minutes.
const ROUNDS: [u16; 2] = [8 * 60 + 40, 15 * 60 + 40];

/// How a life is played.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub bodies: bool,
    /// Things go wrong, by this seed.
    pub faults: Option<u64>,
    /// Two rounds a week, no more.
    pub seldom: bool,
}

/// A reminder that reached the user.
#[derive(Clone, Debug)]
pub struct Shown {
    pub at: Timestamp,
    /// In a mail of its own, or merged into one; else a line of the summary.
    pub own: bool,
    pub row: ReminderRow,
    /// Text of the mail it stands in.
    pub mail: String,
}

#[derive(Default)]
pub struct Played {
    pub shown: Vec<Shown>,
    /// Mails of their own, each with its time.
    pub mails: Vec<Timestamp>,
    pub rounds: u32,
    /// What the checkers outside the engine found.
    pub broken: Vec<String>,
    /// Bytes of the store at the end of each year.
    pub store: Vec<u64>,
}

pub struct Play<'a> {
    life: &'a Life,
    manner: Manner,
    dir: TempDir,
    config: Option<Config>,
    engine: Option<Engine>,
    accounts: Vec<&'static str>,
    next: usize,
    written: u32,
    dice: Dice,
    now: Timestamp,
    failing: Option<(&'static str, Timestamp)>,
    waiting_sent: Vec<String>,
    /// Message-IDs that lie in the inbox: none twice.
    accepted: BTreeSet<String>,
    /// Reminders that were shown: none twice, for nobody snoozes here.
    shown: BTreeSet<String>,
    /// When there was last a mail about somebody.
    about: BTreeMap<String, Timestamp>,
    pub played: Played,
}

pub fn play(life: &Life, manner: Manner) -> Played {
    let mut play = Play::new(life, manner);
    play.run();
    if manner.faults.is_some() {
        play.read_again();
        play.read_at_once();
    }
    if let Some(place) = std::env::var_os("KEEP") {
        // what kithd read, to look at with kithd itself
        fs::write(play.dir.path().join("config.toml"), play.config_text()).unwrap();
        fs::rename(play.dir.path(), place).unwrap();
    }
    play.played
}

impl<'a> Play<'a> {
    pub fn new(life: &'a Life, manner: Manner) -> Play<'a> {
        let memory = Path::new("/dev/shm").is_dir().then(|| Path::new("/dev/shm").to_path_buf());
        let base = std::env::var_os("KITHD_TEST_TMP").map(Into::into).or(memory).unwrap_or_else(std::env::temp_dir);
        let dir = tempfile::Builder::new().prefix("kithd-life-").tempdir_in(base).unwrap();
        let accounts = vec!["work", "home"];
        for account in ["work", "home", "job"] {
            let sent = format!("{account}/.Sent");
            let bare = account == "home" && life.sent_from.is_some();
            for folder in [Some(account), (!bare).then_some(sent.as_str())].into_iter().flatten() {
                for part in ["cur", "new", "tmp"] {
                    fs::create_dir_all(dir.path().join(folder).join(part)).unwrap();
                }
            }
        }
        for folder in ["cal", "people", "inbox/new", "inbox/cur", "inbox/tmp"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let now = life.zone.at(life.start, 7 * 60);
        let dice = Dice::new(manner.faults.unwrap_or(0));
        Play {
            life,
            manner,
            dir,
            config: None,
            engine: None,
            accounts,
            next: 0,
            written: 0,
            dice,
            now,
            failing: None,
            waiting_sent: Vec::new(),
            accepted: BTreeSet::new(),
            shown: BTreeSet::new(),
            about: BTreeMap::new(),
            played: Played::default(),
        }
    }

    fn run(&mut self) {
        for n in 0..days_between(self.life.start, self.life.end) {
            let date = add_days(self.life.start, n);
            if n % 365 == 364 {
                self.played.store.push(size_of(&self.dir.path().join("store")));
            }
            if date.weekday().to_monday_zero_offset() > 4 {
                continue;
            }
            let rounds = match (self.manner.seldom, date.weekday().to_monday_zero_offset()) {
                (true, 0 | 3) => &ROUNDS[..1],
                (true, _) => continue,
                (false, _) => &ROUNDS[..],
            };
            for minute in rounds.iter().copied() {
                let now = self.life.zone.at(date, minute);
                if self.manner.faults.is_some() && self.dice.chance(8) {
                    continue;
                }
                if self.manner.faults.is_some() && self.dice.chance(8) {
                    // somebody starts it by hand in the night
                    let night = self.life.zone.at(date, 5 * 60 + minute / 4);
                    if night > self.now {
                        self.now = night;
                        self.until(night);
                        self.round(night);
                    }
                }
                self.now = now;
                self.until(now);
                self.break_something(now);
                self.round(now);
                self.explain(date);
            }
        }
    }

    // ---- the world

    /// Everything that has happened by `now` lies on disk.
    fn until(&mut self, now: Timestamp) {
        if self.life.sent_from.is_some_and(|d| self.life.zone.at(d, 0) <= now) {
            for bytes in std::mem::take(&mut self.waiting_sent) {
                self.post("home", true, &bytes, now);
            }
        }
        while let Some(h) = self.life.happenings.get(self.next).filter(|h| h.at <= now) {
            self.next += 1;
            match &h.what {
                What::Mail { account: "home", sent: true, bytes }
                    if self.life.sent_from.is_some_and(|d| self.life.zone.at(d, 0) > h.at) =>
                {
                    self.waiting_sent.push(bytes.clone());
                }
                What::Mail { account, sent, bytes } => self.post(account, *sent, bytes, h.at),
                What::Event { uid, ics } => self.put(&format!("cal/{uid}.ics"), ics, h.at),
                What::Card { name, vcf } => self.put(&format!("people/{name}"), vcf, h.at),
                What::Accounts(accounts) => {
                    self.accounts.clone_from(accounts);
                    (self.config, self.engine) = (None, None);
                }
            }
        }
    }

    fn post(&mut self, account: &str, sent: bool, bytes: &str, at: Timestamp) {
        let folder = if sent { format!("{account}/.Sent") } else { account.to_string() };
        let (part, flags) = if sent { ("cur", ":2,S") } else { ("new", "") };
        // with faults the files of one poll are found in another order than they came in
        let order =
            if self.manner.faults.is_some() { (self.written.wrapping_mul(7919)) % 1000 } else { self.written % 1000 };
        let name = format!("{folder}/{part}/{}.M{order:04}P{}.host{flags}", at.second(), self.written);
        self.put(&name, bytes, at);
    }

    /// Writes a file; it and its folder get the story's time.
    fn put(&mut self, name: &str, text: &str, at: Timestamp) {
        self.written += 1;
        // what cannot be read now is written to all the same
        let away = self.failing.is_some_and(|(what, _)| name.split('/').next() == Some(what));
        let path = self.dir.path().join(if away { format!("away-{name}") } else { name.to_string() });
        let parent = path.parent().unwrap();
        fs::create_dir_all(parent).unwrap();
        fs::write(&path, text).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::new(u64::try_from(at.second()).unwrap(), self.written);
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        File::open(parent).unwrap().set_modified(time).unwrap();
    }

    // ---- the machine

    fn config_text(&self) -> String {
        let (life, me) = (self.life, &self.life.cast[0]);
        let addresses = life.addresses.iter().map(|a| format!("\"{a}\"")).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "[me]\nname = \"{}\"\naddresses = [{addresses}]\ntimezone = \"{}\"\nlanguage = \"en\"\n[store]\npath = \"store\"\n",
            me.name(),
            life.zone.name()
        );
        for account in &self.accounts {
            text.push_str(&format!(
                "[[mailbox]]\nname = \"{account}\"\ntype = \"maildir\"\npath = \"{account}\"\nbodies = {}\n",
                self.manner.bodies
            ));
        }
        text.push_str("[[calendar]]\nname = \"cal\"\ntype = \"ics\"\npath = \"cal\"\n");
        text.push_str("[[address_book]]\nname = \"people\"\ntype = \"vcard\"\npath = \"people\"\n");
        text.push_str(&format!(
            "[delivery]\nto = \"{}\"\ntype = \"maildir\"\npath = \"inbox\"\n",
            life.addresses.last().unwrap()
        ));
        for (who, every) in &life.wishes {
            text.push_str(&format!(
                "[[contact]]\naddresses = [\"{}\"]\nevery = \"{every}d\"\n",
                life.cast[*who].address
            ));
        }
        text
    }

    fn config(&mut self) -> &Config {
        if self.config.is_none() {
            let root = self.dir.path().to_path_buf();
            let zone = self.life.zone.clone();
            let around = Surroundings {
                home: Some(root.clone()),
                state_home: None,
                state_directory: None,
                is_root: false,
                zone,
                locale: None,
            };
            let text = self.config_text();
            let read = kithd::config::read(&text, &root.join("config.toml"), &around);
            self.config = Some(read.unwrap_or_else(|e| panic!("{e}\n{text}")));
        }
        self.config.as_ref().unwrap()
    }

    pub fn engine(&mut self) -> &mut Engine {
        if self.engine.is_none() {
            let now = self.now;
            let (store, setup) = (self.config().store.clone(), self.config().setup.clone());
            self.engine = Some(Engine::open(&store, setup, now).unwrap());
        }
        self.engine.as_mut().unwrap()
    }

    fn round(&mut self, now: Timestamp) {
        self.played.rounds += 1;
        let crash = self.manner.faults.is_some().then(|| self.dice.below(60)).filter(|n| *n < 4);
        self.engine().begin_round(now, false).unwrap();
        let sources = doors::sources(self.config());
        let post = Post::of(self.config(), &sources);
        let mut effects = self.engine().searches(now);
        self.perform(&mut effects, &post, now, None);
        for source in doors::sources(self.config()) {
            let mut events = Vec::new();
            let (name, cursors) = (source.name().to_string(), self.engine().cursors(source.name()).unwrap());
            let occasion = Occasion { now, zone: &self.life.zone, text_since: now.minus(limits::TEXT_WINDOW) };
            let read = source.read(cursors, &occasion, &mut |report| {
                events.push(event(&name, report));
                Ok(())
            });
            assert!(read.is_ok());
            for (n, event) in events.into_iter().enumerate() {
                if crash == Some(1) && n == 1 {
                    // in the middle of a reading
                    self.engine = None;
                    return;
                }
                self.engine().apply(event, now).unwrap();
            }
        }
        let mut effects = self.engine().apply(Event::Woke, now).unwrap();
        self.perform(&mut effects, &post, now, crash);
        self.fetch(now);
    }

    fn perform(&mut self, effects: &mut Vec<Effect>, post: &Post, now: Timestamp, crash: Option<usize>) {
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in std::mem::take(effects) {
                let event = match effect {
                    Effect::Deliver(envelope) => {
                        if crash == Some(2) {
                            // counted, not delivered
                            self.engine = None;
                            return;
                        }
                        let delivery = post.deliver(&envelope);
                        if crash == Some(3) {
                            // delivered, not known
                            self.engine = None;
                            return;
                        }
                        Event::Settled { showing: envelope.showing, delivery }
                    }
                    Effect::Find { showing, message_id } => Event::Found { showing, answer: post.find(&message_id) },
                    Effect::Retire(_) => continue,
                };
                more.extend(self.engine().apply(event, now).unwrap());
            }
            *effects = more;
        }
    }

    // ---- the inbox

    /// Takes new mail out of the inbox, and looks up what stands in it.
    fn fetch(&mut self, now: Timestamp) {
        let new = self.dir.path().join("inbox/new");
        let files: Vec<_> = fs::read_dir(new).unwrap().map(|e| e.unwrap().path()).collect();
        if files.is_empty() {
            return;
        }
        let Reply::Reminders(rows) = self.engine().answer(Request::Reminders { all: true }, now).unwrap() else {
            return;
        };
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            let header =
                |name: &str| mail.header(name).and_then(|h| h.as_text()).unwrap_or_default().trim().to_string();
            let (id, reminder, rule) =
                (mail.message_id().unwrap_or_default().to_string(), header("X-Kithd-Reminder"), header("X-Kithd-Rule"));
            if !self.accepted.insert(id.clone()) {
                self.played.broken.push(format!("{now} {rule} {id} lies in the inbox twice"));
            }
            let text = format!("{}\n{}", mail.subject().unwrap_or_default(), mail.body_text(0).unwrap_or_default());
            let is_summary = rule.starts_with("summary");
            let told =
                rows.iter().filter(|r| r.message_id.as_deref() == Some(id.as_str()) || r.id.to_string() == reminder);
            let told: Vec<ReminderRow> =
                told.filter(|r| r.sent_at.is_some_and(|t| now.since(t) < 10 * DAY)).cloned().collect();
            let is_reminder = !is_summary && !rule.starts_with("notice") && !rule.starts_with("help");
            if is_reminder {
                self.may_come(&told, now);
                self.played.mails.push(now);
            }
            for row in told {
                if !self.shown.insert(row.id.to_string()) {
                    self.played.broken.push(format!("{now} {} is shown twice", row.subject));
                }
                self.played.shown.push(Shown { at: now, own: !is_summary, row, mail: text.clone() });
            }
            fs::rename(&file, self.dir.path().join("inbox/cur").join(file.file_name().unwrap())).unwrap();
        }
    }

    /// Checkers outside the engine: hours, days off, one mail a week about one person.
    fn may_come(&mut self, told: &[ReminderRow], now: Timestamp) {
        let (date, local) = (self.life.zone.date(now), self.life.zone.local(now));
        let weekend = date.weekday().to_monday_zero_offset() > 4;
        let away = self.life.away.iter().any(|(a, b)| *a <= date && date <= *b);
        let what = told.first().map(|r| r.subject.clone()).unwrap_or_default();
        if !(8..18).contains(&local.hour()) || weekend || away {
            self.played.broken.push(format!("{now} {what} came outside the hours"));
        }
        let pressing =
            told.iter().any(|r| matches!(r.occasion.as_str(), "promise" | "interview" | "birthday" | "anniversary"));
        let who =
            told.iter().filter_map(|r| r.contact.as_ref()).map(|c| format!("{:?}", c.id)).next().unwrap_or_default();
        let last = self.about.insert(who, now);
        if last.is_some_and(|t| now.since(t) < 7 * DAY) && !pressing {
            self.played.broken.push(format!("{now} {what} came in the same week as another about them"));
        }
    }

    /// Reading everything again changes nothing.
    fn read_again(&mut self) {
        // once faults stop, all that was missed is read
        self.mend();
        self.round(self.now);
        let before = self.history();
        self.read_everything();
        let after = self.history();
        for (who, told) in &before {
            if after.get(who) != Some(told) {
                self.played.broken.push(format!("reading again changed {who}"));
            }
        }
    }

    /// A store that reads the whole year at once knows the same history as one that lived through it.
    fn read_at_once(&mut self) {
        if self.accounts.len() != 2 || self.accounts.contains(&"job") {
            // what lay in an account that is gone is known to the one store alone
            return;
        }
        let before = self.history();
        let (path, setup, now) = (self.dir.path().join("other-store"), self.config().setup.clone(), self.now);
        self.engine = None;
        self.engine = Some(Engine::open(&path, setup, now).unwrap());
        self.read_everything();
        let after = self.history();
        for who in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            if before.get(who) != after.get(who) {
                let n = |h: &BTreeMap<String, Vec<String>>| h.get(who).map(Vec::len);
                self.played.broken.push(format!(
                    "read at once, {who} has another history: {:?} and {:?}",
                    n(&before),
                    n(&after)
                ));
            }
        }
        self.engine = None;
    }

    fn read_everything(&mut self) {
        let now = self.now;
        for source in doors::sources(self.config()) {
            let name = source.name().to_string();
            let occasion = Occasion { now, zone: &self.life.zone, text_since: now.minus(limits::TEXT_WINDOW) };
            let mut events = Vec::new();
            let read = source.read(Vec::new(), &occasion, &mut |report| {
                events.push(event(&name, report));
                Ok(())
            });
            assert!(read.is_ok());
            for event in events {
                self.engine().apply(event, now).unwrap();
            }
        }
    }

    /// Everybody's interactions, by their addresses.
    fn history(&mut self) -> BTreeMap<String, Vec<String>> {
        let now = self.now;
        let Reply::Exported(export) = self.engine().answer(Request::Export, now).unwrap() else { panic!("no export") };
        let line =
            |i: &kithd::engine::reply::InteractionRow| format!("{} {} {} {}", i.at, i.kind, i.subject, i.evidence);
        let all = export.contacts.iter().map(|c| {
            let addresses: Vec<String> = c.row.addresses.iter().map(ToString::to_string).collect();
            (addresses.join(" "), c.interactions.iter().map(line).collect())
        });
        all.collect()
    }

    /// `EXPLAIN="ADDRESS DATE"`: what the engine says of somebody on that day.
    fn explain(&mut self, date: kithd::time::Date) {
        let Ok(asked) = std::env::var("EXPLAIN") else { return };
        let Some((who, day)) = asked.split_once(' ') else { return };
        if day != date.to_string() {
            return;
        }
        let now = self.now;
        let told = self.engine().answer(Request::Explain(who.to_string()), now).unwrap();
        if let Reply::Contact(sheet) = self.engine().answer(Request::Contact(who.to_string()), now).unwrap() {
            for i in &sheet.interactions[sheet.interactions.len().saturating_sub(5)..] {
                println!("{} {} {:?} {}", i.at, i.kind, i.subject, i.evidence);
            }
        }
        let Reply::Explained(all) = told else { return println!("{told:?}") };
        {
            for e in all {
                println!(
                    "{now} {}/{} {} {} due {} until {} {:?} vetoes {:?} closed {:?} {:?} {}",
                    e.rule,
                    e.occasion,
                    e.standing,
                    e.score,
                    e.due_at,
                    e.expires_at,
                    e.points,
                    e.vetoes,
                    e.closed_by,
                    e.reminder.map(|r| (r.state, r.trouble)),
                    e.reason
                );
            }
        }
    }

    // ---- faults

    fn mend(&mut self) {
        if let Some((what, _)) = self.failing.take() {
            fs::rename(self.dir.path().join(format!("away-{what}")), self.dir.path().join(what)).unwrap();
        }
    }

    fn break_something(&mut self, now: Timestamp) {
        if self.manner.faults.is_none() {
            return;
        }
        if self.failing.is_some_and(|(_, until)| until <= now) {
            self.mend();
        }
        if self.failing.is_none() && self.dice.chance(2) {
            let what = *self.dice.pick(&["work", "home", "cal", "people"]);
            fs::rename(self.dir.path().join(what), self.dir.path().join(format!("away-{what}"))).unwrap();
            self.failing = Some((what, now.plus(self.dice.between(1, 5) * DAY)));
        }
        if self.dice.chance(5) {
            self.engine = None;
        }
        if self.dice.chance(2) {
            // the clock was wrong for a round
            let wrong = now.minus(self.dice.between(1, 30) * HOUR);
            self.engine().begin_round(wrong, false).unwrap();
        }
    }
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| if e.path().is_dir() { size_of(&e.path()) } else { e.metadata().map_or(0, |m| m.len()) }).sum()
}

fn event(source: &str, report: Report) -> Event {
    let source = source.to_string();
    match report {
        Report::Batch(batch) => Event::Observed(batch),
        Report::Through { until, folders, sent_found } => Event::ReadThrough { source, until, folders, sent_found },
        Report::Failed { level, what } => Event::SourceFailed { source, level, what },
    }
}
