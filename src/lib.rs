//! kithd keeps the history of contact with the people its user works with, and reminds that user,
//! and nobody else, of thanks, answers, promises and hellos that are owed. See ARCHITECTURE.md.

pub mod address;
pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod delivery;
pub mod discover;
pub mod engine;
pub mod evidence;
pub mod fail;
pub mod identity;
pub mod imap;
pub mod ledger;
pub mod limits;
pub mod net;
pub mod notify;
pub mod outbox;
pub mod policy;
pub mod read;
pub mod source;
pub mod store;
pub mod time;
