//! Does a list allow all that one rule would? A yes is certain; a no may only mean that it can't be seen from the rules.

use super::{Network, Ports, Rule, Rules, Where, special};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Rules {
    /// Does this list allow everything that a rule, alone, allows? A rule that denies asks for nothing.
    #[must_use]
    pub fn covers(&self, asked: &Rule) -> bool {
        if !asked.allow {
            return true;
        }
        for rule in &self.rules {
            if rule.allow && rule.ports.covers(asked.ports) && rule.at.covers(&asked.at) {
                return true;
            }
            if !rule.allow && rule.ports.meets(asked.ports) && rule.at.meets(&asked.at) {
                return false;
            }
        }
        false
    }
}

impl Rules {
    /// Ports that may be connected to at every address there is, the special ones too: all that can be said to a kernel which knows ports and no
    /// addresses. Only ports that a rule names one by one are looked at.
    #[must_use]
    pub fn ports_everywhere(&self) -> Vec<u16> {
        let named = self.rules.iter().filter(|rule| rule.allow).filter_map(|rule| match rule.ports {
            Ports::Web => Some(vec![443, 80]),
            Ports::Range(from, to) if from == to && from > 0 => Some(vec![from]),
            Ports::Range(..) => None,
        });
        let mut ports: Vec<u16> = named.flatten().collect();
        ports.sort_unstable();
        ports.dedup();
        ports.retain(|port| everywhere().all(|at| self.covers(&Rule { at, ports: Ports::Range(*port, *port), allow: true })));
        ports
    }
}

/// All addresses, as networks that rules speak of: the internet, and each block that is special.
fn everywhere() -> impl Iterator<Item = Where> {
    let all = [(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), (IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0)];
    let v4 = special::V4.iter().map(|(first, prefix, _)| (IpAddr::V4(*first), *prefix));
    let v6 = special::V6.iter().map(|(first, prefix, _)| (IpAddr::V6(*first), *prefix));
    all.into_iter().chain(v4).chain(v6).map(|(first, prefix)| Where::Network(Network { first, prefix }))
}

impl Where {
    fn covers(&self, other: &Where) -> bool {
        match (self, other) {
            // Every name and every ordinary address; a network that means what is special is more.
            (Where::Any, Where::Network(network)) => !network.names_special(),
            (Where::Any, _) => true,
            (Where::Name(own), Where::Name(other)) => own == other,
            (Where::Below(domain), Where::Name(name)) => is_below(name, domain),
            (Where::Below(domain), Where::Below(other)) => other == domain || is_below(other, domain),
            // A large network may mean the internet only, and what is special in it another.
            (Where::Network(own), Where::Network(other)) => own.covers(other) && own.names_special() == other.names_special(),
            _ => false,
        }
    }

