//! A small HTTP server that answers as a test says, well or badly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// What goes back, byte for byte. Each connection carries one answer.
pub struct Reply(Vec<u8>);

impl Reply {
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let mut head = format!("HTTP/1.1 {status} So\r\nConnection: close\r\n");
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        if status != 304 {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        Reply([head.as_bytes(), b"\r\n", body].concat())
    }

    /// Promises the whole body and ends after these bytes of it.
    pub fn cut(status: u16, body: &str, at: usize) -> Reply {
        let head = format!("HTTP/1.1 {status} So\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        Reply([head.as_bytes(), &body.as_bytes()[..at]].concat())
    }
}

/// One request to a server on loopback, by hand: status and body.
pub fn call(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let (status, _, body) = exchange(port, method, path, headers, body).unwrap();
    (status, body)
}

/// Status, header fields, body.
type Exchanged = (u16, Vec<(String, String)>, String);

fn exchange(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> std::io::Result<Exchanged> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let mut head = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\n", body.len());
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|l| l.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0);
    let headers = lines.filter_map(|l| l.split_once(':'));
    let headers = headers.map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_string())).collect();
    Ok((status, headers, body.to_string()))
}

/// Hands a request on to the server at `port`: status and body. A `Location` there becomes one here.
pub fn forward(port: u16, asked: &Asked) -> (u16, Vec<(String, String)>, String) {
    let kept = ["authorization", "content-type", "depth", "prefer"];
    let headers: Vec<(&str, &str)> = kept.iter().filter_map(|name| Some((*name, asked.header(name)?))).collect();
    let (status, headers, body) = exchange(port, &asked.method, &asked.path, &headers, &asked.body).unwrap();
    let kept = |(name, _): &(String, String)| ["content-type", "location", "www-authenticate"].contains(&name.as_str());
    (status, headers.into_iter().filter(kept).collect(), body)
}

/// Answers until it is dropped.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
}

type Answers = dyn FnMut(&Asked) -> Reply + Send;

impl Server {
    pub fn start(answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server { address: listener.local_addr().unwrap(), asked: Arc::default(), stop: Arc::default() };
        let answer: Arc<Mutex<Box<Answers>>> = Arc::new(Mutex::new(Box::new(answer)));
        let (asked, stop) = (server.asked.clone(), server.stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (answer, asked) = (answer.clone(), asked.clone());
                std::thread::spawn(move || serve(stream, &answer, &asked));
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked since this was last called, as `METHOD path`.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, answer: &Mutex<Box<Answers>>, asked: &Mutex<Vec<Asked>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let mut request = Asked {
        method: words.next()?.to_string(),
        path: words.next()?.to_string(),
        headers: Vec::new(),
        body: String::new(),
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
    let length = request.header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    asked.lock().unwrap().push(request.clone());
    let reply = (answer.lock().unwrap())(&request);
    let mut stream = stream;
    stream.write_all(&reply.0).ok()
}
