//! The doors through which reminders leave, to the user and to nobody else. Floor 8.
//!
//! Invariant: what is said of an attempt is what is known of it; where nothing is known it is
//! [`Delivery::Unknown`](crate::evidence::Delivery::Unknown), and the inbox is searched.

pub mod append;
pub mod inbox;
pub mod maildir;
pub mod message;
pub mod smtp;

/// Whether a mail lies where it was to be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is there.
    Yes,
    /// It is not.
    No,
    /// Nobody can tell now.
    CannotSearch,
}
