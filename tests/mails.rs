//! The mails kithd writes: every phrase in every language, text and HTML that say the same, and how they look.
//! `UPDATE_EXPECT=1` renews `tests/corpus/mails` and the pictures in `docs/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

#[path = "mails/golden.rs"]
mod golden;
#[path = "mails/samples.rs"]
mod samples;
#[path = "mails/screens.rs"]
mod screens;
