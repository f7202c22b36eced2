//! Accounts: whom costs are charged to.
//!
//! Running code charges every sandbox that was entered to get where it is, and everything those were made under. So a child's budget
//! is drawn from its parents', and code of one sandbox that runs inside another is paid by both. What was used is counted in the
//! sandboxes, which all isolates of a run share: what several of them take at once is never more than there was.

use crate::homes::Homes;
use crate::ids::{ANY, AccountId, ROOT, ROOT_ACCOUNT, SbxId, Table};
use crate::limits::{Budget, MAX_CHARGED, NO_LIMIT};
use crate::stop::Stop;
use crate::tree::Tree;
use std::collections::HashSet;

/// Accounts of a realm at a time: those that are in use, for each of which something is on a stack or open, and those that were since the last
/// collection. Each is booked on the heap, so this is only where numbers end.
const MAX_ACCOUNTS: usize = 1 << 20;
/// Bytes of an account besides its set: its place, what finds it, what an allocator adds.
const ACCOUNT: usize = 96;

/// All accounts of a realm.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// Sandboxes charged by each, in the order of depth: those around come before those within. None where nothing is charged to it any
    /// more.
    charged: Vec<Option<Box<[SbxId]>>>,
    free: Vec<u32>,
    by_entry: Table<(AccountId, SbxId), AccountId>,
}

/// Bytes that are booked for an account of so many sandboxes.
const fn weight(members: usize) -> usize {
    ACCOUNT + members * size_of::<SbxId>()
}

impl Accounts {
    /// The accounts of a realm whose own code is charged to these.
    pub(crate) fn new(set: Vec<SbxId>) -> Accounts {
        Accounts { charged: vec![Some(set.into())], free: Vec::new(), by_entry: Table::default() }
    }

    /// Who is charged where code that is charged to `from` enters a sandbox; none when it is the same.
    fn set(&self, tree: &Tree, from: AccountId, s: SbxId) -> Option<Vec<SbxId>> {
        let outside = self.of(from);
        if s == ANY || outside.contains(&s) {
            // Who is charged for it is charged for all it was made under.
            return None;
        }
        let mut set = Vec::with_capacity(outside.len() + 1);
        set.extend_from_slice(outside);
        if tree.is_made_under(s, outside) {
            // As a rule. Who is charged for those is charged for all that they were made under.
            set.push(s);
            set.sort_unstable_by_key(|s| tree.rank(*s));
            return Some(set);
        }
        set.extend(tree.ancestors(s).into_iter().filter(|s| !outside.contains(s)));
        set.sort_unstable_by_key(|s| tree.rank(*s));
        Some(set)
    }

    /// Bytes to be booked before [`Accounts::enter`].
    pub(crate) fn needs(&self, tree: &Tree, from: AccountId, s: SbxId) -> usize {
        if self.by_entry.contains_key(&(from, s)) {
            return 0;
        }
        let outside = self.of(from);
        if !outside.contains(&s) && s != ANY && tree.is_made_under(s, outside) {
            return weight(outside.len() + 1);
        }
        self.set(tree, from, s).map_or(0, |set| weight(set.len()))
    }

    /// The account of code that enters a sandbox.
    pub(crate) fn enter(&mut self, tree: &Tree, from: AccountId, s: SbxId, now: f64) -> Result<AccountId, Stop> {
        if let Some(known) = self.by_entry.get(&(from, s)) {
            return Ok(*known);
        }
        let Some(set) = self.set(tree, from, s) else { return Ok(from) };
        if set.len() > MAX_CHARGED {
            return Err(Stop::Failed(format!("more than {MAX_CHARGED} sandboxes were entered from within each other")));
        }
        if self.charged.len() >= MAX_ACCOUNTS && self.free.is_empty() {
            return Err(Stop::failed("too many sandboxes were entered from within each other"));
        }
        // Time runs for it, and for all it was made under.
        for s in &set {
            tree.node(*s).start(now);
        }
        let set = Some(set.into_boxed_slice());
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.charged.push(None);
                (self.charged.len() - 1) as u32
            }
        };
        if let Some(slot) = self.charged.get_mut(place as usize) {
            *slot = set;
        }
        let account = AccountId(place);
        self.by_entry.insert((from, s), account);
        Ok(account)
    }

    /// Lets go of the accounts that are not among these, and names the sandboxes that the others charge. Gives the bytes that had been booked.
    pub(crate) fn sweep(&mut self, used: &HashSet<AccountId>, homes: &mut Homes) -> usize {
        let mut freed = 0;
        for (place, slot) in self.charged.iter_mut().enumerate() {
            let id = AccountId(place as u32);
            if id == ROOT_ACCOUNT || used.contains(&id) {
                slot.iter().flatten().for_each(|s| {
                    homes.keep(*s);
                });
            } else if let Some(set) = slot.take() {
                freed += weight(set.len());
                self.free.push(place as u32);
            }
        }
        let is = |id: &AccountId| *id == ROOT_ACCOUNT || used.contains(id);
        self.by_entry.retain(|(from, _), to| is(from) && is(to));
        freed
    }

    /// The sandboxes an account charges. A number that is no account's charges the root.
    pub(crate) fn of(&self, account: AccountId) -> &[SbxId] {
        self.charged.get(account.0 as usize).and_then(Option::as_deref).unwrap_or(&[ROOT])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::VOID;
    use crate::realm::{Natives, Realm};
    use crate::{Grants, Outside};

    struct Nothing;

    impl Outside for Nothing {
        fn write_out(&self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn write_err(&self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn read_in(&self, _: &mut [u8]) -> std::io::Result<usize> {
            Ok(0)
        }
        fn wall_ms(&self) -> f64 {
            0.0
        }
        fn mono_ms(&self) -> f64 {
            0.0
        }
        fn sleep(&self, _: f64) {}
        fn random(&self, _: &mut [u8]) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn there_are_so_many_accounts_and_a_free_place_is_used_again() -> Result<(), String> {
        let realm = Realm::new(Grants::default(), Box::new(Nothing), Natives::new(&[]))?;
        let mut accounts = Accounts::new(vec![ROOT]);
        accounts.charged.resize(MAX_ACCOUNTS, None);
        let full = accounts.enter(&realm.tree, ROOT_ACCOUNT, VOID, 0.0);
        assert_eq!(full, Err(Stop::failed("too many sandboxes were entered from within each other")));
        accounts.free.push(7);
        assert_eq!(accounts.enter(&realm.tree, ROOT_ACCOUNT, VOID, 0.0), Ok(AccountId(7)));
        accounts.by_entry.clear();
        assert!(accounts.enter(&realm.tree, ROOT_ACCOUNT, VOID, 0.0).is_err());
        accounts.charged.pop();
        assert!(accounts.enter(&realm.tree, ROOT_ACCOUNT, VOID, 0.0).is_ok());
        Ok(())
    }
}
