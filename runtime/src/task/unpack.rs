//! Putting what was sent on a heap.
//!
//! First every node gets its value, empty where it has parts, then the parts are put in: so cycles need no care. Everything is charged as
//! if the script had made it.

use super::parcel::{Content, Graph, Home, Node, Parcel, Part, UnitNode};
use crate::heap::{Full, Function, Heap, Method, UnitId};
use crate::value::{Kind, StrId, Value};
use ilu_sbx::{Sandbox, SbxId};
use std::sync::Arc;

/// What was sent, on this heap. `adopt` gives the place that a sandbox has in this realm.
pub(crate) fn unpack(heap: &mut Heap, parcel: &Parcel, adopt: &mut dyn FnMut(&Sandbox) -> SbxId) -> Result<Value, Full> {
    match &parcel.content {
        Content::Now(value) => Ok(*value),
        Content::Text(text) => heap.string(text),
        Content::Graph(graph) => {
            let homes = graph.homes.iter().map(adopt).collect();
            Unpacker { heap, graph, homes, units: Vec::new(), values: Vec::with_capacity(graph.nodes.len()) }.run()
        }
    }
}

struct Unpacker<'a> {
    heap: &'a mut Heap,
    graph: &'a Graph,
    homes: Vec<SbxId>,
    units: Vec<UnitId>,
    values: Vec<Value>,
}

impl Unpacker<'_> {
    fn run(mut self) -> Result<Value, Full> {
        let graph = self.graph;
        let bytes = graph.nodes.len() * size_of::<Value>();
        self.heap.charge(bytes)?;
        let made = self.make();
        self.heap.release(bytes);
        made?;
        Ok(self.part(graph.root))
    }

    fn make(&mut self) -> Result<(), Full> {
        let graph = self.graph;
        for unit in &graph.units {
            let id = match self.heap.units.of_key(unit.key) {
                Some(own) => own,
                None => {
                    let home = self.home(unit.home);
                    self.heap.unit_copied(unit.key, Arc::clone(&unit.program), home, unit.origin.clone())?
                }
            };
            self.units.push(id);
        }
        for node in &graph.nodes {
            let value = self.empty(node)?;
            self.values.push(value);
        }
        for (at, node) in graph.nodes.iter().enumerate() {
            let Node::Method { of, native, home } = node else { continue };
            let Some(Kind::Handle(of)) = self.values.get(*of as usize).map(|of| of.kind()) else { continue };
            let home = self.home(*home);
            let method = self.heap.method_new(Method { of, native: *native, home })?;
            if let Some(place) = self.values.get_mut(at) {
                *place = method;
            }
        }
        for (at, node) in graph.nodes.iter().enumerate() {
            let value = self.values.get(at).copied().unwrap_or(Value::NIL);
            self.fill(value, node)?;
        }
        for (at, unit) in graph.units.iter().enumerate() {
            self.globals(at, unit);
        }
        Ok(())
    }

    fn home(&self, home: Home) -> SbxId {
        match home {
            Home::Fixed(home) => home,
            Home::Made(at) => self.homes.get(at as usize).copied().unwrap_or(ilu_sbx::VOID),
        }
    }

    fn part(&self, part: Part) -> Value {
        match part {
            Part::Now(value) => value,
            Part::Node(at) => self.values.get(at as usize).copied().unwrap_or(Value::NIL),
            Part::Named(value, home) => value.named_in(self.home(home).0),
        }
    }

    /// A node's value, as far as it needs no other.
    fn empty(&mut self, node: &Node) -> Result<Value, Full> {
        Ok(match node {
            Node::Text(text) => self.heap.string(text)?,
            Node::Bytes(bytes) => self.heap.bytes_copied(bytes)?,
            Node::List { items, .. } => self.heap.list_with_capacity(items.len())?.into(),
            Node::Object { .. } => self.heap.object_new()?.into(),
            Node::Cell(_) => self.heap.cell_new(Value::NIL)?.into(),
            Node::Function { unit, function, home, gate, captures } => {
                let unit = self.units.get(*unit as usize).copied().unwrap_or(UnitId(u32::MAX));
                let bytes = captures.len() * size_of::<Value>();
                self.heap.charge(bytes)?;
                let captures = vec![Value::NIL; captures.len()].into_boxed_slice();
                self.heap.release(bytes);
                let home = self.home(*home);
                self.heap.function_new(Function { unit, function: *function, home, gate: *gate, captures })?.into()
            }
            Node::Shared(shared) => self.heap.shared_new(shared.clone())?,
            // Once its resource is there.
            Node::Method { .. } => Value::NIL,
            Node::Sandbox(home) => {
                let home = self.home(*home);
                self.heap.sandbox_new(home)?
            }
        })
    }

    fn fill(&mut self, value: Value, node: &Node) -> Result<(), Full> {
        match (node, value.kind()) {
            (Node::List { items, frozen }, Kind::List(id)) => {
                for &item in items {
                    let item = self.part(item);
                    self.heap.list_push(id, item)?;
                }
                if *frozen {
                    self.heap.freeze(value);
                }
            }
            (Node::Object { fields, frozen }, Kind::Object(id)) => {
                for &(key, field) in fields {
                    let key = self.key(key)?;
                    let field = self.part(field);
                    self.heap.set(id, key, field)?;
                }
                if *frozen {
                    self.heap.freeze(value);
                }
            }
            (Node::Cell(held), Kind::Cell(id)) => {
                let held = self.part(*held);
                self.heap.set_cell(id, held);
            }
            (Node::Function { captures, .. }, Kind::Function(id)) => {
                for (at, &capture) in captures.iter().enumerate() {
                    let capture = self.part(capture);
                    self.heap.set_capture(id, at, capture);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn key(&mut self, at: u32) -> Result<StrId, Full> {
        match self.values.get(at as usize).and_then(|value| value.as_str()) {
            Some(id) => self.heap.key(id),
            None => self.heap.intern(""),
        }
    }

    /// Variables that this isolate's copy of the unit has no value for yet. What it has is its own.
    fn globals(&mut self, at: usize, unit: &UnitNode) {
        let Some(&id) = self.units.get(at) else { return };
        for &(slot, part) in &unit.globals {
            let value = self.part(part);
            if let Some(place) = self.heap.units.get(id).and_then(|unit| unit.globals.get(slot as usize))
                && place.get() == Value::UNSET
            {
                place.set(value);
            }
        }
    }
}
