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
