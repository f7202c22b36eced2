//! What a register may hold, as far as it matters for what can be reached.

use ilu_cap::NativeId;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A function of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Fun {
    pub(super) unit: usize,
    pub(super) function: u32,
}

/// An object literal: the place that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Table {
    pub(super) unit: usize,
    pub(super) word: u32,
}

/// One thing that is followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// A function.
    Fun(Fun),
    /// A native as a value.
    Native(NativeId),
    /// A builtin as a value.
    Builtin(u32),
    /// An object made by a literal.
    Table(Table),
    /// The names of a module.
    Names(usize),
    /// A text.
    Text(Rc<str>),
}

/// Literal texts that one place is followed for; with more it is any text.
const MAX_TEXTS: usize = 16;

/// All that may be in one place: these things and, when `any`, whatever is not followed (then no text is, either: it is one among many).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct What {
    pub(super) any: bool,
    pub(super) atoms: BTreeSet<Atom>,
}

impl What {
    /// Nothing yet.
    pub(super) fn none() -> What {
        What::default()
    }

    /// Something that is not followed.
    pub(super) fn any() -> What {
        What { any: true, atoms: BTreeSet::new() }
    }

    pub(super) fn one(atom: Atom) -> What {
        What { any: false, atoms: BTreeSet::from([atom]) }
    }

    /// Takes in all that the other may be; whether that was new.
    pub(super) fn join(&mut self, other: &What) -> bool {
        let (any, count) = (self.any, self.atoms.len());
        self.any |= other.any;
        self.atoms.extend(other.atoms.iter().cloned());
        let is_text = |atom: &Atom| matches!(atom, Atom::Text(_));
        if !self.any && self.atoms.iter().filter(|atom| is_text(atom)).count() > MAX_TEXTS {
            self.any = true;
        }
        if self.any {
            self.atoms.retain(|atom| !is_text(atom));
        }
        self.any != any || self.atoms.len() != count
    }

    /// The texts it is, when it can be nothing else.
    pub(super) fn texts(&self) -> Option<Vec<Rc<str>>> {
        if self.any {
            return None;
        }
        self.atoms.iter().map(|atom| if let Atom::Text(text) = atom { Some(Rc::clone(text)) } else { None }).collect()
    }
}
