//! SMTP against scripted servers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, ReadBuf, duplex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::address::Address;
use crate::evidence::{MessageId, ReminderId, Showing};
use crate::net::tests::servers::{Authority, Running, server};
use crate::net::{Login, OAuth2, Proof, Secret};
use crate::time::Timestamp;

fn envelope() -> Envelope {
    Envelope {
        showing: Showing { reminder: ReminderId::of("a", "b", "c", 1), number: 1 },
        message_id: MessageId::new("m1@kithd.local").unwrap(),
        from: Address::parse("kithd <alex@example.org>").unwrap(),
        to: Address::parse("alex@work.example").unwrap(),
        date: Timestamp::from_second(1_770_000_000),
        subject: "Thank Dana?".into(),
        in_reply_to: None,
        references: Vec::new(),
        headers: Vec::new(),
        text: "Hello,\n.a line with a dot\n.\nend".into(),
        html: "<p>Hello</p>".into(),
    }
}

fn password(printed: &str) -> Credentials {
    let proof = Proof::Password(Secret::Command(vec!["printf".into(), printed.into()]));
    Credentials::new(&Login { username: "alex".into(), proof })
}

/// What a server answers to each command; `hang`: nothing; `drop`: it closes.
#[derive(Clone)]
struct Replies(Vec<(&'static str, String)>);

const GOOD: &[(&str, &str)] = &[
    ("greeting", "220 mail.example ESMTP"),
    ("EHLO", "250-mail.example\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 SMTPUTF8"),
    ("AUTH", "235 2.7.0 welcome"),
    ("MAIL", "250 2.1.0 ok"),
    ("RCPT", "250 2.1.5 ok"),
    ("DATA", "354 go on"),
    (".", "250 2.0.0 queued as 1"),
    ("QUIT", "221 bye"),
];

impl Replies {
    fn good() -> Replies {
        Replies(GOOD.iter().map(|(command, reply)| (*command, (*reply).to_string())).collect())
    }

    fn but(command: &str, reply: &str) -> Replies {
        let mut replies = Replies::good();
        replies.0.iter_mut().find(|(c, _)| *c == command).unwrap().1 = reply.to_string();
        replies
    }

    fn of(&self, command: &str) -> &str {
        self.0.iter().find(|(c, _)| command.eq_ignore_ascii_case(c)).map_or("500 what?", |(_, reply)| reply)
    }
}

/// What a server saw.
#[derive(Default)]
struct Seen {
    commands: Vec<String>,
    mail: String,
    /// It answered the dot with 2xx, or meant to.
    took: bool,
    dots: usize,
}

/// Serves one connection.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, replies: &Replies, greet: bool) -> Seen {
    let mut stream = BufReader::new(stream);
    let mut seen = Seen::default();
    let mut command = "greeting".to_string();
    let mut is_data = !greet;
    loop {
        // `is_data` here: nothing to answer yet
        if !std::mem::take(&mut is_data) {
            let reply = replies.of(&command);
            seen.took |= command == "." && reply.starts_with('2');
            match reply {
                "hang" => std::future::pending().await,
                "drop" => return seen,
                reply => {
                    if stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                        return seen;
                    }
                }
            }
            if command == "DATA" && reply.starts_with("354") {
                let mut line = String::new();
                while line != ".\r\n" {
                    seen.mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                    line.clear();
                    if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
                        return seen;
                    }
                }
                seen.dots += 1;
                command = ".".to_string();
                continue;
            }
        }
        let mut line = String::new();
        if !matches!(stream.read_line(&mut line).await, Ok(1..)) || !line.ends_with('\n') {
            return seen;
        }
        command = line.trim_end().split(' ').next().unwrap().to_string();
        seen.commands.push(line.trim_end().to_string());
    }
}

