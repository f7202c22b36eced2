//! What a grant allows and where it ends: access, moves between grants, special files, sizes, roots.

use super::super::{Rig, TOKEN, mount, obj, on};
use super::READ;
use ilu_sbx::{Access, Arg, Limits, Plain, Rule};
use std::fs;
use std::os::unix::fs::PermissionsExt;

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

pub fn fs_061_moving_across_rights_is_denied() {
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

pub fn fs_062_a_hard_link_made_before_is_within_the_grant() {
    // An accepted risk: who makes a hard link inside a granted directory grants the file. No native makes one.
    let mut rig = Rig::new(Access::ReadWrite);
    fs::write(rig.base.join("other.txt"), "other").unwrap();
    fs::hard_link(rig.base.join("other.txt"), rig.base.join("R/hard")).unwrap();
    rig.reads("hard", "other");
    assert!(!ilu_cap::NATIVES.iter().any(|row| row.name.ends_with("link") && row.name != "__sys_symlink"));
}

pub fn fs_065_odd_renames_are_errors() {
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

pub fn fs_066_moving_across_grants_needs_rights_on_both() {
    let mut rig = two(Access::ReadWrite, Access::ReadWrite);
    rig.ok("__sys_rename", &[Arg::Str("/r/a.txt"), Arg::Str("/s/a.txt")]);
    rig.reads("/s/a.txt", "alpha\n");
    rig.ok("__sys_copy", &[Arg::Str("/s/a.txt"), Arg::Str("/r/a.txt")]);
    rig.reads("/r/a.txt", "alpha\n");
}

pub fn fs_067_read_only_is_read_only() {
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

pub fn fs_075_write_only_shows_nothing() {
    let mut rig = Rig::new(Access::Write);
    for native in ["__sys_read_file", "__sys_stat", "__sys_exists", "__sys_open_read"] {
        assert_eq!(rig.denied(native, &[Arg::Str("a.txt")]).rule, Rule::WriteOnly("/r".to_owned()));
    }
    rig.denied("__sys_read_dir", &[Arg::Str(".")]);
    rig.ok("__sys_write_file", &[Arg::Str("a.txt"), Arg::Str("new")]);
    assert_eq!(fs::read_to_string(rig.base.join("R/a.txt")).unwrap(), "new");
}

/// Below a grant of the whole machine, what lies on procfs is neither seen nor told to be missing.
pub fn fs_077_nothing_is_told_of_procfs_below_a_wide_grant() {
    let mut rig = Rig::with(|_| vec![mount("/".as_ref(), "/h", Access::Read)], Limits::default());
    let exe = format!("/h{}", rig.abs("R/to-exe"));
    rig.link("/proc/self/exe", "to-exe");
    for path in
        ["/h/proc", "/h/proc/self", "/h/proc/1/exe", "/h/proc/999999999", "/h/proc/999999999/fd/0", "/h/proc/version", "/h/sys/kernel/none"]
    {
        for native in ["__sys_stat", "__sys_exists"] {
            assert!(matches!(rig.denied(native, &[Arg::Str(path)]).rule, Rule::Special(_) | Rule::LeadsOut(_)), "{native} {path}");
        }
    }
    assert!(rig.call("__sys_exists", &[Arg::Str(&exe)]).is_err(), "a link there");
    // Its controls: what is and what is not on the filesystems of files.
    let (there, none) = (format!("/h{}", rig.abs("R/a.txt")), format!("/h{}", rig.abs("R/d/none/at/all")));
    assert_eq!(rig.ok("__sys_exists", &[Arg::Str(&there)]), Plain::Bool(true));
    assert_eq!(rig.ok("__sys_exists", &[Arg::Str(&none)]), Plain::Bool(false));
    assert_eq!(rig.ok("__sys_exists", &[Arg::Str("/h/nothing/of/the/kind")]), Plain::Bool(false));
    assert!(rig.call("__sys_stat", &[Arg::Str(&there)]).is_ok());
    // Its twin: the system itself tells.
    assert!(std::path::Path::new("/proc/version").exists());
}

pub fn fs_077_procfs_is_refused() {
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

pub fn fs_081_fifos_and_devices_do_not_block() {
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

pub fn fs_087_unknown_options_are_errors() {
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

pub fn fs_089_a_huge_file_is_refused_before_anything_is_read() {
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

pub fn fs_093_odd_numbers_are_errors() {
    let mut rig = Rig::new(Access::Read);
    for n in [-1.0, 0.5, f64::NAN, f64::INFINITY, 9_223_372_036_854_775_808.0, 1e300] {
        for key in ["from", "len"] {
            rig.fails(READ, &[Arg::Str("a.txt"), obj(&[(key, Arg::Num(n))])]);
        }
    }
    let far = obj(&[("from", Arg::Num(9_007_199_254_740_992.0)), ("len", Arg::Num(9_007_199_254_740_992.0))]);
    assert_eq!(rig.ok(READ, &[Arg::Str("a.txt"), far]), Plain::Str(String::new()));
}

pub fn fs_096_a_deep_tree_is_removed() {
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

pub fn fs_098_what_is_made_is_private() {
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

pub fn fs_115_a_grants_root_can_not_be_removed() {
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
