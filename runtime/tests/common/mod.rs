//! What the runtime's tests share: a process whose streams are strings, and runs with or without a collection at every growth.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ilu::{Engine, Outcome, Setup};
use ilu_cap::CapSet;
use ilu_sbx::{Grants, Limits, Outside};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

/// What a run wrote.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<(Vec<u8>, Vec<u8>)>>);

impl Written {
    pub fn out(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
    }
    pub fn err(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().1.clone()).unwrap()
    }
}

/// A process that is none: its clock is real, its streams are memory, its randomness is the same in each run.
pub struct Double {
    written: Written,
    started: std::time::Instant,
    /// Random bytes that come first, and what the others are drawn from.
    drawn: Mutex<(VecDeque<u8>, u64)>,
}

impl Outside for Double {
    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        self.written.0.lock().unwrap().0.extend_from_slice(bytes);
        Ok(())
    }
    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        self.written.0.lock().unwrap().1.extend_from_slice(bytes);
        Ok(())
    }
    fn read_in(&self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn wall_ms(&self) -> f64 {
        1.0e12
    }
    fn mono_ms(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }
    fn sleep(&self, ms: f64) {
        std::thread::sleep(std::time::Duration::from_secs_f64(ms / 1000.0));
    }
    fn random(&self, into: &mut [u8]) -> io::Result<()> {
        let (drawn, state) = &mut *self.drawn.lock().unwrap();
        for byte in into {
            // Knuth's linear congruential generator: enough for draws that differ.
            *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *byte = drawn.pop_front().unwrap_or((*state >> 56) as u8);
        }
        Ok(())
    }
}

pub fn double() -> (Box<dyn Outside>, Written) {
    double_that_draws(&[])
}

/// A process whose first random bytes are these.
pub fn double_that_draws(bytes: &[u8]) -> (Box<dyn Outside>, Written) {
    let written = Written::default();
    let drawn = bytes.iter().copied().collect();
    (Box::new(Double { written: written.clone(), started: std::time::Instant::now(), drawn: Mutex::new((drawn, 0)) }), written)
}

/// Runs a text with all capabilities and these limits.
pub fn run_with(text: &str, limits: Limits, change: impl FnOnce(&mut Setup)) -> (Outcome, Written) {
    let engine = Engine::new();
    let program = match engine.compile("main.ilu", text) {
        Ok(program) => program,
        Err(error) => panic!("{error}\n{text}"),
    };
    let (outside, written) = double();
    let mut setup = Setup::new(Grants { caps: CapSet::all(), limits, ..Grants::default() }, outside);
    change(&mut setup);
    (engine.run(&program, setup), written)
}

/// What a text writes, run as it is and again with a collection at every growth.
pub fn output(text: &str) -> String {
    let mut first = None;
    for stress in [false, true] {
        let (outcome, written) = run_with(text, Limits::default(), |setup| setup.stress = stress);
        if let Err(error) = &outcome.result {
            panic!("stress {stress}: {error:?}\n{text}\n{}", written.out());
        }
        let out = written.out();
        match &first {
            None => first = Some(out),
            Some(other) => assert_eq!(&out, other, "a collection at every growth changed what it does:\n{text}"),
        }
    }
    first.unwrap()
}

/// The message of the uncaught error a text ends with.
pub fn error(text: &str) -> String {
    let (outcome, _) = run_with(text, Limits::default(), |_| {});
    match outcome.result {
        Err(error) => error.message,
        Ok(finished) => panic!("it ended well, with {}:\n{text}", finished.text),
    }
}
