//! Secrets at the doorway: which one a name gives, to whom, and what is recorded. What one may be sent to is tested beside it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use ilu_cap::CapSet;
use ilu_sbx::{Arg, Grants, HandleId, Limits, Natives, Permit, Plain, Rule, SbxId, Secret, Stop};
use rig::{Rig, obj};

const SECRET: &str = "__sys_secret";
const GET: &str = "__sys_http_get";

fn ask(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let Some(Arg::Str(name)) = args.first() else { panic!("a name") };
    permit.secret(name).map(Plain::Handle)
}

/// What would be sent to a host: the one thing that a script never sees, so this native is the test's only.
fn reveal(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let (Some(Arg::Str(host)), Some(Arg::Object(fields))) = (args.first(), args.get(1)) else { panic!("a host and a secret") };
    let [(_, Arg::Handle(id))] = fields.as_slice() else { panic!("a secret") };
    let secret = permit.secret_for(*id, host, 443, true)?;
    Ok(Plain::Str(secret.value_for_text(host, 443, true).unwrap().to_owned()))
}

fn rig() -> Rig {
    let secret = |name: &str, value: &str, host: &str| Secret::new(name, value, &[host.to_owned()]).unwrap();
    Rig::granted(Natives::new(&[(SECRET, ask as ilu_sbx::NativeFn), (GET, reveal)]), |_| Grants {
        caps: CapSet::all(),
        secrets: vec![secret("first", "one", "a.test"), secret("second", "two", "b.test")],
        limits: Limits::default(),
        ..Grants::default()
    })
}

fn handle(value: Plain) -> HandleId {
    match value {
        Plain::Handle(id) => id,
        other => panic!("{other:?}"),
    }
}

fn last(rig: &Rig, s: SbxId) -> String {
    format!("{:?}", rig.realm.log(s).last())
}

#[test]
fn a_name_gives_its_own_secret_for_its_own_hosts() {
    let mut rig = rig();
    let root = rig.realm.root();
    rig.realm.observe();
    let second = handle(rig.ok(SECRET, &[Arg::Str("second")]));
    assert!(last(&rig, root).contains("(\"rule\", Str(\"secret\"))") && last(&rig, root).contains("second"), "{}", last(&rig, root));
    assert_eq!(rig.realm.observed().unwrap().secrets.into_iter().collect::<Vec<_>>(), ["second"]);
    let first = handle(rig.ok(SECRET, &[Arg::Str("first")]));
    let mut sent = |host: &'static str, id: HandleId| rig.call(GET, &[Arg::Str(host), obj(&[("secret", Arg::Handle(id))])]);
    assert_eq!((sent("a.test", first), sent("b.test", second)), (Ok(Plain::Str("one".to_owned())), Ok(Plain::Str("two".to_owned()))));
    for (host, id) in [("b.test", first), ("a.test", second)] {
        assert!(matches!(sent(host, id), Err(Stop::Denied(denial)) if matches!(denial.rule, Rule::SecretElsewhere(_))));
    }
    for name in ["", &"n".repeat(70_000)] {
        assert_eq!(rig.fails(SECRET, &[Arg::Str(name)]), "that is no name of a secret");
    }
}

#[test]
fn a_secret_that_is_not_granted_is_denied_with_who_could_grant_it() {
    let mut rig = rig();
    let refused = |rig: &mut Rig, name: &'static str| {
        let denial = rig.denied(SECRET, &[Arg::Str(name)]);
        (denial.rule, denial.grant.unwrap())
    };
    assert_eq!(refused(&mut rig, "third"), (Rule::NoSecret, "--secret third=HOST".to_owned()));
    assert!(last(&rig, rig.realm.root()).contains("third"));
    let s = rig.make(&[SECRET], obj(&[("secret", Arg::List(vec![Arg::Str("first")]))])).unwrap();
    rig.enter(s);
    rig.ok(SECRET, &[Arg::Str("first")]);
    assert_eq!(refused(&mut rig, "second"), (Rule::NoSecret, "{secret: [\"second\"]} in the options of sbxmk".to_owned()));
    assert_eq!(refused(&mut rig, "third"), (Rule::NoSecret, "--secret third=HOST".to_owned()));
    // Nobody hands on what it lacks.
    let more = rig.make(&[SECRET], obj(&[("secret", Arg::List(vec![Arg::Str("second")]))]));
    assert!(matches!(&more, Err(Stop::Failed(why)) if why.contains("second")), "{more:?}");
}
