//! Runs the cases of the language suite and says what differs from what is written beside their lines.

use crate::command::{Ran, ilu_in, root};
use crate::expect::{At, Case, fits};
use crate::inside::{self, How};
use std::path::{Path, PathBuf};

/// Where the suite lies, from the repository's root.
pub const FOLDER: &str = "tests/lang";

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a value.
    Fine,
    /// Before it began: the compiler's errors, each with its line.
    Compile(Vec<At>),
    /// With an error nobody caught, where it was raised, and its exit code.
    Raised(At, i32),
    /// Because the script said so, with this exit code.
    Exit(i32),
}

/// All script files of the suite, helpers included, as paths from its folder.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    let base = root().join(FOLDER);
    let mut found = Vec::new();
    let mut open = vec![base.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("the suite can be read") {
            let path = entry.expect("the suite can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "ilu") {
                found.push(path.strip_prefix(&base).expect("it lies in the suite").to_path_buf());
            }
        }
    }
    found.sort();
    found
}

/// Whether a file is only there to be loaded by others.
#[must_use]
pub fn is_helper(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "lib")
}

/// Compares lines that were printed with those expected.
fn compare_lines(what: &str, case: &Case, expected: &[At], text: &str, failures: &mut Vec<String>) {
    let mut got = text.lines();
    for want in expected {
        let line = got.next();
        if line != Some(want.text.as_str()) {
            let got = line.map_or("nothing more".to_string(), |line| format!("{line:?}"));
            failures.push(format!("{}:{}: {what}: expected {:?}, got {got}", case.file.display(), want.line, want.text));
            return;
        }
    }
    if let Some(more) = got.next() {
        failures.push(format!("{}: {what}: {more:?} was not expected", case.file.display()));
    }
}

/// Compares how a run ended with what was expected.
fn compare_end(case: &Case, ended: &Ended, failures: &mut Vec<String>) {
    let file = case.file.display();
    let reported: &[At] = match ended {
        Ended::Compile(errors) => errors,
        Ended::Raised(error, _) => std::slice::from_ref(error),
        Ended::Fine | Ended::Exit(_) => &[],
    };
    let expected: Vec<&At> = case.compile.iter().chain(&case.error).collect();
    for want in &expected {
        if !reported.iter().any(|got| got.line == want.line && fits(&got.text, &want.text)) {
            failures.push(format!("{file}:{}: expected an error with {:?}; {}", want.line, want.text, describe(ended)));
        }
    }
    for got in reported {
        let known = expected.iter().any(|want| got.line == want.line && fits(&got.text, &want.text));
        if !known && failures.is_empty() {
            failures.push(format!("{file}:{}: an error that was not expected: {}", got.line, got.text));
        }
    }
    let code = match ended {
        Ended::Fine => 0,
        Ended::Compile(_) => 2,
        Ended::Raised(_, code) | Ended::Exit(code) => *code,
    };
    if code != case.exit_code() && failures.is_empty() {
        failures.push(format!("{file}: expected exit code {}, got {code}; {}", case.exit_code(), describe(ended)));
    }
}

fn describe(ended: &Ended) -> String {
    match ended {
        Ended::Fine => "it ended well".into(),
        Ended::Exit(code) => format!("it exited with {code}"),
        Ended::Compile(errors) => {
            let all: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.line, error.text)).collect();
            format!("the compiler said [{}]", all.join("; "))
        }
        Ended::Raised(error, code) => format!("line {} raised {:?} (exit code {code})", error.line, error.text),
    }
}

