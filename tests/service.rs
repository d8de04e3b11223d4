//! The service as a process: the real binary over the sample world of `kithd demo`, its signals, its
//! socket, and what it says to systemd. Times are the machine's; no test sets a clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

#[path = "service/commands.rs"]
mod commands;
#[path = "service/life.rs"]
mod life;
#[path = "service/log.rs"]
mod log;
#[path = "service/protocol.rs"]
mod protocol;
#[path = "service/socket.rs"]
mod socket;
#[path = "service/trace.rs"]
mod trace;
#[path = "service/world.rs"]
mod world;
