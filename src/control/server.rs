//! The service's half of the socket. Part of `control`.
//!
//! Invariant: whatever a client sends or does not send costs one bounded frame and one bounded wait;
//! an answer is written as it is made, never copied into a text of its own.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Answer, Call, Fault, Outcome, Peers, Response};
use crate::address::safe_text;
use crate::limits;

/// The listening socket. Its file goes with it.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// The uid it belongs to: the service's own.
    pub own: u32,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // what is left of it is found stale by the next start
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Binds it. A file that nobody answers at is replaced; one that is answered at belongs to a
    /// service that runs.
    ///
    /// # Errors
    /// In plain words.
    pub fn bind(path: &Path) -> Result<Socket, String> {
        let place = path.display();
        let cannot = |e: io::Error| format!("the socket {place} cannot be made: {e}; see [control] socket");
        if path.as_os_str().len() > limits::SOCKET_PATH_BYTES {
            let most = limits::SOCKET_PATH_BYTES;
            return Err(format!("the socket {place} has a path of more than {most} bytes: set [control] socket"));
        }
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => return Err(format!("kithd runs already: it answers at {place}")),
            // nobody is behind it, but nothing else may be taken away
            Err(e) if e.kind() == ErrorKind::ConnectionRefused && is_socket(path) => {
                std::fs::remove_file(path).map_err(cannot)?;
            }
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(cannot)?;
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).map_err(cannot)?;
        let own = std::fs::metadata(path).map_err(cannot)?.uid();
        Ok(Socket { listener, path: path.to_path_buf(), own })
    }

    /// Lets other users knock; who they are is looked at each time.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_to(path: &Path, peers: &Peers) -> io::Result<()> {
        let mode = if peers.has_others() { 0o666 } else { 0o600 };
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode))
    }
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket())
}

/// A call, and where its answer goes.
#[derive(Debug)]
pub struct Asked {
    /// What.
    pub call: Call,
    /// Dropped unanswered, it tells the client that the service is stopping.
    pub answer: oneshot::Sender<Result<Answer, Fault>>,
}

