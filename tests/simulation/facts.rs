//! Does a reminder state anything that is not so? Read from its words, against the gold ledger.
//!
//! What is checked: the name, every quoted sentence with the day it is said to be of, the minutes and
//! people of a meeting, the days waited, the last contact and the three lines of last contacts, and
//! the absence itself ("no mail from you since"), as far as the world could be read by then.

use kithd::time::{Date, Timestamp, add_days, days_between};

use super::author::ME;
use super::cast::{Id, Style};
use super::gold::Letter;
use super::life::Life;
use super::play::Shown;

struct Checker<'a> {
    life: &'a Life,
    shown: &'a Shown,
    who: Vec<Id>,
    found: Vec<String>,
}

/// Everything false that a reminder says.
pub fn check(life: &Life, shown: &Shown) -> Vec<String> {
    let address =
        shown.row.contact.as_ref().and_then(|c| c.address.as_ref()).map(ToString::to_string).unwrap_or_default();
    let who = life.who(&address);
    let mut c = Checker { life, shown, who, found: Vec::new() };
    c.name();
    c.quotes();
    c.meeting();
    c.waited();
    c.last_contact();
    c.absence();
    if shown.own {
        c.lines();
    }
    c.found
}

/// White space and case folded, so that a cut or joined line is the same.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Checker<'_> {
    fn say(&mut self, what: String) {
        self.found.push(what);
    }

    /// `Tue 12 May`, with or without its year, as the date it must be seen from the day it was sent.
    fn day(&self, text: &str) -> Option<Date> {
        let today = self.life.zone.date(self.shown.at);
        let text = text.trim();
        (-400..=40).rev().map(|n| add_days(today, n)).find(|d| {
            let short = d.strftime("%a %-d %b").to_string();
            text == short || text == format!("{short} {}", d.year())
        })
    }

    fn on(&self, at: Timestamp, day: Date) -> bool {
        self.life.zone.date(at) == day
    }

    /// Letters of the thread-mates, by evidence and what lies before it.
    fn with_them(&self) -> impl Iterator<Item = &Letter> {
        let between = |l: &&Letter| {
            let theirs = |p: &Id| self.who.contains(p);
            !l.machine && (theirs(&l.from) || l.from == ME && l.to.iter().chain(&l.cc).any(theirs))
        };
        self.life.gold.letters.values().filter(between)
    }

    fn name(&mut self) {
        let Some(contact) = &self.shown.row.contact else { return };
        // of an address alone its name can be read, without its accents and spaces
        let spelled = |p: &Id| {
            let person = &self.life.cast[*p];
            let plain = |t: &str| super::cast::plain(t).to_lowercase();
            person.style == Style::Bare && plain(&contact.name) == plain(&person.name())
        };
        let mine = self.who.iter().any(|p| self.life.cast[*p].name() == contact.name || spelled(p));
        let is_address = contact.name.contains('@');
        if !mine && !is_address && !self.who.is_empty() {
            self.say(format!(
                "{} is not called {}",
                contact.address.as_ref().map(ToString::to_string).unwrap_or_default(),
                contact.name
            ));
        }
        if self.who.is_empty() {
            self.say(format!("nobody has the address {:?}", contact.address));
        }
    }

    /// `on DAY: ‘…’` must be a sentence of a letter of that day between the two, or a meeting's title.
    fn quotes(&mut self) {
        let reason = self.shown.row.reason.clone();
        let mut rest = reason.as_str();
        while let Some((before, tail)) = rest.split_once('‘') {
            // an apostrophe may be the same sign as the closing one: the longest quote that fits
            let ends: Vec<usize> = tail.match_indices('’').map(|(n, _)| n).collect();
            let quotes: Vec<&str> = ends.iter().map(|e| &tail[..*e]).collect();
            let day = before.rsplit_once(" on ").and_then(|(_, d)| self.day(d.trim_end_matches([':', ' '])));
            let told = |q: &&str| {
                let quote = folded(q.trim_end_matches(['…', '.', ' ']));
                let said = |l: &Letter| folded(&l.said).contains(&quote) || folded(&l.subject).contains(&quote);
                let letter = self.with_them().any(|l| said(l) && day.is_none_or(|d| self.on(l.at, d)));
                let titled = self
                    .life
                    .gold
                    .meetings
                    .values()
                    .any(|m| folded(&m.title) == quote || folded(&m.title).contains(&quote));
                letter || titled
            };
            match quotes.iter().rev().find(|q| told(q)) {
                Some(quote) => rest = &tail[quote.len()..],
                None => {
                    self.say(format!("nobody said {:?} on {day:?}", quotes.first().unwrap_or(&"")));
                    return;
                }
            }
        }
    }

    /// `(30 min, 2 people)` and the day of a meeting.
    fn meeting(&mut self) {
        let keys = self.shown.row.evidence.iter().map(|e| e.split(';').next().unwrap_or_default());
        let Some(m) = keys.filter_map(|k| self.life.gold.meetings.get(k)).next() else { return };
        let reason = &self.shown.row.reason;
        if reason.contains(" min") && !reason.contains(&format!("({} min", m.minutes)) {
            let what = format!("the meeting lasted {} min", m.minutes);
            self.say(what);
        }
        let people = m.with.len() + 1;
        if reason.contains(" people)") && !reason.contains(&format!("{people} people)")) {
            let what = format!("the meeting had {people} people");
            self.say(what);
        }
        let day = reason
            .split(" on ")
            .skip(1)
            .filter_map(|t| self.day(&t.chars().take_while(|c| *c != '(' && *c != '.').collect::<String>()))
            .next();
        if matches!(self.shown.row.occasion.as_str(), "first_meeting" | "after_meeting" | "interview")
            && day.is_some_and(|d| !self.on(m.start, d))
        {
            let what = format!("the meeting was on {}", self.life.zone.date(m.start));
            self.say(what);
        }
    }

    /// "No answer for N working days", a day more or less for what was written out of hours.
    fn waited(&mut self) {
        let Some((_, tail)) = self.shown.row.reason.split_once("No answer for ") else { return };
        let said: i64 = tail.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(-1);
        let asked = self.shown.row.evidence.iter().find_map(|e| self.life.gold.letters.get(e)).map(|l| l.at);
        let Some(asked) = asked else { return };
        let (from, to) = (self.life.zone.date(asked), self.life.zone.date(self.shown.at));
        let working =
            (1..=days_between(from, to)).filter(|n| add_days(from, *n).weekday().to_monday_zero_offset() < 5).count();
        if (i64::try_from(working).unwrap() - said).abs() > 1 {
            self.say(format!("it is {working} working days, not {said}"));
        }
    }

    /// "Last contact ... (mail, Sun 1 Feb)": a letter or a meeting of that day, and none later.
    fn last_contact(&mut self) {
        let Some((_, tail)) = self.shown.row.reason.split_once("Last contact ") else { return };
        let Some((_, day)) = tail.split_once(", ") else { return };
        let Some(day) = self.day(day.trim_end_matches([')', '.'])) else { return };
        let read = |l: &&Letter| l.arrives <= self.shown.at;
        let direct = |l: &&Letter| l.from == ME && l.to.iter().any(|p| self.who.contains(p)) || l.to.contains(&ME);
        let mail = self.with_them().filter(read).filter(direct).map(|l| l.at).max();
        let met = self
            .life
            .gold
            .meetings
            .values()
            .filter(|m| m.took_place && m.start < self.shown.at && m.with.iter().any(|p| self.who.contains(p)));
        let last = mail.max(met.map(|m| m.start).max());
        if let Some(last) = last.filter(|t| !self.on(*t, day)) {
            self.say(format!("the last contact was {last}"));
        }
    }

    /// What is said not to have happened did not, as far as it could be read.
    fn absence(&mut self) {
        let occasion = self.shown.row.occasion.as_str();
        let cause = self.shown.row.evidence.iter().find_map(|e| {
            let key = e.split(';').next().unwrap_or_default();
            let met = self.life.gold.meetings.get(key).map(|m| m.start.plus(m.minutes * 60));
            self.life.gold.letters.get(key).map(|l| l.at).or(met)
        });
        let Some(cause) = cause else { return };
        // what lies in a folder that cannot be read yet is not known
        let known = |l: &&Letter| {
            l.at > cause
                && l.arrives < self.shown.at
                && (l.from != ME || self.life.sent_from.is_none_or(|d| self.life.zone.at(d, 0) <= self.shown.at))
        };
        let sent = |l: &&Letter| l.from == ME;
        let heard = |l: &&Letter| l.from != ME && l.to.contains(&ME);
        let contrary = match occasion {
            "reply_owed" | "first_meeting" => self.with_them().filter(known).find(sent),
            "after_meeting" => self.with_them().find(known),
            "unanswered" => self.with_them().filter(known).find(heard),
            // thanks said by the way are thanks; those beneath a request may be meant for it
            "favour" | "introduction" => self
                .with_them()
                .filter(known)
                .filter(sent)
                .find(|l| l.thanks && (occasion == "favour" || l.cc.is_empty())),
            "promise" => self.with_them().filter(known).filter(sent).find(|l| l.file),
            _ => None,
        };
        if let Some(l) = contrary.map(|l| format!("there was {:?} at {} [{}]", l.subject, l.at, l.story)) {
            self.say(l);
        }
    }

    /// `Tue 12 May  you wrote: Subject`
    fn lines(&mut self) {
        let mail = self.shown.mail.clone();
        let Some((_, tail)) = mail.split_once("Last contacts:") else { return };
        for line in tail.lines().skip(1).take_while(|l| l.starts_with("  ")) {
            let Some((day, what)) = line.trim().split_once("  ") else { continue };
            let Some(day) = self.day(day) else {
                self.say(format!("what day is {day:?}"));
                continue;
            };
            let subject = what.split_once(": ").map(|(_, s)| folded(s)).unwrap_or_default();
            // a name of theirs stands for all their addresses, so any letter of one so called will do
            let letter =
                self.with_them().any(|l| self.on(l.at, day) && (folded(&l.subject) == subject || subject.is_empty()));
            let meeting = self.life.gold.meetings.values().any(|m| {
                m.with.iter().any(|p| self.who.contains(p))
                    && (folded(&m.title) == subject)
                    && (self.on(m.start, day) || m.title.contains(' '))
            });
            if !letter && !meeting {
                self.say(format!("there was no {line:?}"));
            }
        }
    }
}
