//! What the rights of a sandbox say about a connection. The rules' meaning is `ilu_pol::net`'s; which lists must agree is the algebra's.

use crate::denial::quote;
use crate::run::lock;
use crate::stop::Stop;
use ilu_cap::NativeId;
use ilu_cap::rights::{Net, Refusal, Rights, RuleList, Subject};
use ilu_pol::net::{Rule, Rules, Verdict};
use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// A question: about a name, an address, or an address that a name leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) address: Option<IpAddr>,
    /// None asks whether there is any.
    pub(super) port: Option<u16>,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The native is not held.
    NotHeld,
    /// The native is held for other subjects.
    Bound,
    /// No rule matches.
    NoRule,
    /// This rule denies it.
    Denied(String),
    /// No rule names the address, which is special: what it is.
    Special(String),
    /// Nobody can be at the address.
    Nobody,
}

impl Refused {
    pub(super) const fn nobody() -> Refused {
        Refused::Nobody
    }
}

/// Lists of rules that were read a moment ago: the same texts mean the same, whoever holds them.
#[derive(Debug, Default)]
pub(crate) struct ReadRules {
    /// The one used longest ago comes first.
    lists: Mutex<Vec<(RuleList, Arc<Rules>)>>,
}

/// Lists that are kept.
const MAX_READ: usize = 8;

impl ReadRules {
    fn read(&self, list: &RuleList) -> Result<Arc<Rules>, Stop> {
        let mut lists = lock(&self.lists);
        if let Some(at) = lists.iter().position(|(known, _)| known == list) {
            lists.get_mut(at..).unwrap_or_default().rotate_left(1);
            if let Some((_, rules)) = lists.last() {
                return Ok(Arc::clone(rules));
            }
        }
        let rules = Arc::new(Rules::from_texts(list.rules()).map_err(|error| Stop::Failed(error.to_string()))?);
        if lists.len() >= MAX_READ {
            lists.remove(0);
        }
        lists.push((list.clone(), Arc::clone(&rules)));
        Ok(rules)
    }
}

/// The rights of one sandbox with their rules read.
pub(super) struct Policy {
    rights: Rights,
    native: NativeId,
    lists: Vec<(RuleList, Arc<Rules>)>,
}

impl Policy {
    /// Reads the rules.
    pub(super) fn of(rights: &Rights, native: NativeId, read: &ReadRules) -> Result<Policy, Stop> {
        let mut lists: Vec<(RuleList, Arc<Rules>)> = Vec::new();
        for list in rights.subjects().net.clauses().flatten() {
            if !lists.iter().any(|(known, _)| known == list) {
                lists.push((list.clone(), read.read(list)?));
            }
        }
        Ok(Policy { rights: rights.clone(), native, lists })
    }

    /// How many rules there are.
    pub(super) fn len(&self) -> usize {
        self.lists.iter().map(|(_, rules)| rules.all().len()).sum()
    }

    /// The rule that allows it, as text.
    pub(super) fn judge(&self, asked: &Asked<'_>) -> Result<String, Refused> {
        let (allowed, refused) = (RefCell::new(None), RefCell::new(None));
        let judge = |list: &RuleList| {
            let Some((_, rules)) = self.lists.iter().find(|(known, _)| known == list) else { return false };
            let Verdict { allow, row, special } = rules.judge(asked.name, asked.address, asked.port);
            let rule = row.and_then(|row| rules.all().get(row)).map(Rule::to_string);
            if allow {
                allowed.borrow_mut().get_or_insert(rule.unwrap_or_default());
            } else {
                let why = match (rule, special) {
                    (Some(rule), _) => Refused::Denied(rule),
                    (None, Some(what)) => Refused::Special(what),
                    (None, None) => Refused::NoRule,
                };
                refused.borrow_mut().get_or_insert(why);
            }
            allow
        };
        match self.rights.judge(self.native, &Subject::Connection(&judge)) {
            Ok(()) => Ok(allowed.into_inner().unwrap_or_default()),
            Err(Refusal::NotHeld) => Err(Refused::NotHeld),
            Err(Refusal::Bound) => Err(Refused::Bound),
            Err(Refusal::NotGranted | Refusal::LessAccess(_)) => Err(refused.into_inner().unwrap_or_else(|| self.by_no_list(asked))),
        }
    }

    /// There is no list to ask: what an empty one says.
    fn by_no_list(&self, asked: &Asked<'_>) -> Refused {
        let special = asked.address.and_then(ilu_pol::net::special_purpose);
        special.map_or(Refused::NoRule, Refused::Special)
    }
}

/// Ports that rights allow at every address, and whether they allow any connection at all.
pub(crate) fn ports_of_programs(net: &Net) -> (Vec<u16>, bool) {
    let (mut ports, mut any) = (Vec::new(), false);
    for clause in net.clauses() {
        let lists: Vec<Rules> = clause.iter().filter_map(|list| Rules::from_texts(list.rules()).ok()).collect();
        any |= !lists.is_empty() && lists.iter().all(|list| list.all().iter().any(|rule| rule.allow));
        let Some((first, others)) = lists.split_first().filter(|_| lists.len() == clause.len()) else { continue };
        ports.extend(first.ports_everywhere().into_iter().filter(|port| others.iter().all(|list| list.ports_everywhere().contains(port))));
    }
    (ports, any)
}

/// The rules of a list that allow what is not certain to be held, in words.
pub(crate) fn missing(held: &Net, asked: &Rules) -> Vec<String> {
    let clauses: Vec<Vec<Rules>> =
        held.clauses().map(|clause| clause.iter().filter_map(|list| Rules::from_texts(list.rules()).ok()).collect()).collect();
    let texts: Vec<String> = asked.texts().collect();
    // The maker's own list, or the beginning of it, is within it whatever it says.
    if Net::rules(RuleList::new(texts)).is_subset(held) {
        return Vec::new();
    }
    let covered = |rule: &&Rule| !clauses.iter().any(|clause| clause.iter().all(|list| list.covers(rule)));
    asked.all().iter().filter(|rule| rule.allow).filter(covered).map(|rule| format!("net {}", quote(&rule.to_string()))).collect()
}
