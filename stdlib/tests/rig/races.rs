//! Races: somebody swaps names for links to the outside while natives work on them. Nothing of the outside may be read, made or removed.

use super::{Rig, TOKEN, on};
use ilu_sbx::{Access, Arg, Plain};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long each race is run.
const SPAN: Duration = Duration::from_millis(1500);
/// Swaps without which a race has proved nothing.
const LEAST_SWAPS: u64 = 500;

/// Lets `swap` run in a loop beside `body`.
fn race(rig: &mut Rig, swap: impl Fn(&Path) + Send + 'static, mut body: impl FnMut(&mut Rig)) {
    let (stop, swaps) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let attacker = {
        let (stop, swaps, root) = (Arc::clone(&stop), Arc::clone(&swaps), rig.base.join("R"));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                swap(&root);
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let start = Instant::now();
    while start.elapsed() < SPAN || swaps.load(Ordering::Relaxed) < LEAST_SWAPS {
        body(rig);
    }
    stop.store(true, Ordering::Relaxed);
    attacker.join().unwrap();
}

/// Exchanges two names in one step.
fn exchange(root: &Path, a: &str, b: &str) {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let _ = renameat_with(CWD, root.join(a), CWD, root.join(b), RenameFlags::EXCHANGE);
}

/// FS-106: a file that is sometimes a link to the canary.
fn files_that_turn_into_links() {
    let mut rig = Rig::new(Access::ReadWrite);
    fs::write(rig.base.join("R/x"), "mine").unwrap();
    rig.link("../outside/secret.txt", "other");
    let mut seen = [0u64; 2];
    race(
        &mut rig,
        |root| exchange(root, "x", "other"),
        |rig| {
            match rig.call("__sys_read_file", &[Arg::Str("x")]) {
                Ok(content) => {
                    assert_ne!(content, Plain::Str(TOKEN.to_owned()));
                    seen[0] += 1;
                }
                Err(_) => seen[1] += 1,
            }
            let _ = rig.call("__sys_write_file", &[Arg::Str("x"), Arg::Str("mine")]);
            let _ = rig.call("__sys_write_file", &[Arg::Str("x"), Arg::Str("mine"), on("append")]);
            if let Ok(Plain::Object(found)) = rig.call("__sys_stat", &[Arg::Str("x")]) {
                assert_ne!(found[0].1, Plain::Str("link".to_owned()));
            }
        },
    );
    assert!(seen.iter().all(|n| *n > 0), "both sides must have been met: {seen:?}");
    rig.unharmed();
}

/// FS-107: a directory that is sometimes a link to the outside.
fn directories_that_turn_into_links() {
    let mut rig = Rig::new(Access::ReadWrite);
    fs::create_dir(rig.base.join("R/m")).unwrap();
    rig.link("../outside", "other");
    let mut made = 0u64;
    race(
        &mut rig,
        |root| exchange(root, "m", "other"),
        |rig| {
            made += u64::from(rig.call("__sys_mkdir", &[Arg::Str("m/n/o"), on("parents")]).is_ok());
            let _ = rig.call("__sys_write_file", &[Arg::Str("m/new.txt"), Arg::Str("x")]);
            let _ = rig.call("__sys_write_file", &[Arg::Str("m/new.txt"), Arg::Str("x"), on("atomic")]);
            let _ = rig.call("__sys_copy", &[Arg::Str("a.txt"), Arg::Str("m/new.txt")]);
            let _ = rig.call("__sys_rename", &[Arg::Str("m/new.txt"), Arg::Str("m/moved.txt")]);
            let _ = rig.call("__sys_remove", &[Arg::Str("m/secret.txt")]);
            let _ = rig.call("__sys_remove", &[Arg::Str("m/n"), on("recursive")]);
            if let Ok(Plain::List(names)) = rig.call("__sys_read_dir", &[Arg::Str("m")]) {
                assert!(!names.contains(&Plain::Str("secret.txt".to_owned())));
            }
        },
    );
    assert!(made > 0);
    rig.unharmed();
}

/// FS-108: a tree that is being removed while its directories turn into links.
fn trees_that_turn_into_links_while_they_are_removed() {
    let mut rig = Rig::new(Access::ReadWrite);
    rig.link("../outside", "other");
    let mut removed = 0u64;
    race(
        &mut rig,
        |root| exchange(root, "v/w", "other"),
        |rig| {
            let _ = rig.call("__sys_mkdir", &[Arg::Str("v/w/deep/er"), on("parents")]);
            let _ = rig.call("__sys_write_file", &[Arg::Str("v/w/deep/file"), Arg::Str("x")]);
            removed += u64::from(rig.call("__sys_remove", &[Arg::Str("v"), on("recursive")]).is_ok());
            // What the exchange carried away is put back for the next round.
            if fs::symlink_metadata(rig.base.join("R/other")).is_ok_and(|found| found.is_dir()) {
                let _ = fs::remove_dir_all(rig.base.join("R/other"));
            }
            if fs::symlink_metadata(rig.base.join("R/other")).is_err() {
                let _ = std::os::unix::fs::symlink("../outside", rig.base.join("R/other"));
            }
        },
    );
    assert!(removed > 0);
    rig.unharmed();
}

/// FS-105: climbing while the directory one stands in is moved away.
fn climbing_while_directories_are_moved() {
    let mut rig = Rig::new(Access::Read);
    fs::create_dir_all(rig.base.join("R/a/c")).unwrap();
    fs::create_dir_all(rig.base.join("R/b")).unwrap();
    let path = format!("a/{}secret.txt", "c/../../c/../../".repeat(8));
    let outside = format!("a/{}../outside/secret.txt", "c/../".repeat(3));
    race(
        &mut rig,
        |root| exchange(root, "a/c", "b"),
        |rig| {
            for path in [&path, &outside] {
                assert_ne!(rig.call("__sys_read_file", &[Arg::Str(path)]), Ok(Plain::Str(TOKEN.to_owned())));
            }
        },
    );
    rig.unharmed();
}

/// Runs every race.
pub fn run_all() {
    files_that_turn_into_links();
    directories_that_turn_into_links();
    trees_that_turn_into_links_while_they_are_removed();
    climbing_while_directories_are_moved();
}
