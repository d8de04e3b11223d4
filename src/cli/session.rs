//! Config and engine for one command. Part of `cli`.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::Trouble;
use super::print::{Out, tell};
use crate::config::{Config, Surroundings};
use crate::engine::{Engine, EngineError, Reply, Request};
use crate::limits;
use crate::store::StoreError;
use crate::time::{Timestamp, Zone, now};

/// A command's config, engine and time.
pub struct Session {
    /// The config.
    pub config: Config,
    /// The engine, on the store.
    pub engine: Engine,
    /// What the command answers as of.
    pub now: Timestamp,
}

impl Session {
    /// Reads the config and opens the store.
    pub fn open(config: Option<&Path>) -> Result<Session, Trouble> {
        Session::of(load(config)?)
    }

    /// Opens the store of a config.
    pub fn of(config: Config) -> Result<Session, Trouble> {
        let real = now();
        let engine = open_engine(&config, real)?;
        if let Some(rebuilt) = &engine.rebuilt {
            tell(rebuilt);
        }
        let now = engine.as_of(real);
        Ok(Session { config, engine, now })
    }

    /// Asks the engine.
    pub fn ask(&mut self, request: Request) -> Result<Reply, Trouble> {
        Ok(self.engine.answer(request, self.now)?)
    }

    /// Standard output in the user's zone.
    pub fn out(&self) -> Out {
        Out::new(self.zone().clone(), self.now)
    }

    /// The user's zone.
    pub fn zone(&self) -> &Zone {
        &self.config.setup.hours.zone
    }
}

/// Reads the config the command names, or the one that is found.
pub fn load(config: Option<&Path>) -> Result<Config, Trouble> {
    let var = |name: &str| std::env::var_os(name);
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0);
    let surroundings = Surroundings::of(var, is_root, Zone::system());
    let file = crate::config::find(config, var, Path::exists).map_err(Trouble::Usage)?;
    let unreadable = |e| Trouble::Usage(format!("the config {} cannot be read: {e}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(unreadable)?;
    let config = crate::config::read(&text, &file, &surroundings).map_err(|e| Trouble::Usage(e.to_string()))?;
    Ok(config)
}

/// Opens the engine; a store that is held by another process is waited for.
fn open_engine(config: &Config, now: Timestamp) -> Result<Engine, Trouble> {
    let mut waited = 0;
    loop {
        match Engine::open(&config.store, config.setup.clone(), now) {
            Err(EngineError::Store(StoreError::Locked { .. })) if waited < limits::LOCK_WAIT_SECS * 5 => {
                waited += 1;
                std::thread::sleep(Duration::from_millis(200));
            }
            other => return Ok(other?),
        }
    }
}

/// Prints a refusal and fails.
pub fn refuse(why: &str, several: &[crate::engine::reply::ContactRow]) -> Trouble {
    let mut text = why.to_string();
    for row in several {
        let addresses: Vec<&str> = row.addresses.iter().map(|a| a.as_str()).collect();
        text.push_str(&format!("\n  {}  {}  {}", row.id, row.name, addresses.join(" ")));
    }
    Trouble::Failed(text)
}

/// An answer that fits no question: a fault of kithd's own.
pub fn unexpected() -> Trouble {
    Trouble::Failed("kithd gave an answer that does not fit the question: please report this".to_string())
}
