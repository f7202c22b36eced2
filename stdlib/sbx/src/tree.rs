//! The sandboxes as one realm sees them: a table of places, and the meetings that were found.
//!
//! The sandboxes themselves are shared by all realms of the run ([`crate::sandbox`]). Every arrow goes from a sandbox to one that holds no
//! more than it and lies less deep, so every walk goes one way and ends. A collection says which are still referred to; the places of the
//! others are used again.

use crate::homes::Homes;
use crate::ids::{ANY, ROOT, SbxId, Table, VOID};
use crate::lease::Leases;
use crate::limits::{Limits, MAX_NESTING, MAX_SANDBOXES, MAX_TOGETHER};
use crate::run::Records;
use crate::sandbox::{Holding, SandboxKind, Shared};
use crate::stop::Stop;
use crate::view::OpenMounts;
use ilu_cap::rights::Subjects;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

/// Answers of `meet` that are remembered; forgotten all together when there are more.
const MAX_MEETS: usize = 65_536;

/// Bytes of a sandbox besides its own block: those of its parents and places, what finds it by number, its maker's note of it, the first
/// way into it.
const NODE_BLOCKS: usize = 16 + 32 + 32 + 40 + 16;
/// Bytes of the counters of calls, which are there once it calls something.
const CALL_COUNTERS: usize = 8 * (ilu_cap::NATIVES.len() + 1);

/// Units of fuel that finding where two sandboxes meet costs at least.
const FINDING: u64 = 20;

/// Sandboxes that only the root's own code can still make: what code inside fills up must not stop the host.
const KEPT_FOR_ROOT: usize = 2048;

/// Why a sandbox gets no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// There are too many, or they nest too deep.
    Because(&'static str),
    /// The heap has no room for so many bytes.
    Room(u64),
}

impl From<NoPlace> for Stop {
    fn from(no: NoPlace) -> Stop {
        match no {
            NoPlace::Because(why) => Stop::failed(why),
            NoPlace::Room(bytes) => Stop::Room(bytes),
        }
    }
}

const TOO_MANY: NoPlace = NoPlace::Because("too many sandboxes");

/// A sandbox in the table.
#[derive(Debug)]
struct Entry {
    sandbox: Arc<Shared>,
    /// The places of those it was made under.
    parents: Box<[SbxId]>,
    /// Bytes that were booked for it.
    weight: usize,
}

/// A place of the table.
#[derive(Debug)]
struct Slot {
    /// Its number now: that of the sandbox that is here, or of the next one.
    id: SbxId,
    entry: Option<Entry>,
}

