//! What INFERENCE section 9 asks to be measured, on corpora that are no part of the project. The corpus
//! tests hold the figures, `examples/evaluate.rs` prints them: both read this file, so they are the same.
//! Everything measured is the product's own; nothing here knows better than it.
#![allow(dead_code, missing_docs)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use kithd::address::AddrSpec;
use kithd::evidence::{ActKind, Class, Meeting, Role, Speaker};
use kithd::identity::{AddressFacts, ContactId, Me, Merge, People, Ties};
use kithd::read::acts::sentence_acts;
use kithd::read::calendar::{CalendarContext, read_calendar};
use kithd::read::mail::{MailContext, Message, read_message};
use kithd::read::new_text::new_text;
use kithd::time::{Date, Timestamp, Zone};

/// Where the corpora lie: `$KITHD_CORPORA`, else `shared/corpora` beside the project.
pub fn folder() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    std::env::var_os("KITHD_CORPORA").map_or(beside, PathBuf::from)
}

/// A corpus file, or `None` where a stranger's checkout does not have it.
pub fn text_of(folder: &Path, name: &str) -> Option<String> {
    fs::read(folder.join(name)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The files of a corpus folder by name; `None` where it is absent or empty.
pub fn files_of(folder: &Path, name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let files = fs::read_dir(folder.join(name)).ok()?.map(Result::unwrap).filter(|f| f.path().is_file());
    let read = |f: fs::DirEntry| (f.file_name().to_string_lossy().into_owned(), fs::read(f.path()).unwrap());
    let mut all: Vec<(String, Vec<u8>)> = files.map(read).collect();
    all.sort();
    (!all.is_empty()).then_some(all)
}

pub fn rows_of(text: &str) -> Vec<serde_json::Value> {
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str(l).unwrap()).collect()
}

pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// What was found against what is there.
#[derive(Clone, Debug, Default)]
pub struct Score {
    pub right: usize,
    pub wrong: Vec<String>,
    pub missed: Vec<String>,
}

impl Score {
    pub fn precision(&self) -> f64 {
        share(self.right, self.right + self.wrong.len())
    }

    pub fn recall(&self) -> f64 {
        share(self.right, self.right + self.missed.len())
    }

    /// With `KITHD_SHOW` set, what went wrong.
    pub fn show(&self) {
        if std::env::var_os("KITHD_SHOW").is_some() {
            self.wrong.iter().for_each(|w| println!("wrong  {w}"));
            self.missed.iter().for_each(|m| println!("missed {m}"));
        }
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "P {:.3}, R {:.3}", self.precision(), self.recall())
    }
}

// -- new text -------------------------------------------------------------------------------------------

