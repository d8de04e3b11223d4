//! How kithd logs in somewhere: servers, URLs, and where secrets are found. Part of `config`.
//!
//! Invariant: a secret is only described here, never read, and no `Debug` or message shows a URL
//! beyond its host: feeds carry their key in the path.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::section::Section;
use super::shape::SECRET;
use super::{Around, nearest::list};

/// Where a secret is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Secret {
    /// The first line a program prints; program and arguments, no shell.
    Command(Vec<String>),
    /// The first line of a file, which others must not be able to read.
    File(PathBuf),
    /// A variable of the environment.
    Env(String),
    /// A file in `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`).
    Credential(String),
}

/// How an access token is had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OAuth2 {
    /// The first line a program prints.
    TokenCommand(Vec<String>),
    /// A refresh token, exchanged (RFC 6749 6).
    Refresh {
        /// Token endpoint; https.
        token_url: Url,
        /// Client.
        client_id: String,
        /// Public clients have none.
        client_secret: Option<Secret>,
        /// Refresh token.
        refresh_token: Secret,
    },
}

/// What proves who we are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// A password.
    Password(Secret),
    /// An access token.
    OAuth2(OAuth2),
}

/// Who we are, and the proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// User name.
    pub username: String,
    /// The proof.
    pub proof: Proof,
}

/// How a connection is kept private.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, and nothing before it.
    StartTls,
    /// Plain; to this machine only.
    None,
}

/// An IMAP or SMTP server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS.
    pub security: Security,
    /// A CA to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// An absolute http or https URL without a user in it; `webcal` became `https`.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    /// The whole URL. It may be a secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Name or address of the host, without port.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        match authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
            Some((v6, _)) => v6,
            None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
        }
    }

    /// `https`?
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https://")
    }

    pub(super) fn parse(text: &str) -> Result<Url, String> {
        let wanted = "must be a whole address such as https://dav.example.org/";
        let Some((scheme, rest)) = text.trim().split_once("://") else { return Err(wanted.to_string()) };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" | "webcal" | "webcals" => "https",
            "http" => "http",
            _ => return Err("must begin with https://, http:// or webcal://".to_string()),
        };
        if rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("must not hold blanks".to_string());
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err("must not hold a user or password: use `username` and `password`".to_string());
        }
        let url = Url(format!("{scheme}://{rest}"));
        let port = authority.rsplit_once(':').filter(|(_, p)| !p.contains(']')).map(|(_, p)| p);
        let port_is_sound = port.is_none_or(|p| p.parse::<u16>().is_ok_and(|p| p > 0));
        if url.host().is_empty() || !port_is_sound { Err(wanted.to_string()) } else { Ok(url) }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/...", if self.is_tls() { "https" } else { "http" }, self.host())
    }
}

/// Something reached by HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Web {
    /// Where.
    pub url: Url,
    /// Who we are there, if it asks.
    pub login: Option<Login>,
    /// A CA to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// Is this name or address this very machine, whatever DNS says?
fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn read_host(text: &str) -> Result<String, String> {
    let is_v6 = text.trim_matches(['[', ']']).parse::<std::net::Ipv6Addr>().is_ok();
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Err("a host has a name such as imap.example.org".to_string())
    } else if text.contains(['/', '@']) {
        Err("only the name of the host, such as imap.example.org".to_string())
    } else if text.contains(':') && !is_v6 {
        Err("only the name of the host; the port goes into `port`".to_string())
    } else {
        Ok(text.trim_matches(['[', ']']).to_string())
    }
}

/// `host`, `port`, `security` and `ca_file`. `ports`: with TLS, with STARTTLS, plain.
pub(super) fn server(s: &Section<'_>, ports: [u16; 3], around: &Around<'_>) -> Option<Server> {
    s.need("host", "\"mail.example.org\"");
    let host = s.text("host", read_host);
    let security = match s.choice("security", &["tls", "starttls", "none"]) {
        Some("starttls") => Security::StartTls,
        Some("none") => Security::None,
        _ => Security::Tls,
    };
    if let Some(host) = host.as_deref().filter(|h| security == Security::None && !is_loopback(h)) {
        s.fault(
            "security",
            format!("security = \"none\" is for this very machine only, and {host} may be another: use \"tls\" or \"starttls\""),
        );
    }
    let [tls, starttls, plain] = ports;
    let usual = match security {
        Security::Tls => tls,
        Security::StartTls => starttls,
        Security::None => plain,
    };
    let port = s.number("port", 1..=u16::MAX, usual);
    if security == Security::Tls && (port == starttls || port == plain) {
        s.warn("port", format!("port {port} usually speaks STARTTLS: set security = \"starttls\" if TLS fails there"));
    }
    if security == Security::StartTls && port == tls {
        s.warn(
            "port",
            format!("port {port} usually speaks TLS at once: set security = \"tls\" if STARTTLS fails there"),
        );
    }
    Some(Server { host: host?, port, security, ca_file: s.text("ca_file", |p| around.path(p)) })
}

/// `url` with its `username`, `password`, `oauth2` and `ca_file`.
pub(super) fn web(s: &Section<'_>, around: &Around<'_>) -> Option<Web> {
    let url = s.private("url", Url::parse);
    let login = login(s, false, around);
    if let Some(url) = url.as_ref().filter(|u| !u.is_tls() && !is_loopback(u.host())) {
        if s.has("password") || s.has("oauth2") {
            s.fault("url", "a password does not go over plain http: use https://");
        } else {
            s.warn("url", format!("plain http to {}: anybody on the way can read and change it", url.host()));
        }
    }
    Some(Web { url: url?, login, ca_file: s.text("ca_file", |p| around.path(p)) })
}

