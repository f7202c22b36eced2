//! What the table says of a native, and how a native is found by name.

use crate::table::NATIVES;
use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

/// A native's place in [`NATIVES`]: the number compiled into programs and the bit in a [`crate::CapSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NativeId(pub u16);

/// What a group of natives is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it; `text` is the spelling for people")]
pub enum Class {
    Stdout,
    Stdio,
    Time,
    FsRead,
    FsWrite,
    FsManage,
    Http,
    Tcp,
    Serve,
    Dns,
    Channel,
    Task,
    Exec,
    Env,
    Observe,
    Random,
}

impl Class {
    /// The spelling for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Class::Stdout => "stdout",
            Class::Stdio => "stdio",
            Class::Time => "time",
            Class::FsRead => "fs read",
            Class::FsWrite => "fs write",
            Class::FsManage => "fs manage",
            Class::Http => "http",
            Class::Tcp => "tcp client",
            Class::Serve => "serve",
            Class::Dns => "dns",
            Class::Channel => "channels",
            Class::Task => "tasks",
            Class::Exec => "exec",
            Class::Env => "env",
            Class::Observe => "observability",
            Class::Random => "randomness",
        }
    }
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Str,
    /// A number.
    Num,
    /// Text or bytes.
    Data,
    /// A list.
    List,
    /// An object of options, or nil.
    Options,
    /// A function.
    Fun,
    /// An open resource.
    Handle,
    /// Anything.
    Any,
}

impl Kind {
    /// The spelling in error messages.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Kind::Str => "str",
            Kind::Num => "num",
            Kind::Data => "str or byt",
            Kind::List => "lst",
            Kind::Options => "obj",
            Kind::Fun => "fun",
            Kind::Handle => "an open resource",
            Kind::Any => "any value",
        }
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name in messages and pages.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// May it be left out?
    pub optional: bool,
}

/// What a native needs from the kernel, for the wall around the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kernel {
    OpenRead,
    OpenWrite,
    ChangeNames,
    Sleep,
    /// Asks which addresses a name has: files of the resolver, and datagrams to a name server.
    Resolve,
    Connect,
    Listen,
    Threads,
    Execute,
    Random,
}

/// The kind of grant that says *on what* a native may act; hints derive the smallest flag from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// None: the capability is enough.
    None,
    /// `--dir HOST:GUEST:ro`
    DirRead,
    /// `--dir HOST:GUEST:rw`
    DirWrite,
    /// `--net RULE`
    Net,
    /// `--run PROG`
    Run,
    /// `--env NAME`
    Env,
    /// `--secret NAME=HOST`
    Secret,
}

/// One row of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// Canonical name.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// Its class.
    pub class: Class,
    /// Parameters in order; optional ones come last.
    pub params: &'static [Param],
    /// What it needs from the kernel.
    pub kernel: &'static [Kernel],
    /// Which grant it asks for.
    pub grant: GrantKind,
    /// One line.
    pub doc: &'static str,
}

impl NativeId {
    /// The row of this native. A number that is in no table (there is no way to make one from a script) reads as the first row's.
    #[must_use]
    pub fn row(self) -> &'static Native {
        NATIVES.get(usize::from(self.0)).unwrap_or(&NATIVES[0])
    }

    /// Canonical name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Is there a row of this number?
    #[must_use]
    pub fn exists(self) -> bool {
        usize::from(self.0) < NATIVES.len()
    }

    /// All natives in the table's order.
    pub fn all() -> impl Iterator<Item = NativeId> {
        (0..NATIVES.len()).filter_map(|n| u16::try_from(n).ok()).map(NativeId)
    }
}

fn index() -> &'static HashMap<&'static str, NativeId> {
    static INDEX: OnceLock<HashMap<&'static str, NativeId>> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut map = HashMap::new();
        for id in NativeId::all() {
            map.insert(id.row().name, id);
            for alias in id.row().aliases {
                map.insert(alias, id);
            }
        }
        map
    })
}

/// The native of a canonical name or an alias. Exact: no case folding, no trimming, no wildcard.
#[must_use]
pub fn by_name(name: &str) -> Option<NativeId> {
    index().get(name).copied()
}

/// Names longer than this are not worth a search for a near one; no native's name is half as long.
const LONGEST_NEAR: usize = 64;

/// The known name of a native nearest to an unknown one, when one is near enough to be what was meant.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    near(name, NATIVES.iter().flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied())))
}

/// The candidate nearest to `name`, whatever their case, when one is near enough to be what was meant.
#[must_use]
pub fn near<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.is_empty() || name.len() > LONGEST_NEAR {
        return None;
    }
    let folded = name.trim().to_ascii_lowercase();
    candidates
        .filter(|known| known.len() <= LONGEST_NEAR)
        .map(|known| (strsim::jaro_winkler(&folded, &known.to_ascii_lowercase()), known))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// A name in a list of capabilities that is neither a native nor a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The name as given, control characters escaped, cut when long.
    pub name: String,
    /// What may have been meant.
    pub nearest: Option<&'static str>,
}

impl Unknown {
    /// For a name as it was given.
    #[must_use]
    pub fn new(name: &str, nearest: Option<&'static str>) -> Unknown {
        let mut text: String = name.chars().take(LONGEST_NEAR).flat_map(char::escape_debug).collect();
        if name.chars().nth(LONGEST_NEAR).is_some() {
            text.push('…');
        }
        Unknown { name: text, nearest }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown capability `{}`", self.name)?;
        match self.nearest {
            Some(known) => write!(f, " (did you mean `{known}`?)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Unknown {}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_and_alias_is_unique_and_found() {
        let mut seen = HashSet::new();
        for id in NativeId::all() {
            for name in std::iter::once(&id.row().name).chain(id.row().aliases) {
                assert!(seen.insert(*name), "{name} twice");
                assert_eq!(by_name(name), Some(id));
            }
        }
    }

    #[test]
    fn optional_parameters_come_last_and_every_row_has_a_line() {
        for row in NATIVES {
            let first_optional = row.params.iter().position(|p| p.optional).unwrap_or(row.params.len());
            assert!(row.params.iter().skip(first_optional).all(|p| p.optional), "{}", row.name);
            assert!(!row.doc.is_empty() && !row.doc.contains('\n'), "{}", row.name);
            assert!(row.name.starts_with("__"), "{}", row.name);
        }
    }

    #[test]
    fn a_name_is_found_only_exactly() {
        for wrong in ["", "*", "__sys_*", " __os_run", "__os_run ", "__OS_RUN", "__os_run\0", "__\u{43e}s_run", "__sys"] {
            assert_eq!(by_name(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_nearest_name_is_what_was_meant() {
        assert_eq!(nearest("__sys_raed_file"), Some("__sys_read_file"));
        assert_eq!(nearest("__OS_RUN"), Some("__os_run"));
        assert_eq!(nearest("banana"), None);
        assert_eq!(nearest(""), None);
        assert_eq!(nearest(&"_".repeat(1 << 20)), None);
    }

    #[test]
    fn an_unknown_name_is_shown_escaped_and_cut() {
        let text = Unknown::new("a\u{1b}[2Jb\0", None).to_string();
        assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
        assert!(Unknown::new(&"x".repeat(1 << 20), None).to_string().len() < 200);
    }
}
