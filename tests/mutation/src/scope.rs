//! Which files hold permission checks, and what counts as one in each.

use std::path::Path;

/// What is looked for in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that refuses, narrows, charges, records or revokes.
    All,
    /// Only what speaks of authority: these files have another job besides.
    Authority,
}

/// One source file in scope.
pub struct Source {
    /// Its path in the repository.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What is looked for.
    pub scope: Scope,
}

/// Folders and files of permission checks, by prefix. The first that fits decides.
const SCOPES: &[(&str, Option<Scope>)] = &[
    // Words, formats and readers of what was decided already; the second wall has a test that takes away whole layers.
    ("stdlib/sbx/src/chain.rs", None),
    ("stdlib/sbx/src/denial.rs", None),
    ("stdlib/sbx/src/event.rs", None),
    ("stdlib/sbx/src/ledger", None),
    ("stdlib/sbx/src/plain.rs", None),
    ("stdlib/sbx/src/watch", None),
    ("stdlib/sbx/src/wall", None),
    ("stdlib/sbx/wall/", None),
    ("stdlib/sbx/src/", Some(Scope::All)),
    ("stdlib/cap/src/rights/laws.rs", None),
    ("stdlib/cap/src/rights/", Some(Scope::All)),
    ("stdlib/cap/src/set.rs", Some(Scope::All)),
    ("stdlib/cap/", None),
    ("stdlib/pol/src/error.rs", None),
    ("stdlib/pol/src/", Some(Scope::All)),
    ("stdlib/src/", None),
    ("stdlib/tests/", None),
    ("stdlib/benches/", None),
    ("stdlib/examples/", None),
    ("stdlib/http/corpus.rs", None),
    // The natives, in the folders of their modules.
    ("stdlib/", Some(Scope::All)),
    ("runtime/src/vm/", Some(Scope::Authority)),
    ("runtime/src/task", Some(Scope::Authority)),
    ("runtime/src/native.rs", Some(Scope::Authority)),
    ("runtime/src/builtin/control.rs", Some(Scope::Authority)),
    // What opens for the sandbox: granted files, addresses, programs.
    ("runtime/src/host.rs", Some(Scope::All)),
    ("runtime/src/host/net.rs", Some(Scope::All)),
    ("runtime/src/host/trust.rs", Some(Scope::All)),
    // It starts behind the wall of the one that starts it, where no switch can be read.
    ("runtime/src/host/child/helper.rs", None),
    ("runtime/src/host/child/", Some(Scope::All)),
];

/// Words that make an expression of the runtime one about authority.
pub const AUTHORITY: &[&str] =
    &["authority", "home", "ANY", "ROOT", "VOID", "revoke", "meet", "gate", "sandbox", "is_within", "place_of", "named_in"];

fn scope_of(path: &str) -> Option<Scope> {
    let is_test = path.contains("/tests/") || path.ends_with("tests.rs") || path.ends_with("_test.rs");
    if is_test {
        return None;
    }
    SCOPES.iter().find(|(prefix, _)| path.starts_with(prefix)).and_then(|(_, scope)| *scope)
}

/// The files in scope, in order.
pub fn files(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![root.join("stdlib"), root.join("runtime/src")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if let (true, Some(scope)) = (name.ends_with(".rs"), scope_of(&name)) {
                found.push(Source { path: name, text: std::fs::read_to_string(&path).unwrap(), scope });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
