//! Recurrence rules (RFC 5545 3.3.10). Part of `read::calendar`; the only owner of rrule and chrono.
//!
//! Invariant: a rule is expanded on a wall clock without a zone, inside a window, and in a bounded
//! number of steps; which instants the readings of that clock are is the caller's business.

use chrono::{DateTime, Utc};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use crate::limits;
use crate::time::{DAY, HOUR, MINUTE, Timestamp};

/// Seconds since 1970-01-01T00:00:00 as a wall clock without a zone shows them.
pub type Wall = i64;

/// `FREQ`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Freq {
    Yearly,
    Monthly,
    /// Every so many seconds: from `WEEKLY` down a period always has the same length on a wall clock.
    Every(i64),
}

/// One `RRULE`, made plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    freq: Freq,
    freq_name: String,
    interval: u16,
    count: Option<u32>,
    /// `UNTIL` as written; its meaning depends on the zone of `DTSTART`.
    pub until: Option<String>,
    /// The `BY...` parts and `WKST`, each with its `;` in front.
    rest: String,
    barren: bool,
}

/// The parts of RFC 5545 3.3.10 and RFC 7529.
const PARTS: &[&str] = &[
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
    "RSCALE",
    "SKIP",
];

/// What the rules of one calendar may still cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget(u64);

impl Default for Budget {
    fn default() -> Budget {
        Budget(limits::RECURRENCE_STEPS_FEED)
    }
}

/// What a rule gives inside a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// In order, each once.
    pub walls: Vec<Wall>,
    /// There are more than may be taken.
    pub capped: bool,
}

impl Rule {
    /// Reads a rule: any case, blanks, empty parts, `X-` parts and `SKIP` are passed over, of a part
    /// given twice the first counts, a negative `COUNT` is none. `Err` says in plain words what is
    /// wrong: an unknown part may be a misspelt end, and other calendars than the Gregorian one are
    /// not understood.
    pub fn parse(text: &str) -> Result<Rule, String> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
        let text = text.strip_prefix("RRULE:").unwrap_or(&text);
        if !text.is_ascii() {
            // rrule cuts such a weekday inside a character and panics
            return Err("a rule with letters that no rule has".into());
        }
        let mut parts: Vec<(&str, &str)> = Vec::new();
        for part in text.split(';') {
            let Some((name, value)) = part.split_once('=') else { continue };
            if !PARTS.contains(&name) && !name.starts_with("X-") {
                return Err(format!("a rule with {name}={value}"));
            }
            if !value.is_empty() && !parts.iter().any(|(n, _)| *n == name) {
                parts.push((name, value));
            }
        }
        let of = |name: &str| parts.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        let freq_name = of("FREQ").ok_or("a rule without FREQ")?;
        let freq = match freq_name {
            "YEARLY" => Freq::Yearly,
            "MONTHLY" => Freq::Monthly,
            "WEEKLY" => Freq::Every(7 * DAY),
            "DAILY" => Freq::Every(DAY),
            "HOURLY" => Freq::Every(HOUR),
            "MINUTELY" => Freq::Every(MINUTE),
            "SECONDLY" => Freq::Every(1),
            other => return Err(format!("a rule with FREQ={other}")),
        };
        if let Some(scale) = of("RSCALE").filter(|scale| *scale != "GREGORIAN") {
            return Err(format!("a rule with RSCALE={scale}"));
        }
        let number = |name: &str| of(name).map(|v| v.parse::<u32>().map_err(|_| format!("a rule with {name}={v}")));
        let interval = number("INTERVAL").transpose()?.unwrap_or(1).max(1);
        let interval = u16::try_from(interval).map_err(|_| format!("a rule with INTERVAL={interval}"))?;
        let count = if of("COUNT").is_some_and(|c| c.starts_with('-')) { None } else { number("COUNT").transpose()? };
        let rest = by_parts(&parts, freq);
        let barren = is_barren(&parts);
        let until = of("UNTIL").map(str::to_string);
        Ok(Rule { freq, freq_name: freq_name.to_string(), interval, count, until, rest, barren })
    }

    /// The dates of the rule in `from..=to`, with `until` its end on the same clock. `start` is among
    /// them only where the rule hits it. Where it does not, and `start_counts`, it still is the first
    /// of `COUNT` (RFC 5545 3.8.5.3).
    pub fn dates(
        &self,
        start: Wall,
        start_counts: bool,
        until: Option<Wall>,
        (from, to): (Wall, Wall),
        budget: &mut Budget,
    ) -> Result<Dates, String> {
        let mut dates = Dates::default();
        let to = until.map_or(to, |until| until.min(to));
        if self.barren || to < start.max(from) || self.count == Some(0) {
            return Ok(dates);
        }
        if budget.0 == 0 {
            return Err("a rule that was not followed: those of this calendar take too long".into());
        }
        let begin = self.fast_forward(start, from);
        if begin > to {
            return Ok(dates);
        }
        let begin_at = moment(begin).ok_or("a date outside the calendar")?;
        let until_text = moment(to).map(|m| m.format("%Y%m%dT%H%M%SZ").to_string()).unwrap_or_default();
        let text = format!("FREQ={};INTERVAL={};UNTIL={until_text}{}", self.freq_name, self.interval, self.rest);
        let unvalidated: RRule<Unvalidated> = text.parse().map_err(|e| format!("a rule that cannot be read: {e}"))?;
        let rule = unvalidated.validate(begin_at).map_err(|e| format!("a rule that cannot be read: {e}"))?;
        let set = RRuleSet::new(begin_at).rrule(rule).limit();
        let mut left = self.count.unwrap_or(u32::MAX);
        let mut first = true;
        let mut steps = 0;
        for at in &set {
            steps += 1;
            let wall = at.timestamp();
            if std::mem::take(&mut first) && start_counts && begin == start && wall != start {
                left -= 1;
            }
            if left == 0 || wall > to {
                break;
            }
            left -= 1;
            if wall >= from {
                dates.walls.push(wall);
            }
            if dates.walls.len() >= limits::INSTANCES || steps >= limits::RECURRENCE_STEPS {
                dates.capped = true;
                break;
            }
        }
        let cost = if steps == 0 { limits::RECURRENCE_STEPS_BARREN } else { u64::try_from(steps).unwrap_or(u64::MAX) };
        budget.0 = budget.0.saturating_sub(cost);
        Ok(dates)
    }

    /// A start of the same rhythm near `from`, so that a rule as old as time costs nothing. Not with
    /// `COUNT`, and not where periods differ in length.
    fn fast_forward(&self, start: Wall, from: Wall) -> Wall {
        let Freq::Every(seconds) = self.freq else { return start };
        let period = seconds.saturating_mul(i64::from(self.interval));
        // one period less, because a week does not begin on the day of DTSTART
        let periods = from.saturating_sub(start) / period - 1;
        if self.count.is_some() || periods <= 0 { start } else { start.saturating_add(periods.saturating_mul(period)) }
    }
}

