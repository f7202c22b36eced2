//! Budgets: each runs out with its own message, in its own sandbox, and the host goes on.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use common::{output, run_with};
use ilu::Kind;
use ilu_sbx::Limits;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Runs a text that must hit a limit of the root, and gives the message.
fn limit(text: &str, limits: Limits) -> String {
    let error = run_with(text, limits, |_| {}).0.result.unwrap_err();
    assert_eq!(error.kind, Kind::Limit, "{}", error.message);
    assert_eq!(error.exit_code(), 4);
    error.message
}

fn small() -> Limits {
    Limits { fuel: 3_000_000, memory: 8 << 20, depth: 1000, ..Limits::default() }
}

#[test]
fn each_runaway_ends_in_its_own_budget() {
    let fuel = "fuel ran out (limit 3000000)";
    let memory = "memory ran out (limit 8388608 bytes)";
    let depth = "call depth ran out (limit 1000)";
    for (text, wanted) in [
        ("whl tru: 1\n", fuel),
        ("f() = f()\nf()\n", depth),
        ("f(n) = f(n + 1) + 1\nf(0)\n", depth),
        ("f() = try(\\() f())\nf()\n", depth),
        ("s = \"x\"\nwhl tru: s = s + s\n", memory),
        ("s = \"x\"\nwhl tru: s = $\"{s}{s}\"\n", memory),
        ("xs = [1]\nwhl tru: xs = xs + xs\n", memory),
        ("use trl\nxs = []\nwhl tru: xs = [xs, \"some text that is long enough not to be interned\"]\n", memory),
        ("o = {}\ni = 0\nwhl tru:\n    o[$\"key {i}\"] = i\n    i += 1\n", memory),
        ("make(g) = \\() g\nf = nil\nwhl tru: f = make(f)\n", memory),
        ("xs = 0..1000000000000\n", memory),
        ("b = b\"x\"\nwhl tru: b = b + b\n", memory),
        ("xs = [1]\ni <- 0..60: xs = [xs, xs]\nprn xs\n", memory),
        ("x = 1\nwhl tru: x = try(\\() err(\"again\"))\n", fuel),
        ("use trl\nwhl tru: trl.sum([1])\n", fuel),
        ("whl tru: try(\\() 1)\n", fuel),
    ] {
        assert_eq!(limit(text, small()), wanted, "{text}");
    }
}

#[test]
fn the_native_stack_stays_small_whatever_runs() {
    let straight = format!("f(a) =\n{}    a\nn = 0\nwhl n < 300:\n    f(n)\n    n += 1\n", "    a = a + 1\n".repeat(500));
    let unwinding = "f(n) =\n    if n == 0: ret 0\n    f(n - 1) + 1\nprn f(100000)\n".to_owned();
    let rounds = "s = 0\ni <- 0..100000: s = s + i * 2 - 1\nprn s\n".to_owned();
    let between = "use trl\nxs = trl.map(0..20000, \\(x) x + 1)\nprn trl.fld(xs, 0, \\(a, x) a + x)\n".to_owned();
    for text in [straight, unwinding, rounds, between] {
        let run = move || {
            run_with(&text, Limits { depth: 200_000, ..Limits::default() }, |_| {}).0.result.map(|_| ()).map_err(|error| error.message)
        };
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap();
        assert_eq!(thread.join().unwrap(), Ok(()));
    }
}

#[test]
fn garbage_is_not_a_limit() {
    let text = "i <- 0..200000: x = [i, {a: i}, $\"text number {i} that is not short enough to be interned\"]\nprn \"done\"\n";
    let limits = Limits { memory: 4 << 20, ..Limits::default() };
    let (outcome, written) = run_with(text, limits, |_| {});
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert_eq!(written.out(), "done\n");
    assert!(outcome.collections > 3);
}

#[test]
fn a_try_inside_does_not_catch_a_limit_of_its_sandbox() {
    let text = "
use sbx
sb = sbxmk([], {fuel: 5000})
r = sbxtr(sb, \\() try(\\()
    whl tru: try(\\() 1)
))
prn r.err, r.val
r = try(\\() sbxrn(sbxmk([], {depth: 20}), \\() try(\\()
    f = \\(n) f2(f, n)
    f2 = \\(g, n) g(n + 1) + 1
    f(0)
)))
prn r.err
r = sbxtr(sbxmk([], {mem: 200000}), \\() try(\\()
    s = \"ab\"
    whl tru: s = s + s
))
prn r.err
prn \"alive\"
";
    assert_eq!(output(text), "fuel ran out (limit 5000) nil\ncall depth ran out (limit 20)\nmemory ran out (limit 200000 bytes)\nalive\n");
}

