//! Meetings: first ones, and what only looks like one; interviews.

use kithd::time::{DAY, Date, HOUR, Timestamp, add_days};

use super::super::author::{Author, Draft, ME};
use super::super::calendar::Appointment;
use super::super::cast::Id;
use super::super::gold::{Debt, Kind};
use super::asked::{appointment, optional};

#[derive(Clone, Copy)]
enum Fate {
    Silence,
    Thanked,
    ThankedAlias,
    WroteFirst,
    Declined,
    IDeclined,
    Cancelled,
    Moved,
    KnownBefore,
    Demo,
    Webinar,
    ThankedBefore,
}

/// Coffee with somebody new, or what looks like it.
pub fn coffee(a: &mut Author, date: Date) {
    let fate = a.dice.weighed(&[
        (28, Fate::Silence),
        (16, Fate::Thanked),
        (6, Fate::ThankedAlias),
        (6, Fate::WroteFirst),
        (6, Fate::Declined),
        (5, Fate::IDeclined),
        (8, Fate::Cancelled),
        (8, Fate::Moved),
        (7, Fate::KnownBefore),
        (8, Fate::Demo),
        (6, Fate::Webinar),
        (6, Fate::ThankedBefore),
    ]);
    let who = a.stranger();
    let words = a.words(who);
    let start = a.work_time(date);
    let said_at = start.minus(a.dice.between(2, 6) * DAY);
    let title = match fate {
        Fate::Demo => words.demo.to_string(),
        Fate::Webinar => words.webinar.to_string(),
        _ => {
            let title = a.line(words.coffee);
            if a.dice.chance(50) { format!("{title} {} / {}", a.cast[ME].first, a.cast[who].first) } else { title }
        }
    };
    if matches!(fate, Fate::KnownBefore) {
        // they have written to each other for long
        for n in [100, 80] {
            let t = start.minus(n * DAY);
            let text = vec![a.chat(who)];
            let first = a.write(t, who, ME, text, "known before");
            let text = vec![a.chat(who)];
            a.reply(t.plus(DAY), ME, &first, text, "known before");
        }
    }
    if matches!(fate, Fate::Demo) {
        let text = vec![a.line(words.sales)];
        let headers = vec![("List-Unsubscribe", "<mailto:stop@outreach.example>".to_string())];
        let offer = a.say(Draft {
            subject: words.demo,
            body: text,
            headers,
            ..Draft::new(said_at.minus(DAY), who, vec![ME], "a sales demo")
        });
        let text = vec![a.line(words.answer)];
        a.noise(&offer.id, "sales");
        a.reply(said_at, ME, &offer, text, "a sales demo");
    }
    let hosted = a.dice.chance(60);
    let (mine, theirs) = match fate {
        Fate::IDeclined => ("DECLINED", "ACCEPTED"),
        Fate::Declined => ("ACCEPTED", "DECLINED"),
        _ => ("ACCEPTED", "ACCEPTED"),
    };
    let by = if hosted || !matches!(mine, "ACCEPTED") { Some(who) } else { None };
    let by = if matches!(fate, Fate::Declined) { None } else { by };
    let crowd = if matches!(fate, Fate::Webinar) { 25 } else { 0 };
    let minutes = *a.dice.pick(&[30, 45, 60]);
    let bot = (matches!(fate, Fate::Silence) && a.dice.chance(30)).then(|| {
        let (name, address) = *a.dice.pick(&[
            ("Scheduling", "bookings@scheduler.example"),
            ("Calendly", "notifications@calendly.example"),
            ("Meetings", "meetings@hub.example"),
            ("Sales team", "c_188f0b7@group.calendar.google.com"),
        ]);
        (name, address.to_string())
    });
    let room = a.dice.chance(30);
    let uid = a.meet(Appointment {
        minutes,
        with: vec![(who, theirs)],
        by,
        mine,
        crowd,
        bot,
        room,
        ..appointment(&title, start, who, said_at, "coffee")
    });
    let mut end = start.plus(minutes * 60);
    let thanks = vec![a.line(words.thanks_met)];
    let closed = match fate {
        Fate::Silence => None,
        Fate::Thanked => {
            let t = a.days_later(end, 0);
            Some(a.write(t, ME, who, thanks, "thanked").at)
        }
        Fate::ThankedAlias => {
            let t = a.days_later(end, 0);
            let from_address = Some(a.home.clone());
            let subject = title.clone();
            Some(
                a.say(Draft {
                    subject: &subject,
                    body: thanks,
                    from_address,
                    ..Draft::new(t, ME, vec![who], "thanked through an alias")
                })
                .at,
            )
        }
        Fate::WroteFirst => {
            let t = a.days_later(end, 1);
            let text = vec![a.chat(who)];
            Some(a.write(t, ME, who, text, "wrote since").at)
        }
        Fate::ThankedBefore => {
            // thanks for the invitation are no thanks for the meeting
            let text = vec![a.line(words.thanks_intro)];
            a.write(start.minus(DAY), ME, who, text, "thanked before");
            None
        }
        Fate::Declined | Fate::IDeclined | Fate::KnownBefore | Fate::Demo | Fate::Webinar => {
            let m = a.gold.meetings.get_mut(&uid).unwrap();
            m.took_place = matches!(fate, Fate::KnownBefore | Fate::Demo);
            return;
        }
        Fate::Cancelled => return a.cancel(&uid, start.minus(5 * HOUR)),
        Fate::Moved => {
            let new = a.days_later(start, 2);
            a.put_off(&uid, new, start.minus(4 * HOUR));
            end = new.plus(minutes * 60);
            None
        }
    };
    a.owed(Kind::FirstMeeting, who, &uid, end, closed);
}

