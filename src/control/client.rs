//! The commands' half of the socket. Part of `control`.
//!
//! Invariant: what it returns is what the engine would have returned, and one connection carries one call.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Answer, Call, Fault, Round};
use crate::engine::Reply;
use crate::limits;

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

    fn exchange(&self, call: &Call) -> std::io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.path)?;
        let wait = (!call.is_long()).then(|| Duration::from_secs(limits::SERVICE_SECS));
        stream.set_read_timeout(wait)?;
        let mut request = serde_json::to_vec(&Request { jsonrpc: "2.0", id: 1, call })?;
        request.push(b'\n');
        // a service that turns us away may close before it has read this; its word is still read
        let _ = stream.write_all(&request);
        let mut line = Vec::new();
        BufReader::new(stream.take(limits::ANSWER_LINE_BYTES)).read_until(b'\n', &mut line)?;
        match line.last() {
            Some(b'\n') => Ok(line),
            Some(_) => Err(std::io::Error::new(ErrorKind::UnexpectedEof, "it ended in the middle of its answer")),
            None => Err(std::io::Error::new(ErrorKind::UnexpectedEof, "it ended before it answered")),
        }
    }

    fn words(&self, error: &std::io::Error) -> String {
        let what = match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                format!("it said nothing for {} s; its log may say why", limits::SERVICE_SECS)
            }
            _ => error.to_string(),
        };
        format!("the service at {} did not answer: {what}", self.path.display())
    }
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
