//! Scripted dialogues: what the client must say, line by line, and what it is answered.
//!
//! ```text
//! C: k1 NOOP              the client must say this
//! S: * 3 EXISTS           it is answered this; \r \n \\ \xHH are bytes
//! S= half a line          the same, without a line end
//! -- close                the server goes away
//! -- stall                it says nothing more, and listens
//! -- 5s                   it waits
//! ```
//! After the last line the server goes away.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::imap::login::{Refused, log_in};
use crate::imap::{Error, Session};
use crate::net::token::Shown;
use crate::net::{Security, Server, Trouble};

/// Runs `client` against a server that follows `script`, to the end of both.
pub async fn play<T>(script: &str, client: impl AsyncFnOnce(DuplexStream) -> T) -> T {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let steps: Vec<String> = script.lines().map(|l| l.trim_start().to_string()).filter(|l| !l.is_empty()).collect();
    let server = tokio::spawn(serve(steps, theirs));
    let result = client(ours).await;
    server.await.unwrap();
    result
}

async fn serve(steps: Vec<String>, mut stream: DuplexStream) {
    for step in steps {
        if step == "-- close" {
            return;
        }
        if step == "-- stall" {
            let mut sink = Vec::new();
            stream.read_to_end(&mut sink).await.unwrap();
            return;
        }
        if let Some(secs) = step.strip_prefix("-- ") {
            let secs = secs.strip_suffix('s').unwrap().parse().unwrap();
            tokio::time::sleep(Duration::from_secs(secs)).await;
            continue;
        }
        let (who, text) = step.split_at(2);
        let text = text.strip_prefix(' ').unwrap_or(text);
        match who {
            "C:" => assert_eq!(line(&mut stream).await.as_deref(), Some(text), "the client says"),
            "S:" => {
                let mut bytes = unescape(text);
                bytes.extend_from_slice(b"\r\n");
                let _ = stream.write_all(&bytes).await;
            }
            "S=" => {
                let _ = stream.write_all(&unescape(text)).await;
            }
            _ => panic!("no step: {step}"),
        }
    }
}

async fn line(stream: &mut DuplexStream) -> Option<String> {
    let mut line = Vec::new();
    loop {
        let byte = stream.read_u8().await.ok()?;
        if byte == b'\n' {
            break;
        }
        line.push(byte);
    }
    Some(String::from_utf8_lossy(&line).trim_end_matches('\r').to_string())
}

pub fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let byte = match (c, c == '\\') {
            (_, false) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            (_, true) => match chars.next() {
                Some('r') => b'\r',
                Some('n') => b'\n',
                Some('\\') => b'\\',
                Some('x') => {
                    let hex: String = chars.by_ref().take(2).collect();
                    u8::from_str_radix(&hex, 16).unwrap()
                }
                other => panic!("no escape: {other:?}"),
            },
        };
        out.push(byte);
    }
    out
}

/// Server of a script.
pub fn server(host: &str, security: Security) -> Server {
    Server { host: host.to_string(), port: 143, security, ca_file: None }
}

pub fn password(text: &str) -> Shown {
    Shown::Password(text.to_string().into())
}

pub fn token(text: &str) -> Shown {
    Shown::Token(text.to_string().into())
}

/// Logs in as the script goes; over TLS, as far as the client knows.
pub(in crate::imap) async fn log_in_as(script: &str, username: &str, proof: Shown) -> Result<Vec<String>, Refused> {
    let server = server("imap.example", Security::Tls);
    play(script, async |stream| {
        let session = log_in(&server, stream, username, &proof).await?;
        Ok(session.capabilities().iter().map(str::to_string).collect())
    })
    .await
}

/// A session that is logged in, to a server with these capabilities; the first command is `k1`.
pub async fn with<T>(capabilities: &str, script: &str, client: impl AsyncFnOnce(Session<DuplexStream>) -> T) -> T {
    let capabilities = format!("IMAP4rev1 {capabilities}");
    let script = format!("S: * PREAUTH [CAPABILITY {}] hello\n{script}", capabilities.trim_end());
    play(&script, async |stream| {
        let server = server("localhost", Security::None);
        let session = log_in(&server, stream, "alex", &password("unused")).await.unwrap();
        client(session).await
    })
    .await
}

/// The words of an error that must be.
pub fn words<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    Trouble::from(result.unwrap_err()).what
}
