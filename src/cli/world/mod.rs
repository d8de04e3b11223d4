//! A year of an invented person's mail and calendar, for `kithd demo`. It only writes files; the
//! real pipeline reads them.
//!
//! Invariant: everything follows from one `at`, the latest working-day 10:00 in Berlin up to `now`;
//! the same `at` gives the same bytes.

mod calendar;
mod days;
mod mail;
mod people;
mod scenes;
mod talks;
mod year;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::time::Timestamp;
use days::{Days, ZONE};
use people::{ALEX, ALEX_WORK, Person};

/// A sample world that was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct World {
    /// Its folder.
    pub dir: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
    /// The moment to run at: 10:00 of a working day in Berlin, so that reminders go out.
    pub at: Timestamp,
    /// Whose world it is: `Alex Doe <alex@example.org>`.
    pub me: String,
    /// Messages written.
    pub messages: usize,
}

/// Writes the year that ends at `now` into `dir`: `mail` (Maildir++), `calendar.ics`, `people.vcf`
/// and `config.toml`. Fails where the folder cannot be written, or holds a mailbox already.
pub fn write_world(dir: &Path, now: Timestamp) -> io::Result<World> {
    let days = Days::ending(now);
    let mail = dir.join("mail");
    if mail.exists() {
        let what = format!("{} exists already; name an empty or new folder", mail.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    }
    let mut mailbox = mail::Mailbox::new(&days);
    year::post(&days, &mut mailbox);
    scenes::post(&days, &mut mailbox);
    mailbox.write(&mail)?;
    fs::write(dir.join("calendar.ics"), calendar::whole(&days))?;
    fs::write(dir.join("people.vcf"), people::cards(&days))?;
    let config = dir.join("config.toml");
    fs::write(&config, configuration(dir))?;
    let me = format!("{} <{}>", ALEX.name, ALEX.address);
    Ok(World { dir: dir.to_path_buf(), config, at: days.at, me, messages: mailbox.len() })
}

fn configuration(dir: &Path) -> String {
    let path = |name: &str| quoted(&dir.join(name).to_string_lossy());
    let Person { name, address, .. } = ALEX;
    format!(
        r#"# The sample world of `kithd demo`. Everything in it is invented.

[me]
name = "{name}"
addresses = ["{address}", "{work}"]
timezone = "{ZONE}"
language = "en"

[store]
path = {state}

[[mailbox]]
name = "mail"
type = "maildir"
path = {mail}

[[calendar]]
name = "calendar"
type = "ics"
path = {calendar}

[[address_book]]
name = "people"
type = "vcard"
path = {people}

[delivery]
to = "{address}"
from = "kithd <{address}>"
type = "maildir"
path = {delivered}

[schedule]
days = ["mon", "tue", "wed", "thu", "fri"]
hours = "08:00-18:00"
"#,
        work = ALEX_WORK.address,
        state = path("state"),
        mail = path("mail"),
        calendar = path("calendar.ics"),
        people = path("people.vcf"),
        delivered = path("delivered"),
    )
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
