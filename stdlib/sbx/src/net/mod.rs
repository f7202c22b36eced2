//! The one function that authorises a connection, and what it gives.
//!
//! ```text
//! host ─ parse ─► name or address ─ may the name be asked for? ─► look up, with a deadline ─ may each address be reached? ─► Pool ─► Route
//! ```
//!
//! A name that no rule could allow is never looked up: the question itself would leave the machine. Of the addresses that a name has,
//! those that pass, and only they, are put into a cap-std `Pool`, and a socket is opened through that or not at all. The lookup and the
//! pool come from the process ([`crate::Outside`]); nothing here has authority of its own, and no other code decides about addresses.

mod handles;
mod policy;
mod route;
mod wait;

pub use cap_std::net::Pool;
pub use route::{Listening, Lookup, Route};
pub use wait::Ready;

pub(crate) use policy::{ReadRules, missing, ports_of_programs};

use crate::denial::{Rule, quote, shell_word};
use crate::ids::{ROOT, SbxId};
use crate::limits::{LOOKUP_MS, MAX_ADDRESSES};
use crate::permit::{Permit, os_text};
use crate::stop::Stop;
use ilu_pol::net::{Host, canonical, is_nobody, special_purpose};
use policy::{Asked, Policy, Refused};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

impl Permit<'_> {
    /// Authorises a connection to a port of a host: a name, or an address in any spelling.
    ///
    /// # Errors
    /// It is no host, no rule allows it, the name has no address, or the time ran out.
    pub fn connect(&mut self, host: &str, port: u16) -> Result<Route, Stop> {
        let host = self.host(host, Some(port))?;
        if port == 0 {
            return Err(Stop::failed("a connection is made to a port from 1 to 65535"));
        }
        let addresses = self.addresses(&host, Some(port))?;
        let addrs: Vec<SocketAddr> = addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        let pool = self.realm.run.outside.pool(&addrs);
        Ok(Route { host, port, addrs, pool })
    }

    /// The addresses of a host that rules allow on some port: `__sys_dns`.
    ///
    /// # Errors
    /// As [`Permit::connect`].
    pub fn look_up(&mut self, host: &str) -> Result<Vec<IpAddr>, Stop> {
        let host = self.host(host, None)?;
        self.addresses(&host, None)
    }

    /// Authorises listening on a port of one of this machine's addresses. Port 0 lets the system choose; a rule must allow that by name.
    ///
    /// # Errors
    /// It is no address, or no rule allows it.
    pub fn listen(&mut self, ip: &str, port: u16) -> Result<Listening, Stop> {
        let Host::Address(address) = self.host(ip, Some(port))? else {
            return Err(Stop::failed("to listen takes an address of this machine, as 127.0.0.1 or [::1]"));
        };
        let judged = self.policy(self.site.authority)?.judge(&Asked { name: None, address: Some(address), port: Some(port) });
        let rule = judged.map_err(|refused| self.deny_net(&refused, &Host::Address(address), Some(port)))?;
        self.rule = Cow::Owned(format!("net {rule}"));
        self.realm.note_net(&Host::Address(address), Some(port));
        if self.realm.watch.only_asks() {
            return Err(Stop::failed("only asked"));
        }
        let addr = SocketAddr::new(address, port);
        Ok(Listening { addr, pool: self.realm.run.outside.pool(&[addr]) })
    }

    /// What a text names, and what the record says of it.
    fn host(&mut self, text: &str, port: Option<u16>) -> Result<Host, Stop> {
        let subject = |host: &str| port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        match Host::parse(text) {
            Ok(host) => {
                self.about(&subject(&host.to_string()));
                Ok(host)
            }
            Err(bad) => {
                self.about(&subject(text));
                Err(Stop::Failed(format!("{} is no host: {}", quote(text), bad.text())))
            }
        }
    }

    /// The addresses of a host that pass, at least one.
    fn addresses(&mut self, host: &Host, port: Option<u16>) -> Result<Vec<IpAddr>, Stop> {
        let policy = self.policy(self.site.authority)?;
        // Reading the rules is work, too.
        self.work(policy.len() as u64)?;
        let (name, candidates) = match host {
            Host::Address(address) => (None, vec![*address]),
            // What localhost is needs nobody to be asked, and nobody could answer otherwise.
            host if host.is_localhost() => (None, vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]),
            Host::Name(name) => {
                let asked = Asked { name: Some(name), address: None, port };
                let rule = policy.judge(&asked).map_err(|refused| self.deny_net(&refused, host, port))?;
                self.rule = Cow::Owned(format!("net {rule}"));
                if self.realm.watch.only_asks() {
                    self.realm.note_net(host, port);
                    return Err(Stop::failed("only asked"));
                }
                (Some(name.as_str()), self.resolve_name(name)?)
            }
        };
        self.work((policy.len() * candidates.len()) as u64)?;
        let (mut passed, mut first) = (Vec::new(), None);
        for address in candidates {
            let asked = Asked { name, address: Some(address), port };
            let verdict = if is_nobody(address) { Err(Refused::nobody()) } else { policy.judge(&asked) };
            match verdict {
                Ok(rule) => {
                    if passed.is_empty() {
                        self.rule = Cow::Owned(format!("net {rule}"));
                    }
                    if name.is_some() && special_purpose(address).is_some() {
                        self.realm.note_net(&Host::Address(address), port);
                    }
                    passed.push(address);
                }
                Err(refused) => first = first.or(Some(refused)),
            }
        }
        if passed.is_empty() {
            let refused = first.unwrap_or_else(Refused::nobody);
            return Err(self.deny_net(&refused, host, port));
        }
        match passed.first() {
            // A rule can't name it otherwise.
            Some(address) if host.is_localhost() => self.realm.note_net(&Host::Address(*address), port),
            _ => self.realm.note_net(host, port),
        }
        if self.realm.watch.only_asks() {
            return Err(Stop::failed("only asked"));
        }
        Ok(passed)
    }

    /// Asks the system for a name's addresses, each once.
    fn resolve_name(&mut self, name: &str) -> Result<Vec<IpAddr>, Stop> {
        let failed = |error: &std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => Stop::Failed(format!("no address is known for {}", quote(name))),
            std::io::ErrorKind::TimedOut => {
                Stop::Failed(format!("no name server gave an answer about {}: trying again may help", quote(name)))
            }
            std::io::ErrorKind::WouldBlock => Stop::failed("too many names are being looked up"),
            _ => Stop::Failed(format!("the lookup of {} failed: {}", quote(name), os_text(error))),
        };
        let lookup = self.realm.run.outside.lookup(name).map_err(|error| failed(&error))?;
        let until = self.mono_ms() + LOOKUP_MS;
        let found = loop {
            self.pulse()?;
            let nap = self.nap(until);
            match lookup.wait(nap) {
                Some(found) => break found.map_err(|error| failed(&error))?,
                None if self.mono_ms() >= until => {
                    return Err(Stop::Failed(format!("the lookup of {} took longer than {LOOKUP_MS} ms", quote(name))));
                }
                None => {}
            }
        };
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.into_iter().map(canonical) {
            if addresses.len() < MAX_ADDRESSES && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(Stop::Failed(format!("no address is known for {}", quote(name))));
        }
        Ok(addresses)
    }

    fn policy(&self, s: SbxId) -> Result<Policy, Stop> {
        Policy::of(&self.realm.tree.node(s).rights, self.native, &self.realm.run.read_rules)
    }

    /// The denial of a connection: by which rule, and the smallest grant that would allow it.
    fn deny_net(&mut self, refused: &Refused, host: &Host, port: Option<u16>) -> Stop {
        let rule = match refused {
            Refused::NotHeld => {
                let hint = self.realm.cap_hint(self.site.authority, self.native.row());
                return self.deny(Rule::NotHeld, Some(hint));
            }
            Refused::Bound => return self.deny(Rule::Bound, None),
            Refused::NoRule => Rule::NoConnection,
            Refused::Denied(rule) => Rule::NetDenied(rule.clone()),
            Refused::Special(what) if matches!(host, Host::Name(_)) => Rule::LeadsToSpecial(what.clone()),
            Refused::Special(what) => Rule::SpecialAddress(what.clone()),
            Refused::Nobody => return self.deny(Rule::NobodyThere, None),
        };
        // A rule can't name localhost but as what it is.
        let host = if host.is_localhost() { &Host::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { host };
        let leads_to = matches!((host, refused), (Host::Name(_), Refused::Special(_)));
        let at = if leads_to { "ADDRESS".to_owned() } else { host.to_string() };
        let text = port.map_or_else(|| at.clone(), |port| format!("{at}:{port}"));
        // What stands for an address is no rule yet.
        let rule_text = Some(&text).filter(|_| !leads_to).and_then(|text| ilu_pol::net::Rule::from_text(text).ok());
        let text = rule_text.map_or(text, |rule| rule.to_string());
        let address = if let Host::Address(address) = host { Some(*address) } else { None };
        let asked = Asked { name: host.as_name(), address, port };
        let root_allows = || self.policy(ROOT).is_ok_and(|policy| policy.judge(&asked).is_ok());
        let hint = if leads_to {
            format!("--net {text} beside the rule for the name, where ADDRESS is what the name leads to")
        } else if matches!(refused, Refused::Denied(_)) {
            format!("--net {} before that rule", shell_word(&text))
        } else if self.site.authority != ROOT && root_allows() {
            format!("{{net: [{}]}} in the options of sbxmk", quote(&text))
        } else {
            format!("--net {}", shell_word(&text))
        };
        self.deny(rule, Some(hint))
    }
}
