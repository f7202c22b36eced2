//! Policy: the functions of `ilu-pol` on the heap's values.
//!
//! Arguments are looked at first (how many values, how much text), so that fuel and memory are charged for all that follows before any of it is
//! done; then they are handed over as plain data that borrows its texts from the heap.

use super::support::row;
use super::{BuiltinRow, Cx, Fault};
use crate::heap::Store;
use crate::value::{Kind, Value};
use ilu_pol::{Data, MAX_DEPTH};
use std::borrow::Cow;

/// The rows: one for each function of the policy crate.
pub const ROWS: &[BuiltinRow] = &[
    row("__pol_sub", (2, 2), |cx, args| call(cx, args, "polsub"), "Whether every needed name is held."),
    row("__pol_role", (2, 2), |cx, args| call(cx, args, "polrole"), "The capabilities of a role."),
    row("__pol_roles", (2, 2), |cx, args| call(cx, args, "polroles"), "The capabilities of several roles, each once."),
    row("__pol_row", (4, 4), |cx, args| call(cx, args, "polrow"), "Whether an access row matches."),
    row("__pol_wild", (2, 2), |cx, args| call(cx, args, "polwild"), "Whether a pattern covers a text."),
    row("__pol_lint", (1, 1), |cx, args| call(cx, args, "pollint"), "What is treacherous about a pattern, or nil."),
    row("__pol_acl", (5, 5), |cx, args| call(cx, args, "polacl"), "Whether access lists allow: deny wins, default deny."),
    row("__pol_acldoc", (4, 4), |cx, args| call(cx, args, "polacldoc"), "The same for a document of two lists."),
    row("__pol_rules", (2, 2), |cx, args| call(cx, args, "polrules"), "What the first rule whose capabilities are all held decides."),
    row("__pol_net", (4, 4), |cx, args| call(cx, args, "polnet"), "What network rules say of a connection."),
    row("__pol_canon", (1, 1), |cx, args| call(cx, args, "polcanon"), "The canonical text of a list of parts."),
    row("__pol_seal", (2, 2), |cx, args| call(cx, args, "polseal"), "The HMAC-SHA-256 of a list of parts, in hex."),
    row("__pol_sealok", (3, 3), |cx, args| call(cx, args, "polsealok"), "Whether a seal is right, in constant time."),
];

/// Most that a plain value occupies beside its texts: itself and its key (56), its header in canonical text as that grows (48), or its place in a
/// checked row or a table of names.
const NODE_BYTES: usize = 128;
/// Text that costs as much as one value.
const STEP_BYTES: usize = 16;

/// How much there is to look at.
#[derive(Default)]
struct Size {
    values: usize,
    bytes: usize,
}

fn call(cx: &mut Cx<'_>, args: &[Value], name: &str) -> Result<Value, Fault> {
    let mut size = Size::default();
    for &value in args {
        measure(cx, value, 0, &mut size)?;
    }
    // Keys are sorted and names looked up in tables; texts are gone over a few times.
    let rounds = size.values.max(2).ilog2() as usize;
    cx.spend(size.values.saturating_mul(rounds))?;
    let scratch = size.values.saturating_mul(NODE_BYTES).saturating_add(size.bytes.saturating_mul(4));
    cx.heap.charge(scratch)?;
    let store: &Store = cx.heap;
    let plain: Vec<Data<'_>> = args.iter().map(|&value| data(store, value, 0)).collect();
    let answer = ilu_pol::call(name, &plain);
    drop(plain);
    let made = answer.map_err(|error| Fault::message(error.to_string())).and_then(|answer| value(cx, &answer));
    cx.heap.release(scratch);
    made
}

/// Pays one unit for each value and for its text. Recursion is bounded by [`MAX_DEPTH`]; a value shared many times is paid for as often as it
/// will be copied.
fn measure(cx: &mut Cx<'_>, value: Value, depth: usize, size: &mut Size) -> Result<(), Fault> {
    let text = match value.kind() {
        Kind::Str(id) => cx.heap.str(id).len(),
        Kind::Bytes(id) => cx.heap.bytes(id).len(),
        _ => 0,
    };
    cx.spend(1 + text / STEP_BYTES)?;
    size.values += 1;
    size.bytes = size.bytes.saturating_add(text);
    if depth > MAX_DEPTH {
        return Ok(());
    }
    match value.kind() {
        Kind::List(id) => {
            for at in 0..cx.heap.list(id).len() {
                let item = cx.heap.list(id).get(at).copied().unwrap_or(Value::NIL);
                measure(cx, item, depth + 1, size)?;
            }
        }
        Kind::Object(id) => {
            for at in 0..cx.heap.object_len(id) {
                let Some((key, item)) = cx.heap.entry(id, at) else { break };
                measure(cx, key.into(), depth + 1, size)?;
                measure(cx, item, depth + 1, size)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn data(store: &Store, value: Value, depth: usize) -> Data<'_> {
    match value.kind() {
        Kind::Nil => Data::Nil,
        Kind::Bool(truth) => Data::Bool(truth),
        Kind::Num(number) => Data::Num(number),
        Kind::Str(id) => Data::Str(Cow::Borrowed(store.str(id))),
        Kind::Bytes(id) => Data::Bytes(Cow::Borrowed(store.bytes(id))),
        Kind::List(_) | Kind::Object(_) if depth >= MAX_DEPTH => Data::Other("a value nested too deep (or in itself)".into()),
        Kind::List(id) => Data::List(store.list(id).iter().map(|&item| data(store, item, depth + 1)).collect()),
        Kind::Object(id) => {
            Data::Object(store.entries(id).map(|(key, item)| (Cow::Borrowed(store.str(key)), data(store, item, depth + 1))).collect())
        }
        _ => Data::Other(store.type_name(value).into()),
    }
}

/// An answer is a scalar, a text, a list of texts, or an object of scalars and texts.
fn value(cx: &mut Cx<'_>, answer: &Data<'_>) -> Result<Value, Fault> {
    Ok(match answer {
        Data::Bool(truth) => Value::bool(*truth),
        Data::Str(text) => cx.heap.string(text)?,
        Data::List(names) => {
            let list = cx.heap.list_with_capacity(names.len())?;
            for name in names {
                if let Data::Str(name) = name {
                    let name = cx.heap.string(name)?;
                    cx.heap.list_push(list, name)?;
                }
            }
            list.into()
        }
        Data::Num(number) => Value::num(*number),
        Data::Object(fields) => {
            let object = cx.heap.object_new()?;
            for (key, field) in fields {
                let field = match field {
                    Data::Bool(truth) => Value::bool(*truth),
                    Data::Num(number) => Value::num(*number),
                    Data::Str(text) => cx.heap.string(text)?,
                    _ => Value::NIL,
                };
                let key = cx.heap.intern(key)?;
                cx.heap.set(object, key, field)?;
            }
            object.into()
        }
        _ => Value::NIL,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_value_and_its_key_are_as_large_as_is_charged() {
        assert!(size_of::<(Cow<'_, str>, Data<'_>)>() <= 56);
    }

    #[test]
    fn every_policy_function_has_its_row() {
        for function in ilu_pol::FUNCTIONS {
            let name = format!("__pol_{}", function.name.trim_start_matches("pol"));
            let row = ROWS.iter().find(|row| row.name == name);
            assert!(row.is_some_and(|row| row.args == (function.args, function.args)), "{name}");
        }
        assert_eq!(ROWS.len(), ilu_pol::FUNCTIONS.len());
    }
}
