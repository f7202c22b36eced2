//! Network policy: which connections a list of rules allows.
//!
//! Rules stand in an order and the first that matches decides; where none does, the answer is no. What is asked is asked twice, because a
//! name must be judged before anybody is told it, and an address only then:
//!
//! 1. *The name* ([`Rules::name`]), when the host is one: only rules about names count. A name that none allows is not even looked up.
//! 2. *Each address* ([`Rules::address`]), when that is known: a rule about names that matches allows ordinary addresses only. Special ones
//!    ([`special_purpose`]) are allowed by a rule that names the address, or a network all of which is special.
//!
//! Here nothing is looked up and nothing connected.

mod address;
mod ask;
mod cover;
mod host;
mod rule;
pub mod special;

pub use address::{canonical, embedded, is_nobody, special_purpose};
pub use host::{BadHost, Host, MAX_HOST};
pub use rule::{Network, Ports, Rule, Where, port_number};

pub(crate) use ask::ask;

use crate::{Data, PolError, PolErrorKind};
use std::net::IpAddr;

/// Most rules of a list.
pub const MAX_RULES: usize = 1024;

/// Rules in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    rules: Vec<Rule>,
}

/// What a list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Is it allowed?
    pub allow: bool,
    /// The number of the rule that decided, from 0; none when no rule did.
    pub row: Option<usize>,
    /// Why an address is special, when that is why no rule allowed it.
    pub special: Option<String>,
}

impl Verdict {
    const fn by(row: usize, allow: bool) -> Verdict {
        Verdict { allow, row: Some(row), special: None }
    }

    const fn by_none(special: Option<String>) -> Verdict {
        Verdict { allow: false, row: None, special }
    }
}

impl Rules {
    /// From rules.
    ///
    /// # Errors
    /// There are too many.
    pub fn new(rules: Vec<Rule>) -> Result<Rules, PolError> {
        if rules.len() > MAX_RULES {
            return Err(PolError::new(PolErrorKind::Malformed, format!("at most {MAX_RULES} network rules, got {}", rules.len())));
        }
        Ok(Rules { rules })
    }

    /// From texts.
    ///
    /// # Errors
    /// One of them is no rule, or there are too many.
    pub fn from_texts<S: AsRef<str>>(texts: &[S]) -> Result<Rules, PolError> {
        Rules::new(texts.iter().take(MAX_RULES + 1).map(|text| Rule::from_text(text.as_ref())).collect::<Result<_, _>>()?)
    }

    /// From a list of rows and texts.
    ///
    /// # Errors
    /// One of them is no rule, or there are too many.
    pub fn from_data(data: &Data<'_>) -> Result<Rules, PolError> {
        let items = data.as_list("the network rules")?;
        let rule = |(n, item)| Rule::from_data(item, &format!("rule {n}"));
        Rules::new(items.iter().take(MAX_RULES + 1).enumerate().map(rule).collect::<Result<_, _>>()?)
    }

    /// The rules.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// Their canonical texts.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.rules.iter().map(Rule::to_string)
    }

    /// May a name be looked up, to connect to this port of it, or to any?
    #[must_use]
    pub fn name(&self, name: &str, port: Option<u16>) -> Verdict {
        for (row, rule) in self.rules.iter().enumerate() {
            // For any port: a rule that denies some of them decides about those only.
            let on = match (port, rule.allow) {
                (Some(port), _) => rule.ports.contains(port),
                (None, true) => true,
                (None, false) => rule.ports == Ports::ALL,
            };
            if on && rule.names(name) {
                return Verdict::by(row, rule.allow);
            }
        }
        Verdict::by_none(None)
    }

    /// May a connection be made to this port of this address, reached by a name that is allowed, or without one? Not asked of a name again:
    /// see [`Rules::judge`].
    #[must_use]
    pub fn address(&self, name: Option<&str>, address: IpAddr, port: Option<u16>) -> Verdict {
        let address = canonical(address);
        let special = special_purpose(address);
        for (row, rule) in self.rules.iter().enumerate() {
            let on = match (port, rule.allow) {
                (Some(port), _) => rule.ports.contains(port),
                (None, true) => true,
                (None, false) => rule.ports == Ports::ALL,
            };
            if on && rule.reaches(name, address, special.is_some()) {
                return Verdict::by(row, rule.allow);
            }
        }
        Verdict::by_none(special)
    }

    /// Both questions: of a name, and of an address when it is known.
    #[must_use]
    pub fn judge(&self, name: Option<&str>, address: Option<IpAddr>, port: Option<u16>) -> Verdict {
        match (name, address) {
            (None, None) => Verdict::by_none(None),
            (Some(name), None) => self.name(name, port),
            (None, Some(address)) => self.address(None, address, port),
            (Some(name), Some(address)) => {
                let by_name = self.name(name, port);
                if by_name.allow { self.address(Some(name), address, port) } else { by_name }
            }
        }
    }
}

