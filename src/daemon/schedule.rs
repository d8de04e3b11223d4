//! When each source is read next. Part of `daemon`.
//!
//! Invariant: plain data over `now`, without clock or task; a source has at most one reading at a time.

use std::collections::BTreeMap;

use crate::evidence::{Level, SourceName};
use crate::limits;
use crate::time::Timestamp;

/// The sources and their times.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Schedule {
    seats: BTreeMap<SourceName, Seat>,
    begun: u64,
}

/// A reading of one source; later ones have higher numbers.
pub type Number = u64;

#[derive(Clone, PartialEq, Debug)]
struct Seat {
    /// Seconds between two readings.
    poll: i64,
    /// Seconds its last good reading may be old when reminders are sent.
    fresh: i64,
    /// Not before then; `None`: nothing helps but a changed config.
    next_at: Option<Timestamp>,
    /// The length of this wait: a clock that went back does not make it longer.
    rest: i64,
    /// While it is read: the reading's last word, or its beginning.
    word_at: Option<Timestamp>,
    /// It is to be read again although it is just being read: so many seconds after that has ended.
    again: Option<i64>,
    /// Failures in a row.
    failures: u32,
    /// Its last good reading ended then.
    good_at: Option<Timestamp>,
}

/// How a reading ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// Everything was read.
    Good,
    /// It failed.
    Failed(Level),
    /// Nobody wanted it any more.
    Stopped,
}

impl Schedule {
    /// Takes a source in, to be read at once, or gives a known one other times.
    pub fn seat(&mut self, source: &str, poll: i64, fresh: i64, now: Timestamp) {
        match self.seats.get_mut(source) {
            Some(seat) => (seat.poll, seat.fresh) = (poll, fresh),
            None => {
                let seat = Seat {
                    poll,
                    fresh,
                    next_at: Some(now),
                    rest: 0,
                    word_at: None,
                    again: None,
                    failures: 0,
                    good_at: None,
                };
                self.seats.insert(source.to_string(), seat);
            }
        }
    }

