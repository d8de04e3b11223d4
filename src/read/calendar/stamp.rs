//! Date, date-time and duration values (RFC 5545 3.3.4 to 3.3.6) as they are met. Part of `read::calendar`.
//!
//! Invariant: a value is read or refused; nothing is made up of a broken one.

use super::recurrence::Wall;
use super::zones::{EventZone, Zones, civil, wall};
use crate::time::{DAY, Date, DateTime, HOUR, MINUTE, Timestamp, add_days};

/// A value, before its zone is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// `20260512`.
    Date(Date),
    /// `20260512T090000`: on the clock of its `TZID`, else floating.
    Local(DateTime),
    /// `20260512T090000Z`.
    Utc(DateTime),
}

impl Stamp {
    /// Also with dashes and colons, without seconds, and with an offset for the `Z`.
    pub fn parse(text: &str) -> Option<Stamp> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text.as_str(), None),
        };
        let digits = Some(date.replace('-', "")).filter(|d| d.len() == 8)?;
        let (year, rest) = digits.split_at_checked(4)?;
        let (month, day) = rest.split_at_checked(2)?;
        let date = Date::new(number(year)?, number(month)?, number(day)?).ok().filter(|d| d.year() >= 1)?;
        let Some(time) = time.filter(|t| !t.is_empty()) else { return Some(Stamp::Date(date)) };
        let end = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at_checked(end)?;
        let clock = clock.split_once(['.', ',']).map_or(clock, |(whole, _)| whole).replace(':', "");
        let (hour, rest) = clock.split_at_checked(2)?;
        let (minute, second) = rest.split_at_checked(2)?;
        let second = if second.is_empty() { 0 } else { number::<i8>(second)?.min(59) };
        let hour: i8 = number(hour)?;
        // 24:00 is midnight of the next day
        let (date, hour) = if hour == 24 { (add_days(date, 1), 0) } else { (date, hour) };
        let time = jiff_time(date, hour, number(minute)?, second)?;
        match zone {
            "" => Some(Stamp::Local(time)),
            "Z" => Some(Stamp::Utc(time)),
            offset => {
                let (sign, digits) = offset.split_at_checked(1)?;
                let digits = digits.replace(':', "");
                let (hours, minutes) = digits.split_at_checked(2)?;
                let minutes = if minutes.is_empty() { 0 } else { number::<i64>(minutes)? };
                let seconds = number::<i64>(hours)? * HOUR + minutes * MINUTE;
                let seconds = if sign == "-" { -seconds } else { seconds };
                Some(Stamp::Utc(civil(wall(time).checked_sub(seconds)?)))
            }
        }
    }

    /// What the clock shows; midnight for a date.
    pub fn wall(self) -> Wall {
        match self {
            Stamp::Date(date) => wall(date.at(0, 0, 0, 0)),
            Stamp::Local(time) | Stamp::Utc(time) => wall(time),
        }
    }

    /// Ends in `Z`.
    pub const fn is_utc(self) -> bool {
        matches!(self, Stamp::Utc(_))
    }
}

fn jiff_time(date: Date, hour: i8, minute: i8, second: i8) -> Option<DateTime> {
    DateTime::new(date.year(), date.month(), date.day(), hour, minute, second, 0).ok()
}

