//! The MIME tree of a message (RFC 2045, 2046), walked without decoding what nobody reads. Part of `read::mail`.
//!
//! Invariant: every part is looked at once for each multipart around it, never more than
//! [`limits::MIME_PARTS`] parts nor [`limits::MIME_DEPTH`] levels; only text and calendar parts are decoded.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;

use super::fields::{self, Fields, Parameters};
use crate::address::clip;
use crate::limits;

/// What a message is made of.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    /// Inline `text/plain`, in order.
    pub plain: Vec<Leaf<'a>>,
    /// Inline `text/html`, in order.
    pub html: Vec<Leaf<'a>>,
    /// Some HTML stands for itself and is not another form of the plain text.
    pub html_alone: bool,
    /// That HTML came before any plain text.
    pub html_first: bool,
    /// `text/calendar` and files named `.ics`.
    pub calendars: Vec<Leaf<'a>>,
    /// `message/delivery-status` (RFC 3464).
    pub delivery_status: Vec<Leaf<'a>>,
    /// The returned message or its headers inside a report (RFC 6522).
    pub returned: Option<Leaf<'a>>,
    /// A file is attached: no inline picture, no signature, no calendar part.
    pub attachment: bool,
    /// Parts were left out because there were too many, or they lay too deep.
    pub cut: bool,
    seen: usize,
}

/// A part without parts.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// `Content-Type` with its parameters.
    pub content_type: Parameters,
    encoding: Encoding,
    raw: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

/// What a part inherits from the multiparts around it.
#[derive(Clone, Copy, Default)]
struct Around {
    depth: usize,
    digest: bool,
    alternative: bool,
    related: bool,
    report: bool,
    /// Inside anything at all; a lone text part with a name is the message's text.
    multipart: bool,
}

/// Walks the parts of a message whose header block and body are given.
pub fn walk<'a>(fields: &Fields<'a>, body: &'a [u8]) -> Parts<'a> {
    let mut parts = Parts::default();
    parts.take(fields, body, Around::default());
    parts
}

impl<'a> Parts<'a> {
    fn take(&mut self, fields: &Fields<'a>, body: &'a [u8], around: Around) {
        if self.seen >= limits::MIME_PARTS || around.depth > limits::MIME_DEPTH {
            self.cut = true;
            return;
        }
        self.seen += 1;
        let content_type = fields.parameters("content-type").filter(|t| !t.value.is_empty());
        let default = if around.digest { "message/rfc822" } else { "text/plain" };
        let content_type =
            content_type.unwrap_or_else(|| Parameters { value: default.to_string(), parameters: Vec::new() });
        let boundary = content_type.get("boundary").filter(|b| !b.is_empty());
        if let (Some(subtype), Some(boundary)) = (content_type.value.strip_prefix("multipart/"), boundary) {
            let inside = Around {
                depth: around.depth + 1,
                digest: subtype == "digest",
                alternative: subtype == "alternative" || around.alternative,
                related: subtype == "related" || around.related && subtype != "mixed",
                report: subtype == "report" || around.report,
                multipart: true,
            };
            let mut any = false;
            for piece in Pieces::new(body, boundary) {
                any = true;
                let (fields, body) = part(piece);
                self.take(&fields, body, inside);
                if self.cut {
                    return;
                }
            }
            if any {
                return;
            }
        }
        self.take_leaf(content_type, fields, body, around);
    }

    fn take_leaf(&mut self, content_type: Parameters, fields: &Fields<'a>, raw: &'a [u8], around: Around) {
        let disposition = fields.parameters("content-disposition").unwrap_or_default();
        let name = disposition.get("filename").or_else(|| content_type.get("name")).map(str::to_lowercase);
        let name = name.filter(|n| !n.is_empty());
        let attached = disposition.value == "attachment" || name.is_some();
        let leaf = Leaf { encoding: Encoding::of(fields), content_type, raw };
        match leaf.content_type.value.as_str() {
            "text/calendar" => self.calendars.push(leaf),
            _ if name.as_deref().is_some_and(|n| n.ends_with(".ics") || n.ends_with(".ical")) => {
                self.calendars.push(leaf);
            }
            "message/delivery-status" | "message/global-delivery-status" => self.delivery_status.push(leaf),
            "message/rfc822" | "text/rfc822-headers" | "message/global" | "message/global-headers" if around.report => {
                self.returned.get_or_insert(leaf);
            }
            "text/html" if !attached || !around.multipart => {
                self.html_first |= self.html.is_empty() && self.plain.is_empty();
                self.html_alone |= !around.alternative;
                self.html.push(leaf);
            }
            "text/plain" | "text/enriched" | "text" if !attached || !around.multipart => self.plain.push(leaf),
            // A multipart without a boundary or without parts, or a type nobody has heard of: its text is all there is.
            t if t.starts_with("multipart/") || (!around.multipart && !t.contains('/')) => self.plain.push(leaf),
            t => self.attachment |= is_file(t, &disposition.value, name.is_some(), fields.has("content-id"), around),
        }
    }

