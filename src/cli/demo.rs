//! `demo`: a year of an invented person, through the same code as `run`. Part of `cli`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::print::{Look, Out};
use super::session::{Session, load, unexpected};
use super::{Outcome, Trouble, contacts, reminders, run};
use crate::engine::reply::SourceRow;
use crate::engine::{Reply, Request};
use crate::evidence::ReminderId;
use crate::time::now;

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub struct DemoArguments {
    /// A folder that is empty or not there yet [default: a new temporary one]
    dir: Option<PathBuf>,
}

pub fn demo(arguments: &DemoArguments) -> Outcome {
    let dir = match &arguments.dir {
        Some(dir) => dir.clone(),
        None => std::env::temp_dir().join(format!("kithd-demo-{}", now().second())),
    };
    let full = std::fs::read_dir(&dir).is_ok_and(|mut d| d.next().is_some());
    if full {
        return Err(Trouble::Usage(format!("{} is not empty: name a new folder", dir.display())));
    }
    let failed =
        |e: std::io::Error| Trouble::Failed(format!("the sample world cannot be written to {}: {e}", dir.display()));
    std::fs::create_dir_all(&dir).map_err(failed)?;
    let dir = dir.canonicalize().map_err(failed)?;
    let world = super::world::write_world(&dir, now()).map_err(failed)?;
    let mut session = Session::of(load(Some(&world.config))?)?;
    let round = run::round(&mut session, world.at, true)?;
    let out = session.out();
    for envelope in &round.sent {
        let file = dir.join(format!("{}.html", envelope.showing.reminder));
        std::fs::write(file, &envelope.html).map_err(failed)?;
    }
    show(&mut session, &out, &round)?;
    next_steps(&out, &dir, &world.config, round.sent.first().map(|e| e.showing.reminder));
    Ok(())
}

/// The last lines: what to try next, ready to paste.
fn next_steps(out: &Out, dir: &Path, config: &Path, first: Option<ReminderId>) {
    let program = std::env::current_exe().map_or_else(|_| "kithd".to_string(), |p| p.display().to_string());
    let id = first.map_or_else(|| "ID".to_string(), |id| id.to_string());
    out.heading("Now try");
    out.line(&format!("  alias kithd={program}"));
    out.line(&format!("  export KITHD_CONFIG={}", config.display()));
    let rows = [
        (format!("kithd explain {id}"), "the evidence and points of the first reminder"),
        ("kithd explain farid".to_string(), "why there is none about somebody"),
        ("kithd contact dana".to_string(), "one person, with the whole timeline"),
        ("kithd plan --within 30d".to_string(), "what would come next"),
        (format!("kithd done {id}"), "the same as answering its mail with: done"),
        (format!("ls {0}/*.html {0}/delivered/new", dir.display()), "the mails, as pages and as delivered"),
    ];
    for (what, why) in rows {
        out.line(&format!("  {what}"));
        out.flow(6, &[(Look::Dim, why)]);
    }
    out.line("Your own mail: unset KITHD_CONFIG, then kithd init, kithd check and kithd run.");
}

fn show(session: &mut Session, out: &Out, round: &crate::daemon::Round) -> Outcome {
    out.heading("What was read");
    let Reply::Status(status) = session.ask(Request::Status)? else { return Err(unexpected()) };
    let row = |s: &SourceRow| {
        vec![
            (Look::Bold, format!("  {}", s.name)),
            (Look::Plain, format!("{} read", s.read)),
            (Look::Dim, s.kind.clone()),
        ]
    };
    out.table(&status.sources.iter().map(row).collect::<Vec<_>>());
    let c = status.counts;
    out.line(&format!("  {} contacts, {} interactions", c.contacts, c.interactions));
    out.heading("The people, and how long it has been against how often it is");
    let Reply::Contacts(rows) = session.ask(Request::Contacts { all: false })? else { return Err(unexpected()) };
    contacts::print_rows(out, &rows);
    let Reply::Reminders(open) = session.ask(Request::Reminders { all: false })? else { return Err(unexpected()) };
    let drifting = open.iter().find(|r| r.rule == "keep_in_touch").or_else(|| open.first());
    if let Some(who) = drifting.and_then(|r| r.contact.as_ref()) {
        out.heading("One of them");
        if let Reply::Contact(sheet) = session.ask(Request::Contact(who.id.to_string()))? {
            contacts::print_card(out, &sheet);
            contacts::print_timeline(out, &sheet.interactions, 8);
        }
    }
    out.heading("Reminders: sent now, and what waits for its day");
    reminders::print_rows(out, &open);
    if let Some(first) = round.sent.first() {
        out.heading("The first one, as it lies in the inbox");
        out.flow(2, &[(Look::Dim, "Subject:"), (Look::Bold, &first.subject)]);
        out.line("");
        for line in first.text.lines() {
            if line.is_empty() { out.line("") } else { out.paragraph(2, line) }
        }
    }
    Ok(())
}
