//! Lists.

use super::support::{arg, row};
use super::{BuiltinRow, Cx, Fault};
use crate::heap::{STEP_BYTES, Store};
use crate::value::{Kind, ListId, Value};
use std::cmp::Ordering;
use std::collections::HashSet;

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__lst_push", (2, 2), push, "Appends an element to a list."),
    row("__lst_pop", (1, 1), pop, "Takes the last element off a list; nil when there is none."),
    row("__lst_insert", (3, 3), insert, "Puts an element before an index of a list."),
    row("__lst_remove", (2, 2), remove, "Takes the element at an index out of a list."),
    row("__lst_slice", (3, 3), slice, "A new list of the elements from one index up to, without, another."),
    row("__lst_rev", (1, 1), reverse, "A new list, the other way round."),
    row("__lst_sort", (2, 2), sort, "A new list in the order of its elements, or of a list of keys: all numbers or all strings."),
    row("__lst_index", (2, 2), index, "The index of the first element equal to a value, or nil."),
    row("__lst_sum", (1, 1), sum, "The sum of a list of numbers."),
    row("__lst_uniq", (1, 1), unique, "A new list with each element once, where it came first."),
    row("__lst_flat", (1, 1), flat, "A new list in which elements that are lists are replaced by theirs."),
];

fn push(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.own_list(args, "trl.push")?;
    cx.heap.list_push(list, arg(args, 1))?;
    Ok(Value::NIL)
}

fn pop(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.open_list(args, "trl.pop")?;
    Ok(cx.heap.list_pop(list).unwrap_or(Value::NIL))
}

fn no_index(who: &str, index: usize, length: usize) -> Fault {
    Fault::Message(format!("{who}: index {index} is out of range for a list of length {length}"))
}

fn insert(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.own_list(args, "trl.insert")?;
    let (at, length) = (cx.count_arg(args, 1, "trl.insert")?, cx.heap.list(list).len());
    cx.spend_copy(length.saturating_sub(at))?;
    if cx.heap.list_insert(list, at, arg(args, 2))? { Ok(Value::NIL) } else { Err(no_index("trl.insert", at, length)) }
}

fn remove(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.own_list(args, "trl.remove")?;
    let (at, length) = (cx.count_arg(args, 1, "trl.remove")?, cx.heap.list(list).len());
    cx.spend_copy(length.saturating_sub(at))?;
    cx.heap.list_remove(list, at).ok_or_else(|| no_index("trl.remove", at, length))
}

/// A new list of elements `from..to` of another, both within it.
fn part(cx: &mut Cx<'_>, list: ListId, from: usize, to: usize) -> Result<ListId, Fault> {
    cx.spend_copy(to - from)?;
    let made = cx.heap.list_with_capacity(to - from)?;
    if from == 0 && to == cx.heap.list(list).len() {
        cx.heap.list_extend_from(made, list)?;
        return Ok(made);
    }
    for at in from..to {
        let item = cx.heap.list(list).get(at).copied().unwrap_or(Value::NIL);
        cx.heap.list_push(made, item)?;
    }
    Ok(made)
}

fn slice(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.list_arg(args, 0, "trl.slc")?;
    let (from, to) = (cx.count_arg(args, 1, "trl.slc")?, cx.count_arg(args, 2, "trl.slc")?);
    let to = to.min(cx.heap.list(list).len());
    Ok(part(cx, list, from.min(to), to)?.into())
}

fn copy(cx: &mut Cx<'_>, list: ListId) -> Result<ListId, Fault> {
    let length = cx.heap.list(list).len();
    part(cx, list, 0, length)
}

fn reverse(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.list_arg(args, 0, "trl.rev")?;
    let made = copy(cx, list)?;
    cx.heap.list_mut(made).reverse();
    Ok(made.into())
}