fn number<T: std::str::FromStr>(digits: &str) -> Option<T> {
    digits.parse().ok().filter(|_| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// A value whose zone is known.
#[derive(Clone, Debug)]
pub enum When {
    /// All day.
    Date(Date),
    /// On the clock of a zone.
    At(DateTime, EventZone),
}

impl When {
    /// `stamp` on the clock of `zone`, where it does not say itself that it is UTC.
    pub fn new(stamp: Stamp, zone: EventZone) -> When {
        match stamp {
            Stamp::Date(date) => When::Date(date),
            Stamp::Local(time) => When::At(time, zone),
            Stamp::Utc(time) => When::At(time, EventZone::utc()),
        }
    }

    /// The point in time; of a date its local midnight.
    pub fn instant(&self, zones: &Zones<'_>) -> Timestamp {
        match self {
            When::Date(date) => zones.default.at(*date, 0),
            When::At(time, zone) => zone.instant(*time),
        }
    }

    /// What the clock of its own zone shows.
    pub fn wall(&self) -> Wall {
        match self {
            When::Date(date) => wall(date.at(0, 0, 0, 0)),
            When::At(time, _) => wall(*time),
        }
    }

    /// The same kind of value at another reading of the same clock.
    #[must_use]
    pub fn moved_to(&self, wall: Wall) -> When {
        match self {
            When::Date(_) => When::Date(civil(wall).date()),
            When::At(_, zone) => When::At(civil(wall), zone.clone()),
        }
    }
}

/// How long an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Days as the calendar counts them.
    pub days: i64,
    /// Seconds on top.
    pub seconds: i64,
}

impl Length {
    /// Reads `P1D`, `PT1H30M`, `P2W`. A negative one is nothing.
    pub fn parse(text: &str) -> Option<Length> {
        let text = text.trim().to_ascii_uppercase();
        let negative = text.starts_with('-');
        let rest = text.trim_start_matches(['+', '-']).strip_prefix('P')?;
        let mut length = Length { days: 0, seconds: 0 };
        let mut digits = String::new();
        let mut any = false;
        for c in rest.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            if c == 'T' && digits.is_empty() {
                continue;
            }
            // a number longer than this is no length of anything
            let n = digits.parse::<i64>().ok().filter(|n| *n < 100_000_000)?;
            match c {
                'W' => length.days += n * 7,
                'D' => length.days += n,
                'H' => length.seconds += n * HOUR,
                'M' => length.seconds += n * MINUTE,
                'S' => length.seconds += n,
                _ => return None,
            }
            any = true;
            digits.clear();
        }
        let sound = any && digits.is_empty();
        sound.then_some(if negative { Length { days: 0, seconds: 0 } } else { length })
    }

    /// Where an event of this length ends; never before it starts, of a date at least a day later.
    pub fn end(self, start: &When, zones: &Zones<'_>) -> Timestamp {
        match start {
            When::Date(date) => {
                let days = self.days.saturating_add(self.seconds.saturating_add(DAY - 1) / DAY).max(1);
                zones.default.at(add_days(*date, days), 0)
            }
            When::At(time, zone) => {
                let day = add_days(time.date(), self.days);
                let moved = if self.days == 0 { *time } else { day.to_datetime(time.time()) };
                zone.instant(moved).plus(self.seconds).max(zone.instant(*time))
            }
        }
    }

    /// About how long, in seconds.
    pub const fn seconds(self) -> i64 {
        self.days.saturating_mul(DAY).saturating_add(self.seconds)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dates_and_times_are_read() {
        let shown = |text: &str| match Stamp::parse(text) {
            Some(Stamp::Date(date)) => date.to_string(),
            Some(Stamp::Local(time)) => time.to_string(),
            Some(Stamp::Utc(time)) => format!("{time}Z"),
            None => "none".to_string(),
        };
        for (text, expected) in [
            ("20260512", "2026-05-12"),
            ("2026-05-12", "2026-05-12"),
            ("20260512T090000", "2026-05-12T09:00:00"),
            ("20260512t090000z", "2026-05-12T09:00:00Z"),
            (" 20260512T0900 ", "2026-05-12T09:00:00"),
            ("2026-05-12T09:00:00.000Z", "2026-05-12T09:00:00Z"),
            ("20260512T090000+0200", "2026-05-12T07:00:00Z"),
            ("20260512T090000-03:30", "2026-05-12T12:30:00Z"),
            ("20260512T235960", "2026-05-12T23:59:59"),
            ("20260512T240000", "2026-05-13T00:00:00"),
            ("20260512T", "2026-05-12"),
            ("20260230", "none"),
            ("00000101", "none"),
            ("2026051", "none"),
            ("20260512T9", "none"),
            ("20260512T250000", "none"),
            ("２０２６０５１２", "none"),
            ("+2026512", "none"),
            ("", "none"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn lengths_are_read() {
        let length = |days, seconds| Some(Length { days, seconds });
        for (text, expected) in [
            ("P1D", length(1, 0)),
            ("PT1H30M", length(0, 5400)),
            ("P2W", length(14, 0)),
            ("P1DT12H", length(1, 43_200)),
            ("+PT15M", length(0, 900)),
            ("-PT15M", length(0, 0)),
            ("PT", None),
            ("P", None),
            ("1H", None),
            ("PT5", None),
            ("PT99999999999999999999H", None),
            ("P1Y", None),
        ] {
            assert_eq!(Length::parse(text), expected, "{text}");
        }
    }
}
