//! What crosses from one isolate to another: values as plain data that belongs to no heap.
//!
//! Shape is kept: what was shared is shared, what was a cycle is one. A function takes with it its unit (the program, and of the
//! unit's variables those that it can reach) and its home.

use crate::heap::{Origin, Shared};
use crate::value::Value;
use ilu_cap::NativeId;
use ilu_lang::code::program::Program;
use ilu_sbx::{Lease, Sandbox, SbxId};
use std::sync::Arc;

/// A value on its way.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(super) content: Content,
    /// Bytes it holds, and no fewer than it takes on a heap.
    pub(super) bytes: usize,
    /// The bytes, out of the sender's budget.
    #[allow(dead_code, reason = "it is there to be dropped with the parcel")]
    pub(super) lease: Option<Lease>,
}

#[derive(Debug)]
pub(super) enum Content {
    /// Something that is on no heap: a number, nil, a boolean.
    Now(Value),
    /// One text.
    Text(Box<str>),
    /// Anything else.
    Graph(Box<Graph>),
}

/// Values that refer to each other by place.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) root: Part,
    pub(super) nodes: Vec<Node>,
    pub(super) units: Vec<UnitNode>,
    pub(super) homes: Vec<Sandbox>,
}

/// A value inside a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// Something that is on no heap.
    Now(Value),
    /// The node of this number.
    Node(u32),
    /// A builtin or native, and where it was named.
    Named(Value, Home),
}

/// A sandbox.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Home {
    /// One that has the same place in all realms.
    Fixed(SbxId),
    /// The parcel's sandbox of this number.
    Made(u32),
}

/// A value that is on a heap at both ends.
#[derive(Debug)]
pub(super) enum Node {
    Text(Box<str>),
    Bytes(Box<[u8]>),
    List {
        items: Box<[Part]>,
        frozen: bool,
    },
    /// Keys are nodes.
    Object {
        fields: Box<[(u32, Part)]>,
        frozen: bool,
    },
    Cell(Part),
    Function {
        unit: u32,
        function: u32,
        home: Home,
        gate: bool,
        captures: Box<[Part]>,
    },
    Shared(Shared),
    Method {
        of: u32,
        native: NativeId,
        home: Home,
    },
    Sandbox(Home),
}

/// A unit that functions in a parcel belong to.
#[derive(Debug)]
pub(super) struct UnitNode {
    pub(super) key: u64,
    pub(super) program: Arc<Program>,
    pub(super) home: Home,
    pub(super) origin: Origin,
    /// Variables that the functions can reach: slots and values.
    pub(super) globals: Vec<(u32, Part)>,
}

impl Parcel {
    /// Nothing.
    pub const NIL: Self = Self { content: Content::Now(Value::NIL), bytes: 0, lease: None };

    /// One text.
    pub fn text(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        Self { bytes: text.len() + TEXT, content: Content::Text(text), lease: None }
    }

    /// With its bytes paid for.
    pub fn leased(self, lease: Lease) -> Self {
        Self { lease: Some(lease), ..self }
    }

    /// Bytes it holds, and no fewer than it takes on a heap.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The value, when it is on no heap.
    pub(crate) const fn now(&self) -> Option<Value> {
        match self.content {
            Content::Now(value) => Some(value),
            _ => None,
        }
    }
}

/// Bytes that a text takes beside itself, as a node or on a heap, whichever is more.
pub(super) const TEXT: usize = 96;
/// Bytes that any other node takes beside its parts.
pub(super) const NODE: usize = 160;
/// Bytes of an element of a list or a capture.
pub(super) const PART: usize = 32;
/// Bytes of a field of an object.
pub(super) const FIELD: usize = 80;
