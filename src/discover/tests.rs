#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
use std::net::{SocketAddr, UdpSocket};

use super::*;

/// A name server on loopback: SRV records of these names, "no such name" for all others.
fn name_server(records: &'static [(&'static str, u16, &'static str)]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // it ends with the test's process
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let question = &buffer[..length];
            let (name, end) = read_name(question);
            let found = records.iter().find(|(n, ..)| *n == name);
            let mut answer = question[..2].to_vec();
            answer.extend([0x81, if found.is_some() { 0x80 } else { 0x83 }]);
            answer.extend([0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
            answer.extend(&question[12..end + 4]);
            if let Some((_, port, target)) = found {
                let mut data = vec![0, 0, 0, 0];
                data.extend(port.to_be_bytes());
                for label in target.split('.').filter(|l| !l.is_empty()) {
                    data.push(label.len() as u8);
                    data.extend(label.as_bytes());
                }
                data.push(0);
                answer.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
                answer.extend((data.len() as u16).to_be_bytes());
                answer.extend(data);
            }
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

fn read_name(question: &[u8]) -> (String, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..at + 1 + length]).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), at + 1)
}

#[tokio::test]
async fn srv_records_are_followed() {
    let dns = Dns::at(name_server(&[
        ("_imaps._tcp.firm.example", 993, "Mail.hoster.example"),
        ("_submission._tcp.firm.example", 587, "out.hoster.example"),
        ("_caldavs._tcp.firm.example", 8443, "dav.hoster.example"),
        ("_carddavs._tcp.firm.example", 0, ""),
    ]));
    let found = servers(&AddrSpec::parse("alex@firm.example").unwrap(), &dns).await;
    let server = |host: &str, port, security| Some(Server { host: host.to_string(), port, security, ca_file: None });
    assert_eq!(found.imap, server("mail.hoster.example", 993, Security::Tls));
    assert_eq!(found.smtp, server("out.hoster.example", 587, Security::StartTls));
    assert_eq!(found.caldav.unwrap().as_str(), "https://dav.hoster.example:8443/");
    // the root as target: no such service
    assert_eq!(found.carddav, None);
    assert_eq!(found.username, "alex@firm.example");
}
