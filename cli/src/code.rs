//! The codes of what the command line itself says, and the page of every code: `ilu explain E0012`.
//!
//! What is wrong with the command line is found in many places and told as text, which names the flag or the file; the code follows from how that begins.

use crate::args::OutputFlags;
use crate::exit::Exit;
use crate::terminal::Terminal;
use ilu_lang::diagnostic::codes;
use ilu_lang::similar::nearest;
use serde_json::json;

/// How a message begins, and its code. The first that fits decides.
const BEGINS: &[(&str, &str)] = &[
    ("--config", codes::PROFILE),
    ("--profile", codes::PROFILE),
    ("--pol", codes::NET_POLICY),
    ("at most ", codes::NET_POLICY),
    ("--audit", codes::RECORD),
    ("--report", codes::RECORD),
    ("--wall", codes::COMMAND_LINE),
    ("--", codes::CANNOT_GRANT),
    ("unknown ", codes::UNKNOWN_NATIVE),
    ("there is no code ", codes::UNKNOWN_NATIVE),
    ("there is no file whose ", codes::NOTHING_TO_DO),
    ("no test has ", codes::NOTHING_TO_DO),
    ("no function here has ", codes::NOTHING_TO_DO),
    ("give ", codes::COMMAND_LINE),
    ("`in` ", codes::COMMAND_LINE),
];

/// What the system, or the reader of a file, says at the end of a message about a file.
const OF_FILES: [&str; 8] = [
    "no such file or directory",
    "permission denied",
    "is a directory",
    "not a directory",
    "UTF-8",
    "not a regular file",
    "larger than",
    "longer than",
];

/// The code of a message about the command line.
#[must_use]
pub fn of_usage(message: &str) -> &'static str {
    let about_file = || OF_FILES.iter().any(|words| message.contains(words)).then_some(codes::UNREADABLE);
    let begins = BEGINS.iter().find(|(begins, _)| message.starts_with(begins)).map(|(_, code)| *code);
    if message.contains("the most a source text can be") {
        return codes::SOURCE_TOO_LARGE;
    }
    begins.or_else(about_file).unwrap_or(codes::COMMAND_LINE)
}

/// The chapters, with a page for each code under a heading that begins with it.
const CHAPTERS: [(&str, &str); 7] = [
    ("text", include_str!("../../docs/errors/text.md")),
    ("names", include_str!("../../docs/errors/names.md")),
    ("running", include_str!("../../docs/errors/running.md")),
    ("denials", include_str!("../../docs/errors/denials.md")),
    ("budgets", include_str!("../../docs/errors/budgets.md")),
    ("command", include_str!("../../docs/errors/command.md")),
    ("warnings", include_str!("../../docs/errors/warnings.md")),
];

/// The page of a code, without its heading's sign.
#[must_use]
pub fn page(code: &str) -> Option<&'static str> {
    codes::meaning(code)?;
    let (_, chapter) = CHAPTERS.iter().find(|(name, _)| *name == codes::chapter(code))?;
    let start = chapter.find(&format!("\n## {code}: "))? + "\n## ".len();
    let rest = chapter.get(start..)?;
    rest.get(..rest.find("\n## ").unwrap_or(rest.len())).map(str::trim_end)
}

/// Whether a word can be meant as a code.
#[must_use]
pub fn is_code(word: &str) -> bool {
    word.len() == 5 && word.starts_with(['E', 'W', 'e', 'w']) && word.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// Prints the page of a code.
pub fn explain(word: &str, output: &OutputFlags) -> Exit {
    let terminal = Terminal::new(output.color);
    let code = word.to_ascii_uppercase();
    let Some(page) = page(&code) else {
        let near = nearest(&code, codes::TABLE.iter().map(|(code, _)| *code)).map(|near| format!(" (did you mean `{near}`?)"));
        let tip =
            if is_code(word) { near.unwrap_or_default() } else { "; a call is explained behind `--`: ilu explain -- NATIVE".to_owned() };
        return terminal.usage(&format!("there is no code `{word}`{tip}"));
    };
    let text = if output.json {
        format!("{}\n", json!({"code": code, "title": codes::meaning(&code), "page": page}))
    } else {
        format!("{page}\n")
    };
    terminal.print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_message_follows_from_what_it_names() {
        for (message, code) in [
            ("--dir nope: no such file or directory", codes::CANNOT_GRANT),
            ("--config x.toml: no such file or directory", codes::PROFILE),
            ("--pol x.json: no such file or directory", codes::NET_POLICY),
            ("--audit a: it lies where the script may write", codes::RECORD),
            ("missing.ilu: no such file or directory", codes::UNREADABLE),
            ("unknown capability `capx`", codes::UNKNOWN_NATIVE),
            ("no test has \"x\" in its name", codes::NOTHING_TO_DO),
            ("give a FILE, `-` or `-e SRC`", codes::COMMAND_LINE),
        ] {
            assert_eq!(of_usage(message), code, "{message}");
        }
    }

    #[test]
    fn every_code_has_a_page_that_begins_with_it_and_its_meaning() {
        for (code, meaning) in codes::TABLE {
            let page = page(code).unwrap_or_else(|| panic!("{code} has no page in docs/errors/{}.md", codes::chapter(code)));
            let title = format!("{code}: {}", meaning.trim_end_matches('.'));
            assert_eq!(page.lines().next(), Some(title.as_str()));
            assert!(page.contains("\n\n"), "{code}: the page is empty");
        }
        assert_eq!(page("E9999"), None);
    }

    #[test]
    fn every_page_is_of_a_code() {
        for (name, chapter) in CHAPTERS {
            for heading in chapter.lines().filter_map(|line| line.strip_prefix("## ")) {
                let code = heading.split(':').next().unwrap_or_default();
                assert!(codes::meaning(code).is_some() && codes::chapter(code) == name, "docs/errors/{name}.md: {heading}");
            }
        }
    }
}
