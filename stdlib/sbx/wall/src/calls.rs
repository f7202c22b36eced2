//! The system calls of a process that runs scripts: what any run makes, and what each need of its grants adds.
//!
//! The table is a list of what is let through; all else answers an error, and what no honest run of anything makes ends the process.
//! No program is started from here.

use crate::Needs;
use crate::policy::{Answer, EACCES, ENOSYS, EPERM, Policy, Test, is, lacks};
use ilu_cap::Kernel as Need;
use libc::{
    SYS_accept4, SYS_bind, SYS_brk, SYS_clock_getres, SYS_clock_gettime, SYS_clock_nanosleep, SYS_clone, SYS_clone3, SYS_close,
    SYS_connect, SYS_copy_file_range, SYS_dup, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_exit, SYS_exit_group,
    SYS_faccessat, SYS_faccessat2, SYS_fadvise64, SYS_fchmod, SYS_fcntl, SYS_fdatasync, SYS_fstat, SYS_fstatfs, SYS_fsync, SYS_ftruncate,
    SYS_futex, SYS_getcpu, SYS_getdents64, SYS_getpeername, SYS_getpid, SYS_getrandom, SYS_getsockname, SYS_getsockopt, SYS_gettid,
    SYS_gettimeofday, SYS_getuid, SYS_ioctl, SYS_linkat, SYS_listen, SYS_lseek, SYS_madvise, SYS_membarrier, SYS_mkdirat, SYS_mmap,
    SYS_mprotect, SYS_mremap, SYS_munmap, SYS_nanosleep, SYS_newfstatat, SYS_openat, SYS_openat2, SYS_pipe2, SYS_ppoll, SYS_prctl,
    SYS_pread64, SYS_prlimit64, SYS_pwrite64, SYS_read, SYS_readlinkat, SYS_readv, SYS_recvfrom, SYS_recvmsg, SYS_renameat2,
    SYS_restart_syscall, SYS_rseq, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sched_getaffinity, SYS_sched_yield,
    SYS_sendfile, SYS_sendmmsg, SYS_sendmsg, SYS_sendto, SYS_set_robust_list, SYS_setsockopt, SYS_shutdown, SYS_sigaltstack, SYS_socket,
    SYS_socketpair, SYS_statx, SYS_symlinkat, SYS_tgkill, SYS_unlinkat, SYS_write, SYS_writev,
};

/// Memory, threads, time, streams that are open already, and the end.
const ALWAYS: &[i64] = &[
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_membarrier,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_gettid,
    SYS_getpid,
    SYS_getuid,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getcpu,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_read,
    SYS_readv,
    SYS_write,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_close,
    SYS_dup,
    SYS_fstat,
    SYS_ppoll,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_exit,
    SYS_exit_group,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_pipe2,
];

/// Looking at a name. There is no telling which by the arguments, and Landlock does not see it: only the doorway does.
const LOOK: &[i64] = &[SYS_newfstatat, SYS_statx];

/// Opening, and what is done with what was opened to be read.
const OPEN: &[i64] = &[SYS_openat, SYS_openat2, SYS_readlinkat, SYS_faccessat, SYS_faccessat2, SYS_getdents64, SYS_fstatfs, SYS_fadvise64];

/// Copying between files.
const WRITE: &[i64] = &[SYS_copy_file_range, SYS_sendfile, SYS_fchmod, SYS_renameat2, SYS_unlinkat, SYS_linkat];

/// Making, removing and moving names.
const CHANGE: &[i64] = &[SYS_mkdirat, SYS_unlinkat, SYS_renameat2, SYS_symlinkat, SYS_fchmod];

/// Both ends of connections.
const SOCKET: &[i64] = &[SYS_recvfrom, SYS_recvmsg, SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt, SYS_shutdown];

/// What ends the process: to look into others, to change the machine, to load code into the kernel, to go round the filter.
pub(crate) const NEVER: &[i64] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_open_by_handle_at,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_personality,
];

/// The same that only this architecture has.
#[cfg(target_arch = "x86_64")]
pub(crate) const NEVER_HERE: &[i64] = &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_uselib];
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const NEVER_HERE: &[i64] = &[];

