//! A question of the user's without an answer; a first meeting without a next step. Part of `policy`.

use super::{Case, Fact, HORIZON, Needs, Occasion, Rule, Verdict, thank_you};
use crate::evidence::Class;
use crate::ledger::{Direction, Encounter, Letter, Part};
use crate::time::{DAY, Timestamp};

/// Every follow-up of one contact.
pub fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let mut found: Vec<Verdict> = case.recent(Direction::Sent).flat_map(|l| unanswered(case, l)).collect();
    let recent = case.h.encounters.iter().filter(|e| e.start > case.now.minus(HORIZON) && e.end <= case.now);
    found.extend(recent.filter_map(|e| after_meeting(case, e)));
    found
}

/// Step 1 and, once the first has had its time, step 2.
fn unanswered(case: &Case<'_>, letter: &Letter) -> Vec<Verdict> {
    let Some(question) = letter.ask() else { return Vec::new() };
    let first = letter.mail.to.first().map(|a| &a.address);
    let lead = first.is_some_and(|a| case.h.person.addresses.contains(a));
    if letter.part != Part::To || !lead || letter.mail.to.len() > 3 {
        return Vec::new();
    }
    let at = letter.mail.at;
    let patience = at.plus(case.h.rhythm.their_p90.min(10 * DAY));
    let back = case.h.away_until.filter(|until| *until > at).map(|until| until.plus(DAY));
    let first_due = case.delay(Rule::FollowUp, 3).after(at, &case.p.hours).max(patience);
    // who is away is not waited for: their return moves both steps
    let first_due = first_due.max(back.unwrap_or(first_due));
    let wait = first_due.since(at);
    let second_due = at.plus(wait.saturating_mul(5) / 2);
    let expires = first_due.plus(30 * DAY);
    let steps = [(1, first_due, second_due), (2, second_due, expires)];
    let begun = steps.into_iter().filter(|(step, due, _)| *step == 1 || case.now >= *due);
    begun.map(|(step, due, until)| one(case, letter, question, step, due, until.max(due.plus(3 * DAY)))).collect()
}

fn one(case: &Case<'_>, letter: &Letter, question: &str, step: u32, due: Timestamp, expires: Timestamp) -> Verdict {
    let at = letter.mail.at;
    let mut v = Verdict::new(Occasion::Unanswered, letter.mail.id.to_string(), step, due, expires, 60);
    v.about_mail(letter);
    v.point_if(case.is_their_thread(letter), 10, "their thread");
    v.point_if(letter.mail.to.len() == 1, 10, "to them alone");
    let deadline = letter.mail.acts().iter().filter_map(|a| a.due).filter(|d| d.explicit).map(|d| d.date).max();
    let today = case.p.hours.zone.date(case.now);
    v.point_if(deadline.is_some_and(|d| d < today), 10, "the date you named has passed");
    v.point_if(case.h.strength >= 60, 5, "a strong contact");
    v.veto_if(letter.mail.marks().no_rush, "you said there is no rush");
    v.veto_if(case.h.dead, "the address is dead: it bounced");
    v.veto_if(step == 2 && case.h.machine_answered(), "only a machine has answered you since");
    v.close_by_letter(answer(case, letter));
    v.close_by_meeting(case.h.met_since(at, case.now), case.now);
    v.close_by_meeting(invited_since(case, at), case.now);
    v.address = letter.mail.to.iter().find(|a| case.h.person.addresses.contains(&a.address)).map(|a| a.address.clone());
    v.fact("quote", Fact::Text(question.to_string()));
    // what was answered waited until then
    let until = v.closed_by.as_ref().map_or(case.now.max(due), |(_, closed)| *closed);
    let waited = case.p.hours.working_days_between(at, until);
    v.fact("working_days", Fact::Number(i64::from(waited)));
    let replies = &case.h.rhythm.their_replies;
    if let (true, Some(p90)) = (replies.len() >= 5, crate::ledger::rhythm::quantile(replies, 90)) {
        let days = (p90 + DAY - 1) / DAY;
        let within = replies.iter().filter(|r| **r <= days * DAY).count();
        v.fact("usual_days", Fact::Number(days));
        v.fact("usual_count", Fact::Number(i64::try_from(within).unwrap_or(0)));
        v.fact("usual_of", Fact::Number(i64::try_from(replies.len()).unwrap_or(0)));
    }
    v.needs = Needs { sent: true, folders: true, calendars: true };
    v
}

/// Any person's mail that answers it, from whatever address; or any mail from them to the user since.
fn answer<'a>(case: &'a Case<'_>, letter: &'a Letter) -> Option<&'a Letter> {
    let at = letter.mail.at;
    let by_person = |l: &&Letter| {
        let from_me = l.mail.sender().is_some_and(|s| case.h.me.is_me(&s.address));
        l.direction == Direction::Received
            && !from_me
            && matches!(l.class, Class::Person | Class::Calendar | Class::List)
    };
    let answers = case.h.answers_to(&letter.mail).filter(by_person).find(|l| l.mail.at > at);
    let heard = || case.h.received_since(at).find(|l| l.part != Part::Cc);
    answers.or_else(heard).or_else(|| case.h.heard_by_list(at))
}

/// They accepted or sent an invitation after `at`.
pub fn invited_since<'a>(case: &'a Case<'_>, at: Timestamp) -> Option<&'a Encounter> {
    case.h
        .encounters
        .iter()
        .find(|e| !e.cancelled && !e.declined && e.end > at && e.read_at > at && (e.hosted || e.mine) && !e.all_day)
}

fn after_meeting(case: &Case<'_>, e: &Encounter) -> Option<Verdict> {
    if !e.met() || e.others.len() > 3 || !case.h.external {
        return None;
    }
    thank_you::is_first(case, e)?;
    let cause = format!("{} {}", e.key, thank_you::listed_as(case, e));
    let mut v = Verdict::new(Occasion::AfterMeeting, cause, 1, e.end.plus(7 * DAY), e.end.plus(21 * DAY), 60);
    v.about_meeting(e);
    v.point_if(e.others.len() == 1, 10, "one-to-one");
    v.point_if(e.marks.sales || thank_you::is_sales_meeting(case, e), -30, "they are selling");
    v.veto_if(e.marks.interview, "an interview");
    let thanks_shown =
        case.h.shown.iter().any(|(occasion, cause)| {
            *occasion == Occasion::FirstMeeting.as_str() && cause.starts_with(&e.key.to_string())
        });
    v.veto_if(thanks_shown, "the thank-you for the same meeting was shown");
    v.veto_if(case.h.next_meeting(case.now).is_some(), "a meeting with them is planned");
    v.close_by_letter(case.h.sent_since(e.end).next());
    v.close_by_letter(case.h.received_since(e.end).next());
    v.close_by_meeting(case.h.met_since(e.end, case.now), case.now);
    v.address = case.h.preferred_address();
    v.needs = Needs { sent: true, folders: true, calendars: true };
    Some(v)
}
