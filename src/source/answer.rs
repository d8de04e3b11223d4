//! HTTP answers that do not bring what was asked for: what they mean for the user, and when to ask
//! again. Part of `source`.
//!
//! Invariant: what is said names the host and never more of the URL.

use crate::limits;
use crate::net::http::Response;
use crate::time::{Date, Timestamp, Zone};

/// What an answer means that is no success.
pub(super) fn refusal(answer: &Response, has_login: bool) -> String {
    let (host, status) = (answer.url.host(), answer.status);
    match status {
        401 if has_login => format!("{host} refuses the login (401): check `username`, and `password` or `oauth2`"),
        401 => format!("{host} asks for a login (401): set `username` and `password`"),
        403 => {
            format!("{host} refuses access (403): check `url`; a secret address may have been replaced by a new one")
        }
        404 | 410 => format!("{host} has nothing there ({status}): check `url`"),
        429 => format!("{host} was asked too often (429); it is asked again later"),
        500.. => format!("{host} has a fault of its own ({status}); it is asked again later"),
        _ => format!("{host} answers with {status}: check `url`"),
    }
}

/// The server's wish not to be asked before (`Retry-After`, RFC 9110 10.2.3), within reason.
pub(super) fn not_before(answer: &Response, now: Timestamp) -> Option<Timestamp> {
    if !matches!(answer.status, 429 | 503) {
        return None;
    }
    let text = answer.header("retry-after")?.trim();
    let at = match text.parse::<i64>() {
        Ok(seconds) => now.plus(seconds.clamp(0, limits::RETRY_AFTER_SECS_MAX)),
        Err(_) => http_date(text)?,
    };
    Some(at.min(now.plus(limits::RETRY_AFTER_SECS_MAX))).filter(|at| *at > now)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 5.6.7; the other two forms are extinct).
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(',')?.1.split_whitespace();
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = (1..).zip(MONTHS).find(|(_, name)| name.eq_ignore_ascii_case(month))?.0;
    let date = Date::new(words.next()?.parse().ok()?, month, day).ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<i8>().ok());
    let mut part = || clock.next().flatten();
    let (hour, minute, second) = (part()?, part()?, part()?);
    let in_range = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    in_range.then(|| Zone::utc().instant(date.at(hour, minute, second, 0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::Url;

    fn answer(status: u16, retry_after: &str) -> Response {
        let headers = vec![("retry-after".to_string(), retry_after.to_string())];
        let url = Url::parse("https://cal.example/secret/team.ics?key=secret").unwrap();
        Response { status, headers, body: Vec::new(), url }
    }

    #[test]
    fn refusals_say_what_to_do_and_keep_the_secret() {
        for (status, has_login, word) in [
            (401, true, "`password`"),
            (401, false, "set `username`"),
            (403, false, "replaced"),
            (404, false, "check `url`"),
            (410, false, "check `url`"),
            (418, false, "418"),
            (429, false, "too often"),
            (503, false, "later"),
            (507, false, "507"),
        ] {
            let said = refusal(&answer(status, ""), has_login);
            assert!(said.contains(word) && said.contains("cal.example") && !said.contains("secret/"), "{said}");
            assert!(!said.contains("key="), "{said}");
        }
    }

    #[test]
    fn a_server_may_ask_for_patience() {
        let now = Timestamp::parse("2026-05-20T10:00:00Z").unwrap();
        for (status, text, wait) in [
            (503, "120", Some(120)),
            (429, " 120 ", Some(120)),
            (200, "120", None),
            (503, "0", None),
            (503, "-5", None),
            (503, "99999999999", Some(limits::RETRY_AFTER_SECS_MAX)),
            (503, "Wed, 20 May 2026 11:00:00 GMT", Some(3_600)),
            (503, "Wed, 20 May 2026 09:00:00 GMT", None),
            (503, "Fri, 31 Dec 9999 23:59:59 GMT", Some(limits::RETRY_AFTER_SECS_MAX)),
            (503, "Wed, 40 May 2026 11:00:00 GMT", None),
            (503, "soon", None),
            (503, "", None),
        ] {
            assert_eq!(not_before(&answer(status, text), now), wait.map(|s| now.plus(s)), "{status} {text}");
        }
    }
}
