//! The one function that authorises connections, with a resolver that answers what the test says. What the rules mean is tested with them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use ilu_cap::{CapSet, by_name};
use ilu_sbx::{Access, Arg, Budget, Limits, Natives, Permit, Plain, Ready, Rule, SbxId, Stop};
use rig::{BESIDE, Name, Pools, Rig, mount, obj};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const DIAL: &str = "__sys_tcp_dial";
const LISTEN: &str = "__sys_tcp_listen";
const DNS: &str = "__sys_dns";
const SEND: &str = "__sys_tcp_send";
const RECV: &str = "__sys_tcp_recv";
const CLOSE: &str = "__sys_tcp_close";
const TAKE: &str = "__sys_http_take";

fn text<'a>(args: &[Arg<'a>], n: usize) -> &'a str {
    match args[n] {
        Arg::Str(text) => text,
        ref other => panic!("{other:?}"),
    }
}

fn port(args: &[Arg<'_>]) -> u16 {
    match args[1] {
        Arg::Num(port) => port as u16,
        ref other => panic!("{other:?}"),
    }
}

fn list(addresses: &[SocketAddr]) -> Plain {
    Plain::List(addresses.iter().map(|addr| Plain::Str(addr.to_string())).collect())
}

thread_local! {
    /// Connections that this thread was given.
    static PASSED: Cell<u32> = const { Cell::new(0) };
}

/// Gives the addresses that passed, having looked whether the route holds these, and no other.
fn dial(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let route = permit.connect(text(args, 0), port(args))?;
    for addr in route.addrs() {
        assert!(route.holds(addr), "{addr}");
        assert!(!route.holds(&SocketAddr::new(addr.ip(), addr.port() ^ 1)));
    }
    assert!(!route.holds(&BESIDE.parse().unwrap()));
    PASSED.set(PASSED.get() + 1);
    Ok(list(route.addrs()))
}

fn look_up(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let found = permit.look_up(text(args, 0))?;
    Ok(Plain::List(found.into_iter().map(|address| Plain::Str(address.to_string())).collect()))
}

fn listen(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let listening = permit.listen(text(args, 0), port(args))?;
    PASSED.set(PASSED.get() + 1);
    Ok(list(&[listening.addr()]))
}

/// The ends of a pipe in which nothing ever is.
type Pair = (std::os::fd::OwnedFd, std::os::fd::OwnedFd);

/// Opens one behind one handle.
fn open(permit: &mut Permit<'_>, _: &[Arg<'_>]) -> Result<Plain, Stop> {
    let pair = rustix::pipe::pipe().unwrap();
    permit.open_shared(Arc::new(pair), "pair").map(Plain::Handle)
}

fn handle(args: &[Arg<'_>]) -> ilu_sbx::HandleId {
    match args[0] {
        Arg::Handle(id) => id,
        ref other => panic!("{other:?}"),
    }
}

/// Charges what is sent, when the handle is a pair.
fn send(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    permit.shared::<Pair>(handle(args), "pair")?;
    permit.charge_sent(text(args, 1).len() as u64)?;
    Ok(Plain::Nil)
}

/// Waits for something that never comes, so many milliseconds.
fn receive(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let pair = permit.shared::<Pair>(handle(args), "pair")?;
    let Some(Arg::Num(ms)) = args.get(2) else { panic!("ms") };
    let until = permit.mono_ms() + ms;
    Ok(Plain::Bool(permit.wait(&pair.0, Ready::Read, until)?))
}

fn close(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    permit.close(handle(args));
    Ok(Plain::Nil)
}

/// A handle of another type than those who use it take.
fn other(permit: &mut Permit<'_>, _: &[Arg<'_>]) -> Result<Plain, Stop> {
    permit.open_shared(Arc::new(7_u8), "number").map(Plain::Handle)
}

