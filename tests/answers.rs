//! Answers by mail, read from a real IMAP server: 100 genuine ones from ten clients all count, 200 forged ones
//! do not, and no answer of a machine starts a loop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(clippy::string_slice, dead_code, missing_docs)]

#[path = "servers/bed.rs"]
mod bed;
#[path = "servers/canary.rs"]
mod canary;
#[path = "servers/certs.rs"]
mod certs;
#[path = "servers/dovecot.rs"]
mod dovecot;
#[path = "servers/exim.rs"]
mod exim;
#[path = "answers/forged.rs"]
mod forged;
#[path = "servers/life.rs"]
mod life;
#[path = "servers/proxy.rs"]
mod proxy;
#[path = "servers/raw.rs"]
mod raw;
#[path = "answers/styles.rs"]
mod styles;

use std::collections::BTreeMap;

use kithd::time::{DAY, now};
use serde_json::Value;

use life::{Life, letter};
use raw::Raw;
use styles::{Reminder, STYLES, head};

const PEOPLE: usize = 100;

/// A hundred people the user knows; each asked something nine days ago.
fn everybody_waits(raw: &mut Raw) {
    let me = styles::ME;
    for n in 0..PEOPLE {
        // no two of one name, or of nearly one
        let first = ["Ada", "Ben", "Cleo", "Dirk", "Edda", "Finn", "Greta", "Hugo", "Ines", "Jarl"][n % 10];
        let last = ["Okafor", "Lindqvist", "Marais", "Tanaka", "Brandt", "Sousa", "Petrov", "Quill", "Weiss", "Yildiz"]
            [n / 10];
        let who = format!("{first} {last} <p{n}@firm{n}.example>");
        let letters = [
            ("Sent", letter(me, &who, &format!("News {n}"), &format!("a{n}@example.org"), 90, "Hello, how are you?")),
            (
                "INBOX",
                letter(&who, me, &format!("Re: News {n}"), &format!("b{n}@firm{n}.example"), 89, "Fine, thanks."),
            ),
            (
                "INBOX",
                letter(
                    &who,
                    me,
                    &format!("Deck {n}"),
                    &format!("q{n}@firm{n}.example"),
                    9,
                    "Could you send me the deck?",
                ),
            ),
        ];
        for (folder, text) in letters {
            raw.append(folder, "\\Seen", &text);
        }
    }
}

/// The reminders that were delivered, by the number of the person they are about.
fn delivered(life: &Life) -> BTreeMap<usize, Reminder> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(life.bed.path("reminders/new")).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let mail = mail_parser::MessageParser::default().parse(&text).unwrap();
        if !mail.header_raw("X-Kithd-Rule").unwrap_or_default().trim().starts_with("reply_owed/") {
            continue;
        }
        let about = mail.in_reply_to().as_text().unwrap().to_string();
        let n = about[1..about.find('@').unwrap()].parse().unwrap();
        let reminder = Reminder {
            message_id: mail.message_id().unwrap().to_string(),
            subject: mail.subject().unwrap().to_string(),
            text: mail.body_text(0).unwrap().to_string(),
            html: mail.body_html(0).unwrap().to_string(),
        };
        found.insert(n, reminder);
    }
    found
}

fn helps(life: &Life) -> usize {
    let all = std::fs::read_dir(life.bed.path("reminders/new")).unwrap().flatten();
    all.filter(|e| std::fs::read_to_string(e.path()).unwrap().contains("X-Kithd-Rule: help/")).count()
}

/// Reminders and people as they stand, by the number of the person.
fn standing(life: &Life) -> BTreeMap<usize, Value> {
    let mut found = BTreeMap::new();
    let number = |address: &Value| address.as_str()?.strip_prefix('p')?.split('@').next()?.parse::<usize>().ok();
    for row in life.json(&["contacts", "--all", "--json"]).as_array().unwrap() {
        let Some(n) = number(&row["addresses"][0]) else { continue };
        let person = serde_json::json!({
            "relationship": row["relationship"], "every_days": row["every_days"], "every_from": row["every_from"],
            "muted": row["muted"], "meetings": row["counts"]["meetings"], "received": row["counts"]["received"],
            "sent": row["counts"]["sent"], "is_contact": row["is_contact"],
        });
        found.insert(n, person);
    }
    for row in life.json(&["reminders", "--all", "--json"]).as_array().unwrap() {
        let Some(n) = number(&row["contact"]["address"]) else { continue };
        let state = serde_json::json!([row["state"], row["closed_by"]]);
        found.get_mut(&n).unwrap()["reminders"][row["id"].as_str().unwrap()] = state;
    }
    found
}

