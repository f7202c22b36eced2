//! The attack catalogue's file system rows on lexical paths, links, names, rights, special files and roots, by their ids.
//!
//! Each row is a function that panics when it fails. The three test binaries run all of them: with openat2, and with openat2 answering
//! ENOSYS and EPERM, which makes cap-std walk paths by hand.

use super::{Rig, TOKEN, mount, obj, on};
use ilu_sbx::{Access, Arg, Limits, Plain, Rule};
use std::fs;
use std::os::unix::fs::PermissionsExt;

pub const ROWS: &[(&str, fn())] = &[
    ("FS-001", fs_001_a_path_that_climbs_out_is_denied),
    ("FS-003", fs_003_absolute_host_paths_are_denied),
    ("FS-005", fs_005_leaving_and_coming_back_is_denied),
    ("FS-006", fs_006_climbing_within_the_grant_works),
    ("FS-007", fs_007_every_native_refuses_the_parent),
    ("FS-008", fs_008_every_native_refuses_the_hosts_root),
    ("FS-009", fs_009_a_file_is_no_directory),
    ("FS-010", fs_010_an_empty_path_is_not_found),
    ("FS-011", fs_011_nul_is_invalid_everywhere),
    ("FS-012", fs_012_long_names_are_errors),
    ("FS-014", fs_014_many_steps_end_quickly),
    ("FS-015", fs_015_names_that_are_not_utf8),
    ("FS-017", fs_017_nothing_is_decoded_or_expanded),
    ("FS-022", fs_022_control_characters_are_literal_and_shown_escaped),
    ("FS-023", fs_023_a_path_of_another_type_is_an_error),
    ("FS-025", fs_025_a_sibling_with_the_same_prefix_is_denied),
    ("FS-026", fs_026_the_grants_own_root),
    ("FS-027", fs_027_links_within_the_grant_work),
    ("FS-028", fs_028_links_out_are_denied),
    ("FS-031", fs_031_nothing_is_made_through_a_directory_link),
    ("FS-034", fs_034_long_chains_of_links_end_in_an_error),
    ("FS-035", fs_035_links_to_the_parent_are_denied),
    ("FS-038", fs_038_dots_are_resolved_after_links),
    ("FS-039", fs_039_loops_of_links_end_in_an_error),
    ("FS-041", fs_041_dangling_links_out_create_nothing),
    ("FS-044", fs_044_appending_through_a_link_out_is_denied),
    ("FS-045", fs_045_removing_a_link_removes_the_link),
    ("FS-046", fs_046_removing_a_tree_follows_no_link),
    ("FS-048", fs_048_moving_a_link_moves_the_link),
    ("FS-049", fs_049_copying_onto_a_link_out_writes_nothing_outside),
    ("FS-051", fs_051_links_can_be_made_only_relative),
    ("FS-053", fs_053_looking_through_links_out_is_denied),
    ("FS-054", fs_054_what_exists_outside_can_not_be_told),
    ("FS-061", fs_061_moving_across_rights_is_denied),
    ("FS-062", fs_062_a_hard_link_made_before_is_within_the_grant),
    ("FS-065", fs_065_odd_renames_are_errors),
    ("FS-066", fs_066_moving_across_grants_needs_rights_on_both),
    ("FS-067", fs_067_read_only_is_read_only),
    ("FS-075", fs_075_write_only_shows_nothing),
    ("FS-077", fs_077_procfs_is_refused),
    ("FS-081", fs_081_fifos_and_devices_do_not_block),
    ("FS-087", fs_087_unknown_options_are_errors),
    ("FS-089", fs_089_a_huge_file_is_refused_before_anything_is_read),
    ("FS-093", fs_093_odd_numbers_are_errors),
    ("FS-096", fs_096_a_deep_tree_is_removed),
    ("FS-098", fs_098_what_is_made_is_private),
    ("FS-115", fs_115_a_grants_root_can_not_be_removed),
];

