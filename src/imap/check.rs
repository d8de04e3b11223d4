//! What an answer must look like before anything else reads it. Part of `imap`.
//!
//! Invariant: what passes was parsed once, whole and without a panic, by the parser that reads it
//! next, and that parser takes as literals what was taken as literals here; what does not pass is
//! mended where it matters, dropped where it does not, or ends the connection.
//!
//! imap-proto 0.17 panics on a text that begins right after a response code with a character beyond
//! ASCII, on INTERNALDATE NIL and on METADATA; overflows the stack on a nested BODYSTRUCTURE; reads
//! on within a literal where an attribute it does not know holds one; and takes one answer that it
//! does not know for the end of the connection (2026-11).

use std::ops::Range;

use async_imap::imap_proto::Response;

use crate::limits;

/// What a response is, by its first line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Tagged, `+`, or an untagged OK, NO, BAD, PREAUTH or BYE: one line, whatever it looks like.
    Status,
    /// FETCH of the message with this number.
    Fetch(u32),
    /// CAPABILITY.
    Capability,
    /// SEARCH.
    Search,
    /// Another one that kithd reads: LIST, STATUS, EXISTS, EXPUNGE.
    Data,
    /// One that kithd never asks for.
    Other,
}

impl Kind {
    /// Of a first line.
    pub(super) fn of(line: &[u8]) -> Kind {
        let Some(rest) = line.strip_prefix(b"* ") else { return Kind::Status };
        let mut words = rest.split(|b| matches!(b, b' ' | b'\r' | b'\n'));
        let first = words.next().unwrap_or_default();
        let number = std::str::from_utf8(first).ok().and_then(|word| word.parse::<u32>().ok());
        let word = if number.is_some() { words.next().unwrap_or_default() } else { first };
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match number {
            Some(number) if is("FETCH") => Kind::Fetch(number),
            Some(_) if is("EXISTS") || is("EXPUNGE") => Kind::Data,
            Some(_) => Kind::Other,
            None if ["OK", "NO", "BAD", "PREAUTH", "BYE"].into_iter().any(is) => Kind::Status,
            None if is("CAPABILITY") => Kind::Capability,
            None if is("SEARCH") => Kind::Search,
            None if is("LIST") || is("STATUS") => Kind::Data,
            None => Kind::Other,
        }
    }
}

/// What the lines of one response have shown so far.
#[derive(Default)]
pub(super) struct Lines {
    uid: Option<u32>,
    /// There is a BODYSTRUCTURE, which nobody asked for.
    structure: bool,
    /// The lines, with [`TRAP`] for each literal; empty while there is none.
    skeleton: Vec<u8>,
}

/// Stands for a literal: whoever reads it as anything else stumbles over it.
const TRAP: &[u8; 2] = b")\0";

/// Why a connection is given up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Bad {
    /// An endless line.
    #[error("a line of more than {} bytes", limits::IMAP_LINE_BYTES)]
    Line,
    /// A literal that is announced too large.
    #[error("{0} bytes in one piece where a part was asked for")]
    Literal(u64),
    /// Too much in one answer.
    #[error("more than {} bytes in one answer", limits::IMAP_ANSWER_BYTES)]
    Answer,
    /// No IMAP, where it cannot be left out.
    #[error("something that is no IMAP: {0}")]
    Grammar(String),
}

impl Lines {
    /// Looks at one more line of a response that is no [`Kind::Status`], and says how long a literal
    /// follows. `INTERNALDATE NIL` is written over, in place.
    pub(super) fn next(&mut self, line: &mut [u8]) -> Result<Option<usize>, Bad> {
        let (mut quoted, mut escaped) = (false, false);
        let mut dates = Vec::new();
        let mut rest: &[u8] = line;
        let mut before = b' ';
        let mut at = 0;
        while let Some((byte, after)) = rest.split_first() {
            match byte {
                // wherever it stands: what is a string here may be none to the parser
                b'B' | b'b' if begins(rest, b"BODYSTRUCTURE (") => self.structure = true,
                _ if escaped => {}
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'I' | b'i' if begins(rest, b"INTERNALDATE NIL") => dates.push(at + b"INTERNALDATE ".len()),
                b'U' | b'u' if matches!(before, b' ' | b'(') && begins(rest, b"UID ") => {
                    self.uid = self.uid.or(number(rest.get(4..)));
                }
                _ => {}
            }
            escaped = quoted && !escaped && *byte == b'\\';
            (before, rest) = (*byte, after);
            at += 1;
        }
        for date in dates {
            if let Some(nil) = line.get_mut(date..date + 3) {
                nil.copy_from_slice(b"\" \"");
            }
        }
        let Some(digits) = announced(line) else {
            if !self.skeleton.is_empty() {
                self.skeleton.extend_from_slice(line);
            }
            return Ok(None);
        };
        self.skeleton.extend_from_slice(line.get(..digits.start).unwrap_or_default());
        self.skeleton.push(b'2');
        self.skeleton.extend_from_slice(line.get(digits.end..).unwrap_or_default());
        self.skeleton.extend_from_slice(TRAP);
        let length = line.get(digits).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let length: u64 = length.unwrap_or(u64::MAX);
        match usize::try_from(length) {
            Ok(length) if length <= limits::IMAP_LITERAL_BYTES => Ok(Some(length)),
            _ => Err(Bad::Literal(length)),
        }
    }

