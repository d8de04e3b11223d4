//! A token endpoint (RFC 6749 6) and an introspection endpoint (RFC 7662) on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Gives tokens `token-1`, `token-2`...; only the newest is active.
pub struct OAuth {
    pub port: u16,
    given: Arc<AtomicU32>,
    /// Request lines and bodies it has seen.
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl OAuth {
    pub fn start(username: &str) -> OAuth {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let given = Arc::new(AtomicU32::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (counter, log, username) = (given.clone(), seen.clone(), username.to_string());
        // the thread ends with the test's process
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &counter, &log, &username);
            }
        });
        OAuth { port, given, seen }
    }

    /// What was given so far is refused from now on.
    pub fn revoke(&self) {
        self.given.fetch_add(1, Ordering::SeqCst);
    }

    pub fn given(&self) -> u32 {
        self.given.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, given: &AtomicU32, log: &Mutex<Vec<String>>, username: &str) {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    let request = loop {
        let Ok(n) = stream.read(&mut part) else { return };
        if n == 0 {
            return;
        }
        bytes.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&bytes).to_string();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break text;
        }
    };
    log.lock().unwrap().push(request.clone());
    let body = if request.starts_with("POST /token") {
        let n = given.fetch_add(1, Ordering::SeqCst) + 1;
        format!("{{\"access_token\":\"token-{n}\",\"token_type\":\"Bearer\",\"expires_in\":3600}}")
    } else {
        let active = request.contains(&format!("token=token-{}", given.load(Ordering::SeqCst)))
            || request.ends_with(&format!("token-{}", given.load(Ordering::SeqCst)));
        format!("{{\"active\":{active},\"username\":\"{username}\"}}")
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
    let _ = write!(stream, "{head}{}\r\n\r\n{body}", body.len());
}
