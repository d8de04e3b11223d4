//! What a text does: asks, promises, thanks, introduces. Part of `read`.

use crate::evidence::TextFacts;
use crate::read::new_text::NewText;
use crate::time::Date;

/// What acts depend on beside the words.
#[derive(Clone, Debug)]
pub struct ActContext<'a> {
    /// `Subject`.
    pub subject: &'a str,
    /// Local date of writing, which relative dates start from.
    pub written_on: Date,
    /// A file is attached.
    pub attachment: bool,
    /// Mailboxes in To and Cc; an introduction has at least two.
    pub recipients: u32,
}

/// Reads the acts and marks of a new text.
pub fn text_facts(_text: &NewText, _context: &ActContext<'_>) -> TextFacts {
    TextFacts::default()
}
