//! Which natives a program can reach, found without running it.
//!
//! The program's code is walked as the VM would walk it, with *what a register may hold* in place of values ([`value`]). What is followed
//! exactly: functions, natives, builtins, literal texts, modules and object literals, through registers, module variables, parameters
//! and results. What leaves those ways (into a list, a capture, an error, an argument of a builtin) has *escaped*: it counts as reached,
//! and as called with anything. So a call of an unknown value needs no guess: whatever function it may be was counted where it escaped.
//! Only code that is not there to be looked at can't be told: text and files that a sandbox is given at run time.
//!
//! Nothing here runs anything or reads anything but the program's own modules, through the loader that a run would use.

mod flow;
mod methods;
mod unit;
mod value;

use crate::engine::Engine;
use crate::vm::module::Loader;
use ilu_cap::NativeId;
use ilu_lang::code::program::Program;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use unit::{Origin, Unit};
use value::{Fun, Table, What};

/// What a program can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The natives, in the registry's order.
    pub natives: Vec<Reached>,
    /// Where it can't be told what runs, in the order in which the places were found.
    pub unknown: Vec<Unknown>,
}

/// A native and one way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The native.
    pub native: NativeId,
    /// From the program's top level to the function that calls it: a shortest way.
    pub path: Vec<Step>,
}

/// A place from which code runs that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What it is, in words.
    pub why: String,
    /// One way to it.
    pub path: Vec<Step>,
}

/// A function on the way, and where in it the way goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name; `main` for a unit's top level, `\` for a lambda.
    pub function: String,
    /// The source's name.
    pub file: String,
    /// The line that calls or names what comes next.
    pub line: usize,
}

/// What a way leads through or to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Node {
    Function(Fun),
    Native(NativeId),
    Unknown(usize),
}

/// Rounds after which the walk is given up. Each round looks at all code reached so far; programs settle in a handful.
const MAX_ROUNDS: usize = 400;

/// The state of the walk.
struct Walk<'a> {
    engine: &'a Engine,
    loader: Option<&'a mut (dyn Loader + 'a)>,
    units: Vec<Unit>,
    by_origin: HashMap<Origin, usize>,
    tables: HashMap<Table, TableFacts>,
    functions: HashMap<Fun, Facts>,
    /// Functions in the order in which they were reached.
    order: Vec<Fun>,
    edges: HashMap<Node, Vec<(Node, usize)>>,
    known: HashSet<(Node, Node)>,
    /// Uses of channels and tasks by methods and loops, should there be any.
    methods: BTreeSet<(Fun, NativeId, usize)>,
    unknown: Vec<String>,
    changed: bool,
}

/// What is known of an object literal.
#[derive(Default)]
struct TableFacts {
    fields: HashMap<Box<str>, What>,
    /// Something may have changed its fields, or may.
    loose: bool,
}

/// What is known of a function.
#[derive(Default)]
struct Facts {
    params: Vec<What>,
    result: What,
    /// Code that is not followed may call it.
    escaped: bool,
}

/// Finds what a program can reach. The loader reads the program's own modules; without one they can't be told.
pub fn reach<'a>(engine: &'a Engine, program: &Arc<Program>, loader: Option<&'a mut (dyn Loader + 'a)>) -> Reach {
    let mut walk = Walk {
        engine,
        loader,
        units: Vec::new(),
        by_origin: HashMap::new(),
        tables: HashMap::new(),
        functions: HashMap::new(),
        order: Vec::new(),
        edges: HashMap::new(),
        known: HashSet::new(),
        methods: BTreeSet::new(),
        unknown: Vec::new(),
        changed: false,
    };
    let name = program.source.name.rsplit('/').next().unwrap_or_default();
    let main = walk.add_unit(Origin::Program(name.into()), Arc::clone(program));
    let main = Fun { unit: main, function: 0 };
    walk.enter(main);
    let settled = (0..MAX_ROUNDS).any(|_| walk.round());
    if !settled {
        walk.cannot_tell(main, 1, "the program is too entangled to be followed to its end".to_owned());
    }
    walk.take_methods();
    walk.report(main)
}

impl Walk<'_> {
    /// Looks once at all code reached, what is reached meanwhile included. Whether nothing new came of it.
    fn round(&mut self) -> bool {
        self.changed = false;
        let mut at = 0;
        while let Some(&fun) = self.order.get(at) {
            self.function(fun);
            at += 1;
        }
        !self.changed
    }

    /// Takes a function among those whose code is looked at.
    fn enter(&mut self, fun: Fun) {
        if self.functions.contains_key(&fun) {
            return;
        }
        let params = self.code(fun).map_or(0, |code| usize::from(code.required) + usize::from(code.optional));
        self.functions.insert(fun, Facts { params: vec![What::none(); params], result: What::none(), escaped: false });
        self.order.push(fun);
        self.changed = true;
    }

    /// Notes that a way leads from a function's line to something.
    fn edge(&mut self, from: Fun, to: Node, line: usize) {
        let from = Node::Function(from);
        if from != to && self.known.insert((from, to)) {
            self.edges.entry(from).or_default().push((to, line));
            self.changed = true;
        }
    }

    fn native(&mut self, from: Fun, native: NativeId, line: usize) {
        self.edge(from, Node::Native(native), line);
    }

    fn native_named(&mut self, from: Fun, name: &str, line: usize) {
        if let Some(native) = ilu_cap::by_name(name) {
            self.native(from, native, line);
        }
    }

    fn cannot_tell(&mut self, from: Fun, line: usize, why: String) {
        let seen = |walk: &Self, n: usize| walk.known.contains(&(Node::Function(from), Node::Unknown(n)));
        let known = (0..self.unknown.len()).find(|&n| {
            self.unknown.get(n) == Some(&why)
                && seen(self, n)
                && self.edges.get(&Node::Function(from)).is_some_and(|ways| ways.contains(&(Node::Unknown(n), line)))
        });
        if known.is_none() {
            self.unknown.push(why);
            self.edge(from, Node::Unknown(self.unknown.len() - 1), line);
        }
    }

    /// Shortest ways from the top level, breadth first; ways found first win, so the answer is the same every time.
    fn report(&self, main: Fun) -> Reach {
        let start = Node::Function(main);
        let mut came: HashMap<Node, (Node, usize)> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for &(to, line) in self.edges.get(&node).map_or(&[][..], Vec::as_slice) {
                if to != start && !came.contains_key(&to) {
                    came.insert(to, (node, line));
                    queue.push_back(to);
                }
            }
        }
        let path = |mut node: Node| {
            let mut steps = Vec::new();
            while let Some(&(from, line)) = came.get(&node) {
                if let Node::Function(fun) = from {
                    steps.push(self.step(fun, line));
                }
                node = from;
            }
            steps.reverse();
            steps
        };
        let natives = NativeId::all().filter(|native| came.contains_key(&Node::Native(*native)));
        let natives = natives.map(|native| Reached { native, path: path(Node::Native(native)) }).collect();
        let unknown = self.unknown.iter().enumerate().filter(|(n, _)| came.contains_key(&Node::Unknown(*n)));
        let unknown = unknown.map(|(n, why)| Unknown { why: why.clone(), path: path(Node::Unknown(n)) }).collect();
        Reach { natives, unknown }
    }

    fn step(&self, fun: Fun, line: usize) -> Step {
        let function = self.code(fun).map_or_else(String::new, |code| code.name.to_string());
        let file = self.units.get(fun.unit).map_or_else(String::new, |unit| unit.program.source.name.clone());
        Step { function, file, line }
    }
}
