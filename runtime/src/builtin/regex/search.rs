//! The walk through a text, in steps between which fuel is paid and the clock is looked at.

use super::super::{Cx, Fault};
use super::compile::Pattern;
use crate::value::StrId;
use regex_automata::hybrid::LazyStateID;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

/// Bytes of text that one unit of fuel searches.
pub(super) const BYTES_PER_FUEL: usize = 16;
/// Bytes between two payments. A byte can cost as much as the automaton has states, so a large one is looked after more often.
const STRIDE: usize = 4096;
/// Steps that the automaton may take between two payments.
const WORK: usize = 4 << 20;
/// Steps that finding the groups of one match may take: it can't be stopped on the way.
const MAX_GROUPED: usize = 20 << 20;
/// Steps of that which cost one unit of fuel.
const GROUPED_PER_FUEL: usize = 64;

fn broken<E>(_: E) -> Fault {
    Fault::Broken("an automaton gave up")
}

fn stride(pattern: &Pattern) -> usize {
    (WORK / pattern.states.max(1)).clamp(16, STRIDE)
}

/// The first match that begins at or behind a place.
pub(super) fn next(cx: &mut Cx<'_>, text: StrId, pattern: &Pattern, mut from: usize, who: &str) -> Result<Option<(usize, usize)>, Fault> {
    loop {
        let Some(end) = end_of_next(cx, text, pattern, from)? else { return Ok(None) };
        let start = start_of(cx, text, pattern, from, end)?;
        let found = cx.heap.str(text);
        if start <= end && found.is_char_boundary(start) && found.is_char_boundary(end) {
            return Ok(Some((start, end)));
        }
        if start != end {
            return Err(Fault::Message(format!("{who}: a pattern matches whole characters")));
        }
        // Nothing matches between the bytes of a character.
        from = (end + 1..=found.len()).find(|at| found.is_char_boundary(*at)).unwrap_or(found.len());
    }
}

/// Where the first match behind a place ends.
fn end_of_next(cx: &mut Cx<'_>, text: StrId, pattern: &Pattern, from: usize) -> Result<Option<usize>, Fault> {
    let mut tables = pattern.tables.borrow_mut();
    let (tables, dfa) = (&mut tables.0, &pattern.forward);
    let mut state = dfa.start_state_forward(tables, &Input::new(cx.heap.str(text)).range(from..)).map_err(broken)?;
    let (mut last, mut at) = (None, from);
    let length = cx.heap.str(text).len();
    while at < length {
        let until = (at + stride(pattern)).min(length);
        cx.spend(1 + (until - at) / BYTES_PER_FUEL)?;
        for &byte in cx.heap.str(text).as_bytes().get(at..until).unwrap_or_default() {
            state = dfa.next_state(tables, state, byte).map_err(broken)?;
            if state.is_tagged() {
                if state.is_match() {
                    // It is told one byte late.
                    last = Some(at);
                } else if state.is_dead() {
                    return Ok(last);
                } else if state.is_quit() {
                    return Err(broken(()));
                }
            }
            at += 1;
        }
    }
    state = dfa.next_eoi_state(tables, state).map_err(broken)?;
    Ok(if state.is_match() { Some(length) } else { last })
}

/// Where the match begins that ends at a place, not before `from`.
fn start_of(cx: &mut Cx<'_>, text: StrId, pattern: &Pattern, from: usize, end: usize) -> Result<usize, Fault> {
    let mut tables = pattern.tables.borrow_mut();
    let (tables, dfa) = (&mut tables.1, &pattern.reverse);
    let input = Input::new(cx.heap.str(text)).range(from..end).anchored(Anchored::Yes);
    let mut state = dfa.start_state_reverse(tables, &input).map_err(broken)?;
    let (mut first, mut at) = (end, end);
    while at > from {
        let until = at.saturating_sub(stride(pattern)).max(from);
        cx.spend(1 + (at - until) / BYTES_PER_FUEL)?;
        for &byte in cx.heap.str(text).as_bytes().get(until..at).unwrap_or_default().iter().rev() {
            state = dfa.next_state(tables, state, byte).map_err(broken)?;
            if let Some(done) = look(state, at, &mut first)? {
                return Ok(done);
            }
            at -= 1;
        }
    }
    state = match cx.heap.str(text).as_bytes().get(..from).and_then(|before| before.last()) {
        Some(&byte) => dfa.next_state(tables, state, byte).map_err(broken)?,
        None => dfa.next_eoi_state(tables, state).map_err(broken)?,
    };
    Ok(if state.is_match() { from } else { first })
}

/// Takes note of a match that began at a place; says when nothing longer can come.
fn look(state: LazyStateID, at: usize, first: &mut usize) -> Result<Option<usize>, Fault> {
    if state.is_match() {
        *first = at;
    } else if state.is_dead() {
        return Ok(Some(*first));
    } else if state.is_quit() {
        return Err(broken(()));
    }
    Ok(None)
}

/// The places of a match's groups.
pub(super) fn groups(
    cx: &mut Cx<'_>,
    text: StrId,
    pattern: &Pattern,
    (start, end): (usize, usize),
    who: &str,
) -> Result<Vec<Option<(usize, usize)>>, Fault> {
    let Some(vm) = &pattern.grouped else { return Ok(Vec::new()) };
    let work = (end - start + 1).saturating_mul(pattern.states);
    if work > MAX_GROUPED {
        let most = MAX_GROUPED / pattern.states.max(1);
        return Err(Fault::Message(format!(
            "{who}: a match of {} bytes is too long for the groups of this pattern, which take at most {most}; without groups it is found",
            end - start
        )));
    }
    cx.spend(1 + work / GROUPED_PER_FUEL)?;
    let slots = 2 * (pattern.names.len() + 1);
    let memory = pattern.states.saturating_mul(slots + 4).saturating_mul(2 * size_of::<usize>());
    cx.heap.charge(memory)?;
    let mut cache = vm.create_cache();
    let mut places: Vec<Option<NonMaxUsize>> = vec![None; slots];
    let input = Input::new(cx.heap.str(text)).range(start..end).anchored(Anchored::Yes);
    let found = vm.search_slots(&mut cache, &input, &mut places);
    drop(cache);
    cx.heap.release(memory);
    if found.is_none() {
        return Err(broken(()));
    }
    let (pairs, _) = places.as_chunks::<2>();
    Ok(pairs.iter().skip(1).map(|[start, end]| Some(((*start)?.get(), (*end)?.get()))).collect())
}
