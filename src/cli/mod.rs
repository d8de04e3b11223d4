//! argv to a request, an answer to text. Floor 11.
//!
//! Invariant: a command does nothing itself but ask and print; `--json` prints the contract's
//! fields and nothing else on standard output.

mod act;
mod check;
mod contacts;
mod demo;
mod explain;
mod export;
mod init;
mod log;
mod paper;
mod print;
mod read;
mod reminders;
mod run;
mod session;
mod status;
#[cfg(test)]
mod tests;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::address::{AddrSpec, veil};
use crate::evidence::ReminderId;
use crate::time::Timestamp;
use print::tell;

/// Keeps the history of contact with the people you work with, and reminds you to thank, answer and follow up.
#[derive(Parser, Debug)]
#[command(name = "kithd", version, about, max_term_width = 100, disable_help_subcommand = true)]
struct Arguments {
    /// The configuration [default: $XDG_CONFIG_HOME/kithd/config.toml, then /etc/kithd/config.toml]
    #[arg(long, global = true, env = "KITHD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

impl Command {
    const fn is_service(&self) -> bool {
        matches!(self, Command::Run(run) if run.is_service())
    }
}

/// Prints data as JSON.
#[derive(Args, Clone, Copy, Debug)]
struct Json {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Read every source and deliver what is due
    Run(run::RunArguments),
    /// What would be sent if nothing else happened
    Plan(reminders::PlanArguments),
    /// Sources, how far each was read, what is held back and why
    Status(Json),
    /// Config, store, sources: one line per finding
    Check(check::CheckArguments),
    /// The people you are in contact with
    Contacts(contacts::ContactsArguments),
    /// One person, with the whole timeline
    Contact(contacts::ContactArguments),
    /// Open reminders
    Reminders(reminders::RemindersArguments),
    /// Evidence, points and vetoes of a reminder, or of everything about a person
    Explain(explain::ExplainArguments),
    /// A reminder is done
    Done {
        /// Id of the reminder
        #[arg(value_parser = reminder_id)]
        id: ReminderId,
        #[command(flatten)]
        json: Json,
    },
    /// A reminder comes back later
    Snooze {
        /// Id of the reminder
        #[arg(value_parser = reminder_id)]
        id: ReminderId,
        /// 2w, 3d, 1m, tomorrow, monday, 2026-05-12
        until: String,
        #[command(flatten)]
        json: Json,
    },
    /// Not this reminder
    Dismiss {
        /// Id of the reminder
        #[arg(value_parser = reminder_id)]
        id: ReminderId,
        #[command(flatten)]
        json: Json,
    },
    /// Be quiet for a while
    Pause {
        /// 2w, 3d, 1m, tomorrow, monday, 2026-05-12
        until: String,
        #[command(flatten)]
        json: Json,
    },
    /// Your word on a contact
    Set(act::SetArguments),
    /// Two contacts are one person
    Merge {
        /// Address, name or id
        who: String,
        /// Address, name or id
        other: String,
        #[command(flatten)]
        json: Json,
    },
    /// An address is somebody else's
    Split {
        /// Address, name or id
        who: String,
        /// The address that is not theirs
        #[arg(value_parser = address)]
        address: AddrSpec,
        #[command(flatten)]
        json: Json,
    },
    /// Erase all facts about a person, and do not collect them again
    Forget {
        /// Address, name or id
        who: String,
        #[command(flatten)]
        json: Json,
    },
    /// Everything out
    Export(export::ExportArguments),
    /// A copy of the store
    Backup {
        /// Where to
        file: PathBuf,
        #[command(flatten)]
        json: Json,
    },
    /// The store from a copy; the present one is set aside
    Restore {
        /// The copy
        file: PathBuf,
        #[command(flatten)]
        json: Json,
    },
    /// What kithd reads in messages and calendars, without a store or config
    Read(read::ReadArguments),
    /// The whole thing over a year of an invented person's mail
    Demo(demo::DemoArguments),
    /// A config from your address and password: finds the servers, tries them, writes it
    Init(Box<init::InitArguments>),
    /// What your shell completes commands by
    Completions(paper::CompletionsArguments),
    /// The manual page
    Man,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Bad usage or config: exit 2.
    Usage(String),
    /// It failed: exit 1.
    Failed(String),
}

impl From<crate::engine::EngineError> for Trouble {
    fn from(error: crate::engine::EngineError) -> Trouble {
        match error {
            crate::engine::EngineError::Backwards { .. } => Trouble::Usage(error.to_string()),
            _ => Trouble::Failed(error.to_string()),
        }
    }
}

impl From<crate::control::Unanswered> for Trouble {
    fn from(error: crate::control::Unanswered) -> Trouble {
        match error {
            crate::control::Unanswered::Fault(fault) => Trouble::Failed(fault.message),
            crate::control::Unanswered::Broken(what) => Trouble::Failed(what),
        }
    }
}

impl From<crate::store::StoreError> for Trouble {
    fn from(error: crate::store::StoreError) -> Trouble {
        Trouble::Failed(error.to_string())
    }
}

/// Result of a command.
pub(crate) type Outcome = Result<(), Trouble>;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // a reader that went away is no error
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    log::start(arguments.command.is_service());
    let (what, code) = match dispatch(arguments) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Trouble::Usage(what)) => (what, 2),
        Err(Trouble::Failed(what)) => (what, 1),
    };
    // what is told to the journal is read by others too
    let what = if log::is_journal() { veil(&what) } else { what };
    if !what.is_empty() {
        tell(&what);
    }
    ExitCode::from(code)
}

