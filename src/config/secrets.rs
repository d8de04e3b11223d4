//! How kithd logs in somewhere: servers, URLs, and where secrets are found. Part of `config`.
//!
//! Invariant: a secret is only described here, never read, and no message shows it or a URL.

use super::section::Section;
use super::shape::SECRET;
use super::{Around, nearest::list};
use crate::net::{Login, OAuth2, Proof, Secret, Security, Server, Url, Web, is_loopback};

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