/// The clock as it was when the work of the native began.
fn rig(rules: &[&str]) -> Rig {
    let natives = [
        (DIAL, dial as ilu_sbx::NativeFn),
        (DNS, look_up),
        (LISTEN, listen),
        ("__sys_tcp_accept", open),
        (TAKE, other),
        (SEND, send),
        (RECV, receive),
        (CLOSE, close),
    ];
    let rig = Rig::built(
        Natives::new(&natives),
        CapSet::all(),
        |base| vec![mount(&base.join("R"), "/r", Access::Read)],
        rules,
        Limits::default(),
    );
    *rig.streams.pools.lock().unwrap() = Pools::Exact;
    let mut names = rig.streams.names.lock().unwrap();
    let all = |texts: &[&str]| Name::At(texts.iter().map(|text| text.parse::<IpAddr>().unwrap()).collect());
    names.insert("a.test".to_owned(), all(&["93.184.216.7", "93.184.216.8", "93.184.216.7", "::ffff:93.184.216.7"]));
    names.insert("mixed.test".to_owned(), all(&["127.0.0.1", "93.184.216.9"]));
    names.insert("inner.test".to_owned(), all(&["10.0.0.1"]));
    names.insert("nobody.test".to_owned(), all(&["0.0.0.0", "255.255.255.255"]));
    names.insert("none.test".to_owned(), all(&[]));
    let many = (0..200).map(|n| IpAddr::from([203, 0, 114, n])).collect();
    names.insert("many.test".to_owned(), Name::At(many));
    names.insert("busy.test".to_owned(), Name::Fails(std::io::ErrorKind::WouldBlock));
    names.insert("broken.test".to_owned(), Name::Fails(std::io::ErrorKind::BrokenPipe));
    names.insert("silent.test".to_owned(), Name::Silent(10_001));
    names.insert("rude.test".to_owned(), Name::Interrupts);
    drop(names);
    rig
}

fn dialled(rig: &mut Rig, host: &str, port: u16) -> Result<Vec<String>, Stop> {
    rig.call(DIAL, &[Arg::Str(host), Arg::Num(f64::from(port))]).map(texts)
}

fn texts(list: Plain) -> Vec<String> {
    let Plain::List(items) = list else { panic!("{list:?}") };
    items.into_iter().map(|item| if let Plain::Str(text) = item { text } else { panic!("{item:?}") }).collect()
}

#[track_caller]
fn denied(result: Result<Vec<String>, Stop>) -> (Rule, Option<String>) {
    match result {
        Err(Stop::Denied(denial)) => (denial.rule, denial.grant),
        other => panic!("should be denied: {other:?}"),
    }
}

/// The last row of a sandbox's log: what it was about and by which rule.
fn last(rig: &Rig, s: SbxId) -> (String, String) {
    let Some(Plain::Object(row)) = rig.realm.log(s).pop() else { panic!("a row") };
    let field = |key: &str| row.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()).unwrap();
    let Plain::Str(rule) = field("rule") else { panic!("rule") };
    (format!("{:?}", field("on")), rule)
}

#[test]
fn what_a_rule_allows_is_reached_and_the_record_says_by_which() {
    let mut rig = rig(&["!93.184.216.8", "a.test:443", "mixed.test", "127.0.0.1:443", "[2001:db9::1]:8080", "*.deep.test", "10.0.0.0/8:9"]);
    let root = rig.realm.root();
    // Each address once, and only those that pass.
    assert_eq!(dialled(&mut rig, "A.test.", 443), Ok(vec!["93.184.216.7:443".to_owned()]));
    assert_eq!(last(&rig, root), ("Str(\"a.test:443\")".to_owned(), "net a.test:443".to_owned()));
    assert_eq!(dialled(&mut rig, "mixed.test", 443), Ok(vec!["127.0.0.1:443".to_owned(), "93.184.216.9:443".to_owned()]));
    // The rule that is told is that of the first address.
    assert_eq!(last(&rig, root).1, "net 127.0.0.1:443");
    assert_eq!(dialled(&mut rig, "mixed.test", 80), Ok(vec!["93.184.216.9:80".to_owned()]));
    assert_eq!(dialled(&mut rig, "2001:db9::1", 8080), Ok(vec!["[2001:db9::1]:8080".to_owned()]));
    assert_eq!(dialled(&mut rig, "0x0a.0.0.3", 9), Ok(vec!["10.0.0.3:9".to_owned()]), "in any spelling");
    assert_eq!(rig.call(DNS, &[Arg::Str("a.test")]).map(texts), Ok(vec!["93.184.216.7".to_owned()]));
    assert_eq!(last(&rig, root), ("Str(\"a.test\")".to_owned(), "net a.test:443".to_owned()));
}

