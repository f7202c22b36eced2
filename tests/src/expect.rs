//! Scripts with the expectation beside the line.
//!
//! | written | means |
//! |---|---|
//! | `# expect: TEXT` | the next line of standard output |
//! | `# expect stderr: TEXT` | the next line of standard error that the script writes |
//! | `# expect error: TEXT` | an error that nobody catches is raised on this line; ` ... ` in TEXT stands for anything |
//! | `# expect compile error: TEXT` | the compiler reports an error on this line; several may be expected |
//! | `# case: TITLE` | a case of its own starts here; without one the file is one case |
//! | `# flags: …`, `# args: …` | flags of `ilu run`, arguments of the script |
//! | `# exit: N` | the exit code, where it is not 0, 1 after an error, 2 after a compile error |
//! | `# stderr has: TEXT`, `# stderr lacks: TEXT` | what the command line's report must and must not show |
//! | `# stdout: free` | what is printed before the end does not matter |
//! | `# via: binary` | runs through the command line |
//!
//! A case's source keeps its place in the file: what stands above it is replaced by empty lines, so that places in errors are places
//! in the file.

use std::path::{Path, PathBuf};

/// A line of the file and the text expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// From 1.
    pub line: usize,
    /// What is expected.
    pub text: String,
}

/// One script and all that is expected of it.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// The file it stands in.
    pub file: PathBuf,
    /// Its title; empty when the file is one case.
    pub title: String,
    /// The script, bytes because some are not text on purpose.
    pub source: Vec<u8>,
    /// Lines of standard output.
    pub stdout: Vec<At>,
    /// Lines of standard error written by the script.
    pub stderr: Vec<At>,
    /// The error nobody catches.
    pub error: Option<At>,
    /// What the compiler reports.
    pub compile: Vec<At>,
    /// The exit code, when it is said.
    pub exit: Option<i32>,
    /// Flags of `ilu run`.
    pub flags: Vec<String>,
    /// Arguments of the script.
    pub args: Vec<String>,
    /// What the command line's report must show.
    pub shows: Vec<String>,
    /// What it must not show.
    pub hides: Vec<String>,
    /// Whether standard output is not compared.
    pub stdout_free: bool,
    /// Whether it runs through the command line.
    pub binary: bool,
    /// What is wrong with the file itself.
    pub mistakes: Vec<At>,
}

impl Case {
    /// The exit code it must end with.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        self.exit.unwrap_or(if !self.compile.is_empty() {
            2
        } else if self.error.is_some() {
            1
        } else {
            0
        })
    }

    /// How failures name it.
    #[must_use]
    pub fn name(&self) -> String {
        let file = self.file.display();
        if self.title.is_empty() { file.to_string() } else { format!("{file} \u{201c}{}\u{201d}", self.title) }
    }

    fn expects_something(&self) -> bool {
        let lines = self.stdout.len() + self.stderr.len() + self.compile.len() + self.shows.len() + self.hides.len();
        lines > 0 || self.error.is_some() || self.exit.is_some()
    }

    /// Takes in what one line of the file says.
    fn read(&mut self, number: usize, line: &str) {
        let at = |text: &str| At { line: number, text: text.strip_prefix(' ').unwrap_or(text).to_string() };
        if let Some(directive) = line.strip_prefix("# ").and_then(|rest| rest.split_once(':')) {
            let words = || directive.1.split_whitespace().map(str::to_string).collect::<Vec<_>>();
            match directive.0 {
                "flags" => self.flags = words(),
                "args" => self.args = words(),
                "exit" => match directive.1.trim().parse() {
                    Ok(code) => self.exit = Some(code),
                    Err(_) => self.mistakes.push(at("`# exit:` takes a number")),
                },
                "via" if directive.1.trim() == "binary" => self.binary = true,
                "stdout" if directive.1.trim() == "free" => self.stdout_free = true,
                "stderr has" => self.shows.push(at(directive.1).text),
                "stderr lacks" => self.hides.push(at(directive.1).text),
                "via" | "stdout" => self.mistakes.push(at("no such directive")),
                _ => {}
            }
        }
        let Some(start) = line.find("# expect") else { return };
        let mark = line.get(start + "# expect".len()..).unwrap_or("");
        if let Some(text) = mark.strip_prefix(" compile error:") {
            self.compile.push(at(text));
        } else if let Some(text) = mark.strip_prefix(" error:") {
            if self.error.replace(at(text)).is_some() {
                self.mistakes.push(at("a script ends with its first error: only one can be expected"));
            }
        } else if let Some(text) = mark.strip_prefix(" stderr:") {
            self.stderr.push(at(text));
        } else if let Some(text) = mark.strip_prefix(':') {
            self.stdout.push(at(text));
        } else {
            self.mistakes.push(at("no such expectation"));
        }
    }
}

