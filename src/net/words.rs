//! What went wrong on the wire, in words a user can act on. Part of `net`.
//!
//! Invariant: text of a server is cut and made safe before it is shown.

use std::io;

use rustls::{CertificateError, Error, InvalidMessage};

use super::Security;
use crate::address::safe_text;
use crate::limits;
use crate::time::Timestamp;

/// Text from elsewhere, as an error may show it.
pub(super) fn cut(text: &str) -> String {
    safe_text(text, limits::SERVER_TEXT_BYTES)
}

/// Why no TCP connection came about.
pub(super) fn unreachable(place: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("nothing listens at {place}: check `host` and `port`"),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            format!("there is no way to {place}: check the network")
        }
        _ => format!("cannot connect to {place}: {}", cut(&error.to_string())),
    }
}

/// Why no TLS came about.
pub(super) fn handshake(place: &str, error: &io::Error, security: Security) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(reason)) => certificate(place, reason),
        // a greeting or an answer in plain text
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) if security == Security::Tls => format!(
            "{place} does not speak TLS at once: set security = \"starttls\", or the port for TLS (993 IMAP, 465 SMTP)"
        ),
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            format!("{place} answers in plain text where TLS should begin: check `port`")
        }
        Some(error) => format!("no TLS with {place}: {}", cut(&error.to_string())),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{place} closed the connection during the TLS handshake: check `port` and `security`")
        }
        None => format!("no TLS with {place}: {}", cut(&error.to_string())),
    }
}

/// What is wrong with a certificate.
pub(super) fn certificate(place: &str, reason: &CertificateError) -> String {
    match reason {
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the certificate of {place} expired at {}: who runs the server must renew it",
            Timestamp::from_second(i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX))
        ),
        CertificateError::Expired => {
            format!("the certificate of {place} expired: who runs the server must renew it")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {place} is not valid yet: check the clock of this machine")
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            let names: Vec<&str> = presented.iter().map(|name| plain(name)).collect();
            format!("the certificate of {place} is for {}: set `host` to that name", cut(&names.join(", ")))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the certificate of {place} is for another name: check `host`")
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "nobody this system trusts has signed the certificate of {place}: if it is yours, set \
             ca_file = \"...\" to the certificate of its CA"
        ),
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => format!(
            "{place} shows the certificate of a CA as its own: give it a certificate that its CA has signed, \
             and set ca_file to that CA"
        ),
        other => format!("the certificate of {place} is not accepted: {}", cut(&other.to_string())),
    }
}

/// `DnsName("x")`, as rustls writes the names it met, without the wrapping.
fn plain(name: &str) -> &str {
    name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')')).trim_matches('"')
}
