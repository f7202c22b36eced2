//! What is granted in the matrix, and what is called with.

use crate::rig::{Rig, mount, obj};
use ilu_cap::rights::{Budgets, Dirs, Grant, Net, Place, Rights, RuleList, Subjects};
use ilu_cap::{CapSet, GrantKind, Kind, NativeId};
use ilu_sbx::{Access, Arg, HandleId, Limits};

/// A mount as the test knows it: its name in the sandbox, what it is granted, whether it is a directory.
pub type Named = (&'static str, Grant, bool);

pub fn grant(root: u32, path: &str, access: Access) -> Grant {
    Grant { place: Place::root(root).below(path).unwrap(), access }
}

/// The root's network rules. Each names one port of one host, so that what it means is what it says.
pub const NET: &[&str] = &["127.0.0.1:1", "example.com:1"];

/// `ro`, `rw`, `wo` and a single file, each a root of its own.
pub fn scene() -> (Rig, Vec<Named>) {
    let rig = Rig::with_net(
        |base| {
            let dir = base.join("R");
            restore(base);
            vec![
                mount(&dir.join("ro"), "/ro", Access::Read),
                mount(&dir.join("rw"), "/rw", Access::ReadWrite),
                mount(&dir.join("wo"), "/wo", Access::Write),
                mount(&dir.join("a.txt"), "/one", Access::Read),
            ]
        },
        NET,
        Limits::none(),
    );
    let mounts = vec![
        ("/ro", grant(0, "", Access::Read), true),
        ("/rw", grant(1, "", Access::ReadWrite), true),
        ("/wo", grant(2, "", Access::Write), true),
        ("/one", grant(3, "", Access::Read), false),
    ];
    (rig, mounts)
}

/// The scene as it was, whatever calls have made of it. The granted directories themselves stay: they are open.
pub fn restore(base: &std::path::Path) {
    let dir = base.join("R");
    for top in ["ro", "rw", "wo"] {
        std::fs::create_dir_all(dir.join(top)).unwrap();
        for entry in std::fs::read_dir(dir.join(top)).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                std::fs::remove_dir_all(path).unwrap()
            } else {
                std::fs::remove_file(path).unwrap()
            }
        }
    }
    for sub in ["ro/d", "rw/d/e", "wo/d"] {
        std::fs::create_dir_all(dir.join(sub)).unwrap();
    }
    for file in ["ro/a.txt", "rw/a.txt", "rw/d/a.txt", "wo/a.txt"] {
        std::fs::write(dir.join(file), file).unwrap();
    }
}

pub fn dirs_of(mounts: &[Named]) -> Dirs {
    mounts.iter().map(|(_, grant, _)| grant.clone()).collect()
}

/// What a sandbox asks for, as options and as the model of it.
pub struct View {
    pub opts: Arg<'static>,
    pub mounts: Vec<Named>,
    pub env: &'static [&'static str],
    pub net: Vec<&'static str>,
}

pub fn views(root: &[Named]) -> Vec<View> {
    let part = |at: &'static str, acc: &'static str| obj(&[("at", Arg::Str(at)), ("acc", Arg::Str(acc))]);
    let list = |names: &'static [&'static str]| Arg::List(names.iter().map(|name| Arg::Str(name)).collect());
    let rule = |host| obj(&[("net", Arg::Str(host)), ("port", Arg::Num(1.0)), ("eff", Arg::Bool(true))]);
    let view = |dirs: &[(&'static str, Arg<'static>)], env, hosts: &[&'static str], mounts| {
        let net: Vec<&str> = NET.iter().copied().filter(|rule| hosts.iter().any(|host| rule.starts_with(host))).collect();
        let rules = Arg::List(hosts.iter().map(|host| rule(host)).collect());
        View { opts: obj(&[("dir", obj(dirs)), ("env", list(env)), ("net", rules)]), mounts, env, net }
    };
    vec![
        View { opts: Arg::Nil, mounts: root.to_vec(), env: &["LANG", "SECRET"], net: NET.to_vec() },
        view(
            &[("/rw", part("/data", "ro")), ("/wo", Arg::Str("wo")), ("/one", part("/rw", "ro"))],
            &["LANG"],
            &["example.com"],
            vec![
                ("/data", grant(1, "", Access::Read), true),
                ("/wo", grant(2, "", Access::Write), true),
                ("/rw", grant(3, "", Access::Read), false),
            ],
        ),
        // One inside the other: through the wide name there is less to be had.
        view(
            &[
                ("/rw", part("/ro", "ro")),
                ("/rw/d", part("/ro/out", "rw")),
                ("/rw/d/e", part("/e", "wo")),
                ("/rw/d/a.txt", part("/one", "rw")),
            ],
            &[],
            &["127.0.0.1"],
            vec![
                ("/ro", grant(1, "", Access::Read), true),
                ("/ro/out", grant(1, "d", Access::ReadWrite), true),
                ("/e", grant(1, "d/e", Access::Write), true),
                ("/one", grant(1, "d/a.txt", Access::ReadWrite), false),
            ],
        ),
        view(&[], &["SECRET"], &[], Vec::new()),
    ]
}

