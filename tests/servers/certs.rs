//! An authority of the test's own, and certificates it gives: good, expired, for another host.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use super::bed::Bed;

/// Files of one bed, in PEM.
pub struct Certs {
    pub ca: PathBuf,
    pub good: Pair,
    pub expired: Pair,
    pub wrong_host: Pair,
}

/// A certificate and its key.
pub struct Pair {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Certs {
    pub fn new(bed: &Bed) -> Certs {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Authority of the tests");
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let give = |name: &str, hosts: &[&str], is_expired: bool| {
            let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            let mut params = CertificateParams::new(hosts).unwrap();
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = if is_expired { date_time_ymd(2021, 1, 1) } else { date_time_ymd(2090, 1, 1) };
            let key = KeyPair::generate().unwrap();
            let cert = params.signed_by(&key, &issuer).unwrap();
            Pair {
                cert: bed.file(&format!("tls/{name}.pem"), &cert.pem()),
                key: bed.file(&format!("tls/{name}.key"), &key.serialize_pem()),
            }
        };
        Certs {
            good: give("good", &["localhost", "127.0.0.1"], false),
            expired: give("expired", &["localhost", "127.0.0.1"], true),
            wrong_host: give("wrong_host", &["elsewhere.example"], false),
            ca: bed.file("tls/ca.pem", &ca.pem()),
        }
    }
}
