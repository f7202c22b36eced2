//! The bench programs do what the same programs in Lua do, at small sizes: the runner's figures are about equal work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests read the repository")]

use ilu_tests::command::{Scratch, ilu, root};

/// Program, a small size for it, and what Lua 5.4 prints at that size.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("bintrees", "4", "218"),
    ("closures", "1000", "501497 1001"),
    ("dispatch", "200", "333497"),
    ("fannkuch", "6", "49 10"),
    ("fib", "12", "144"),
    ("hof", "2", "29550"),
    ("jsoncodec", "1", "187176"),
    ("loop", "10000", "976980"),
    ("mandelbrot", "20", "9568"),
    ("methods", "1000", "519000 500 500"),
    ("nbody", "50", "-169063618"),
    ("qsort", "500", "829026"),
    ("sieve", "5000", "669"),
    ("sortcmp", "500", "829026"),
    ("spectral", "10", "1271844019"),
    ("strings", "2", "67558"),
    ("wordcount", "2000", "1661 13383"),
];

#[test]
fn bench_programs_agree_with_lua() {
    let scratch = Scratch::new("bench");
    for (name, size, expected) in PROGRAMS {
        let source = std::fs::read_to_string(root().join(format!("bench/programs/{name}.ilu"))).unwrap();
        let resized: Vec<String> =
            source.lines().map(|line| if line.starts_with("n = ") { format!("n = {size}") } else { line.to_owned() }).collect();
        assert_ne!(source.trim_end(), resized.join("\n"), "{name} has a size to change");
        let file = format!("{name}.ilu");
        scratch.write(&file, resized.join("\n"));
        let ran = ilu(&["run".to_owned(), scratch.at(&file).to_string_lossy().into_owned()]);
        assert_eq!((ran.code, ran.out.trim_end(), ran.err.as_str()), (Some(0), *expected, ""), "{name}");
    }
}

#[test]
fn every_bench_program_is_compared() {
    let mut files: Vec<String> = std::fs::read_dir(root().join("bench/programs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let known: Vec<String> = PROGRAMS.iter().map(|(name, ..)| format!("{name}.ilu")).collect();
    assert_eq!(files, known);
}
