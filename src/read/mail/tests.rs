#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]

use super::*;
use crate::evidence::{Bounce, OutOfOffice};
use crate::time::DAY;
use proptest::prelude::*;

const ARRIVED: &str = "2026-05-12T10:00:00Z";

fn context_at<'a>(zone: &'a Zone, text_since: Timestamp) -> MailContext<'a> {
    let arrived_at = Timestamp::parse(ARRIVED).unwrap();
    MailContext {
        source: "work",
        place: "1",
        role: Role::Inbox,
        arrived_at,
        now: arrived_at.plus(DAY),
        text_since,
        zone,
    }
}

fn try_read(bytes: &[u8]) -> Result<Message, Complaint> {
    read_message(bytes, &context_at(&Zone::utc(), Timestamp::MIN))
}

fn read(text: &str) -> Message {
    try_read(text.as_bytes()).unwrap()
}

fn complaints(message: &Message) -> String {
    message.complaints.iter().map(|c| c.what.as_str()).collect::<Vec<_>>().join("; ")
}

#[test]
fn what_is_no_message_is_a_complaint_that_names_its_place() {
    for (bytes, what) in [
        (&b""[..], "empty file"),
        (b"\r\n\r\n", "empty file"),
        (b"\0\0\0\0", "no mail"),
        (b"just words\n\nand more", "no mail"),
        (&[0xff; 300], "no mail"),
    ] {
        let complaint = try_read(bytes).unwrap_err();
        assert!(complaint.what.starts_with(what), "{}", complaint.what);
        assert_eq!((complaint.source.as_str(), complaint.place.as_str()), ("work", "1"));
    }
}

#[test]
fn headers_are_read_from_whatever_holds_them() {
    for text in [
        "Message-ID: <a@x>\nFrom: Ada <ada@x.example>\nTo: bob@y.example\nSubject: hi",
        "Message-ID: <a@x>\r\nFrom: Ada <ada@x.example>\r\nTo: bob@y.example\r\nSubject: hi\r\n",
        "From ada@x.example Mon May 11 00:00:00 2026\nMessage-ID: <a@x>\nFrom: Ada <ada@x.example>\nTo: bob@y.example\nSubject: hi\n\nbody",
        "Message-ID:<a@x>\nFROM: Ada\n <ada@x.example>\nto: bob@y.example\nSubject:\n hi\nSubject: second\n\nbody",
        "Message-ID: < a@ x >\nFrom: Ada <ada@x.example>\nTo: g: bob@y.example;\nSubject: h\0i\n\n\0body",
    ] {
        let mail = read(text).mail;
        let shown = format!("{:?} {} {} {}", mail.message_id.unwrap(), mail.from[0], mail.to[0], mail.subject);
        assert_eq!(shown, "MessageId(\"a@x\") Ada <ada@x.example> bob@y.example hi", "{text:?}");
        assert_eq!(mail.recipients, 1);
    }
}

#[test]
fn every_from_is_kept() {
    let mail = read("From: a@x.example\nFrom: b@y.example\nSubject: s\n\nb").mail;
    assert_eq!(mail.from.len(), 2);
    assert!(mail.sender().is_none());
    assert_eq!(read("From: <a@x.example> <b@y.example>\n\nb").mail.from.len(), 2);
    assert!(read("From: Nobody At All\n\nb").mail.from.is_empty());
}

#[test]
fn dates_that_cannot_be_believed_give_way_to_the_arrival() {
    let received = "Received: from a by b; Tue, 12 May 2026 08:00:00 +0000\nReceived: from c by a; Mon, 11 May 2026 08:00:00 +0000\n";
    for (header, at, complains) in [
        ("Date: Mon, 11 May 2026 09:00:00 +0200\n", "2026-05-11T07:00:00Z", false),
        ("Date: 12 May 2026 09:00 GMT\nDate: 1 Jan 2020 00:00 GMT\n", "2026-05-12T09:00:00Z", false),
        ("Date: Thu, 14 May 2026 07:59:00 +0000\n", "2026-05-14T07:59:00Z", false),
        ("Date: Thu, 14 May 2026 08:01:00 +0000\n", "2026-05-12T08:00:00Z", true),
        ("Date: Mon, 01 Jan 0000 00:00:00 +0000\n", "2026-05-12T08:00:00Z", true),
        ("Date: Fri, 31 Dec 9999 23:59:59 +0000\n", "2026-05-12T08:00:00Z", true),
        ("Date: Thu, 1 Jan 1970 00:00:00 +0000\n", "2026-05-12T08:00:00Z", true),
        ("Date: whenever\n", "2026-05-12T08:00:00Z", true),
        ("Date: 99 May 2026 99:99\n", "2026-05-12T08:00:00Z", true),
        ("", "2026-05-12T08:00:00Z", false),
        ("Date:\n", "2026-05-12T08:00:00Z", false),
    ] {
        let message = read(&format!("{received}{header}From: a@x.example\n\nb"));
        assert_eq!(message.mail.at.to_string(), at, "{header}");
        assert_eq!(!message.complaints.is_empty(), complains, "{header} {}", complaints(&message));
    }
    assert_eq!(read("Received: nonsense; whenever\nDate: x\n\nb").mail.at.to_string(), ARRIVED);
    assert_eq!(read("Received: by x; 1 Jan 9999 00:00:00 +0000\n\nb").mail.at.to_string(), ARRIVED);
}

