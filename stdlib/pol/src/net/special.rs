//! Blocks of addresses that are not ordinary hosts of the public internet.
//!
//! From the IANA special-purpose address registries for IPv4 and IPv6 and the multicast and site-local blocks beside them, as of
//! [`AS_OF`]; blocks that IANA marks as globally reachable (anycast relays and the like) are left out, and so are ordinary. One row is not
//! IANA's: an address that a cloud answers on for its machines only. Embedded forms of IPv4 are not here: see `address`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// When the registries were read.
pub const AS_OF: &str = "2026-08-01";

/// A block of IPv4 addresses: first address, length of the prefix, what it is.
pub const V4: &[(Ipv4Addr, u8, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a provider's customers"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's own services"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a former 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

const fn v6(a: u16, b: u16, c: u16, d: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
}

/// A block of IPv6 addresses. The first that holds an address says what it is.
pub const V6: &[(Ipv6Addr, u8, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (v6(0x64, 0xff9b, 1, 0), 48, "local translation to IPv4"),
    (v6(0x100, 0, 0, 0), 64, "discarded"),
    (v6(0x100, 0, 0, 1), 64, "a dummy prefix"),
    (v6(0x2001, 2, 0, 0), 48, "benchmarking"),
    (v6(0x2001, 0x10, 0, 0), 28, "former cryptographic identifiers"),
    (v6(0x2001, 0xdb8, 0, 0), 32, "documentation"),
    (v6(0x2001, 0x100, 0, 0), 24, "protocol assignments"),
    (v6(0x3fff, 0, 0, 0), 20, "documentation"),
    (v6(0x5f00, 0, 0, 0), 16, "segment routing"),
    (v6(0xfc00, 0, 0, 0), 7, "unique local"),
    (v6(0xfe80, 0, 0, 0), 10, "link-local"),
    (v6(0xfec0, 0, 0, 0), 10, "site-local"),
    (v6(0xff00, 0, 0, 0), 8, "multicast"),
];

/// Is an address in a block?
#[must_use]
pub fn v4_in(address: Ipv4Addr, first: Ipv4Addr, prefix: u8) -> bool {
    let shift = 32_u32.saturating_sub(u32::from(prefix));
    (address.to_bits() ^ first.to_bits()).checked_shr(shift).unwrap_or(0) == 0
}

/// Is an address in a block?
#[must_use]
pub fn v6_in(address: Ipv6Addr, first: Ipv6Addr, prefix: u8) -> bool {
    let shift = 128_u32.saturating_sub(u32::from(prefix));
    (address.to_bits() ^ first.to_bits()).checked_shr(shift).unwrap_or(0) == 0
}

/// The block that holds an address as it stands: its first address, the length of its prefix, what it is.
#[must_use]
pub fn block(address: IpAddr) -> Option<(IpAddr, u8, &'static str)> {
    match address {
        IpAddr::V4(address) => V4
            .iter()
            .find(|(first, prefix, _)| v4_in(address, *first, *prefix))
            .map(|(first, prefix, what)| (IpAddr::V4(*first), *prefix, *what)),
        IpAddr::V6(address) => V6
            .iter()
            .find(|(first, prefix, _)| v6_in(address, *first, *prefix))
            .map(|(first, prefix, what)| (IpAddr::V6(*first), *prefix, *what)),
    }
}
