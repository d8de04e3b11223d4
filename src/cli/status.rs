//! `status`. Part of `cli`.

use std::path::Path;

use super::Outcome;
use super::print::{Look, Out};
use super::session::{Session, unexpected};
use crate::engine::reply::Status;
use crate::engine::{Reply, Request};

pub fn status(config: Option<&Path>, json: bool) -> Outcome {
    let mut session = Session::open(config)?;
    let Reply::Status(status) = session.ask(Request::Status)? else { return Err(unexpected()) };
    let out = session.out();
    if json {
        out.json(&status);
        return Ok(());
    }
    print_status(&out, &status);
    Ok(())
}

/// The sources first, then what keeps anything back.
pub fn print_status(out: &Out, status: &Status) {
    let c = status.counts;
    out.line(&format!("kithd {} as of {}", status.version, out.time(status.now)));
    out.paragraph(
        0,
        &format!("{} contacts, {} interactions, {} open reminders", c.contacts, c.interactions, c.reminders),
    );
    if let Some(until) = status.quiet_until {
        out.flow(0, &[(Look::Warn, &format!("quiet until {}", out.time(until)))]);
    }
    if let Some(next) = status.next_wake_at {
        out.flow(0, &[(Look::Dim, &format!("next look {}", out.both(next)))]);
    }
    out.heading("Sources");
    let rows = status.sources.iter().map(|s| {
        let look = match s.state.as_str() {
            "ok" => Look::Good,
            "reading" => Look::Plain,
            _ => Look::Bad,
        };
        vec![
            (Look::Bold, format!("  {}", s.name)),
            (look, s.state.clone()),
            (Look::Plain, format!("{} read", s.read)),
            (Look::Dim, s.kind.clone()),
        ]
    });
    let lines = out.lines(&rows.collect::<Vec<_>>());
    for (s, line) in status.sources.iter().zip(lines) {
        out.line(&line);
        let until = s
            .covered_until
            .map_or_else(|| "never read to its end".to_string(), |t| format!("whole up to {}", out.both(t)));
        out.flow(6, &[(Look::Dim, &until)]);
        if let Some(error) = &s.last_error {
            out.flow(6, &[(Look::Bad, &out.local(error))]);
        }
    }
    if !status.held.is_empty() {
        out.heading("Held back");
        for h in &status.held {
            out.flow(2, &[(Look::Dim, &h.reminder.to_string()), (Look::Warn, &out.local(&h.why))]);
            out.flow(6, &[(Look::Dim, &format!("since {}", out.both(h.since)))]);
        }
    }
    if !status.complaints.is_empty() {
        out.heading("Could not be read");
        for c in &status.complaints {
            out.flow(2, &[(Look::Dim, &c.source), (Look::Plain, &c.place)]);
            out.paragraph(6, &c.what);
        }
    }
}
