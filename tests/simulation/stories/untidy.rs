//! What people do that no form foresees: answers from elsewhere, by others and by phone, questions asked twice and
//! taken back, mail handed on, invitations sent again, lists with a Reply-To, machines without a header.

use kithd::time::{DAY, Date, HOUR, Timestamp, Zone};

use super::super::author::{Author, Draft, ME, Msg};
use super::super::calendar::Appointment;
use super::super::cast::{Id, Style};
use super::super::gold::{Debt, Kind};
use super::super::phrases::untidy;
use super::asked::{appointment, optional};

/// One of these stories.
pub fn any(a: &mut Author, circle: &[Id], date: Date) {
    type Story = fn(&mut Author, &[Id], Date);
    let all: [(usize, Story); 10] = [
        (14, answered_from_elsewhere),
        (10, answered_by_an_assistant),
        (14, taken_back),
        (10, asked_twice),
        (12, handed_on),
        (12, my_answer_from_the_phone),
        (10, invited_again),
        (10, through_a_list),
        (10, machine_without_headers),
        (8, my_copy_comes_late),
    ];
    a.dice.weighed(&all)(a, circle, date);
}

/// An address of theirs the user never wrote to.
fn second_address(a: &mut Author, who: Id) -> String {
    let p = &a.cast[who];
    let fold = |name: &str| name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect::<String>();
    // the judge knows who writes from `first.last@`
    format!("{}.{}@{}", fold(&p.first), fold(&p.last), *a.dice.pick(&["gmail.com", "icloud.com", "home.example"]))
}

/// The user asks; the answer comes from an address the user never wrote to, in a thread of its own.
fn answered_from_elsewhere(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 14) else { return };
    if a.cast[who].style == Style::Bare {
        // without a name here and there nobody could tell, not even the user
        return;
    }
    let (at, words) = (a.work_time(date), a.words(who));
    let (ask, subject) = (a.line(words.ask), a.line(words.subjects));
    let asked = a.say(Draft {
        subject: &subject,
        body: vec![ask],
        ..Draft::new(at, ME, vec![who], "asks, answered elsewhere")
    });
    let n = a.dice.between(1, 3);
    let (then, from) = (a.days_later(at, n), second_address(a, who));
    let body = vec![a.line(words.answer), a.chat(who)];
    // with the subject at least, or with nothing that ties the two
    let subject = if a.dice.chance(50) { format!("Re: {subject}") } else { a.line(words.subjects) };
    let answer = a.say(Draft {
        subject: &subject,
        body,
        from_address: Some(from),
        ..Draft::new(then, who, vec![ME], "answered from elsewhere in a new thread")
    });
    a.owed(Kind::Unanswered, who, &asked.id, at, Some(answer.at));
}

/// An assistant answers, who stood nowhere before.
fn answered_by_an_assistant(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.outsider(circle, date, 14) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let ask = vec![a.line(words.ask)];
    let asked = a.write(at, ME, who, ask, "asks, an assistant answers");
    let domain = a.cast[who].domain().to_string();
    let assistant = a.stranger_of(&domain);
    (a.cast[assistant].tongue, a.cast[assistant].private) = (a.cast[who].tongue, a.cast[who].private);
    let then = a.days_later(at, 1);
    let lines = untidy(a.cast[who].tongue).on_behalf;
    let text = a.line(lines).replace("{x}", &a.cast[who].first.clone());
    let answer = a.say(Draft {
        body: vec![text],
        re: Some(&asked),
        cc: vec![who],
        ..Draft::new(then, assistant, vec![ME], "an assistant answers")
    });
    a.owed(Kind::Unanswered, who, &asked.id, at, Some(answer.at));
}

/// They ask, and a day or two later need no answer any more: found, or talked about by phone.
fn taken_back(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 14) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let text = vec![a.chat(who), a.line(words.ask)];
    let asked = a.write(at, who, ME, text, "asks, and takes it back");
    let n = a.dice.between(0, 1);
    let then = a.days_later(at, n);
    let lines = untidy(a.cast[who].tongue).settled;
    let text = vec![a.line(lines)];
    let settled = a.say(Draft { body: text, re: Some(&asked), ..Draft::new(then, who, vec![ME], "takes it back") });
    a.owed(Kind::ReplyOwed, who, &asked.id, at, Some(settled.at));
}

/// The same mail again in a thread of its own, because nobody knows whether the first got through.
fn asked_twice(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 14) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let (text, subject) = (vec![a.chat(who), a.line(words.ask)], a.line(words.subjects));
    let draft =
        |at: Timestamp| Draft { subject: &subject, body: text.clone(), ..Draft::new(at, who, vec![ME], "asks twice") };
    let first = a.say(draft(at));
    let again = a.days_later(at, 1);
    let second = a.say(draft(again));
    let closed = a.dice.chance(50).then(|| {
        let then = a.days_later(again, 0);
        let answer = vec![a.line(words.answer)];
        a.reply(then, ME, &second, answer, "answered").at
    });
    a.owed(Kind::ReplyOwed, who, &first.id, at, closed);
    let until = closed.unwrap_or(again.plus(21 * DAY));
    a.owe(Debt { until, ..optional(Kind::ReplyOwed, who, &second.id, again) });
}

