//! The compiled filter is the policy's table: every system call, by every argument that matters, with every instruction of it reached.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use ilu_cap::{CapSet, NativeId, parse_list};
use ilu_wall::needs::Granted;
use ilu_wall::policy::{EACCES, ENOSYS, EPERM, Rule, X32};
use ilu_wall::{Answer, Needs, Policy, bpf, calls, child};
use seccompiler::BpfProgram;

/// What the kernel tells a filter of a call.
struct Call {
    arch: u32,
    number: u32,
    args: [u64; 6],
}

impl Call {
    #[allow(clippy::cast_possible_truncation)]
    fn word(&self, at: u32) -> u32 {
        let at = at as usize;
        match at {
            0 => self.number,
            4 => self.arch,
            16..64 => (self.args[(at - 16) / 8] >> (if at % 8 == 4 { 32 } else { 0 })) as u32,
            _ => panic!("a filter reads at {at}"),
        }
    }
}

/// Runs a program as the kernel does, and takes note of where it was.
fn run(program: &BpfProgram, call: &Call, reached: &mut [bool]) -> u32 {
    let (mut at, mut loaded) = (0, 0);
    loop {
        let op = &program[at];
        reached[at] = true;
        at += 1;
        match op.code {
            0x20 => loaded = call.word(op.k),
            0x54 => loaded &= op.k,
            0x05 => at += op.k as usize,
            0x15 => at += usize::from(if loaded == op.k { op.jt } else { op.jf }),
            0x35 => at += usize::from(if loaded >= op.k { op.jt } else { op.jf }),
            0x06 => return op.k,
            other => panic!("an instruction {other:#x}"),
        }
    }
}

/// Arguments that fulfil each alternative of a rule, and that miss each of its conditions by one bit, in either half.
fn arguments(rule: Option<&Rule>) -> Vec<[u64; 6]> {
    let mut all = vec![[0; 6], [u64::MAX; 6]];
    for tests in rule.iter().flat_map(|rule| &rule.when) {
        for rest in [0, u64::MAX] {
            let mut fits = [rest; 6];
            for test in tests {
                let arg = &mut fits[usize::from(test.arg)];
                *arg = (*arg & !test.mask) | test.value;
            }
            all.push(fits);
            for test in tests {
                for bit in (0..64).filter(|bit| test.mask >> bit & 1 == 1) {
                    let mut misses = fits;
                    misses[usize::from(test.arg)] ^= 1 << bit;
                    all.push(misses);
                }
            }
        }
    }
    all
}

fn holds(policy: &Policy) -> usize {
    let program = bpf::compile(policy).unwrap();
    let mut reached = vec![false; program.len()];
    let mut checked = 0;
    let numbers = (0..2_000).chain([10_000, X32 - 1, X32, X32 + 1, X32 + 59, 0x7fff_ffff, 0x8000_0000, u32::MAX]);
    for number in numbers {
        let rule = policy.rules().find(|(known, _)| *known == number).map(|(_, rule)| rule);
        for args in arguments(rule) {
            let call = Call { arch: bpf::ARCH, number, args };
            let (got, wanted) = (run(&program, &call, &mut reached), bpf::word(policy.verdict(number, &args)));
            assert_eq!(got, wanted, "call {number} with {args:x?}");
            checked += 1;
        }
    }
    // The 32-bit calls of this machine, those of another one, and none at all.
    for arch in [0x4000_0003, bpf::ARCH ^ 1, 0] {
        assert_eq!(run(&program, &Call { arch, number: 0, args: [0; 6] }, &mut reached), bpf::word(Answer::Kill));
    }
    let missed: Vec<usize> = (0..program.len()).filter(|at| !reached[*at]).collect();
    assert!(missed.is_empty(), "never reached: {missed:?} of {}", program.len());
    checked
}

/// Policies of all combinations of grants and of single natives.
fn policies() -> Vec<Policy> {
    let all = parse_list("capall").unwrap();
    let mut policies = Vec::new();
    for bits in 0..16_u32 {
        let has = |bit: u32| bits >> bit & 1 == 1;
        let granted = Granted { read: has(0), write: has(1), net: has(2), program: has(3) };
        policies.push(calls::interpreter(&Needs::of(all, granted)));
    }
    let everything = Granted { read: true, write: true, net: true, program: true };
    for native in NativeId::all() {
        policies.push(calls::interpreter(&Needs::of([native].into_iter().collect::<CapSet>(), everything)));
    }
    policies.extend([child::program(false), child::program(true)]);
    policies
}

