//! Points in time, civil dates and working hours. Floor 0; the only owner of jiff and the only
//! reader of the clock.
//!
//! Invariant: everything above takes `now` as a parameter; [`now`] is called by the daemon and the
//! command line alone.

use std::collections::BTreeSet;
use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use jiff::civil::{Date, DateTime, Weekday};

/// Seconds in a minute.
pub const MINUTE: i64 = 60;
/// Seconds in an hour.
pub const HOUR: i64 = 3_600;
/// Seconds in a day of 24 hours.
pub const DAY: i64 = 86_400;

/// A point in time in whole seconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC where a
/// person may read it, as a number in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The wall clock. Only the daemon and the command line call it.
pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_second())
}

impl Timestamp {
    /// The earliest point kithd can name, year 1.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800);
    /// The latest point kithd can name, end of year 9998 (one year inside what jiff can name, so
    /// that no zone offset leaves its range).
    pub const MAX: Timestamp = Timestamp(253_370_764_799);

    /// From seconds since the epoch; outside [`MIN`](Self::MIN) to [`MAX`](Self::MAX) it is moved to the nearer end.
    pub const fn from_second(second: i64) -> Timestamp {
        if second < Self::MIN.0 {
            Self::MIN
        } else if second > Self::MAX.0 {
            Self::MAX
        } else {
            Timestamp(second)
        }
    }

    /// Seconds since the epoch.
    pub const fn second(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 (`2026-05-12T09:00:00Z`, any offset).
    pub fn parse(text: &str) -> Option<Timestamp> {
        text.trim().parse::<jiff::Timestamp>().ok().map(|t| Timestamp(t.as_second()))
    }

    /// This many seconds later (or earlier, when negative).
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.0.saturating_add(seconds))
    }

    /// This many seconds earlier.
    #[must_use]
    pub const fn minus(self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this point; negative when `earlier` is later.
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.jiff(), f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Timestamp::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
        } else {
            i64::deserialize(deserializer).map(Timestamp::from_second)
        }
    }
}

/// A time zone of the system's tz database.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The zone this machine is set to; UTC where it cannot be found out.
    pub fn system() -> Zone {
        Zone(TimeZone::try_system().unwrap_or(TimeZone::UTC))
    }

    /// A zone by its IANA name, in any case.
    pub fn named(name: &str) -> Option<Zone> {
        TimeZone::get(name).ok().map(Zone)
    }

    /// A fixed offset from UTC in seconds, east positive.
    pub fn fixed(offset_secs: i32) -> Option<Zone> {
        jiff::tz::Offset::from_seconds(offset_secs).ok().map(|o| Zone(TimeZone::fixed(o)))
    }

    /// The IANA name, or `UTC`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Wall clock reading at `at`.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.0.to_datetime(at.jiff())
    }

    /// Civil date at `at`.
    pub fn date(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// The point at which the wall clock reads `local`. In a gap (spring) the clock is taken as
    /// not yet changed, so the result lies after the gap; in a fold (autumn) the first reading counts.
    pub fn instant(&self, local: DateTime) -> Timestamp {
        match self.0.to_ambiguous_timestamp(local).compatible() {
            Ok(t) => Timestamp::from_second(t.as_second()),
            Err(_) if local < DateTime::constant(1970, 1, 1, 0, 0, 0, 0) => Timestamp::MIN,
            Err(_) => Timestamp::MAX,
        }
    }

    /// `minute` minutes after the local midnight that begins `date`, as the wall clock shows it.
    pub fn at(&self, date: Date, minute: u16) -> Timestamp {
        let hour = i8::try_from(minute / 60).unwrap_or(23).min(23);
        let minute = i8::try_from(minute % 60).unwrap_or(0);
        self.instant(date.at(hour, minute, 0, 0))
    }
}

/// Days from `from` to `to`, negative when `to` is earlier.
pub fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map(|span| i64::from(span.get_days())).unwrap_or(0)
}

/// `date` moved by `days`; at the ends of the calendar it stays.
pub fn add_days(date: Date, days: i64) -> Date {
    jiff::Span::new().try_days(days).and_then(|span| date.checked_add(span)).unwrap_or(date)
}

/// A length of time as a person says it: `90min`, `3d`, `2w`, `6mo`, `1y`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Span {
    /// Calendar months.
    pub months: i32,
    /// Seconds on top of the months.
    pub seconds: i64,
}

/// What a bare `m` means: minutes where things are polled, months where people are met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BareM {
    /// `5m` is five minutes.
    Minutes,
    /// `3m` is three months.
    Months,
}

impl Span {
    /// A span of whole days.
    pub const fn days(days: i64) -> Span {
        Span { months: 0, seconds: days.saturating_mul(DAY) }
    }