/// A mail with somebody else's question beneath, for the user to know.
fn handed_on(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 10) else { return };
    let other = a.stranger();
    let (at, words) = (a.work_time(date), a.words(who));
    let more = untidy(a.cast[who].tongue);
    let local = Zone::utc().local(at.minus(DAY));
    let [head, from, day, subject, to] = more.forwarded;
    let (topic, question) = (a.line(words.subjects), a.line(words.ask));
    let below = format!(
        "{head}\n{from}: {} <{}>\n{day}: {}\n{subject}: {topic}\n{to}: {} <{}>\n\n{question}\n\n{}",
        a.cast[other].name(),
        a.cast[other].address,
        local.strftime("%a, %d %b %Y at %H:%M"),
        a.cast[who].name(),
        a.cast[who].address,
        a.cast[other].first
    );
    let text = vec![a.line(more.handed_on)];
    let fwd = format!("Fwd: {topic}");
    a.say(Draft { subject: &fwd, body: text, below, ..Draft::new(at, who, vec![ME], "hands on a mail") });
}

/// The user answers from the phone: a new mail, from the private address or with another subject.
fn my_answer_from_the_phone(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 14) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let text = vec![a.chat(who), a.line(words.ask)];
    let asked = a.write(at, who, ME, text, "asks, answered from the phone");
    let then = a.days_later(at, 1);
    let answer = vec![a.line(words.answer)];
    let subject = a.line(words.subjects);
    let from_address = a.dice.chance(60).then(|| a.home.clone());
    // a changed subject in the thread, or no thread at all
    let re: Option<&Msg> = a.dice.chance(50).then_some(&asked);
    let sent = a.say(Draft {
        subject: &subject,
        body: answer,
        re,
        from_address,
        ..Draft::new(then, ME, vec![who], "answered from the phone")
    });
    a.owed(Kind::ReplyOwed, who, &asked.id, at, Some(sent.at));
}

/// A meeting that is sent again: as it was, or as a new event for the same hour.
fn invited_again(a: &mut Author, _: &[Id], date: Date) {
    let who = a.stranger();
    let words = a.words(who);
    let start = a.work_time(date);
    let title = format!("{} {} / {}", a.line(words.coffee), a.cast[ME].first, a.cast[who].first);
    let event = |said_at: Timestamp| Appointment {
        by: Some(who),
        ..appointment(&title, start, who, said_at, "an invitation sent again")
    };
    let first = a.meet(event(start.minus(5 * DAY)));
    if a.dice.chance(40) {
        a.put_off(&first, start, start.minus(3 * DAY));
        return a.owed(Kind::FirstMeeting, who, &first, start.plus(1800), None);
    }
    let second = a.meet(event(start.minus(3 * DAY)));
    if a.dice.chance(50) {
        a.cancel(&first, start.minus(3 * DAY).plus(HOUR));
    } else {
        // two events of one hour are one meeting: either may be named, and both are never
        a.owe(Debt { until: start.plus(21 * DAY), ..optional(Kind::FirstMeeting, who, &first, start.plus(1800)) });
        let second = optional(Kind::FirstMeeting, who, &second, start.plus(1800));
        return a.owe(Debt { until: start.plus(21 * DAY), ..second });
    }
    a.owed(Kind::FirstMeeting, who, &second, start.plus(1800), None);
}

/// Somebody known writes through a list that turns answers to itself: to the user too, or to nobody.
fn through_a_list(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 12) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let text = vec![a.chat(who), a.line(words.ask)];
    let headers = vec![
        ("List-Id", "Makers <makers.lists.example>".to_string()),
        ("List-Post", "<mailto:makers@lists.example>".to_string()),
        ("Reply-To", "Makers <makers@lists.example>".to_string()),
        ("List-Unsubscribe", "<mailto:makers-leave@lists.example>".to_string()),
    ];
    let (topic, list) = (a.line(words.subjects), a.list());
    let subject = format!("[makers] {topic}");
    let to = if a.dice.chance(30) { vec![list, ME] } else { vec![list] };
    let m = a.say(Draft { subject: &subject, body: text, headers, ..Draft::new(at, who, to, "through a list") });
    a.noise(&m.id, "list");
}

/// A machine answers for who is away, and no header says that it is one.
fn machine_without_headers(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 14) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let ask = vec![a.line(words.ask)];
    let asked = a.write(at, ME, who, ask, "asks, a machine answers");
    let back = kithd::time::add_days(date, a.dice.between(6, 10));
    let subject = format!("{}: {}", untidy(a.cast[who].tongue).machine, asked.subject);
    let text = words.away.replace("{date}", &back.strftime("%d.%m.%Y").to_string());
    a.say(Draft {
        body: vec![text],
        subject: &subject,
        re: Some(&asked),
        bare: true,
        machine: true,
        ..Draft::new(at.plus(40), who, vec![ME], "a machine without a header")
    });
    let closed = a.dice.chance(50).then(|| {
        let then = a.work_time(back);
        let answer = vec![a.line(words.answer)];
        a.reply(then, who, &asked, answer, "answered after the holiday").at
    });
    let until = closed.unwrap_or(at.plus(45 * DAY));
    a.owe(Debt { from: a.zone.at(back, 0), until, ..optional(Kind::Unanswered, who, &asked.id, at) });
}

/// The user's answer lies in Sent a day after it was written: the laptop was shut.
fn my_copy_comes_late(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 14) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let text = vec![a.chat(who), a.line(words.ask)];
    let asked = a.write(at, who, ME, text, "asks, the copy of the answer is late");
    let then = a.days_later(at, 1);
    let body = vec![a.line(words.answer)];
    let late = 2 * DAY;
    let re = Some(&asked);
    let sent = a.say(Draft { body, re, late, ..Draft::new(then, ME, vec![who], "a late copy in Sent") });
    a.owed(Kind::ReplyOwed, who, &asked.id, at, Some(sent.at.plus(late)));
}
