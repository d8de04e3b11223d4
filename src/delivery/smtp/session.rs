//! One SMTP session, command by command, so that it is always known how far a mail got. Part of
//! `delivery::smtp`.
//!
//! Invariant: before the final dot a failure means the mail was not taken, after it only an answer
//! tells.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};

use super::lockstep::Lockstep;
use crate::address::{AddrSpec, safe_text};
use crate::evidence::{Delivery, Envelope};
use crate::net::token::{Credentials, Shown, hidden};
use crate::{fail, limits};

/// Greeted; after [`log_in`](Session::log_in) ready for mail.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    place: String,
}

/// Why nobody was logged in.
pub(super) enum Failure {
    /// The token was refused; a fresh one may do.
    TokenRefused(String),
    /// Anything else.
    Other(String),
}

/// Waits for this many seconds; `None`: it took longer.
pub(super) async fn within<T>(secs: u64, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_secs(secs), future).await.ok()
}

/// The connection failed, as seen from here.
pub(super) fn broken(place: &str, what: &str) -> String {
    format!("the talk with {place} broke off ({}): kithd tries again; check `port` if it goes on", cut(what))
}

/// The server said no, to nothing in particular.
pub(super) fn refused(place: &str, reply: &str) -> String {
    format!("{place} answers {}: kithd tries again later", cut(reply))
}

fn cut(text: &str) -> String {
    safe_text(text, limits::SERVER_TEXT_BYTES)
}

impl Session {
    /// Waits for the greeting, unless that came before STARTTLS, and says EHLO.
    pub(super) async fn begin<S>(stream: S, is_greeted: bool, place: String) -> Result<Session, String>
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        let stream = if is_greeted { Lockstep::greeted(stream) } else { Lockstep::new(stream) };
        let hello = ClientId::Ipv4(Ipv4Addr::LOCALHOST);
        let begin = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
        match within(limits::SMTP_GREETING_SECS, begin).await {
            Some(Ok(connection)) => Ok(Session { connection, place }),
            Some(Err(error)) => Err(failure(&place, &error)),
            None => Err(format!("{place} does not greet: check `port`, or set security = \"starttls\"")),
        }
    }

    /// AUTH (RFC 4954) with the best mechanism both sides know.
    pub(super) async fn log_in(&mut self, credentials: &Credentials) -> Result<(), Failure> {
        fail::point("smtp.login");
        let shown = credentials.proof().await.map_err(|trouble| Failure::Other(trouble.what))?;
        let username = credentials.username();
        let offered = self.connection.server_info().clone();
        let is_token = matches!(shown, Shown::Token(_));
        let asked = async {
            match &shown {
                Shown::Token(token) if offered.supports_auth_mechanism(Mechanism::Xoauth2) => {
                    let line =
                        Zeroizing::new(format!("user={username}\x01auth=Bearer {}\x01\x01", token.expose_secret()));
                    match self.connection.command(Line(&format!("AUTH XOAUTH2 {}", STANDARD.encode(&*line)))).await {
                        // why it is refused comes as a challenge; the answer to it brings the code
                        Ok(reply) if reply.has_code(334) => Some(self.connection.command(Line("")).await),
                        other => Some(other),
                    }
                }
                Shown::Password(password) if offered.supports_auth_mechanism(Mechanism::Plain) => {
                    let line = Zeroizing::new(format!("\0{username}\0{}", password.expose_secret()));
                    Some(self.connection.command(Line(&format!("AUTH PLAIN {}", STANDARD.encode(&*line)))).await)
                }
                Shown::Password(password) if offered.supports_auth_mechanism(Mechanism::Login) => {
                    let mut reply = self.connection.command(Line("AUTH LOGIN")).await;
                    for word in [username, password.expose_secret()] {
                        reply = match reply {
                            Ok(asked) if asked.has_code(334) => {
                                self.connection.command(Line(&STANDARD.encode(word))).await
                            }
                            other => other,
                        };
                    }
                    Some(reply)
                }
                _ => None,
            }
        };
        let outcome = within(limits::SMTP_COMMAND_SECS, asked).await;
        let (Shown::Password(secret) | Shown::Token(secret)) = &shown;
        let secret = secret.expose_secret();
        let mut forms = vec![secret.to_string(), STANDARD.encode(secret)];
        forms.push(STANDARD.encode(format!("\0{username}\0{secret}")));
        forms.push(STANDARD.encode(format!("user={username}\x01auth=Bearer {secret}\x01\x01")));
        let forms: Vec<SecretString> = forms.into_iter().map(SecretString::from).collect();
        // a server may hand back what it was shown
        self.logged_in(outcome, credentials, is_token).map_err(|failure| match failure {
            Failure::TokenRefused(what) => Failure::TokenRefused(hidden(&what, &forms)),
            Failure::Other(what) => Failure::Other(hidden(&what, &forms)),
        })
    }

    /// What came of AUTH; `Some(None)`: there was no mechanism for it.
    fn logged_in(
        &self,
        outcome: Option<Option<Result<Response, Error>>>,
        credentials: &Credentials,
        is_token: bool,
    ) -> Result<(), Failure> {
        let (place, username) = (&self.place, credentials.username());
        match outcome {
            None => Err(Failure::Other(silent(place))),
            Some(None) => Err(Failure::Other(format!(
                "{place} offers no login that goes with {}: check `security` and `port`",
                if is_token { "`oauth2` (XOAUTH2)" } else { "`password` (PLAIN, LOGIN)" }
            ))),
            Some(Some(Ok(reply))) if reply.has_code(235) => Ok(()),
            Some(Some(Ok(reply))) => Err(Failure::Other(refused(place, &text_of(&reply)))),
            Some(Some(Err(error))) if error.is_permanent() => {
                credentials.refused();
                let said = said(&error);
                if is_token {
                    let what =
                        format!("{place} refuses the token of {username} ({said}): check `username` and `oauth2`");
                    Err(Failure::TokenRefused(what))
                } else {
                    Err(Failure::Other(format!(
                        "the login of {username} at {place} was refused ({said}): check `username` and `password`; \
                         many providers want an app password"
                    )))
                }
            }
            Some(Some(Err(error))) => Err(Failure::Other(failure(place, &error))),
        }
    }

    /// MAIL, RCPT, DATA, the mail, the dot.
    pub(super) async fn hand_in(&mut self, envelope: &Envelope, bytes: &[u8]) -> Delivery {
        match self.announce(envelope).await {
            Ok(()) => self.send(bytes).await,
            Err(delivery) => delivery,
        }
    }

    async fn announce(&mut self, envelope: &Envelope) -> Result<(), Delivery> {
        let (from, to) = (mailbox(&envelope.from.address)?, mailbox(&envelope.to.address)?);
        let mut parameters = Vec::new();
        if !(envelope.from.address.as_str().is_ascii() && envelope.to.address.as_str().is_ascii()) {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let what = format!("{} takes no addresses beyond ASCII: use others in [delivery]", self.place);
                return Err(Delivery::Permanent(what));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        self.step(Mail::new(Some(from), parameters), 2, "check `from` in [delivery]").await?;
        self.step(Rcpt::new(to, Vec::new()), 2, "check `to` in [delivery]").await?;
        self.step(Data, 3, "ask who runs it").await
    }

    /// One command that must be answered with this class of code.
    async fn step(&mut self, command: impl fmt::Display, class: u16, advice: &str) -> Result<(), Delivery> {
        fail::point("smtp.command");
        let answer = within(limits::SMTP_COMMAND_SECS, self.connection.command(command)).await;
        match answer {
            None => Err(Delivery::Transient(silent(&self.place))),
            Some(Ok(reply)) if u16::from(reply.code()) / 100 == class => Ok(()),
            Some(Ok(reply)) => Err(Delivery::Transient(refused(&self.place, &text_of(&reply)))),
            Some(Err(error)) => Err(verdict(&self.place, &error, advice)),
        }
    }

    /// The mail and its dot. From when the dot may have left, only an answer says what became of it.
    async fn send(&mut self, bytes: &[u8]) -> Delivery {
        let place = &self.place;
        let dot_may_be_out = Cell::new(false);
        // asked for only once all of the mail was written; the dot is what lettre writes after it
        let last = std::iter::once_with(|| {
            fail::point("smtp.dot");
            dot_may_be_out.set(true);
            b"".as_slice()
        });
        let sent = self.connection.message_iter(std::iter::once(bytes).chain(last));
        let answer = within(limits::SMTP_DATA_SECS, sent).await;
        fail::point("smtp.answer");
        let unknown = |what: &str| {
            Delivery::Unknown(format!(
                "{place} had the whole mail but did not say whether it took it ({}): the inbox is searched before it \
                 is sent again",
                cut(what)
            ))
        };
        match answer {
            Some(Ok(reply)) if u16::from(reply.code()) / 100 == 2 => Delivery::Accepted,
            Some(Err(error)) if error.status().is_some() && dot_may_be_out.get() => {
                verdict(place, &error, "ask who runs it why")
            }
            Some(Ok(reply)) => unknown(&text_of(&reply)),
            Some(Err(error)) if dot_may_be_out.get() => unknown(&said(&error)),
            None if dot_may_be_out.get() => unknown("no answer"),
            Some(Err(error)) => Delivery::Transient(failure(place, &error)),
            None => Delivery::Transient(silent(place)),
        }
    }

    /// Says goodbye. What comes of it changes nothing.
    pub(super) async fn quit(mut self) {
        fail::point("smtp.quit");
        let _ = within(limits::SMTP_QUIT_SECS, self.connection.command(Quit)).await;
    }
}

