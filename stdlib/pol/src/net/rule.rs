//! One network rule, and how it is written: `{net, port, eff}` as data, `[!]WHERE[:PORT]` as text.

use super::address::canonical;
use super::host::{BadHost, Host};
use super::special;
use crate::{Data, PolError, PolErrorKind};
use std::fmt;
use std::net::IpAddr;

/// Longest text of a rule that is looked at.
const MAX_TEXT: usize = 1024;

/// A network: an address and how many of its first bits count; the others are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    /// Its first address.
    pub first: IpAddr,
    /// Bits that count.
    pub prefix: u8,
}

impl Network {
    /// Is an address in it?
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => special::v4_in(address, first, self.prefix),
            (IpAddr::V6(first), IpAddr::V6(address)) => special::v6_in(address, first, self.prefix),
            _ => false,
        }
    }

    /// Is all of another network in it?
    #[must_use]
    pub fn covers(&self, other: &Network) -> bool {
        self.prefix <= other.prefix && self.contains(other.first)
    }

    /// Do they share an address?
    #[must_use]
    pub fn meets(&self, other: &Network) -> bool {
        self.covers(other) || other.covers(self)
    }

    pub(super) fn is_single(&self) -> bool {
        self.prefix == if self.first.is_ipv4() { 32 } else { 128 }
    }
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Where {
    /// `*`: every name, and every ordinary address.
    Any,
    /// One name.
    Name(String),
    /// `*.domain`: all names below it, however deep; not itself.
    Below(String),
    /// An address, or a network.
    Network(Network),
}

/// Ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ports {
    /// Those of the web, 443 and 80: what a rule about names has that gives none.
    Web,
    /// From one to another, both included.
    Range(u16, u16),
}

impl Ports {
    /// All of them. Port 0 is among them: it lets the system choose one to listen on.
    pub const ALL: Ports = Ports::Range(0, u16::MAX);

    /// Is a port among them?
    #[must_use]
    pub const fn contains(self, port: u16) -> bool {
        match self {
            Ports::Web => matches!(port, 443 | 80),
            Ports::Range(from, to) => from <= port && port <= to,
        }
    }

    /// Are all of the other among them?
    #[must_use]
    pub const fn covers(self, other: Ports) -> bool {
        match (self, other) {
            (Ports::Web, Ports::Web) => true,
            (Ports::Web, Ports::Range(from, to)) => from == to && self.contains(from),
            (_, Ports::Web) => self.contains(443) && self.contains(80),
            (Ports::Range(..), Ports::Range(from, to)) => self.contains(from) && self.contains(to),
        }
    }

    /// Do they share a port?
    #[must_use]
    pub const fn meets(self, other: Ports) -> bool {
        match (self, other) {
            (Ports::Web, _) => other.contains(443) || other.contains(80),
            (_, Ports::Web) => self.contains(443) || self.contains(80),
            (Ports::Range(from, to), Ports::Range(other_from, other_to)) => from <= other_to && other_from <= to,
        }
    }
}

/// A network rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// Whom it is about.
    pub at: Where,
    /// On which ports.
    pub ports: Ports,
    /// Does it allow?
    pub allow: bool,
}

fn malformed(text: impl Into<String>) -> PolError {
    PolError::new(PolErrorKind::Malformed, text.into())
}

fn shown(text: &str) -> String {
    let cut: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() { format!("{cut}…") } else { cut }
}

impl Rule {
    /// From text: `[!]WHERE[:PORT]`.
    ///
    /// # Errors
    /// It is no rule, or one that would not do what it seems to say.
    pub fn from_text(text: &str) -> Result<Rule, PolError> {
        let wrong = |why: &str| malformed(format!("the network rule `{}`: {why}", shown(text)));
        if text.len() > MAX_TEXT {
            return Err(wrong("it is too long"));
        }
        let (allow, rest) = text.strip_prefix('!').map_or((true, text), |rest| (false, rest));
        let (at, port) = split(rest).map_err(wrong)?;
        let at = Where::parse(at).map_err(|why| wrong(&why))?;
        let ports = match port {
            None => at.usual_ports(allow),
            Some(port) => ports(port).map_err(|why| wrong(&why))?,
        };
        Ok(Rule { at, ports, allow })
    }

