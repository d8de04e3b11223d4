//! Due dates of a sentence. Room of `read::acts`.
//!
//! Invariant: civil dates from the date of writing; what can be read in two ways is not read.

use super::phrases::{Group, Hit, Sentence};
use crate::evidence::Due;
use crate::time::{Date, Weekday, add_days};

/// A day and month this many days before the writing, or more, means the next year.
const YEAR_WRAP: i64 = 60;
/// Working days that "soon" means.
const SOON: i64 = 2;

/// When the sentence says something is due: the date after "by" if there is one, else the first.
pub fn due(sentence: &Sentence, written_on: Date) -> Option<Due> {
    let mut found: Vec<(usize, Date, bool)> = Vec::new();
    for hit in &sentence.hits {
        if let Some((at, date)) = of_hit(sentence, hit, written_on) {
            let named = matches!(hit.group, Group::Weekday | Group::WeekdayShort);
            found.push((at, date, named));
        }
    }
    found.extend(in_digits(sentence, written_on).into_iter().map(|(at, date)| (at, date, false)));
    found.retain(|(at, ..)| precedes(sentence, Group::By, *at) || !precedes(sentence, Group::Past, *at));
    // "Friday, 5 June": the day of the month says more
    found.sort_by_key(|(at, _, named)| (!precedes(sentence, Group::By, *at), *at, *named));
    if let Some((_, date, _)) = found.first() {
        return Some(Due { date: *date, explicit: true });
    }
    let soon = sentence.has(Group::Soon);
    soon.then(|| Due { date: working_days(written_on, SOON), explicit: false })
}

/// Does a phrase of the group end right before this place?
fn precedes(sentence: &Sentence, group: Group, at: usize) -> bool {
    sentence.of(group).any(|h| h.end <= at && sentence.between(h.end, at).chars().all(|c| c == ' '))
}

/// Do two phrases stand side by side, with nothing but a particle between?
fn adjacent(sentence: &Sentence, a: &Hit, b: &Hit) -> bool {
    let (first, second) = if a.start <= b.start { (a, b) } else { (b, a) };
    let gap = sentence.low.get(first.end..second.start).map(|g| g.trim_matches([' ', ',']));
    a.language == b.language && gap.is_some_and(|g| matches!(g, "" | "の" | "的" | "on" | "am" | "the"))
}

/// The date a phrase names, and where its words begin.
fn of_hit(sentence: &Sentence, hit: &Hit, written_on: Date) -> Option<(usize, Date)> {
    let beside = |group: Group| sentence.of(group).any(|h| h.start >= hit.end && adjacent(sentence, hit, h));
    let within_longer = |group: Group| sentence.of(group).any(|h| h.start <= hit.start && h.end >= hit.end);
    let date = match hit.group {
        // "end of day Friday"
        Group::Today if beside(Group::Weekday) || beside(Group::Tomorrow) => return None,
        Group::Today => written_on,
        Group::Tomorrow if within_longer(Group::AfterTomorrow) => return None,
        Group::Tomorrow => add_days(written_on, 1),
        Group::AfterTomorrow => add_days(written_on, 2),
        Group::EndOfWeek if within_longer(Group::Weekend) => return None,
        Group::EndOfWeek => on_or_after(written_on, Weekday::Friday),
        Group::Weekend => on_or_after(written_on, Weekday::Sunday),
        // "next week Tuesday" is read at its weekday
        Group::NextWeek if sentence.of(Group::Weekday).any(|w| adjacent(sentence, w, hit)) => return None,
        Group::NextWeek => in_next_week(written_on, Weekday::Friday),
        Group::EndOfMonth => written_on.last_of_month(),
        Group::NextMonth => add_days(written_on.last_of_month(), 1).last_of_month(),
        Group::Weekday | Group::WeekdayShort => return weekday(sentence, hit, written_on),
        Group::Month => return day_and_month(sentence, hit, written_on),
        Group::Within => return Some((hit.start, within(sentence, hit, written_on)?)),
        _ => return None,
    };
    Some((hit.start, date))
}

