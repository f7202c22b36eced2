//! What a script or a rule calls a host: one parser, one canonical spelling.
//!
//! The parser is the URL standard's, so a host means the same in a URL, in a call of a native and in a rule: percent escapes are decoded
//! once, Unicode goes through IDNA, numbers in all their spellings are the address they stand for. Spellings that others read differently
//! (a zero before a decimal number) are refused. Nothing is looked up here.

use super::address::canonical;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest name, as the name system has it.
pub const MAX_HOST: usize = 253;
/// Longest label of a name.
const MAX_LABEL: usize = 63;
/// Longest text that is looked at: a name in Unicode, percent-escaped.
const MAX_TEXT: usize = 2048;

/// A host, canonical: a name in lower case ASCII without a dot at its end, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Why a text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHost {
    /// Nothing is there.
    Empty,
    /// More than [`MAX_HOST`] bytes, or a label of more than 63.
    TooLong,
    /// A label without a letter.
    EmptyLabel,
    /// A number with a zero before it: 010 is eight to some and ten to others.
    LeadingZero,
    /// Looks like an IPv4 address and is none.
    Number,
    /// Looks like an IPv6 address and is none.
    Bracket,
    /// A character that no name has, or one that IDNA refuses.
    Character,
}

impl BadHost {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            BadHost::Empty => "it is empty",
            BadHost::TooLong => "it is longer than names can be",
            BadHost::EmptyLabel => "a part of it between dots is empty",
            BadHost::LeadingZero => "a number with a 0 before it is read differently by different programs",
            BadHost::Number => "it looks like an IPv4 address and is none",
            BadHost::Bracket => "it looks like an IPv6 address and is none",
            BadHost::Character => "a character in it can't be in the name of a host",
        }
    }
}

impl fmt::Display for Host {
    /// As in a URL: an IPv6 address stands in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(v4)) => write!(f, "{v4}"),
            Host::Address(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
        }
    }
}

impl Host {
    /// Reads a host. An IPv6 address may stand in brackets or, where no port follows, without.
    ///
    /// # Errors
    /// It is none, or not clearly so.
    pub fn parse(text: &str) -> Result<Host, BadHost> {
        if text.is_empty() {
            return Err(BadHost::Empty);
        }
        if text.len() > MAX_TEXT {
            return Err(BadHost::TooLong);
        }
        if text.contains(':') || text.starts_with('[') || text.ends_with(']') {
            let inner = text.strip_prefix('[').map_or(Some(text), |rest| rest.strip_suffix(']')).ok_or(BadHost::Bracket)?;
            return inner.parse::<Ipv6Addr>().map(|v6| Host::Address(canonical(IpAddr::V6(v6)))).map_err(|_| BadHost::Bracket);
        }
        if let Ok(v4) = text.parse::<Ipv4Addr>() {
            // Four decimal numbers without a zero before them: read alike by everybody.
            return Ok(Host::Address(IpAddr::V4(v4)));
        }
        if has_leading_zero(text) {
            return Err(BadHost::LeadingZero);
        }
        match url::Host::parse(text) {
            Ok(url::Host::Ipv4(v4)) => decoded_is_plain(text, IpAddr::V4(v4)),
            Ok(url::Host::Ipv6(v6)) => Ok(Host::Address(canonical(IpAddr::V6(v6)))),
            Ok(url::Host::Domain(name)) => Host::name(&name),
            Err(url::ParseError::EmptyHost) => Err(BadHost::Empty),
            Err(url::ParseError::InvalidIpv4Address) => Err(BadHost::Number),
            Err(url::ParseError::InvalidIpv6Address) => Err(BadHost::Bracket),
            Err(_) => Err(BadHost::Character),
        }
    }

    /// From what the URL parser made of a host.
    ///
    /// # Errors
    /// It is none that a name server could be asked for, or one whose spelling in the URL others read differently.
    pub fn of_url(host: &url::Host<&str>) -> Result<Host, BadHost> {
        match host {
            url::Host::Ipv4(v4) => Ok(Host::Address(IpAddr::V4(*v4))),
            url::Host::Ipv6(v6) => Ok(Host::Address(canonical(IpAddr::V6(*v6)))),
            url::Host::Domain(name) => Host::name(name),
        }
    }

    /// A name that IDNA has been through.
    fn name(name: &str) -> Result<Host, BadHost> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() {
            return Err(BadHost::Empty);
        }
        if name.len() > MAX_HOST {
            return Err(BadHost::TooLong);
        }
        for label in name.split('.') {
            match label.len() {
                0 => return Err(BadHost::EmptyLabel),
                1..=MAX_LABEL => {}
                _ => return Err(BadHost::TooLong),
            }
            // A name server would be asked for others, too; no host is called so, and shells and logs read them as something else.
            if !label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_')) {
                return Err(BadHost::Character);
            }
        }
        Ok(Host::Name(name.to_owned()))
    }

    /// The name, when it is one.
    #[must_use]
    pub fn as_name(&self) -> Option<&str> {
        match self {
            Host::Name(name) => Some(name),
            Host::Address(_) => None,
        }
    }

    /// Does a name stand for this machine itself, whatever a name server says? RFC 6761: `localhost` and all below it.
    #[must_use]
    pub fn is_localhost(&self) -> bool {
        self.as_name().is_some_and(|name| name == "localhost" || name.ends_with(".localhost"))
    }
}

