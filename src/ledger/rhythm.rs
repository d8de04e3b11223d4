//! How often and how strongly two people are in contact. Part of `ledger`.
//!
//! Invariant: an episode is contact after a gap of more than three days; a reply time is measured
//! only between a mail and the first mail that answers it.

use std::collections::BTreeMap;

use super::letters::{Direction, is_mine};
use super::{Interaction, Letter, Viewpoint};
use crate::evidence::{Class, Mail, MessageId};
use crate::identity::Me;
use crate::time::{DAY, Timestamp};

/// A gap of more than this many seconds begins a new episode.
const EPISODE_GAP: i64 = 3 * DAY;
/// The user's own P90 is worth this many measured replies of the contact.
const PRIOR: i64 = 8;
/// Half-life of strength, in days.
const HALF_LIFE_DAYS: f64 = 120.0;
/// Replies below which a P90 says nothing.
const REPLIES: usize = 5;
/// The user's own P90 until five replies were made: 4.4 days.
pub const MY_P90_DEFAULT: i64 = 380_160;

/// Rhythm and reply times of one contact.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rhythm {
    /// Starts of the episodes, oldest first.
    pub episodes: Vec<Timestamp>,
    /// Gaps between episodes in seconds, sorted.
    pub gaps: Vec<i64>,
    /// Their reply times in seconds, sorted.
    pub their_replies: Vec<i64>,
    /// The user's reply times to them in seconds, sorted.
    pub my_replies: Vec<i64>,
    /// P90 of their reply time, shrunk toward the user's own, in seconds.
    pub their_p90: i64,
}

impl Rhythm {
    /// Median gap in seconds.
    pub fn median_gap(&self) -> Option<i64> {
        quantile(&self.gaps, 50)
    }

    /// 90 % of the gaps are at most this long, in seconds.
    pub fn p90_gap(&self) -> Option<i64> {
        quantile(&self.gaps, 90)
    }

    /// Time from the first to the last episode, in seconds.
    pub fn spread(&self) -> i64 {
        match (self.episodes.first(), self.episodes.last()) {
            (Some(first), Some(last)) => last.since(*first),
            _ => 0,
        }
    }

    /// P90 of the user's replies to them, once there are at least five.
    pub fn my_p90_to_them(&self) -> Option<i64> {
        (self.my_replies.len() >= REPLIES).then(|| quantile(&self.my_replies, 90)).flatten()
    }
}

/// The smallest element that at least `percent` of a sorted list do not exceed.
pub fn quantile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank.saturating_sub(1).min(sorted.len().checked_sub(1)?)).copied()
}

/// Measures one contact.
pub fn measure(interactions: &[Interaction], letters: &[Letter], view: &Viewpoint) -> Rhythm {
    let mut rhythm = Rhythm::default();
    let mut last: Option<Timestamp> = None;
    for i in interactions.iter().filter(|i| i.counts) {
        if last.is_none_or(|l| i.at.since(l) > EPISODE_GAP) {
            if let Some(last) = last {
                rhythm.gaps.push(i.at.since(last));
            }
            rhythm.episodes.push(i.at);
        }
        last = Some(i.at);
    }
    rhythm.gaps.sort_unstable();
    rhythm.their_replies = reply_times(letters, Direction::Received);
    rhythm.my_replies = reply_times(letters, Direction::Sent);
    let count = i64::try_from(rhythm.their_replies.len()).unwrap_or(i64::MAX).min(1_000);
    let own = quantile(&rhythm.their_replies, 90).unwrap_or(0);
    rhythm.their_p90 = (own.saturating_mul(count) + view.my_p90.saturating_mul(PRIOR)) / (count + PRIOR);
    rhythm
}

/// P90 of the time the user takes to answer people, whoever they are, in seconds; [`MY_P90_DEFAULT`]
/// until there are five answers.
pub fn my_p90<'a>(mails: impl Iterator<Item = &'a Mail> + Clone, me: &Me) -> i64 {
    let received = |m: &&Mail| m.class == Class::Person && !m.lies_in_sent();
    let asked_at: BTreeMap<&MessageId, Timestamp> =
        mails.clone().filter(received).filter_map(|m| Some((m.message_id.as_ref()?, m.at))).collect();
    let by_hand = |m: &&Mail| is_mine(m, me) && !matches!(m.class, Class::Auto | Class::Dsn);
    let mut times: BTreeMap<&MessageId, i64> = BTreeMap::new();
    for answer in mails.filter(by_hand) {
        let Some(parent) = answer.ancestors().next() else { continue };
        if let Some(at) = asked_at.get(parent).filter(|at| answer.at >= **at) {
            let time = answer.at.since(*at);
            times.entry(parent).and_modify(|t| *t = time.min(*t)).or_insert(time);
        }
    }
    let mut times: Vec<i64> = times.into_values().collect();
    times.sort_unstable();
    quantile(&times, 90).filter(|_| times.len() >= REPLIES).unwrap_or(MY_P90_DEFAULT)
}

