//! The real binary against real servers on loopback: Dovecot, Cyrus and Exim, started here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(dead_code)]

#[path = "servers/bed.rs"]
mod bed;
#[path = "servers/certs.rs"]
mod certs;
#[path = "servers/cyrus.rs"]
mod cyrus;
#[path = "servers/dovecot.rs"]
mod dovecot;
#[path = "servers/exim.rs"]
mod exim;
#[path = "servers/oauth.rs"]
mod oauth;
#[path = "servers/proxy.rs"]
mod proxy;
#[path = "servers/raw.rs"]
mod raw;

use bed::Bed;
use certs::Certs;
use cyrus::Cyrus;
use dovecot::{Dovecot, Wishes};
use exim::Exim;
use raw::Raw;

#[test]
fn the_servers_stand() {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let dovecot = Dovecot::start(&bed, &certs, &Wishes::default());
    let mut raw = Raw::login(dovecot.imap, "alex");
    raw.append("INBOX", "\\Seen", "From: a@b.example\nSubject: x\n\nHello\n");
    assert_eq!(raw.messages("INBOX").len(), 1);
    let exim = Exim::start(&bed, &certs, None, &dovecot);
    assert_ne!(exim.submission, 0);
    let cyrus = Cyrus::start(&bed, &certs, &["alex"]);
    let mut raw = Raw::login(cyrus.imap, "alex");
    raw.append("INBOX", "\\Seen", "From: a@b.example\nSubject: x\n\nHello\n");
    assert_eq!(raw.messages("INBOX").len(), 1);
}
