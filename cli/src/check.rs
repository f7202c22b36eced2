//! `ilu check`: compiles scripts and says what is wrong with them. Nothing runs, and nothing but the named files is read.

use crate::args::Check;
use crate::exit::Exit;
use crate::report;
use crate::source;
use crate::terminal::Terminal;
use ilu::{CompileError, Engine};
use serde_json::{Value, json};

/// What was found in one file.
enum Found {
    /// Nothing wrong.
    Fine,
    /// It could not be read.
    Unread(String),
    /// It does not compile.
    Wrong(CompileError),
}

/// Runs the command.
pub fn check(args: &Check) -> Exit {
    let terminal = Terminal::new(args.output.color);
    let engine = Engine::new();
    let mut exit = Exit::Fine;
    let mut all = Vec::new();
    for path in &args.files {
        let found = look(&engine, path);
        if !matches!(found, Found::Fine) {
            exit = Exit::Usage;
        }
        if args.output.json {
            all.push(as_json(path, &found));
            continue;
        }
        match &found {
            Found::Fine => {}
            Found::Unread(message) => terminal.tell(&report::message(message, terminal.look)),
            Found::Wrong(error) => terminal.tell(&report::diagnostics(&error.source, &error.diagnostics, terminal.look)),
        }
    }
    if args.output.json && terminal.print(&format!("{}\n", Value::Array(all))) != Exit::Fine {
        return Exit::Error;
    }
    exit
}

fn look(engine: &Engine, path: &str) -> Found {
    match source::from_file(path) {
        Err(message) => Found::Unread(message),
        Ok(script) => match engine.compile(&script.name, &script.text) {
            Ok(_) => Found::Fine,
            Err(error) => Found::Wrong(error),
        },
    }
}

fn as_json(path: &str, found: &Found) -> Value {
    let errors = match found {
        Found::Fine => Vec::new(),
        Found::Unread(message) => vec![json!({"code": null, "message": message})],
        Found::Wrong(error) => report::diagnostics_as_json(&error.source, &error.diagnostics),
    };
    json!({"file": path, "errors": errors})
}
