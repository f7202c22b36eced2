//! Paths as text: climbing, absolute ones, odd lengths, bytes and types.

use super::super::{Rig, mount, obj, on};
use super::{READ, path_ops};
use ilu_sbx::{Access, Arg, Limits, Plain, Rule};
use std::fs;

pub fn fs_001_a_path_that_climbs_out_is_denied() {
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

pub fn fs_003_absolute_host_paths_are_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    for path in [rig.abs("outside/secret.txt"), rig.abs("R/a.txt")] {
        assert!(fs::read(&path).is_ok());
        assert_eq!(rig.denied(READ, &[Arg::Str(&path)]).rule, Rule::NoGrant);
    }
    rig.reads("/r/a.txt", "alpha\n");
    rig.unharmed();
}

pub fn fs_005_leaving_and_coming_back_is_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    for path in ["../R/a.txt", "d/../../R/a.txt"] {
        assert!(fs::read(rig.base.join("R").join(path)).is_ok());
        rig.denied(READ, &[Arg::Str(path)]);
    }
    rig.unharmed();
}

pub fn fs_006_climbing_within_the_grant_works() {
    let mut rig = Rig::new(Access::Read);
    rig.reads("d/e/../../a.txt", "alpha\n");
    rig.reads("./d/.././d//e/./f.txt", "eff\n");
    rig.reads("/r//./d/e/f.txt", "eff\n");
}

pub fn fs_007_every_native_refuses_the_parent() {
    for path in ["..", "../", "../..", "d/../.."] {
        for (native, args) in path_ops() {
            let mut rig = Rig::new(Access::ReadWrite);
            assert!(fs::metadata(rig.base.join("R").join(path)).is_ok());
            rig.denied(native, &args(path));
            rig.unharmed();
        }
    }
}

pub fn fs_008_every_native_refuses_the_hosts_root() {
    let mut rig = Rig::new(Access::ReadWrite);
    for path in ["/", "//", "/.", "/..", "/etc", "/r-evil", "/x/../r/a.txt"] {
        for (native, args) in path_ops() {
            assert_eq!(rig.denied(native, &args(path)).rule, Rule::NoGrant);
        }
    }
    rig.unharmed();
}

pub fn fs_009_a_file_is_no_directory() {
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

pub fn fs_010_an_empty_path_is_not_found() {
    for (native, args) in path_ops() {
        let mut rig = Rig::new(Access::ReadWrite);
        assert!(rig.fails(native, &args("")).starts_with("file not found"), "{native}");
        rig.reads("a.txt", "alpha\n");
    }
}

pub fn fs_011_nul_is_invalid_everywhere() {
    for path in ["a.txt\0", "\0", "a.txt\0.png", "../outside\0x"] {
        for (native, args) in path_ops() {
            let mut rig = Rig::new(Access::ReadWrite);
            assert_eq!(rig.fails(native, &args(path)), "a path can't hold a NUL", "{native}");
            rig.reads("a.txt", "alpha\n");
        }
    }
}

pub fn fs_012_long_names_are_errors() {
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

pub fn fs_014_many_steps_end_quickly() {
    let mut rig = Rig::new(Access::Read);
    let start = std::time::Instant::now();
    rig.reads(&format!("{}a.txt", "d/../".repeat(800)), "alpha\n");
    assert_eq!(rig.fails(READ, &[Arg::Str(&format!("{}a.txt", "d/../".repeat(100_000)))]), "name too long");
    assert!(start.elapsed().as_secs() < 1);
}

pub fn fs_015_names_that_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let mut rig = Rig::new(Access::ReadWrite);
    fs::write(rig.base.join("R/d").join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "x").unwrap();
    assert_eq!(rig.ok("__sys_read_dir", &[Arg::Str("d")]), Plain::List(vec![Plain::Str("e".to_owned())]));
    assert_eq!(rig.fails("__sys_remove", &[Arg::Str("d/\u{fffd}\u{fffd}")]), "file not found");
    rig.ok("__sys_remove", &[Arg::Str("d"), on("recursive")]);
    assert_eq!(rig.ok("__sys_exists", &[Arg::Str("d")]), Plain::Bool(false));
}

pub fn fs_017_nothing_is_decoded_or_expanded() {
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

pub fn fs_022_control_characters_are_literal_and_shown_escaped() {
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

pub fn fs_023_a_path_of_another_type_is_an_error() {
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

pub fn fs_025_a_sibling_with_the_same_prefix_is_denied() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.twin_reads_canary("../R-evil/secret.txt");
    for path in ["../R-evil/secret.txt", "/r-evil/secret.txt", "/R-evil/secret.txt"] {
        rig.denied(READ, &[Arg::Str(path)]);
    }
    rig.unharmed();
}

pub fn fs_026_the_grants_own_root() {
    let mut rig = Rig::new(Access::Read);
    for path in [".", "/r", "/r/", "d/.."] {
        assert_eq!(rig.fails(READ, &[Arg::Str(path)]), "is a directory", "{path}");
    }
    let names = Plain::List(vec![Plain::Str("a.txt".to_owned()), Plain::Str("d".to_owned())]);
    for path in [".", "./", "./.", "/r", "/r/", "/r/."] {
        assert_eq!(rig.ok("__sys_read_dir", &[Arg::Str(path)]), names, "{path}");
    }
}
