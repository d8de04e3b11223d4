//! What leaves the house and what came of it. Floor 1.

use serde::{Deserialize, Serialize};

use super::{MessageId, ReminderId};
use crate::address::Address;
use crate::time::Timestamp;

/// One delivery of one reminder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Showing {
    /// Which reminder.
    pub reminder: ReminderId,
    /// 1 for the first; a retry keeps the number, a snoozed reminder that comes back has the next.
    pub number: u32,
}

/// A mail to the user, ready to be written as RFC 5322 by a delivery door.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// What is shown by it.
    pub showing: Showing,
    /// The same on every retry of this showing.
    pub message_id: MessageId,
    /// `From`.
    pub from: Address,
    /// `To`.
    pub to: Address,
    /// `Date`.
    pub date: Timestamp,
    /// `Subject`, safe text.
    pub subject: String,
    /// `In-Reply-To`: the mail it is about.
    pub in_reply_to: Option<MessageId>,
    /// `References`.
    pub references: Vec<MessageId>,
    /// Further header fields: constant names, safe values (`X-Kithd-Reminder`, `List-Id`, ...).
    pub headers: Vec<(String, String)>,
    /// `text/plain`.
    pub text: String,
    /// `text/html`, saying the same.
    pub html: String,
}

impl Envelope {
    /// Does it tell of kithd's own trouble, rather than of a person?
    pub fn is_notice(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "X-Kithd-Rule" && value.starts_with("notice/"))
    }
}

/// What came of an attempt to deliver.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Delivery {
    /// It is there.
    Accepted,
    /// Not now; try again later. In plain words why.
    Transient(String),
    /// Never, as it stands. In plain words why.
    Permanent(String),
    /// It may or may not have arrived: search before anything is sent again.
    Unknown(String),
}
