//! Equality and order of values.
//!
//! `==` is structural. Two lists or objects whose comparison has begun are assumed equal when they are met again: that makes it
//! end on cycles, and linear on shared parts. Iterative; bounded in work and in the bytes it holds itself.

use super::Store;
use super::text::{Bound, Overrun, STEP_BYTES};
use crate::value::{Kind, Value};
use std::cmp::Ordering;
use std::collections::HashSet;

enum Verdict {
    Equal,
    Different,
    /// Same kind, same length: the elements decide.
    Deep,
}

/// Two containers being compared, and the next element.
struct Frame {
    a: Value,
    b: Value,
    next: usize,
}

/// What a level is booked: its frame, with the spare room of the stack and its old copy while it grows.
const LEVEL_BYTES: usize = 80;
/// What a remembered pair is booked: its place in the table, likewise.
const PAIR_BYTES: usize = 32;
/// Pairs compared before they are remembered: most comparisons are of small things.
const FORGET: usize = 64;

/// Whether two values are equal, and the work it took to tell.
pub fn equal(store: &Store, a: Value, b: Value, bound: Bound) -> Result<(bool, u64), Overrun> {
    let mut walk = Walk { store, stack: Vec::new(), met: [HashSet::new(), HashSet::new()], opened: 0, work: 1, bound };
    let equal = match walk.shallow(a, b)? {
        Verdict::Equal => true,
        Verdict::Different => false,
        Verdict::Deep => {
            walk.open(a, b)?;
            walk.run()?
        }
    };
    Ok((equal, walk.work))
}

/// The order of two numbers, or of two strings by code point; no other pair has one.
#[must_use]
pub fn compare(store: &Store, a: Value, b: Value) -> Option<Ordering> {
    match (a.kind(), b.kind()) {
        (Kind::Num(a), Kind::Num(b)) => a.partial_cmp(&b),
        // UTF-8 keeps the order of code points.
        (Kind::Str(a), Kind::Str(b)) => Some(store.str(a).cmp(store.str(b))),
        _ => None,
    }
}

struct Walk<'a> {
    store: &'a Store,
    stack: Vec<Frame>,
    /// Pairs of lists met so far, as two places in one number; then pairs of objects.
    met: [HashSet<u64>; 2],
    opened: usize,
    work: u64,
    bound: Bound,
}

impl Walk<'_> {
    fn spend(&mut self, bytes: usize) -> Result<(), Overrun> {
        let before = self.work;
        self.work += 1 + (bytes / STEP_BYTES) as u64;
        if self.work > self.bound.work {
            return Err(Overrun::Work);
        }
        if self.store.watch.is_late(before, self.work) { Err(Overrun::Late) } else { Ok(()) }
    }
    fn shallow(&mut self, a: Value, b: Value) -> Result<Verdict, Overrun> {
        if a == b {
            return Ok(Verdict::Equal);
        }
        let store = self.store;
        let equal = match (a.kind(), b.kind()) {
            (Kind::Num(a), Kind::Num(b)) => a == b,
            (Kind::Str(a), Kind::Str(b)) => {
                let (a, b) = (store.str(a), store.str(b));
                self.spend(if a.len() == b.len() { a.len() } else { 0 })?;
                a == b
            }
            (Kind::Bytes(a), Kind::Bytes(b)) => {
                let (a, b) = (store.bytes(a), store.bytes(b));
                self.spend(if a.len() == b.len() { a.len() } else { 0 })?;
                a == b
            }
            (Kind::List(a), Kind::List(b)) if store.list(a).len() == store.list(b).len() => return Ok(Verdict::Deep),
            (Kind::Object(a), Kind::Object(b)) if store.object_len(a) == store.object_len(b) => return Ok(Verdict::Deep),
            (Kind::Handle(a), Kind::Handle(b)) => store.same_handle(a, b),
            (Kind::Method(a), Kind::Method(b)) => match (store.method(a), store.method(b)) {
                (Some(a), Some(b)) => a.native == b.native && store.same_handle(a.of, b.of),
                _ => false,
            },
            (Kind::Sandbox(a), Kind::Sandbox(b)) => store.sandbox(a) == store.sandbox(b),
            // Wherever they were named.
            (Kind::Builtin(a), Kind::Builtin(b)) | (Kind::Native(a), Kind::Native(b)) => a == b,
            _ => false,
        };
        Ok(if equal { Verdict::Equal } else { Verdict::Different })
    }
    fn open(&mut self, a: Value, b: Value) -> Result<(), Overrun> {
        self.opened += 1;
        if self.opened > FORGET && !self.remember(a, b) {
            return Ok(());
        }
        let met: usize = self.met.iter().map(HashSet::len).sum();
        let held = self.stack.len().saturating_mul(LEVEL_BYTES).saturating_add(met.saturating_mul(PAIR_BYTES));
        if held > self.bound.bytes {
            return Err(Overrun::Bytes(held));
        }
        self.stack.push(Frame { a, b, next: 0 });
        Ok(())
    }
    /// Whether a pair is met for the first time.
    fn remember(&mut self, a: Value, b: Value) -> bool {
        let [lists, objects] = &mut self.met;
        match (a.kind(), b.kind()) {
            (Kind::List(a), Kind::List(b)) => lists.insert(u64::from(a.0) << 32 | u64::from(b.0)),
            (Kind::Object(a), Kind::Object(b)) => objects.insert(u64::from(a.0) << 32 | u64::from(b.0)),
            _ => false,
        }
    }
    fn run(&mut self) -> Result<bool, Overrun> {
        while let Some(frame) = self.stack.last_mut() {
            let (a, b, next) = (frame.a, frame.b, frame.next);
            frame.next += 1;
            let Some((x, y)) = self.pair(a, b, next) else {
                self.stack.pop();
                continue;
            };
            let Some(y) = y else { return Ok(false) };
            self.spend(0)?;
            match self.shallow(x, y)? {
                Verdict::Equal => {}
                Verdict::Different => return Ok(false),
                Verdict::Deep => {
                    if self.pair(a, b, next + 1).is_none() {
                        // Nothing comes after this pair: a chain of any length needs one frame.
                        self.stack.pop();
                    }
                    self.open(x, y)?;
                }
            }
        }
        Ok(true)
    }
    /// The next pair of elements; the second is missing when `b` lacks the key.
    fn pair(&self, a: Value, b: Value, next: usize) -> Option<(Value, Option<Value>)> {
        match (a.kind(), b.kind()) {
            (Kind::List(a), Kind::List(b)) => Some((*self.store.list(a).get(next)?, self.store.list(b).get(next).copied())),
            (Kind::Object(a), Kind::Object(b)) => {
                let (key, value) = self.store.entry(a, next)?;
                let same_place = self.store.entry(b, next).filter(|other| other.0 == key).map(|other| other.1);
                Some((value, same_place.or_else(|| self.store.get(b, key))))
            }
            _ => None,
        }
    }
}