fn weekday(sentence: &Sentence, hit: &Hit, written_on: Date) -> Option<(usize, Date)> {
    let before_by = precedes(sentence, Group::By, hit.start);
    if hit.group == Group::WeekdayShort && !before_by {
        return None;
    }
    // "Friday's meeting" names a meeting
    if sentence.after(hit.end).starts_with('\'') {
        return None;
    }
    let day = day_of(hit.value)?;
    let joined = |n: &&Hit| adjacent(sentence, n, hit);
    if let Some(next) = sentence.of(Group::Next).chain(sentence.of(Group::NextWeek)).find(joined) {
        return Some((next.start.min(hit.start), in_next_week(written_on, day)));
    }
    Some((hit.start, on_or_after(written_on, day)))
}

/// "12 May", "May 12th", "12. Mai 2027", "5月12日".
fn day_and_month(sentence: &Sentence, hit: &Hit, written_on: Date) -> Option<(usize, Date)> {
    let month = i8::try_from(hit.value).ok()?.checked_add(1)?;
    let before = sentence.before(hit.start);
    let joined = before.trim_end_matches([' ', '.', 'º', 'ª']);
    let joined = ["st", "nd", "rd", "th", "er", " of", " de", " den", "a", "e", "o"]
        .iter()
        .find_map(|s| joined.strip_suffix(s).filter(|j| j.trim_end().ends_with(|c: char| c.is_ascii_digit())))
        .unwrap_or(joined)
        .trim_end_matches([' ', '.']);
    let joined = ["st", "nd", "rd", "th"].iter().find_map(|s| joined.strip_suffix(s)).unwrap_or(joined);
    let digits = joined.len() - joined.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let after = sentence.after(hit.end);
    if (1..=2).contains(&digits) {
        let start = joined.len() - digits;
        let day = joined.get(start..)?.parse().ok()?;
        let at = start_of_date(sentence, start);
        return Some((at, year_of(after, month, day, written_on)?));
    }
    let rest = after.trim_start_matches([' ', '.']).trim_start_matches("the ");
    let (day, rest) = number(rest)?;
    if rest.starts_with(':') || rest.trim_start().starts_with("pm") || rest.trim_start().starts_with("am ") {
        return None;
    }
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    Some((start_of_date(sentence, hit.start), year_of(rest, month, i8::try_from(day).ok()?, written_on)?))
}

/// Before the date its weekday may stand, and before that the word "the": "by Friday, 12 May".
fn start_of_date(sentence: &Sentence, start: usize) -> usize {
    let named = sentence
        .of(Group::Weekday)
        .chain(sentence.of(Group::WeekdayShort))
        .find(|w| w.end <= start && sentence.between(w.end, start).chars().all(|c| matches!(c, ' ' | ',' | '.')));
    named.map_or(start, |w| w.start)
}

/// The year that follows, else the nearest one.
fn year_of(after: &str, month: i8, day: i8, written_on: Date) -> Option<Date> {
    let rest = after.trim_start_matches([' ', ',', '.', '/', '-']);
    let rest = rest.strip_prefix("de ").unwrap_or(rest);
    if let Some((year, rest)) = number(rest)
        && (1990..=2100).contains(&year)
        && !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        return Date::new(i16::try_from(year).ok()?, month, day).ok();
    }
    nearest(month, day, written_on)
}

fn nearest(month: i8, day: i8, written_on: Date) -> Option<Date> {
    let date = Date::new(written_on.year(), month, day).ok();
    match date {
        Some(date) if crate::time::days_between(date, written_on) <= YEAR_WRAP => Some(date),
        _ => Date::new(written_on.year().checked_add(1)?, month, day).ok(),
    }
}

/// "in two days", "within 3 weeks".
fn within(sentence: &Sentence, hit: &Hit, written_on: Date) -> Option<Date> {
    let rest = sentence.after(hit.end);
    let at = hit.end + (rest.len() - rest.trim_start().len());
    let (count, end) = match number(rest.trim_start()) {
        Some((count, left)) => (i64::from(count), sentence.low.len() - left.len()),
        None => {
            let word = sentence
                .of(Group::Number)
                .filter(|n| n.language == hit.language && n.start == at)
                .max_by_key(|n| n.end)?;
            (i64::from(word.value) + 1, word.end)
        }
    };
    let rest = sentence.after(end);
    let at = end + (rest.len() - rest.trim_start().len());
    let unit = |group| sentence.of(group).any(|u| u.language == hit.language && u.start == at);
    if !(1..=60).contains(&count) {
        None
    } else if unit(Group::WorkingDays) {
        Some(working_days(written_on, count))
    } else if unit(Group::Days) {
        Some(add_days(written_on, count))
    } else if unit(Group::Weeks) {
        Some(add_days(written_on, count * 7))
    } else {
        None
    }
}