/// White space folded.
pub fn fold(s: &str) -> String {
    s.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Exact matches of new text; of a corpus without splits, `split` takes all of it.
pub fn quotes(folder: &Path, file: &str, split: Option<&str>) -> Option<Score> {
    let rows = rows_of(&text_of(folder, file)?);
    let split = split.filter(|_| rows.iter().any(|r| r["split"].is_string()));
    let mut score = Score::default();
    for row in rows.iter().filter(|r| split.is_none_or(|s| r["split"] == s)) {
        let (text, wanted) = (row["text"].as_str().unwrap(), row["new_text"].as_str().unwrap());
        let found = new_text(text).text;
        if fold(&found) == fold(wanted) {
            score.right += 1;
        } else {
            score.missed.push(format!("{}\n--- found\n{found}\n--- expected\n{wanted}", row["id"]));
        }
    }
    Some(score)
}

// -- classes --------------------------------------------------------------------------------------------

/// Reads one message as a source would.
pub fn read_mail(place: &str, bytes: &[u8]) -> Option<Message> {
    let zone = Zone::utc();
    let now = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    let context = MailContext {
        source: "corpus",
        place,
        role: Role::Inbox,
        arrived_at: now,
        now,
        text_since: Timestamp::MIN,
        zone: &zone,
    };
    read_message(bytes, &context).ok()
}

/// What was read of a message, in one line.
pub fn line(name: &str, message: &Message) -> String {
    let mail = &message.mail;
    let from = mail.from.first().map(ToString::to_string).unwrap_or_default();
    let reasons = mail.class_reasons.join(" ");
    format!("{name} {:8} {from:60} {:?} {reasons} {}", mail.class.as_str(), mail.subject, mail.signals.bulk_points)
}

pub fn has_header(bytes: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase().replace("\r\n", "\n");
    text.split("\n\n").next().unwrap_or_default().lines().any(|l| l.starts_with(name))
}

/// Newsletters that are not called a person's mail.
pub fn bulk(folder: &Path) -> Option<Score> {
    let mut score = Score::default();
    for (name, bytes) in files_of(folder, "mail_bulk")? {
        match read_mail(&name, &bytes) {
            Some(message) if message.mail.class == Class::Person => score.missed.push(line(&name, &message)),
            _ => score.right += 1,
        }
    }
    Some(score)
}

#[derive(Clone, Debug, Default)]
pub struct Mixed {
    pub classes: BTreeMap<&'static str, usize>,
    /// Posts with list headers called a person's mail.
    pub posts_as_persons: Vec<String>,
    /// Without list headers and yet not called a person's: to be read.
    pub no_persons: Vec<String>,
    pub persons: Vec<String>,
}

pub fn mixed(folder: &Path) -> Option<Mixed> {
    let mut mixed = Mixed::default();
    for (name, bytes) in files_of(folder, "mail_mixed")? {
        let Some(message) = read_mail(&name, &bytes) else { continue };
        *mixed.classes.entry(message.mail.class.as_str()).or_default() += 1;
        let to = match (has_header(&bytes, "list-"), message.mail.class == Class::Person) {
            (true, true) => &mut mixed.posts_as_persons,
            (false, true) => &mut mixed.persons,
            (false, false) => &mut mixed.no_persons,
            (true, false) => continue,
        };
        to.push(line(&name, &message));
    }
    Some(mixed)
}

// -- acts -----------------------------------------------------------------------------------------------

/// Sentences with one of the `kinds`; what is not labelled 0 or 1 is left out.
pub fn acts(folder: &Path, file: &str, kinds: &[ActKind], split: Option<&str>) -> Option<Score> {
    let written_on: Date = "2001-05-16".parse().unwrap();
    let mut score = Score::default();
    for row in rows_of(&text_of(folder, file)?).iter().filter(|r| split.is_none_or(|s| r["split"] == s)) {
        let (Some(label), Some(text)) = (row["label"].as_i64(), row["text"].as_str()) else { continue };
        let found = sentence_acts(text, written_on).iter().any(|a| kinds.contains(&a.kind));
        match (found, label == 1) {
            (true, true) => score.right += 1,
            (true, false) => score.wrong.push(text.to_string()),
            (false, true) => score.missed.push(text.to_string()),
            (false, false) => {}
        }
    }
    Some(score)
}

// -- identity -------------------------------------------------------------------------------------------

/// Pairs that are one person's: of aliases (a name with an address, as the corpus lists them), and of
/// addresses alone, which is the harder half of the same.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    pub rows: usize,
    pub of_aliases: Score,
    pub of_addresses: Score,
    /// How often each reason was right and wrong.
    pub reasons: BTreeMap<String, (usize, usize)>,
}

/// What stands in the address column is not always an address.
fn address(text: &str) -> AddrSpec {
    let kept = |c: &char| c.is_alphanumeric() || "@.+-_()".contains(*c);
    let plain: String = text.chars().filter(kept).collect();
    let made_up = || AddrSpec::parse(&format!("{}@no-domain.local", plain.replace('@', "-")));
    AddrSpec::parse(&plain).or_else(made_up).unwrap_or_else(|| AddrSpec::parse("empty@no-domain.local").unwrap())
}

/// Which half a person of the corpus belongs to: the rules were made on half 0.
pub fn half_of(id: &str) -> u8 {
    blake3::hash(id.as_bytes()).as_bytes()[0] & 1
}