/// Runs every row and reports all that failed.
pub fn run_all() {
    let mut failed = Vec::new();
    for (id, row) in ROWS {
        if std::panic::catch_unwind(row).is_err() {
            failed.push(*id);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

type Op = (&'static str, Box<dyn Fn(&str) -> Vec<Arg<'_>>>);

/// Every native that takes a path, once for each operand and option that changes what it does.
fn path_ops() -> Vec<Op> {
    fn row(native: &'static str, args: impl Fn(&str) -> Vec<Arg<'_>> + 'static) -> Op {
        (native, Box::new(args))
    }
    vec![
        row("__sys_read_file", |p| vec![Arg::Str(p)]),
        row("__sys_read_dir", |p| vec![Arg::Str(p)]),
        row("__sys_stat", |p| vec![Arg::Str(p)]),
        row("__sys_stat", |p| vec![Arg::Str(p), on("nofollow")]),
        row("__sys_exists", |p| vec![Arg::Str(p)]),
        row("__sys_open_read", |p| vec![Arg::Str(p)]),
        row("__sys_write_file", |p| vec![Arg::Str(p), Arg::Str("x")]),
        row("__sys_write_file", |p| vec![Arg::Str(p), Arg::Str("x"), on("append")]),
        row("__sys_write_file", |p| vec![Arg::Str(p), Arg::Str("x"), on("create_new")]),
        row("__sys_mkdir", |p| vec![Arg::Str(p)]),
        row("__sys_mkdir", |p| vec![Arg::Str(p), on("parents")]),
        row("__sys_remove", |p| vec![Arg::Str(p)]),
        row("__sys_remove", |p| vec![Arg::Str(p), on("recursive")]),
        row("__sys_rename", |p| vec![Arg::Str(p), Arg::Str("b")]),
        row("__sys_rename", |p| vec![Arg::Str("a.txt"), Arg::Str(p)]),
        row("__sys_copy", |p| vec![Arg::Str(p), Arg::Str("b")]),
        row("__sys_copy", |p| vec![Arg::Str("a.txt"), Arg::Str(p)]),
        row("__sys_symlink", |p| vec![Arg::Str("a.txt"), Arg::Str(p)]),
    ]
}

const READ: &str = "__sys_read_file";

fn fs_001_a_path_that_climbs_out_is_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    for path in ["../outside/secret.txt", "d/../../outside/secret.txt", "d/e/../../../outside/secret.txt"] {
        rig.twin_reads_canary(path);
        let denial = rig.denied(READ, &[Arg::Str(path)]);
        assert_eq!(denial.rule, Rule::LeadsOut("/r".to_owned()));
        rig.denied(READ, &[Arg::Str(&format!("/r/{path}"))]);
    }
    rig.reads("a.txt", "alpha\n");
    rig.unharmed();
}

fn fs_003_absolute_host_paths_are_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    for path in [rig.abs("outside/secret.txt"), rig.abs("R/a.txt")] {
        assert!(fs::read(&path).is_ok());
        assert_eq!(rig.denied(READ, &[Arg::Str(&path)]).rule, Rule::NoGrant);
    }
    rig.reads("/r/a.txt", "alpha\n");
    rig.unharmed();
}

fn fs_005_leaving_and_coming_back_is_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    for path in ["../R/a.txt", "d/../../R/a.txt"] {
        assert!(fs::read(rig.base.join("R").join(path)).is_ok());
        rig.denied(READ, &[Arg::Str(path)]);
    }
    rig.unharmed();
}

fn fs_006_climbing_within_the_grant_works() {
    let mut rig = Rig::new(Access::Read);
    rig.reads("d/e/../../a.txt", "alpha\n");
    rig.reads("./d/.././d//e/./f.txt", "eff\n");
    rig.reads("/r//./d/e/f.txt", "eff\n");
}

fn fs_007_every_native_refuses_the_parent() {
    for path in ["..", "../", "../..", "d/../.."] {
        for (native, args) in path_ops() {
            let mut rig = Rig::new(Access::ReadWrite);
            assert!(fs::metadata(rig.base.join("R").join(path)).is_ok());
            rig.denied(native, &args(path));
            rig.unharmed();
        }
    }
}

