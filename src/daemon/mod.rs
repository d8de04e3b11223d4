//! The one driver: reads the sources, hands events to the engine, does what it wants done. Floor 10.
//!
//! Invariant: one task owns the engine; sources speak to it through one bounded channel, and a panic
//! in a source is a failure of that source alone.

pub mod doors;
mod once;

pub use once::{Progress, Round, once};
