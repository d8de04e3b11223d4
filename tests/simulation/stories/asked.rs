//! Questions in both directions, and promises.

use kithd::time::{DAY, Date, HOUR, Timestamp, add_days};

use super::super::author::{Author, Draft, ME};
use super::super::calendar::Appointment;
use super::super::cast::Id;
use super::super::gold::{Debt, Kind};
use super::super::phrases::For;

#[derive(Clone, Copy)]
enum Fate {
    Never,
    Soon,
    Late,
    ByColleague,
    FromAlias,
    NewThread,
    Invitation,
    OutOfOffice,
    NoRush,
    Met,
    Reaction,
    LateSync,
}

/// The user asks somebody.
pub fn i_ask(a: &mut Author, circle: &[Id], date: Date) {
    let fate = a.dice.weighed(&[
        (30, Fate::Never),
        (25, Fate::Soon),
        (10, Fate::Late),
        (7, Fate::ByColleague),
        (5, Fate::FromAlias),
        (6, Fate::NewThread),
        (5, Fate::Invitation),
        (6, Fate::OutOfOffice),
        (6, Fate::NoRush),
        (4, Fate::Met),
        (4, Fate::Reaction),
        (4, Fate::LateSync),
    ]);
    let length = if matches!(fate, Fate::Never | Fate::Late | Fate::NoRush | Fate::OutOfOffice) { 20 } else { 8 };
    let Some(who) = a.somebody(circle, date, length) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let ask = if matches!(fate, Fate::NoRush) { a.line(words.no_rush) } else { a.line(words.ask) };
    let mut body = vec![a.chat(who), ask];
    if a.dice.chance(40) {
        body.push(a.chat(who));
    }
    let subject = a.line(words.subjects);
    let colleague = circle.iter().copied().find(|p| *p != who && a.cast[*p].domain() == a.cast[who].domain());
    let cc =
        if matches!(fate, Fate::ByColleague) { colleague.map(|c| vec![c]).unwrap_or_default() } else { Vec::new() };
    let thanks_off = a.dice.chance(30);
    let letter =
        a.say(Draft { subject: &subject, body, cc: cc.clone(), thanks_off, ..Draft::new(at, ME, vec![who], "i ask") });
    let answer = vec![a.line(words.answer), a.chat(who)];
    let closed = match fate {
        Fate::Never => None,
        Fate::NoRush => return a.gold.debts.push(optional(Kind::Unanswered, who, &letter.id, at)),
        Fate::Late => {
            let days = a.dice.between(9, 14);
            let then = a.days_later(at, days);
            Some(a.reply(then, who, &letter, answer, "answered late").at)
        }
        Fate::ByColleague if !cc.is_empty() => {
            let then = a.days_later(at, 1);
            Some(
                a.say(Draft {
                    body: answer,
                    re: Some(&letter),
                    cc: vec![who],
                    ..Draft::new(then, cc[0], vec![ME], "answered by a colleague")
                })
                .at,
            )
        }
        Fate::FromAlias => {
            let then = a.days_later(at, 1);
            let home = format!("{}.{}@gmail.com", fold(&a.cast[who].first), fold(&a.cast[who].last));
            Some(
                a.say(Draft {
                    body: answer,
                    re: Some(&letter),
                    from_address: Some(home),
                    ..Draft::new(then, who, vec![ME], "answered from an alias")
                })
                .at,
            )
        }
        Fate::NewThread => {
            let then = a.days_later(at, 2);
            Some(a.write(then, who, ME, answer, "answered in a new thread").at)
        }
        Fate::Invitation => {
            let then = a.days_later(at, 1);
            let start = a.days_later(then, 3);
            a.meet(Appointment {
                by: Some(who),
                mine: "ACCEPTED",
                ..appointment("", start, who, then, "an invitation is the answer")
            });
            Some(then)
        }
        Fate::OutOfOffice => {
            let back = add_days(date, a.dice.between(8, 12));
            let text = words.away.replace("{date}", &back.strftime("%d.%m.%Y").to_string());
            let subject = format!("{}: {}", words.away_subject, letter.subject);
            let headers = if a.dice.chance(60) {
                vec![("Auto-Submitted", "auto-replied".to_string())]
            } else {
                vec![("X-Auto-Response-Suppress", "All".to_string())]
            };
            a.say(Draft {
                body: vec![text],
                subject: &subject,
                re: Some(&letter),
                headers,
                bare: true,
                machine: true,
                ..Draft::new(at.plus(60), who, vec![ME], "out of office")
            });
            let then = a.work_time(back);
            Some(a.reply(then, who, &letter, answer, "answered after the holiday").at)
        }
        Fate::Met => {
            let start = a.days_later(at, 2);
            a.meet(appointment("", start, who, at.plus(HOUR), "met since"));
            Some(start)
        }
        Fate::Reaction => {
            let then = a.days_later(at, 0);
            Some(react(a, then, who, &letter))
        }
        Fate::LateSync => {
            let then = a.days_later(at, 1);
            let (re, late) = (Some(&letter), 2 * DAY);
            Some(
                a.say(Draft { body: answer, re, late, ..Draft::new(then, who, vec![ME], "arrives late") })
                    .at
                    .plus(late),
            )
        }
        Fate::Soon | Fate::ByColleague => {
            let days = a.dice.between(0, 2);
            let then = a.days_later(at, days);
            Some(a.reply(then, who, &letter, answer, "answered").at)
        }
    };
    if matches!(fate, Fate::OutOfOffice) {
        // asking again after they are back would be right, before it would not
        let debt = optional(Kind::Unanswered, who, &letter.id, closed.unwrap_or(at));
        return a.gold.debts.push(Debt { until: closed.unwrap_or(at), from: at.plus(7 * DAY), ..debt });
    }
    a.owed(Kind::Unanswered, who, &letter.id, at, closed);
}