fn life() -> Life {
    let mut life = Life::new();
    life.schedule = "per_day = 20\n".to_string();
    life
}

/// What is said to a reminder, and what must come of it.
type Command = (&'static str, fn(&Value) -> bool);

fn commands() -> [Command; 8] {
    [
        ("done", |v| v["reminders"].as_object().unwrap().values().any(|r| r[0] == "done" && r[1] == "user")),
        ("Snooze 2w", |v| v["reminders"].as_object().unwrap().values().any(|r| r[0] == "snoozed")),
        ("every 3m", |v| v["every_from"] == "user" && (89..=92).contains(&v["every_days"].as_i64().unwrap())),
        ("mentor", |v| v["relationship"] == "mentor"),
        ("DISMISS", |v| v["reminders"].as_object().unwrap().values().any(|r| r[0] == "dismissed")),
        ("mute", |v| v["muted"] == true),
        ("snooze tomorrow.", |v| v["reminders"].as_object().unwrap().values().any(|r| r[0] == "snoozed")),
        ("ignore", |v| v["is_contact"] == false),
    ]
}

#[test]
fn genuine_answers_count_and_forged_ones_do_not() {
    let life = life();
    let mut raw = life.raw();
    everybody_waits(&mut raw);
    for ago in (0..6).rev() {
        let at = now().minus(ago * DAY).to_string();
        let said = if ago > 0 { life.kithd(&["run", "--once", "--at", &at]) } else { life.round() };
        assert_eq!(said.code, 0, "{said:?}");
    }
    let reminders = delivered(&life);
    if std::env::var_os("KITHD_SHOW").is_some() {
        eprintln!("{}\n{}", life.kithd(&["reminders", "--all"]).out, life.kithd(&["plan"]).out);
    }
    assert_eq!(reminders.len(), PEOPLE, "{:?}", reminders.keys());

    // 200 forged ones change nothing, and are not even answered
    let before = standing(&life);
    let mut forged = 0;
    for (n, reminder) in &reminders {
        let all = forged::all(reminder, *n);
        for kind in [n % all.len(), (n + all.len() / 2) % all.len()] {
            raw.append(all[kind].0, "\\Seen", &all[kind].1);
            forged += 1;
        }
    }
    assert_eq!(forged, 200);
    life.round();
    let after = standing(&life);
    let changed: Vec<_> = before
        .iter()
        .filter(|(n, was)| after[n] != **was)
        .map(|(n, was)| format!("{} or {}: {was} -> {}", n % 20, (n + 10) % 20, after[n]))
        .collect();
    assert!(changed.is_empty(), "one of these kinds: {}", changed.join("\n"));
    assert_eq!(helps(&life), 0);
    let people = life.json(&["contacts", "--all", "--json"]);
    let mallory = people.as_array().unwrap().iter().find(|c| c["addresses"][0] == "mallory@evil.example");
    assert!(mallory.is_none_or(|m| m["counts"]["meetings"] == 0), "{mallory:?}");

    // 100 genuine ones all count, whatever they are written with
    let commands = commands();
    let mut posted = Vec::new();
    for (n, reminder) in &reminders {
        let (say, _) = commands[n / STYLES.len() % commands.len()];
        let mail =
            format!("{}{}", head(reminder, &format!("answer{n}@example.org")), STYLES[n % STYLES.len()](reminder, say));
        raw.append("Sent", "\\Seen", &mail);
        posted.push(mail);
    }
    life.round();
    let after = standing(&life);
    let mut missed = Vec::new();
    for n in reminders.keys() {
        let (say, came) = commands[n / STYLES.len() % commands.len()];
        if !came(&after[n]) {
            missed.push(format!("{n}: style {}, {say}: {}", n % STYLES.len(), after[n]));
        }
    }
    assert!(missed.is_empty(), "{} missed\n{}", missed.len(), missed.join("\n"));
    assert_eq!(helps(&life), 0);

    // said again by whoever has a copy, they say nothing: the latest word stays
    let said = life.kithd(&["set", "p30@firm30.example", "--relationship", "peer"]);
    assert_eq!(said.code, 0, "{said:?}");
    let before = standing(&life);
    assert_eq!(before[&30]["relationship"], "peer");
    for mail in &posted {
        raw.append("INBOX", "", mail);
    }
    life.round();
    let after = standing(&life);
    for (n, was) in &before {
        assert_eq!(after[n], *was, "{n}");
    }
}

/// The user's own address answers by itself, as some do without saying so.
#[test]
fn a_machine_of_the_user_s_own_starts_no_loop() {
    let life = life();
    let mut raw = life.raw();
    life.ada_waits(&mut raw);
    life.round();
    let reminders = |life: &Life| std::fs::read_dir(life.bed.path("reminders/new")).unwrap().count();
    assert_eq!(reminders(&life), 1);
    let mut answered = std::collections::BTreeSet::new();
    let mut mails = Vec::new();
    for turn in 0..6 {
        for entry in std::fs::read_dir(life.bed.path("reminders/new")).unwrap().flatten() {
            if !answered.insert(entry.file_name()) {
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let mail = mail_parser::MessageParser::default().parse(&text).unwrap();
            let parent = mail.message_id().unwrap();
            // a copy of what was delivered lies in the inbox, and the machine's answer in both folders
            raw.append("INBOX", "", &text);
            let out = format!(
                "From: {}\nTo: {}\nSubject: Away\nDate: {}\nMessage-ID: <away{turn}@example.org>\nIn-Reply-To: <{parent}>\n\nI am away until Monday.\n",
                styles::ME,
                styles::KITHD,
                life::date(0)
            );
            raw.append("INBOX", "", &out);
            raw.append("Sent", "", &out);
            mails.push(mail.subject().unwrap().to_string());
        }
        life.round();
    }
    // the reminder, and one word of help: the machine's answer to that is left alone
    assert_eq!((reminders(&life), helps(&life)), (2, 1), "{mails:?}");
    // its own mails are nobody's interactions
    let status = life.json(&["status", "--json"]);
    assert_eq!(status["counts"]["interactions"], 3, "{status}");
}

/// What the machines of others say, to the user and to kithd: holidays in several languages, bounces with and without a
/// report. Nothing is answered, nothing is closed, nobody has been in touch by it.
#[test]
fn machines_of_others_start_no_loop() {
    let life = life();
    let mut raw = life.raw();
    life.ada_waits(&mut raw);
    life.round();
    let shown = || std::fs::read_dir(life.bed.path("reminders/new")).unwrap().count();
    let entry = std::fs::read_dir(life.bed.path("reminders/new")).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(entry.path()).unwrap();
    let id = mail_parser::MessageParser::default().parse(&text).unwrap().message_id().unwrap().to_string();
    let status = || life.json(&["status", "--json"])["counts"].clone();
    let history = || life.json(&["contact", "ada@example.net", "--json"])["counts"].clone();
    let before = (status()["interactions"].clone(), history());
    let auto = "Auto-Submitted: auto-replied\n";
    let holidays = [
        ("Out of Office: News", auto, "Done for this year! I am back on Monday."),
        ("Automatic reply: News", "X-Auto-Response-Suppress: All\n", "I am out of the office until Monday."),
        ("Automatische Antwort: News", auto, "Erledigt wird hier nichts: ich bin bis Montag im Urlaub."),
        ("Abwesenheitsnotiz: News", "", "Ich bin bis Montag nicht im Büro."),
        ("Réponse automatique : News", "Precedence: auto_reply\n", "Je suis en congé jusqu’à lundi."),
        ("Respuesta automática: News", "", "Estoy fuera de la oficina hasta el lunes."),
        ("Risposta automatica: News", auto, "Sono in ferie fino a lunedì."),
        ("Automatisch antwoord: News", "X-Autoreply: yes\n", "Ik ben tot maandag afwezig."),
        ("自動応答: News", auto, "月曜日まで不在です。"),
        ("Re: News", "Auto-Submitted: auto-generated\n", "done"),
    ];
    let ada = "Ada Abel <ada@example.net>";
    let daemon = "Mail Delivery System <MAILER-DAEMON@mx.example.net>";
    let mut mails = Vec::new();
    for (n, (subject, header, body)) in holidays.iter().enumerate() {
        // to a mail of the user's, and to the reminder, which such a machine should never have seen
        for (to, parent) in [(styles::ME, "n1@example.org"), (styles::KITHD, id.as_str())] {
            let head = format!("{header}In-Reply-To: <{parent}>\nReferences: <{parent}>\n");
            let id = format!("away{n}.{}@example.net", mails.len());
            mails.push(format!("{head}{}", letter(ada, to, subject, &id, 0, body)));
        }
    }
    for (n, parent) in ["n1@example.org", id.as_str()].iter().enumerate() {
        let report = format!(
            "This is the mail system.\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n\
             Final-Recipient: rfc822; {}\nAction: failed\nStatus: 4.4.7\n\n--b\nContent-Type: text/rfc822-headers\n\n\
             Message-ID: <{parent}>\nFrom: {}\nSubject: done\n\n--b--",
            styles::ME,
            styles::KITHD
        );
        let head = format!(
            "In-Reply-To: <{parent}>\nReturn-Path: <>\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\n"
        );
        let subject = "Undelivered Mail Returned to Sender";
        mails.push(format!(
            "{head}{}",
            letter(daemon, styles::ME, subject, &format!("dsn{n}@mx.example.net"), 0, &report)
        ));
        // of those that send no report
        let head = format!("In-Reply-To: <{parent}>\nReturn-Path: <>\n{auto}");
        let body = format!("<{}>: mailbox full; done\n", styles::ME);
        mails.push(format!(
            "{head}{}",
            letter(daemon, styles::KITHD, "failure notice", &format!("fn{n}@mx.example.net"), 0, &body)
        ));
    }
    for mail in &mails {
        raw.append("INBOX", "", mail);
    }
    for _ in 0..3 {
        life.round();
    }
    assert_eq!((shown(), helps(&life)), (1, 0));
    let open = &life.json(&["reminders", "--all", "--json"])[0];
    assert_eq!(open["state"], "sent", "{open}");
    assert_eq!((status()["interactions"].clone(), history()), before);
}

/// What the user wrote is long, in a language kithd does not know, or only quoted.
#[test]
fn what_is_not_understood_is_answered_once() {
    let life = life();
    let mut raw = life.raw();
    life.ada_waits(&mut raw);
    life.round();
    let entry = std::fs::read_dir(life.bed.path("reminders/new")).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(entry.path()).unwrap();
    let mail = mail_parser::MessageParser::default().parse(&text).unwrap();
    let reminder = Reminder {
        message_id: mail.message_id().unwrap().to_string(),
        subject: mail.subject().unwrap().to_string(),
        text: mail.body_text(0).unwrap().to_string(),
        html: mail.body_html(0).unwrap().to_string(),
    };
    let long = "word ".repeat(10_000);
    // a language without words, many words, and "done" that is only quoted or in the middle
    let said = ["完了しました", &long, "Not now.\n\n> dismiss", "I think I am done\ndone"];
    for (n, say) in said.iter().enumerate() {
        let style = STYLES[n * 3 % STYLES.len()];
        raw.append(
            "Sent",
            "\\Seen",
            &format!("{}{}", head(&reminder, &format!("odd{n}@example.org")), style(&reminder, say)),
        );
    }
    life.round();
    life.round();
    assert_eq!(helps(&life), said.len());
    let state = |life: &Life| life.json(&["reminders", "--all", "--json"])[0]["state"].clone();
    assert_eq!(state(&life), "sent");
    for entry in std::fs::read_dir(life.bed.path("reminders/new")).unwrap().flatten() {
        assert!(std::fs::metadata(entry.path()).unwrap().len() < 20_000, "an answer is not repeated at length");
    }
    // the first line speaks, however much follows it
    let mail = format!("{}{}", head(&reminder, "long@example.org"), STYLES[3](&reminder, &format!("Done!\n{long}")));
    raw.append("Sent", "\\Seen", &mail);
    life.round();
    assert_eq!((state(&life), helps(&life)), ("done".into(), said.len()));
}
