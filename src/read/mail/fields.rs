//! The header block of a message (RFC 5322 2.2) and what its fields say. Part of `read::mail`.
//!
//! Invariant: fields are split here and parsed one by one, each cut before it is parsed, so that one
//! enormous or broken field costs nothing but itself. mail-parser reads the inside of a field.

use std::borrow::Cow;

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, HeaderValue};

use crate::address::{AddrSpec, Address, safe_text};
use crate::evidence::MessageId;
use crate::limits;

/// One field, as it stands in the message.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Name, case kept.
    pub name: &'a [u8],
    /// Everything after the colon, folded, cut at [`limits::FIELD_BYTES`].
    pub raw: &'a [u8],
}

/// The header block of a message or of one MIME part.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a> {
    fields: Vec<Field<'a>>,
    /// Some field was cut, or there were more than [`limits::HEADER_FIELDS`].
    pub cut: bool,
}

/// Splits a message or part into its fields and its body. A leading mbox `From ` line is skipped;
/// lines that are no field are passed over. The block ends at the first empty line.
pub fn split(bytes: &[u8]) -> (Fields<'_>, &[u8]) {
    let mut fields = Fields::default();
    let mut rest = skip_mbox_line(bytes);
    while !rest.is_empty() {
        let (field, after) = rest.split_at_checked(folded_len(rest)).unwrap_or((rest, &[]));
        rest = after;
        let line = trim_line_end(field);
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|b| *b == b':' || *b == b'\n') else { continue };
        let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
        let name = name.trim_ascii();
        if !is_field_name(name) {
            continue;
        }
        let value = value.get(1..).unwrap_or_default();
        let raw = value.get(..limits::FIELD_BYTES).unwrap_or(value);
        fields.cut |= raw.len() < value.len();
        if fields.fields.len() >= limits::HEADER_FIELDS {
            fields.cut = true;
            continue;
        }
        fields.fields.push(Field { name, raw });
    }
    (fields, rest)
}

fn skip_mbox_line(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = match bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')) {
        Some(start) => bytes.get(start..).unwrap_or_default(),
        None => return &[],
    };
    if bytes.starts_with(b"From ") || bytes.starts_with(b">From ") {
        bytes.get(line_len(bytes)..).unwrap_or_default()
    } else {
        bytes
    }
}

/// Length of the first line, its line end included.
pub fn line_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| n + 1)
}

/// Length of the first line and of the lines that continue it.
fn folded_len(bytes: &[u8]) -> usize {
    let mut end = line_len(bytes);
    if trim_line_end(bytes.get(..end).unwrap_or_default()).is_empty() {
        return end;
    }
    while let Some(rest) = bytes.get(end..).filter(|r| matches!(r.first(), Some(b' ' | b'\t'))) {
        let line = line_len(rest);
        // A line of blanks only ends the block for most readers, and is how some gateways write it.
        if rest.get(..line).unwrap_or_default().trim_ascii().is_empty() && !continues(rest.get(line..)) {
            break;
        }
        end += line;
    }
    end
}

fn continues(rest: Option<&[u8]>) -> bool {
    matches!(rest.and_then(<[u8]>::first), Some(b' ' | b'\t'))
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.len() <= 80 && name.iter().all(|b| matches!(b, 33..=126) && *b != b':')
}

impl<'a> Fields<'a> {
    /// Is there no field at all?
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Every field in order.
    pub fn iter(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter()
    }

