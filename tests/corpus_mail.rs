//! Reads the mail corpora of others, prints the figures and holds the targets; then reads this
//! project's own messages and compares what was found with the files beside them.
//!
//! The corpora are third-party and no part of this repository: where they are absent the test says
//! that it was skipped.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kithd::evidence::{Class, Role};
use kithd::read::mail::{MailContext, read_message};
use kithd::time::{Timestamp, Zone};

mod measure;

/// The files of a corpus folder, or `None` with a word.
fn there<T>(name: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        println!("skipped: {} is absent", measure::folder().join(name).display());
    }
    found
}

#[test]
fn newsletters_are_no_persons() {
    let Some(score) = there("mail_bulk", measure::bulk(&measure::folder())) else { return };
    score.missed.iter().for_each(|m| println!("missed {m}"));
    println!("bulk recall {:.3} of {}", score.recall(), score.right + score.missed.len());
    assert!(score.recall() >= 0.93);
}

#[test]
fn list_posts_are_no_persons() {
    let Some(mixed) = there("mail_mixed", measure::mixed(&measure::folder())) else { return };
    mixed.posts_as_persons.iter().for_each(|l| println!("list post called person: {l}"));
    mixed.no_persons.iter().for_each(|l| println!("no person: {l}"));
    mixed.persons.iter().for_each(|l| println!("person: {l}"));
    println!("{:?}, {} list posts called person", mixed.classes, mixed.posts_as_persons.len());
    assert!(mixed.posts_as_persons.is_empty());
}

#[test]
fn odd_mail_is_read() {
    let Some(survival) = there("mail_odd", measure::odd_mail(&measure::folder())) else { return };
    println!("odd mail: {survival:?}");
    assert!(survival.panics.is_empty() && survival.undated.is_empty() && survival.unread.len() <= 6);
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
        let Some(text) = there(name, measure::text_of(&measure::folder(), name)) else { return };
        let rows = measure::rows_of(&text).into_iter();
        bodies.extend(
            rows.filter_map(|row| {
                row.get("body").or_else(|| row.get("text")).and_then(|b| b.as_str().map(String::from))
            }),
        );
    }
    let mut wrong = 0;
    for (n, body) in bodies.iter().enumerate() {
        let text = format!("From: Ada <ada@x.example>\nTo: b@y.example\nSubject: s\n\n{body}");
        let message = measure::read_mail(&n.to_string(), text.as_bytes()).unwrap();
        if message.mail.class != Class::Person {
            wrong += 1;
            println!(
                "called a mailing: {}: {:?}",
                measure::line(&n.to_string(), &message),
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
    let Some(files) = there("mail_odd", measure::files_of(&measure::folder(), "mail_odd")) else { return };
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
            let _ = measure::read_mail(name, &damaged);
            slowest = slowest.max(began.elapsed().as_secs_f64());
        }
    }
    println!("{} damaged messages, slowest {:.0} ms", files.len() * 40, slowest * 1e3);
    assert!(slowest < 5.0);
}
