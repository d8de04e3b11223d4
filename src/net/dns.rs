//! What DNS says of a service: its servers (SRV, RFC 2782) and the path there (TXT, RFC 6763 6). Part
//! of `net`; the only user of domain.
//!
//! Invariant: an answer is waited for within bounds, and is a hint of strangers: whoever follows it
//! to a server he shows a password makes sure that it is the right one.

use std::cmp::Reverse;
use std::time::Duration;

use domain::base::name::Name;
use domain::base::{Question, Rtype};
use domain::rdata::{Mx, Srv, Txt};
use domain::resolv::StubResolver;
use domain::resolv::stub::Answer;

use crate::limits;

/// A resolver.
pub struct Dns(StubResolver);

impl Dns {
    /// As `/etc/resolv.conf` says.
    pub fn system() -> Dns {
        Dns(StubResolver::new())
    }

    /// The name server at an address, in tests.
    #[cfg(test)]
    pub(crate) fn at(address: std::net::SocketAddr) -> Dns {
        use domain::resolv::stub::conf::{ResolvConf, ServerConf, Transport};
        let mut conf = ResolvConf::new();
        conf.servers = vec![ServerConf::new(address, Transport::UdpTcp)];
        conf.options.use_vc = false;
        conf.finalize();
        Dns(StubResolver::from_conf(conf))
    }

    /// Host and port of the servers of `service` (`_caldavs._tcp`) at `domain`, best first. None where
    /// DNS knows none, or cannot be reached in time.
    pub async fn servers(&self, service: &str, domain: &str) -> Vec<(String, u16)> {
        let Some(answer) = self.ask(&format!("{service}.{domain}"), Rtype::SRV).await else { return Vec::new() };
        let Ok(section) = answer.answer() else { return Vec::new() };
        let mut found = Vec::new();
        for record in section.limit_to::<Srv<_>>().flatten().take(limits::DNS_ANSWERS) {
            let server = record.data();
            let host = server.target().to_string().trim_end_matches('.').to_ascii_lowercase();
            // a lone dot: decidedly not available
            if !host.is_empty() && server.port() != 0 {
                found.push((server.priority(), Reverse(server.weight()), host, server.port()));
            }
        }
        found.sort();
        found.into_iter().map(|(_, _, host, port)| (host, port)).collect()
    }

    /// Path of `service` at its servers: the `path=` of its TXT record (RFC 6764 4).
    pub async fn path(&self, service: &str, domain: &str) -> Option<String> {
        let answer = self.ask(&format!("{service}.{domain}"), Rtype::TXT).await?;
        let records = answer.answer().ok()?.limit_to::<Txt<_>>().flatten().take(limits::DNS_ANSWERS);
        let texts = records.map(|record| String::from_utf8_lossy(&record.data().text::<Vec<u8>>()).into_owned());
        let paths: Vec<String> = texts.filter_map(|text| text.strip_prefix("path=").map(str::to_string)).collect();
        paths.into_iter().find(|path| path.starts_with('/'))
    }

    /// Where the mail of a domain goes (MX, RFC 5321 5).
    pub async fn mail_exchangers(&self, domain: &str) -> Vec<String> {
        let Some(answer) = self.ask(domain, Rtype::MX).await else { return Vec::new() };
        let Ok(section) = answer.answer() else { return Vec::new() };
        let records = section.limit_to::<Mx<_>>().flatten().take(limits::DNS_ANSWERS);
        let hosts = records.map(|record| record.data().exchange().to_string());
        hosts.map(|host| host.trim_end_matches('.').to_ascii_lowercase()).collect()
    }

    async fn ask(&self, name: &str, kind: Rtype) -> Option<Answer> {
        let name: Name<Vec<u8>> = name.parse().ok()?;
        let asked = self.0.query(Question::new_in(name, kind));
        tokio::time::timeout(Duration::from_secs(limits::DNS_SECS), asked).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::net::SocketAddr;

    use tokio::net::UdpSocket;

    use super::*;

    /// A name server that gives these records (type, data) to every question.
    async fn name_server(records: Vec<(u16, Vec<u8>)>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut bytes = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
                let question_end = 12 + bytes[12..length].iter().position(|b| *b == 0).unwrap() + 5;
                let count = u8::try_from(records.len()).unwrap();
                let mut answer = vec![bytes[0], bytes[1], 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0];
                answer.extend_from_slice(&bytes[12..question_end]);
                for (kind, data) in &records {
                    answer.extend_from_slice(&[0xc0, 12]);
                    answer.extend_from_slice(&kind.to_be_bytes());
                    answer.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
                    answer.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
                    answer.extend_from_slice(data);
                }
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        address
    }

    fn srv(priority: u16, weight: u16, port: u16, host: &str) -> (u16, Vec<u8>) {
        let mut data: Vec<u8> = [priority, weight, port].iter().flat_map(|n| n.to_be_bytes()).collect();
        for label in host.split('.').filter(|l| !l.is_empty()) {
            data.push(u8::try_from(label.len()).unwrap());
            data.extend_from_slice(label.as_bytes());
        }
        data.push(0);
        (33, data)
    }

    fn txt(text: &str) -> (u16, Vec<u8>) {
        (16, [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat())
    }

    #[tokio::test]
    async fn servers_come_best_first_and_paths_are_paths() {
        let records = vec![
            srv(20, 0, 443, "late.example.org"),
            srv(10, 1, 8443, "light.example.org"),
            srv(10, 9, 443, "Heavy.example.org"),
            srv(1, 0, 0, "."),
            txt("v=spf1 -all"),
            txt("path=/dav/"),
        ];
        let dns = Dns::at(name_server(records).await);
        let found = dns.servers("_caldavs._tcp", "example.org").await;
        let expected = [("heavy.example.org", 443), ("light.example.org", 8443), ("late.example.org", 443)];
        assert_eq!(found, expected.map(|(h, p)| (h.to_string(), p)));
        assert_eq!(dns.path("_caldavs._tcp", "example.org").await.as_deref(), Some("/dav/"));
    }

    #[tokio::test]
    async fn no_answer_is_no_server() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let began = std::time::Instant::now();
        let dns = Dns::at(silent.local_addr().unwrap());
        assert!(dns.servers("_caldavs._tcp", "example.org").await.is_empty());
        assert!(began.elapsed().as_secs() <= limits::DNS_SECS + 1);
        let empty = Dns::at(name_server(Vec::new()).await);
        assert!(empty.servers("_caldavs._tcp", "example.org").await.is_empty());
        assert_eq!(empty.path("_caldavs._tcp", "no name at all...").await, None);
    }
}
