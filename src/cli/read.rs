//! `read`: what kithd reads in messages and calendars, without a store or config. Part of `cli`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::print::{Look, Out};
use super::{Outcome, Trouble};
use crate::address::{AddrSpec, Address};
use crate::evidence::{Complaint, Meeting, Recurrence, Role, Speaker};
use crate::identity::Me;
use crate::ledger::meetings::{believe, counts};
use crate::limits;
use crate::read::calendar::{CalendarContext, read_calendar};
use crate::read::mail::{MailContext, Message, read_message};
use crate::read::mbox;
use crate::time::{DAY, Timestamp, Zone, now};

/// Arguments of `read`.
#[derive(Args, Debug)]
pub struct ReadArguments {
    /// Messages, Maildirs, mboxes, calendars, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// An address of yours; may be given several times
    #[arg(long, value_parser = super::address, value_name = "ADDRESS")]
    me: Vec<AddrSpec>,
    /// Zone of dates that name none [default: the system's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// As if it were this time (RFC 3339)
    #[arg(long, value_parser = super::moment, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Instances of events from this time on [default: a year before]
    #[arg(long, value_parser = super::moment, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Instances of events until this time [default: a year after]
    #[arg(long, value_parser = super::moment, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct MailRow<'a> {
    path: &'a str,
    message_id: Option<String>,
    date: Timestamp,
    from: Option<Party>,
    to: Vec<Party>,
    cc: Vec<Party>,
    subject: &'a str,
    class: &'static str,
    class_reasons: &'a [String],
    new_text: &'a str,
    acts: Vec<ActRow<'a>>,
}

#[derive(Serialize)]
struct Party {
    name: Option<String>,
    address: String,
}

#[derive(Serialize)]
struct ActRow<'a> {
    kind: crate::evidence::ActKind,
    text: &'a str,
    due: Option<Timestamp>,
}

#[derive(Serialize)]
struct EventRow<'a> {
    path: &'a str,
    event_uid: &'a str,
    recurrence_id: Option<String>,
    dtstart: Timestamp,
    dtend: Timestamp,
    all_day: bool,
    status: crate::evidence::EventStatus,
    summary: &'a str,
    organizer: Option<Party>,
    attendees: Vec<AttendeeRow>,
    counts_as_meeting: bool,
    why: &'a str,
}

#[derive(Serialize)]
struct AttendeeRow {
    address: String,
    name: Option<String>,
    partstat: crate::evidence::PartStat,
    human: bool,
}

#[derive(Serialize)]
struct ErrorRow<'a> {
    path: &'a str,
    error: &'a str,
}

fn party(a: &Address) -> Party {
    Party { name: a.name.clone(), address: a.address.to_string() }
}

/// One run of the command.
struct Reader<'a> {
    out: &'a Out,
    json: bool,
    me: Me,
    zone: Zone,
    now: Timestamp,
    from: Timestamp,
    until: Timestamp,
}

pub fn read(a: &ReadArguments) -> Outcome {
    let zone = match &a.timezone {
        Some(name) => Zone::named(name).ok_or_else(|| {
            Trouble::Usage(format!("`{name}` is no time zone: write Europe/Berlin, America/New_York, UTC"))
        })?,
        None => Zone::system(),
    };
    let now = a.at.unwrap_or_else(now);
    let out = Out::new(zone.clone(), now);
    let reader = Reader {
        out: &out,
        json: a.json,
        me: Me { addresses: a.me.iter().cloned().collect(), names: Vec::new() },
        zone,
        now,
        from: a.from.unwrap_or_else(|| now.minus(365 * DAY)),
        until: a.until.unwrap_or_else(|| now.plus(365 * DAY)),
    };
    for path in &a.paths {
        if !path.exists() {
            return Err(Trouble::Failed(format!("{} is not there", path.display())));
        }
        reader.path(path, 0);
    }
    Ok(())
}

