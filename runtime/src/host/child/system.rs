//! The fixed part of the filesystem that a program needs to start at all, and the rights that go with the parts that were granted.

use ilu_wall::Use;
use rustix::fs::{Mode, OFlags};
use std::os::fd::OwnedFd;

/// Libraries and what belongs to them, parts of programs among them (`git` and compilers keep theirs there). To be read and started.
const LIBRARIES: [&str; 7] = ["/lib", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/local/lib"];

/// What the loader, the C library and its locales read.
const DATA: [&str; 12] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/alternatives",
    "/usr/share/locale",
    "/usr/share/i18n",
    "/usr/share/zoneinfo",
    "/usr/share/terminfo",
    "/usr/share/git-core",
    "/dev/zero",
    "/dev/urandom",
    "/dev/random",
];

/// A handle, whether it is of a directory, and for what.
pub(super) type Held = (OwnedFd, bool, Use);

/// A path as a handle that stands for it and opens nothing.
pub(super) fn handle(path: &str) -> rustix::io::Result<(OwnedFd, bool)> {
    let handle = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let is_dir = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&handle)?.st_mode).is_dir();
    Ok((handle, is_dir))
}

/// All of it that is there.
pub(super) fn places() -> Vec<Held> {
    let both = Use { write: true, ..Use::READ };
    let all =
        LIBRARIES.iter().map(|path| (*path, Use::EXECUTE)).chain(DATA.iter().map(|path| (*path, Use::READ))).chain([("/dev/null", both)]);
    all.filter_map(|(path, for_use)| handle(path).ok().map(|(handle, is_dir)| (handle, is_dir, for_use))).collect()
}

/// What a program may do in a directory that was granted with this access, as two bits: read, write.
pub(super) const fn use_of(bits: u64) -> Use {
    let (read, write) = (bits & 1 == 1, bits & 2 == 2);
    Use { read, write, change: write, execute: false }
}
