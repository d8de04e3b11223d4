use crate::evidence::{Class, Role, Signals};
use crate::read::mail::{MailContext, read_message};
use crate::time::{Timestamp, Zone};

fn classified(text: &str, text_since: Timestamp) -> (Class, String, Signals) {
    let zone = Zone::utc();
    let now = Timestamp::parse("2026-05-12T10:00:00Z").unwrap_or_default();
    let context =
        MailContext { source: "t", place: "t", role: Role::Inbox, arrived_at: now, now, text_since, zone: &zone };
    match read_message(text.as_bytes(), &context) {
        Ok(message) => (message.mail.class, message.mail.class_reasons.join(" "), message.mail.signals),
        Err(_) => (Class::Person, "unread".to_string(), Signals::default()),
    }
}

fn check(cases: &[(&str, Class, &str)]) {
    for (text, class, reasons) in cases {
        let (found, why, signals) = classified(text, Timestamp::MIN);
        assert_eq!((found, why.as_str()), (*class, *reasons), "{text}\n{signals:?}");
    }
}

#[test]
fn the_first_rule_that_hits_decides() {
    check(&[
        ("From: a@x.example\nContent-Type: multipart/report\n\nb", Class::Dsn, "multipart-report"),
        ("From: Mail Delivery <MAILER-DAEMON@x.example>\nList-Id: <l>\n\nb", Class::Dsn, "local-part:mailer-daemon"),
        (
            "From: a@x.example\nReturn-Path: <>\nSubject: Delivery Status Notification (Failure)\n\nb",
            Class::Dsn,
            "return-path:empty",
        ),
        ("From: a@x.example\nAuto-Submitted: auto-generated (rule)\nList-Id: <l>\n\nb", Class::Auto, "auto-submitted"),
        ("From: a@x.example\nAuto-Submitted: no\n\nb", Class::Person, ""),
        ("From: a@x.example\nX-Precedence: auto_reply\n\nb", Class::Auto, "precedence:auto_reply"),
        ("From: no-reply@x.example\nContent-Type: text/calendar\n\nb", Class::Auto, "local-part:noreply"),
        (
            "From: a@x.example\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR",
            Class::Calendar,
            "text-calendar",
        ),
        (
            "From: a@x.example\nContent-Class: urn:content-classes:calendarmessage\n\nb",
            Class::Calendar,
            "content-class",
        ),
        ("From: a@x.example\nList-Id: <l>\nList-Unsubscribe: <mailto:u@x.example>\n\nb", Class::List, "list-id"),
        ("From: a@x.example\nPrecedence: list\n\nb", Class::List, "precedence:list"),
        ("From: a@x.example\nSender: l@x.example\nPrecedence: bulk\n\nb", Class::List, "sender:bulk"),
        ("From: a@x.example\nPrecedence: bulk\n\nb", Class::Bulk, "precedence:bulk"),
        ("From: a@x.example\nList-Unsubscribe: <https://x.example/u>\n\nb", Class::Bulk, "list-unsubscribe"),
        ("From: a@x.example\nReturn-Path: <news-me=y.example@x.example>\n\nb", Class::Bulk, "return-path:verp"),
        ("From: a@x.example\nReturn-Path: <owner-news@x.example>\n\nb", Class::Bulk, "return-path:owner"),
        ("From: a@x.example\nReturn-Path: <b@mail3.mcsv.net>\n\nb", Class::Bulk, "sent-by:mcsv.net"),
        ("From: a@x.example\nX-Campaign-ID: 3\n\nb", Class::Bulk, "x-campaign-id"),
    ]);
}

#[test]
fn signs_that_people_carry_too_decide_nothing() {
    for header in [
        "X-Auto-Response-Suppress: All",
        "Feedback-ID: 1:2:3",
        "Errors-To: a@x.example",
        "X-Mailer: Mailman",
        "Return-Path: <ada@pobox.example>",
        "Return-Path: <SRS0=x=y=x.example=ada@fwd.example>",
        "Return-Path: <bounces+SRS=q1=AB@firm.example>",
        "Message-ID: <1@linux.com>",
        "Message-ID: <0100@email.amazonses.com>",
        "X-SG-EID: abc",
    ] {
        let text =
            format!("From: Ada Abel <ada@x.example>\nTo: bob@y.example\n{header}\nSubject: Lunch\n\nTuesday? Ada");
        let (class, why, signals) = classified(&text, Timestamp::MIN);
        assert_eq!((class, why.as_str(), signals.list_unsubscribe), (Class::Person, "", false), "{header}");
    }
}

