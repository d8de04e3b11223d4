//! `contacts` and `contact`. Part of `cli`.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::Outcome;
use super::print::{Look, Out};
use super::session::{Session, refuse, unexpected};
use crate::engine::reply::{ContactRow, ContactSheet};
use crate::engine::{Reply, Request};
use crate::time::DAY;

/// How contacts are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Sort {
    /// The latest contact first
    Last,
    /// The strongest first
    Strength,
    /// Who is furthest beyond their rhythm first
    Overdue,
}

/// Arguments of `contacts`.
#[derive(Args, Debug)]
pub struct ContactsArguments {
    /// Also those who are no contacts
    #[arg(long)]
    all: bool,
    /// Order
    #[arg(long, value_enum, default_value_t = Sort::Last)]
    sort: Sort,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `contact`.
#[derive(Args, Debug)]
pub struct ContactArguments {
    /// Address, name or id
    who: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn contacts(config: Option<&Path>, arguments: &ContactsArguments) -> Outcome {
    let mut session = Session::open(config)?;
    let Reply::Contacts(mut rows) = session.ask(Request::Contacts { all: arguments.all })? else {
        return Err(unexpected());
    };
    let out = session.out();
    match arguments.sort {
        Sort::Last => {}
        Sort::Strength => rows.sort_by_key(|r| std::cmp::Reverse(r.strength)),
        Sort::Overdue => rows.sort_by_key(|r| std::cmp::Reverse(overdue(r, &out))),
    }
    if arguments.json {
        out.json(&rows);
        return Ok(());
    }
    if rows.is_empty() {
        out.line("No contacts yet: kithd run --once reads your mail.");
    }
    print_rows(&out, &rows);
    Ok(())
}

/// One line a contact.
pub fn print_rows(out: &Out, rows: &[ContactRow]) {
    let lines = rows.iter().map(|r| {
        let last = r.last_contact_at.map(|t| out.ago(t)).unwrap_or_default();
        let name = if r.muted { format!("{} (muted)", r.name) } else { r.name.clone() };
        let look = if r.is_contact { Look::Bold } else { Look::Dim };
        let every = r.every_days.map(|d| format!("every {d} d")).unwrap_or_default();
        vec![
            (look, name),
            (Look::Plain, bar(r, out)),
            (Look::Plain, last),
            (Look::Dim, every),
            (Look::Dim, r.relationship.clone().unwrap_or_default()),
            (Look::Dim, format!("{:>3}", r.strength)),
            (Look::Dim, r.addresses.first().map(ToString::to_string).unwrap_or_default()),
        ]
    });
    out.table(&lines.collect::<Vec<_>>());
}

/// Silence against rhythm, in percent; nothing where no rhythm is known.
fn overdue(row: &ContactRow, out: &Out) -> i64 {
    match (row.last_contact_at, row.every_days) {
        (Some(last), Some(every)) => out.now.since(last) * 100 / (every.max(1) * DAY),
        _ => -1,
    }
}

/// Eight cells: how much of the usual interval has passed.
fn bar(row: &ContactRow, out: &Out) -> String {
    let percent = overdue(row, out);
    if percent < 0 {
        return "·".repeat(8);
    }
    let full = usize::try_from(percent.clamp(0, 200) / 25).unwrap_or(0);
    let cells: String = (0..8).map(|n| if n < full { if n < 4 { '▪' } else { '▮' } } else { '·' }).collect();
    cells
}

pub fn contact(config: Option<&Path>, arguments: &ContactArguments) -> Outcome {
    let mut session = Session::open(config)?;
    let reply = session.ask(Request::Contact(arguments.who.clone()))?;
    let out = session.out();
    let sheet = match reply {
        Reply::Contact(sheet) => sheet,
        Reply::Refused { why, several } => return Err(refuse(&why, &several)),
        _ => return Err(unexpected()),
    };
    if arguments.json {
        out.json(&sheet);
    } else {
        print_sheet(&out, &sheet);
    }
    Ok(())
}

/// One person and their timeline.
pub fn print_sheet(out: &Out, sheet: &ContactSheet) {
    let r = &sheet.row;
    out.line(&format!("{}  {}", out.look(Look::Bold, &r.name), out.look(Look::Dim, &r.id.to_string())));
    let addresses: Vec<&str> = r.addresses.iter().map(|a| a.as_str()).collect();
    out.paragraph(2, &addresses.join("  "));
    let c = r.counts;
    let mut facts =
        vec![format!("{} sent, {} received, {} meetings, strength {}", c.sent, c.received, c.meetings, r.strength)];
    facts.extend(r.relationship.clone());
    facts.extend(r.every_days.map(|d| format!("every {d} days ({})", r.every_from.clone().unwrap_or_default())));
    facts.extend(r.last_contact_at.map(|t| format!("last contact {}", out.ago(t))));
    facts.extend(r.next_meeting_at.map(|t| format!("next meeting {}", out.time(t))));
    out.paragraph(2, &facts.join(" · "));
    for m in &sheet.merges {
        out.paragraph(2, &format!("one person because: {} = {} ({})", m.a, m.b, m.reasons.join(", ")));
    }
    out.line("");
    let rows = sheet.interactions.iter().map(|i| {
        let (mark, word) = match i.kind.as_str() {
            "sent" => ("→", "you wrote"),
            "received" => ("←", "they wrote"),
            _ => ("◆", "you met"),
        };
        vec![
            (Look::Dim, out.time(i.at)),
            (Look::Plain, mark.to_string()),
            (Look::Dim, word.to_string()),
            (Look::Plain, i.subject.clone()),
        ]
    });
    out.table(&rows.collect::<Vec<_>>());
    if !sheet.reminders.is_empty() {
        out.heading("Reminders");
        super::reminders::print_rows(out, &sheet.reminders);
    }
}
