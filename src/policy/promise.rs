//! What the user promised and has not visibly done. Part of `policy`.

use super::{Case, Fact, HORIZON, Needs, Occasion, Rule, Verdict};
use crate::evidence::{Act, ActKind};
use crate::ledger::{Direction, Encounter, Letter, Part};
use crate::time::{DAY, HOUR};

/// What is promised for the day it is said on is looked at this much later.
const SAME_DAY: i64 = 4 * HOUR;
/// Promises are kept in mind this long, whatever date they name.
const FAR: i64 = 400 * DAY;

/// Every promise to one contact.
pub fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let since = case.now.minus(FAR);
    let sent = case.h.letters.iter().filter(|l| l.is_by_hand() && l.part == Part::To && l.mail.at > since);
    sent.flat_map(|l| {
        let acts = l.mail.acts().iter().enumerate().filter(|(_, a)| a.kind == ActKind::Commitment);
        let lead = l.mail.to.first().is_some_and(|a| case.h.person.addresses.contains(&a.address));
        acts.filter(|_| lead).filter_map(|(n, a)| promise(case, l, a, u32::try_from(n).ok()?)).collect::<Vec<_>>()
    })
    .collect()
}

fn promise(case: &Case<'_>, letter: &Letter, act: &Act, number: u32) -> Option<Verdict> {
    let at = letter.mail.at;
    let hours = &case.p.hours;
    let explicit = act.due.filter(|d| d.explicit);
    let due = match act.due {
        Some(due) => {
            let morning = hours.zone.at(hours.working_day_on_or_before(due.date), 9 * 60);
            // "tonight", or by the weekend on a Friday: that morning is over when it is said
            if morning > at { morning } else { at.plus(SAME_DAY) }
        }
        None => case.delay(Rule::Promise, 3).after(at, hours),
    };
    // several promises of one mail are one reminder where they fall on one day
    let earlier = letter.mail.acts().iter().take(usize::try_from(number).ok()?);
    if earlier.filter(|a| a.kind == ActKind::Commitment).any(|a| a.due == act.due) {
        return None;
    }
    // a date may be far ahead; what ran out long ago is no case any more
    let expires = due.plus(30 * DAY);
    if at < case.now.minus(HORIZON) && expires < case.now {
        return None;
    }
    let step = number.saturating_add(1);
    let mut v = Verdict::new(Occasion::Promise, letter.mail.id.to_string(), step, due, expires, 65);
    v.about_mail(letter);
    v.point_if(explicit.is_some(), 15, "you named a date");
    v.point_if(case.h.external, 5, "they work elsewhere");
    v.veto_if(case.h.dead, "the address is dead: it bounced");
    v.veto_if(letter.mail.marks().declines && explicit.is_none(), "you declined in the same mail");
    // "I'll leave you to it": the mail that introduces two people is itself the deed
    v.veto_if(letter.has(ActKind::Introduction) && explicit.is_none(), "the same mail brought two people together");
    v.close_by_letter(kept(case, letter));
    let meeting =
        case.h.encounters.iter().find(|e: &&Encounter| e.read_at > at && e.end > at && e.mine && !e.cancelled);
    v.close_by_meeting(meeting.filter(|_| letter.mail.marks().promises_meeting), case.now);
    v.address = letter.mail.to.iter().find(|a| case.h.person.addresses.contains(&a.address)).map(|a| a.address.clone());
    v.fact("quote", Fact::Text(act.text.clone()));
    if explicit.is_some() {
        v.fact("promised_for", Fact::Time(due));
    }
    v.pressing = explicit.is_some();
    v.needs = Needs { sent: true, folders: false, calendars: true };
    Some(v)
}

/// A later mail to them, or in the thread, that has a file, a link or the words of something done;
/// of a promised introduction, the introduction.
fn kept<'a>(case: &'a Case<'_>, letter: &Letter) -> Option<&'a Letter> {
    let at = letter.mail.at;
    let delivers = |l: &&Letter| {
        let marks = l.mail.marks();
        marks.attachment || marks.link || marks.delivers || l.has(ActKind::Introduction) || l.has(ActKind::Favour)
    };
    let to_them = case.h.sent_since(at).find(delivers);
    let in_thread = || {
        let thread = case.h.thread(&letter.mail);
        thread.into_iter().find(|l| l.direction == Direction::Sent && l.mail.at > at && delivers(l))
    };
    to_them.or_else(in_thread)
}
