//! The doors through which reminders leave, against Exim and Dovecot.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use kithd::address::Address;
use kithd::delivery::inbox::{Inbox, Retired};
use kithd::delivery::{Answer, append, inbox, smtp};
use kithd::evidence::{Delivery, Envelope, MessageId, ReminderId, Showing};
use kithd::net::token::Credentials;
use kithd::net::{Login, Proof, Secret, Security, Server};
use kithd::time::Timestamp;

use super::bed::Bed;
use super::certs::Certs;
use super::dovecot::{Dovecot, PASSWORD, Wishes};
use super::exim::Exim;
use super::proxy::{Harm, Plan, Proxy, Way};
use super::raw::Raw;

fn server(port: u16, security: Security, ca: &Path) -> Server {
    Server { host: "localhost".to_string(), port, security, ca_file: Some(ca.to_path_buf()) }
}

fn login(bed: &Bed, password: &str) -> Credentials {
    use std::os::unix::fs::PermissionsExt;
    let file = bed.path(&format!("secret-{}", password.len()));
    std::fs::write(&file, password).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    Credentials::new(&Login { username: "alex".to_string(), proof: Proof::Password(Secret::File(file)) })
}

fn envelope(id: &str, to: &str, subject: &str) -> Envelope {
    Envelope {
        showing: Showing { reminder: ReminderId::of("a", "b", id, 1), number: 1 },
        message_id: MessageId::new(id).unwrap(),
        from: Address::parse("kithd <alex@localhost>").unwrap(),
        to: Address::parse(to).unwrap(),
        date: Timestamp::from_second(1_770_000_000),
        subject: subject.into(),
        in_reply_to: None,
        references: Vec::new(),
        headers: vec![("X-Kithd-Reminder".into(), id.into())],
        text: "Schöne Grüße\n.a line with a dot\n.\nend".into(),
        html: "<p>Schöne Grüße</p>".into(),
    }
}

fn kind(delivery: &Delivery) -> (&'static str, &str) {
    match delivery {
        Delivery::Accepted => ("accepted", ""),
        Delivery::Transient(what) => ("transient", what),
        Delivery::Permanent(what) => ("permanent", what),
        Delivery::Unknown(what) => ("unknown", what),
    }
}

/// How often each Message-ID lies in a mailbox.
fn copies(dovecot: &Dovecot, mailbox: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (_, text) in Raw::login(dovecot.imap, "alex").messages(mailbox) {
        let id =
            text.lines().find_map(|line| line.strip_prefix("Message-ID: <")?.strip_suffix('>')).unwrap().to_string();
        *found.entry(id).or_insert(0) += 1;
    }
    found
}

