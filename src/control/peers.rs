//! Who may talk to the service. Part of `control`.
//!
//! Invariant: a peer is known by the uid the kernel names (SO_PEERCRED of unix(7)), never by its word.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::limits;

/// Uids that are answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peers {
    own: u32,
    allowed: BTreeSet<u32>,
}

/// The superuser reads the store anyway.
const ROOT: u32 = 0;

impl Peers {
    /// The service's own uid, root, and the users of `[control] allow`, by name or number. The second
    /// part names those whom this machine does not know.
    pub fn of(own: u32, allow: &[String]) -> (Peers, Vec<String>) {
        Peers::by(own, allow, Path::new("/etc/passwd"))
    }

    fn by(own: u32, allow: &[String], passwd: &Path) -> (Peers, Vec<String>) {
        let mut peers = Peers { own, allowed: BTreeSet::new() };
        let mut unknown = Vec::new();
        for name in allow {
            match name.parse().ok().or_else(|| uid(name, passwd)) {
                Some(uid) => drop(peers.allowed.insert(uid)),
                None => unknown.push(name.clone()),
            }
        }
        (peers, unknown)
    }

    /// Is this one answered?
    pub fn contains(&self, uid: u32) -> bool {
        uid == self.own || uid == ROOT || self.allowed.contains(&uid)
    }

    /// The uid the service runs as.
    pub const fn own(&self) -> u32 {
        self.own
    }

    /// Are there others than the owner and root?
    pub fn has_others(&self) -> bool {
        !self.allowed.is_empty()
    }
}

/// The uid of a user (passwd(5)).
fn uid(name: &str, passwd: &Path) -> Option<u32> {
    let file = BufReader::new(File::open(passwd).ok()?.take(limits::PASSWD_BYTES));
    file.split(b'\n').map_while(Result::ok).find_map(|line| {
        let line = String::from_utf8_lossy(&line);
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(name);
        is_it.then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_and_numbers_become_uids() {
        let dir = tempfile::tempdir().unwrap();
        let passwd = dir.path().join("passwd");
        let lines = b"root:x:0:0::/root:/bin/sh\n\xff\xfe:x:7:7::/:/bin/sh\nalex:x:1000:1000:Alex:/home/alex:/bin/sh\nalexa:x:1001:1001\nbad\n";
        std::fs::write(&passwd, lines).unwrap();
        let (peers, unknown) = Peers::by(991, &["alex".into(), "1005".into(), "eve".into()], &passwd);
        assert_eq!(unknown, ["eve"]);
        for (uid, expected) in [(991, true), (0, true), (1000, true), (1005, true), (1001, false), (7, false)] {
            assert_eq!(peers.contains(uid), expected, "{uid}");
        }
        assert!(peers.has_others());
        assert!(!Peers::by(1, &[], &passwd).0.has_others());
    }
}
