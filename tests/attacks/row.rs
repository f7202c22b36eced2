//! What a file row of the catalogue is, and how it is run.

use crate::lane;
use crate::rig::{Expect, Openat2, Outcome, Tree};
use ilu_cap::{Class, NATIVES};
use ilu_tests::tally::{Part, note};

/// One script and how it must end, with `R/` granted `ro`, `rw` or `wo`.
pub struct Attempt {
    pub access: &'static str,
    pub script: String,
    pub expect: Expect,
}

/// A row: its attempts, at least one control that shows the same operation works where it may, and the twin.
pub struct Row {
    pub id: &'static str,
    /// Makes the row's own links and files in the standard tree.
    pub setup: fn(&Tree),
    pub attempts: Vec<Attempt>,
    pub controls: Vec<Attempt>,
    /// The attack with the guard off: the same operation by the plain file API on `R/` joined with the path, or the same script under
    /// the grant it lacked. It must succeed, or the row proves nothing. Rows that deny nothing have none.
    pub twin: Option<fn(&Tree) -> bool>,
}

impl Row {
    pub fn new(id: &'static str) -> Self {
        Self { id, setup: |_| {}, attempts: Vec::new(), controls: Vec::new(), twin: None }
    }
    pub fn setup(mut self, setup: fn(&Tree)) -> Self {
        self.setup = setup;
        self
    }
    pub fn rw(self, expect: Expect, scripts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.with("rw", expect, scripts)
    }
    pub fn ro(self, expect: Expect, scripts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.with("ro", expect, scripts)
    }
    pub fn with(mut self, access: &'static str, expect: Expect, scripts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.attempts.extend(scripts.into_iter().map(|script| Attempt { access, script: script.into(), expect: expect.clone() }));
        self
    }
    /// A positive control: prints exactly this.
    pub fn control(mut self, script: impl Into<String>, prints: &str) -> Self {
        self.controls.push(Attempt { access: "rw", script: script.into(), expect: Expect::Ok(prints.to_owned()) });
        self
    }
    pub fn twin(mut self, twin: fn(&Tree) -> bool) -> Self {
        self.twin = Some(twin);
        self
    }
}

