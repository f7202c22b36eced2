//! File rows that need more than one grant, and those on places of the machine itself. Each case has its own twin.

use crate::lane::{self, Lane};
use crate::rig::{ALL_FILE_NATIVES, MODES, Openat2, Tree};
use ilu_tests::tally::{self, Part};
use std::fs;
use std::io::{Read, Write};

/// The guard off.
enum Twin {
    /// The same script under these accesses of the two grants.
    Access(&'static str),
    /// What the plain file API does.
    Plain(fn(&Tree) -> bool),
    /// The same script on an ordinary directory, which holds what this makes in `R/`.
    Ordinary(fn(&Tree)),
}

/// Id, accesses of `/one` and `/two`, script, twin.
type TwoGrants = (&'static str, &'static str, &'static str, Twin);

/// A link in the second grant to a file of the first, by the plain file API: what is written through it lands in the first.
fn written_through_a_link(tree: &Tree) -> bool {
    std::os::unix::fs::symlink("../one/f", tree.path("two/alias")).unwrap();
    fs::write(tree.path("two/alias"), "changed").unwrap();
    fs::read_to_string(tree.path("one/f")).unwrap() == "changed"
}

fn two_grants() -> Vec<TwoGrants> {
    use Twin::{Access, Plain};
    vec![
        ("FS-061", "ro:rw", "__sys_rename(\"/one/f\", \"/two/f\")", Access("rw:rw")),
        ("FS-061", "ro:rw", "__sys_rename(\"/two/g\", \"/one/g\")", Access("rw:rw")),
        ("FS-061", "ro:rw", "__sys_rename(\"/two/g\", \"/one/f\")", Access("rw:rw")),
        ("FS-060", "ro:rw", "__sys_copy(\"/two/g\", \"/one/g\")", Access("rw:rw")),
        (
            "FS-060",
            "ro:rw",
            "__sys_symlink(\"../one/f\", \"/two/alias\")\n__sys_write_file(\"/two/alias\", \"changed\")",
            Plain(written_through_a_link),
        ),
        ("FS-066", "rw:ro", "__sys_rename(\"/one/f\", \"/two/f\")", Access("rw:rw")),
        ("FS-066", "ro:rw", "__sys_rename(\"/one/f\", \"/two/f\")", Access("rw:rw")),
        ("FS-075", "wo:rw", "prn __sys_read_file(\"/one/f\")", Access("rw:rw")),
        ("FS-075", "wo:rw", "prn __sys_read_dir(\"/one\")", Access("rw:rw")),
        ("FS-075", "wo:rw", "prn __sys_stat(\"/one/f\")", Access("rw:rw")),
    ]
}

/// Controls: what is allowed between two grants works.
const CONTROLS: [(&str, &str, &str); 4] = [
    ("FS-061", "rw:rw", "__sys_rename(\"/two/g\", \"/one/f\")\nasr(__sys_read_file(\"/one/f\") == \"two\")"),
    (
        "FS-060",
        "ro:rw",
        "__sys_copy(\"/one/f\", \"/two/f\")\n__sys_write_file(\"/two/f\", \"changed\")\nasr(__sys_read_file(\"/one/f\") == \"one\")",
    ),
    (
        "FS-066",
        "rw:rw",
        "__sys_rename(\"/one/f\", \"/two/f\")\nasr(__sys_read_file(\"/two/f\") == \"one\")\nasr(not __sys_exists(\"/one/f\"))",
    ),
    ("FS-075", "wo:rw", "__sys_write_file(\"/one/n\", \"x\")"),
];

fn two() -> Tree {
    let tree = Tree::new();
    for (file, text) in [("one/f", "one"), ("two/g", "two")] {
        fs::create_dir_all(tree.path(file).parent().unwrap()).unwrap();
        fs::write(tree.path(file), text).unwrap();
    }
    tree
}

/// The answers of `openat2` that a lane is about.
fn modes() -> &'static [Openat2] {
    if lane::current() == Lane::Both { &MODES } else { &[Openat2::Kernel] }
}

/// Runs a script with `/one` and `/two` granted; gives its exit code and what it said.
fn run_two(tree: &Tree, access: &str, script: &str, mode: Openat2) -> (Option<i32>, String) {
    let (first, second) = access.split_once(':').unwrap();
    let grant = |name: &str, access: &str| format!("{}:/{name}:{access}", tree.path(name).display());
    // Write-only exists for narrowed grants; the command line grants `ro` and `rw`.
    let (first, script) = match first {
        "wo" => {
            let thunk = script.trim_start_matches("prn ");
            let narrowed = "use cap\nuse sbx\ns = sbxmk(capcat(capfs(), capfm(), capio()), {dir: {\"/one\": \"wo\"}})\n";
            ("rw", format!("{narrowed}sbxrn(s, \\() {thunk})"))
        }
        access => (access, script.to_owned()),
    };
    let got = tree.run_with(&["--dir", &grant("one", first), "--dir", &grant("two", second), "--grant", ALL_FILE_NATIVES], &script, mode);
    (got.code, got.out + &got.err)
}

pub fn fs_060_fs_061_fs_066_fs_075_a_right_on_one_grant_is_none_on_another() {
    let mut failures = Vec::new();
    for &mode in modes() {
        for (id, access, script, twin) in two_grants() {
            lane::begin(id);
            tally::note(Part::Refusal);
            let tree = two();
            let (code, said) = run_two(&tree, access, script, mode);
            let whole = fs::read_to_string(tree.path("one/f")).ok().as_deref() == Some("one") && tree.path("two/g").exists();
            if lane::current() == Lane::Kernel {
                lane::judged(matches!(code, Some(1 | 3)) && whole, script);
                if lane::bare(|| run_two(&two(), access, script, mode)).0 == Some(0) {
                    tally::note(Part::Twin);
                    lane::succeeds_bare();
                }
                continue;
            }
            if code != Some(3) || !whole {
                failures.push(format!("{id} [{mode:?}, {access}] exit {code:?}, unchanged: {whole}\n  {script}\n  {said}"));
            }
            if mode == Openat2::Kernel {
                tally::note(Part::Twin);
                let tree = two();
                let succeeds = match twin {
                    Twin::Access(wider) => run_two(&tree, wider, script, mode).0 == Some(0),
                    Twin::Plain(attack) => attack(&tree),
                    Twin::Ordinary(_) => false,
                };
                if !succeeds {
                    failures.push(format!("{id}: the twin of {script:?} does not succeed"));
                }
            }
        }
        for (id, access, script) in CONTROLS {
            lane::begin(id);
            tally::note(Part::Control);
            let (code, said) = run_two(&two(), access, script, mode);
            if code != Some(0) {
                failures.push(format!("{id} control [{mode:?}] exit {code:?}\n  {script}\n  {said}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn reads(place: &str) -> bool {
    fs::File::open(place).and_then(|mut file| file.read(&mut [0; 16])).is_ok_and(|read| read > 0)
}

/// What a script would find at `self/…`, in an ordinary directory.
fn like_proc(tree: &Tree) {
    fs::create_dir_all(tree.path("R/self/task")).unwrap();
    fs::write(tree.path("R/self/environ"), "x").unwrap();
}

/// Id, grant, script, twin.
type Place = (&'static str, &'static str, &'static str, Twin);

fn places() -> Vec<Place> {
    use Twin::{Ordinary, Plain};
    vec![
        ("FS-077", "/proc/self/fd:/g:ro", "prn __sys_read_file(\"0\")", Plain(|_| fs::read_link("/proc/self/fd/0").is_ok())),
        ("FS-077", "/proc/self/fd:/g:ro", "prn __sys_read_file(\"1\")", Plain(|_| fs::read_link("/proc/self/fd/1").is_ok())),
        ("FS-078", "/proc:/g:ro", "prn __sys_read_file(\"self/root/etc/passwd\")", Plain(|_| reads("/proc/self/root/etc/passwd"))),
        ("FS-078", "/proc:/g:ro", "prn __sys_read_dir(\"self/cwd/..\")", Plain(|_| fs::read_dir("/proc/self/cwd/..").is_ok())),
        ("FS-078", "/proc:/g:ro", "prn len(__sys_read_file(\"self/exe\", {bytes: tru}))", Plain(|_| reads("/proc/self/exe"))),
        ("FS-078", "/proc:/g:ro", "prn __sys_read_dir(\"thread-self/root\")", Plain(|_| fs::read_dir("/proc/thread-self/root").is_ok())),
        ("FS-079", "/proc:/g:ro", "prn __sys_read_file(\"self/environ\")", Plain(|_| reads("/proc/self/environ"))),
        ("FS-079", "/proc:/g:ro", "prn __sys_read_file(\"self/maps\")", Plain(|_| reads("/proc/self/maps"))),
        ("FS-079", "/proc:/g:ro", "prn __sys_read_file(\"self/mem\")", Plain(|_| fs::File::open("/proc/self/mem").is_ok())),
        (
            "FS-079",
            "/proc:/g:rw",
            "prn __sys_write_file(\"self/oom_score_adj\", \"1000\")",
            Plain(|_| fs::OpenOptions::new().write(true).open("/proc/self/oom_score_adj").is_ok()),
        ),
        // What would be done by the kernel in cgroupfs or configfs, where making a directory makes an object. procfs itself refuses these, so
        // the twin is the same on a directory of an ordinary file system.
        ("FS-079", "/proc:/g:rw", "__sys_mkdir(\"x\")", Ordinary(like_proc)),
        ("FS-079", "/proc:/g:rw", "__sys_mkdir(\"self/x/y\", {parents: tru})", Ordinary(like_proc)),
        ("FS-079", "/proc:/g:rw", "__sys_symlink(\"x\", \"self/x\")", Ordinary(like_proc)),
        ("FS-079", "/proc:/g:rw", "__sys_rename(\"self/environ\", \"self/x\")", Ordinary(like_proc)),
        ("FS-079", "/proc:/g:rw", "__sys_remove(\"self/environ\")", Ordinary(like_proc)),
        ("FS-079", "/proc:/g:rw", "__sys_remove(\"self/task\")", Ordinary(like_proc)),
        ("FS-083", "/dev:/g:rw", "prn __sys_read_file(\"zero\")", Plain(|_| reads("/dev/zero"))),
        ("FS-083", "/dev:/g:rw", "prn __sys_read_file(\"urandom\")", Plain(|_| reads("/dev/urandom"))),
        (
            "FS-083",
            "/dev:/g:rw",
            "prn __sys_write_file(\"null\", \"x\")",
            Plain(|_| fs::OpenOptions::new().write(true).open("/dev/null").is_ok_and(|mut null| null.write_all(b"x").is_ok())),
        ),
    ]
}

pub fn fs_077_fs_078_fs_079_fs_083_places_of_the_machine_stay_shut_even_inside_a_grant() {
    let mut failures = Vec::new();
    for &mode in modes() {
        let tree = Tree::new();
        for (id, grant, script, twin) in places() {
            lane::begin(id);
            tally::note(Part::Refusal);
            let run = |grant: &str| tree.run_with(&["--dir", grant, "--grant", ALL_FILE_NATIVES], script, mode);
            let got = run(grant);
            if lane::current() == Lane::Kernel {
                lane::judged(matches!(got.code, Some(1 | 3)), script);
                continue;
            }
            if !matches!(got.code, Some(1 | 3)) || got.out.contains("root:") {
                failures.push(format!("{id} [{mode:?}]\n  script: {script}\n  got: {got:?}"));
            }
            if mode == Openat2::Kernel {
                tally::note(Part::Twin);
                let succeeds = match twin {
                    Twin::Plain(attack) => attack(&tree),
                    Twin::Ordinary(make) => {
                        let other = Tree::new();
                        make(&other);
                        other.run("rw", script, mode).code == Some(0)
                    }
                    Twin::Access(_) => false,
                };
                if !succeeds {
                    failures.push(format!("{id}: the twin of {script:?} does not succeed"));
                }
            }
        }
        for id in ["FS-077", "FS-078", "FS-079", "FS-083"] {
            lane::begin(id);
            tally::note(Part::Control);
        }
        let got = tree.run_with(&["--dir", "/etc:/g:ro", "--grant", ALL_FILE_NATIVES], "asr(len(__sys_read_file(\"passwd\")) > 0)", mode);
        if got.code != Some(0) {
            failures.push(format!("control [{mode:?}]: an ordinary place of the machine can't be read: {got:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
