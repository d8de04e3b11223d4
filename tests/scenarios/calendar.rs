//! An `event` line to a VEVENT.

use kithd::time::{Timestamp, Zone};

use crate::text::Words;

/// What an `event` line says.
#[derive(Clone, Debug)]
pub struct Event {
    pub calendar: String,
    pub uid: String,
    lines: Vec<String>,
}

/// `"Summary" START for 30min [all day] [with WHO [PARTSTAT], ...] [organized by WHO] [i PARTSTAT]
/// [uid X] [sequence N] [status S] [rrule R] [except START] [instance START] [text "..."]`
pub fn event(
    words: &mut Words<'_>,
    zone: &Zone,
    name: &dyn Fn(&str) -> String,
    said_at: Timestamp,
) -> Result<Event, String> {
    let calendar = if words.take("in") { words.word()?.to_string() } else { "cal".to_string() };
    let summary = words.quoted()?;
    let start = words.time(zone)?;
    let all_day = words.take("all") && words.take("day");
    let until = if words.take("until") { Some(words.time(zone)?) } else { None };
    let minutes = if words.take("for") { minutes(words.word()?)? } else { 30 };
    let mut e = Event { calendar, uid: slug(summary), lines: vec![format!("SUMMARY:{}", escape(summary))] };
    let local = |t: Timestamp| zone.local(t).strftime("%Y%m%dT%H%M%S").to_string();
    let day = |t: Timestamp| zone.local(t).strftime("%Y%m%d").to_string();
    if all_day {
        e.lines.push(format!("DTSTART;VALUE=DATE:{}", day(start)));
        if let Some(until) = until {
            e.lines.push(format!("DTEND;VALUE=DATE:{}", day(until.plus(36 * 3600))));
        }
    } else {
        e.lines.push(format!("DTSTART;TZID=Europe/Berlin:{}", local(start)));
        e.lines.push(format!("DTEND;TZID=Europe/Berlin:{}", local(start.plus(minutes * 60))));
    }
    let (mut attendees, mut organizer, mut mine, mut sequence) = (Vec::new(), None, "ACCEPTED".to_string(), 0);
    while !words.is_empty() {
        match words.word()? {
            "with" => loop {
                let who = words.word()?;
                let (who, last) = who.strip_suffix(',').map_or((who, true), |w| (w, false));
                let mut stat = "ACCEPTED".to_string();
                let mut last = last;
                let next = words.peek().trim_end_matches(',');
                if last && ["accepted", "declined", "tentative", "needs-action"].contains(&next) {
                    let word = words.word()?;
                    stat = word.trim_end_matches(',').to_uppercase();
                    last = !word.ends_with(',');
                }
                attendees.push((who.to_string(), stat));
                if last {
                    break;
                }
            },
            "organized" => {
                words.need("by")?;
                organizer = Some(words.word()?.to_string());
            }
            "i" => mine = words.word()?.to_uppercase(),
            "uid" => e.uid = words.word()?.to_string(),
            "sequence" => sequence = words.word()?.parse().map_err(|_| "no number")?,
            "status" => e.lines.push(format!("STATUS:{}", words.word()?.to_uppercase())),
            "rrule" => e.lines.push(format!("RRULE:{}", words.word()?)),
            "except" => e.lines.push(format!("EXDATE;TZID=Europe/Berlin:{}", local(words.time(zone)?))),
            "instance" => e.lines.push(format!("RECURRENCE-ID;TZID=Europe/Berlin:{}", local(words.time(zone)?))),
            "text" => e.lines.push(format!("DESCRIPTION:{}", escape(words.quoted()?))),
            other => return Err(format!("`{other}` is nothing an event has")),
        }
    }
    if !attendees.is_empty() || organizer.is_some() {
        let organizer = organizer.unwrap_or_else(|| "me".to_string());
        e.lines.push(format!("ORGANIZER{}", person(&organizer, "", name)));
        e.lines.push(format!("ATTENDEE{}", person("me", &format!(";PARTSTAT={mine}"), name)));
        for (who, stat) in attendees {
            e.lines.push(format!("ATTENDEE{}", person(&who, &format!(";PARTSTAT={stat}"), name)));
        }
    }
    e.lines.insert(0, format!("UID:{}", e.uid));
    e.lines.insert(1, format!("SEQUENCE:{sequence}"));
    e.lines.insert(2, format!("DTSTAMP:{}", stamp(said_at)));
    e.lines.insert(3, format!("LAST-MODIFIED:{}", stamp(said_at)));
    Ok(e)
}

impl Event {
    /// Is it an instance of a series that stands on its own?
    pub fn is_instance(&self) -> bool {
        self.lines.iter().any(|l| l.starts_with("RECURRENCE-ID"))
    }

    pub fn vevent(&self) -> String {
        format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", self.lines.join("\r\n"))
    }
}

/// Components in a VCALENDAR.
pub fn vcalendar(method: Option<&str>, vevents: &[String]) -> String {
    let method = method.map(|m| format!("METHOD:{m}\r\n")).unwrap_or_default();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//scenario//EN\r\n{method}{}END:VCALENDAR\r\n", vevents.concat())
}

fn person(who: &str, more: &str, name: &dyn Fn(&str) -> String) -> String {
    let (address, name) = if who == "me" { ("alex@example.org", "Alex Doe".to_string()) } else { (who, name(who)) };
    let cn = if name.is_empty() { String::new() } else { format!(";CN=\"{name}\"") };
    format!("{cn}{more}:mailto:{address}")
}

fn stamp(t: Timestamp) -> String {
    Zone::utc().local(t).strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;")
}

fn slug(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

fn minutes(word: &str) -> Result<i64, String> {
    let hours = word.strip_suffix('h').and_then(|n| n.parse::<i64>().ok()).map(|n| n * 60);
    hours.or_else(|| word.strip_suffix("min")?.parse().ok()).ok_or_else(|| format!("`{word}` is no length"))
}
