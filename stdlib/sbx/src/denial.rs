//! A denial and how it reads.

use crate::limits::MAX_SUBJECT;
use std::fmt;

/// Which rule refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The native is not among the sandbox's capabilities.
    NotHeld,
    /// What the call would do is the work of another native, which is not held.
    NotHeldToo(&'static str),
    /// The sandbox, or one it was made under, was revoked.
    Revoked,
    /// The sandbox may call the native on other subjects only.
    Bound,
    /// No directory grant covers the path.
    NoGrant,
    /// The path starts in this grant and leads out of it.
    LeadsOut(String),
    /// This grant is read-only.
    ReadOnly(String),
    /// This grant is write-only.
    WriteOnly(String),
    /// The path is on a special filesystem of this kind.
    Special(&'static str),
    /// A link would have an absolute target.
    AbsoluteLink,
    /// The environment variable is not granted.
    NoVariable,
    /// The program is not granted.
    NoProgram,
    /// The secret is not granted.
    NoSecret,
    /// The secret of this name is bound to other hosts.
    SecretElsewhere(String),
    /// No network rule allows the connection.
    NoConnection,
    /// This network rule denies it.
    NetDenied(String),
    /// The address is special in this way, and no rule names it.
    SpecialAddress(String),
    /// The name leads to such an address.
    LeadsToSpecial(String),
    /// The address stands for nobody, or for many.
    NobodyThere,
    /// What was granted for a time, or for so many uses, has ended: how.
    LeaseOver(String),
    /// A sandbox is revoked by itself or by one that it was made under, and by no other.
    NotAbove,
    /// The audit record can't be written.
    AuditBroken,
}

impl Rule {
    /// The rule in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Rule::NotHeld => "the sandbox does not hold this capability".to_owned(),
            Rule::NotHeldToo(native) => format!("this also needs {native}, which the sandbox does not hold"),
            Rule::Revoked => "the sandbox was revoked".to_owned(),
            Rule::Bound => "the sandbox holds this capability for other subjects only".to_owned(),
            Rule::NoGrant => "no directory grant covers this path".to_owned(),
            Rule::LeadsOut(guest) => format!("the path leads out of the grant of {guest}"),
            Rule::ReadOnly(guest) => format!("the grant of {guest} is read-only"),
            Rule::WriteOnly(guest) => format!("the grant of {guest} is write-only"),
            Rule::Special(kind) => format!("files of {kind} are never reached through a directory grant"),
            Rule::AbsoluteLink => "a link must have a relative target".to_owned(),
            Rule::NoVariable => "this environment variable is not granted".to_owned(),
            Rule::NoProgram => "this program is not granted".to_owned(),
            Rule::NoSecret => "this secret is not granted".to_owned(),
            Rule::SecretElsewhere(name) => format!("the secret {} is bound to other hosts, ports, or to TLS", escape(name, MAX_SUBJECT)),
            Rule::NoConnection => "no network rule allows it".to_owned(),
            Rule::NetDenied(rule) => format!("the network rule {rule} denies it"),
            Rule::SpecialAddress(what) => format!("the address is special ({what}), and no network rule names it"),
            Rule::LeadsToSpecial(what) => format!("the name leads to a special address ({what}), which names never reach"),
            Rule::NobodyThere => "the address stands for no single host, so nothing connects to it".to_owned(),
            Rule::LeaseOver(how) => format!("it was granted for a limited use, and {how}"),
            Rule::NotAbove => "a sandbox can only be revoked by itself and by those it was made under".to_owned(),
            Rule::AuditBroken => "the audit record can't be written, so nothing more is allowed".to_owned(),
        }
    }

    /// A word for it that programs can rely on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Rule::NotHeld => "not-held",
            Rule::NotHeldToo(_) => "not-held-too",
            Rule::Revoked => "revoked",
            Rule::Bound => "bound",
            Rule::NoGrant => "no-grant",
            Rule::LeadsOut(_) => "leads-out",
            Rule::ReadOnly(_) => "read-only",
            Rule::WriteOnly(_) => "write-only",
            Rule::Special(_) => "special-filesystem",
            Rule::AbsoluteLink => "absolute-link",
            Rule::NoVariable => "no-variable",
            Rule::NoProgram => "no-program",
            Rule::NoSecret => "no-secret",
            Rule::SecretElsewhere(_) => "secret-elsewhere",
            Rule::NoConnection => "no-net-rule",
            Rule::NetDenied(_) => "net-denied",
            Rule::SpecialAddress(_) => "special-address",
            Rule::LeadsToSpecial(_) => "leads-to-special",
            Rule::NobodyThere => "nobody-there",
            Rule::LeaseOver(_) => "lease-over",
            Rule::NotAbove => "not-above",
            Rule::AuditBroken => "audit-broken",
        }
    }
}

