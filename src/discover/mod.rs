//! Finds the servers of a mail address, for `kithd init`. Floor 8.
//!
//! Invariant: nobody is asked but the resolver of this machine and servers of the address's own
//! domain; what is found is a proposal, and nothing is logged in to here.

mod autoconfig;
mod providers;

use std::time::Duration;

use crate::address::AddrSpec;
use crate::limits;
use crate::net::dns::Dns;
use crate::net::{Security, Server, Url, tls};

/// The servers of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Servers {
    /// IMAP.
    pub imap: Option<Server>,
    /// Submission of mail (RFC 6409, 8314).
    pub smtp: Option<Server>,
    /// Where discovery of calendars begins (RFC 6764).
    pub caldav: Option<Url>,
    /// Where discovery of address books begins.
    pub carddav: Option<Url>,
    /// What the servers are likely to call the user.
    pub username: String,
    /// What the user has to know before the password.
    pub advice: Option<String>,
    /// Who said so.
    pub by: &'static str,
}

/// Looks for them: the table of providers, the domain's own SRV records and autoconfig file, the
/// table by where the domain's mail goes, and names that are usual.
pub async fn servers(address: &AddrSpec, dns: &Dns) -> Servers {
    if let Some(known) = providers::known(address, &[]) {
        return known;
    }
    let mut found = by_records(address, dns).await;
    if found.imap.is_none() || found.smtp.is_none() {
        for place in autoconfig::places(address) {
            let Some(told) = autoconfig::ask(&place, address).await else { continue };
            if found.imap.is_none() {
                found.username = told.username;
                found.by = "the autoconfig file of the domain";
            }
            found.imap = found.imap.or(told.imap);
            found.smtp = found.smtp.or(told.smtp);
            break;
        }
    }
    if found.imap.is_none() {
        let mx = dns.mail_exchangers(address.domain()).await;
        if let Some(known) = providers::known(address, &mx) {
            return Servers { by: "where the mail of the domain goes", ..known };
        }
        found.imap = usual(address, &["imap", "mail"], 993).await;
        found.by = "a name that is usual";
    }
    if found.smtp.is_none() {
        found.smtp = usual(address, &["smtp", "mail"], 465).await;
    }
    found
}

async fn first(dns: &Dns, service: &str, domain: &str) -> Option<(String, u16)> {
    dns.servers(service, domain).await.into_iter().next()
}

async fn by_records(address: &AddrSpec, dns: &Dns) -> Servers {
    let domain = address.domain();
    let mail = |place: Option<(String, u16)>, security| {
        place.map(|(host, port)| Server { host, port, security, ca_file: None })
    };
    let imap = match first(dns, "_imaps._tcp", domain).await {
        None => mail(first(dns, "_imap._tcp", domain).await, Security::StartTls),
        found => mail(found, Security::Tls),
    };
    let smtp = match first(dns, "_submissions._tcp", domain).await {
        None => mail(first(dns, "_submission._tcp", domain).await, Security::StartTls),
        found => mail(found, Security::Tls),
    };
    let web = |place: Option<(String, u16)>| {
        let (host, port) = place?;
        Url::parse(&if port == 443 { format!("https://{host}/") } else { format!("https://{host}:{port}/") }).ok()
    };
    Servers {
        imap,
        smtp,
        caldav: web(first(dns, "_caldavs._tcp", domain).await),
        carddav: web(first(dns, "_carddavs._tcp", domain).await),
        username: address.as_str().to_string(),
        advice: None,
        by: "the SRV records of the domain",
    }
}

/// The first of these hosts of the domain that shows a certificate of its name.
async fn usual(address: &AddrSpec, names: &[&str], port: u16) -> Option<Server> {
    for name in names {
        let host = format!("{name}.{}", address.domain());
        let server = Server { host, port, security: Security::Tls, ca_file: None };
        let tried = async {
            let tcp = tls::dial(&server).await?;
            tls::secure(&server, tcp).await
        };
        if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(limits::DISCOVER_SECS), tried).await {
            return Some(server);
        }
    }
    None
}

#[cfg(test)]
mod tests;