/// A total order of numbers in which 0 and -0 are equal. There should be no NaN; one would be the largest, not a panic in the sort.
fn by_number(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn by_value(store: &Store, a: Value, b: Value) -> Ordering {
    match (a.kind(), b.kind()) {
        (Kind::Num(a), Kind::Num(b)) => by_number(a, b),
        (Kind::Str(a), Kind::Str(b)) => store.str(a).cmp(store.str(b)),
        // Checked before the sort: keys are of one kind.
        _ => Ordering::Equal,
    }
}

/// Checks that keys are all numbers or all strings, and says how many bytes of text they are.
fn check_keys(cx: &Cx<'_>, keys: ListId) -> Result<usize, Fault> {
    let keys = cx.heap.list(keys);
    let Some(&first) = keys.first() else { return Ok(0) };
    let mut bytes: usize = 0;
    for &key in keys {
        match (first.kind(), key.kind()) {
            (Kind::Num(_), Kind::Num(_)) => {}
            (Kind::Str(_), Kind::Str(id)) => bytes = bytes.saturating_add(cx.heap.str(id).len()),
            (Kind::Num(_) | Kind::Str(_), _) => {
                let (a, b) = (cx.heap.type_name(first), cx.heap.type_name(key));
                return Err(Fault::Message(format!("trl.srt can't order {a} and {b}")));
            }
            _ => return Err(cx.wrong("trl.srt", "numbers or strings", first)),
        }
    }
    Ok(bytes)
}

fn sort(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.list_arg(args, 0, "trl.srt")?;
    let keys = if arg(args, 1) == Value::NIL { list } else { cx.list_arg(args, 1, "trl.srt")? };
    let length = cx.heap.list(list).len();
    if cx.heap.list(keys).len() != length {
        return Err(Fault::message("trl.srt takes as many keys as elements"));
    }
    cx.spend(1 + length)?;
    let bytes = check_keys(cx, keys)?;
    // Every element is compared about log2(n) times, each time at most to its end.
    let rounds = length.max(2).ilog2() as usize;
    cx.spend((length + bytes / STEP_BYTES).saturating_mul(rounds))?;
    let made = cx.heap.list_with_capacity(length)?;
    // Pairs of key and element, and as much again for the merge.
    let scratch = length.saturating_mul(2 * size_of::<(Value, Value)>());
    cx.heap.charge(scratch)?;
    let mut pairs: Vec<(Value, Value)> = cx.heap.list(keys).iter().copied().zip(cx.heap.list(list).iter().copied()).collect();
    let sorted = sort_pairs(cx.heap, &mut pairs);
    // There is room: the list was made with it.
    let filled = sorted.and_then(|()| pairs.iter().try_for_each(|pair| Ok(cx.heap.list_push(made, pair.1)?)));
    cx.heap.release(scratch);
    filled?;
    Ok(made.into())
}

/// Pairs sorted at once, without a look at the clock.
const RUN: usize = 16;

/// Sorts by key, stable. Texts may be long and many: short runs are sorted at once and then merged, with looks at the clock between, for a
/// comparison can't break a sort off.
fn sort_pairs(store: &Store, pairs: &mut Vec<(Value, Value)>) -> Result<(), Fault> {
    let order = |a: &(Value, Value), b: &(Value, Value)| by_value(store, a.0, b.0);
    if pairs.first().is_none_or(|pair| pair.0.is_num()) {
        pairs.sort_by(order);
        return Ok(());
    }
    let mut steps = Steps { store, done: 0 };
    for run in pairs.chunks_mut(RUN) {
        steps.pay(run.iter().map(|pair| bytes_of(store, pair.0)).sum())?;
        run.sort_by(order);
    }
    let (mut from, mut width) = (std::mem::take(pairs), RUN);
    let mut to = Vec::with_capacity(from.len());
    while width < from.len() {
        to.clear();
        for two in from.chunks(2 * width) {
            let (mut left, mut right) = two.split_at(width.min(two.len()));
            while let (Some((a, rest)), Some((b, others))) = (left.split_first(), right.split_first()) {
                steps.pay(bytes_of(store, a.0).min(bytes_of(store, b.0)))?;
                if order(b, a).is_lt() {
                    to.push(*b);
                    right = others;
                } else {
                    to.push(*a);
                    left = rest;
                }
            }
            to.extend_from_slice(left);
            to.extend_from_slice(right);
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    *pairs = from;
    Ok(())
}

fn bytes_of(store: &Store, value: Value) -> usize {
    value.as_str().map_or(0, |id| store.str(id).len())
}

/// Work that was paid for in one piece, counted again as it is done so that the clock is looked at.
struct Steps<'a> {
    store: &'a Store,
    done: u64,
}

impl Steps<'_> {
    fn pay(&mut self, bytes: usize) -> Result<(), Fault> {
        let before = self.done;
        self.done += 1 + (bytes / STEP_BYTES) as u64;
        if self.store.watch.is_late(before, self.done) { Err(Fault::Late) } else { Ok(()) }
    }
}

fn index(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (list, wanted) = (cx.list_arg(args, 0, "trl.has")?, arg(args, 1));
    for at in 0..cx.heap.list(list).len() {
        let Some(&item) = cx.heap.list(list).get(at) else { break };
        if cx.equal(item, wanted)? {
            return Ok(Value::num(at as f64));
        }
    }
    Ok(Value::NIL)
}

fn sum(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.list_arg(args, 0, "trl.sum")?;
    cx.spend_copy(cx.heap.list(list).len())?;
    let mut total = 0.0;
    for &item in cx.heap.list(list) {
        match item.as_num() {
            Some(number) => total += number,
            None => return Err(cx.wrong("trl.sum", "a list of numbers", item)),
        }
    }
    if total.is_finite() { Ok(Value::num(total)) } else { Err(Fault::message("trl.sum: the sum is too large for a number")) }
}

/// What stands for a value in a table of those seen: equal bits for equal numbers and strings. Others are compared one by one.
fn identity(cx: &mut Cx<'_>, value: Value) -> Result<Option<u64>, Fault> {
    match value.kind() {
        // Adding zero turns -0 into 0.
        Kind::Num(number) => Ok(Some(Value::num(number + 0.0).bits())),
        Kind::Str(id) => {
            cx.spend_text(cx.heap.str(id).len())?;
            Ok(Some(Value::from(cx.heap.key(id)?).bits()))
        }
        Kind::List(_) | Kind::Object(_) | Kind::Bytes(_) | Kind::Handle(_) | Kind::Sandbox(_) | Kind::Method(_) => Ok(None),
        _ => Ok(Some(value.bits())),
    }
}

fn unique(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.list_arg(args, 0, "trl.unq")?;
    let length = cx.heap.list(list).len();
    cx.spend(1 + length)?;
    let made = cx.heap.list_with_capacity(0)?;
    // The table of those seen and the list of those to compare, with their spare room.
    let scratch = length.saturating_mul(48);
    cx.heap.charge(scratch)?;
    let result = collect_unique(cx, list, made, length);
    cx.heap.release(scratch);
    result.map(|()| made.into())
}

fn collect_unique(cx: &mut Cx<'_>, list: ListId, made: ListId, length: usize) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    let mut deep: Vec<Value> = Vec::new();
    for at in 0..length {
        let Some(&item) = cx.heap.list(list).get(at) else { break };
        let new = match identity(cx, item)? {
            Some(bits) => seen.insert(bits),
            None => {
                let mut new = true;
                for &other in &deep {
                    if cx.equal(other, item)? {
                        new = false;
                        break;
                    }
                }
                if new {
                    deep.push(item);
                }
                new
            }
        };
        if new {
            cx.heap.list_push(made, item)?;
        }
    }
    Ok(())
}

fn flat(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let list = cx.list_arg(args, 0, "trl.flat")?;
    cx.spend(1 + cx.heap.list(list).len())?;
    let inner = |item: &Value| item.as_list().map_or(1, |inner| cx.heap.list(inner).len());
    let total = cx.heap.list(list).iter().map(inner).fold(0, usize::saturating_add);
    cx.spend_copy(total)?;
    let made = cx.heap.list_with_capacity(total)?;
    for at in 0..cx.heap.list(list).len() {
        let Some(&item) = cx.heap.list(list).get(at) else { break };
        match item.as_list() {
            Some(inner) => cx.heap.list_extend_from(made, inner)?,
            None => cx.heap.list_push(made, item)?,
        }
    }
    Ok(made.into())
}
