//! Mailboxes of the mbox family (RFC 4155), message by message. Part of `read`.
//!
//! Invariant: at most one message of [`limits::MESSAGE_BYTES`] and one piece of a line are held,
//! however long the file, its messages or its lines are.

use std::io::{self, BufRead};

use crate::limits;

/// The messages of an mbox (mboxrd or mboxo), each without its `From ` line and with `>From ` lines
/// unescaped, cut at [`limits::MESSAGE_BYTES`]. An error of the reader is the last item.
pub fn messages<R: BufRead>(reader: R) -> Messages<R> {
    Messages { reader, state: State::Before, blank: true }
}

/// Iterator over the messages of an mbox.
#[derive(Debug)]
pub struct Messages<R> {
    reader: R,
    state: State,
    /// The last line was empty, or there was none.
    blank: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// No `From ` line was seen.
    Before,
    /// A `From ` line was read; its message comes next.
    Inside,
    /// Nothing more comes.
    Done,
}

impl<R: BufRead> Iterator for Messages<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        if self.state == State::Done {
            return None;
        }
        let mut message = Vec::new();
        loop {
            let mut line = Vec::new();
            let whole = match self.line(&mut line) {
                Ok(whole) => whole,
                Err(e) => {
                    self.state = State::Done;
                    return Some(Err(e));
                }
            };
            let Some(whole) = whole else {
                let inside = self.state == State::Inside;
                self.state = State::Done;
                return (inside && !message.is_empty()).then_some(Ok(message));
            };
            if self.blank && line.starts_with(b"From ") {
                self.blank = false;
                self.skip_rest(whole);
                let ended = std::mem::replace(&mut self.state, State::Inside) == State::Inside;
                if ended {
                    trim_last_line_end(&mut message);
                    return Some(Ok(message));
                }
                continue;
            }
            self.blank = line.iter().all(|b| matches!(b, b'\r' | b'\n'));
            if self.state == State::Inside {
                append(&mut message, unescape(&line));
                if !whole && let Err(e) = self.copy_rest(&mut message) {
                    self.state = State::Done;
                    return Some(Err(e));
                }
            } else {
                self.skip_rest(whole);
            }
        }
    }
}

impl<R: BufRead> Messages<R> {
    /// Reads a line, at most [`limits::LINE_BYTES`] of it. `None` at the end, else whether it is whole.
    fn line(&mut self, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
        loop {
            let (used, ended) = {
                let buffer = match self.reader.fill_buf() {
                    Ok(buffer) => buffer,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(e) => return Err(e),
                };
                if buffer.is_empty() {
                    return Ok((!line.is_empty()).then_some(true));
                }
                let left = limits::LINE_BYTES.saturating_sub(line.len());
                let piece = buffer.get(..left).unwrap_or(buffer);
                let end = piece.iter().position(|b| *b == b'\n').map_or(piece.len(), |n| n + 1);
                let piece = piece.get(..end).unwrap_or(piece);
                line.extend_from_slice(piece);
                (piece.len(), piece.ends_with(b"\n"))
            };
            self.reader.consume(used);
            if ended {
                return Ok(Some(true));
            }
            if line.len() >= limits::LINE_BYTES {
                return Ok(Some(false));
            }
        }
    }

    /// Copies the rest of an overlong line.
    fn copy_rest(&mut self, message: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let mut piece = Vec::new();
            let whole = self.line(&mut piece)?;
            append(message, &piece);
            if whole != Some(false) {
                return Ok(());
            }
        }
    }

    /// Passes over the rest of an overlong line; an error shows again at the next reading.
    fn skip_rest(&mut self, whole: bool) {
        let mut piece = Vec::new();
        let mut whole = Some(whole);
        while whole == Some(false) {
            piece.clear();
            whole = self.line(&mut piece).unwrap_or(None);
        }
    }
}

fn append(message: &mut Vec<u8>, line: &[u8]) {
    let left = limits::MESSAGE_BYTES.saturating_sub(message.len());
    message.extend_from_slice(line.get(..left).unwrap_or(line));
}

/// `>From ` and `>>From ` lose one `>` (mboxrd).
fn unescape(line: &[u8]) -> &[u8] {
    let arrows = line.iter().take_while(|b| **b == b'>').count();
    let escaped = arrows > 0 && line.get(arrows..).is_some_and(|l| l.starts_with(b"From "));
    if escaped { line.get(1..).unwrap_or(line) } else { line }
}

/// The empty line before a `From ` line belongs to the mbox, not to the message.
fn trim_last_line_end(message: &mut Vec<u8>) {
    for end in [&b"\r\n"[..], b"\n"] {
        if message.ends_with(end) {
            message.truncate(message.len() - end.len());
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn split(text: &[u8]) -> Vec<String> {
        messages(io::BufReader::with_capacity(7, text))
            .map(|m| String::from_utf8_lossy(&m.unwrap()).into_owned())
            .collect()
    }

    #[test]
    fn messages_are_split() {
        let text = b"From a@b Mon Jan  1 00:00:00 2024\nSubject: 1\n\n>From here\n>>From there\nFrom nowhere\n\nFrom c@d Tue\nSubject: 2\n\nend";
        assert_eq!(split(text), ["Subject: 1\n\nFrom here\n>From there\nFrom nowhere\n", "Subject: 2\n\nend"]);
    }

    #[test]
    fn odd_files() {
        for (text, expected) in [
            (&b""[..], vec![]),
            (b"no mbox\nat all\n", vec![]),
            (b"\n\nFrom a\nSubject: x\n", vec!["Subject: x\n"]),
            (
                b"From a\r\nSubject: x\r\n\r\nbody\r\n\r\nFrom b\r\nSubject: y\r\n",
                vec!["Subject: x\r\n\r\nbody\r\n", "Subject: y\r\n"],
            ),
            (b"From a\n", vec![]),
        ] {
            assert_eq!(split(text), expected, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn long_messages_are_cut_and_the_next_one_is_found() {
        let mut text = b"From a\nSubject: x\n\n".to_vec();
        text.extend(std::iter::repeat_n(b'y', 3 * limits::MESSAGE_BYTES));
        text.extend_from_slice(b"\n\nFrom b\nSubject: z\n\nend");
        let found: Vec<Vec<u8>> = messages(&text[..]).map(Result::unwrap).collect();
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [limits::MESSAGE_BYTES, 15]);
    }
}