    /// Every value of the field `name`.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.fields.iter().filter(move |f| f.name.eq_ignore_ascii_case(name.as_bytes())).map(|f| f.raw)
    }

    /// The first value of the field `name`: where there are several, the later ones may be forged in.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Is there such a field, with anything in it?
    pub fn has(&self, name: &str) -> bool {
        self.all(name).any(|raw| !raw.trim_ascii().is_empty())
    }

    /// Unfolded text of the field, not decoded (RFC 2047), for tokens and codes.
    pub fn token(&self, name: &str) -> Option<String> {
        self.first(name).map(unfold).filter(|t| !t.is_empty())
    }

    /// Decoded text of an unstructured field (RFC 5322 3.6.5), safe to show.
    pub fn text(&self, name: &str, bytes: usize) -> Option<String> {
        let raw = self.first(name)?;
        // Encoded words are four times as long as what they say, at worst twelve.
        let raw = raw.get(..limits::TEXT_FIELD_BYTES).unwrap_or(raw);
        let line = one_line(raw);
        let text = match MessageStream::new(line.as_bytes()).parse_unstructured() {
            HeaderValue::Text(text) => text.into_owned(),
            _ => String::new(),
        };
        Some(safe_text(&text, bytes))
    }

    /// Mailboxes of every field `name`, groups flattened, and how many there were before the cut
    /// at [`limits::RECIPIENTS`].
    pub fn addresses(&self, name: &str) -> (Vec<Address>, u32) {
        let mut all = Vec::new();
        let mut count: usize = 0;
        let mut left = limits::ADDRESS_FIELD_BYTES;
        for raw in self.all(name) {
            let head = raw.get(..left).unwrap_or(raw);
            left = left.saturating_sub(head.len());
            let found = addresses(head);
            let beyond = raw.get(head.len()..).unwrap_or_default();
            count += found.len() + beyond.iter().filter(|b| **b == b'@').count();
            all.extend(found);
        }
        all.truncate(limits::RECIPIENTS);
        (all, u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Message-IDs of the field, in order.
    pub fn ids(&self, name: &str) -> Vec<MessageId> {
        self.first(name).map(|raw| ids(&unfold(raw))).unwrap_or_default()
    }

    /// A structured field with parameters (`Content-Type`, `Content-Disposition`; RFC 2045, 2231).
    pub fn parameters(&self, name: &str) -> Option<Parameters> {
        let raw = self.first(name)?;
        let line = one_line(raw.get(..limits::TEXT_FIELD_BYTES).unwrap_or(raw));
        Parameters::read(&line)
    }

    /// The raw value with folds and outer blanks taken away: what ids are made of.
    pub fn raw_unfolded(&self, name: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for raw in self.all(name) {
            if !out.is_empty() {
                out.push(b'\n');
            }
            let words = raw.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
            for (n, word) in words.enumerate() {
                if n > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(word);
            }
        }
        out
    }
}

/// A value with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `text/plain`, `attachment`; lower-case.
    pub value: String,
    /// Name (lower-case) and value.
    pub parameters: Vec<(String, String)>,
}

impl Parameters {
    fn read(line: &str) -> Option<Parameters> {
        let HeaderValue::ContentType(parsed) = MessageStream::new(line.as_bytes()).parse_content_type() else {
            return None;
        };
        let value = match parsed.subtype() {
            Some(subtype) => format!("{}/{}", parsed.ctype(), subtype),
            None => parsed.ctype().to_string(),
        };
        let parameters = parsed.attributes().unwrap_or_default();
        let parameters = parameters.iter().map(|p| (p.name.to_ascii_lowercase(), p.value.to_string()));
        Some(Parameters { value: value.to_ascii_lowercase(), parameters: parameters.collect() })
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Header bytes to text: UTF-8 where it is that, else Windows-1252, the commonest of what was ever
/// written raw into headers (RFC 6532 asks for UTF-8).
pub fn decode_raw(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(text) => Cow::Borrowed(text),
        Err(e) if e.error_len().is_none() => String::from_utf8_lossy(raw),
        Err(_) => windows_1252(raw).into(),
    }
}

/// Windows-1252 to text.
pub fn windows_1252(raw: &[u8]) -> String {
    match mail_parser::decoders::charsets::map::charset_decoder(b"windows-1252") {
        Some(decode) => decode(raw),
        None => String::from_utf8_lossy(raw).into_owned(),
    }
}

/// Unfolded, NULs gone, blanks folded.
fn unfold(raw: &[u8]) -> String {
    safe_text(&decode_raw(raw), limits::FIELD_BYTES)
}

/// One line with a line end, which mail-parser needs, folds and NULs gone, split encoded words joined.
fn one_line(raw: &[u8]) -> String {
    let text = decode_raw(raw);
    let mut line = String::with_capacity(text.len() + 2);
    line.extend(text.chars().filter(|c| *c != '\0').map(|c| if matches!(c, '\r' | '\n') { ' ' } else { c }));
    let mut line = join_encoded_words(&line).into_owned();
    line.push('\n');
    line
}

/// Joins neighbouring base64 words of one charset (RFC 2047 5.3 forbids to split a character over
/// two words; Outlook and several PHP scripts do).
fn join_encoded_words(line: &str) -> Cow<'_, str> {
    if !line.contains("?=") || line.matches("=?").count() < 2 {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut open: Option<(&str, Vec<u8>)> = None;
    let mut rest = line;
    while let Some((before, word, after)) = next_word(rest) {
        let joins = before.trim().is_empty() && open.as_ref().is_some_and(|(c, _)| c.eq_ignore_ascii_case(word.0));
        if !joins {
            flush_word(&mut out, open.take());
            out.push_str(before);
        }
        let bytes = open.get_or_insert_with(|| (word.0, Vec::new()));
        bytes.1.extend(word.1);
        rest = after;
    }
    flush_word(&mut out, open);
    out.push_str(rest);
    Cow::Owned(out)
}

type Word<'a> = (&'a str, Vec<u8>);

