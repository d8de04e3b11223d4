//! Somebody is drifting away: by the user's interval, by the relationship, or by their own rhythm. Part of `policy`.

use super::{Case, FAMILY, Fact, Interval, Needs, Occasion, Verdict};
use crate::ledger::{Direction, Kind};
use crate::time::{DAY, Span, Timestamp};

/// What sets the interval.
enum Basis {
    /// The user said so.
    User(Span),
    /// The relationship: summary at `every`, own mail at `at_most`.
    Relationship(Interval),
    /// Their rhythm, in seconds.
    Rhythm(i64),
}

/// At most one: the step that the silence has reached.
pub fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let Some(last) = case.h.last_contact_at() else { return Vec::new() };
    let Some(basis) = basis(case) else { return Vec::new() };
    let zone = &case.p.hours.zone;
    let silence = case.now.since(last);
    let verdict = match basis {
        Basis::User(every) => {
            let interval = every.after(last, zone).since(last);
            drifting(case, last, interval, silence, 30, "you set this interval")
        }
        Basis::Relationship(Interval { every, at_most }) => {
            let (every, at_most) = (every.approx_seconds(), at_most.approx_seconds());
            if silence < at_most {
                let mut v = verdict(case, last, 0, last.plus(every), last.plus(at_most));
                v.summary_at_most("the relationship's interval is over, its limit is not");
                Some(v)
            } else {
                drifting(case, last, at_most, silence, 30, "the relationship's limit is over")
            }
        }
        // nobody drifts away while the user is: a holiday is no silence
        Basis::Rhythm(interval) => {
            let away = case.p.away_between(last, case.now);
            drifting(case, last, interval.saturating_add(away), silence, 0, "").filter(|v| v.step <= 2)
        }
    };
    verdict.map(|v| finish(case, v, last)).into_iter().collect()
}

fn basis(case: &Case<'_>) -> Option<Basis> {
    let person = &case.h.person;
    if let Some(every) = person.every {
        return Some(Basis::User(every));
    }
    if let Some(name) = &person.relationship {
        if name == FAMILY {
            return None;
        }
        if let Some(interval) = case.p.relationships.get(name) {
            return Some(Basis::Relationship(*interval));
        }
    }
    let rhythm = &case.h.rhythm;
    let floor = match case.h.strength {
        60.. => 21,
        40.. => 45,
        20.. => 90,
        _ => 365,
    } * DAY;
    let known = rhythm.episodes.len() >= 6 && rhythm.spread() >= 120 * DAY;
    let median = rhythm.median_gap()?;
    // a silence that has been as long before is none yet, where that one was not out of all proportion
    let longest = rhythm.gaps.last().map_or(0, |longest| (*longest).min(median.saturating_mul(3)));
    let usual = median.saturating_mul(2).max(rhythm.p90_gap()?).max(longest).max(floor);
    known.then_some(Basis::Rhythm(usual))
}

/// The step a silence has reached: the n-th whole interval since the last contact.
fn drifting(case: &Case<'_>, last: Timestamp, interval: i64, silence: i64, plus: i32, why: &str) -> Option<Verdict> {
    let interval = interval.max(DAY);
    let step = (silence / interval).max(1);
    let due = last.plus(interval.saturating_mul(step));
    let mut v = verdict(case, last, u32::try_from(step).ok()?, due, due.plus(interval));
    v.point_if(plus != 0, plus, why);
    Some(v)
}

fn verdict(case: &Case<'_>, last: Timestamp, step: u32, due: Timestamp, expires: Timestamp) -> Verdict {
    let evidence = case.h.last(None).map(|i| i.evidence.clone()).unwrap_or_default();
    let cause = format!("{evidence} {}", last.second());
    let mut v = Verdict::new(Occasion::KeepInTouch, cause, step, due, expires, 50);
    v.evidence.push(evidence);
    v
}

fn finish(case: &Case<'_>, mut v: Verdict, last: Timestamp) -> Verdict {
    let h = case.h;
    v.point_if(h.reciprocity > 0.6, 10, "mail goes both ways alike");
    v.veto_if(h.next_meeting(case.now).is_some(), "a meeting with them is planned");
    v.veto_if(h.heard_by_list(last).is_some(), "they wrote to you and a list since");
    v.veto_if(h.dead, "the address is dead: it bounced");
    v.veto_if(h.away_until.is_some_and(|until| until > case.now), "they are out of office");
    v.veto_if(h.person.every.is_none() && h.machine_answered(), "only a machine has answered you since");
    let last_heard = h.last(Some(Kind::Received)).map_or(Timestamp::MIN, |i| i.at);
    let since = last_heard.max(case.now.minus(30 * DAY));
    let unanswered = h.sent_since(since).filter(|l| l.direction == Direction::Sent).count();
    v.veto_if(unanswered >= 3, "your last three mails had no answer");
    v.address = h.preferred_address();
    v.fact("at", Fact::Time(last));
    // the user's `done` is contact of a kind nobody knows
    let how = h.last(None).filter(|i| i.at >= last).map_or("as you said", |i| match i.kind {
        Kind::Met => "meeting",
        Kind::Sent | Kind::Received => "mail",
    });
    v.fact("how", Fact::Text(how.to_string()));
    v.fact("weeks", Fact::Number(case.now.max(v.due_at).since(last) / (7 * DAY)));
    v.fact("days", Fact::Number(case.now.max(v.due_at).since(last) / DAY));
    let gaps = &h.rhythm.gaps;
    if let (true, Some(median), Some(longest)) = (gaps.len() >= 5, h.rhythm.median_gap(), gaps.last()) {
        v.fact("usual_days", Fact::Number((median + DAY / 2) / DAY));
        v.fact("gaps", Fact::Number(i64::try_from(gaps.len()).unwrap_or(0)));
        v.fact("longest_days", Fact::Number(*longest / DAY));
    }
    if let Some(every) = h.person.every {
        v.fact("every", Fact::Text(every.to_string()));
    } else if let Some(relationship) = &h.person.relationship {
        v.fact("relationship", Fact::Text(relationship.clone()));
    }
    v.needs = Needs { sent: true, folders: true, calendars: true };
    v
}