fn fs_008_every_native_refuses_the_hosts_root() {
    let mut rig = Rig::new(Access::ReadWrite);
    for path in ["/", "//", "/.", "/..", "/etc", "/r-evil", "/x/../r/a.txt"] {
        for (native, args) in path_ops() {
            assert_eq!(rig.denied(native, &args(path)).rule, Rule::NoGrant);
        }
    }
    rig.unharmed();
}

fn fs_009_a_file_is_no_directory() {
    let mut rig = Rig::new(Access::Read);
    for path in ["a.txt/", "a.txt//", "a.txt/.", "a.txt/..", "a.txt/../a.txt"] {
        assert_eq!(rig.fails(READ, &[Arg::Str(path)]), "not a directory", "{path}");
    }
    let mut single = Rig::with(|base| vec![mount(&base.join("R/a.txt"), "/one.txt", Access::ReadWrite)], Limits::default());
    single.reads("/one.txt", "alpha\n");
    for path in ["/one.txt/", "/one.txt/.", "/one.txt/x", "/one.txt/.."] {
        assert_eq!(single.fails(READ, &[Arg::Str(path)]), "not a directory", "{path}");
    }
    assert_eq!(single.denied(READ, &[Arg::Str("/b.txt")]).rule, Rule::NoGrant);
}

fn fs_010_an_empty_path_is_not_found() {
    for (native, args) in path_ops() {
        let mut rig = Rig::new(Access::ReadWrite);
        assert!(rig.fails(native, &args("")).starts_with("file not found"), "{native}");
        rig.reads("a.txt", "alpha\n");
    }
}

fn fs_011_nul_is_invalid_everywhere() {
    for path in ["a.txt\0", "\0", "a.txt\0.png", "../outside\0x"] {
        for (native, args) in path_ops() {
            let mut rig = Rig::new(Access::ReadWrite);
            assert_eq!(rig.fails(native, &args(path)), "a path can't hold a NUL", "{native}");
            rig.reads("a.txt", "alpha\n");
        }
    }
}

fn fs_012_long_names_are_errors() {
    let mut rig = Rig::new(Access::ReadWrite);
    let (fits, long) = ("n".repeat(255), "n".repeat(256));
    rig.ok("__sys_write_file", &[Arg::Str(&fits), Arg::Str("x")]);
    rig.reads(&fits, "x");
    for (native, args) in path_ops() {
        assert_eq!(rig.fails(native, &args(&long)), "name too long", "{native}");
        assert_eq!(rig.fails(native, &args(&"d/".repeat(2049))), "name too long", "{native}");
    }
    // FS-013: a path of 64 MiB is refused by its length alone.
    let huge = "x/".repeat(32 << 20);
    let (site, native) = (rig.site(), ilu_cap::by_name(READ).unwrap());
    let start = std::time::Instant::now();
    let stop = rig.realm.call(site, native, &[Arg::Str(&huge)]);
    assert!(start.elapsed().as_millis() < 200);
    assert_eq!(stop, Err(ilu_sbx::Stop::Failed("name too long".to_owned())));
}

fn fs_014_many_steps_end_quickly() {
    let mut rig = Rig::new(Access::Read);
    let start = std::time::Instant::now();
    rig.reads(&format!("{}a.txt", "d/../".repeat(800)), "alpha\n");
    assert_eq!(rig.fails(READ, &[Arg::Str(&format!("{}a.txt", "d/../".repeat(100_000)))]), "name too long");
    assert!(start.elapsed().as_secs() < 1);
}

fn fs_015_names_that_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let mut rig = Rig::new(Access::ReadWrite);
    fs::write(rig.base.join("R/d").join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "x").unwrap();
    assert_eq!(rig.ok("__sys_read_dir", &[Arg::Str("d")]), Plain::List(vec![Plain::Str("e".to_owned())]));
    assert_eq!(rig.fails("__sys_remove", &[Arg::Str("d/\u{fffd}\u{fffd}")]), "file not found");
    rig.ok("__sys_remove", &[Arg::Str("d"), on("recursive")]);
    assert_eq!(rig.ok("__sys_exists", &[Arg::Str("d")]), Plain::Bool(false));
}

