//! How values meet the doorway: arguments going out as borrowed plain data, results coming in.
//!
//! Arguments are looked at only so deep and so wide as natives need; nothing of an argument is copied. A result's size is known before
//! any of it is put on the heap, so that the VM can make room first.

use crate::builtin::Fault;
use crate::heap::{Full, Heap, Store};
use crate::value::{Kind, Value};
use ilu_sbx::plain::{Arg, MAX_ARG_DEPTH, Plain};

/// Most elements of all arguments of a call together. Options are short; what is long goes as text or bytes.
const MAX_ITEMS: usize = 65_536;

/// The arguments of a native call.
pub(crate) fn arguments<'h>(heap: &'h Heap, values: &[Value]) -> Result<Vec<Arg<'h>>, Fault> {
    let mut left = MAX_ITEMS;
    values.iter().map(|&value| argument(heap, value, MAX_ARG_DEPTH, &mut left)).collect()
}

/// One argument. Recursion is bounded by `depth`.
fn argument<'h>(heap: &'h Heap, value: Value, depth: usize, left: &mut usize) -> Result<Arg<'h>, Fault> {
    let many = match value.kind() {
        Kind::List(id) => heap.list(id).len(),
        Kind::Object(id) => heap.object_len(id),
        _ => 0,
    };
    if depth == 0 && many > 0 {
        return Ok(Arg::Other(heap.type_name(value)));
    }
    *left = left.checked_sub(many).ok_or_else(|| Fault::Message(format!("an argument has more than {MAX_ITEMS} elements")))?;
    Ok(match value.kind() {
        Kind::Nil | Kind::Unset => Arg::Nil,
        Kind::Bool(truth) => Arg::Bool(truth),
        Kind::Num(number) => Arg::Num(number),
        Kind::Str(id) => Arg::Str(heap.str(id)),
        Kind::Bytes(id) => Arg::Bytes(heap.bytes(id)),
        Kind::List(id) => {
            Arg::List(heap.list(id).iter().map(|&item| argument(heap, item, depth.saturating_sub(1), left)).collect::<Result<_, _>>()?)
        }
        Kind::Object(id) => {
            let mut fields = Vec::with_capacity(many);
            for (key, value) in heap.entries(id) {
                fields.push((heap.str(key), argument(heap, value, depth.saturating_sub(1), left)?));
            }
            Arg::Object(fields)
        }
        Kind::Handle(id) => match heap.handle(id) {
            Some((handle, _)) => Arg::Handle(handle),
            None => Arg::Nil,
        },
        _ => Arg::Other(heap.type_name(value)),
    })
}

/// Bytes a result may take on the heap, rather too many than too few.
pub(crate) fn size(plain: &Plain) -> usize {
    /// A slot, its block and what growing costs.
    const EACH: usize = 160;
    match plain {
        Plain::Nil | Plain::Bool(_) | Plain::Num(_) => 0,
        Plain::Str(text) => text.len() + EACH,
        Plain::Bytes(bytes) => bytes.len() + EACH,
        Plain::List(items) => EACH + items.iter().map(|item| 16 + size(item)).sum::<usize>(),
        Plain::Object(fields) => EACH + fields.iter().map(|(key, value)| 64 + EACH + key.len() + size(value)).sum::<usize>(),
        Plain::Handle(_) => EACH,
    }
}

/// A result as a value; `kind` is what `typ` says of an open resource. Natives make results of a few levels only, so the recursion is bounded by what they are.
pub(crate) fn value(store: &mut Store, plain: Plain, kind: &'static str) -> Result<Value, Full> {
    Ok(match plain {
        Plain::Nil => Value::NIL,
        Plain::Bool(truth) => Value::bool(truth),
        // No native has reason to give anything else; no number that is not finite may get in.
        Plain::Num(number) if number.is_finite() => Value::num(number),
        Plain::Num(_) => Value::NIL,
        Plain::Str(text) => store.string_owned(text)?,
        Plain::Bytes(bytes) => store.bytes_new(bytes)?,
        Plain::List(items) => {
            let list = store.list_with_capacity(items.len())?;
            for item in items {
                let item = value(store, item, kind)?;
                store.list_push(list, item)?;
            }
            list.into()
        }
        Plain::Object(fields) => {
            let object = store.object_new()?;
            for (key, field) in fields {
                let field = value(store, field, kind)?;
                let key = store.intern(&key)?;
                store.set(object, key, field)?;
            }
            object.into()
        }
        Plain::Handle(id) => store.handle_new(id, kind)?,
    })
}

/// Deepest nesting of a value that is taken out of the heap.
const MAX_OUT_DEPTH: usize = 64;

/// A value as plain data for the host, when it is data and not too deep or large for it.
pub(crate) fn plain(heap: &Heap, value: Value) -> Option<Plain> {
    let mut left = 1_000_000;
    taken_out(heap, value, MAX_OUT_DEPTH, &mut left)
}

fn taken_out(heap: &Heap, value: Value, depth: usize, left: &mut usize) -> Option<Plain> {
    let depth = depth.checked_sub(1)?;
    *left = left.checked_sub(1)?;
    Some(match value.kind() {
        Kind::Nil | Kind::Unset => Plain::Nil,
        Kind::Bool(truth) => Plain::Bool(truth),
        Kind::Num(number) => Plain::Num(number),
        Kind::Str(id) => Plain::Str(heap.str(id).to_owned()),
        Kind::Bytes(id) => Plain::Bytes(heap.bytes(id).to_vec()),
        Kind::List(id) => Plain::List(heap.list(id).iter().map(|&item| taken_out(heap, item, depth, left)).collect::<Option<_>>()?),
        Kind::Object(id) => {
            let mut fields = Vec::with_capacity(heap.object_len(id));
            for (key, value) in heap.entries(id) {
                fields.push((heap.str(key).to_owned(), taken_out(heap, value, depth, left)?));
            }
            Plain::Object(fields)
        }
        _ => return None,
    })
}
