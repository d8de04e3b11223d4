//! `reminders` and `plan`. Part of `cli`.

use std::path::Path;

use clap::Args;

use super::print::{Look, Out};
use super::session::{Session, unexpected};
use super::{Outcome, Trouble};
use crate::engine::reply::ReminderRow;
use crate::engine::{Reply, Request};
use crate::time::{BareM, Span, Timestamp};

/// Arguments of `reminders`.
#[derive(Args, Debug)]
pub struct RemindersArguments {
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct PlanArguments {
    /// Until this time (RFC 3339)
    #[arg(long, value_parser = super::moment, conflicts_with = "within", value_name = "TIME")]
    at: Option<Timestamp>,
    /// Until this long from now
    #[arg(long, value_name = "30d")]
    within: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn reminders(config: Option<&Path>, arguments: &RemindersArguments) -> Outcome {
    let mut session = Session::open(config)?;
    let Reply::Reminders(rows) = session.ask(Request::Reminders { all: arguments.all })? else {
        return Err(unexpected());
    };
    let out = session.out();
    if arguments.json {
        out.json(&rows);
    } else if rows.is_empty() {
        out.line("Nothing is open.");
    } else {
        print_rows(&out, &rows);
    }
    Ok(())
}

pub fn plan(config: Option<&Path>, arguments: &PlanArguments) -> Outcome {
    let mut session = Session::open(config)?;
    let within = arguments.within.as_deref().unwrap_or("30d");
    let span = Span::parse(within, BareM::Months)
        .ok_or_else(|| Trouble::Usage(format!("`{within}` is no length of time: write 30d, 2w, 3mo")))?;
    let until = arguments.at.unwrap_or_else(|| span.after(session.now, session.zone()));
    if until < session.now {
        return Err(Trouble::Usage(format!("{until} has passed: the store's time is {}", session.now)));
    }
    let Reply::Reminders(rows) = session.ask(Request::Plan(until))? else { return Err(unexpected()) };
    let out = session.out();
    if arguments.json {
        out.json(&rows);
        return Ok(());
    }
    if rows.is_empty() {
        out.line(&format!("Nothing until {}.", out.time(until)));
    }
    print_rows(&out, &rows);
    Ok(())
}

/// Reminders, each with its reason.
pub fn print_rows(out: &Out, rows: &[ReminderRow]) {
    for (n, r) in rows.iter().enumerate() {
        if n > 0 {
            out.line("");
        }
        print_one(out, r, 0);
    }
}

/// The subject, what has become of it, and why.
pub fn print_one(out: &Out, r: &ReminderRow, indent: usize) {
    out.flow(indent, &[(Look::Bold, &r.subject), (Look::Dim, &r.id.to_string())]);
    let look = match r.state.as_str() {
        "sent" | "due" => Look::Good,
        "held" | "failed" => Look::Warn,
        _ => Look::Dim,
    };
    let (word, at) = match (r.would_send_at, r.sent_at) {
        (Some(at), _) => ("would be sent", at),
        (None, Some(at)) => ("sent", at),
        (None, None) => ("due", r.due_at),
    };
    let now = if r.would_send_at.is_some() || r.state == word { String::new() } else { format!("{} · ", r.state) };
    let state = format!("{now}{word} {}", out.both(at));
    let by = r.closed_by.as_ref().map(|by| format!(" · closed by {by}")).unwrap_or_default();
    let channel = if r.channel == "summary" { " · for the summary" } else { "" };
    let rest = format!("· {} · {:.1} points{channel}{by}", kind(&r.rule, &r.occasion), r.score);
    out.flow(indent + 2, &[(look, &state), (Look::Dim, &rest)]);
    out.paragraph(indent + 2, &r.reason);
    if let Some(trouble) = &r.trouble {
        out.flow(indent + 2, &[(Look::Warn, &out.local(trouble))]);
    }
}

/// Is there still something to do about it?
pub fn is_open(r: &ReminderRow) -> bool {
    matches!(r.state.as_str(), "due" | "sending" | "sent" | "snoozed" | "held")
}

/// `thank_you/interview`; the rule alone where it has only one occasion.
pub fn kind(rule: &str, occasion: &str) -> String {
    if rule == occasion { rule.to_string() } else { format!("{rule}/{occasion}") }
}
