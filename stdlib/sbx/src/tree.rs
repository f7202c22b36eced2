//! The sandboxes as one realm sees them: a table of places, and the meetings that were found.
//!
//! The sandboxes themselves are shared by all realms of the run ([`crate::sandbox`]). Every arrow goes from a sandbox to one that holds no
//! more than it and lies less deep, so every walk goes one way and ends.

use crate::ids::{ANY, ROOT, SbxId, VOID};
use crate::limits::{Limits, MAX_NESTING, MAX_SANDBOXES, MAX_TOGETHER};
use crate::run::Records;
use crate::sandbox::{Holding, SandboxKind, Shared};
use crate::view::{OpenMounts, weight_of};
use ilu_cap::rights::Subjects;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

/// Answers of `meet` that are remembered; forgotten all together when there are more.
const MAX_MEETS: usize = 65_536;

/// Bytes of a sandbox's blocks besides its own: counters of calls, entries that find it.
const NODE_BLOCKS: usize = 512;

/// Units of fuel that finding where two sandboxes meet costs at least.
const FINDING: u64 = 20;

/// Sandboxes that only the root's own code can still make: what code inside fills up must not stop the host.
const KEPT_FOR_ROOT: usize = 2048;

/// A sandbox in the table.
#[derive(Debug)]
struct Slot {
    sandbox: Arc<Shared>,
    /// The places of those it was made under.
    parents: Box<[SbxId]>,
}

/// All sandboxes that a realm knows.
#[derive(Debug)]
pub(crate) struct Tree {
    slots: Vec<Slot>,
    /// The places of sandboxes, by their number in the run.
    by_number: HashMap<u64, SbxId>,
    meets: HashMap<(SbxId, SbxId), SbxId>,
    /// Meetings by the smallest set of made ones they stand for.
    by_generators: HashMap<Vec<SbxId>, SbxId>,
    /// What stands for a number that is no sandbox's.
    nothing: Arc<Shared>,
    records: Arc<Records>,
    /// Bytes that new sandboxes took since somebody asked.
    pub(crate) grown: usize,
    /// What finding meetings has cost since somebody asked, in units of fuel.
    pub(crate) work: u64,
}

impl Tree {
    pub(crate) fn new(fixed: &[Arc<Shared>; 3], records: &Arc<Records>) -> Tree {
        let [any, root, void] = fixed;
        let mut tree = Tree {
            slots: Vec::new(),
            by_number: HashMap::new(),
            meets: HashMap::new(),
            by_generators: HashMap::new(),
            nothing: Arc::clone(any),
            records: Arc::clone(records),
            grown: 0,
            work: 0,
        };
        for (sandbox, parents) in [(any, &[][..]), (root, &[]), (void, &[ROOT])] {
            tree.place(Arc::clone(sandbox), parents.into());
        }
        tree
    }

