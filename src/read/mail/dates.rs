//! Dates as mail headers write them: RFC 5322, its obsolete forms, ctime, ISO 8601 and what
//! web mailers have made of them. Part of `read::mail`.

use crate::limits;
use crate::time::{Date, DateTime, HOUR, MINUTE, Timestamp, Zone};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads a date. Without a zone, or with one it does not know, the time is taken as UTC (RFC 5322 4.3).
pub fn read_date(text: &str) -> Option<Timestamp> {
    let text = crate::address::clip(text, limits::DATE_BYTES);
    let text = text.split('(').next().unwrap_or(text);
    let mut found = Found::default();
    for word in text.split([' ', '\t', ',', '\r', '\n']).filter(|w| !w.is_empty()) {
        found.take(word);
    }
    found.timestamp()
}

#[derive(Default)]
struct Found {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<(i8, i8, i8)>,
    afternoon: Option<bool>,
    offset: Option<i64>,
}

impl Found {
    fn take(&mut self, word: &str) {
        let word = word.trim_end_matches('.');
        if self.take_iso(word) || self.take_time(word) || self.take_zone(word) {
            return;
        }
        if let Some(pieces) = dashed(word) {
            pieces.iter().for_each(|p| self.take(p));
            return;
        }
        if let Ok(number) = word.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<i16>() {
            match number {
                1..=31 if self.day.is_none() && word.len() <= 4 => self.day = i8::try_from(number).ok(),
                _ if self.year.is_none() && word.len() >= 2 => self.year = Some(full_year(number, word.len())),
                _ => {}
            }
        } else if self.month.is_none() && word.len() >= 3 {
            let lower = word.to_ascii_lowercase();
            let index = MONTHS.iter().position(|m| lower.starts_with(m));
            self.month = index.and_then(|n| i8::try_from(n + 1).ok());
        }
    }

    /// `2026-05-12`, `2026-05-12T09:00:00Z`, `2026/05/12`.
    fn take_iso(&mut self, word: &str) -> bool {
        let (date, time) = word.split_once(['T', 't']).unwrap_or((word, ""));
        let mut pieces = date.split(['-', '/']);
        let (Some(y), Some(m), Some(d), None) = (pieces.next(), pieces.next(), pieces.next(), pieces.next()) else {
            return false;
        };
        let (4, Ok(y), Ok(m), Ok(d)) = (y.len(), y.parse(), m.parse(), d.parse()) else { return false };
        (self.year, self.month, self.day) = (Some(y), Some(m), Some(d));
        if !time.is_empty() {
            self.take_time(time);
        }
        true
    }

    /// `9:41`, `09:41:22.5`, with `Z` or an offset right behind it, or `PM`.
    fn take_time(&mut self, word: &str) -> bool {
        if word.eq_ignore_ascii_case("pm") || word.eq_ignore_ascii_case("am") {
            self.afternoon = Some(word.eq_ignore_ascii_case("pm"));
            return true;
        }
        if !word.contains(':') || word.starts_with(['+', '-']) || self.time.is_some() {
            return false;
        }
        let end = word.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(word.len());
        let (clock, zone) = word.split_at_checked(end).unwrap_or((word, ""));
        let mut pieces = clock.split(':').map(|p| p.split('.').next().unwrap_or(p).parse::<i8>().ok());
        let (hour, minute, second) = (pieces.next().flatten(), pieces.next().flatten(), pieces.next());
        let (Some(hour), Some(minute)) = (hour, minute) else { return false };
        let second = second.flatten().unwrap_or(0).min(59);
        if (0..24).contains(&hour) && (0..60).contains(&minute) && second >= 0 {
            self.time = Some((hour, minute, second));
        }
        if !zone.is_empty() && !self.take_time(zone) {
            self.take_zone(zone);
        }
        true
    }