#[test]
fn what_no_rule_allows_is_denied_with_the_rule_that_would() {
    let mut rig = rig(&["!bad.test", "!93.184.216.8", "a.test:443", "inner.test", "nobody.test", "0.0.0.0/0"]);
    let hint = |text: &str| Some(text.to_owned());
    assert_eq!(denied(dialled(&mut rig, "b.test", 443)), (Rule::NoConnection, hint("--net b.test:443")));
    assert_eq!(denied(dialled(&mut rig, "a.test", 444)), (Rule::NoConnection, hint("--net a.test:444")));
    let no = denied(dialled(&mut rig, "bad.test", 443));
    assert_eq!(no, (Rule::NetDenied("!bad.test".to_owned()), hint("--net bad.test:443 before that rule")));
    let no = denied(dialled(&mut rig, "93.184.216.8", 443));
    assert!(matches!(&no.0, Rule::NetDenied(rule) if rule.starts_with("!93.184.216.8")), "{no:?}");
    assert_eq!(rig.streams.asked.lock().unwrap().len(), 0, "nobody was asked about any of them");
    let (rule, leads) = denied(dialled(&mut rig, "inner.test", 443));
    assert!(matches!(rule, Rule::LeadsToSpecial(_)), "{rule:?}");
    assert_eq!(leads, hint("--net ADDRESS:443 beside the rule for the name, where ADDRESS is what the name leads to"));
    let (rule, _) = denied(dialled(&mut rig, "127.0.0.1", 443));
    assert!(matches!(rule, Rule::SpecialAddress(_)), "{rule:?}");
    for host in ["0.0.0.0", "255.255.255.255", "nobody.test"] {
        assert_eq!(denied(dialled(&mut rig, host, 443)), (Rule::NobodyThere, None), "{host}");
    }
    // localhost is asked about as what it is.
    let (rule, grant) = denied(dialled(&mut rig, "localhost", 443));
    assert!(matches!(rule, Rule::LeadsToSpecial(_) | Rule::SpecialAddress(_)), "{rule:?}");
    assert_eq!(grant, hint("--net 127.0.0.1:443"));
    assert!(!rig.streams.asked.lock().unwrap().iter().any(|name| name == "localhost"));
    assert!(matches!(dialled(&mut rig, "a.test", 0), Err(Stop::Failed(why)) if why.contains("from 1 to 65535")));
    assert!(matches!(dialled(&mut rig, "a b", 1), Err(Stop::Failed(why)) if why.contains("is no host")));
    assert_eq!(last(&rig, rig.realm.root()).0, "Str(\"a b:1\")");
}

#[test]
fn a_sandbox_is_told_of_the_option_that_its_maker_could_give() {
    let mut rig = rig(&["a.test:443", "127.0.0.1:443"]);
    let one = |rule: &'static str| obj(&[("net", Arg::List(vec![Arg::Str(rule)]))]);
    let s = rig.make(&[DIAL], one("127.0.0.1:443")).unwrap();
    let plain = rig.make(&[DNS], obj(&[])).unwrap();
    rig.enter(s);
    assert_eq!(dialled(&mut rig, "localhost", 443), Ok(vec!["127.0.0.1:443".to_owned()]));
    let inside = Some("{net: [\"a.test:443\"]} in the options of sbxmk".to_owned());
    assert_eq!(denied(dialled(&mut rig, "a.test", 443)), (Rule::NoConnection, inside));
    assert_eq!(denied(dialled(&mut rig, "b.test", 443)), (Rule::NoConnection, Some("--net b.test:443".to_owned())));
    rig.leave();
    rig.enter(plain);
    assert_eq!(denied(dialled(&mut rig, "a.test", 443)).0, Rule::NotHeld);
    rig.leave();
    let local = rig.make(&[DIAL], one("a.test:443")).unwrap();
    rig.enter(local);
    let inside = Some("{net: [\"127.0.0.1:443\"]} in the options of sbxmk".to_owned());
    assert_eq!(denied(dialled(&mut rig, "localhost", 443)).1, inside);
}

