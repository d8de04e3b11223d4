//! The IMAP client against Dovecot and Cyrus.

use std::time::Duration;

use kithd::imap::{Error, Items, MailboxName, Row, Session, SpecialUse, Transport, UidSet, connect};
use kithd::net::token::Credentials;
use kithd::net::{Login, OAuth2, Proof, Secret, Security, Server, Url};

use super::bed::Bed;
use super::certs::Certs;
use super::cyrus::Cyrus;
use super::dovecot::{Dovecot, PASSWORD, Wishes};
use super::oauth::OAuth;
use super::raw::Raw;

fn server(port: u16, security: Security, certs: &Certs) -> Server {
    Server { host: "localhost".to_string(), port, security, ca_file: Some(certs.ca.clone()) }
}

fn login(bed: &Bed, username: &str, password: &str) -> Credentials {
    use std::os::unix::fs::PermissionsExt;
    let file = bed.path(&format!("password-{username}-{}", password.len()));
    std::fs::write(&file, format!("{password}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    Credentials::new(&Login { username: username.to_string(), proof: Proof::Password(Secret::File(file)) })
}

async fn rows<S: Transport>(session: &mut Session<S>, sets: Vec<UidSet>, items: Items) -> Vec<Row> {
    let mut fetch = session.uid_fetch(sets, items);
    let mut all = Vec::new();
    while let Some(row) = fetch.next().await.unwrap() {
        all.push(row);
    }
    all
}

/// What both servers do alike.
async fn walk<S: Transport>(mut session: Session<S>) {
    let inbox = MailboxName::from_raw("INBOX");
    let listed = session.list(true).await.unwrap();
    let sent = listed.iter().find(|l| l.special_use.contains(&SpecialUse::Sent)).unwrap();
    assert_eq!(sent.path(), "Sent");
    assert!(listed.iter().all(|l| l.status.is_some_and(|s| s.uid_validity.is_some())), "{listed:?}");
    let names: Vec<MailboxName> =
        listed.iter().map(|l| l.name.clone()).chain([MailboxName::from_raw("none")]).collect();
    let statuses = session.statuses(&names).await.unwrap();
    assert_eq!(statuses.iter().filter(|s| s.is_none()).count(), 1);
    assert!(matches!(session.examine(&MailboxName::from_raw("none")).await, Err(Error::Refused(_))));

    let mail = |n: usize| {
        let body = "Wörter ".repeat(n * 30);
        format!("From: Ada <ada@example.org>\r\nMessage-ID: <{n}@example.org>\r\nSubject: {n}\r\n\r\n{body}\r\n")
            .into_bytes()
    };
    let mut uids = Vec::new();
    for n in 0..20 {
        uids.push(session.append(&inbox, &["\\Seen"], &mail(n)).await.unwrap().unwrap().uid);
    }
    let examined = session.examine(&inbox).await.unwrap();
    assert_eq!((examined.exists, examined.uid_next), (20, uids.last().map(|u| u + 1)));
    assert!(examined.highest_mod_seq.is_some());
    let found = session.uid_search("HEADER Message-ID \"<7@example.org>\"").await.unwrap();
    assert_eq!(found, [uids[7]]);

    let items = Items {
        flags: true,
        internal_date: true,
        size: true,
        mod_seq: true,
        header: Some(65_536),
        text: Some(100),
        ..Items::default()
    };
    let sets =
        uids.chunks(3).map(|chunk| UidSet::of(chunk.iter().copied())).chain([UidSet::from(uids[19] + 1)]).collect();
    let all = rows(&mut session, sets, items).await;
    let messages: Vec<_> = all.iter().filter_map(|r| if let Row::Message(m) = r { Some(m) } else { None }).collect();
    assert_eq!((messages.len(), all.len()), (20, 28));
    for (n, message) in messages.iter().enumerate() {
        let whole = mail(n);
        let split = whole.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        assert_eq!(message.size, Some(u32::try_from(whole.len()).unwrap()));
        assert_eq!(message.header.as_deref(), Some(&whole[..split]));
        assert_eq!(message.text.as_deref(), Some(&whole[split..whole.len().min(split + 100)]));
        assert!(message.flags.as_ref().unwrap().seen && message.internal_date.is_some() && message.mod_seq.is_some());
    }
    let part = Items { message: Some(50), ..Items::default() };
    let all = rows(&mut session, vec![UidSet::of([uids[3]])], part).await;
    let Row::Message(message) = &all[0] else { panic!("{all:?}") };
    assert_eq!(message.message.as_deref(), Some(&mail(3)[..50]));
    let fields = Items { header_fields: &["Subject", "Message-ID"], ..Items::default() };
    let all = rows(&mut session, vec![UidSet::of([uids[3]])], fields).await;
    let Row::Message(message) = &all[0] else { panic!("{all:?}") };
    let header = String::from_utf8(message.header.clone().unwrap()).unwrap();
    assert!(header.contains("Subject: 3\r\n") && !header.contains("From") && header.ends_with("\r\n\r\n"), "{header}");

    // nothing of it has marked a message as read: see `unread` below
    session.select(&inbox).await.unwrap();
    session.uid_store_deleted(uids[0]).await.unwrap();
    session.uid_expunge(uids[0]).await.unwrap();
    assert!(session.news().expunged);
    let wait = tokio::time::sleep(Duration::from_millis(200));
    assert!(session.idle(Duration::from_millis(70), wait).await.unwrap().is_none());
    assert!(session.noop().await.unwrap().is_none());
    session.logout().await;
}

/// Reading sets no flag, and IDLE tells what another connection does.
async fn watch(server: &Server, credentials: &Credentials, plain: u16) {
    let mut session = connect(server, credentials).await.unwrap();
    let inbox = MailboxName::from_raw("INBOX");
    session.append(&inbox, &[], b"From: b@example.org\r\nSubject: unread\r\n\r\nx\r\n").await.unwrap();
    let before = session.examine(&inbox).await.unwrap();
    let items = || Items { flags: true, header: Some(9), text: Some(9), message: Some(9), ..Items::default() };
    let last = UidSet::from(before.uid_next.unwrap() - 1);
    for _ in 0..2 {
        let all = rows(&mut session, vec![last.clone()], items()).await;
        let Row::Message(message) = &all[0] else { panic!("{all:?}") };
        assert!(!message.flags.as_ref().unwrap().seen, "reading has marked it");
    }
    let user = credentials.username().to_string();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        Raw::login(plain, &user).append("INBOX", "\\Seen", "From: c@example.org\nSubject: new\n\nHello\n");
    });
    let news = session.idle(Duration::from_secs(1500), tokio::time::sleep(Duration::from_secs(20))).await.unwrap();
    other.join().unwrap();
    assert_eq!(news.exists, Some(before.exists + 1));
    session.logout().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_walks_through_dovecot() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let oauth = OAuth::start("bea");
    let introspection = Some(format!("http://127.0.0.1:{}/introspect", oauth.port));
    let dovecot = Dovecot::start(&bed, &certs, &Wishes { introspection, ..Wishes::default() });
    let alex = login(&bed, "alex", PASSWORD);
    walk(connect(&server(dovecot.imaps, Security::Tls, &certs), &alex).await.unwrap()).await;
    watch(&server(dovecot.imap, Security::StartTls, &certs), &alex, dovecot.imap).await;
    let plain = server(dovecot.imap, Security::None, &certs);
    connect(&plain, &alex).await.unwrap().logout().await;

    let wrong = connect(&plain, &login(&bed, "alex", "wrong")).await.unwrap_err();
    assert_eq!(wrong.level, kithd::evidence::Level::Stop);
    assert!(wrong.what.contains("AUTHENTICATIONFAILED") && wrong.what.contains("check `username`"), "{wrong}");

    let token = |command: &[&str]| {
        let oauth2 = OAuth2::TokenCommand(command.iter().map(ToString::to_string).collect());
        Credentials::new(&Login { username: "bea".to_string(), proof: Proof::OAuth2(oauth2) })
    };
    let refused = connect(&plain, &token(&["echo", "token-99"])).await.unwrap_err();
    assert!(refused.level == kithd::evidence::Level::Stop && refused.what.contains("fresh token"), "{refused}");
    connect(&plain, &token(&["echo", "token-0"])).await.unwrap().logout().await;

    // a refused token is renewed and shown again
    use std::os::unix::fs::PermissionsExt;
    let refresh = bed.path("refresh");
    std::fs::write(&refresh, "r\n").unwrap();
    std::fs::set_permissions(&refresh, std::fs::Permissions::from_mode(0o600)).unwrap();
    let oauth2 = OAuth2::Refresh {
        token_url: Url::parse(&format!("http://127.0.0.1:{}/token", oauth.port)).unwrap(),
        client_id: "kithd".to_string(),
        client_secret: None,
        refresh_token: Secret::File(refresh),
    };
    let bea = Credentials::new(&Login { username: "bea".to_string(), proof: Proof::OAuth2(oauth2) });
    let tls = server(dovecot.imaps, Security::Tls, &certs);
    connect(&tls, &bea).await.unwrap().logout().await;
    oauth.revoke();
    let before = oauth.given();
    connect(&tls, &bea).await.unwrap().logout().await;
    assert_eq!(oauth.given(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_walks_through_cyrus() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let cyrus = Cyrus::start(&bed, &certs, &["alex"]);
    let alex = login(&bed, "alex", PASSWORD);
    walk(connect(&server(cyrus.imaps, Security::Tls, &certs), &alex).await.unwrap()).await;
    watch(&server(cyrus.imap, Security::StartTls, &certs), &alex, cyrus.imap).await;
}
