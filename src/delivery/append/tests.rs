//! APPEND against scripted servers.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::address::Address;
use crate::evidence::{MessageId, ReminderId, Showing};
use crate::imap::tests::script::with;
use crate::time::Timestamp;

fn envelope() -> Envelope {
    let me = Address::parse("alex@example.org").unwrap();
    Envelope {
        showing: Showing { reminder: ReminderId::of("a", "b", "c", 1), number: 1 },
        message_id: MessageId::new("m1@kithd.local").unwrap(),
        from: me.clone(),
        to: me,
        date: Timestamp::from_second(1_770_000_000),
        subject: "Thank Dana?".into(),
        in_reply_to: None,
        references: Vec::new(),
        headers: Vec::new(),
        text: "Hello,\n.a line with a dot".into(),
        html: "<p>Hello</p>".into(),
    }
}

/// A search that finds nothing.
fn absent(mailbox: &str, from: u32) -> String {
    format!(
        "C: k{from} EXAMINE \"{mailbox}\"\nS: k{from} OK\nC: k{0} UID SEARCH HEADER Message-ID \"<m1@kithd.local>\"\n\
         S: * SEARCH\nS: k{0} OK\n",
        from + 1
    )
}

/// The mail as the client sends it: its lines, and the end of the command.
fn mail(tag: &str, mailbox: &str, plus: bool) -> String {
    let bytes = format(&envelope()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (sign, go) = if plus { ("+", "") } else { ("", "S: + go on\n") };
    let lines: String = text.split("\r\n").map(|line| format!("C: {line}\n")).collect();
    format!("C: {tag} APPEND \"{mailbox}\" () {{{}{sign}}}\n{go}{lines}", text.len())
}

async fn deliver(capabilities: &str, folder: Option<&str>, script: &str) -> Delivery {
    with(capabilities, script, async |mut session| deliver_in(&mut session, folder, &envelope()).await).await
}

#[tokio::test]
async fn a_reminder_is_put_into_the_inbox_unread() {
    // no flags, and a literal that waits for its go-ahead unless the server offers LITERAL+
    for (capabilities, plus) in [("", false), ("LITERAL+", true)] {
        let script = absent("INBOX", 1) + &mail("k3", "INBOX", plus) + "S: k3 OK [APPENDUID 1 7] done";
        assert_eq!(deliver(capabilities, None, &script).await, Delivery::Accepted);
    }
}

#[tokio::test]
async fn or_into_another_folder_by_its_name() {
    let list = "C: k1 LIST \"\" \"*\"\nS: * LIST () \".\" INBOX\nS: * LIST () \".\" \"INBOX.K&AOQ-se\"\nS: * LIST (\\\\Noselect) \".\" Gone\nS: k1 OK\n";
    for folder in ["INBOX/Käse", "INBOX.Käse"] {
        let script =
            list.to_string() + &absent("INBOX.K&AOQ-se", 2) + &mail("k4", "INBOX.K&AOQ-se", false) + "S: k4 OK";
        assert_eq!(deliver("", Some(folder), &script).await, Delivery::Accepted);
    }
    for folder in ["Käse", "Gone"] {
        let Delivery::Transient(what) = deliver("", Some(folder), list).await else { panic!() };
        assert!(what.contains("set `folder`"), "{what}");
    }
}

#[tokio::test]
async fn what_lies_there_is_not_put_there_again() {
    let script = "
        C: k1 EXAMINE \"INBOX\"
        S: k1 OK
        C: k2 UID SEARCH HEADER Message-ID \"<m1@kithd.local>\"
        S: * SEARCH 7
        S: k2 OK
        C: k3 UID FETCH 7 (UID FLAGS BODY.PEEK[HEADER.FIELDS (Message-ID)])
        S: * 1 FETCH (UID 7 FLAGS (\\\\Seen) BODY[HEADER.FIELDS (Message-ID)] {32}
        S: Message-ID: <m1@kithd.local>
        S:
        S: )
        S: k3 OK";
    assert_eq!(deliver("", None, script).await, Delivery::Accepted);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_unknown() {
    let sent = absent("INBOX", 1) + &mail("k3", "INBOX", false);
    let kind = |delivery: &Delivery| match delivery {
        Delivery::Accepted => "accepted",
        Delivery::Transient(_) => "transient",
        Delivery::Permanent(_) => "permanent",
        Delivery::Unknown(_) => "unknown",
    };
    for (script, expected, word) in [
        (sent.clone() + "-- close", "unknown", "searched before"),
        (sent.clone() + "-- stall", "unknown", "searched before"),
        (sent.clone() + "S: * BYE", "unknown", "searched before"),
        (sent.clone() + "S: k3 NO [OVERQUOTA] full", "transient", "make room"),
        (sent.clone() + "S: k3 BAD what", "transient", "does not understand"),
        (absent("INBOX", 1) + "-- close", "transient", "closed"),
        ("-- close".to_string(), "transient", "closed"),
        ("C: k1 EXAMINE \"INBOX\"\nS: k1 NO no".to_string(), "transient", "refuses"),
    ] {
        let delivery = deliver("", None, &script).await;
        assert_eq!(kind(&delivery), expected, "{script}: {delivery:?}");
        assert!(format!("{delivery:?}").contains(word), "{delivery:?}");
    }
}
