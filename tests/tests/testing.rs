//! `ilu test` as a command: what it finds, runs, tells and answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the command"
)]

use ilu_tests::command::{Ran, Scratch, ilu_in};
use insta::assert_snapshot;

fn test(scratch: &Scratch, args: &[&str]) -> Ran {
    let mut all = vec!["test"];
    all.extend(args);
    ilu_in(scratch.path(), &all, b"what nobody reads")
}

/// What was told, without how long it took.
fn told(ran: &Ran) -> String {
    assert_eq!(ran.err, "");
    let (head, _) = ran.out.trim_end().rsplit_once(", ").unwrap();
    format!("exit {:?}\n{head}", ran.code)
}

#[test]
fn tests_that_pass_are_counted() {
    let scratch = Scratch::new("testing-pass");
    scratch.write("sum.ilu", "add(a, b) = a + b\n");
    std::fs::create_dir(scratch.at("inner")).unwrap();
    scratch.write("a_test.ilu", "use \"sum.ilu\"\nuse tst\ntest_sum() = tst.eq(add(1, 2), 3)\ntest_out() = prn \"not shown\"\n");
    scratch.write("inner/b_test.ilu", "test_in() = asr __sys_stdin() == nil\ntest_exit() =\n    use os\n    os.exit(0)\n");
    scratch.write("inner/other.ilu", "test_not_me() = err(1)\n");
    let flags = ["--grant", "capio"];
    assert_eq!(told(&test(&scratch, &flags)), "exit Some(0)\n4 tests passed");
    assert_eq!(told(&test(&scratch, &["inner", "--filter", "in", "--grant", "capio"])), "exit Some(0)\n1 test passed");
}

#[test]
fn tests_that_fail_are_told_with_their_place_and_what_they_printed() {
    let scratch = Scratch::new("testing-fail");
    scratch.write(
        "a_test.ilu",
        "use tst\nseen = []\n\ntest_eq() =\n    prn \"before\"\n    tst.eq([1], [2], \"lists\")\n\ntest_alone() =\n    seen[0]\n\ntest_denied() =\n    use fs\n    fs.rd(\"/etc/passwd\")\n\n\
         test_endless() = whl tru: 1\ntest_exit() =\n    use os\n    os.exit(3)\ntest_fine() = 1\n",
    );
    assert_snapshot!(told(&test(&scratch, &["--fuel", "1000000"])));
}

#[test]
fn snapshots_are_written_once_and_never_over() {
    let scratch = Scratch::new("testing-snap");
    scratch.write("a_test.ilu", "use tst\ntest_it() = tst.snap(\"/snaps/it.txt\", [1, {a: \"x\"}])\n");
    std::fs::create_dir(scratch.at("snaps")).unwrap();
    let read = |name: &str| std::fs::read_to_string(scratch.at(name));
    // In CI a missing one fails.
    let ran = test(&scratch, &["--dir", "snaps:/snaps"]);
    assert!(ran.code == Some(1) && ran.out.contains("there is no snapshot /snaps/it.txt yet, and it can't be written"), "{}", ran.out);
    assert_eq!(told(&test(&scratch, &["--dir", "snaps:/snaps:rw"])), "exit Some(0)\n1 test passed");
    assert_eq!(read("snaps/it.txt").unwrap(), "[1, {a: \"x\"}]");
    assert_eq!(told(&test(&scratch, &["--dir", "snaps:/snaps"])), "exit Some(0)\n1 test passed");
    scratch.write("a_test.ilu", "use tst\ntest_it() = tst.snap(\"/snaps/it.txt\", [1, {a: \"y\"}])\n");
    let ran = test(&scratch, &["--dir", "snaps:/snaps:rw"]);
    assert!(ran.code == Some(1) && ran.out.contains("/snaps/it.txt: line 1: got"), "{}", ran.out);
    assert_eq!((read("snaps/it.txt").unwrap(), read("snaps/it.txt.new").unwrap()), ("[1, {a: \"x\"}]".into(), "[1, {a: \"y\"}]".into()));
}

#[test]
fn a_test_finds_nothing_of_another_one() {
    let scratch = Scratch::new("testing-alone");
    let body = "    asr len(seen) == 0\n    seen[\"x\"] = 1\n";
    scratch.write("a_test.ilu", format!("seen = {{}}\ntest_a() =\n{body}test_b() =\n{body}"));
    assert_eq!(told(&test(&scratch, &[])), "exit Some(0)\n2 tests passed");
}

#[test]
fn nothing_to_run_is_a_usage_error() {
    let scratch = Scratch::new("testing-none");
    let none = test(&scratch, &[]);
    assert_eq!((none.code, none.out.as_str()), (Some(2), ""));
    assert!(none.err.contains("no file whose name ends in _test.ilu"), "{}", none.err);
    scratch.write("a_test.ilu", "x = 1\n");
    assert!(test(&scratch, &[]).err.contains("no function here has a name that begins with test_"));
    scratch.write("a_test.ilu", "test_a() = 1\n");
    assert!(test(&scratch, &["--filter", "zzz"]).err.contains("no test has \"zzz\" in its name"));
    assert!(test(&scratch, &["nowhere"]).err.contains("nowhere"));
    scratch.write("a_test.ilu", "test_a() = (\n");
    assert_eq!(test(&scratch, &[]).code, Some(1), "a file that does not compile is a test that failed");
}
