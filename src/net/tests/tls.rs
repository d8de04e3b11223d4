//! Connections, and certificates that are not accepted.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::servers::{Authority, Running, server};
use crate::evidence::Level;
use crate::net::tls::{Stream, dial, secure};
use crate::net::{Security, Trouble};

/// Greets over TLS, or in plain text, and goes.
async fn greeter(tls: Option<TlsAcceptor>) -> (u16, Running) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let running = Running::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                match tls {
                    Some(tls) => {
                        if let Ok(mut stream) = tls.accept(tcp).await {
                            let _ = stream.write_all(b"* OK hello\r\n").await;
                            let _ = stream.shutdown().await;
                        }
                    }
                    None => {
                        let _ = tcp.write_all(b"* OK hello\r\n").await;
                        let _ = tcp.shutdown().await;
                        let _ = tcp.read(&mut [0; 4096]).await;
                    }
                }
            });
        }
    });
    (port, running)
}

async fn greeting(host: &str, port: u16, security: Security, ca: Option<&Authority>) -> Result<String, Trouble> {
    let server = server(host, port, security, ca);
    let mut stream = secure(&server, dial(&server).await?).await?;
    assert_eq!(matches!(stream, Stream::Plain(_)), security == Security::None);
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    Ok(text)
}

#[tokio::test]
async fn a_good_certificate_is_accepted_with_its_ca_file() {
    let ca = Authority::new();
    let (port, _running) = greeter(Some(ca.acceptor(&["localhost", "127.0.0.1"], 2100))).await;
    for host in ["localhost", "127.0.0.1"] {
        for security in [Security::Tls, Security::StartTls] {
            assert_eq!(greeting(host, port, security, Some(&ca)).await.unwrap(), "* OK hello\r\n");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_told_in_words() {
    let (ca, other) = (Authority::new(), Authority::new());
    let told = async |tls: Option<TlsAcceptor>, ca: Option<&Authority>| {
        let (port, _running) = greeter(tls).await;
        let trouble = greeting("localhost", port, Security::Tls, ca).await.unwrap_err();
        assert_eq!(trouble.level, Level::Wait);
        trouble.what.replace(&port.to_string(), "PORT")
    };
    assert_eq!(
        told(Some(ca.acceptor(&["localhost"], 2020)), Some(&ca)).await,
        "the certificate of localhost:PORT expired at 2020-01-01T00:00:00Z: who runs the server must renew it"
    );
    assert_eq!(
        told(Some(ca.acceptor(&["mail.example.org", "*.example.net"], 2100)), Some(&ca)).await,
        "the certificate of localhost:PORT is for mail.example.org, *.example.net: set `host` to that name"
    );
    assert_eq!(
        told(Some(ca.acceptor(&["127.0.0.1"], 2100)), Some(&ca)).await,
        "the certificate of localhost:PORT is for 127.0.0.1: set `host` to that name"
    );
    let told_other = told(Some(ca.acceptor(&["localhost"], 2100)), Some(&other)).await;
    assert!(told_other.starts_with("nobody this system trusts") && told_other.contains("ca_file = "), "{told_other}");
    let told_ca = told(Some(ca.as_server()), Some(&ca)).await;
    assert!(told_ca.contains("certificate of a CA as its own"), "{told_ca}");
    let told_plain = told(None, Some(&ca)).await;
    assert!(told_plain.contains("set security = \"starttls\""), "{told_plain}");
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_a_fault_of_the_config() {
    let (port, _running) = greeter(None).await;
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name)
    };
    let paths = [
        dir.path().join("none"),
        write("empty", ""),
        write("der", "\u{1}\u{2}"),
        write("key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        write("bad", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ];
    for path in paths {
        let mut server = server("localhost", port, Security::Tls, None);
        server.ca_file = Some(path.clone());
        let trouble = secure(&server, dial(&server).await.unwrap()).await.unwrap_err();
        assert_eq!(trouble.level, Level::Stop);
        assert!(trouble.what.contains(&path.display().to_string()), "{trouble}");
    }
}

#[tokio::test]
async fn what_cannot_be_reached_says_what_to_check() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let told = async |host: &str, port, security| dial(&server(host, port, security, None)).await.unwrap_err().what;
    assert!(told("127.0.0.1", free, Security::Tls).await.contains("nothing listens at 127.0.0.1:"));
    let told_name = told("no-such-host.invalid", 993, Security::Tls).await;
    assert_eq!(told_name, "no-such-host.invalid is not found: check `host` and the network");
    // a name may lead anywhere; a plain connection stays on this machine
    let told_plain = told("192.0.2.1", 143, Security::None).await;
    assert!(told_plain.contains("is not this machine"), "{told_plain}");
    let (port, _running) = greeter(None).await;
    assert_eq!(greeting("localhost", port, Security::None, None).await.unwrap(), "* OK hello\r\n");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left() {
    let ca = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server("localhost", listener.local_addr().unwrap().port(), Security::Tls, Some(&ca));
    let tcp = dial(&server).await.unwrap();
    tokio::time::pause();
    let trouble = secure(&server, tcp).await.unwrap_err();
    assert!(trouble.what.contains("does not finish the TLS handshake"), "{trouble}");
    drop(listener);
}
