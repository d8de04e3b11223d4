//! What happens between people, one story a function, each with what it leaves owed.

pub mod asked;
pub mod given;
pub mod met;
pub mod noise;
pub mod untidy;
pub mod year;

use kithd::time::{DAY, Date, Timestamp};

use super::author::{Author, ME};
use super::cast::Id;
use super::gold::{Debt, Kind};

/// Far beyond the end of any story.
pub const NEVER: i64 = 400 * DAY;

impl Author {
    /// A debt that was closed at `closed`, or never and lost its sense after `life` days.
    pub fn owed(&mut self, kind: Kind, who: Id, cause: &str, at: Timestamp, closed: Option<Timestamp>) {
        // (earliest, ripe) in working days after the cause, and its life in days
        let (earliest, ripe, life) = match kind {
            Kind::Interview => (0, 0, 5),
            Kind::Introduction => (0, 0, 10),
            Kind::FirstMeeting => (0, 1, 21),
            Kind::Favour => (0, 1, 21),
            Kind::Unanswered => (2, 5, 45),
            Kind::ReplyOwed => (1, 2, 21),
            Kind::Promise => (1, 3, 33),
            Kind::Milestone => (0, 0, 10),
            Kind::KeepInTouch => (0, 0, 400),
        };
        let day = |n: i64, a: &Author| {
            let mut t = at;
            for _ in 0..n {
                t = t.plus(DAY);
                while !a.is_working_day(a.zone.date(t)) {
                    t = t.plus(DAY);
                }
            }
            t
        };
        // what is asked out of hours counts from the next morning, so a night more or less is no matter
        let (from, ripe) = (day(earliest, self).minus(if earliest > 0 { DAY / 2 } else { 0 }), day(ripe, self));
        let away: i64 = self
            .away
            .iter()
            .filter(|(a, b)| self.zone.at(*b, 0) > at && self.zone.at(*a, 0) < at.plus(life * DAY))
            .map(|(a, b)| kithd::time::days_between(*a, *b) + 1)
            .sum();
        let until = closed.unwrap_or(at.plus((life + away) * DAY));
        self.owe(Debt {
            kind,
            who: vec![who],
            cause: cause.to_string(),
            from,
            ripe,
            until,
            fades: Timestamp::MAX,
            optional: false,
        });
    }

    /// Somebody of the circle nobody else's story is about: colleagues or others.
    pub fn somebody(&mut self, circle: &[Id], from: Date, days: i64) -> Option<Id> {
        let free: Vec<Id> = circle.iter().copied().filter(|p| self.is_free(*p, from, days)).collect();
        if free.is_empty() {
            return None;
        }
        let who = *self.dice.pick(&free);
        self.claim(who, from, days);
        Some(who)
    }

    /// The same for people of the circle who work elsewhere.
    pub fn outsider(&mut self, circle: &[Id], from: Date, days: i64) -> Option<Id> {
        let mine = self.cast[ME].domain().to_string();
        let out: Vec<Id> = circle.iter().copied().filter(|p| self.cast[*p].domain() != mine).collect();
        self.somebody(&out, from, days)
    }
}
