//! Files that are none, grants of one name, places that lead into the kernel: by the natives themselves, one by one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types)]

mod rig;

use ilu_sbx::{Access, Arg, Limits, Plain, Rule};
use rig::{Rig, mount, on};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const READ: &str = "__sys_read_file";
const WRITE: &str = "__sys_write_file";
const STAT: &str = "__sys_stat";
const OPEN: &str = "__sys_open_read";

fn rig() -> Rig {
    let granted = |base: &Path| {
        fs::create_dir(base.join("R/w")).unwrap();
        fs::write(base.join("R/w/x"), "only written").unwrap();
        std::os::unix::fs::symlink("a.txt", base.join("R/link")).unwrap();
        vec![
            mount(&base.join("R"), "/r", Access::ReadWrite),
            mount(&base.join("R/a.txt"), "/f", Access::ReadWrite),
            mount(&base.join("R/link"), "/l", Access::ReadWrite),
            mount(&base.join("R/w"), "/w", Access::Write),
            mount(Path::new("/proc"), "/p", Access::ReadWrite),
            mount(Path::new("/"), "/h", Access::Read),
        ]
    };
    Rig::with(granted, Limits::default())
}

fn path(text: &str) -> [Arg<'_>; 1] {
    [Arg::Str(text)]
}

#[test]
fn what_is_only_written_is_seen_by_nobody() {
    let mut rig = rig();
    let rule = Rule::WriteOnly("/w".to_owned());
    for native in [READ, OPEN, STAT, "__sys_exists", "__sys_read_dir"] {
        assert_eq!(rig.denied(native, &path("/w/x")).rule, rule, "{native}");
    }
    assert_eq!(rig.denied("__sys_copy", &[Arg::Str("/w/x"), Arg::Str("/r/x")]).rule, rule);
    // Moved elsewhere it would be seen; within, it is not.
    assert_eq!(rig.denied("__sys_rename", &[Arg::Str("/w/x"), Arg::Str("/r/x")]).rule, rule);
    assert_eq!(rig.denied("__sys_rename", &[Arg::Str("/r/a.txt"), Arg::Str("/w/a")]).rule, rule);
    rig.ok("__sys_rename", &[Arg::Str("/w/x"), Arg::Str("/w/y")]);
    rig.ok("__sys_rename", &[Arg::Str("/r/w/y"), Arg::Str("/r/y")]);
    assert!(rig.base.join("R/y").is_file());
}

#[test]
fn a_door_into_the_kernel_is_no_file() {
    let mut rig = rig();
    let special = Rule::Special("procfs");
    for at in ["/p/version", "/h/proc/version"] {
        for native in [READ, OPEN, STAT, "__sys_exists"] {
            assert_eq!(rig.denied(native, &path(at)).rule, special, "{native} {at}");
        }
    }
    for at in ["/p", "/p/self", "/h/proc"] {
        assert_eq!(rig.denied("__sys_read_dir", &path(at)).rule, special, "{at}");
    }
    for at in ["/p/none-such", "/h/proc/none-such"] {
        assert_eq!(rig.denied("__sys_exists", &path(at)).rule, special, "{at}");
    }
    assert_eq!(rig.denied("__sys_mkdir", &path("/p/new")).rule, special);
    assert_eq!(rig.denied("__sys_remove", &path("/p/version")).rule, special);
    assert_eq!(rig.denied(WRITE, &[Arg::Str("/p/self/comm"), Arg::Str("x")]).rule, special);
    assert_eq!(rig.denied(WRITE, &[Arg::Str("/p/self/comm"), Arg::Str("x"), on("atomic")]).rule, special);
    // By a link, too; the link itself is told of.
    let up = "../".repeat(rig.base.components().count());
    rig.link(format!("{up}proc/version"), "door");
    let door = format!("/h{}", rig.abs("R/door"));
    let told = rig.realm.call(rig.site(), ilu_cap::by_name(STAT).unwrap(), &[Arg::Str(&door)]);
    assert!(matches!(&told, Err(ilu_sbx::Stop::Denied(denial)) if denial.rule == special), "{told:?}");
    let told = rig.realm.call(rig.site(), ilu_cap::by_name(STAT).unwrap(), &[Arg::Str(&door), on("nofollow")]);
    assert!(told.is_ok(), "its control: {told:?}");
    rig.reads("/r/a.txt", "alpha\n");
}