    /// Text of the plain parts, or `None` where there are none.
    pub fn plain_text(&self) -> Option<String> {
        (!self.plain.is_empty()).then(|| join(&self.plain, limits::TEXT_BYTES))
    }

    /// Source of the HTML parts, or `None` where there are none.
    pub fn html_source(&self) -> Option<String> {
        (!self.html.is_empty()).then(|| join(&self.html, limits::HTML_BYTES))
    }
}

fn join(leaves: &[Leaf<'_>], bytes: usize) -> String {
    let mut all = String::new();
    for leaf in leaves {
        if !all.is_empty() && !all.ends_with('\n') {
            all.push('\n');
        }
        let left = bytes.saturating_sub(all.len());
        if left == 0 {
            break;
        }
        let text = leaf.text(left);
        all.push_str(clip(&text, left));
    }
    all
}

/// Is a part that is no text a file somebody attached?
fn is_file(content_type: &str, disposition: &str, named: bool, has_id: bool, around: Around) -> bool {
    let machinery = [
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/pgp-signature",
        "application/pgp-encrypted",
        "application/pgp-keys",
        "text/x-amp-html",
        "text/watch-html",
        "message/disposition-notification",
    ];
    if machinery.contains(&content_type) || around.report {
        return false;
    }
    if content_type.starts_with("image/") {
        // Outlook and Gmail show pictures of the text by Content-ID; a phone sends photos inline.
        let shown = around.related || (has_id && disposition != "attachment");
        return !shown && (named || disposition == "attachment" || around.multipart);
    }
    disposition == "attachment" || named || content_type == "message/rfc822" || content_type == "application/ms-tnef"
}

/// Header block and body of a part. A part may have no fields at all, and then begins with a blank line.
fn part(piece: &[u8]) -> (Fields<'_>, &[u8]) {
    match piece.strip_prefix(b"\r\n").or_else(|| piece.strip_prefix(b"\n")) {
        Some(body) => (Fields::default(), body),
        None => match fields::split(piece) {
            (fields, _) if fields.is_empty() => (fields, piece),
            split => split,
        },
    }
}

/// The pieces between the boundary lines (RFC 2046 5.1.1). The last one may lack its end.
struct Pieces<'a> {
    rest: &'a [u8],
    boundary: Vec<u8>,
    open: bool,
}

impl<'a> Pieces<'a> {
    fn new(body: &'a [u8], boundary: &str) -> Pieces<'a> {
        Pieces { rest: body, boundary: format!("--{}", boundary.trim_end()).into_bytes(), open: false }
    }

    /// What lies before the next boundary line, and whether that line ends the multipart.
    fn until_boundary(&mut self) -> Option<(&'a [u8], bool)> {
        let body = self.rest;
        let mut from = 0;
        while let Some(rest) = body.get(from..).filter(|r| !r.is_empty()) {
            let len = fields::line_len(rest);
            let line = rest.get(..len).unwrap_or(rest);
            if let Some(tail) = line.strip_prefix(self.boundary.as_slice()) {
                let tail = tail.trim_ascii_end();
                if tail.is_empty() || tail == b"--" {
                    self.rest = rest.get(len..).unwrap_or_default();
                    let piece = body.get(..from).unwrap_or_default();
                    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
                    return Some((piece.strip_suffix(b"\r").unwrap_or(piece), tail == b"--"));
                }
            }
            from += len;
        }
        None
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if !self.open {
            let (_, last) = self.until_boundary()?;
            self.open = !last;
            if last {
                return None;
            }
        }
        match self.until_boundary() {
            Some((piece, last)) => {
                if last {
                    self.rest = &[];
                }
                Some(piece)
            }
            None if self.rest.is_empty() => None,
            None => Some(std::mem::take(&mut self.rest)),
        }
    }
}

impl Encoding {
    fn of(fields: &Fields<'_>) -> Encoding {
        let word = fields.token("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase();
        let word = word.trim_matches(|c: char| c == '"' || c == ';' || c.is_whitespace());
        match word {
            "base64" => Encoding::Base64,
            "quoted-printable" | "quoted printable" => Encoding::QuotedPrintable,
            _ => Encoding::None,
        }
    }
}

impl<'a> Leaf<'a> {
    /// The decoded bytes; of an encoded part at most about `bytes` of them.
    pub fn bytes(&self, bytes: usize) -> Cow<'a, [u8]> {
        // An encoded byte takes at most three, line ends aside.
        let raw = self.raw.get(..bytes.saturating_mul(4)).unwrap_or(self.raw);
        match self.encoding {
            Encoding::None => Cow::Borrowed(self.raw.get(..bytes).unwrap_or(self.raw)),
            Encoding::Base64 => Cow::Owned(base64(raw)),
            Encoding::QuotedPrintable => Cow::Owned(quoted_printable(raw)),
        }
    }

