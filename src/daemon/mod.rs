//! The one driver: reads the sources, hands events to the engine, does what it wants done. Floor 10.
//!
//! Invariant: one task owns the engine; sources speak to it through one bounded channel, and a panic
//! in a source is a failure of that source alone.

mod check;
pub mod doors;
mod errand;
mod once;
mod post;
mod reading;
mod rounds;
mod run;
mod schedule;
mod service;
mod signals;
pub mod trace;
mod watch;
mod words;

pub use crate::control::Round;
pub use check::{Tried, check};
pub use once::{Progress, once};
pub use post::Post;
pub use run::run;
pub use service::Load;
