//! HTTP inside our bounds: size after decompression, deadlines, and where a redirect may lead.
//! Part of `net`; the only user of reqwest.
//!
//! Invariant: a proof of who the user is goes to the origin the config names and to no other, and
//! nobody outside can make kithd ask a server nearer to this machine than itself.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, redirect};
use rustls::ClientConfig;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::reach::Reach;
use super::token::{Credentials, Shown};
use super::{Trouble, Url, Web, is_loopback, tls, words};
use crate::evidence::Level;
use crate::limits;

/// How much one request may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Bytes of the body, after decompression.
    pub body_bytes: usize,
    /// Seconds for everything, redirects and body included.
    pub secs: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { body_bytes: limits::HTTP_BODY_BYTES, secs: limits::HTTP_SECS }
    }
}

/// What is asked.
#[derive(Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// `target` is a URL, or a reference that is resolved against the client's.
    pub fn new(method: &str, target: &str) -> Request {
        Request { method: method.to_string(), target: target.to_string(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: Vec<u8>) -> Request {
        self.body = body;
        self
    }
}

/// What was answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// Who answered, after redirects.
    pub url: Url,
}

impl Response {
    /// The first header field of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?}, {} bytes", self.status, self.url, self.body.len())
    }
}

/// An answer whose body is still to be read.
pub struct Incoming {
    /// Status, header fields and URL; its body is empty.
    pub response: Response,
    inner: reqwest::Response,
    left: usize,
    deadline: Instant,
    bounds: Bounds,
}

impl Incoming {
    /// The next piece of the body, decompressed; `None` at its end.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        let host = self.response.url.host();
        let next = match tokio::time::timeout_at(self.deadline, self.inner.chunk()).await {
            Ok(Ok(next)) => next,
            Ok(Err(error)) => return Err(wait(failure(host, &error))),
            Err(_) => return Err(wait(slow(host, self.bounds.secs))),
        };
        let Some(bytes) = next else { return Ok(None) };
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            let most = self.bounds.body_bytes >> 10;
            return Err(wait(format!("{host} answers with more than {most} KiB, which is not read")));
        };
        self.left = left;
        Ok(Some(bytes.into()))
    }
}

/// Speaks to one server. It keeps its connections, and a password for as long as it lives: one
/// client is made for one reading.
pub struct Client {
    base: Url,
    credentials: Option<Credentials>,
    password: Mutex<Option<SecretString>>,
    bounds: Bounds,
    tls: ClientConfig,
    pub(super) world: World,
    /// One for each [`Reach`] a server must at least have.
    inner: [OnceLock<reqwest::Client>; 3],
    /// A server has answered, so that a connection may have been kept.
    answered: AtomicBool,
}

