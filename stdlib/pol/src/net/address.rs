//! What an address is: ordinary, or special and why.
//!
//! Some IPv6 addresses are another way to say an IPv4 address, and whoever translates them (the kernel, a gateway, a relay) sends what they
//! get to that one. They are judged by it.

use super::special;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that a connection is made to: a mapped IPv4 address is that IPv4 address, all others are themselves.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The IPv4 addresses that an IPv6 address carries, and by which form.
#[must_use]
pub fn embedded(address: Ipv6Addr) -> Vec<(Ipv4Addr, &'static str)> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    match s {
        // Neither is an IPv4 address: they have rows of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        [0, 0, 0, 0, 0, 0xffff, a, b] => vec![(v4(a, b), "IPv4-mapped")],
        [0, 0, 0, 0, 0, 0, a, b] => vec![(v4(a, b), "IPv4-compatible")],
        [0, 0, 0, 0, 0xffff, 0, a, b] => vec![(v4(a, b), "IPv4-translated")],
        [0x64, 0xff9b, 0, 0, 0, 0, a, b] => vec![(v4(a, b), "NAT64")],
        [0x2002, a, b, ..] => vec![(v4(a, b), "6to4")],
        // The server's address as it is, the client's with all bits turned.
        [0x2001, 0, c, d, _, _, a, b] => vec![(v4(c, d), "Teredo"), (v4(!a, !b), "Teredo")],
        // ISATAP, below any prefix: the universal bit may be set or not.
        [_, _, _, _, 0 | 0x200, 0x5efe, a, b] => vec![(v4(a, b), "ISATAP")],
        _ => Vec::new(),
    }
}

/// Why an address is not an ordinary host of the public internet; nothing when it is one.
#[must_use]
pub fn special_purpose(address: IpAddr) -> Option<String> {
    let address = canonical(address);
    if let Some((_, _, what)) = special::block(address) {
        return Some(what.to_owned());
    }
    let IpAddr::V6(v6) = address else { return None };
    let what = |(v4, form): (Ipv4Addr, &str)| Some(format!("{form} form of {v4}, {}", special::block(IpAddr::V4(v4))?.2));
    embedded(v6).into_iter().find_map(what)
}

/// Can nobody be at an address whom a connection could be made to, whatever the rules say? The unspecified address reaches this machine,
/// multicast and broadcast reach many.
#[must_use]
pub fn is_nobody(address: IpAddr) -> bool {
    let nobody = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.octets()[0] == 0 || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast(),
    };
    let address = canonical(address);
    let IpAddr::V6(v6) = address else { return nobody(address) };
    nobody(address) || embedded(v6).into_iter().any(|(v4, _)| nobody(IpAddr::V4(v4)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn is_special(text: &str) -> bool {
        special_purpose(text.parse().unwrap()).is_some()
    }

    #[test]
    fn both_sides_of_each_edge_are_told_apart() {
        for (special, ordinary) in [
            ("10.0.0.0", "9.255.255.255"),
            ("10.255.255.255", "11.0.0.0"),
            ("172.16.0.0", "172.15.255.255"),
            ("172.31.255.255", "172.32.0.0"),
            ("192.168.0.0", "192.167.255.255"),
            ("192.168.255.255", "192.169.0.0"),
            ("100.64.0.0", "100.63.255.255"),
            ("100.127.255.255", "100.128.0.0"),
            ("169.254.0.0", "169.253.255.255"),
            ("169.254.255.255", "169.255.0.0"),
            ("224.0.0.0", "223.255.255.255"),
            ("127.0.0.0", "126.255.255.255"),
            ("127.255.255.255", "128.0.0.0"),
            ("0.255.255.255", "1.0.0.0"),
            ("198.19.255.255", "198.20.0.0"),
            ("198.18.0.0", "198.17.255.255"),
            ("192.0.0.255", "192.0.1.0"),
            ("fc00::", "fbff::"),
            ("fdff::1", "fe00::"),
            ("febf::1", "fe7f::1"),
            ("64:ff9b:1::", "64:ff9b:2::"),
            ("64:ff9b::7f00:1", "64:ff9b::808:808"),
            ("64:ff9b::a9fe:a9fe", "64:ff9c::1"),
            ("2002:7f00:1::", "2002:808:808::"),
            ("2001:1ff::1", "2001:200::1"),
            ("2001:db8::1", "2001:4860:4860::8888"),
            ("3fff:fff::", "3fff:1000::"),
        ] {
            assert!(is_special(special), "{special}");
            assert!(!is_special(ordinary), "{ordinary}");
        }
    }

    #[test]
    fn what_carries_an_ipv4_address_is_judged_by_it() {
        for (v6, what) in [
            ("::ffff:127.0.0.1", "loopback"),
            ("::FFFF:a9fe:a9fe", "link-local"),
            ("::127.0.0.1", "IPv4-compatible form of 127.0.0.1, loopback"),
            ("::ffff:0:127.0.0.1", "IPv4-translated form of 127.0.0.1, loopback"),
            ("64:ff9b::127.0.0.1", "NAT64 form of 127.0.0.1, loopback"),
            ("2002:a9fe:a9fe::", "6to4 form of 169.254.169.254, link-local"),
            // The client is 192.168.0.1, then the server is 10.0.0.1.
            ("2001:0:808:808:0:0:3f57:fffe", "Teredo form of 192.168.0.1, private"),
            ("2001:0:a00:1::f7f7:f7f7", "Teredo form of 10.0.0.1, private"),
            ("2a00::5efe:7f00:1", "ISATAP form of 127.0.0.1, loopback"),
            ("2a00::200:5efe:7f00:1", "ISATAP form of 127.0.0.1, loopback"),
            ("fe80::5efe:7f00:1", "link-local"),
            ("::1", "loopback"),
            ("::", "unspecified"),
        ] {
            assert_eq!(special_purpose(v6.parse().unwrap()).as_deref(), Some(what), "{v6}");
        }
        for v6 in ["::ffff:8.8.8.8", "2001:0:808:808::f7f7:f7f7", "2a00::5efe:808:808", "::8.8.8.8"] {
            assert!(!is_special(v6), "{v6}");
        }
    }

    #[test]
    fn nobody_is_at_addresses_that_stand_for_none_or_many() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "ff02::1",
            "::ffff:0.0.0.0",
            "64:ff9b::",
            "2002:e000:1::",
        ] {
            assert!(is_nobody(text.parse().unwrap()), "{text}");
        }
        for text in ["127.0.0.1", "8.8.8.8", "::1", "fe80::1", "240.0.0.1"] {
            assert!(!is_nobody(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn every_block_holds_its_first_address_and_has_no_bits_below_its_prefix() {
        for (first, prefix, _) in special::V4 {
            assert!(special::v4_in(*first, *first, *prefix));
            assert!(*prefix == 32 || first.to_bits() << u32::from(*prefix) == 0, "{first}");
        }
        for (first, prefix, _) in special::V6 {
            assert!(*prefix == 128 || first.to_bits() << u32::from(*prefix) == 0, "{first}");
        }
    }
}
