//! Races over names, with the kernel's own openat2.
mod rig;

#[test]
fn no_race_leads_out_with_openat2() {
    rig::races::run_all();
}