    /// May a rule that denies this take something from one that allows the other? Any name may lead to any ordinary address.
    fn meets(&self, other: &Where) -> bool {
        match (self, other) {
            (Where::Name(own), Where::Name(other)) => own == other,
            (Where::Name(name), Where::Below(domain)) | (Where::Below(domain), Where::Name(name)) => is_below(name, domain),
            (Where::Below(own), Where::Below(other)) => own == other || is_below(own, other) || is_below(other, own),
            // What is special is not theirs to begin with.
            (Where::Network(own), Where::Any | Where::Name(_) | Where::Below(_)) => !own.names_special(),
            (Where::Network(own), Where::Network(other)) if own.names_special() && !other.names_special() => false,
            // A rule that denies a network holds for what carries its addresses, too.
            (Where::Network(own), Where::Network(other)) => own.meets(other) || own.first.is_ipv4() && other.first.is_ipv6(),
            _ => true,
        }
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_covers_what() {
        let table: &[(&[&str], &str, bool)] = &[
            (&[], "a.test", false),
            (&[], "!a.test", true),
            // The star: every name, every ordinary address.
            (&["*:*"], "a.test:*", true),
            (&["*:*"], "*.a.test:*", true),
            (&["*:*"], "*:*", true),
            (&["*:*"], "93.184.0.0/16", true),
            (&["*:*"], "10.0.0.0/8", false),
            (&["*:*"], "127.0.0.1", false),
            // Names and ports.
            (&["a.test"], "a.test", true),
            (&["a.test"], "b.test", false),
            (&["a.test"], "*.test", false),
            (&["a.test"], "a.test:443", true),
            (&["a.test:443"], "a.test:444", false),
            (&["a.test:443"], "a.test", false),
            (&["b.test", "a.test"], "a.test", true),
            // Domains.
            (&["*.test"], "a.test", true),
            (&["*.test"], "b.a.test", true),
            (&["*.test"], "test", false),
            (&["*.test"], "atest", false),
            (&["*.test"], "*.test", true),
            (&["*.test"], "*.a.test", true),
            (&["*.a.test"], "*.test", false),
            (&["*.test"], "*.atest", false),
            (&["*.test"], "93.0.0.0/8:80", false),
            // Networks.
            (&["10.0.0.0/8"], "10.1.0.0/16", true),
            (&["10.1.0.0/16"], "10.0.0.0/8", false),
            (&["10.0.0.0/8"], "11.0.0.0/8", false),
            (&["0.0.0.0/0"], "93.0.0.0/8", true),
            (&["0.0.0.0/0"], "10.0.0.0/8", false),
            (&["0.0.0.0/0"], "a.test", false),
            (&["0.0.0.0/0"], "::/0", false),
            // What is denied before.
            (&["!a.test", "*:*"], "a.test:*", false),
            (&["!a.test", "*:*"], "b.test:*", true),
            (&["!a.test", "*:*"], "*.test:*", false),
            (&["!a.test", "*:*"], "*.other:*", true),
            (&["!*.test", "*:*"], "a.test:*", false),
            (&["!*.test", "*:*"], "a.other:*", true),
            (&["!*.test", "*:*"], "*.test:*", false),
            (&["!*.test", "*:*"], "*.a.test:*", false),
            (&["!*.a.test", "*:*"], "*.test:*", false),
            (&["!*.test", "*:*"], "*.other:*", true),
            (&["!*", "a.test:*"], "a.test:*", false),
            (&["a.test:*", "!*"], "a.test:*", true),
            (&["!a.test:80", "a.test:*"], "a.test:443", true),
            (&["!a.test:80", "a.test:*"], "a.test:*", false),
            (&["!a.test", "93.0.0.0/8"], "93.0.0.0/8", false),
            // What is ordinary may be where a name leads; what is special is not.
            (&["!93.184.0.0/16", "*:*"], "a.test:*", false),
            (&["!93.184.0.0/16", "*:*"], "*.test:*", false),
            (&["!93.184.0.0/16", "*:*"], "*:*", false),
            (&["!10.0.0.0/8", "*:*"], "a.test:*", true),
            (&["!10.0.0.0/8", "*:*"], "*:*", true),
            (&["!93.184.0.0/16", "93.0.0.0/8"], "93.184.1.0/24", false),
            (&["!93.184.1.0/24", "93.0.0.0/8"], "93.184.0.0/16", false),
            (&["!93.184.0.0/16", "93.0.0.0/8"], "93.0.0.0/16", true),
            (&["!10.0.0.0/8", "0.0.0.0/0"], "0.0.0.0/0", true),
            (&["!10.1.0.0/16", "10.0.0.0/8"], "10.0.0.0/8", false),
            (&["!10.1.0.0/16", "10.0.0.0/8"], "10.2.0.0/16", true),
            (&["!0.0.0.0/0", "10.0.0.0/8"], "10.0.0.0/8", false),
            // An address of the newer kind may carry one of the older.
            (&["!93.184.0.0/16", "2000::/3"], "2000::/3", false),
            (&["!2001:db9::/32", "93.0.0.0/8"], "93.0.0.0/8", true),
            (&["!2001:db9::/32", "2001::/16"], "2001:dba::/32", true),
            (&["!2001:db9::/32", "2001::/16"], "2001:db9:1::/48", false),
        ];
        for (list, asked, covered) in table {
            let rules = Rules::from_texts(list).unwrap();
            assert_eq!(rules.covers(&Rule::from_text(asked).unwrap()), *covered, "{list:?} {asked}");
        }
    }

    #[test]
    fn below_a_domain_is_what_has_a_name_before_it() {
        for (name, domain, below) in [
            ("a.test", "test", true),
            ("b.a.test", "test", true),
            ("test", "test", false),
            (".test", "test", false),
            ("atest", "test", false),
        ] {
            assert_eq!(is_below(name, domain), below, "{name} {domain}");
        }
    }
}
