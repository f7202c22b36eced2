//! FS-S: symbolic links.

use crate::rig::{Expect, Tree};
use crate::row::{Row, call, path_forms, quote, read, write};
use std::fs;

fn naive_read(tree: &Tree, path: &str) -> bool {
    fs::read_to_string(tree.path("R").join(path)).is_ok_and(|text| text.contains(tree.token()))
}

/// The unconfined twin of a write: the plain file API puts something new outside.
fn naive_write(tree: &Tree, path: &str, lands: &str) -> bool {
    fs::write(tree.path("R").join(path), "x").is_ok() && fs::read_to_string(tree.path(lands)).is_ok_and(|text| text == "x")
}

/// A link chain `c0 -> c1 -> … -> target`.
fn chain(tree: &Tree, length: usize, target: &str) {
    for at in 0..length {
        let next = if at + 1 == length { target.to_owned() } else { format!("c{}", at + 1) };
        tree.link(&format!("c{at}"), &next);
    }
}

pub fn rows() -> Vec<Row> {
    let mut rows = following();
    rows.extend(resolving());
    rows.extend(changing());
    rows.extend(looking());
    rows
}

fn following() -> Vec<Row> {
    vec![
        Row::new("FS-027")
            .setup(|tree| {
                tree.link("ln_in", "a.txt");
                tree.link("dl", "d/e");
            })
            .rw(Expect::Ok("alpha".into()), [read("ln_in")])
            .rw(Expect::Ok("deep".into()), [read("dl/f.txt")]),
        Row::new("FS-028")
            .setup(|tree| {
                tree.link("ln_out", "../outside/secret.txt");
                tree.link("ln_in", "a.txt");
            })
            .rw(
                Expect::Deny,
                [
                    read("ln_out"),
                    call("__sys_stat", "ln_out"),
                    call("__sys_open_read", "ln_out"),
                    "prn __sys_copy(\"ln_out\", \"b\")".into(),
                ],
            )
            .control(read("ln_in"), "alpha")
            .twin(|tree| naive_read(tree, "ln_out")),
        Row::new("FS-029")
            .setup(|tree| tree.link("ln_abs", "$ABS/outside/secret.txt"))
            .rw(Expect::Deny, [read("ln_abs")])
            .control(read("a.txt"), "alpha")
            .twin(|tree| naive_read(tree, "ln_abs")),
        Row::new("FS-030")
            .setup(|tree| tree.link("ln_abs_in", "$ABS/R/a.txt"))
            .rw(Expect::Deny, [read("ln_abs_in")])
            .control(read("a.txt"), "alpha")
            .twin(|tree| fs::read_to_string(tree.path("R/ln_abs_in")).is_ok()),
        Row::new("FS-031")
            .setup(|tree| {
                tree.link("dirln", "../outside");
                tree.link("in", "d");
            })
            .rw(
                Expect::Deny,
                [read("dirln/secret.txt"), call("__sys_read_dir", "dirln"), write("dirln/new"), call("__sys_mkdir", "dirln/x")],
            )
            .control(read("in/e/f.txt"), "deep")
            .twin(|tree| naive_read(tree, "dirln/secret.txt") && naive_write(tree, "dirln/new", "outside/new")),
        Row::new("FS-032")
            .setup(|tree| chain(tree, 3, "../outside/secret.txt"))
            .rw(Expect::Deny, [read("c0")])
            .control(read("a.txt"), "alpha")
            .twin(|tree| naive_read(tree, "c0")),
        Row::new("FS-034").setup(|tree| chain(tree, 39, "a.txt")).rw(Expect::Ok("alpha".into()), [read("c0")]),
        Row::new("FS-034").setup(|tree| chain(tree, 40, "a.txt")).rw(Expect::Ok("alpha".into()), [read("c0")]),
        Row::new("FS-034").setup(|tree| chain(tree, 41, "a.txt")).rw(Expect::Error, [read("c0")]),
        Row::new("FS-034").setup(|tree| chain(tree, 1000, "a.txt")).rw(Expect::Error, [read("c0")]),
    ]
}