/// The parts that rrule reads, without those that make no sense with this frequency and would make
/// it refuse the whole rule.
fn by_parts(parts: &[(&str, &str)], freq: Freq) -> String {
    let mut rest = String::new();
    let has_by = parts.iter().any(|(name, _)| name.starts_with("BY") && *name != "BYSETPOS");
    for (name, value) in parts {
        let fits = match *name {
            "BYMONTH" | "BYHOUR" | "BYMINUTE" | "BYSECOND" | "BYDAY" | "WKST" => true,
            "BYMONTHDAY" => freq != Freq::Every(7 * DAY),
            "BYYEARDAY" => !matches!(freq, Freq::Monthly | Freq::Every(DAY | 604_800)),
            "BYWEEKNO" => freq == Freq::Yearly,
            "BYSETPOS" => has_by,
            _ => false,
        };
        if !fits {
            continue;
        }
        // BYDAY=2MO has a meaning in months and years only
        let plain_days = *name == "BYDAY" && matches!(freq, Freq::Every(_));
        let value: String = value.chars().filter(|c| !plain_days || c.is_ascii_alphabetic() || *c == ',').collect();
        rest.push_str(&format!(";{name}={value}"));
    }
    rest
}

/// Names days of months that no such month has (30 February): rrule would search for 100,000 steps.
fn is_barren(parts: &[(&str, &str)]) -> bool {
    let list = |name: &str| {
        let value = parts.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| *v);
        value.split(',').filter_map(|v| v.parse::<i32>().ok()).collect::<Vec<_>>()
    };
    let (months, days) = (list("BYMONTH"), list("BYMONTHDAY"));
    let length = |month: &i32| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let longest = months.iter().map(length).max().unwrap_or(31);
    !days.is_empty() && days.iter().all(|day| day.abs() > longest)
}