impl Reader<'_> {
    fn path(&self, path: &Path, depth: usize) {
        if path.is_dir() {
            let mut entries: Vec<PathBuf> = match std::fs::read_dir(path) {
                Ok(entries) => entries.filter_map(Result::ok).map(|e| e.path()).collect(),
                Err(e) => return self.error(&path.display().to_string(), &format!("cannot be listed: {e}")),
            };
            entries.sort();
            if depth < limits::COMPONENT_DEPTH {
                entries.iter().for_each(|p| self.path(p, depth + 1));
            }
            return;
        }
        let name = path.display().to_string();
        let kind = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        match kind.as_str() {
            "ics" | "ical" | "icalendar" => self.calendar(path, &name),
            "mbox" => self.mbox(path, &name),
            _ => self.file(path, &name),
        }
    }

    /// A file without a telling name: an mbox or a calendar by its first bytes, else a message.
    fn file(&self, path: &Path, name: &str) {
        let bytes = match head(path) {
            Ok(bytes) => bytes,
            Err(e) => return self.error(name, &format!("cannot be read: {e}")),
        };
        let start = bytes.trim_ascii_start();
        if start.starts_with(b"BEGIN:VCALENDAR") {
            return self.calendar(path, name);
        }
        if bytes.starts_with(b"From ") && path.extension().is_none_or(|e| e != "eml") && holds_many(&bytes) {
            return self.mbox(path, name);
        }
        self.mail(name, &bytes, mtime(path));
    }

    fn mbox(&self, path: &Path, name: &str) {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) => return self.error(name, &format!("cannot be read: {e}")),
        };
        let arrived = mtime(path);
        for (n, message) in mbox::messages(BufReader::new(file)).enumerate() {
            match message {
                Ok(bytes) => self.mail(&format!("{name}#{}", n + 1), &bytes, arrived),
                Err(e) => return self.error(name, &format!("cannot be read: {e}")),
            }
        }
    }

    fn mail(&self, path: &str, bytes: &[u8], arrived_at: Option<Timestamp>) {
        let context = MailContext {
            source: "read",
            place: path,
            role: Role::Other,
            arrived_at: arrived_at.unwrap_or(self.now),
            now: self.now,
            text_since: Timestamp::MIN,
            zone: &self.zone,
        };
        match read_message(bytes, &context) {
            Ok(message) => self.print_mail(path, &message),
            Err(complaint) => self.error(path, &complaint.what),
        }
    }

    fn print_mail(&self, path: &str, m: &Message) {
        let mail = &m.mail;
        let acts = mail.acts().iter().map(|a| ActRow {
            kind: a.kind,
            text: &a.text,
            due: a.due.map(|d| self.zone.at(d.date, 9 * 60)),
        });
        if self.json {
            return self.out.json(&MailRow {
                path,
                message_id: mail.message_id.as_ref().map(ToString::to_string),
                date: mail.at,
                from: mail.from.first().map(party),
                to: mail.to.iter().map(party).collect(),
                cc: mail.cc.iter().map(party).collect(),
                subject: &mail.subject,
                class: mail.class.as_str(),
                class_reasons: &mail.class_reasons,
                new_text: &m.new_text,
                acts: acts.collect(),
            });
        }
        let from = mail.from.first().map(ToString::to_string).unwrap_or_default();
        self.out.line(&self.out.look(Look::Dim, path));
        self.out.line(&format!("{}  {}  {}", self.out.time(mail.at), from, self.out.look(Look::Bold, &mail.subject)));
        self.out.line(&format!("  {} ({})", mail.class.as_str(), mail.class_reasons.join(", ")));
        for a in acts {
            let due = a.due.map(|d| format!(", by {}", self.out.date(d))).unwrap_or_default();
            self.out.paragraph(2, &format!("{:?}{due}: “{}”", a.kind, a.text));
        }
        for complaint in &m.complaints {
            self.out.flow(2, &[(Look::Warn, &complaint.what)]);
        }
    }

    fn calendar(&self, path: &Path, name: &str) {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) => return self.error(name, &format!("cannot be read: {e}")),
        };
        let context = CalendarContext {
            source: "read",
            place: name,
            speaker: Speaker::Feed("read".to_string()),
            read_at: self.now,
            from: self.from,
            until: self.until,
            zone: &self.zone,
        };
        let mut seen = 0_u64;
        let reading = read_calendar(BufReader::new(file), &context, &mut |meeting| {
            seen += 1;
            self.print_event(name, &meeting);
        });
        let whole: Vec<&Complaint> = reading.complaints.iter().filter(|_| seen == 0 && reading.events == 0).collect();
        if let Some(first) = whole.first() {
            return self.error(name, &first.what);
        }
        if !self.json {
            reading
                .complaints
                .iter()
                .for_each(|c| self.out.flow(2, &[(Look::Warn, &format!("{}: {}", c.place, c.what))]));
        }
    }

    fn print_event(&self, path: &str, meeting: &Meeting) {
        let Some(believed) = believe(meeting, &self.me, None) else { return };
        let main = &believed.main;
        let (counted, why) = match counts(&believed, &self.me, self.now) {
            Ok(()) => (true, "you met"),
            Err(why) => (false, why),
        };
        let recurrence_id = match meeting.key.recurrence {
            Recurrence::Main => None,
            _ => meeting.key.to_string().rsplit_once('=').map(|(_, id)| id.to_string()),
        };
        if !self.json {
            let mark = if counted { self.out.look(Look::Good, "◆") } else { "·".to_string() };
            let attendees: Vec<String> = main.attendees.iter().map(|a| a.who.to_string()).collect();
            self.out.line(&format!(
                "{mark} {}  {}  {}",
                self.out.time(main.start),
                self.out.look(Look::Bold, &main.summary),
                self.out.look(Look::Dim, why)
            ));
            self.out.paragraph(4, &attendees.join(", "));
            return;
        }
        let attendee = |a: &crate::evidence::Attendee| AttendeeRow {
            address: a.who.address.to_string(),
            name: a.who.name.clone(),
            partstat: a.partstat,
            human: a.human,
        };
        self.out.json(&EventRow {
            path,
            event_uid: &meeting.key.uid,
            recurrence_id,
            dtstart: main.start,
            dtend: main.end,
            all_day: main.all_day,
            status: main.status,
            summary: &main.summary,
            organizer: main.organizer.as_ref().map(party),
            attendees: main.attendees.iter().map(attendee).collect(),
            counts_as_meeting: counted,
            why,
        });
    }

    fn error(&self, path: &str, error: &str) {
        if self.json {
            self.out.json(&ErrorRow { path, error });
        } else {
            self.out.line(&format!("{}  {}", self.out.look(Look::Dim, path), self.out.look(Look::Bad, error)));
        }
    }
}

/// The first bytes of a file, as many as a message may have.
fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(limits::MESSAGE_BYTES).unwrap_or(u64::MAX);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A second `From ` line makes an mbox; one alone is a message as some servers keep it.
fn holds_many(bytes: &[u8]) -> bool {
    bytes.windows(7).any(|w| w == b"\n\nFrom " || w == b"\n\r\nFrom".as_slice())
}

fn mtime(path: &Path) -> Option<Timestamp> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_second(i64::try_from(since.as_secs()).ok()?))
}
