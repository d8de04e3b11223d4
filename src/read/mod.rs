//! Bytes to observations. Floor 2; sees floors 0 and 1 only. The only owner of mail-parser, calcard,
//! icalendar, rrule, chrono and html5gum.
//!
//! Invariant: reading never fails as a whole and never concludes: it gives what can be read, a
//! complaint for what cannot, and neither knows who "me" is nor what any other message says.

pub mod acts;
pub mod calendar;
pub mod cards;
pub mod class;
pub mod html;
pub mod lexicon;
pub mod mail;
pub mod mbox;
pub mod new_text;
pub mod tree;

/// Version of the facts this reader makes; raised when it has learned more, so that what lies
/// inside the rules' windows is read again.
pub const READER: u16 = 1;
