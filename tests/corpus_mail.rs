//! Reads the mail corpora of others, prints the figures and holds the targets; then reads this
//! project's own messages and compares what was found with the files beside them.
//!
//! The corpora are third-party and no part of this repository: where they are absent the test says
//! that it was skipped.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kithd::evidence::{Class, Role};
use kithd::read::mail::{MailContext, Message, read_message};
use kithd::time::{Timestamp, Zone};

fn root() -> PathBuf {
    let beside = |up: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(up).join("shared/corpora");
    match std::env::var_os("KITHD_CORPORA") {
        Some(root) => PathBuf::from(root),
        None if beside("..").is_dir() => beside(".."),
        None => beside("../.."),
    }
}

fn corpora(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let Ok(files) = fs::read_dir(root().join(name)) else {
        println!("skipped: {} is absent", root().join(name).display());
        return None;
    };
    let files = files.map(Result::unwrap);
    let files = files.map(|f| (f.file_name().to_string_lossy().into_owned(), fs::read(f.path()).unwrap()));
    let mut all: Vec<(String, Vec<u8>)> = files.collect();
    all.sort();
    Some(all)
}

fn corpus_file(name: &str) -> Option<String> {
    let text = fs::read_to_string(root().join(name)).ok();
    if text.is_none() {
        println!("skipped: {} is absent", root().join(name).display());
    }
    text
}

fn read(place: &str, bytes: &[u8]) -> Option<Message> {
    let zone = Zone::utc();
    let now = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    let context = MailContext {
        source: "test",
        place,
        role: Role::Inbox,
        arrived_at: now,
        now,
        text_since: Timestamp::MIN,
        zone: &zone,
    };
    read_message(bytes, &context).ok()
}

fn has_header(bytes: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase().replace("\r\n", "\n");
    let block = text.split("\n\n").next().unwrap_or_default().to_string();
    block.lines().any(|l| l.starts_with(name))
}

fn line(name: &str, message: &Message) -> String {
    let mail = &message.mail;
    let from = mail.from.first().map(ToString::to_string).unwrap_or_default();
    format!("{name} {:8} {:60} {:?} {}", mail.class.as_str(), from, mail.subject, mail.class_reasons.join(" "))
}

#[test]
fn newsletters_are_no_persons() {
    let Some(files) = corpora("mail_bulk") else { return };
    let read: Vec<_> = files.iter().map(|(n, b)| (n, read(n, b).unwrap())).collect();
    let missed: Vec<_> = read.iter().filter(|(_, m)| m.mail.class == Class::Person).collect();
    for (name, message) in &missed {
        println!("missed {} points {}", line(name, message), message.mail.signals.bulk_points);
    }
    let recall = 1.0 - missed.len() as f64 / read.len() as f64;
    println!("bulk recall {recall:.3} of {}", read.len());
    assert!(recall >= 0.93);
}

#[test]
fn list_posts_are_no_persons() {
    let Some(files) = corpora("mail_mixed") else { return };
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = 0;
    for (name, bytes) in &files {
        let message = read(name, bytes).unwrap();
        *classes.entry(message.mail.class.as_str()).or_default() += 1;
        let list = has_header(bytes, "list-");
        if list && message.mail.class == Class::Person {
            wrong += 1;
            println!("list post called person: {}", line(name, &message));
        }
        if !list && message.mail.class != Class::Person {
            println!("no person: {}", line(name, &message));
        }
        if message.mail.class == Class::Person {
            println!("person: {} points {}", line(name, &message), message.mail.signals.bulk_points);
        }
    }
    println!("{classes:?}, {wrong} list posts called person");
    assert_eq!(wrong, 0);
}

#[test]
fn odd_mail_is_read() {
    let Some(files) = corpora("mail_odd") else { return };
    let mut unread = Vec::new();
    let mut dates = Vec::new();
    for (name, bytes) in &files {
        match read(name, bytes) {
            Some(message) => dates.extend(message.complaints.iter().map(|c| format!("{name}: {}", c.what))),
            None => unread.push(name),
        }
    }
    println!("odd mail: {} files, not read: {unread:?}, complaints:\n{}", files.len(), dates.join("\n"));
    assert!(unread.len() <= 6, "{unread:?}");
}