#[test]
fn osl_018_the_filter_is_the_table_and_every_instruction_is_reached() {
    let policies = policies();
    let checked: usize = policies.iter().map(holds).sum();
    println!("{} policies, {checked} calls", policies.len());
    assert!(checked > 100_000, "{checked}");
}

#[test]
fn a_filter_that_is_wrong_is_found_out() {
    // The control of the test above: with one jump turned round, some call gets another answer.
    let policy = calls::interpreter(&Needs::default());
    let mut program = bpf::compile(&policy).unwrap();
    let at = program.iter().position(|op| op.code == 0x35).unwrap();
    (program[at].jt, program[at].jf) = (program[at].jf, program[at].jt);
    let mut reached = vec![false; program.len()];
    let wrong = (0..500).any(|number| {
        let args = [0; 6];
        run(&program, &Call { arch: bpf::ARCH, number, args }, &mut reached) != bpf::word(policy.verdict(number, &args))
    });
    assert!(wrong);
}

#[test]
fn the_table_says_what_its_page_says() {
    let none = calls::interpreter(&Needs::default());
    let verdict = |policy: &Policy, call: i64, args: [u64; 6]| policy.verdict(u32::try_from(call).unwrap(), &args);
    let plain = [0; 6];
    for (call, answer) in [
        (libc::SYS_read, Answer::Allow),
        (libc::SYS_execve, Answer::Errno(EPERM)),
        (libc::SYS_execveat, Answer::Errno(EPERM)),
        (libc::SYS_socket, Answer::Errno(EPERM)),
        (libc::SYS_kill, Answer::Errno(EPERM)),
        (libc::SYS_openat, Answer::Errno(EACCES)),
        (libc::SYS_openat2, Answer::Errno(EACCES)),
        (libc::SYS_clone3, Answer::Errno(ENOSYS)),
        (libc::SYS_ptrace, Answer::Kill),
        (libc::SYS_bpf, Answer::Kill),
        (libc::SYS_io_uring_setup, Answer::Kill),
        (libc::SYS_keyctl, Answer::Kill),
        (libc::SYS_finit_module, Answer::Kill),
    ] {
        assert_eq!(verdict(&none, call, plain), answer, "call {call}");
    }
    // Memory that can be run; a new process; a key typed into a terminal.
    assert_eq!(verdict(&none, libc::SYS_mmap, [0, 4096, 3, 0, 0, 0]), Answer::Allow);
    assert_eq!(verdict(&none, libc::SYS_mmap, [0, 4096, 5, 0, 0, 0]), Answer::Errno(EPERM));
    assert_eq!(verdict(&none, libc::SYS_mprotect, [0, 4096, 4, 0, 0, 0]), Answer::Errno(EPERM));
    assert_eq!(verdict(&none, libc::SYS_clone, [17, 0, 0, 0, 0, 0]), Answer::Errno(EPERM));
    assert_eq!(verdict(&none, libc::SYS_clone, [0x3d_0f00, 0, 0, 0, 0, 0]), Answer::Allow);
    assert_eq!(verdict(&none, libc::SYS_ioctl, [0, libc::TIOCSTI, 0, 0, 0, 0]), Answer::Errno(EPERM));
    let reads = calls::interpreter(&Needs::default().with(ilu_cap::Kernel::OpenRead));
    assert_eq!(verdict(&reads, libc::SYS_openat2, plain), Answer::Allow);
    assert_eq!(verdict(&reads, libc::SYS_unlinkat, plain), Answer::Errno(EPERM));
    let connects = calls::interpreter(&Needs::default().with(ilu_cap::Kernel::Connect));
    assert_eq!(verdict(&connects, libc::SYS_socket, [2, 0x8_0001, 6, 0, 0, 0]), Answer::Allow);
    for family in [1, 16, 17, 38, 40] {
        assert_eq!(verdict(&connects, libc::SYS_socket, [family, 1, 0, 0, 0, 0]), Answer::Errno(EPERM), "family {family}");
    }
    assert_eq!(verdict(&connects, libc::SYS_socket, [2, 3, 0, 0, 0, 0]), Answer::Errno(EPERM));
    assert_eq!(verdict(&connects, libc::SYS_listen, plain), Answer::Errno(EPERM));
}
