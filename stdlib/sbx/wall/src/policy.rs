//! What a process may ask of the kernel: system call by system call, an answer.

use crate::{Extent, Report, bpf};
use std::collections::BTreeMap;

/// `EPERM`: not permitted.
pub const EPERM: u16 = 1;
/// `EACCES`: what opening answers that is forbidden. cap-std takes any other refusal of `openat2` for a reason to walk the path by hand.
pub const EACCES: u16 = 13;
/// `ENOSYS`: there is no such call; the C library then does without it.
pub const ENOSYS: u16 = 38;

/// What the kernel answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It does it.
    Allow,
    /// This error.
    Errno(u16),
    /// It ends the process: no honest run makes this call.
    Kill,
}

/// A condition on one argument: of its bits, those of `mask` are `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    /// Which argument, from 0.
    pub arg: u8,
    /// Which bits are looked at. An `int` has 32: the kernel does not look at the others.
    pub mask: u64,
    /// What they have to be.
    pub value: u64,
}

/// The answer to one system call: by its arguments, or the same for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Any of these, and of each all: then it is allowed.
    pub when: Vec<Vec<Test>>,
    /// The answer otherwise.
    pub otherwise: Answer,
}

/// A number from which on the numbers are those of the x32 calls.
pub const X32: u32 = 0x4000_0000;

/// The answers to all system calls of this architecture. Another architecture's calls end the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    rules: BTreeMap<u32, Rule>,
    otherwise: Answer,
}

/// The low bits of an `int` argument, all of them.
pub const INT: u64 = 0xffff_ffff;

/// An `int` argument that has this value.
#[must_use]
pub const fn is(arg: u8, value: u64) -> Test {
    Test { arg, mask: INT, value }
}

/// An argument that has none of these bits.
#[must_use]
pub const fn lacks(arg: u8, bits: u64) -> Test {
    Test { arg, mask: bits, value: 0 }
}

impl Policy {
    /// One that gives this answer to all calls but those it is told of.
    #[must_use]
    pub const fn new(otherwise: Answer) -> Policy {
        Policy { rules: BTreeMap::new(), otherwise }
    }

    /// These calls get this answer.
    pub fn answer(&mut self, calls: &[i64], answer: Answer) {
        for call in calls {
            self.set(*call, Rule { when: Vec::new(), otherwise: answer });
        }
    }

    /// These calls are allowed.
    pub fn allow(&mut self, calls: &[i64]) {
        self.answer(calls, Answer::Allow);
    }

    /// A call is allowed when all of one of these conditions hold.
    pub fn allow_if(&mut self, call: i64, when: Vec<Vec<Test>>, otherwise: Answer) {
        self.set(call, Rule { when, otherwise });
    }

    fn set(&mut self, call: i64, rule: Rule) {
        if let Ok(number) = u32::try_from(call) {
            self.rules.insert(number, rule);
        }
    }

    /// The answer to one call.
    #[must_use]
    pub fn verdict(&self, call: u32, args: &[u64; 6]) -> Answer {
        if call >= X32 {
            return Answer::Kill;
        }
        let Some(rule) = self.rules.get(&call) else { return self.otherwise };
        let holds = |test: &Test| args.get(usize::from(test.arg)).is_some_and(|arg| arg & test.mask == test.value);
        if rule.when.iter().any(|all| all.iter().all(holds)) { Answer::Allow } else { rule.otherwise }
    }

    /// The calls it says something of, with what it says.
    pub fn rules(&self) -> impl Iterator<Item = (u32, &Rule)> {
        self.rules.iter().map(|(number, rule)| (*number, rule))
    }

    /// What it says of all others.
    #[must_use]
    pub const fn otherwise(&self) -> Answer {
        self.otherwise
    }
}

/// What does not hold without the filter.
pub const LOST: &str = "system calls that the grants never need are still answered";

/// Puts the filter in force.
pub(crate) fn enclose(policy: &Policy, extent: Extent, report: &mut Report) {
    let program = match bpf::compile(policy) {
        Ok(program) => program,
        Err(why) => return report.gap(LOST, why),
    };
    let applied = match extent {
        Extent::Thread => seccompiler::apply_filter(&program),
        Extent::Process => seccompiler::apply_filter_all_threads(&program),
    };
    match applied {
        Ok(()) => report.seccomp = true,
        Err(error) => report.gap(LOST, format!("seccomp: {error}")),
    }
}
