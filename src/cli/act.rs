//! `done`, `snooze`, `dismiss`, `pause`, `set` and the other orders. Part of `cli`.

use std::path::Path;

use clap::Args;

use super::session::{Session, refuse, unexpected};
use super::{Outcome, Trouble};
use crate::engine::reply::{Act, Setting};
use crate::engine::{Reply, Request};
use crate::evidence::ReminderId;
use crate::outbox::verbs::when;
use crate::time::{BareM, Span, Timestamp};

/// What is done to a reminder.
pub enum Verb {
    Done,
    Snooze(String),
    Dismiss,
}

/// Arguments of `set`.
#[derive(Args, Debug)]
pub struct SetArguments {
    /// Address, name or id
    who: String,
    /// mentor, sponsor, manager, report, peer, client, mentee, industry, weak_tie, trusted, family, or one of the config
    #[arg(long, value_name = "NAME")]
    relationship: Option<String>,
    /// An interval of your own: 6w, 3m; `never` takes it back
    #[arg(long, value_name = "3m")]
    every: Option<String>,
    /// No reminders about them
    #[arg(long, conflicts_with = "unmute")]
    mute: bool,
    /// Reminders again
    #[arg(long)]
    unmute: bool,
    /// A person, whatever the headers say
    #[arg(long, conflicts_with = "ignore")]
    person: bool,
    /// No person
    #[arg(long)]
    ignore: bool,
    /// What to call them
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn act(config: Option<&Path>, id: ReminderId, verb: Verb, json: bool) -> Outcome {
    let mut session = Session::open(config)?;
    let act = match verb {
        Verb::Done => Act::Done,
        Verb::Dismiss => Act::Dismiss,
        Verb::Snooze(until) => Act::Snooze(moment(&session, &until)?),
    };
    finish(&mut session, Request::Act(id, act), json)
}

pub fn pause(config: Option<&Path>, until: &str, json: bool) -> Outcome {
    let mut session = Session::open(config)?;
    let until = moment(&session, until)?;
    finish(&mut session, Request::Pause(until), json)
}

pub fn ask(config: Option<&Path>, request: Request, json: bool) -> Outcome {
    finish(&mut Session::open(config)?, request, json)
}

pub fn set(config: Option<&Path>, a: SetArguments) -> Outcome {
    let every = match a.every.as_deref() {
        None => None,
        Some("never") => Some(None),
        Some(text) => match Span::parse(text, BareM::Months) {
            Some(span) => Some(Some(span)),
            None => return Err(Trouble::Usage(format!("`{text}` is no length of time: write 6w, 3m, 90d, or never"))),
        },
    };
    let settings: Vec<Setting> = [
        a.relationship.map(Setting::Relationship),
        every.map(Setting::Every),
        (a.mute || a.unmute).then_some(Setting::Mute(a.mute)),
        a.person.then_some(Setting::Person),
        a.ignore.then_some(Setting::Ignore),
        a.name.map(Setting::Name),
    ]
    .into_iter()
    .flatten()
    .collect();
    if settings.is_empty() {
        return Err(Trouble::Usage("nothing to set: see kithd set --help".to_string()));
    }
    ask(config, Request::Set(a.who, settings), a.json)
}

fn moment(session: &Session, text: &str) -> Result<Timestamp, Trouble> {
    let understood = when(text, &session.config.setup.hours, session.now);
    understood.ok_or_else(|| {
        Trouble::Usage(format!("`{text}` is no time to come: write 2w, 3d, 1m, tomorrow, monday or 2026-05-12"))
    })
}

/// Asks, and prints what was done.
pub fn finish(session: &mut Session, request: Request, json: bool) -> Outcome {
    let reply = session.ask(request)?;
    let out = session.out();
    match reply {
        Reply::Done(said) if json => out.json(&serde_json::json!({ "done": said })),
        Reply::Done(said) => out.line(&said),
        Reply::Refused { why, several } => return Err(refuse(&why, &several)),
        _ => return Err(unexpected()),
    }
    Ok(())
}
