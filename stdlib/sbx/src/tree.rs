//! The sandboxes of a realm: a graph in which every arrow goes from a sandbox to one that holds no more than it.
//!
//! A node's number is larger than those of the nodes it came from, so every walk goes one way and ends. Nodes stay for the realm's
//! life, because any function may have one as its home; what they hold open is let go when they are revoked.

use crate::event::Log;
use crate::ids::{ANY, ROOT, SbxId, VOID};
use crate::limits::{Budget, Limits, MAX_NESTING, MAX_SANDBOXES, MAX_TOGETHER, NO_LIMIT, Usage};
use crate::view::{OpenMounts, View, weight_of};
use ilu_cap::rights::{Budgets, Rights, Subjects};
use ilu_cap::{CapSet, NativeId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Answers of `meet` that are remembered; forgotten all together when there are more.
const MAX_MEETS: usize = 65_536;

/// Bytes of a node's blocks besides its own place: limits, tables, entries that find it.
const NODE_BLOCKS: usize = 512;

/// Units of fuel that finding where two sandboxes meet costs at least.
const FINDING: u64 = 20;

/// One sandbox.
#[derive(Debug)]
pub(crate) struct Node {
    /// What it was made under: one sandbox, or those that meet in it.
    parents: Vec<SbxId>,
    /// Made by a script or the operator, or the meeting of others?
    kind: NodeKind,
    depth: u32,
    /// What it may do. That it is no more than those it was made under may do was settled when it was made.
    pub(crate) rights: Rights,
    /// The directories of its rights, open, under its names for them.
    pub(crate) view: Arc<View>,
    /// The budgets it was given beside those around it.
    pub(crate) limits: Arc<Limits>,
    pub(crate) used: Usage,
    /// When it was first entered.
    started: Option<f64>,
    revoked: bool,
    pub(crate) log: Log,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// By the operator or a script.
    Made,
    /// Where others meet.
    Meet,
}

/// What a new node holds.
#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) rights: Rights,
    pub(crate) view: Arc<View>,
    pub(crate) limits: Limits,
}

/// Sandboxes that only the root's own code can still make: what code inside fills up must not stop the host.
const KEPT_FOR_ROOT: usize = 2048;

/// All sandboxes of a realm.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    meets: HashMap<(SbxId, SbxId), SbxId>,
    /// Meeting nodes by the smallest set of made ones they stand for.
    by_generators: HashMap<Vec<SbxId>, SbxId>,
    pub(crate) open: OpenMounts,
    /// Bytes that new nodes took since somebody asked.
    pub(crate) grown: usize,
    /// What finding meetings has cost since somebody asked, in units of fuel.
    pub(crate) work: u64,
}

impl Tree {
    pub(crate) fn new(root: Holding) -> Tree {
        let rights = || Rights::new(CapSet::EMPTY, Subjects::default(), Budgets::UNLIMITED);
        let nothing = || Holding { rights: rights(), view: Arc::default(), limits: Limits::none() };
        let nodes = vec![
            Node::new(Vec::new(), NodeKind::Made, 0, nothing()),
            Node::new(Vec::new(), NodeKind::Made, 0, root),
            Node::new(vec![ROOT], NodeKind::Made, 1, nothing()),
        ];
        Tree { nodes, meets: HashMap::new(), by_generators: HashMap::new(), open: OpenMounts::default(), grown: 0, work: 0 }
    }

    /// A sandbox; one that holds nothing for a number that is none's.
    pub(crate) fn node(&self, s: SbxId) -> &Node {
        // The three fixed nodes are always there.
        self.nodes.get(s.0 as usize).unwrap_or(&self.nodes[0])
    }

    pub(crate) fn node_mut(&mut self, s: SbxId) -> Option<&mut Node> {
        self.nodes.get_mut(s.0 as usize)
    }

    /// The sandbox and all it was made under, innermost first.
    pub(crate) fn ancestors(&self, s: SbxId) -> Vec<SbxId> {
        let mut found = Vec::new();
        let mut work = BTreeSet::from([s]);
        while let Some(next) = work.pop_last() {
            found.push(next);
            work.extend(&self.node(next).parents);
        }
        found
    }

    /// Is the first one made, by however many steps, under the second, or the same?
    pub(crate) fn is_within(&self, inner: SbxId, outer: SbxId) -> bool {
        let mut work = BTreeSet::from([inner]);
        while let Some(next) = work.pop_last() {
            if next <= outer {
                return next == outer;
            }
            work.extend(self.node(next).parents.iter().filter(|parent| **parent >= outer));
        }
        false
    }