/// `username` with `password` or `oauth2`; `needed` where nobody gets in without.
pub(super) fn login(s: &Section<'_>, needed: bool, around: &Around<'_>) -> Option<Login> {
    let has_proof = s.has("password") || s.has("oauth2");
    if s.has("password") && s.has("oauth2") {
        s.fault("oauth2", "`password` and `oauth2` exclude each other: keep one");
    }
    if needed || has_proof {
        s.need("username", "\"alex\"");
    }
    if (needed || s.has("username")) && !has_proof {
        s.fault(
            if s.has("username") { "username" } else { "password" },
            "`password` is missing: add password = { command = [\"pass\", \"show\", \"mail\"] } (or `oauth2`)",
        );
    }
    let username = s.text("username", |t| match safe(t) {
        true => Ok(t.to_string()),
        false => Err("a user name is not empty and has no control characters".to_string()),
    });
    let proof = match s.has("oauth2") {
        true => oauth2(&s.inner("oauth2"), around).map(Proof::OAuth2),
        false => secret(&s.inner("password"), around).map(Proof::Password),
    };
    Some(Login { username: username?, proof: proof? })
}

fn safe(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

fn oauth2(s: &Section<'_>, around: &Around<'_>) -> Option<OAuth2> {
    if !s.exists() {
        return None;
    }
    if s.has("token_command") {
        if let Some(other) = ["token_url", "client_id", "client_secret", "refresh_token"].into_iter().find(|k| s.has(k))
        {
            s.fault(other, format!("`token_command` gives the token, so `{other}` has no use: keep one"));
        }
        return command(s, "token_command").map(OAuth2::TokenCommand);
    }
    if !s.has("token_url") && !s.has("refresh_token") && !s.has("client_id") {
        s.fault(
            "token_url",
            "say how the token is had: `token_command`, or `token_url`, `client_id` and `refresh_token`",
        );
        return None;
    }
    s.need("token_url", "\"https://login.example/token\"");
    s.need("client_id", "\"...\"");
    s.need("refresh_token", "{ file = \"...\" }");
    let token_url = s.private("token_url", |text| match Url::parse(text)? {
        url if url.is_tls() || is_loopback(url.host()) => Ok(url),
        _ => Err("must begin with https://: a token does not go over plain http".to_string()),
    });
    let client_id = s.text("client_id", |t| Ok(t.to_string()));
    let client_secret = secret(&s.inner("client_secret"), around);
    let refresh_token = secret(&s.inner("refresh_token"), around);
    Some(OAuth2::Refresh { token_url: token_url?, client_id: client_id?, client_secret, refresh_token: refresh_token? })
}

/// Where a secret is found.
fn secret(s: &Section<'_>, around: &Around<'_>) -> Option<Secret> {
    if !s.exists() {
        return None;
    }
    let given: Vec<&str> = SECRET.iter().map(|k| k.name).filter(|k| s.has(k)).collect();
    match given.as_slice() {
        ["command"] => command(s, "command").map(Secret::Command),
        ["file"] => s.text("file", |p| around.path(p)).map(Secret::File),
        ["env"] => s.text("env", read_variable).map(Secret::Env),
        [_] => s.text("credential", read_credential).map(Secret::Credential),
        // an unknown key has been told already
        [] if !s.is_empty() => None,
        [] => {
            s.fault("", format!("say where it is: one of {}", list(SECRET.iter().map(|k| k.name))));
            None
        }
        [_, second, ..] => {
            s.fault(
                second,
                format!("{} exclude each other: keep one", list(given.iter().copied()).replace(" or ", " and ")),
            );
            None
        }
    }
}

/// Program and arguments; the program is named.
fn command(s: &Section<'_>, key: &str) -> Option<Vec<String>> {
    let words = s.texts(key, |t| Ok(t.to_string()));
    if words.first().is_none_or(|program| program.trim().is_empty()) {
        if s.is_list(key) {
            s.fault(key, format!("`{key}` names no program: {key} = [\"pass\", \"show\", \"mail\"]"));
        }
        return None;
    }
    Some(words)
}

fn read_variable(text: &str) -> Result<String, String> {
    let sound =
        !text.is_empty() && !text.contains(|c: char| c == '=' || c == '$' || c.is_control() || c.is_whitespace());
    if sound { Ok(text.to_string()) } else { Err("the bare name of a variable, such as MAIL_PASSWORD".to_string()) }
}

fn read_credential(text: &str) -> Result<String, String> {
    let sound = safe(text) && !text.contains('/') && text != "." && text != "..";
    if sound { Ok(text.to_string()) } else { Err("the name of a credential of the unit, not a path".to_string()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn urls_are_read_and_not_shown() {
        let u = |t| Url::parse(t).unwrap();
        assert_eq!(u("webcal://cal.example/secret.ics").as_str(), "https://cal.example/secret.ics");
        assert_eq!(u("https://cal.example:8443?key=secret").host(), "cal.example");
        assert_eq!(u("http://[::1]:5232/x").host(), "::1");
        assert_eq!(format!("{:?}", u("https://cal.example/secret.ics")), "https://cal.example/...");
        for bad in [
            "",
            "cal.example",
            "ftp://x/",
            "https://",
            "https:///x",
            "https://a b/",
            "https://me:pw@x/",
            "https://x:y/",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]", "mail.localhost"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.org", "10.0.0.1", "0.0.0.0", "mylocalhost", "127.0.0.1.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
