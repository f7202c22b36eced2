//! The attack catalogue as tests: each row by its id, each file row with the kernel's `openat2`, without it (ENOSYS) and with it refused
//! (EPERM), each denial with a control that must succeed and a twin in which, the guard off, the attack succeeds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    missing_docs,
    reason = "tests"
)]

mod fs_lexical;
mod fs_rights;
mod fs_special;
mod fs_symlink;
mod rig;
mod row;

use rig::Openat2;

/// The command under test, built once beside the tests.
pub fn ilu_binary() -> std::path::PathBuf {
    env!("CARGO_BIN_EXE_ilu-under-test").into()
}

macro_rules! groups {
    ($($name:ident: $group:literal, $rows:expr;)*) => {$(
        mod $name {
            use super::*;
            #[test]
            fn with_openat2() {
                row::run_group($group, $rows, Openat2::Kernel);
            }
            #[test]
            fn with_openat2_missing() {
                row::run_group($group, $rows, Openat2::Enosys);
            }
            #[test]
            fn with_openat2_refused() {
                row::run_group($group, $rows, Openat2::Eperm);
            }
        }
    )*};
}
groups! {
    spellings_of_paths: "FS-L", fs_lexical::rows();
    symbolic_links: "FS-S", fs_symlink::rows();
    rights_of_grants: "FS-H FS-R", fs_rights::rows();
    special_files_and_roots: "FS-P FS-Z", fs_special::rows();
}

#[test]
fn a_right_on_one_grant_is_none_on_another() {
    let failures: Vec<_> = rig::MODES.into_iter().flat_map(fs_rights::two_grants).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn places_of_the_machine_stay_shut_even_inside_a_grant() {
    let failures: Vec<_> = rig::MODES.into_iter().flat_map(fs_special::machine).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_openat2_launcher_really_blocks_it() {
    // The guard of the rig itself: under the launcher `openat2` fails with the error asked for, without it it works.
    let probe = |mode: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_with-openat2"));
        command.args([mode, "strace", "-f", "-e", "trace=openat2"]).arg(ilu_binary()).args([
            "run",
            "--dir",
            "/etc:/g:ro",
            "-e",
            "prn __sys_exists(\"passwd\")",
        ]);
        command.output().map(|done| String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let Ok(text) = probe("ENOSYS") else { return };
    if text.contains("openat2") {
        assert!(text.contains("ENOSYS"), "{text}");
    }
}
