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
fn int_047_random_bytes_are_bounded_whole_and_fresh() {
    let tree = rig::Tree::new();
    let run = |script: &str| tree.run_with(&["--grant", "caprn,capio"], script, Openat2::Kernel);
    for bad in ["-1", "1e12", "0.5", "nil", "\"8\"", "[]"] {
        let got = run(&format!("prn len(__sys_random({bad}))"));
        assert!(matches!(got.code, Some(1 | 4)), "{bad}: {got:?}");
    }
    let got = run("a = __sys_random(32)\nb = __sys_random(32)\nprn len(a), typ(a), a == b, len(__sys_random(0))");
    assert_eq!(got.out, "32 byt fls 0\n");
    assert_eq!(run("n = 0\nwhl n < 20000:\n  __sys_random(1)\n  n += 1\nprn n").out, "20000\n");
    assert_eq!(tree.run_with(&["--grant", "capio"], "prn __sys_random(1)", Openat2::Kernel).code, Some(3));
}

#[test]
fn the_openat2_launcher_really_blocks_it() {
    // The rig's own guard. EACCES is the one answer after which cap-std does not walk by hand: so under it nothing opens, and without
    // it the same read works. Were the launcher's filter not in force, the rows under ENOSYS and EPERM would prove nothing.
    let tree = rig::Tree::new();
    let read = |mode| tree.run("ro", "prn __sys_read_file(\"a.txt\")", mode);
    assert_eq!(read(Openat2::Kernel).out, "alpha\n");
    assert_eq!(read(Openat2::Enosys).out, "alpha\n");
    assert_eq!(read(Openat2::Eperm).out, "alpha\n");
    let refused = read(Openat2::Eacces);
    assert!(refused.code != Some(0) && refused.out.is_empty(), "{refused:?}");
}

#[test]
fn every_row_of_the_index_is_a_test_or_says_why_not() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut sources = String::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    let mut rows = 0;
    for line in index.lines().filter(|line| line.starts_with("| FS-") || line.starts_with("| INT-")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let (id, how) = (cells[1], cells[2]);
        let tested = sources.contains(&format!("\"{id}")) || sources.contains(&format!("fn {}", id.to_lowercase().replace('-', "_")));
        match how {
            "test" => assert!(tested, "{id} is said to be a test and is none"),
            reason => assert!(!tested && reason.len() > 20, "{id}: a row is `test`, or gives its reason"),
        }
        rows += 1;
    }
    assert!(rows > 90, "{rows} rows");
}