/// All rows count as tied, as if the user had written to each of them.
pub fn aliases(folder: &Path, half: Option<u8>) -> Option<Aliases> {
    let text = text_of(folder, "aliases_sympy.tsv")?;
    let mut addresses: BTreeMap<AddrSpec, AddressFacts> = BTreeMap::new();
    let mut rows: Vec<(&str, AddrSpec)> = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let [id, name, addr, count, ..] = cells.as_slice() else { continue };
        let Some(count) = count.parse().ok().filter(|_| half.is_none_or(|h| half_of(id) == h)) else { continue };
        let addr = address(addr);
        let facts = addresses.entry(addr.clone()).or_default();
        facts.sent = 1;
        facts.see_name(name);
        facts.names.iter_mut().filter(|(n, _)| n == name).for_each(|(_, c)| *c = (*c).max(count));
        rows.push((id, addr));
    }
    let people = People::resolve(&Me::default(), &addresses, &Ties::default(), &[]);
    let ids: BTreeMap<&AddrSpec, ContactId> =
        addresses.keys().filter_map(|a| Some((a, people.contact_of(a).filter(|c| c.person)?.id))).collect();
    let same = |a: &AddrSpec, b: &AddrSpec| ids.get(a).is_some_and(|id| ids.get(b) == Some(id));
    let who = |a: &AddrSpec| {
        let names = addresses[a].names.iter().map(|(n, _)| n.as_str());
        format!("{a} {:?}", names.collect::<Vec<_>>())
    };
    let mut all = Aliases { rows: rows.len(), ..Aliases::default() };
    let mut true_addresses: BTreeSet<(&AddrSpec, &AddrSpec)> = BTreeSet::new();
    for (i, (id, a)) in rows.iter().enumerate() {
        for (other, b) in &rows[i + 1..] {
            let together = same(a, b);
            if id == other {
                true_addresses.insert((a.min(b), a.max(b)));
            }
            count(&mut all.of_aliases, together, id == other, || format!("{} | {}", who(a), who(b)));
        }
    }
    let known: Vec<&AddrSpec> = addresses.keys().collect();
    for (i, a) in known.iter().enumerate() {
        for b in &known[i + 1..] {
            let together = same(a, b);
            let is_true = true_addresses.contains(&(*a, *b));
            count(&mut all.of_addresses, together, is_true, || format!("{} | {}", who(a), who(b)));
        }
    }
    for merge in people.contacts().flat_map(|c| &c.merges) {
        let Merge { a, b, reasons, .. } = merge;
        let seen = all.reasons.entry(reasons.join(", ")).or_default();
        if true_addresses.contains(&(a.min(b), a.max(b))) { seen.0 += 1 } else { seen.1 += 1 }
    }
    Some(all)
}

fn count(score: &mut Score, found: bool, is_true: bool, what: impl Fn() -> String) {
    match (found, is_true) {
        (true, true) => score.right += 1,
        (true, false) => score.wrong.push(what()),
        (false, true) => score.missed.push(what()),
        (false, false) => {}
    }
}

// -- speed ----------------------------------------------------------------------------------------------

/// Letters of people with what they quote, as the messages they were: the head is made up, the text is theirs.
pub fn letters(folder: &Path) -> Option<Vec<Vec<u8>>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for name in ["quotes_enron.jsonl", "quotes_multilingual.jsonl"] {
        for row in rows_of(&text_of(folder, name)?) {
            let (n, text) = (all.len(), row["text"].as_str().unwrap());
            let head = "Return-Path: <dana@uni.example>\r\nReceived: from mx.uni.example (mx.uni.example [192.0.2.7])\r\n \
                        by mail.example.org with ESMTPS; Tue, 12 May 2026 09:00:02 +0200\r\n\
                        From: Dana Ito <dana@uni.example>\r\nTo: Alex Doe <alex@example.org>\r\nSubject: Re: Slides\r\n\
                        Date: Tue, 12 May 2026 09:00:00 +0200\r\nMIME-Version: 1.0\r\n\
                        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
            all.push(format!("{head}Message-ID: <{n}@uni.example>\r\n\r\n{text}").into_bytes());
        }
    }
    Some(all)
}

// -- survival -------------------------------------------------------------------------------------------

#[derive(Clone, Debug, Default)]
pub struct Survival {
    pub files: usize,
    pub panics: Vec<String>,
    /// Files that gave nothing at all.
    pub unread: Vec<String>,
    /// With a date that is there and was not read.
    pub undated: Vec<String>,
    pub complaints: usize,
}