/// The next encoded word of `text` with what stands before and after it.
fn next_word(text: &str) -> Option<(&str, Word<'_>, &str)> {
    let (start, _) = text.match_indices("=?").next()?;
    let (before, word) = text.split_at_checked(start)?;
    let mut pieces = word.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, payload) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let (payload, after) = payload.split_once("?=")?;
    let charset = charset.split('*').next().unwrap_or(charset);
    if charset.contains(char::is_whitespace) || charset.to_ascii_lowercase().starts_with("iso-2022") {
        return None;
    }
    let bytes = match encoding {
        "b" | "B" => super::parts::base64(payload.as_bytes()),
        "q" | "Q" => super::parts::quoted_printable(payload.replace('_', " ").as_bytes()),
        _ => return None,
    };
    Some((before, (charset, bytes), after))
}

fn flush_word(out: &mut String, word: Option<Word<'_>>) {
    let Some((charset, bytes)) = word else { return };
    out.push_str("=?");
    out.push_str(charset);
    out.push_str("?Q?");
    for byte in bytes {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => out.push(char::from(byte)),
            _ => out.push_str(&format!("={byte:02X}")),
        }
    }
    out.push_str("?=");
}

/// Mailboxes of one field value; what has no sound address is left out.
fn addresses(raw: &[u8]) -> Vec<Address> {
    let line = one_line(raw);
    let line = separate_brackets(&line);
    let HeaderValue::Address(parsed) = MessageStream::new(line.as_bytes()).parse_address() else { return Vec::new() };
    parsed.iter().filter_map(address).collect()
}

fn address(parsed: &Addr<'_>) -> Option<Address> {
    let spec = parsed.address.as_deref()?;
    let spec = AddrSpec::parse(spec.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '\'' | '"')))?;
    // More than one `@` outside quotes is two addresses run together: nobody's.
    if spec.local().contains('@') && !spec.local().starts_with('"') {
        return None;
    }
    Some(Address::new(parsed.name.as_deref(), spec))
}

/// `<a@b> <c@d>` is two mailboxes that somebody forgot to separate.
fn separate_brackets(line: &str) -> Cow<'_, str> {
    if line.matches('<').count() < 2 {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    let mut pieces = line.split('>').peekable();
    while let Some(piece) = pieces.next() {
        out.push_str(piece);
        if let Some(next) = pieces.peek() {
            out.push('>');
            if next.trim_start().starts_with('<') {
                out.push(',');
            }
        }
    }
    Cow::Owned(out)
}

