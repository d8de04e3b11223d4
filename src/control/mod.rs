//! The service's socket: JSON-RPC 2.0, one line a message (docs/protocol.md). Floor 8.
//!
//! Invariant: a method is named as the command that calls it, and its result is what that command
//! prints with `--json`; only the user, root and whom `[control] allow` names are answered.

mod call;
mod client;
mod peers;
mod server;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::engine::Reply;
use crate::engine::reply::ContactRow;
use crate::evidence::{Envelope, SourceName};
use crate::limits;

pub use call::{Call, METHODS, Order};
pub use client::{Client, Unanswered};
pub use peers::Peers;
pub use server::{Asked, Socket, serve};

/// Name of the socket in the store's folder.
const SOCKET: &str = "kithd.sock";

/// Where the socket lies: at `[control] socket`, or in the store's folder.
pub fn place(socket: Option<&Path>, store: &Path) -> PathBuf {
    socket.map_or_else(|| store.join(SOCKET), Path::to_path_buf)
}

/// What a round did: every source read once, what was due delivered.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Round {
    /// Mails that reached the user.
    pub sent: Vec<Envelope>,
    /// Sources that failed, and why.
    pub failed: Vec<(SourceName, String)>,
    /// Deliveries that failed, and why.
    pub undelivered: Vec<String>,
    /// Things looked at.
    pub read: u64,
    /// Observations among them that were handed to the store.
    pub observed: u64,
}

/// What the service answers.
#[derive(Debug)]
pub enum Answer {
    /// The engine's reply; never [`Reply::Refused`], which is a [`Fault`].
    Reply(Reply),
    /// `round`.
    Round(Box<Round>),
    /// `backup`: a file that has no name any more.
    Backup(File),
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Round(round) => round.serialize(s),
            Answer::Backup(file) => s.collect_str(&Base64(file)),
            Answer::Reply(reply) => match reply {
                Reply::Status(status) => status.serialize(s),
                Reply::Contacts(rows) => rows.serialize(s),
                Reply::Contact(sheet) => sheet.serialize(s),
                Reply::Reminders(rows) => rows.serialize(s),
                Reply::Explained(found) => found.serialize(s),
                Reply::Done(said) => said.serialize(s),
                Reply::Exported(export) => export.serialize(s),
                Reply::Checked(findings) => findings.serialize(s),
                Reply::Refused { why, .. } => why.serialize(s),
            },
        }
    }
}

/// What is left to read of a file, in base64 (RFC 4648, section 4); it is never held as a whole.
struct Base64<'a>(&'a File);

impl fmt::Display for Base64<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // whole groups of three octets, so that only the end is padded
        let mut piece = Vec::with_capacity(limits::BACKUP_PIECE_BYTES);
        loop {
            piece.clear();
            let most = u64::try_from(limits::BACKUP_PIECE_BYTES).unwrap_or(u64::MAX);
            // a disk that cannot be read breaks the answer off, and the client sees no end of it
            let read = self.0.take(most).read_to_end(&mut piece).map_err(|_| fmt::Error)?;
            if read == 0 {
                return Ok(());
            }
            Base64Display::new(&piece, &STANDARD).fmt(f)?;
        }
    }
}

/// Why there is no result: the error object of JSON-RPC 2.0, section 5.1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// One of the codes below.
    pub code: i64,
    /// In plain words.
    pub message: String,
    /// With [`Fault::REFUSED`]: `several`, whom the word could mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Meant>,
}

/// Whom a word could mean.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Meant {
    /// All of them.
    pub several: Vec<ContactRow>,
}

impl Fault {
    /// The line is no JSON.
    pub const PARSE: i64 = -32700;
    /// The line is no request.
    pub const INVALID: i64 = -32600;
    /// There is no such method.
    pub const UNKNOWN: i64 = -32601;
    /// The parameters are not those of the method.
    pub const PARAMS: i64 = -32602;
    /// The engine or its store failed.
    pub const FAILED: i64 = -32603;
    /// The peer may not talk to this service.
    pub const FORBIDDEN: i64 = -32001;
    /// Understood, but not done: what was named is unknown, ambiguous or closed.
    pub const REFUSED: i64 = 1;

    /// A fault with its words.
    pub fn new(code: i64, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into(), data: None }
    }

    /// The service ends before it has answered.
    pub fn stopping() -> Fault {
        Fault::new(Fault::FAILED, "the service is stopping; ask again when it is back")
    }

    /// A reply as answer or fault.
    pub fn or_answer(reply: Reply) -> Result<Answer, Fault> {
        match reply {
            Reply::Refused { why, several } => Err(Fault {
                data: (!several.is_empty()).then_some(Meant { several }),
                ..Fault::new(Fault::REFUSED, why)
            }),
            reply => Ok(Answer::Reply(reply)),
        }
    }
}

/// A message to a client (JSON-RPC 2.0, section 5).
#[derive(Serialize)]
struct Response<'a> {
    jsonrpc: &'static str,
    id: &'a Value,
    #[serde(flatten)]
    outcome: Outcome<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome<'a> {
    Result(&'a Answer),
    Error(&'a Fault),
}
