//! Connections: TCP with a deadline, and TLS whose certificate is always verified. Part of `net`.
//!
//! Invariant: there is no way to a TLS stream around the check of name and issuer, and a plain
//! stream leads to this machine only.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Security, Server, Trouble, words};
use crate::evidence::Level;
use crate::limits;

/// A connection to a server.
pub enum Stream {
    /// To this machine, or before STARTTLS.
    Plain(TcpStream),
    /// Verified.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to a server, trying each of its addresses; no TLS yet.
///
/// # Errors
/// [`Level::Wait`], with host and port and what to check.
pub async fn dial(server: &Server) -> Result<TcpStream, Trouble> {
    let place = format!("{}:{}", server.host, server.port);
    let trouble = |what: String| Trouble { level: Level::Wait, what };
    let resolve = tokio::net::lookup_host((server.host.as_str(), server.port));
    let found = match tokio::time::timeout(Duration::from_secs(limits::RESOLVE_SECS), resolve).await {
        Ok(Ok(found)) => found.collect::<Vec<_>>(),
        Ok(Err(_)) => return Err(trouble(format!("{} is not found: check `host` and the network", server.host))),
        Err(_) => return Err(trouble(format!("looking up {} takes too long: check the network", server.host))),
    };
    let allowed = |address: &SocketAddr| server.security != Security::None || address.ip().is_loopback();
    let mut last = format!("{} is not this machine, and security = \"none\" goes no further", server.host);
    for address in found.into_iter().filter(allowed).take(limits::HOST_ADDRESSES) {
        match tokio::time::timeout(Duration::from_secs(limits::CONNECT_SECS), connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => last = words::unreachable(&place, &error),
            Err(_) => {
                let secs = limits::CONNECT_SECS;
                last = format!("{place} does not answer within {secs} s: check `host`, `port` and the network");
            }
        }
    }
    Err(trouble(last))
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // a connection that waits for news would not notice that the other side is gone
    socket.set_keepalive(true)?;
    let tcp = socket.connect(address).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// Does the TLS handshake, unless the server's security is `none`. After STARTTLS too: the caller
/// has had that dialogue.
///
/// # Errors
/// [`Level::Wait`], or [`Level::Stop`] where the `ca_file` cannot be used; in plain words what is
/// wrong with the certificate.
pub async fn secure(server: &Server, tcp: TcpStream) -> Result<Stream, Trouble> {
    if server.security == Security::None {
        return Ok(Stream::Plain(tcp));
    }
    let config = config(server.ca_file.as_deref())?;
    let trouble = |what: String| Trouble { level: Level::Wait, what };
    let name = ServerName::try_from(server.host.clone())
        .map_err(|_| trouble(format!("`{}` is no name that a certificate could hold: check `host`", server.host)))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, tcp);
    let place = format!("{}:{}", server.host, server.port);
    match tokio::time::timeout(Duration::from_secs(limits::HANDSHAKE_SECS), handshake).await {
        Ok(Ok(tls)) => Ok(Stream::Tls(Box::new(tls))),
        Ok(Err(error)) => Err(trouble(words::handshake(&place, &error, server.security))),
        Err(_) => Err(trouble(format!(
            "{place} does not finish the TLS handshake: check `port` and `security` (port 143 and 587 want \"starttls\")"
        ))),
    }
}

/// What is trusted: the system's roots as they are now, and the `ca_file`. It is made for each
/// connection, so that a renewed store counts without a restart.
///
/// # Errors
/// [`Level::Stop`] where the `ca_file` cannot be used, [`Level::Wait`] where nothing is trusted.
pub(super) fn config(ca_file: Option<&Path>) -> Result<ClientConfig, Trouble> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let extra = match ca_file {
        Some(path) => read_ca_file(path).map_err(|what| Trouble { level: Level::Stop, what })?,
        None => Vec::new(),
    };
    let none = || Trouble {
        level: Level::Wait,
        what: "the system has no certificates to trust: install the package ca-certificates, or set `ca_file`"
            .to_string(),
    };
    let verifier = Verifier::new_with_extra_roots(extra, provider.clone()).map_err(|error| match ca_file {
        Some(path) => Trouble {
            level: Level::Stop,
            what: format!("the ca_file {} cannot be used: {}", path.display(), words::cut(&error.to_string())),
        },
        None => none(),
    })?;
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|_| none())?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

fn read_ca_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let place = path.display();
    let size = std::fs::metadata(path).map(|about| about.len());
    if size.is_ok_and(|size| size > limits::CA_FILE_BYTES) {
        return Err(format!("the ca_file {place} is too large for certificates"));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("the ca_file {place} cannot be read: {error}"))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!(
            "the ca_file {place} holds no certificate in PEM (-----BEGIN CERTIFICATE-----): \
             openssl x509 -inform der -in FILE makes one"
        )),
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Stream::Plain(_)) { "Plain" } else { "Tls" })
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