#[test]
fn a_sandbox_gets_no_rule_that_its_maker_lacks() {
    let mut rig = rig(&["a.test:443", "93.184.216.0/24", "!*.b.test", "*.b.test"]);
    let make = |rig: &mut Rig, rules: &[&str]| {
        let rules = Arg::List(rules.iter().map(|rule| Arg::Str(rule)).collect());
        rig.make(&[DIAL], obj(&[("net", rules)]))
    };
    for rules in [
        &["a.test:443"][..],
        &["a.test:443", "93.184.216.0/24", "!*.b.test", "*.b.test"],
        &["93.184.216.128/25"],
        &["!a.test", "a.test:443"],
        &[],
    ] {
        assert!(make(&mut rig, rules).is_ok(), "{rules:?}");
    }
    for (rules, lacks) in [
        (&["b.test:443"][..], "net \"b.test:443\""),
        (&["a.test:443", "c.test"], "net \"c.test\""),
        (&["a.test:444", "!d.test"], "net \"a.test:444\""),
        (&["93.184.0.0/16"], "net \"93.184.0.0/16\""),
    ] {
        let Err(Stop::Failed(why)) = make(&mut rig, rules) else { panic!("{rules:?} should be refused") };
        assert!(why.contains(lacks) && !why.contains("!d.test"), "{rules:?}: {why}");
    }
    let narrow = make(&mut rig, &["93.184.216.128/25"]).unwrap();
    rig.enter(narrow);
    assert_eq!(dialled(&mut rig, "93.184.216.200", 1), Ok(vec!["93.184.216.200:1".to_owned()]));
    assert_eq!(denied(dialled(&mut rig, "93.184.216.2", 1)).0, Rule::NoConnection);
    rig.leave();
    let none = make(&mut rig, &[]).unwrap();
    rig.enter(none);
    assert_eq!(denied(dialled(&mut rig, "a.test", 443)).0, Rule::NoConnection);
    assert_eq!(denied(dialled(&mut rig, "127.0.0.1", 443)).0, Rule::SpecialAddress("loopback".to_owned()));
}

#[test]
fn rules_of_either_option_narrow() {
    let mut rig = rig(&["a.test:443", "mixed.test:443"]);
    for option in ["pol", "net"] {
        let s = rig.make(&[DIAL], obj(&[(option, Arg::List(vec![Arg::Str("a.test:443")]))])).unwrap();
        rig.enter(s);
        assert!(dialled(&mut rig, "a.test", 443).is_ok());
        assert_eq!(denied(dialled(&mut rig, "mixed.test", 443)).0, Rule::NoConnection, "{option}");
        rig.leave();
    }
}

#[test]
fn who_has_no_rule_can_still_hand_on_one_that_denies() {
    let mut rig = rig(&[]);
    let rules = |rule: &'static str| obj(&[("net", Arg::List(vec![Arg::Str(rule)]))]);
    assert!(rig.make(&[DIAL], rules("!a.test")).is_ok());
    assert!(rig.make(&[DIAL], rules("a.test")).is_err());
}

#[test]
fn a_lookup_gives_each_address_once_and_ends() {
    let mut rig = rig(&["*"]);
    assert_eq!(dialled(&mut rig, "a.test", 443).unwrap(), ["93.184.216.7:443", "93.184.216.8:443"]);
    assert_eq!(dialled(&mut rig, "many.test", 443).unwrap().len(), 64);
    for (name, why) in [
        ("none.test", "no address is known for \"none.test\""),
        ("unknown.test", "no address is known for \"unknown.test\""),
        ("busy.test", "too many names are being looked up"),
        ("broken.test", "the lookup of \"broken.test\" failed: the reader has gone"),
        ("silent.test", "the lookup of \"silent.test\" took longer than 10000 ms"),
    ] {
        assert_eq!(dialled(&mut rig, name, 443), Err(Stop::Failed(why.to_owned())), "{name}");
    }
    assert_eq!(dialled(&mut rig, "rude.test", 443), Err(Stop::Interrupted));
}

