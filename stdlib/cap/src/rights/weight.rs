//! What rights take in memory, so that whoever makes a sandbox can be charged for it. Rather too much than too little; it never allocates.

use super::names::Names;
use super::natives::Bound;
use super::net::Net;
use super::place::{Place, Places};
use super::{Rights, Subjects};
use crate::registry::NativeId;

/// What a block takes besides its bytes.
const BLOCK: usize = 24;
/// What a node of a tree takes besides its entries, and how many it has room for; it may be half full.
const NODE: usize = 40;
const ROOM: usize = 11;

const fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + BLOCK }
}

const fn tree(count: usize, each: usize) -> usize {
    count.div_ceil(ROOM / 2) * (ROOM * each + NODE)
}

fn names(of: &Names) -> usize {
    let (count, texts) = of.iter().fold((0, 0), |(count, texts), name| (count + 1, texts + block(name.len())));
    tree(count, size_of::<String>()) + texts
}

fn place(of: &Place) -> usize {
    let parts = of.parts();
    size_of::<Place>() + block(size_of_val(parts)) + parts.iter().map(|part| block(part.len())).sum::<usize>()
}

fn places(of: &Places) -> usize {
    block(of.iter().map(place).sum())
}

fn net(of: &Net) -> usize {
    let list = |rules: &[String]| 16 + block(16 + size_of_val(rules)) + rules.iter().map(|rule| block(rule.len())).sum::<usize>();
    let clause = |lists: &[super::RuleList]| BLOCK + block(lists.iter().map(|rules| list(rules.rules())).sum());
    block(of.clauses().map(clause).sum())
}

impl Rights {
    /// Bytes that it takes besides its own size and its subjects, which it may share.
    #[must_use]
    pub fn weight(&self) -> usize {
        let bounds = self.natives.bounds();
        let bound = |bound: &Bound| match bound {
            Bound::Places(of) => places(of),
            Bound::Names(of) => names(of),
        };
        let (count, inner) = bounds.fold((0, 0), |(count, inner), of| (count + 1, inner + bound(of)));
        tree(count, size_of::<(NativeId, Bound)>()) + inner + tree(self.budgets.all_calls().count(), size_of::<(NativeId, u64)>())
    }
}

impl Subjects {
    /// Bytes that it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let dirs = self.dirs.all().map(place).sum::<usize>();
        let named = names(&self.env) + names(&self.secrets) + names(&self.programs);
        block(size_of::<Subjects>()) + dirs + 2 * BLOCK + named + net(&self.net)
    }
}
