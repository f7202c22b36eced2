//! The general path of every instruction: any types, any authority, charges refused, errors worded.
//!
//! An operation here may be tried twice (a refused charge, then a collection), so it changes nothing a script can see before its last
//! allocation has succeeded.

use super::Vm;
use crate::builtin::Fault;
use crate::value::{Kind, Value};
use ilu_lang::code::op::{Op, Word};

impl Vm {
    /// Executes one word.
    pub(super) fn slow(&mut self, word: Word) -> Result<(), Fault> {
        let Some(op) = Op::from_number(word.op()) else { return Err(Fault::Broken("no such instruction")) };
        let (a, b, c, k) = (word.a(), word.b(), word.c(), word.k());
        match op {
            Op::GetGlobal => {
                let value = self.global(k)?;
                self.set(a, value);
            }
            Op::NeedSet => {
                let name = self.constant_text(k);
                return Err(Fault::Message(format!("`{name}` has no value yet")));
            }
            Op::CellNew => {
                let held = self.get(b);
                let cell = self.heap.cell_new(held)?;
                self.set(a, cell.into());
            }
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem => {
                let value = self.arithmetic(op, self.get(b), self.get(c))?;
                self.set(a, value);
            }
            Op::AddI | Op::SubI | Op::MulI | Op::DivI | Op::RemI => {
                let (x, y) = (self.get(b), Value::num(f64::from(k as i32)));
                let value = if c == 1 { self.arithmetic(op, y, x)? } else { self.arithmetic(op, x, y)? };
                self.set(a, value);
            }
            Op::Neg => {
                let what = self.type_name(self.get(b));
                return Err(Fault::Message(format!("`-` needs a number, got {what}")));
            }
            Op::Concat => {
                let value = self.concat(b, c)?;
                self.set(a, value);
            }
            Op::Lt | Op::Le => {
                let holds = self.ordered(op, self.get(b), self.get(c))?;
                self.set(a, Value::bool(holds));
            }
            Op::Eq | Op::Ne => {
                let same = self.equal(self.get(b), self.get(c))?;
                self.set(a, Value::bool(same == (op == Op::Eq)));
            }
            Op::JumpLt | Op::JumpLe => {
                if self.ordered(op, self.get(a), self.get(b))? {
                    self.jump(k);
                }
            }
            Op::JumpLtI | Op::JumpLeI | Op::JumpGtI | Op::JumpGeI => {
                if self.ordered(op, self.get(a), Value::num(f64::from(b as i8)))? {
                    self.jump(k);
                }
            }
            Op::JumpEq | Op::JumpNe => {
                if self.equal(self.get(a), self.get(b))? == (op == Op::JumpEq) {
                    self.jump(k);
                }
            }
            Op::LoopLt | Op::LoopLe | Op::LoopLtI | Op::LoopLeI | Op::LoopGtI | Op::LoopGeI => {
                let other = if matches!(op, Op::LoopLt | Op::LoopLe) { self.get(b) } else { Value::num(f64::from(b as i8)) };
                self.back_edge(k, |vm| vm.ordered(op, vm.get(a), other))?;
            }
            Op::LoopEq | Op::LoopNe => self.back_edge(k, |vm| Ok(vm.equal(vm.get(a), vm.get(b))? == (op == Op::LoopEq)))?,
            Op::ForPrep | Op::IterNew | Op::IterNext => return self.iterate(op, word),
            Op::IterLoop => return self.next_or_on(word),
            Op::Push => return self.push(word),
            Op::GetIndex | Op::GetIndexI | Op::GetIndexOr => {
                let index = if op == Op::GetIndexI { Value::num(f64::from(k as i32)) } else { self.get(c) };
                let value = self.index(self.get(b), index, op == Op::GetIndexOr)?;
                self.set(a, value);
            }
            Op::SetIndex => self.set_index(self.get(a), self.get(b), self.get(c))?,
            Op::GetField => {
                let value = self.field(self.get(b), k)?;
                self.set(a, value);
            }
            Op::SetField => self.set_field(self.get(a), k, self.get(b))?,
            Op::HasKey => {
                let has = self.has_key(self.get(b), k);
                self.set(a, Value::bool(has));
            }
            Op::List | Op::ListPush | Op::ListSpread | Op::ListTail | Op::Object | Op::ObjectNew | Op::Range | Op::Closure => {
                return self.make(op, word);
            }
            Op::Call | Op::CallSpread | Op::CallBuiltin | Op::CallNative => return self.call(op, word),
            Op::Use | Op::UseAll => return self.use_module(op, word),
            Op::Not => {
                let truth = self.heap.truthy(self.get(b));
                self.set(a, Value::bool(!truth));
            }
            Op::MatchList | Op::MatchObject | Op::MatchNum => return Err(Fault::Broken("a test took the general path")),
            _ => return Err(Fault::Broken("an instruction without a general path took it")),
        }
        Ok(())
    }

    /// A back edge whose condition takes the general path. Billed when the condition is known, as calls are.
    fn back_edge(&mut self, target: u32, condition: impl FnOnce(&mut Self) -> Result<bool, Fault>) -> Result<(), Fault> {
        if self.fuel + self.reserve < 1 {
            return Err(Fault::Fuel);
        }
        if condition(self)? {
            self.jump(target);
        }
        self.fuel -= 1;
        Ok(())
    }

    /// A module variable that was never assigned: a name copied by `use "file"`, or an error.
    fn global(&mut self, slot: u32) -> Result<Value, Fault> {
        let unit = self.frame()?.unit;
        let crate::heap::Heap { store, units } = &mut self.heap;
        let Some(unit) = units.get_mut(unit) else { return Err(Fault::Broken("no unit")) };
        let Some(global) = unit.program.globals.get(slot as usize) else { return Err(Fault::Broken("module variable")) };
        let found = store.known_key(&global.name).and_then(|key| unit.imports.get(&key).copied());
        match (found, unit.globals.get(slot as usize)) {
            (Some(value), Some(place)) => {
                // It stays what it is: names are copied once, so the slot may as well hold it from now on.
                place.set(value);
                Ok(value)
            }
            _ if global.exported || global.imported => Err(Fault::Message(format!("`{}` has no value yet", global.name))),
            _ => Err(Fault::Message(Self::nothing_brings(&global.name, &unit.program.uses))),
        }
    }

    fn constant_text(&self, k: u32) -> &str {
        let unit = self.frames.last().and_then(|frame| self.heap.units.get(frame.unit));
        let text = unit.and_then(|unit| unit.constants.get(k as usize)).and_then(|constant| constant.as_str());
        text.map_or("?", |id| self.heap.str(id))
    }

    /// What `typ` says of a value.
    pub(super) fn type_name(&self, value: Value) -> &'static str {
        self.heap.type_name(value)
    }

    /// A value as an error shows it: its type, and itself when it is short.
    pub(super) fn given(&self, value: Value) -> String {
        match value.kind() {
            Kind::Nil => "nil".into(),
            Kind::Bool(truth) => {
                if truth {
                    "tru".into()
                } else {
                    "fls".into()
                }
            }
            Kind::Num(number) => format!("the number {}", crate::heap::number(number)),
            _ => self.type_name(value).into(),
        }
    }
}
