//! What the Tab key offers: names of the session, fields of what they stand for, modules, natives (those held first), commands and grants.

use super::command::COMMANDS;
use ilu_lang::highlight::{Class, pieces};

/// Words that begin or join statements.
const KEYWORDS: [&str; 15] = ["and", "brk", "cnt", "def", "fls", "if", "mat", "nil", "not", "or", "ret", "tru", "use", "whl", "as"];
/// Flags that `:grant` takes.
pub const GRANT_FLAGS: [&str; 10] = ["--depth", "--dir", "--env", "--fuel", "--mem", "--net", "--out", "--pol", "--secret", "--time"];
/// Flags that `:drop` takes.
pub const DROP_FLAGS: [&str; 5] = ["--dir", "--env", "--net", "--pol", "--secret"];
/// Most that is offered.
const MAX_OFFERED: usize = 300;

/// What there is to complete with.
pub trait World {
    /// Names that have a value, the newest last.
    fn names(&self) -> Vec<String>;
    /// The fields of what a name with dots stands for.
    fn fields(&self, path: &[&str]) -> Vec<String>;
    /// Builtins.
    fn builtins(&self) -> Vec<String>;
    /// Modules of the library.
    fn modules(&self) -> Vec<String>;
    /// Natives that are held, and those that are not.
    fn natives(&self) -> (Vec<String>, Vec<String>);
    /// Bundles of natives.
    fn bundles(&self) -> Vec<String>;
}

/// One offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What takes the place of what was typed.
    pub text: String,
    /// What the list shows.
    pub shown: String,
}

/// Where what is completed begins, and what is offered for it.
#[must_use]
pub fn complete(line: &str, pos: usize, world: &dyn World) -> (usize, Vec<Offer>) {
    let Some(before) = line.get(..pos) else { return (pos, Vec::new()) };
    let head = before.trim_start();
    if let Some(command) = head.strip_prefix(':') {
        return in_command(command, pos, world);
    }
    let asks = head.starts_with('?');
    let code_at = if asks { pos - head.len() + 1 } else { 0 };
    let code = before.get(code_at..).unwrap_or_default();
    if in_text(code) {
        return (pos, Vec::new());
    }
    let start = code_at + word_start(code);
    let word = before.get(start..).unwrap_or_default();
    let ahead = code.get(..start - code_at).unwrap_or_default().trim_end();
    if let Some((path, last)) = word.rsplit_once('.') {
        let at = pos - last.len();
        let path: Vec<&str> = path.split('.').map(|part| part.trim_end_matches('?')).collect();
        return (at, matching(last, world.fields(&path), ""));
    }
    // `x = (…).fi`: what stands before the dot is not a name.
    if ahead.ends_with('.') && !ahead.ends_with("..") {
        return (pos, Vec::new());
    }
    if ahead == "use" || ahead.ends_with("\nuse") || ahead.ends_with(" use") {
        return (start, matching(word, world.modules(), ""));
    }
    (start, plain(word, asks, world))
}

/// A name that stands alone.
fn plain(word: &str, asks: bool, world: &dyn World) -> Vec<Offer> {
    if word.is_empty() && !asks {
        return Vec::new();
    }
    let (held, others) = world.natives();
    let mut names = world.names();
    names.sort();
    let mut offers = matching(word, names, "");
    offers.extend(matching(word, world.builtins(), ""));
    if asks {
        offers.extend(matching(word, world.modules(), ""));
        offers.extend(matching(word, world.bundles(), ""));
    } else {
        offers.extend(matching(word, KEYWORDS.map(str::to_owned).to_vec(), ""));
    }
    offers.extend(matching(word, held, ""));
    offers.extend(matching(word, others, " (not held)"));
    let mut seen = std::collections::HashSet::new();
    offers.retain(|offer| seen.insert(offer.text.clone()));
    offers.truncate(MAX_OFFERED);
    offers
}

/// A command, or what stands behind it.
fn in_command(command: &str, pos: usize, world: &dyn World) -> (usize, Vec<Offer>) {
    let Some((name, rest)) = command.split_once(' ') else {
        let names = COMMANDS.iter().map(|row| row.name.to_owned()).collect();
        return (pos - command.len(), matching(command, names, ""));
    };
    let flags = match name {
        "grant" => &GRANT_FLAGS[..],
        "drop" => &DROP_FLAGS[..],
        "time" => return complete_within(rest, pos, world),
        _ => return (pos, Vec::new()),
    };
    let word = rest.rsplit([' ', ',']).next().unwrap_or_default();
    let start = pos - word.len();
    if word.starts_with('-') {
        return (start, matching(word, flags.iter().map(|&flag| flag.to_owned()).collect(), ""));
    }
    let (held, others) = world.natives();
    let (first, second) = if name == "grant" { (others, Vec::new()) } else { (held, Vec::new()) };
    let mut offers = matching(word, world.bundles(), "");
    offers.extend(matching(word, first, ""));
    offers.extend(matching(word, second, ""));
    (start, offers)
}

fn complete_within(rest: &str, pos: usize, world: &dyn World) -> (usize, Vec<Offer>) {
    let (start, offers) = complete(rest, rest.len(), world);
    (pos - rest.len() + start, offers)
}

