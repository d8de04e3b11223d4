//! `demo`: a year of an invented person, through the same code as `run`. Part of `cli`.

use std::path::PathBuf;

use clap::Args;

use super::print::{Look, Out};
use super::session::{Session, load, unexpected};
use super::{Outcome, Trouble, contacts, reminders, run};
use crate::engine::{Reply, Request};
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
    let config = world.config.display();
    out.heading("Now try");
    out.line(&format!("  export KITHD_CONFIG={config}"));
    out.line("  kithd contact mentor's-name-or-address      one person, with the whole timeline");
    out.line(
        "  kithd explain ID                            the evidence and points of a reminder, and of those not sent",
    );
    out.line("  kithd plan --within 30d                     what would come next");
    out.line(&format!(
        "  ls {}/delivered/new {}/*.html    the mails, as delivered and as pages",
        dir.display(),
        dir.display()
    ));
    out.line("Your own mail: copy config.example.toml, name your Maildir, then kithd run --once.");
    Ok(())
}

fn show(session: &mut Session, out: &Out, round: &crate::daemon::Round) -> Outcome {
    out.heading("What was read");
    let Reply::Status(status) = session.ask(Request::Status)? else { return Err(unexpected()) };
    for source in &status.sources {
        out.table(&[vec![
            (Look::Bold, source.name.clone()),
            (Look::Dim, source.kind.clone()),
            (Look::Plain, format!("{} read", source.read)),
        ]]);
    }
    let c = status.counts;
    out.line(&format!("{} contacts, {} interactions", c.contacts, c.interactions));
    out.heading("The people, and how long it has been against how often it is");
    let Reply::Contacts(rows) = session.ask(Request::Contacts { all: false })? else { return Err(unexpected()) };
    contacts::print_rows(out, &rows);
    let Reply::Reminders(open) = session.ask(Request::Reminders { all: false })? else { return Err(unexpected()) };
    let who = open
        .iter()
        .find(|r| r.state == "sent")
        .or_else(|| open.first())
        .and_then(|r| r.contact.as_ref())
        .map(|w| w.id.to_string());
    if let Some(who) = who {
        out.heading("One of them");
        if let Reply::Contact(sheet) = session.ask(Request::Contact(who))? {
            contacts::print_sheet(out, &sheet);
        }
    }
    out.heading("Reminders: sent now, and what waits for its day");
    reminders::print_rows(out, &open);
    if let Some(first) = round.sent.first() {
        out.heading("The first one, as it lies in the inbox");
        out.line(&format!("Subject: {}", first.subject));
        out.line("");
        first.text.lines().for_each(|l| out.line(l));
    }
    Ok(())
}