#[test]
fn wording_and_structure_need_to_agree() {
    let links = "https://x.example/a ".repeat(26);
    check(&[
        (
            "From: Ada <ada@x.example>\nTo: b@y.example\nSubject: list\n\nHow do I unsubscribe from that newsletter?",
            Class::Person,
            "",
        ),
        (
            "From: Ada <ada@x.example>\nTo: b@y.example\nSubject: list\n\nYou can unsubscribe at https://x.example/u, I did. Ada",
            Class::Person,
            "",
        ),
        (
            "From: Acme Newsletter <hello@news.acme.example>\nTo: b@y.example\nSubject: May offers\n\nUnsubscribe: https://acme.example/u",
            Class::Bulk,
            "points:role points:subdomain points:name points:unsubscribe",
        ),
        (
            &format!(
                "From: Acme <ada@acme.example>\nTo: b@y.example\nSubject: May offers\n\n{links}\nTo stop receiving these, write to x@acme.example"
            ),
            Class::Bulk,
            "points:unsubscribe points:many-links",
        ),
        // A newsletter forwarded by a person speaks in quoted words only.
        (
            "From: Ada <ada@x.example>\nTo: b@y.example\nSubject: Re: offers\nIn-Reply-To: <1@acme.example>\n\nNo thanks.\n\n> Unsubscribe: https://acme.example/u",
            Class::Person,
            "",
        ),
        (
            "From: Support <support@firm.example>\nTo: b@y.example\nSubject: Re: broken\nIn-Reply-To: <1@y.example>\n\nIt works again. Ada",
            Class::Person,
            "",
        ),
    ]);
}

#[test]
fn signals_tell_the_ledger_what_it_needs() {
    let recruiter = "From: Rae Cruz <rae@talent.example>\nTo: b@y.example\nSubject: A role for you\n\
                     List-Unsubscribe: <https://talent.example/u>\nX-HubSpot-Id: 7\n\nHi Bo, do you have time on Friday?";
    let (class, why, signals) = classified(recruiter, Timestamp::MIN);
    assert_eq!((class, why.as_str()), (Class::Bulk, "list-unsubscribe"));
    assert!(signals.list_unsubscribe && signals.sales_tool && !signals.list);
    assert!(classified("From: a@x.example\nList-Post: <mailto:l@x.example>\n\nb", Timestamp::MIN).2.list);
}

#[test]
fn headers_alone_give_the_same_class_where_they_decide() {
    for text in [
        "From: a@x.example\nDate: Mon, 11 May 2026 09:00:00 +0000\nList-Id: <l>\n\nb",
        "From: no-reply@x.example\nDate: Mon, 11 May 2026 09:00:00 +0000\n\nb",
        "From: Ada <ada@x.example>\nTo: b@y.example\nDate: Mon, 11 May 2026 09:00:00 +0000\n\nb",
    ] {
        assert_eq!(classified(text, Timestamp::MIN), classified(text, Timestamp::MAX), "{text}");
    }
}

#[test]
fn people_speak_of_their_holidays() {
    check(&[
        ("From: Ada <ada@x.example>\nTo: b@y.example\nSubject: Urlaub: Termine\n\nb", Class::Person, ""),
        ("From: Ada <ada@x.example>\nTo: b@y.example\nSubject: Absence - Paul\n\nb", Class::Person, ""),
        ("From: Ada <ada@x.example>\nTo: b@y.example\nSubject: Vacation?\n\nb", Class::Person, ""),
        (
            "From: Ada <ada@x.example>\nTo: b@y.example\nIn-Reply-To: <1@y.example>\nSubject: Im Urlaub: Angebot\n\nb",
            Class::Auto,
            "subject:out-of-office",
        ),
        (
            "From: Ada <ada@x.example>\nTo: b@y.example\nX-Auto-Response-Suppress: All\nSubject: 부재중: 회의\n\nb",
            Class::Auto,
            "subject:out-of-office",
        ),
    ]);
}

#[test]
fn mail_of_today_falls_into_its_class() {
    check(&[
        // receipts and notices without any list header
        (
            "From: PayFast <service@payfast.example>\nTo: b@y.example\nReturn-Path: <x1@bounces.payfast.example>\nSubject: Receipt\n\nb",
            Class::Bulk,
            "return-path:verp",
        ),
        (
            "From: Notes <notify@mail.notes.example>\nTo: b@y.example\nSubject: Ada shared a page\n\nb",
            Class::Bulk,
            "points:subdomain points:machine",
        ),
        (
            "From: Acme Jobs <jobs-noreply@acme.example>\nTo: b@y.example\nSubject: 3 new jobs\n\nb",
            Class::Auto,
            "local-part:noreply",
        ),
        (
            "From: Ada via Sign <dse@sign.example>\nTo: b@y.example\nSubject: Please sign\n\nDo not reply to this mail. This is an automated message. Manage your preferences: https://sign.example",
            Class::Bulk,
            "points:unsubscribe points:notice",
        ),
        // people
        (
            "From: Ada <ada@x.example>\nTo: b@y.example\nReturn-Path: <ada@x.example>\nX-Auto-Response-Suppress: OOF\nSubject: Lunch\n\nTuesday?",
            Class::Person,
            "",
        ),
        (
            "From: Ada <ada@mail.uni.example>\nTo: b@y.example\nSubject: Thesis\n\nSee https://uni.example",
            Class::Person,
            "",
        ),
        (
            "From: Ada Abel <info@abel-books.example>\nTo: b@y.example\nSubject: Your order question\n\nYes, we have it. Ada",
            Class::Person,
            "",
        ),
        (
            "From: Ada <ada@x.example>\nTo: b@y.example\nSubject: Fwd: May offers\n\nFor you?\n\nUnsubscribe: https://shop.example/u",
            Class::Person,
            "",
        ),
        (
            "From: Ada <ada@crm.example>\nTo: b@y.example\nReturn-Path: <b-me=y.example@crm.example>\nIn-Reply-To: <1@y.example>\nSubject: Re: offer\n\nFine. Ada",
            Class::Person,
            "",
        ),
    ]);
}