    /// A response that has come whole.
    pub(super) fn end(self, kind: Kind, response: &[u8]) -> Result<Passed, Bad> {
        let lines = if self.skeleton.is_empty() { response } else { &self.skeleton };
        match kind {
            Kind::Other => return Ok(Passed::Dropped),
            Kind::Status => {
                let mended = status(response);
                return match mended {
                    None if parses(response) => Ok(Passed::AsItIs),
                    Some(mended) if parses(&mended) => Ok(Passed::Mended(mended)),
                    _ if response.iter().all(|b| matches!(b, b'\r' | b'\n')) => Ok(Passed::Dropped),
                    _ => Err(Bad::Grammar(shown(response))),
                };
            }
            _ if !self.structure && parses(lines) => return Ok(Passed::AsItIs),
            _ => {}
        }
        let mended = match kind {
            Kind::Fetch(message) => match self.uid {
                Some(uid) => format!("* {message} FETCH (UID {uid})\r\n").into_bytes(),
                None => return Ok(Passed::Dropped),
            },
            Kind::Capability => capability(response),
            Kind::Search => return Err(Bad::Grammar(shown(response))),
            _ => return Ok(Passed::Dropped),
        };
        Ok(if parses(&mended) { Passed::Mended(mended) } else { Passed::Dropped })
    }
}

/// What becomes of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Passed {
    /// It goes through.
    AsItIs,
    /// This goes through in its place.
    Mended(Vec<u8>),
    /// Nothing does.
    Dropped,
}

fn begins(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn number(text: Option<&[u8]>) -> Option<u32> {
    let digits: Vec<u8> = text?.iter().copied().take_while(u8::is_ascii_digit).take(11).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Where the digits of `{42}` stand, if that ends a line; also of `{42+}` and `~{42}` (RFC 7888,
/// RFC 3516), which no server should send.
fn announced(line: &[u8]) -> Option<Range<usize>> {
    let inner = without_end(line).strip_suffix(b"}")?;
    let inner = inner.strip_suffix(b"+").unwrap_or(inner);
    let start = inner.iter().rposition(|b| !b.is_ascii_digit())? + 1;
    (start < inner.len() && inner.get(start - 1) == Some(&b'{')).then_some(start..inner.len())
}

/// A status line whose text the parser would stumble over, made harmless: control characters, a
/// code without the space after it, what looks like a literal but is text, a line feed alone.
fn status(line: &[u8]) -> Option<Vec<u8>> {
    let text = without_end(line);
    let glued = |pair: &[u8]| matches!(pair, [b']', after] if *after != b' ');
    let sound = !text.iter().any(u8::is_ascii_control) && !text.windows(2).any(glued) && announced(line).is_none();
    if text.is_empty() || (sound && line.ends_with(b"\r\n")) {
        return None;
    }
    let mut mended = Vec::with_capacity(line.len() + 8);
    let mut code = true;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        mended.push(if byte.is_ascii_control() { b' ' } else { byte });
        // only the first can end a code; a later one does harm before such a character alone
        let next = bytes.peek().copied().unwrap_or(b' ');
        if byte == b']' && (next >= 0x80 || (code && next != b' ')) {
            mended.push(b' ');
        }
        code = code && byte != b']';
    }
    if announced(&mended).is_some() {
        mended.push(b' ');
    }
    mended.extend_from_slice(b"\r\n");
    Some(mended)
}

/// CAPABILITY with doubled blanks, odd atoms, or without the IMAP4rev1 that the parser insists on.
fn capability(line: &[u8]) -> Vec<u8> {
    let odd = |b: &u8| !b.is_ascii_graphic() || b"(){%*\"\\]".contains(b);
    let words = without_end(line).split(|b| *b == b' ').skip(2);
    let mut mended = b"* CAPABILITY IMAP4rev1".to_vec();
    for word in words.filter(|word| !word.is_empty() && !word.iter().any(odd)) {
        mended.push(b' ');
        mended.extend_from_slice(word);
    }
    mended.extend_from_slice(b"\r\n");
    mended
}

/// Does it parse, to its last byte? A panic of the parser is a no.
fn parses(response: &[u8]) -> bool {
    let parse = || matches!(Response::parse(response), Ok((rest, _)) if rest.is_empty());
    std::panic::catch_unwind(parse).unwrap_or(false)
}

fn shown(response: &[u8]) -> String {
    let start = response.get(..response.len().min(4 * limits::SERVER_TEXT_BYTES)).unwrap_or_default();
    crate::address::safe_text(&String::from_utf8_lossy(start), limits::SERVER_TEXT_BYTES)
}
