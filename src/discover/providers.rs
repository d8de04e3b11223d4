//! The table of the big providers. Part of `discover`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Servers;
use crate::address::AddrSpec;
use crate::net::{Security, Server, Url};

const TABLE: &str = include_str!("providers.toml");

/// One provider, as the table says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    domains: Vec<String>,
    #[serde(default)]
    mx: Vec<String>,
    imap: String,
    smtp: String,
    /// SMTP speaks STARTTLS.
    #[serde(default)]
    starttls: bool,
    #[serde(default)]
    imap_starttls: bool,
    caldav: Option<String>,
    carddav: Option<String>,
    /// The user name is what stands before the @.
    #[serde(default)]
    local_part: bool,
    advice: Option<String>,
}

/// The provider whose domain this is, or to whom its mail goes (`mx`: names of MX records).
pub(super) fn known(address: &AddrSpec, mx: &[String]) -> Option<Servers> {
    let table: BTreeMap<String, Provider> = toml::from_str(TABLE).ok()?;
    let domain = address.domain();
    let below = |name: &str, zone: &String| name == zone.as_str() || name.ends_with(&format!(".{zone}"));
    let theirs = |p: &&Provider| p.domains.iter().any(|d| d == domain);
    let goes_there = |p: &&Provider| mx.iter().any(|name| p.mx.iter().any(|zone| below(name, zone)));
    let provider = table.values().find(theirs).or_else(|| table.values().find(goes_there))?;
    let username = if provider.local_part { address.local() } else { address.as_str() };
    Some(Servers {
        imap: server(&provider.imap, provider.imap_starttls),
        smtp: server(&provider.smtp, provider.starttls),
        caldav: provider.caldav.as_deref().and_then(|u| Url::parse(u).ok()),
        carddav: provider.carddav.as_deref().and_then(|u| Url::parse(u).ok()),
        username: username.to_string(),
        advice: provider.advice.clone(),
        by: "the table of providers",
    })
}

fn server(place: &str, starttls: bool) -> Option<Server> {
    let (host, port) = place.rsplit_once(':')?;
    let security = if starttls { Security::StartTls } else { Security::Tls };
    Some(Server { host: host.to_string(), port: port.parse().ok()?, security, ca_file: None })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_line_of_the_table_can_be_used() {
        let table: BTreeMap<String, Provider> = toml::from_str(TABLE).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for (name, provider) in &table {
            assert!(server(&provider.imap, false).is_some() && server(&provider.smtp, false).is_some(), "{name}");
            for url in provider.caldav.iter().chain(&provider.carddav) {
                assert!(Url::parse(url).is_ok_and(|u| u.is_tls()), "{name}: {url}");
            }
            for domain in &provider.domains {
                assert!(seen.insert(domain.clone()), "{domain} stands twice");
            }
        }
    }

    #[test]
    fn a_domain_of_ones_own_is_told_by_where_its_mail_goes() {
        let address = AddrSpec::parse("alex@firm.example").unwrap();
        assert_eq!(known(&address, &[]), None);
        let found = known(&address, &["aspmx.l.google.com".to_string()]).unwrap();
        assert_eq!(found.imap.unwrap().host, "imap.gmail.com");
        assert_eq!(known(&address, &["mx.notgoogle.com".to_string()]), None);
        let icloud = known(&AddrSpec::parse("alex@icloud.com").unwrap(), &[]).unwrap();
        assert_eq!((icloud.username.as_str(), icloud.smtp.unwrap().security), ("alex", Security::StartTls));
    }
}
