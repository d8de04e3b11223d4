//! HTTP: where redirects lead, what proofs go where, and bodies without an end.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::servers::{Answer, Authority, Running, Web as Server, response};
use crate::net::http::{Bounds, Client, Request, Response, World};
use crate::net::reach::Reach;
use crate::net::token::Credentials;
use crate::net::{Login, OAuth2, Proof, Secret, Trouble, Url, Web};

/// In these tests 127.0.0.2 lies in the world, 127.0.0.3 in a private network, 127.0.0.1 here.
fn reach(address: IpAddr) -> Reach {
    match address.to_string().as_str() {
        "127.0.0.2" => Reach::Public,
        "127.0.0.3" => Reach::Private,
        _ => Reach::Loopback,
    }
}

fn world() -> World {
    let names = [
        ("public.example", "127.0.0.2"),
        ("also.example", "127.0.0.2"),
        ("private.example", "127.0.0.3"),
        ("here.example", "127.0.0.1"),
        ("no.localhost", "127.0.0.3"),
    ];
    let mut names: BTreeMap<String, Vec<IpAddr>> =
        names.into_iter().map(|(name, ip)| (name.to_string(), vec![ip.parse().unwrap()])).collect();
    // a name that means both: only its public half is used where it must be public
    names.insert("both.example".into(), vec!["127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap()]);
    World { names: Some(Arc::new(names)), reach }
}

fn login(proof: Proof) -> Login {
    Login { username: "alex".into(), proof }
}

fn password() -> Login {
    login(Proof::Password(Secret::Command(vec!["printf".into(), "hunter2".into()])))
}

fn client(url: &str, login: Option<&Login>, ca: Option<&Authority>, bounds: Bounds) -> Result<Client, Trouble> {
    let web = Web { url: Url::parse(url).unwrap(), login: login.cloned(), ca_file: ca.map(Authority::ca_file) };
    let mut client = Client::new(&web, login.map(Credentials::new).as_ref(), bounds)?;
    client.world = world();
    Ok(client)
}

const BASIC: &str = "Basic YWxleDpodW50ZXIy";

/// Redirects by `/STATUS/URL`, where `PORT` and `TLS` are the ports; anything else answers 200.
fn redirecting() -> (Answer, Arc<std::sync::OnceLock<(u16, u16)>>) {
    let ports = Arc::new(std::sync::OnceLock::new());
    let known = ports.clone();
    let answer: Answer = Arc::new(move |asked| {
        let (port, tls): &(u16, u16) = known.get().unwrap();
        let mut words = asked.path.splitn(3, '/').skip(1);
        match (words.next().and_then(|w| w.parse().ok()), words.next()) {
            (Some(status), Some(rest)) => {
                let (this, next) = rest.split_once("/then/").map_or((rest, ""), |(this, next)| (this, next));
                let to = this.replace("PORT", &port.to_string()).replace("TLS", &tls.to_string());
                let to = if next.is_empty() { to } else { format!("{to}{next}") };
                response(status, &[("Location", &to)], "moved")
            }
            _ => response(200, &[], "here"),
        }
    });
    (answer, ports)
}

/// One listener for each place a redirect may lead to, all on one port, and TLS on another.
struct Places {
    plain: Vec<(&'static str, Server)>,
    tls: Vec<(&'static str, Server)>,
    port: u16,
    tls_port: u16,
}

async fn places(ca: &Authority) -> Places {
    let (answer, ports) = redirecting();
    let names = [
        "public.example",
        "also.example",
        "private.example",
        "here.example",
        "both.example",
        "127.0.0.1",
        "127.0.0.2",
        "127.0.0.3",
    ];
    let all = [("public", "127.0.0.2"), ("private", "127.0.0.3"), ("here", "127.0.0.1")];
    'next: loop {
        let mut listeners = Vec::new();
        for with_tls in [false, true] {
            let mut port = 0;
            for (name, address) in all {
                let Ok(listener) = tokio::net::TcpListener::bind((address, port)).await else { continue 'next };
                port = listener.local_addr().unwrap().port();
                listeners.push((with_tls, name, listener));
            }
        }
        let mut places = Places { plain: Vec::new(), tls: Vec::new(), port: 0, tls_port: 0 };
        for (with_tls, name, listener) in listeners {
            let tls = with_tls.then(|| ca.acceptor(&names, 2100));
            let server = Server::on(listener, tls, answer.clone());
            if with_tls {
                places.tls_port = server.port;
                places.tls.push((name, server));
            } else {
                places.port = server.port;
                places.plain.push((name, server));
            }
        }
        ports.set((places.port, places.tls_port)).unwrap();
        return places;
    }
}

/// Begin | method | redirects, each `STATUS URL` | where it ends: method and place with the proof it
/// got there, or what the error says. `S` before a place: by TLS.
const REDIRECTS: &[(&str, &str, &[&str], &str)] = &[
    // on the same server, with the proof
    ("https://public.example:TLS", "GET", &["301 /a"], "GET Spublic proof"),
    ("https://public.example:TLS", "PROPFIND", &["301 /a"], "PROPFIND Spublic proof"),
    ("https://public.example:TLS", "PROPFIND", &["302 /a"], "PROPFIND Spublic proof"),
    ("https://public.example:TLS", "PROPFIND", &["307 /a"], "PROPFIND Spublic proof"),
    ("https://public.example:TLS", "REPORT", &["308 /a"], "REPORT Spublic proof"),
    ("https://public.example:TLS", "PROPFIND", &["303 /a"], "GET Spublic proof"),
    ("https://public.example:TLS", "PROPFIND", &["301 https://public.example:TLS/a"], "PROPFIND Spublic proof"),
    ("https://public.example:TLS", "GET", &["301 //public.example:TLS/a"], "GET Spublic proof"),
    ("https://public.example:TLS", "GET", &["301 ../a"], "GET Spublic proof"),
    // what changes something is not repeated elsewhere
    ("https://public.example:TLS", "POST", &["307 /a"], "307"),
    ("https://public.example:TLS", "PUT", &["308 /a"], "308"),
    ("https://public.example:TLS", "DELETE", &["301 /a"], "301"),
    // no redirect, or one without a place
    ("https://public.example:TLS", "GET", &["304 /a"], "304"),
    ("https://public.example:TLS", "GET", &["300 /a"], "300"),
    // to another server: no proof
    ("https://public.example:TLS", "GET", &["301 https://also.example:TLS/a"], "GET Spublic none"),
    ("https://public.example:TLS", "PROPFIND", &["301 https://also.example:TLS/a"], "PROPFIND Spublic none"),
    (
        "https://public.example:TLS",
        "GET",
        &["302 https://also.example:TLS/302/https://public.example:TLS/a"],
        "GET Spublic proof",
    ),
    ("https://public.example:TLS", "GET", &["301 https://127.0.0.2:TLS/a"], "GET Spublic none"),
    // never to plain http, nor to anything but http
    ("https://public.example:TLS", "GET", &["301 http://public.example:PORT/a"], "plain http"),
    ("https://public.example:TLS", "GET", &["301 http://also.example:PORT/a"], "plain http"),
    ("https://public.example:TLS", "GET", &["301 ftp://also.example/a"], "no http or https"),
    ("https://public.example:TLS", "GET", &["301 file:///etc/passwd"], "no http or https"),
    ("https://public.example:TLS", "GET", &["301 https://me:pw@also.example:TLS/"], "no http or https"),
    ("https://public.example:TLS", "GET", &["301 https://"], "no http or https"),
    // never nearer: by name, by address, in odd spellings, in a second step, and on the same name
    ("https://public.example:TLS", "GET", &["301 https://private.example:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://here.example:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://127.0.0.3:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://127.0.0.1:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://2130706433:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://0x7f.1:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://[::1]:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://[::ffff:127.0.0.1]:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://also.example:TLS/301/https://here.example:TLS/a"], "nearer"),
    ("https://private.example:TLS", "GET", &["301 https://here.example:TLS/a"], "nearer"),
    ("https://here.example:TLS", "GET", &["301 https://public.example:TLS/301/https://here.example:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["301 https://both.example:TLS/a"], "GET Spublic none"),
    ("https://public.example:TLS", "GET", &["301 https://nowhere.example:TLS/a"], "not found"),
    // further away, or as near as before, is allowed
    ("https://private.example:TLS", "GET", &["301 https://public.example:TLS/a"], "GET Spublic none"),
    ("https://private.example:TLS", "GET", &["301 /a"], "GET Sprivate proof"),
    ("https://here.example:TLS", "GET", &["301 https://private.example:TLS/a"], "GET Sprivate none"),
    ("http://127.0.0.1:PORT", "GET", &["301 /a"], "GET here proof"),
    ("http://127.0.0.1:PORT", "GET", &["301 https://here.example:TLS/a"], "GET Shere none"),
    ("http://127.0.0.1:PORT", "GET", &["301 http://here.example:PORT/a"], "GET here none"),
    // a link found in an answer is no better than a redirect
    ("https://public.example:TLS", "GET", &["href https://here.example:TLS/a"], "nearer"),
    ("https://public.example:TLS", "GET", &["href http://also.example:PORT/a"], "plain http"),
    ("https://public.example:TLS", "GET", &["href https://also.example:TLS/a"], "GET Spublic none"),
    ("https://public.example:TLS", "GET", &["href https://public.example:TLS/a"], "GET Spublic proof"),
    ("https://here.example:TLS", "GET", &["href https://here.example:TLS/a"], "GET Shere proof"),
];

#[tokio::test]
async fn redirects_lead_where_they_may() {
    let ca = Authority::new();
    let places = places(&ca).await;
    let login = password();
    let fill = |text: &str| text.replace("PORT", &places.port.to_string()).replace("TLS", &places.tls_port.to_string());
    assert!(REDIRECTS.len() >= 40);
    for (start, method, steps, expected) in REDIRECTS {
        let start = fill(start);
        let target = match steps[0].split_once(' ').unwrap() {
            ("href", url) => fill(url),
            (status, url) => format!("/{status}/{url}"),
        };
        let seen_before: Vec<usize> = places.servers().map(|(_, s)| s.asked().len()).collect();
        let client = client(&start, Some(&login), Some(&ca), Bounds::default()).unwrap();
        let answer = client.send(Request::new(method, &target).body(b"<x/>".to_vec())).await;
        let told = match &answer {
            Ok(response) if response.status == 200 => {
                let mut reached =
                    places.servers().zip(&seen_before).filter(|((_, s), before)| s.asked().len() > **before);
                let ((name, last), _) =
                    reached.by_ref().find(|((_, s), _)| !s.asked().last().unwrap().path.starts_with("/3")).unwrap();
                let last = last.asked().last().unwrap().clone();
                assert_eq!(last.body, if last.method == "GET" && *method != "GET" { "" } else { "<x/>" });
                let proof = match last.authorization.as_deref() {
                    Some(BASIC) => "proof",
                    Some(other) => panic!("{other}"),
                    None => "none",
                };
                format!("{} {name} {proof}", last.method)
            }
            Ok(response) => response.status.to_string(),
            Err(trouble) => trouble.what.clone(),
        };
        let fits = if answer.is_ok() { told == *expected } else { told.contains(expected) };
        assert!(fits, "{start} {method} {steps:?}: {told}, not {expected}");
        assert!(!told.contains("hunter2") && !told.contains("/a"), "{told}");
        if answer.is_err() {
            // not even a connection was made to where it may not go
            let after: Vec<_> = places.servers().map(|(n, s)| (n, s.asked().len())).collect();
            let more: Vec<_> =
                after.iter().zip(&seen_before).filter(|((_, a), b)| a > b).map(|((n, _), _)| n.clone()).collect();
            let from = if start.contains("public") {
                "public"
            } else if start.contains("private") {
                "private"
            } else {
                "here"
            };
            assert!(more.iter().all(|n| n == &format!("S{from}") || n == "Spublic"), "{start} {steps:?}: {more:?}");
        }
    }
}

impl Places {
    fn servers(&self) -> impl Iterator<Item = (String, &Server)> {
        let plain = self.plain.iter().map(|(name, s)| (name.to_string(), s));
        plain.chain(self.tls.iter().map(|(name, s)| (format!("S{name}"), s)))
    }
}

async fn one(answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> (Server, String) {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let answer: Answer = Arc::new(move |_| answer(count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1));
    let server = Server::start("127.0.0.1", None, answer).await;
    let url = format!("http://127.0.0.1:{}/secret-path/", server.port);
    (server, url)
}

async fn get(url: &str, bounds: Bounds) -> Result<Response, Trouble> {
    client(url, None, None, bounds)?.send(Request::new("GET", "")).await
}

#[tokio::test]
async fn five_redirects_and_no_more() {
    for (times, good) in [(5, true), (6, false)] {
        let (server, url) = one(move |n| match n <= times {
            true => response(302, &[("Location", "again")], ""),
            false => response(200, &[], "here"),
        })
        .await;
        let answer = get(&url, Bounds::default()).await;
        assert_eq!(answer.is_ok(), good, "{answer:?}");
        assert_eq!(server.asked().len(), 6);
    }
}

#[tokio::test]
async fn a_body_is_bounded_after_decompression() {
    let bounds = Bounds { body_bytes: 1 << 20, secs: 60 };
    let zipped = |bytes: usize| {
        let mut gzip = flate(bytes);
        let mut head =
            format!("HTTP/1.1 200 x\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", gzip.len()).into_bytes();
        head.append(&mut gzip);
        head
    };
    let small = zipped(1 << 20);
    let (_server, url) = one(move |_| small.clone()).await;
    assert_eq!(get(&url, bounds).await.unwrap().body.len(), 1 << 20);
    let bomb = zipped(200 << 20);
    assert!(bomb.len() < 1 << 20);
    let (_server, url) = one(move |_| bomb.clone()).await;
    let trouble = get(&url, bounds).await.unwrap_err();
    assert_eq!(trouble.what, "127.0.0.1 answers with more than 1024 KiB, which is not read");
    // a body without an end
    let mut endless = b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n".to_vec();
    endless.resize(4 << 20, b'x');
    let (_server, url) = one(move |_| endless.clone()).await;
    assert!(get(&url, bounds).await.unwrap_err().what.contains("1024 KiB"));
}

/// Zeros as gzip, by hand: stored blocks would not be a bomb, so the tool of the system makes it.
fn flate(bytes: usize) -> Vec<u8> {
    let mut child = std::process::Command::new("gzip")
        .arg("-c9")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        let zeros = vec![0; 1 << 20];
        (0..bytes >> 20).for_each(|_| input.write_all(&zeros).unwrap());
    });
    let output = child.wait_with_output().unwrap().stdout;
    feeder.join().unwrap();
    output
}

#[tokio::test]
async fn a_server_that_is_slow_or_silent_or_odd_is_left() {
    let bounds = Bounds { body_bytes: 1 << 20, secs: 1 };
    // the head, and then nothing
    let (_server, url) = one(|_| b"HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\nabc".to_vec()).await;
    let trouble = get(&url, bounds).await.unwrap_err();
    assert_eq!(trouble.what, "127.0.0.1 has not finished its answer after 1 s");
    let (_server, url) = one(|_| Vec::new()).await;
    assert!(get(&url, bounds).await.unwrap_err().what.contains("after 1 s"));
    // no HTTP, a head without an end, a broken body, nobody there
    let bounds = Bounds { secs: 20, ..bounds };
    let mut head = b"HTTP/1.1 200 x\r\nX: ".to_vec();
    head.resize(4 << 20, b'x');
    let damaged = b"HTTP/1.1 200 x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd".to_vec();
    for bytes in [b"* OK IMAP ready\r\n".to_vec(), head, damaged] {
        let (_server, url) = one(move |_| bytes.clone()).await;
        let what = get(&url, bounds).await.unwrap_err().what;
        assert!(what.starts_with("127.0.0.1 ") || what.starts_with("the answer of 127.0.0.1"), "{what}");
        assert!(!what.contains("secret-path"), "{what}");
    }
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let what = get(&format!("http://127.0.0.1:{free}/secret-path/"), bounds).await.unwrap_err().what;
    assert_eq!(what, "nothing listens at 127.0.0.1: check `host` and `port`");
}

#[tokio::test]
async fn a_body_may_be_read_in_pieces() {
    let (_server, url) = one(|_| response(200, &[("ETag", "\"1\"")], &"x".repeat(100_000))).await;
    let client = client(&url, None, None, Bounds { body_bytes: 50_000, secs: 60 }).unwrap();
    let mut incoming = client.open(Request::new("GET", "")).await.unwrap();
    assert_eq!((incoming.response.status, incoming.response.header("etag")), (200, Some("\"1\"")));
    let mut read = 0;
    let trouble = loop {
        match incoming.chunk().await {
            Ok(piece) => read += piece.unwrap().len(),
            Err(trouble) => break trouble,
        }
    };
    assert!(read <= 50_000 && trouble.what.contains("48 KiB"), "{trouble}");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let answer: Answer = Arc::new(|asked| match asked.authorization.as_deref() {
        Some("Bearer T2") => response(200, &[], "here"),
        _ => response(401, &[], "no"),
    });
    let server = Server::start("127.0.0.1", None, answer).await;
    let url = format!("http://127.0.0.1:{}/", server.port);
    let dir = tempfile::tempdir().unwrap();
    let script = format!("echo x >> {0}/n; echo T$(wc -l < {0}/n)", dir.path().display());
    let oauth2 = login(Proof::OAuth2(OAuth2::TokenCommand(vec!["sh".into(), "-c".into(), script])));
    let token = client(&url, Some(&oauth2), None, Bounds::default()).unwrap();
    assert_eq!(token.send(Request::new("REPORT", "x").body(b"b".to_vec())).await.unwrap().status, 200);
    assert_eq!(token.send(Request::new("GET", "y")).await.unwrap().status, 200);
    let seen: Vec<_> = server.asked().iter().map(|a| a.authorization.clone().unwrap()).collect();
    assert_eq!(seen, ["Bearer T1", "Bearer T2", "Bearer T2"]);
    // a password is not tried again, and not more than three times an hour
    let basic = client(&url, Some(&password()), None, Bounds::default()).unwrap();
    for _ in 0..3 {
        assert_eq!(basic.send(Request::new("GET", "")).await.unwrap().status, 401);
    }
    assert!(basic.send(Request::new("GET", "")).await.unwrap_err().what.contains("were refused within the hour"));
    assert_eq!(server.asked().len(), 6);
}

#[tokio::test]
async fn certificates_are_verified() {
    let ca = Authority::new();
    for (names, until, with, expected) in [
        (["localhost"], 2100, true, ""),
        (["localhost"], 2020, true, "expired at 2020"),
        (["other.example"], 2100, true, "is for other.example"),
        (["localhost"], 2100, false, "nobody this system trusts"),
    ] {
        let answer: Answer = Arc::new(|_| response(200, &[], "here"));
        let server = Server::start("127.0.0.1", Some(ca.acceptor(&names, until)), answer).await;
        let web = Web {
            url: Url::parse(&format!("https://localhost:{}/", server.port)).unwrap(),
            login: None,
            ca_file: with.then(|| ca.ca_file()),
        };
        let answer = Client::new(&web, None, Bounds::default()).unwrap().send(Request::new("GET", "")).await;
        match answer {
            Ok(response) => assert!(expected.is_empty() && response.body == b"here"),
            Err(trouble) => assert!(!expected.is_empty() && trouble.what.contains(expected), "{trouble}"),
        }
    }
    // plain text where TLS was expected
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let _running = Running::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let _ = tcp.read(&mut [0; 4096]).await;
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let what = get(&url, Bounds::default()).await.unwrap_err().what;
    assert_eq!(what, "127.0.0.1 does not speak TLS at this port: check `url`");
}

#[tokio::test]
async fn a_password_does_not_go_over_plain_http() {
    let trouble = client("http://dav.example/", Some(&password()), None, Bounds::default()).err().unwrap();
    assert!(trouble.what.contains("use https://"), "{trouble}");
    // a name that should be this machine, and is not
    let client = client("http://no.localhost/", Some(&password()), None, Bounds::default()).unwrap();
    let trouble = client.send(Request::new("GET", "")).await.unwrap_err();
    assert!(trouble.what.contains("use https://"), "{trouble}");
}

/// A server that closes a kept connection when the next request comes, as one does whose patience ended just then.
#[tokio::test]
async fn what_was_closed_meanwhile_is_asked_once_more() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let mut connections = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            connections += 1;
            let mut bytes = [0; 4096];
            let _ = stream.read(&mut bytes).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhere").await.unwrap();
            // the next request is read and not answered
            let asked = stream.read(&mut bytes).await.unwrap();
            if asked == 0 || connections == 3 {
                return connections;
            }
        }
    });
    let client = client(&format!("http://127.0.0.1:{port}/"), None, None, Bounds::default()).unwrap();
    for _ in 0..3 {
        let answer = client.send(Request::new("GET", "")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"here".as_slice()));
    }
    // what changes something is not asked twice
    client.send(Request::new("POST", "")).await.unwrap_err();
    assert_eq!(serving.await.unwrap(), 3);
}