/// Five new people in two days.
pub fn conference(a: &mut Author, date: Date) {
    for n in 0..5 {
        let who = a.stranger();
        let words = a.words(who);
        let start = a.work_time(add_days(date, n / 3));
        let said_at = start.minus(DAY);
        let title = format!("{}: {}", words.conference, a.cast[who].name());
        let uid = a.meet(appointment(&title, start, who, said_at, "conference"));
        let closed = a.dice.chance(40).then(|| {
            let t = a.days_later(start, 1);
            let text = vec![a.line(words.thanks_met)];
            a.write(t, ME, who, text, "thanked").at
        });
        a.owed(Kind::FirstMeeting, who, &uid, start.plus(30 * 60), closed);
    }
}

#[derive(Clone, Copy)]
enum Talk {
    Silence,
    Thanked,
    SignOff,
    ThankedBefore,
    Cancelled,
    IInterview,
    Day,
}

/// An interview: the user's own, or one the user holds.
pub fn interview(a: &mut Author, circle: &[Id], date: Date) {
    let talk = a.dice.weighed(&[
        (26, Talk::Silence),
        (20, Talk::Thanked),
        (6, Talk::SignOff),
        (10, Talk::ThankedBefore),
        (8, Talk::Cancelled),
        (15, Talk::IInterview),
        (15, Talk::Day),
    ]);
    let start = a.work_time(date);
    let said_at = start.minus(4 * DAY);
    if matches!(talk, Talk::IInterview) {
        return i_interview(a, circle, start, said_at);
    }
    let who = a.stranger();
    let words = a.words(who);
    let firm = a.cast[who].domain().to_string();
    let title = a.line(words.interview);
    // it begins with a mail about it
    let text = vec![a.line(words.recruiter)];
    let first = a.say(Draft {
        subject: &title,
        body: text,
        ..Draft::new(said_at.minus(DAY), who, vec![ME], "before an interview")
    });
    let text = vec![a.line(words.answer)];
    a.reply(said_at.minus(HOUR), ME, &first, text, "before an interview");
    let thanks = vec![a.line(words.thanks_interview)];
    if matches!(talk, Talk::Day) {
        let others: Vec<Id> = (0..2).map(|_| a.stranger_of(&firm)).collect();
        let all: Vec<Id> = std::iter::once(who).chain(others).collect();
        let bot = Some(("Scheduling", format!("scheduling@{firm}")));
        let with = all.iter().map(|p| (*p, "ACCEPTED")).collect();
        let uid = a.meet(Appointment {
            minutes: 180,
            with,
            by: Some(who),
            bot,
            ..appointment(&title, start, who, said_at, "an interview day")
        });
        let end = start.plus(180 * 60);
        let one = a.dice.chance(50);
        if one {
            let t = a.days_later(end, 0);
            a.say(Draft { subject: &title, body: thanks, ..Draft::new(t, ME, vec![all[1]], "thanked one of three") });
        }
        a.owed(Kind::Interview, who, &uid, end, None);
        if let Some(d) = a.gold.debts.last_mut() {
            d.who = all;
        }
        return;
    }
    if matches!(talk, Talk::ThankedBefore) {
        let text = vec![a.line(words.thanks_intro)];
        a.write(start.minus(DAY), ME, who, text, "thanked before");
    }
    let uid =
        a.meet(Appointment { minutes: 60, by: Some(who), ..appointment(&title, start, who, said_at, "an interview") });
    let end = start.plus(HOUR);
    let closed = match talk {
        Talk::Thanked => {
            let t = a.days_later(end, 0);
            Some(a.write(t, ME, who, thanks, "thanked").at)
        }
        Talk::SignOff => {
            let t = a.days_later(end, 0);
            let text = vec![a.chat(who)];
            let subject = title.clone();
            Some(
                a.say(Draft {
                    subject: &subject,
                    body: text,
                    thanks_off: true,
                    ..Draft::new(t, ME, vec![who], "thanked in the sign-off")
                })
                .at,
            )
        }
        Talk::Cancelled => return a.cancel(&uid, start.minus(3 * HOUR)),
        _ => None,
    };
    a.owed(Kind::Interview, who, &uid, end, closed);
}

/// The user sits on the other side of the table, with a colleague.
fn i_interview(a: &mut Author, circle: &[Id], start: Timestamp, said_at: Timestamp) {
    let candidate = a.stranger();
    let mine = a.cast[ME].domain().to_string();
    let colleague = circle.iter().copied().find(|p| a.cast[*p].domain() == mine);
    let words = a.words(ME);
    let title = format!("{} - {}", words.interview[0], a.cast[candidate].name());
    let mut with = vec![(candidate, "ACCEPTED")];
    with.extend(colleague.map(|c| (c, "ACCEPTED")));
    let by = colleague.filter(|_| a.dice.chance(60));
    a.meet(Appointment {
        minutes: 60,
        with,
        by,
        ..appointment(&title, start, candidate, said_at, "the user interviews")
    });
    if a.dice.chance(50) {
        let words = a.words(candidate);
        let t = a.days_later(start, 1);
        let text = vec![a.line(words.thanks_interview)];
        a.write(t, candidate, ME, text, "the candidate thanks");
    }
}

/// Somebody met a while ago writes; meeting again is no first meeting.
pub fn met_again(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.outsider(circle, date, 6) else { return };
    let start = a.work_time(date);
    let words = a.words(who);
    let title = a.line(words.coffee);
    let said_at = start.minus(3 * DAY);
    let uid = a.meet(appointment(&title, start, who, said_at, "met again"));
    // whether it was the first meeting in person of two who have written for months is a matter of taste
    a.gold.debts.push(Debt { ..optional(Kind::FirstMeeting, who, &uid, start) });
}
