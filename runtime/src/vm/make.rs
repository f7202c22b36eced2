//! Making lists, objects, ranges and functions.

use super::Vm;
use crate::builtin::Fault;
use crate::heap::Function;
use crate::value::{Kind, Value};
use ilu_lang::code::op::{Op, Word};
use ilu_lang::code::program::Capture;

/// Elements that one unit of fuel pays for, where they are made or copied.
pub(super) const ITEMS_PER_FUEL: usize = 32;
/// Ends of a range beyond this are not exact.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

impl Vm {
    /// The making instructions.
    pub(super) fn make(&mut self, op: Op, word: Word) -> Result<(), Fault> {
        let (a, b, c, k) = (word.a(), word.b(), word.c(), word.k());
        let value = match op {
            Op::List => {
                let items = self.registers(b, c);
                self.heap.list_new(&items)?
            }
            Op::ListPush => {
                let items = self.registers(b, c);
                let Some(list) = self.get(a).as_list() else { return Err(Fault::Broken("not a list")) };
                return Ok(self.heap.list_extend(list, &items)?);
            }
            Op::ListSpread => return self.spread_into(a, b),
            Op::ListTail => {
                let Some(list) = self.get(b).as_list() else { return Err(Fault::Broken("not a list")) };
                let tail = self.heap.list(list).get(c as usize..).unwrap_or_default().to_vec();
                self.spend(tail.len() / ITEMS_PER_FUEL)?;
                self.heap.list_new(&tail)?
            }
            Op::Object => {
                let unit = self.heap.units.get(self.frame()?.unit).ok_or(Fault::Broken("no unit"))?;
                let keys = unit.templates.get(k as usize).ok_or(Fault::Broken("template"))?;
                let from = self.base() + b as usize;
                let values = self.stack.get(from..from + keys.len()).ok_or(Fault::Broken("registers"))?;
                self.heap.store.object_with(keys, values)?
            }
            Op::ObjectNew => self.heap.object_new()?.into(),
            Op::Range => self.range(self.get(b), self.get(c), k == 1)?,
            _ => return self.closure(a, k),
        };
        self.set(a, value);
        Ok(())
    }

    fn registers(&self, first: u8, count: u8) -> Vec<Value> {
        let from = self.base() + first as usize;
        self.stack.get(from..from + count as usize).unwrap_or_default().to_vec()
    }

    fn spread_into(&mut self, into: u8, from: u8) -> Result<(), Fault> {
        let (Some(list), value) = (self.get(into).as_list(), self.get(from)) else { return Err(Fault::Broken("not a list")) };
        let Some(items) = value.as_list() else {
            let what = self.given(value);
            return Err(Fault::Message(format!("`..` spreads a list, got {what}")));
        };
        self.spend(self.heap.list(items).len() / ITEMS_PER_FUEL)?;
        Ok(self.heap.list_extend_from(list, items)?)
    }

    /// The first value of a range, its step and how many values it has.
    pub(super) fn range_of(&self, lo: Value, hi: Value, open: bool) -> Result<(f64, f64, f64), Fault> {
        let (Some(from), Some(to)) = (lo.as_num(), hi.as_num()) else {
            let (lo, hi) = (self.type_name(lo), self.type_name(hi));
            return Err(Fault::Message(format!("the ends of a range are numbers, got {lo} and {hi}")));
        };
        for end in [from, to] {
            if end.fract() != 0.0 || end.abs() > MAX_EXACT {
                let up_to = if end.fract() == 0.0 { " of at most 9007199254740992" } else { "" };
                return Err(Fault::Message(format!("the ends of a range are whole numbers{up_to}, got {}", crate::heap::number(end))));
            }
        }
        Ok(match (open, from <= to) {
            (true, true) => (from, 1.0, to - from),
            (true, false) => (from, 1.0, 0.0),
            (false, true) => (from, 1.0, to - from + 1.0),
            (false, false) => (from, -1.0, from - to + 1.0),
        })
    }

    fn range(&mut self, lo: Value, hi: Value, open: bool) -> Result<Value, Fault> {
        let (from, step, count) = self.range_of(lo, hi, open)?;
        let length = count as usize;
        // Room before fuel: a range that could never fit is about memory, whatever its length would cost.
        let list = self.heap.list_with_capacity(length)?;
        self.spend(length / ITEMS_PER_FUEL)?;
        for n in 0..length {
            self.heap.list_push(list, Value::num(from + step * n as f64))?;
        }
        Ok(list.into())
    }

    fn closure(&mut self, a: u8, number: u32) -> Result<(), Fault> {
        let frame = *self.frame()?;
        let unit = self.heap.units.get(frame.unit).ok_or(Fault::Broken("no unit"))?;
        let code = unit.program.functions.get(number as usize).ok_or(Fault::Broken("function"))?;
        let mut captures = Vec::with_capacity(code.captures.len());
        let mut this = Vec::new();
        for (at, capture) in code.captures.iter().enumerate() {
            captures.push(match *capture {
                Capture::Register(r) => self.get(r),
                Capture::Capture(n) => {
                    let own = self.heap.function(frame.closure).and_then(|own| own.captures.get(n as usize));
                    *own.ok_or(Fault::Broken("capture"))?
                }
                Capture::This => {
                    this.push(at);
                    Value::NIL
                }
            });
        }
        // The sandbox that is current where a function is made is its home for good.
        let made =
            Function { unit: frame.unit, function: number, home: frame.authority, gate: false, captures: captures.into_boxed_slice() };
        let id = self.heap.function_new(made)?;
        for at in this {
            self.heap.set_capture(id, at, id.into());
        }
        self.set(a, id.into());
        Ok(())
    }
}

/// What a value is called where an error must name it as a loop's source or a call's target.
pub(super) fn is_callable(value: Value) -> bool {
    matches!(value.kind(), Kind::Function(_) | Kind::Builtin(_) | Kind::Native(_) | Kind::Method(_))
}
