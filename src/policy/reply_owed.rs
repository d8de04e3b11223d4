//! A question to the user without an answer of theirs. Part of `policy`.

use std::collections::BTreeSet;

use super::{Case, Fact, Needs, Occasion, Rule, Verdict};
use crate::evidence::{ActKind, Class, EvidenceId};
use crate::ledger::{Direction, Letter, Part};
use crate::time::{DAY, Timestamp};

/// Every answer owed to one contact: in each thread the first question since the user last wrote in it.
pub fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let mut seen: BTreeSet<EvidenceId> = BTreeSet::new();
    let mut found = Vec::new();
    let asks = case.recent(Direction::Received).filter(|l| l.is_received_person() && l.ask().is_some());
    for letter in asks.collect::<Vec<_>>() {
        if seen.contains(&letter.mail.id) {
            continue;
        }
        let thread = case.h.thread(&letter.mail);
        let last_mine = |before: Timestamp| thread.iter().rev().find(|l| l.is_by_hand() && l.mail.at < before);
        // a later question of the same thread that the user did not write between is a second ping of this one
        let pings: Vec<&&Letter> = thread
            .iter()
            .filter(|l| l.mail.at > letter.mail.at && l.is_received_person() && l.ask().is_some())
            .filter(|l| last_mine(l.mail.at).is_none_or(|m| m.mail.at < letter.mail.at))
            .collect();
        seen.extend(pings.iter().map(|l| l.mail.id));
        found.push(owed(case, letter, &thread, &pings));
    }
    found
}

fn owed(case: &Case<'_>, letter: &Letter, thread: &[&Letter], pings: &[&&Letter]) -> Verdict {
    let at = letter.mail.at;
    let latest = pings.last().map_or(letter, |l| **l);
    let working = case.delay(Rule::ReplyOwed, 2).after(at, &case.p.hours);
    let mine = case.h.rhythm.my_p90_to_them().map_or(working, |p90| at.plus(p90.min(5 * DAY)));
    let due = working.max(mine);
    let alone = letter.mail.to.len() == 1 && letter.mail.cc.is_empty();
    let my_thread =
        !case.is_their_thread(letter) && thread.iter().any(|l| l.direction == Direction::Sent && l.mail.at < at);
    let (base, why) = match (alone, my_thread) {
        (true, true) => (70, "to you alone, in your thread"),
        (false, true) => (65, "to several, in your thread"),
        (true, false) => (50, "to you alone, in their thread"),
        (false, false) => (40, "to several, in their thread"),
    };
    let mut v = Verdict::new(Occasion::ReplyOwed, letter.mail.id.to_string(), 1, due, at.plus(21 * DAY), base);
    if let Some(first) = v.points.first_mut() {
        first.why = why.to_string();
    }
    v.about_mail(letter);
    v.point_if(two_way(case), 20, "mail goes both ways between you");
    v.point_if(in_salutation(case, letter), 10, "you are named in the salutation");
    v.point_if(!pings.is_empty(), 20, "they asked again");
    v.point_if(deadline_near(case, letter), 20, "their date is within three days");
    let others = |l: &&&Letter| {
        l.direction == Direction::Received && l.mail.at > at && !from_contact(case, l) && !from_me(case, l)
    };
    let colleague = thread.iter().find(|l| others(l) && answers(l, letter));
    v.point_if(colleague.is_some(), -30, "somebody else answered");
    let met = case.h.encounters.iter().any(|e| e.met() && e.start > at && e.end <= case.now && e.humans <= 4);
    v.point_if(met, -40, "you met since");
    v.point_if(seldom_answered(case, at), -30, "such questions of theirs you mostly answer in another way");
    v.point_if(case.is_selling(letter), -40, "they are selling");
    v.veto_if(letter.part == Part::Cc || letter.part == Part::Unnamed, "you are only in Cc");
    v.veto_if(letter.mail.to.len() > 3, "it went to more than three people");
    v.veto_if(latest.mail.marks().no_reply_needed, "no reply is needed, they said");
    v.veto_if(settled(case, thread, latest), "they have settled it since");
    let my_last = thread.iter().rev().find(|l| l.direction == Direction::Sent && l.mail.at < at);
    v.veto_if(my_last.is_some_and(|l| l.mail.marks().declines), "you declined in this thread");
    let accepted =
        case.h.encounters.iter().any(|e| e.mine && e.hosted && e.read_at >= at && e.end > at && !e.cancelled);
    v.veto_if(accepted, "you accepted their meeting");
    v.close_by_letter(case.h.sent_since(at).next());
    let in_thread = |l: &&&Letter| l.is_by_hand() && l.mail.at > at;
    v.close_by_letter(thread.iter().find(in_thread).copied());
    v.address = letter.mail.sender().map(|a| a.address.clone());
    v.fact("quote", Fact::Text(letter.ask().unwrap_or_default().to_string()));
    // what was answered waited until then
    let until = v.closed_by.as_ref().map_or(case.now.max(due), |(_, closed)| *closed);
    let waited = case.p.hours.working_days_between(at, until);
    v.fact("working_days", Fact::Number(i64::from(waited)));
    v.fact("pings", Fact::Number(i64::try_from(pings.len()).unwrap_or(0)));
    if !pings.is_empty() {
        v.fact("again_at", Fact::Time(latest.mail.at));
    }
    v.needs = Needs { sent: true, folders: false, calendars: true };
    v
}