    /// From data: `{net, port, eff}`, or a text. `what` names it in errors.
    ///
    /// # Errors
    /// It is no rule.
    pub fn from_data(data: &Data<'_>, what: &str) -> Result<Rule, PolError> {
        let fields = match data {
            Data::Str(text) => return Rule::from_text(text),
            Data::Object(fields) => fields,
            other => return Err(PolError::wrong_type(what, "an object {net, port, eff} or a text", other.type_name())),
        };
        if let Some((key, _)) = fields.iter().find(|(key, _)| !matches!(key.as_ref(), "net" | "port" | "eff")) {
            return Err(malformed(format!("{what} has `{}`: a network rule is {{net, port, eff}}", shown(key))));
        }
        let missing = |key: &str| malformed(format!("{what} has no `{key}`: a network rule is {{net, port, eff}}"));
        let net = data.field("net").ok_or_else(|| missing("net"))?.as_str(&format!("`net` of {what}"))?;
        let allow = match data.field("eff").ok_or_else(|| missing("eff"))? {
            Data::Bool(allow) => *allow,
            other => return Err(PolError::wrong_type(format_args!("`eff` of {what}"), "tru or fls", other.type_name())),
        };
        let wrong = |why: &str| malformed(format!("`net` of {what}, `{}`: {why}", shown(net)));
        if net.len() > MAX_TEXT {
            return Err(wrong("it is too long"));
        }
        let at = Where::parse(net).map_err(|why| wrong(&why))?;
        let ports = match data.field("port") {
            None | Some(Data::Nil) => at.usual_ports(allow),
            Some(Data::Str(text)) => ports(text).map_err(|why| malformed(format!("`port` of {what}: {why}")))?,
            Some(Data::Num(n)) => {
                let port =
                    port_number(*n).ok_or_else(|| malformed(format!("`port` of {what}: a port is a whole number from 0 to 65535")))?;
                Ports::Range(port, port)
            }
            Some(other) => return Err(PolError::wrong_type(format_args!("`port` of {what}"), "a number or text", other.type_name())),
        };
        Ok(Rule { at, ports, allow })
    }

    /// Is it about this host by its name?
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        match &self.at {
            Where::Any => true,
            Where::Name(own) => own == name,
            Where::Below(domain) => name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            Where::Network(_) => false,
        }
    }
}

/// A number that is a port.
#[must_use]
pub fn port_number(n: f64) -> Option<u16> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range has been checked")]
    (n.fract() == 0.0 && (0.0..=65535.0).contains(&n)).then_some(n as u16)
}

/// What is wrong with a rule about this machine's own name.
const LOCALHOST: &str = "localhost is this machine, which rules reach by address only; write 127.0.0.1 or [::1]";

impl Where {
    fn parse(text: &str) -> Result<Where, String> {
        if text == "*" {
            return Ok(Where::Any);
        }
        if let Some(domain) = text.strip_prefix("*.") {
            return match Host::parse(domain) {
                Ok(host) if host.is_localhost() => Err(LOCALHOST.to_owned()),
                Ok(Host::Name(name)) => Ok(Where::Below(name)),
                Ok(Host::Address(_)) => Err("`*.` stands before a domain, not before an address".to_owned()),
                Err(bad) => Err(format!("the domain: {}", bad.text())),
            };
        }
        if text.contains('*') {
            return Err("`*` stands alone or as `*.` before a domain".to_owned());
        }
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Some((address, prefix)) = inner.split_once('/') {
            return network(address, prefix).map(Where::Network);
        }
        match Host::parse(text) {
            Ok(Host::Address(first)) if is_plain(text) => {
                Ok(Where::Network(Network { first, prefix: if first.is_ipv4() { 32 } else { 128 } }))
            }
            Ok(Host::Address(first)) => Err(format!("it is an unusual spelling; write {first}")),
            Ok(host) if host.is_localhost() => Err(LOCALHOST.to_owned()),
            Ok(Host::Name(name)) => Ok(Where::Name(name)),
            Err(BadHost::Empty) => Err("it names no host".to_owned()),
            Err(bad) => Err(bad.text().to_owned()),
        }
    }

