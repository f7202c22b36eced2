//! Attack rows of the CAP group that take the whole command: code in a sandbox that wants to cost those around it more than it was given, to
//! use what it was given unseen, or to blind the record. Memory is measured from outside, time by the clock on the wall.

use ilu_tests::watched::{Row, check_all, watch};
use std::fs;
use std::path::PathBuf;

/// A directory for a test, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ilu-cap-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(self, name: &str, bytes: &[u8]) -> Self {
        fs::write(self.0.join(name), bytes).unwrap();
        self
    }
    fn grant(&self) -> String {
        format!("{}:/g:rw", self.0.display())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const FILES: &str = "capfs,capfm,capio,captm";

/// Runs a script with `/g` granted.
fn with_files(scratch: &Scratch, script: &str) -> (Option<i32>, String) {
    let grant = scratch.grant();
    let ran = watch(&["run", "--color", "never", "--grant", FILES, "--dir", &grant, "-"], script.as_bytes());
    (ran.code, ran.out + &ran.err)
}

pub fn cap_032_what_open_files_hold_is_memory_of_the_script() {
    let scratch = Scratch::new("lines").file("line", "x".repeat(40 << 20).as_bytes()).file("two", b"one\ntwo\n");
    let grant = scratch.grant();
    let flags: &[&str] = &["--grant", FILES, "--dir", &grant];
    // Each child dies of a line that does not fit, and leaves a file with the part that did.
    let script = "use sbx\nuse fs\nkeep = []\ni <- 0..<8:\n    h = fs.open(\"/g/line\")\n    keep = keep + [h]\n    \
         r = sbxtr(sbxmk(sbx.fsro(), {mem: 38000000}), \\()\n        x <- h: nil\n    )\nprn len(keep), try(\\()\n    x <- keep[0]: nil\n).err";
    let fits = "use fs\nx <- fs.open(\"/g/line\"): prn len(x)\nx <- fs.open(\"/g/two\"): prn x";
    check_all(&[
        Row::new("control: a line that fits", fits, 0, "41943040\none\ntwo").flags(flags),
        Row::new(
            "lines that do not, in files that stay open",
            script,
            0,
            "8 a line of this file was longer than there was memory for; open it anew\n",
        )
        .flags(flags),
    ]);
}

pub fn cap_032_entering_sandboxes_from_within_each_other_costs_no_memory_and_little_time() {
    let nest = "use sbx\nss = []\ni <- 0..<3000: ss = ss + [sbxmk([])]\ngo(i) =\n    if i >= len(ss): ret nil\n    \
         r = sbxtr(ss[i], \\() go(i + 1))\n    if r.err != nil: err(r.err)\nk <- 0..<12: prn try(\\() sbxrn(ss[k], \\() go(k))).err";
    let subsets = "use sbx\nattack() =\n    ss = []\n    i <- 0..<20: ss = ss + [sbxmk([])]\n    go(from) =\n        \
         i <- from..<20: sbxtr(ss[i], \\() go(i + 1))\n        nil\n    go(0)\nchild = sbxmk([], {fuel: 2000000})\n\
         prn sbxtr(child, attack).err\nprn sbxrn(sbxmk([]), \\() 5)";
    check_all(&[
        Row::new("thousands deep", nest, 0, "more than 256 sandboxes were entered from within each other"),
        Row::new("in every combination", subsets, 0, "fuel ran out (limit 2000000)\n5"),
    ]);
}

pub fn cap_032_time_is_looked_at_however_little_fuel_the_work_costs() {
    let many = "i <- 0..<30000: sbxmk([])\n";
    let flags: &[&str] = &["--grant", "capio,captm", "--time", "2s"];
    let meets = "use sbx\nfs = []\ni <- 0..<1500: fs = fs + [sbxev(sbxmk([]), \"\\\\(f) f()\")]\nlvl(fs) =\n    out = []\n    \
         i <- 0..<int(len(fs) / 2):\n        a = fs[2 * i]\n        b = fs[2 * i + 1]\n        out = out + [a(\\() b(\\() \\(f) f()))]\n    out\n\
         whl tru:\n    g = fs\n    whl len(g) > 1: g = lvl(g)\n    fs = fs | srt \\(a, b) 0\n    i <- 0..<len(fs): fs[i] = fs[(i * 7 + 3) % len(fs)]";
    check_all(&[
        Row::new("twin: few logs", "use sbx\ni <- 0..<300: sbxmk([])\ni <- 0..<10: sbxlg(sbxme())\nprn \"done\"", 0, "done").flags(flags),
        Row::new("logs", format!("use sbx\n{many}whl tru: sbxlg(sbxme())"), 4, "time").flags(flags).within(6000),
        Row::new("denials", format!("use sbx\n{many}whl tru: sbxtr(sbxme(), \\() 1)"), 4, "time").flags(flags).within(6000),
        Row::new("revoking", format!("use sbx\ns = sbxmk([])\n{many}whl tru: sbxrv(s)"), 4, "time").flags(flags).within(6000),
        Row::new("meetings", meets, 4, "time").flags(flags).within(6000),
    ]);
}

pub fn cap_032_records_and_messages_are_bounded_whatever_names_are_chosen() {
    let scratch = Scratch::new("names").file("f.ilu", b"\\() __sys_time()");
    let grant = scratch.grant();
    let flags: &[&str] = &["--grant", FILES, "--dir", &grant];
    let files = "use sbx\ndots = \"\"\ni <- 0..<1900: dots = dots + \"./\"\nf = sbxld(sbxme(), \"/g/\" + dots + \"f.ilu\")\n\
         g = sbxld(sbxme(), \"/g/\" + dots + \"/f.ilu\")\nk <- 0..<64:\n    s = sbxmk([\"__sys_time\"])\n    sbxrn(s, \\()\n        \
         j <- 0..<256:\n            f()\n            g()\n    )\nprn \"done\"";
    let grants = "use sbx\nuse fs\npart = \"\"\nj <- 0..<250: part = part + \"x\"\nname = \"/\"\ni <- 0..<15: name = name + part + \"/\"\n\
         k <- 0..<48:\n    s = sbxmk([\"__sys_exists\", \"__sys_stat\"], {dir: {\"/g\": {at: name, acc: \"ro\"}}})\n    sbxrn(s, \\()\n        \
         j <- 0..<256:\n            fs.has(name + \"a\")\n            try(\\() fs.stat(name + \"a\"))\n    )\nprn \"done\"";
    let views = "use sbx\nuse trl\npart = \"\"\nj <- 0..<250: part = part + \"x\"\ndirs = {}\nslash = \"\"\ni <- 0..<60:\n    name = \"/\" + str(i)\n    \
         k <- 0..<15: name = name + \"/\" + part\n    slash = slash + \"/\"\n    dirs[slash + \"g\"] = {at: name, acc: \"ro\"}\n\
         kept = []\ni <- 0..<1000: trl.push(kept, sbxmk([], {dir: dirs}))\nprn \"done\"";
    let asked = "use sbx\npart = \"/n/\"\ni <- 0..<240: part = part + \"x\"\npaths = {}\ni <- 0..<60000: paths[part + str(i)] = \"ro\"\n\
         prn try(\\() sbxmk([], {dir: paths})).err";
    check_all(&[
        Row::new("files that are called from", files, 0, "done").flags(flags),
        Row::new("names of grants", grants, 0, "done").flags(flags),
        Row::new("twin: fewer of them", views.replace("0..<1000", "0..<10"), 0, "done").flags(flags),
        Row::new("twin: dropped one after the other", views.replace("trl.push(kept, ", "str("), 0, "done").flags(flags),
        Row::new("names that sandboxes have for their directories", views, 4, "memory").flags(flags),
        Row::new("what is asked for and not held", asked, 0, "sbxmk: option dir takes at most 64 directories").flags(flags),
    ]);
}

pub fn cap_032_what_a_sandbox_fills_up_is_there_for_others() {
    let scratch = Scratch::new("blind");
    // Rows of the logs, by a flood in many sandboxes; spans, by never ending them.
    let logs = "use sbx\nuse fs\nattack() =\n    k <- 0..<70:\n        s = sbxmk([\"__sys_exists\"])\n        sbxrn(s, \\()\n            \
         j <- 0..<512: fs.has(\"/g/\" + str(j))\n        )\nsbxrn(sbxmk([\"__sys_exists\"]), attack)\n\
         r = sbxtr(sbxmk([]), \\() fs.rd(\"/g/s\"))\nprn len(r.denied), r.denied[0].native";
    assert_eq!(with_files(&scratch, logs), (Some(0), "1 __sys_read_file\n".to_owned()));
    let mounts = "use sbx\nuse fs\nuse trl\ni <- 0..<300: fs.md(\"/g/m/\" + str(i))\nkept = []\nr = sbxtr(sbxmk(sbx.fsro()), \\()\n    \
         i <- 0..<300: trl.push(kept, sbxmk(sbx.fsro(), {dir: {[\"/g/m/\" + str(i)]: \"ro\"}}))\n)\nprn r.err\n\
         sb = sbxmk(sbx.fsro(), {dir: {\"/g/m/1\": \"ro\"}})\nprn sbxrn(sb, \\() fs.ls(\"/g/m/1\"))";
    let told = "sbxmk: too many directories are open for sandboxes; revoke some\n[]\n";
    assert_eq!(with_files(&scratch, mounts), (Some(0), told.to_owned()));
    let dropped = mounts.replace("trl.push(kept, ", "str(");
    assert_eq!(
        with_files(&scratch, &dropped),
        (Some(0), "nil\n[]\n".to_owned()),
        "what nothing refers to is closed when it stands in the way"
    );
    let spans = "use sbx\nuse obs\nsbxtr(sbxmk([\"__obs_span_begin\"]), \\()\n    whl tru: __obs_span_begin(\"x\")\n)\nprn obs.span(\"mine\", \\() 1)";
    check_all(&[Row::new("spans", spans, 0, "1\n").flags(&["--grant", "capob,capio"])]);
}

pub fn cap_035_a_call_that_ends_for_lack_of_room_is_recorded() {
    let scratch = Scratch::new("room").file("three", &vec![b'x'; 3_000_000]);
    let script = "use sbx\nuse fs\nsb = sbxmk(sbx.fsro(), {mem: 1000000, calls: {__sys_read_file: 2}})\nask() = sbxtr(sb, \\() fs.rd(\"/g/three\")).err\n\
         prn ask()\nprn ask()\nprn ask()\nrows = sbxlg(sb)\nprn len(rows), rows[0].native, rows[0][\"on\"], rows[0].verdict, rows[0].rule";
    let memory = "memory ran out (limit 1000000 bytes)\n";
    let calls = "calls of `__sys_read_file` ran out (limit 2)\n";
    let row = "2 __sys_read_file /g/three limit memory\n";
    assert_eq!(with_files(&scratch, script), (Some(0), format!("{memory}{memory}{calls}{row}")));
}

pub fn cap_032_code_that_was_handed_out_uses_up_its_own_sandboxs_budgets() {
    let scratch = Scratch::new("handed").file("s", b"0123456789\n0123456789\n");
    let script = "use sbx\nuse fs\nsb = sbxmk(sbx.cat(sbx.fsro(), [\"__sys_stdout\", \"__sys_time\", \"__sys_write_file\"]), \
         {out: 9, read: 40, written: 5, fds: 1, calls: {__sys_time: 2}})\n\
         say = sbxev(sb, \"\\\\() prn(\\\"four\\\")\")\nclock = sbxev(sb, \"\\\\() __sys_time()\")\n\
         use_fs = sbxev(sb, \"use fs\\n{rd: \\\\() fs.rd(\\\"/g/s\\\"), wr: \\\\() fs.wr(\\\"/g/o\\\", \\\"123\\\"), open: \\\\() fs.open(\\\"/g/s\\\")}\")\n\
         say()\nprn try(say).err\nclock()\nclock()\nprn try(clock).err\nuse_fs.wr()\nprn try(use_fs.wr).err\nuse_fs.rd()\nprn try(use_fs.rd).err\n\
         h = use_fs.open()\nprn try(use_fs.open).err\nprn sbxug(sb).out, sbxug(sb).calls.__sys_time, sbxug(sb).written\nprn sbxtr(sb, \\() __sys_time()).err\nclock()";
    let wanted = "four\noutput ran out (limit 9 bytes)\ncalls of `__sys_time` ran out (limit 2)\nwriting ran out (limit 5 bytes)\n\
         reading ran out (limit 40 bytes)\ntoo many open files (limit 1)\n5 2 3\ncalls of `__sys_time` ran out (limit 2)\n";
    let (code, said) = with_files(&scratch, script);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.starts_with(wanted), "{said}");
}

pub fn cap_025_a_name_that_a_script_chose_is_shown_harmless() {
    let scratch = Scratch::new("shown");
    let script = "use sbx\nsb = sbxmk([\"__sys_write_file\"], {dir: {\"/g\": {at: \"/x\\n\\x1b[2Jdenied: forged\", acc: \"ro\"}}})\n\
         prn sbxtr(sb, \\() __sys_write_file(\"/x\\n\\x1b[2Jdenied: forged/a\", \"x\")).err\nprn sbxlg(sb)";
    let (code, said) = with_files(&scratch, script);
    assert_eq!((code, said.lines().count()), (Some(0), 2), "{said}");
    assert!(!said.contains('\x1b') && said.contains("the grant of /x\\u{a}\\u{1b}[2Jdenied: forged is read-only"), "{said}");
}
