//! Proof of who the user is: passwords, and OAuth2 tokens that are renewed. Part of `net`.
//!
//! Invariant: tokens live in memory only. A refused token is renewed once, not again and again, and
//! an account is never tried so often that its server would lock it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::http::{Bounds, Client, Request};
use super::throttle::Throttle;
use super::{Login, OAuth2, Proof, Secret, Trouble, Url, Web, secret, words};
use crate::evidence::Level;
use crate::limits;

/// What is shown to a server.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A password.
    Password(SecretString),
    /// An OAuth2 access token (RFC 6750).
    Token(SecretString),
}

/// Text of a server without the secrets it may hand back in it, whole or cut short.
pub fn hidden(text: &str, secrets: &[SecretString]) -> String {
    let mut hidden = text.to_string();
    for secret in secrets.iter().map(ExposeSecret::expose_secret) {
        // of a very short one nothing could be told apart
        let start: Zeroizing<String> = Zeroizing::new(secret.chars().take(8).collect());
        while start.len() >= 4
            && let Some((before, rest)) = hidden.split_once(start.as_str())
        {
            let more = secret.get(start.len()..).unwrap_or_default();
            let same: usize =
                rest.chars().zip(more.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
            hidden = format!("{before}…{}", rest.get(same..).unwrap_or_default());
        }
    }
    hidden
}

/// One login, with the token it holds; clones share it.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    login: Login,
    /// Refusals not yet taken into account.
    refusals: AtomicUsize,
    held: Mutex<Held>,
}

/// What is remembered between two logins.
#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// The refresh token a server gave in place of the configured one (RFC 6749 6).
    refresh: Option<SecretString>,
    throttle: Throttle,
}

struct Token {
    value: SecretString,
    expires: Instant,
    /// The one before it was refused.
    is_second: bool,
}

impl Credentials {
    /// Nothing is read or fetched yet.
    pub fn new(login: &Login) -> Credentials {
        Credentials(Arc::new(Inner {
            login: login.clone(),
            refusals: AtomicUsize::new(0),
            held: Mutex::new(Held::default()),
        }))
    }

    /// User name.
    pub fn username(&self) -> &str {
        &self.0.login.username
    }

    /// A proof to show now: the password read anew, or a token that is thought to be good.
    ///
    /// # Errors
    /// [`Level::Wait`] where it cannot be had now, or too many logins were refused lately;
    /// [`Level::Stop`] where only a new login of the user helps.
    pub async fn proof(&self) -> Result<Shown, Trouble> {
        // held all the while: two that renew at once would spend a refresh token that is good once
        let mut held = self.0.held.lock().await;
        let now = now();
        let refusals = self.0.refusals.swap(0, Ordering::Relaxed);
        (0..refusals.min(limits::LOGINS_REFUSED)).for_each(|_| held.throttle.refused(now));
        if let Some(wait) = held.throttle.wait(now) {
            return Err(self.too_many(wait));
        }
        let oauth2 = match &self.0.login.proof {
            Proof::Password(secret) => return secret::reveal(secret).await.map(Shown::Password),
            Proof::OAuth2(oauth2) => oauth2,
        };
        if refusals > 0 && held.token.take().is_some_and(|token| token.is_second) {
            return Err(Trouble { level: Level::Stop, what: self.refused_afresh(oauth2) });
        }
        if let Some(token) = held.token.as_ref().filter(|token| token.expires > now) {
            return Ok(Shown::Token(token.value.clone()));
        }
        let (value, secs) = match oauth2 {
            OAuth2::TokenCommand(words) => {
                let line = secret::first_line_of(words).await;
                (line.map_err(|what| Trouble { level: Level::Wait, what })?, limits::TOKEN_COMMAND_SECS)
            }
            OAuth2::Refresh { token_url, client_id, client_secret, refresh_token } => {
                let grant = Grant { token_url, client_id, client_secret: client_secret.as_ref(), refresh_token };
                self.refresh(&grant, &mut held.refresh).await?
            }
        };
        held.token =
            Some(Token { value: value.clone(), expires: now + Duration::from_secs(secs), is_second: refusals > 0 });
        Ok(Shown::Token(value))
    }

    /// The server refused the last proof. The next [`proof`](Self::proof) of a token is a fresh one;
    /// after [`limits::LOGINS_REFUSED`] refusals there is none for a while.
    pub fn refused(&self) {
        self.0.refusals.fetch_add(1, Ordering::Relaxed);
    }

    fn too_many(&self, wait: Duration) -> Trouble {
        let minutes = wait.as_secs().div_ceil(60);
        let what = format!(
            "{} logins of {} were refused within the hour; the next one is tried in {minutes} min: check `username` \
             and {}",
            limits::LOGINS_REFUSED,
            self.username(),
            match self.0.login.proof {
                Proof::Password(_) => "`password`",
                Proof::OAuth2(_) => "`oauth2`",
            }
        );
        Trouble { level: Level::Wait, what }
    }