    /// Reads one number and one unit (`min`, `h`, `d`, `w`, `mo`, `y`, `m`); at most 100 years.
    pub fn parse(text: &str, bare_m: BareM) -> Option<Span> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at_checked(split)?;
        let number: i64 = number.parse().ok()?;
        let span = match unit.trim().to_ascii_lowercase().as_str() {
            "min" | "minute" | "minutes" => Span { months: 0, seconds: number.checked_mul(MINUTE)? },
            "h" | "hour" | "hours" => Span { months: 0, seconds: number.checked_mul(HOUR)? },
            "d" | "day" | "days" => Span { months: 0, seconds: number.checked_mul(DAY)? },
            "w" | "week" | "weeks" => Span { months: 0, seconds: number.checked_mul(7 * DAY)? },
            "mo" | "month" | "months" => Span { months: i32::try_from(number).ok()?, seconds: 0 },
            "y" | "year" | "years" => Span { months: i32::try_from(number.checked_mul(12)?).ok()?, seconds: 0 },
            "m" if bare_m == BareM::Minutes => Span { months: 0, seconds: number.checked_mul(MINUTE)? },
            "m" => Span { months: i32::try_from(number).ok()?, seconds: 0 },
            _ => return None,
        };
        (span.approx_seconds() <= 100 * 366 * DAY && number > 0).then_some(span)
    }

    /// Seconds, a month taken as 30 days and 12 months as 365.
    pub const fn approx_seconds(self) -> i64 {
        let years = (self.months / 12) as i64;
        let months = (self.months % 12) as i64;
        self.seconds.saturating_add((years * 365 + months * 30).saturating_mul(DAY))
    }

    /// Days, rounded down.
    pub const fn approx_days(self) -> i64 {
        self.approx_seconds() / DAY
    }

    /// The point this long after `from`, months by the calendar of `zone`.
    pub fn after(self, from: Timestamp, zone: &Zone) -> Timestamp {
        self.shift(from, zone, 1)
    }

    /// The point this long before `from`, months by the calendar of `zone`.
    pub fn before(self, from: Timestamp, zone: &Zone) -> Timestamp {
        self.shift(from, zone, -1)
    }

    fn shift(self, from: Timestamp, zone: &Zone, sign: i64) -> Timestamp {
        let moved = if self.months == 0 {
            from
        } else {
            let months = i64::from(self.months).saturating_mul(sign);
            let local = zone.local(from);
            let span = jiff::Span::new().try_months(months);
            zone.instant(span.and_then(|s| local.checked_add(s)).unwrap_or(local))
        };
        moved.plus(self.seconds.saturating_mul(sign))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.months, self.seconds) {
            (m, 0) if m != 0 && m % 12 == 0 => write!(f, "{}y", m / 12),
            (m, 0) if m != 0 => write!(f, "{m}mo"),
            (_, s) if s % (7 * DAY) == 0 => write!(f, "{}w", s / (7 * DAY)),
            (_, s) if s % DAY == 0 => write!(f, "{}d", s / DAY),
            (_, s) if s % HOUR == 0 => write!(f, "{}h", s / HOUR),
            (_, s) => write!(f, "{}min", s / MINUTE),
        }
    }
}

/// A wait that is either counted in working days or plain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Delay {
    /// So many working days (`3 working days`).
    Working(u32),
    /// Plain time (`20h`, `2w`).
    Plain(Span),
}

impl Delay {
    /// Reads `3 working days`, `1 working day`, or a [`Span`] with months for a bare `m`.
    pub fn parse(text: &str) -> Option<Delay> {
        let text = text.trim();
        if let Some(number) = text.strip_suffix("working days").or_else(|| text.strip_suffix("working day")) {
            let days: u32 = number.trim().parse().ok()?;
            return (1..=260).contains(&days).then_some(Delay::Working(days));
        }
        Span::parse(text, BareM::Months).map(Delay::Plain)
    }

    /// The point this long after `from`.
    pub fn after(self, from: Timestamp, hours: &Hours) -> Timestamp {
        match self {
            Delay::Working(days) => hours.add_working_days(from, days),
            Delay::Plain(span) => span.after(from, &hours.zone),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delay::Working(1) => f.write_str("1 working day"),
            Delay::Working(days) => write!(f, "{days} working days"),
            Delay::Plain(span) => span.fmt(f),
        }
    }
}

/// When the user may be written to, and what a working day is (`[schedule]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    /// The user's zone.
    pub zone: Zone,
    /// Monday first; at least one is true.
    pub days: [bool; 7],
    /// Minutes after midnight at which the day opens.
    pub opens: u16,
    /// Minutes after midnight at which it closes; later than `opens`.
    pub closes: u16,
    /// Days that are none, from calendars marked `holidays = true`.
    pub holidays: BTreeSet<Date>,
}

/// Days looked ahead for an open one: more than the longest run of holidays anybody keeps.
const SEARCH_DAYS: i64 = 400;