/// A call that was not allowed. It is the same whether what was asked for exists or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// The native that was called.
    pub native: &'static str,
    /// On what: each operand as the script wrote it.
    pub on: Vec<String>,
    /// By which rule.
    pub rule: Rule,
    /// The smallest grant that would allow it, as a flag or as what to change in `sbxmk`; none when nothing would.
    pub grant: Option<String>,
    /// Whether trying again can help.
    pub retry: bool,
    /// Where in the source.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

impl fmt::Display for Denial {
    /// One line, as scripts see it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denied: {}", self.native)?;
        if let Some(subject) = self.subject() {
            write!(f, " {subject}")?;
        }
        write!(f, ": {}", self.rule.text())
    }
}

impl Denial {
    /// Bytes of the texts that are its own.
    pub(crate) fn texts(&self) -> usize {
        let grant = self.grant.as_ref().map_or(0, String::capacity);
        self.on.iter().map(|on| size_of::<String>() + on.capacity() + 24).sum::<usize>() + grant + self.file.capacity() + 2 * 24
    }

    /// The operands on one line: quoted, escaped, cut when long.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        quote_all(&self.on)
    }

    /// For people: what and where, by which rule, the smallest grant, whether trying again can help; one line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let subject = self.subject().map(|s| format!(" {s}")).unwrap_or_default();
        vec![
            format!("denied: {}{subject} at {}:{}", self.native, escape(&self.file, MAX_SUBJECT), self.line),
            format!("rule: {}", self.rule.text()),
            self.grant.as_ref().map_or_else(|| "no grant would allow it".to_owned(), |grant| format!("would allow it: {grant}")),
            if self.retry { "trying again may help" } else { "trying again can't help" }.to_owned(),
        ]
    }
}

/// Text from a script as it may appear in a message: quoted, with control and direction characters escaped, cut when long.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("\"{}\"", written(text, MAX_SUBJECT, true))
}

/// Several such texts, as operands of one call.
#[must_use]
pub fn quote_all(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(" -> "))
}

/// The same without quotes: only what could move a cursor, hide text or turn its direction is escaped.
#[must_use]
pub fn escape(text: &str, most: usize) -> String {
    written(text, most, false)
}

fn written(text: &str, most: usize, quoted: bool) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() >= most {
            out.push('…');
            break;
        }
        match c {
            '"' | '\\' if quoted => out.extend(['\\', c]),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters that are not control characters and still show nothing of themselves, or turn what is around them.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A word of a command line, quoted for a POSIX shell when it has to be.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':' | '=' | ',' | '+' | '@' | '%');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", escape(text, MAX_SUBJECT).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_reads_in_four_lines_and_in_one() {
        let denial = Denial {
            native: "__sys_write_file",
            on: vec!["/config/a\u{1b}[2J".to_owned()],
            rule: Rule::ReadOnly("/config".to_owned()),
            grant: Some("--dir HOST:/config:rw".to_owned()),
            retry: false,
            file: "main.ilu".to_owned(),
            line: 3,
        };
        assert_eq!(denial.to_string(), "denied: __sys_write_file \"/config/a\\u{1b}[2J\": the grant of /config is read-only");
        assert_eq!(
            denial.lines(),
            [
                "denied: __sys_write_file \"/config/a\\u{1b}[2J\" at main.ilu:3",
                "rule: the grant of /config is read-only",
                "would allow it: --dir HOST:/config:rw",
                "trying again can't help",
            ]
        );
    }

    #[test]
    fn quoted_text_moves_no_cursor_and_turns_no_direction() {
        let text = quote("a\n\r\t\u{7f}\u{9b}\u{202e}\u{2066}\u{feff}\"\\b");
        assert!(!text.chars().any(|c| c.is_control() || is_invisible(c)), "{text}");
        assert!(quote(&"x".repeat(1 << 20)).len() < 300);
        assert_eq!(shell_word("a b'c"), "'a b'\\''c'");
        assert_eq!(shell_word("/in/a.txt"), "/in/a.txt");
    }
}