fn matching(word: &str, names: Vec<String>, note: &str) -> Vec<Offer> {
    let hidden = |name: &str| name.starts_with('_') && !word.starts_with('_');
    let fits = names.into_iter().filter(|name| name.starts_with(word) && !hidden(name));
    fits.take(MAX_OFFERED).map(|text| Offer { shown: format!("{text}{note}"), text }).collect()
}

/// Where the name with dots begins that ends the text.
fn word_start(code: &str) -> usize {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '?';
    let mut start =
        code.rfind(|c| !part(c)).map_or(0, |at| at + code.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    // `1..x`: a range's end is not a field. `?name` asks, and `a?.b` is a field.
    while let Some(rest) = code.get(start..) {
        if let Some(at) = rest.rfind("..") {
            start += at + 2;
        } else if rest.starts_with(['?', '.']) {
            start += 1;
        } else {
            break;
        }
    }
    start
}

/// Does a text end in a string or a comment?
fn in_text(code: &str) -> bool {
    let Some((span, class)) = pieces(code).last().copied() else { return false };
    let (start, end) = (span.start as usize, span.end as usize);
    let text = code.get(start..end).unwrap_or_default();
    match class {
        Class::Comment => end == code.len(),
        // One that is closed ends with the sign it began with; `{` opens an expression.
        Class::Text => end == code.len() && !text.ends_with('{') && !(text.len() > 1 && text.ends_with(['"', '\''])),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Small;

    impl World for Small {
        fn names(&self) -> Vec<String> {
            ["total", "trl", "cfg", "_own"].map(str::to_owned).to_vec()
        }
        fn fields(&self, path: &[&str]) -> Vec<String> {
            match path {
                ["cfg"] => vec!["host".into(), "home".into(), "net".into()],
                ["cfg", "net"] => vec!["port".into()],
                ["trl"] => vec!["map".into(), "max".into()],
                _ => Vec::new(),
            }
        }
        fn builtins(&self) -> Vec<String> {
            vec!["prn".into(), "try".into(), "typ".into()]
        }
        fn modules(&self) -> Vec<String> {
            vec!["tim".into(), "trl".into(), "txt".into()]
        }
        fn natives(&self) -> (Vec<String>, Vec<String>) {
            (vec!["__sys_time".into()], vec!["__sys_stat".into(), "__sys_stdin".into()])
        }
        fn bundles(&self) -> Vec<String> {
            vec!["capde".into(), "capio".into()]
        }
    }

    /// What is offered where the line has a `|`, with what it takes the place of.
    fn at(line: &str) -> (String, Vec<String>) {
        let pos = line.find('^').unwrap();
        let text = line.replace('^', "");
        let (start, offers) = complete(&text, pos, &Small);
        (text[start..pos].to_owned(), offers.into_iter().map(|offer| offer.shown).collect())
    }

    #[test]
    fn names_fields_modules_natives_and_commands_are_offered_where_they_can_stand() {
        let rows: [(&str, &str, &[&str]); 22] = [
            ("to^", "to", &["total"]),
            ("x = t^", "t", &["total", "trl", "try", "typ", "tru"]),
            ("cfg.h^", "h", &["host", "home"]),
            ("prn cfg.net.^", "", &["port"]),
            ("cfg?.net?.p^", "p", &["port"]),
            ("trl.ma^(1)", "ma", &["map", "max"]),
            ("1..to^", "to", &["total"]),
            ("use t^", "t", &["tim", "trl", "txt"]),
            ("f(x) =\n    use t^", "t", &["tim", "trl", "txt"]),
            ("__sys_^", "__sys_", &["__sys_time", "__sys_stat (not held)", "__sys_stdin (not held)"]),
            ("_o^", "_o", &["_own"]),
            ("^", "", &[]),
            ("f(x).na^", "", &[]),
            ("\"to^", "", &[]),
            ("# to^", "", &[]),
            ("\"a\" + to^", "to", &["total"]),
            ("$\"a {to^", "to", &["total"]),
            (":^", "", &["audit", "caps", "drop", "grant", "help", "load", "quit", "reset", "time", "used"]),
            (":gr^", "gr", &["grant"]),
            (":grant --d^", "--d", &["--depth", "--dir"]),
            (":grant capio,__sys_std^", "__sys_std", &["__sys_stdin"]),
            ("?t^", "t", &["total", "trl", "try", "typ", "tim", "txt"]),
        ];
        for (line, word, offered) in rows {
            let (over, shown) = at(line);
            assert_eq!(
                (over.as_str(), shown.as_slice()),
                (word, &offered.iter().map(|o| (*o).to_owned()).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
        assert_eq!(at(":drop __sys_t^").1, ["__sys_time"]);
        assert_eq!(at(":time cfg.ho^"), ("ho".to_owned(), vec!["host".to_owned(), "home".to_owned()]));
        assert_eq!(at("?trl.m^").1, ["map", "max"]);
    }

    #[test]
    fn no_line_and_no_place_break_it() {
        for line in ["é.x", "..", "?.", "a?.", ":", ": ", ":grant é", "?", "? ", "$\"{", "世界.a", "\"", "'", "a..b..", ".", "1.5.x"] {
            for pos in 0..=line.len() + 1 {
                let (start, _) = complete(line, pos, &Small);
                assert!(start <= pos, "{line} {pos}");
            }
        }
    }
}
