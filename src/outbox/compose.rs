//! An entry to a mail: headers, text and HTML from one context. Part of `outbox`.
//!
//! Invariant: whatever people wrote reaches a header only through `safe_text` and HTML only escaped.

use std::collections::BTreeMap;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use super::words::Words;
use super::{Entry, EntryKind};
use crate::address::{Address, safe_text};
use crate::evidence::{Envelope, MessageId};
use crate::limits;
use crate::policy::{Fact, Verdict};
use crate::time::{Timestamp, Zone};

/// Whom the mail is from and to, and how it is to be written.
#[derive(Clone, PartialEq, Debug)]
pub struct Letterhead {
    /// `From`.
    pub from: Address,
    /// `To`: the user.
    pub to: Address,
    /// Language of the words.
    pub language: String,
    /// Zone of the dates.
    pub zone: Zone,
    /// Show it in the conversation it is about.
    pub thread: bool,
}

/// One line of "last contacts".
#[derive(Clone, PartialEq, Debug)]
pub struct LastContact {
    /// When.
    pub at: Timestamp,
    /// `sent`, `received` or `met`.
    pub kind: &'static str,
    /// Subject or summary.
    pub subject: String,
}

/// A list of a summary, a help mail or a notice.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Section {
    /// Heading.
    pub title: String,
    /// A sentence before the lines, or instead of them.
    pub text: String,
    /// Lines are items that an answer can name by number.
    pub numbered: bool,
    /// Lines.
    pub lines: Vec<Line>,
}

/// One line: what, and beneath it why.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Line {
    /// What.
    pub head: String,
    /// Why; may be empty.
    pub body: String,
    /// A picture of what `body` says.
    pub bar: Option<Bar>,
}

/// Silence against rhythm, in percent of a bar that is [`Bar::INTERVALS`] usual intervals long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Bar {
    /// The part within the usual interval.
    pub within: i64,
    /// The part beyond it.
    pub beyond: i64,
    /// What is empty.
    pub rest: i64,
}

impl Bar {
    const INTERVALS: i64 = 3;

    /// `days` of silence where `usual` are usual.
    pub fn new(days: i64, usual: i64) -> Bar {
        let full = usual.max(1).saturating_mul(Bar::INTERVALS);
        let filled = days.clamp(0, full).saturating_mul(100) / full;
        let within = filled.min(100 / Bar::INTERVALS);
        Bar { within, beyond: filled - within, rest: 100 - filled }
    }
}

/// What a mail says beside its entry.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Content {
    /// Subject; empty: by the entry's occasion.
    pub subject: String,
    /// First paragraph; empty: the entry's reason.
    pub intro: String,
    /// The last three contacts, latest first.
    pub last: Vec<LastContact>,
    /// Sent was read up to then.
    pub sent_until: Option<Timestamp>,
    /// Others merged into this mail: subject and reason.
    pub also: Vec<(String, String)>,
    /// Lists.
    pub sections: Vec<Section>,
    /// How to answer.
    pub how: String,
}

/// The context of a verdict's templates.
fn facts(facts: &BTreeMap<String, Fact>, name: &str, step: u32) -> Value {
    let mut all: BTreeMap<String, Value> = facts.iter().map(|(k, v)| (k.clone(), Value::from(Serde(v)))).collect();
    all.insert("name".to_string(), Value::from(name));
    all.insert("step".to_string(), Value::from(step));
    Value::from(all)
}

/// The subject of an entry of an occasion.
pub fn subject(words: &Words, entry: &Entry) -> String {
    let name = entry.whom.as_ref().map_or("", |w| &w.name);
    let text = words.phrase("subject", &entry.occasion, &facts(&entry.facts, name, entry.step));
    safe_text(&text, limits::SUBJECT_BYTES)
}

/// Why a verdict asks for a reminder, in the user's words.
pub fn reason(words: &Words, verdict: &Verdict, name: &str) -> String {
    let text = words.phrase("reason", verdict.occasion.as_str(), &facts(&verdict.facts, name, verdict.step));
    safe_text(&text, 4 * limits::SENTENCE_BYTES)
}