#[test]
fn a_lookup_ends_with_the_time_of_the_run() {
    let mut rig = rig(&["*"]);
    rig.streams.names.lock().unwrap().insert("silent.test".to_owned(), Name::Silent(0));
    let s = rig.make(&[DIAL, RECV], obj(&[("ms", Arg::Num(60.0))])).unwrap();
    rig.enter(s);
    assert_eq!(dialled(&mut rig, "silent.test", 443), Err(Stop::Limit { budget: Budget::Time, of: s }));
}

#[test]
fn listening_takes_an_address_and_a_rule_for_it() {
    let mut rig = rig(&["127.0.0.1:9000"]);
    let on = |rig: &mut Rig, host: &str, port: f64| rig.call(LISTEN, &[Arg::Str(host), Arg::Num(port)]).map(texts);
    assert_eq!(on(&mut rig, "127.0.0.1", 9000.0), Ok(vec!["127.0.0.1:9000".to_owned()]));
    assert_eq!(last(&rig, rig.realm.root()).1, "net 127.0.0.1:9000");
    for port in [9001.0, 0.0] {
        assert!(matches!(denied(on(&mut rig, "127.0.0.1", port)).0, Rule::SpecialAddress(_)));
    }
    assert!(matches!(on(&mut rig, "a.test", 9000.0), Err(Stop::Failed(why)) if why.contains("takes an address of this machine")));
}

#[test]
fn what_was_connected_to_is_learnt_and_asking_connects_to_nothing() {
    let mut rig = rig(&["a.test", "mixed.test", "127.0.0.1:443", "[::1]:443", "127.0.0.1:9000", "93.184.216.0/24"]);
    let learn = |rig: &mut Rig, native: &str, args: &[Arg<'_>]| {
        rig.realm.observe();
        rig.ok(native, args);
        rig.realm.observed().unwrap().net.into_iter().collect::<Vec<_>>()
    };
    let to = |host: &'static str, port: f64| [Arg::Str(host), Arg::Num(port)];
    assert_eq!(learn(&mut rig, DIAL, &to("a.test", 443.0)), ["a.test:443"]);
    assert_eq!(learn(&mut rig, DIAL, &to("mixed.test", 443.0)), ["127.0.0.1:443", "mixed.test:443"], "what is special takes its own rule");
    assert_eq!(learn(&mut rig, DIAL, &to("localhost", 443.0)), ["127.0.0.1:443"]);
    assert_eq!(learn(&mut rig, DIAL, &to("93.184.216.3", 25.0)), ["93.184.216.3:25"]);
    assert_eq!(learn(&mut rig, LISTEN, &to("127.0.0.1", 9000.0)), ["127.0.0.1:9000"]);
    // Asked, nobody is looked up; what is allowed is foreseen as allowed, what is not as denied.
    rig.streams.asked.lock().unwrap().clear();
    PASSED.set(0);
    let mut would = |native: &str, host: &'static str, port: f64| {
        rig.realm.observe();
        let site = rig.site();
        let foreseen = rig.realm.would(site, by_name(native).unwrap(), &to(host, port)).unwrap();
        let net: Vec<_> = rig.realm.observed().unwrap().net.into_iter().collect();
        (foreseen.denied.is_none() && foreseen.fails.is_none(), net.join(" "))
    };
    assert_eq!(would(DIAL, "a.test", 443.0), (true, "a.test:443".to_owned()));
    assert_eq!(would(DIAL, "93.184.216.3", 443.0), (true, "93.184.216.3:443".to_owned()));
    assert_eq!(would(LISTEN, "127.0.0.1", 9000.0), (true, "127.0.0.1:9000".to_owned()));
    assert_eq!(would(DIAL, "b.test", 443.0), (false, String::new()));
    assert_eq!(would(LISTEN, "127.0.0.1", 9001.0), (false, String::new()));
    assert_eq!(PASSED.get(), 0, "nothing was given to connect with");
    assert!(rig.streams.asked.lock().unwrap().is_empty());
}

