//! Which attack rows were tried, with how many attempts, controls and twins: what the harness of the attack rows tells at the end, and what it
//! holds the rule against that a row which refuses something has a control and a twin.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// The parts of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What must end well although it is hostile: an error, an answer, no harm.
    Attempt,
    /// What must be refused: denied, or ended by a limit.
    Refusal,
    /// The same operation where it is allowed.
    Control,
    /// The attack with the guard off: it must succeed.
    Twin,
}

/// What was tried of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Attempts, refusals among them.
    pub attempts: usize,
    /// Attempts that had to be refused.
    pub refusals: usize,
    /// Controls.
    pub controls: usize,
    /// Twins.
    pub twins: usize,
}

static ROWS: Mutex<BTreeMap<String, Counts>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// The row that this thread is trying.
    static ROW: RefCell<String> = const { RefCell::new(String::new()) };
}

fn rows() -> MutexGuard<'static, BTreeMap<String, Counts>> {
    ROWS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// From now on this thread tries this row.
pub fn begin(id: &str) {
    ROW.with_borrow_mut(|row| id.clone_into(row));
    rows().entry(id.to_owned()).or_default();
}

/// The row that this thread is trying.
#[must_use]
pub fn current() -> String {
    ROW.with_borrow(Clone::clone)
}

/// Takes note of one part of the row that this thread is trying. Outside the harness nobody asks.
pub fn note(part: Part) {
    let id = current();
    if id.is_empty() {
        return;
    }
    let mut rows = rows();
    let counts = rows.entry(id).or_default();
    match part {
        Part::Attempt => counts.attempts += 1,
        Part::Refusal => {
            counts.attempts += 1;
            counts.refusals += 1;
        }
        Part::Control => counts.controls += 1,
        Part::Twin => counts.twins += 1,
    }
}

/// How long tests took, by name.
static TIMES: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// Takes note of how long a test took.
pub fn took(test: &str, time: Duration) {
    TIMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((time, test.to_owned()));
}

/// The tests that took longest, the longest first.
#[must_use]
pub fn slowest(count: usize) -> Vec<(Duration, String)> {
    let mut times = TIMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    times.sort_by(|a, b| b.cmp(a));
    times.truncate(count);
    times
}

/// All rows that were begun.
#[must_use]
pub fn all() -> BTreeMap<String, Counts> {
    rows().clone()
}
