//! Names of mailboxes on the wire: modified UTF-7 (RFC 3501 5.1.3). Part of `imap`.
//!
//! Invariant: a name goes back to the server exactly as it came; only what people read and write is
//! decoded and encoded.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A mailbox, named as its server names it: the key for every command.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(String);

impl MailboxName {
    /// As the server wrote it (or a cursor kept it). INBOX is the same in any case.
    pub fn from_raw(raw: &str) -> MailboxName {
        MailboxName(if raw.eq_ignore_ascii_case("inbox") { "INBOX".to_string() } else { raw.to_string() })
    }

    /// As a person writes it, with the delimiter of the server between levels.
    pub fn from_text(text: &str) -> MailboxName {
        MailboxName::from_raw(&encode_utf7(text))
    }

    /// As the server writes it.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// As a person reads it.
    pub fn text(&self) -> String {
        decode_utf7(&self.0)
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Modified UTF-7 to text. A name that is none, such as one a server keeps in plain UTF-8, stays as
/// it is.
pub fn decode_utf7(name: &str) -> String {
    decoded(name).unwrap_or_else(|| name.to_string())
}

fn decoded(name: &str) -> Option<String> {
    if !name.is_ascii() {
        return None;
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((plain, after)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, tail) = after.split_once('-')?;
        if code.is_empty() {
            out.push('&');
        } else {
            for c in char::decode_utf16(utf16_of(code)?) {
                out.push(c.ok().filter(|c| !c.is_control())?);
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

/// Base64 with `,` for `/` and without padding, holding UTF-16BE.
fn utf16_of(code: &str) -> Option<Vec<u16>> {
    let mut units = Vec::new();
    let mut bits: u32 = 0;
    let mut have = 0;
    for c in code.bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b',' => 63,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(six)) & 0x3f_ffff;
        have += 6;
        if have >= 16 {
            have -= 16;
            units.push(u16::try_from((bits >> have) & 0xffff).ok()?);
        }
    }
    Some(units)
}

/// Text to modified UTF-7: printable ASCII stays, `&` becomes `&-`, anything else base64 of UTF-16BE.
pub fn encode_utf7(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    for c in text.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut units, &mut out);
            out.push(c);
            out.push_str(if c == '&' { "-" } else { "" });
        } else {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }
    flush(&mut units, &mut out);
    out
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    if units.is_empty() {
        return;
    }
    let bytes: Vec<u8> = units.drain(..).flat_map(u16::to_be_bytes).collect();
    out.push('&');
    out.push_str(&STANDARD_NO_PAD.encode(bytes).replace('/', ","));
    out.push('-');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf_7_is_read() {
        for (raw, expected) in [
            ("Entw&APw-rfe", "Entwürfe"),
            ("&AMk-l&AOk-ments envoy&AOk-s", "Éléments envoyés"),
            ("&U,BTFw-/&ZeVnLIqe-", "台北/日本語"),
            ("R&-D", "R&D"),
            ("&2D3eAA-", "\u{1f600}"),
            ("Entwürfe", "Entwürfe"),
            ("broken &APw", "broken &APw"),
            ("broken &A!-", "broken &A!-"),
            ("lone &2D0-", "lone &2D0-"),
            ("null &AAA-", "null &AAA-"),
            ("&", "&"),
        ] {
            assert_eq!(decode_utf7(raw), expected, "{raw}");
        }
    }

    #[test]
    fn modified_utf_7_is_written() {
        for (text, expected) in [
            ("Entwürfe", "Entw&APw-rfe"),
            ("台北/日本語", "&U,BTFw-/&ZeVnLIqe-"),
            ("R&D", "R&-D"),
            ("\u{1f600}", "&2D3eAA-"),
            ("a\tb", "a&AAk-b"),
            ("", ""),
        ] {
            assert_eq!(encode_utf7(text), expected, "{text}");
        }
        assert_eq!(MailboxName::from_text("inbox").raw(), "INBOX");
        assert_eq!(MailboxName::from_text("Gelöscht").to_string(), "Gelöscht");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(text in "\\PC*") {
            let encoded = encode_utf7(&text);
            proptest::prop_assert!(encoded.is_ascii());
            proptest::prop_assert_eq!(decode_utf7(&encoded), text);
        }
    }
}
