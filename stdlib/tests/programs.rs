//! What a program is started with: what its sandbox holds, and nothing else. That it is confined to that is tested with real programs.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use ilu_cap::{CapSet, by_name};
use ilu_sbx::{Access, Arg, Grants, Limits, Natives, Permit, Plain, Rule, SbxId, Stop};
use rig::{Rig, mount, obj};

const RUN: &str = "__os_run";

fn num(n: f64) -> Arg<'static> {
    Arg::Num(n)
}

fn path(text: &str) -> [Arg<'_>; 1] {
    [Arg::Str(text)]
}

/// The last row of a sandbox's log.
fn last(rig: &Rig, s: SbxId) -> String {
    format!("{:?}", rig.realm.log(s).last())
}

fn launch(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let Some(Arg::Str(program)) = args.first() else { panic!("a program") };
    let given = match args.get(1) {
        Some(Arg::List(items)) => items.iter().map(|item| if let Arg::Str(text) = item { (*text).to_owned() } else { panic!() }).collect(),
        _ => Vec::new(),
    };
    let mut wanted = ilu_sbx::Wanted { most: 10, ..ilu_sbx::Wanted::default() };
    if let Some(Arg::Object(fields)) = args.get(2) {
        for (key, value) in fields {
            match (*key, value) {
                ("cwd", Arg::Str(path)) => wanted.cwd = Some(path),
                ("env", Arg::List(names)) => {
                    wanted.env = Some(names.iter().map(|name| if let Arg::Str(name) = name { *name } else { panic!() }).collect());
                }
                other => panic!("{other:?}"),
            }
        }
    }
    permit.launch(program, given, wanted).map(|_| Plain::Nil)
}

