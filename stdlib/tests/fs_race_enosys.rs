//! Races over names, with openat2 answering ENOSYS: cap-std then walks paths by hand.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
mod rig;
mod walled;

#[test]
fn no_race_leads_out_when_paths_are_walked_by_hand() {
    walled::without_openat2(rustix::io::Errno::NOSYS, rig::races::run_all);
}