#[test]
fn the_outermost_exhausted_sandbox_ends() {
    let text = "
use sbx
outer = sbxmk([], {fuel: 20000})
r = sbxtr(outer, \\()
    inner = sbxmk([], {fuel: 1000000, lax: tru})
    sbxtr(inner, \\()
        whl tru: 1
    )
    \"not reached\"
)
prn r.err
r = sbxtr(outer, \\() 5)
prn r.err
big = sbxmk([], {fuel: 500000})
r = sbxtr(big, \\()
    inner = sbxmk([], {fuel: 1000})
    q = sbxtr(inner, \\()
        whl tru: 1
    )
    q.err + \" and on\"
)
prn r.val
";
    let got = output(text);
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines[0], "fuel ran out (limit 20000)");
    assert_eq!(lines.last().unwrap(), &"fuel ran out (limit 1000) and on");
}

#[test]
fn a_sandbox_that_is_refused_memory_leaves_the_outside_its_own() {
    let text = "
use sbx
keep = 0..10000
sb = sbxmk([], {mem: 300000})
i <- 0..20:
    r = sbxtr(sb, \\()
        xs = [1]
        whl tru: xs = xs + xs
    )
    asr(r.err == \"memory ran out (limit 300000 bytes)\", r.err)
more = 0..100000
prn len(keep), len(more)
";
    assert_eq!(output(text), "10001 100001\n");
}

#[test]
fn time_runs_out_within_a_millisecond_or_so() {
    for text in ["whl tru: 1\n", "use trl\nwhl tru: trl.map(0..100, \\(x) x)\n", "whl tru: try(\\() err([1]))\n"] {
        let started = Instant::now();
        let message = limit(text, Limits { wall_ms: 100, ..Limits::default() });
        assert_eq!(message, "time ran out (limit 100 ms)");
        assert!(started.elapsed() < Duration::from_millis(2000), "{:?}", started.elapsed());
    }
}

#[test]
fn the_host_can_interrupt() {
    let started = Instant::now();
    let (outcome, _) = run_with("whl tru: try(\\() 1)\n", Limits::default(), |setup| {
        let interrupt = std::sync::Arc::clone(&setup.interrupt);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            interrupt.store(true, Ordering::Relaxed);
        });
    });
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind, error.code), (Kind::Interrupted, "E0810"));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn fuel_is_billed_to_the_unit() {
    let fuel = |text: &str| {
        let (outcome, _) = run_with(text, Limits::default(), |_| {});
        outcome.result.unwrap();
        let ilu_sbx::Plain::Object(used) = outcome.used else { panic!() };
        let ilu_sbx::Plain::Num(fuel) = used[0].1 else { panic!() };
        fuel
    };
    // A round of a loop, and a call, are one unit each.
    assert_eq!(fuel("i = 0\nwhl i < 100: i += 1\n") - fuel("i = 0\nwhl i < 50: i += 1\n"), 50.0);
    assert_eq!(fuel("f() = 1\nf()\nf()\nf()\n") - fuel("f() = 1\nf()\n"), 2.0);
    // And the same text costs the same each time.
    let text = "use trl\nprn trl.sum(trl.map(0..1000, \\(x) x * 2))\n";
    assert_eq!(fuel(text), fuel(text));
    // Exactly as much as is needed is enough.
    let needed = fuel("i = 0\nwhl i < 50: i += 1\n");
    let (outcome, _) = run_with("i = 0\nwhl i < 50: i += 1\n", Limits { fuel: needed as u64 + 1, ..Limits::default() }, |_| {});
    assert!(outcome.result.is_ok());
    limit("i = 0\nwhl i < 50: i += 1\n", Limits { fuel: needed as u64 - 1, ..Limits::default() });
}