/// Older spellings, which only this architecture has: of waiting, and of opening, which is told no in the way of `openat`.
#[cfg(target_arch = "x86_64")]
const OLDER: (&[i64], &[i64]) = (&[libc::SYS_poll, libc::SYS_epoll_wait, libc::SYS_time], &[libc::SYS_open, libc::SYS_creat]);
/// Renaming without options, which only this architecture has.
#[cfg(target_arch = "x86_64")]
const RENAME: &[i64] = &[libc::SYS_renameat];
#[cfg(not(target_arch = "x86_64"))]
const RENAME: &[i64] = &[];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: (&[i64], &[i64]) = (&[], &[]);

/// Requests to a device or descriptor: is it a terminal, how wide, how much is there, do not block. None that types into a terminal.
const IOCTLS: [u64; 6] = [libc::TCGETS, libc::TIOCGWINSZ, libc::FIONREAD, libc::FIONBIO, libc::FIOCLEX, libc::FIONCLEX];

/// What was typed before a question is thrown away.
const ASKING: [u64; 1] = [libc::TCFLSH];

/// How a terminal hands on what is typed, while a line is edited. Neither do these type into it.
const EDITING: [u64; 6] = [libc::TCSETS, libc::TCSETSW, libc::TCSETSF, libc::TCSETS2, libc::TCSETSW2, libc::TCSETSF2];

/// Where a path that is asked about really is.
#[cfg(target_arch = "x86_64")]
const ASKED: &[i64] = &[libc::SYS_getcwd, libc::SYS_readlink];
#[cfg(not(target_arch = "x86_64"))]
const ASKED: &[i64] = &[libc::SYS_getcwd];

/// What a descriptor may be asked: its flags, a copy of it.
const FCNTLS: [i32; 5] = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL, libc::F_DUPFD_CLOEXEC];

/// Names a thread, or a piece of memory.
const PRCTLS: [i32; 3] = [libc::PR_SET_NAME, libc::PR_GET_NAME, 0x5356_4d41];

/// One condition for each value of an `int` argument.
fn one_of(arg: u8, values: impl IntoIterator<Item = u64>) -> Vec<Vec<Test>> {
    values.into_iter().map(|value| vec![is(arg, value)]).collect()
}

#[allow(clippy::cast_sign_loss, reason = "constants of the kernel's, none of them negative")]
const fn bits(constant: i32) -> u64 {
    constant as u64
}

/// A new thread of this process, in its own namespaces: no new process.
#[must_use]
pub(crate) fn thread_only() -> Test {
    let wanted = bits(libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_SIGHAND);
    Test { arg: 0, mask: wanted | namespaces(), value: wanted }
}

/// The bits that ask for new namespaces.
pub(crate) fn namespaces() -> u64 {
    bits(
        libc::CLONE_NEWNS
            | libc::CLONE_NEWCGROUP
            | libc::CLONE_NEWUTS
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWUSER
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWNET,
    )
}

/// A socket of this family and type, whatever its flags, with this protocol or the usual one. Others that are spoken over streams (MPTCP, SCTP)
/// are none that Landlock's rules about ports hold.
pub(crate) fn socket(family: i32, kind: i32, protocol: i32) -> [Vec<Test>; 2] {
    let of = |protocol| vec![is(0, bits(family)), Test { arg: 1, mask: 0xf, value: bits(kind) }, is(2, bits(protocol))];
    [of(0), of(protocol)]
}

/// Sending does not connect by the way: Landlock looks at `connect` only. Which argument of each call holds the flags.
const SENDING: [(i64, u8); 3] = [(SYS_sendto, 3), (SYS_sendmsg, 2), (SYS_sendmmsg, 3)];

/// Sending is allowed, but for that.
pub(crate) fn sending(policy: &mut Policy) {
    for (call, flags) in SENDING {
        policy.allow_if(call, vec![vec![lacks(flags, bits(libc::MSG_FASTOPEN))]], Answer::Errno(EPERM));
    }
}

