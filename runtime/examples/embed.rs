//! The smallest host: compiles the file named on the command line and runs it with the standard streams and the clock, nothing else.
//!
//! `cargo run -p ilu --example embed -- FILE`

use ilu::{Engine, Setup, host};
use ilu_sbx::Grants;
use std::process::ExitCode;

fn main() -> ExitCode {
    #[allow(clippy::disallowed_methods, reason = "an example's own command line")]
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: embed FILE");
        return ExitCode::from(2);
    };
    let (text, folder) = match host::read_script(&path) {
        Ok(script) => script,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let engine = Engine::new();
    let program = match engine.compile(path, text) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let caps = ilu_cap::parse_list("capio,captm").unwrap_or_default();
    let mut setup = Setup::new(Grants { caps, ..Grants::default() }, Box::new(host::Process::default()));
    setup.loader = folder.map(|folder| -> Box<dyn ilu::Loader> { Box::new(folder) });
    match engine.run(&program, setup).result {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.message);
            for row in &error.trace.rows {
                let (line, column) = row.position();
                eprintln!("  at {} ({}:{line}:{column})", row.function, row.source.name);
            }
            ExitCode::from(error.exit_code())
        }
    }
}
