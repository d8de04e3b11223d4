//! The commands' half of the socket. Part of `control`.
//!
//! Invariant: what it returns is what the engine would have returned, and one connection carries one call.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Take, Write};
use std::net::Shutdown;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::prelude::BASE64_STANDARD as STANDARD;
use base64::read::DecoderReader;
use serde::{Deserialize, Serialize};

use super::{Answer, Call, Fault, Round};
use crate::engine::Reply;
use crate::limits;

/// Bytes before the content of a backup.
const ANSWER_HEAD_BYTES: u64 = 4 << 10;

/// A service that runs.
#[derive(Clone, Debug)]
pub struct Client {
    path: PathBuf,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Unanswered {
    /// The service said so.
    Fault(Fault),
    /// The connection broke, or what came over it was no answer. In plain words.
    Broken(String),
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: u32,
    #[serde(flatten)]
    call: &'a Call,
}

#[derive(Deserialize)]
struct Response<T> {
    result: Option<T>,
    error: Option<Fault>,
}

impl Client {
    /// The service at this socket, if one answers. A service we may not talk to is told apart from none.
    ///
    /// # Errors
    /// In plain words, where the socket may not be used.
    pub fn find(path: &Path) -> Result<Option<Client>, String> {
        match UnixStream::connect(path) {
            Ok(_) => Ok(Some(Client { path: path.to_path_buf() })),
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                let place = path.display();
                Err(format!(
                    "you may not use the socket {place}: run this as the user of the service, or see [control] allow"
                ))
            }
            Err(_) => Ok(None),
        }
    }

    /// Calls a method and waits for what came of it.
    ///
    /// # Errors
    /// What the service refused, or what broke.
    pub fn call(&self, call: &Call) -> Result<Answer, Unanswered> {
        let line = self.exchange(call).map_err(|e| Unanswered::Broken(self.words(&e)))?;
        let answer = match call {
            Call::Status {} => read(&line)?.map(Reply::Status),
            Call::Contacts { .. } => read(&line)?.map(Reply::Contacts),
            Call::Contact { .. } => read(&line)?.map(Reply::Contact),
            Call::Reminders { .. } | Call::Plan { .. } | Call::Waiting {} => read(&line)?.map(Reply::Reminders),
            Call::Explain { .. } => read(&line)?.map(Reply::Explained),
            Call::Export {} => read(&line)?.map(Reply::Exported),
            Call::Check {} => read(&line)?.map(Reply::Checked),
            Call::Round {} => return Ok(Answer::Round(read::<Box<Round>>(&line)?.map_err(Unanswered::Fault)?)),
            _ => read(&line)?.map(Reply::Done),
        };
        answer.map(Answer::Reply).map_err(Unanswered::Fault)
    }

    /// A copy of the store into a file, which appears when it is whole.
    ///
    /// # Errors
    /// What the service refused, or what broke.
    pub fn backup(&self, file: &Path) -> Result<(), Unanswered> {
        let broken = |e: io::Error| Unanswered::Broken(self.words(&e));
        let mut answer = self.send(&Call::Backup {}).map_err(broken)?;
        let mut head = Vec::new();
        while !head.ends_with(br#""result":""#) {
            let came = answer.by_ref().take(ANSWER_HEAD_BYTES).read_until(b'"', &mut head).map_err(broken)?;
            if came == 0 || head.last() == Some(&b'\n') {
                read::<String>(&head)?.map_err(Unanswered::Fault)?;
                return Err(broken(cut_off()));
            }
        }
        let written = write_whole(file, |out| {
            let mut content = Quoted { from: answer, ended: false };
            io::copy(&mut DecoderReader::new(&mut content, &STANDARD), out)?;
            if content.ended { Ok(()) } else { Err(cut_off()) }
        });
        written.map_err(|e| Unanswered::Broken(format!("the backup {} cannot be written: {e}", file.display())))
    }

    fn exchange(&self, call: &Call) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.send(call)?.read_until(b'\n', &mut line)?;
        match line.last() {
            Some(b'\n') => Ok(line),
            _ => Err(cut_off()),
        }
    }

    /// Sends a call; what comes back is the answer.
    fn send(&self, call: &Call) -> io::Result<BufReader<Take<UnixStream>>> {
        let mut stream = UnixStream::connect(&self.path)?;
        let wait = (!call.is_long()).then(|| Duration::from_secs(limits::SERVICE_SECS));
        stream.set_read_timeout(wait)?;
        let mut request = serde_json::to_vec(&Request { jsonrpc: "2.0", id: 1, call })?;
        request.push(b'\n');
        // a service that turns us away may close before it has read this; its word is still read
        let _ = stream.write_all(&request).and_then(|()| stream.shutdown(Shutdown::Write));
        Ok(BufReader::new(stream.take(limits::ANSWER_LINE_BYTES)))
    }

    fn words(&self, error: &io::Error) -> String {
        let what = match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                format!("it said nothing for {} s; its log may say why", limits::SERVICE_SECS)
            }
            _ => error.to_string(),
        };
        format!("the service at {} did not answer: {what}", self.path.display())
    }
}

fn cut_off() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "it ended in the middle of its answer")
}

/// A JSON string without escapes, up to its closing quote.
struct Quoted<R> {
    from: R,
    ended: bool,
}

impl<R: BufRead> Read for Quoted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let piece = self.from.fill_buf()?;
        let end = piece.iter().position(|b| *b == b'"');
        let mut content = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
        let read = content.read(into)?;
        if content.is_empty() && end.is_some() {
            self.ended = true;
        }
        self.from.consume(read);
        Ok(read)
    }
}

/// A file that only its owner can read, and that appears under its name when all of it is on the disk.
fn write_whole(file: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let beside = file.with_file_name(name);
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let written = write(&mut out).and_then(|()| out.sync_all()).and_then(|()| std::fs::rename(&beside, file));
    if written.is_err() {
        // what is left of it is no backup
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// The result of a response, or its fault.
fn read<T: for<'a> Deserialize<'a>>(line: &[u8]) -> Result<Result<T, Fault>, Unanswered> {
    let strange = || {
        Unanswered::Broken(
            "the service gave an answer this kithd does not understand: are both of one version?".to_string(),
        )
    };
    let response: Response<T> = serde_json::from_slice(line).map_err(|e| {
        tracing::debug!("answer not understood: {e}");
        strange()
    })?;
    match (response.result, response.error) {
        (_, Some(fault)) => Ok(Err(fault)),
        (Some(result), None) => Ok(Ok(result)),
        (None, None) => Err(strange()),
    }
}
