//! FS-L: spellings of paths and special names.

use crate::rig::{Expect, Tree};
use crate::row::{Row, call, forms_with, path_forms, quote, read};
use std::fs;

/// The unconfined twin: the plain file API on `R/` joined with the path finds the canary.
fn naive_read(tree: &Tree, path: &str) -> bool {
    fs::read_to_string(tree.path("R").join(path)).is_ok_and(|text| text.contains(tree.token()))
}

const ALPHA: &str = "alpha";

pub fn rows() -> Vec<Row> {
    let read_a = read("a.txt");
    vec![
        Row::new("FS-001")
            .rw(Expect::Deny, path_forms("../outside/secret.txt"))
            .control(&read_a, ALPHA)
            .twin(|tree| naive_read(tree, "../outside/secret.txt")),
        Row::new("FS-002")
            .rw(Expect::Deny, ["d/../../outside/secret.txt", "d/e/../../../outside/secret.txt"].map(read))
            .control(read("d/../a.txt"), ALPHA)
            .twin(|tree| naive_read(tree, "d/e/../../../outside/secret.txt")),
        Row::new("FS-003")
            .rw(Expect::Deny, path_forms("$ABS/outside/secret.txt"))
            .control(read("/g/a.txt"), ALPHA)
            .twin(|tree| naive_read(tree, &format!("{}/outside/secret.txt", tree.abs()))),
        Row::new("FS-004")
            .rw(Expect::Deny, path_forms("$ABS/R/a.txt"))
            .control(read("/g/a.txt"), ALPHA)
            .twin(|tree| fs::read_to_string(format!("{}/R/a.txt", tree.abs())).is_ok()),
        Row::new("FS-005")
            .rw(Expect::Deny, ["../R/a.txt", "d/../../R/a.txt"].map(read))
            .control(&read_a, ALPHA)
            .twin(|tree| fs::read_to_string(tree.path("R").join("../R/a.txt")).is_ok()),
        Row::new("FS-006").rw(Expect::Ok(ALPHA.into()), [read("d/e/../../a.txt")]).rw(Expect::Ok("deep".into()), [read("./d/.././d//e/./f.txt")]),
        Row::new("FS-007")
            .rw(Expect::Deny, ["..", "../"].into_iter().flat_map(path_forms))
            .control(call("__sys_read_dir", "."), "[\"a.txt\", \"d\"]")
            .twin(|tree| fs::read_dir(tree.path("R").join("../")).is_ok_and(|entries| entries.count() == 3)),
        Row::new("FS-008")
            .rw(Expect::Deny, ["/", "//", "/.", "/.."].into_iter().flat_map(path_forms))
            .control(call("__sys_read_dir", "/g"), "[\"a.txt\", \"d\"]")
            .twin(|tree| fs::read_dir(tree.path("R").join(std::path::MAIN_SEPARATOR_STR)).is_ok()),
        Row::new("FS-009").rw(
            Expect::ErrorSaying("not a directory"),
            ["a.txt/", "a.txt//", "a.txt/.", "a.txt/..", "a.txt/../a.txt"].into_iter().map(read),
        ),
        Row::new("FS-010").rw(Expect::ErrorSaying("not found"), path_forms("")).control(&read_a, ALPHA),
        Row::new("FS-011").rw(
            Expect::ErrorSaying("NUL"),
            ["a.txt\0", "\0", "a.txt\0.png", "../outside\0x"].into_iter().flat_map(path_forms),
        ),
        Row::new("FS-012")
            .rw(Expect::ErrorSaying("too long"), path_forms(&"n".repeat(256)))
            .rw(Expect::ErrorSaying("too long"), [read(&"d/../".repeat(900)), read(&format!("d/{}", "./".repeat(2100)))])
            .rw(Expect::Ok("x".into()), [format!("p = {}\n__sys_write_file(p, \"x\")\nprn __sys_read_file(p)", quote(&"n".repeat(255)))])
            .rw(Expect::ErrorSaying("not found"), [read(&"n".repeat(255))]),
        Row::new("FS-013").rw(
            Expect::ErrorSaying("too long"),
            [20, 26].map(|doublings| format!("s = \"a\"\nn <- 1..{doublings}:\n  s = s + s\nprn __sys_read_file(s)")),
        ),
        Row::new("FS-014").rw(
            Expect::ErrorSaying("too long"),
            ["s = \"d/../\"\nn <- 1..17:\n  s = s + s\nprn __sys_read_file(s + \"a.txt\")"],
        ),
        Row::new("FS-015")
            .setup(|tree| {
                use std::os::unix::ffi::OsStrExt;
                fs::write(tree.path("R").join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "odd").unwrap();
            })
            .rw(Expect::Fine, ["xs = __sys_read_dir(\".\")\nasr(len(xs) >= 2, \"the others are listed\")\nprn xs"]),
        Row::new("FS-017")
            .rw(Expect::ErrorSaying("not found"), ["..\\outside\\secret.txt", "d\\e\\f.txt"].map(read))
            .control(read("d/e/f.txt"), "deep"),
        Row::new("FS-018").rw(
            Expect::ErrorSaying("not found"),
            ["%2e%2e/outside/secret.txt", "..%2foutside%2fsecret.txt", "%252e%252e/outside/secret.txt"].map(read),
        ),
        Row::new("FS-019").rw(
            Expect::ErrorSaying("not found"),
            ["．．/outside/secret.txt", "‥/outside/secret.txt", "..∕outside∕secret.txt", "..／outside／secret.txt"].map(read),
        ),
        Row::new("FS-021").rw(
            Expect::ErrorSaying("not found"),
            ["~/.ssh/id_rsa", "~root/x", "$HOME/x", "${HOME}/x", "*.txt"].map(read),
        ),
        Row::new("FS-022")
            .rw(
                Expect::Fine,
                ["line\nbreak", "esc\u{1b}[31mred", "bidi\u{202e}txt"].into_iter().map(|name| {
                    let path = quote(name);
                    format!("__sys_write_file({path}, \"x\")\nasr(__sys_read_file({path}) == \"x\")\nxs = __sys_read_dir(\".\")\nasr(len(xs) == 3)\nasr(xs[0] == {path} or xs[1] == {path} or xs[2] == {path})")
                }),
            )
            .rw(Expect::ErrorSaying("not found"), ["none\nbreak", "none\u{1b}[31mred", "none\u{202e}txt"].map(read)),
        Row::new("FS-023").rw(
            Expect::Error,
            ["1", "1.5", "nil", "[\"a.txt\"]", "{path: \"a.txt\"}", "\\() \"a.txt\"", "__sys_read_file", "tru", "b\"a.txt\"", "1e300"]
                .into_iter()
                .flat_map(forms_with),
        ),
        Row::new("FS-025")
            .rw(Expect::Deny, [read("../R-evil/secret.txt"), read("/g-evil/secret.txt"), read("/g/../R-evil/secret.txt")])
            .control(read("/g/a.txt"), ALPHA)
            .twin(|tree| {
                // A containment test by string prefix lets the sibling through.
                let target = format!("{}/R-evil/secret.txt", tree.abs());
                target.starts_with(&format!("{}/R", tree.abs())) && naive_read(tree, &target)
            }),
        Row::new("FS-026")
            .rw(Expect::Error, [".", "./", "./.", "d"].map(read))
            .rw(Expect::Ok("[\"a.txt\", \"d\"]".into()), [".", "./", "./."].map(|path| call("__sys_read_dir", path))),
    ]
}
