//! `explain`. Part of `cli`.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::print::{Look, Out};
use super::reminders::kind;
use super::session::{Session, refuse, unexpected};
use crate::engine::reply::Explanation;
use crate::engine::{Reply, Request};
use crate::policy::{OWN, SUMMARY};

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub struct ExplainArguments {
    /// Id of a reminder, or address, name or id of a person
    what: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn explain(config: Option<&Path>, arguments: &ExplainArguments) -> Outcome {
    let mut session = Session::open(config)?;
    let reply = session.ask(Request::Explain(arguments.what.clone()))?;
    let out = session.out();
    let found = match reply {
        Reply::Explained(found) => found,
        Reply::Refused { why, several } => return Err(refuse(&why, &several)),
        _ => return Err(unexpected()),
    };
    if arguments.json {
        out.json(&found);
    } else if found.is_empty() {
        out.line(&format!("Nothing in the rules' windows speaks for a reminder about {}.", arguments.what));
        out.line("kithd contact shows what is known of them.");
    } else {
        for (n, e) in found.iter().enumerate() {
            if n > 0 {
                out.line("");
            }
            print_one(&out, e);
        }
    }
    Ok(())
}

/// One verdict with its points, vetoes and evidence.
pub fn print_one(out: &Out, e: &Explanation) {
    let (look, standing) = match e.standing.as_str() {
        "waiting" => (Look::Dim, "waits for its day"),
        "vetoed" => (Look::Warn, "not sent: something speaks against it"),
        "low" => (Look::Warn, "not sent: too few points"),
        "closed" => (Look::Dim, "closed"),
        "expired" => (Look::Dim, "its time has passed"),
        "due" | "sent" => (Look::Good, e.standing.as_str()),
        "held" | "failed" => (Look::Warn, e.standing.as_str()),
        state => (Look::Dim, state),
    };
    let kind = kind(&e.rule, &e.occasion);
    if let Some(reminder) = &e.reminder {
        out.flow(0, &[(Look::Bold, &reminder.subject)]);
    }
    out.flow(0, &[(Look::Bold, &kind), (look, standing), (Look::Dim, &e.id.to_string())]);
    // the words are those of the mail: what they say holds on its day, and without what closed it
    let when = match e.standing.as_str() {
        "waiting" => "it would then say:",
        "closed" | "expired" | "withdrawn" => "it would have said:",
        "done" | "dismissed" => "it said:",
        _ => "",
    };
    out.flow(2, &[(Look::Dim, when), (Look::Plain, &e.reason)]);
    let bars = format!("(a mail of its own from {}, a line of the summary from {})", tenths(OWN), tenths(SUMMARY));
    out.flow(2, &[(Look::Plain, &format!("{:.1} points", e.score)), (Look::Dim, &bars)]);
    for point in &e.points {
        out.paragraph(4, point);
    }
    for veto in &e.vetoes {
        out.flow(2, &[(Look::Warn, "against it:"), (Look::Plain, veto)]);
    }
    for row in &e.evidence {
        let at = row.at.map(|t| out.both(t)).unwrap_or_default();
        out.flow(2, &[(Look::Plain, "evidence:"), (Look::Dim, &at), (Look::Plain, &row.subject)]);
        if let Some(sentence) = &row.sentence {
            out.paragraph(4, &format!("“{sentence}”"));
        }
        out.flow(4, &[(Look::Dim, &row.evidence)]);
    }
    if let Some(by) = &e.closed_by {
        out.flow(2, &[(Look::Plain, "closed by"), (Look::Plain, if by == "user" { "you" } else { by })]);
    }
    let ends = if e.expires_at > out.now { "runs out" } else { "ran out" };
    out.flow(2, &[(Look::Dim, &format!("due {}; {ends} {}", out.both(e.due_at), out.both(e.expires_at)))]);
    for line in &e.coverage {
        let look = if line.starts_with("not covered") { Look::Warn } else { Look::Dim };
        out.flow(2, &[(look, &out.local(line))]);
    }
}

fn tenths(points: i32) -> String {
    format!("{:.1}", f64::from(points) / 10.0)
}
