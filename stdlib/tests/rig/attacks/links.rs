//! Symbolic links: those that stay within the grant and those that lead out of it.

use super::super::{Rig, on};
use super::{READ, path_ops};
use ilu_sbx::{Access, Arg, Plain, Rule};
use std::fs;

pub fn fs_027_links_within_the_grant_work() {
    let mut rig = Rig::new(Access::Read);
    rig.link("a.txt", "ln_in");
    rig.link("d/e", "dl");
    rig.reads("ln_in", "alpha\n");
    rig.reads("dl/f.txt", "eff\n");
}

pub fn fs_028_links_out_are_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/secret.txt", "ln_out");
    rig.link(rig.base.join("outside/secret.txt"), "ln_abs");
    rig.link(rig.base.join("R/a.txt"), "ln_abs_in");
    rig.link("ln_out", "hop2");
    rig.link("hop2", "hop1");
    rig.link("../R/a.txt", "tmpjump");
    for path in ["ln_out", "ln_abs", "hop1"] {
        rig.twin_reads_canary(path);
        rig.denied(READ, &[Arg::Str(path)]);
        rig.denied("__sys_stat", &[Arg::Str(path)]);
        rig.denied("__sys_exists", &[Arg::Str(path)]);
        rig.denied("__sys_open_read", &[Arg::Str(path)]);
        rig.denied("__sys_copy", &[Arg::Str(path), Arg::Str("b")]);
    }
    for path in ["ln_abs_in", "tmpjump"] {
        assert!(fs::read(rig.base.join("R").join(path)).is_ok());
        rig.denied(READ, &[Arg::Str(path)]);
    }
    rig.unharmed();
}

pub fn fs_031_nothing_is_made_through_a_directory_link() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside", "dirln");
    rig.link("dirln/", "slashed");
    rig.twin_reads_canary("dirln/secret.txt");
    for link in ["dirln", "dirln/", "slashed", "slashed/", "dirln/.", "d/../dirln/"] {
        let under = |name: &str| format!("{link}/{name}");
        rig.denied(READ, &[Arg::Str(&under("secret.txt"))]);
        rig.denied("__sys_read_dir", &[Arg::Str(link)]);
        rig.denied("__sys_write_file", &[Arg::Str(&under("new.txt")), Arg::Str("x")]);
        rig.denied("__sys_write_file", &[Arg::Str(&under("new.txt")), Arg::Str("x"), on("atomic")]);
        rig.denied("__sys_mkdir", &[Arg::Str(&under("x"))]);
        rig.denied("__sys_mkdir", &[Arg::Str(&under("x/y")), on("parents")]);
        rig.denied("__sys_remove", &[Arg::Str(&under("secret.txt"))]);
        rig.denied("__sys_rename", &[Arg::Str("a.txt"), Arg::Str(&under("new.txt"))]);
        rig.denied("__sys_rename", &[Arg::Str(&under("secret.txt")), Arg::Str("b")]);
        rig.denied("__sys_copy", &[Arg::Str("a.txt"), Arg::Str(&under("new.txt"))]);
        rig.denied("__sys_symlink", &[Arg::Str("a.txt"), Arg::Str(&under("new.txt"))]);
    }
    rig.unharmed();
}

pub fn fs_034_long_chains_of_links_end_in_an_error() {
    let mut rig = Rig::new(Access::Read);
    rig.link("a.txt", "c0");
    for n in 1..=1000 {
        rig.link(format!("c{}", n - 1), &format!("c{n}"));
    }
    rig.reads("c30", "alpha\n");
    for path in ["c60", "c999"] {
        assert_eq!(rig.fails(READ, &[Arg::Str(path)]), "too many links in the path");
    }
}

pub fn fs_035_links_to_the_parent_are_denied() {
    let mut rig = Rig::new(Access::Read);
    rig.link("..", "p");
    rig.link("../..", "d/p2");
    for path in ["p/outside/secret.txt", "d/p2/outside/secret.txt"] {
        rig.twin_reads_canary(path);
        rig.denied(READ, &[Arg::Str(path)]);
    }
    for path in ["p", "p/", "d/p2", "p/R"] {
        rig.denied("__sys_read_dir", &[Arg::Str(path)]);
        rig.denied("__sys_stat", &[Arg::Str(path)]);
    }
    rig.unharmed();
}

pub fn fs_038_dots_are_resolved_after_links() {
    let mut rig = Rig::new(Access::Read);
    rig.link("d/e", "dl");
    rig.reads("dl/../../a.txt", "alpha\n");
    rig.reads("dl/../e/f.txt", "eff\n");
}

pub fn fs_039_loops_of_links_end_in_an_error() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("self", "self");
    rig.link("y", "x");
    rig.link("x", "y");
    for path in ["self", "x"] {
        assert_eq!(rig.fails(READ, &[Arg::Str(path)]), "too many links in the path");
        assert_eq!(rig.fails("__sys_write_file", &[Arg::Str(path), Arg::Str("z")]), "too many links in the path");
        assert_eq!(rig.fails("__sys_read_dir", &[Arg::Str(path)]), "too many links in the path");
    }
    rig.ok("__sys_remove", &[Arg::Str("self"), on("recursive")]);
    assert!(fs::symlink_metadata(rig.base.join("R/self")).is_err());
}