/// Message-IDs of a text: what stands in brackets, else the words with an `@`, else the first word.
pub fn ids(text: &str) -> Vec<MessageId> {
    let bracketed: Vec<MessageId> = text
        .split('<')
        .skip(1)
        .filter_map(|piece| piece.split_once('>').map(|(id, _)| id))
        .filter_map(MessageId::new)
        .collect();
    if !bracketed.is_empty() {
        return bracketed;
    }
    let words = text.split_whitespace().filter(|w| w.contains('@')).filter_map(MessageId::new);
    let words: Vec<MessageId> = words.collect();
    if words.is_empty() { text.split_whitespace().next().and_then(MessageId::new).into_iter().collect() } else { words }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    fn block(text: &str) -> Fields<'_> {
        split(text.as_bytes()).0
    }

    fn from(value: &str) -> String {
        let text = format!("From: {value}");
        let (all, count) = block(&text).addresses("from");
        let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
        format!("{count}: {}", shown.join(" | "))
    }

    #[test]
    fn a_block_ends_where_it_should() {
        for (text, fields, body) in [
            ("Subject: hi", 1, ""),
            ("Subject: hi\r\n", 1, ""),
            ("Subject: hi\n\nbody", 1, "body"),
            ("Subject: hi\r\nTo: a@b\r\n\r\nbody: no\r\n", 2, "body: no\r\n"),
            ("From x@y Mon Jan  1 00:00:00 2024\nSubject: hi\n\nb", 1, "b"),
            ("Subject: hi\n there\nnot a field\nTo: a@b\n\nb", 2, "b"),
            ("\n\nSubject: hi\n\nb", 1, "b"),
            ("\u{feff}Subject: hi\n\nb", 1, "b"),
            ("hello world\n\nb", 0, "b"),
        ] {
            let (found, rest) = split(text.as_bytes());
            assert_eq!((found.fields.len(), std::str::from_utf8(rest).unwrap()), (fields, body), "{text:?}");
        }
    }

    #[test]
    fn subjects_are_decoded() {
        let subject = |raw: &[u8]| {
            let all = [b"Subject: ", raw].concat();
            split(&all).0.text("subject", 200).unwrap()
        };
        for (raw, expected) in [
            (&b"hi"[..], "hi"),
            (b"a\r\n b\0c", "a bc"),
            (b"caf\xe9 \x80", "café €"),
            ("schön".as_bytes(), "schön"),
            (b"=?utf-8?B?w6k=?= =?utf-8?B?w6k=?=", "éé"),
            // one character over two words
            (b"=?utf-8?B?w6nD?= =?utf-8?B?qQ==?= x", "éé x"),
            (b"=?UTF-8?Q?=E4=BD?=\r\n =?UTF-8?Q?=A0=E5=A5=BD?=", "你好"),
            (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?= =?iso-2022-jp?B?GyRCOGwbKEI=?=", "日本語"),
            (b"=?utf-8?Q?broken", "=?utf-8?Q?broken"),
            (b"=?nonsense?Q?a=20b?=", "a b"),
            (b"Re: =?windows-1252?Q?na=EFve?= plan", "Re: naïve plan"),
        ] {
            assert_eq!(subject(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn mailboxes_are_found() {
        for (value, expected) in [
            ("Ada <ada@example.org>", "1: Ada <ada@example.org>"),
            ("<a@b.example> <c@d.example>", "2: a@b.example | c@d.example"),
            ("\"Abel, Ada\" <ada@example.org>, bob@x.example", "2: Abel, Ada <ada@example.org> | bob@x.example"),
            ("team: a@b.example, C <c@d.example>;", "2: a@b.example | C <c@d.example>"),
            ("undisclosed-recipients:;", "0: "),
            ("Just A Name", "0: "),
            ("ada@example.org (Ada Abel)", "1: Ada Abel <ada@example.org>"),
            ("=?utf-8?Q?=C3=89va=2C_K?= <eva@x.example>", "1: Éva, K <eva@x.example>"),
            ("a@b@c.example", "0: "),
            ("Ada\r\n\tAbel <ada@example.org>", "1: Ada Abel <ada@example.org>"),
            ("<>", "0: "),
        ] {
            assert_eq!(from(value), expected, "{value:?}");
        }
    }

    #[test]
    fn recipients_are_counted_beyond_what_is_kept() {
        let many: Vec<String> = (0..3_000).map(|n| format!("p{n}@example.org")).collect();
        let text = format!("To: {}\n\n", many.join(", "));
        let (kept, count) = block(&text).addresses("to");
        assert_eq!(kept.len(), limits::RECIPIENTS);
        // An address that the cut went through is lost.
        assert!((2_999..=3_000).contains(&count), "{count}");
    }

    #[test]
    fn ids_are_found() {
        let found = |t: &str| ids(t).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        for (text, expected) in [
            ("<a@b>", "a@b"),
            ("<abc def@x>", "abcdef@x"),
            ("Your message of Monday <a@b> (x)", "a@b"),
            ("<a@b>\t<c@d>", "a@b c@d"),
            ("a@b c@d", "a@b c@d"),
            ("12345", "12345"),
            ("", ""),
            ("<>", ""),
        ] {
            assert_eq!(found(text), expected, "{text:?}");
        }
    }

    #[test]
    fn ids_of_evidence_do_not_depend_on_folding() {
        let a = block("References: <a@b>\r\n\t<c@d>\r\n").raw_unfolded("references");
        assert_eq!(a, block("references:<a@b>   <c@d>").raw_unfolded("references"));
    }

    #[test]
    fn parameters_are_read() {
        let p = block("Content-Type: Text/Plain; charset=\"utf-8\";\r\n name*=utf-8''caf%C3%A9.txt")
            .parameters("content-type")
            .unwrap();
        assert_eq!(
            (p.value.as_str(), p.get("charset"), p.get("name")),
            ("text/plain", Some("utf-8"), Some("café.txt"))
        );
    }
}
