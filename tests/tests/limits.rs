//! Scripts that want everything: each ends in its budget's or its error's own message and exit code, within the memory it was given and
//! what the process needs for itself, and never by a signal.

use ilu_tests::watched::{Row, check_all};

const MIB: usize = 1 << 20;

#[test]
fn the_controls_run() {
    check_all(&[
        Row::new("a loop", "n = 0\nwhl n < 1000: n += 1\nprn n", 0, "1000"),
        Row::new("recursion", "f(n) = if n == 0: 0 | f(n - 1) + 1\nprn f(150)", 0, "150"),
        Row::new("a string of a mebibyte", "s = \"x\"\nwhl len(s) < 1000000: s += s\nprn len(s)", 0, "1048576"),
        Row::new("a list of many", "xs = 0..<100000\nprn len(xs)", 0, "100000"),
        Row::new("nested literals", format!("prn {}{}", "[".repeat(50), "]".repeat(50)), 0, "[]"),
        Row::new("a long line", format!("x = {}\nprn x", "1+".repeat(50_000) + "1"), 0, "50001"),
    ]);
}

#[test]
fn a_loop_without_end_ends_with_its_fuel() {
    check_all(&[
        Row::new("fuel", "whl tru:\n  0", 4, "fuel").flags(&["--fuel", "1000000"]),
        Row::new("an empty list forever", "whl tru:\n  x <- []: 0", 4, "fuel").flags(&["--fuel", "1000000"]),
        Row::new("a long range", "i <- 0..1e15: 0", 4, "fuel").flags(&["--fuel", "1000000"]),
        Row::new("with cnt", "whl tru: cnt", 4, "fuel").flags(&["--fuel", "1000000"]),
        Row::new("in a try that tries again", "whl tru:\n  try(\\()\n    whl tru: 0\n  )", 4, "fuel").flags(&["--fuel", "1000000"]),
    ]);
}

#[test]
fn a_loop_without_end_ends_with_its_time() {
    const FLAGS: &[&str] = &["--time", "300ms", "--fuel", "1000000000000"];
    check_all(&[
        Row::new("time", "whl tru: 0", 4, "time").flags(FLAGS).within(1_500),
        Row::new("time in calls", "f() = 0\nwhl tru: f()", 4, "time").flags(FLAGS).within(1_500),
        Row::new("time in a try", "whl tru:\n  try(\\()\n    whl tru: 0\n  )", 4, "time").flags(FLAGS).within(1_500),
    ]);
}

#[test]
fn recursion_without_end_ends_with_its_depth() {
    check_all(&[
        Row::new("itself", "f(n) = f(n + 1) + 1\nf(0)", 4, "depth"),
        Row::new("each other", "f(n) = g(n) + 1\ng(n) = f(n) + 1\nf(0)", 4, "depth"),
        Row::new("through a lambda", "f = \\(n) f(n + 1) + 1\nf(0)", 4, "depth"),
        Row::new("through try", "f() = try(f).val\nf()", 4, "depth"),
        Row::new("through many arguments", "f(..xs) = f(..xs) + 1\nf(..(1..150))", 4, ""),
        Row::new("through a default", "f(n = f()) = n\nf()", 4, "depth"),
        Row::new("a given depth", "f(n) = f(n + 1) + 1\nf(0)", 4, "depth").flags(&["--depth", "50"]),
    ]);
}

#[test]
fn a_doubling_string_ends_with_its_memory() {
    check_all(&[
        Row::new("by joining", "s = \"x\"\nwhl tru: s += s", 4, "memory"),
        Row::new("by interpolation", "s = \"x\"\nwhl tru: s = $\"{s}{s}\"", 4, "memory"),
        Row::new("of wide characters", "s = \"\u{1F600}\"\nwhl tru: s += s", 4, "memory"),
        Row::new("bytes", "b = b\"x\"\nwhl tru: b += b", 4, "memory"),
        Row::new("a list", "xs = [1]\nwhl tru: xs += xs", 4, "memory"),
        Row::new("its text", "s = \"x\"\nwhl tru: s = str([s, s])", 4, "memory"),
        Row::new("caught and tried again", "whl tru:\n  try(\\()\n    s = \"x\"\n    whl tru: s += s\n  )", 4, "memory"),
    ]);
}

