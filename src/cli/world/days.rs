//! The days of the sample year, and its dice. Room of `demo`.
//!
//! Invariant: everything is placed relative to one `at`; the dice begin with a fixed seed, so that
//! the same `at` gives the same year.

use std::collections::BTreeSet;

use crate::time::{Date, DateTime, Hours, Timestamp, Weekday, Zone, add_days};

/// The zone Alex lives in.
pub const ZONE: &str = "Europe/Berlin";
/// Minute of the day the demo runs at.
const TEN: u16 = 10 * 60;

/// The year that ends at `at`.
#[derive(Clone, Debug)]
pub struct Days {
    /// The moment the demo runs at: 10:00 of a working day in Berlin.
    pub at: Timestamp,
    /// Its date.
    pub today: Date,
    hours: Hours,
}

impl Days {
    /// The year that ends at the latest working-day 10:00 in Berlin up to `now`.
    pub fn ending(now: Timestamp) -> Days {
        let zone = Zone::named(ZONE).unwrap_or_else(Zone::utc);
        let days = [true, true, true, true, true, false, false];
        let hours = Hours { zone, days, opens: 8 * 60, closes: 18 * 60, holidays: BTreeSet::new() };
        let mut today = hours.working_day_on_or_before(hours.zone.date(now));
        if hours.zone.at(today, TEN) > now {
            today = hours.working_day_on_or_before(add_days(today, -1));
        }
        Days { at: hours.zone.at(today, TEN), today, hours }
    }

    /// The date `days` before today; negative looks ahead.
    pub fn date(&self, days: i64) -> Date {
        add_days(self.today, -days)
    }

    /// `days` before today at this time of the day in Berlin; negative looks ahead.
    pub fn ago(&self, days: i64, hour: u16, minute: u16) -> Timestamp {
        self.hours.zone.at(self.date(days), hour * 60 + minute)
    }

    /// The date `n` working days before today; negative looks ahead.
    pub fn working_date(&self, n: i64) -> Date {
        let step = if n < 0 { 1 } else { -1 };
        let mut date = self.today;
        for _ in 0..n.abs() {
            date = add_days(date, step);
            while !self.hours.is_working_day(date) {
                date = add_days(date, step);
            }
        }
        date
    }

    /// `n` working days before today at this time of the day in Berlin.
    pub fn working(&self, n: i64, hour: u16, minute: u16) -> Timestamp {
        self.hours.zone.at(self.working_date(n), hour * 60 + minute)
    }

    /// A time of the day in Berlin.
    pub fn on(&self, date: Date, hour: u16, minute: u16) -> Timestamp {
        self.hours.zone.at(date, hour * 60 + minute)
    }

    /// The last day of this name at or before `date`.
    pub fn back_to(&self, date: Date, day: Weekday) -> Date {
        (0..7).map(|n| add_days(date, -n)).find(|d| d.weekday() == day).unwrap_or(date)
    }

    /// Is it a day on which people work?
    pub fn is_working_day(&self, date: Date) -> bool {
        self.hours.is_working_day(date)
    }

    /// The clock on the wall in Berlin.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.hours.zone.local(at)
    }

    /// Seconds Berlin is ahead of UTC at `at`.
    pub fn offset(&self, at: Timestamp) -> i64 {
        Zone::utc().instant(self.local(at)).since(at)
    }

    /// `Date` of a message (RFC 5322 section 3.3).
    pub fn rfc5322(&self, at: Timestamp) -> String {
        let (t, minutes) = (self.local(at), self.offset(at) / 60);
        let day = english_day(t.date()).get(..3).unwrap_or_default();
        let month = english_month(t.date()).get(..3).unwrap_or_default();
        let (hours, rest) = (minutes / 60, minutes % 60);
        format!(
            "{day}, {} {month} {} {:02}:{:02}:{:02} +{hours:02}{rest:02}",
            t.day(),
            t.year(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }
}

/// Monday to Sunday.
pub fn english_day(date: Date) -> &'static str {
    match date.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// January to December.
pub fn english_month(date: Date) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let index = usize::try_from(date.month()).unwrap_or(1).saturating_sub(1);
    NAMES.get(index).copied().unwrap_or_default()
}

/// Dice with a fixed seed (SplitMix64): the sample needs variety, not chance.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall alike for one seed.
    pub const fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number from `low` up to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low)).unwrap_or(0).saturating_add(1);
        low.saturating_add(i64::try_from(self.next() % width).unwrap_or(0))
    }

    /// One of a list.
    pub fn one_of(&mut self, list: &[&'static str]) -> &'static str {
        let index = usize::try_from(self.next() % u64::try_from(list.len()).unwrap_or(1).max(1)).unwrap_or(0);
        list.get(index).copied().unwrap_or_default()
    }

    /// Sixteen hexadecimal digits.
    pub fn hex(&mut self) -> String {
        format!("{:016x}", self.next())
    }
}
