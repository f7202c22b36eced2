//! Taking values out of a heap.
//!
//! Breadth first over a list of nodes that are still to be made, so nothing recurses. What it holds is bounded by what the sender has
//! room for, and paid for in fuel, both while it grows.

use super::parcel::{Content, FIELD, Graph, Home, NODE, Node, PART, Parcel, Part, TEXT, UnitNode};
use crate::heap::{Bound, Heap, Overrun, STEP_BYTES, Unit, UnitId};
use crate::value::{Kind, StrId, Value};
use ilu_lang::code::op::Op;
use ilu_sbx::{ANY, ROOT, Sandbox, SbxId, VOID};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Why a value can't cross.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It is too much.
    Overrun(Overrun),
    /// Something in it belongs to one isolate: what `typ` says of that.
    Bound(&'static str),
    /// The interpreter contradicted itself.
    Broken(&'static str),
}

impl From<Overrun> for Refused {
    fn from(overrun: Overrun) -> Self {
        Refused::Overrun(overrun)
    }
}

/// Words of code looked through for one step of work.
const WORDS_PER_STEP: usize = 16;

/// A copy of a value that belongs to no heap, and the work it took. `sandbox` gives the sandboxes that homes are numbers of.
pub(crate) fn pack(heap: &Heap, value: Value, bound: Bound, sandbox: &dyn Fn(SbxId) -> Sandbox) -> Result<(Parcel, u64), Refused> {
    match value.kind() {
        Kind::Num(_) | Kind::Nil | Kind::Bool(_) | Kind::Unset => {
            return Ok((Parcel { content: Content::Now(value), bytes: 0, lease: None }, 1));
        }
        Kind::Str(id) => {
            let (text, mut packer) = (heap.str(id), Packer::new(heap, bound, sandbox));
            packer.take(text.len() + TEXT, text.len() / STEP_BYTES)?;
            return Ok((Parcel::text(text), packer.work));
        }
        _ => {}
    }
    let mut packer = Packer::new(heap, bound, sandbox);
    let root = packer.part(value)?;
    while let Some(&next) = packer.sources.get(packer.nodes.len()) {
        let node = packer.node(next)?;
        packer.nodes.push(node);
    }
    let Packer { nodes, units, homes, bytes, work, .. } = packer;
    let units = units.into_iter().map(|unit| unit.node).collect();
    Ok((Parcel { content: Content::Graph(Box::new(Graph { root, nodes, units, homes })), bytes, lease: None }, work))
}

/// A unit as far as it was followed.
struct UnitWork {
    node: UnitNode,
    id: UnitId,
    /// Functions whose code was looked through.
    functions: HashSet<u32>,
    /// Variables that are in the parcel.
    slots: HashSet<u32>,
}

struct Packer<'a> {
    heap: &'a Heap,
    bound: Bound,
    sandbox: &'a dyn Fn(SbxId) -> Sandbox,
    /// Values that become the nodes of the same places.
    sources: Vec<Value>,
    places: HashMap<u64, u32>,
    nodes: Vec<Node>,
    units: Vec<UnitWork>,
    unit_places: HashMap<UnitId, u32>,
    homes: Vec<Sandbox>,
    home_places: HashMap<SbxId, u32>,
    bytes: usize,
    work: u64,
}

impl<'a> Packer<'a> {
    fn new(heap: &'a Heap, bound: Bound, sandbox: &'a dyn Fn(SbxId) -> Sandbox) -> Self {
        Self {
            heap,
            bound,
            sandbox,
            sources: Vec::new(),
            places: HashMap::new(),
            nodes: Vec::new(),
            units: Vec::new(),
            unit_places: HashMap::new(),
            homes: Vec::new(),
            home_places: HashMap::new(),
            bytes: 0,
            work: 1,
        }
    }

    /// Books bytes and work before they are taken.
    fn take(&mut self, bytes: usize, steps: usize) -> Result<(), Overrun> {
        let before = self.work;
        self.work = self.work.saturating_add(1 + steps as u64);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.work > self.bound.work {
            return Err(Overrun::Work);
        }
        if self.bytes > self.bound.bytes {
            return Err(Overrun::Bytes(self.bytes));
        }
        if self.heap.watch.is_late(before, self.work) { Err(Overrun::Late) } else { Ok(()) }
    }

    /// A value as a part; what is on the heap gets a place among the nodes.
    fn part(&mut self, value: Value) -> Result<Part, Refused> {
        Ok(match value.kind() {
            Kind::Num(_) | Kind::Nil | Kind::Bool(_) | Kind::Unset => Part::Now(value),
            Kind::Builtin(_) | Kind::Native(_) => Part::Named(value.named_in(0), self.home(SbxId(value.home()))?),
            _ => Part::Node(self.place(value)?),
        })
    }

    fn parts(&mut self, values: &[Value]) -> Result<Box<[Part]>, Refused> {
        self.take(values.len() * PART, values.len())?;
        values.iter().map(|&value| self.part(value)).collect()
    }

    fn place(&mut self, value: Value) -> Result<u32, Refused> {
        if let Some(&known) = self.places.get(&value.bits()) {
            return Ok(known);
        }
        // The node's own bytes are booked when it is made; this is what finds it.
        self.take(NODE, 0)?;
        let place = u32::try_from(self.sources.len()).map_err(|_| Overrun::Bytes(usize::MAX))?;
        self.sources.push(value);
        self.places.insert(value.bits(), place);
        Ok(place)
    }

    fn home(&mut self, home: SbxId) -> Result<Home, Refused> {
        if [ANY, ROOT, VOID].contains(&home) {
            return Ok(Home::Fixed(home));
        }
        if let Some(&known) = self.home_places.get(&home) {
            return Ok(Home::Made(known));
        }
        self.take(NODE, 0)?;
        let place = self.homes.len() as u32;
        self.homes.push((self.sandbox)(home));
        self.home_places.insert(home, place);
        Ok(Home::Made(place))
    }