#[test]
fn a_growing_list_ends_with_its_memory() {
    const FLAGS: &[&str] = &["--fuel", "1000000000000", "--mem", "64M"];
    check_all(&[
        Row::new("nested", "xs = []\nwhl tru: xs = [xs]", 4, "memory").flags(FLAGS),
        Row::new("pairs", "xs = nil\nwhl tru: xs = [1, xs]", 4, "memory").flags(FLAGS),
        Row::new("objects", "o = nil\nwhl tru: o = {next: o, text: \"t\"}", 4, "memory").flags(FLAGS),
        Row::new("keys", "o = {}\ni = 0\nwhl tru:\n  o[$\"key {i}\"] = i\n  i += 1", 4, "memory").flags(FLAGS),
        Row::new("strings in a chain", "o = nil\ni = 0\nwhl tru:\n  o = [$\"text number {i}\", o]\n  i += 1", 4, "memory").flags(FLAGS),
        Row::new("functions", "f = nil\nk(g) = \\() g\nwhl tru: f = k(f)", 4, "memory").flags(FLAGS),
        Row::new("appended", "use trl\nxs = []\nwhl tru: trl.push(xs, 1)", 4, "memory").flags(FLAGS),
        Row::new("a range", "xs = 0..1e12", 4, "memory").flags(FLAGS),
        Row::new("a range as wide as numbers go", "xs = -9e15..9e15", 4, "ran out").flags(FLAGS),
        Row::new("spread", "f(..xs) = len(xs)\nys = 0..<1000000\nprn f(..ys)", 1, "").flags(FLAGS),
    ]);
}

#[test]
fn deep_nesting_in_the_source_is_an_error_of_its_own() {
    let deep = 100_000;
    let rows: Vec<(&str, String)> = vec![
        ("lists", format!("prn {}{}", "[".repeat(deep), "]".repeat(deep))),
        ("objects", format!("prn {}1{}", "{a: ".repeat(deep), "}".repeat(deep))),
        ("parentheses", format!("prn {}1{}", "(".repeat(deep), ")".repeat(deep))),
        ("never closed", format!("prn {}", "[".repeat(deep))),
        ("lambdas", format!("f = {}1", "\\(x) ".repeat(deep))),
        ("nots", format!("prn {}1", "!".repeat(deep))),
        ("ifs", format!("prn {}1", "if 1: ".repeat(deep))),
        ("calls", format!("f(x) = x\nprn {}1{}", "f(".repeat(deep), ")".repeat(deep))),
        ("indexes", format!("x = []\nprn {}0{}", "x[".repeat(deep), "]".repeat(deep))),
        ("blocks", (0..2_000).map(|at| format!("{}if 1:\n", " ".repeat(at))).collect::<String>() + &" ".repeat(2_000) + "prn 1"),
    ];
    let rows: Vec<Row<'_>> = rows.into_iter().map(|(name, script)| Row::new(name, script, 2, "deep").within(5_000)).collect();
    check_all(&rows);
}

#[test]
fn a_line_of_a_hundred_megabytes_is_refused() {
    let line = |text: &str| text.repeat(100 * MIB / text.len());
    check_all(&[
        Row::new("a sum", format!("x = {}1", line("1+")), 2, "64").within(10_000),
        Row::new("blanks", line(" "), 2, "64").within(10_000),
        Row::new("a string", format!("x = \"{}\"", line("a")), 2, "64").within(10_000),
    ]);
}

#[test]
fn a_line_of_a_megabyte_ends_well_or_with_an_error() {
    check_all(&[
        Row::new("a sum", format!("x = {}1\nprn x", "1+".repeat(200_000)), 0, "200001"),
        Row::new("a sum of too many parts", format!("x = {}1\nprn x", "1+".repeat(400_000)), 2, "parts"),
        Row::new("blanks", format!("{}\nprn 1", " ".repeat(MIB)), 0, "1"),
        Row::new("a string", format!("x = \"{}\"\nprn len(x)", "a".repeat(MIB)), 0, "1048576"),
        Row::new("a name", format!("{} = 1", "a".repeat(MIB)), 0, ""),
        Row::new("an unknown name", format!("prn {}", "a".repeat(MIB)), 2, "aaaa"),
        Row::new("digits", format!("x = {}", "1".repeat(MIB)), 2, "1111"),
        Row::new("a comment", format!("# {}\nprn 1", "c".repeat(MIB)), 0, "1"),
    ]);
}