/// The client's half: what [`deliver`] does once it is connected.
async fn hand_in<S>(stream: S, credentials: Option<&Credentials>) -> Delivery
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
{
    let mut session = match Session::begin(stream, false, "mail.example:465".into()).await {
        Ok(session) => session,
        Err(what) => return Delivery::Transient(what),
    };
    if let Some(credentials) = credentials
        && let Err(Failure::Other(what) | Failure::TokenRefused(what)) = session.log_in(credentials).await
    {
        return Delivery::Transient(what);
    }
    let delivery = session.hand_in(&envelope(), &format(&envelope()).unwrap()).await;
    session.quit().await;
    delivery
}

async fn talk(replies: Replies, credentials: Option<&Credentials>) -> (Delivery, Seen) {
    let (here, there) = duplex(64 << 10);
    let served = tokio::spawn(async move {
        // a server that hangs is ended a day later
        let seen = tokio::time::timeout(std::time::Duration::from_secs(86_400), serve(there, &replies, true)).await;
        seen.unwrap_or_default()
    });
    let delivery = hand_in(here, credentials).await;
    (delivery, served.await.unwrap())
}

#[tokio::test]
async fn a_mail_is_handed_in() {
    let (delivery, seen) = talk(Replies::good(), Some(&password("hunter2"))).await;
    assert_eq!(delivery, Delivery::Accepted);
    assert_eq!(
        seen.commands,
        [
            "EHLO [127.0.0.1]",
            "AUTH PLAIN AGFsZXgAaHVudGVyMg==",
            "MAIL FROM:<alex@example.org>",
            "RCPT TO:<alex@work.example>",
            "DATA",
            "QUIT"
        ]
    );
    // as it was written, dots and all; lettre ends it with a line end of its own
    assert_eq!(seen.mail, String::from_utf8(format(&envelope()).unwrap()).unwrap() + "\r\n");
    assert!(seen.mail.contains("\r\n.a line with a dot\r\n.\r\nend"));
}

/// At which command, what is answered, and what comes of it.
const ANSWERS: &[(&str, &str, &str, &str)] = &[
    ("greeting", "554 5.7.1 not you", "transient", "554 5.7.1 not you: kithd tries again later"),
    ("greeting", "421 busy", "transient", "421 busy"),
    ("greeting", "hang", "transient", "does not greet: check `port`"),
    ("greeting", "drop", "transient", "check `port`"),
    ("greeting", "* OK IMAP4rev1 ready", "transient", "does not speak SMTP"),
    ("greeting", "220 h\u{e4}llo", "accepted", ""),
    ("greeting", "220", "accepted", ""),
    ("greeting", "220 a\r\n220 b", "transient", "out of turn"),
    ("EHLO", "502 what", "transient", "502 what"),
    ("EHLO", "hang", "transient", "does not greet"),
    ("EHLO", "drop", "transient", "broke off"),
    ("EHLO", "250-one\r\n251 two", "transient", "broke off"),
    ("MAIL", "450 4.7.1 slowly", "transient", "450 4.7.1 slowly: kithd tries again later"),
    ("MAIL", "530 5.7.0 Authentication required", "transient", "set `username` and `password`"),
    ("MAIL", "550 5.7.1 not your address", "permanent", "550 5.7.1 not your address): check `from`"),
    ("MAIL", "hang", "transient", "does not answer"),
    ("MAIL", "drop", "transient", "broke off"),
    ("MAIL", "250 ok\r\n250 ok", "transient", "out of turn"),
    ("MAIL", "354 go", "transient", "354"),
    ("RCPT", "251 will forward", "accepted", ""),
    ("RCPT", "421 4.3.2 going down", "transient", "421"),
    ("RCPT", "450 4.2.1 mailbox busy", "transient", "450"),
    ("RCPT", "451 4.7.1 greylisted", "transient", "451"),
    ("RCPT", "550 5.1.1 no such user", "permanent", "550 5.1.1 no such user): check `to`"),
    ("RCPT", "552 5.2.2 full", "permanent", "552"),
    ("RCPT", "hang", "transient", "does not answer"),
    ("RCPT", "drop", "transient", "broke off"),
    ("DATA", "250 ok", "transient", "250 ok"),
    ("DATA", "451 4.3.0 later", "transient", "451"),
    ("DATA", "554 5.5.1 no", "permanent", "554"),
    ("DATA", "hang", "transient", "does not answer"),
    ("DATA", "drop", "transient", "broke off"),
    (".", "250", "accepted", ""),
    (".", "250-2.0.0 queued\r\n250 really", "accepted", ""),
    (".", "250 2.0.0 \u{e4}ngst", "accepted", ""),
    (".", "421 4.3.2 going down", "transient", "421"),
    (".", "450 4.2.1 not now", "transient", "450"),
    (".", "451 4.3.0 disk full", "transient", "451"),
    (".", "550 5.7.1 spam", "permanent", "550 5.7.1 spam"),
    (".", "552 5.3.4 too big", "permanent", "552"),
    (".", "554 5.6.0 no", "permanent", "554"),
    (".", "535 5.7.8 who?", "transient", "another login"),
    (".", "hang", "unknown", "no answer"),
    (".", "drop", "unknown", "inbox is searched"),
    (".", "354 go on", "unknown", "354 go on"),
    (".", "gibberish", "unknown", "does not speak SMTP"),
    (".", "250-never\r\n550 ends", "unknown", "inbox is searched"),
    ("QUIT", "hang", "accepted", ""),
    ("QUIT", "drop", "accepted", ""),
];

