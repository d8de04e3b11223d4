//! Ratios against peers, taken in one run on one machine: never a timed test. `tests/bench/run` installs
//! the peers and starts this; BENCH_MESSAGES says how many messages (100,000 where it is not set).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]
#![allow(clippy::print_stderr, clippy::print_stdout, dead_code, missing_docs)]

#[path = "../servers/bed.rs"]
mod bed;
#[path = "../servers/certs.rs"]
mod certs;
#[path = "../servers/cyrus.rs"]
mod cyrus;
#[path = "../servers/dovecot.rs"]
mod dovecot;
#[path = "drain.rs"]
mod drain;
#[path = "imap.rs"]
mod imap;
#[path = "living.rs"]
mod living;
#[path = "mailbox.rs"]
mod mailbox;
#[path = "measure.rs"]
mod measure;
#[path = "peers.rs"]
mod peers;
#[path = "../servers/raw.rs"]
mod raw;

fn main() {
    // `cargo test --all-targets` and clippy build this too; only `cargo bench` runs it
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let size = std::env::var("BENCH_MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let mut table = measure::Table::new();
    imap::measure(size, &mut table);
    peers::measure(size / 5, &mut table);
    table.print();
}