/// The cases of a file.
#[must_use]
pub fn cases(file: &Path, bytes: &[u8]) -> Vec<Case> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    let text_of = |line: &[u8]| String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_string();
    let starts: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].starts_with(b"# case: ")).collect();
    let first = starts.first().copied().unwrap_or(0);
    let mut head = Case { file: file.to_path_buf(), ..Case::default() };
    for (at, line) in lines.iter().enumerate().take(first) {
        let text = text_of(line);
        head.read(at + 1, &text);
        if !(text.is_empty() || text.starts_with('#')) {
            head.mistakes.push(At { line: at + 1, text: "code above the first case belongs to none".into() });
        }
    }
    let bounds: Vec<usize> = if starts.is_empty() { vec![0] } else { starts.clone() };
    let mut found = Vec::new();
    for (index, &from) in bounds.iter().enumerate() {
        let to = bounds.get(index + 1).copied().unwrap_or(lines.len());
        let mut case = head.clone();
        if !starts.is_empty() {
            case.title = text_of(lines[from]).trim_start_matches("# case: ").to_string();
        }
        case.source = b"\n".repeat(from);
        for (at, line) in lines.iter().enumerate().take(to).skip(from) {
            case.source.extend_from_slice(line);
            case.read(at + 1, &text_of(line));
        }
        if !case.expects_something() {
            case.mistakes.push(At { line: from + 1, text: "a case that expects nothing proves nothing".into() });
        }
        found.push(case);
    }
    found
}

/// Whether a message is what was expected: it holds the parts between ` ... ` in their order.
#[must_use]
pub fn fits(message: &str, expected: &str) -> bool {
    let mut rest = message;
    expected.split(" ... ").all(|part| {
        let found = rest.find(part.trim());
        rest = found.and_then(|at| rest.get(at + part.trim().len()..)).unwrap_or("");
        found.is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Case {
        let mut found = cases(Path::new("x.ilu"), text.as_bytes());
        assert_eq!(found.len(), 1);
        found.remove(0)
    }
    fn at(line: usize, text: &str) -> At {
        At { line, text: text.into() }
    }

    #[test]
    fn expectations_are_read_with_their_lines() {
        let case = one("# head\nprn 1  # expect: 1\nprn \"\"  # expect:\neprn 2 # expect stderr: 2\nx.y # expect error: nil ... y\n");
        assert_eq!(case.stdout, [at(2, "1"), at(3, "")]);
        assert_eq!(case.stderr, [at(4, "2")]);
        assert_eq!(case.error, Some(at(5, "nil ... y")));
        assert_eq!(case.exit_code(), 1);
        assert_eq!(case.mistakes, []);
    }

    #[test]
    fn compile_errors_may_be_several() {
        let case = one("a # expect compile error: a\nb # expect compile error: b\n");
        assert_eq!(case.compile, [at(1, "a"), at(2, "b")]);
        assert_eq!(case.exit_code(), 2);
    }

    #[test]
    fn sections_keep_their_lines_and_share_the_head() {
        let text = "# title\n# flags: --fuel 10\n\n# case: one\nprn 1 # expect: 1\n# case: two\nprn 2 # expect: 2\n";
        let found = cases(Path::new("x.ilu"), text.as_bytes());
        assert_eq!(found.iter().map(|case| case.title.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(found[1].source, b"\n\n\n\n\n# case: two\nprn 2 # expect: 2\n");
        assert_eq!(found[1].stdout, [at(7, "2")]);
        assert_eq!(found[1].flags, ["--fuel", "10"]);
    }

    #[test]
    fn directives_are_read() {
        let case = one("# args: a b\n# exit: 4\n# via: binary\n# stderr has: x: y\n# stderr lacks: z\n# stdout: free\n");
        assert_eq!(case.args, ["a", "b"]);
        assert_eq!((case.exit, case.binary, case.stdout_free), (Some(4), true, true));
        assert_eq!((case.shows, case.hides), (vec!["x: y".to_string()], vec!["z".to_string()]));
    }

    #[test]
    fn mistakes_in_a_case_are_mistakes() {
        assert_eq!(one("prn 1 # expects: 1\n").mistakes.len(), 2, "a misspelt mark, and so nothing is expected");
        assert_eq!(one("prn 1\n").mistakes.len(), 1, "nothing expected");
        assert_eq!(one("a # expect error: a\nb # expect error: b\n").mistakes.len(), 1, "two uncaught errors");
        assert_eq!(one("# exit: four\n# expect: x\n").mistakes.len(), 1, "no number");
        let found = cases(Path::new("x.ilu"), b"prn 1 # expect: 1\n# case: a\nprn 2 # expect: 2\n");
        assert_eq!(found[0].mistakes.len(), 1, "code above the first case");
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        let found = cases(Path::new("x.ilu"), b"# exit: 2\nprn \"\xff\"\n");
        assert_eq!(found[0].source, b"# exit: 2\nprn \"\xff\"\n");
    }

    #[test]
    fn a_message_fits_by_its_parts_in_order() {
        assert!(fits("add takes 2 arguments, got 1", "add ... 2 ... 1"));
        assert!(!fits("add takes 1 argument, got 2", "add ... 2 ... 1"));
        assert!(fits("anything", ""));
        assert!(!fits("index 5, length 2", "5 ... 3"));
    }
}