    /// Takes sources out.
    pub fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.seats.retain(|name, _| is_kept(name));
    }

    /// Sources to be read now.
    pub fn due(&self, now: Timestamp) -> Vec<SourceName> {
        let due = self.seats.iter().filter(|(_, s)| s.word_at.is_none() && s.next_at.is_some_and(|t| t <= now));
        due.map(|(name, _)| name.clone()).collect()
    }

    /// A reading begins.
    pub fn begin(&mut self, source: &str, now: Timestamp) -> Number {
        self.begun = self.begun.saturating_add(1);
        if let Some(seat) = self.seats.get_mut(source) {
            seat.word_at = Some(now);
            seat.again = None;
        }
        self.begun
    }

    /// Readings that begin from now on have a higher number.
    pub fn last(&self) -> Number {
        self.begun
    }

    /// It said something.
    pub fn heard(&mut self, source: &str, now: Timestamp) {
        if let Some(word_at) = self.seats.get_mut(source).and_then(|s| s.word_at.as_mut()) {
            *word_at = now;
        }
    }

    /// It ended; the next one is planned. `chance` spreads the waits. `true` where it is tried again at
    /// once and nobody need know yet.
    pub fn end(&mut self, source: &str, ended: Ended, now: Timestamp, chance: u64) -> bool {
        let Some(seat) = self.seats.get_mut(source) else { return false };
        seat.word_at = None;
        let retry = ended == Ended::Failed(Level::Retry) && seat.failures == 0;
        match ended {
            Ended::Good => {
                seat.failures = 0;
                seat.good_at = Some(now);
                seat.wait(spread(seat.poll, chance).max(limits::SOURCE_REST), now);
            }
            Ended::Failed(Level::Stop) => {
                seat.failures = seat.failures.saturating_add(1);
                // a password may be mended where it lies, without a word to kithd
                seat.wait(spread(limits::SOURCE_STOPPED, chance), now);
            }
            Ended::Failed(_) => {
                let wait = if retry { limits::SOURCE_REST } else { backoff(seat.failures.saturating_add(1)) };
                seat.failures = seat.failures.saturating_add(1);
                seat.wait(spread(wait, chance), now);
            }
            Ended::Stopped => seat.wait(0, now),
        }
        if let Some(rest) = seat.again.take() {
            seat.wait(rest, now);
        }
        retry
    }

    /// There is news: it is read soon, unless it has just failed.
    pub fn news(&mut self, source: &str, now: Timestamp) {
        let Some(seat) = self.seats.get_mut(source).filter(|s| s.failures == 0) else { return };
        let rest = seat.good_at.map_or(0, |t| limits::SOURCE_REST.saturating_sub(now.since(t)));
        match seat.word_at {
            Some(_) => seat.again = seat.again.or(Some(limits::SOURCE_REST)),
            None => seat.want(rest.clamp(0, limits::SOURCE_REST), now),
        }
    }

    /// The user asks for it: whatever it waits for, it is read now.
    pub fn ask(&mut self, source: &str, now: Timestamp) {
        if let Some(seat) = self.seats.get_mut(source) {
            seat.failures = 0;
            seat.want(0, now);
        }
    }

    /// Has everything read whose last good reading is too old for reminders to rest on it. What fails
    /// keeps its own times.
    pub fn freshen(&mut self, now: Timestamp) {
        for seat in self.seats.values_mut().filter(|s| s.failures == 0 && s.word_at.is_none()) {
            if seat.good_at.is_none_or(|t| now.since(t) > seat.fresh || now < t) {
                seat.want(0, now);
            }
        }
    }

    /// Do reminders wait for what is just being read? Not for what has said nothing for a while.
    pub fn is_reading(&self, now: Timestamp) -> bool {
        let talks = |t: Timestamp| now.since(t) <= limits::WAKE_SILENCE;
        // what is tried again at once is as good as begun
        let soon = |s: &Seat| now.plus(if s.failures > 0 { limits::SOURCE_REST } else { 0 });
        let due = |s: &Seat| s.word_at.is_none() && s.next_at.is_some_and(|t| t <= soon(s));
        self.seats.values().any(|s| s.word_at.is_some_and(talks) || due(s))
    }

    /// Readings that have said nothing for too long.
    pub fn hung(&self, now: Timestamp) -> Vec<SourceName> {
        let reading = self.seats.iter().filter_map(|(name, s)| Some((name, s.word_at?)));
        reading.filter(|(_, t)| now.since(*t) > limits::READING_SILENCE).map(|(name, _)| name.clone()).collect()
    }

    /// A clock that went back makes no wait longer than it was.
    pub fn clock_went_back(&mut self, now: Timestamp) {
        for seat in self.seats.values_mut() {
            seat.next_at = seat.next_at.map(|t| t.min(now.plus(seat.rest)));
            seat.good_at = seat.good_at.map(|t| t.min(now));
            seat.word_at = seat.word_at.map(|t| t.min(now));
        }
    }

    /// The next time a source is read.
    pub fn next(&self) -> Option<Timestamp> {
        self.seats.values().filter(|s| s.word_at.is_none()).filter_map(|s| s.next_at).min()
    }

    /// Was it ever read to its end since the service began?
    pub fn was_read(&self, source: &str) -> bool {
        self.seats.get(source).is_some_and(|s| s.good_at.is_some())
    }

    /// Failures in a row of a source.
    pub fn failures(&self, source: &str) -> u32 {
        self.seats.get(source).map_or(0, |s| s.failures)
    }
}

impl Seat {
    fn wait(&mut self, rest: i64, now: Timestamp) {
        self.rest = rest;
        self.next_at = Some(now.plus(rest));
    }

    fn want(&mut self, rest: i64, now: Timestamp) {
        if self.word_at.is_some() {
            self.again = Some(rest);
        } else if self.next_at.is_none_or(|t| t > now.plus(rest)) {
            self.wait(rest, now);
        }
    }
}

/// The wait after so many failures in a row.
pub fn backoff(failures: u32) -> i64 {
    let doubled = limits::SOURCE_BACKOFF_MIN << failures.saturating_sub(1).min(20);
    doubled.min(limits::SOURCE_BACKOFF_MAX)
}

