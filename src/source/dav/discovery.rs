//! Where a user's collections are (RFC 6764 6, RFC 4791 6.2.1, RFC 6352 7.1.1). Part of `dav`.
//!
//! Invariant: the address that was given comes first and DNS last, and in a bounded number of
//! requests either a place is found or it is said what to do.

use libdav::Depth;
use tokio::runtime::Handle;

use super::Kind;
use super::known::path_of;
use super::multistatus::{Entry, Props};
use super::wire::{Fault, Refusal, Wire, wait};
use crate::limits;
use crate::net::dns::Dns;
use crate::net::{Url, is_loopback};

/// Where collections are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Home {
    /// Its URL.
    pub url: Url,
    /// It is itself the one collection that is wanted.
    pub is_collection: bool,
}

impl Kind {
    /// Is it a collection of this kind?
    pub(super) fn is_of(self, props: &Props) -> bool {
        match self {
            Kind::Calendars => props.calendar,
            Kind::AddressBooks => props.address_book,
        }
    }

    const fn well_known(self) -> &'static str {
        match self {
            Kind::Calendars => "/.well-known/caldav",
            Kind::AddressBooks => "/.well-known/carddav",
        }
    }

    const fn service(self) -> &'static str {
        match self {
            Kind::Calendars => "_caldavs._tcp",
            Kind::AddressBooks => "_carddavs._tcp",
        }
    }
}

/// Looks for the collections of the account.
pub(super) fn discover(wire: &Wire<'_>, kind: Kind) -> Result<Vec<Home>, Refusal> {
    let mut search = Search { wire, kind, left: limits::DISCOVERY_REQUESTS, first: None, plain: Vec::new() };
    let given = wire.url();
    let at = |path: &str| given.join(path);
    let near = [Some(given.clone()), at(kind.well_known()), at("/")];
    for url in near.into_iter().flatten() {
        if let Some(homes) = search.look(&url)? {
            return Ok(homes);
        }
    }
    for url in named_by_dns(wire, kind) {
        if let Some(homes) = search.look(&url)? {
            return Ok(homes);
        }
    }
    // a server without principals: perhaps what was given is where the collections lie
    for url in std::mem::take(&mut search.plain) {
        let listed = search.try_it(|wire| wire.collections(&url, Depth::One))?;
        if listed.is_some_and(|(found, _)| found.entries.iter().any(|e| kind.is_of(&e.props))) {
            return Ok(vec![Home { url, is_collection: false }]);
        }
    }
    Err(search.first.unwrap_or_else(|| nothing_found(given, kind)))
}

fn nothing_found(given: &Url, kind: Kind) -> Refusal {
    let what = format!(
        "no {} is found at {}: set `url` to the address your provider names for {}, or to that of one collection",
        kind.word(),
        given.host(),
        kind.protocol()
    );
    Refusal { fault: Fault::Nobody, trouble: wait(what), url: None }
}

/// SRV and TXT records (RFC 6764 3, 4), as far as they stay within the domain.
fn named_by_dns(wire: &Wire<'_>, kind: Kind) -> Vec<Url> {
    let given = wire.url();
    let host = given.host();
    if !given.is_tls() || is_loopback(host) || host.parse::<std::net::IpAddr>().is_ok() {
        return Vec::new();
    }
    let asked = async {
        let dns = Dns::system();
        let (servers, path) = tokio::join!(dns.servers(kind.service(), host), dns.path(kind.service(), host));
        (servers, path.unwrap_or_else(|| kind.well_known().to_string()))
    };
    let (servers, path) = Handle::current().block_on(asked);
    let urls = servers.iter().filter_map(|(host, port)| Url::parse(&format!("https://{host}:{port}{path}")).ok());
    urls.filter(|url| wire.trusts(url)).take(2).collect()
}

struct Search<'a> {
    wire: &'a Wire<'a>,
    kind: Kind,
    /// Requests that may still be made.
    left: usize,
    /// What went wrong first: at the address that was given.
    first: Option<Refusal>,
    /// Plain collections met.
    plain: Vec<Url>,
}

impl Search<'_> {
    /// What one address knows. `Err` where no other need be tried.
    fn look(&mut self, url: &Url) -> Result<Option<Vec<Home>>, Refusal> {
        let Some((entry, at)) = self.who(url)? else { return Ok(None) };
        if self.kind.is_of(&entry.props) {
            return Ok(Some(vec![Home { url: at, is_collection: true }]));
        }
        if let Some(homes) = homes(&entry.props, &at) {
            return Ok(Some(homes));
        }
        if entry.props.collection {
            self.plain.push(at.clone());
        }
        let Some(principal) = entry.props.principal.and_then(|href| at.join(&href)) else { return Ok(None) };
        let Some((entry, at)) = self.who(&principal)? else { return Ok(None) };
        Ok(homes(&entry.props, &at))
    }

    /// What the resource at `url` says of itself, and where it is after redirects.
    fn who(&mut self, url: &Url) -> Result<Option<(Entry, Url)>, Refusal> {
        // a redirect to another server shows no login; where that may see it, it is asked again
        let asked = self.try_it(|wire| match wire.who(url) {
            Err(Refusal { fault: Fault::Status(401), url: Some(there), .. })
                if !there.is_same_origin(url) && wire.trusts(&there) =>
            {
                wire.who(&there)
            }
            other => other,
        })?;
        let Some((found, at)) = asked else { return Ok(None) };
        let same = |e: &&Entry| path_of(&e.href) == path_of(at.as_str());
        let entry = found.entries.iter().find(same).or_else(|| found.entries.first()).cloned();
        Ok(entry.map(|entry| (entry, at)))
    }

    /// `None` where another address may do.
    fn try_it<T>(&mut self, ask: impl Fn(&Wire<'_>) -> Result<T, Refusal>) -> Result<Option<T>, Refusal> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        match ask(self.wire) {
            Ok(found) => Ok(Some(found)),
            Err(refusal) if refusal.is_elsewhere() => {
                self.first.get_or_insert(refusal);
                Ok(None)
            }
            Err(refusal) => Err(refusal),
        }
    }
}

fn homes(props: &Props, at: &Url) -> Option<Vec<Home>> {
    let urls = props.homes.iter().filter_map(|href| at.join(href));
    let homes: Vec<Home> = urls.map(|url| Home { url, is_collection: false }).collect();
    Some(homes).filter(|homes| !homes.is_empty())
}
