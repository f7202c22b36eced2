//! Accounts: whom costs are charged to.
//!
//! Running code charges every sandbox that was entered to get where it is, and everything those were made under. So a child's budget
//! is drawn from its parents', and code of one sandbox that runs inside another is paid by both. What was used is counted in the
//! sandboxes, which all isolates of a run share: what several of them take at once is never more than there was.

use crate::ids::{ANY, AccountId, ROOT, ROOT_ACCOUNT, SbxId};
use crate::limits::{Budget, MAX_CHARGED, NO_LIMIT};
use crate::stop::Stop;
use crate::tree::Tree;
use std::collections::HashMap;

/// Accounts of a realm; as many as there can be sandboxes, and again for their combinations.
const MAX_ACCOUNTS: usize = 65_536;
/// How many of them code inside a sandbox can make: what it fills up, the root's own code can still do without.
const MAX_INNER_ACCOUNTS: usize = MAX_ACCOUNTS / 2;
/// Sandboxes in the sets of all accounts together: 8 bytes each that no heap budget sees.
const MAX_MEMBERS: usize = 1 << 20;
/// The same as far as code inside a sandbox can go.
const MAX_INNER_MEMBERS: usize = MAX_MEMBERS / 2;

/// All accounts of a realm.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// Sandboxes charged by each, in the order of depth: those around come before those within.
    charged: Vec<Vec<SbxId>>,
    by_entry: HashMap<(AccountId, SbxId), AccountId>,
    by_set: HashMap<Vec<SbxId>, AccountId>,
    /// Sandboxes in all sets.
    members: usize,
}

impl Accounts {
    /// The accounts of a realm whose own code is charged to these.
    pub(crate) fn new(set: Vec<SbxId>) -> Accounts {
        let members = set.len();
        Accounts { charged: vec![set.clone()], by_entry: HashMap::new(), by_set: HashMap::from([(set, ROOT_ACCOUNT)]), members }
    }

    /// The account of code that enters a sandbox.
    pub(crate) fn enter(&mut self, tree: &Tree, from: AccountId, s: SbxId, now: f64) -> Result<AccountId, Stop> {
        if s == ANY {
            return Ok(from);
        }
        if let Some(known) = self.by_entry.get(&(from, s)) {
            return Ok(*known);
        }
        let mut set = self.of(from).to_vec();
        set.extend(tree.ancestors(s));
        set.sort_unstable_by_key(|s| tree.rank(*s));
        set.dedup();
        if set.len() > MAX_CHARGED {
            return Err(Stop::Failed(format!("more than {MAX_CHARGED} sandboxes were entered from within each other")));
        }
        let (most, most_members) = if from == ROOT_ACCOUNT { (MAX_ACCOUNTS, MAX_MEMBERS) } else { (MAX_INNER_ACCOUNTS, MAX_INNER_MEMBERS) };
        let next = AccountId(u32::try_from(self.charged.len()).unwrap_or(u32::MAX));
        let account = match self.by_set.get(&set) {
            Some(known) => *known,
            None if self.charged.len() >= most || self.members + set.len() > most_members => {
                return Err(Stop::failed("too many sandboxes were entered from within each other"));
            }
            None => {
                self.members += set.len();
                self.charged.push(set.clone());
                self.by_set.insert(set, next);
                next
            }
        };
        // Time runs for it, and for all it was made under.
        for s in tree.ancestors(s) {
            tree.node(s).start(now);
        }
        if self.by_entry.len() < 2 * MAX_ACCOUNTS {
            self.by_entry.insert((from, s), account);
        }
        Ok(account)
    }

    /// The sandboxes an account charges. A number that is no account's charges the root.
    pub(crate) fn of(&self, account: AccountId) -> &[SbxId] {
        self.charged.get(account.0 as usize).map_or(&[ROOT], Vec::as_slice)
    }

    /// Sandboxes whose authority a call is made with and that the account does not charge: code of theirs was handed out and is called from
    /// outside. What it does to the world counts as theirs all the same.
    pub(crate) fn owners(&self, tree: &Tree, account: AccountId, authority: SbxId) -> Vec<SbxId> {
        let set = self.of(account);
        if authority == ANY || set.contains(&authority) {
            return Vec::new();
        }
        let mut owners = tree.ancestors(authority);
        owners.retain(|s| !set.contains(s));
        owners
    }

    /// What is left of a budget for this account: the least of what is left anywhere.
    pub(crate) fn left(&self, tree: &Tree, account: AccountId, budget: Budget) -> u64 {
        self.of(account).iter().map(|s| tree.node(*s).left(budget)).min().unwrap_or(0)
    }

    /// Takes from a budget, all or nothing.
    pub(crate) fn charge(&self, tree: &Tree, account: AccountId, budget: Budget, amount: u64) -> Result<(), Stop> {
        take(tree, self.of(account), budget, amount)
    }

    /// Counts what has been used already, whether or not there was room for it.
    pub(crate) fn spend(&self, tree: &Tree, account: AccountId, budget: Budget, amount: u64) {
        for s in self.of(account) {
            tree.node(*s).used.add(budget, amount);
        }
    }

    /// Takes back a charge of fuel.
    pub(crate) fn give_back(&self, tree: &Tree, account: AccountId, fuel: u64) {
        for s in self.of(account) {
            tree.node(*s).used.sub(Budget::Fuel, fuel);
        }
    }

    /// The outermost sandbox of an account that has run out of fuel or time, if any has.
    pub(crate) fn exhausted(&self, tree: &Tree, account: AccountId, now: f64) -> Option<(Budget, SbxId)> {
        self.of(account).iter().find_map(|s| {
            let node = tree.node(*s);
            if node.left(Budget::Fuel) == 0 {
                return Some((Budget::Fuel, *s));
            }
            node.deadline().filter(|deadline| now >= *deadline).map(|_| (Budget::Time, *s))
        })
    }

    /// The earliest deadline of an account, and whose it is.
    pub(crate) fn deadline(&self, tree: &Tree, account: AccountId) -> Option<(f64, SbxId)> {
        self.of(account).iter().filter_map(|s| Some((tree.node(*s).deadline()?, *s))).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// The least of a limit that is not counted here.
    pub(crate) fn least(&self, tree: &Tree, account: AccountId, budget: Budget) -> (u64, SbxId) {
        self.of(account).iter().map(|s| (tree.node(*s).limits.of(budget), *s)).min_by_key(|(limit, _)| *limit).unwrap_or((NO_LIMIT, ROOT))
    }
}

/// Takes from a budget of each of these, or of none.
pub(crate) fn take(tree: &Tree, from: &[SbxId], budget: Budget, amount: u64) -> Result<(), Stop> {
    for (n, s) in from.iter().enumerate() {
        if !tree.node(*s).take(budget, amount) {
            for taken in from.iter().take(n) {
                tree.node(*taken).used.sub(budget, amount);
            }
            return Err(Stop::Limit { budget, of: *s });
        }
    }
    Ok(())
}