/// What a refusal of a mail means. What is said of the login is no word on the mail.
fn verdict(place: &str, error: &Error, advice: &str) -> Delivery {
    match error.status().map(u16::from) {
        Some(530 | 534 | 535 | 538) => Delivery::Transient(format!(
            "{place} wants another login ({}): set `username` and `password` in [delivery]",
            said(error)
        )),
        Some(500..) => Delivery::Permanent(format!("{place} refuses the mail ({}): {advice}", said(error))),
        _ => Delivery::Transient(failure(place, error)),
    }
}

fn failure(place: &str, error: &Error) -> String {
    match error.status() {
        Some(_) => refused(place, &said(error)),
        None => broken(place, &said(error)),
    }
}

fn silent(place: &str) -> String {
    format!("{place} does not answer: kithd tries again; check the network if it goes on")
}

/// Code and text of a refusal, or what broke.
fn said(error: &Error) -> String {
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let text = if text.is_empty() { error.to_string() } else { text };
    match error.status() {
        Some(code) => cut(&format!("{code} {text}")),
        None => cut(&text),
    }
}

fn text_of(reply: &Response) -> String {
    format!("{} {}", reply.code(), reply.message().collect::<Vec<_>>().join(" "))
}

fn mailbox(address: &AddrSpec) -> Result<lettre::Address, Delivery> {
    lettre::Address::new(address.local(), address.domain())
        .map_err(|error| Delivery::Permanent(format!("{address} is no address that mail can be sent to: {error}")))
}

/// A line of our own.
struct Line<'a>(&'a str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\r\n", self.0)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> AsyncTokioStream for Lockstep<S> {
    /// lettre asks for it to log it; nobody else does.
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
