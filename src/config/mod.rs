//! TOML to the parameters of the lower floors. Floor 9.
//!
//! Invariant: [`read`] is pure and tells everything that is wrong, each with its line and what to do;
//! a `Config` that exists is one that can be run.

mod delivery;
mod nearest;
mod place;
mod report;
mod secrets;
mod section;
pub mod shape;
mod sources;
mod user;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use delivery::{ControlConfig, DeliveryConfig, DeliveryDoor};
pub use nearest::nearest;
pub use place::{Surroundings, find};
pub use report::{ConfigErrors, Fault};
pub use sources::{BookConfig, BookDoor, CalendarConfig, CalendarDoor, Collections, MailboxConfig, MailboxDoor};

use crate::address::{AddrSpec, Address};
use crate::engine::event::Setup;
use crate::limits;
use crate::outbox::compose::Letterhead;
use crate::time::{BareM, Span};
use report::Report;
use section::Section;

/// What the config says.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// What the engine goes by.
    pub setup: Setup,
    /// The folder of the store.
    pub store: PathBuf,
    /// `[[mailbox]]`.
    pub mailboxes: Vec<MailboxConfig>,
    /// `[[calendar]]`.
    pub calendars: Vec<CalendarConfig>,
    /// `[[address_book]]`.
    pub address_books: Vec<BookConfig>,
    /// `[delivery]`.
    pub delivery: DeliveryConfig,
    /// `[control]`.
    pub control: ControlConfig,
    /// What is legal but unusual, as `FILE:LINE: what`.
    pub warnings: Vec<String>,
}

/// What a section is read with.
struct Around<'a> {
    report: &'a Report<'a>,
    surroundings: &'a Surroundings,
    /// The folder of the config: relative paths begin there.
    base: &'a Path,
    store: Option<PathBuf>,
}

impl Around<'_> {
    /// A path of the config: `~` resolved, relative to the config's folder.
    fn path(&self, text: &str) -> Result<PathBuf, String> {
        self.surroundings.expand(text).map(|path| self.base.join(path))
    }

    /// The path behind `key`; it and the store must not lie in each other.
    fn outside_store(&self, s: &Section<'_>, key: &str) -> Option<PathBuf> {
        s.text(key, |text| {
            let path = self.path(text)?;
            match &self.store {
                Some(store) if place::is_inside(&path, store) => {
                    Err(format!("it lies inside the store ({}): keep them apart", store.display()))
                }
                Some(store) if place::is_inside(store, &path) => {
                    Err(format!("the store ({}) lies inside it: keep them apart", store.display()))
                }
                _ => Ok(path),
            }
        })
    }
}

/// Reads a config. `file` is its path, for messages and as the place where relative paths begin.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str, file: &Path, surroundings: &Surroundings) -> Result<Config, ConfigErrors> {
    let report = Report::new(file, text);
    if text.len() > limits::CONFIG_BYTES {
        report.fault(None, format!("this is no config: it has more than {} bytes", limits::CONFIG_BYTES));
        return Err(report.errors());
    }
    let (document, broken) = DeTable::parse_recoverable(text);
    let config = if broken.is_empty() {
        build(document.get_ref(), file, surroundings, &report)
    } else {
        for error in &broken {
            // only the parser's words: its own display would show the line, and a secret in it
            report.fault(error.span().map(|s| s.start), format!("this is not TOML: {}", error.message()));
        }
        None
    };
    match config {
        Some(config) if !report.has_faults() => Ok(Config { warnings: report.warnings(), ..config }),
        _ => Err(report.errors()),
    }
}

fn build<'a>(
    root: &'a DeTable<'a>,
    file: &'a Path,
    surroundings: &'a Surroundings,
    report: &'a Report<'a>,
) -> Option<Config> {
    section::check(root, report);
    let base = file.parent().unwrap_or(Path::new(""));
    let mut around = Around { report, surroundings, base, store: None };
    around.store = store(&Section::named(root, "store", report), &around);

    let (me, zone, language) = user::me(&Section::named(root, "me", report), &around);
    let mut names = sources::Names::new();
    let of_mail = Section::each(root, "mailbox", report);
    let of_time = Section::each(root, "calendar", report);
    let of_people = Section::each(root, "address_book", report);
    let mailboxes = sources::mailboxes(&of_mail, &mut names, &around);
    let calendars = sources::calendars(&of_time, &mut names, &around);
    let address_books = sources::books(&of_people, &mut names, &around);
    warn_of_sources(root, &of_mail, &of_time, &of_people, report);

    let delivery = delivery::delivery(&Section::named(root, "delivery", report), &me, &mailboxes, &around);
    let control = delivery::control(&Section::named(root, "control", report), &around);
    let zone = zone.unwrap_or_else(|| surroundings.zone.clone());
    let (hours, caps, summary) = user::schedule(&Section::named(root, "schedule", report), zone.clone());
    let rules = user::rules(&Section::named(root, "rules", report));
    let relationships = user::relationships(&Section::named(root, "relationships", report));
    let contacts = user::contacts(&Section::each(root, "contact", report), &me, &relationships);

    let delivery = delivery?;
    let letterhead = Letterhead {
        from: delivery.from.clone(),
        to: Address::new(me.names.first().map(String::as_str), delivery.to.clone()),
        language,
        zone,
        thread: delivery.thread,
    };
    let sources = sources::specs(&mailboxes, &calendars, &address_books, &me);
    let retire = delivery.retire;
    let setup = Setup { me, hours, caps, summary, rules, relationships, contacts, letterhead, retire, sources };
    let store = around.store?;
    Some(Config { setup, store, mailboxes, calendars, address_books, delivery, control, warnings: Vec::new() })
}

fn store(s: &Section<'_>, around: &Around<'_>) -> Option<PathBuf> {
    if s.has("path") {
        return s.text("path", |text| around.path(text));
    }
    let usual = around.surroundings.store();
    if usual.is_none() {
        let what = "where shall the store lie? Neither $XDG_STATE_HOME nor $HOME is set: add\n    \
                    [store]\n    path = \"/var/lib/kithd\"";
        around.report.fault(None, what);
    }
    usual
}

fn warn_of_sources(
    root: &DeTable<'_>,
    mail: &[Section<'_>],
    time: &[Section<'_>],
    people: &[Section<'_>],
    report: &Report<'_>,
) {
    // a section that is there in a wrong form has been told already
    let tried = ["mailbox", "calendar", "address_book"].into_iter().any(|name| root.contains_key(name));
    if mail.is_empty() && time.is_empty() && people.is_empty() {
        if !tried {
            let what = "there is nothing to read: add a [[mailbox]] (or [[calendar]]), for example:\n    \
                        [[mailbox]]\n    name = \"home\"\n    type = \"maildir\"\n    path = \"~/Mail\"";
            report.fault(None, what);
        }
    } else if mail.is_empty() {
        report.warn(None, "there is no [[mailbox]]: kithd sees neither mail nor your answers to reminders");
    }
}

fn read_addr(text: &str) -> Result<AddrSpec, String> {
    AddrSpec::parse(text).ok_or_else(|| "this is no mail address; one looks like alex@example.org".to_string())
}

fn read_span(text: &str, bare_m: BareM) -> Result<Span, String> {
    Span::parse(text, bare_m).ok_or_else(|| {
        let m = if bare_m == BareM::Minutes { "`5m` (minutes)" } else { "`3m` (months)" };
        format!("write a number and a unit: `90min`, `6h`, `3d`, `2w`, `6mo`, `1y`, {m}; at most 100 years")
    })
}