/// What a route says it holds is in its pool and among what passed.
fn holds(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let route = permit.connect(text(args, 0), port(args))?;
    let own = route.addrs().iter().all(|addr| route.holds(addr));
    Ok(Plain::List(vec![Plain::Bool(own), Plain::Bool(route.holds(&BESIDE.parse().unwrap()))]))
}

#[test]
fn a_route_holds_what_passed_and_what_its_pool_lets_through() {
    let natives = Natives::new(&[(DIAL, holds)]);
    let mut rig = Rig::built(natives, CapSet::all(), |_| Vec::new(), &["93.184.216.7"], Limits::default());
    for (pools, own, other) in [(Pools::Exact, true, false), (Pools::Empty, false, false), (Pools::Wider, false, false)] {
        *rig.streams.pools.lock().unwrap() = pools;
        let held = rig.ok(DIAL, &[Arg::Str("93.184.216.7"), Arg::Num(443.0)]);
        assert_eq!(held, Plain::List(vec![Plain::Bool(own), Plain::Bool(other)]));
    }
}

#[test]
fn where_two_sandboxes_meet_both_must_allow_a_connection() {
    let mut rig = rig(&["a.test:443", "mixed.test:443", "127.0.0.1:443"]);
    let make = |rig: &mut Rig, rules: &[&str]| {
        let rules = Arg::List(rules.iter().map(|rule| Arg::Str(rule)).collect());
        rig.make(&[DIAL], obj(&[("net", rules)])).unwrap()
    };
    let (left, right) = (make(&mut rig, &["a.test:443", "127.0.0.1:443"]), make(&mut rig, &["mixed.test:443", "127.0.0.1:443"]));
    rig.authority = rig.realm.meet(left, right, u64::MAX).unwrap();
    for host in ["a.test", "mixed.test"] {
        assert_eq!(denied(dialled(&mut rig, host, 443)).0, Rule::NoConnection, "{host}");
    }
    assert_eq!(dialled(&mut rig, "127.0.0.1", 443), Ok(vec!["127.0.0.1:443".to_owned()]));
}

#[test]
fn reading_rules_and_sending_is_work() {
    let rules: Vec<String> = (0..50).map(|n| format!("n{n}.test")).chain(["a.test".to_owned()]).collect();
    let mut rig = rig(&rules.iter().map(String::as_str).collect::<Vec<_>>());
    let s = rig.make(&[DIAL, SEND, "__sys_tcp_accept"], obj(&[("fuel", Arg::Num(1e6))])).unwrap();
    rig.enter(s);
    let left = |rig: &Rig| rig.realm.fuel_left(rig.account);
    let before = left(&rig);
    assert_eq!(dialled(&mut rig, "a.test", 443).unwrap().len(), 2);
    assert_eq!(before - left(&rig), 20 + 51 + 51 * 2);
    let Plain::Handle(pair) = rig.ok("__sys_tcp_accept", &[Arg::Handle(ilu_sbx::HandleId { index: 0, generation: 0 })]) else { panic!() };
    let before = left(&rig);
    rig.ok(SEND, &[Arg::Handle(pair), Arg::Str(&"x".repeat(6400))]);
    assert_eq!(before - left(&rig), 20 + 100);
}

#[test]
fn what_was_opened_under_a_lease_ends_with_it_for_everybody() {
    let mut rig = rig(&["*"]);
    let s = rig.make(&["__sys_tcp_accept"], obj(&[("lease", obj(&[("ms", Arg::Num(1000.0))]))])).unwrap();
    rig.enter(s);
    let Plain::Handle(pair) = rig.ok("__sys_tcp_accept", &[Arg::Handle(ilu_sbx::HandleId { index: 0, generation: 0 })]) else { panic!() };
    rig.leave();
    rig.ok(SEND, &[Arg::Handle(pair), Arg::Str("a")]);
    rig.streams.ahead.store(1001, Ordering::Relaxed);
    assert_eq!(rig.denied(SEND, &[Arg::Handle(pair), Arg::Str("a")]).rule, Rule::LeaseOver("1000 ms are over".to_owned()));
}

