//! From a policy to a filter program: a binary search for the call's number, then its conditions.
//!
//! A program is checked by the kernel when it is installed, and that takes time for each instruction; it runs at every system call. So
//! neighbours with one answer share it, and a call is found in eight comparisons, not in ninety. One program gives all the answers:
//! filters that are stacked each run at each call, and which of two errors wins depends on their order.

use crate::policy::{Answer, Policy, Rule, Test, X32};
use seccompiler::{BpfProgram, sock_filter};

/// Loads a word of what the kernel tells of the call.
const LOAD: u16 = 0x20;
/// Keeps some of the loaded bits.
const AND: u16 = 0x54;
/// Jumps always.
const JUMP: u16 = 0x05;
/// Jumps by whether the loaded word is this.
const IF_EQUAL: u16 = 0x15;
/// Jumps by whether the loaded word is this or above.
const IF_AT_LEAST: u16 = 0x35;
/// Ends with this answer.
const RETURN: u16 = 0x06;

const RET_ALLOW: u32 = 0x7fff_0000;
const RET_ERRNO: u32 = 0x0005_0000;
const RET_KILL: u32 = 0x8000_0000;

/// Where the kernel puts the number, the architecture and the arguments (eight bytes each, the low half first).
const AT_NUMBER: u32 = 0;
const AT_ARCH: u32 = 4;
const AT_ARGS: u32 = 16;

/// What the kernel calls the architecture of this build.
#[cfg(target_arch = "x86_64")]
pub const ARCH: u32 = 0xc000_003e;
/// What the kernel calls the architecture of this build.
#[cfg(target_arch = "aarch64")]
pub const ARCH: u32 = 0xc000_00b7;

/// The kernel takes no longer program.
const MAX_INSTRUCTIONS: usize = 4096;

const fn op(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// The word that a program returns for an answer.
#[must_use]
pub const fn word(answer: Answer) -> u32 {
    match answer {
        Answer::Allow => RET_ALLOW,
        Answer::Errno(error) => RET_ERRNO | error as u32,
        Answer::Kill => RET_KILL,
    }
}

/// A range of numbers, from its first to the next one's, and what becomes of them.
struct Range<'a> {
    first: u32,
    rule: Leaf<'a>,
}

#[derive(PartialEq)]
enum Leaf<'a> {
    Same(Answer),
    Tests(&'a Rule),
}

/// Compiles a policy.
///
/// # Errors
/// It does not fit in a program.
pub fn compile(policy: &Policy) -> Result<BpfProgram, String> {
    let mut program = vec![op(LOAD, AT_ARCH), sock_filter { code: IF_EQUAL, jt: 1, jf: 0, k: ARCH }, op(RETURN, RET_KILL)];
    program.push(op(LOAD, AT_NUMBER));
    program.extend(search(&ranges(policy))?);
    if program.len() > MAX_INSTRUCTIONS {
        return Err(format!("the filter has {} instructions, more than the kernel takes", program.len()));
    }
    Ok(program)
}

fn ranges(policy: &Policy) -> Vec<Range<'_>> {
    let mut ranges: Vec<Range<'_>> = Vec::new();
    let mut next = 0;
    for (number, rule) in policy.rules().take_while(|(number, _)| *number < X32) {
        if number > next {
            add(&mut ranges, next, Leaf::Same(policy.otherwise()));
        }
        add(&mut ranges, number, if rule.when.is_empty() { Leaf::Same(rule.otherwise) } else { Leaf::Tests(rule) });
        next = number + 1;
    }
    add(&mut ranges, next, Leaf::Same(policy.otherwise()));
    add(&mut ranges, X32, Leaf::Same(Answer::Kill));
    ranges
}

fn add<'a>(ranges: &mut Vec<Range<'a>>, first: u32, rule: Leaf<'a>) {
    let joins = matches!(rule, Leaf::Same(_)) && ranges.last().is_some_and(|last| last.rule == rule);
    if !joins {
        ranges.push(Range { first, rule });
    }
}

/// Halves the ranges until one is left. Its depth is the number of bits of their count.
fn search(ranges: &[Range<'_>]) -> Result<BpfProgram, String> {
    if let [one] = ranges {
        return leaf(&one.rule);
    }
    let (below, above) = ranges.split_at(ranges.len() / 2);
    let Some(middle) = above.first() else { return Err("a filter of no ranges".to_owned()) };
    let (below, above) = (search(below)?, search(above)?);
    let mut program = Vec::with_capacity(below.len() + above.len() + 2);
    let over = below.len();
    if let Ok(over) = u8::try_from(over) {
        program.push(sock_filter { code: IF_AT_LEAST, jt: over, jf: 0, k: middle.first });
    } else {
        // Farther than a comparison can jump.
        let over = u32::try_from(over).map_err(|error| error.to_string())?;
        program.push(sock_filter { code: IF_AT_LEAST, jt: 0, jf: 1, k: middle.first });
        program.push(op(JUMP, over));
    }
    program.extend(below);
    program.extend(above);
    Ok(program)
}

fn leaf(leaf: &Leaf<'_>) -> Result<BpfProgram, String> {
    match leaf {
        Leaf::Same(answer) => Ok(vec![op(RETURN, word(*answer))]),
        Leaf::Tests(rule) => {
            let mut program = Vec::new();
            for all in &rule.when {
                program.extend(conditions(all)?);
            }
            program.push(op(RETURN, word(rule.otherwise)));
            Ok(program)
        }
    }
}

/// All of them, or on to what follows.
fn conditions(all: &[Test]) -> Result<BpfProgram, String> {
    let words: Vec<(u32, u32, u32)> = all.iter().flat_map(halves).collect();
    // Three instructions for each word and the answer: from each comparison that fails, past the rest.
    let length = words.len() * 3 + 1;
    let mut program = Vec::with_capacity(length);
    for (at, mask, value) in words {
        program.push(op(LOAD, at));
        program.push(op(AND, mask));
        let rest = u8::try_from(length - program.len() - 1).map_err(|_| "too many conditions on one call".to_owned())?;
        program.push(sock_filter { code: IF_EQUAL, jt: 0, jf: rest, k: value });
    }
    program.push(op(RETURN, RET_ALLOW));
    Ok(program)
}

/// The 32-bit words of an argument that are looked at: where, which bits, what they are to be.
#[allow(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
fn halves(test: &Test) -> impl Iterator<Item = (u32, u32, u32)> + use<> {
    let at = AT_ARGS + u32::from(test.arg) * 8;
    let words = [(at, test.mask as u32, test.value as u32), (at + 4, (test.mask >> 32) as u32, (test.value >> 32) as u32)];
    words.into_iter().filter(|(_, mask, _)| *mask != 0)
}