/// Answers clients until it is dropped.
pub async fn serve(socket: Socket, peers: watch::Receiver<Peers>, asks: mpsc::Sender<Asked>) {
    let room = Arc::new(Semaphore::new(limits::CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let stream = match socket.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // too many open files: it passes, and must not spin
                tracing::warn!("a client could not be let in: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let (peers, asks) = (peers.borrow().clone(), asks.clone());
        connections.spawn(async move {
            if let Err(error) = attend(stream, &peers, &asks).await {
                tracing::debug!("a client went away: {error}");
            }
            drop(place);
        });
    }
}

async fn attend(stream: UnixStream, peers: &Peers, asks: &mpsc::Sender<Asked>) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let (read, mut write) = stream.into_split();
    if !peers.contains(uid) {
        tracing::warn!(uid, "a user who is not in [control] allow was turned away");
        let fault = Fault::new(Fault::FORBIDDEN, format!("uid {uid} may not talk to this service: [control] allow"));
        respond(write, Value::Null, Err(fault)).await?;
        return Ok(());
    }
    let mut lines = Lines { read: BufReader::new(read), line: Vec::new() };
    loop {
        let line = match deadline(lines.next()).await? {
            Line::Whole(line) => line,
            Line::End => return Ok(()),
            Line::TooLong => {
                let fault = Fault::new(Fault::INVALID, format!("a line has at most {} bytes", limits::FRAME_BYTES));
                respond(write, Value::Null, Err(fault)).await?;
                return Ok(());
            }
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let (id, outcome) = match read_frame(&line) {
            Ok((id, call)) => (id, ask(call, asks).await),
            Err((id, fault)) => (Some(id), Err(fault)),
        };
        // a request without an id wants no answer (JSON-RPC 2.0, section 4.1)
        if let Some(id) = id {
            write = respond(write, id, outcome).await?;
        }
    }
}

async fn ask(call: Call, asks: &mpsc::Sender<Asked>) -> Result<Answer, Fault> {
    let (answer, wait) = oneshot::channel();
    asks.send(Asked { call, answer }).await.map_err(|_| Fault::stopping())?;
    wait.await.unwrap_or_else(|_| Err(Fault::stopping()))
}

/// One line as id and call.
fn read_frame(line: &[u8]) -> Result<(Option<Value>, Call), (Value, Fault)> {
    #[derive(Deserialize)]
    struct Frame {
        jsonrpc: String,
        #[serde(default, deserialize_with = "present")]
        id: Option<Value>,
        method: String,
        params: Option<Value>,
    }
    /// `null` is an id too; only a missing one is none.
    fn present<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(d).map(Some)
    }
    let value: Value = serde_json::from_slice(line)
        .map_err(|e| (Value::Null, Fault::new(Fault::PARSE, format!("this line is no JSON: {e}"))))?;
    let sound = |id: &Value| matches!(id, Value::Null | Value::Number(_) | Value::String(_));
    let id = value.get("id").filter(|id| sound(id)).cloned().unwrap_or(Value::Null);
    let invalid =
        |what: &str| (id.clone(), Fault::new(Fault::INVALID, format!("this is no JSON-RPC 2.0 request: {what}")));
    let frame: Frame =
        serde_json::from_value(value).map_err(|e| invalid(&safe_text(&e.to_string(), limits::ERROR_BYTES)))?;
    if frame.jsonrpc != "2.0" {
        return Err(invalid("\"jsonrpc\" must be \"2.0\""));
    }
    if frame.id.as_ref().is_some_and(|id| !sound(id)) {
        return Err(invalid("an id is a number or a string"));
    }
    match Call::read(&frame.method, frame.params) {
        Ok(call) => Ok((frame.id, call)),
        Err(fault) => Err((frame.id.unwrap_or(Value::Null), fault)),
    }
}

/// What came of waiting for a line.
enum Line {
    Whole(Vec<u8>),
    TooLong,
    End,
}

struct Lines {
    read: BufReader<OwnedReadHalf>,
    line: Vec<u8>,
}

impl Lines {
    /// The next line without its end; the last one may lack it.
    async fn next(&mut self) -> io::Result<Line> {
        loop {
            let piece = self.read.fill_buf().await?;
            if piece.is_empty() {
                let rest = std::mem::take(&mut self.line);
                return Ok(if rest.is_empty() { Line::End } else { Line::Whole(rest) });
            }
            let end = piece.iter().position(|b| *b == b'\n');
            let taken = end.unwrap_or(piece.len());
            if self.line.len() + taken > limits::FRAME_BYTES {
                return Ok(Line::TooLong);
            }
            self.line.extend(piece.iter().take(taken));
            self.read.consume(end.map_or(taken, |at| at + 1));
            if end.is_some() {
                return Ok(Line::Whole(std::mem::take(&mut self.line)));
            }
        }
    }
}

/// Writes one response and gives the socket back. It is written on a thread of its own, piece by
/// piece: an export is large, and is not held twice.
async fn respond(half: OwnedWriteHalf, id: Value, outcome: Result<Answer, Fault>) -> io::Result<OwnedWriteHalf> {
    let runtime = Handle::current();
    let write = move || {
        let mut out = BufWriter::with_capacity(limits::ANSWER_CHUNK_BYTES, Blocking { half, runtime });
        let outcome = match &outcome {
            Ok(answer) => Outcome::Result(answer),
            Err(fault) => Outcome::Error(fault),
        };
        serde_json::to_writer(&mut out, &Response { jsonrpc: "2.0", id: &id, outcome })?;
        out.write_all(b"\n")?;
        out.into_inner().map(|blocking| blocking.half).map_err(|e| e.into_error())
    };
    tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
}

struct Blocking {
    half: OwnedWriteHalf,
    runtime: Handle,
}

impl Write for Blocking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.runtime.block_on(deadline(self.half.write(bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn deadline<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::new(ErrorKind::TimedOut, "it said nothing for too long");
    timeout(Duration::from_secs(limits::CLIENT_SECS), work).await.unwrap_or_else(|_| Err(late()))
}
