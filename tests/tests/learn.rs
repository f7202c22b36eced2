//! `ilu learn`, profiles and `ilu trust`: the smallest grants of a run, and which file of grants counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests make files and run the command"
)]

use ilu_tests::command::{Ran, Scratch, binary, finish, ilu_in};
use ilu_tests::learned::{list, with_list};
use insta::assert_snapshot;
use std::process::Command;

fn learn(at: &Scratch, flags: &[&str], script: &str) -> Ran {
    let mut args = vec!["learn"];
    args.extend(flags);
    args.push(script);
    ilu_in(at.path(), &args, b"")
}

/// With what was learned a run in a fresh scene goes well, and with any one grant less it does not.
fn is_enough_and_least(scene: &dyn Fn() -> Scratch, flags: &[&str], script: &str, profile: &str) -> String {
    let ran = learn(&scene(), flags, script);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let learned = ran.out;
    let with = |text: &str| {
        let fresh = scene();
        fresh.write("learned.toml", text);
        ilu_in(fresh.path(), &["run", "--config", "learned.toml", "--profile", profile, script], b"")
    };
    let ran = with(&learned);
    assert_eq!(ran.code, Some(0), "{script} with\n{learned}\n{}", ran.err);
    for key in ["grant", "dir", "env"] {
        let items = list(&learned, key);
        for at in 0..items.len() {
            let mut less = items.clone();
            let gone = less.remove(at);
            let ran = with(&with_list(&learned, key, &less));
            assert_ne!(ran.code, Some(0), "{script} does as well without {gone} of\n{learned}");
        }
    }
    // Fuel is told as twice what was used, rounded up, and at least 1000: a quarter of it is not enough.
    let fuel = learned.lines().find_map(|line| line.strip_prefix("fuel = ")).map(|n| n.parse::<u64>().unwrap());
    let fuel = fuel.unwrap_or_else(|| panic!("no fuel in\n{learned}"));
    if fuel > 1000 {
        let scant = learned.replace(&format!("fuel = {fuel}\n"), &format!("fuel = {}\n", fuel / 4));
        assert_ne!(with(&scant).code, Some(0), "{script} does as well with a quarter of the fuel of\n{learned}");
    }
    // What a run needed, looking at the text must have foreseen, unless it says that it can't.
    let told = ilu_in(scene().path(), &["check", "--caps", "--json", script], b"").out;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let caps = &told[0]["caps"];
    if caps["unknown"].as_array().is_some_and(Vec::is_empty) {
        let listed: Vec<&str> = caps["natives"].as_array().unwrap().iter().filter_map(|native| native["native"].as_str()).collect();
        let granted = list(&learned, "grant");
        // Sandboxes may be made with natives that are never called.
        let called = granted.iter().filter(|native| caps["natives"].as_array().is_some() && !listed.contains(&native.as_str()));
        let text = std::fs::read_to_string(scene().at(script)).unwrap();
        let missed: Vec<_> = called.filter(|_| !text.contains("sbxmk") && !text.contains("sbx.mk")).collect();
        assert!(missed.is_empty(), "{script} needed {missed:?}, `check --caps` lists {listed:?}");
    }
    learned
}

