//! Mails that would be commands if one were careless. RELIABILITY: none of them changes anything.

use crate::life::date;
use crate::styles::{KITHD, ME, Reminder};

const MALLORY: &str = "Mallory <mallory@evil.example>";

/// Where it lies, and the mail.
pub type Forgery = (&'static str, String);

/// All that is tried on one reminder; `n` makes their ids differ.
pub fn all(r: &Reminder, n: usize) -> Vec<Forgery> {
    let (token, subject, date) = (&r.message_id, &r.subject, date(0));
    let mut serial = 0;
    let mut mail = |from: &str, to: &str, fields: &str, body: &str| {
        serial += 1;
        format!(
            "From: {from}\nTo: {to}\nSubject: Re: {subject}\nDate: {date}\nMessage-ID: <f{n}.{serial}@example.org>\n{fields}\n{body}\n"
        )
    };
    let parent = format!("In-Reply-To: <{token}>\nReferences: <{token}>\n");
    let (local, domain) = token.split_once('@').unwrap();
    // one bit of each token, another for each reminder
    let mut flipped = local.as_bytes().to_vec();
    let at = n % flipped.len();
    flipped[at] ^= 1;
    let flipped = String::from_utf8(flipped).unwrap();
    let short = &local[..local.len() - 1];
    let inner = mail(ME, KITHD, &parent, "dismiss");
    let calendar = |method: &str, organizer: &str| {
        format!(
            "MIME-Version: 1.0\nContent-Type: text/calendar; method={method}; charset=utf-8\n\nBEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:{method}\nBEGIN:VEVENT\nUID:forged-{n}\nDTSTAMP:20260101T000000Z\nSEQUENCE:9\nDTSTART:20261102T100000Z\nDTEND:20261102T110000Z\nSUMMARY:Coffee\nORGANIZER:mailto:{organizer}\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alex@example.org\nATTENDEE;PARTSTAT=ACCEPTED:mailto:mallory@evil.example\nEND:VEVENT\nEND:VCALENDAR\n"
        )
    };
    let report = "Auto-Submitted: auto-replied\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\n";
    let dsn = format!(
        "--r\nContent-Type: text/plain\n\nIt could not be delivered.\n\n--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.evil.example\n\nFinal-Recipient: rfc822; p{n}@firm{n}.example\nAction: failed\nStatus: 5.1.1\n\n--r\nContent-Type: text/rfc822-headers\n\nMessage-ID: <never-sent-{n}@example.org>\nTo: p{n}@firm{n}.example\n\n--r--\n"
    );
    let nested = |inner: &str| {
        format!(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=n\n\n--n\nContent-Type: message/rfc822\n\n{inner}\n--n--\n"
        )
    };
    vec![
        // no token: nothing of it, the subject alone, the id of the reminder alone
        ("INBOX", mail(ME, KITHD, "", "dismiss")),
        ("Sent", mail(ME, KITHD, &format!("X-Kithd-Reminder: {local}\n"), "dismiss")),
        // a token that is not quite one
        ("Sent", mail(ME, KITHD, &format!("In-Reply-To: <{flipped}@{domain}>\n"), "dismiss")),
        ("Sent", mail(ME, KITHD, &format!("In-Reply-To: <{short}@{domain}>\n"), "dismiss")),
        ("Sent", mail(ME, KITHD, &format!("In-Reply-To: <{local}@kithd.local.evil.example>\n"), "dismiss")),
        // the mail the reminder is about
        ("Sent", mail(ME, KITHD, &format!("In-Reply-To: <q{n}@firm{n}.example>\n"), "dismiss")),
        // References are not enough
        ("Sent", mail(ME, KITHD, &format!("References: <{token}>\n"), "dismiss")),
        // somebody else who knows the token
        ("INBOX", mail(MALLORY, KITHD, &parent, "dismiss")),
        ("INBOX", mail("\"alex@example.org\" <mallory@evil.example>", KITHD, &parent, "dismiss")),
        // two writers
        ("INBOX", mail(&format!("{ME}, {MALLORY}"), KITHD, &parent, "dismiss")),
        ("INBOX", mail(ME, KITHD, &format!("From: {MALLORY}\n{parent}"), "dismiss")),
        // resent by me, written by another
        ("INBOX", mail(MALLORY, KITHD, &format!("Resent-From: {ME}\nResent-To: {KITHD}\n{parent}"), "dismiss")),
        // a genuine one within another's mail
        ("INBOX", mail(MALLORY, KITHD, &nested(&inner), "")),
        // to others
        ("Sent", mail(ME, "Dana Ito <dana@uni.example>", "", "dismiss")),
        ("Sent", mail(ME, KITHD, &format!("Cc: {MALLORY}\n"), "dismiss")),
        // what a machine of mine says
        ("INBOX", mail(ME, KITHD, &format!("Auto-Submitted: auto-replied\n{parent}"), "dismiss")),
        ("Sent", mail(ME, KITHD, &format!("Auto-Submitted: auto-replied\n{parent}"), "I am away until Monday.")),
        // says that I accepted; calls off what another invited to; a bounce of what I never sent
        ("INBOX", mail(MALLORY, ME, &calendar("REQUEST", "mallory@evil.example"), "")),
        ("INBOX", mail(MALLORY, ME, &calendar("CANCEL", "mallory@evil.example"), "")),
        ("INBOX", mail("Mail Delivery System <mailer-daemon@mx.evil.example>", ME, report, &dsn)),
    ]
}
