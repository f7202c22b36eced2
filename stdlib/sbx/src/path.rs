//! Paths as scripts write them.
//!
//! A [`GuestPath`] is text whose size and characters have been checked; it says nothing yet about what it names. Nothing is decoded,
//! folded or expanded, and `..` is left for the kernel, which alone knows where a link before it leads.

use crate::limits::{MAX_PART, MAX_PATH};

/// A path that has passed the checks made before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestPath<'a> {
    text: &'a str,
}

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPath {
    /// It is empty.
    Empty,
    /// It holds a NUL.
    Nul,
    /// It, or a part of it, is longer than the kernel takes.
    TooLong,
}

impl BadPath {
    /// The error as scripts see it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            BadPath::Empty => "file not found: the path is empty",
            BadPath::Nul => "a path can't hold a NUL",
            BadPath::TooLong => "name too long",
        }
    }
}

impl<'a> GuestPath<'a> {
    /// Checks a text.
    ///
    /// # Errors
    /// It is no path.
    pub fn new(text: &'a str) -> Result<GuestPath<'a>, BadPath> {
        if text.is_empty() {
            return Err(BadPath::Empty);
        }
        // The length first: what follows looks at every byte.
        if text.len() > MAX_PATH {
            return Err(BadPath::TooLong);
        }
        if text.contains('\0') {
            return Err(BadPath::Nul);
        }
        if text.split('/').any(|part| part.len() > MAX_PART) {
            return Err(BadPath::TooLong);
        }
        Ok(GuestPath { text })
    }

    /// The text.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.text
    }

    /// Does it start with a slash?
    #[must_use]
    pub fn is_absolute(self) -> bool {
        self.text.starts_with('/')
    }

    /// What of this path is left below a prefix: the text after it, `.` when there is none. Compared part by part, never as text, so
    /// `/data-old` is not below `/data`. Empty parts and `.` are skipped while the prefix is matched; what follows is verbatim.
    #[must_use]
    pub fn below(self, prefix: &GuestPrefix) -> Option<&'a str> {
        if self.is_absolute() != prefix.absolute {
            return None;
        }
        let mut rest = self.text;
        for wanted in &prefix.parts {
            let (part, after) = next_part(rest)?;
            if part != wanted {
                return None;
            }
            rest = after;
        }
        let rest = rest.trim_start_matches('/');
        Some(if rest.is_empty() { "." } else { rest })
    }
}

/// The next part that is neither empty nor `.`, and what comes after it.
fn next_part(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches('/');
        let end = rest.find('/').unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end)?;
        match part {
            "" => return None,
            "." => rest = after,
            _ => return Some((part, after)),
        }
    }
}

/// Where a mount is in a sandbox's view: a path in normal form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GuestPrefix {
    absolute: bool,
    parts: Vec<String>,
}

impl GuestPrefix {
    /// The normal form of a path: without empty parts and `.`. A `..` stays, it matches only itself.
    #[must_use]
    pub fn new(path: GuestPath<'_>) -> GuestPrefix {
        let parts = path.text().split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
        GuestPrefix { absolute: path.is_absolute(), parts }
    }

    /// How many parts it has: the longest prefix that matches a path is its mount.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Its parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }

    /// Is it `.` or `/`?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.absolute, self.parts.is_empty()) {
            (true, _) => format!("/{}", self.parts.join("/")),
            (false, true) => ".".to_owned(),
            (false, false) => self.parts.join("/"),
        }
    }

    /// Is one of its parts `..`?
    #[must_use]
    pub fn climbs(&self) -> bool {
        self.parts.iter().any(|part| part == "..")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn below(path: &str, prefix: &str) -> Option<String> {
        let prefix = GuestPrefix::new(GuestPath::new(prefix).unwrap());
        GuestPath::new(path).unwrap().below(&prefix).map(str::to_owned)
    }

    #[test]
    fn what_is_no_path_is_refused_before_anything_else() {
        assert_eq!(GuestPath::new(""), Err(BadPath::Empty));
        for nul in ["a.txt\0", "\0", "a.txt\0.png", "../outside\0x"] {
            assert_eq!(GuestPath::new(nul), Err(BadPath::Nul));
        }
        assert!(GuestPath::new(&"a".repeat(255)).is_ok());
        assert_eq!(GuestPath::new(&"a".repeat(256)), Err(BadPath::TooLong));
        assert!(GuestPath::new(&"a/".repeat(2048)).is_ok());
        assert_eq!(GuestPath::new(&format!("{}x", "a/".repeat(2048))), Err(BadPath::TooLong));
        assert_eq!(GuestPath::new(&"a/".repeat(32 << 20)), Err(BadPath::TooLong));
    }

    #[test]
    fn a_prefix_is_compared_part_by_part() {
        assert_eq!(below("/data/a", "/data").as_deref(), Some("a"));
        assert_eq!(below("//./data//a//b/", "/data").as_deref(), Some("a//b/"));
        assert_eq!(below("/data", "/data").as_deref(), Some("."));
        assert_eq!(below("/data/", "/data").as_deref(), Some("."));
        assert_eq!(below("/data/..", "/data").as_deref(), Some(".."));
        assert_eq!(below("/data-old/a", "/data"), None);
        assert_eq!(below("/dat", "/data"), None);
        assert_eq!(below("data/a", "/data"), None);
        assert_eq!(below("/x/../data/a", "/data"), None);
        assert_eq!(below("/", "/data"), None);
        assert_eq!(below("../up/a", "../up").as_deref(), Some("a"));
        assert_eq!(below("a/b", ".").as_deref(), Some("a/b"));
        assert_eq!(below("./a", ".").as_deref(), Some("./a"));
        assert_eq!(below("/etc/passwd", "/").as_deref(), Some("etc/passwd"));
    }

    proptest! {
        #[test]
        fn what_is_left_below_a_prefix_is_never_absolute_nor_empty(path in "[a-c./]{1,24}", prefix in "[a-c./]{1,8}") {
            if let Some(rest) = below(&path, &prefix) {
                prop_assert!(!rest.starts_with('/') && !rest.is_empty());
                prop_assert!(rest == "." || path.ends_with(&rest));
            }
        }

        #[test]
        fn the_prefix_is_the_paths_own_first_parts(path in "/?([a-b]|\\.|\\.\\.)(/([a-b]|\\.|\\.\\.)){0,5}", n in 0usize..4) {
            let whole = GuestPrefix::new(GuestPath::new(&path).unwrap());
            let n = n.min(whole.len());
            let head = GuestPrefix { absolute: whole.absolute, parts: whole.parts.iter().take(n).cloned().collect() };
            let rest = GuestPath::new(&path).unwrap().below(&head).unwrap();
            let tail = GuestPrefix::new(GuestPath::new(rest).unwrap());
            prop_assert_eq!([head.parts, tail.parts].concat(), whole.parts);
        }
    }
}