impl Client {
    /// `credentials` are those of `web.login`, kept by the caller so that a token outlives the client.
    ///
    /// # Errors
    /// [`Level::Stop`] where the `ca_file` cannot be used, or a password would go over plain HTTP.
    pub fn new(web: &Web, credentials: Option<&Credentials>, bounds: Bounds) -> Result<Client, Trouble> {
        if credentials.is_some() && !web.url.is_tls() && !is_loopback(web.url.host()) {
            let what = format!("no password goes to {} over plain http: use https://", web.url.host());
            return Err(Trouble { level: Level::Stop, what });
        }
        let mut tls = tls::config(web.ca_file.as_deref())?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Client {
            base: web.url.clone(),
            credentials: credentials.cloned(),
            password: Mutex::new(None),
            bounds,
            tls,
            world: World::default(),
            inner: Default::default(),
            answered: AtomicBool::new(false),
        })
    }

    /// Sends a request, follows redirects of requests that change nothing, and reads the body. Any
    /// status is an answer; a refused token was renewed once before a 401 is one.
    ///
    /// # Errors
    /// No answer came, or more than the bounds let in, or it leads where it may not; the host is
    /// named, never the URL.
    pub async fn send(&self, request: Request) -> Result<Response, Trouble> {
        let mut incoming = self.open(request).await?;
        let mut body = Vec::new();
        while let Some(chunk) = incoming.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(Response { body, ..incoming.response })
    }

    /// As [`send`](Self::send), for a body that is read in pieces.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn open(&self, request: Request) -> Result<Incoming, Trouble> {
        let deadline = tokio::time::sleep(Duration::from_secs(self.bounds.secs)).deadline();
        match tokio::time::timeout_at(deadline, self.follow(request, deadline)).await {
            Ok(answer) => answer,
            Err(_) => Err(wait(slow(self.base.host(), self.bounds.secs))),
        }
    }

    async fn follow(&self, mut request: Request, deadline: Instant) -> Result<Incoming, Trouble> {
        let strange = || wait(format!("{} names an address that is none", self.base.host()));
        let mut url = self.base.join(&request.target).ok_or_else(strange)?;
        // the caller's own server may lie anywhere; where another one leads from it may not
        let mut floor = Reach::Loopback;
        if !url.is_same_origin(&self.base) {
            check_scheme(&self.base, &url)?;
            floor = self.world.reach_of(&self.base).await;
        }
        for _ in 0..=limits::REDIRECTS {
            let (answer, reach) = self.ask(&url, &request, floor).await?;
            floor = floor.max(reach);
            let status = answer.status().as_u16();
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let is_redirect = matches!(status, 301 | 302 | 303 | 307 | 308) && changes_nothing(&request.method);
            let Some(location) = location.filter(|_| is_redirect) else {
                return Ok(self.incoming(answer, url, deadline));
            };
            let next = url.join(location).ok_or_else(|| {
                wait(format!("{} sends kithd to an address that is no http or https URL", url.host()))
            })?;
            check_scheme(&url, &next)?;
            if status == 303 {
                request.method = "GET".to_string();
                request.body.clear();
            }
            url = next;
        }
        let what = format!("{} sends kithd on more than {} times: check `url`", url.host(), limits::REDIRECTS);
        Err(wait(what))
    }

    /// Asks one server; at the origin of the config with a proof, and once more with a fresh token
    /// where it is refused.
    async fn ask(&self, url: &Url, request: &Request, floor: Reach) -> Result<(reqwest::Response, Reach), Trouble> {
        let credentials = self.credentials.as_ref().filter(|_| url.is_same_origin(&self.base));
        let Some(credentials) = credentials else { return self.exchange(url, request, None, floor).await };
        let (proof, is_token) = self.proof(credentials).await?;
        let (answer, reach) = self.exchange(url, request, Some(proof), floor).await?;
        if answer.status().as_u16() != 401 {
            return Ok((answer, reach));
        }
        credentials.refused();
        *self.password.lock().await = None;
        if !is_token {
            return Ok((answer, reach));
        }
        let (proof, _) = self.proof(credentials).await?;
        let (answer, reach) = self.exchange(url, request, Some(proof), floor).await?;
        if answer.status().as_u16() == 401 {
            credentials.refused();
        }
        Ok((answer, reach))
    }

    /// The value of `Authorization`, and whether it holds a token.
    async fn proof(&self, credentials: &Credentials) -> Result<(HeaderValue, bool), Trouble> {
        let mut password = self.password.lock().await;
        let shown = match password.clone() {
            Some(password) => Shown::Password(password),
            None => credentials.proof().await?,
        };
        let (text, is_token) = match &shown {
            Shown::Password(secret) => {
                *password = Some(secret.clone());
                let pair = Zeroizing::new(format!("{}:{}", credentials.username(), secret.expose_secret()));
                (Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))), false)
            }
            Shown::Token(token) => (Zeroizing::new(format!("Bearer {}", token.expose_secret())), true),
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| wait("the token holds characters that no header may hold".to_string()))?;
        value.set_sensitive(true);
        Ok((value, is_token))
    }

    /// One request, one answer, from a server that is at least as far away as `floor`.
    async fn exchange(
        &self,
        url: &Url,
        request: &Request,
        proof: Option<HeaderValue>,
        floor: Reach,
    ) -> Result<(reqwest::Response, Reach), Trouble> {
        let host = url.host();
        // a literal address is not looked up
        let literal = host.parse::<IpAddr>().ok();
        if literal.is_some_and(|address| (self.world.reach)(address) < floor) {
            return Err(wait(nearer(host)));
        }
        // a name of this machine may be somebody else's all the same
        if proof.is_some() && !url.is_tls() && self.world.reach_of(url).await > Reach::Loopback {
            return Err(wait(format!("no password goes to {host} over plain http: use https://")));
        }
        let odd = |_| wait(format!("kithd cannot ask {host} in this way"));
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| odd(()))?;
        let target = reqwest::Url::parse(url.as_str()).map_err(|_| odd(()))?;
        let mut asked = self.client(floor)?.request(method, target).body(request.body.clone());
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| odd(()))?;
            let value = HeaderValue::from_str(value).map_err(|_| odd(()))?;
            asked = asked.header(name, value);
        }
        if let Some(proof) = proof {
            asked = asked.header(AUTHORIZATION, proof);
        }
        // a connection that was kept may have been closed by the server meanwhile: once more, over a new one
        let again =
            asked.try_clone().filter(|_| self.answered.load(Ordering::Relaxed) && changes_nothing(&request.method));
        let answer = match (asked.send().await, again) {
            (Err(error), Some(again)) if !error.is_timeout() => again.send().await,
            (answer, _) => answer,
        };
        let answer = answer.map_err(|error| wait(failure(host, &error)))?;
        self.answered.store(true, Ordering::Relaxed);
        // one whose address is not known may be anybody
        let reach = answer.remote_addr().map_or(Reach::Public, |address| (self.world.reach)(address.ip()));
        Ok((answer, reach))
    }

    fn client(&self, floor: Reach) -> Result<reqwest::Client, Trouble> {
        let [loopback, private, public] = &self.inner;
        let place = match floor {
            Reach::Loopback => loopback,
            Reach::Private => private,
            Reach::Public => public,
        };
        if let Some(client) = place.get() {
            return Ok(client.clone());
        }
        let built = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(Arc::new(Lookup { world: self.world.clone(), floor }))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("kithd/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(limits::HTTP_CONNECT_SECS))
            .read_timeout(Duration::from_secs(limits::HTTP_SILENT_SECS))
            .build()
            .map_err(|error| wait(format!("HTTP cannot be spoken: {}", words::cut(&error.to_string()))))?;
        Ok(place.get_or_init(|| built).clone())
    }

    fn incoming(&self, inner: reqwest::Response, url: Url, deadline: Instant) -> Incoming {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = inner.headers().iter().map(|(name, value)| (name.as_str().to_string(), text(value))).collect();
        let response = Response { status: inner.status().as_u16(), headers, body: Vec::new(), url };
        Incoming { response, inner, left: self.bounds.body_bytes, deadline, bounds: self.bounds }
    }
}

