//! Modules: loaded once, from where they may be, with clear errors.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;
use common::{output, run_with};
use ilu::{Engine, Loader};
use ilu_sbx::Limits;
use std::collections::HashMap;

/// Files of a program, in memory.
struct Files(HashMap<&'static str, &'static str>);

impl Loader for Files {
    fn load(&mut self, path: &str) -> Result<String, String> {
        self.0.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "no such file or directory".to_owned())
    }
}

/// What a program of these files writes, or its error; the first is the main one.
fn run(files: &[(&'static str, &'static str)]) -> String {
    let mut shown = Vec::new();
    for stress in [false, true] {
        let (outcome, written) = run_with(files[0].1, Limits::default(), |setup| {
            setup.loader = Some(Box::new(Files(files[1..].iter().copied().collect())));
            setup.stress = stress;
        });
        shown.push(match outcome.result {
            Ok(_) => written.out(),
            Err(error) => format!("{}error: {}", written.out(), error.message),
        });
    }
    assert_eq!(shown[0], shown[1]);
    shown.swap_remove(0)
}

#[test]
fn a_file_gives_its_names_and_runs_once() {
    let files = [
        ("main.ilu", "use \"lib/a.ilu\"\nuse \"lib/b.ilu\" as b\nuse \"lib/a.ilu\"\nprn twice(4), b.thrice(2), b\nprn _hidden\n"),
        ("lib/a.ilu", "prn \"a runs\"\ntwice(x) = x * 2\n_hidden = 1\n"),
        ("lib/b.ilu", "use \"a.ilu\"\nthrice(x) = twice(x) + x\n"),
    ];
    assert_eq!(
        run(&files),
        "a runs\n8 6 {thrice: <fun thrice>}\nerror: `_hidden` has no value yet; a file that is used keeps its names with `_` in front to itself"
    );
}

#[test]
fn names_are_copied_and_the_module_keeps_its_own() {
    let files = [
        ("main.ilu", "use \"a.ilu\"\nprn n, get()\nset(5)\nprn n, get()\nn = 9\nprn n, get()\n"),
        ("a.ilu", "n = 1\nget() = n\nset = \\(x)\n    n = x\n"),
    ];
    assert_eq!(run(&files), "1 1\n1 5\n9 5\n");
}

#[test]
fn what_goes_wrong_is_said() {
    let main = |text: &'static str| {
        run(&[
            ("main.ilu", text),
            ("bad.ilu", "x = \n"),
            ("fails.ilu", "err(\"inside\")\n"),
            ("p.ilu", "use \"q.ilu\"\n"),
            ("q.ilu", "use \"p.ilu\"\n"),
            ("x1.ilu", "x = 1\n"),
            ("x2.ilu", "x = 2\n"),
        ])
    };
    assert_eq!(main("use \"none.ilu\"\n"), "error: can't use `none.ilu`: no such file or directory");
    assert_eq!(main("use \"../up.ilu\"\n"), "error: can't use \"../up.ilu\": it is outside the program's folder");
    assert_eq!(
        main("use \"/abs.ilu\"\n"),
        "error: can't use \"/abs.ilu\": a program's file is named by its path from the file that uses it"
    );
    assert!(main("use \"bad.ilu\"\n").starts_with("error: bad.ilu:"), "{}", main("use \"bad.ilu\"\n"));
    assert_eq!(main("use \"fails.ilu\"\n"), "error: inside");
    assert_eq!(main("use \"p.ilu\"\n"), "error: modules use each other in a circle: `p.ilu` is still being loaded");
    assert_eq!(main("use \"x1.ilu\"\nuse \"x2.ilu\"\n"), "error: two modules both give `x`: use one of them `as` a name");
    let again = "f = \\() \n    use \"fails.ilu\" as m\n    m\nprn try(f).err, try(f).err\n";
    assert_eq!(main(again), "inside inside\n");
}

#[test]
fn a_name_that_no_used_file_gives_is_said_to_be_so() {
    let main = |text: &'static str| run(&[("main.ilu", text), ("lib/geo.ilu", "area(w, h) = w * h\n")]);
    assert_eq!(
        main("use \"lib/geo.ilu\"\nprn aera(1, 2)\n"),
        "error: `aera` has no value: it is not bound here, and no used file gives it"
    );
    let as_an_object = "error: `geo` has no value: it is not bound here, and no used file gives it; \
        `use \"lib/geo.ilu\" as geo` makes an object of the file's names";
    assert_eq!(main("use \"lib/geo.ilu\"\nprn geo.area(1, 2)\n"), as_an_object);
    assert_eq!(main("use \"lib/geo.ilu\"\nf() = later\nprn f()\nlater = 1\n"), "error: `later` has no value yet");
}

#[test]
fn a_program_without_a_folder_has_no_files() {
    let (outcome, _) = run_with("use \"a.ilu\"\n", Limits::default(), |_| {});
    assert_eq!(outcome.result.unwrap_err().message, "can't use `a.ilu`: this program has no files of its own");
}

#[test]
fn a_sandbox_does_not_read_the_programs_files() {
    let files = [
        (
            "main.ilu",
            "use sbx\nsb = sbxmk([])\nprn sbxtr(sb, \\()\n    use \"a.ilu\" as a\n    a\n).err\nprn try(\\() sbxev(sb, \"use \\\"a.ilu\\\" as a\\na\")).err\nprn try(\\() sbxld(sb, \"a.ilu\")).err\nuse \"a.ilu\" as a\nprn a.x\n",
        ),
        ("a.ilu", "x = 1\n"),
    ];
    let denied = "denied: __sys_read_file \"a.ilu\": the sandbox does not hold this capability\n";
    assert_eq!(run(&files), format!("{denied}{denied}{denied}1\n"));
}

#[test]
fn a_module_used_in_a_function_is_loaded_when_it_runs() {
    let files =
        [("main.ilu", "f() =\n    use \"a.ilu\" as a\n    a.x\nprn \"before\"\nprn f(), f()\n"), ("a.ilu", "prn \"loading\"\nx = 1\n")];
    assert_eq!(run(&files), "before\nloading\n1 1\n");
}

#[test]
fn every_module_of_the_library_loads() {
    for module in ilu_std::MODULES {
        assert_eq!(output(&format!("use {}\nprn typ({})\n", module.name, module.name)), "obj\n", "{}", module.name);
    }
}

#[test]
fn an_engine_runs_a_program_many_times_and_on_many_threads() {
    let engine = Engine::new();
    let program = engine.compile("main.ilu", "use trl\nprn trl.sum([1, 2])\nx = 1\n").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let (outside, written) = common::double();
                    let grants = ilu_sbx::Grants { caps: ilu_cap::CapSet::all(), ..Default::default() };
                    assert!(engine.run(&program, ilu::Setup::new(grants, outside)).result.is_ok());
                    assert_eq!(written.out(), "3\n");
                }
            });
        }
    });
}