fn fs_017_nothing_is_decoded_or_expanded() {
    let mut rig = Rig::new(Access::Read);
    let paths = [
        "..\\outside\\secret.txt",
        "d\\e\\f.txt",
        "%2e%2e/outside/secret.txt",
        "..%2foutside",
        "%252e",
        "\u{ff0e}\u{ff0e}/outside/secret.txt",
        "\u{2025}/outside",
        "d\u{2215}e",
        "d\u{ff0f}e",
        "~/.ssh/id_rsa",
        "~root/x",
        "$HOME/x",
        "${HOME}/x",
        "*.txt",
    ];
    for path in paths {
        assert_eq!(rig.fails(READ, &[Arg::Str(path)]), "file not found", "{path}");
    }
    rig.unharmed();
}

fn fs_022_control_characters_are_literal_and_shown_escaped() {
    let mut rig = Rig::new(Access::ReadWrite);
    let name = "x\n\u{1b}[2J\u{202e}y";
    rig.ok("__sys_write_file", &[Arg::Str(name), Arg::Str("odd")]);
    rig.reads(name, "odd");
    let Plain::List(names) = rig.ok("__sys_read_dir", &[Arg::Str(".")]) else { panic!() };
    assert!(names.contains(&Plain::Str(name.to_owned())));
    let denial = rig.denied(READ, &[Arg::Str(&format!("../{name}"))]);
    for line in denial.lines().iter().chain([&denial.to_string()]) {
        assert!(!line.contains(['\n', '\u{1b}', '\u{202e}']), "{line:?}");
    }
}

fn fs_023_a_path_of_another_type_is_an_error() {
    let mut rig = Rig::new(Access::ReadWrite);
    let odd = || {
        vec![
            Arg::Num(1.0),
            Arg::Num(1.5),
            Arg::Nil,
            Arg::Bool(true),
            Arg::Bytes(b"a.txt"),
            Arg::List(vec![Arg::Str("a.txt")]),
            obj(&[("path", Arg::Str("a.txt"))]),
            Arg::Other("fun"),
            Arg::Other("sbx"),
        ]
    };
    for native in ["__sys_read_file", "__sys_read_dir", "__sys_stat", "__sys_exists", "__sys_open_read", "__sys_mkdir", "__sys_remove"] {
        for arg in odd() {
            let text = rig.fails(native, std::slice::from_ref(&arg));
            assert_eq!(text, format!("{native}: path is str, got {}", arg.type_name()));
        }
        assert!(rig.fails(native, &[]).contains("got 0"), "{native}");
    }
    for arg in odd() {
        rig.fails("__sys_rename", &[arg.clone(), Arg::Str("b")]);
        rig.fails("__sys_rename", &[Arg::Str("a.txt"), arg.clone()]);
        rig.fails("__sys_copy", &[Arg::Str("a.txt"), arg]);
    }
    rig.reads("a.txt", "alpha\n");
}

fn fs_025_a_sibling_with_the_same_prefix_is_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.twin_reads_canary("../R-evil/secret.txt");
    for path in ["../R-evil/secret.txt", "/r-evil/secret.txt", "/R-evil/secret.txt"] {
        rig.denied(READ, &[Arg::Str(path)]);
    }
    rig.unharmed();
}

fn fs_026_the_grants_own_root() {
    let mut rig = Rig::new(Access::Read);
    for path in [".", "/r", "/r/", "d/.."] {
        assert_eq!(rig.fails(READ, &[Arg::Str(path)]), "is a directory", "{path}");
    }
    let names = Plain::List(vec![Plain::Str("a.txt".to_owned()), Plain::Str("d".to_owned())]);
    for path in [".", "./", "./.", "/r", "/r/", "/r/."] {
        assert_eq!(rig.ok("__sys_read_dir", &[Arg::Str(path)]), names, "{path}");
    }
}

fn fs_027_links_within_the_grant_work() {
    let mut rig = Rig::new(Access::Read);
    rig.link("a.txt", "ln_in");
    rig.link("d/e", "dl");
    rig.reads("ln_in", "alpha\n");
    rig.reads("dl/f.txt", "eff\n");
}