fn dispatch(arguments: Arguments) -> Outcome {
    let config = arguments.config.as_deref();
    match arguments.command {
        Command::Run(a) => run::run(config, &a),
        Command::Plan(a) => reminders::plan(config, &a),
        Command::Status(json) => status::status(config, json.json),
        Command::Check(a) => check::check(config, &a),
        Command::Contacts(a) => contacts::contacts(config, &a),
        Command::Contact(a) => contacts::contact(config, &a),
        Command::Reminders(a) => reminders::reminders(config, &a),
        Command::Explain(a) => explain::explain(config, &a),
        Command::Done { id, json } => act::act(config, id, act::Verb::Done, json.json),
        Command::Snooze { id, until, json } => act::act(config, id, act::Verb::Snooze(until), json.json),
        Command::Dismiss { id, json } => act::act(config, id, act::Verb::Dismiss, json.json),
        Command::Pause { until, json } => act::pause(config, &until, json.json),
        Command::Set(a) => act::set(config, a),
        Command::Merge { who, other, json } => act::ask(config, crate::engine::Request::Merge(who, other), json.json),
        Command::Split { who, address, json } => {
            act::ask(config, crate::engine::Request::Split(who, address), json.json)
        }
        Command::Forget { who, json } => act::ask(config, crate::engine::Request::Forget(who), json.json),
        Command::Export(a) => export::export(config, &a),
        Command::Backup { file, json } => export::backup(config, file, json.json),
        Command::Restore { file, json } => export::restore(config, &file, json.json),
        Command::Read(a) => read::read(&a),
        Command::Demo(a) => demo::demo(&a),
        Command::Init(a) => init::init(config, &a),
        Command::Completions(a) => paper::completions(&a),
        Command::Man => paper::man(),
    }
}

fn reminder_id(text: &str) -> Result<ReminderId, String> {
    ReminderId::parse(text).ok_or_else(|| "an id has 16 hexadecimal digits: see kithd reminders".to_string())
}

fn address(text: &str) -> Result<AddrSpec, String> {
    AddrSpec::parse(text).ok_or_else(|| "not a mail address".to_string())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "not a time: write it as 2026-05-12T09:00:00Z (RFC 3339)".to_string())
}