/// Did they take it back, or thank for what they asked for (by phone, in passing), in a later mail of the thread
/// that asks nothing?
fn settled(case: &Case<'_>, thread: &[&Letter], latest: &Letter) -> bool {
    let later = thread.iter().filter(|l| l.mail.at > latest.mail.at && from_contact(case, l) && l.ask().is_none());
    let mut closing = later.filter(|l| l.class == Class::Person);
    closing.any(|l| l.mail.marks().no_reply_needed || l.has(ActKind::Thanks))
}

fn two_way(case: &Case<'_>) -> bool {
    case.h.letters.iter().any(|l| l.direction == Direction::Sent && l.interacts)
}

fn in_salutation(case: &Case<'_>, letter: &Letter) -> bool {
    let salutation = letter.mail.text.as_ref().and_then(|t| t.salutation.as_deref());
    let mut mine = case.h.me.names.iter().flat_map(|n| n.split_whitespace());
    salutation.is_some_and(|s| mine.any(|n| n.to_lowercase() == s.to_lowercase()))
}

fn deadline_near(case: &Case<'_>, letter: &Letter) -> bool {
    let today = case.p.hours.zone.date(case.now);
    let dates = letter.mail.acts().iter().filter_map(|a| a.due).filter(|d| d.explicit);
    dates.map(|d| crate::time::days_between(today, d.date)).any(|days| (0..=3).contains(&days))
}

fn from_contact(case: &Case<'_>, letter: &Letter) -> bool {
    letter.mail.sender().is_some_and(|s| case.h.person.addresses.contains(&s.address))
}

fn from_me(case: &Case<'_>, letter: &Letter) -> bool {
    letter.mail.sender().is_some_and(|s| case.h.me.is_me(&s.address))
}

fn answers(later: &Letter, letter: &Letter) -> bool {
    letter.mail.message_id.as_ref().is_some_and(|id| later.mail.ancestors().any(|a| a == id))
}

/// A mail to them in another thread answers a question of theirs if it follows this soon.
const AT_ONCE: i64 = DAY;

/// Three of their last five such questions, or most of their last twelve, were never answered by mail: neither in
/// their thread nor by a mail that followed at once. Any mail at all would hide who is answered by phone, for one
/// writes to them too.
fn seldom_answered(case: &Case<'_>, before: Timestamp) -> bool {
    let settled = before.minus(7 * DAY);
    let earlier = case
        .h
        .letters
        .iter()
        .rev()
        .filter(|l| l.is_received_person() && l.part == Part::To && l.mail.at < settled && l.ask().is_some());
    let answered = earlier.take(12).map(|l| {
        let later = |s: &&Letter| s.is_by_hand() && s.mail.at > l.mail.at;
        let in_thread = case.h.thread(&l.mail).into_iter().find(|s| later(s) && s.direction == Direction::Sent);
        let at_once = case.h.sent_since(l.mail.at).next().filter(|s| s.mail.at.since(l.mail.at) < AT_ONCE);
        in_thread.or(at_once).is_some()
    });
    let answered: Vec<bool> = answered.collect();
    let unanswered = |of: usize| answered.iter().take(of).filter(|a| !**a).count();
    unanswered(5) >= 3 || unanswered(12) >= 7
}