    /// Adds a sandbox made under another.
    pub(crate) fn make(&mut self, holder: SbxId, holding: Holding) -> Result<SbxId, &'static str> {
        if holder != ROOT && self.nodes.len() >= MAX_SANDBOXES - KEPT_FOR_ROOT {
            return Err("too many sandboxes");
        }
        self.grow(vec![holder], NodeKind::Made, holding)
    }

    fn grow(&mut self, parents: Vec<SbxId>, kind: NodeKind, holding: Holding) -> Result<SbxId, &'static str> {
        if self.nodes.len() >= MAX_SANDBOXES {
            return Err("too many sandboxes");
        }
        let depth = parents.iter().map(|parent| self.node(*parent).depth).max().unwrap_or(0) + 1;
        if depth > MAX_NESTING {
            return Err("sandboxes nest too deep");
        }
        let id = SbxId(u32::try_from(self.nodes.len()).map_err(|_| "too many sandboxes")?);
        let revoked = parents.iter().any(|parent| self.node(*parent).revoked);
        self.grown += self.weight(&parents, &holding);
        let mut node = Node::new(parents, kind, depth, holding);
        node.revoked = revoked;
        self.nodes.push(node);
        Ok(id)
    }

    /// Bytes that a node takes: they stay for the realm's life. What it shares with those it comes from is theirs.
    fn weight(&self, parents: &[SbxId], holding: &Holding) -> usize {
        let (mut view, mut subjects) = (holding.view.weight(), holding.view.weight());
        subjects += holding.rights.subjects().env.iter().map(weight_of).sum::<usize>();
        for parent in parents.iter().map(|parent| self.node(*parent)) {
            if Arc::ptr_eq(&parent.view, &holding.view) {
                view = 0;
            }
            if std::ptr::eq(parent.rights.subjects(), holding.rights.subjects()) {
                subjects = 0;
            }
        }
        // Places are kept apart for reading and for writing.
        size_of::<Node>() + NODE_BLOCKS + view + 2 * subjects
    }

    /// The sandbox that holds what both hold. It is one of the two when that one was made under the other.
    pub(crate) fn meet(&mut self, a: SbxId, b: SbxId) -> SbxId {
        if a == b || b == ANY {
            return a;
        }
        if a == ANY {
            return b;
        }
        let key = (a.min(b), a.max(b));
        if let Some(known) = self.meets.get(&key) {
            return *known;
        }
        let met = self.find_meet(key.0, key.1);
        if self.meets.len() >= MAX_MEETS {
            self.meets.clear();
        }
        self.meets.insert(key, met);
        met
    }

    /// `a` is the older of the two.
    fn find_meet(&mut self, a: SbxId, b: SbxId) -> SbxId {
        if a == VOID || b == VOID {
            return VOID;
        }
        if self.is_within(b, a) {
            return b;
        }
        let mut generators: Vec<SbxId> = [a, b].iter().flat_map(|s| self.generators(*s)).collect();
        generators.sort_unstable();
        generators.dedup();
        self.work += FINDING;
        if generators.len() > MAX_TOGETHER {
            return VOID;
        }
        // Each is compared with each, by a walk up from it.
        self.work += (generators.len() * generators.len()) as u64;
        let least: Vec<SbxId> =
            generators.iter().filter(|g| !generators.iter().any(|h| h != *g && self.is_within(*h, **g))).copied().collect();
        if let [only] = least.as_slice() {
            return *only;
        }
        if let Some(known) = self.by_generators.get(&least) {
            return *known;
        }
        let (left, right) = (self.node(a), self.node(b));
        let rights = left.rights.intersection(&right.rights);
        let (left, right) = (Arc::clone(&left.view), Arc::clone(&right.view));
        self.work += (left.len() * right.len()) as u64;
        let view = Arc::new(left.meet(&right, self.open.of_meeting()));
        // Of the directories both hold, those that could be opened: a bounded number, which the names alone would not be.
        let subjects = Subjects { dirs: view.dirs(), ..rights.subjects().clone() };
        let rights = rights.with_subjects(subjects);
        if self.nodes.len() >= MAX_SANDBOXES - KEPT_FOR_ROOT {
            return VOID;
        }
        let met = self.grow(vec![a, b], NodeKind::Meet, Holding { rights, view, limits: Limits::none() }).unwrap_or(VOID);
        if met != VOID {
            self.by_generators.insert(least, met);
        }
        met
    }

    /// The made sandboxes that a node stands for: itself, or those that meet in it.
    fn generators(&self, s: SbxId) -> Vec<SbxId> {
        let mut found = Vec::new();
        let mut work = BTreeSet::from([s]);
        while let Some(next) = work.pop_last() {
            let node = self.node(next);
            match node.kind {
                NodeKind::Made => found.push(next),
                NodeKind::Meet => work.extend(&node.parents),
            }
        }
        found
    }

    /// Revokes a sandbox and all made under it, and lets go of what they hold open.
    pub(crate) fn revoke(&mut self, s: SbxId) {
        if s == ANY || s == VOID {
            return;
        }
        let start = s.0 as usize;
        for n in start..self.nodes.len() {
            let inherited = n != start && self.nodes.get(n).is_some_and(|node| node.parents.iter().any(|p| self.node(*p).revoked));
            if let Some(node) = self.nodes.get_mut(n)
                && (n == start || inherited)
            {
                node.revoked = true;
                node.view = Arc::default();
            }
        }
    }

    pub(crate) fn is_revoked(&self, s: SbxId) -> bool {
        self.node(s).revoked
    }

    pub(crate) fn has(&self, s: SbxId, native: NativeId) -> bool {
        let node = self.node(s);
        !node.revoked && node.rights.natives().has(native)
    }

    pub(crate) fn limits(&self, s: SbxId) -> &Limits {
        &self.node(s).limits
    }

    pub(crate) fn left(&self, s: SbxId, budget: Budget) -> u64 {
        let node = self.node(s);
        match node.limits.of(budget) {
            NO_LIMIT => NO_LIMIT,
            limit => limit.saturating_sub(node.used.of(budget)),
        }
    }

    pub(crate) fn add_handles(&mut self, s: SbxId, opened: bool) {
        if let Some(node) = self.node_mut(s) {
            let handles = &mut node.used.handles;
            *handles = if opened { handles.saturating_add(1) } else { handles.saturating_sub(1) };
        }
    }

    /// Counts a use of a budget.
    pub(crate) fn add(&mut self, s: SbxId, budget: Budget, amount: u64) {
        if let Some(node) = self.node_mut(s) {
            node.used.add(budget, amount);
        }
    }

    /// Starts the clock of a sandbox that is entered, and of all it was made under.
    pub(crate) fn start(&mut self, s: SbxId, now: f64) {
        for s in self.ancestors(s) {
            if let Some(node) = self.node_mut(s) {
                node.started.get_or_insert(now);
            }
        }
    }

    /// When it was first entered, on the clock that only goes forward.
    pub(crate) fn started(&self, s: SbxId) -> Option<f64> {
        self.node(s).started
    }

    /// When its time is up, on the clock that only goes forward.
    pub(crate) fn deadline(&self, s: SbxId) -> Option<f64> {
        let node = self.node(s);
        #[allow(clippy::cast_precision_loss, reason = "milliseconds")]
        (node.limits.wall_ms != NO_LIMIT).then(|| node.started.map(|started| started + node.limits.wall_ms as f64))?
    }

    /// Makes room in the logs: the longest ones lose the older half of their rows, so that what has little keeps it. Gives how many rows went.
    pub(crate) fn trim_logs(&mut self) -> usize {
        let longest = self.nodes.iter().map(|node| node.log.len()).max().unwrap_or(0);
        if longest < 2 {
            return 0;
        }
        self.nodes.iter_mut().map(|node| node.log.trim(longest / 2)).sum()
    }

    /// How many sandboxes were made after this one.
    pub(crate) fn after(&self, s: SbxId) -> usize {
        self.nodes.len().saturating_sub(s.0 as usize)
    }

    /// All sandboxes made under this one, itself and meetings included.
    pub(crate) fn within(&self, s: SbxId) -> Vec<SbxId> {
        let mut inside = vec![false; self.nodes.len()];
        let mut found = Vec::new();
        for (n, node) in self.nodes.iter().enumerate().skip(s.0 as usize) {
            let is = n == s.0 as usize || node.parents.iter().any(|p| inside.get(p.0 as usize) == Some(&true));
            if let (true, Some(mark), Ok(id)) = (is, inside.get_mut(n), u32::try_from(n)) {
                *mark = true;
                found.push(SbxId(id));
            }
        }
        found
    }
}

impl Node {
    fn new(parents: Vec<SbxId>, kind: NodeKind, depth: u32, holding: Holding) -> Node {
        Node {
            parents,
            kind,
            depth,
            rights: holding.rights,
            view: holding.view,
            limits: Arc::new(holding.limits),
            used: Usage::default(),
            started: None,
            revoked: false,
            log: Log::default(),
        }
    }
}