fn resolving() -> Vec<Row> {
    vec![
        Row::new("FS-035")
            .setup(|tree| {
                tree.link("p", "..");
                tree.link("d/p2", "../..");
            })
            .rw(Expect::Deny, ["p/outside/secret.txt", "d/p2/outside/secret.txt"].map(read))
            .rw(Expect::Deny, ["p", "p/", "d/p2", "d/p2/"].map(|path| call("__sys_read_dir", path)))
            .control(read("d/../a.txt"), "alpha")
            .twin(|tree| naive_read(tree, "d/p2/outside/secret.txt")),
        Row::new("FS-036")
            .setup(|tree| tree.link("tmpjump", "../R/a.txt"))
            .rw(Expect::Deny, [read("tmpjump")])
            .control(read("a.txt"), "alpha")
            .twin(|tree| fs::read_to_string(tree.path("R/tmpjump")).is_ok()),
        Row::new("FS-038").setup(|tree| tree.link("dl", "d/e")).rw(Expect::Ok("alpha".into()), [read("dl/../../a.txt")]),
        Row::new("FS-039")
            .setup(|tree| {
                tree.link("self", "self");
                tree.link("x", "y");
                tree.link("y", "x");
            })
            .rw(
                Expect::Error,
                ["self", "x", "y"].into_iter().flat_map(|path| [read(path), write(path), call("__sys_read_dir", path), call("__sys_stat", path)]),
            )
            .rw(Expect::Ok("[\"a.txt\", \"d\", \"x\", \"y\"]".into()), ["__sys_remove(\"self\")\nprn __sys_read_dir(\".\")"]),
        Row::new("FS-040").setup(|tree| tree.link("x", "y")).rw(
            Expect::NoHarm,
            ["__sys_symlink(\"x\", \"z\")\n__sys_rename(\"z\", \"y\")\nr = try(\\() __sys_read_file(\"x\"))\nasr(r.err != nil, \"a loop\")\n__sys_rename(\"a.txt\", \"y\")\nprn __sys_read_file(\"x\")"],
        ),
        Row::new("FS-trailing-slash")
            .setup(|tree| {
                tree.link("link", "../outside");
                tree.link("l1", "l2/");
                tree.link("l2", "../outside");
            })
            .rw(
                Expect::Deny,
                ["link/", "l1", "l1/", "link/.", "link//"].into_iter().flat_map(|path| [call("__sys_read_dir", path), read(&format!("{path}/secret.txt"))]),
            )
            .control(call("__sys_read_dir", "d/"), "[\"e\"]")
            .twin(|tree| naive_read(tree, "l1/secret.txt")),
    ]
}

fn changing() -> Vec<Row> {
    vec![
        Row::new("FS-041")
            .setup(|tree| tree.link("dang_out", "../outside/new.txt"))
            .rw(
                Expect::Deny,
                [write("dang_out"), "prn __sys_write_file(\"dang_out\", \"x\", {append: tru})".into(), call("__sys_mkdir", "dang_out/x")],
            )
            .control("__sys_write_file(\"b\", \"x\")\nprn __sys_read_file(\"b\")", "x")
            .twin(|tree| naive_write(tree, "dang_out", "outside/new.txt")),
        Row::new("FS-043")
            .setup(|tree| tree.link("dang_in", "nope"))
            .rw(Expect::ErrorSaying("not found"), [read("dang_in")])
            .rw(Expect::NoHarm, [write("dang_in")]),
        Row::new("FS-044")
            .setup(|tree| tree.link("ln_out", "../outside/secret.txt"))
            .rw(Expect::Deny, ["prn __sys_write_file(\"ln_out\", \"x\", {append: tru})".into(), write("ln_out")])
            .control("__sys_write_file(\"a.txt\", \"!\", {append: tru})\nprn __sys_read_file(\"a.txt\")", "alpha!")
            .twin(|tree| naive_write(tree, "ln_out", "outside/secret.txt")),
        Row::new("FS-045")
            .setup(|tree| tree.link("ln_out", "../outside/secret.txt"))
            .rw(Expect::Ok("[\"a.txt\", \"d\"]".into()), ["__sys_remove(\"ln_out\")\nprn __sys_read_dir(\".\")"])
            .rw(Expect::DenyOrError, [call("__sys_remove", "ln_out/")])
            .control("__sys_remove(\"a.txt\")\nprn __sys_read_dir(\".\")", "[\"d\", \"ln_out\"]")
            .twin(|tree| {
                fs::remove_file(fs::canonicalize(tree.path("R/ln_out")).unwrap()).is_ok() && !tree.path("outside/secret.txt").exists()
            }),
        Row::new("FS-046")
            .setup(|tree| tree.link("d/dirln", "../../outside"))
            .rw(Expect::Ok("[\"a.txt\"]".into()), ["__sys_remove(\"d\", {recursive: tru})\nprn __sys_read_dir(\".\")"]),
        Row::new("FS-047").setup(|tree| tree.link("dirln", "../outside")).rw(
            Expect::NoHarm,
            ["dirln", "dirln/", "dirln/."].map(|path| format!("prn __sys_remove({}, {{recursive: tru}})", quote(path))),
        ),
        Row::new("FS-048")
            .setup(|tree| tree.link("ln_out", "../outside/secret.txt"))
            .rw(
                Expect::Deny,
                ["__sys_rename(\"ln_out\", \"b\")\nasr(__sys_read_dir(\".\") == [\"a.txt\", \"b\", \"d\"])\nprn __sys_read_file(\"b\")"],
            )
            .control("__sys_rename(\"a.txt\", \"b\")\nprn __sys_read_file(\"b\")", "alpha")
            .twin(|tree| fs::rename(tree.path("R/ln_out"), tree.path("R/b")).is_ok() && naive_read(tree, "b")),
        Row::new("FS-049")
            .setup(|tree| tree.link("dst", "../outside/new.txt"))
            .rw(Expect::Deny, ["prn __sys_copy(\"a.txt\", \"dst\")".to_owned(), write("dst")])
            .rw(Expect::NoHarm, ["prn __sys_write_file(\"dst\", \"x\", {atomic: tru})"])
            .control("__sys_copy(\"a.txt\", \"b\")\nprn __sys_read_file(\"b\")", "alpha")
            .twin(|tree| fs::copy(tree.path("R/a.txt"), tree.path("R/dst")).is_ok() && tree.path("outside/new.txt").exists()),
        Row::new("FS-051")
            .rw(
                Expect::Deny,
                ["/etc/passwd", "$ABS/outside/secret.txt", "/g/a.txt"].map(|target| format!("prn __sys_symlink({}, \"l\")", quote(target))),
            )
            .rw(Expect::DenyOrError, ["__sys_symlink(\"../outside/secret.txt\", \"l\")\nprn __sys_read_file(\"l\")"])
            .control("__sys_symlink(\"a.txt\", \"l\")\nprn __sys_read_file(\"l\")", "alpha")
            .twin(|tree| std::os::unix::fs::symlink("../outside/secret.txt", tree.path("R/l")).is_ok() && naive_read(tree, "l")),
    ]
}

