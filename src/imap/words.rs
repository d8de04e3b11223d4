//! What a server refused, in words a user can act on. Part of `imap`.
//!
//! Invariant: text of a server is cut and made safe; a login it refused is not tried again unasked,
//! whatever else it refused is.

use async_imap::imap_proto::{Outcome, ResponseCode};

use super::connection::{Done, Status};
use crate::address::safe_text;
use crate::evidence::Level;
use crate::limits;
use crate::net::Trouble;

/// Text of a server, as a message may show it.
pub(super) fn cut(text: &str) -> String {
    safe_text(text, limits::SERVER_TEXT_BYTES)
}

/// The code of a response in upper case, without what follows its name, and the text. The parser
/// knows a few codes only, and leaves all others in the text.
pub(super) fn split(outcome: &Outcome<'_>) -> (String, String) {
    let text = outcome.information.as_deref().unwrap_or_default();
    let known = match outcome.code {
        Some(ResponseCode::Alert) => "ALERT",
        Some(ResponseCode::TryCreate) => "TRYCREATE",
        Some(ResponseCode::Parse) => "PARSE",
        _ => "",
    };
    let unknown = text.strip_prefix('[').filter(|_| outcome.code.is_none()).and_then(|rest| rest.split_once(']'));
    match unknown {
        Some((code, text)) => {
            let name = code.split(' ').next().unwrap_or_default();
            (cut(name).to_ascii_uppercase(), text.trim().to_string())
        }
        None => (known.to_string(), text.trim().to_string()),
    }
}

/// `(AUTHENTICATIONFAILED: Invalid credentials)`, as far as there is anything to say.
fn said(code: &str, text: &str) -> String {
    match (code.is_empty(), cut(text)) {
        (true, text) if text.is_empty() => String::new(),
        (true, text) => format!(" ({text})"),
        (false, text) if text.is_empty() => format!(" ({code})"),
        (false, text) => format!(" ({code}: {text})"),
    }
}

/// NO or BAD to anything but a login. `doing` as in `list the mailboxes`.
pub(super) fn refused(host: &str, doing: &str, done: &Done) -> Trouble {
    let said = said(&done.code, &done.text);
    let advice = match done.code.as_str() {
        "OVERQUOTA" => ": the mailbox is full, make room in it",
        "TRYCREATE" | "NONEXISTENT" => ": there is no such mailbox, check its name",
        "NOPERM" => ": the login may not do that",
        "LIMIT" | "UNAVAILABLE" | "SERVERBUG" | "INUSE" | "THROTTLED" => ": it is tried again later",
        _ => "",
    };
    let verb = if done.status == Status::Bad { "does not understand" } else { "refuses" };
    Trouble { level: Level::Wait, what: format!("{host} {verb} to {doing}{said}{advice}") }
}

/// BYE. A server that ends an idle connection or restarts is asked again at once.
pub(super) fn bye(host: &str, code: &str, text: &str) -> Trouble {
    let said = said(code, text);
    let lower = text.to_lowercase();
    let (level, advice) = if is_busy(code, &lower) {
        (Level::Wait, ": close other mail programs or raise its limit; it is tried again later")
    } else if ["idle", "inactiv", "autologout", "timeout", "timed out"].iter().any(|word| lower.contains(word)) {
        (Level::Retry, "")
    } else {
        (Level::Wait, "")
    };
    Trouble { level, what: format!("{host} ends the connection{said}{advice}") }
}

fn is_busy(code: &str, lower: &str) -> bool {
    let busy = ["too many", "maximum number of", "connection limit", "simultaneous", "bandwidth", "exceeded"];
    code == "LIMIT" || busy.iter().any(|word| lower.contains(word))
}