/// A redirect repeats what was asked, so only of what may be asked twice.
fn changes_nothing(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "REPORT")
}

/// From https only to https; from http to either.
fn check_scheme(from: &Url, to: &Url) -> Result<(), Trouble> {
    match from.is_tls() && !to.is_tls() {
        true => {
            Err(wait(format!("{} sends kithd on to plain http at {}, where it does not go", from.host(), to.host())))
        }
        false => Ok(()),
    }
}

fn wait(what: String) -> Trouble {
    Trouble { level: Level::Wait, what }
}

fn slow(host: &str, secs: u64) -> String {
    format!("{host} has not finished its answer after {secs} s")
}

fn nearer(host: &str) -> String {
    format!("a server sends kithd on to {host}, nearer to this machine than itself, where it does not go")
}

type Cause<'a> = &'a (dyn Error + 'static);

/// What an error holds; an `io::Error` hides it from `source`.
fn below(cause: Cause<'_>) -> Option<Cause<'_>> {
    match cause.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|held| held as Cause<'_>),
        None => cause.source(),
    }
}

/// What went wrong, with nothing of the URL but the host.
fn failure(host: &str, error: &reqwest::Error) -> String {
    let found = std::iter::successors(Some(error as Cause<'_>), |cause| below(*cause)).find_map(|cause| {
        if let Some(rustls::Error::InvalidCertificate(reason)) = cause.downcast_ref() {
            return Some(words::certificate(host, reason));
        }
        if let Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) = cause.downcast_ref() {
            return Some(format!("{host} does not speak TLS at this port: check `url`"));
        }
        let io = || cause.downcast_ref::<io::Error>().filter(|io| io.get_ref().is_none());
        let elsewhere = cause.downcast_ref::<Elsewhere>().map(ToString::to_string);
        elsewhere.or_else(|| io().map(|io| words::unreachable(host, io)))
    });
    found.unwrap_or_else(|| match () {
        () if error.is_timeout() && error.is_connect() => {
            format!("{host} cannot be reached in time: check the network")
        }
        () if error.is_timeout() => format!("{host} does not answer in time"),
        () if error.is_connect() => format!("cannot connect to {host}: check `url` and the network"),
        () if error.is_decode() => format!("the answer of {host} is damaged"),
        () => format!("{host} broke off its answer"),
    })
}

/// Names and addresses as they are, or as a test says.
#[derive(Clone)]
pub(super) struct World {
    /// `None`: the system is asked.
    pub(super) names: Option<Arc<BTreeMap<String, Vec<IpAddr>>>>,
    pub(super) reach: fn(IpAddr) -> Reach,
}

impl Default for World {
    fn default() -> World {
        World { names: None, reach: Reach::of }
    }
}

impl World {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Some(names) = &self.names {
            return Ok(names.get(host).cloned().unwrap_or_default());
        }
        let found = tokio::time::timeout(Duration::from_secs(limits::RESOLVE_SECS), tokio::net::lookup_host((host, 0)));
        let found = found.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(found.map(|address| address.ip()).take(limits::HOST_ADDRESSES).collect())
    }

    /// How far away a server lies, as far as its name tells; far, where it does not.
    async fn reach_of(&self, url: &Url) -> Reach {
        let addresses = match url.host().parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.addresses(url.host()).await.unwrap_or_default(),
        };
        addresses.into_iter().map(self.reach).max().unwrap_or(Reach::Public)
    }
}

/// Looks names up, and gives only addresses that are far enough away.
struct Lookup {
    pub(super) world: World,
    floor: Reach,
}

/// Why a name that was found gives no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Elsewhere(String);

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let (world, floor, host) = (self.world.clone(), self.floor, name.as_str().to_string());
        Box::pin(async move {
            let found = world.addresses(&host).await.unwrap_or_default();
            if found.is_empty() {
                return Err(Elsewhere(format!("{host} is not found: check `url` and the network")).into());
            }
            let kept: Vec<SocketAddr> =
                found.into_iter().filter(|a| (world.reach)(*a) >= floor).map(|a| SocketAddr::new(a, 0)).collect();
            if kept.is_empty() {
                return Err(Elsewhere(nearer(&host)).into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}