    /// The decoded text, at most about `bytes` long, soft line ends of `format=flowed` undone.
    fn text(&self, bytes: usize) -> String {
        let raw = self.bytes(bytes);
        let charset = self.content_type.get("charset").unwrap_or_default().trim_matches(['"', '\'', ' ']);
        let text = to_text(&raw, charset);
        let flowed = self.content_type.get("format").is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
        if flowed {
            let delete = self.content_type.get("delsp").is_some_and(|d| d.eq_ignore_ascii_case("yes"));
            return unflow(&text, delete);
        }
        text.into_owned()
    }
}

fn to_text<'a>(raw: &'a [u8], charset: &str) -> Cow<'a, str> {
    let plain = ["", "us-ascii", "ascii", "utf-8", "utf8", "iso-8859-1", "latin1", "windows-1252"];
    if plain.iter().any(|p| p.eq_ignore_ascii_case(charset)) {
        // Many say Latin-1 or ASCII and send UTF-8, hardly any the other way round.
        return match std::str::from_utf8(raw) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) if charset.to_ascii_lowercase().starts_with("utf") => String::from_utf8_lossy(raw),
            Err(e) if e.error_len().is_none() && e.valid_up_to() > 0 && charset.is_empty() => {
                String::from_utf8_lossy(raw)
            }
            Err(_) => Cow::Owned(fields::windows_1252(raw)),
        };
    }
    match charset_decoder(charset.as_bytes()) {
        Some(decode) => Cow::Owned(decode(raw)),
        None => fields::decode_raw(raw),
    }
}

/// Base64 that passes over what does not belong there.
pub fn base64(raw: &[u8]) -> Vec<u8> {
    let clean = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    base64_decode(&raw.iter().filter(clean).copied().collect::<Vec<u8>>()).unwrap_or_default()
}