/// What was read of a message, one fact a line, without what is empty.
fn printed(path: &Path, bytes: &[u8]) -> String {
    let place = path.file_name().unwrap().to_string_lossy();
    let zone = Zone::named("Europe/Berlin").unwrap();
    let now = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    let context = MailContext {
        source: "test",
        place: &place,
        role: Role::Inbox,
        arrived_at: now,
        now,
        text_since: Timestamp::MIN,
        zone: &zone,
    };
    let mut out = String::new();
    match read_message(bytes, &context) {
        Err(complaint) => writeln!(out, "error: {}", complaint.what).unwrap(),
        Ok(message) => {
            let mail = &message.mail;
            let mut fact = |name: &str, value: String| {
                if !value.is_empty() && value != "None" && value != "[]" {
                    writeln!(out, "{name}: {value}").unwrap();
                }
            };
            let all =
                |list: &[kithd::address::Address]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            fact("message-id", mail.message_id.as_ref().map(ToString::to_string).unwrap_or_default());
            fact("at", mail.at.to_string());
            fact("from", all(&mail.from));
            fact("to", all(&mail.to));
            fact("cc", all(&mail.cc));
            fact("recipients", mail.recipients.to_string());
            fact("in-reply-to", mail.in_reply_to.as_ref().map(ToString::to_string).unwrap_or_default());
            fact("subject", mail.subject.clone());
            fact("class", format!("{} ({})", mail.class.as_str(), mail.class_reasons.join(" ")));
            fact("signals", format!("{:?}", mail.signals));
            fact("attachment", mail.marks().attachment.to_string());
            fact("link", mail.marks().link.to_string());
            fact("out of office", format!("{:?}", mail.out_of_office));
            fact("bounce", format!("{:?}", mail.bounce));
            fact("own", mail.own.clone().unwrap_or_default());
            fact("answer", mail.answer.clone().unwrap_or_default());
            for complaint in &message.complaints {
                fact("complaint", complaint.what.clone());
            }
            writeln!(out, "--- new text\n{}", message.new_text.trim_end()).unwrap();
        }
    }
    out
}

#[test]
fn own_messages_give_what_is_written_beside_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/mail");
    let update = std::env::var_os("UPDATE_EXPECT").is_some_and(|v| v == "1");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "eml"));
    files.sort();
    assert!(files.len() >= 10);
    let mut wrong = Vec::new();
    for path in files {
        let found = printed(&path, &fs::read(&path).unwrap());
        let golden = path.with_extension("txt");
        if update {
            fs::write(golden, found).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Letters of people, put into the plainest of messages: their words alone must not make a mailing.
#[test]
fn letters_of_people_are_no_mailings() {
    let mut bodies = Vec::new();
    for name in ["quotes_enron.jsonl", "quotes_multilingual.jsonl"] {
        let Some(text) = corpus_file(name) else { return };
        let rows = text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
        bodies.extend(
            rows.filter_map(|row| {
                row.get("body").or_else(|| row.get("text")).and_then(|b| b.as_str().map(String::from))
            }),
        );
    }
    let mut wrong = 0;
    for (n, body) in bodies.iter().enumerate() {
        let text = format!("From: Ada <ada@x.example>\nTo: b@y.example\nSubject: s\n\n{body}");
        let message = read(&n.to_string(), text.as_bytes()).unwrap();
        if message.mail.class != Class::Person {
            wrong += 1;
            println!(
                "called a mailing: {}: {:?}",
                line(&n.to_string(), &message),
                body.chars().take(160).collect::<String>()
            );
        }
    }
    println!("{wrong} of {} letters called a mailing", bodies.len());
    assert!(!bodies.is_empty() && wrong * 50 <= bodies.len());
}

/// Every odd message, damaged in many ways by a fixed sequence: nothing panics, nothing hangs.
#[test]
fn damaged_mail_is_survived() {
    let Some(files) = corpora("mail_odd") else { return };
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    let mut slowest = 0.0_f64;
    for (name, bytes) in &files {
        for _ in 0..40 {
            let mut damaged = bytes.clone();
            for _ in 0..=random(12) {
                let at = random(damaged.len());
                match random(4) {
                    0 => damaged.truncate(at),
                    1 => damaged.insert(at, u8::try_from(random(256)).unwrap()),
                    2 => {
                        let piece: Vec<u8> = damaged.iter().skip(at).take(random(200)).copied().collect();
                        let to = random(damaged.len());
                        damaged.splice(to..to, piece);
                    }
                    _ => drop(damaged.splice(at..(at + random(30)).min(damaged.len()), [])),
                }
            }
            let began = std::time::Instant::now();
            let _ = read(name, &damaged);
            slowest = slowest.max(began.elapsed().as_secs_f64());
        }
    }
    println!("{} damaged messages, slowest {:.0} ms", files.len() * 40, slowest * 1e3);
    assert!(slowest < 5.0);
}
