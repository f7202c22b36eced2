//! Arithmetic, joining, order and equality beyond two numbers that stay finite.

use super::Vm;
use super::quick;
use crate::builtin::Fault;
use crate::value::{Kind, Value};
use ilu_lang::code::op::Op;

/// Bytes of contents that one unit of fuel pays for, where they are copied or compared.
const BYTES_PER_FUEL: usize = 256;
/// Elements that one unit of fuel pays for, where they are copied.
const ITEMS_PER_FUEL: usize = 32;

impl Vm {
    /// `x op y`.
    pub(super) fn arithmetic(&mut self, op: Op, x: Value, y: Value) -> Result<Value, Fault> {
        if let (Some(a), Some(b)) = (x.as_num(), y.as_num()) {
            return two_numbers(op, a, b);
        }
        if matches!(op, Op::Add | Op::AddI) {
            return self.join(x, y);
        }
        let sign = sign(op);
        let (x, y) = (self.type_name(x), self.type_name(y));
        Err(Fault::Message(format!("`{sign}` needs two numbers, got {x} and {y}")))
    }

    fn join(&mut self, x: Value, y: Value) -> Result<Value, Fault> {
        match (x.kind(), y.kind()) {
            (Kind::Str(a), Kind::Str(b)) => {
                self.spend(self.heap.joining(a, self.heap.str(b).len()) / BYTES_PER_FUEL)?;
                Ok(self.heap.concat(a, b)?.into())
            }
            (Kind::Str(a), Kind::Num(n)) => {
                self.spend(self.heap.joining(a, 0) / BYTES_PER_FUEL)?;
                Ok(self.heap.concat_text(a, crate::heap::Digits::default().of(n))?.into())
            }
            (Kind::Num(n), Kind::Str(b)) => {
                self.spend(self.heap.str(b).len() / BYTES_PER_FUEL)?;
                let Some(a) = self.heap.string(&crate::heap::number(n))?.as_str() else { return Err(Fault::Broken("not a string")) };
                Ok(self.heap.concat(a, b)?.into())
            }
            (Kind::List(a), Kind::List(b)) => {
                self.spend(self.heap.list_joining(a, b) / ITEMS_PER_FUEL)?;
                Ok(self.heap.list_concat(a, b)?.into())
            }
            (Kind::Bytes(a), Kind::Bytes(b)) => {
                let total = self.heap.bytes(a).len() + self.heap.bytes(b).len();
                self.spend(total / BYTES_PER_FUEL)?;
                // The room is asked for before the copy is made; the books are then right either way.
                self.heap.charge(total)?;
                let joined = [self.heap.bytes(a), self.heap.bytes(b)].concat();
                self.heap.release(total);
                Ok(self.heap.bytes_new(joined)?)
            }
            _ => {
                let (x, y) = (self.type_name(x), self.type_name(y));
                Err(Fault::Message(format!("`+` can't join {x} and {y}")))
            }
        }
    }

    /// The texts of `count` registers from `first`, joined.
    pub(super) fn concat(&mut self, first: u8, count: u8) -> Result<Value, Fault> {
        let from = self.base() + first as usize;
        let values = self.stack.get(from..from + count as usize).unwrap_or_default().to_vec();
        let text = self.text_of(&values, "")?;
        Ok(self.heap.string_owned(text)?)
    }

    /// Whether `x` comes before (or with) `y`, as the instruction asks.
    pub(super) fn ordered(&mut self, op: Op, x: Value, y: Value) -> Result<bool, Fault> {
        let sign = sign(op);
        let order = match (x.kind(), y.kind()) {
            (Kind::Num(a), Kind::Num(b)) => a.partial_cmp(&b),
            (Kind::Str(a), Kind::Str(b)) => {
                self.spend(self.heap.str(a).len().min(self.heap.str(b).len()) / BYTES_PER_FUEL)?;
                // UTF-8 keeps the order of code points.
                Some(self.heap.str(a).cmp(self.heap.str(b)))
            }
            _ => None,
        };
        let Some(order) = order else {
            let (x, y) = (self.type_name(x), self.type_name(y));
            return Err(Fault::Message(format!("only two numbers or two strings have an order, got {x} and {y}")));
        };
        Ok(match sign {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        })
    }

    /// Structural equality.
    pub(super) fn equal(&mut self, x: Value, y: Value) -> Result<bool, Fault> {
        match quick::equal(&self.heap, x, y) {
            Some(same) => Ok(same),
            None => self.deep_equal(x, y),
        }
    }
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Add | Op::AddI => "+",
        Op::Sub | Op::SubI => "-",
        Op::Mul | Op::MulI => "*",
        Op::Div | Op::DivI => "/",
        Op::Rem | Op::RemI => "%",
        Op::Lt | Op::JumpLt | Op::JumpLtI | Op::LoopLt | Op::LoopLtI => "<",
        Op::Le | Op::JumpLe | Op::JumpLeI | Op::LoopLe | Op::LoopLeI => "<=",
        Op::JumpGtI | Op::LoopGtI => ">",
        _ => ">=",
    }
}

#[cold]
fn two_numbers(op: Op, x: f64, y: f64) -> Result<Value, Fault> {
    let z = match op {
        Op::Add | Op::AddI => x + y,
        Op::Sub | Op::SubI => x - y,
        Op::Mul | Op::MulI => x * y,
        Op::Div | Op::DivI | Op::Rem | Op::RemI if y == 0.0 => {
            return Err(Fault::Message(
                if matches!(op, Op::Div | Op::DivI) { "division by zero" } else { "remainder of a division by zero" }.into(),
            ));
        }
        Op::Div | Op::DivI => x / y,
        _ => quick::remainder(x, y),
    };
    if z.is_finite() {
        return Ok(Value::num(z));
    }
    let (sign, x, y) = (sign(op), crate::heap::number(x), crate::heap::number(y));
    Err(Fault::Message(format!("number too large: {x} {sign} {y}")))
}
