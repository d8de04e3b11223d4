//! Mail that nobody waits behind: newsletters, machines, lists, sales, recruiters, support.

use kithd::time::{DAY, Date, HOUR, Timestamp};

use super::super::author::{Author, Draft, ME};
use super::super::cast::{Client, Id};

/// Senders of noise, made once a life.
pub struct Noisy {
    newsletter: Id,
    shop: Id,
    tracker: Id,
    list: Id,
    bot: Id,
    robot: Id,
}

fn machine(a: &mut Author, first: &str, last: &str, address: &str) -> Id {
    let mut p = a.cast[ME].clone();
    (p.first, p.last, p.address) = (first.to_string(), last.to_string(), address.to_string());
    (p.client, p.private) = (Client::Gmail, false);
    a.add(p)
}

impl Noisy {
    pub fn new(a: &mut Author) -> Noisy {
        Noisy {
            newsletter: machine(a, "Paula", "Winter", "paula@letters.paulawinter.example"),
            shop: machine(a, "Papier", "Shop", "orders@papiershop.example"),
            tracker: machine(a, "Tracker", "Issues", "notifications@tracker.example"),
            list: machine(a, "Henrik", "Saele", "henrik.saele@fjord.example"),
            bot: machine(a, "Calendar", "Bot", "calendar-notification@scheduler.example"),
            robot: machine(a, "Deploy", "Robot", "noreply@ci.example"),
        }
    }

    /// A week of it.
    pub fn week(&self, a: &mut Author, monday: Date) {
        let at = a.work_time(monday);
        let words = a.words(ME);
        let (subject, text) = *a.dice.pick(words.newsletter);
        let unsubscribe = vec![
            ("List-Unsubscribe", "<https://letters.example/u/1>, <mailto:u@letters.example>".to_string()),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_string()),
        ];
        // a person's own letter from a tool: sometimes without the headers of one
        let headers = if a.dice.chance(80) { unsubscribe } else { Vec::new() };
        let text = format!("{text}\n\n---\nUnsubscribe: https://letters.example/u/1");
        let m = a.say(Draft { subject, body: vec![text], headers, bare: true, machine: true, ..Draft::new(at, self.newsletter, vec![ME], "newsletter") });
        a.noise(&m.id, "newsletter");
        let text = "Can you review this change? alice requested your review on #4711.\n\nReply to this email directly or view it online.".to_string();
        let headers = vec![("List-Id", "org/repo <repo.org.tracker.example>".to_string()), ("Precedence", "list".to_string())];
        let m = a.say(Draft { subject: "[org/repo] Fix the build (#4711)", body: vec![text], headers, bare: true, machine: true, ..Draft::new(at.plus(2 * HOUR), self.tracker, vec![ME], "notification") });
        a.noise(&m.id, "notification");
        let text = vec!["Hi all,".to_string(), "has anybody seen this error on the new release? Could you send me your config?".to_string(), "Henrik".to_string()];
        let headers = vec![("List-Id", "<users.lists.example>".to_string()), ("List-Post", "<mailto:users@lists.example>".to_string())];
        let m = a.say(Draft { subject: "[users] error after upgrade", body: text, headers, bare: true, machine: true, ..Draft::new(at.plus(DAY), self.list, vec![ME], "list") });
        a.noise(&m.id, "list");
        if a.dice.chance(50) {
            let text = "Your order has been shipped. How satisfied are you with your purchase? Rate us now!".to_string();
            let m = a.say(Draft { subject: "Your order 20-33141", body: vec![text], bare: true, machine: true, ..Draft::new(at.plus(2 * DAY), self.shop, vec![ME], "receipt") });
            a.noise(&m.id, "receipt");
        }
        if a.dice.chance(60) {
            let text = "Build failed: main. Please fix the following tests.".to_string();
            let headers = vec![("Auto-Submitted", "auto-generated".to_string())];
            let m = a.say(Draft { subject: "Build failed", body: vec![text], headers, bare: true, machine: true, ..Draft::new(at.plus(3 * HOUR), self.robot, vec![ME], "robot") });
            a.noise(&m.id, "robot");
        }
        if a.dice.chance(50) {
            let text = "Reminder: your event starts in 15 minutes. Going? Yes - Maybe - No".to_string();
            let m = a.say(Draft { subject: "Notification: Team @ Tue 10:00", body: vec![text], bare: true, machine: true, ..Draft::new(at.plus(DAY + HOUR), self.bot, vec![ME], "calendar bot") });
            a.noise(&m.id, "calendar bot");
        }
    }
}