/// Odd mail: a date that stands in `Date` after 1995 has to be the message's.
pub fn odd_mail(folder: &Path) -> Option<Survival> {
    let mut survival = Survival::default();
    for (name, bytes) in files_of(folder, "mail_odd")? {
        survival.files += 1;
        match catch_unwind(|| read_mail(&name, &bytes)) {
            Err(_) => survival.panics.push(name),
            Ok(None) => survival.unread.push(name),
            Ok(Some(message)) => {
                survival.complaints += message.complaints.len();
                let year = Zone::utc().local(message.mail.at).year();
                if plain_year(&bytes).is_some_and(|y| (1996..=2026).contains(&y) && (year - y).abs() > 1) {
                    survival.undated.push(name);
                }
            }
        }
    }
    Some(survival)
}

/// The year of a `Date` header in RFC 5322's form, found without the reader.
fn plain_year(bytes: &[u8]) -> Option<i16> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let header = text.split("\n\n").next()?.lines().find(|l| l.to_ascii_lowercase().starts_with("date:"))?;
    let words: Vec<&str> = header[5..].split_whitespace().collect();
    let at = words.iter().position(|w| MONTHS.contains(w))?;
    let day: u8 = words.get(at.checked_sub(1)?)?.parse().ok()?;
    let year = words.get(at + 1).filter(|y| y.len() == 4)?;
    (1..=28).contains(&day).then(|| year.parse().ok()).flatten()
}

/// Calendars: where a start is written plainly, some meeting has to lie near it.
pub fn odd_calendars(folder: &Path) -> Option<Survival> {
    let mut survival = Survival::default();
    for (name, bytes) in files_of(folder, "calendars")? {
        survival.files += 1;
        let read = || {
            let zone = Zone::named("Europe/Berlin").unwrap();
            let context = CalendarContext {
                source: "corpus",
                place: &name,
                speaker: Speaker::Feed("corpus".into()),
                read_at: Timestamp::parse("2026-05-20T00:00:00Z").unwrap(),
                from: Timestamp::parse("1900-01-01T00:00:00Z").unwrap(),
                until: Timestamp::parse("2100-01-01T00:00:00Z").unwrap(),
                zone: &zone,
            };
            let mut meetings: Vec<Meeting> = Vec::new();
            let reading = read_calendar(std::io::Cursor::new(&bytes), &context, &mut |m| meetings.push(m));
            (reading.complaints.len(), meetings)
        };
        let Ok((complaints, meetings)) = catch_unwind(read) else {
            survival.panics.push(name);
            continue;
        };
        survival.complaints += complaints;
        let years = start_years(&String::from_utf8_lossy(&bytes));
        let near = |m: &Meeting| {
            let year = Zone::utc().local(m.revisions[0].start).year();
            years.iter().any(|y| (year - y).abs() <= 1)
        };
        if !years.is_empty() && !meetings.iter().any(near) {
            survival.undated.push(name);
        }
    }
    Some(survival)
}

/// Years of the plainly readable `DTSTART`s of events, found without the reader.
fn start_years(text: &str) -> BTreeSet<i16> {
    let mut inside = 0;
    let mut years = BTreeSet::new();
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace("\n ", "").replace("\n\t", "");
    for line in text.lines() {
        let upper = line.trim().to_ascii_uppercase();
        match upper.as_str() {
            "BEGIN:VEVENT" => inside = 1,
            "END:VEVENT" => inside = 0,
            _ if upper.starts_with("BEGIN:") && inside > 0 => inside += 1,
            _ if upper.starts_with("END:") && inside > 0 => inside -= 1,
            _ => {}
        }
        let Some(value) = upper.strip_prefix("DTSTART").filter(|_| inside == 1) else { continue };
        let value = value.rsplit(':').next().unwrap_or("");
        let (date, time) = value.split_once('T').unwrap_or((value, "000000"));
        let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
        let time = time.trim_end_matches('Z');
        if !digits(date, 8) || !digits(time, 6) || time >= "240000" {
            continue;
        }
        let (year, month, day): (i16, u8, u8) =
            (date[..4].parse().unwrap(), date[4..6].parse().unwrap(), date[6..].parse().unwrap());
        if (1..=12).contains(&month) && (1..=28).contains(&day) && year >= 1 {
            years.insert(year);
        }
    }
    years
}
