//! The log: into the journal, with fields, where standard error is the journal's; else as lines on
//! standard error. Part of `cli`.
//!
//! Invariant: crates that would print traffic are kept quiet whatever RUST_LOG says.

use std::os::unix::fs::MetadataExt;

use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

const QUIET: [&str; 6] =
    ["lettre=warn", "async_imap=warn", "imap_proto=warn", "rustls=warn", "sled=off", "rrule=error"];

/// Begins it for this process.
pub fn start(is_service: bool) {
    let usual = if is_service { "warn,kithd=info" } else { "error" };
    let mut filter = EnvFilter::try_from_env("RUST_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    for quiet in QUIET {
        if let Ok(directive) = quiet.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let log = tracing_subscriber::registry().with(filter);
    // a second subscriber in one process is only met in tests
    let _ = match tracing_journald::layer() {
        Ok(journal) if is_journal() => {
            // SOURCE=, CONTACT= and REMINDER= as they are; levels as syslog(3) has them
            let levels =
                PriorityMappings { info: Priority::Informational, debug: Priority::Debug, ..PriorityMappings::new() };
            log.with(journal.with_field_prefix(None).with_priority_mappings(levels)).try_init()
        }
        _ => log.with(fmt::layer().with_writer(std::io::stderr).with_ansi(false)).try_init(),
    };
}

/// Is standard error the journal's ($JOURNAL_STREAM, systemd.exec(5))? What was redirected is not.
pub fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|own| stream == format!("{}:{}", own.dev(), own.ino()))
}
