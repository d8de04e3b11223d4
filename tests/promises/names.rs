//! What strangers wrote goes through the words, the templates and the mail format of a reminder: no
//! header line more, no control character, nothing that turns text around, no markup, no panic.
//! `KITHD_NAMES=1000000` tries so many.

use std::collections::BTreeMap;

use kithd::address::{AddrSpec, Address};
use kithd::delivery::message::format;
use kithd::evidence::{Envelope, MessageId};
use kithd::identity::ContactId;
use kithd::outbox::compose::{Content, LastContact, Letterhead, compose, message_id, reason};
use kithd::outbox::words::Words;
use kithd::outbox::{Entry, Whom};
use kithd::policy::{About, Fact, Occasion, Verdict};
use kithd::time::{DAY, Timestamp, Zone};

use crate::damage::{Dice, number};

const PARTS: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}",
    "\u{202a}",
    "\u{2066}",
    "\u{2069}",
    "\u{200f}",
    "\u{200b}",
    "\u{feff}",
    "\u{61c}",
    "\u{e0001}",
    "\u{ad}",
    "Bcc: evil@example.net",
    "Subject: x",
    "\r\n\r\nbody",
    "<script>alert(1)</script>",
    "</p>",
    "<img src=x onerror=y>",
    "\"",
    "'",
    "&",
    "&lt;",
    "&#60;",
    "javascript:",
    "\" onclick=\"x",
    "{{ 7*7 }}",
    "{% raw %}",
    "%0d%0aBcc:x",
    "=?utf-8?q?=0d=0aBcc:x?=",
    "=?utf-8?b?DQpCY2M6eA==?=",
    ">",
    "<",
    "@",
    ",",
    ";",
    ":",
    "\\",
    "(",
    ")",
    "[",
    "]",
    ".",
    "..",
    "\n.\r\n",
    " ",
    "\t",
    "Ada",
    "Ito",
    "é",
    "李",
    "🎉",
    "\u{301}",
    "\u{fffd}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

fn hostile(dice: &mut Dice) -> String {
    let mut text = String::new();
    for _ in 0..=dice.below(9) {
        text.push_str(PARTS[dice.below(PARTS.len() as u64) as usize]);
        if dice.below(6) == 0 {
            text.push(char::from_u32(dice.below(0x11_0000) as u32).unwrap_or('x'));
        }
    }
    text
}

const OCCASIONS: &[Occasion] = &[Occasion::ReplyOwed, Occasion::Favour, Occasion::FirstMeeting, Occasion::Promise];

/// A reminder about somebody of this name, who wrote this.
fn reminder(words: &Words, occasion: Occasion, name: &str, quote: &str, subject: &str) -> Envelope {
    let now = Timestamp::parse("2026-05-13T09:31:00Z").unwrap();
    let dana = AddrSpec::parse("dana@uni.example").unwrap();
    let facts = serde_json::json!({ "quote": quote, "meeting": subject, "minutes": 30, "humans": 2, "at": "2026-05-11T08:00:00Z" });
    let mut verdict = Verdict::new(occasion, "t".to_string(), 1, now, now.plus(14 * DAY), 60);
    verdict.facts = serde_json::from_value::<BTreeMap<String, Fact>>(facts).unwrap();
    verdict.about =
        Some(About { message_id: MessageId::new(quote), references: Vec::new(), subject: subject.to_string() });
    // as a contact gets its name
    let named = Address::new(Some(name), dana.clone());
    let name = named.name.unwrap_or_else(|| dana.to_string());
    let whom = Whom { id: ContactId::of(&dana), name, address: Some(dana), relationship: None };
    let why = reason(words, &verdict, &whom.name);
    let mut entry = Entry::of_verdict(&verdict, whom, why);
    let id = entry.id;
    entry.begin(|showing| message_id(&[7; 32], id, showing));
    let content = Content {
        last: vec![LastContact { at: now, kind: "received", subject: subject.to_string() }],
        sent_until: Some(now),
        // as the engine has them of a second reminder about somebody
        also: vec![(kithd::outbox::compose::subject(words, &entry), entry.reason.clone())],
        ..Content::default()
    };
    let me = Address::new(Some("Alex Doe"), AddrSpec::parse("alex@example.org").unwrap());
    let head = Letterhead { from: me.clone(), to: me, language: "en".to_string(), zone: Zone::utc(), thread: true };
    compose(&entry, &content, words, &head, now).unwrap()
}

/// Turns text around, or hides it.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn names(mail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(mail);
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(!head.replace("\r\n", "").contains(|c: char| c.is_control() && c != '\t'), "{head:?}");
    let lines = head.split("\r\n").filter(|l| !l.starts_with([' ', '\t']));
    lines.map(|l| l.split(':').next().unwrap().to_string()).collect()
}

/// How often each character of markup stands in it.
fn markup(html: &str) -> [usize; 3] {
    ['<', '>', '"'].map(|c| html.matches(c).count())
}

#[test]
fn strangers_write_nothing_into_a_reminder() {
    let (count, mut dice) = (number("KITHD_NAMES", 2_000), Dice(number("SEED", 7)));
    let words = Words::new("en", &Zone::utc(), Timestamp::parse("2026-05-13T09:31:00Z").unwrap()).unwrap();
    let plain: Vec<_> = OCCASIONS
        .iter()
        .map(|o| {
            let envelope = reminder(&words, *o, "Dana", "d1@uni.example", "Lunch");
            (names(&format(&envelope).unwrap()), markup(&envelope.html))
        })
        .collect();
    let mut formatted = 0_u64;
    for n in 0..count {
        let (name, quote, subject) = (hostile(&mut dice), hostile(&mut dice), hostile(&mut dice));
        let which = (n % OCCASIONS.len() as u64) as usize;
        let envelope = reminder(&words, OCCASIONS[which], &name, &quote, &subject);
        let what = || format!("{n}: {name:?} {quote:?} {subject:?}\n{}\n{}", envelope.subject, envelope.html);
        for text in [&envelope.subject, &envelope.text, &envelope.html] {
            assert!(!text.contains(is_unseen), "{}", what());
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{}", what());
        }
        assert!(!envelope.subject.contains('\n'), "{}", what());
        // a text of which nothing is left may leave its element out, never add one
        let found = markup(&envelope.html);
        assert!(
            found.iter().zip(plain[which].1).all(|(found, plain)| *found <= plain),
            "{:?} {found:?} {}",
            plain[which].1,
            what()
        );
        let mail = format(&envelope).unwrap_or_else(|e| panic!("{e}: {}", what()));
        formatted += 1;
        let kept = |all: &[String]| {
            all.iter().filter(|n| *n != "In-Reply-To" && *n != "References").cloned().collect::<Vec<_>>()
        };
        assert_eq!(kept(&names(&mail)), kept(&plain[which].0), "{}", what());
    }
    eprintln!("{formatted} names, quotes and subjects: nothing injected");
}
