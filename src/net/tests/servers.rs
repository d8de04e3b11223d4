//! Certificates and servers of the tests.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::net::{Security, Server};

/// A CA, with its certificate in a file.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Authority {
    pub fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_string()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a CA of the tests");
        let certificate = params.self_signed(&key).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(certificate.pem().as_bytes()).unwrap();
        let (der, bytes) = (certificate.der().clone(), key.serialize_der());
        Authority { issuer: Issuer::new(params, key), file, der, key: bytes }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.file.path().to_path_buf()
    }

    /// Accepts TLS with a certificate for these names that is good until this year.
    pub fn acceptor(&self, names: &[&str], until: i32) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(certificate.der().clone(), key.serialize_der())
    }

    /// Accepts TLS with the certificate of the CA itself, as `openssl req -x509` makes them.
    pub fn as_server(&self) -> TlsAcceptor {
        acceptor(self.der.clone(), self.key.clone())
    }
}

fn acceptor(certificate: CertificateDer<'static>, key: Vec<u8>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.into()))
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A server as a config would name it.
pub fn server(host: &str, port: u16, security: Security, ca: Option<&Authority>) -> Server {
    Server { host: host.to_string(), port, security, ca_file: ca.map(Authority::ca_file) }
}

/// Ends its task when dropped.
pub struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Running {
    pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Running {
        Running(tokio::spawn(task))
    }
}

/// One HTTP request as a server sees it.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub host: String,
    pub authorization: Option<String>,
    pub body: String,
}

/// Answers a request with the raw bytes of a response.
pub type Answer = Arc<dyn Fn(&Asked) -> Vec<u8> + Send + Sync>;

/// An HTTP server that notes what it was asked. A connection is served to its end.
pub struct Web {
    pub port: u16,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    _running: Running,
}

impl Web {
    pub async fn start(address: &str, tls: Option<TlsAcceptor>, answer: Answer) -> Web {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        Web::on(listener, tls, answer)
    }

    pub fn on(listener: TcpListener, tls: Option<TlsAcceptor>, answer: Answer) -> Web {
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = asked.clone();
        let running = Running::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (tls, answer, notes) = (tls.clone(), answer.clone(), notes.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(tcp).await {
                                serve(stream, &answer, &notes).await;
                            }
                        }
                        None => serve(tcp, &answer, &notes).await,
                    }
                });
            }
        });
        Web { port, asked, _running: running }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, answer: &Answer, notes: &Mutex<Vec<Asked>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut asked = Asked::default();
        let mut length = 0;
        let mut first = true;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if first {
                let mut words = line.split(' ');
                asked.method = words.next().unwrap().to_string();
                asked.path = words.next().unwrap().to_string();
                first = false;
                continue;
            }
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            match name.to_ascii_lowercase().as_str() {
                "host" => asked.host = value.to_string(),
                "authorization" => asked.authorization = Some(value.to_string()),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        asked.body = String::from_utf8(body).unwrap();
        let bytes = answer(&asked);
        notes.lock().unwrap().push(asked);
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// A response with a status line, header fields and a body.
pub fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}