pub fn optional(kind: Kind, who: Id, cause: &str, at: Timestamp) -> Debt {
    Debt {
        kind,
        who: vec![who],
        cause: cause.to_string(),
        from: at,
        ripe: at,
        until: at.plus(super::NEVER),
        fades: Timestamp::MAX,
        optional: true,
    }
}

fn fold(name: &str) -> String {
    name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect()
}

/// An appointment of the two, `title` or a plain one.
pub fn appointment(title: &str, start: Timestamp, who: Id, said_at: Timestamp, story: &'static str) -> Appointment {
    Appointment {
        title: if title.is_empty() { "Meeting".to_string() } else { title.to_string() },
        start,
        minutes: 30,
        with: vec![(who, "ACCEPTED")],
        by: None,
        bot: None,
        mine: "ACCEPTED",
        said_at,
        rrule: None,
        room: false,
        crowd: 0,
        text: String::new(),
        story,
    }
}

/// A thumb, as Outlook and Gmail send it by mail.
fn react(a: &mut Author, at: Timestamp, who: Id, letter: &super::super::author::Msg) -> Timestamp {
    let quoted = letter.text.lines().map(|l| format!("> {l}")).collect::<Vec<_>>().join("\n");
    let text = format!("👍\n\n{} reacted via Gmail\n\n{quoted}", a.cast[who].name());
    a.say(Draft { body: vec![text], re: Some(letter), bare: true, ..Draft::new(at, who, vec![ME], "a reaction") }).at
}

#[derive(Clone, Copy)]
enum Asked {
    Never,
    Answered,
    Late,
    Pinged,
    OnlyCc,
    Fyi,
    SomebodyElse,
    MetSoon,
    Reacted,
    OldQuestionQuoted,
}

