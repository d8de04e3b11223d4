//! The limiting reader under async-imap. Part of `imap`.
//!
//! Invariant: async-imap reads one checked response at a time (see [`check`](super::check)), and no
//! server can make more of it be held than [`limits::IMAP_ANSWER_BYTES`], nor keep it waiting in
//! silence. Writes pass through.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::Transport;
use super::check::{Bad, Kind, Lines, Passed, shown};
use crate::limits;

/// A stream whose read side is checked.
pub(super) struct Wire<S> {
    inner: S,
    /// Longest silence.
    quiet: Duration,
    /// Runs while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
    /// Read and not handed out: `start..end`.
    raw: Vec<u8>,
    start: usize,
    end: usize,
    /// The response at `start`, as far as it is known.
    seen: Seen,
    /// What is being handed out.
    out: Out,
    /// Bytes of a SEARCH that was cut.
    search: usize,
}

#[derive(Default)]
struct Seen {
    kind: Option<Kind>,
    lines: Lines,
    /// Where its current line begins, and how far its end was looked for; from `start`.
    line: usize,
    scanned: usize,
}

enum Out {
    Nothing,
    /// `start` up to here.
    Raw(usize),
    Own(io::Cursor<Vec<u8>>),
}

/// How a response lies in the buffer.
enum Framed {
    Partly,
    Whole(usize),
    /// So much of a SEARCH, up to a blank.
    Search(usize),
}

impl<S: Transport> Wire<S> {
    /// Nothing is read yet.
    pub(super) fn new(inner: S) -> Wire<S> {
        Wire {
            inner,
            quiet: Duration::from_secs(limits::IMAP_QUIET_SECS),
            silence: None,
            raw: vec![0; limits::IMAP_READ_BYTES],
            start: 0,
            end: 0,
            seen: Seen::default(),
            out: Out::Nothing,
            search: 0,
        }
    }

    /// The longest silence that is put up with from now on.
    pub(super) fn put_up_with(&mut self, quiet: Duration) {
        self.quiet = quiet;
        self.silence = None;
    }

    /// Hands out what is ready; did it?
    fn hand(&mut self, out: &mut ReadBuf<'_>) -> bool {
        match &mut self.out {
            Out::Nothing => return false,
            Out::Raw(end) => {
                let size = (*end - self.start).min(out.remaining());
                out.put_slice(self.raw.get(self.start..self.start + size).unwrap_or_default());
                self.start += size;
                if self.start < *end {
                    return true;
                }
            }
            Out::Own(bytes) => {
                let at = usize::try_from(bytes.position()).unwrap_or(usize::MAX);
                let rest = bytes.get_ref().get(at..).unwrap_or_default();
                let size = rest.len().min(out.remaining());
                out.put_slice(rest.get(..size).unwrap_or_default());
                let more = size < rest.len();
                bytes.set_position(bytes.position() + u64::try_from(size).unwrap_or(u64::MAX));
                if more {
                    return true;
                }
            }
        }
        self.out = Out::Nothing;
        true
    }

    /// Makes the next response ready, if it is there; did it change anything?
    fn prepare(&mut self) -> Result<bool, Bad> {
        match self.frame()? {
            Framed::Partly => return Ok(false),
            Framed::Search(size) => {
                let mut part = self.raw.get(self.start..self.start + size).unwrap_or_default().to_vec();
                part.extend_from_slice(b"\r\n");
                // the rest becomes a SEARCH of its own
                self.start += size - SEARCH.len();
                if let Some(word) = self.raw.get_mut(self.start..self.start + SEARCH.len()) {
                    word.copy_from_slice(SEARCH);
                }
                self.search += size;
                if self.search > limits::IMAP_ANSWER_BYTES {
                    return Err(Bad::Answer);
                }
                self.out = Out::Own(io::Cursor::new(part));
                self.seen.scanned = self.seen.scanned.saturating_sub(size - SEARCH.len());
                return Ok(true);
            }
            Framed::Whole(size) => {
                let seen = std::mem::take(&mut self.seen);
                let end = self.start + size;
                let response = self.raw.get(self.start..end).unwrap_or_default();
                let kind = seen.kind.unwrap_or(Kind::Other);
                match seen.lines.end(kind, response)? {
                    Passed::AsItIs => self.out = Out::Raw(end),
                    Passed::Mended(mended) => {
                        tracing::debug!(?kind, "an answer was mended");
                        self.out = Out::Own(io::Cursor::new(mended));
                        self.start = end;
                    }
                    Passed::Dropped => {
                        if kind == Kind::Data {
                            tracing::warn!(bytes = response.len(), "left out an answer that is no IMAP");
                            tracing::debug!("left out: {}", shown(response));
                        }
                        self.start = end;
                    }
                }
                self.search = 0;
            }
        }
        Ok(true)
    }

