//! The slow current of a year: circles, rhythms, family, holidays, birthdays, changes.

use kithd::time::{DAY, Date, HOUR, Timestamp, add_days, days_between};

use super::super::author::{Appointment, Author, Draft, Happening, ME, What};
use super::super::cast::{Id, Person};
use super::super::gold::{Debt, Kind, Letter};
use super::asked::{appointment, optional};

/// A few words to and fro: a statement, sometimes a question that is answered at once.
pub fn exchange(a: &mut Author, who: Id, date: Date) {
    let (at, words) = (a.work_time(date), a.words(who));
    let i_begin = a.dice.chance(50);
    let (one, two) = if i_begin { (ME, who) } else { (who, ME) };
    let mut text = vec![a.chat(who)];
    let asks = a.dice.chance(30);
    if asks {
        text.push(a.line(words.ask));
    }
    let first = a.write(at, one, two, text, "everyday");
    let answer = if asks { a.line(words.answer) } else { a.chat(who) };
    let wait = if asks { 0 } else { a.dice.between(0, 2) };
    let then = a.days_later(at, wait);
    let second = a.reply(then, two, &first, vec![answer], "everyday");
    if asks {
        let kind = if i_begin { Kind::Unanswered } else { Kind::ReplyOwed };
        a.owed(kind, who, &first.id, at, Some(second.at));
    }
}

/// People in a rhythm of their own, for the whole time; `until` where they drift away.
pub fn rhythm(a: &mut Author, who: Id, every: i64, until: Option<Date>) {
    let mut date = add_days(a.born, a.dice.between(0, every));
    let last_day = until.unwrap_or(a.end);
    let mut last = date;
    while date < last_day {
        if a.is_away(date) || !a.is_free(who, add_days(date, -2), 8) {
            // somebody's story is about them: a little later, then
            date = add_days(date, 2);
            continue;
        }
        exchange(a, who, date);
        last = date;
        let jitter = (every * 3 / 10).max(1);
        date = add_days(date, every + a.dice.between(-jitter, jitter));
    }
    if until.is_some() {
        a.claim(who, last, 800);
        let (at, from) = (a.zone.at(add_days(last, 3), 0), add_days(last, every + every / 2));
        let from = a.zone.at(from, 0);
        let ripe = a.zone.at(add_days(last, (every * 3).max(45)), 0);
        a.owe(Debt { kind: Kind::KeepInTouch, who: vec![who], cause: String::new(), from: from.max(at), ripe, until: at.plus(super::NEVER), fades: Timestamp::MAX, optional: false });
    }
}

/// Somebody the user wants to hear from: an interval of their own in the config.
pub fn wished_for(a: &mut Author, who: Id, every: i64, last_day: Date) {
    rhythm(a, who, every * 2 / 3, Some(last_day));
    if let Some(d) = a.gold.debts.last_mut().filter(|d| d.kind == Kind::KeepInTouch) {
        let last = a.gold.letters.values().filter(|l| l.from == who || l.to == [who]).map(|l| l.at).max().unwrap_or(d.from);
        (d.from, d.ripe) = (last.plus(every * DAY), last.plus(every * DAY));
    }
}

/// Asks by mail, is answered by phone.
pub fn spouse(a: &mut Author, who: Id) {
    let mut date = a.born;
    while date < a.end {
        let words = a.words(who);
        let text = vec![a.line(words.spouse)];
        let minute = u16::try_from(a.dice.between(8 * 60, 18 * 60)).unwrap();
        let at = a.zone.at(date, minute);
        let subject = text[0].chars().take(12).collect::<String>();
        a.say(Draft { subject: &subject, body: text, bare: true, ..Draft::new(at, who, vec![ME], "a spouse, answered by phone") });
        if a.dice.chance(15) {
            let text = vec![a.chat(who)];
            a.write(at.plus(6 * HOUR), ME, who, text, "spouse");
        }
        date = add_days(date, a.dice.between(2, 6));
    }
}