#[test]
fn the_id_is_the_message_and_nothing_else() {
    let id = |text: &str| read(text).mail.id;
    let one =
        id("Message-ID: <a@x>\nFrom: a@x.example\nDate: Mon, 11 May 2026 09:00:00 +0200\nTo: b@y.example\n\nbody");
    assert_eq!(
        one,
        id(
            "Received: by z; x\r\nDate: Mon, 11 May 2026\r\n 09:00:00 +0200\r\nFROM:  a@x.example \r\nMessage-id: <a@x>\r\n\r\nother"
        )
    );
    assert_ne!(one, id("Message-ID: <a@x>\nFrom: b@x.example\nDate: Mon, 11 May 2026 09:00:00 +0200\n\nbody"));
    assert_ne!(one, id("Message-ID: <b@x>\nFrom: a@x.example\nDate: Mon, 11 May 2026 09:00:00 +0200\n\nbody"));
    let bare = "From: a@x.example\nTo: b@y.example\nDate: Mon, 11 May 2026 09:00:00 +0200\nSubject: ";
    assert_ne!(id(&format!("{bare}s\n\nbody")), id(&format!("{bare}t\n\nbody")));
}

#[test]
fn threads_are_read() {
    let ids: Vec<String> = (0..40).map(|n| format!("<{n}@x>")).collect();
    let mail = read(&format!("In-Reply-To: Message of Monday <r@x> <s@x>\nReferences: {}\n\nb", ids.join("\n "))).mail;
    assert_eq!(mail.in_reply_to.unwrap().as_str(), "r@x");
    let kept: Vec<&str> = mail.references.iter().map(MessageId::as_str).collect();
    assert_eq!(kept, ["0@x", "35@x", "36@x", "37@x", "38@x", "39@x"]);
    assert!(read("In-Reply-To:\nReferences: \n\nb").mail.in_reply_to.is_none());
}

