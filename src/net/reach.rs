//! How far away an address is: this machine, a private network, or the world. Part of `net`.
//!
//! Invariant: an address that is not surely public is not called public, so that nobody outside can
//! send kithd to a neighbour of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far away an address is, the nearest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Reach {
    /// This machine.
    Loopback,
    /// A network of one's own, or an address for special purposes (RFC 6890).
    Private,
    /// Anybody's.
    Public,
}

impl Reach {
    /// Of an address, also of a v4 one inside a v6 one.
    pub(super) fn of(address: IpAddr) -> Reach {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // 0.0.0.0 reaches this machine as well
        [0 | 127, ..] => Reach::Loopback,
        [10, ..] | [100, 64..=127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private,
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Reach::Private
        }
        [224..=255, ..] => Reach::Private,
        _ => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Reach::Loopback,
        // v4 inside: mapped, compatible (old), translated (RFC 6052), 6to4
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // Teredo and documentation; the rest of 2000::/3 is global unicast
        [0x2001, 0 | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Private,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Private,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_global_addresses_are_public() {
        let of = |text: &str| Reach::of(text.parse().unwrap());
        for address in ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            assert_eq!(of(address), Reach::Loopback, "{address}");
        }
        for address in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:c0a8:101::1",
            "2001:0:1::1",
            "64:ff9b:1::1",
        ] {
            assert_eq!(of(address), Reach::Private, "{address}");
        }
        for address in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "2002:808:808::1",
        ] {
            assert_eq!(of(address), Reach::Public, "{address}");
        }
    }
}