pub fn fs_041_dangling_links_out_create_nothing() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/new.txt", "dang_out");
    rig.link("nope", "dang_in");
    for opts in [Arg::Nil, on("append")] {
        rig.denied("__sys_write_file", &[Arg::Str("dang_out"), Arg::Str("x"), opts]);
    }
    rig.denied("__sys_copy", &[Arg::Str("a.txt"), Arg::Str("dang_out")]);
    assert_eq!(rig.fails("__sys_write_file", &[Arg::Str("dang_out"), Arg::Str("x"), on("create_new")]), "already exists");
    rig.unharmed();
    // FS-043: a link that stays within creates within.
    assert_eq!(rig.fails(READ, &[Arg::Str("dang_in")]), "file not found");
    rig.ok("__sys_write_file", &[Arg::Str("dang_in"), Arg::Str("x")]);
    rig.reads("nope", "x");
}

pub fn fs_044_appending_through_a_link_out_is_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/secret.txt", "ln_out");
    for opts in [Arg::Nil, on("append")] {
        rig.denied("__sys_write_file", &[Arg::Str("ln_out"), Arg::Str("x"), opts]);
    }
    rig.unharmed();
}

pub fn fs_045_removing_a_link_removes_the_link() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/secret.txt", "ln_out");
    rig.link("../outside", "dirln");
    for path in ["ln_out/", "dirln/"] {
        assert_eq!(rig.fails("__sys_remove", &[Arg::Str(path)]), "not a directory");
        assert_eq!(rig.fails("__sys_remove", &[Arg::Str(path), on("recursive")]), "not a directory");
    }
    rig.ok("__sys_remove", &[Arg::Str("ln_out")]);
    // FS-047
    rig.ok("__sys_remove", &[Arg::Str("dirln"), on("recursive")]);
    assert_eq!(rig.ok("__sys_exists", &[Arg::Str("ln_out")]), Plain::Bool(false));
    assert!(fs::symlink_metadata(rig.base.join("R/dirln")).is_err());
    rig.unharmed();
}

pub fn fs_046_removing_a_tree_follows_no_link() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../../outside", "d/dirln");
    rig.link("../../outside/secret.txt", "d/e/ln_out");
    rig.ok("__sys_remove", &[Arg::Str("d"), on("recursive")]);
    assert!(!rig.base.join("R/d").exists());
    rig.unharmed();
}

pub fn fs_048_moving_a_link_moves_the_link() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/secret.txt", "ln_out");
    rig.ok("__sys_rename", &[Arg::Str("ln_out"), Arg::Str("b")]);
    assert!(fs::symlink_metadata(rig.base.join("R/b")).unwrap().is_symlink());
    rig.denied(READ, &[Arg::Str("b")]);
    rig.unharmed();
}

pub fn fs_049_copying_onto_a_link_out_writes_nothing_outside() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/new.txt", "dst");
    rig.denied("__sys_copy", &[Arg::Str("a.txt"), Arg::Str("dst")]);
    rig.ok("__sys_write_file", &[Arg::Str("dst"), Arg::Str("mine"), on("atomic")]);
    assert!(fs::symlink_metadata(rig.base.join("R/dst")).unwrap().is_file(), "an atomic write replaces the link itself");
    rig.reads("dst", "mine");
    rig.unharmed();
}

pub fn fs_051_links_can_be_made_only_relative() {
    let mut rig = Rig::new(Access::ReadWrite);
    let target = rig.abs("outside/secret.txt");
    assert_eq!(rig.denied("__sys_symlink", &[Arg::Str(&target), Arg::Str("l1")]).rule, Rule::AbsoluteLink);
    assert!(fs::symlink_metadata(rig.base.join("R/l1")).is_err());
    rig.ok("__sys_symlink", &[Arg::Str("../outside/secret.txt"), Arg::Str("l2")]);
    rig.twin_reads_canary("l2");
    rig.denied(READ, &[Arg::Str("l2")]);
    rig.ok("__sys_symlink", &[Arg::Str("a.txt"), Arg::Str("l3")]);
    rig.reads("l3", "alpha\n");
    rig.unharmed();
}

pub fn fs_053_looking_through_links_out_is_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/secret.txt", "there");
    rig.link("../outside/none", "absent");
    for native in ["__sys_stat", "__sys_exists", "__sys_read_dir", "__sys_read_file"] {
        let there = rig.denied(native, &[Arg::Str("there")]);
        let absent = rig.denied(native, &[Arg::Str("absent")]);
        assert_eq!(there.rule, absent.rule);
        assert_eq!(there.to_string().replace("there", "X"), absent.to_string().replace("absent", "X"));
    }
    let Plain::Object(seen) = rig.ok("__sys_stat", &[Arg::Str("there"), on("nofollow")]) else { panic!() };
    assert_eq!(seen[0].1, Plain::Str("link".to_owned()));
    rig.unharmed();
}

pub fn fs_054_what_exists_outside_can_not_be_told() {
    let mut rig = Rig::new(Access::ReadWrite);
    for (native, args) in path_ops() {
        for (there, absent) in [("../outside/secret.txt", "../outside/none12.txt"), ("/etc/passwd", "/etc/nopass")] {
            let there_denial = rig.denied(native, &args(there));
            let absent_denial = rig.denied(native, &args(absent));
            let hide = |lines: Vec<String>, path: &str| lines.join("\n").replace(path, "X");
            assert_eq!(hide(there_denial.lines(), there), hide(absent_denial.lines(), absent));
        }
    }
    rig.unharmed();
}
