//! Runs a closure in a thread where openat2 answers an error.

use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::collections::BTreeMap;

/// The number of openat2 on every architecture.
const OPENAT2: i64 = 437;

/// Runs `body` where openat2 fails with `errno`, and proves first that it does.
pub fn without_openat2(errno: Errno, body: fn()) {
    let run = move || {
        let number = u32::try_from(errno.raw_os_error()).unwrap();
        let filter = SeccompFilter::new(
            BTreeMap::from([(OPENAT2, Vec::new())]),
            SeccompAction::Allow,
            SeccompAction::Errno(number),
            std::env::consts::ARCH.try_into().unwrap(),
        );
        let program: BpfProgram = filter.unwrap().try_into().unwrap();
        seccompiler::apply_filter(&program).unwrap();
        let how = (rustix::fs::OFlags::PATH, rustix::fs::Mode::empty(), rustix::fs::ResolveFlags::empty());
        assert_eq!(rustix::fs::openat2(rustix::fs::CWD, ".", how.0, how.1, how.2).err(), Some(errno));
        body();
    };
    std::thread::spawn(run).join().unwrap();
}
