//! The file system rows of the attack catalogue, with the kernel's own openat2.
mod rig;

#[test]
fn every_row_holds_with_openat2() {
    rig::attacks::run_all();
}