/// Runs a row under one answer of `openat2` and gives every failure at once. The twin asks nothing of `openat2`: once is enough.
pub fn run(row: &Row, mode: Openat2) -> Result<(), String> {
    let mut failures = Vec::new();
    for (attempt, control) in row.attempts.iter().map(|a| (a, false)).chain(row.controls.iter().map(|a| (a, true))) {
        let mut tree = Tree::new();
        (row.setup)(&tree);
        tree.seal();
        let script = attempt.script.replace("$ABS", &tree.abs());
        if let Err(words) = tree.attempt(row.id, attempt.access, &script, &attempt.expect, mode) {
            failures.push(words);
        }
        note(match attempt.expect {
            _ if control => Part::Control,
            Expect::Deny | Expect::DenyOrError => Part::Refusal,
            _ => Part::Attempt,
        });
    }
    if mode == Openat2::Kernel
        && let Some(twin) = row.twin
    {
        let tree = Tree::new();
        (row.setup)(&tree);
        if !twin(&tree) {
            failures.push(format!("{}: the twin without the guard does not succeed, so the row proves nothing", row.id));
        }
        note(Part::Twin);
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// Runs a row with the kernel alone. Whatever it is about, nothing outside is read or changed, nor what may only be read; what is to be refused
/// is noted as held or let through, and tried again with nothing in its way.
pub fn run_kernel_alone(row: &Row) -> Result<(), String> {
    let mut failures = Vec::new();
    for attempt in &row.attempts {
        note(if refused(attempt) { Part::Refusal } else { Part::Attempt });
        let (got, harm) = tried(row, attempt);
        if let Some(harm) = harm {
            failures.push(format!("{} [kernel alone, {}] {harm}\n  script: {}\n  got: {got:?}", row.id, attempt.access, attempt.script));
        }
        if !refused(attempt) || LOOKING.iter().any(|native| attempt.script.contains(native)) {
            continue;
        }
        let fails = matches!(got.code, Some(1 | 3));
        lane::judged(fails, &attempt.script);
        if fails {
            let (got, harm) = lane::bare(|| tried(row, attempt));
            if got.code == Some(0) || harm.is_some() {
                note(Part::Twin);
                lane::succeeds_bare();
            }
        }
    }
    for control in &row.controls {
        note(Part::Control);
        let (got, harm) = tried(row, control);
        let Expect::Ok(text) = &control.expect else { continue };
        if got.code != Some(0) || got.out.trim_end_matches('\n') != text || harm.is_some() {
            failures.push(format!("{} [kernel alone] a control: {got:?} {harm:?}\n  script: {}", row.id, control.script));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// Natives that look at a name and open nothing: Landlock does not see that. What they see is the doorway's to keep, in every row.
const LOOKING: [&str; 2] = ["__sys_stat(", "__sys_exists("];

fn refused(attempt: &Attempt) -> bool {
    matches!(attempt.expect, Expect::Deny | Expect::DenyOrError)
}

fn tried(row: &Row, attempt: &Attempt) -> (Outcome, Option<&'static str>) {
    let mut tree = Tree::new();
    (row.setup)(&tree);
    tree.seal();
    let script = attempt.script.replace("$ABS", &tree.abs());
    let inside = tree.picture_inside();
    let got = tree.run(attempt.access, &script, Openat2::Kernel);
    let changed = attempt.access == "ro" && tree.picture_inside() != inside;
    let harm = tree.harm(&got).or(changed.then_some("what may only be read was changed"));
    (got, harm)
}

/// Every native that takes a path, called with this one; derived from the registry, so a new native is attacked as soon as it is declared.
pub fn path_forms(path: &str) -> Vec<String> {
    let quoted = quote(path);
    forms_with(&quoted)
}

/// The same with any expression where a path belongs.
pub fn forms_with(expression: &str) -> Vec<String> {
    let files = [Class::FsRead, Class::FsWrite, Class::FsManage];
    let mut forms = Vec::new();
    for native in NATIVES.iter().filter(|native| files.contains(&native.class)) {
        let params: Vec<_> = native.params.iter().filter(|param| !param.optional).collect();
        for attacked in params.iter().filter(|param| PATHS.contains(&param.name)) {
            let args: Vec<_> =
                params.iter().map(|param| if param.name == attacked.name { expression } else { harmless(param.name) }).collect();
            forms.push(format!("prn {}({})", native.name, args.join(", ")));
        }
    }
    forms
}

/// Parameters that hold a path to be judged. A link's `target` is text until somebody follows it; FS-051 attacks it.
const PATHS: [&str; 3] = ["path", "from", "to"];

/// Arguments that would be fine, for the parameters not attacked.
fn harmless(param: &str) -> &'static str {
    match param {
        "from" | "target" => "\"a.txt\"",
        "to" => "\"moved\"",
        "data" => "\"x\"",
        other => panic!("a native has a new parameter `{other}`: say here what a harmless argument for it is"),
    }
}

/// A path as a string literal of the language.
pub fn quote(path: &str) -> String {
    let mut text = String::from("\"");
    for char in path.chars() {
        match char {
            '"' | '\\' => {
                text.push('\\');
                text.push(char);
            }
            char if char.is_control() || ('\u{202a}'..='\u{202e}').contains(&char) => text.push_str(&format!("\\u{{{:x}}}", char as u32)),
            char => text.push(char),
        }
    }
    text.push('"');
    text
}

pub fn read(path: &str) -> String {
    format!("prn __sys_read_file({})", quote(path))
}

pub fn write(path: &str) -> String {
    format!("prn __sys_write_file({}, \"x\")", quote(path))
}

pub fn call(native: &str, path: &str) -> String {
    format!("prn {native}({})", quote(path))
}
