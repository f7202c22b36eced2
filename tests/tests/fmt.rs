//! `ilu fmt` as a command: what it writes, what it leaves alone, what it answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the command"
)]

use ilu_tests::command::{Scratch, ilu_in};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const UNTIDY: &str = "if  1 :\n  prn  2 # two\n";
const TIDY: &str = "if 1:\n    prn 2  # two\n";

#[test]
fn a_script_is_written_in_its_place_and_keeps_its_permissions() {
    let scratch = Scratch::new("fmt-place");
    let file = scratch.path().join("a.ilu");
    fs::write(&file, UNTIDY).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o751)).unwrap();
    symlink("a.ilu", scratch.path().join("link.ilu")).unwrap();
    let ran = ilu_in(scratch.path(), &["fmt", "link.ilu"], b"");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "", ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), TIDY);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o751);
    assert!(fs::symlink_metadata(scratch.path().join("link.ilu")).unwrap().is_symlink());
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2, "nothing is left lying about");
}

#[test]
fn check_names_what_is_not_formatted_and_writes_nothing() {
    let scratch = Scratch::new("fmt-check");
    let folder = scratch.path().join("inner");
    fs::create_dir_all(folder.join(".hidden")).unwrap();
    for (name, text) in
        [("a.ilu", UNTIDY), ("inner/b.ilu", TIDY), ("inner/c.ilu", UNTIDY), ("inner/d.txt", UNTIDY), ("inner/.hidden/e.ilu", UNTIDY)]
    {
        fs::write(scratch.path().join(name), text).unwrap();
    }
    let ran = ilu_in(scratch.path(), &["fmt", "--check", "."], b"");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(1), "./a.ilu\n./inner/c.ilu\n", ""));
    assert_eq!(fs::read_to_string(scratch.path().join("a.ilu")).unwrap(), UNTIDY);
    assert_eq!(ilu_in(scratch.path(), &["fmt", "."], b"").code, Some(0));
    let ran = ilu_in(scratch.path(), &["fmt", "--check", "."], b"");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(folder.join(".hidden/e.ilu")).unwrap(), UNTIDY);
}

#[test]
fn what_does_not_parse_or_is_not_there_is_told_and_left_alone() {
    let scratch = Scratch::new("fmt-wrong");
    fs::write(scratch.path().join("a.ilu"), "x = (1\n").unwrap();
    fs::write(scratch.path().join("b.ilu"), UNTIDY).unwrap();
    let ran = ilu_in(scratch.path(), &["fmt", "a.ilu", "none.ilu", "b.ilu"], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("never closed") && ran.err.contains("none.ilu"), "{}", ran.err);
    assert_eq!(fs::read_to_string(scratch.path().join("a.ilu")).unwrap(), "x = (1\n");
    assert_eq!(fs::read_to_string(scratch.path().join("b.ilu")).unwrap(), TIDY, "the others are formatted");
}

#[test]
fn the_projects_examples_and_library_are_formatted() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let ran = ilu_in(std::path::Path::new(root), &["fmt", "--check", "examples", "stdlib"], b"");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "run `ilu fmt examples stdlib`\n{}", ran.err);
}
