//! Indexing and fields beyond the common case, with their errors.

use super::Vm;
use super::quick::whole;
use crate::builtin::Fault;
use crate::value::{Kind, StrId, Value};

/// Code points that one unit of fuel pays for, where a string that is not ASCII is searched from its start.
const CHARS_PER_FUEL: usize = 256;

impl Vm {
    /// `from[index]`; with `or_nil`, nil where there is no such element and where `from` is nil.
    pub(super) fn index(&mut self, from: Value, index: Value, or_nil: bool) -> Result<Value, Fault> {
        let length = match from.kind() {
            Kind::Object(object) => {
                let Some(key) = index.as_str() else {
                    let given = self.given(index);
                    return Err(Fault::Message(format!("an object is indexed by a string, got {given}")));
                };
                return Ok(self.heap.known_key_of(key).and_then(|key| self.heap.get(object, key)).unwrap_or(Value::NIL));
            }
            Kind::Nil if or_nil => return Ok(Value::NIL),
            Kind::List(list) => self.heap.list(list).len(),
            Kind::Str(id) => self.heap.chars(id),
            Kind::Bytes(id) => self.heap.bytes(id).len(),
            _ => {
                let what = self.given(from);
                return Err(Fault::Message(format!("can't index {what}")));
            }
        };
        let at = match self.place(index, length, from) {
            Ok(at) => at,
            Err(Fault::Message(_)) if or_nil && index.is_num() => return Ok(Value::NIL),
            Err(fault) => return Err(fault),
        };
        let found = match from.kind() {
            Kind::List(list) => self.heap.list(list).get(at).copied(),
            Kind::Str(id) => {
                if !self.heap.is_ascii(id) {
                    self.spend(at / CHARS_PER_FUEL)?;
                }
                self.heap.char_at(id, at)?
            }
            Kind::Bytes(id) => self.heap.bytes(id).get(at).map(|&byte| Value::num(f64::from(byte))),
            _ => None,
        };
        found.ok_or(Fault::Broken("an index in range found nothing"))
    }

    /// The place an index names among `length` elements.
    fn place(&self, index: Value, length: usize, of: Value) -> Result<usize, Fault> {
        let what = self.type_name(of);
        let Some(number) = index.as_num() else {
            let given = self.given(index);
            return Err(Fault::Message(format!("a {what} is indexed by a number, got {given}")));
        };
        match whole(number) {
            Some(at) if at < length => Ok(at),
            Some(_) => {
                Err(Fault::Message(format!("index {} is out of range: the {what} has length {length}", crate::heap::number(number))))
            }
            None => {
                let kind = if number < 0.0 { "negative" } else { "not a whole number" };
                Err(Fault::Message(format!("index {} is {kind}: the {what} has length {length}", crate::heap::number(number))))
            }
        }
    }

    /// `target[index] = value`.
    pub(super) fn set_index(&mut self, target: Value, index: Value, value: Value) -> Result<(), Fault> {
        match target.kind() {
            Kind::List(list) => {
                let at = self.place(index, self.heap.list(list).len(), target)?;
                self.may_change(target)?;
                self.spend(self.heap.list_borrowed(list) / super::make::ITEMS_PER_FUEL)?;
                self.heap.list_own(list)?;
                self.heap.list_set(list, at, value);
                Ok(())
            }
            Kind::Object(object) => {
                let Some(key) = index.as_str() else {
                    let given = self.given(index);
                    return Err(Fault::Message(format!("an object is indexed by a string, got {given}")));
                };
                self.may_change(target)?;
                let key = self.heap.key(key)?;
                self.heap.set(object, key, value)?;
                Ok(())
            }
            Kind::Str(_) | Kind::Bytes(_) => {
                let what = self.type_name(target);
                Err(Fault::Message(format!("a {what} can't be changed: make a new one")))
            }
            _ => {
                let what = self.given(target);
                Err(Fault::Message(format!("can't index {what}")))
            }
        }
    }

    fn site_key(&self, site: u32) -> Result<StrId, Fault> {
        let unit = self.heap.units.get(self.frame()?.unit);
        unit.and_then(|unit| unit.sites.get(site as usize)).map(|site| site.key).ok_or(Fault::Broken("access site"))
    }

    /// `from.name` where `from` is no object.
    pub(super) fn field(&mut self, from: Value, site: u32) -> Result<Value, Fault> {
        let key = self.site_key(site)?;
        if let Some(object) = from.as_object() {
            return Ok(self.heap.get(object, key).unwrap_or(Value::NIL));
        }
        if let Kind::Handle(handle) = from.kind() {
            let home = self.authority();
            if let Some(method) = self.method(handle, key, home)? {
                return Ok(method);
            }
        }
        let (name, what) = (self.heap.str(key), self.given(from));
        let has = match Self::methods_of(self.type_name(from)) {
            names if names.is_empty() => String::new(),
            names => format!(": it has `{}`", names.join("`, `")),
        };
        Err(Fault::Message(format!("{what} has no field `{name}`{has}")))
    }

    /// `target.name = value`.
    pub(super) fn set_field(&mut self, target: Value, site: u32, value: Value) -> Result<(), Fault> {
        let key = self.site_key(site)?;
        let Some(object) = target.as_object() else {
            let (name, what) = (self.heap.str(key), self.given(target));
            return Err(Fault::Message(format!("can't set field `{name}` of {what}")));
        };
        self.may_change(target)?;
        self.heap.set(object, key, value)?;
        Ok(())
    }

    /// Whether an object has the key of constant `k`.
    pub(super) fn has_key(&self, value: Value, k: u32) -> bool {
        let constant = self.frames.last().and_then(|frame| self.heap.units.get(frame.unit)).and_then(|unit| unit.constants.get(k as usize));
        let (Some(object), Some(key)) = (value.as_object(), constant.and_then(|constant| constant.as_str())) else { return false };
        self.heap.known_key_of(key).is_some_and(|key| self.heap.position(object, key).is_some())
    }

    /// Refuses changes to what is frozen.
    pub(super) fn may_change(&self, target: Value) -> Result<(), Fault> {
        if !self.heap.is_frozen(target) {
            return Ok(());
        }
        Err(Fault::Message(match self.library_name(target) {
            Some(name) => format!("`{name}` belongs to the standard library and can't be changed"),
            None => "this value is frozen and can't be changed".into(),
        }))
    }
}