    /// Gives a sandbox a place; the next free one.
    fn place(&mut self, sandbox: Arc<Shared>, parents: Box<[SbxId]>) -> SbxId {
        let id = SbxId(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.by_number.insert(sandbox.number, id);
        self.slots.push(Slot { sandbox, parents });
        id
    }

    /// A sandbox; one that holds nothing for a number that is none's.
    pub(crate) fn node(&self, s: SbxId) -> &Arc<Shared> {
        self.slots.get(s.0 as usize).map_or(&self.nothing, |slot| &slot.sandbox)
    }

    fn parents(&self, s: SbxId) -> &[SbxId] {
        self.slots.get(s.0 as usize).map_or(&[], |slot| &slot.parents)
    }

    /// By depth, and so that those around come before those within.
    pub(crate) fn rank(&self, s: SbxId) -> (u32, SbxId) {
        (self.node(s).depth, s)
    }

    /// The sandbox and all it was made under, innermost first.
    pub(crate) fn ancestors(&self, s: SbxId) -> Vec<SbxId> {
        let mut found = vec![s];
        let mut next = self.parents(s);
        // As a rule there is one.
        while let [only] = next {
            found.push(*only);
            next = self.parents(*only);
        }
        let mut work: BTreeSet<(u32, SbxId)> = next.iter().map(|parent| self.rank(*parent)).collect();
        while let Some((_, next)) = work.pop_last() {
            found.push(next);
            work.extend(self.parents(next).iter().map(|parent| self.rank(*parent)));
        }
        found
    }

    /// Is the first one made, by however many steps, under the second, or the same?
    pub(crate) fn is_within(&self, inner: SbxId, outer: SbxId) -> bool {
        let least = self.node(outer).depth;
        let mut work = BTreeSet::from([self.rank(inner)]);
        while let Some((_, next)) = work.pop_last() {
            if next == outer {
                return true;
            }
            work.extend(self.parents(next).iter().map(|parent| self.rank(*parent)).filter(|(depth, _)| *depth >= least));
        }
        false
    }

    /// The place of a sandbox of another realm of the run.
    pub(crate) fn adopt(&mut self, sandbox: &Arc<Shared>) -> Result<SbxId, &'static str> {
        if let Some(known) = self.by_number.get(&sandbox.number) {
            return Ok(*known);
        }
        // Those it was made under come first: the less deep before the deeper.
        let mut missing = BTreeSet::from([(sandbox.depth, sandbox.number)]);
        let mut found = HashMap::from([(sandbox.number, sandbox)]);
        let mut work = vec![sandbox];
        while let Some(next) = work.pop() {
            for parent in &next.parents {
                if !self.by_number.contains_key(&parent.number) && missing.insert((parent.depth, parent.number)) {
                    found.insert(parent.number, parent);
                    work.push(parent);
                }
            }
        }
        if self.slots.len() + missing.len() > MAX_SANDBOXES {
            return Err("too many sandboxes");
        }
        for (_, number) in missing {
            let Some(sandbox) = found.get(&number) else { continue };
            let parents = sandbox.parents.iter().filter_map(|parent| self.by_number.get(&parent.number).copied()).collect();
            let id = self.place(Arc::clone(sandbox), parents);
            if sandbox.kind == SandboxKind::Meet {
                let generators = self.least(&[id]);
                self.by_generators.entry(generators).or_insert(id);
            }
        }
        self.by_number.get(&sandbox.number).copied().ok_or("too many sandboxes")
    }

