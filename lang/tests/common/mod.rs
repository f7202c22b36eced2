//! What the compiler's tests share: a small library of names.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ilu_lang::code::disasm::disassemble;
use ilu_lang::code::program::Program;
use ilu_lang::compile::compile;
use ilu_lang::diagnostic::Diagnostic;
use ilu_lang::library::Library;
use ilu_lang::source::Source;

pub struct Names;

const BUILTINS: &[&str] = &["prn", "len", "str", "int", "typ", "try", "err", "asr", "num", "eprn"];
const NATIVES: &[&str] = &["__sys_time", "__sys_stdout"];
const MODULES: &[(&str, &[&str])] = &[("fs", &["fs", "fscwd"]), ("trl", &["trl", "trlmap"]), ("jsn", &["jsn"]), ("fss", &["fscwd"])];

fn place(names: &[&str], name: &str) -> Option<u32> {
    names.iter().position(|one| *one == name).map(|at| at as u32)
}

impl Library for Names {
    fn builtin(&self, name: &str, trusted: bool) -> Option<u32> {
        if name == "__txt_split" { trusted.then_some(100) } else { place(BUILTINS, name) }
    }
    fn native(&self, name: &str) -> Option<u32> {
        place(NATIVES, name)
    }
    fn exports(&self, module: &str) -> Option<Vec<String>> {
        let (_, names) = MODULES.iter().find(|(name, _)| *name == module)?;
        Some(names.iter().map(|&name| name.to_owned()).collect())
    }
    fn readable(&self, module: &str) -> Option<Vec<String>> {
        (module == "trl").then(|| ["map", "fil", "srt", "sum"].map(str::to_owned).to_vec())
    }
    fn modules(&self) -> Vec<String> {
        MODULES.iter().map(|&(name, _)| name.to_owned()).collect()
    }
    fn names(&self) -> Vec<String> {
        BUILTINS.iter().chain(NATIVES).map(|&name| name.to_owned()).collect()
    }
}

pub fn compiled(text: &str) -> Result<Program, Vec<Diagnostic>> {
    compile(&Source::new("test.ilu", text), &Names, false)
}

/// The code of a text that compiles.
pub fn code(text: &str) -> String {
    match compiled(text) {
        Ok(program) => disassemble(&program),
        Err(errors) => panic!("{}", report(text, &errors)),
    }
}

/// The errors of a text that does not compile, each with its place and advice.
pub fn errors(text: &str) -> String {
    match compiled(text) {
        Ok(program) => panic!("compiles:\n{}", disassemble(&program)),
        Err(errors) => report(text, &errors),
    }
}

fn report(text: &str, errors: &[Diagnostic]) -> String {
    let source = Source::new("test.ilu", text);
    let at = |offset| {
        let (line, column) = source.position(offset);
        format!("{line}:{column}")
    };
    let mut out = String::new();
    for error in errors {
        out += &format!("{} {}-{}: {}", error.code, at(error.span.start), at(error.span.end), error.message);
        if !error.label.is_empty() {
            out += &format!(" [{}]", error.label);
        }
        for (span, words) in &error.related {
            out += &format!("\n  {}: {words}", at(span.start));
        }
        if let Some(help) = &error.help {
            out += &format!("\n  help: {help}");
        }
        out.push('\n');
    }
    out
}
