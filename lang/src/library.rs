//! What the compiler must know about the world outside a source text.

/// A name that an earlier input of the session bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The name.
    pub name: Box<str>,
    /// Whether `def` bound it.
    pub constant: bool,
}

/// The names a program can use without binding them, and the modules it can load. The runtime implements it.
pub trait Library {
    /// The number of a builtin such as `prn`. Builtins whose names start with `__` are there for the standard library's own sources only:
    /// they are found when `trusted`.
    fn builtin(&self, name: &str, trusted: bool) -> Option<u32>;
    /// The number of a native (`__sys_time`, an alias of one) in the registry.
    fn native(&self, name: &str) -> Option<u32>;
    /// The names that `use name` copies, or nothing when there is no such module in the standard library.
    fn exports(&self, module: &str) -> Option<Vec<String>>;
    /// The readable names in a module's object (`map` of `trl.map`), when they are known. A pipeline's bare stage name is checked against
    /// those of `trl`.
    fn readable(&self, _module: &str) -> Option<Vec<String>> {
        None
    }
    /// What earlier inputs bound, when the text is an input of a session: its top-level names are then the session's.
    fn earlier(&self) -> Option<&[Earlier]> {
        None
    }
    /// Names of all modules of the standard library, for hints.
    fn modules(&self) -> Vec<String>;
    /// Names of builtins and natives that any program may use, for hints.
    fn names(&self) -> Vec<String>;
}