/// Somebody asks the user.
pub fn they_ask(a: &mut Author, circle: &[Id], date: Date) {
    let fate = a.dice.weighed(&[
        (30, Asked::Never),
        (24, Asked::Answered),
        (10, Asked::Late),
        (8, Asked::Pinged),
        (8, Asked::OnlyCc),
        (6, Asked::Fyi),
        (6, Asked::SomebodyElse),
        (4, Asked::MetSoon),
        (4, Asked::Reacted),
        (6, Asked::OldQuestionQuoted),
    ]);
    let length = if matches!(fate, Asked::Never | Asked::Late | Asked::Pinged) { 15 } else { 8 };
    let Some(who) = a.somebody(circle, date, length) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let mut body = vec![a.chat(who)];
    body.push(match fate {
        Asked::Fyi => a.line(words.fyi),
        Asked::Reacted => a.chat(who),
        _ => a.line(words.ask),
    });
    let colleague = circle.iter().copied().find(|p| *p != who && a.cast[*p].private == a.cast[who].private);
    let subject = a.line(words.subjects);
    let thanks_off = a.dice.chance(35);
    let (mut to, mut cc) = (vec![ME], Vec::new());
    match (fate, colleague) {
        (Asked::OnlyCc, Some(c)) => (to, cc) = (vec![c], vec![ME]),
        (Asked::SomebodyElse, Some(c)) => to = vec![ME, c],
        (Asked::OnlyCc | Asked::SomebodyElse, None) => return,
        _ => {}
    }
    let letter =
        a.say(Draft { subject: &subject, body, cc: cc.clone(), thanks_off, ..Draft::new(at, who, to, "they ask") });
    let answer = vec![a.line(words.answer)];
    match fate {
        Asked::Never => a.owed(Kind::ReplyOwed, who, &letter.id, at, None),
        Asked::Answered => {
            let days = a.dice.between(0, 1);
            let then = a.days_later(at, days);
            let sent = a.reply(then, ME, &letter, answer, "answered").at;
            a.owed(Kind::ReplyOwed, who, &letter.id, at, Some(sent));
        }
        Asked::Late => {
            let days = a.dice.between(6, 11);
            let then = a.days_later(at, days);
            let sent = a.reply(then, ME, &letter, answer, "answered late").at;
            a.owed(Kind::ReplyOwed, who, &letter.id, at, Some(sent));
        }
        Asked::Pinged => {
            let then = a.days_later(at, 4);
            let text = vec![a.line(words.ping)];
            let again = a.reply(then, who, &letter, text, "they ask again");
            a.owed(Kind::ReplyOwed, who, &letter.id, at, None);
            // the second is the same debt
            a.gold.debts.push(Debt { until: again.at.plus(21 * DAY), ..optional(Kind::ReplyOwed, who, &again.id, at) });
        }
        Asked::OnlyCc | Asked::Fyi | Asked::Reacted => {
            if matches!(fate, Asked::Reacted) {
                let then = a.days_later(at, 0);
                react_mine(a, then, &letter);
            }
        }
        Asked::SomebodyElse => {
            let then = a.days_later(at, 1);
            let c = colleague.unwrap_or(who);
            a.say(Draft {
                body: answer,
                re: Some(&letter),
                cc: vec![ME],
                ..Draft::new(then, c, vec![who], "somebody else answered")
            });
        }
        Asked::MetSoon => {
            let start = a.days_later(at, 1);
            a.meet(appointment("", start, who, at.plus(HOUR), "met since"));
            a.owed(Kind::ReplyOwed, who, &letter.id, at, Some(start));
        }
        Asked::OldQuestionQuoted => {
            // answered; their closing word quotes the answer, which quotes the question
            let then = a.days_later(at, 0);
            let mine = a.reply(then, ME, &letter, answer, "answered");
            a.owed(Kind::ReplyOwed, who, &letter.id, at, Some(mine.at));
            let last = a.days_later(mine.at, 1);
            let text = vec![a.chat(who)];
            a.reply(last, who, &mine, text, "a word to close");
        }
    }
}

/// The user's own thumb, sent as mail.
fn react_mine(a: &mut Author, at: Timestamp, letter: &super::super::author::Msg) {
    let quoted = letter.text.lines().map(|l| format!("> {l}")).collect::<Vec<_>>().join("\n");
    a.say(Draft {
        body: vec![format!("👍\n\n{quoted}")],
        re: Some(letter),
        bare: true,
        ..Draft::new(at, ME, vec![letter.from], "a reaction")
    });
}

#[derive(Clone, Copy)]
enum Word {
    Broken,
    Kept,
    KeptLate,
    OtherThread,
    Introduction,
    Invitation,
    Conditional,
    NoPromise,
}