#[test]
fn a_small_native_stack_is_enough() {
    let deep = format!("x = {}1{}\nprn x\n", "[".repeat(150), "]".repeat(150));
    let programs = [
        "f(n) = if n == 0: 0 | f(n - 1) + 1\nprn f(9000)\n".to_string(),
        "f(n) = if n == 0: 0 | try(\\() f(n - 1)).val + 1\nprn f(4000)\n".to_string(),
        "xs = []\ni <- 0..100000: xs = [xs]\nys = []\ni <- 0..100000: ys = [ys]\nprn xs == ys, len(str(xs))\n".to_string(),
        "use sbx\nf(n) = if n == 0: 0 | sbxrn(sbxme(), \\() f(n - 1)) + 1\nprn f(1000)\n".to_string(),
        format!("x = 0{}\nprn x\n", " + 1".repeat(20_000)),
        deep,
    ];
    let run = move || {
        for text in programs {
            let (outcome, _) = run_with(&text, Limits::default(), |_| {});
            assert!(outcome.result.is_ok(), "{:?}\n{:.80}", outcome.result.map_err(|error| error.message), text);
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn what_a_sandbox_fills_up_does_not_stop_the_host() {
    let text = "
use sbx
use trl
jail = sbxmk([], {mem: 4000000, fuel: 3000000})
r = sbxtr(jail, \\()
    xs = []
    i <- 0..300: xs = xs + [sbxmk([])]
    f(n) = if n < 250: sbxrn(xs[n], \\() f(n + 1)) | 1
    f(0)
    x <- xs:
        sbxrn(x, \\()
            y <- xs: sbxrn(y, \\() 1)
        )
    err(\"all of it\")
)
prn r.err
jail = sbxmk([], {mem: 4000000, fuel: 3000000})
r = sbxtr(jail, \\()
    xs = []
    whl tru: trl.push(xs, sbxmk([]))
)
prn r.err
prn sbxtr(jail, \\()
    i <- 0..30000: sbxmk([])
    \"dropped\"
).val
prn sbxrn(sbxmk([]), \\() \"the host goes on\")
";
    let (outcome, written) = run_with(text, Limits::default(), |_| {});
    assert!(outcome.result.is_ok(), "{:?}", outcome.result.map_err(|error| error.message));
    assert_eq!(written.out(), "all of it\nmemory ran out (limit 4000000 bytes)\ndropped\nthe host goes on\n");
}

/// A process whose standard output breaks the interpreter.
struct Breaks(Box<dyn ilu_sbx::Outside>);

impl ilu_sbx::Outside for Breaks {
    fn write_out(&self, _: &[u8]) -> std::io::Result<()> {
        panic!("a bug of the host's")
    }
    fn write_err(&self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_err(bytes)
    }
    fn read_in(&self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.read_in(into)
    }
    fn wall_ms(&self) -> f64 {
        self.0.wall_ms()
    }
    fn mono_ms(&self) -> f64 {
        self.0.mono_ms()
    }
    fn sleep(&self, ms: f64) {
        self.0.sleep(ms);
    }
    fn random(&self, into: &mut [u8]) -> std::io::Result<()> {
        self.0.random(into)
    }
}

#[test]
fn a_panic_below_ends_the_run_and_not_the_host() {
    let (outcome, _) = run_with("prn 1\n", Limits::default(), |setup| {
        let (inner, _) = common::double();
        setup.outside = Box::new(Breaks(inner));
    });
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind.clone(), error.exit_code()), (Kind::Bug, 70));
}

#[test]
fn a_text_has_as_many_parts_as_memory_has_room_for() {
    let engine = ilu::Engine::new();
    // A million and a half parts, which a compilation that counts no memory refuses.
    let text = format!("x = 0\n{}prn x\n", "x = x + 1\n".repeat(290_000));
    assert_eq!(engine.compile("long.ilu", text.as_str()).unwrap_err().diagnostics[0].code, "E0026");
    assert!(engine.compile_within("long.ilu", text.as_str(), 256 << 20).is_ok());
    assert_eq!(engine.compile_within("long.ilu", text, 64 << 20).unwrap_err().diagnostics[0].code, "E0026");
    // What a script compiles is in its own memory.
    let inner = "use txt\nuse sbx\nt = txt.rpt(\"x = x + 1\\n\", 100000)\nprn sbxev(sbxme(), \"x = 0\\n\" + t + \"x\")\n";
    let roomy = run_with(inner, Limits { memory: 256 << 20, ..Limits::default() }, |_| {});
    assert_eq!(roomy.1.out(), "100000\n", "{:?}", roomy.0.result);
    assert!(limit(inner, Limits { memory: 24 << 20, ..Limits::default() }).starts_with("memory ran out"));
}
