//! The promises of docs/testing.md: what breaks on purpose, and what holds all the same. The real
//! binary, over files and against real servers; long forms by an environment variable each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::print_stderr, clippy::cast_possible_truncation, dead_code)]

#[path = "servers/bed.rs"]
mod bed;
#[path = "servers/canary.rs"]
mod canary;
#[path = "servers/certs.rs"]
mod certs;
#[path = "promises/damage.rs"]
mod damage;
#[path = "servers/dovecot.rs"]
mod dovecot;
#[path = "servers/exim.rs"]
mod exim;
#[cfg(feature = "fail-points")]
#[path = "promises/fail_points.rs"]
mod fail_points;
#[path = "promises/fuzz.rs"]
mod fuzz;
#[path = "promises/hostile.rs"]
mod hostile;
#[path = "servers/life.rs"]
mod life;
#[path = "promises/names.rs"]
mod names;
#[path = "promises/polite.rs"]
mod polite;
#[path = "promises/power.rs"]
mod power;
#[path = "servers/raw.rs"]
mod raw;
#[path = "promises/secrets.rs"]
mod secrets;
#[path = "promises/tale.rs"]
mod tale;
