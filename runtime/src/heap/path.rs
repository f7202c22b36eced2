//! The containers on the way from a value to a part of it: tells when a value contains itself.

use crate::value::Value;
use std::collections::HashSet;

/// Up to this depth the path is searched in line.
const SHALLOW: usize = 24;

/// What a level is booked: its place in both tables, with their spare room.
pub(crate) const LEVEL_BYTES: usize = 96;

#[derive(Default)]
pub(crate) struct Path {
    steps: Vec<u64>,
    set: HashSet<u64>,
}

impl Path {
    pub(crate) fn has(&self, container: Value) -> bool {
        let bits = container.bits();
        if self.steps.len() <= SHALLOW { self.steps.contains(&bits) } else { self.set.contains(&bits) }
    }
    pub(crate) fn enter(&mut self, container: Value) {
        if self.steps.len() == SHALLOW {
            self.set.extend(&self.steps);
        }
        self.steps.push(container.bits());
        if self.steps.len() > SHALLOW {
            self.set.insert(container.bits());
        }
    }
    pub(crate) fn leave(&mut self) {
        if let Some(bits) = self.steps.pop() {
            self.set.remove(&bits);
        }
    }
}
