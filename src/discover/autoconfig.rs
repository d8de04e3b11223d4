//! What a domain says of its mail servers in Mozilla's autoconfig format. Part of `discover`.
//!
//! Invariant: only the domain of the address itself is asked, over https; no third party hears of it.

use roxmltree::{Document, Node};

use crate::address::AddrSpec;
use crate::limits;
use crate::net::http::{Bounds, Client, Request};
use crate::net::{Security, Server, Url, Web};

/// What a file said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Told {
    pub imap: Option<Server>,
    pub smtp: Option<Server>,
    pub username: String,
}

/// Where a domain may keep the file.
pub(super) fn places(address: &AddrSpec) -> Vec<Url> {
    let domain = address.domain();
    let at = |place: String| Url::parse(&place).ok();
    // the address is what some servers look the user name up by
    let query = address.as_str().replace('@', "%40").replace('+', "%2B");
    [
        at(format!("https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={query}")),
        at(format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress={query}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Asks one place.
pub(super) async fn ask(url: &Url, address: &AddrSpec) -> Option<Told> {
    let web = Web { url: url.clone(), login: None, ca_file: None };
    let bounds = Bounds { body_bytes: limits::AUTOCONFIG_BYTES, secs: limits::DISCOVER_SECS };
    let client = Client::new(&web, None, bounds).ok()?;
    let answer = client.send(Request::new("GET", url.as_str())).await.ok()?;
    (answer.status == 200).then(|| read(&answer.body, address)).flatten()
}

fn read(body: &[u8], address: &AddrSpec) -> Option<Told> {
    // a document type is refused by the parser: no entities
    let document = Document::parse(std::str::from_utf8(body).ok()?).ok()?;
    let of_kind = |tag: &'static str, kind: &'static str| {
        let fits = move |n: &Node<'_, '_>| n.has_tag_name(tag) && n.attribute("type") == Some(kind);
        document.descendants().filter(fits).find_map(|n| Some((server(n)?, username(n, address))))
    };
    let imap = of_kind("incomingServer", "imap");
    let smtp = of_kind("outgoingServer", "smtp");
    let name = imap.as_ref().or(smtp.as_ref()).map(|(_, name)| name.clone())?;
    Some(Told { imap: imap.map(|(s, _)| s), smtp: smtp.map(|(s, _)| s), username: name })
}

fn text<'a>(node: Node<'a, '_>, tag: &str) -> Option<&'a str> {
    node.children().find(|n| n.has_tag_name(tag))?.text().map(str::trim)
}

/// A server with TLS; one without is not taken.
fn server(node: Node<'_, '_>) -> Option<Server> {
    let security = match text(node, "socketType")? {
        "SSL" => Security::Tls,
        "STARTTLS" => Security::StartTls,
        _ => return None,
    };
    let host = text(node, "hostname")?;
    let sound = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    let port = text(node, "port")?.parse().ok()?;
    sound.then(|| Server { host: host.to_ascii_lowercase(), port, security, ca_file: None })
}

fn username(node: Node<'_, '_>, address: &AddrSpec) -> String {
    let form = text(node, "username").unwrap_or("%EMAILADDRESS%");
    form.replace("%EMAILADDRESS%", address.as_str())
        .replace("%EMAILLOCALPART%", address.local())
        .replace("%EMAILDOMAIN%", address.domain())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILE: &str = r#"<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="firm.example">
 <incomingServer type="pop3"><hostname>pop.firm.example</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
 <incomingServer type="imap"><hostname>plain.firm.example</hostname><port>143</port><socketType>plain</socketType></incomingServer>
 <incomingServer type="imap"><hostname>IMAP.firm.example</hostname><port>993</port><socketType>SSL</socketType>
   <username>%EMAILLOCALPART%</username></incomingServer>
 <outgoingServer type="smtp"><hostname>smtp.firm.example</hostname><port>587</port><socketType>STARTTLS</socketType>
   <username>%EMAILADDRESS%</username></outgoingServer>
</emailProvider></clientConfig>"#;

    #[test]
    fn the_first_server_with_tls_is_taken() {
        let address = AddrSpec::parse("alex@firm.example").unwrap();
        let told = read(FILE.as_bytes(), &address).unwrap();
        let imap = told.imap.unwrap();
        assert_eq!((imap.host.as_str(), imap.port, imap.security), ("imap.firm.example", 993, Security::Tls));
        assert_eq!(told.smtp.unwrap().security, Security::StartTls);
        assert_eq!(told.username, "alex");
    }

    #[test]
    fn what_is_no_such_file_tells_nothing() {
        let address = AddrSpec::parse("alex@firm.example").unwrap();
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><clientConfig>&a;</clientConfig>";
        for text in ["", "<html>not found</html>", bomb, &FILE.replace("SSL", "plain").replace("STARTTLS", "plain")] {
            assert_eq!(read(text.as_bytes(), &address), None, "{text}");
        }
    }

    #[test]
    fn only_the_domain_itself_is_asked() {
        let address = AddrSpec::parse("alex+x@firm.example").unwrap();
        for url in places(&address) {
            assert!(url.is_tls() && url.host().ends_with("firm.example"), "{url:?}");
            assert!(url.as_str().ends_with("emailaddress=alex%2Bx%40firm.example"));
        }
    }
}
