//! Calendars and address books over HTTP: feeds, CalDAV and CardDAV, at servers on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]
#![allow(dead_code)]

#[path = "dav/accounts.rs"]
mod accounts;
#[path = "servers/bed.rs"]
mod bed;
#[path = "dav/bent.rs"]
mod bent;
#[path = "servers/certs.rs"]
mod certs;
#[path = "dav/fake.rs"]
mod fake;
#[path = "dav/feeds.rs"]
mod feeds;
#[path = "dav/http.rs"]
mod http;
#[path = "dav/real.rs"]
mod real;
#[path = "dav/world.rs"]
mod world;
