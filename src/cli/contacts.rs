//! `contacts` and `contact`. Part of `cli`.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::print::{Look, Out, Row};
use super::session::{Session, refuse, unexpected};
use super::{Outcome, reminders};
use crate::engine::reply::{ContactRow, ContactSheet, InteractionRow, ReminderRow};
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
        Sort::Overdue => by_silence(&mut rows, &out),
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

/// One line a contact: what matters most first, so that a narrow terminal leaves out the rest.
pub fn print_rows(out: &Out, rows: &[ContactRow]) {
    if rows.is_empty() {
        return;
    }
    let head = ["name", " now │usual", "last contact", "", "usual", "", "strength", "address"];
    let mut lines: Vec<Row> = vec![head.map(|h| (Look::Dim, h.to_string())).to_vec()];
    lines.extend(rows.iter().map(|r| {
        let name = if r.muted { format!("{} (muted)", r.name) } else { r.name.clone() };
        let late = overdue(r, out).unwrap_or(0) > 100;
        vec![
            (if r.is_contact { Look::Bold } else { Look::Dim }, name),
            (if late { Look::Warn } else { Look::Good }, bar(r, out)),
            (Look::Plain, r.last_contact_at.map(|t| out.ago(t)).unwrap_or_default()),
            (Look::Dim, r.last_contact_at.map(|t| out.date(t)).unwrap_or_default()),
            (Look::Plain, r.every_days.map(every).unwrap_or_default()),
            (Look::Plain, r.relationship.clone().unwrap_or_default()),
            (Look::Dim, format!("{:>8}", r.strength)),
            (Look::Dim, r.addresses.first().map(ToString::to_string).unwrap_or_default()),
        ]
    }));
    out.table(&lines);
}

/// The most overdue against the own rhythm or interval first; who has none, or is muted, last, the latest contact first.
pub fn by_silence(rows: &mut [ContactRow], out: &Out) {
    rows.sort_by_key(|r| std::cmp::Reverse((overdue(r, out), r.last_contact_at)));
}

/// Days as a rhythm is told: up to 13 in days, up to 13 weeks in weeks, then in months.
fn every(days: i64) -> String {
    match days {
        1 => "every day".to_string(),
        ..14 => format!("every {days} days"),
        14..92 => format!("every {} weeks", (days + 3) / 7),
        _ => format!("every {} months", (days + 15) / 30),
    }
}

/// Silence against the own rhythm or interval, in percent; `None`, which is less than any, where none is known or
/// reminders are not wanted.
fn overdue(row: &ContactRow, out: &Out) -> Option<i64> {
    let (last, every) = (row.last_contact_at?, row.every_days.filter(|_| !row.muted)?);
    Some(out.now.since(last).max(0) * 100 / (every.max(1) * DAY))
}

/// The silence so far; the line stands at the usual interval, the right end at twice as much.
fn bar(row: &ContactRow, out: &Out) -> String {
    let Some(percent) = overdue(row, out) else { return String::new() };
    let full = (percent.min(200) + 19) / 20;
    let cell = |n: i64| if n < full { '━' } else { '─' };
    (0..5).map(cell).chain(['│']).chain((5..10).map(cell)).collect()
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

/// One person: what is open, what was, and before that what is known of them.
pub fn print_sheet(out: &Out, sheet: &ContactSheet) {
    print_card(out, sheet);
    let (open, closed): (Vec<&ReminderRow>, Vec<&ReminderRow>) =
        sheet.reminders.iter().partition(|r| reminders::is_open(r));
    if !open.is_empty() {
        out.heading("Open reminders");
        open.iter().for_each(|r| reminders::print_one(out, r, 2));
    }
    print_timeline(out, &sheet.interactions, usize::MAX);
    if !closed.is_empty() {
        out.heading("Earlier reminders");
        let row = |r: &&ReminderRow| {
            vec![
                (Look::Dim, out.date(r.sent_at.unwrap_or(r.due_at))),
                (Look::Plain, r.state.clone()),
                (Look::Plain, r.subject.clone()),
            ]
        };
        out.table(&closed.iter().map(row).collect::<Vec<_>>());
    }
}

/// What is known of a person, in a few lines.
pub fn print_card(out: &Out, sheet: &ContactSheet) {
    let (r, c) = (&sheet.row, sheet.row.counts);
    out.line(&format!("{}  {}", out.look(Look::Bold, &r.name), out.look(Look::Dim, &r.id.to_string())));
    let addresses: Vec<&str> = r.addresses.iter().map(|a| a.as_str()).collect();
    out.paragraph(2, &addresses.join("  "));
    let bar = bar(r, out);
    let late = overdue(r, out).unwrap_or(0) > 100;
    let last = r.last_contact_at.map(|t| format!("last contact {}", out.both(t))).unwrap_or_default();
    out.flow(2, &[(if late { Look::Warn } else { Look::Good }, &bar), (Look::Plain, &last)]);
    let from = match r.every_from.as_deref() {
        Some("user") => "as you said",
        Some("relationship") => "by the relationship",
        _ => "by their rhythm",
    };
    let mut facts: Vec<String> = Vec::new();
    facts.extend(r.muted.then(|| "muted".to_string()));
    facts.extend(r.relationship.clone());
    facts.extend(r.every_days.map(|d| format!("{} {from}", every(d))));
    facts.push(format!("strength {}", r.strength));
    facts.extend(r.next_meeting_at.map(|t| format!("next meeting {}", out.both(t))));
    out.paragraph(2, &facts.join(" · "));
    let since = r.first_contact_at.map(|t| format!(" since {}", out.date(t))).unwrap_or_default();
    out.paragraph(2, &format!("{} sent, {} received, {} met{since}", c.sent, c.received, c.meetings));
    for m in &sheet.merges {
        let text = format!("one person because {} = {}: {}", m.a, m.b, m.reasons.join(", "));
        out.flow(2, &[(Look::Dim, &text)]);
    }
}

/// Interactions by month, the latest first, at most so many.
pub fn print_timeline(out: &Out, interactions: &[InteractionRow], most: usize) {
    let mut month = String::new();
    let mut rows: Vec<Row> = Vec::new();
    for i in interactions.iter().rev().take(most) {
        let local = out.zone.local(i.at);
        let this = local.strftime("%B %Y").to_string();
        if this != month {
            out.table(&std::mem::take(&mut rows));
            out.heading(&this);
            month = this;
        }
        let (mark, word) = match i.kind.as_str() {
            "sent" => ("→", "you wrote"),
            "received" => ("←", "they wrote"),
            _ => ("◆", "you met"),
        };
        rows.push(vec![
            (Look::Dim, local.strftime("  %a %e  %H:%M").to_string()),
            (Look::Plain, format!("{mark} {word:<10}")),
            (Look::Plain, i.subject.clone()),
        ]);
    }
    out.table(&rows);
    let rest = interactions.len().saturating_sub(most);
    if rest > 0 {
        out.line(&out.look(Look::Dim, &format!("  and {rest} before that")));
    }
}