    fn text(&mut self, id: StrId) -> Result<Box<str>, Refused> {
        let text = self.heap.str(id);
        self.take(text.len() + TEXT, text.len() / STEP_BYTES)?;
        Ok(text.into())
    }

    fn node(&mut self, value: Value) -> Result<Node, Refused> {
        let heap = self.heap;
        Ok(match value.kind() {
            Kind::Str(id) => Node::Text(self.text(id)?),
            Kind::Bytes(id) => {
                let bytes = heap.bytes(id);
                self.take(bytes.len(), bytes.len() / STEP_BYTES)?;
                Node::Bytes(bytes.into())
            }
            Kind::List(id) => Node::List { items: self.parts(heap.list(id))?, frozen: heap.is_frozen(value) },
            Kind::Object(id) => {
                let count = heap.object_len(id);
                self.take(count * FIELD, count)?;
                let mut fields = Vec::with_capacity(count);
                for (key, field) in heap.entries(id) {
                    fields.push((self.place(key.into())?, self.part(field)?));
                }
                Node::Object { fields: fields.into_boxed_slice(), frozen: heap.is_frozen(value) }
            }
            Kind::Cell(id) => Node::Cell(self.part(heap.cell(id))?),
            Kind::Function(id) => {
                let function = heap.function(id).ok_or(Refused::Broken("a sent function was collected"))?;
                let (unit, home) = (self.unit(function.unit)?, self.home(function.home)?);
                self.follow(unit, function.function)?;
                let captures = self.parts(&function.captures)?;
                Node::Function { unit, function: function.function, home, gate: function.gate, captures }
            }
            Kind::Handle(id) => match heap.shared(id) {
                Some(shared) => Node::Shared(shared.clone()),
                None => return Err(Refused::Bound(heap.type_name(value))),
            },
            Kind::Method(id) => {
                let method = heap.method(id).ok_or(Refused::Broken("a sent method was collected"))?;
                Node::Method { of: self.place(method.of.into())?, native: method.native, home: self.home(method.home)? }
            }
            Kind::Sandbox(id) => {
                let sandbox = heap.sandbox(id).ok_or(Refused::Broken("a sent sandbox was collected"))?;
                Node::Sandbox(self.home(sandbox)?)
            }
            Kind::Num(_) | Kind::Nil | Kind::Bool(_) | Kind::Unset | Kind::Builtin(_) | Kind::Native(_) => {
                return Err(Refused::Broken("a node that is on no heap"));
            }
        })
    }

    fn unit(&mut self, id: UnitId) -> Result<u32, Refused> {
        if let Some(&known) = self.unit_places.get(&id) {
            return Ok(known);
        }
        let unit = self.heap.units.get(id).ok_or(Refused::Broken("a sent unit was collected"))?;
        self.take(NODE + unit.held() + unit.constants.len() * TEXT, unit.constants.len() + unit.sites.len())?;
        let home = self.home(unit.home)?;
        let place = self.units.len() as u32;
        let (program, origin) = (Arc::clone(&unit.program), unit.origin.clone());
        let node = UnitNode { key: unit.key, program, home, origin, globals: Vec::new() };
        self.units.push(UnitWork { node, id, functions: HashSet::new(), slots: HashSet::new() });
        self.unit_places.insert(id, place);
        Ok(place)
    }

    /// Finds the module variables that a function's code names, and those of the functions that it makes.
    fn follow(&mut self, unit: u32, function: u32) -> Result<(), Refused> {
        let broken = Refused::Broken("a sent unit is not there");
        let Some(work) = self.units.get_mut(unit as usize) else { return Err(broken) };
        if !work.functions.insert(function) {
            return Ok(());
        }
        let (id, program) = (work.id, Arc::clone(&work.node.program));
        let mut makes = vec![function];
        while let Some(next) = makes.pop() {
            let Some(code) = program.functions.get(next as usize) else { return Err(Refused::Broken("function")) };
            let words = program.code.get(code.entry as usize..code.end as usize).unwrap_or_default();
            self.take(PART, words.len() / WORDS_PER_STEP)?;
            for word in words {
                match Op::from_number(word.op()) {
                    Some(Op::GetGlobal) => self.global(unit, id, word.k())?,
                    Some(Op::Closure) => {
                        let new = self.units.get_mut(unit as usize).is_some_and(|work| work.functions.insert(word.k()));
                        makes.extend(new.then_some(word.k()));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn global(&mut self, unit: u32, id: UnitId, slot: u32) -> Result<(), Refused> {
        let heap = self.heap;
        let (Some(work), Some(of)) = (self.units.get_mut(unit as usize), heap.units.get(id)) else {
            return Err(Refused::Broken("a sent unit is not there"));
        };
        if !work.slots.insert(slot) {
            return Ok(());
        }
        let value = variable(heap, of, slot);
        if value == Value::UNSET {
            return Ok(());
        }
        self.take(2 * PART, 0)?;
        let part = self.part(value)?;
        if let Some(work) = self.units.get_mut(unit as usize) {
            work.node.globals.push((slot, part));
        }
        Ok(())
    }
}

/// What a module variable holds, or the copied name that it stands for.
fn variable(heap: &Heap, unit: &Unit, slot: u32) -> Value {
    match unit.globals.get(slot as usize).map(Cell::get) {
        Some(value) if value != Value::UNSET => value,
        _ => {
            let name = unit.program.globals.get(slot as usize).map_or("", |global| &*global.name);
            heap.known_key(name).and_then(|key| unit.imports.get(&key).copied()).unwrap_or(Value::UNSET)
        }
    }
}
