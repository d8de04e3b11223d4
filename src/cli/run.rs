//! `run`: the service, or one round. Part of `cli`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::print::{Look, tell};
use super::session::{Door, Session, read_config, unexpected};
use super::{Outcome, Trouble};
use crate::control::{self, Answer, Call};
use crate::daemon::{Post, Progress, Round, doors, once};
use crate::engine::{Reply, Request};
use crate::time::{Timestamp, now};

/// Arguments of `run`.
#[derive(Args, Debug)]
pub struct RunArguments {
    /// Read every source once, deliver what is due, exit; without it: the service
    #[arg(long)]
    once: bool,
    /// As if it were this time (RFC 3339)
    #[arg(long, value_parser = super::moment, requires = "once", value_name = "TIME")]
    at: Option<Timestamp>,
    /// Write down everything the engine is given, to play it again; a new file
    #[arg(long, conflicts_with = "once", value_name = "FILE")]
    record: Option<PathBuf>,
    /// Print JSON
    #[arg(long, requires = "once")]
    json: bool,
}

impl RunArguments {
    /// Not only one round?
    pub const fn is_service(&self) -> bool {
        !self.once
    }
}

/// What `run --once --json` prints.
#[derive(Serialize)]
struct Report {
    at: Timestamp,
    read: u64,
    sent: Vec<Sent>,
    waiting: Vec<crate::engine::reply::ReminderRow>,
    failed: Vec<Failure>,
}

#[derive(Serialize)]
struct Sent {
    reminder: String,
    subject: String,
    message_id: String,
}

#[derive(Serialize)]
struct Failure {
    source: Option<String>,
    what: String,
}

pub fn run(config: Option<&Path>, arguments: &RunArguments) -> Outcome {
    if arguments.is_service() {
        return service(config, arguments.record.as_deref());
    }
    let mut session = Session::open(config)?;
    let at = arguments.at.unwrap_or_else(now);
    let round = match &session.door {
        Door::Engine(_) => round(&mut session, at, arguments.at.is_some())?,
        Door::Service(_) if arguments.at.is_some() => {
            return Err(Trouble::Usage("--at needs the store for itself: stop the service first".to_string()));
        }
        Door::Service(service) => match service.call(&Call::Round {})? {
            Answer::Round(round) => *round,
            _ => return Err(unexpected()),
        },
    };
    report(&mut session, &round, arguments.json)?;
    if round.failed.is_empty() && round.undelivered.is_empty() { Ok(()) } else { Err(Trouble::Failed(String::new())) }
}

fn service(config: Option<&Path>, record: Option<&Path>) -> Outcome {
    let session = Session::open(config)?;
    let Door::Engine(engine) = session.door else {
        let place = control::place(session.config.control.socket.as_deref(), &session.config.store);
        return Err(Trouble::Failed(format!("kithd runs already: it answers at {}", place.display())));
    };
    let again = config.map(Path::to_path_buf);
    let load = Box::new(move || read_config(again.as_deref()));
    crate::daemon::run(*engine, session.config, load, record).map_err(Trouble::Failed)
}

/// One round with progress on a terminal; `demo` runs the same.
pub fn round(session: &mut Session, at: Timestamp, pinned: bool) -> Result<Round, Trouble> {
    let zone = session.zone().clone();
    let Door::Engine(engine) = &mut session.door else { return Err(unexpected()) };
    if let Some(back) = engine.begin_round(at, pinned)? {
        tell(&format!("the clock is {back} s behind the store's last time; kithd goes on"));
    }
    session.now = at;
    let bar = Bar::new();
    let runtime = runtime()?;
    let sources = doors::sources(&session.config);
    let post = Post::of(&session.config, &sources);
    let mut progress = |p: Progress| bar.step(&p);
    let round = runtime.block_on(once(engine, &sources, &post, &zone, at, &mut progress));
    bar.0.finish_and_clear();
    Ok(round?)
}

/// For the doors, which have threads of their own: it goes on while the engine works on this one.
pub fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|e| Trouble::Failed(format!("no thread can be started: {e}")))
}

/// A bar on standard error, shown only on a terminal and only when it takes a while.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Bar {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg:20!} {pos} read {wide_bar} {per_sec} {eta}") {
            bar.set_style(style);
        }
        Bar(bar)
    }

    fn step(&self, p: &Progress) {
        self.0.inc(p.read);
        if let Some(left) = p.left {
            self.0.set_length(self.0.position().saturating_add(left));
        }
        self.0.set_message(p.source.clone());
    }
}

fn report(session: &mut Session, round: &Round, json: bool) -> Outcome {
    let now = session.now;
    let Reply::Reminders(waiting) = session.ask(Request::Waiting)? else { return Err(unexpected()) };
    let out = session.out();
    for (source, what) in &round.failed {
        tell(&format!("{source}: {what}"));
    }
    for what in &round.undelivered {
        tell(what);
    }
    if json {
        let failed = round.failed.iter().map(|(s, what)| Failure { source: Some(s.clone()), what: what.clone() });
        let undelivered = round.undelivered.iter().map(|what| Failure { source: None, what: what.clone() });
        let sent = round.sent.iter().map(|e| Sent {
            reminder: e.showing.reminder.to_string(),
            subject: e.subject.clone(),
            message_id: e.message_id.to_string(),
        });
        out.json(&Report {
            at: now,
            read: round.read,
            sent: sent.collect(),
            waiting,
            failed: failed.chain(undelivered).collect(),
        });
        return Ok(());
    }
    out.line(&format!("{} read, {} sent, {} waiting", round.read, round.sent.len(), waiting.len()));
    for envelope in &round.sent {
        out.table(&[vec![(Look::Good, "sent".to_string()), (Look::Plain, envelope.subject.clone())]]);
    }
    for row in &waiting {
        let at = row.would_send_at.map(|t| out.time(t)).unwrap_or_default();
        out.table(&[vec![(Look::Dim, format!("waits until {at}")), (Look::Plain, row.subject.clone())]]);
    }
    Ok(())
}