/// The policy of a process that runs scripts.
#[must_use]
pub fn interpreter(needs: &Needs) -> Policy {
    let mut policy = Policy::new(Answer::Errno(EPERM));
    policy.allow(ALWAYS);
    policy.allow(OLDER.0);
    // Nothing that was written can be run.
    for call in [SYS_mmap, SYS_mprotect, libc::SYS_pkey_mprotect] {
        policy.allow_if(call, vec![vec![lacks(2, bits(libc::PROT_EXEC))]], Answer::Errno(EPERM));
    }
    policy.allow_if(SYS_clone, vec![vec![thread_only()]], Answer::Errno(EPERM));
    // Its flags lie in memory, where a filter can't look: without it the C library uses `clone`.
    policy.answer(&[SYS_clone3], Answer::Errno(ENOSYS));
    let asking = if needs.has_terminal() { &ASKING[..] } else { &[] };
    let editing = if needs.has_editor() { &EDITING[..] } else { &[] };
    policy.allow_if(SYS_ioctl, one_of(1, IOCTLS.iter().chain(asking).chain(editing).copied()), Answer::Errno(EPERM));
    policy.allow_if(SYS_fcntl, one_of(1, FCNTLS.map(bits)), Answer::Errno(EPERM));
    policy.allow_if(SYS_prctl, one_of(0, PRCTLS.map(bits)), Answer::Errno(EPERM));
    // Its own limits may be looked at, not set.
    policy.allow_if(SYS_prlimit64, vec![vec![is(0, 0), Test { arg: 2, mask: u64::MAX, value: 0 }]], Answer::Errno(EPERM));
    // An abort is a signal to oneself.
    let me = u64::from(std::process::id());
    policy.allow_if(SYS_tgkill, vec![vec![is(0, me)]], Answer::Errno(EPERM));
    policy.allow(LOOK);
    if needs.has_terminal() {
        policy.allow(ASKED);
    }
    files(&mut policy, needs);
    network(&mut policy, needs);
    if needs.has(Need::Execute) {
        // Requests to the warden, with the ends of pipes.
        policy.allow(&[SYS_recvmsg, SYS_recvfrom, SYS_shutdown]);
        sending(&mut policy);
    }
    if needs.has(Need::Execute) || needs.has_editor() {
        // The editor is told over one that the window's size has changed.
        policy.allow_if(SYS_socketpair, vec![vec![is(0, bits(libc::AF_UNIX))]], Answer::Errno(EPERM));
    }
    policy.answer(NEVER, Answer::Kill);
    policy.answer(NEVER_HERE, Answer::Kill);
    policy
}

fn files(policy: &mut Policy, needs: &Needs) {
    policy.answer(OLDER.1, Answer::Errno(EACCES));
    if needs.opens() {
        policy.allow(OPEN);
    } else {
        policy.answer(&[SYS_openat, SYS_openat2], Answer::Errno(EACCES));
    }
    if needs.has(Need::OpenWrite) {
        policy.allow(WRITE);
        policy.allow(RENAME);
    }
    if needs.has(Need::ChangeNames) {
        policy.allow(CHANGE);
        policy.allow(RENAME);
    }
}

fn network(policy: &mut Policy, needs: &Needs) {
    let (connects, listens, resolves) = (needs.has(Need::Connect), needs.has(Need::Listen), needs.has(Need::Resolve));
    if !(connects || listens || resolves) {
        return;
    }
    policy.allow(SOCKET);
    sending(policy);
    let mut families: Vec<Vec<Test>> = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        if connects || listens {
            families.extend(socket(family, libc::SOCK_STREAM, libc::IPPROTO_TCP));
        }
        if resolves {
            // Questions to a name server, and the order of the addresses it gives.
            families.extend(socket(family, libc::SOCK_DGRAM, libc::IPPROTO_UDP));
        }
    }
    if resolves {
        // The resolver asks what the machine calls itself.
        policy.allow(&[libc::SYS_uname]);
    }
    policy.allow_if(SYS_socket, families, Answer::Errno(EPERM));
    if connects || resolves {
        policy.allow(&[SYS_connect]);
    }
    if listens || resolves {
        policy.allow(&[SYS_bind]);
    }
    if listens {
        policy.allow(&[SYS_listen, SYS_accept4]);
    }
}
