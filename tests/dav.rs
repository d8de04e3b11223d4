//! Calendars and address books over HTTP: feeds, CalDAV and CardDAV, at servers on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    missing_docs
)]

#[path = "dav/feeds.rs"]
mod feeds;
#[path = "dav/http.rs"]
mod http;
#[path = "dav/world.rs"]
mod world;