/// A wall clock reading in the exchange type of rrule. UTC there only means: no zone.
fn moment(wall: Wall) -> Option<DateTime<Tz>> {
    let inside = (Timestamp::MIN.second()..=Timestamp::MAX.second()).contains(&wall);
    let utc = DateTime::<Utc>::from_timestamp(wall, 0).filter(|_| inside)?;
    Some(utc.with_timezone(&Tz::UTC))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wall(text: &str) -> Wall {
        Timestamp::parse(&format!("{text}Z")).unwrap().second()
    }

    fn check(start: &str, rule: &str, window: (&str, &str), expected: &[&str]) {
        let rule = Rule::parse(rule).unwrap();
        let until = rule.until.as_deref().map(|u| {
            let date = u.split_once('T').map_or(u, |(d, _)| d);
            let (y, md) = date.split_at(4);
            let (m, d) = md.split_at(2);
            wall(&format!("{y}-{m}-{d}T23:59:59"))
        });
        let window = (wall(window.0), wall(window.1));
        let dates = rule.dates(wall(start), true, until, window, &mut Budget::default()).unwrap();
        let shown: Vec<String> = dates.walls.iter().map(|w| Timestamp::from_second(*w).to_string()).collect();
        let expected: Vec<String> = expected.iter().map(|e| format!("{e}Z")).collect();
        assert_eq!(shown, expected, "{rule:?}");
    }

    const YEAR: (&str, &str) = ("2026-01-01T00:00:00", "2026-12-31T23:59:59");

    #[test]
    fn ordinary_rules() {
        check(
            "2026-05-12T09:00:00",
            "FREQ=WEEKLY;COUNT=3",
            YEAR,
            &["2026-05-12T09:00:00", "2026-05-19T09:00:00", "2026-05-26T09:00:00"],
        );
        // last working day of each month
        check(
            "2026-01-30T09:00:00",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3",
            YEAR,
            &["2026-01-30T09:00:00", "2026-02-27T09:00:00", "2026-03-31T09:00:00"],
        );
        check(
            "2026-01-05T09:00:00",
            "FREQ=MONTHLY;BYDAY=1MO;UNTIL=20260301T000000Z",
            YEAR,
            &["2026-01-05T09:00:00", "2026-02-02T09:00:00"],
        );
    }

    #[test]
    fn rules_in_the_wild() {
        let two = &["2026-05-12T09:00:00", "2026-05-13T09:00:00"];
        for rule in [
            "freq=daily;count=2",
            "RRULE:FREQ=DAILY;COUNT=2;",
            "FREQ=DAILY; COUNT = 2 ;X-FOO=BAR;RSCALE=GREGORIAN;SKIP=OMIT;BYDAY=",
            "COUNT=2;FREQ=DAILY;COUNT=9",
            "FREQ=DAILY;COUNT=2;INTERVAL=0",
            "FREQ=DAILY;COUNT=2;BYWEEKNO=20;BYSETPOS=1;BYYEARDAY=7",
            "FREQ=DAILY;COUNT=2;BYDAY=1TU,2WE",
        ] {
            check("2026-05-12T09:00:00", rule, YEAR, two);
        }
        for bad in [
            "",
            "COUNT=2",
            "FREQ=FORTNIGHTLY",
            "FREQ=DAILY;COUNT=two",
            "FREQ=DAILY;INTERVAL=99999999",
            "RSCALE=HEBREW;FREQ=DAILY",
            "FREQ=DAILY;UNTL=20260101",
        ] {
            assert!(Rule::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_start_outside_its_rule_still_counts() {
        check(
            "2026-05-12T09:00:00",
            "FREQ=WEEKLY;BYDAY=WE;COUNT=3",
            YEAR,
            &["2026-05-13T09:00:00", "2026-05-20T09:00:00"],
        );
        check("2026-05-12T09:00:00", "FREQ=WEEKLY;UNTIL=20200101T000000Z", YEAR, &[]);
    }

    #[test]
    fn old_rules_keep_their_rhythm() {
        let june = ("2026-06-01T00:00:00", "2026-06-15T00:00:00");
        // a Monday in 1990, every second week; 2026-06-08 is an even number of weeks later
        check(
            "1990-01-01T08:00:00",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE",
            june,
            &["2026-06-01T08:00:00", "2026-06-03T08:00:00"],
        );
        check("0900-01-01T08:00:00", "FREQ=DAILY;INTERVAL=10", june, &["2026-06-07T08:00:00"]);
        check(
            "2000-01-01T00:00:30",
            "FREQ=MINUTELY;BYHOUR=5;BYMINUTE=7",
            ("2026-06-01T00:00:00", "2026-06-02T00:00:00"),
            &["2026-06-01T05:07:30"],
        );
    }

    #[test]
    fn no_rule_is_endless() {
        let start = wall("2000-01-01T00:00:00");
        let (from, to) = (wall(YEAR.0), wall(YEAR.1));
        for (rule, len, capped) in [
            ("FREQ=SECONDLY", limits::INSTANCES, true),
            ("FREQ=SECONDLY;COUNT=4000000000", 0, true),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 0, false),
            ("FREQ=YEARLY;INTERVAL=65535", 0, false),
        ] {
            let dates =
                Rule::parse(rule).unwrap().dates(start, true, None, (from, to), &mut Budget::default()).unwrap();
            assert_eq!((dates.walls.len(), dates.capped), (len, capped), "{rule}");
        }
        assert!(
            Rule::parse("FREQ=DAILY")
                .unwrap()
                .dates(i64::MAX, true, None, (from, i64::MAX), &mut Budget::default())
                .is_err()
        );
    }

    #[test]
    fn a_calendar_of_traps_ends() {
        let trap = Rule::parse("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=28;BYDAY=MO;BYSETPOS=2").unwrap();
        let window = (wall(YEAR.0), wall(YEAR.1));
        let mut budget = Budget(2 * limits::RECURRENCE_STEPS_BARREN);
        for _ in 0..2 {
            assert!(trap.dates(window.0, true, None, window, &mut budget).unwrap().walls.is_empty());
        }
        assert!(trap.dates(window.0, true, None, window, &mut budget).is_err());
    }
}