/// All sandboxes that a realm knows.
#[derive(Debug)]
pub(crate) struct Tree {
    slots: Vec<Slot>,
    /// Places that are free again.
    free: Vec<u32>,
    /// The places of sandboxes, by their number in the run.
    by_number: Table<u64, SbxId>,
    meets: Table<(SbxId, SbxId), SbxId>,
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
            free: Vec::new(),
            by_number: Table::default(),
            meets: Table::default(),
            by_generators: HashMap::new(),
            nothing: Arc::clone(any),
            records: Arc::clone(records),
            grown: 0,
            work: 0,
        };
        for (sandbox, parents) in [(any, &[][..]), (root, &[]), (void, &[ROOT])] {
            tree.place(Arc::clone(sandbox), parents.into(), 0);
        }
        tree
    }

    /// Puts other sandboxes in the places of those that every realm begins with. What was found out about the ones before is forgotten.
    pub(crate) fn replace_fixed(&mut self, fixed: &[Arc<Shared>; 3]) {
        for (slot, sandbox) in self.slots.iter_mut().zip(fixed) {
            if let Some(entry) = &mut slot.entry {
                entry.sandbox = Arc::clone(sandbox);
            }
        }
        let [any, _, _] = fixed;
        self.nothing = Arc::clone(any);
        self.meets.clear();
        self.by_generators.clear();
    }

    /// Gives a sandbox a place: one that is free again, or a new one.
    fn place(&mut self, sandbox: Arc<Shared>, parents: Box<[SbxId]>, weight: usize) -> SbxId {
        let number = sandbox.number;
        let entry = Some(Entry { sandbox, parents, weight });
        let free = self.free.pop().and_then(|place| self.slots.get_mut(place as usize));
        let id = match free {
            Some(slot) => {
                slot.entry = entry;
                slot.id
            }
            None => {
                let id = SbxId::new(self.slots.len(), 0);
                self.slots.push(Slot { id, entry });
                id
            }
        };
        self.by_number.insert(number, id);
        id
    }

    /// Are there so many places?
    fn has_places(&self, count: usize) -> bool {
        self.free.len() + MAX_SANDBOXES.saturating_sub(self.slots.len()) >= count
    }

    fn entry(&self, s: SbxId) -> Option<&Entry> {
        self.slots.get(s.place()).filter(|slot| slot.id == s)?.entry.as_ref()
    }

    /// A sandbox; one that holds nothing for a number that is none's.
    pub(crate) fn node(&self, s: SbxId) -> &Arc<Shared> {
        self.entry(s).map_or(&self.nothing, |entry| &entry.sandbox)
    }

    fn parents(&self, s: SbxId) -> &[SbxId] {
        self.entry(s).map_or(&[], |entry| &entry.parents)
    }

    /// How many sandboxes it knows.
    pub(crate) fn known(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Lets go of the sandboxes that nothing refers to: the named ones stay, and those they were made under. Gives the bytes that had been
    /// booked for the others.
    pub(crate) fn sweep(&mut self, homes: &mut Homes) -> usize {
        for fixed in [ANY, ROOT, VOID] {
            homes.keep(fixed);
        }
        let mut work: Vec<SbxId> = self.slots.iter().filter(|slot| homes.has(slot.id)).map(|slot| slot.id).collect();
        while let Some(next) = work.pop() {
            work.extend(self.parents(next).iter().filter(|parent| homes.keep(**parent)));
        }
        let mut freed = 0;
        let mut orphaned = HashMap::new();
        for (place, slot) in self.slots.iter_mut().enumerate() {
            if homes.has(slot.id) {
                continue;
            }
            let Some(gone) = slot.entry.take() else { continue };
            slot.id = slot.id.next();
            self.free.push(place as u32);
            self.by_number.remove(&gone.sandbox.number);
            freed += gone.weight;
            for parent in &gone.sandbox.parents {
                orphaned.entry(parent.number).or_insert_with(|| Arc::clone(parent));
            }
        }
        if freed == 0 && orphaned.is_empty() {
            return 0;
        }
        orphaned.into_values().for_each(|parent| parent.forget_gone());
        self.meets.retain(|(a, b), met| homes.has(*a) && homes.has(*b) && homes.has(*met));
        self.by_generators.retain(|_, met| homes.has(*met));
        freed
    }

    /// By depth, and so that those around come before those within.
    /// Were all that it was made under directly named here?
    pub(crate) fn is_made_under(&self, s: SbxId, these: &[SbxId]) -> bool {
        self.parents(s).iter().all(|parent| these.contains(parent))
    }

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
    pub(crate) fn adopt(&mut self, sandbox: &Arc<Shared>) -> Result<SbxId, NoPlace> {
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
        if !self.has_places(missing.len()) {
            return Err(TOO_MANY);
        }
        for (_, number) in missing {
            let Some(sandbox) = found.get(&number) else { continue };
            let parents = sandbox.parents.iter().filter_map(|parent| self.by_number.get(&parent.number).copied()).collect();
            let weight = size_of::<Slot>() + NODE_BLOCKS;
            self.grown += weight;
            let id = self.place(Arc::clone(sandbox), parents, weight);
            if sandbox.kind == SandboxKind::Meet {
                let generators = self.least(&[id]);
                self.by_generators.entry(generators).or_insert(id);
            }
        }
        self.by_number.get(&sandbox.number).copied().ok_or(TOO_MANY)
    }

    /// Adds a sandbox made under another.
    pub(crate) fn make(&mut self, holder: SbxId, holding: Holding, room: u64) -> Result<SbxId, NoPlace> {
        if holder != ROOT && self.records.alive() >= MAX_SANDBOXES - KEPT_FOR_ROOT {
            return Err(TOO_MANY);
        }
        self.grow(&[holder], SandboxKind::Made, holding, room)
    }

    fn grow(&mut self, parents: &[SbxId], kind: SandboxKind, holding: Holding, room: u64) -> Result<SbxId, NoPlace> {
        if self.records.alive() >= MAX_SANDBOXES || !self.has_places(1) {
            return Err(TOO_MANY);
        }
        if parents.iter().any(|parent| self.node(*parent).depth >= MAX_NESTING) {
            return Err(NoPlace::Because("sandboxes nest too deep"));
        }
        let weight = self.weight(parents, &holding);
        if weight as u64 > room {
            return Err(NoPlace::Room(weight as u64));
        }
        self.grown += weight;
        let above = parents.iter().map(|parent| Arc::clone(self.node(*parent))).collect();
        let sandbox = Shared::new(&self.records, above, kind, holding);
        Ok(self.place(sandbox, parents.into(), weight))
    }

    /// Bytes that a sandbox takes. What it shares with those it comes from is theirs.
    fn weight(&self, parents: &[SbxId], holding: &Holding) -> usize {
        let is_parents = |is: &dyn Fn(&Arc<Shared>) -> bool| parents.iter().any(|parent| is(self.node(*parent)));
        let shares_view = is_parents(&|parent| Arc::ptr_eq(&parent.view(), &holding.view));
        let shares_subjects = is_parents(&|parent| std::ptr::eq(parent.rights.subjects(), holding.rights.subjects()));
        let view = if shares_view { 0 } else { holding.view.weight() };
        let subjects = if shares_subjects { 0 } else { holding.rights.subjects().weight() };
        let limits = size_of_val(&*holding.limits.calls);
        let own = holding.rights.weight() + limits + holding.leases.weight();
        size_of::<Shared>() + size_of::<Slot>() + NODE_BLOCKS + CALL_COUNTERS + own + view + subjects
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
    pub(crate) fn meet(&mut self, a: SbxId, b: SbxId, open: &Mutex<OpenMounts>, room: u64) -> Result<SbxId, NoPlace> {
        if let Some(known) = self.known_meet(a, b) {
            return Ok(known);
        }
        let met = self.find_meet(a, b, open, room)?;
        if self.meets.len() >= MAX_MEETS {
            self.meets.clear();
        }
        self.meets.insert((a.min(b), a.max(b)), met);
        Ok(met)
    }

    fn find_meet(&mut self, a: SbxId, b: SbxId, open: &Mutex<OpenMounts>, room: u64) -> Result<SbxId, NoPlace> {
        if a == VOID || b == VOID || self.entry(a).is_none() || self.entry(b).is_none() {
            return Ok(VOID);
        }
        let (a, b) = if self.rank(a) < self.rank(b) { (a, b) } else { (b, a) };
        if self.is_within(b, a) {
            return Ok(b);
        }
        self.work += FINDING;
        let generators = self.generators(&[a, b]);
        if generators.len() > MAX_TOGETHER {
            return Ok(VOID);
        }
        // Each is compared with each, by a walk up from it.
        self.work += (generators.len() * generators.len()) as u64;
        let least = self.least(&[a, b]);
        if let [only] = least.as_slice() {
            return Ok(*only);
        }
        if let Some(known) = self.by_generators.get(&least) {
            return Ok(*known);
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
            return Ok(VOID);
        }
        match self.grow(&[a, b], SandboxKind::Meet, Holding { rights, view, limits: Limits::none(), leases: Leases::default() }, room) {
            Ok(met) => {
                self.by_generators.insert(least, met);
                Ok(met)
            }
            Err(NoPlace::Because(_)) => Ok(VOID),
            Err(lacking) => Err(lacking),
        }
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
