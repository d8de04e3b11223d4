//! What systemd is told: sd_notify(3). Floor 8.
//!
//! Invariant: without `$NOTIFY_SOCKET` each of these is nothing, and none of them can fail the service.

use std::time::Duration;

use crate::address::veil;
use sd_notify::NotifyState::{self, MonotonicUsec, Ready, Reloading, Status, Stopping, Watchdog};

/// The store is open and the socket answers; also ends a reload.
pub fn ready() {
    tell(&[Ready]);
}

/// In plain words what is going on, for `systemctl status`.
pub fn status(text: &str) {
    // a line of its own would be a message of its own
    let line = veil(&text.replace(['\n', '\r'], " "));
    tell(&[Status(&line)]);
}

/// A reload begins; [`ready`] ends it. systemd 253 and later match it to their signal by its time.
pub fn reloading() {
    let at = NotifyState::monotonic_usec_now().unwrap_or(MonotonicUsec(0));
    tell(&[Reloading, at]);
}

/// A stop begins.
pub fn stopping() {
    tell(&[Stopping]);
}

/// The loop and the store made progress.
pub fn alive() {
    tell(&[Watchdog]);
}

/// How often [`alive`] must be said at least, where systemd watches.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|every| !every.is_zero())
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd was not told: {error}");
    }
}
