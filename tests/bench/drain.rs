//! The floor for reading speed: asks an IMAP server and throws the bytes away.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::dovecot::PASSWORD;

/// The longest tagged line: Dovecot's answer to LOGIN names all it can do.
const TAIL: usize = 4 << 10;

/// Logs in over plain TCP, examines `mailbox`, sends each command and drains its answer. Gives the
/// bytes that came.
pub fn drain(port: u16, user: &str, mailbox: &str, commands: &[String]) -> u64 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let quoted = PASSWORD.replace('"', "\\\"");
    let mut bytes = until(&mut stream, "* OK");
    let login = [format!("LOGIN {user} \"{quoted}\""), format!("EXAMINE {mailbox}")];
    for (n, command) in login.iter().chain(commands).enumerate() {
        write!(stream, "t{n} {command}\r\n").unwrap();
        bytes += until(&mut stream, &format!("t{n} OK"));
    }
    bytes
}

/// Reads until a line begins with `mark`; such a line is never inside a literal of the mails drained.
fn until(stream: &mut TcpStream, mark: &str) -> u64 {
    let mark = format!("\n{mark}").into_bytes();
    let mut buffer = vec![0; 256 << 10];
    let (mut kept, mut total) = (1, 0);
    buffer[0] = b'\n';
    loop {
        let n = stream.read(&mut buffer[kept..]).unwrap();
        assert!(n > 0, "the server hung up");
        total += n as u64;
        let end = kept + n;
        // the last answer ends what was read: only its tail is looked at
        let tail = &buffer[end.saturating_sub(TAIL)..end];
        if tail.ends_with(b"\r\n") && tail.windows(mark.len()).any(|w| w == mark) {
            return total;
        }
        kept = end.min(TAIL);
        buffer.copy_within(end - kept..end, 0);
    }
}
