//! Open files as values.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs)]

mod common;
use common::run_with;
use ilu_sbx::{Access, Limits, Mount, Opened};

/// Runs a text with a directory of its own, which holds `a.txt`.
fn run(text: &str, limits: Limits, stress: bool) -> String {
    let folder = std::env::temp_dir().join(format!("ilu-files-{}-{stress}-{}", std::process::id(), text.len()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.txt"), "one\ntwo\nthree").unwrap();
    std::fs::write(folder.join("m.ilu"), "prn \"runs\"\ntwice(x) = x * 2\n").unwrap();
    let dir = cap_std::fs::Dir::open_ambient_dir(&folder, cap_std::ambient_authority()).unwrap();
    let (outcome, written) = run_with(text, limits, |setup| {
        setup.stress = stress;
        setup.grants.mounts.push(Mount { guest: "/in".into(), opened: Opened::Dir(dir), access: Access::Read });
    });
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(outcome.result.is_ok(), "{:?}", outcome.result.map_err(|error| error.message));
    written.out()
}

#[test]
fn an_open_file_is_looped_over_line_by_line() {
    let text = "
use fs
f = fs.open(\"/in/a.txt\")
prn typ(f)
i, line <- f: prn i, line
x <- f: prn \"again\", x
line <- fs.open(\"/in/a.txt\"):
    if line == \"two\": brk
    prn line
";
    for stress in [false, true] {
        assert_eq!(run(text, Limits::default(), stress), "fil\n0 one\n1 two\n2 three\none\n");
    }
}

#[test]
fn files_that_nothing_names_any_more_make_room_for_others() {
    let text = "
use fs
n = 0
i <- 0..<200:
    line <- fs.open(\"/in/a.txt\"): n += 1
prn n
kept = []
r = try(\\()
    i <- 0..<200: kept = kept + [fs.open(\"/in/a.txt\")]
)
prn r.err, len(kept) > 6
";
    let limits = Limits { handles: 8, ..Limits::default() };
    assert_eq!(run(text, limits, false), "600\ntoo many open files (limit 8) tru\n");
}

#[test]
fn a_sandbox_runs_and_uses_files_with_its_own_view() {
    let text = "
use sbx
use cap
sb = sbxmk(capfsro() + capstdout(), {dir: {\"/in\": {at: \"/lib\", acc: \"ro\"}}})
sbxld(sb, \"/lib/m.ilu\")
prn sbxev(sb, \"use \\\"/lib/m.ilu\\\" as m\\nuse \\\"/lib/m.ilu\\\" as again\\nm.twice(4) + again.twice(1)\")
m = sbxus(sb, \"/lib/m.ilu\")
prn m.twice(5)
prn try(\\() sbxld(sb, \"/in/m.ilu\")).err
";
    let wanted = "runs\nruns\n10\n10\ndenied: __sys_read_file \"/in/m.ilu\": no directory grant covers this path\n";
    for stress in [false, true] {
        assert_eq!(run(text, Limits::default(), stress), wanted);
    }
}
