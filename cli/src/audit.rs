//! `ilu audit verify`: checks the chain of an audit file and says where it is broken first.

use crate::args::Verify;
use crate::exit::Exit;
use crate::report::clean::clean;
use crate::report::data::one_line;
use crate::terminal::Terminal;
use ilu::host;
use ilu_lang::diagnostic::codes;
use ilu_sbx::chain::{self, Verified};
use serde_json::{Value, json};

/// Runs the command: 0 for a whole record, 1 for a broken one, 2 for one that can't be read.
pub fn verify(args: &Verify) -> Exit {
    let terminal = Terminal::new(args.output.color);
    let verified = host::open_record(&args.file)
        .map_err(|error| error.to_string())
        .and_then(|mut file| chain::verify(&mut file).map_err(|error| format!("{}: {error}", args.file)));
    let verified = match verified {
        Ok(verified) => verified,
        Err(message) if args.output.json => return tell(&terminal, &json!({"file": args.file, "error": message}), Exit::Usage),
        Err(message) => return terminal.usage(&message),
    };
    match verified {
        Verified::Whole { events, head } => match &args.head {
            Some(noted) if !noted.eq_ignore_ascii_case(&head) => {
                let message = "the record is whole, and is not the one whose head was noted: it was written anew";
                broken(args, &terminal, Value::Null, "replaced", message)
            }
            _ if args.output.json => {
                tell(&terminal, &json!({"file": args.file, "whole": true, "events": events, "head": head}), Exit::Fine)
            }
            _ => {
                let s = if events == 1 { "" } else { "s" };
                terminal.print(&format!("{}: whole, {events} event{s}, head {head}\n", clean(&args.file)))
            }
        },
        Verified::Broken(at) => broken(args, &terminal, json!(at.line), at.how.text(), &at.message),
    }
}

fn broken(args: &Verify, terminal: &Terminal, line: Value, how: &str, message: &str) -> Exit {
    if args.output.json {
        return tell(terminal, &json!({"file": args.file, "whole": false, "line": line, "how": how, "message": message}), Exit::Error);
    }
    terminal.fail(codes::RECORD, &format!("{}: {message}", args.file), Exit::Error)
}

fn tell(terminal: &Terminal, told: &Value, exit: Exit) -> Exit {
    match terminal.print(&format!("{}\n", one_line(told))) {
        Exit::Fine => exit,
        other => other,
    }
}
