//! `ilu fmt`: writes scripts in the one formatting, or says which are not in it. A script that does not parse is left as it is.

use crate::args::Fmt;
use crate::exit::Exit;
use crate::report;
use crate::report::clean::clean;
use crate::source;
use crate::terminal::Terminal;
use ilu::host::edit;
use ilu_lang::diagnostic::codes;
use ilu_lang::format::{Unformatted, format};
use ilu_lang::source::Source;

/// Runs the command: 0 when all is formatted, 1 when `--check` found what is not, 2 when something could not be read or does not parse.
pub fn fmt(args: &Fmt) -> Exit {
    let terminal = Terminal::new(args.color);
    let mut worst = Exit::Fine;
    for named in &args.files {
        let scripts = match edit::scripts(named) {
            Ok(scripts) => scripts,
            Err(error) => {
                worst = terminal.usage(&error.to_string());
                continue;
            }
        };
        for path in scripts {
            let exit = one(&path, args.check, &terminal);
            worst = worse(worst, exit);
        }
    }
    worst
}

fn one(path: &str, check: bool, terminal: &Terminal) -> Exit {
    let script = match source::from_file(path) {
        Ok(script) => script,
        Err(message) => return terminal.usage(&message),
    };
    let source = Source::new(&script.name, &script.text);
    let formatted = match format(&source) {
        Ok(formatted) => formatted,
        Err(Unformatted::Wrong(wrong)) => {
            terminal.tell(&report::diagnostics(&source, &wrong, terminal.look));
            return Exit::Usage;
        }
        Err(Unformatted::Unsafe) => {
            let words =
                format!("{}: formatting would change what this script means, so it was left as it is; that is a bug of ilu's", clean(path));
            return terminal.fail(codes::DEFECT, &words, Exit::Bug);
        }
    };
    let changed = formatted != script.text;
    match (check, path) {
        (true, _) if changed => match terminal.print(&format!("{}\n", clean(path))) {
            Exit::Fine => Exit::Error,
            other => other,
        },
        (false, "-") => terminal.print(&formatted),
        (false, _) if changed => match edit::replace(path, &formatted) {
            Ok(()) => Exit::Fine,
            Err(error) => terminal.fail(codes::CANNOT_WRITE, &error.to_string(), Exit::Error),
        },
        _ => Exit::Fine,
    }
}

/// The worse of two: a bug, then what could not be read, then what is not formatted.
fn worse(a: Exit, b: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Bug => 3,
        Exit::Usage => 2,
        Exit::Fine => 0,
        _ => 1,
    };
    if rank(b) > rank(a) { b } else { a }
}