#[test]
fn places_become_grants_by_the_rules_that_are_stated() {
    let scene = |text: &'static str| {
        move || {
            let scratch = Scratch::new("learn");
            scratch.write("job.ilu", text);
            for name in
                ["a", "b", "many/0", "many/1", "many/2", "many/3", "many/4", "many/5", "many/6", "many/7", "many/unread", "sub/deep/c"]
            {
                scratch.write(&format!("in/{name}"), name);
            }
            scratch.write("out/x/f", "");
            scratch.write("out/y/g", "");
            scratch
        }
    };
    let flags = ["--dir", "in:/in", "--dir", "out:/out:rw", "--env", "LANG=C", "--env", "TERM=t"];
    for (text, dirs) in [
        ("use fs\nfs.rd(\"/in/a\")\nfs.rd(\"/in/sub/deep/c\")", &["in/a:/in/a:ro", "in/sub/deep/c:/in/sub/deep/c:ro"][..]),
        ("use fs\nn <- 0..<7: fs.rd($\"/in/many/{n}\")", &["in/many/0:/in/many/0:ro", "…6"]),
        ("use fs\nn <- 0..<8: fs.rd($\"/in/many/{n}\")", &["in/many:/in/many:ro"]),
        ("use fs\nfs.ls(\"/in/sub\")", &["in/sub:/in/sub:ro"]),
        ("use fs\nfs.stat(\"/in\")", &["in:/in:ro"]),
        ("use fs\nfs.has(\"/in/sub/none/at/all\")", &["in/sub:/in/sub:ro"]),
        ("use fs\nfs.wr(\"/out/x/new\", \"1\")", &["out/x:/out/x:rw"]),
        ("use fs\nfs.md(\"/out/x/new/er\")\nfs.wr(\"/out/x/new/er/f\", \"1\")\nfs.rd(\"/out/x/new/er/f\")", &["out/x:/out/x:rw"]),
        ("use fs\nfs.mv(\"/out/x/f\", \"/out/x/h\")", &["out/x:/out/x:rw"]),
        ("use fs\nfs.mv(\"/out/x/f\", \"/out/y/h\")", &["out:/out:rw"]),
        ("use fs\nfs.cp(\"/in/a\", \"/out/x/h\")", &["in/a:/in/a:ro", "out/x:/out/x:rw"]),
        ("use fs\nfs.rd(\"/in/sub/../a\")", &["in:/in:ro"]),
        ("use fs\nfs.rd(\"a\")", &["in:/in:ro"]),
        ("use fs\nfs.rd(\"/in/a\")\nfs.ls(\"/in\")", &["in:/in:ro"]),
        ("use fs\nl <- fs.open(\"/in/a\"): l", &["in/a:/in/a:ro"]),
    ] {
        let learned = is_enough_and_least(&scene(text), &flags, "job.ilu", "job");
        let told = list(&learned, "dir");
        if let Some(more) = dirs.get(1).and_then(|rest| rest.strip_prefix('…')) {
            assert_eq!((told[0].as_str(), told.len() - 1), (dirs[0], more.parse().unwrap()), "{text}");
        } else {
            assert_eq!(told, dirs, "{text}");
        }
    }
    let learned = is_enough_and_least(&scene("use env\nprn env.get(\"LANG\")"), &flags, "job.ilu", "job");
    assert_eq!(list(&learned, "env"), ["LANG=C"]);
    assert_eq!(list(&learned, "grant"), ["__sys_stdout", "__sys_getenv"]);
    let learned = is_enough_and_least(&scene("1 + 1"), &flags, "job.ilu", "job");
    assert_eq!(list(&learned, "grant"), Vec::<String>::new());
    // A sandbox inside gives the place a name of its own; the grant is by the operator's.
    let text = "use cap\nuse fs\nuse sbx\nsb = sbxmk(capfsro(), {dir: {\"/in/sub\": {at: \"/s\"}}})\nsbxrn(sb, \\() fs.rd(\"/s/deep/c\"))";
    let learned = is_enough_and_least(&scene(text), &flags, "job.ilu", "job");
    assert_eq!(list(&learned, "dir"), ["in/sub:/in/sub:ro"]);
}

#[test]
fn nothing_is_granted_that_the_flags_do_not_grant() {
    let scratch = Scratch::new("learn");
    scratch.write("in/a", "a");
    scratch.write("secret", "s");
    scratch.write("job.ilu", "use fs\ntry(\\() fs.rd(\"/secret\"))\ntry(\\() fs.wr(\"/in/b\", \"b\"))\nprn fs.rd(\"/in/a\")\n");
    let ran = learn(&scratch, &["--dir", "in:/in"], "job.ilu");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), "a\n"), "what it prints goes to standard error");
    assert_eq!(list(&ran.out, "dir"), ["in/a:/in/a:ro"]);
    assert_eq!(list(&ran.out, "grant"), ["__sys_stdout", "__sys_read_file"]);
    assert!(ran.out.starts_with("# denied: __sys_read_file /secret\n# denied: __sys_write_file /in/b\n"), "{}", ran.out);
    assert!(!scratch.at("in/b").exists());
    // A run that does not end well says so, and ends as the run did.
    scratch.write("job.ilu", "use fs\nfs.rd(\"/secret\")\n");
    let ran = learn(&scratch, &["--dir", "in:/in"], "job.ilu");
    assert_eq!(ran.code, Some(3));
    assert!(ran.out.starts_with("# the run did not end well"), "{}", ran.out);
}

#[test]
fn it_is_told_as_flags_and_as_a_profile() {
    let scratch = Scratch::new("learn");
    scratch.write("in/a b", "text");
    scratch.write("job.ilu", "use fs\nprn fs.rd(\"/in/a b\")\n");
    let ran = learn(&scratch, &["--dir", "in:/in"], "job.ilu");
    let steady: Vec<String> = ran
        .out
        .lines()
        .map(|line| if line.contains("fuel") { line.split("fuel").next().unwrap().to_owned() + "fuel…" } else { line.to_owned() })
        .collect();
    assert_snapshot!("learned", steady.join("\n"));
    let flags = ran.out.lines().find_map(|line| line.strip_prefix("# ilu run ")).unwrap();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{} run {flags}", binary().display())).current_dir(scratch.path()).env_clear();
    let ran = finish(command, b"");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "text\n"), "{}", ran.err);
}

