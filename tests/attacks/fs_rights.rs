//! FS-H (hard links, renames) and FS-R (read-only and narrowed grants).

use crate::rig::{Expect, Openat2, Tree};
use crate::row::{Row, quote, read, write};
use std::fs;

/// Every change that a script can ask for; none may go through a read-only grant.
const CHANGES: &[&str] = &[
    "__sys_write_file(\"a.txt\", \"changed\")",
    "__sys_write_file(\"a.txt\", \"changed\", {append: tru})",
    "__sys_write_file(\"a.txt\", \"changed\", {atomic: tru})",
    "__sys_write_file(\"new.txt\", \"made\")",
    "__sys_write_file(\"new.txt\", \"made\", {create_new: tru})",
    "__sys_write_file(\"new.txt\", \"made\", {atomic: tru})",
    "__sys_write_file(\"d/new.txt\", \"made\")",
    "__sys_mkdir(\"made\")",
    "__sys_mkdir(\"made/deep\", {parents: tru})",
    "__sys_remove(\"a.txt\")",
    "__sys_remove(\"d\", {recursive: tru})",
    "__sys_rename(\"a.txt\", \"b.txt\")",
    "__sys_copy(\"a.txt\", \"b.txt\")",
    "__sys_symlink(\"a.txt\", \"l\")",
];

pub fn rows() -> Vec<Row> {
    let mut rows = read_only();
    rows.extend(links_and_renames());
    rows
}

fn read_only() -> Vec<Row> {
    vec![
        // `append` never empties what it was asked to extend, however it is spelled.
        Row::new("FS-068")
            .ro(Expect::Deny, ["__sys_append(\"a.txt\", \"!\")"])
            .control("__sys_append(\"a.txt\", \"!\")\nprn __sys_read_file(\"a.txt\")", "alpha!")
            .control("use sbx\nsbxca(sbxme(), \"__sys_append\", \"a.txt\", \"!\")\nprn __sys_read_file(\"a.txt\")", "alpha!")
            .control("f = __sys_append\nf(\"a.txt\", \"!\")\nprn __sys_read_file(\"a.txt\")", "alpha!")
            .twin(changes_when_writable),
        Row::new("FS-067")
            .ro(
                Expect::Deny,
                ["prn __sys_write_file(\"a.txt\", \"x\")", "prn __sys_write_file(\"n\", \"x\")", "prn __sys_write_file(\"n\", \"x\", {create_new: tru})"],
            )
            .control("__sys_write_file(\"n\", \"x\")\nprn __sys_read_file(\"n\")", "x")
            .twin(changes_when_writable),
        Row::new("FS-068")
            .ro(Expect::Deny, ["prn __sys_write_file(\"a.txt\", \"\")", "prn __sys_write_file(\"a.txt\", \"x\", {append: tru})"])
            .control("__sys_write_file(\"a.txt\", \"\")\nprn __sys_stat(\"a.txt\").size", "0")
            .twin(changes_when_writable),
        Row::new("FS-069")
            .ro(Expect::Deny, CHANGES.iter().copied())
            .control("__sys_mkdir(\"m\")\n__sys_rename(\"a.txt\", \"m/b\")\nprn __sys_read_file(\"m/b\")", "alpha")
            .twin(changes_when_writable),
        Row::new("FS-070")
            .ro(Expect::DenyOrError, ["h = __sys_open_read(\"a.txt\")\nprn __sys_write_file(h, \"x\")"])
            .control("h = __sys_open_read(\"a.txt\")\nline <- h:\n  prn line", "alpha")
            .twin(changes_when_writable),
        Row::new("FS-071")
            .ro(Expect::Deny, [write("d/x"), write("d/e/f.txt"), write("d/e/../x")])
            .control("__sys_write_file(\"d/e/f.txt\", \"x\")\nprn __sys_read_file(\"d/e/f.txt\")", "x")
            .twin(changes_when_writable),
        Row::new("FS-073")
            .rw(
                Expect::Deny,
                [
                    "use cap\nuse sbx\ns = sbxmk(capcat(capfs(), capio()), {dir: {\"/g/d\": \"ro\"}})\nsbxrn(s, \\() __sys_write_file(\"/g/d/x\", \"x\"))",
                    "use cap\nuse sbx\nnest(n, acc) =\n  s = sbxmk(capcat(capfs(), capio()), {dir: {\"/g/d\": acc}})\n  if n == 0: sbxrn(s, \\() __sys_write_file(\"/g/d/x\", \"x\"))\n  | sbxrn(s, \\() nest(n - 1, \"ro\"))\nnest(5, \"ro\")",
                ],
            )
            .rw(
                Expect::Error,
                ["use cap\nuse sbx\ns = sbxmk(capfs(), {dir: {\"/g/d\": \"ro\"}})\nsbxrn(s, \\() sbxmk(capfs(), {dir: {\"/g/d\": \"rw\"}}))"],
            )
            .control(
                "use cap\nuse sbx\ns = sbxmk(capcat(capfs(), capio()), {dir: {\"/g/d\": \"rw\"}})\nsbxrn(s, \\() __sys_write_file(\"/g/d/x\", \"x\"))\nprn __sys_read_file(\"d/x\")",
                "x",
            )
            .twin(changes_when_writable),
    ]
}

/// The same changes under a read-write grant all go through, so it is the grant that stops them.
fn changes_when_writable(tree: &Tree) -> bool {
    CHANGES.iter().all(|change| {
        let fresh = Tree::new();
        let before = fresh.picture_inside();
        let done = fresh.run("rw", change, Openat2::Kernel);
        done.code == Some(0) && fresh.picture_inside() != before
    }) && tree.path("R").exists()
}

fn links_and_renames() -> Vec<Row> {
    vec![
        Row::new("FS-059")
            // No native makes hard links; what comes nearest is a copy.
            .rw(Expect::Deny, ["__sys_copy(\"../outside/secret.txt\", \"x\")", "__sys_copy(\"a.txt\", \"../outside/x\")"])
            .control("__sys_copy(\"a.txt\", \"x\")\nprn __sys_read_file(\"x\")", "alpha")
            .twin(|tree| {
                fs::hard_link(tree.path("R/../outside/secret.txt"), tree.path("R/x")).is_ok()
                    && fs::read_to_string(tree.path("R/x")).unwrap() == tree.token()
            }),
        Row::new("FS-062")
            // Pinned: a hard link that the operator's directory already holds is a file of that directory.
            .setup(|tree| fs::hard_link(tree.path("R/a.txt"), tree.path("R/alias")).unwrap())
            .rw(Expect::Ok("alpha".into()), [read("alias")]),
        Row::new("FS-065")
            .rw(
                Expect::Error,
                [
                    "__sys_rename(\".\", \"x\")",
                    "__sys_rename(\"a.txt\", \".\")",
                    "__sys_rename(\"d\", \"d/e/x\")",
                    "__sys_rename(\"a.txt\", \"d\")",
                ],
            )
            .rw(Expect::Error, ["__sys_mkdir(\"n\")\n__sys_write_file(\"n/f\", \"x\")\n__sys_rename(\"n\", \"d\")"])
            .rw(Expect::Error, ["a.txt/", "a.txt/."].map(|path| format!("__sys_rename({}, \"b\")", quote(path)))),
    ]
}
