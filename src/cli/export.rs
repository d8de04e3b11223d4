//! `export`, `backup`, `restore`. Part of `cli`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::print::Out;
use super::session::{Session, load, unexpected};
use super::{Outcome, Trouble, act};
use crate::control::{self, Answer, Call};
use crate::engine::reply::{ContactSheet, Export};
use crate::engine::{Reply, Request};
use crate::time::{Zone, now};

/// What everything is written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// Contacts with their timelines and all reminders
    Json,
    /// One line per interaction
    Csv,
    /// One card per contact (vCard 4)
    Vcard,
}

/// Arguments of `export`.
#[derive(Args, Debug)]
pub struct ExportArguments {
    /// Format
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

pub fn export(config: Option<&Path>, arguments: &ExportArguments) -> Outcome {
    let mut session = Session::open(config)?;
    let Reply::Exported(export) = session.ask(Request::Export)? else { return Err(unexpected()) };
    let out = session.out();
    match arguments.format {
        _ if arguments.json => out.json(&export),
        Format::Json => out.json(&export),
        Format::Csv => {
            out.line(csv(&export).map_err(|e| Trouble::Failed(format!("cannot write CSV: {e}")))?.trim_end())
        }
        Format::Vcard => export.contacts.iter().for_each(|c| out.line(vcard(c).trim_end())),
    }
    Ok(())
}

fn csv(export: &Export) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["contact", "name", "address", "at", "kind", "subject", "source", "evidence"])?;
    for c in &export.contacts {
        let address = c.row.addresses.first().map(ToString::to_string).unwrap_or_default();
        for i in &c.interactions {
            let (id, at) = (c.row.id.to_string(), i.at.to_string());
            writer.write_record([&id, &c.row.name, &address, &at, &i.kind, &i.subject, &i.source, &i.evidence])?;
        }
    }
    let bytes = writer.into_inner().map_err(|e| e.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// RFC 6350, lines folded at 75 octets.
fn vcard(c: &ContactSheet) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;").replace('\n', "\\n");
    let mut lines = vec![
        "BEGIN:VCARD".to_string(),
        "VERSION:4.0".to_string(),
        format!("UID:kithd-{}", c.row.id),
        format!("FN:{}", escape(&c.row.name)),
    ];
    lines.extend(c.row.addresses.iter().map(|a| format!("EMAIL:{a}")));
    lines.extend(c.row.relationship.iter().map(|r| format!("CATEGORIES:{}", escape(r))));
    lines.push("END:VCARD".to_string());
    lines.iter().map(|l| fold(l)).collect()
}

fn fold(line: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    for c in line.chars() {
        if used + c.len_utf8() > 75 {
            out.push_str("\r\n ");
            used = 1;
        }
        used += c.len_utf8();
        out.push(c);
    }
    out + "\r\n"
}

pub fn backup(config: Option<&Path>, file: PathBuf, json: bool) -> Outcome {
    act::finish(&mut Session::open(config)?, Request::Backup(file), json)
}

pub fn restore(config: Option<&Path>, file: &Path, json: bool) -> Outcome {
    let config = load(config)?;
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
    let socket = control::place(config.control.socket.as_deref(), &config.store);
    let said = match control::Client::find(&socket).map_err(Trouble::Failed)? {
        Some(service) => match service.call(&Call::Restore { file: file.clone() })? {
            Answer::Reply(Reply::Done(said)) => said,
            _ => return Err(unexpected()),
        },
        None => {
            let aside = crate::store::restore(&file, &config.store, now())?;
            let aside = aside.map(|a| format!("; the store that was there lies in {} now", a.display()));
            format!("restored {} from {}{}", config.store.display(), file.display(), aside.unwrap_or_default())
        }
    };
    let out = Out::new(Zone::utc(), now());
    if json {
        out.json(&serde_json::json!({ "done": said }));
    } else {
        out.line(&said);
    }
    Ok(())
}
