//! Many tasks at once: that nothing is lost whoever is first, that the bill is the same every time, and that the host's wish reaches all.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use common::run_with;
use ilu::{Kind, Outcome};
use ilu_sbx::{Budget, Limits};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

fn out(text: &str) -> (Outcome, String) {
    let (outcome, written) = run_with(text, Limits::default(), |_| {});
    if let Err(error) = &outcome.result {
        panic!("{error:?}\nfailures: {:?}\n{}", outcome.failures, written.out());
    }
    (outcome, written.out())
}

/// Each task takes a number from its channel and puts one more into the next, round and round.
const RING: &str = "use syn
use trl
n = 100
end = syn.chan()
cs = trl.map(1..n, \\(i) syn.chan())
ts = trl.map(0..<n, \\(i) syn.run(\\()
    k <- 1..20:
        x = cs[i].rcv()
        next = if i == n - 1 and k == 20: end | cs[(i + 1) % n]
        next.snd(x + 1)
    nil
))
keeper = syn.run(\\() cs[0].snd(0))
prn end.rcv()
t <- ts: t.wai()
prn keeper.wai().err
";

#[test]
fn a_ring_of_tasks_passes_each_value_on_exactly_once() {
    for _ in 0..20 {
        let (_, text) = out(RING);
        assert_eq!(text, "2000\nnil\n");
    }
}

#[test]
fn many_producers_and_consumers_lose_and_double_nothing() {
    let text = "use syn
use trl
jobs = syn.chan(3)
done = syn.chan()
consumers = trl.map(1..20, \\(n) syn.run(\\()
    x <- jobs: done.snd(x)
))
producers = trl.map(0..<20, \\(n) syn.run(\\()
    i <- 0..<100: jobs.snd(n * 100 + i)
))
syn.run(\\()
    p <- producers: p.wai()
    jobs.cls()
    c <- consumers: c.wai()
    done.cls()
)
seen = {}
x <- done: seen[str(x)] = (seen[str(x)] or 0) + 1
prn len(seen), trl.max(trl.map(0..<2000, \\(n) seen[str(n)]))
";
    for _ in 0..5 {
        assert_eq!(out(text).1, "2000 1\n");
    }
}

fn fuel(outcome: &Outcome) -> u64 {
    outcome.spent.iter().find(|spent| spent.budget == Budget::Fuel).unwrap().used
}

#[test]
fn what_tasks_cost_is_the_same_every_time() {
    let bills: Vec<u64> = (0..20).map(|_| fuel(&out(RING).0)).collect();
    assert!(bills[0] > 50_000 && bills.iter().all(|bill| *bill == bills[0]), "{bills:?}");
}

#[test]
fn the_hosts_wish_to_stop_reaches_who_waits_and_who_works() {
    let text =
        "use syn\nc = syn.chan()\nsyn.run(\\()\n    whl tru: 0\n)\nsyn.run(\\() c.rcv())\nsyn.run(\\() __sys_sleep(60000))\nc.rcv()\n";
    let started = Instant::now();
    let (outcome, _) = run_with(text, Limits::default(), |setup| {
        let interrupt = Arc::clone(&setup.interrupt);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            interrupt.store(true, Ordering::Relaxed);
        });
    });
    assert_eq!(outcome.result.unwrap_err().kind, Kind::Interrupted);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn failures_that_nobody_saw_are_in_the_outcome() {
    let text = "use syn\nt = syn.run(\\() err(\"a\"))\nu = syn.run(\\() err({why: \"b\"}))\nt.wai()\nsyn.chan().rcv(200)\n";
    let (outcome, _) = out(text);
    let failures: Vec<_> =
        outcome.failures.iter().map(|failure| (failure.task, failure.message.as_str(), failure.place.as_deref())).collect();
    assert_eq!(failures, [(2, "{why: \"b\"}", Some("main.ilu:3"))]);
}