    fn refused_afresh(&self, oauth2: &OAuth2) -> String {
        let what = format!("the server refuses even a fresh token for {}", self.username());
        match oauth2 {
            OAuth2::TokenCommand(_) => {
                format!("{what}: log in again with the program of `token_command`, and check `username`")
            }
            OAuth2::Refresh { .. } => {
                format!("{what}: check `username`, and that `refresh_token` was granted for mail and calendars")
            }
        }
    }

    /// The refresh grant (RFC 6749 6): a token, and for how many seconds it is used.
    async fn refresh(
        &self,
        grant: &Grant<'_>,
        rotated: &mut Option<SecretString>,
    ) -> Result<(SecretString, u64), Trouble> {
        let refresh_token = match rotated {
            Some(token) => token.clone(),
            None => secret::reveal(grant.refresh_token).await?,
        };
        let answer = grant.ask(&refresh_token).await;
        if matches!(&answer, Err(refused) if refused.level == Level::Stop) {
            // the configured one may be newer by then
            *rotated = None;
        }
        let answer = answer?;
        if let Some(new) = answer.refresh_token.map(SecretString::from) {
            if rotated.is_none() && new.expose_secret() != refresh_token.expose_secret() {
                tracing::warn!(
                    server = grant.token_url.host(),
                    "the server of the token gave a new refresh token, which kithd keeps in memory only: the one in \
                     `refresh_token` may not be good after a restart; a `token_command` that stores it (oama, \
                     mutt_oauth2.py) is safer"
                );
            }
            *rotated = Some(new);
        }
        let secs = answer.expires_in.as_u64().or_else(|| answer.expires_in.as_str()?.parse().ok());
        let secs = secs.unwrap_or(limits::TOKEN_SECS).min(limits::TOKEN_SECS_MAX);
        // one that lives shorter than the margin is used for half its life
        let used = secs.saturating_sub(limits::TOKEN_MARGIN_SECS).max(secs / 2);
        Ok((SecretString::from(answer.access_token), used))
    }
}

/// Two logins are the same where the config says the same of them, whatever they hold.
impl PartialEq for Credentials {
    fn eq(&self, other: &Credentials) -> bool {
        self.0.login == other.0.login
    }
}

impl Eq for Credentials {}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.username())
    }
}

/// The present on the timer's own clock, which tells spans and no time of day.
fn now() -> Instant {
    tokio::time::sleep(Duration::ZERO).deadline()
}

struct Grant<'a> {
    token_url: &'a Url,
    client_id: &'a str,
    client_secret: Option<&'a Secret>,
    refresh_token: &'a Secret,
}

/// RFC 6749 5.1.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    /// Seconds; some servers write a number as text.
    #[serde(default)]
    expires_in: serde_json::Value,
    #[serde(default)]
    refresh_token: Option<String>,
}

/// RFC 6749 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Grant<'_> {
    async fn ask(&self, refresh_token: &SecretString) -> Result<Answer, Trouble> {
        let mut form = format!(
            "grant_type=refresh_token&client_id={}&refresh_token={}",
            form_value(self.client_id),
            form_value(refresh_token.expose_secret())
        );
        if let Some(secret) = self.client_secret {
            form.push_str("&client_secret=");
            form.push_str(&form_value(secret::reveal(secret).await?.expose_secret()));
        }
        let web = Web { url: self.token_url.clone(), login: None, ca_file: None };
        let bounds = Bounds { body_bytes: limits::TOKEN_ANSWER_BYTES, secs: limits::TOKEN_ANSWER_SECS };
        let request = Request::new("POST", "")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form.into_bytes());
        let client = Client::new(&web, None, bounds)?;
        // boxed: a client may ask for a proof, and a proof asks a client
        let response = Box::pin(client.send(request)).await?;
        let place = self.token_url.host();
        if response.status == 200 {
            return serde_json::from_slice(&response.body)
                .ok()
                .filter(|answer: &Answer| is_sound(&answer.access_token))
                .ok_or_else(|| Trouble {
                    level: Level::Wait,
                    what: format!("{place} answers with no token: check `token_url`"),
                });
        }
        Err(refusal(place, response.status, &response.body))
    }
}

/// A token goes into a header and a line of IMAP (RFC 6750 2.1).
fn is_sound(token: &str) -> bool {
    !token.is_empty() && token.len() <= limits::SECRET_BYTES && token.bytes().all(|b| b.is_ascii_graphic())
}

fn refusal(place: &str, status: u16, body: &[u8]) -> Trouble {
    let (level, what) = match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) if refusal.error == "invalid_grant" => (
            Level::Stop,
            format!(
                "{place} no longer takes the refresh token: log in again, put the new one where `refresh_token` points, and reload kithd"
            ),
        ),
        Ok(refusal) if matches!(refusal.error.as_str(), "invalid_client" | "unauthorized_client") => {
            (Level::Stop, format!("{place} refuses the client: check `client_id` and `client_secret`"))
        }
        Ok(refusal) => (
            Level::Wait,
            format!(
                "{place} gives no token: {}",
                words::cut(&format!("{} {}", refusal.error, refusal.error_description))
            ),
        ),
        Err(_) => (Level::Wait, format!("{place} gives no token (HTTP {status}): check `token_url`")),
    };
    Trouble { level, what }
}

/// One value of `application/x-www-form-urlencoded`.
fn form_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
