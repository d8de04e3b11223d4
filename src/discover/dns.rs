//! SRV and MX records of a domain (RFC 2782, 6186, 6764, 5321 5). Part of `discover`.

use std::str::FromStr;
use std::time::Duration;

use domain::base::{Name, Rtype};
use domain::rdata::{Mx, Srv};
use domain::resolv::StubResolver;

use crate::limits;

/// The machine's resolver, or one a test gives.
pub struct Dns(StubResolver);

impl Dns {
    /// As `/etc/resolv.conf` says.
    pub fn system() -> Dns {
        Dns(StubResolver::new())
    }

    #[cfg(test)]
    pub(super) fn at(address: std::net::SocketAddr) -> Dns {
        use domain::resolv::stub::conf::{ResolvConf, ServerConf, Transport};
        let mut conf = ResolvConf::new();
        conf.servers.push(ServerConf::new(address, Transport::UdpTcp));
        conf.finalize();
        Dns(StubResolver::from_conf(conf))
    }

    /// Host and port of a service such as `_imaps._tcp`: the record of the lowest priority, then the
    /// highest weight. `None` where there is none, or where the domain says that it has no such
    /// service, or nobody answers.
    pub async fn service(&self, service: &str, of: &str) -> Option<(String, u16)> {
        let name = Name::<Vec<u8>>::from_str(&format!("{service}.{of}")).ok()?;
        let asked = self.0.query((name, Rtype::SRV));
        let answer = tokio::time::timeout(Duration::from_secs(limits::DNS_SECS), asked).await.ok()?.ok()?;
        let records = answer.answer().ok()?.limit_to::<Srv<_>>().flatten();
        let found = records.map(|record| {
            let srv = record.data();
            (srv.priority(), u16::MAX - srv.weight(), srv.target().to_string(), srv.port())
        });
        // a target that is the root says: no such service here
        let (.., target, port) = found.filter(|(_, _, target, _)| is_host(target)).min()?;
        Some((target.trim_end_matches('.').to_ascii_lowercase(), port))
    }

    /// Where the mail of a domain goes.
    pub async fn mail_exchangers(&self, of: &str) -> Vec<String> {
        let Ok(name) = Name::<Vec<u8>>::from_str(of) else { return Vec::new() };
        let asked = self.0.query((name, Rtype::MX));
        let Ok(Ok(answer)) = tokio::time::timeout(Duration::from_secs(limits::DNS_SECS), asked).await else {
            return Vec::new();
        };
        let Ok(section) = answer.answer() else { return Vec::new() };
        let records = section.limit_to::<Mx<_>>().flatten();
        let hosts = records.map(|record| record.data().exchange().to_string());
        let hosts = hosts.map(|host| host.trim_end_matches('.').to_ascii_lowercase());
        hosts.filter(|host| is_host(host)).take(limits::HOST_ADDRESSES).collect()
    }
}

fn is_host(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.contains('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}
