//! `explain`. Part of `cli`.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::print::{Look, Out};
use super::session::{Session, refuse, unexpected};
use crate::engine::reply::Explanation;
use crate::engine::{Reply, Request};

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
        found.iter().for_each(|e| print_one(&out, e));
    }
    Ok(())
}

/// One verdict with its points, vetoes and evidence.
pub fn print_one(out: &Out, e: &Explanation) {
    let look = match e.standing.as_str() {
        "due" | "sent" => Look::Good,
        "vetoed" | "low" | "held" => Look::Warn,
        _ => Look::Dim,
    };
    out.line(&format!(
        "{}  {}  {}",
        out.look(Look::Bold, &format!("{}/{}", e.rule, e.occasion)),
        out.look(look, &e.standing),
        out.look(Look::Dim, &e.id.to_string())
    ));
    out.paragraph(2, &e.reason);
    out.line(&format!("  {:.1} points: {}", e.score, e.points.join(", ")));
    for veto in &e.vetoes {
        out.paragraph(2, &out.look(Look::Warn, &format!("against it: {veto}")));
    }
    if let Some(by) = &e.closed_by {
        out.line(&format!("  closed by {by}"));
    }
    for row in &e.evidence {
        let at = row.at.map(|t| out.time(t)).unwrap_or_default();
        out.paragraph(2, &format!("evidence: {at} {} {}", row.subject, out.look(Look::Dim, &row.evidence)));
        if let Some(sentence) = &row.sentence {
            out.paragraph(4, &format!("“{sentence}”"));
        }
    }
    out.line(&out.look(Look::Dim, &format!("  due {}, runs out {}", out.time(e.due_at), out.time(e.expires_at))));
    for line in &e.coverage {
        out.line(&out.look(Look::Dim, &format!("  {line}")));
    }
    out.line("");
}
