//! WebDAV requests, written by libdav and sent over our HTTP. Part of `dav`.
//!
//! Invariant: the login goes to the server the config names, and to others only over TLS and within
//! the same registrable domain.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use libdav::PropertyName;
use libdav::caldav::{CalendarComponent, GetCalendarResources, ListCalendarResources, TimeRange};
use libdav::carddav::GetAddressBookResources;
use libdav::dav::{Propfind, SyncCollection};
use libdav::requests::DavRequest;
use libdav::{Depth, names};
use tokio::runtime::Handle;

use super::Kind;
use super::multistatus::{self, Multistatus};
use crate::address::registrable_domain;
use crate::evidence::Level;
use crate::limits;
use crate::net::http::{Bounds, Client, Request, Response};
use crate::net::token::Credentials;
use crate::net::{Trouble, Url, Web};
use crate::source::answer::{not_before, refusal};
use crate::time::Timestamp;

/// `getctag` (calendarserver.org): changes with anything in a collection.
const CTAG: PropertyName<'static, 'static> = PropertyName::new(names::CALENDAR_SERVER, "getctag");

/// Why a request brought nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    /// Of what kind.
    pub fault: Fault,
    /// What is done about it, and in plain words.
    pub trouble: Trouble,
    /// Who answered in the end, where anybody did.
    pub url: Option<Url>,
}

/// Kinds of refusals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// Nobody answered, or nobody may be asked.
    Nobody,
    /// A status that is no success.
    Status(u16),
    /// More than [`limits::DAV_BYTES`].
    TooLarge,
    /// No multistatus.
    Garbled,
}

impl Refusal {
    fn nobody(trouble: Trouble) -> Refusal {
        Refusal { fault: Fault::Nobody, trouble, url: None }
    }

    /// Might it go better with fewer resources asked for at once?
    pub(super) fn may_be_the_size(&self) -> bool {
        match self.fault {
            Fault::Nobody => false,
            Fault::Status(status) => !matches!(status, 401 | 403 | 429 | 503),
            Fault::TooLarge | Fault::Garbled => true,
        }
    }

    /// Is it the address that is wrong, so that another may do?
    pub(super) fn is_elsewhere(&self) -> bool {
        match self.fault {
            Fault::Nobody | Fault::Garbled => true,
            Fault::Status(status) => !matches!(status, 401 | 429 | 500..),
            Fault::TooLarge => false,
        }
    }
}

/// Speaks to the servers of one account.
pub(super) struct Wire<'a> {
    kind: Kind,
    web: &'a Web,
    credentials: Option<&'a Credentials>,
    now: Timestamp,
    clients: RefCell<Vec<(Url, Rc<Client>)>>,
    patience: Cell<Option<Timestamp>>,
}

