//! Birthdays, anniversaries, announced changes, a year since the first meeting. Part of `policy`.

use std::collections::BTreeSet;

use super::{Case, Fact, Needs, Occasion, Verdict, thank_you};
use crate::evidence::AnnualDay;
use crate::ledger::{Direction, Letter};
use crate::time::{DAY, Date, HOUR, add_days};

/// Two years without any interaction: a card alone is for the summary.
const LONG_SILENCE: i64 = 730 * DAY;

/// Every milestone of one contact within the next week.
pub fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let mut seen: BTreeSet<(Occasion, i8, i8)> = BTreeSet::new();
    let mut found = Vec::new();
    for (occasion, day, cause) in days(case) {
        if seen.insert((occasion, day.month, day.day)) {
            found.extend(annual(case, occasion, day, &cause));
        }
    }
    found.extend(case.recent(Direction::Received).filter_map(|l| announced(case, l)));
    found.extend(first_meeting_year(case));
    found
}

/// Days before an annual day from which on it has a verdict.
const AHEAD: i64 = 14;

/// When the next annual day comes into sight.
pub fn next_look(case: &Case<'_>) -> Option<crate::time::Timestamp> {
    let zone = &case.p.hours.zone;
    let today = zone.date(case.now);
    let years = [0, 1].map(|n| today.year().saturating_add(n));
    let dates = days(case).into_iter().flat_map(|(_, day, _)| years.into_iter().filter_map(move |y| day.in_year(y)));
    dates.map(|d| zone.at(add_days(d, -AHEAD), 0)).filter(|t| *t > case.now).min()
}

/// Annual days of cards and of birthday calendars, with what names the cause.
fn days(case: &Case<'_>) -> Vec<(Occasion, AnnualDay, String)> {
    let cards = case.h.cards.iter().filter(|c| !c.gone).flat_map(|c| {
        let birthday = c.birthday.map(|d| (Occasion::Birthday, d, c.id.to_string()));
        let anniversary = c.anniversary.map(|d| (Occasion::Anniversary, d, c.id.to_string()));
        birthday.into_iter().chain(anniversary)
    });
    let calendars = case.h.encounters.iter().filter(|e| e.marks.birthday && e.all_day && !e.cancelled).map(|e| {
        let date = case.p.hours.zone.date(e.start);
        (Occasion::Birthday, AnnualDay { month: date.month(), day: date.day(), year: None }, e.key.uid.clone())
    });
    cards.chain(calendars).collect()
}

fn annual(case: &Case<'_>, occasion: Occasion, day: AnnualDay, cause: &str) -> Option<Verdict> {
    let hours = &case.p.hours;
    let today = hours.zone.date(case.now);
    let date = [0, 1].into_iter().filter_map(|n| day.in_year(today.year().checked_add(n)?)).find(|d| *d >= today)?;
    if crate::time::days_between(today, date) > AHEAD {
        return None;
    }
    let silent = case.h.last_contact_at().is_none_or(|at| case.now.since(at) > LONG_SILENCE);
    let mut v = on_day(case, occasion, cause, date, 80, silent);
    if let Some(years) = day
        .year
        .and_then(|first| date.year().checked_sub(first))
        .filter(|n| *n > 0 && occasion == Occasion::Anniversary)
    {
        v.fact("years", Fact::Number(i64::from(years)));
    }
    if silent {
        v.summary_at_most("no contact in two years");
    }
    // it has one day: another reminder about them this week must not take its place
    v.pressing = !silent;
    let wished = |l: &&Letter| l.mail.marks().congratulates;
    v.close_by_letter(case.h.sent_since(hours.zone.at(add_days(date, -4), 0)).find(wished));
    v.needs = Needs { sent: true, ..Needs::default() };
    Some(v)
}

/// 09:00 of the day or of the last delivery day before it, never late; for the summary a week ahead.
fn on_day(case: &Case<'_>, occasion: Occasion, cause: &str, date: Date, base: i32, summary: bool) -> Verdict {
    let hours = &case.p.hours;
    let due = hours.zone.at(hours.working_day_on_or_before(date), 9 * 60);
    let due = if summary { due.minus(7 * DAY) } else { due };
    let expires = hours.zone.at(add_days(date, 1), 0);
    let year = u32::try_from(date.year()).unwrap_or(0);
    let mut v = Verdict::new(occasion, cause.to_string(), year, due, expires, base);
    v.evidence.push(cause.to_string());
    v.address = case.h.preferred_address();
    v.fact("day", Fact::Time(hours.zone.at(date, 12 * 60)));
    v
}

fn announced(case: &Case<'_>, letter: &Letter) -> Option<Verdict> {
    let what = letter.mail.marks().announces?;
    let at = letter.mail.at;
    let mut v =
        Verdict::new(Occasion::Announced, letter.mail.id.to_string(), 1, at.plus(3 * HOUR), at.plus(10 * DAY), 70);
    v.about_mail(letter);
    v.fact("what", Fact::Text(what.as_str().to_string()));
    let thread: BTreeSet<_> = case.h.thread(&letter.mail).iter().map(|l| l.mail.id).collect();
    let wished = |l: &&Letter| l.mail.marks().congratulates || thread.contains(&l.mail.id);
    v.close_by_letter(case.h.sent_since(at).find(wished));
    v.address = letter.mail.sender().map(|a| a.address.clone());
    v.needs = Needs { sent: true, ..Needs::default() };
    Some(v)
}

fn first_meeting_year(case: &Case<'_>) -> Option<Verdict> {
    let first = case.h.encounters.iter().find(|e| e.met())?;
    let long_known = thank_you::is_first(case, first)?;
    let met_on = case.p.hours.zone.date(first.start);
    let day = AnnualDay { month: met_on.month(), day: met_on.day(), year: Some(met_on.year()) };
    let date = day.in_year(met_on.year().checked_add(1)?)?;
    let today = case.p.hours.zone.date(case.now);
    if !long_known || !(-1..=14).contains(&crate::time::days_between(today, date)) || case.h.encounters.len() < 3 {
        return None;
    }
    let cause = format!("{} {}", first.key, thank_you::listed_as(case, first));
    let mut v = on_day(case, Occasion::FirstMeetingYear, &cause, date, 50, true);
    v.fact("meeting", Fact::Text(first.summary.clone()));
    v.fact("at", Fact::Time(first.start));
    let since = case.now.minus(14 * DAY);
    v.close_by_letter(case.h.sent_since(since).next());
    Some(v)
}
