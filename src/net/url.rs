//! URLs that are not shown, and what is reached by them. Part of `net`.
//!
//! Invariant: no `Debug` and no message shows a URL beyond its host: feeds carry their key in the path.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::Login;

/// An absolute http or https URL without a user in it, as WHATWG's URL standard writes it; `webcal`
/// became `https`.
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

    /// Reads one as a user pastes it.
    ///
    /// # Errors
    /// What is wrong with it, without showing it.
    pub fn parse(text: &str) -> Result<Url, String> {
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
        if authority.is_empty() {
            return Err(wanted.to_string());
        }
        let url = reqwest::Url::parse(&format!("{scheme}://{rest}")).map_err(|_| wanted.to_string())?;
        Url::of(&url).ok_or_else(|| wanted.to_string())
    }

    /// The URL that a reference found at this one names (RFC 3986 5.2), an `href` or a `Location`.
    /// `None` where it is none, or not http.
    pub fn join(&self, reference: &str) -> Option<Url> {
        let base = reqwest::Url::parse(&self.0).ok()?;
        Url::of(&base.join(reference).ok()?)
    }

    /// Does the other one lie on the same server: scheme, host and port (RFC 6454)?
    pub fn is_same_origin(&self, other: &Url) -> bool {
        match (reqwest::Url::parse(&self.0), reqwest::Url::parse(&other.0)) {
            (Ok(a), Ok(b)) => a.origin() == b.origin(),
            _ => false,
        }
    }

    /// As its parser writes it, so that everybody sees the same host in it.
    fn of(url: &reqwest::Url) -> Option<Url> {
        let sound = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.port() != Some(0);
        let mut url = url.clone();
        url.set_fragment(None);
        sound.then(|| Url(url.into()))
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
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
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
            "https://x:0/",
            "https://x:99999/",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn references_are_resolved_and_origins_compared() {
        let base = Url::parse("https://dav.example/alex/").unwrap();
        let joined = |t: &str| base.join(t).map(|u| u.as_str().to_string());
        assert_eq!(joined("/cal/%C3%A9.ics").unwrap(), "https://dav.example/cal/%C3%A9.ics");
        assert_eq!(joined("work/").unwrap(), "https://dav.example/alex/work/");
        assert_eq!(joined("//other.example/x").unwrap(), "https://other.example/x");
        assert_eq!(joined("http://127.1/x#y").unwrap(), "http://127.0.0.1/x");
        for bad in ["ftp://x/", "file:///etc/passwd", "https://me:pw@x/", "https://", "javascript:x"] {
            assert_eq!(joined(bad), None, "{bad}");
        }
        let same = |t: &str| base.is_same_origin(&Url::parse(t).unwrap());
        assert!(same("https://DAV.example:443/x") && same("https://dav.example"));
        assert!(!same("http://dav.example/") && !same("https://dav.example:444/") && !same("https://example/"));
    }

    #[test]
    fn every_reader_of_a_url_sees_the_same_host() {
        assert_eq!(Url::parse("http://evil.example\\.localhost/").unwrap().host(), "evil.example");
        assert_eq!(Url::parse("http://0x7f.1/").unwrap().host(), "127.0.0.1");
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
