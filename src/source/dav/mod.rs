//! CalDAV (RFC 4791) and CardDAV (RFC 6352). Part of `source`.
mod known;
mod multistatus;
mod plan;
