//! What happened to an engine, written down and played again: `run --record`. Part of `daemon`.
//!
//! Invariant: a line is written before the engine takes what it says; played over an empty store with
//! the same config, a trace that began on one gives the same end.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::{Effect, Engine, Event, Request, Result};
use crate::time::Timestamp;

/// One line of a trace.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub now: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What the engine was given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The service began, or its clock went back.
    Began {},
    /// An event.
    Event(Event),
    /// An order of the user that came by the socket.
    Request(Request),
    /// A changed config was taken; what it says is not in the trace.
    Configured {},
}

/// Writes a trace.
#[derive(Debug)]
pub struct Trace {
    file: Option<File>,
}

impl Trace {
    /// A trace of nothing.
    pub const fn none() -> Trace {
        Trace { file: None }
    }

    /// A new trace. It tells who wrote to whom: only its owner can read it.
    ///
    /// # Errors
    /// What the system says; a file that is there is not written over.
    pub fn create(path: &Path) -> io::Result<Trace> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Trace { file: Some(file) })
    }

    /// Writes one line, if anybody wants it.
    pub fn write(&mut self, now: Timestamp, what: impl FnOnce() -> What) {
        let Some(file) = &mut self.file else { return };
        let step = Step { now, what: what() };
        let written = serde_json::to_vec(&step).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            file.write_all(&line)
        });
        if let Err(error) = written {
            tracing::warn!("nothing more is recorded: {error}");
            self.file = None;
        }
    }
}

/// Gives an engine everything a trace holds. Returns what it wanted done, in order.
///
/// # Errors
/// Of the engine; a line that cannot be read ends the trace, as a killed process leaves half a line.
pub fn replay(engine: &mut Engine, trace: impl BufRead) -> Result<Vec<Effect>> {
    let mut effects = Vec::new();
    for line in trace.split(b'\n').map_while(io::Result::ok) {
        let Ok(Step { now, what }) = serde_json::from_slice(&line) else { break };
        match what {
            What::Began {} => drop(engine.begin_round(now, false)?),
            What::Event(event) => effects.extend(engine.apply(event, now)?),
            What::Request(request) => drop(engine.answer(request, now)?),
            What::Configured {} => {}
        }
    }
    Ok(effects)
}
