//! Plain data that crosses the doorway, both ways.
//!
//! Natives, host functions, the event record and tapes all speak this and never the VM's values.

/// A result of a native.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain {
    /// `nil`
    Nil,
    /// `tru`, `fls`
    Bool(bool),
    /// A finite number; the VM refuses any other.
    Num(f64),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Plain>),
    /// An object, in order.
    Object(Vec<(String, Plain)>),
    /// An open resource: its place in the realm's table.
    Handle(HandleId),
}

/// An open resource's place in the realm's table: index and generation, so that a closed one's number is never taken for a newer one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandleId {
    /// Slot.
    pub index: u32,
    /// How often the slot had been reused.
    pub generation: u32,
}

/// An argument of a native, borrowed from the caller's heap.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg<'a> {
    /// `nil`
    Nil,
    /// `tru`, `fls`
    Bool(bool),
    /// A number.
    Num(f64),
    /// Text.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list; its elements nest at most [`MAX_ARG_DEPTH`] deep.
    List(Vec<Arg<'a>>),
    /// An object, in order; nests at most [`MAX_ARG_DEPTH`] deep.
    Object(Vec<(&'a str, Arg<'a>)>),
    /// An open resource.
    Handle(HandleId),
    /// Anything else, or something nested too deep: the `typ` of it.
    Other(&'static str),
}

/// Deepest nesting of an argument that natives look at; options are objects of objects at most.
pub const MAX_ARG_DEPTH: usize = 4;

impl Arg<'_> {
    /// What `typ` says of it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Arg::Nil => "nil",
            Arg::Bool(_) => "bol",
            Arg::Num(_) => "num",
            Arg::Str(_) => "str",
            Arg::Bytes(_) => "byt",
            Arg::List(_) => "lst",
            Arg::Object(_) => "obj",
            Arg::Handle(_) => "fil",
            Arg::Other(name) => name,
        }
    }
}