/// Writes the mail of an entry that has begun its showing.
pub fn compose(entry: &Entry, content: &Content, words: &Words, head: &Letterhead, now: Timestamp) -> Option<Envelope> {
    let message_id = entry.message_id.clone()?;
    let subject = if content.subject.is_empty() {
        subject(words, entry)
    } else {
        safe_text(&content.subject, limits::SUBJECT_BYTES)
    };
    let name = entry.whom.as_ref().map_or("", |w| &w.name);
    let is_reminder = entry.kind == EntryKind::Reminder;
    let nothing = Value::from(BTreeMap::<String, Value>::new());
    let last: Vec<Value> = content.last.iter().map(|l| last_line(l, words, &nothing)).collect();
    let also: Vec<Value> = content.also.iter().map(|(s, r)| context! { subject => s, reason => r }).collect();
    let until = content.sent_until.filter(|_| entry.needs.sent).map(|t| t.to_string());
    let named = context! { name => name, id => entry.id.to_string(), until => until.clone() };
    let how =
        if content.how.is_empty() && is_reminder { words.phrase("mail", "how", &named) } else { content.how.clone() };
    let view = context! {
        language => words.language,
        subject => subject.clone(),
        reason => if content.intro.is_empty() { &entry.reason } else { &content.intro },
        coverage => until.as_ref().map(|_| words.phrase("mail", "sent_until", &named)),
        mailto => mailto(entry),
        colon => words.phrase("mail", "colon", &nothing),
        write_word => words.phrase("mail", "write_to", &named),
        last => last,
        last_word => words.phrase("mail", "last_contacts", &nothing),
        also => also,
        also_word => words.phrase("mail", "also", &nothing),
        sections => Value::from(Serde(&content.sections)),
        how => how,
    };
    let (text, html) = render(&view);
    let about = entry.about.as_ref().filter(|_| head.thread);
    let in_reply_to = about.and_then(|a| a.message_id.clone());
    let mut references = about.map(|a| a.references.clone()).unwrap_or_default();
    references.extend(in_reply_to.clone());
    Some(Envelope {
        showing: entry.showing(),
        message_id,
        from: head.from.clone(),
        to: head.to.clone(),
        date: now,
        subject,
        in_reply_to,
        references,
        headers: headers(entry),
        text,
        html,
    })
}

fn last_line(l: &LastContact, words: &Words, nothing: &Value) -> Value {
    context! { day => words.day(l.at), kind => words.phrase("mail", l.kind, nothing), subject => safe_text(&l.subject, limits::SUBJECT_BYTES) }
}

fn headers(entry: &Entry) -> Vec<(String, String)> {
    let header = |name: &str, value: String| (name.to_string(), value);
    vec![
        header("Auto-Submitted", "auto-generated".to_string()),
        header("X-Kithd-Reminder", entry.id.to_string()),
        header("X-Kithd-Rule", format!("{}/{}", entry.rule, entry.occasion)),
        header("List-Id", "kithd reminders <kithd.local>".to_string()),
    ]
}

/// RFC 6068: the address, the subject of the thread, and the mail it answers.
fn mailto(entry: &Entry) -> Option<String> {
    let whom = entry.whom.as_ref().filter(|_| entry.kind == EntryKind::Reminder)?;
    let mut addresses: Vec<String> = match entry.facts.get("addresses") {
        Some(Fact::List(all)) => all.clone(),
        _ => Vec::new(),
    };
    if addresses.is_empty() {
        addresses.push(whom.address.as_ref()?.to_string());
    }
    let mut link = format!("mailto:{}", addresses.iter().map(|a| encode(a)).collect::<Vec<_>>().join(","));
    if let Some(about) = &entry.about {
        let bare = crate::ledger::rhythm::thread_name(&about.subject);
        let tail = about.subject.len().saturating_sub(bare.len());
        let subject = about.subject.get(tail..).unwrap_or(&about.subject);
        link.push_str(&format!("?subject={}", encode(&format!("Re: {subject}"))));
        if let Some(id) = &about.message_id {
            link.push_str(&format!("&In-Reply-To={}", encode(&format!("<{id}>"))));
        }
    }
    Some(link)
}

/// Percent-encoding (RFC 3986): everything but unreserved characters and `@`.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn render(view: &Value) -> (String, String) {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|name| if name == "html" { AutoEscape::Html } else { AutoEscape::None });
    let render = |name: &str, template: &str| environment.render_named_str(name, template, view).unwrap_or_default();
    (render("text", include_str!("mail.txt")) + "\n", render("html", include_str!("mail.html")) + "\n")
}

/// Message-ID of a showing: keyed by the secret of the store, so that nobody can guess it; the same
/// on every retry. 44 characters.
pub fn message_id(secret: &[u8; 32], reminder: crate::evidence::ReminderId, showing: u32) -> Option<MessageId> {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    hasher.update(&reminder.bytes()).update(&showing.to_be_bytes());
    let hex: String = hasher.finalize().to_hex().chars().take(32).collect();
    MessageId::new(&format!("{hex}@kithd.local"))
}
