//! The commands of the prompt: a colon and a word. They are the operator's: nothing that a script prints or does can give one.

/// A command.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name, without the colon.
    pub name: &'static str,
    /// What stands behind it.
    pub takes: &'static str,
    /// What it does.
    pub doc: &'static str,
}

const fn row(name: &'static str, takes: &'static str, doc: &'static str) -> Row {
    Row { name, takes, doc }
}

/// All of them, by name.
pub const COMMANDS: [Row; 10] = [
    row("audit", "[N]", "the newest decisions about natives, 20 or N of them"),
    row("caps", "", "what the session may touch: natives, directories, variables, network rules, budgets"),
    row("drop", "WHAT", "takes natives, bundles, --dir GUEST, --env NAME, --net RULE or `all` back; sandboxes made before end"),
    row("grant", "WHAT", "adds natives, bundles or grant flags: `:grant capio --dir data:/in`; sandboxes made before end"),
    row("help", "", "this"),
    row("load", "FILE", "runs a file as an input: its names are the session's then"),
    row("quit", "", "ends the session; so does Ctrl-D"),
    row("reset", "", "forgets all names, and has the grants of the start again"),
    row("time", "INPUT", "evaluates and says how long it took and what fuel"),
    row("used", "", "what the last input used of each budget"),
];

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Input<'t> {
    /// Nothing.
    Nothing,
    /// `?name`
    Ask(&'t str),
    /// `:name rest`
    Command(&'static str, &'t str),
    /// A colon and something that is no command.
    Unknown(&'t str),
    /// Text of the language.
    Text(&'t str),
}

/// What an input is.
#[must_use]
pub fn input(text: &str) -> Input<'_> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Input::Nothing;
    }
    if let Some(name) = trimmed.strip_prefix('?') {
        return Input::Ask(name.trim());
    }
    let Some(command) = trimmed.strip_prefix(':') else { return Input::Text(text) };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    match COMMANDS.iter().find(|row| row.name == name) {
        Some(row) => Input::Command(row.name, rest.trim()),
        None => Input::Unknown(name),
    }
}

/// What `:help` shows.
#[must_use]
pub fn help() -> String {
    let heads = COMMANDS.iter().map(|row| format!(":{} {}", row.name, row.takes).trim_end().to_owned());
    let rows: Vec<(String, &str)> = heads
        .zip(COMMANDS.iter().map(|row| row.doc))
        .chain([("?NAME".to_owned(), "what a name is: `?trl.map`, `?prn`, `?__sys_time`, `?capde`")])
        .collect();
    let width = rows.iter().map(|(head, _)| head.len()).max().unwrap_or(0);
    let mut out: String = rows.iter().map(|(head, doc)| format!("{head:width$}  {doc}\n")).collect();
    out.push_str(
        "A block ends with a blank line. Tab completes, Ctrl-R searches what was typed, Ctrl-C ends what runs, Ctrl-D ends the session.\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_or_a_question_mark_in_front_is_no_text() {
        assert_eq!(input("  "), Input::Nothing);
        assert_eq!(input("x = 1\n"), Input::Text("x = 1\n"));
        assert_eq!(input("?trl.map "), Input::Ask("trl.map"));
        assert_eq!(input(":grant  capio --dir a"), Input::Command("grant", "capio --dir a"));
        assert_eq!(input(":used"), Input::Command("used", ""));
        assert_eq!(input(":grants x"), Input::Unknown("grants"));
        assert_eq!(input(":"), Input::Unknown(""));
    }

    #[test]
    fn commands_are_in_order_and_helped_with() {
        assert!(COMMANDS.is_sorted_by_key(|row| row.name));
        let help = help();
        assert!(COMMANDS.iter().all(|row| help.contains(&format!(":{}", row.name))));
    }
}
