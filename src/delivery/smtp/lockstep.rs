//! A stream on which a server may say one reply to each thing it is told (RFC 5321 4.2). Part of
//! `delivery::smtp`; lies under lettre, which believes whatever comes.
//!
//! Invariant: nothing beyond one reply of a bounded size is let through until something is written.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::limits;

/// The stream, and how much of the reply was seen.
pub(super) struct Lockstep<S> {
    inner: S,
    /// Of the line that is being read.
    line: Vec<u8>,
    /// Whole lines not yet handed on.
    ready: Vec<u8>,
    lines: usize,
    is_complete: bool,
}

impl<S> Lockstep<S> {
    /// A stream whose server greets first.
    pub(super) fn new(inner: S) -> Lockstep<S> {
        Lockstep { inner, line: Vec::new(), ready: Vec::new(), lines: 0, is_complete: false }
    }

    /// A stream whose server has greeted already, before STARTTLS; a greeting is made up for who
    /// waits for one.
    pub(super) fn greeted(inner: S) -> Lockstep<S> {
        Lockstep { ready: b"220 TLS\r\n".to_vec(), is_complete: true, ..Lockstep::new(inner) }
    }

    /// The stream itself. `None` where something was said and not read.
    pub(super) fn into_inner(self) -> Option<S> {
        (self.ready.is_empty() && self.line.is_empty()).then_some(self.inner)
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            if self.is_complete {
                return Err(odd("it speaks out of turn"));
            }
            match byte {
                b'\n' => self.end_line()?,
                _ if self.line.len() >= limits::SMTP_LINE_BYTES => return Err(odd("it sends a line without an end")),
                b'\t' | b'\r' | b' '..=b'~' => self.line.push(*byte),
                // text is for people, and a reader that wants UTF-8 would lose the code with it
                _ => self.line.push(b'?'),
            }
        }
        Ok(())
    }

    /// `250-text`, `250 text` or a bare `250`, as lettre reads them.
    fn end_line(&mut self) -> io::Result<()> {
        while self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let (code, rest) = self.line.split_at_checked(3).unwrap_or((&self.line, b""));
        if code.len() < 3 || !code.iter().all(u8::is_ascii_digit) || !matches!(rest.first(), None | Some(b' ' | b'-')) {
            return Err(odd("it does not speak SMTP"));
        }
        self.lines += 1;
        if self.lines > limits::SMTP_REPLY_LINES {
            return Err(odd("it sends a reply without an end"));
        }
        self.is_complete = rest.first() != Some(&b'-');
        self.ready.extend_from_slice(code);
        self.ready.extend(if rest.is_empty() { b" " } else { rest }.iter().filter(|b| **b != b'\r'));
        self.ready.extend_from_slice(b"\r\n");
        self.line.clear();
        Ok(())
    }
}

fn odd(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<S: AsyncRead + Unpin> AsyncRead for Lockstep<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.ready.is_empty() {
            let mut space = [0; 1024];
            let mut chunk = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.take(chunk.filled())?;
        }
        let now = this.ready.len().min(buf.remaining());
        let rest = this.ready.split_off(now);
        buf.put_slice(&std::mem::replace(&mut this.ready, rest));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lockstep<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.inner).poll_write(cx, bytes))?;
        if written > 0 && this.ready.is_empty() {
            (this.lines, this.is_complete) = (0, false);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for Lockstep<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lockstep")
    }
}