    /// Looks for the end of the response at `start`.
    fn frame(&mut self) -> Result<Framed, Bad> {
        let have = self.raw.get_mut(self.start..self.end).unwrap_or_default();
        let seen = &mut self.seen;
        loop {
            let unseen = have.get(seen.scanned..).unwrap_or_default();
            let found = unseen.iter().position(|b| *b == b'\n').map(|at| seen.scanned + at + 1);
            let line_end = found.unwrap_or(have.len());
            if line_end.saturating_sub(seen.line) > limits::IMAP_LINE_BYTES {
                return search(have, seen.line).ok_or(Bad::Line);
            }
            if line_end > limits::IMAP_ANSWER_BYTES {
                return Err(Bad::Answer);
            }
            if found.is_none() {
                // a literal may reach beyond what is there
                seen.scanned = seen.scanned.max(have.len());
                return Ok(Framed::Partly);
            }
            let line = have.get_mut(seen.line..line_end).unwrap_or_default();
            if *seen.kind.get_or_insert_with(|| Kind::of(line)) == Kind::Status {
                return Ok(Framed::Whole(line_end));
            }
            let Some(literal) = seen.lines.next(line)? else { return Ok(Framed::Whole(line_end)) };
            seen.line = line_end + literal;
            seen.scanned = seen.line;
            if seen.line > limits::IMAP_ANSWER_BYTES {
                return Err(Bad::Answer);
            }
        }
    }

    /// Reads more; how much?
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.make_room();
        let mut free = ReadBuf::new(self.raw.get_mut(self.end..).unwrap_or_default());
        match Pin::new(&mut self.inner).poll_read(cx, &mut free) {
            Poll::Ready(result) => {
                let size = free.filled().len();
                self.end += size;
                self.silence = None;
                Poll::Ready(result.map(|()| size))
            }
            Poll::Pending => {
                let quiet = self.quiet;
                let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(quiet)));
                ready!(silence.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// Free space at the end of the buffer, as much again as it holds of a large response, and no
    /// more than needed after one.
    fn make_room(&mut self) {
        let held = self.end - self.start;
        if self.start > 0 && (held == 0 || self.raw.len() - self.end < limits::IMAP_READ_BYTES / 4) {
            self.raw.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, held);
        }
        if held == 0 && self.raw.len() > limits::IMAP_READ_BYTES {
            self.raw = vec![0; limits::IMAP_READ_BYTES];
        }
        if self.raw.len() - self.end < limits::IMAP_READ_BYTES / 4 {
            self.raw.resize(2 * self.raw.len(), 0);
        }
    }
}

const SEARCH: &[u8] = b"* SEARCH";

/// Where an endless SEARCH may be cut.
fn search(have: &[u8], line: usize) -> Option<Framed> {
    let within = have.get(..limits::IMAP_LINE_BYTES)?;
    if line > 0 || !within.get(..SEARCH.len())?.eq_ignore_ascii_case(SEARCH) {
        return None;
    }
    within.iter().rposition(|b| *b == b' ').filter(|blank| *blank > SEARCH.len()).map(Framed::Search)
}

impl<S: Transport> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.hand(out) {
                return Poll::Ready(Ok(()));
            }
            if this.prepare().map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))? {
                continue;
            }
            if ready!(this.fill(cx))? == 0 {
                let whole = this.start == this.end;
                return Poll::Ready(if whole { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) });
            }
        }
    }
}

impl<S: Transport> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_is_held_is_one_answer() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        let message = |size: usize| format!("* 1 FETCH (UID 1 BODY[] {{{size}}}\r\n{})\r\n", "x".repeat(size));
        let (small, large) = (message(2_600), message(limits::IMAP_LITERAL_BYTES));
        let server = tokio::spawn(async move {
            for _ in 0..2_000 {
                theirs.write_all(small.as_bytes()).await.unwrap();
            }
            theirs.write_all(large.as_bytes()).await.unwrap();
            theirs.write_all(small.as_bytes()).await.unwrap();
            2_001 * small.len() + large.len()
        });
        let mut wire = Wire::new(ours);
        let (mut most, mut size) = (0, 0);
        let mut buffer = vec![0; 4096];
        loop {
            let read = wire.read(&mut buffer).await.unwrap();
            if read == 0 {
                break;
            }
            size += read;
            let bound = if size < 2_000 * 2_600 { limits::IMAP_READ_BYTES } else { limits::IMAP_ANSWER_BYTES };
            assert!(wire.raw.len() <= bound, "{} after {size}", wire.raw.len());
            most = most.max(wire.raw.len());
        }
        assert_eq!(size, server.await.unwrap());
        assert!(most > limits::IMAP_LITERAL_BYTES && wire.raw.len() == limits::IMAP_READ_BYTES);
    }
}