/// Would others read a part of this number differently? Only when all of it is numbers, so that a name may have a label `007`.
fn has_leading_zero(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let hex = |part: &str| {
        part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    text.split('.').all(|part| number(part) || hex(part))
        && text.split('.').any(|part| number(part) && part.len() > 1 && part.starts_with('0'))
}

/// An escape or a wide digit may hide a leading zero.
fn decoded_is_plain(text: &str, address: IpAddr) -> Result<Host, BadHost> {
    let decoded = percent_decoded(text);
    // Which digits of other scripts are numbers is not the same to all.
    if !decoded.is_ascii() {
        return Err(BadHost::Number);
    }
    if has_leading_zero(&decoded) { Err(BadHost::LeadingZero) } else { Ok(Host::Address(address)) }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |b: &u8| char::from(*b).to_digit(16);
        let two = after.first().and_then(digit).zip(after.get(1).and_then(digit));
        match (first, two) {
            (b'%', Some((high, low))) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn canonical_text(text: &str) -> Result<String, BadHost> {
        Host::parse(text).map(|host| host.to_string())
    }

    #[test]
    fn a_host_has_one_spelling() {
        for (text, canonical) in [
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            ("ex%61mple.com", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("ｅｘａｍｐｌｅ.com", "example.com"),
            ("a_b.example", "a_b.example"),
            ("007.example", "007.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0x7f.0.0.1", "127.0.0.1"),
            ("0x7f000001", "127.0.0.1"),
            ("0", "0.0.0.0"),
            ("0x.0x.0", "0.0.0.0"),
            ("%31%32%37.0.0.1", "127.0.0.1"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("[::FFFF:7f00:1]", "127.0.0.1"),
        ] {
            assert_eq!(canonical_text(text).as_deref(), Ok(canonical), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_or_not_clearly_one_is_an_error() {
        let long_label = format!("{}.com", "a".repeat(64));
        let long = format!("{}com", "abc.".repeat(64));
        for (text, bad) in [
            ("", BadHost::Empty),
            (".", BadHost::Empty),
            ("a..b", BadHost::EmptyLabel),
            (".a", BadHost::EmptyLabel),
            ("a..", BadHost::EmptyLabel),
            ("010.0.0.1", BadHost::LeadingZero),
            ("127.000.000.001", BadHost::LeadingZero),
            ("%30%31%30.0.0.1", BadHost::LeadingZero),
            ("0177.1", BadHost::LeadingZero),
            ("256.0.0.1", BadHost::Number),
            ("4294967296", BadHost::Number),
            ("1.2.3.4.5", BadHost::Number),
            ("１２７.0.0.1", BadHost::Number),
            ("%EF%BC%91.1", BadHost::Number),
            ("[::1", BadHost::Bracket),
            ("::1]", BadHost::Bracket),
            ("[[::1]]", BadHost::Bracket),
            (":::80", BadHost::Bracket),
            ("fe80::1%eth0", BadHost::Bracket),
            ("[example.com]", BadHost::Bracket),
            ("a b.com", BadHost::Character),
            ("a\0b", BadHost::Character),
            ("a%00b", BadHost::Character),
            ("a/b", BadHost::Character),
            ("a@b", BadHost::Character),
            ("*.com", BadHost::Character),
            ("a\u{202e}b.com", BadHost::Character),
            ("unix/run", BadHost::Character),
            (&long_label, BadHost::TooLong),
            (&long, BadHost::TooLong),
            (&"a".repeat(10_000), BadHost::TooLong),
        ] {
            assert_eq!(canonical_text(text), Err(bad), "{text}");
        }
        assert!(canonical_text("unix:/run/x").is_err());
    }

    #[test]
    fn canonical_is_a_fixed_point() {
        for text in ["Example.com.", "bücher.example", "127.1", "[::FFFF:1.2.3.4]", "fe80::1", "xn--e1aybc.example.com"] {
            let once = canonical_text(text).unwrap();
            assert_eq!(canonical_text(&once).as_deref(), Ok(once.as_str()));
        }
    }

    #[test]
    fn what_is_no_host_says_why() {
        for (text, why) in [
            ("", BadHost::Empty),
            (".", BadHost::Empty),
            ("[::1", BadHost::Bracket),
            ("::1]", BadHost::Bracket),
            ("a]", BadHost::Bracket),
            ("[a", BadHost::Bracket),
            ("[a]", BadHost::Bracket),
            ("a:b", BadHost::Bracket),
            ("010.0.0.1", BadHost::LeadingZero),
            ("0x0a.010.0.1", BadHost::LeadingZero),
            ("0x0a.08.0.1", BadHost::LeadingZero),
            ("10.0.0.0256", BadHost::LeadingZero),
            ("256.0.0.1", BadHost::Number),
        ] {
            assert_eq!(Host::parse(text), Err(why), "{text}");
        }
        assert_eq!(Host::parse(&"a.".repeat(2000)), Err(BadHost::TooLong));
        // A label of digits with a zero before them is no number where the rest is none.
        assert!(matches!(Host::parse("007.test"), Ok(Host::Name(_))));
        assert!(matches!(Host::parse("0xzz.007.test"), Ok(Host::Name(_))));
        assert!(matches!(Host::parse("10.0.0.0"), Ok(Host::Address(_))));
    }
}
