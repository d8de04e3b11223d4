//! An [`Envelope`] as the bytes of a mail (RFC 5322, MIME). Part of `delivery`; the only owner of lettre.
//!
//! Invariant: whatever names, subjects and ids hold, the mail has the header fields named here and no
//! others, and the same envelope gives the same bytes.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, MultiPartKind, SinglePart};

use crate::address::{Address, safe_text};
use crate::evidence::{Envelope, MessageId};
use crate::limits;

/// Writes the mail: `multipart/alternative` of text and HTML, UTF-8 in quoted-printable. `Err` says
/// in plain words what cannot be written.
pub fn format(envelope: &Envelope) -> Result<Vec<u8>, String> {
    let message_id = bracketed(&envelope.message_id).ok_or_else(|| "the Message-ID is not plain ASCII".to_string())?;
    let seconds = u64::try_from(envelope.date.second()).unwrap_or(0);
    let mut builder = Message::builder()
        .from(mailbox(&envelope.from)?)
        .to(mailbox(&envelope.to)?)
        .subject(header_text(&envelope.subject, limits::SUBJECT_BYTES))
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .message_id(Some(message_id));
    if let Some(id) = envelope.in_reply_to.as_ref().and_then(bracketed) {
        builder = builder.in_reply_to(id);
    }
    let references: Vec<String> = envelope.references.iter().filter_map(bracketed).collect();
    if !references.is_empty() {
        builder = builder.references(references.join(" "));
    }
    for (name, value) in &envelope.headers {
        let value = header_text(value, limits::MESSAGE_ID_BYTES);
        if !value.is_empty() {
            builder = builder.raw_header(HeaderValue::new(field(name)?, value));
        }
    }
    let boundary = boundary(&envelope.message_id);
    let body = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(boundary)
        .singlepart(part(ContentType::TEXT_PLAIN, &envelope.text))
        .singlepart(part(ContentType::TEXT_HTML, &envelope.html));
    builder.multipart(body).map(|message| message.formatted()).map_err(|error| error.to_string())
}

fn mailbox(address: &Address) -> Result<Mailbox, String> {
    let spec = &address.address;
    let email = lettre::Address::new(spec.local(), spec.domain())
        .map_err(|error| format!("{spec} is no address that mail can be sent to: {error}"))?;
    // lettre 0.11 panics on a name with a line break, and writes an empty one as a stray `<`
    let name = address.name.as_ref().map(|name| header_text(name, limits::NAME_BYTES));
    Ok(Mailbox::new(name.filter(|name| !name.is_empty()), email))
}

/// An id in its angle brackets. One with bytes beyond ASCII would be encoded, and name nothing then.
fn bracketed(id: &MessageId) -> Option<String> {
    let plain = id.as_str().bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
    plain.then(|| format!("<{id}>"))
}

/// Safe text that no reader takes for an encoded word (RFC 2047), which could smuggle in again what
/// was made safe.
fn header_text(text: &str, bytes: usize) -> String {
    safe_text(&safe_text(text, bytes).replace("=?", "= ?"), 2 * bytes)
}

/// A further header field: a plain name, and none that the mail gives itself or is sent by.
fn field(name: &str) -> Result<HeaderName, String> {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && name.len() <= 60;
    let lower = name.to_ascii_lowercase();
    if !plain || RESERVED.contains(&lower.as_str()) || lower.starts_with("content-") || lower.starts_with("resent-") {
        return Err(format!("`{}` is no header field for a reminder", safe_text(name, 60)));
    }
    HeaderName::new_from_ascii(name.to_string()).map_err(|error| error.to_string())
}

const RESERVED: &[&str] = &[
    "bcc",
    "cc",
    "date",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// Fixed for one Message-ID, so that a retry is the same mail; with `=_`, which quoted-printable
/// never writes, so that no text can end its part.
fn boundary(id: &MessageId) -> String {
    let hash = blake3::hash(id.as_str().as_bytes()).to_hex();
    format!("=_{}", hash.chars().take(32).collect::<String>())
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    let text = body_text(text);
    SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(text)
}

/// Lines end in `\n` (lettre makes them CRLF); no control characters, and nothing that turns the
/// direction of the text around what follows.
fn body_text(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect()
}

#[cfg(test)]
mod tests;