    /// `+0200`, `-03:30`, `GMT`, `PST` (RFC 5322 4.3), `UTC+2`.
    fn take_zone(&mut self, word: &str) -> bool {
        if let Some(digits) = word.strip_prefix(['+', '-']) {
            if self.time.is_none() && self.year.is_none() {
                return false;
            }
            let sign = if word.starts_with('-') { -1 } else { 1 };
            let digits: String = digits.chars().filter(|c| *c != ':').collect();
            let (Ok(number), true) = (digits.parse::<i64>(), digits.len() <= 4) else { return false };
            let (hours, minutes) = if digits.len() <= 2 { (number, 0) } else { (number / 100, number % 100) };
            if hours <= 18 && minutes < 60 {
                self.offset = Some(sign * (hours * HOUR + minutes * MINUTE));
            }
            return true;
        }
        let hours = match word.to_ascii_uppercase().as_str() {
            "UT" | "GMT" | "UTC" | "Z" | "WET" => 0,
            "CET" | "MET" | "MEZ" | "BST" | "WEST" => 1,
            "CEST" | "MEST" | "MESZ" | "EET" => 2,
            "EEST" | "MSK" => 3,
            "JST" | "KST" => 9,
            "EDT" => -4,
            "EST" | "CDT" => -5,
            "CST" | "MDT" => -6,
            "MST" | "PDT" => -7,
            "PST" => -8,
            _ => return false,
        };
        self.offset.get_or_insert(hours * HOUR);
        true
    }

    fn timestamp(&self) -> Option<Timestamp> {
        let date = Date::new(self.year?, self.month?, self.day?).ok()?;
        let (hour, minute, second) = self.time.unwrap_or((0, 0, 0));
        let hour = match self.afternoon {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        let local: DateTime = date.at(hour, minute, second, 0);
        Some(Zone::utc().instant(local).minus(self.offset.unwrap_or(0)))
    }
}

/// `12-May-2026`: the three pieces.
fn dashed(word: &str) -> Option<[&str; 3]> {
    let mut pieces = word.split('-');
    match (pieces.next(), pieces.next(), pieces.next(), pieces.next()) {
        (Some(d), Some(m), Some(y), None) if m.starts_with(|c: char| c.is_ascii_alphabetic()) => Some([d, m, y]),
        _ => None,
    }
}

/// RFC 5322 4.3: two digits below 50 are 20xx, else 19xx; three digits count from 1900.
fn full_year(number: i16, digits: usize) -> i16 {
    match (digits, number) {
        (2, 0..50) => number.saturating_add(2000),
        (2 | 3, _) => number.saturating_add(1900),
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_all_their_forms() {
        for (text, expected) in [
            ("Mon, 6 Jun 2005 22:21:22 +0200", "2005-06-06T20:21:22Z"),
            ("6 Jun 2005 22:21 -0330 (NST)", "2005-06-07T01:51:00Z"),
            ("21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06Z"),
            ("5 Jan 26 10:00 PST", "2026-01-05T18:00:00Z"),
            ("Wed, 9 Jan 2002 19:47:50 MST", "2002-01-10T02:47:50Z"),
            ("May 8, 2005 1:17 PM", "2005-05-08T13:17:00Z"),
            ("May 8, 2005 12:17 AM", "2005-05-08T00:17:00Z"),
            ("Tue Jan  2 13:56:54 2002", "2002-01-02T13:56:54Z"),
            ("Tue Jan  2 13:56:54 CET 2002", "2002-01-02T12:56:54Z"),
            ("2026-05-12T09:00:00Z", "2026-05-12T09:00:00Z"),
            ("2026-05-12 09:00:00.123+02:00", "2026-05-12T07:00:00Z"),
            ("12-May-2026 09:00:00 +0000", "2026-05-12T09:00:00Z"),
            ("Tue, 12 Oct 2010 16:21:05 H0500", "2010-10-12T16:21:05Z"),
            ("Wed, 15 Dec 2010    59:10 -0500", "2010-12-15T05:00:00Z"),
            ("Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59Z"),
            ("Mon, 1st June 2020 08:00:00 +0000", "2020-06-01T08:00:00Z"),
        ] {
            assert_eq!(read_date(text).map(|t| t.to_string()).unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "Whenever",
            "yesterday",
            "Thu,",
            "Pn, 29 paX 2007 21:13",
            "45 Jan 2026 10:00",
            "31 Feb 2026 10:00",
            "2026",
            ":::",
        ] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }
}
