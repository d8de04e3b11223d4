//! How often a login may fail. Part of `net`.
//!
//! Invariant: pure; who asks says when.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

/// Refused logins of one account: at most [`limits::LOGINS_REFUSED`] in [`limits::LOGINS_WITHIN_SECS`],
/// so that kithd locks nobody out.
#[derive(Clone, Debug, Default)]
pub(super) struct Throttle(VecDeque<Instant>);

impl Throttle {
    /// A login was refused.
    pub(super) fn refused(&mut self, now: Instant) {
        self.0.push_back(now);
        while self.0.len() > limits::LOGINS_REFUSED {
            self.0.pop_front();
        }
    }

    /// How long to wait before the next login; `None`: it may be tried now.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let oldest = self.0.front().filter(|_| self.0.len() >= limits::LOGINS_REFUSED)?;
        let within = Duration::from_secs(limits::LOGINS_WITHIN_SECS);
        within.checked_sub(now.saturating_duration_since(*oldest)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn three_refused_logins_an_hour_and_no_more() {
        let start = Instant::now();
        let minute = |m: u64| start + Duration::from_secs(60 * m);
        let mut throttle = Throttle::default();
        let mut tried = Vec::new();
        // a client that would try each minute, for three hours
        for m in 0..180 {
            if throttle.wait(minute(m)).is_none() {
                throttle.refused(minute(m));
                tried.push(m);
            }
        }
        assert_eq!(tried, [0, 1, 2, 60, 61, 62, 120, 121, 122]);
        assert_eq!(throttle.wait(minute(150)), Some(Duration::from_secs(30 * 60)));
    }
}