/// Quoted-printable (RFC 2045 6.7) that keeps what is no escape as it stands.
pub fn quoted_printable(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'=' {
            out.push(*byte);
            continue;
        }
        if let [b'\r', b'\n', tail @ ..] | [b'\n', tail @ ..] = after {
            rest = tail;
        } else if let [high, low, tail @ ..] = after
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high << 4 | low);
            rest = tail;
        } else {
            let line = after.get(..fields::line_len(after)).unwrap_or(after);
            if line.ends_with(b"\n") && line.trim_ascii().is_empty() {
                rest = after.get(line.len()..).unwrap_or_default();
            } else {
                out.push(b'=');
            }
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Joins the lines of `format=flowed` (RFC 3676 4.1): one that ends in a blank goes on in the next
/// of the same quote depth.
fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let content = line.get(depth..).unwrap_or_default();
        let content = content.strip_prefix(' ').unwrap_or(content);
        if open == Some(depth) && content != "-- " {
            out.push_str(content);
        } else {
            if open.is_some() {
                out.push('\n');
            }
            out.push_str(line.get(..depth).unwrap_or_default());
            if depth > 0 {
                out.push(' ');
            }
            out.push_str(content);
        }
        if content.ends_with(' ') && content != "-- " {
            open = Some(depth);
            if delete_space {
                out.pop();
            }
        } else {
            open = None;
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> (String, String, bool, usize, bool) {
        let (fields, body) = fields::split(text.as_bytes());
        let parts = walk(&fields, body);
        let trim = |t: Option<String>| t.unwrap_or_default().trim().to_string();
        (trim(parts.plain_text()), trim(parts.html_source()), parts.attachment, parts.calendars.len(), parts.cut)
    }

    #[test]
    fn texts_are_decoded() {
        for (header, body, expected) in [
            ("", "hello", "hello"),
            ("Content-Transfer-Encoding: quoted-printable\n", "caf=C3=A9 =\nend =3D = odd =ZZ", "café end = = odd =ZZ"),
            ("Content-Transfer-Encoding: base64\n", "aGVs\nbG8*=\n", "hello"),
            ("Content-Transfer-Encoding: base64\n", "aGVsbG8gd29ybG", "hello worl"),
            ("Content-Type: text/plain; charset=iso-2022-jp\n", "\u{1b}$BF|K\\\u{1b}(B", "日本"),
            ("Content-Type: text/plain; format=flowed\n", "one \ntwo\n> a \n> b\n-- \nsig", "one two\n> a b\n-- \nsig"),
            ("Content-Type: text/plain; charset=nonsense\n", "hello", "hello"),
            ("Content-Type: multipart/mixed\n", "no boundary", "no boundary"),
            ("Content-Type: multipart/mixed; boundary=x\n", "never opened", "never opened"),
            ("Content-Type: nonsense\n", "hello", "hello"),
        ] {
            assert_eq!(read(&format!("Subject: x\n{header}\n{body}")).0, expected, "{header}");
        }
    }

    #[test]
    fn parts_fall_into_place() {
        let mail = |kind: &str, parts: &[&str]| {
            let body: String = parts.iter().map(|p| format!("--b\r\n{p}\r\n")).collect();
            read(&format!("Content-Type: multipart/{kind}; boundary=\"b\"\r\n\r\npreamble\r\n{body}--b--\r\nepilogue"))
        };
        let text = "Content-Type: text/plain\r\n\r\nhello";
        for (kind, other, attachment, calendars) in [
            ("alternative", "Content-Type: text/html\r\n\r\n<p>hello", false, 0),
            ("mixed", "Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\nx", true, 0),
            ("mixed", "Content-Type: text/plain; name=log.txt\r\nContent-Disposition: attachment\r\n\r\nx", true, 0),
            ("mixed", "Content-Type: image/png\r\nContent-ID: <a>\r\nContent-Disposition: inline\r\n\r\nx", false, 0),
            ("related", "Content-Type: image/png; name=a.png\r\nContent-ID: <a>\r\n\r\nx", false, 0),
            (
                "mixed",
                "Content-Type: image/jpeg; name=IMG_1.jpeg\r\nContent-Disposition: inline; filename=IMG_1.jpeg\r\n\r\nx",
                true,
                0,
            ),
            ("signed", "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nx", false, 0),
            ("signed", "Content-Type: application/pgp-signature; name=signature.asc\r\n\r\nx", false, 0),
            ("mixed", "Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx", true, 0),
            ("alternative", "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR", false, 1),
            ("mixed", "Content-Type: application/octet-stream; name=Invite.ICS\r\n\r\nx", false, 1),
            ("mixed", "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx", true, 0),
        ] {
            let (plain, _, files, invitations, cut) = mail(kind, &[text, other]);
            assert_eq!((plain.as_str(), files, invitations, cut), ("hello", attachment, calendars, false), "{other}");
        }
    }

    #[test]
    fn boundaries_that_resemble_each_other_are_told_apart() {
        let text = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b1\n\n\
                    --b1\n\none\n--b1\nContent-Type: text/html\n\n<i>two</i>\n--b1--\n--b\n\nthree\n--b--\n";
        assert_eq!(read(text), ("one\nthree".into(), "<i>two</i>".into(), false, 0, false));
    }

    #[test]
    fn bombs_are_cut() {
        let many = format!("Content-Type: multipart/mixed; boundary=a\n\n{}", "--a\nx:y\n\n".repeat(100_000));
        assert!(read(&many).4);
        let mut deep = String::new();
        for n in 0..5_000 {
            deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"));
        }
        assert!(read(&deep).4);
        let nested = "Content-Type: message/rfc822\n\n".repeat(50_000);
        assert!(!read(&nested).4);
    }
}