#[test]
fn a_grant_of_one_name_is_that_file_and_no_link_or_directory() {
    let mut rig = rig();
    rig.reads("/f", "alpha\n");
    assert_eq!(rig.fails(READ, &path("/l")), "not a regular file");
    assert_eq!(rig.fails(WRITE, &[Arg::Str("/l"), Arg::Str("x")]), "not a regular file");
    rig.reads("/r/link", "alpha\n");
    assert!(rig.fails(WRITE, &[Arg::Str("/f"), Arg::Str("x"), on("atomic")]).contains("needs a grant of the directory"));
    fs::remove_file(rig.base.join("R/a.txt")).unwrap();
    fs::create_dir(rig.base.join("R/a.txt")).unwrap();
    assert_eq!(rig.fails("__sys_read_dir", &path("/f")), "not a directory");
    assert_eq!(rig.fails(READ, &path("/f")), "is a directory");
}

#[test]
fn a_pipe_is_looked_at_and_not_opened() {
    let mut rig = rig();
    let fifo = rig.base.join("R/fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR, 0).unwrap();
    let (sender, opened) = std::sync::mpsc::channel();
    let writer = fifo.clone();
    let waits = std::thread::spawn(move || {
        // Goes on when somebody opens it for reading, and not before.
        let file = fs::OpenOptions::new().write(true).open(writer);
        sender.send(file.is_ok()).unwrap();
    });
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(rig.fails(READ, &path("/r/fifo")), "not a regular file");
    assert_eq!(rig.fails(WRITE, &[Arg::Str("/r/fifo"), Arg::Str("x")]), "not a regular file");
    assert_eq!(rig.fails(WRITE, &[Arg::Str("/r/fifo"), Arg::Str("x"), on("atomic")]), "not a regular file");
    assert!(opened.recv_timeout(Duration::from_millis(200)).is_err(), "somebody opened it");
    let _reader = fs::File::open(&fifo).unwrap();
    assert!(opened.recv().unwrap());
    waits.join().unwrap();
}

#[test]
fn what_is_made_is_its_owners_and_what_is_copied_is_all_there_is() {
    let mut rig = rig();
    rig.ok(WRITE, &[Arg::Str("/r/new"), Arg::Str("x")]);
    // Under a name that nobody can have guessed: not even nought.
    fs::write(rig.base.join(format!("R/.ilu-{}", "0".repeat(32))), "").unwrap();
    rig.ok(WRITE, &[Arg::Str("/r/whole"), Arg::Str("x"), on("atomic")]);
    for name in ["new", "whole"] {
        assert_eq!(fs::metadata(rig.base.join("R").join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    fs::write(rig.base.join("R/long"), "something longer than that").unwrap();
    rig.ok("__sys_copy", &[Arg::Str("/r/a.txt"), Arg::Str("/r/long")]);
    assert_eq!(fs::read_to_string(rig.base.join("R/long")).unwrap(), "alpha\n");
    assert!(rig.fails("__sys_copy", &[Arg::Str("/r/a.txt"), Arg::Str("/r/a.txt")]).contains("the same file"));
    // A link that leads nowhere is in the way as what it is.
    rig.link("nowhere", "dangling");
    assert_eq!(rig.fails("__sys_mkdir", &[Arg::Str("/r/dangling/x"), on("parents")]), "already exists");
    let denial = rig.denied("__sys_symlink", &[Arg::Str("/etc"), Arg::Str("/r/l")]);
    assert!(denial.rule == Rule::AbsoluteLink && denial.on == ["/etc"], "{denial:?}");
    assert_eq!(rig.ok("__sys_exists", &path("/r/l")), Plain::Bool(false));
}