/// `ilu` with a home of its own.
fn at_home(scratch: &Scratch, args: &[&str]) -> Ran {
    let mut command = Command::new(binary());
    command.args(args).current_dir(scratch.path()).env_clear().env("HOME", scratch.at("home"));
    finish(command, b"")
}

const DEFAULT: &str = "[profile.default]\ndir = \"data:/in\"\n\n[profile.none]\ngrant = []\n";

#[test]
fn a_file_beside_the_script_counts_only_when_it_is_trusted_and_unchanged() {
    let scratch = Scratch::new("trust");
    scratch.write("proj/data/a", "a");
    scratch.write("proj/job.ilu", "use fs\nprn fs.rd(\"/in/a\")\n");
    scratch.write("proj/ilu.toml", DEFAULT);
    std::fs::create_dir(scratch.at("home")).unwrap();

    assert_eq!(at_home(&scratch, &["proj/job.ilu"]).code, Some(3), "a file that nobody trusts does not count");
    let ran = at_home(&scratch, &["run", "--profile", "default", "proj/job.ilu"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("is not trusted"), "{}", ran.err);
    // Named, it counts.
    let ran = at_home(&scratch, &["run", "--config", "proj/ilu.toml", "proj/job.ilu"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "a\n"), "{}", ran.err);

    let ran = at_home(&scratch, &["trust", "proj/ilu.toml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("profiles: default, none"), "{}", ran.out);
    let ran = at_home(&scratch, &["proj/job.ilu"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "a\n"), "{}", ran.err);
    assert_eq!(at_home(&scratch, &["run", "--profile", "none", "proj/job.ilu"]).code, Some(3));

    scratch.write("proj/ilu.toml", DEFAULT.replace("data", "."));
    let ran = at_home(&scratch, &["proj/job.ilu"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.err.contains("has changed since it was trusted"), "{}", ran.err);
    let ran = at_home(&scratch, &["run", "--profile", "default", "proj/job.ilu"]);
    assert!(ran.code == Some(2) && ran.err.contains("has changed since it was trusted"), "{}", ran.err);

    // Another file with the trusted text is another file.
    scratch.write("other/ilu.toml", DEFAULT);
    scratch.write("other/data/a", "a");
    scratch.write("other/job.ilu", "use fs\nprn fs.rd(\"/in/a\")\n");
    assert_eq!(at_home(&scratch, &["other/job.ilu"]).code, Some(3));
    assert_eq!(at_home(&scratch, &["trust", "other/ilu.toml"]).code, Some(0));
    assert_eq!(at_home(&scratch, &["other/job.ilu"]).code, Some(0));
}

#[test]
fn a_script_is_not_given_the_list_of_trusted_files() {
    let scratch = Scratch::new("trust");
    scratch.write("ilu.toml", DEFAULT);
    scratch.write("data/a", "a");
    std::fs::create_dir(scratch.at("home")).unwrap();
    assert_eq!(at_home(&scratch, &["trust", "ilu.toml"]).code, Some(0));
    for dir in ["home:rw", ".:/all:rw", "home/.local/state/ilu:rw"] {
        let ran = at_home(&scratch, &["run", "--dir", dir, "-e", "1"]);
        assert_eq!(ran.code, Some(2), "{dir}");
        assert!(ran.err.contains("the list of trusted files lies in it"), "{}", ran.err);
    }
    assert_eq!(at_home(&scratch, &["run", "--dir", "data:rw", "-e", "1"]).code, Some(0));
}

#[test]
fn mistakes_in_a_file_of_grants_are_told() {
    let scratch = Scratch::new("trust");
    scratch.write("ilu.toml", "[profile.default]\ndirs = []\n");
    let ran = at_home(&scratch, &["run", "--config", "ilu.toml", "-e", "1"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("ilu.toml: profile `default`: unknown key `dirs` (did you mean `dir`?)"), "{}", ran.err);
    assert_eq!(at_home(&scratch, &["trust", "ilu.toml"]).code, Some(2));
    scratch.write("ilu.toml", DEFAULT);
    let ran = at_home(&scratch, &["run", "--config", "ilu.toml", "--profile", "defualt", "-e", "1"]);
    assert!(ran.code == Some(2) && ran.err.contains("did you mean `default`?"), "{}", ran.err);
    let ran = at_home(&scratch, &["run", "--config", "none.toml", "-e", "1"]);
    assert!(ran.code == Some(2) && ran.err.contains("no such file"), "{}", ran.err);
    let ran = at_home(&scratch, &["run", "--profile", "a", "-e", "1"]);
    assert!(ran.code == Some(2) && ran.err.contains("text that is not in a file"), "{}", ran.err);
    // Without a home there is no list.
    assert_eq!(ilu_in(scratch.path(), &["trust", "ilu.toml"], b"").code, Some(2));
}