impl Hours {
    /// Is `date` a working day?
    pub fn is_working_day(&self, date: Date) -> bool {
        let index = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.days.get(index).copied().unwrap_or(false) && !self.holidays.contains(&date)
    }

    /// May the user be written to at `at`?
    pub fn is_open(&self, at: Timestamp) -> bool {
        let local = self.zone.local(at);
        self.is_working_day(local.date()) && (self.opens..self.closes).contains(&minute_of(local))
    }

    /// `at` itself when open, else the next opening.
    pub fn next_open(&self, at: Timestamp) -> Timestamp {
        if self.is_open(at) {
            return at;
        }
        let local = self.zone.local(at);
        let skip = i64::from(minute_of(local) >= self.opens);
        let day = self.working_day_on_or_after(add_days(local.date(), skip));
        self.zone.at(day, self.opens)
    }

    /// The first working day from `date` on.
    pub fn working_day_on_or_after(&self, date: Date) -> Date {
        (0..SEARCH_DAYS).map(|n| add_days(date, n)).find(|d| self.is_working_day(*d)).unwrap_or(date)
    }

    /// The last working day up to `date`.
    pub fn working_day_on_or_before(&self, date: Date) -> Date {
        (0..SEARCH_DAYS).map(|n| add_days(date, -n)).find(|d| self.is_working_day(*d)).unwrap_or(date)
    }

    /// The same local time `n` working days later; what lies outside hours counts from the next opening.
    pub fn add_working_days(&self, from: Timestamp, n: u32) -> Timestamp {
        let from = self.next_open(from);
        let local = self.zone.local(from);
        let mut date = local.date();
        for _ in 0..n {
            date = self.working_day_on_or_after(add_days(date, 1));
        }
        self.zone.instant(date.to_datetime(local.time()))
    }

    /// Working days that have passed between two points, whole ones only.
    pub fn working_days_between(&self, from: Timestamp, to: Timestamp) -> u32 {
        let mut count = 0;
        let mut at = self.add_working_days(from, 1);
        while at <= to && count < 2_000 {
            count += 1;
            at = self.add_working_days(at, 1);
        }
        count
    }
}

fn minute_of(local: DateTime) -> u16 {
    u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hours() -> Hours {
        Hours {
            zone: Zone::named("Europe/Berlin").unwrap(),
            days: [true, true, true, true, true, false, false],
            opens: 8 * 60,
            closes: 18 * 60,
            holidays: BTreeSet::new(),
        }
    }

    fn t(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn working_days_skip_weekends_and_holidays() {
        let mut hours = hours();
        // Friday 15:00 + 2 working days = Tuesday 15:00
        assert_eq!(hours.add_working_days(t("2026-05-08T13:00:00Z"), 2), t("2026-05-12T13:00:00Z"));
        hours.holidays.insert("2026-05-11".parse().unwrap());
        assert_eq!(hours.add_working_days(t("2026-05-08T13:00:00Z"), 2), t("2026-05-13T13:00:00Z"));
        assert_eq!(hours.working_days_between(t("2026-05-08T13:00:00Z"), t("2026-05-13T13:00:00Z")), 2);
    }

    #[test]
    fn what_arrives_at_night_counts_from_the_next_opening() {
        // Saturday -> Monday 08:00 -> Wednesday 08:00
        assert_eq!(hours().add_working_days(t("2026-05-09T20:00:00Z"), 2), t("2026-05-13T06:00:00Z"));
    }

    #[test]
    fn the_wall_clock_is_kept_across_summer_time() {
        // Friday 27 March 10:00 CET -> Monday 30 March 10:00 CEST
        assert_eq!(hours().add_working_days(t("2026-03-27T09:00:00Z"), 1), t("2026-03-30T08:00:00Z"));
        // the gap: 02:30 does not exist on 29 March
        assert_eq!(hours().zone.at("2026-03-29".parse().unwrap(), 150), t("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn spans_are_read_as_people_write_them() {
        assert_eq!(Span::parse("2w", BareM::Months), Some(Span::days(14)));
        assert_eq!(Span::parse("3m", BareM::Months), Some(Span { months: 3, seconds: 0 }));
        assert_eq!(Span::parse("5m", BareM::Minutes), Some(Span { months: 0, seconds: 300 }));
        for bad in ["", "w", "2", "0d", "-1d", "2 fortnights", "999999999999999999y", "101y"] {
            assert_eq!(Span::parse(bad, BareM::Months), None, "{bad}");
        }
        assert_eq!(Delay::parse("3 working days"), Some(Delay::Working(3)));
    }

    #[test]
    fn far_ends_do_not_overflow() {
        assert_eq!(Timestamp::MAX.plus(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(i64::MAX), Timestamp::MIN);
        let zone = Zone::named("Pacific/Kiritimati").unwrap();
        assert!(zone.local(Timestamp::MAX).year() >= 9998);
        assert_eq!(Timestamp::parse("9999-12-31T23:59:59Z"), None);
    }
}
