//! From a fresh stream to a session: greeting, STARTTLS, login. Part of `imap`.
//!
//! Invariant: no proof goes over a plain connection but to this machine, and nothing a server says
//! before TLS is believed after it.

use std::time::Duration;

use async_imap::imap_proto::{self, Response, ResponseCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::command::{Part, astring, secret_astring};
use super::connection::{Connection, Done, Status, capabilities};
use super::{Error, Session, Transport, words};
use crate::evidence::Level;
use crate::net::token::{Credentials, Shown};
use crate::net::{Security, Server, Trouble, is_loopback, tls};
use crate::{fail, limits};

/// Connects and logs in; a refused token is renewed and shown once more, over a new connection.
///
/// # Errors
/// `Stop` where the login was refused, `Wait` otherwise; with what to do about it.
pub async fn connect(server: &Server, credentials: &Credentials) -> Result<Session<tls::Stream>, Trouble> {
    let mut renewed = false;
    loop {
        fail::point("imap.connect");
        let mut tcp = tls::dial(server).await?;
        if server.security == Security::StartTls {
            start_tls(&server.host, &mut tcp).await?;
        }
        let stream = tls::secure(server, tcp).await?;
        // last: a password is not asked for where nobody would take it
        let proof = credentials.proof().await?;
        fail::point("imap.login");
        let refused = match log_in(server, stream, credentials.username(), &proof).await {
            Ok(session) => return Ok(session),
            Err(refused) => refused,
        };
        if refused.refused {
            credentials.refused();
        }
        if !refused.refused || renewed || matches!(proof, Shown::Password(_)) {
            return Err(refused.trouble);
        }
        renewed = true;
    }
}

/// Why nobody was let in.
#[derive(Debug)]
pub(super) struct Refused {
    /// The proof was looked at and not accepted.
    pub(super) refused: bool,
    pub(super) trouble: Trouble,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused { refused: false, trouble: Trouble { level: Level::Wait, ..Trouble::from(error) } }
    }
}

/// Waits for the greeting and logs in. After STARTTLS there is no greeting.
pub(super) async fn log_in<S: Transport>(
    server: &Server,
    stream: S,
    username: &str,
    proof: &Shown,
) -> Result<Session<S>, Refused> {
    let mut connection = Connection::new(&server.host, stream);
    let greeted = match server.security {
        Security::StartTls => false,
        Security::Tls | Security::None => greeting(&mut connection, is_loopback(&server.host)).await?,
    };
    if connection.capabilities.is_empty() {
        connection.ask_capabilities().await?;
    }
    if !greeted {
        authenticate(&mut connection, username, proof).await?;
    }
    Ok(Session::new(connection))
}

/// Is the login done already (PREAUTH)?
async fn greeting<S: Transport>(connection: &mut Connection<S>, loopback: bool) -> Result<bool, Refused> {
    let greeted = connection.read(|connection, response| match response {
        Response::Data { status, outcome } => {
            if let Some(ResponseCode::Capabilities(list)) = &outcome.code {
                connection.capabilities = capabilities(list);
            }
            Ok(matches!(status, imap_proto::Status::PreAuth))
        }
        _ => Err(connection.lost(Level::Wait, "does not greet as an IMAP server: check `port`")),
    });
    match greeted.await? {
        true if !loopback => {
            let what = "says that we are logged in before we were (PREAUTH): that cannot be trusted";
            Err(connection.lost(Level::Wait, what).into())
        }
        greeted => Ok(greeted),
    }
}

async fn authenticate<S: Transport>(
    connection: &mut Connection<S>,
    username: &str,
    proof: &Shown,
) -> Result<(), Refused> {
    let stop = |connection: &Connection<S>, what: &str| Refused {
        refused: false,
        trouble: Trouble { level: Level::Stop, what: format!("{} {what}", connection.host) },
    };
    // what ends a SASL message early would let a name speak for another one
    if username.contains(['\0', '\u{1}']) {
        return Err(stop(connection, "cannot be shown this `username`: it holds control characters"));
    }
    let (Shown::Password(secret) | Shown::Token(secret)) = proof;
    let forms = [secret.clone(), SecretString::from(STANDARD.encode(secret.expose_secret()))];
    connection.secrets.extend(forms);
    let offers = |mechanism: &str| connection.capabilities.has(mechanism);
    let (done, token) = match proof {
        Shown::Password(password) if offers("AUTH=PLAIN") && !password.expose_secret().contains('\0') => {
            // RFC 4616
            let message = SecretString::from(format!("\0{username}\0{}", password.expose_secret()));
            (sasl(connection, "PLAIN", &message).await?, false)
        }
        Shown::Password(_) if offers("LOGINDISABLED") => {
            return Err(stop(
                connection,
                "takes no password over this connection: set security = \"tls\" or \"starttls\", or use `oauth2`",
            ));
        }
        Shown::Password(password) => {
            let space = || Part::Text(" ".to_string());
            let parts = [Part::Text("LOGIN ".to_string()), astring(username), space(), secret_astring(password)];
            (login(connection, &parts).await?, false)
        }
        Shown::Token(token) if offers("AUTH=XOAUTH2") => {
            // https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
            let message = format!("user={username}\u{1}auth=Bearer {}\u{1}\u{1}", token.expose_secret());
            (sasl(connection, "XOAUTH2", &SecretString::from(message)).await?, true)
        }
        Shown::Token(token) if offers("AUTH=OAUTHBEARER") => {
            // RFC 7628 3.1; RFC 5801 4 for the name
            let name = username.replace('=', "=3D").replace(',', "=2C");
            let message = format!("n,a={name},\u{1}auth=Bearer {}\u{1}\u{1}", token.expose_secret());
            (sasl(connection, "OAUTHBEARER", &SecretString::from(message)).await?, true)
        }
        Shown::Token(_) => {
            return Err(stop(
                connection,
                "takes no token (neither XOAUTH2 nor OAUTHBEARER): use `password` instead of `oauth2`",
            ));
        }
    };
    if done.status != Status::Ok {
        let trouble = words::login_refused(&connection.host, username, token, &done);
        return Err(Refused { refused: trouble.level == Level::Stop, trouble });
    }
    match done.capabilities {
        Some(capabilities) => connection.capabilities = capabilities,
        // what was said before the login is no longer true
        None => connection.ask_capabilities().await?,
    }
    Ok(())
}

