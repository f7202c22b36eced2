//! The same rows again with a part of the defence taken away: what one layer promises must hold when the others say yes.
//!
//! - [`Lane::Both`]: the command as people run it.
//! - [`Lane::Doorway`]: `--wall off`. Every row as ever.
//! - [`Lane::Kernel`]: the command `kernel-alone`, whose natives ask nobody. The kernel can't tell all that the doorway can, so here a row is one of
//!   two: *held*, every attack in it fails and with the wall off too one succeeds; or it stands in the README's table of what the kernel can't
//!   express, with the reason. The table is exact: a row in it that is held is an error as well. Whatever a row is, nothing outside a grant
//!   is read or changed, and no port that no rule names is reached.

use ilu_tests::tally;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Which layers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// All.
    Both,
    /// Not the kernel's.
    Doorway,
    /// Only the kernel's.
    Kernel,
}

thread_local! {
    static LANE: Cell<Lane> = const { Cell::new(Lane::Both) };
    /// Is this the attempt without the kernel's layer either?
    static BARE: Cell<bool> = const { Cell::new(false) };
}

/// The lane that this thread is in.
pub fn current() -> Lane {
    LANE.get()
}

/// Runs a test in a lane.
pub fn within<T>(lane: Lane, test: impl FnOnce() -> T) -> T {
    LANE.set(lane);
    let done = test();
    LANE.set(Lane::Both);
    done
}

/// Runs an attack that nothing at all refuses.
pub fn bare<T>(attack: impl FnOnce() -> T) -> T {
    BARE.set(true);
    let done = attack();
    BARE.set(false);
    done
}

/// The command of this lane.
pub fn binary() -> PathBuf {
    match current() {
        Lane::Kernel => env!("CARGO_BIN_EXE_kernel-alone").into(),
        Lane::Both | Lane::Doorway => env!("CARGO_BIN_EXE_ilu-under-test").into(),
    }
}

/// The flags of `run` in this lane.
pub fn flags() -> &'static [&'static str] {
    match current() {
        _ if BARE.get() => &["--wall", "off"],
        Lane::Both => &[],
        Lane::Doorway => &["--wall", "off"],
        Lane::Kernel => &["--wall", "require"],
    }
}

/// What is put behind a row's id in this lane.
const fn mark(lane: Lane) -> &'static str {
    match lane {
        Lane::Both => "",
        Lane::Doorway => " doorway alone",
        Lane::Kernel => " kernel alone",
    }
}

/// From now on this thread tries this row.
pub fn begin(id: &str) {
    tally::begin(&format!("{id}{}", mark(current())));
}

/// The row's id and its lane, of what [`begin`] noted.
pub fn split(noted: &str) -> (&str, Lane) {
    for lane in [Lane::Doorway, Lane::Kernel] {
        if let Some(id) = noted.strip_suffix(mark(lane)) {
            return (id, lane);
        }
    }
    (noted, Lane::Both)
}

/// Has this kernel all of the wall? Without it there is nothing to try alone.
pub fn kernel_has_it() -> bool {
    static WHOLE: OnceLock<bool> = OnceLock::new();
    *WHOLE.get_or_init(|| {
        let done = Command::new(env!("CARGO_BIN_EXE_ilu-under-test")).args(["run", "--wall", "require", "-e", "prn 1"]).output();
        done.is_ok_and(|done| done.status.success())
    })
}

/// What came of a row with the kernel alone.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Attacks that failed.
    pub held: usize,
    /// Attacks that did not, the first of them in words.
    pub through: Vec<String>,
    /// Attacks that succeed when the kernel does not refuse either.
    pub bare: usize,
}

static VERDICTS: Mutex<BTreeMap<String, Verdict>> = Mutex::new(BTreeMap::new());

fn with<T>(change: impl FnOnce(&mut BTreeMap<String, Verdict>) -> T) -> T {
    change(&mut VERDICTS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Takes note of an attack of the current row in the kernel's lane: did it fail?
pub fn judged(held: bool, what: &str) {
    let noted = tally::current();
    with(|all| {
        let verdict = all.entry(split(&noted).0.to_owned()).or_default();
        if held {
            verdict.held += 1;
        } else if verdict.through.len() < 3 {
            verdict.through.push(what.chars().take(160).collect());
        }
    });
}

/// Takes note that an attack of the current row succeeds with nothing in its way.
pub fn succeeds_bare() {
    let noted = tally::current();
    with(|all| all.entry(split(&noted).0.to_owned()).or_default().bare += 1);
}

/// Of several rows in one test, those that noted nothing of their own had what the first had.
pub fn shared(ids: &[String]) {
    with(|all| {
        let Some(first) = ids.first().and_then(|id| all.get(id)).cloned() else { return };
        for id in ids {
            all.entry(id.clone()).or_insert_with(|| first.clone());
        }
    });
}

/// Every row that was tried so, and what came of it.
pub fn verdicts() -> BTreeMap<String, Verdict> {
    with(|all| all.clone())
}