fn fs_028_links_out_are_denied() {
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

fn fs_031_nothing_is_made_through_a_directory_link() {
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

fn fs_034_long_chains_of_links_end_in_an_error() {
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

fn fs_035_links_to_the_parent_are_denied() {
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

fn fs_038_dots_are_resolved_after_links() {
    let mut rig = Rig::new(Access::Read);
    rig.link("d/e", "dl");
    rig.reads("dl/../../a.txt", "alpha\n");
    rig.reads("dl/../e/f.txt", "eff\n");
}

fn fs_039_loops_of_links_end_in_an_error() {
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

fn fs_041_dangling_links_out_create_nothing() {
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

fn fs_044_appending_through_a_link_out_is_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/secret.txt", "ln_out");
    for opts in [Arg::Nil, on("append")] {
        rig.denied("__sys_write_file", &[Arg::Str("ln_out"), Arg::Str("x"), opts]);
    }
    rig.unharmed();
}

fn fs_045_removing_a_link_removes_the_link() {
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

fn fs_046_removing_a_tree_follows_no_link() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../../outside", "d/dirln");
    rig.link("../../outside/secret.txt", "d/e/ln_out");
    rig.ok("__sys_remove", &[Arg::Str("d"), on("recursive")]);
    assert!(!rig.base.join("R/d").exists());
    rig.unharmed();
}

fn fs_048_moving_a_link_moves_the_link() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/secret.txt", "ln_out");
    rig.ok("__sys_rename", &[Arg::Str("ln_out"), Arg::Str("b")]);
    assert!(fs::symlink_metadata(rig.base.join("R/b")).unwrap().is_symlink());
    rig.denied(READ, &[Arg::Str("b")]);
    rig.unharmed();
}

fn fs_049_copying_onto_a_link_out_writes_nothing_outside() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside/new.txt", "dst");
    rig.denied("__sys_copy", &[Arg::Str("a.txt"), Arg::Str("dst")]);
    rig.ok("__sys_write_file", &[Arg::Str("dst"), Arg::Str("mine"), on("atomic")]);
    assert!(fs::symlink_metadata(rig.base.join("R/dst")).unwrap().is_file(), "an atomic write replaces the link itself");
    rig.reads("dst", "mine");
    rig.unharmed();
}

fn fs_051_links_can_be_made_only_relative() {
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

fn fs_053_looking_through_links_out_is_denied() {
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

fn fs_054_what_exists_outside_can_not_be_told() {
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

fn two(a: Access, b: Access) -> Rig {
    Rig::with(
        |base| {
            fs::create_dir(base.join("S")).unwrap();
            fs::write(base.join("S/s.txt"), "ess").unwrap();
            vec![mount(&base.join("R"), "/r", a), mount(&base.join("S"), "/s", b)]
        },
        Limits::default(),
    )
}

fn fs_061_moving_across_rights_is_denied() {
    let mut rig = two(Access::Read, Access::ReadWrite);
    rig.denied("__sys_rename", &[Arg::Str("/r/a.txt"), Arg::Str("/s/a.txt")]);
    rig.denied("__sys_rename", &[Arg::Str("/s/s.txt"), Arg::Str("/r/s.txt")]);
    rig.denied("__sys_rename", &[Arg::Str("/s/s.txt"), Arg::Str("/r/a.txt")]);
    rig.reads("/r/a.txt", "alpha\n");
    rig.reads("/s/s.txt", "ess");
    // What was only to be written can't be made readable by moving it.
    let mut rig = two(Access::Write, Access::ReadWrite);
    assert_eq!(rig.denied("__sys_rename", &[Arg::Str("/r/a.txt"), Arg::Str("/s/a.txt")]).rule, Rule::WriteOnly("/r".to_owned()));
    rig.denied("__sys_copy", &[Arg::Str("/r/a.txt"), Arg::Str("/s/a.txt")]);
}

fn fs_062_a_hard_link_made_before_is_within_the_grant() {
    // An accepted risk: who makes a hard link inside a granted directory grants the file. No native makes one.
    let mut rig = Rig::new(Access::ReadWrite);
    fs::write(rig.base.join("other.txt"), "other").unwrap();
    fs::hard_link(rig.base.join("other.txt"), rig.base.join("R/hard")).unwrap();
    rig.reads("hard", "other");
    assert!(!ilu_cap::NATIVES.iter().any(|row| row.name.ends_with("link") && row.name != "__sys_symlink"));
}

fn fs_065_odd_renames_are_errors() {
    let mut rig = Rig::new(Access::ReadWrite);
    fs::create_dir(rig.base.join("R/full")).unwrap();
    fs::write(rig.base.join("R/full/x"), "").unwrap();
    let odd = [(".", "x"), ("x", "."), ("d", "d/e/d"), ("a.txt", "d"), ("d", "full"), ("a.txt/", "b"), ("a.txt", "b/"), ("d/..", "x")];
    for (from, to) in odd {
        rig.fails("__sys_rename", &[Arg::Str(from), Arg::Str(to)]);
    }
    rig.reads("a.txt", "alpha\n");
    rig.reads("d/e/f.txt", "eff\n");
    rig.ok("__sys_rename", &[Arg::Str("d/"), Arg::Str("moved/")]);
    rig.reads("moved/e/f.txt", "eff\n");
}

fn fs_066_moving_across_grants_needs_rights_on_both() {
    let mut rig = two(Access::ReadWrite, Access::ReadWrite);
    rig.ok("__sys_rename", &[Arg::Str("/r/a.txt"), Arg::Str("/s/a.txt")]);
    rig.reads("/s/a.txt", "alpha\n");
    rig.ok("__sys_copy", &[Arg::Str("/s/a.txt"), Arg::Str("/r/a.txt")]);
    rig.reads("/r/a.txt", "alpha\n");
}

fn fs_067_read_only_is_read_only() {
    let mut rig = Rig::new(Access::Read);
    rig.link("a.txt", "ln");
    let changes: &[(&str, &[Arg<'_>])] = &[
        ("__sys_write_file", &[Arg::Str("a.txt"), Arg::Str("x")]),
        ("__sys_write_file", &[Arg::Str("new"), Arg::Str("x")]),
        ("__sys_write_file", &[Arg::Str("ln"), Arg::Str("x")]),
        ("__sys_mkdir", &[Arg::Str("x")]),
        ("__sys_remove", &[Arg::Str("a.txt")]),
        ("__sys_remove", &[Arg::Str("ln")]),
        ("__sys_rename", &[Arg::Str("a.txt"), Arg::Str("b")]),
        ("__sys_copy", &[Arg::Str("a.txt"), Arg::Str("b")]),
        ("__sys_symlink", &[Arg::Str("a.txt"), Arg::Str("b")]),
    ];
    for (native, args) in changes {
        assert_eq!(rig.denied(native, args).rule, Rule::ReadOnly("/r".to_owned()));
    }
    for key in ["append", "create_new", "atomic"] {
        for path in ["a.txt", "new"] {
            rig.denied("__sys_write_file", &[Arg::Str(path), Arg::Str("x"), on(key)]);
        }
    }
    rig.denied("__sys_mkdir", &[Arg::Str("x/y"), on("parents")]);
    rig.denied("__sys_remove", &[Arg::Str("d"), on("recursive")]);
    rig.reads("a.txt", "alpha\n");
    let names: Vec<_> = fs::read_dir(rig.base.join("R")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // The twin: with rights the same calls work.
    let mut twin = Rig::new(Access::ReadWrite);
    twin.link("a.txt", "ln");
    for (native, args) in changes {
        if twin.call(native, args).is_err() {
            assert!(matches!(*native, "__sys_copy" | "__sys_rename" | "__sys_symlink" | "__sys_remove"), "{native}");
        }
    }
}

fn fs_075_write_only_shows_nothing() {
    let mut rig = Rig::new(Access::Write);
    for native in ["__sys_read_file", "__sys_stat", "__sys_exists", "__sys_open_read"] {
        assert_eq!(rig.denied(native, &[Arg::Str("a.txt")]).rule, Rule::WriteOnly("/r".to_owned()));
    }
    rig.denied("__sys_read_dir", &[Arg::Str(".")]);
    rig.ok("__sys_write_file", &[Arg::Str("a.txt"), Arg::Str("new")]);
    assert_eq!(fs::read_to_string(rig.base.join("R/a.txt")).unwrap(), "new");
}

fn fs_077_procfs_is_refused() {
    let proc_grant = |_: &std::path::Path| {
        vec![
            mount("/proc".as_ref(), "/proc", Access::ReadWrite),
            mount("/proc/self/fd".as_ref(), "/fd", Access::ReadWrite),
            mount("/sys".as_ref(), "/sys", Access::ReadWrite),
        ]
    };
    let mut rig = Rig::with(proc_grant, Limits::default());
    for path in ["self/mem", "self/environ", "self/maps", "self/auxv", "1/environ", "version", "self/status"] {
        let path = format!("/proc/{path}");
        assert!(rig.call(READ, &[Arg::Str(&path)]).is_err(), "{path}");
    }
    assert_eq!(rig.denied(READ, &[Arg::Str("/proc/version")]).rule, Rule::Special("procfs"));
    assert_eq!(rig.denied("__sys_read_dir", &[Arg::Str("/proc")]).rule, Rule::Special("procfs"));
    assert_eq!(rig.denied("__sys_read_dir", &[Arg::Str("/sys/kernel")]).rule, Rule::Special("sysfs"));
    for path in ["self/oom_score_adj", "self/mem", "self/attr/exec"] {
        assert!(rig.call("__sys_write_file", &[Arg::Str(&format!("/proc/{path}")), Arg::Str("0")]).is_err());
    }
    for path in ["self/root/etc/passwd", "self/cwd/Cargo.toml", "self/exe", "thread-self/root/etc/passwd", "1/root/etc/passwd"] {
        assert!(rig.call(READ, &[Arg::Str(&format!("/proc/{path}"))]).is_err(), "{path}");
    }
    for path in ["0", "1", "2"] {
        assert!(rig.call(READ, &[Arg::Str(&format!("/fd/{path}"))]).is_err(), "{path}");
    }
}

fn fs_081_fifos_and_devices_do_not_block() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let mut rig = Rig::new(Access::ReadWrite);
    let at = |name: &str| rig.base.join("R").join(name);
    mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("sock")).unwrap();
    let mut names = vec!["fifo", "sock"];
    // Devices can be made by root only; where the tests run as somebody else the other two stand for them.
    if mknodat(CWD, at("zero"), FileType::CharacterDevice, Mode::RWXU, rustix::fs::makedev(1, 5)).is_ok() {
        names.push("zero");
    }
    let start = std::time::Instant::now();
    for name in names {
        for native in [READ, "__sys_open_read"] {
            assert_eq!(rig.fails(native, &[Arg::Str(name)]), "not a regular file", "{name}");
        }
        for opts in [Arg::Nil, on("append"), on("atomic")] {
            assert_eq!(rig.fails("__sys_write_file", &[Arg::Str(name), Arg::Str("x"), opts]), "not a regular file", "{name}");
        }
        assert_eq!(rig.fails("__sys_copy", &[Arg::Str(name), Arg::Str("b")]), "not a regular file", "{name}");
        let Plain::Object(seen) = rig.ok("__sys_stat", &[Arg::Str(name)]) else { panic!() };
        assert_eq!(seen[0].1, Plain::Str("other".to_owned()));
        rig.ok("__sys_remove", &[Arg::Str(name)]);
    }
    assert!(start.elapsed().as_secs() < 2);
}

fn fs_087_unknown_options_are_errors() {
    let mut rig = Rig::new(Access::ReadWrite);
    for odd in [obj(&[("flags", Arg::Num(-1.0))]), on("truncate"), on("O_PATH"), Arg::Str("w+x"), Arg::Num(4_294_967_295.0)] {
        rig.fails("__sys_write_file", &[Arg::Str("a.txt"), Arg::Str("x"), odd.clone()]);
        rig.fails(READ, &[Arg::Str("a.txt"), odd]);
    }
    let both = obj(&[("append", Arg::Bool(true)), ("create_new", Arg::Bool(true))]);
    rig.fails("__sys_write_file", &[Arg::Str("a.txt"), Arg::Str("x"), both]);
    rig.fails("__sys_write_file", &[Arg::Str("a.txt"), Arg::Str("x"), obj(&[("append", Arg::Num(1.0))])]);
    rig.reads("a.txt", "alpha\n");
}

fn fs_089_a_huge_file_is_refused_before_anything_is_read() {
    let mut rig = Rig::new(Access::ReadWrite);
    let huge = fs::File::create(rig.base.join("R/huge")).unwrap();
    // As large as the file system lets a sparse file be, up to a pebibyte.
    let size = (30..=50).rev().map(|bits| 1u64 << bits).find(|size| huge.set_len(*size).is_ok()).unwrap();
    let start = std::time::Instant::now();
    let stop = rig.call(READ, &[Arg::Str("huge")]);
    assert_eq!(stop, Err(ilu_sbx::Stop::Room(size)));
    #[allow(clippy::cast_precision_loss)]
    let part = obj(&[("bytes", Arg::Bool(true)), ("from", Arg::Num((size - 3) as f64)), ("len", Arg::Num(100.0))]);
    assert_eq!(rig.ok(READ, &[Arg::Str("huge"), part]), Plain::Bytes(vec![0; 3]));
    assert!(start.elapsed().as_millis() < 500);
}

fn fs_093_odd_numbers_are_errors() {
    let mut rig = Rig::new(Access::Read);
    for n in [-1.0, 0.5, f64::NAN, f64::INFINITY, 9_223_372_036_854_775_808.0, 1e300] {
        for key in ["from", "len"] {
            rig.fails(READ, &[Arg::Str("a.txt"), obj(&[(key, Arg::Num(n))])]);
        }
    }
    let far = obj(&[("from", Arg::Num(9_007_199_254_740_992.0)), ("len", Arg::Num(9_007_199_254_740_992.0))]);
    assert_eq!(rig.ok(READ, &[Arg::Str("a.txt"), far]), Plain::Str(String::new()));
}

fn fs_096_a_deep_tree_is_removed() {
    let mut rig = Rig::new(Access::ReadWrite);
    let deep = 10_000;
    let mut dir = cap_std::fs::Dir::open_ambient_dir(rig.base.join("R"), cap_std::ambient_authority()).unwrap();
    for _ in 0..deep {
        dir.create_dir("n").unwrap();
        dir.write("leaf", "x").unwrap();
        dir = dir.open_dir("n").unwrap();
    }
    drop(dir);
    rig.link("../outside", "n/out");
    let start = std::time::Instant::now();
    rig.ok("__sys_remove", &[Arg::Str("n"), on("recursive")]);
    assert!(!rig.base.join("R/n").exists());
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    rig.unharmed();
}

fn fs_098_what_is_made_is_private() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.ok("__sys_write_file", &[Arg::Str("one"), Arg::Str("x")]);
    rig.ok("__sys_write_file", &[Arg::Str("two"), Arg::Str("x"), on("atomic")]);
    rig.ok("__sys_copy", &[Arg::Str("one"), Arg::Str("three")]);
    rig.ok("__sys_mkdir", &[Arg::Str("made")]);
    rig.ok("__sys_mkdir", &[Arg::Str("p/q"), on("parents")]);
    for (name, most) in [("one", 0o600), ("two", 0o600), ("three", 0o600), ("made", 0o700), ("p", 0o700), ("p/q", 0o700)] {
        let mode = fs::metadata(rig.base.join("R").join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode & !most, 0, "{name} {mode:o}");
    }
}

fn fs_115_a_grants_root_can_not_be_removed() {
    let mut rig = Rig::new(Access::ReadWrite);
    for path in [".", "./", "d/..", "d/../", "d/.", "/r", "/r/", "/r/.", "d/e/../.."] {
        for opts in [Arg::Nil, on("recursive")] {
            rig.fails("__sys_remove", &[Arg::Str(path), opts]);
        }
        rig.fails("__sys_rename", &[Arg::Str(path), Arg::Str("x")]);
    }
    rig.reads("a.txt", "alpha\n");
    rig.reads("d/e/f.txt", "eff\n");
    assert_ne!(TOKEN, "");
}