/// A wait moved by up to [`limits::JITTER_PERCENT`] either way.
pub fn spread(wait: i64, chance: u64) -> i64 {
    let room = wait.saturating_mul(limits::JITTER_PERCENT) / 100;
    let width = u64::try_from(room.saturating_mul(2).saturating_add(1)).unwrap_or(1);
    wait.saturating_sub(room).saturating_add(i64::try_from(chance % width.max(1)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MIDDLE: u64 = 0;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + second)
    }

    fn one() -> Schedule {
        let mut schedule = Schedule::default();
        schedule.seat("work", 300, 600, at(0));
        schedule
    }

    fn read(schedule: &mut Schedule, ended: Ended, second: i64) -> bool {
        schedule.begin("work", at(second));
        assert_eq!(schedule.due(at(second)), Vec::<String>::new(), "one reading at a time");
        schedule.end("work", ended, at(second), MIDDLE)
    }

    #[test]
    fn a_source_is_read_at_once_and_then_at_its_poll() {
        let mut schedule = one();
        assert_eq!(schedule.due(at(0)), ["work"]);
        assert!(!read(&mut schedule, Ended::Good, 0));
        assert_eq!(schedule.next(), Some(at(270)), "the poll less its jitter");
        assert_eq!(schedule.due(at(269)), Vec::<String>::new());
        assert_eq!(schedule.due(at(270)), ["work"]);
    }

    #[test]
    fn waits_after_failures_grow_and_end() {
        let mut schedule = one();
        let mut waits = Vec::new();
        let mut second = 0;
        for _ in 0..9 {
            read(&mut schedule, Ended::Failed(Level::Wait), second);
            let wait = schedule.next().unwrap().since(at(second));
            waits.push(wait);
            second += wait;
        }
        assert_eq!(waits, [54, 108, 216, 432, 864, 1728, 3240, 3240, 3240]);
        schedule.news("work", at(second - 1000));
        assert_eq!(schedule.next(), Some(at(second)), "news do not shorten a wait after failures");
        read(&mut schedule, Ended::Good, second);
        assert_eq!(schedule.next(), Some(at(second + 270)));
    }

    #[test]
    fn a_broken_connection_is_tried_again_once_before_anybody_hears_of_it() {
        let mut schedule = one();
        assert!(read(&mut schedule, Ended::Failed(Level::Retry), 0));
        assert!(schedule.next().unwrap() <= at(5));
        assert!(!read(&mut schedule, Ended::Failed(Level::Retry), 5));
        assert_eq!(schedule.next(), Some(at(5 + 108)));
    }

    #[test]
    fn what_cannot_work_waits_for_the_user() {
        let mut schedule = one();
        read(&mut schedule, Ended::Failed(Level::Stop), 0);
        // at most three tries an hour, with whatever jitter
        let next = schedule.next().unwrap().second();
        assert!(next * 10 >= limits::SOURCE_STOPPED * 9, "{next}");
        schedule.freshen(at(1_500));
        schedule.news("work", at(1_500));
        assert_eq!(schedule.due(at(1_500)), Vec::<String>::new());
        schedule.ask("work", at(1_500));
        assert_eq!(schedule.due(at(1_500)), ["work"]);
    }

    #[test]
    fn news_in_the_middle_of_a_reading_ask_for_another() {
        let mut schedule = one();
        schedule.begin("work", at(0));
        schedule.news("work", at(1));
        schedule.end("work", Ended::Good, at(2), MIDDLE);
        assert_eq!(schedule.next(), Some(at(2 + limits::SOURCE_REST)));
        schedule.begin("work", at(6));
        schedule.ask("work", at(6));
        schedule.end("work", Ended::Good, at(7), MIDDLE);
        assert_eq!(schedule.due(at(7)), ["work"], "the user is not kept waiting");
        read(&mut schedule, Ended::Good, 7);
        schedule.news("work", at(8));
        assert_eq!(schedule.next(), Some(at(7 + limits::SOURCE_REST)), "however much news, it has its rest");
    }

    #[test]
    fn reminders_rest_on_fresh_readings() {
        let mut schedule = one();
        read(&mut schedule, Ended::Good, 0);
        schedule.freshen(at(200));
        assert!(!schedule.is_reading(at(200)));
        schedule.freshen(at(8 * 3600));
        assert!(schedule.is_reading(at(8 * 3600)), "it is to be read, and waited for");
        schedule.begin("work", at(8 * 3600));
        assert!(schedule.is_reading(at(8 * 3600 + 59)));
        assert!(!schedule.is_reading(at(8 * 3600 + 61)), "silence is not waited for");
        schedule.heard("work", at(8 * 3600 + 61));
        assert!(schedule.is_reading(at(8 * 3600 + 100)));
        assert_eq!(schedule.hung(at(8 * 3600 + 61 + 1801)).len(), 1);
    }

    #[test]
    fn a_clock_that_goes_back_makes_no_wait_longer() {
        let mut schedule = one();
        read(&mut schedule, Ended::Good, 0);
        let back = at(-7200);
        schedule.clock_went_back(back);
        assert_eq!(schedule.next(), Some(back.plus(270)));
    }

    #[test]
    fn jitter_stays_within_its_share() {
        for chance in [0, 1, 30, 59, 60, 61, u64::MAX] {
            let wait = spread(300, chance);
            assert!((270..=330).contains(&wait), "{wait}");
        }
        assert_eq!(spread(0, 17), 0);
        assert_eq!(backoff(1), 60);
        assert_eq!(backoff(99), 3600);
    }
}
