//! What a row of the catalogue is, and how a table of rows is run.

use crate::rig::{Expect, MODES, Openat2, Tree};

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

/// Runs a group under one answer of `openat2` and reports every failure at once.
pub fn run_group(group: &str, rows: Vec<Row>, mode: Openat2) {
    let (mut attempts, mut controls, mut twins, mut failures) = (0, 0, 0, Vec::new());
    for row in &rows {
        for (attempt, is_control) in row.attempts.iter().map(|a| (a, false)).chain(row.controls.iter().map(|a| (a, true))) {
            let mut tree = Tree::new();
            (row.setup)(&tree);
            tree.seal();
            let script = attempt.script.replace("$ABS", &tree.abs());
            if let Err(words) = tree.attempt(row.id, attempt.access, &script, &attempt.expect, mode) {
                failures.push(words);
            }
            if is_control { controls += 1 } else { attempts += 1 }
        }
        if mode == Openat2::Kernel
            && let Some(twin) = row.twin
        {
            let tree = Tree::new();
            (row.setup)(&tree);
            if !twin(&tree) {
                failures.push(format!("{}: the twin without the guard does not succeed, so the row proves nothing", row.id));
            }
            twins += 1;
        }
        let denies = row.attempts.iter().any(|attempt| matches!(attempt.expect, Expect::Deny | Expect::DenyOrError));
        if denies && (row.controls.is_empty() || row.twin.is_none()) {
            failures.push(format!("{}: a row that denies needs a control and a twin", row.id));
        }
    }
    println!("{group} [{mode:?}]: {} rows, {attempts} attempts, {controls} controls, {twins} twins, {} failed", rows.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(MODES.contains(&mode) && attempts > 0);
}

/// The forms of every native that takes a path, the path at `P`.
pub fn path_forms(path: &str) -> Vec<String> {
    let quoted = quote(path);
    PATH_FORMS.iter().map(|form| form.replace('P', &quoted)).collect()
}

/// Every place of every native where a path can stand; a test holds this list against the registry.
pub const PATH_FORMS: &[&str] = &[
    "prn __sys_read_file(P)",
    "prn __sys_read_dir(P)",
    "prn __sys_stat(P)",
    "prn __sys_exists(P)",
    "prn __sys_open_read(P)",
    "prn __sys_write_file(P, \"x\")",
    "prn __sys_mkdir(P)",
    "prn __sys_remove(P)",
    "prn __sys_rename(P, \"moved\")",
    "prn __sys_rename(\"a.txt\", P)",
    "prn __sys_copy(P, \"copied\")",
    "prn __sys_copy(\"a.txt\", P)",
    "prn __sys_symlink(\"a.txt\", P)",
];

/// A path as a string literal of the language.
pub fn quote(path: &str) -> String {
    let mut text = String::from("\"");
    for char in path.chars() {
        match char {
            '"' | '\\' => {
                text.push('\\');
                text.push(char);
            }
            char if (char as u32) < 0x20 || char as u32 == 0x7F => text.push_str(&format!("\\x{:02x}", char as u32)),
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
