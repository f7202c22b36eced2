//! What a sandbox costs in the language: `cargo bench -p ilu --bench thunk`. Nanoseconds a round, the least of several runs.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use ilu::{Engine, Setup};
use ilu_cap::CapSet;
use ilu_sbx::{Grants, Limits, Outside};
use std::io;
use std::time::Instant;

/// A process in which nothing happens.
struct Still(Instant);

impl Outside for Still {
    fn write_out(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn write_err(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn read_in(&self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn wall_ms(&self) -> f64 {
        1.0e12
    }
    fn mono_ms(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e3
    }
    fn sleep(&self, _: f64) {}
    fn random(&self, _: &mut [u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Few enough that some of the times nothing else runs in between, however busy the machine is.
const ROUNDS: u32 = 5_000;
const TIMES: u32 = 200;

/// Seconds that a script takes.
fn seconds(engine: &Engine, script: &str) -> f64 {
    let program = engine.compile("bench.ilu", script).unwrap();
    let once = |_| {
        let limits = Limits { fuel: u64::MAX / 4, memory: 256 << 20, ..Limits::default() };
        let setup = Setup::new(Grants { caps: CapSet::all(), limits, ..Grants::default() }, Box::new(Still(Instant::now())));
        let start = Instant::now();
        let outcome = engine.run(&program, setup);
        let took = start.elapsed().as_secs_f64();
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        took
    };
    (0..TIMES).map(once).fold(f64::INFINITY, f64::min)
}

fn main() {
    let engine = Engine::new();
    let begin = "use sbx\ncaps = [\"__sys_time\"]\nsb = sbxmk(caps)\nf() = nil\n";
    let empty = seconds(&engine, &format!("{begin}i <- 0..<{ROUNDS}: nil\n"));
    for (name, round) in [
        ("a call of an empty function", "f()"),
        ("an allowed native", "__sys_time()"),
        ("the same inside a sandbox", "sbxca(sb, \"__sys_time\")"),
        ("an empty thunk run in a sandbox that is there", "sbxrn(sb, f)"),
        ("a sandbox made and dropped", "sbxmk(caps)"),
        ("a sandbox made, an empty thunk run, dropped", "sbxrn(sbxmk(caps), f)"),
        ("a denied native, caught", "sbxtr(sb, __sys_argv)"),
    ] {
        let took = seconds(&engine, &format!("{begin}i <- 0..<{ROUNDS}: {round}\n"));
        println!("{name:48} {:8.1} ns", (took - empty) * 1e9 / f64::from(ROUNDS));
    }
}
