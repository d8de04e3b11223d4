//! Introductions, favours, news.

use kithd::time::{Date, HOUR};

use super::super::author::{Author, Draft, ME};
use super::super::cast::Id;
use super::super::gold::Kind;
use super::asked::optional;

/// Somebody introduces somebody.
pub fn introduced(a: &mut Author, circle: &[Id], date: Date) {
    #[derive(Clone, Copy)]
    enum Fate {
        Ignored,
        WroteNewOnly,
        Bcc,
        Thanked,
        SignOff,
    }
    let fate = a.dice.weighed(&[(35, Fate::Ignored), (20, Fate::WroteNewOnly), (20, Fate::Bcc), (15, Fate::Thanked), (10, Fate::SignOff)]);
    let Some(who) = a.outsider(circle, date, 12) else { return };
    let new = a.stranger();
    a.cast[new].tongue = a.cast[who].tongue;
    a.cast[new].private = a.cast[who].private;
    let (at, words) = (a.work_time(date), a.words(who));
    let (mine, zf, z) = (a.cast[ME].first.clone(), a.cast[new].first.clone(), a.cast[new].name());
    let text = a.line(words.intro).replace("{x}", &mine).replace("{zf}", &zf).replace("{z}", &z);
    let subject = if a.dice.chance(50) { format!("{mine} <> {zf}") } else { a.line(words.subjects) };
    let (to, cc) = if a.dice.chance(60) { (vec![ME, new], vec![]) } else { (vec![ME], vec![new]) };
    let letter = a.say(Draft { subject: &subject, body: vec![text], cc, ..Draft::new(at, who, to, "an introduction") });
    let chat = a.chat(who);
    let thanks = a.line(words.thanks_intro);
    let closed = match fate {
        Fate::Ignored => None,
        Fate::WroteNewOnly => {
            let then = a.days_later(at, 1);
            a.say(Draft { body: vec![chat], re: Some(&letter), ..Draft::new(then, ME, vec![new], "wrote to the new one only") });
            None
        }
        Fate::Bcc => {
            let then = a.days_later(at, 0);
            Some(a.say(Draft { body: vec![thanks, chat], re: Some(&letter), bcc: vec![who], ..Draft::new(then, ME, vec![new], "moved to Bcc") }).at)
        }
        Fate::Thanked => {
            let n = a.dice.between(0, 1);
            let then = a.days_later(at, n);
            Some(a.say(Draft { body: vec![thanks], re: Some(&letter), cc: vec![new], ..Draft::new(then, ME, vec![who], "thanked") }).at)
        }
        Fate::SignOff => {
            let then = a.days_later(at, 0);
            Some(a.say(Draft { body: vec![chat], thanks_off: true, re: Some(&letter), ..Draft::new(then, ME, vec![who, new], "thanked in the sign-off") }).at)
        }
    };
    a.owed(Kind::Introduction, who, &letter.id, at, closed);
    // the new one may well be a reason of their own to write, once they answer
    if matches!(fate, Fate::WroteNewOnly | Fate::Bcc) {
        let then = a.days_later(at, 2);
        let text = vec![a.chat(new)];
        let re = a.gold.letters.iter().rev().find(|(_, l)| l.from == ME && l.to == vec![new]).map(|(id, _)| id.clone());
        if re.is_some() {
            a.write(then, new, ME, text, "the new one answers");
        }
    }
}

/// The user asks for a favour and gets it.
pub fn favour(a: &mut Author, circle: &[Id], date: Date) {
    let fate = a.dice.weighed(&[(45, 0), (25, 1), (15, 2), (15, 3)]);
    let Some(who) = a.somebody(circle, date, 16) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let ask = vec![a.chat(who), a.line(words.ask_favour)];
    let asked = a.write(at, ME, who, ask, "asks a favour");
    let n = a.dice.between(1, 2);
    let then = a.days_later(at, n);
    let text = a.line(words.did_favour);
    let file = (text.contains("attach") || text.contains("Anhang") || text.contains("hängen an") || text.contains("joint") || text.contains("jointe") || text.contains("adjunt") || text.contains("allegato") || text.contains("allego") || text.contains("bijlage") || text.contains("zitten erbij")).then_some("comments.pdf");
    let done = a.say(Draft { body: vec![text], re: Some(&asked), file, ..Draft::new(then, who, vec![ME], "did a favour") });
    a.owed(Kind::Unanswered, who, &asked.id, at, Some(done.at));
    let closed = match fate {
        0 => None,
        1 => {
            let n = a.dice.between(0, 1);
            let t = a.days_later(done.at, n);
            let text = vec![a.line(words.thanks_help)];
            Some(a.reply(t, ME, &done, text, "thanked").at)
        }
        2 => {
            let t = a.days_later(done.at, 0);
            let text = vec![a.chat(who)];
            Some(a.say(Draft { body: text, re: Some(&done), thanks_off: true, ..Draft::new(t, ME, vec![who], "thanked in the sign-off") }).at)
        }
        _ => {
            let t = a.days_later(done.at, 0);
            let text = vec![a.line(words.thanks_help), a.chat(who)];
            Some(a.write(t, ME, who, text, "thanked in a new thread").at)
        }
    };
    a.owed(Kind::Favour, who, &done.id, done.at, closed);
}

/// An everyday answer with a file: nobody owes thanks for it, nor would thanks be wrong.
pub fn everyday(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.somebody(circle, date, 8) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let ask = vec![a.line(words.ask)];
    let asked = a.write(at, ME, who, ask, "asks for a file");
    let then = a.days_later(at, 1);
    let text = vec![a.line(words.kept)];
    let done = a.say(Draft { body: text, re: Some(&asked), file: Some("figures.pdf"), ..Draft::new(then, who, vec![ME], "an everyday answer") });
    a.owed(Kind::Unanswered, who, &asked.id, at, Some(done.at));
    a.gold.debts.push(super::super::gold::Debt { until: done.at.plus(super::NEVER), ..optional(Kind::Favour, who, &done.id, done.at) });
}

/// Somebody tells news of their life.
pub fn news(a: &mut Author, circle: &[Id], date: Date) {
    let Some(who) = a.outsider(circle, date, 12) else { return };
    let (at, words) = (a.work_time(date), a.words(who));
    let text = vec![a.line(words.announce), a.chat(who)];
    let letter = a.write(at, who, ME, text, "news");
    let closed = a.dice.chance(45).then(|| {
        let t = at.plus(HOUR);
        let text = vec![a.line(words.congratulate)];
        a.reply(t, ME, &letter, text, "congratulated").at
    });
    a.owed(Kind::Milestone, who, &letter.id, at, closed);
}