/// Seconds between a mail and the first mail that answers it, for answers that go `direction`.
pub fn reply_times(letters: &[Letter], direction: Direction) -> Vec<i64> {
    let ids: std::collections::BTreeMap<_, _> = letters
        .iter()
        .filter(|l| l.direction != direction && l.interacts)
        .filter_map(|l| Some((l.mail.message_id.as_ref()?, l.mail.at)))
        .collect();
    let mut answered = std::collections::BTreeSet::new();
    let mut times: Vec<i64> = letters
        .iter()
        .filter(|l| l.direction == direction && l.interacts)
        .filter_map(|l| {
            let parent = l.mail.ancestors().next()?;
            let asked_at = ids.get(parent)?;
            (l.mail.at >= *asked_at && answered.insert(parent)).then(|| l.mail.at.since(*asked_at))
        })
        .collect();
    times.sort_unstable();
    times
}

/// S of [`strength`]: one interaction a thread, direction and day, each by its weight and age.
pub fn mass(interactions: &[Interaction], now: Timestamp) -> f64 {
    let mut seen = std::collections::BTreeSet::new();
    interactions
        .iter()
        .filter(|i| i.at <= now)
        .filter(|i| seen.insert((i.kind.as_str(), i.at.second() / DAY, thread_name(&i.subject))))
        .map(|i| {
            let days = f64::from(i32::try_from(now.since(i.at) / DAY).unwrap_or(i32::MAX));
            i.weight * (-days / HALF_LIFE_DAYS).exp2()
        })
        .sum()
}

/// 0 to 100: `round(100 (1 - e^(-S/20)))`.
pub fn strength(mass: f64) -> u8 {
    percent(1.0 - (-mass / 20.0).exp())
}

/// What is left of S so many seconds later, if nothing happens meanwhile; within a day of exact.
pub fn fade(mass: f64, secs: i64) -> f64 {
    let days = f64::from(i32::try_from(secs.max(0) / DAY).unwrap_or(i32::MAX));
    mass * (-days / HALF_LIFE_DAYS).exp2()
}

/// A share as a whole percentage.
fn percent(share: f64) -> u8 {
    (0..=100u8).rev().find(|n| f64::from(*n) - 0.5 <= share * 100.0).unwrap_or(0)
}

/// min(in, out) / max(in, out) of the mail between the two.
pub fn reciprocity(letters: &[Letter]) -> f64 {
    let count =
        |d| u32::try_from(letters.iter().filter(|l| l.direction == d && l.interacts).count()).unwrap_or(u32::MAX);
    let (sent, received) = (count(Direction::Sent), count(Direction::Received));
    if sent.max(received) == 0 { 0.0 } else { f64::from(sent.min(received)) / f64::from(sent.max(received)) }
}

/// A subject without its reply and forward prefixes, lower-case: what tells threads apart roughly.
pub fn thread_name(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some((prefix, tail)) = rest.split_once(':') {
        let known = matches!(
            prefix.trim().to_lowercase().as_str(),
            "re" | "aw"
                | "sv"
                | "vs"
                | "antw"
                | "fw"
                | "fwd"
                | "wg"
                | "tr"
                | "rv"
                | "odp"
                | "r"
                | "res"
                | "ynt"
                | "回复"
                | "答复"
                | "转发"
                | "回覆"
        );
        if !known {
            break;
        }
        rest = tail.trim_start();
    }
    rest.to_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn quantiles_take_an_element_of_the_list() {
        assert_eq!(quantile(&[], 90), None);
        assert_eq!(quantile(&[5], 90), Some(5));
        assert_eq!(quantile(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90), Some(9));
        assert_eq!(quantile(&[1, 2, 3, 4], 50), Some(2));
    }

    #[test]
    fn prefixes_of_many_languages_go() {
        assert_eq!(thread_name("Re: AW: Fwd: Deck: final"), "deck: final");
        assert_eq!(thread_name("回复: 报告"), "报告");
        assert_eq!(percent(0.994), 99);
        assert_eq!(percent(1.0), 100);
    }
}
