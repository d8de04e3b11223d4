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
    for r in rows {
        let look = match r.state.as_str() {
            "sent" | "due" => Look::Good,
            "held" | "failed" => Look::Warn,
            _ => Look::Dim,
        };
        let at = r.would_send_at.or(r.sent_at).unwrap_or(r.due_at);
        let state = if r.would_send_at.is_some() { "would be sent".to_string() } else { r.state.clone() };
        let channel = if r.channel == "summary" { " (summary)" } else { "" };
        out.table(&[vec![
            (look, format!("{state}{channel}")),
            (Look::Dim, out.time(at)),
            (Look::Bold, r.subject.clone()),
        ]]);
        out.paragraph(4, &r.reason);
        if let Some(trouble) = &r.trouble {
            out.paragraph(4, &out.look(Look::Warn, trouble));
        }
        let closed = r.closed_by.as_ref().map(|by| format!(", closed by {by}")).unwrap_or_default();
        out.line(
            &out.look(Look::Dim, &format!("    {} {}/{} {:.1} points{closed}", r.id, r.rule, r.occasion, r.score)),
        );
    }
}