fn kind(delivery: &Delivery) -> (&'static str, &str) {
    match delivery {
        Delivery::Accepted => ("accepted", ""),
        Delivery::Transient(what) => ("transient", what),
        Delivery::Permanent(what) => ("permanent", what),
        Delivery::Unknown(what) => ("unknown", what),
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_means_what_it_says() {
    for (command, reply, expected, words) in ANSWERS {
        let (delivery, seen) = talk(Replies::but(command, reply), None).await;
        let (kind, what) = kind(&delivery);
        assert_eq!(kind, *expected, "{command} {reply}: {what}");
        assert!(what.contains(words) && what.len() < 300, "{command} {reply}: {what}");
        assert!(kind == "unknown" || !seen.took || kind == "accepted", "{command} {reply}");
        assert!(seen.dots <= 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_without_an_end_is_left() {
    let line = "x".repeat(2_000_000);
    for command in ["greeting", "EHLO", "MAIL", "DATA"] {
        let (delivery, _) = talk(Replies::but(command, &format!("250 {line}")), None).await;
        assert!(kind(&delivery).1.contains("a line without an end"), "{delivery:?}");
        let (delivery, _) = talk(Replies::but(command, &"250-x\r\n".repeat(100_000)), None).await;
        assert!(kind(&delivery).1.contains("a reply without an end"), "{delivery:?}");
    }
    let (delivery, _) = talk(Replies::but(".", &format!("250 {line}")), None).await;
    assert_eq!(kind(&delivery).0, "unknown");
}

#[tokio::test(start_paused = true)]
async fn hostile_text_is_made_safe() {
    let (delivery, _) = talk(Replies::but("RCPT", "550 \u{1b}[31m\u{7}\u{202e}x\u{0}y"), None).await;
    let (_, what) = kind(&delivery);
    assert!(what.is_ascii() && !what.contains(char::is_control), "{what:?}");
}

/// Steps of a login: what the client must say, and what it is told.
async fn log_in(offers: &str, steps: &[(&str, &str)], credentials: &Credentials) -> Result<(), String> {
    let (here, there) = duplex(64 << 10);
    let (offers, steps) =
        (offers.to_string(), steps.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect::<Vec<_>>());
    let served = tokio::spawn(async move {
        let mut stream = BufReader::new(there);
        stream.write_all(b"220 hi\r\n").await.unwrap();
        let mut told = vec![("EHLO [127.0.0.1]".to_string(), format!("250-mail\r\n250 {offers}"))];
        told.extend(steps);
        for (expected, reply) in told {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            assert_eq!(line, format!("{expected}\r\n"));
            if reply == "drop" {
                return;
            }
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
        }
    });
    let mut session = Session::begin(here, false, "mail.example:465".into()).await.unwrap();
    let outcome = session.log_in(credentials).await;
    served.await.unwrap();
    outcome.map_err(|failure| match failure {
        Failure::TokenRefused(what) => format!("token: {what}"),
        Failure::Other(what) => what,
    })
}

#[tokio::test]
async fn logins_of_every_kind() {
    let token = || {
        let proof = Proof::OAuth2(OAuth2::TokenCommand(vec!["printf".into(), "TOKEN".into()]));
        Credentials::new(&Login { username: "alex".into(), proof })
    };
    let plain = ("AUTH PLAIN AGFsZXgAaHVudGVyMg==", "235 ok");
    assert_eq!(log_in("AUTH LOGIN PLAIN", &[plain], &password("hunter2")).await, Ok(()));
    let login = [("AUTH LOGIN", "334 VXNlcm5hbWU6"), ("YWxleA==", "334 UGFzc3dvcmQ6"), ("aHVudGVyMg==", "235 ok")];
    assert_eq!(log_in("AUTH LOGIN", &login, &password("hunter2")).await, Ok(()));
    let line = STANDARD_TOKEN;
    assert_eq!(log_in("AUTH XOAUTH2 PLAIN", &[(line, "235 ok")], &token()).await, Ok(()));
    // the challenge that says why comes first
    let refused = [(line, "334 eyJzdGF0dXMiOiI0MDAifQ=="), ("", "535 5.7.8 no")];
    let told = log_in("AUTH XOAUTH2", &refused, &token()).await.unwrap_err();
    assert!(told.starts_with("token: ") && told.contains("check `username` and `oauth2`"), "{told}");
    let told = log_in("AUTH XOAUTH2", &[(line, "535 5.7.8 no")], &token()).await.unwrap_err();
    assert!(told.starts_with("token: "), "{told}");
    // a password that is refused, and servers that cannot say now
    let told = log_in("AUTH PLAIN", &[(plain.0, "535 5.7.8 bad")], &password("hunter2")).await.unwrap_err();
    assert!(told.contains("was refused (535 5.7.8 bad): check `username` and `password`"), "{told}");
    let told = log_in("AUTH PLAIN", &[(plain.0, "454 4.7.0 later")], &password("hunter2")).await.unwrap_err();
    assert!(told.contains("454 4.7.0 later: kithd tries again later"), "{told}");
    let told = log_in("AUTH PLAIN", &[(plain.0, "250 what?")], &password("hunter2")).await.unwrap_err();
    assert!(told.contains("250 what?"), "{told}");
    let told = log_in("AUTH PLAIN", &[(plain.0, "drop")], &password("hunter2")).await.unwrap_err();
    assert!(told.contains("broke off"), "{told}");
    for (offers, credentials) in
        [("AUTH CRAM-MD5", &password("hunter2")), ("8BITMIME", &token()), ("AUTH PLAIN", &token())]
    {
        let told = log_in(offers, &[], credentials).await.unwrap_err();
        assert!(told.contains("offers no login"), "{told}");
    }
}

const STANDARD_TOKEN: &str = "AUTH XOAUTH2 dXNlcj1hbGV4AWF1dGg9QmVhcmVyIFRPS0VOAQE=";

/// The client's end of a wire that is cut after so many bytes in one direction.
#[derive(Debug)]
struct Wire {
    inner: DuplexStream,
    out: usize,
    back: usize,
    /// Silence, or an end.
    stalls: bool,
    flown: Arc<[AtomicUsize; 2]>,
}

impl Wire {
    fn cut<T>(&self, end: std::io::Result<T>) -> Poll<std::io::Result<T>> {
        if self.stalls { Poll::Pending } else { Poll::Ready(end) }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.back == 0 {
            return self.cut(Ok(()));
        }
        let mut bytes = vec![0; buf.remaining().min(self.back)];
        let mut part = ReadBuf::new(&mut bytes);
        let polled = Pin::new(&mut self.inner).poll_read(cx, &mut part);
        let count = part.filled().len();
        buf.put_slice(part.filled());
        self.back -= count;
        self.flown[1].fetch_add(count, Ordering::SeqCst);
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.out == 0 {
            return self.cut(Err(std::io::ErrorKind::ConnectionReset.into()));
        }
        let most = bytes.len().min(self.out);
        let polled = Pin::new(&mut self.inner).poll_write(cx, &bytes[..most]);
        if let Poll::Ready(Ok(count)) = polled {
            self.out -= count;
            self.flown[0].fetch_add(count, Ordering::SeqCst);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// One delivery over a wire that is cut; also whether the server took it, and the bytes that flew.
async fn over_cut_wire(out: usize, back: usize, stalls: bool) -> (Delivery, Seen, [usize; 2]) {
    let (inner, there) = duplex(64 << 10);
    let flown = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let wire = Wire { inner, out, back, stalls, flown: flown.clone() };
    let served = tokio::spawn(async move { serve(there, &Replies::good(), true).await });
    let delivery = hand_in(wire, None).await;
    let seen = served.await.unwrap();
    (delivery, seen, [flown[0].load(Ordering::SeqCst), flown[1].load(Ordering::SeqCst)])
}

#[tokio::test(start_paused = true)]
async fn a_wire_cut_at_any_byte_tells_no_lie() {
    let (delivery, seen, [out, back]) = over_cut_wire(usize::MAX, usize::MAX, false).await;
    assert!(delivery == Delivery::Accepted && seen.took && out > 600 && back > 100);
    let mut kinds = std::collections::BTreeMap::new();
    for stalls in [false, true] {
        let cuts = (0..=out).map(|n| (n, usize::MAX)).chain((0..=back).map(|n| (usize::MAX, n)));
        for (out, back) in cuts {
            let (delivery, seen, _) = over_cut_wire(out, back, stalls).await;
            match &delivery {
                Delivery::Accepted => assert!(seen.took, "{out} {back}: not taken, but accepted"),
                Delivery::Transient(what) => assert!(!seen.took, "{out} {back}: taken, but {what}"),
                Delivery::Permanent(what) => panic!("{out} {back}: {what}"),
                Delivery::Unknown(_) => {}
            }
            *kinds.entry(kind(&delivery).0).or_insert(0) += 1;
        }
    }
    // unknown only for the few bytes around the dot and its answer
    assert!(kinds["unknown"] < 80 && kinds["transient"] > 1_000 && kinds["accepted"] > 10, "{kinds:?}");
}

/// A server on loopback; `injected` follows its answer to STARTTLS in plain text.
async fn listen(
    tls: Option<TlsAcceptor>,
    start_tls: bool,
    injected: &'static str,
    replies: Replies,
) -> (u16, Running, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let took = Arc::new(AtomicBool::new(false));
    let note = took.clone();
    let running = Running::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let (tls, replies, note) = (tls.clone(), replies.clone(), note.clone());
            tokio::spawn(async move {
                if start_tls {
                    let mut plain = BufReader::new(&mut tcp);
                    plain.write_all(b"220 hi\r\n").await.unwrap();
                    let mut line = String::new();
                    plain.read_line(&mut line).await.unwrap();
                    plain.write_all(b"250-mail\r\n250-PIPELINING\r\n250 STARTTLS\r\n").await.unwrap();
                    plain.read_line(&mut line).await.unwrap();
                    assert_eq!(line, "EHLO [127.0.0.1]\r\nSTARTTLS\r\n");
                    plain.write_all(format!("220 go\r\n{injected}").as_bytes()).await.unwrap();
                }
                let seen = match tls {
                    Some(tls) => match tls.accept(tcp).await {
                        Ok(stream) => serve(stream, &replies, !start_tls).await,
                        Err(_) => return,
                    },
                    None => serve(tcp, &replies, true).await,
                };
                note.fetch_or(seen.took, Ordering::SeqCst);
            });
        }
    });
    (port, running, took)
}

fn params(port: u16, security: Security, ca: &Authority, credentials: Option<Credentials>) -> Params {
    Params { server: server("localhost", port, security, Some(ca)), credentials }
}

#[tokio::test]
async fn over_tls_over_starttls_and_plain_on_this_machine() {
    let ca = Authority::new();
    let tls = ca.acceptor(&["localhost"], 2100);
    for (security, acceptor) in
        [(Security::Tls, Some(tls.clone())), (Security::StartTls, Some(tls.clone())), (Security::None, None)]
    {
        let (port, _running, _) = listen(acceptor, security == Security::StartTls, "", Replies::good()).await;
        let params = params(port, security, &ca, Some(password("hunter2")));
        assert_eq!(deliver(&params, &envelope()).await, Delivery::Accepted);
        let told = check(&params).await.unwrap();
        assert!(told.ends_with(": logged in as alex"), "{told}");
    }
}

#[tokio::test]
async fn what_is_said_in_plain_text_is_not_believed_after_tls() {
    let ca = Authority::new();
    let tls = ca.acceptor(&["localhost"], 2100);
    for injected in
        ["250 mail\r\n", "x", "\n", "250-evil\r\n250 AUTH LOGIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"]
    {
        let (port, _running, took) = listen(Some(tls.clone()), true, injected, Replies::good()).await;
        let delivery = deliver(&params(port, Security::StartTls, &ca, None), &envelope()).await;
        let (kind, what) = kind(&delivery);
        assert!(
            kind == "transient" && (what.contains("out of turn") || what.contains("where TLS should begin")),
            "{what}"
        );
        assert!(!took.load(Ordering::SeqCst));
    }
    // and a server that offers none gets nothing
    let (port, _running, took) = listen(None, false, "", Replies::good()).await;
    let delivery = deliver(&params(port, Security::StartTls, &ca, None), &envelope()).await;
    assert!(kind(&delivery).1.contains("offers no STARTTLS"), "{delivery:?}");
    // nor one that speaks plain text on a port for TLS, or the other way round
    let delivery = deliver(&params(port, Security::Tls, &ca, None), &envelope()).await;
    assert!(kind(&delivery).1.contains("set security = \"starttls\""), "{delivery:?}");
    assert!(!took.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_refused_token_is_renewed_on_a_connection_of_its_own() {
    let ca = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let script = format!("echo x >> {0}/n; echo T$(wc -l < {0}/n)", dir.path().display());
    let login = Login {
        username: "alex".into(),
        proof: Proof::OAuth2(OAuth2::TokenCommand(vec!["sh".into(), "-c".into(), script])),
    };
    let count = || std::fs::read_to_string(dir.path().join("n")).unwrap().lines().count();
    let (port, _running, _) = listen(None, false, "", Replies::but("AUTH", "535 5.7.8 no")).await;
    let params = params(port, Security::None, &ca, Some(Credentials::new(&login)));
    let delivery = deliver(&params, &envelope()).await;
    assert!(kind(&delivery).1.contains("refuses the token of alex"), "{delivery:?}");
    assert_eq!(count(), 2);
    // then it is over, until the user has logged in again
    let Delivery::Transient(what) = deliver(&params, &envelope()).await else { panic!() };
    assert!(what.contains("log in again"), "{what}");
    assert_eq!(count(), 2);
}

#[tokio::test]
async fn a_password_that_is_refused_is_not_tried_on_and_on() {
    let ca = Authority::new();
    let (port, _running, _) = listen(None, false, "", Replies::but("AUTH", "535 5.7.8 no")).await;
    let params = params(port, Security::None, &ca, Some(password("hunter2")));
    for _ in 0..limits::LOGINS_REFUSED {
        let Delivery::Transient(what) = deliver(&params, &envelope()).await else { panic!() };
        assert!(what.contains("check `username` and `password`") && !what.contains("hunter2"), "{what}");
    }
    let Delivery::Transient(what) = deliver(&params, &envelope()).await else { panic!() };
    assert!(what.contains("were refused within the hour"), "{what}");
    let trouble = check(&params).await.unwrap_err();
    assert!(trouble.what.contains("were refused within the hour"), "{trouble}");
}