#[test]
fn bounds_cut_and_complain() {
    let subject = format!("From: a@x.example\nSubject: {}\n\nb", "x".repeat(5 << 20));
    let message = read(&subject);
    assert_eq!(
        (message.mail.subject.len(), complaints(&message).as_str()),
        (limits::SUBJECT_BYTES, "header too large; read in part")
    );
    assert_eq!(message.mail.from.len(), 1);

    let mut deep = "Subject: s\n".to_string();
    (0..5_000).for_each(|n| deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")));
    assert!(complaints(&read(&deep)).contains("MIME parts"));
    let bomb = format!("Subject: s\nContent-Type: multipart/mixed; boundary=a\n\n{}", "--a\nx:y\n\n".repeat(1 << 20));
    assert!(complaints(&read(&bomb)).contains("MIME parts"));
    let nested = format!("Subject: s\n{}", "Content-Type: message/rfc822\n\n".repeat(50_000));
    assert_eq!(read(&nested).mail.subject, "s");
    let many = format!("Subject: s\n{}\n\nb", "X-A: y\n".repeat(100_000));
    assert_eq!(read(&many).mail.subject, "s");
}

#[test]
fn hostile_headers_are_cheap() {
    for piece in ["=?aa?q?", "=?utf-8?B?w6k=?= ", "(", "<", "\"", "a@b,", "<a@b> ", ":", "=?", "\\", ";"] {
        let value = piece.repeat((1 << 20) / piece.len());
        let text = format!(
            "From: {value}\nTo: {value}\nCc: {value}\nSubject: {value}\nReferences: {value}\nContent-Type: {value}\n\nb"
        );
        let began = std::time::Instant::now();
        let _ = try_read(text.as_bytes());
        let each = format!(
            "From: {0}\nTo: {0}\nSubject: {0}\nReferences: {0}\nContent-Type: {0}\n\nb",
            piece.repeat(100_000 / piece.len())
        );
        let _ = try_read(each.as_bytes());
        assert!(began.elapsed().as_secs() < 5, "{piece}: {:?}", began.elapsed());
    }
}

#[test]
fn bodies_are_left_alone_before_the_window() {
    let text = "From: a@x.example\nDate: Mon, 11 May 2026 09:00:00 +0000\n\nhello";
    let since =
        |t: &str| read_message(text.as_bytes(), &context_at(&Zone::utc(), Timestamp::parse(t).unwrap())).unwrap();
    assert!(since("2026-05-11T09:00:01Z").mail.text.is_none());
    let inside = since("2026-05-11T09:00:00Z");
    assert!(inside.mail.text.is_some());
    assert_eq!(inside.new_text.trim(), "hello");
}

#[test]
fn the_text_is_the_writers() {
    let html = "Content-Type: text/html\n\n<p>rich</p>";
    for (body, expected) in [
        (format!("Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\n{html}\n--b--"), "plain"),
        (format!("Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\n{html}\n--b--"), "rich"),
        (format!("Content-Type: multipart/alternative; boundary=b\n\n--b\n\nThis mail needs an HTML reader.\n--b\n{html}\n--b--"), "rich"),
        (format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n{html}\n--b\n\nfooter\n--b--"), "rich\nfooter"),
        ("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Disposition: attachment\n\nfile\n--b\n\ntwo".into(), "one\ntwo"),
        (html.to_string(), "rich"),
        ("\ntext".into(), "text"),
    ] {
        assert_eq!(read(&format!("From: a@x.example\n{body}")).new_text.trim(), expected, "{body}");
    }
}

#[test]
fn answers_to_our_own_mails_are_kept() {
    let answer = |body: &str| read(&format!("From: a@x.example\nIn-Reply-To: <abc@kithd.local>\n\n{body}")).mail.answer;
    for (body, expected) in [
        ("done", "done"),
        ("\n\nDone\n\nOn Tue, 12 May 2026, kithd wrote:\n> Thank Dana?", "Done"),
        ("snooze 2w\n\n-----Original Message-----\nFrom: kithd", "snooze 2w"),
        ("every 6w\nVon: kithd <a@x.example>\nGesendet: heute", "every 6w"),
        ("done\r\n________________________________\r\nFrom: kithd", "done"),
    ] {
        assert_eq!(answer(body).unwrap(), expected, "{body}");
    }
    assert!(read("In-Reply-To: <abc@kithd.local.example>\n\ndone").mail.answer.is_none());
    assert!(read("References: <abc@kithd.local>\n\ndone").mail.answer.is_none());
    assert_eq!(answer(&"word ".repeat(1_000)).unwrap().len(), limits::ANSWER_BYTES - 1);
    assert_eq!(read("X-Kithd-Reminder: 0af3\nSubject: s\n\nb").mail.own.as_deref(), Some("0af3"));
}

#[test]
fn failed_deliveries_are_read() {
    let report = |status: &str| {
        read(&format!(
            "From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{status}\n\
             --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <mine@x>\nSubject: plan\n--b--\n"
        ))
        .mail
    };
    let bounce =
        |hard, recipient: &str| Bounce { hard, recipient: AddrSpec::parse(recipient), of: MessageId::new("mine@x") };
    for (status, expected) in [
        (
            "Final-Recipient: rfc822; gone@y.example\nAction: failed\nStatus: 5.1.1",
            Some(bounce(true, "gone@y.example")),
        ),
        (
            "Final-Recipient: rfc822; full@y.example\nAction: failed\nStatus: 5.2.2",
            Some(bounce(false, "full@y.example")),
        ),
        (
            "Final-Recipient: rfc822;x@y.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550-5.1.1 no such user",
            Some(bounce(true, "x@y.example")),
        ),
        ("Final-Recipient: rfc822; x@y.example\nAction: delayed\nStatus: 4.4.1", None),
        ("Final-Recipient: rfc822; x@y.example\nAction: delivered\nStatus: 2.0.0", None),
    ] {
        let mail = report(status);
        assert_eq!((mail.class, mail.bounce), (Class::Dsn, expected), "{status}");
    }
    let plain = read(
        "From: postmaster@mx.example\nX-Failed-Recipients: gone@y.example\nSubject: failure\n\n550 5.1.1 unknown\n\nMessage-Id: <mine@x>\n",
    );
    assert_eq!(plain.mail.bounce, Some(bounce(true, "gone@y.example")));
    let receipt = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\nIn-Reply-To: <mine@x>\nFrom: a@x.example\n\n--b\n\nread\n--b--";
    assert_eq!(read(receipt).mail.bounce, None);
}

#[test]
fn absences_are_read() {
    let away = |text: &str| {
        read(&format!("From: a@x.example\nDate: Mon, 11 May 2026 09:00:00 +0000\n{text}")).mail.out_of_office
    };
    let until = |date: &str| Some(OutOfOffice { until: date.parse().ok() });
    for (text, expected) in [
        (
            "Auto-Submitted: auto-generated\nSubject: Automatic reply: plan\n\nI am away until 20 May.",
            until("2026-05-20"),
        ),
        ("Auto-Submitted: auto-replied\nSubject: Re: plan\n\nI am on vacation and answer later.", until("")),
        ("Subject: Abwesenheitsnotiz\n\nIch bin bis 15.05.2026 nicht im Haus", until("2026-05-15")),
        ("Auto-Submitted: auto-replied\nSubject: [Ticket 12] plan\n\nWe have received your request.", None),
        ("Auto-Submitted: auto-generated\nSubject: Build failed\n\nuntil 20 May", None),
        ("Subject: holiday\n\nI am on vacation until 20 May", None),
    ] {
        assert_eq!(away(text), expected, "{text}");
    }
}

#[test]
fn a_message_does_not_depend_on_its_line_ends() {
    let text = "Message-ID: <a@x>\nFrom: Ada <ada@x.example>\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nhello\nthere\n--b\nContent-Type: text/html\n\n<p>hello\n--b--\n";
    let (mut one, two) = (read(text), read(&text.replace('\n', "\r\n")));
    one.new_text = two.new_text.clone();
    assert_eq!(one, two);
}

const SEEDS: &[&str] = &[
    "From: Ada <ada@x.example>\r\nTo: a: b@y.example, c@z.example;\r\nDate: Mon, 11 May 2026 09:00:00 +0000\r\nSubject: =?utf-8?B?w6k=?= =?utf-8?Q?=C3=A9?=\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-2022-jp; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nhello=20=\r\n> you\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGRpdj5oaTxibG9ja3F1b3RlPg==\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n--b--\r\n",
    "Return-Path: <>\nFrom: MAILER-DAEMON@x\nSubject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b\nStatus: 5.1.1\nAction: failed\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <x@y>\n\n--b--",
    "Auto-Submitted: auto-replied\nSubject: 自動応答\nIn-Reply-To: <a@kithd.local>\nReceived: by x; Mon, 11 May 2026 09:00:00 +0000\n\n5月15日まで不在 until 31 May 2026 <html><p hidden>x<table><img width=1>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = try_read(&bytes);
        let _ = try_read(&[b"Subject: x\nContent-Type: text/html\n\n", bytes.as_slice()].concat());
    }

    #[test]
    fn no_mutation_panics(seed in 0..SEEDS.len(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 0..20)) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for (at, byte, kind) in edits {
            if bytes.is_empty() { break; }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => { let piece: Vec<u8> = bytes[at..].iter().take(40).copied().collect(); bytes.splice(at..at, piece); }
            }
        }
        let first = try_read(&bytes);
        prop_assert_eq!(first, try_read(&bytes));
    }
}