pub const TEXTS: &[&str] = &[
    "/ro/a.txt",
    "/ro/d",
    "/ro",
    "/ro/",
    "/ro/none/x",
    "/rw/a.txt",
    "/rw/d/a.txt",
    "/rw/d/e/new",
    "/rw",
    "/rw/.",
    "/wo/a.txt",
    "/wo/d/new",
    "/one",
    "/one/x",
    "/data/a.txt",
    "/data/d/e/x",
    "/ro/out/a.txt",
    "/ro/out/new",
    "/ro/out",
    "/e/new",
    "/roo/a.txt",
    "/none",
    "/etc/passwd",
    "/",
    "a.txt",
    "d/e",
    "./a.txt",
    "rw/a.txt",
    "..",
    "../a.txt",
    "/rw/../ro/a.txt",
    "/rw/d/../a.txt",
    "//rw//a.txt",
    "",
    "a\0b",
    "LANG",
    "SECRET",
    "NONE",
    "A=B",
    "127.0.0.1",
    "example.com",
    "http://127.0.0.1:1/",
    "http://example.com:1/x",
    "http://example.org:1/",
];

pub fn values(live: HandleId) -> Vec<Arg<'static>> {
    let mut values = vec![
        Arg::Nil,
        Arg::Bool(true),
        Arg::Num(1.0),
        Arg::Num(-1.5),
        Arg::Bytes(b"bytes"),
        Arg::List(Vec::new()),
        Arg::Object(Vec::new()),
        Arg::Handle(live),
        Arg::Handle(HandleId { index: 999, generation: 9 }),
        Arg::Other("fun"),
        Arg::Other("sbx"),
    ];
    values.extend(TEXTS.iter().map(|text| Arg::Str(text)));
    values
}

/// Arguments that fit the row, on what is allowed by some of the views.
pub fn fitting(native: NativeId, live: HandleId) -> Vec<Arg<'static>> {
    let fit = |param: &ilu_cap::Param| match (param.kind, param.name) {
        (Kind::Str, "target") => Arg::Str("d"),
        (Kind::Str, "to") => Arg::Str("/rw/d/moved"),
        (Kind::Str, _) if native.row().grant == GrantKind::Env => Arg::Str("LANG"),
        (Kind::Str | Kind::Data, _) => Arg::Str("/rw/a.txt"),
        (Kind::Num, _) => Arg::Num(1.0),
        (Kind::List, _) => Arg::List(Vec::new()),
        (Kind::Options, _) => Arg::Object(Vec::new()),
        (Kind::Fun, _) => Arg::Other("fun"),
        (Kind::Handle, _) => Arg::Handle(live),
        (Kind::Any, _) => Arg::Nil,
    };
    native.row().params.iter().map(fit).collect()
}

pub fn fits(native: NativeId, args: &[Arg<'_>]) -> bool {
    let params = native.row().params;
    let one = |(param, arg): (&ilu_cap::Param, &Arg<'_>)| {
        param.optional && *arg == Arg::Nil
            || match param.kind {
                Kind::Str => matches!(arg, Arg::Str(_)),
                Kind::Num => matches!(arg, Arg::Num(_)),
                Kind::Data => matches!(arg, Arg::Str(_) | Arg::Bytes(_)),
                Kind::List => matches!(arg, Arg::List(_)),
                Kind::Options => matches!(arg, Arg::Object(_)),
                Kind::Handle => matches!(arg, Arg::Handle(_)),
                Kind::Fun => matches!(arg, Arg::Other("fun")),
                Kind::Any => true,
            }
    };
    let least = params.iter().filter(|param| !param.optional).count();
    (least..=params.len()).contains(&args.len()) && params.iter().zip(args).all(one)
}

/// Each argument in turn as every kind of value, the others fitting; and too few and too many.
pub fn calls(native: NativeId, live: HandleId) -> Vec<Vec<Arg<'static>>> {
    let fitting = fitting(native, live);
    let mut calls = vec![fitting.clone(), Vec::new(), [fitting.clone(), vec![Arg::Nil]].concat()];
    for n in 0..fitting.len() {
        calls.extend(values(live).into_iter().map(|value| {
            let mut args = fitting.clone();
            args[n] = value;
            args
        }));
    }
    calls
}

pub fn net_of(rules: &[&str]) -> Net {
    Net::rules(RuleList::new(rules.iter().map(|rule| (*rule).to_owned())))
}

/// What the root of the scene holds.
pub fn root_model(root: &[Named]) -> Rights {
    let env = ["LANG", "SECRET"].into_iter().collect();
    let subjects = Subjects { dirs: dirs_of(root), env, net: net_of(NET), ..Subjects::default() };
    Rights::new(CapSet::all(), subjects, Budgets::UNLIMITED)
}
