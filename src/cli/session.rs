//! Config and engine, or the service, for one command. Part of `cli`.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::Trouble;
use super::print::{Out, tell};
use crate::config::{Config, Surroundings};
use crate::control::{self, Answer, Call, Client, Fault, Unanswered};
use crate::engine::{Engine, EngineError, Reply, Request};
use crate::limits;
use crate::store::StoreError;
use crate::time::{Timestamp, Zone, now};

/// A command's config, its way to the engine, and its time.
pub struct Session {
    /// The config.
    pub config: Config,
    /// Who answers.
    pub door: Door,
    /// What the command answers as of.
    pub now: Timestamp,
}

/// Who answers: an engine of our own, or the service that runs.
pub enum Door {
    /// On the store.
    Engine(Box<Engine>),
    /// By its socket.
    Service(Client),
}

impl Session {
    /// Reads the config and opens the store, or finds the service.
    pub fn open(config: Option<&Path>) -> Result<Session, Trouble> {
        Session::of(load(config)?)
    }

    /// Opens the store of a config, or finds its service. A store that another command holds is waited for.
    pub fn of(config: Config) -> Result<Session, Trouble> {
        let real = now();
        let socket = control::place(config.control.socket.as_deref(), &config.store);
        for _ in 0..limits::LOCK_WAIT_SECS * 5 {
            if let Some(service) = Client::find(&socket).map_err(Trouble::Failed)? {
                return Ok(Session { config, door: Door::Service(service), now: real });
            }
            match Engine::open(&config.store, config.setup.clone(), real) {
                Err(EngineError::Store(StoreError::Locked { .. })) => std::thread::sleep(Duration::from_millis(200)),
                opened => {
                    let engine = opened?;
                    if let Some(rebuilt) = &engine.rebuilt {
                        tell(rebuilt);
                    }
                    let now = engine.as_of(real);
                    return Ok(Session { config, door: Door::Engine(Box::new(engine)), now });
                }
            }
        }
        let (store, socket) = (config.store.display(), socket.display());
        Err(Trouble::Failed(format!(
            "the store {store} is in use by another process, and no service answers at {socket}: \
             wait for the other command, or end it"
        )))
    }

    /// Asks the engine.
    pub fn ask(&mut self, request: Request) -> Result<Reply, Trouble> {
        let service = match &mut self.door {
            Door::Engine(engine) => return Ok(engine.answer(request, self.now)?),
            Door::Service(service) => service,
        };
        if let Request::Backup(file) = &request {
            // written here, with the rights of whoever asks for it
            service.backup(file)?;
            return Ok(Reply::Done(format!("backed up to {}", file.display())));
        }
        match service.call(&Call::from(request)) {
            Ok(Answer::Reply(reply)) => Ok(reply),
            Ok(_) => Err(unexpected()),
            Err(Unanswered::Fault(fault)) if fault.code == Fault::REFUSED => {
                Ok(Reply::Refused { why: fault.message, several: fault.data.map(|d| d.several).unwrap_or_default() })
            }
            Err(error) => Err(error.into()),
        }
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
    read_config(config).map_err(Trouble::Usage)
}

/// The same, for a service that reads it again.
pub fn read_config(config: Option<&Path>) -> Result<Config, String> {
    let var = |name: &str| std::env::var_os(name);
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0);
    let surroundings = Surroundings::of(var, is_root, Zone::system());
    let file = crate::config::find(config, var, Path::exists)?;
    let unreadable = |e| format!("the config {} cannot be read: {e}", file.display());
    let text = std::fs::read_to_string(&file).map_err(unreadable)?;
    crate::config::read(&text, &file, &surroundings).map_err(|e| e.to_string())
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