/// Two who write from one address.
pub fn couple(a: &mut Author, one: Id) -> Id {
    let mut other: Person = a.cast[one].clone();
    other.first = format!("{}a", other.first.chars().next().unwrap_or('M'));
    let other = a.add(other);
    let mut date = add_days(a.born, 5);
    while date < a.end {
        let who = if a.dice.chance(50) { one } else { other };
        if !a.is_away(date) {
            exchange(a, who, date);
        }
        date = add_days(date, a.dice.between(20, 35));
    }
    other
}

/// Met every week, asks by mail what is answered in the meeting.
pub fn manager(a: &mut Author, who: Id) {
    let words = a.words(who);
    let monday = add_days(a.born, 7 - i64::from(a.born.weekday().to_monday_zero_offset()));
    let start = a.zone.at(add_days(monday, 1), 10 * 60);
    let said_at = start.minus(3 * DAY);
    let title = format!("{} {}", words.weekly, a.cast[who].first);
    a.meet(Appointment { by: Some(who), rrule: Some("FREQ=WEEKLY;BYDAY=TU".to_string()), ..appointment(&title, start, who, said_at, "weekly") });
    a.claim(who, a.born, 900);
    let mut date = monday;
    while date < a.end {
        if !a.is_away(date) && !a.is_away(add_days(date, 1)) {
            let text = vec![a.chat(who), a.line(words.ask)];
            let at = a.work_time(date);
            let m = a.write(at, who, ME, text, "manager");
            if a.dice.chance(40) {
                let then = a.days_later(at, 0);
                let answer = vec![a.line(words.answer)];
                a.reply(then, ME, &m, answer, "manager");
            }
            a.owed(Kind::ReplyOwed, who, &m.id, at, Some(a.zone.at(add_days(a.zone.date(at), 1), 10 * 60)));
        }
        date = add_days(date, 7);
    }
}

pub fn birthday(a: &mut Author, who: Id, month_from: i64, seen: bool) {
    let day = add_days(a.start, month_from);
    let born = Date::new(1980, day.month(), day.day().min(28)).unwrap();
    let at = a.zone.at(add_days(a.born, 1), 600);
    a.card(who, Some(born), at);
    let day = Date::new(day.year(), day.month(), day.day().min(28)).unwrap();
    // never late: on the day, or on the last working day before it
    let mut eve = day;
    while eve.weekday().to_monday_zero_offset() > 4 {
        eve = add_days(eve, -1);
    }
    let (from, end) = (a.zone.at(eve, 0), a.zone.at(add_days(day, 1), 0));
    let mut until = end;
    if seen {
        let at = a.zone.at(eve, 7 * 60 + 30);
        let words = a.words(who);
        let text = vec![a.line(words.wish)];
        a.write(at, ME, who, text, "wished");
        until = at;
    }
    let optional = a.is_away(eve);
    a.owe(Debt { kind: Kind::Milestone, who: vec![who], cause: String::new(), from, ripe: a.zone.at(eve, 9 * 60), until, fades: Timestamp::MAX, optional });
}

/// Three weeks away: the calendar says so, a machine answers, the mail waits.
pub fn holiday(a: &mut Author, from: Date) {
    let until = add_days(from, 20);
    a.away.push((from, until));
    let words = a.words(ME);
    let said_at = a.zone.at(add_days(from, -30), 600);
    let start = a.zone.at(from, 0);
    a.meet(Appointment { minutes: 21 * 24 * 60, with: Vec::new(), ..appointment(words.vacation, start, ME, said_at, "holiday") });
}

