#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use proptest::prelude::*;

use super::*;
use crate::address::AddrSpec;
use crate::evidence::{ReminderId, Showing};
use crate::time::Timestamp;

fn envelope() -> Envelope {
    Envelope {
        showing: Showing { reminder: ReminderId::of("thanks", "coffee", "x", 1), number: 1 },
        message_id: MessageId::new("0123456789abcdef@kithd.local").unwrap(),
        from: Address::parse("kithd <alex@example.org>").unwrap(),
        to: Address::parse("Alex Doe <alex@example.org>").unwrap(),
        date: Timestamp::parse("2026-05-12T09:00:00Z").unwrap(),
        subject: "Thank Dana Ito for Tuesday's coffee?".into(),
        in_reply_to: MessageId::new("d1@uni.example"),
        references: vec![MessageId::new("d0@uni.example").unwrap(), MessageId::new("d1@uni.example").unwrap()],
        headers: vec![
            ("Auto-Submitted".into(), "auto-generated".into()),
            ("X-Kithd-Reminder".into(), "0011223344556677".into()),
            ("X-Kithd-Rule".into(), "thanks/coffee".into()),
            ("List-Id".into(), "kithd reminders <kithd.local>".into()),
        ],
        text: "You met Dana.\n.\nFrom here\nÜber uns\n--=_x\n".into(),
        html: "<p>You met <b>Dana</b>.</p>".into(),
    }
}

/// Names and unfolded values of the header block; everything after it.
fn parts(bytes: &[u8]) -> (Vec<(String, String)>, String) {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        assert!(!line.contains(['\r', '\n']), "{line:?}");
        assert!(line.len() <= 998, "{line:?}");
        if line.starts_with([' ', '\t']) {
            assert!(!line.trim().is_empty(), "an empty folded line");
            fields.last_mut().unwrap().1.push_str(line);
        } else {
            let (name, value) = line.split_once(':').unwrap();
            fields.push((name.to_string(), value.trim().to_string()));
        }
    }
    (fields, body.to_string())
}

const NAMES: &[&str] = &[
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Kithd-Reminder",
    "X-Kithd-Rule",
    "List-Id",
    "MIME-Version",
    "Content-Type",
];

#[test]
fn the_mail_is_as_the_contract_says() {
    let bytes = format(&envelope()).unwrap();
    let (fields, body) = parts(&bytes);
    assert_eq!(fields.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), NAMES);
    let value = |name: &str| fields.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(value("From"), "kithd <alex@example.org>");
    assert_eq!(value("To"), "\"Alex Doe\" <alex@example.org>");
    assert_eq!(value("Subject"), "Thank Dana Ito for Tuesday's coffee?");
    assert_eq!(value("Date"), "Tue, 12 May 2026 09:00:00 +0000");
    assert_eq!(value("Message-ID"), "<0123456789abcdef@kithd.local>");
    assert_eq!(value("In-Reply-To"), "<d1@uni.example>");
    assert_eq!(value("References"), "<d0@uni.example> <d1@uni.example>");
    assert_eq!(value("List-Id"), "kithd reminders <kithd.local>");
    let boundary = value("Content-Type").split('"').nth(1).unwrap().to_string();
    assert_eq!(body.matches(&format!("--{boundary}\r\n")).count(), 2, "{body}");
    assert!(body.contains("Content-Type: text/plain; charset=utf-8"));
    assert!(body.contains("Content-Type: text/html; charset=utf-8"));
    assert_eq!(body.matches("quoted-printable").count(), 2);
    assert!(body.contains("=C3=9Cber uns\r\n--=3D_x"), "{body}");
    assert!(bytes.is_ascii());
    // the same on a retry
    assert_eq!(bytes, format(&envelope()).unwrap());
}

#[test]
fn what_cannot_be_written_is_refused_in_words() {
    for name in ["", "Bcc", "bcc", "X-A\r\nBcc", "X A", "X:", "Content-Type", "Resent-To", "-x", "Ünder", "Received"] {
        let mut e = envelope();
        e.headers.push((name.into(), "v".into()));
        assert!(format(&e).is_err(), "{name:?}");
    }
    let mut e = envelope();
    e.message_id = MessageId::new("ü@x").unwrap();
    assert!(format(&e).is_err());
    let mut e = envelope();
    e.to.address = AddrSpec::parse("a@-").unwrap();
    assert!(format(&e).unwrap_err().contains("a@-"));
}

#[test]
fn encoded_words_bring_nothing_back() {
    let mut e = envelope();
    e.subject = "=?utf-8?q?a=0D=0ABcc:_v@x?=".into();
    e.from.name = Some("=?utf-8?q?a=E2=80=AE?=".into());
    let bytes = format(&e).unwrap();
    let mail = mail_parser_free_decode(&bytes);
    assert!(!mail.contains("=?utf-8?q?"), "{mail}");
}

/// The header block as text; lettre itself encodes in base64 only.
fn mail_parser_free_decode(bytes: &[u8]) -> String {
    parts(bytes).0.into_iter().map(|(n, v)| format!("{n}: {v}\n")).collect()
}

#[test]
fn times_no_calendar_holds_do_not_panic() {
    for date in [Timestamp::MIN, Timestamp::MAX, Timestamp::from_second(0)] {
        let mut e = envelope();
        e.date = date;
        format(&e).unwrap();
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        Just("\r\nBcc: v@x.example\r\n".to_string()),
        Just("\n\nbody".to_string()),
        Just("\r".to_string()),
        Just("\0".to_string()),
        Just("=?utf-8?b?DQpCY2M6IHY=?=".to_string()),
        Just("\u{2028}\u{85}\u{b}\u{c}".to_string()),
        Just("\"\\<>@,;:()".to_string()),
        Just("a".repeat(300)),
        Just("ж".repeat(90)),
        Just(" ".repeat(90)),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|v| v.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_injects(name in hostile(), subject in hostile(), value in hostile(), id in hostile(),
                       text in hostile(), html in hostile(), address in hostile()) {
        let mut e = envelope();
        // past the constructors that would make it safe
        e.from.name = Some(name);
        e.subject = subject;
        e.headers[2].1 = value;
        e.in_reply_to = MessageId::new(&id);
        e.references = MessageId::new(&id).into_iter().chain(MessageId::new("x@y")).collect();
        e.text = text;
        e.html = html;
        if let Some(address) = AddrSpec::parse(&format!("{address}@x.example")) {
            e.to.address = address;
        }
        if let Ok(bytes) = format(&e) {
            let (fields, body) = parts(&bytes);
            let expected: Vec<&str> = NAMES.iter().copied()
                .filter(|n| *n != "In-Reply-To" || fields.iter().any(|(f, _)| f == "In-Reply-To"))
                .filter(|n| *n != "X-Kithd-Rule" || fields.iter().any(|(f, _)| f == "X-Kithd-Rule"))
                .collect();
            prop_assert_eq!(fields.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), expected);
            prop_assert!(fields.iter().all(|(_, v)| !v.chars().any(char::is_control)));
            let boundary = fields.last().unwrap().1.split('"').nth(1).unwrap().to_string();
            prop_assert_eq!(body.matches(&format!("--{boundary}")).count(), 3);
            prop_assert!(!body.replace("\r\n", "").contains(['\r', '\n']));
        }
    }
}
