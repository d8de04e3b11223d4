//! Places where the process may be made to die, for the tests of what survives it. Ground floor.
//!
//! Every step that changes the disk or the world outside stands between two of them. The crate `fail`
//! is not used: it knows no abort, and reads its plan only where a program sets it up.
//!
//! Invariant: without the feature `fail-points` there is nothing here; with it, nothing happens unless
//! `KITHD_FAIL` or `KITHD_FAIL_LOG` is set.

/// Nothing.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub const fn point(_name: &'static str) {}

/// Ends the process at once, as a crash would, where `KITHD_FAIL` is `NAME#N` and this point is
/// reached for the Nth time. Writes each name it passes into the file `KITHD_FAIL_LOG`.
#[cfg(feature = "fail-points")]
pub fn point(name: &'static str) {
    on::reached(name);
}

#[cfg(feature = "fail-points")]
mod on {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::{LazyLock, Mutex, PoisonError};

    /// What the environment says, and how often its point was reached.
    struct Plan {
        log: Option<File>,
        deadly: Option<(String, u64)>,
        reached: u64,
    }

    static PLAN: LazyLock<Mutex<Plan>> = LazyLock::new(|| {
        let log = std::env::var_os("KITHD_FAIL_LOG")
            .and_then(|path| OpenOptions::new().create(true).append(true).open(path).ok());
        let deadly = std::env::var("KITHD_FAIL").ok().and_then(|plan| {
            let (name, number) = plan.split_once('#')?;
            Some((name.to_string(), number.parse().ok()?))
        });
        Mutex::new(Plan { log, deadly, reached: 0 })
    });

    pub(super) fn reached(name: &str) {
        let mut plan = PLAN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = &mut plan.log {
            // a log that cannot be written shows as a point that was never reached
            let _ = log.write_all(format!("{name}\n").as_bytes());
        }
        if plan.deadly.as_ref().is_some_and(|(deadly, _)| deadly == name) {
            plan.reached = plan.reached.saturating_add(1);
            if plan.deadly.as_ref().is_some_and(|(_, number)| *number == plan.reached) {
                std::process::abort();
            }
        }
    }
}