    /// Ports when a rule gives none: a name is allowed on those of the web, an address on all; what is denied is denied on all.
    fn usual_ports(&self, allow: bool) -> Ports {
        match self {
            Where::Any | Where::Name(_) | Where::Below(_) if allow => Ports::Web,
            _ => Ports::ALL,
        }
    }
}

/// In a rule an address stands as people write it.
fn is_plain(text: &str) -> bool {
    text.contains(':') || text.parse::<std::net::Ipv4Addr>().is_ok()
}

fn network(address: &str, prefix: &str) -> Result<Network, String> {
    let first: IpAddr = address.parse().map_err(|_| "before the `/` stands an address".to_owned())?;
    let most = if first.is_ipv4() { 32 } else { 128 };
    let wrong = || format!("behind the `/` stands a number from 0 to {most}");
    if prefix.is_empty() || prefix.len() > 3 || prefix.len() > 1 && prefix.starts_with('0') || !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let prefix: u8 = prefix.parse().ok().filter(|prefix| *prefix <= most).ok_or_else(wrong)?;
    if canonical(first) != first {
        return Err("write the network of the IPv4 address in it".to_owned());
    }
    let masked = match first {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)).into()),
    };
    if masked != first {
        return Err(format!("{first} has bits beyond the first {prefix}; write {masked}/{prefix}"));
    }
    Ok(Network { first, prefix })
}

/// Parts WHERE from PORT.
fn split(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    if text.starts_with('[') {
        let (inner, rest) = text.split_once(']').ok_or("a `[` that is not closed")?;
        let at = text.get(..=inner.len()).unwrap_or(text);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((at, Some(port))),
            None if rest.is_empty() => Ok((at, None)),
            None => Err("behind `]` stands `:PORT` or nothing"),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        // More than one colon: an IPv6 address or network without brackets, and so without a port.
        Some((_, rest)) if rest.contains(':') => Ok((text, None)),
        Some((at, port)) => Ok((at, Some(port))),
    }
}

fn ports(text: &str) -> Result<Ports, String> {
    let one = |text: &str| -> Result<u16, String> {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
        let number = if plain { text.parse().ok() } else { None };
        number.ok_or_else(|| format!("a port is a number from 0 to 65535, `FROM..TO` or `*`, not `{}`", shown(text)))
    };
    if text == "*" {
        return Ok(Ports::ALL);
    }
    let Some((from, to)) = text.split_once("..") else { return one(text).map(|port| Ports::Range(port, port)) };
    let (from, to) = (one(from)?, one(to)?);
    if from > to { Err(format!("the ports {from}..{to} are none")) } else { Ok(Ports::Range(from, to)) }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Where::Any => f.write_str("*"),
            Where::Name(name) => f.write_str(name),
            Where::Below(domain) => write!(f, "*.{domain}"),
            Where::Network(Network { first: IpAddr::V6(first), prefix: 128 }) => write!(f, "[{first}]"),
            Where::Network(network) if network.is_single() => write!(f, "{}", network.first),
            Where::Network(Network { first: IpAddr::V6(first), prefix }) => write!(f, "[{first}/{prefix}]"),
            Where::Network(Network { first, prefix }) => write!(f, "{first}/{prefix}"),
        }
    }
}

