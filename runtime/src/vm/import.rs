//! Whose the standard library is: what a sandbox's own code names of it stays that sandbox's.
//!
//! The library's functions, natives and builtins have no home: they do what the code that calls them may do. Code of a sandbox could hand
//! one out, and whoever called it would lend it his own rights. So what is named in a sandbox is at home there, like any function
//! made there: a native or builtin carries the sandbox's number, and `use` gives a sandbox's unit copies of its own of the library's names.
//! The root's code, to which nothing is to be denied, gets the library's own.

use super::Vm;
use crate::builtin::Fault;
use crate::heap::{Function, UnitId};
use crate::value::{Kind, StrId, Value};
use ilu_sbx::{ANY, ROOT, SbxId};
use std::collections::HashMap;

/// What a builtin or native carries when it is named with this authority.
#[inline]
pub(super) const fn place_of(authority: SbxId) -> u32 {
    if authority.0 == ROOT.0 { ANY.0 } else { authority.0 }
}

impl Vm {
    /// A module's names as a unit gets them: the library's own for the root's code and the library's, copies at home in the sandbox for
    /// any other. The same copies each time, so that using a module twice gives nothing new.
    pub(super) fn names_for(&mut self, unit: UnitId, names: Value) -> Result<Value, Fault> {
        let unit_of = self.heap.units.get(unit).ok_or(Fault::Broken("no unit"))?;
        let home = unit_of.home;
        if home == ANY || home == ROOT {
            return Ok(names);
        }
        if let Some((_, copy)) = unit_of.used.iter().find(|(own, _)| *own == names) {
            return Ok(*copy);
        }
        let mut copies = HashMap::new();
        let copy = self.object_at_home(names, home, true, &mut copies)?;
        let objects = copies.into_iter().filter(|(own, _): &(Value, Value)| own.as_object().is_some());
        for (own, copy) in objects {
            self.heap.used(unit, own, copy)?;
        }
        Ok(copy)
    }

    /// What the library calls one of its objects, or a unit's copy of one.
    pub(super) fn library_name(&self, value: Value) -> Option<&str> {
        let unit = self.frames.last().and_then(|frame| self.heap.units.get(frame.unit));
        let own = unit.and_then(|unit| unit.used.iter().find(|(_, copy)| *copy == value)).map_or(value, |(own, _)| *own);
        self.modules.name_of(own)
    }

    /// A frozen copy of an object of the library with everything in it at home; `within`: the objects in it too. What occurs twice is
    /// copied once.
    fn object_at_home(&mut self, own: Value, home: SbxId, within: bool, copies: &mut HashMap<Value, Value>) -> Result<Value, Fault> {
        let Some(id) = own.as_object() else { return Err(Fault::Broken("not an object")) };
        let entries: Vec<(StrId, Value)> = self.heap.entries(id).collect();
        let object = self.heap.object_new()?;
        for (name, value) in entries {
            let copy = match (copies.get(&value), value.kind()) {
                (Some(copy), _) => *copy,
                (None, Kind::Builtin(_) | Kind::Native(_)) => value.named_in(place_of(home)),
                (None, Kind::Object(_)) if within => self.object_at_home(value, home, false, copies)?,
                (None, Kind::Function(id)) => match self.heap.function(id) {
                    Some(function) if function.home == ANY => {
                        let function = Function { home, ..function.clone() };
                        let copy = self.heap.function_new(function)?.into();
                        copies.insert(value, copy);
                        copy
                    }
                    _ => value,
                },
                _ => value,
            };
            self.heap.set(object, name, copy)?;
        }
        self.heap.freeze(object.into());
        copies.insert(own, object.into());
        Ok(object.into())
    }
}
