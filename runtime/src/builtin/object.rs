//! Objects as tables.

use super::support::{arg, row};
use super::{BuiltinRow, Cx, Fault};
use crate::value::Value;

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__obj_keys", (1, 1), keys, "An object's keys, in order."),
    row("__obj_vals", (1, 1), values, "An object's values, in order."),
    row("__obj_has", (2, 2), has, "Whether an object has a key, whatever its value."),
    row("__obj_get", (3, 3), get, "The value of a key, or the third argument when there is no such key."),
    row("__obj_del", (2, 2), delete, "Takes a key out of an object; its value, or nil."),
];

fn keys(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    listed(cx, args, "obj.keys", |pair| pair.0.into())
}

fn values(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    listed(cx, args, "obj.vals", |pair| pair.1)
}

fn listed(cx: &mut Cx<'_>, args: &[Value], who: &str, pick: fn((crate::value::StrId, Value)) -> Value) -> Result<Value, Fault> {
    let object = cx.object_arg(args, 0, who)?;
    let length = cx.heap.object_len(object);
    cx.spend_copy(length)?;
    let made = cx.heap.list_with_capacity(length)?;
    for at in 0..length {
        if let Some(pair) = cx.heap.entry(object, at) {
            cx.heap.list_push(made, pick(pair))?;
        }
    }
    Ok(made.into())
}

fn has(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let object = cx.object_arg(args, 0, "obj.has")?;
    let key = cx.known_key(args, 1, "obj.has")?;
    Ok(Value::bool(key.is_some_and(|key| cx.heap.position(object, key).is_some())))
}

fn get(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let object = cx.object_arg(args, 0, "obj.get")?;
    let key = cx.known_key(args, 1, "obj.get")?;
    Ok(key.and_then(|key| cx.heap.get(object, key)).unwrap_or(arg(args, 2)))
}

fn delete(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let object = cx.object_arg(args, 0, "obj.del")?;
    let key = cx.known_key(args, 1, "obj.del")?;
    if cx.heap.is_frozen(object.into()) {
        return Err(Fault::message("obj.del: this object is frozen"));
    }
    let Some((key, at)) = key.and_then(|key| Some((key, cx.heap.position(object, key)?))) else { return Ok(Value::NIL) };
    // What follows moves up by one, and its place in the table of positions is looked up.
    cx.spend(1 + (cx.heap.object_len(object) - at) / 2)?;
    Ok(cx.heap.remove(object, key).unwrap_or(Value::NIL))
}