/// As IMAP hands over the first bytes of a message: text, HTML, invitation, and a file of some size.
#[test]
fn a_message_that_was_cut_reads_as_far_as_it_goes() {
    let file = "QUJD\n".repeat(4_000);
    let text = format!(
        "Message-ID: <a@x>\nFrom: Ada <ada@x.example>\nTo: bob@y.example\nSubject: Plan\n\
         Date: Mon, 11 May 2026 09:00:00 +0200\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=m\n\n\
         --m\nContent-Type: multipart/alternative; boundary=a\n\n\
         --a\nContent-Type: text/plain\n\nCould you send me the deck by Friday?\n\
         --a\nContent-Type: text/html\n\n<p>Could you send me the deck by Friday?</p>\n\
         --a\nContent-Type: text/calendar; method=REQUEST\n\n\
         BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:u1\nDTSTAMP:20260511T070000Z\n\
         DTSTART:20260520T090000Z\nDTEND:20260520T100000Z\nSUMMARY:Coffee\nORGANIZER:mailto:ada@x.example\n\
         ATTENDEE:mailto:bob@y.example\nEND:VEVENT\nEND:VCALENDAR\n\
         --a--\n\
         --m\nContent-Type: application/pdf; name=deck.pdf\nContent-Disposition: attachment; filename=deck.pdf\n\
         Content-Transfer-Encoding: base64\n\n{file}\n--m--\n"
    );
    let whole = read(&text);
    assert_eq!((whole.meetings.len(), whole.mail.marks().attachment), (1, true));
    assert!(!whole.mail.acts().is_empty());
    // somewhere in the file: nothing is missing
    for cut in [text.len() - 1, text.len() / 2, text.find("QUJD").unwrap() + 7] {
        assert_eq!(read(&text[..cut]), whole, "{cut}");
    }
    // anywhere: never more than there was, and a half event is none
    let header = text.find("\n\n").unwrap() + 1;
    for cut in header..text.find("QUJD").unwrap() {
        let message = read(&text[..cut]);
        assert_eq!(
            (message.mail.id, &message.mail.from, message.mail.at),
            (whole.mail.id, &whole.mail.from, whole.mail.at)
        );
        if let [meeting] = message.meetings.as_slice() {
            assert_eq!(meeting, &whole.meetings[0], "{cut}");
        }
    }
}
