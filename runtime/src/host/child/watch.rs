//! What the warden sees of programs from outside: how many processes each has, and how much memory.
//!
//! The kernel bounds a process, and the number of a user's processes; neither is a bound for a program and all that it starts, nor does the second
//! hold for root. So they are looked at, again and again, and a program that has too much is ended as a whole: nothing of it can
//! have left its group.

use rustix::process::Pid;

/// Processes that one program may have at a time, with all that it starts. A compiler run takes some ten.
pub(super) const MAX_PROCESSES: usize = 128;

/// How many processes and threads the system has.
pub(super) fn everything() -> u64 {
    // `0.00 0.01 0.05 1/234 5678`: the fourth is those that run, of all.
    let all = |text: String| text.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok();
    std::fs::read_to_string("/proc/loadavg").ok().and_then(all).unwrap_or(u64::MAX)
}

/// Every process with its group.
fn processes() -> Vec<(u32, i32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let group = |number: u32| {
        let text = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // Behind the name, which may have anything in it: state, parent, group.
        Some((number, text.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()?))
    };
    numbers.filter_map(group).collect()
}

/// Processes, and who of them belongs to whom.
pub(super) struct Census(Vec<(u32, i32)>);

impl Census {
    /// Taken now.
    pub(super) fn take() -> Census {
        Census(processes())
    }

    fn of(&self, group: Pid) -> impl Iterator<Item = u32> {
        let group = group.as_raw_nonzero().get();
        self.0.iter().filter(move |(_, other)| *other == group).map(|(number, _)| *number)
    }

    /// Has a group more processes than it may?
    pub(super) fn is_crowded(&self, group: Pid) -> bool {
        self.of(group).count() > MAX_PROCESSES
    }

    /// Bytes of memory that the processes of a group have for themselves. What two of them share is counted for both.
    pub(super) fn memory(&self, group: Pid) -> u64 {
        self.of(group).map(own_memory).sum()
    }
}

/// Anonymous memory and shared memory of a process: what no file stands behind.
fn own_memory(process: u32) -> u64 {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) else { return 0 };
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    ["RssAnon:", "RssShmem:", "VmSwap:"].into_iter().filter_map(kib).sum::<u64>() << 10
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_with_its_memory() {
        let group = rustix::process::getpgrp();
        let before = Census::take().memory(group);
        let held = vec![1_u8; 64 << 20];
        let census = Census::take();
        assert!(census.of(group).any(|number| number == std::process::id()));
        assert!(own_memory(std::process::id()) >= 64 << 20, "{}", own_memory(std::process::id()));
        assert!(census.memory(group) > 0 && before > 0 && held.len() == 64 << 20);
        assert!(everything() > 0 && everything() < u64::MAX);
    }
}
