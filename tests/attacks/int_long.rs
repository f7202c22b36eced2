//! Attack rows INT-011, 014, 016, 017, 018 and 046, where one step of a script is long, large or never let go of: a single comparison, search or
//! sort looks at the clock, what a step remembers is charged, and what nobody names any more is given back.

use ilu_tests::watched::{Row, check_all};

/// A script that must run.
fn runs<'a>(name: &'a str, script: impl Into<String>, prints: &'a str) -> Row<'a> {
    Row::new(name, script, 0, prints)
}
/// A script that a budget must end.
fn limit<'a>(name: &'a str, script: impl Into<String>, says: &'a str) -> Row<'a> {
    Row::new(name, script, 4, says)
}

pub fn int_014_a_single_long_step_ends_with_its_time() {
    const FLAGS: &[&str] = &["--time", "1s", "--fuel", "1000000000000000", "--mem", "64M"];
    const PATIENT: &[&str] = &["--time", "60s", "--fuel", "1000000000000000", "--mem", "64M"];
    let lists = "use trl\nuse sbx\nxs = 0..<100000 | map \\(x) [x]\n";
    let texts = "use trl\nuse txt\nls = 0..<5 | map \\(x) txt.rpt(\"a\", 1000000) + \"b\"\nxs = 0..<300000 | map \\(x) ls[x % 5]\n";
    check_all(&[
        runs("control: a few", format!("{lists}{texts}prn len([1, 1] | unq), [\"b\", \"a\"] | srt"), "1 [\"a\", \"b\"]").flags(PATIENT),
        runs("twin: fewer lists end in time", format!("{}prn len(xs | unq)", lists.replace("100000", "2000")), "2000").flags(PATIENT),
        limit("lists told apart", format!("{lists}prn len(xs | unq)"), "time").flags(FLAGS).within(3_000),
        limit("texts told apart", format!("{texts}prn len(xs | unq)"), "time").flags(FLAGS).within(3_000),
        limit("texts sorted", format!("{texts}prn len(xs | srt)"), "time").flags(FLAGS).within(3_000),
        limit("lists of texts compared", format!("{texts}ys = xs | map \\(x) ls[0]\nprn xs == ys"), "time").flags(FLAGS).within(3_000),
        limit("deep lists searched", "use trl\nd = []\ni <- 0..<100000: d = [d]\ne = []\ni <- 0..<100000: e = [e]\nxs = 0..<10000 | map \\(x) [d, x]\nprn trl.has(xs, [e, -1])", "time")
            .flags(FLAGS)
            .within(3_000),
        runs(
            "inside a sandbox it is that sandbox's time",
            format!("{lists}r = sbxtr(sbxmk(sbxls(sbxme()), {{ms: 200}}), \\() xs | unq)\nprn r.err"),
            "time ran out (limit 200 ms)",
        )
        .flags(&["--time", "20s", "--fuel", "1000000000000000", "--mem", "64M"])
        .within(3_000),
    ]);
}

pub fn int_014_many_texts_are_sorted_right() {
    let check = "ok = tru\ni <- 1..<len(ys):\n  if ys[i - 1] > ys[i]: ok = fls\nprn ok, len(ys)";
    let stable = "ok = tru\ni <- 1..<len(ys):\n  if ys[i - 1][0] == ys[i][0] and ys[i - 1][1] > ys[i][1]: ok = fls\nprn ok, len(ys)";
    let mut rows = Vec::new();
    for count in [0, 1, 15, 16, 17, 33, 1000] {
        rows.push(runs("sorted", format!("ys = 0..<{count} | map \\(x) str(x * 7919 % 1009) | srt\n{check}"), "tru"));
        rows.push(runs("stable", format!("ys = 0..<{count} | map \\(x) [str(x * 7 % 5), x] | srt \\(p) p[0]\n{stable}"), "tru"));
    }
    check_all(&rows);
}

pub fn int_016_calls_that_wait_are_held_within_the_memory() {
    const FLAGS: &[&str] = &["--depth", "100000000", "--fuel", "1000000000000"];
    check_all(&[
        runs("twin: few enough to have room", "f(n) = if n: try(\\() f(n - 1)) | 1\nf(20000)\nprn \"ok\"", "ok").flags(FLAGS),
        runs("control: a hundred", "f(n) = if n: try(\\() f(n - 1)) | 1\nf(100)\nprn \"ok\"", "ok").flags(FLAGS),
        limit("try in try", "f() = try(f)\nf()", "memory").flags(FLAGS),
        limit("sandbox in sandbox", "use sbx\nf() = sbxrn(sbxme(), f)\nf()", "memory").flags(FLAGS),
    ]);
}