fn looking() -> Vec<Row> {
    // The verdict and the words must be the same whether the target is there or not: the second script prints both and compares.
    let same = |native: &str, there: &str, absent: &str| {
        format!(
            "a = try(\\() {native}({}))\nb = try(\\() {native}({}))\nasr(a.err != nil and b.err != nil, \"both refused\")\nx = \"{there}\"\ny = \"{absent}\"\nuse txt\nprn txt.rep(a.err, x, \"P\") == txt.rep(b.err, y, \"P\")",
            quote(there),
            quote(absent)
        )
    };
    vec![
        Row::new("FS-053")
            .setup(|tree| {
                tree.link("ln_out", "../outside/secret.txt");
                tree.link("ln_nop", "../outside/nothing.txt");
                tree.link("dirln", "../outside");
            })
            .rw(Expect::Deny, ["ln_out", "ln_nop", "dirln"].map(|path| call("__sys_stat", path)))
            .rw(Expect::Deny, ["ln_out", "ln_nop", "dirln/secret.txt", "dirln/nothing.txt"].map(|path| call("__sys_exists", path)))
            .rw(Expect::Ok("tru".into()), ["__sys_stat", "__sys_exists", "__sys_read_file"].map(|native| same(native, "ln_out", "ln_nop")))
            .control("prn __sys_stat(\"a.txt\").size", "5")
            .twin(|tree| fs::metadata(tree.path("R/ln_out")).is_ok() && fs::metadata(tree.path("R/ln_nop")).is_err()),
        Row::new("FS-054")
            .rw(Expect::Deny, ["../outside/secret.txt", "../outside/nope"].map(|path| call("__sys_exists", path)))
            .rw(
                Expect::Ok("tru".into()),
                ["__sys_stat", "__sys_exists", "__sys_read_file", "__sys_read_dir", "__sys_mkdir", "__sys_remove"]
                    .map(|native| same(native, "../outside/secret.txt", "../outside/nope")),
            )
            .control("prn __sys_exists(\"a.txt\"), __sys_exists(\"nope\")", "tru fls")
            .twin(|tree| tree.path("R/../outside/secret.txt").exists() && !tree.path("R/../outside/nope").exists()),
        Row::new("FS-120")
            .setup(|tree| {
                tree.link("ln_abs", "$ABS/outside/secret.txt");
                tree.link("dirln", "../outside");
            })
            .rw(
                Expect::DenyOrError,
                ["ln_abs", "dirln/secret.txt", "nope/x"].into_iter().flat_map(path_forms).filter(|form| {
                    !form.contains("ln_abs\", \"moved")
                        && !form.contains("__sys_remove(\"ln_abs")
                        && !form.contains("__sys_exists(\"nope")
                        && !form.contains("__sys_rename(\"a.txt\", \"ln_abs")
                }),
            )
            .control(read("a.txt"), "alpha")
            .twin(|tree| naive_read(tree, "ln_abs")),
    ]
}