#[test]
fn an_open_resource_is_its_owners_and_ends_with_it() {
    let mut rig = rig(&["*"]);
    let natives = [SEND, RECV, CLOSE, TAKE, "__sys_tcp_accept"];
    let some = Arg::Handle(ilu_sbx::HandleId { index: 0, generation: 0 });
    let s = rig.make(&natives, obj(&[("written", Arg::Num(5.0)), ("fds", Arg::Num(2.0))])).unwrap();
    rig.enter(s);
    let open = |rig: &mut Rig| match rig.ok("__sys_tcp_accept", std::slice::from_ref(&some)) {
        Plain::Handle(id) => Arg::Handle(id),
        other => panic!("{other:?}"),
    };
    let pair = open(&mut rig);
    rig.ok(SEND, &[pair.clone(), Arg::Str("abc")]);
    assert_eq!(rig.call(SEND, &[pair.clone(), Arg::Str("abc")]), Err(Stop::Limit { budget: Budget::Written, of: s }));
    // Nothing comes: the wait ends, with its time or with the run.
    assert_eq!(rig.call(RECV, &[pair.clone(), Arg::Nil, Arg::Num(30.0)]), Ok(Plain::Bool(false)));
    rig.streams.interrupted.store(true, Ordering::Relaxed);
    assert_eq!(rig.call(RECV, &[pair.clone(), Arg::Nil, Arg::Num(20_000.0)]), Err(Stop::Interrupted));
    rig.streams.interrupted.store(false, Ordering::Relaxed);
    // Closed, it is closed, and there is room for another one.
    let second = open(&mut rig);
    assert!(rig.fails("__sys_tcp_accept", std::slice::from_ref(&some)).contains("too many open files (limit 2)"));
    rig.ok(CLOSE, std::slice::from_ref(&second));
    rig.ok(CLOSE, std::slice::from_ref(&second));
    assert_eq!(rig.fails(SEND, &[second, Arg::Str("a")]), "__sys_tcp_send: the pair is closed");
    let third = open(&mut rig);
    // Another type is no pair.
    rig.ok(CLOSE, &[third]);
    let Plain::Handle(other) = rig.ok(TAKE, std::slice::from_ref(&some)) else { panic!("a handle") };
    assert_eq!(rig.fails(SEND, &[Arg::Handle(other), Arg::Str("a")]), "__sys_tcp_send: this is not a pair");
    rig.leave();
    rig.realm.revoke(&rig.site(), s).unwrap();
    assert_eq!(rig.denied(SEND, &[pair, Arg::Str("a")]).rule, Rule::Revoked);
}

#[test]
fn what_is_revoked_while_a_native_runs_is_not_used_any_more() {
    let mut rig = rig(&["*"]);
    let s = rig.make(&["__sys_tcp_accept"], obj(&[])).unwrap();
    let some = Arg::Handle(ilu_sbx::HandleId { index: 0, generation: 0 });
    rig.enter(s);
    let Plain::Handle(pair) = rig.ok("__sys_tcp_accept", &[some]) else { panic!("a handle") };
    rig.leave();
    // Marked over there, and not yet heeded here: the owner is asked, not only what is closed.
    let mut elsewhere = rig.realm.fork(rig.realm.root_account()).unwrap();
    let there = elsewhere.adopt(&rig.realm.sandbox(s)).unwrap();
    let site = rig.site();
    let waits = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(60));
        elsewhere.revoke(&site, there).unwrap();
    });
    let ended = rig.call(RECV, &[Arg::Handle(pair), Arg::Nil, Arg::Num(200.0)]);
    assert_eq!(ended, Ok(Plain::Bool(false)), "the caller itself is not revoked");
    waits.join().unwrap();
    assert_eq!(rig.denied(SEND, &[Arg::Handle(pair), Arg::Str("a")]).rule, Rule::Revoked);
}
