//! A bare IMAP conversation over plain TCP, to put mail in and to look at it: none of kithd's code.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::dovecot::PASSWORD;

/// A logged-in connection.
pub struct Raw {
    stream: BufReader<TcpStream>,
    tag: u32,
}

impl Raw {
    pub fn login(port: u16, user: &str) -> Raw {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let mut raw = Raw { stream: BufReader::new(stream), tag: 0 };
        raw.line();
        let quoted = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
        raw.ask(&format!("LOGIN {user} \"{quoted}\""));
        raw
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).unwrap();
        assert!(!line.is_empty(), "the server hung up");
        String::from_utf8_lossy(&line).trim_end().to_string()
    }

    /// A command's untagged answer, literals included; panics unless it ends with OK.
    pub fn ask(&mut self, command: &str) -> Vec<String> {
        self.tag += 1;
        let tag = format!("r{}", self.tag);
        write!(self.stream.get_mut(), "{tag} {command}\r\n").unwrap();
        self.rest(&tag, command)
    }

    fn rest(&mut self, tag: &str, command: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if let Some(status) = line.strip_prefix(&format!("{tag} ")) {
                assert!(status.starts_with("OK"), "{command}: {status}");
                return lines;
            }
            let literal = line.rsplit_once('{').and_then(|(_, n)| n.strip_suffix('}')?.parse::<usize>().ok());
            lines.push(line);
            if let Some(length) = literal {
                let mut bytes = vec![0; length];
                self.stream.read_exact(&mut bytes).unwrap();
                lines.push(String::from_utf8_lossy(&bytes).to_string());
            }
        }
    }

    /// Puts a message into a mailbox; `\n` becomes CRLF.
    pub fn append(&mut self, mailbox: &str, flags: &str, message: &str) {
        let message = message.replace("\r\n", "\n").replace('\n', "\r\n");
        self.tag += 1;
        let tag = format!("r{}", self.tag);
        write!(self.stream.get_mut(), "{tag} APPEND \"{mailbox}\" ({flags}) {{{}}}\r\n", message.len()).unwrap();
        assert!(self.line().starts_with('+'));
        write!(self.stream.get_mut(), "{message}\r\n").unwrap();
        self.rest(&tag, "APPEND");
    }

    /// All messages of a mailbox: flags and text.
    pub fn messages(&mut self, mailbox: &str) -> Vec<(String, String)> {
        self.ask(&format!("EXAMINE \"{mailbox}\""));
        let lines = self.ask("UID FETCH 1:* (FLAGS BODY.PEEK[])");
        let mut found: Vec<(String, String)> = Vec::new();
        for pair in lines.windows(2).filter(|p| p[0].contains("BODY[]")) {
            let flags = pair[0].split("FLAGS (").nth(1).and_then(|f| f.split(')').next()).unwrap_or_default();
            found.push((flags.to_string(), pair[1].clone()));
        }
        found
    }
}
