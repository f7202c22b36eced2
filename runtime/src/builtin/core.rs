//! `len int num typ err asr`: the builtins every program uses.

use super::{Builtin, BuiltinRow, Cx, Fault, Run};
use crate::value::{Kind, Value};

const fn pure(name: &'static str, args: (u8, u8), run: Builtin, doc: &'static str) -> BuiltinRow {
    BuiltinRow { name, trusted: false, args, run: Run::Pure(run), doc }
}

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    pure("len", (1, 1), len, "How many elements, code points, keys or bytes."),
    pure("int", (1, 1), int, "A number cut off towards zero, or the whole number a text spells."),
    pure("num", (1, 1), num, "The number a text spells; a number as it is."),
    pure("typ", (1, 1), typ, "The name of a value's type."),
    pure("err", (1, 1), raise, "Raises a value as an error."),
    pure("asr", (1, 2), assert, "Raises `assertion failed`, or the second argument, when the first is not true."),
];

fn first(args: &[Value]) -> Value {
    args.first().copied().unwrap_or(Value::NIL)
}

fn len(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let value = first(args);
    let length = match value.kind() {
        Kind::List(id) => cx.heap.list(id).len(),
        Kind::Str(id) => cx.heap.chars(id),
        Kind::Object(id) => cx.heap.object_len(id),
        Kind::Bytes(id) => cx.heap.bytes(id).len(),
        _ => return Err(Fault::Message(format!("`len` takes a str, lst, obj or byt, got {}", cx.heap.type_name(value)))),
    };
    Ok(Value::num(length as f64))
}

fn int(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    match first(args).kind() {
        // Adding zero turns -0 into 0.
        Kind::Num(number) => Ok(Value::num(number.trunc() + 0.0)),
        Kind::Str(id) => match whole_number(cx.heap.str(id)) {
            Some(number) => Ok(Value::num(number)),
            None => Err(not_spelled(cx, id, "a whole number")),
        },
        _ => Err(Fault::Message(format!("`int` takes a num or a str, got {}", cx.heap.type_name(first(args))))),
    }
}

fn num(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    match first(args).kind() {
        Kind::Num(_) => Ok(first(args)),
        Kind::Str(id) => match number(cx.heap.str(id)) {
            Some(number) => Ok(Value::num(number)),
            None => Err(not_spelled(cx, id, "a number")),
        },
        _ => Err(Fault::Message(format!("`num` takes a num or a str, got {}", cx.heap.type_name(first(args))))),
    }
}

fn not_spelled(cx: &Cx<'_>, id: crate::value::StrId, what: &str) -> Fault {
    const SHOWN: usize = 40;
    let text = cx.heap.str(id);
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    Fault::Message(format!("\"{shown}\" is not {what}"))
}

/// Longest text that is looked at as a number: no number that means anything is longer.
const MAX_NUMBER: usize = 400;

/// The number a text spells: decimal with an optional sign, fraction and exponent, or `0x` and hexadecimal digits; blanks around it
/// are fine. Finite, or nothing.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.len() > MAX_NUMBER {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            hex.chars().filter_map(|digit| digit.to_digit(16)).fold(0.0, |sum, digit| sum * 16.0 + f64::from(digit))
        }
        Some(_) => return None,
        // Rust would read `inf`, `nan` and a second sign as well.
        None if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => digits.parse::<f64>().ok()?,
        None => return None,
    };
    let value = if negative { -value } else { value };
    value.is_finite().then_some(value)
}

fn whole_number(text: &str) -> Option<f64> {
    let number = number(text)?;
    (number.fract() == 0.0).then_some(number + 0.0)
}

fn typ(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let name = cx.heap.type_name(first(args));
    Ok(cx.heap.string(name)?)
}

fn raise(_: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    Err(Fault::Raise(first(args)))
}

fn assert(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    if cx.heap.truthy(first(args)) {
        return Ok(Value::NIL);
    }
    Err(match args.get(1) {
        Some(&value) => Fault::Raise(value),
        None => Fault::message("assertion failed"),
    })
}
