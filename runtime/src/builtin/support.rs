//! What pure builtins share: looking at arguments, building text that is paid for first, comparing within what is left.
//!
//! Prices: a step costs one unit of fuel; [`STEP_BYTES`] of text, or [`STEP_ITEMS`] elements that are only copied, are one step.

use super::{Builtin, BuiltinRow, Cx, Fault, Run};
use crate::heap::{self, Bound, Full, Overrun, STEP_BYTES, Store};
use crate::value::{Kind, ListId, ObjectId, StrId, Value};

/// Copied elements that cost as much as one step.
const STEP_ITEMS: usize = 8;

/// A builtin for the standard library's own sources.
pub(super) const fn row(name: &'static str, args: (u8, u8), run: Builtin, doc: &'static str) -> BuiltinRow {
    BuiltinRow { name, trusted: true, args, run: Run::Pure(run), doc }
}

/// An argument; one that is not given is nil.
pub(super) fn arg(args: &[Value], index: usize) -> Value {
    args.get(index).copied().unwrap_or(Value::NIL)
}

/// Arguments by kind, with an error that names the function, what it takes and what it got.
impl Cx<'_> {
    pub(super) fn wrong(&self, who: &str, takes: &str, got: Value) -> Fault {
        Fault::Message(format!("{who} takes {takes}, got {}", self.heap.type_name(got)))
    }
    pub(super) fn text_arg(&self, args: &[Value], index: usize, who: &str) -> Result<StrId, Fault> {
        let value = arg(args, index);
        value.as_str().ok_or_else(|| self.wrong(who, "a string", value))
    }
    pub(super) fn list_arg(&self, args: &[Value], index: usize, who: &str) -> Result<ListId, Fault> {
        let value = arg(args, index);
        value.as_list().ok_or_else(|| self.wrong(who, "a list", value))
    }
    pub(super) fn object_arg(&self, args: &[Value], index: usize, who: &str) -> Result<ObjectId, Fault> {
        let value = arg(args, index);
        value.as_object().ok_or_else(|| self.wrong(who, "an object", value))
    }
    pub(super) fn num_arg(&self, args: &[Value], index: usize, who: &str) -> Result<f64, Fault> {
        let value = arg(args, index);
        value.as_num().ok_or_else(|| self.wrong(who, "a number", value))
    }
    /// A whole number from 0 on. One that no length can reach becomes the largest there is.
    pub(super) fn count_arg(&self, args: &[Value], index: usize, who: &str) -> Result<usize, Fault> {
        let number = self.num_arg(args, index, who)?;
        if number < 0.0 || number.fract() != 0.0 {
            return Err(Fault::Message(format!("{who} takes a whole number from 0 on, got {}", heap::number(number))));
        }
        Ok(number as usize)
    }
    /// A list that may be changed.
    pub(super) fn open_list(&self, args: &[Value], who: &str) -> Result<ListId, Fault> {
        let id = self.list_arg(args, 0, who)?;
        if self.heap.is_frozen(id.into()) { Err(Fault::Message(format!("{who}: this list is frozen"))) } else { Ok(id) }
    }
    /// The same with elements of its own.
    pub(super) fn own_list(&mut self, args: &[Value], who: &str) -> Result<ListId, Fault> {
        let id = self.open_list(args, who)?;
        let borrowed = self.heap.list_borrowed(id);
        if borrowed > 0 {
            self.spend_copy(borrowed)?;
            self.heap.list_own(id)?;
        }
        Ok(id)
    }

    /// Pays for work on so much text.
    pub(super) fn spend_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.spend(1 + bytes / STEP_BYTES)
    }
    /// Pays for copying so many elements.
    pub(super) fn spend_copy(&mut self, items: usize) -> Result<(), Fault> {
        self.spend(1 + items / STEP_ITEMS)
    }

    /// A new string of exactly or at most `bytes` bytes, paid for before it is built.
    pub(super) fn build(&mut self, bytes: usize, fill: impl FnOnce(&Store, &mut String)) -> Result<Value, Fault> {
        self.spend_text(bytes)?;
        self.heap.charge(bytes)?;
        let mut text = String::new();
        let room = text.try_reserve_exact(bytes);
        if room.is_ok() {
            fill(self.heap, &mut text);
        }
        self.heap.release(bytes);
        match room {
            Ok(()) => Ok(self.heap.string_owned(text)?),
            Err(_) => Err(Full { needs: bytes }.into()),
        }
    }

    /// Whether two values are equal; what telling it cost is paid.
    pub(super) fn equal(&mut self, a: Value, b: Value) -> Result<bool, Fault> {
        let bound = Bound { work: u64::try_from(*self.fuel).unwrap_or(0), bytes: self.heap.room() };
        match heap::equal(self.heap, a, b, bound) {
            Ok((equal, work)) => {
                self.spend(usize::try_from(work).unwrap_or(usize::MAX))?;
                Ok(equal)
            }
            Err(Overrun::Work) => Err(Fault::Fuel),
            Err(Overrun::Late) => Err(Fault::Late),
            Err(Overrun::Bytes(needs)) => Err(Full { needs }.into()),
        }
    }

    /// A key given as an argument, when some object can have it.
    pub(super) fn known_key(&mut self, args: &[Value], index: usize, who: &str) -> Result<Option<StrId>, Fault> {
        let value = arg(args, index);
        match value.kind() {
            Kind::Str(id) => {
                self.spend_text(self.heap.str(id).len())?;
                Ok(self.heap.known_key_of(id))
            }
            _ => Err(self.wrong(who, "a string as key", value)),
        }
    }
}
