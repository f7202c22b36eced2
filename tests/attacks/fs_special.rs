//! FS-P (procfs, devices, mounts, flags) and FS-Z (the root of a grant, revocation, natives that name files indirectly).

use crate::rig::{Expect, Openat2};
use crate::row::{Row, call, quote, read, write};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};

pub fn rows() -> Vec<Row> {
    vec![
        Row::new("FS-081")
            .setup(|tree| mknodat(CWD, tree.path("R/fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap())
            .rw(
                Expect::DenyOrError,
                [read("fifo"), call("__sys_open_read", "fifo"), "prn __sys_copy(\"fifo\", \"b\")".into(), write("fifo")],
            )
            .rw(Expect::Fine, ["prn __sys_stat(\"fifo\").kind", "prn __sys_read_dir(\".\")"])
            .control(read("a.txt"), "alpha")
            // Without the non-blocking open and the look at the file's kind, opening it waits for a writer for ever.
            .twin(|tree| {
                let path = tree.path("R/fifo");
                let opening = std::thread::spawn({
                    let path = path.clone();
                    move || fs::read(path)
                });
                std::thread::sleep(std::time::Duration::from_millis(200));
                let stuck = !opening.is_finished();
                drop(fs::OpenOptions::new().write(true).open(path));
                let _ = opening.join();
                stuck
            }),
        Row::new("FS-083")
            .setup(|tree| drop(UnixListener::bind(tree.path("R/sock")).unwrap()))
            .rw(Expect::DenyOrError, [read("sock"), write("sock")])
            .control(read("a.txt"), "alpha")
            .twin(|tree| {
                // By the plain API a path is enough to reach whoever listens on it, and to be heard.
                let listener = UnixListener::bind(tree.path("R/heard")).unwrap();
                UnixStream::connect(tree.path("R/heard")).unwrap().write_all(b"x").unwrap();
                let mut heard = String::new();
                listener.accept().unwrap().0.read_to_string(&mut heard).is_ok() && heard == "x"
            }),
        Row::new("FS-087")
            .rw(
                Expect::Error,
                [
                    "__sys_write_file(\"n\", \"x\", {mode: \"w+x\"})",
                    "__sys_write_file(\"n\", \"x\", {flags: 4294967295})",
                    "__sys_write_file(\"n\", \"x\", {append: tru, atomic: tru})",
                    "__sys_write_file(\"n\", \"x\", {append: \"yes\"})",
                    "__sys_write_file(\"n\", \"x\", -1)",
                    "__sys_write_file(\"n\", \"x\", \"O_TMPFILE\")",
                    "__sys_read_file(\"a.txt\", {O_PATH: tru})",
                ],
            )
            .control("__sys_write_file(\"n\", \"x\", {append: tru})\nprn __sys_read_file(\"n\")", "x"),
        Row::new("FS-115")
            .rw(
                Expect::DenyOrError,
                [".", "", "./", "d/..", "/g", "/g/", "./.", "d/../."].into_iter().flat_map(|path| {
                    [
                        format!("__sys_remove({})", quote(path)),
                        format!("__sys_remove({}, {{recursive: tru}})", quote(path)),
                        format!("__sys_rename({}, \"x\")", quote(path)),
                    ]
                }),
            )
            .control("__sys_remove(\"d\", {recursive: tru})\nprn __sys_read_dir(\".\")", "[\"a.txt\"]")
            .twin(|tree| fs::remove_dir_all(tree.path("R/d/..")).is_ok() || !tree.path("R/a.txt").exists()),
        Row::new("FS-116")
            .rw(
                Expect::Deny,
                [
                    "use cap\nuse sbx\ns = sbxmk(capfs())\nh = sbxrn(s, \\() __sys_open_read(\"a.txt\"))\nsbxrv(s)\nline <- h:\n  prn line",
                    "use cap\nuse sbx\ns = sbxmk(capfs())\nf = sbxrn(s, \\() \\() __sys_read_file(\"a.txt\"))\nsbxrv(s)\nprn f()",
                ],
            )
            .control("use cap\nuse sbx\ns = sbxmk(capfs())\nh = sbxrn(s, \\() __sys_open_read(\"a.txt\"))\nline <- h:\n  prn line", "alpha")
            .twin(|tree| {
                // The same script without the revocation reads the line.
                let script = "use cap\nuse sbx\ns = sbxmk(capfs())\nf = sbxrn(s, \\() \\() __sys_read_file(\"a.txt\"))\nprn f()";
                tree.run("rw", script, Openat2::Kernel).out == "alpha\n"
            }),
        Row::new("FS-118")
            .setup(|tree| fs::write(tree.path("outside/m.ilu"), "secret = 41\nprn \"loaded\"\n").unwrap())
            .rw(
                Expect::DenyOrError,
                [
                    "use \"../outside/m.ilu\"",
                    "use \"$ABS/outside/m.ilu\"",
                    "use \"/g/../outside/m.ilu\"",
                    "use cap\nuse sbx\nsbxrn(sbxmk(capio()), \\() sbxld(sbxme(), \"/g/a.txt\"))",
                    "use cap\nuse sbx\nsbxld(sbxmk(capio()), \"a.txt\")",
                    "use cap\nuse sbx\nsbxev(sbxmk(capio()), \"use '../outside/m.ilu'\")",
                    "use cap\nuse sbx\nsbxev(sbxmk(capcat(capfs(), capio())), \"use '../outside/m.ilu'\")",
                ],
            )
            .control(
                "use cap\nuse sbx\n__sys_write_file(\"m.ilu\", \"prn 41\\n\")\nsbxld(sbxmk(capcat(capfs(), capio())), \"m.ilu\")",
                "41",
            )
            .twin(|tree| {
                let flags = format!("{}:/g:ro", tree.path("outside").display());
                tree.run_with(
                    &["--dir", &flags, "--grant", "capfs,capio"],
                    "use sbx\nuse cap\nsbxld(sbxmk(capcat(capfs(), capio())), \"m.ilu\")",
                    Openat2::Kernel,
                )
                .out == "loaded\n"
            }),
        Row::new("FS-119")
            .rw(
                Expect::DenyOrError,
                [
                    "use \"../../outside/m\"".to_owned(),
                    "use \"/etc/passwd\"".into(),
                    "use \"a\\0b.ilu\"".into(),
                    format!("use \"{}\"", "m".repeat(10 << 10)),
                    "use \"\"".into(),
                    "use \"d\"".into(),
                ],
            )
            .control("use txt\nprn txt.upper(\"a\")", "A")
            .twin(|tree| {
                // The same module where the program's folder holds it: the script lies beside the tree.
                fs::write(tree.path("outside/m.ilu"), "word = \"loaded\"\n").unwrap();
                let name = tree.path("").file_name().unwrap().to_string_lossy().into_owned();
                let script = format!("use \"{name}/outside/m.ilu\" as m\nprn m.word");
                tree.run_with(&["--grant", "capio"], &script, Openat2::Kernel).out == "loaded\n"
            }),
    ]
}