/// A recruiter writes, is declined, and writes again.
pub fn recruiter(a: &mut Author, date: Date) {
    let who = a.stranger();
    let (at, words) = (a.work_time(date), a.words(who));
    let subject = a.line(words.interview);
    let text = vec![a.line(words.recruiter)];
    let cold = a.say(Draft { subject: &subject, body: text, ..Draft::new(at, who, vec![ME], "recruiter") });
    let then = a.days_later(at, 1);
    let text = vec![a.line(words.decline)];
    let no = a.reply(then, ME, &cold, text, "declined a recruiter");
    if a.dice.chance(60) {
        let then = a.days_later(no.at, 5);
        let text = vec![a.line(words.recruiter)];
        a.reply(then, who, &no, text, "a recruiter who was declined");
    }
}

/// A salesperson writes three times and is never answered.
pub fn sales(a: &mut Author, date: Date) {
    let who = a.stranger();
    let (at, words) = (a.work_time(date), a.words(who));
    let subject = a.line(words.subjects);
    let text = vec![a.line(words.sales)];
    let first = a.say(Draft { subject: &subject, body: text, ..Draft::new(at, who, vec![ME], "sales") });
    a.noise(&first.id, "sales");
    let mut at = first.at;
    for _ in 0..2 {
        at = a.days_later(at, 3);
        let text = vec![a.line(words.ping)];
        let m = a.say(Draft { body: text, re: Some(&first), ..Draft::new(at, who, vec![ME], "sales") });
        a.noise(&m.id, "sales");
    }
}

/// The user asks a desk, a person there answers and asks back.
pub fn support(a: &mut Author, date: Date) {
    let firm = a.agency.firm();
    let mut agent = a.agency.person(&mut a.dice, a.cast[ME].tongue, Some(&firm));
    agent.address = format!("support@{firm}");
    let desk = a.add(agent);
    let (at, words) = (a.work_time(date), a.words(desk));
    let text = vec![a.line(words.ask)];
    let asked = a.write(at, ME, desk, text, "asks a desk");
    let then: Timestamp = a.days_later(at, 1);
    let text = vec![words.support[0].to_string()];
    let m = a.reply(then, desk, &asked, text, "support");
    // a line in the summary does no harm
    a.gold.debts.push(super::asked::optional(super::super::gold::Kind::ReplyOwed, desk, &m.id, m.at));
}

/// They left: the mail bounces, or a machine says so.
pub fn left(a: &mut Author, circle: &[Id], date: Date) -> Option<Id> {
    let who = a.outsider(circle, date, 20)?;
    let (at, words) = (a.work_time(date), a.words(who));
    let text = vec![a.line(words.ask)];
    let asked = a.write(at, ME, who, text, "asks one who left");
    let address = a.cast[who].address.clone();
    if a.dice.chance(50) {
        let daemon = machine(a, "Mail Delivery", "Subsystem", "mailer-daemon@mail.home.example");
        let text = format!(
            "--=dsn\r\nContent-Type: text/plain\r\n\r\nThis is the mail system. Your message could not be delivered.\r\n<{address}>: 550 5.1.1 User unknown\r\n\r\n--=dsn\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.home.example\r\n\r\nFinal-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--=dsn\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{}>\r\nSubject: x\r\n\r\n--=dsn--",
            asked.id
        );
        a.dsn(daemon, at.plus(120), text, &asked.id);
    } else {
        let subject = format!("Re: {}", asked.subject);
        let headers = vec![("Auto-Submitted", "auto-replied".to_string()), ("X-Autoreply", "yes".to_string())];
        a.say(Draft { subject: &subject, body: vec![words.left.to_string()], re: Some(&asked), headers, bare: true, machine: true, ..Draft::new(at.plus(60), who, vec![ME], "has left") });
    }
    Some(who)
}
