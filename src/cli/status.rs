//! `status`. Part of `cli`.

use std::path::Path;

use super::Outcome;
use super::print::Look;
use super::session::{Session, unexpected};
use crate::engine::{Reply, Request};

pub fn status(config: Option<&Path>, json: bool) -> Outcome {
    let mut session = Session::open(config)?;
    let Reply::Status(status) = session.ask(Request::Status)? else { return Err(unexpected()) };
    let out = session.out();
    if json {
        out.json(&status);
        return Ok(());
    }
    out.line(&format!("kithd {} as of {}", status.version, out.time(status.now)));
    let c = status.counts;
    out.line(&format!("{} contacts, {} interactions, {} open reminders", c.contacts, c.interactions, c.reminders));
    if let Some(until) = status.quiet_until {
        out.line(&format!("quiet until {}", out.time(until)));
    }
    out.heading("Sources");
    let rows = status.sources.iter().map(|s| {
        let look = if s.state == "ok" { Look::Good } else { Look::Bad };
        let read = s.covered_until.map_or_else(|| "never read".to_string(), |t| format!("read up to {}", out.time(t)));
        vec![
            (Look::Bold, s.name.clone()),
            (Look::Dim, s.kind.clone()),
            (look, s.state.clone()),
            (Look::Plain, format!("{} read", s.read)),
            (Look::Plain, s.last_error.clone().unwrap_or(read)),
        ]
    });
    out.table(&rows.collect::<Vec<_>>());
    if !status.held.is_empty() {
        out.heading("Held back");
        let rows = status.held.iter().map(|h| vec![(Look::Plain, h.reminder.to_string()), (Look::Warn, h.why.clone())]);
        out.table(&rows.collect::<Vec<_>>());
    }
    if !status.complaints.is_empty() {
        out.heading("Could not be read");
        for c in &status.complaints {
            out.line(&format!("{}  {}", out.look(Look::Dim, &c.source), c.place));
            out.paragraph(4, &c.what);
        }
    }
    if let Some(next) = status.next_wake_at {
        out.line("");
        out.line(&out.look(Look::Dim, &format!("next look {}", out.time(next))));
    }
    Ok(())
}
