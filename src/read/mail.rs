//! One message (RFC 5322, MIME) to evidence. Part of `read`.

use crate::evidence::{Complaint, Mail, Meeting, Role};
use crate::time::{Timestamp, Zone};

/// Where and when a message was found.
#[derive(Clone, Debug)]
pub struct MailContext<'a> {
    /// Mailbox of the config, or the path given to `read`.
    pub source: &'a str,
    /// File or UID, for complaints.
    pub place: &'a str,
    /// What its folder is for.
    pub role: Role,
    /// INTERNALDATE or file time: its time where neither `Date` nor `Received` can be believed.
    pub arrived_at: Timestamp,
    /// Now; nothing is dated later than two days after the arrival.
    pub now: Timestamp,
    /// Text is read of mail from this time on; of earlier mail the headers only.
    pub text_since: Timestamp,
    /// The user's zone: relative dates and floating times are taken in it.
    pub zone: &'a Zone,
}

/// What one message holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// The message.
    pub mail: Mail,
    /// The whole new text, for `kithd read`; never stored.
    pub new_text: String,
    /// What its calendar parts say.
    pub meetings: Vec<Meeting>,
    /// What could not be read of it.
    pub complaints: Vec<Complaint>,
}

/// Reads one message from at most [`crate::limits::MESSAGE_BYTES`] of its bytes. `Err` only where it
/// is no message at all (empty, or without a single header field).
pub fn read_message(_bytes: &[u8], context: &MailContext<'_>) -> Result<Message, Complaint> {
    Err(Complaint::new(context.source, context.place, "not built yet", context.now))
}