/// Dates of digits: ISO, "5/12" where only one reading is a date, "12.5." (day first), "5月12日".
fn in_digits(sentence: &Sentence, written_on: Date) -> Vec<(usize, Date)> {
    let low = sentence.low.as_str();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = low.get(at..).and_then(|r| r.find(|c: char| c.is_ascii_digit())) {
        let start = at + offset;
        let run = low.get(start..).unwrap_or("");
        let token: &str = run
            .split(|c: char| {
                !(c.is_ascii_digit()
                    || matches!(c, '/' | '.' | '-' | '月' | '日' | '월' | '일' | '号' | '年' | '년' | ' '))
            })
            .next()
            .unwrap_or("");
        let glued = sentence.before(start).ends_with(|c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '$' | '#' | ':' | '%' | '=')
        });
        if !glued && let Some(date) = digits_date(token, written_on) {
            found.push((start_of_date(sentence, start), date));
        }
        let digits =
            run.len() - run.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '/' | '.' | '-')).len();
        at = start + digits.max(1);
    }
    found
}

fn digits_date(token: &str, written_on: Date) -> Option<Date> {
    let (first, rest) = number(token)?;
    let sep = rest.chars().next()?;
    if matches!(sep, '年' | '년') {
        let (month, rest) = number(rest.get(sep.len_utf8()..)?.trim_start())?;
        let rest = rest.trim_start_matches(['月', '월']).trim_start();
        let (day, _) = number(rest)?;
        return make(first, month, day);
    }
    let (second, rest2) = number(rest.get(sep.len_utf8()..)?.trim_start_matches(' '))?;
    match sep {
        '月' | '월' if rest2.starts_with(['日', '일', '号']) => {
            nearest(i8::try_from(first).ok()?, i8::try_from(second).ok()?, written_on)
        }
        '-' if (1990..=2100).contains(&first) => {
            let (day, rest3) = number(rest2.strip_prefix('-')?)?;
            (!rest3.starts_with(['-', '/'])).then(|| make(first, second, day))?
        }
        '/' if (1990..=2100).contains(&first) => make(first, second, number(rest2.strip_prefix('/')?)?.0),
        '.' => {
            let tail = rest2.strip_prefix('.')?;
            match number(tail) {
                Some((year, _)) if (1990..=2100).contains(&year) => make(year, second, first),
                Some((year, _)) if (20..=60).contains(&year) => make(2000 + year, second, first),
                Some(_) => None,
                None => nearest(i8::try_from(second).ok()?, i8::try_from(first).ok()?, written_on),
            }
        }
        '/' => {
            let (month, day) = match (first, second) {
                (1..=12, 13..=31) => (first, second),
                (13..=31, 1..=12) => (second, first),
                (1..=12, _) if first == second => (first, second),
                _ => return None,
            };
            match rest2.strip_prefix('/').and_then(number) {
                Some((year, _)) if (1990..=2100).contains(&year) => make(year, month, day),
                Some((year, _)) if year < 100 => make(2000 + year, month, day),
                Some(_) => None,
                None => nearest(i8::try_from(month).ok()?, i8::try_from(day).ok()?, written_on),
            }
        }
        _ => None,
    }
}

fn make(year: u16, month: u16, day: u16) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// The number (up to 4 digits) a text begins with, and what follows.
fn number(text: &str) -> Option<(u16, &str)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if !(1..=4).contains(&digits) {
        return None;
    }
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

fn day_of(value: u8) -> Option<Weekday> {
    Weekday::from_monday_zero_offset(i8::try_from(value).ok()?).ok()
}

fn on_or_after(date: Date, day: Weekday) -> Date {
    let ahead = i64::from(day.since(date.weekday()));
    add_days(date, ahead)
}

fn in_next_week(date: Date, day: Weekday) -> Date {
    let monday = add_days(date, 7 - i64::from(date.weekday().to_monday_zero_offset()));
    add_days(monday, i64::from(day.to_monday_zero_offset()))
}

/// Monday to Friday; the working days of the user are not known here.
fn working_days(date: Date, count: i64) -> Date {
    let mut date = date;
    let mut left = count;
    while left > 0 {
        date = add_days(date, 1);
        left -= i64::from(!matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday));
    }
    date
}
