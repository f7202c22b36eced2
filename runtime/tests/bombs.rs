//! What a run really holds against what its sandboxes were charged: the attack rows' bombs as scripts, at several bounds on memory, under a
//! counting allocator. What is charged is what `mem` of `sbxug` tells at the end, the most at a time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;
use common::double;
use ilu::{Engine, Outcome, Setup};
use ilu_cap::CapSet;
use ilu_sbx::{Budget, Grants, Limits};
use peak_alloc::PeakAlloc;
use std::fmt::Write as _;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most that a sandbox may really hold of what it was charged.
const MOST: f64 = 1.25;

/// The text of a result or an error is the host's: at most 64 KiB, which are copied once while they grow.
const TOLD: usize = 128 << 10;

/// Each with the row whose bomb it is.
const BOMBS: &[(&str, &str)] = &[
    ("011 calls that wait", "f(n) = f(n + 1) + 1\nf(0)"),
    ("011 through map", "f(x) = [x] | map f\nf(1)"),
    ("011 through try", "f() = try(f)\nf()"),
    ("011 through a sandbox", "use sbx\nf() = sbxrn(sbxme(), f)\nf()"),
    ("011 sandboxes in each other", "use sbx\nf() = sbxrn(sbxmk([]), f)\nf()"),
    ("013 strings that are dropped", "i <- 0..<30000: \"a\" + i"),
    ("014 a string doubled", "s = \"0123456789abcdef\"\nwhl tru: s += s"),
    ("014 a text of lists", "xs = 0..<50000\ns = str(xs)\nwhl tru: s = s + str(xs)"),
    ("014 splits", "use txt\nuse trl\ns = txt.rpt(\"ab\", 100000)\nk = []\nwhl tru: trl.push(k, txt.split(s, \"a\"))"),
    ("014 replacements", "use txt\nuse trl\ns = txt.rpt(\"ab\", 1000)\nk = []\nwhl tru: trl.push(k, txt.rep(s, \"a\", \"xyz\"))"),
    ("014 sorts", "use trl\nk = []\nwhl tru: trl.push(k, 0..<1000 | srt)"),
    ("014 base64", "use enc\nuse trl\nuse txt\ns = txt.rpt(\"ab\", 1000)\nk = []\nwhl tru: trl.push(k, enc.ub64(enc.b64(s)))"),
    ("014 hex", "use enc\ns = \"0123456789abcdef\"\nwhl tru: s = enc.hex(s)"),
    ("014 URLs", "use enc\ns = \"/ /\"\nwhl tru: s = enc.ue(s)"),
    ("014 JSON", "use jsn\nxs = [1]\nwhl tru: xs = [jsn.enc(xs), xs]"),
    (
        "014 JSON read",
        "use jsn\nuse trl\nj = jsn.enc(0..<1000 | map \\(x) {a: x, b: [x, str(x)]})\nk = []\nwhl tru: trl.push(k, jsn.dec(j))",
    ),
    (
        "014 JSON of many keys",
        "use jsn\nuse txt\ni = 0\ns = \"{\"\nwhl i < 20000:\n  s += $\"\\\"k{i}\\\":{i},\"\n  i += 1\ns += \"\\\"z\\\":0}\"\nuse trl\nk = []\nwhl tru: trl.push(k, jsn.dec(s))",
    ),
    ("015 doubled in a try", "r = try(\\()\n  s = \"x\"\n  whl tru: s += s\n)\nprn \"swallowed\""),
    ("016 strings doubled", "s = \"x\"\nwhl tru: s += s"),
    ("016 lists doubled", "xs = [1]\nwhl tru: xs += xs"),
    ("016 a list that grows", "use trl\nxs = []\nwhl tru: trl.push(xs, 1)"),
    ("016 keys", "o = {}\ni = 0\nwhl tru:\n  o[$\"{i}\"] = i\n  i += 1"),
    ("016 copies", "xs = 0..<1000\nall = nil\nwhl tru: all = [xs + [], all]"),
    ("016 closures", "fs = nil\nk(a, b) = \\() [a, b]\nwhl tru: fs = k(fs, 1)"),
    ("016 small strings", "all = nil\ni = 0\nwhl tru:\n  all = [$\"{i} of many\", all]\n  i += 1"),
    ("016 long strings", "use txt\nall = nil\ni = 0\nwhl tru:\n  all = [txt.rpt(\"-\", 50) + i, all]\n  i += 1"),
    ("016 mapped", "xs = [1]\nwhl tru: xs = (xs + xs) | map \\(x) [x]"),
    ("016 filtered", "xs = [1]\nwhl tru: xs = (xs + xs) | fil \\(x) tru"),
    ("016 unique", "use trl\nk = []\nwhl tru: trl.push(k, 0..<1000 | unq)"),
    ("016 grouped", "use trl\nk = []\nwhl tru: trl.push(k, trl.fm(0..<100, \\(x) [x, x]))"),
    ("016 sets", "use set\nuse trl\nk = []\nwhl tru: trl.push(k, set.new(0..<100 | map str))"),
    ("016 objects", "all = nil\nwhl tru: all = {a: 1, b: 2, c: all}"),
    ("016 objects of many keys", "use trl\nk = []\nwhl tru:\n  o = {}\n  i <- 0..<30: o[$\"k{i}\"] = i\n  trl.push(k, o)"),
    ("016 bytes", "use trl\nuse enc\nk = []\nwhl tru: trl.push(k, enc.uhx(enc.hex(\"some text that is long enough to be a block\")))"),
    ("016 substrings", "use trl\nuse txt\ns = txt.rpt(\"abc\", 100)\nk = []\nwhl tru: trl.push(k, s | slc(1, 200))"),
    ("016 gates", "use sbx\nuse trl\nk = []\nwhl tru: trl.push(k, sbxgt(\\() 1))"),
    ("016 sandboxes kept", "use sbx\nuse trl\nk = []\nwhl tru: trl.push(k, sbxmk([\"__sys_time\"]))"),
    (
        "016 sandboxes with grants",
        "use sbx\nuse trl\nk = []\nwhl tru: trl.push(k, sbxmk([\"__sys_time\"], {env: [], fuel: 1000, mem: 1000, calls: {__sys_time: 3}}))",
    ),
    (
        "016 sandboxes entered",
        "use sbx\nuse trl\nk = []\nwhl tru:\n  s = sbxmk([\"__sys_time\"])\n  trl.push(k, s)\n  sbxrn(s, \\() __sys_time())",
    ),
    (
        "016 sandboxes' bounds",
        "use sbx\nuse trl\nk = []\nwhl tru: trl.push(k, sbxmk([\"__sys_getenv\"], {args: {__sys_getenv: [\"LANG\"]}}))",
    ),
    (
        "016 sandboxes' long bounds",
        "use sbx\nuse trl\nk = []\nnames = 0..<40 | map \\(x) $\"NAME_{x}\"\nwhl tru: trl.push(k, sbxmk([\"__sys_getenv\"], {lax: tru, args: {__sys_getenv: names}}))",
    ),
    (
        "016 sandboxes' calls",
        "use sbx\nuse trl\nk = []\nwhl tru: trl.push(k, sbxmk([\"__sys_time\", \"__sys_mono\"], {calls: {__sys_time: 1, __sys_mono: 2, __sys_argv: 3, __sys_getenv: 4}}))",
    ),
    ("016 sandboxes' variables", "use sbx\nuse trl\nk = []\nwhl tru: trl.push(k, sbxmk([], {lax: tru, env: [\"A\", \"B\"]}))"),
    (
        "016 sandboxes denied",
        "use sbx\nuse trl\nk = []\nwhl tru:\n  s = sbxmk([\"__sys_time\"])\n  trl.push(k, s)\n  sbxtr(s, \\() __sys_getenv(\"a name that is not so short\"))",
    ),
    ("016 sandboxes' leases", "use sbx\nuse trl\nk = []\nwhl tru: trl.push(k, sbxmk([\"__sys_time\"], {lease: {uses: 3, ms: 60000}}))"),
    (
        "016 sandboxes' rules",
        "use sbx\nuse trl\nk = []\nwhl tru: trl.push(k, sbxmk([\"__sys_http_get\"], {lax: tru, net: [\"example.com:443\", \"*.example.org:80\"]}))",
    ),
    ("016 events", "use sbx\nsb = sbxmk([\"__sys_time\"])\ni = 0\nwhl i < 30000:\n  i += 1\n  sbxtr(sb, \\() __sys_argv())"),
    (
        "016 events with long subjects",
        "use sbx\nuse txt\nsb = sbxmk([\"__sys_getenv\"])\ni = 0\nwhl i < 3000:\n  i += 1\n  sbxtr(sb, \\() __sys_getenv(txt.rpt($\"{i}\", 1000)))",
    ),
    (
        "016 logs kept",
        "use sbx\nuse trl\nsb = sbxmk([\"__sys_time\"])\nk = []\ni <- 0..<200: sbxtr(sb, \\() __sys_argv())\nwhl tru: trl.push(k, sbxlg(sb))",
    ),
    ("016 messages", "use trl\nuse txt\nk = []\nwhl tru: trl.push(k, try(\\() err(txt.rpt(\"m\", 1000))))"),
    ("016 messages of natives", "use trl\nuse txt\nk = []\nwhl tru: trl.push(k, try(\\() __sys_read_file(txt.rpt(\"m\", 1000))))"),
    ("016 a message", "use txt\ns = txt.rpt(\"0123456789\", 60000)\nerr(s)"),
    ("017 padding", "use txt\nuse trl\nk = []\nwhl tru: trl.push(k, txt.pad(\"a\", 6000))"),
    ("017 a padding", "use txt\nx = txt.pad(\"a\", 1e12)"),
    ("017 a range", "xs = 0..1e15"),
    ("017 ranges kept", "use trl\nk = []\nwhl tru: trl.push(k, 0..<1000)"),
    ("017 every gap", "use txt\ns = \"x\"\ni <- 1..20: s += s\nt = txt.rep(s, \"x\", s)"),
    ("017 long separators", "use txt\ns = \"x\"\ni <- 1..20: s += s\nt = txt.join(0..100000, s)"),
    (
        "017 a joined text",
        "use txt\nxs = 0..<1000 | map \\(x) txt.rpt(\"abc\", 100)\nuse trl\nk = []\nwhl tru: trl.push(k, txt.join(xs, \", \"))",
    ),
    ("018 cycles dropped", "i <- 0..<30000:\n  a = [nil]\n  a[0] = a\n  o = {a}\n  o.me = o\nprn \"ok\""),
    ("018 cycles kept", "all = nil\nwhl tru:\n  a = [nil, all]\n  a[0] = a\n  all = a"),
    ("019 shared as text", "d = []\ni <- 1..60: d = [d, d]\ns = str(d)"),
    ("019 shared as JSON", "use jsn\nd = []\ni <- 1..60: d = [d, d]\ns = jsn.enc(d)"),
    ("019 shared raised", "d = []\ni <- 1..60: d = [d, d]\nerr(d)"),
    ("019 shared printed", "d = []\ni <- 1..60: d = [d, d]\nprn d"),
    ("020 deep", "x = 1\nwhl tru: x = [x]"),
    ("020 deep as text", "x = 1\ni <- 0..<15000: x = [x]\nuse trl\nk = []\nwhl tru: trl.push(k, str(x))"),
    ("020 deep compared", "x = 1\ni <- 0..<15000: x = [x]\ny = 1\ni <- 0..<15000: y = [y]\nprn x == y"),
    ("026 keys like numbers", "o = {}\ni = 0\nwhl tru:\n  o[$\"{i * 4294967296}\"] = i\n  i += 1"),
    ("029 deep JSON", "use jsn\ns = \"[\"\ni <- 1..18: s += s\nr = try(\\() jsn.dec(s))"),
    ("033 keys added in a loop", "o = {a: 1}\nn = 0\nwhl tru:\n  k <- o:\n    n += 1\n    o[$\"k{n}\"] = n"),
    ("039 channels kept", "use syn\nuse trl\nk = []\nwhl tru: trl.push(k, syn.chan(1))"),
    ("039 values in a channel", "use syn\nc = syn.chan(1000000)\ni = 0\nwhl tru:\n  c.snd([i, $\"text {i}\"])\n  i += 1"),
    ("039 large values in a channel", "use syn\nc = syn.chan(1000000)\nxs = 0..<1000\nwhl tru: c.snd(xs)"),
    ("039 texts in a channel", "use syn\nuse txt\nc = syn.chan(1000000)\nwhl tru: c.snd(txt.rpt(\"a\", 3000))"),
    ("039 objects in a channel", "use syn\nc = syn.chan(1000000)\nwhl tru: c.snd({a: 1, b: 2, c: [1, 2]})"),
    ("039 functions in a channel", "use syn\nc = syn.chan(1000000)\ni = 0\nwhl tru:\n  n = i\n  c.snd(\\() n)\n  i += 1"),
    ("039 tasks that wait", "use syn\nuse trl\nc = syn.chan()\nk = []\nwhl tru: trl.push(k, syn.run(\\() c.rcv()))"),
    ("041 modules used again", "use sbx\nuse trl\nk = []\nwhl tru:\n  s = sbxmk([\"__sys_time\"])\n  trl.push(k, sbxus(s, \"txt\"))"),
    (
        "046 programs kept",
        "use sbx\nuse trl\nsb = sbxmk([])\nk = []\ni = 0\nwhl tru:\n  i += 1\n  trl.push(k, sbxev(sb, $\"f(x) = x + {i}\\nf\"))",
    ),
    ("046 a long program", "use sbx\nuse txt\nsb = sbxmk([])\ns = txt.rpt(\"x = [1, 2, 3]\\n\", 20)\nwhl tru:\n  s += s\n  sbxev(sb, s)"),
    ("046 a long text", "use sbx\nuse txt\nsb = sbxmk([])\ns = txt.rpt(\"f(a) = a\\n\", 2000)\nsbxev(sb, s)"),
    (
        "046 mistakes",
        "use sbx\nuse txt\nuse trl\nsb = sbxmk([])\nk = []\ns = txt.rpt(\"x = 1 2\\n\", 50)\nwhl tru: trl.push(k, try(\\() sbxev(sb, s)))",
    ),
    ("047 random bytes", "use trl\nk = []\nwhl tru: trl.push(k, __sys_random(100))"),
];