/// Mail that comes in while the user is away, and the machine's answer.
pub fn while_away(a: &mut Author, circle: &[Id]) {
    for (from, until) in a.away.clone() {
        let words = a.words(ME);
        let mut date = add_days(from, 2);
        while date < until {
            let Some(who) = a.somebody(circle, date, 20) else { break };
            let at = a.zone.at(date, 11 * 60);
            let text = vec![a.chat(who), a.line(a.words(who).ask)];
            let m = a.write(at, who, ME, text, "asks while the user is away");
            let text = words.away.replace("{date}", &until.strftime("%d.%m.%Y").to_string());
            let subject = format!("{}: {}", words.away_subject, m.subject);
            let headers = vec![("Auto-Submitted", "auto-replied".to_string())];
            a.say(Draft { subject: &subject, body: vec![text], re: Some(&m), headers, bare: true, machine: true, ..Draft::new(at.plus(20), ME, vec![who], "the user's out of office") });
            let back = a.zone.at(add_days(until, 1), 0);
            let closed = a.dice.chance(60).then(|| {
                let t = a.work_time(add_days(until, 1));
                let answer = vec![a.line(a.words(who).answer)];
                a.reply(t, ME, &m, answer, "answered after the holiday").at
            });
            a.owed(Kind::ReplyOwed, who, &m.id, at, closed);
            if let Some(d) = a.gold.debts.last_mut() {
                (d.from, d.ripe) = (back, back.plus(2 * DAY));
            }
            date = add_days(date, 6);
        }
    }
}

/// They write from another address from then on.
pub fn moves_house(a: &mut Author, who: Id, from: Date) {
    let new = format!("{}.{}@posteo.de", fold(&a.cast[who].first), fold(&a.cast[who].last));
    a.cast[who].moved = Some((a.zone.at(from, 0), new));
}

fn fold(name: &str) -> String {
    name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect()
}

/// Another company, another address, another account; the old one is closed.
pub fn new_job(a: &mut Author, from: Date) {
    let firm = a.agency.firm();
    let local = a.cast[ME].address.split('@').next().unwrap_or_default().to_string();
    a.work.push((from, format!("{local}@{firm}"), "job"));
    let at = a.zone.at(from, 6 * 60);
    a.happenings.push(Happening { at, what: What::Accounts(vec!["job", "home"]) });
}

/// What was open in an account that is gone is nobody's matter any more.
pub fn close_account(a: &mut Author, from: Date) {
    let then = a.zone.at(from, 0);
    let letters = a.gold.letters.clone();
    let before = |l: Option<&Letter>| l.is_some_and(|l| l.at < then);
    for d in &mut a.gold.debts {
        let old = before(letters.get(&d.cause)) || a.gold.meetings.get(&d.cause).is_some_and(|m| m.start < then);
        if old && d.until > then {
            d.optional = true;
            d.until = d.until.plus(60 * DAY);
        }
    }
}

/// Somebody else of the same name; one answers, the other does not.
pub fn namesakes(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.outsider(circle, date, 60) else { return };
    let mut twin = a.cast[who].clone();
    let firm = a.agency.firm();
    twin.address = format!("{}@{firm}", twin.address.split('@').next().unwrap_or_default());
    let twin = a.add(twin);
    for n in [0, 20] {
        exchange(a, twin, add_days(date, -60 + n));
    }
    let words = a.words(who);
    let at = a.work_time(date);
    let text = vec![a.chat(who), a.line(words.ask)];
    let asked = a.write(at, ME, who, text, "asks one of two namesakes");
    // the other one writes; that is no answer
    let then = a.days_later(at, 1);
    let text = vec![a.chat(twin)];
    a.write(then, twin, ME, text, "the namesake writes");
    a.owed(Kind::Unanswered, who, &asked.id, at, None);
    if let Some(d) = a.gold.debts.last_mut() {
        // nobody can tell two of one name apart who were both written to: either is right
        d.optional = true;
    }
}

/// A project: dense for two months, then over. Nobody drifts away.
pub fn project(a: &mut Author, date: Date) {
    let who = a.stranger();
    let mut day = date;
    while days_between(date, day) < 60 {
        if !a.is_away(day) {
            exchange(a, who, day);
        }
        day = add_days(day, a.dice.between(4, 9));
    }
    let _ = optional;
}