pub fn int_017_a_text_named_many_times_is_copied_by_no_request() {
    let named = "use sbx\nuse trl\nuse txt\nlong = txt.rpt(\"a\", 1000000)\nxs = 0..<4000 | map \\(x) long\n";
    let dirs = "use sbx\nuse txt\nlong = \"/\" + txt.rpt(\"a/\", 2000)\no = {}\ni <- 0..<60000: o[$\"/in/{i}\"] = {at: long}\n";
    check_all(&[
        runs("control: short names", "use sbx\nprn sbxls(sbxmk([\"__sys_stdout\", \"__sys_stdout\"]))", "[\"__sys_stdout\"]"),
        runs("capabilities", format!("{named}prn typ(try(\\() sbxmk(xs)).err)"), "str"),
        runs("variables", format!("{named}prn typ(try(\\() sbxmk([], {{env: xs}})).err)"), "str"),
        runs("directories", format!("{dirs}prn typ(try(\\() sbxmk([], {{dir: o}})).err)"), "str"),
        runs(
            "one long directory",
            "use sbx\nuse txt\no = {}\no[\"/\" + txt.rpt(\"a\", 30000000)] = \"ro\"\nprn typ(try(\\() sbxmk([], {dir: o})).err)",
            "str",
        ),
    ]);
}

pub fn int_018_open_files_that_nobody_names_are_closed() {
    const DIR: &[&str] = &["--dir", "tests/lang/errors/granted:/in:ro"];
    let open = "__sys_open_read(\"/in/readme.txt\")";
    check_all(&[
        runs("dropped at once", format!("i <- 0..<300: {open}\nprn \"ok\""), "ok").flags(DIR),
        runs("dropped late", format!("xs = 0..<64 | map \\(x) {open}\nxs = nil\nprn typ({open})"), "fil").flags(DIR),
        Row::new("control: held", format!("xs = 0..<65 | map \\(x) {open}\nprn len(xs)"), 1, "too many open files (limit 64)").flags(DIR),
        runs("caught, and again", format!("xs = 0..<64 | map \\(x) {open}\ni <- 0..3: prn try(\\() {open}).err"), "too many open files")
            .flags(DIR),
    ]);
}

pub fn int_046_a_file_is_loaded_once_however_it_is_spelled() {
    const DIR: &[&str] = &["--dir", "tests/attacks/modules:/in:ro"];
    let inside = "use sbx\nsb = sbxmk(sbxls(sbxme()))\n";
    check_all(&[
        runs("control", format!("{inside}prn sbxus(sb, \"/in/once.ilu\").word"), "loaded\nonce").flags(DIR),
        runs("by sbxus", format!("{inside}sbxus(sb, \"/in/once.ilu\")\nsbxus(sb, \"/in/.//once.ilu\")\nprn \"end\""), "loaded\nend")
            .flags(DIR),
        runs("by use", format!("{inside}sbxus(sb, \"/in/spellings.ilu\")\nprn \"end\""), "loaded\nend").flags(DIR),
        Row::new("a circle", format!("{inside}sbxus(sb, \"/in/circle.ilu\")"), 1, "in a circle").flags(DIR),
        Row::new("out of the grant", format!("{inside}sbxus(sb, \"/in/climbs.ilu\")"), 3, "/climbed.ilu").flags(DIR),
    ]);
}

pub fn int_027_patterns_take_linear_time_and_bounded_room() {
    const FLAGS: &[&str] = &["--time", "60s", "--mem", "64M"];
    let search = "use rex\nuse txt\n";
    let tried = |pattern: &str| format!("{search}prn typ(try(\\() rex.ha(\"a\", {pattern})).err)");
    let mut rows = vec![
        runs("control: a match", format!("{search}prn rex.ha(txt.rpt(\"a\", 1000), \"^(a+)+$\")"), "tru").flags(FLAGS),
        runs("no match, nested repetitions", format!("{search}prn rex.ha(txt.rpt(\"a\", 200000) + \"!b\", \"^(a+)+b$\")"), "fls")
            .flags(FLAGS),
        runs("alternatives alike", format!("{search}prn rex.ha(txt.rpt(\"a\", 200000) + \"!\", \"^(a|a|aa)*$\")"), "fls").flags(FLAGS),
        runs("nothing, very often", tried("\"(?:){4294967295}\""), "nil").flags(FLAGS),
        runs("twin: with fuel it ends", format!("{search}prn rex.ha(txt.rpt(\"a\", 2000000), \"(a.?)*b\")"), "fls").flags(FLAGS),
        limit("a long search costs", format!("{search}prn rex.ha(txt.rpt(\"a\", 2000000), \"(a.?)*b\")"), "fuel")
            .flags(&["--fuel", "2000"]),
    ];
    let large = ["\"a{1000}{1000}{1000}\"", "\"(?=a)\"", "\"(a\"", "txt.rpt(\"a|\", 524288)", "txt.rpt(\"()\", 4000)", "\"\\\\w{100000}\""];
    rows.extend(large.map(|pattern| runs("refused", tried(pattern), "str").flags(FLAGS)));
    check_all(&rows);
}