async fn login<S: Transport>(connection: &mut Connection<S>, parts: &[Part]) -> Result<Done, Refused> {
    Ok(connection.run(parts, &mut |_| {}).await?)
}

/// One SASL exchange in which the client speaks first and once (RFC 3501 6.2.2, RFC 4959).
async fn sasl<S: Transport>(
    connection: &mut Connection<S>,
    mechanism: &str,
    message: &SecretString,
) -> Result<Done, Refused> {
    let encoded = SecretString::from(STANDARD.encode(message.expose_secret()));
    connection.secrets.push(encoded.clone());
    connection.begin()?;
    let mut said = connection.capabilities.has("SASL-IR");
    let mut parts = vec![Part::Text(format!("AUTHENTICATE {mechanism}"))];
    if said {
        parts.extend([Part::Text(" ".to_string()), Part::Secret(encoded.clone())]);
    }
    let Ok(tag) = connection.send(&parts).await? else {
        return Err(connection.lost(Level::Wait, "sends something that is no IMAP").into());
    };
    let mut challenges = 0;
    let done = loop {
        challenges += 1;
        match connection.go_ahead(&tag).await? {
            Err(done) => break done,
            Ok(()) if challenges > 2 => {
                return Err(connection.lost(Level::Wait, "does not come to an end of the login").into());
            }
            // why a token is refused; it must be answered before the NO comes (RFC 7628 3.2.3)
            Ok(()) if said => {
                connection.write(if mechanism == "OAUTHBEARER" { b"AQ==\r\n" } else { b"\r\n" }).await?;
            }
            Ok(()) => {
                connection.write(encoded.expose_secret().as_bytes()).await?;
                connection.write(b"\r\n").await?;
                said = true;
            }
        }
        connection.flush().await?;
    };
    connection.finish();
    Ok(done)
}

/// The dialogue before TLS, to the byte: what a server sends after its OK would be believed
/// as if it had come through TLS.
pub(super) async fn start_tls<S: Transport>(host: &str, stream: &mut S) -> Result<(), Trouble> {
    let trouble = |level, what: &str| Trouble { level, what: format!("{host} {what}") };
    let mut held = Vec::new();
    let greeting = plain_line(host, stream, &mut held).await?;
    let word = greeting.get(2..).unwrap_or_default().split(' ').next().unwrap_or_default();
    match (greeting.starts_with("* "), word.to_ascii_uppercase().as_str()) {
        (true, "OK") => {}
        (true, "PREAUTH") => {
            return Err(trouble(
                Level::Wait,
                "says that we are logged in before TLS (PREAUTH): that cannot be trusted",
            ));
        }
        (true, "BYE") => {
            return Err(trouble(Level::Wait, &format!("ends the connection ({})", words::cut(&greeting))));
        }
        _ => return Err(trouble(Level::Wait, "does not greet as an IMAP server: check `port` and `security`")),
    }
    if !held.is_empty() {
        return Err(trouble(Level::Wait, "speaks before it is asked"));
    }
    let sent = async {
        stream.write_all(b"k0 STARTTLS\r\n").await?;
        stream.flush().await
    };
    if !matches!(timeout(Duration::from_secs(limits::IMAP_QUIET_SECS), sent).await, Ok(Ok(()))) {
        return Err(trouble(Level::Wait, "closed the connection before TLS"));
    }
    for _ in 0..limits::IMAP_STARTTLS_LINES {
        let line = plain_line(host, stream, &mut held).await?;
        let Some(answer) = line.strip_prefix("k0 ") else { continue };
        if !answer.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("OK")) {
            let what = format!("offers no STARTTLS ({}): set security = \"tls\" and port = 993", words::cut(answer));
            return Err(trouble(Level::Stop, &what));
        }
        if !held.is_empty() {
            return Err(trouble(Level::Wait, "goes on in plain text after STARTTLS: somebody may be in between"));
        }
        return Ok(());
    }
    Err(trouble(Level::Wait, "does not answer STARTTLS"))
}

/// The next line; what was read beyond it stays in `held`.
async fn plain_line<S: Transport>(host: &str, stream: &mut S, held: &mut Vec<u8>) -> Result<String, Trouble> {
    let trouble = |what: &str| Trouble { level: Level::Wait, what: format!("{host} {what}") };
    let mut buffer = [0; 1024];
    loop {
        if let Some(end) = held.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = held.drain(..=end).collect();
            return Ok(String::from_utf8_lossy(&line).trim_end().to_string());
        }
        if held.len() > limits::IMAP_LINE_BYTES {
            return Err(trouble("sends no lines: check `port` and `security`"));
        }
        match timeout(Duration::from_secs(limits::IMAP_QUIET_SECS), stream.read(&mut buffer)).await {
            Ok(Ok(size)) if size > 0 => held.extend_from_slice(buffer.get(..size).unwrap_or_default()),
            Ok(_) => return Err(trouble("closed the connection before TLS")),
            Err(_) => {
                let what = format!("says nothing for {} s: check `port` and `security`", limits::IMAP_QUIET_SECS);
                return Err(trouble(&what));
            }
        }
    }
}