async fn answer_becomes(inbox: &Inbox, id: &str, expected: Answer) {
    let begun = Instant::now();
    let id = MessageId::new(id).unwrap();
    while inbox::find(inbox, &id).await != expected {
        assert!(begun.elapsed() < Duration::from_secs(180), "{id} is not {expected:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn exim_takes_a_reminder_and_says_why_not() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let dovecot = Dovecot::start(&bed, &certs, &Wishes::default());
    let exim = Exim::start(&bed, &certs, None, &dovecot);
    let (good, bad) = (login(&bed, PASSWORD), login(&bed, "wrong"));
    let inbox = Inbox { server: server(dovecot.imaps, Security::Tls, &certs.ca), credentials: good.clone() };
    let params = |port, security, credentials: Option<&Credentials>| smtp::Params {
        server: server(port, security, &certs.ca),
        credentials: credentials.cloned(),
    };
    let over_tls = params(exim.submissions, Security::Tls, Some(&good));
    let over_starttls = params(exim.submission, Security::StartTls, Some(&good));
    for (n, params) in [&over_tls, &over_starttls].into_iter().enumerate() {
        assert!(smtp::check(params).await.unwrap().contains("logged in as alex"));
        let id = format!("good{n}@kithd.local");
        assert_eq!(smtp::deliver(params, &envelope(&id, "alex@localhost", "Thank Dana?")).await, Delivery::Accepted);
        answer_becomes(&inbox, &id, Answer::Yes).await;
    }
    answer_becomes(&inbox, "good@kithd.local", Answer::No).await;
    let (_, text) = Raw::login(dovecot.imap, "alex").messages("INBOX").remove(0);
    let sent =
        kithd::delivery::message::format(&envelope("good0@kithd.local", "alex@localhost", "Thank Dana?")).unwrap();
    assert!(text.trim_end().ends_with(String::from_utf8(sent).unwrap().trim_end()), "{text}");

    for (to, subject, expected, words) in [
        ("tempfail@localhost", "x", "transient", "450"),
        ("nouser@localhost", "x", "permanent", "550 5.1.1 no such user): check `to`"),
        ("closing@localhost", "x", "permanent", "550 closing"),
        ("alex@localhost", "TEMPFAIL-DATA", "transient", "451 4.3.0 try later"),
        ("alex@localhost", "REJECT-DATA", "permanent", "554 5.6.0 rejected"),
    ] {
        let delivery = smtp::deliver(&over_tls, &envelope("bad@kithd.local", to, subject)).await;
        let (kind, what) = kind(&delivery);
        assert!(kind == expected && what.contains(words), "{to} {subject}: {delivery:?}");
    }
    let mail = envelope("bad@kithd.local", "alex@localhost", "x");
    for (params, words) in [
        (params(exim.submissions, Security::Tls, Some(&bad)), "check `username` and `password`"),
        (params(exim.submissions, Security::Tls, None), "set `username` and `password`"),
        (params(exim.submission, Security::None, Some(&good)), "offers no login"),
        (params(exim.submission, Security::Tls, Some(&good)), "set security = \"starttls\""),
    ] {
        let delivery = smtp::deliver(&params, &mail).await;
        let (kind, what) = kind(&delivery);
        assert!(kind == "transient" && what.contains(words), "{delivery:?}");
    }
    answer_becomes(&inbox, "bad@kithd.local", Answer::No).await;
    assert_eq!(copies(&dovecot, "INBOX").len(), 2);
    // certificates of others
    for (pair, words) in [(&certs.expired, "expired at 2021"), (&certs.wrong_host, "is for elsewhere.example")] {
        let exim = Exim::start(&bed, &certs, Some(pair), &dovecot);
        for (port, security) in [(exim.submissions, Security::Tls), (exim.submission, Security::StartTls)] {
            let trouble = smtp::check(&params(port, security, Some(&good))).await.unwrap_err();
            assert!(trouble.what.contains(words), "{trouble}");
        }
    }
}

#[tokio::test]
async fn dovecot_keeps_an_appended_reminder_unread_and_lets_it_be_taken_away() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let dovecot = Dovecot::start(&bed, &certs, &Wishes::default());
    let inbox = Inbox { server: server(dovecot.imaps, Security::Tls, &certs.ca), credentials: login(&bed, PASSWORD) };
    let into = |folder: Option<&str>| append::Params { inbox: inbox.clone(), folder: folder.map(str::to_string) };
    let mut raw = Raw::login(dovecot.imap, "alex");
    raw.append("INBOX", "\\Deleted", "Message-ID: <other@x.example>\nSubject: marked by another client\n\nHello\n");
    let mail = |id: &str| envelope(id, "alex@localhost", "Thank Dana?");
    for id in ["a@kithd.local", "b@kithd.local", "c@kithd.local"] {
        for _ in 0..2 {
            assert_eq!(append::deliver(&into(None), &mail(id)).await, Delivery::Accepted);
        }
        answer_becomes(&inbox, id, Answer::Yes).await;
    }
    assert_eq!(append::deliver(&into(Some("Archive")), &mail("d@kithd.local")).await, Delivery::Accepted);
    let delivery = append::deliver(&into(Some("Nowhere")), &mail("e@kithd.local")).await;
    assert!(kind(&delivery).1.contains("there is no mailbox Nowhere"), "{delivery:?}");
    let seen = |raw: &mut Raw| raw.messages("INBOX").iter().filter(|(flags, _)| flags.contains("Seen")).count();
    assert_eq!((copies(&dovecot, "INBOX").len(), seen(&mut raw)), (4, 0));
    // read, thrown away, and neither
    raw.ask("SELECT INBOX");
    raw.ask("STORE 2 +FLAGS (\\Seen)");
    raw.ask("MOVE 3 Trash");
    raw.ask("CLOSE");
    // CLOSE took what the other client had marked; mark another one
    raw.append("INBOX", "\\Deleted", "Message-ID: <other@x.example>\nSubject: marked by another client\n\nHello\n");
    answer_becomes(&inbox, "b@kithd.local", Answer::Yes).await;
    let retire = async |id: &str| inbox::retire(&inbox, &MessageId::new(id).unwrap()).await.unwrap();
    assert_eq!(retire("a@kithd.local").await, Retired::Read);
    assert_eq!(retire("b@kithd.local").await, Retired::NotThere);
    assert_eq!(retire("c@kithd.local").await, Retired::Gone);
    assert_eq!(retire("d@kithd.local").await, Retired::Gone);
    answer_becomes(&inbox, "c@kithd.local", Answer::No).await;
    let left: Vec<String> = copies(&dovecot, "INBOX").into_keys().collect();
    assert_eq!(left, ["a@kithd.local", "other@x.example"]);
    // nobody to ask
    let away = Inbox { server: server(1, Security::Tls, &certs.ca), ..inbox.clone() };
    answer_becomes(&away, "a@kithd.local", Answer::CannotSearch).await;
}

/// Cuts the connection to a server after each of these bytes, delivers, and compares what is said
/// with what lies in the mailbox in the end.
async fn cut_everywhere(
    dovecot: &Dovecot,
    proxy: &Proxy,
    steps: u64,
    door: &str,
    deliver: impl AsyncFn(&str) -> Delivery,
) -> BTreeMap<&'static str, usize> {
    assert_eq!(deliver(&format!("{door}whole@kithd.local")).await, Delivery::Accepted);
    let (up, down) = proxy.passed();
    let mut said = BTreeMap::new();
    for (way, whole) in [(Way::ToServer, up), (Way::ToClient, down)] {
        for part in 0..steps {
            let after = whole * part / steps;
            let harm = if part % 2 == 0 { Harm::Close } else { Harm::Reset };
            proxy.harm(Plan { way, after, harm, times: 1 });
            let id = format!("{door}{way:?}{after}{harm:?}@kithd.local");
            said.insert(id.clone(), deliver(&id).await);
        }
    }
    // what Exim has taken is delivered by its queue runner; then a moment for what nobody would expect
    let begun = Instant::now();
    let is_here = |copies: BTreeMap<String, usize>| {
        said.iter().all(|(id, delivery)| *delivery != Delivery::Accepted || copies.contains_key(id))
    };
    while !is_here(copies(dovecot, "INBOX")) && begun.elapsed() < Duration::from_secs(180) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let copies = copies(dovecot, "INBOX");
    let mut kinds = BTreeMap::new();
    for (id, delivery) in &said {
        let count = copies.get(id).copied().unwrap_or(0);
        let agrees = match delivery {
            Delivery::Accepted => count == 1,
            Delivery::Transient(_) => count == 0,
            Delivery::Permanent(_) => false,
            Delivery::Unknown(_) => count <= 1,
        };
        assert!(agrees, "{id}: {delivery:?}, but {count} copies");
        *kinds.entry(kind(delivery).0).or_insert(0) += 1;
    }
    eprintln!("{kinds:?}");
    kinds
}

#[tokio::test]
async fn what_is_said_of_a_delivery_agrees_with_what_the_server_took() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let dovecot = Dovecot::start(&bed, &certs, &Wishes::default());
    let exim = Exim::start(&bed, &certs, None, &dovecot);
    let credentials = login(&bed, PASSWORD);
    for (target, door) in [(exim.submissions, "smtp"), (dovecot.imaps, "append")] {
        let proxy = Proxy::start(target);
        let server = server(proxy.port, Security::Tls, &certs.ca);
        let inbox = Inbox { server: server.clone(), credentials: credentials.clone() };
        let smtp = smtp::Params { server, credentials: Some(credentials.clone()) };
        let append = append::Params { inbox, folder: None };
        let kinds = cut_everywhere(&dovecot, &proxy, 60, door, async |id| match door {
            "smtp" => smtp::deliver(&smtp, &envelope(id, "alex@localhost", "x")).await,
            _ => append::deliver(&append, &envelope(id, "alex@localhost", "x")).await,
        });
        let kinds = kinds.await;
        assert!(kinds["transient"] > 10 && kinds["unknown"] > 0, "{kinds:?}");
    }
}
