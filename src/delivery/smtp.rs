//! Delivers reminders by SMTP submission (RFC 5321, 6409, 3207, 8314). Part of `delivery`.
//!
//! Invariant: a mail is said to be refused only where its server said so, or cannot have seen its
//! end; and a login goes over TLS, or does not leave this machine.

mod lockstep;
mod session;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use self::lockstep::Lockstep;
use self::session::{Failure, Session, within};
use super::message::format;
use crate::evidence::{Delivery, Envelope, Level};
use crate::net::token::Credentials;
use crate::net::{Security, Server, Trouble, tls};
use crate::{fail, limits};

/// Where and as whom mail is handed in.
#[derive(Clone, PartialEq, Debug)]
pub struct Params {
    /// Server.
    pub server: Server,
    /// Login; `None` where the server asks for none.
    pub credentials: Option<Credentials>,
}

/// Hands one mail in. What comes of it is [`Delivery::Unknown`] from the moment its end may have
/// left until its server has answered.
pub async fn deliver(params: &Params, envelope: &Envelope) -> Delivery {
    let bytes = match format(envelope) {
        Ok(bytes) => bytes,
        Err(what) => return Delivery::Permanent(what),
    };
    let mut session = match open(params).await {
        Ok(session) => session,
        Err(trouble) => return Delivery::Transient(trouble.what),
    };
    let delivery = session.hand_in(envelope, &bytes).await;
    session.quit().await;
    delivery
}

/// Connects and logs in, and sends nothing. Says what works.
///
/// # Errors
/// What does not, and what to do.
pub async fn check(params: &Params) -> Result<String, Trouble> {
    let session = open(params).await?;
    let Server { host, port, security, .. } = &params.server;
    let by = match security {
        Security::Tls => "TLS",
        Security::StartTls => "STARTTLS",
        Security::None => "no TLS",
    };
    session.quit().await;
    Ok(match &params.credentials {
        Some(credentials) => format!("SMTP {host}:{port} with {by}: logged in as {}", credentials.username()),
        None => format!("SMTP {host}:{port} with {by}: no login"),
    })
}

/// A session that is logged in. A refused token is renewed once, on a connection of its own: many
/// servers end theirs.
async fn open(params: &Params) -> Result<Session, Trouble> {
    let mut is_second = false;
    loop {
        let mut session = connect(&params.server).await?;
        let Some(credentials) = &params.credentials else { return Ok(session) };
        match session.log_in(credentials).await {
            Ok(()) => return Ok(session),
            Err(Failure::TokenRefused(_)) if !is_second => {
                session.quit().await;
                is_second = true;
            }
            Err(Failure::TokenRefused(what) | Failure::Other(what)) => {
                session.quit().await;
                return Err(Trouble { level: Level::Wait, what });
            }
        }
    }
}

async fn connect(server: &Server) -> Result<Session, Trouble> {
    fail::point("smtp.connect");
    let place = format!("{}:{}", server.host, server.port);
    let mut tcp = tls::dial(server).await?;
    let is_greeted = server.security == Security::StartTls;
    if is_greeted {
        tcp = start_tls(tcp, &place).await.map_err(wait)?;
    }
    let stream = tls::secure(server, tcp).await?;
    Session::begin(stream, is_greeted, place).await.map_err(wait)
}

fn wait(what: String) -> Trouble {
    Trouble { level: Level::Wait, what }
}

/// The dialogue before TLS. Whoever adds a byte to it is found out: what was said in plain text
/// would else be believed after the handshake.
async fn start_tls(tcp: TcpStream, place: &str) -> Result<TcpStream, String> {
    let mut stream = Lockstep::new(tcp);
    let hint = format!("{place} does not greet: check `port`, or set security = \"tls\"");
    let greeting = within(limits::SMTP_GREETING_SECS, reply(&mut stream)).await.ok_or(hint)?;
    expect(place, 220, greeting)?;
    let offers = expect(place, 250, ask(&mut stream, "EHLO [127.0.0.1]\r\n").await)?;
    let is_offered =
        offers.lines().any(|line| line.get(4..).is_some_and(|l| l.trim().eq_ignore_ascii_case("STARTTLS")));
    if !is_offered {
        return Err(format!(
            "{place} offers no STARTTLS, and nothing is sent without: set security = \"tls\" and its port"
        ));
    }
    expect(place, 220, ask(&mut stream, "STARTTLS\r\n").await)?;
    stream.into_inner().ok_or_else(|| session::broken(place, "it speaks out of turn"))
}

async fn ask(stream: &mut Lockstep<impl AsyncRead + AsyncWrite + Unpin>, command: &str) -> std::io::Result<String> {
    let exchange = async {
        stream.write_all(command.as_bytes()).await?;
        stream.flush().await?;
        reply(stream).await
    };
    let late = || Err(std::io::Error::from(std::io::ErrorKind::TimedOut));
    within(limits::SMTP_COMMAND_SECS, exchange).await.unwrap_or_else(late)
}

/// One whole reply; the stream sees to its end and its size.
async fn reply(stream: &mut Lockstep<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        text.extend(bytes.iter().take(count).map(|b| char::from(*b)));
        let last = text.trim_end_matches("\r\n").rsplit("\r\n").next().unwrap_or_default();
        if text.ends_with("\r\n") && last.as_bytes().get(3) == Some(&b' ') {
            return Ok(text);
        }
    }
}

fn expect(place: &str, code: u16, reply: std::io::Result<String>) -> Result<String, String> {
    let reply = reply.map_err(|error| session::broken(place, &error.to_string()))?;
    let begins = reply.lines().next_back().is_some_and(|line| line.starts_with(&code.to_string()));
    if begins { Ok(reply) } else { Err(session::refused(place, &reply)) }
}

#[cfg(test)]
mod tests;