/// Runs a case through the command line and lists what differs.
#[must_use]
pub fn check_by_binary(case: &Case) -> Vec<String> {
    let file = case.file.display();
    let mut arguments = vec!["run".to_string(), "--color".into(), "never".into()];
    arguments.extend(case.flags.iter().cloned());
    // A whole file is run as it lies there, so that it finds its helpers; a part of one comes by standard input.
    let input: &[u8] = if case.title.is_empty() {
        arguments.push(Path::new(FOLDER).join(&case.file).display().to_string());
        b""
    } else {
        arguments.push("-".into());
        &case.source
    };
    if !case.args.is_empty() {
        arguments.push("--".into());
        arguments.extend(case.args.iter().cloned());
    }
    let Ran { code, out, err } = ilu_in(&root(), &arguments, input);
    let mut failures = Vec::new();
    if code != Some(case.exit_code()) {
        failures.push(format!("{file}: expected exit code {}, got {code:?}; it said: {err}", case.exit_code()));
    }
    for want in case.compile.iter().chain(&case.error) {
        let place = format!(":{}:", want.line);
        if !(fits(&err, &want.text) && err.contains(&place)) {
            failures.push(format!("{file}:{}: expected an error with {:?}; it said: {err}", want.line, want.text));
        }
    }
    if !case.stdout_free && failures.is_empty() {
        compare_lines("standard output", case, &case.stdout, &out, &mut failures);
    }
    let mut after = err.as_str();
    for want in &case.stderr {
        let line = format!("{}\n", want.text);
        let found = after.find(&line);
        after = found.and_then(|at| after.get(at + line.len()..)).unwrap_or("");
        if found.is_none() {
            failures.push(format!("{file}:{}: standard error: expected {:?}, it said: {err}", want.line, want.text));
        }
    }
    failures.extend(case.shows.iter().filter(|text| !err.contains(*text)).map(|text| format!("{file}: the report lacks {text:?}: {err}")));
    failures.extend(case.hides.iter().filter(|text| err.contains(*text)).map(|text| format!("{file}: the report shows {text:?}: {err}")));
    failures
}

/// Runs a case and lists what differs from its expectations.
#[must_use]
pub fn check(case: &Case, how: How) -> Vec<String> {
    let mistakes: Vec<String> =
        case.mistakes.iter().map(|mistake| format!("{}:{}: {}", case.file.display(), mistake.line, mistake.text)).collect();
    if !mistakes.is_empty() {
        return mistakes;
    }
    let outside = case.binary || !case.shows.is_empty() || !case.hides.is_empty();
    match (outside, inside::run(case, how)) {
        (false, Some(ran)) => {
            let mut failures = Vec::new();
            compare_end(case, &ran.ended, &mut failures);
            if !case.stdout_free {
                compare_lines("standard output", case, &case.stdout, &ran.out, &mut failures);
            }
            compare_lines("standard error", case, &case.stderr, &ran.err, &mut failures);
            failures
        }
        _ if how == How::Usual => check_by_binary(case),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expect::cases;

    fn differs(text: &str) -> bool {
        let found = cases(Path::new("topic/made_up.ilu"), text.as_bytes());
        assert_eq!(found.len(), 1);
        !check(&found[0], How::Usual).is_empty()
    }

    #[test]
    fn a_case_that_holds_is_quiet() {
        for text in [
            "prn 1  # expect: 1\n",
            "prn 1  # expect: 1\nerr(\"x\")  # expect error: x\n",
            "prn nobody  # expect compile error: nobody\n",
            "eprn 1  # expect stderr: 1\n",
        ] {
            assert!(!differs(text), "{text}");
        }
    }

    #[test]
    fn a_case_that_differs_is_reported() {
        for text in [
            "prn 1  # expect: 2\n",
            "prn 1\nprn 2  # expect: 2\n",
            "prn 1  # expect: 1\n# expect: 2\n",
            "prn 1  # expect: 1\nerr(\"x\")\n",
            "err(\"x\")  # expect error: y\n",
            "# expect error: x\nerr(\"x\")\n",
            "prn 1  # expect error: x\n",
            "prn nobody  # expect compile error: somebody\n",
            "prn nobody  # expect compile error: nobody\nprn noone\n",
            "# expect compile error: nobody\nprn nobody\n",
            "prn 1  # expect compile error: x\n",
            "eprn 1  # expect stderr: 2\n",
            "prn 1  # expect: 1\neprn 2\n",
            "# exit: 4\nerr(\"x\")  # expect error: x\n",
            "# flags: --fuel 1000\n# exit: 1\nwhl tru: 0  # expect error: fuel\n",
        ] {
            assert!(differs(text), "{text}");
        }
    }
}