impl fmt::Display for Rule {
    /// The canonical text; read again it is the same rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.allow {
            f.write_str("!")?;
        }
        write!(f, "{}", self.at)?;
        match self.ports {
            ports if ports == self.at.usual_ports(self.allow) => Ok(()),
            Ports::ALL => f.write_str(":*"),
            Ports::Range(from, to) if from == to => write!(f, ":{from}"),
            Ports::Range(from, to) => write!(f, ":{from}..{to}"),
            // Only where it is usual is it not written, and nowhere else can it be made.
            Ports::Web => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_as_it_is_written() {
        for (text, canonical) in [
            ("example.com", "example.com"),
            ("EXAMPLE.com.", "example.com"),
            ("example.com:8080", "example.com:8080"),
            ("example.com:1..1024", "example.com:1..1024"),
            ("example.com:*", "example.com:*"),
            ("*.example.com", "*.example.com"),
            ("*.bücher.example:443", "*.xn--bcher-kva.example:443"),
            ("*", "*"),
            ("*:*", "*:*"),
            ("!*", "!*"),
            ("!evil.example", "!evil.example"),
            ("!evil.example:*", "!evil.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:*", "127.0.0.1"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("10.0.0.0/8:443", "10.0.0.0/8:443"),
            ("!169.254.0.0/16", "!169.254.0.0/16"),
            ("::1", "[::1]"),
            ("[::1]:80", "[::1]:80"),
            ("fc00::/7", "[fc00::/7]"),
            ("[fc00::/7]:443", "[fc00::/7]:443"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("0.0.0.0:0", "0.0.0.0:0"),
        ] {
            let rule = Rule::from_text(text).unwrap();
            assert_eq!(rule.to_string(), canonical, "{text}");
            assert_eq!(Rule::from_text(canonical).unwrap(), rule, "{text}");
        }
    }

    #[test]
    fn a_rule_that_would_not_do_what_it_seems_to_say_is_an_error() {
        for (text, why) in [
            ("", "it names no host"),
            ("!", "it names no host"),
            (":80", "it names no host"),
            ("*.", "the domain: it is empty"),
            ("*.*.x", "the domain: a character"),
            ("a.*.x", "`*` stands alone"),
            ("ex*.com", "`*` stands alone"),
            ("http://x", "a port is a number"),
            ("x/y", "before the `/` stands an address"),
            ("x:80/y", "a port is a number"),
            ("x:", "a port is a number"),
            ("x:00443", "a port is a number"),
            ("x:+443", "a port is a number"),
            ("x:-1", "a port is a number"),
            ("x:65536", "a port is a number"),
            ("x:https", "a port is a number"),
            ("x:４４３", "a port is a number"),
            ("x:9..1", "the ports 9..1 are none"),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("10.0.0.0/33", "from 0 to 32"),
            ("10.0.0.0/", "from 0 to 32"),
            ("10.0.0.0/08", "from 0 to 32"),
            ("10.0.0.0/+8", "from 0 to 32"),
            ("::ffff:0:0/96", "write the network of the IPv4 address"),
            ("127.1", "write 127.0.0.1"),
            ("2130706433", "write 127.0.0.1"),
            ("010.0.0.1", "a number with a 0 before it"),
            ("*.127.0.0.1", "not before an address"),
            ("localhost:8080", "write 127.0.0.1"),
            ("x.localhost", "write 127.0.0.1"),
            ("*.localhost", "write 127.0.0.1"),
            ("[::1", "not closed"),
            ("[::1]80", "behind `]`"),
            ("a b", "a character in it"),
            ("!!x", "a character in it"),
            ("\u{1b}[2J", "a character in it"),
        ] {
            let error = Rule::from_text(text).map(|rule| rule.to_string()).map_err(|error| error.to_string());
            assert!(error.as_ref().is_err_and(|error| error.contains(why)), "{text}: {error:?}");
        }
        assert!(Rule::from_text(&"x".repeat(1 << 20)).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn data_and_text_say_the_same() {
        let row = |net: &'static str, port: Data<'static>, allow: bool| {
            let row = Data::Object(vec![("net".into(), Data::text(net)), ("port".into(), port), ("eff".into(), Data::Bool(allow))]);
            Rule::from_data(&row, "rule 0").map(|rule| rule.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(row("example.com", Data::Nil, true).as_deref(), Ok("example.com"));
        assert_eq!(row("example.com", Data::Num(8080.0), true).as_deref(), Ok("example.com:8080"));
        assert_eq!(row("example.com", Data::text("1..9"), false).as_deref(), Ok("!example.com:1..9"));
        assert_eq!(row("::1", Data::text("*"), true).as_deref(), Ok("[::1]"));
        assert_eq!(row("fc00::/7", Data::Num(1.0), true).as_deref(), Ok("[fc00::/7]:1"));
        for (net, port) in
            [("example.com:80", Data::Nil), ("!x", Data::Nil), ("x", Data::Num(0.5)), ("x", Data::Num(65536.0)), ("x", Data::Bool(true))]
        {
            assert!(row(net, port, true).is_err(), "{net}");
        }
        let missing = Data::Object(vec![("net".into(), Data::text("x"))]);
        assert_eq!(Rule::from_data(&missing, "rule 3").unwrap_err().to_string(), "rule 3 has no `eff`: a network rule is {net, port, eff}");
    }

    #[test]
    fn names_match_whole_labels_only() {
        let below = Rule::from_text("*.example.com").unwrap();
        for name in ["a.example.com", "a.b.example.com"] {
            assert!(below.names(name), "{name}");
        }
        for name in ["example.com", "evilexample.com", "example.com.evil.test", ".example.com", "com"] {
            assert!(!below.names(name), "{name}");
        }
    }

    #[test]
    fn what_ports_cover_and_share() {
        use Ports::{Range, Web};
        for (one, other, covers, meets) in [
            (Web, Web, true, true),
            (Web, Range(443, 443), true, true),
            (Web, Range(80, 80), true, true),
            (Web, Range(81, 81), false, false),
            (Web, Range(80, 443), false, true),
            (Web, Range(81, 442), false, false),
            (Web, Range(443, 500), false, true),
            (Web, Range(1, 80), false, true),
            (Range(80, 443), Web, true, true),
            (Range(443, 443), Web, false, true),
            (Range(80, 80), Web, false, true),
            (Range(81, 442), Web, false, false),
            (Range(10, 20), Range(12, 18), true, true),
            (Range(10, 20), Range(10, 20), true, true),
            (Range(10, 20), Range(9, 20), false, true),
            (Range(10, 20), Range(10, 21), false, true),
            (Range(10, 20), Range(21, 30), false, false),
            (Range(10, 20), Range(1, 9), false, false),
            (Range(10, 20), Range(20, 30), false, true),
            (Range(10, 20), Range(1, 10), false, true),
            (Ports::ALL, Web, true, true),
        ] {
            assert_eq!((one.covers(other), one.meets(other)), (covers, meets), "{one:?} {other:?}");
            assert_eq!(other.meets(one), meets, "{other:?} {one:?}");
        }
    }

    #[test]
    fn what_networks_hold_and_share() {
        let network = |text: &str| match Rule::from_text(text) {
            Ok(Rule { at: Where::Network(network), .. }) => network,
            other => panic!("{other:?}"),
        };
        for (one, other, covers, meets) in [
            ("10.0.0.0/8", "10.1.0.0/16", true, true),
            ("10.1.0.0/16", "10.0.0.0/8", false, true),
            ("10.0.0.0/8", "11.0.0.0/8", false, false),
            ("10.0.0.0/8", "10.0.0.0/8", true, true),
            ("10.0.0.0/8", "11.1.0.0/16", false, false),
            ("0.0.0.0/0", "10.0.0.0/8", true, true),
            ("0.0.0.0/0", "::/0", false, false),
            ("2001:db9::/32", "2001:db9:1::/48", true, true),
            ("2001:db9::/32", "2001:dba::/32", false, false),
        ] {
            let (one, other) = (network(one), network(other));
            assert_eq!((one.covers(&other), one.meets(&other)), (covers, meets), "{one:?} {other:?}");
            assert_eq!(other.meets(&one), meets);
            assert_eq!(one.contains(other.first), covers || one.first == other.first && meets, "{one:?} {other:?}");
        }
        assert!(!network("2001:db9::/32").contains("2001:dba::1".parse().unwrap()));
        assert!(network("2001:db9::/32").contains("2001:db9::1".parse().unwrap()));
    }

    #[test]
    fn a_rule_is_short_and_its_numbers_are_plain() {
        let long = format!("{}.test", "a".repeat(2000));
        assert!(Rule::from_text(&long).unwrap_err().to_string().contains("it is too long"));
        let data = Data::Object(vec![("net".into(), Data::Str(long.into())), ("eff".into(), Data::Bool(true))]);
        assert!(Rule::from_data(&data, "rule 0").unwrap_err().to_string().contains("it is too long"));
        for prefix in ["", "0008", "08", "33", "-1", "+8", "8 ", "1000", "x"] {
            let why = Rule::from_text(&format!("10.0.0.0/{prefix}")).unwrap_err().to_string();
            assert!(why.contains("behind the `/` stands a number from 0 to 32"), "{prefix}: {why}");
        }
        for port in ["", "080", "65536", "1..", "..1", "x", "-1"] {
            let why = Rule::from_text(&format!("a.test:{port}")).unwrap_err().to_string();
            assert!(why.contains("a port is a number from 0 to 65535"), "{port}: {why}");
        }
    }
}