impl Rule {
    /// Does it decide about an address, reached by a name or without one?
    fn reaches(&self, name: Option<&str>, address: IpAddr, special: bool) -> bool {
        let by_network = match &self.at {
            Where::Network(network) if self.allow => network.contains(address) && (!special || network.names_special()),
            // Denying counts for what an address stands for, too.
            Where::Network(network) => network.contains(address) || carried(address).any(|v4| network.contains(v4)),
            Where::Any => !(self.allow && special),
            Where::Name(_) | Where::Below(_) => false,
        };
        by_network || !(self.allow && special) && name.is_some_and(|name| self.names(name))
    }
}

impl Network {
    /// Is all of it within one special block? Only such a network means what is special: `0.0.0.0/0` means the internet. An address that
    /// carries a special one is named by itself only.
    #[must_use]
    pub fn names_special(&self) -> bool {
        let whole = special::block(self.first).is_some_and(|(first, prefix, _)| Network { first, prefix }.covers(self));
        whole || self.is_single() && special_purpose(self.first).is_some()
    }
}

/// The IPv4 addresses that an address carries.
fn carried(address: IpAddr) -> impl Iterator<Item = IpAddr> {
    let v4s = match address {
        IpAddr::V6(v6) => embedded(v6),
        IpAddr::V4(_) => Vec::new(),
    };
    v4s.into_iter().map(|(v4, _)| IpAddr::V4(v4))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules(texts: &[&str]) -> Rules {
        Rules::from_texts(texts).unwrap()
    }

    fn ask(texts: &[&str], name: Option<&str>, address: Option<&str>, port: u16) -> (bool, Option<usize>) {
        let verdict = rules(texts).judge(name, address.map(|text| text.parse().unwrap()), Some(port));
        (verdict.allow, verdict.row)
    }

    const PUBLIC: &str = "93.184.216.34";

    #[test]
    fn nothing_is_allowed_that_no_rule_allows() {
        assert_eq!(ask(&[], Some("example.com"), None, 443), (false, None));
        assert_eq!(ask(&[], None, Some(PUBLIC), 443), (false, None));
        assert_eq!(ask(&["example.com"], Some("other.com"), None, 443), (false, None));
        assert_eq!(ask(&["example.com"], Some("example.com"), None, 8080), (false, None));
        assert_eq!(ask(&["example.com"], None, Some(PUBLIC), 443), (false, None));
        assert!(!rules(&["*"]).judge(None, None, Some(443)).allow);
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        assert_eq!(ask(&["!a.example.com", "*.example.com"], Some("a.example.com"), Some(PUBLIC), 443), (false, Some(0)));
        assert_eq!(ask(&["!a.example.com", "*.example.com"], Some("b.example.com"), Some(PUBLIC), 443), (true, Some(1)));
        assert_eq!(ask(&["*.example.com", "!a.example.com"], Some("a.example.com"), Some(PUBLIC), 443), (true, Some(0)));
        assert_eq!(ask(&["!93.184.0.0/16", "*"], Some("example.com"), Some(PUBLIC), 443), (false, Some(0)));
        assert_eq!(ask(&["!93.184.0.0/16", "*"], None, Some(PUBLIC), 443), (false, Some(0)));
    }

    #[test]
    fn names_and_the_star_never_reach_special_addresses() {
        for special in
            ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
        {
            for texts in [&["*:*"][..], &["good.test:*"], &["*.test:*"], &["0.0.0.0/0", "::/0", "good.test:*"], &["*:*", "good.test:*"]] {
                assert_eq!(ask(texts, Some("good.test"), Some(special), 80), (false, None), "{special} {texts:?}");
                assert!(!ask(texts, None, Some(special), 80).0, "{special} {texts:?}");
            }
        }
    }

    #[test]
    fn a_special_address_is_reached_by_a_rule_that_names_it() {
        assert_eq!(ask(&["127.0.0.1:8080"], None, Some("127.0.0.1"), 8080), (true, Some(0)));
        assert_eq!(ask(&["127.0.0.1:8080"], None, Some("127.0.0.1"), 8081), (false, None));
        assert_eq!(ask(&["127.0.0.0/8"], None, Some("127.8.8.8"), 1), (true, Some(0)));
        assert_eq!(ask(&["10.0.0.0/8"], None, Some("::ffff:10.1.2.3"), 1), (true, Some(0)));
        assert_eq!(ask(&["[::1]:80"], None, Some("::1"), 80), (true, Some(0)));
        assert_eq!(ask(&["[64:ff9b::7f00:1]"], None, Some("64:ff9b::7f00:1"), 80), (true, Some(0)));
        assert_eq!(ask(&["127.0.0.1"], None, Some("64:ff9b::7f00:1"), 80), (false, None));
        assert_eq!(ask(&["64:ff9b::/96"], None, Some("64:ff9b::7f00:1"), 80), (false, None));
        assert_eq!(ask(&["64:ff9b::/96"], None, Some("64:ff9b::808:808"), 80), (true, Some(0)));
        // By a name it is reached when the name is allowed as well.
        assert_eq!(ask(&["127.0.0.0/8", "good.test:*"], Some("good.test"), Some("127.0.0.1"), 8081), (true, Some(0)));
        assert_eq!(ask(&["127.0.0.0/8"], Some("good.test"), Some("127.0.0.1"), 8081), (false, None));
        assert_eq!(ask(&["!127.0.0.1:8080", "127.0.0.0/8", "good.test:*"], Some("good.test"), Some("127.0.0.1"), 8080), (false, Some(0)));
    }

    #[test]
    fn a_denied_network_holds_whatever_carries_its_addresses() {
        for form in ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::", "::8.8.8.8"] {
            assert_eq!(ask(&["!8.8.8.0/24", "*"], None, Some(form), 443), (false, Some(0)), "{form}");
        }
        assert_eq!(ask(&["!8.8.8.0/24", "*"], None, Some("8.8.9.8"), 443), (true, Some(1)));
    }

    #[test]
    fn a_lookup_alone_is_judged_by_the_name_on_any_port() {
        let rules = rules(&["!a.test:22", "!b.test", "*.test:8080"]);
        assert!(rules.name("a.test", None).allow);
        assert!(!rules.name("b.test", None).allow);
        assert!(!rules.name("c.example", None).allow);
    }

    #[test]
    fn too_many_rules_are_an_error() {
        assert!(Rules::from_texts(&vec!["x"; MAX_RULES]).is_ok());
        assert!(Rules::from_texts(&vec!["x"; MAX_RULES + 1]).is_err());
    }

    fn any_rule() -> impl Strategy<Value = String> {
        let at = prop::sample::select(vec![
            "*",
            "a.test",
            "b.test",
            "*.test",
            "*.a.test",
            "127.0.0.1",
            "10.0.0.0/8",
            "0.0.0.0/0",
            "93.0.0.0/8",
            "[::1]",
            "[::/0]",
            "[fc00::/7]",
        ]);
        let port = prop::sample::select(vec!["", ":*", ":80", ":1..100", ":65535"]);
        (any::<bool>(), at, port).prop_map(|(deny, at, port)| format!("{}{at}{port}", if deny { "!" } else { "" }))
    }

    fn any_question() -> impl Strategy<Value = (Option<&'static str>, IpAddr, u16)> {
        let name = prop::sample::select(vec![None, Some("a.test"), Some("x.a.test"), Some("b.test"), Some("c.example")]);
        let address = prop_oneof![
            any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
            any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())),
            any::<u32>().prop_map(|bits| IpAddr::V6((0x0064_ff9b_u128 << 96 | u128::from(bits)).into())),
            prop::sample::select(vec!["127.0.0.1", "10.1.1.1", "93.1.1.1", "::1", "fc00::1", "::ffff:10.0.0.1"])
                .prop_map(|text| text.parse().unwrap()),
        ];
        (name, address, prop::sample::select(vec![0, 1, 80, 100, 101, 443, 65535]))
    }

    proptest! {
        #[test]
        fn what_begins_a_list_allows_no_more_than_the_list(texts in prop::collection::vec(any_rule(), 0..6), cut in 0_usize..6, asked in any_question()) {
            let all = Rules::from_texts(&texts).unwrap();
            let start = Rules::from_texts(texts.get(..cut.min(texts.len())).unwrap_or_default()).unwrap();
            let (name, address, port) = asked;
            if start.judge(name, Some(address), Some(port)).allow {
                prop_assert!(all.judge(name, Some(address), Some(port)).allow);
            }
        }

        #[test]
        fn text_and_rule_are_two_forms_of_one(text in any_rule()) {
            let rule = Rule::from_text(&text).unwrap();
            prop_assert_eq!(Rule::from_text(&rule.to_string()).unwrap(), rule);
        }

        #[test]
        fn no_list_without_a_special_network_allows_a_special_address(texts in prop::collection::vec(any_rule(), 0..6), asked in any_question()) {
            let names: Vec<_> = texts.iter().filter(|text| !text.contains("127") && !text.contains("10.") && !text.contains("::1") && !text.contains("fc00")).collect();
            let (name, address, port) = asked;
            let rules = Rules::from_texts(&names).unwrap();
            if rules.judge(name, Some(address), Some(port)).allow {
                prop_assert_eq!(special_purpose(address), None);
            }
        }

        #[test]
        fn a_host_reads_the_same_the_second_time(text in "\\PC{0,40}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()), Ok(host));
            }
        }

        #[test]
        fn a_rule_that_covers_another_allows_all_that_it_does(list in prop::collection::vec(any_rule(), 0..5), other in any_rule(), asked in any_question()) {
            let rules = Rules::from_texts(&list).unwrap();
            let rule = Rule::from_text(&other).unwrap();
            let (name, address, port) = asked;
            let alone = Rules::new(vec![rule.clone()]).unwrap();
            if rules.covers(&rule) && alone.judge(name, Some(address), Some(port)).allow {
                prop_assert!(rules.judge(name, Some(address), Some(port)).allow, "{:?} {}", list, other);
            }
        }
    }

    #[test]
    fn what_is_denied_is_denied_in_whatever_carries_it_and_nothing_else_is() {
        for (texts, name, address, allowed) in [
            (&["!10.0.0.0/8", "[64:ff9b::/96]"][..], None, "64:ff9b::5db8:d822", true),
            (&["!93.184.0.0/16", "[64:ff9b::/96]"], None, "64:ff9b::5db8:d822", false),
            (&["!93.185.0.0/16", "[64:ff9b::/96]"], None, "64:ff9b::5db8:d822", true),
            // A rule that denies a name denies it wherever it leads; one that denies all denies what is special, too.
            (&["!a.test", "*:*", "10.0.0.0/8"], Some("a.test"), "10.0.0.1", false),
            (&["!*", "10.0.0.0/8"], None, "10.0.0.1", false),
            (&["*:*", "10.0.0.0/8"], None, "10.0.0.1", true),
            (&["b.test:*", "!a.test", "10.0.0.0/8"], Some("b.test"), "10.0.0.1", true),
            // An address that is ordinary by itself is named as what it is.
            (&["93.184.216.34"], None, PUBLIC, true),
            (&["93.184.216.34"], None, "93.184.216.35", false),
        ] {
            assert_eq!(ask(texts, name, Some(address), 443).0, allowed, "{texts:?} {name:?} {address}");
        }
        let special = |text: &str| match Rule::from_text(text).unwrap().at {
            Where::Network(network) => network.names_special(),
            other => panic!("{other:?}"),
        };
        for (text, is) in [
            ("10.0.0.0/8", true),
            ("10.0.0.1", true),
            ("0.0.0.0/0", false),
            ("93.184.216.34", false),
            ("93.0.0.0/8", false),
            ("8.0.0.0/7", false),
        ] {
            assert_eq!(special(text), is, "{text}");
        }
    }
}