#[test]
fn a_program_gets_what_the_sandbox_holds_and_nothing_else() {
    let mut rig = Rig::granted(Natives::new(&[(RUN, launch)]), |base| Grants {
        caps: CapSet::all(),
        mounts: vec![mount(&base.join("R"), "/r", Access::ReadWrite), mount(&base.join("R/a.txt"), "/f", Access::Read)],
        env: vec![("LANG".to_owned(), "C".to_owned()), ("SECRET".to_owned(), "v-secret".to_owned())],
        programs: vec!["tool".to_owned(), "other".to_owned()],
        limits: Limits::default(),
        ..Grants::default()
    });
    let list = |items: &[&'static str]| Arg::List(items.iter().map(|item| Arg::Str(item)).collect());
    let options =
        obj(&[("run", list(&["tool"])), ("env", list(&["LANG"])), ("dir", obj(&[("/r/d", Arg::Str("ro"))])), ("written", num(9.0))]);
    let s = rig.make(&[RUN], options).unwrap();
    assert_eq!(rig.realm.rights(s).subjects().programs.iter().collect::<Vec<_>>(), ["tool"]);
    rig.enter(s);
    rig.ok(RUN, &[Arg::Str("tool"), list(&["a"]), Arg::Object(Vec::new())]);
    assert!(last(&rig, s).contains("tool"), "{}", last(&rig, s));
    let begun = std::mem::take(&mut *rig.streams.started.lock().unwrap());
    let [launch] = begun.as_slice() else { panic!("one program") };
    assert_eq!((launch.program.as_str(), launch.args.as_slice()), ("tool", &["a".to_owned()][..]));
    assert_eq!(launch.env, [("LANG".to_owned(), "C".to_owned())]);
    assert!(launch.others == ["tool"] && launch.cwd.is_some(), "{:?}", launch.others);
    assert_eq!((launch.most, launch.written), (10, 9));
    assert_eq!(launch.reaches.iter().map(|reach| (reach.is_dir, reach.access)).collect::<Vec<_>>(), [(true, Access::Read)]);
    drop(begun);
    // What is not granted is denied, with who could grant it.
    let refused = |rig: &mut Rig, args: &[Arg<'_>]| {
        let denial = rig.denied(RUN, args);
        (denial.rule, denial.grant.unwrap_or_default())
    };
    assert_eq!(refused(&mut rig, &path("other")), (Rule::NoProgram, "{run: [\"other\"]} in the options of sbxmk".to_owned()));
    assert_eq!(refused(&mut rig, &path("third")), (Rule::NoProgram, "--run third".to_owned()));
    let env = |name: &'static str| obj(&[("env", list(&[name]))]);
    assert_eq!(refused(&mut rig, &[Arg::Str("tool"), list(&[]), env("SECRET")]).0, Rule::NoVariable);
    assert!(last(&rig, s).contains("SECRET"), "{}", last(&rig, s));
    for name in ["", "a\0b", &"x".repeat(70_000)] {
        assert_eq!(rig.fails(RUN, &[Arg::Str(name)]), "that is no name of a program");
    }
    assert!(rig.fails(RUN, &[Arg::Str("tool"), list(&["a\0b"])]).contains("zero byte"));
    let long: &'static str = Box::leak("x".repeat(140_000).into_boxed_str());
    assert!(rig.fails(RUN, &[Arg::Str("tool"), list(&[long])]).contains("at most 131072"));
    assert!(rig.streams.started.lock().unwrap().is_empty(), "nothing of that was started");
    rig.leave();
    let in_file = obj(&[("cwd", Arg::Str("/f"))]);
    assert!(rig.fails(RUN, &[Arg::Str("tool"), list(&[]), in_file]).contains("that is a file"));
    // More than its maker has, nobody gets.
    let more = rig.make(&[RUN], obj(&[("run", list(&["third"]))]));
    assert!(matches!(&more, Err(Stop::Failed(why)) if why.contains("third")), "{more:?}");
    let secret = rig.make(&[RUN], obj(&[("secrets", list(&["none"]))]));
    assert!(secret.is_err(), "{secret:?}");
    // Asked, and learnt.
    rig.realm.observe();
    let foreseen = rig.realm.would(rig.site(), by_name(RUN).unwrap(), &path("tool")).unwrap();
    assert!(foreseen.denied.is_none());
    assert_eq!(rig.realm.observed().unwrap().programs.into_iter().collect::<Vec<_>>(), ["tool"]);
    assert!(rig.streams.started.lock().unwrap().is_empty());
    rig.ok(RUN, &path("other"));
    assert_eq!(rig.streams.started.lock().unwrap()[0].others, ["other", "tool"]);
    let bare = rig.make(&[RUN], obj(&[("dir", obj(&[]))])).unwrap();
    rig.enter(bare);
    rig.ok(RUN, &path("tool"));
    assert!(last(&rig, bare).contains("(\"rule\", Str(\"run\"))"), "{}", last(&rig, bare));
}

#[test]
fn what_a_program_says_is_paid_for_and_its_time_is_bounded() {
    let mut rig = Rig::granted(ilu_std::natives(), |base| Grants {
        caps: CapSet::all(),
        mounts: vec![mount(&base.join("R"), "/r", Access::Read)],
        programs: vec!["tool".to_owned(), "slow".to_owned()],
        limits: Limits::default(),
        ..Grants::default()
    });
    let run = |program: &'static str, options: Arg<'static>| [Arg::Str(program), Arg::List(Vec::new()), options];
    let s = rig.make(&[RUN], obj(&[("read", num(9.0))])).unwrap();
    rig.enter(s);
    let Plain::Object(told) = rig.ok(RUN, &run("tool", Arg::Nil)) else { panic!("an object") };
    let field = |key: &str| told.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()).unwrap();
    assert_eq!((field("cod"), field("out"), field("er")), (Plain::Num(3.0), Plain::Str("out".to_owned()), Plain::Str("er".to_owned())));
    assert_eq!(rig.call(RUN, &run("tool", Arg::Nil)), Err(Stop::Limit { budget: ilu_sbx::Budget::Read, of: s }));
    rig.leave();
    let began = rig.streams.started.lock().unwrap().len();
    assert!(rig.fails(RUN, &run("tool", obj(&[("max", num(1e12))]))).contains("option max is at most"));
    rig.room = 100;
    assert_eq!(rig.call(RUN, &run("tool", obj(&[("max", num(51.0))]))), Err(Stop::Room(102)));
    rig.room = 64 << 20;
    assert_eq!(rig.streams.started.lock().unwrap().len(), began, "neither was started");
    assert!(rig.fails(RUN, &run("slow", obj(&[("ms", num(90_000.0))]))).contains("did not end within 90000 ms"));
    let timed = rig.make(&[RUN], obj(&[("ms", num(60_000.0))])).unwrap();
    rig.enter(timed);
    assert_eq!(rig.call(RUN, &run("slow", obj(&[("ms", num(1e7))]))), Err(Stop::Limit { budget: ilu_sbx::Budget::Time, of: timed }));
}