const BOUNDS: &[u64] = &[1 << 20, 4 << 20];
/// Of what grows differently when it is large: tables, buffers, what tasks hold, what is kept of decisions.
const LARGE: &[&str] = &["a list that grows", "keys", "strings doubled", "sandboxes denied", "values in a channel", "tasks that wait"];

fn run(engine: &Engine, text: &str, memory: u64) -> (Outcome, usize) {
    let program = engine.compile("main.ilu", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let (outside, written) = double();
    let limits = Limits { memory, fuel: 300_000_000, output: 1 << 20, ..Limits::default() };
    let setup = Setup::new(Grants { caps: CapSet::all(), limits, ..Grants::default() }, outside);
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let outcome = engine.run(&program, setup);
    let held = ALLOCATOR.peak_usage() - before;
    drop(written);
    (outcome, held)
}

fn charged(outcome: &Outcome) -> u64 {
    outcome.spent.iter().find(|spent| spent.budget == Budget::Memory).unwrap().used
}

#[test]
fn what_a_run_holds_stays_within_a_quarter_more_than_what_it_was_charged() {
    let engine = Engine::new();
    // Programs of the library are compiled once for all runs of an engine.
    for _ in 0..2 {
        run(&engine, "use txt\nuse trl\nuse enc\nuse jsn\nuse sbx\nuse set\nuse syn\nuse obj\n", 32 << 20).0.result.unwrap();
    }
    // What any run has, whatever it does: the realm, its tables, the empty stack.
    let (_, constant) = run(&engine, "1", 32 << 20);
    let (mut table, mut wrong) = (String::new(), 0);
    for (name, text) in BOMBS {
        write!(table, "{name:32}").unwrap();
        let large = LARGE.iter().any(|part| name.ends_with(part)).then_some(32 << 20);
        for memory in BOUNDS.iter().copied().chain(large) {
            let (outcome, held) = run(&engine, text, memory);
            let charged = charged(&outcome);
            let ratio = held.saturating_sub(constant + TOLD) as f64 / charged as f64;
            let ended = match &outcome.result {
                Ok(_) => "ends",
                Err(error) if error.message.starts_with("memory") => "memory",
                Err(error) => error.message.lines().next().unwrap_or_default(),
            };
            let ended: String = ended.chars().take(16).collect();
            write!(table, " {:7}K {:7}K {ratio:5.2}{} {ended:16}", held >> 10, charged >> 10, if ratio > MOST { "!" } else { " " })
                .unwrap();
            wrong += u32::from(ratio > MOST || charged > memory + memory / 16);
        }
        table.push('\n');
    }
    println!("a run of nothing holds {constant} bytes\n{table}");
    assert_eq!(wrong, 0, "held more than charged, or charged more than the bound:\n{table}");
}