/// The user brings somebody of their own together with `who`, in a new thread.
fn introduce(a: &mut Author, who: Id, promised_at: Timestamp) -> Timestamp {
    let other = a.stranger();
    let (then, words) = (a.days_later(promised_at, 1), a.words(who));
    let (name, first, asked) = (a.cast[other].name(), a.cast[other].first.clone(), a.cast[who].first.clone());
    let text = a.line(words.intro).replace("{x}", &asked).replace("{zf}", &first).replace("{z}", &name);
    let subject = format!("{asked} <> {first}");
    a.say(Draft {
        subject: &subject,
        body: vec![text],
        ..Draft::new(then, ME, vec![who, other], "a promised introduction")
    })
    .at
}

/// The user promises something.
pub fn i_promise(a: &mut Author, circle: &[Id], date: Date) {
    let word = a.dice.weighed(&[
        (36, Word::Broken),
        (18, Word::Kept),
        (10, Word::KeptLate),
        (12, Word::OtherThread),
        (6, Word::Introduction),
        (6, Word::Invitation),
        (12, Word::Conditional),
        (12, Word::NoPromise),
    ]);
    // a promise "by Friday" is made early in the week
    let date = add_days(date, -i64::from(date.weekday().to_monday_zero_offset()) + a.dice.between(0, 2));
    let length = if matches!(word, Word::KeptLate) { 21 } else { 14 };
    let Some(who) = a.somebody(circle, date, length) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let dated = a.dice.chance(50);
    let (said, day) = match word {
        Word::Conditional => (a.line(words.promise_if), None),
        Word::NoPromise => (a.line(words.promise_not), None),
        Word::Introduction => (words.promise_intro.to_string(), None),
        Word::Invitation => (a.line(words.promise_invite), None),
        _ if dated => {
            let (said, day) = *a.dice.pick(words.promise_dated);
            (said.to_string(), Some(day))
        }
        _ => (a.line(words.promise), None),
    };
    // in an answer, as promises mostly are
    let before = a.work_time(add_days(date, -1)).min(at.minus(HOUR));
    let theirs = vec![a.chat(who)];
    let first = a.write(before, who, ME, theirs, "before a promise");
    let mut body = vec![a.chat(who), said];
    if a.dice.chance(40) {
        body.push(a.chat(who));
    }
    let letter = a.reply(at, ME, &first, body, "a promise");
    let said_on = a.zone.date(at);
    let due = day.map(|d| match d {
        For::Tomorrow => add_days(said_on, 1),
        For::Friday => add_days(said_on, 4 - i64::from(said_on.weekday().to_monday_zero_offset())),
    });
    let keep = |a: &mut Author, n: i64, thread: bool| {
        let then = a.days_later(at, n);
        let text = vec![a.line(words.kept)];
        let subject = a.line(words.subjects);
        let re = thread.then_some(&letter);
        let (subject, file) = (if thread { "" } else { &subject }, Some("document.pdf"));
        a.say(Draft { body: text, re, subject, file, ..Draft::new(then, ME, vec![who], "a promise kept") }).at
    };
    let closed = match word {
        Word::Broken => None,
        Word::Kept => Some(keep(a, if due.is_some() { 0 } else { 1 }, true)),
        Word::OtherThread => Some(keep(a, if due.is_some() { 0 } else { 2 }, false)),
        Word::KeptLate => {
            let n = a.dice.between(9, 13);
            let thread = a.dice.chance(50);
            Some(keep(a, n, thread))
        }
        Word::Introduction => Some(introduce(a, who, at)),
        Word::Invitation => {
            let then = a.days_later(at, 1);
            let start = a.days_later(then, 4);
            a.meet(appointment("", start, who, then, "a promised invitation"));
            Some(then)
        }
        Word::Conditional | Word::NoPromise => return,
    };
    a.owed(Kind::Promise, who, &letter.id, at, closed);
    if let (Some(due), Some(debt)) = (due, a.gold.debts.last_mut()) {
        // the morning of the day, or of the last working day before it
        let weekend = i64::from((due.weekday().to_monday_zero_offset() - 4).max(0));
        let morning = a.zone.at(add_days(due, -weekend), 8 * 60);
        (debt.from, debt.ripe) = (morning, morning.plus(HOUR).max(at));
    }
}
