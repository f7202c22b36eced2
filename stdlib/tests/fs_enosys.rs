//! The file system rows of the attack catalogue, with openat2 answering ENOSYS: cap-std then walks paths by hand.
//!
//! A test binary of its own, because cap-std remembers such an answer for the whole process.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
mod rig;
mod walled;

#[test]
fn every_row_holds_when_paths_are_walked_by_hand() {
    walled::without_openat2(rustix::io::Errno::NOSYS, rig::attacks::run_all);
}
