//! `ilu completions` and `ilu man`: what shells and `man` need to know of the command, made from its own definition.

use crate::args::{Cli, Completions, Man};
use crate::exit::Exit;
use crate::terminal::Terminal;
use clap::{Command, CommandFactory};
use ilu_lang::diagnostic::codes;

/// Prints what completes the command's words in a shell.
pub fn completions(args: &Completions, terminal: &Terminal) -> Exit {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ilu", &mut out);
    terminal.print(&String::from_utf8_lossy(&out))
}

/// Prints a manual page.
pub fn man(args: &Man, terminal: &Terminal) -> Exit {
    let mut command = Cli::command();
    command.build();
    let page = match &args.command {
        None => page(command),
        Some(name) => match command.get_subcommands().find(|one| one.get_name() == name) {
            Some(one) => page(one.clone()),
            None => {
                let known: Vec<&str> = command.get_subcommands().map(Command::get_name).filter(|name| *name != "help").collect();
                return terminal.usage(&format!("there is no command {name:?}: the commands are {}", known.join(", ")));
            }
        },
    };
    match page {
        Ok(page) => terminal.print(&page),
        Err(error) => terminal.fail(codes::COMMAND_LINE, &error.to_string(), Exit::Error),
    }
}

fn page(command: Command) -> std::io::Result<String> {
    let mut out = Vec::new();
    clap_mangen::Man::new(command).render(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_examples() {
        let mut command = Cli::command();
        command.build();
        for one in command.get_subcommands().filter(|one| one.get_name() != "help") {
            let text = page(one.clone()).unwrap();
            assert!(text.contains(".SH SYNOPSIS") && text.contains(".SH DESCRIPTION"), "{}", one.get_name());
            let has_examples = one.get_after_help().is_some_and(|help| help.to_string().contains("Examples:"));
            assert_eq!(text.contains("Examples:"), has_examples, "{}", one.get_name());
        }
        assert!(page(command).unwrap().contains("Exit codes"));
    }
}
