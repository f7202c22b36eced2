//! What the doorway costs: `cargo bench -p ilu-std --bench doorway`. Prints nanoseconds of CPU-bound rounds, the least of several.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use ilu_cap::{CapSet, by_name};
use ilu_sbx::{Arg, CallSite, Grants, Homes, Outside, Realm, Request, SbxId};
use std::collections::HashSet;
use std::hint::black_box;
use std::io;
use std::time::Instant;

/// A process in which nothing happens.
struct Still;

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
        1.0
    }
    fn sleep(&self, _: f64) {}
    fn random(&self, _: &mut [u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Few enough that some of the times nothing else runs in between, however busy the machine is.
const ROUNDS: u32 = 2_000;
const TIMES: u32 = 400;

fn least(name: &str, mut round: impl FnMut(u32)) {
    let least = (0..TIMES).map(|_| {
        let start = Instant::now();
        (0..ROUNDS).for_each(&mut round);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
    });
    println!("{name:44} {:8.1} ns", least.fold(f64::INFINITY, f64::min));
}

fn site(realm: &Realm, authority: SbxId) -> CallSite<'static> {
    CallSite { authority, account: realm.root_account(), file: "main.ilu", line: 1, room: u64::MAX }
}

/// A realm with an audit record that goes nowhere.
fn realm_that_writes() -> Realm {
    let grants = Grants { caps: CapSet::all(), ..Grants::default() };
    let mut realm = Realm::new(grants, Box::new(Still), ilu_std::natives()).unwrap();
    realm.set_sink(Box::new(io::sink()));
    realm
}

fn main() {
    let grants = Grants { caps: CapSet::all(), ..Grants::default() };
    let mut realm = Realm::new(grants, Box::new(Still), ilu_std::natives()).unwrap();
    let (root, time, argv) = (realm.root(), by_name("__sys_time").unwrap(), by_name("__sys_argv").unwrap());
    let request = Request::from_args(&Arg::List(vec![Arg::Str("__sys_time")]), None).unwrap();
    let narrow = realm.make(&site(&realm, root), &request).unwrap();
    least("an allowed check", |_| {
        black_box(realm.has(black_box(narrow), black_box(time)));
    });
    least("a denied check", |_| {
        black_box(realm.has(black_box(narrow), black_box(argv)));
    });
    least("an allowed call: check, budgets, native, row", |_| {
        black_box(realm.call(site(&realm, narrow), time, &[])).unwrap();
    });
    least("the same, no two rows alike", |n| {
        black_box(realm.call(CallSite { line: n, ..site(&realm, narrow) }, time, &[])).unwrap();
    });
    least("a denied call: check, message, row", |_| {
        black_box(realm.call(site(&realm, narrow), argv, &[])).unwrap_err();
    });
    least("one audit record: the row of a gate's passage", |_| realm.passage(&site(&realm, narrow), "a function"));
    least("the same, no two rows alike", |n| realm.passage(&CallSite { line: n, ..site(&realm, narrow) }, "a function"));
    let mut made = 0;
    least("a sandbox made, entered, let go of", |_| {
        let s = realm.make(&site(&realm, root), &request).unwrap();
        black_box(realm.account(realm.root_account(), s)).unwrap();
        made += 1;
        if made % 1000 == 0 {
            realm.sweep(Homes::default(), HashSet::new());
        }
    });
    let mut written = realm_that_writes();
    least("one audit record, written as JSON and chained", |n| {
        written.passage(&CallSite { line: n, ..site(&written, written.root()) }, "a function")
    });
    realm.take_grown();
    realm.sweep(Homes::default(), HashSet::new());
    let alive: Vec<SbxId> = (0..10_000).map(|_| realm.make(&site(&realm, root), &request).unwrap()).collect();
    println!("{:44} {:8} bytes", "a live sandbox, as it is booked", realm.take_grown() / alive.len());
}