    /// Adds a sandbox made under another.
    pub(crate) fn make(&mut self, holder: SbxId, holding: Holding) -> Result<SbxId, &'static str> {
        if holder != ROOT && self.records.alive() >= MAX_SANDBOXES - KEPT_FOR_ROOT {
            return Err("too many sandboxes");
        }
        self.grow(&[holder], SandboxKind::Made, holding)
    }

    fn grow(&mut self, parents: &[SbxId], kind: SandboxKind, holding: Holding) -> Result<SbxId, &'static str> {
        if self.records.alive() >= MAX_SANDBOXES || self.slots.len() >= MAX_SANDBOXES {
            return Err("too many sandboxes");
        }
        if parents.iter().any(|parent| self.node(*parent).depth >= MAX_NESTING) {
            return Err("sandboxes nest too deep");
        }
        self.grown += self.weight(parents, &holding);
        let above = parents.iter().map(|parent| Arc::clone(self.node(*parent))).collect();
        let sandbox = Shared::new(&self.records, above, kind, holding);
        Ok(self.place(sandbox, parents.into()))
    }

    /// Bytes that a sandbox takes. What it shares with those it comes from is theirs.
    fn weight(&self, parents: &[SbxId], holding: &Holding) -> usize {
        let (mut view, mut subjects) = (holding.view.weight(), holding.view.weight());
        subjects += holding.rights.subjects().env.iter().map(weight_of).sum::<usize>();
        for parent in parents.iter().map(|parent| self.node(*parent)) {
            if Arc::ptr_eq(&parent.view(), &holding.view) {
                view = 0;
            }
            if std::ptr::eq(parent.rights.subjects(), holding.rights.subjects()) {
                subjects = 0;
            }
        }
        // Places are kept apart for reading and for writing.
        size_of::<Shared>() + size_of::<Slot>() + NODE_BLOCKS + view + 2 * subjects
    }

    /// A meeting that was found before, or is found without looking.
    pub(crate) fn known_meet(&self, a: SbxId, b: SbxId) -> Option<SbxId> {
        if a == b || b == ANY {
            return Some(a);
        }
        if a == ANY {
            return Some(b);
        }
        self.meets.get(&(a.min(b), a.max(b))).copied()
    }

    /// The sandbox that holds what both hold. It is one of the two when that one was made under the other.
    pub(crate) fn meet(&mut self, a: SbxId, b: SbxId, open: &Mutex<OpenMounts>) -> SbxId {
        if let Some(known) = self.known_meet(a, b) {
            return known;
        }
        let met = self.find_meet(a, b, open);
        if self.meets.len() >= MAX_MEETS {
            self.meets.clear();
        }
        self.meets.insert((a.min(b), a.max(b)), met);
        met
    }

    fn find_meet(&mut self, a: SbxId, b: SbxId, open: &Mutex<OpenMounts>) -> SbxId {
        if a == VOID || b == VOID {
            return VOID;
        }
        let (a, b) = if self.rank(a) < self.rank(b) { (a, b) } else { (b, a) };
        if self.is_within(b, a) {
            return b;
        }
        self.work += FINDING;
        let generators = self.generators(&[a, b]);
        if generators.len() > MAX_TOGETHER {
            return VOID;
        }
        // Each is compared with each, by a walk up from it.
        self.work += (generators.len() * generators.len()) as u64;
        let least = self.least(&[a, b]);
        if let [only] = least.as_slice() {
            return *only;
        }
        if let Some(known) = self.by_generators.get(&least) {
            return *known;
        }
        let (left, right) = (self.node(a), self.node(b));
        let rights = left.rights.intersection(&right.rights);
        let (left, right) = (left.view(), right.view());
        self.work += (left.len() * right.len()) as u64;
        let view = Arc::new(left.meet(&right, crate::run::lock(open).of_meeting()));
        // Of the directories both hold, those that could be opened: a bounded number, which the names alone would not be.
        let subjects = Subjects { dirs: view.dirs(), ..rights.subjects().clone() };
        let rights = rights.with_subjects(subjects);
        if self.records.alive() >= MAX_SANDBOXES - KEPT_FOR_ROOT {
            return VOID;
        }
        let met = self.grow(&[a, b], SandboxKind::Meet, Holding { rights, view, limits: Limits::none() }).unwrap_or(VOID);
        if met != VOID {
            self.by_generators.insert(least, met);
        }
        met
    }

    /// The made sandboxes that some stand for: themselves, or those that meet in them. Ascending.
    fn generators(&self, of: &[SbxId]) -> Vec<SbxId> {
        let mut found = BTreeSet::new();
        let mut work: BTreeSet<(u32, SbxId)> = of.iter().map(|s| self.rank(*s)).collect();
        while let Some((_, next)) = work.pop_last() {
            match self.node(next).kind {
                SandboxKind::Made => {
                    found.insert(next);
                }
                SandboxKind::Meet => work.extend(self.parents(next).iter().map(|parent| self.rank(*parent))),
            }
        }
        found.into_iter().collect()
    }

    /// The generators that none of the others was made under.
    fn least(&self, of: &[SbxId]) -> Vec<SbxId> {
        let generators = self.generators(of);
        generators.iter().filter(|g| !generators.iter().any(|h| h != *g && self.is_within(*h, **g))).copied().collect()
    }
}
