//! `ilu check`: compiles scripts and says what is wrong with them and what is probably not meant, and with `--caps` which natives they can reach.
//! Nothing runs. Nothing but the named files is read, and with `--caps` the modules of their own folders that they use.

use crate::args::Check;
use crate::code;
use crate::exit::Exit;
use crate::report;
use crate::report::clean::clean;
use crate::source;
use crate::terminal::Terminal;
use ilu::host::edit;
use ilu::lint::{fixed, lint};
use ilu::reach::{self, Reach, Step};
use ilu::{CompileError, Engine, Loader};
use ilu_lang::diagnostic::{Diagnostic, codes};
use ilu_lang::source::Source;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;

/// A text and the warnings about it.
struct Warned {
    source: Arc<Source>,
    warnings: Vec<Diagnostic>,
}

/// What was found in one file.
enum Found {
    /// Nothing wrong; what is probably not meant; what it can reach, when that was asked for.
    Fine(Warned, Option<Reach>),
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
        if args.fix {
            match fix(&engine, path, &terminal, args.output.json) {
                Exit::Fine => {}
                other => exit = other,
            }
            // What goes to standard output is the script, and it is not read twice.
            if path == "-" {
                continue;
            }
        }
        let found = look(&engine, path, args.caps);
        if !matches!(found, Found::Fine(..)) {
            exit = Exit::Usage;
        }
        if args.output.json {
            all.push(as_json(path, &found));
            continue;
        }
        match &found {
            Found::Fine(warned, reach) => {
                if !warned.warnings.is_empty() {
                    terminal.tell(&report::diagnostics(&warned.source, &warned.warnings, terminal.look));
                }
                if let Some(reach) = reach
                    && terminal.print(&reach_as_text(path, reach)) != Exit::Fine
                {
                    return Exit::Error;
                }
            }
            Found::Unread(message) => terminal.tell(&report::message(code::of_usage(message), message, terminal.look)),
            Found::Wrong(error) => terminal.tell(&report::diagnostics(&error.source, &error.diagnostics, terminal.look)),
        }
    }
    if args.output.json && terminal.print(&format!("{}\n", Value::Array(all))) != Exit::Fine {
        return Exit::Error;
    }
    exit
}

/// Writes a script again with everything put right that can be. What can't be read or does not compile is left to be told of.
fn fix(engine: &Engine, path: &str, terminal: &Terminal, json: bool) -> Exit {
    let script = match source::from_file(path) {
        Ok(script) => script,
        Err(message) if path == "-" => return terminal.usage(&message),
        Err(_) => return Exit::Fine,
    };
    let source = Source::new(&script.name, &script.text);
    let (text, count) = fixed(engine, &source);
    if path == "-" {
        return terminal.print(&text);
    }
    if count == 0 {
        return Exit::Fine;
    }
    if let Err(error) = edit::replace(path, &text) {
        return terminal.fail(codes::CANNOT_WRITE, &error.to_string(), Exit::Error);
    }
    if !json {
        terminal.tell(&format!("{}: put right in {count} place{}", clean(path), if count == 1 { "" } else { "s" }));
    }
    Exit::Fine
}

fn look(engine: &Engine, path: &str, caps: bool) -> Found {
    let script = match source::from_file(path) {
        Err(message) => return Found::Unread(message),
        Ok(script) => script,
    };
    let program = match engine.compile(&script.name, &script.text) {
        Err(error) => return Found::Wrong(error),
        Ok(program) => program,
    };
    let source = Arc::clone(&program.source);
    let warned = Warned { warnings: lint(engine, &source).into_iter().map(|warning| warning.diagnostic).collect(), source };
    if !caps {
        return Found::Fine(warned, None);
    }
    let mut folder = script.folder;
    Found::Fine(warned, Some(reach::reach(engine, &program, folder.as_mut().map(|folder| folder as &mut dyn Loader))))
}

/// One native per line, under it a way to it.
fn reach_as_text(path: &str, reach: &Reach) -> String {
    let mut out = String::new();
    let path = clean(path);
    let _ = match reach.natives.len() {
        0 => writeln!(out, "{path} reaches no native"),
        1 => writeln!(out, "{path} can reach 1 native"),
        many => writeln!(out, "{path} can reach {many} natives"),
    };
    for reached in &reach.natives {
        let row = reached.native.row();
        let _ = writeln!(out, "  {} ({})\n    {}", row.name, row.class.text(), way(&reached.path));
    }
    if !reach.unknown.is_empty() {
        let _ = writeln!(out, "cannot tell what else runs, in {} of its places", reach.unknown.len());
    }
    for unknown in &reach.unknown {
        let _ = writeln!(out, "  {}\n    {}", clean(&unknown.why), way(&unknown.path));
    }
    out
}

fn way(path: &[Step]) -> String {
    let step = |step: &Step| format!("{} ({}:{})", clean(&step.function), clean(&step.file), step.line);
    path.iter().map(step).collect::<Vec<_>>().join(" > ")
}

fn as_json(path: &str, found: &Found) -> Value {
    let errors = match found {
        Found::Fine(warned, reach) => {
            let warnings = report::diagnostics_as_json(&warned.source, &warned.warnings);
            let mut object = json!({"file": path, "errors": [], "warnings": warnings});
            if let Some(reach) = reach {
                object["caps"] = reach_as_json(reach);
            }
            return object;
        }
        Found::Unread(message) => vec![json!({"code": code::of_usage(message), "message": message})],
        Found::Wrong(error) => report::diagnostics_as_json(&error.source, &error.diagnostics),
    };
    json!({"file": path, "errors": errors, "warnings": []})
}

fn reach_as_json(reach: &Reach) -> Value {
    let path = |path: &[Step]| -> Value {
        path.iter().map(|step| json!({"function": step.function, "file": step.file, "line": step.line})).collect()
    };
    let native = |reached: &reach::Reached| {
        let row = reached.native.row();
        json!({"native": row.name, "class": row.class.text(), "path": path(&reached.path)})
    };
    let natives: Vec<Value> = reach.natives.iter().map(native).collect();
    let unknown: Vec<Value> = reach.unknown.iter().map(|unknown| json!({"why": unknown.why, "path": path(&unknown.path)})).collect();
    json!({"natives": natives, "unknown": unknown})
}