impl<'a> Wire<'a> {
    pub(super) fn new(kind: Kind, web: &'a Web, credentials: Option<&'a Credentials>, now: Timestamp) -> Wire<'a> {
        Wire { kind, web, credentials, now, clients: RefCell::new(Vec::new()), patience: Cell::new(None) }
    }

    /// The URL of the config.
    pub(super) fn url(&self) -> &Url {
        &self.web.url
    }

    /// A server asked to be left in peace until then.
    pub(super) fn patience(&self) -> Option<Timestamp> {
        self.patience.get()
    }

    /// May the login be shown there?
    pub(super) fn trusts(&self, url: &Url) -> bool {
        let base = &self.web.url;
        let (host, other) = (base.host(), url.host());
        let is_name = |host: &str| host.parse::<std::net::IpAddr>().is_err();
        url.is_same_origin(base)
            || url.is_tls()
                && (host == other
                    || is_name(host) && is_name(other) && registrable_domain(host) == registrable_domain(other))
    }

    /// What a resource says of itself, and of where its user's collections are.
    pub(super) fn who(&self, url: &Url) -> Result<(Multistatus, Url), Refusal> {
        let home = match self.kind {
            Kind::Calendars => &names::CALENDAR_HOME_SET,
            Kind::AddressBooks => &names::ADDRESSBOOK_HOME_SET,
        };
        let props = [&names::CURRENT_USER_PRINCIPAL, home, &names::RESOURCETYPE];
        self.ask(url, &Propfind::new("/").with_properties(&props).with_depth(Depth::Zero))
    }

    /// Collections at a URL (`depth` one), or the collection there (zero), with all that tells whether
    /// anything in them has changed.
    pub(super) fn collections(&self, url: &Url, depth: Depth) -> Result<(Multistatus, Url), Refusal> {
        let mut props =
            vec![&names::RESOURCETYPE, &names::DISPLAY_NAME, &names::SYNC_TOKEN, &CTAG, &names::SUPPORTED_REPORT_SET];
        if self.kind == Kind::Calendars {
            props.push(&names::SUPPORTED_CALENDAR_COMPONENT_SET);
        }
        self.ask(url, &Propfind::new("/").with_properties(&props).with_depth(depth))
    }

    /// Everything in a collection, with etags.
    pub(super) fn list(&self, url: &Url) -> Result<Multistatus, Refusal> {
        let props = [&names::RESOURCETYPE, &names::GETETAG];
        Ok(self.ask(url, &Propfind::new("/").with_properties(&props).with_depth(Depth::One))?.0)
    }

    /// Events of a collection that have anything between two points in time (RFC 4791 9.9). `None`: it
    /// cannot be asked.
    pub(super) fn between(&self, url: &Url, from: Timestamp, until: Timestamp) -> Option<Multistatus> {
        let utc = |at: Timestamp| at.to_string().replace(['-', ':'], "").parse().ok();
        let range = TimeRange::Between(utc(from)?, utc(until)?);
        let query = ListCalendarResources::new("/").with_component_and_time_range(CalendarComponent::VEvent, range);
        self.ask(url, &query).ok().map(|(found, _)| found)
    }

    /// What changed in a collection since `token` (RFC 6578 3.2).
    pub(super) fn changes(&self, url: &Url, token: &str) -> Result<Multistatus, Refusal> {
        Ok(self.ask(url, &SyncCollection::new("/").with_sync_token(token))?.0)
    }

    /// The text of some resources of a collection.
    pub(super) fn texts(&self, url: &Url, hrefs: &[&str]) -> Result<Multistatus, Refusal> {
        let answer = match self.kind {
            Kind::Calendars => self.ask(url, &GetCalendarResources::new("/").with_hrefs(hrefs)),
            Kind::AddressBooks => self.ask(url, &GetAddressBookResources::new("/").with_hrefs(hrefs)),
        };
        Ok(answer?.0)
    }

    fn ask(&self, url: &Url, request: &impl DavRequest) -> Result<(Multistatus, Url), Refusal> {
        let odd = || Refusal::nobody(wait(format!("{} cannot be asked in this way", url.host())));
        // libdav writes method, header fields and body; where it goes is ours
        let written = request.prepare_request(url.as_str().parse().map_err(|_| odd())?).map_err(|_| odd())?;
        let mut sent = Request::new(written.method().as_str(), url.as_str());
        for (name, value) in written.headers() {
            sent = sent.header(name.as_str(), value.to_str().map_err(|_| odd())?);
        }
        let client = self.client(url)?;
        let answer = Handle::current().block_on(fetch(&client, sent.body(written.into_body().into_bytes())))?;
        if answer.status != 207 {
            let trouble = wait(refusal(&answer, self.credentials.is_some()));
            if let Some(until) = not_before(&answer, self.now) {
                self.patience.set(Some(until));
            }
            return Err(Refusal { fault: Fault::Status(answer.status), trouble, url: Some(answer.url) });
        }
        match multistatus::read(&answer.body) {
            Ok(read) => Ok((read, answer.url)),
            Err(what) => {
                let trouble = wait(format!("{} gives {what}: check that `url` is that of a WebDAV server", url.host()));
                Err(Refusal { fault: Fault::Garbled, trouble, url: Some(answer.url) })
            }
        }
    }

    fn client(&self, url: &Url) -> Result<Rc<Client>, Refusal> {
        let known = self.clients.borrow().iter().find(|(origin, _)| origin.is_same_origin(url)).map(|(_, c)| c.clone());
        if let Some(client) = known {
            return Ok(client);
        }
        if !self.trusts(url) {
            let (host, other) = (self.web.url.host(), url.host());
            let what = format!(
                "{host} names {other} as the place of your collections, and kithd does not show a login to another \
                 domain by itself: if that is right, set `url` to the address there"
            );
            return Err(Refusal::nobody(wait(what)));
        }
        let web = Web { url: url.clone(), ..self.web.clone() };
        // the answer is counted here, so that too much of it can be told from a broken line
        let bounds = Bounds { body_bytes: usize::MAX, ..Bounds::default() };
        let client = Rc::new(Client::new(&web, self.credentials, bounds).map_err(Refusal::nobody)?);
        self.clients.borrow_mut().push((url.clone(), client.clone()));
        Ok(client)
    }
}

async fn fetch(client: &Client, request: Request) -> Result<Response, Refusal> {
    let mut incoming = client.open(request).await.map_err(Refusal::nobody)?;
    let mut body = Vec::new();
    while let Some(chunk) = incoming.chunk().await.map_err(Refusal::nobody)? {
        if body.len() + chunk.len() > limits::DAV_BYTES {
            let host = incoming.response.url.host();
            let trouble =
                wait(format!("{host} answers with more than {} MiB, which is not read", limits::DAV_BYTES >> 20));
            let url = Some(incoming.response.url.clone());
            return Err(Refusal { fault: Fault::TooLarge, trouble, url });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { body, ..incoming.response })
}

/// To be tried again later.
pub(super) fn wait(what: String) -> Trouble {
    Trouble { level: Level::Wait, what }
}