/// NO or BAD to a login.
pub(super) fn login_refused(host: &str, username: &str, token: bool, done: &Done) -> Trouble {
    let said = said(&done.code, &done.text);
    let lower = done.text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let later = |why: &str| Trouble { level: Level::Wait, what: format!("{host} lets nobody in{said}: {why}") };
    let stop = |what: &str| Trouble {
        level: Level::Stop,
        what: format!("{host} refuses the login of {}{said}: {what}", cut(username)),
    };
    let wrong = if token {
        "it refuses a fresh token too: check `username`, and that the token is for IMAP (its scope)"
    } else {
        "check `username` and `password`"
    };
    match done.code.as_str() {
        // RFC 5530
        "UNAVAILABLE" | "INUSE" | "SERVERBUG" => later("it is tried again later"),
        "EXPIRED" => stop("the password has expired, set a new one with the provider"),
        "CONTACTADMIN" => stop("ask who runs the server"),
        "PRIVACYREQUIRED" => stop("set security = \"tls\" or \"starttls\""),
        "AUTHORIZATIONFAILED" => stop("this login may not read that mailbox, check `username`"),
        // Gmail and Yahoo, 2024
        _ if has(&["application-specific password", "app password", "application specific password"]) => {
            stop("make an app password in the security settings of the account, and use it as `password`")
        }
        // Gmail, 2024
        "WEBALERT" => stop("log in by browser once and follow what it asks"),
        _ if has(&["web browser", "please log in via"]) => stop("log in by browser once and follow what it asks"),
        code if is_busy(code, &lower) => later("close other mail programs or raise its limit; it is tried again later"),
        // Exchange Online, 2023: a mailbox that is moved or unlicensed, or IMAP switched off for it
        _ if has(&["authenticated but not connected"]) => {
            later("the account has no mailbox it may open by IMAP, ask who runs the server")
        }
        "AUTHENTICATIONFAILED" => stop(wrong),
        _ if has(&["temporar", "try again", "unavailable", "internal", "server error", "busy", "later"]) => {
            later("it is tried again later")
        }
        // Exchange says no more, 2023
        _ if !token && (lower.starts_with("authenticate failed") || lower.starts_with("login failed")) => stop(
            "check `username` and `password`; Exchange and Office 365 take no password by IMAP any more, use `oauth2` there",
        ),
        _ if done.status == Status::Bad => later("it does not understand the login"),
        _ => stop(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(code: &str, text: &str) -> Done {
        Done {
            tag: "k1".to_string(),
            status: Status::No,
            code: code.to_string(),
            text: text.to_string(),
            capabilities: None,
            append_uid: None,
        }
    }

    #[test]
    fn a_refused_login_says_what_to_do() {
        for (code, text, level, word) in [
            ("AUTHENTICATIONFAILED", "Authentication failed.", Level::Stop, "check `username` and `password`"),
            ("UNAVAILABLE", "Temporary authentication failure.", Level::Wait, "later"),
            ("CONTACTADMIN", "", Level::Stop, "ask who runs"),
            ("EXPIRED", "Password expired", Level::Stop, "set a new one"),
            ("LIMIT", "", Level::Wait, "close other mail programs"),
            ("ALERT", "Too many simultaneous connections. (Failure)", Level::Wait, "close other mail programs"),
            ("ALERT", "Application-specific password required: https://x (Failure)", Level::Stop, "app password"),
            ("WEBALERT", "Web login required.", Level::Stop, "browser"),
            ("ALERT", "Please log in via your web browser", Level::Stop, "browser"),
            ("", "AUTHENTICATE failed.", Level::Stop, "use `oauth2`"),
            ("", "LOGIN failed.", Level::Stop, "use `oauth2`"),
            ("", "User is authenticated but not connected.", Level::Wait, "ask who runs"),
            ("", "Internal server error", Level::Wait, "later"),
            ("", "Login incorrect", Level::Stop, "check `username`"),
            ("PRIVACYREQUIRED", "", Level::Stop, "starttls"),
        ] {
            let trouble = login_refused("imap.example", "alex", false, &done(code, text));
            assert_eq!(trouble.level, level, "{code} {text}: {trouble}");
            assert!(trouble.what.contains(word), "{code} {text}: {trouble}");
        }
    }

    #[test]
    fn text_of_a_server_is_cut_and_safe() {
        let long = format!("\u{202e}{}\r\n\x1b[2J", "a".repeat(5_000));
        let outcome = Outcome { code: None, information: Some(format!("[X\u{7}\u{202e}Y] {long}").into()) };
        let (code, text) = split(&outcome);
        let trouble = refused("imap.example", "list the mailboxes", &done(&code, &text));
        assert!(trouble.what.len() < 260 && !trouble.what.contains(char::is_control), "{trouble}");
    }

    #[test]
    fn a_bye_is_told_apart() {
        assert_eq!(bye("h", "", "Disconnected for inactivity.").level, Level::Retry);
        assert_eq!(bye("h", "UNAVAILABLE", "Maintenance").level, Level::Wait);
        assert!(bye("h", "", "Too many connections").what.contains("close other mail programs"));
    }
}
