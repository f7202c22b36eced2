//! What may be done at a place: look, change, or both.

/// What may be done below a directory. Neither is no access at all, and has no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// `ro`: look, but change nothing.
    Read,
    /// `rw`: look and change.
    ReadWrite,
    /// `wo`: change, but see no contents, names or sizes.
    Write,
}

impl Access {
    /// All of them.
    pub const ALL: [Access; 3] = [Access::Read, Access::ReadWrite, Access::Write];

    /// The access of a short name: `ro`, `rw`, `wo`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Access> {
        match text {
            "ro" => Some(Access::Read),
            "rw" => Some(Access::ReadWrite),
            "wo" => Some(Access::Write),
            _ => None,
        }
    }

    /// Its short name.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Access::Read => "ro",
            Access::ReadWrite => "rw",
            Access::Write => "wo",
        }
    }

    /// The access that lets see, change, both, or nothing.
    #[must_use]
    pub const fn of(reads: bool, writes: bool) -> Option<Access> {
        match (reads, writes) {
            (true, true) => Some(Access::ReadWrite),
            (true, false) => Some(Access::Read),
            (false, true) => Some(Access::Write),
            (false, false) => None,
        }
    }

    /// May contents, names and sizes be seen?
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Access::Read | Access::ReadWrite)
    }

    /// May anything be changed?
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Access::Write | Access::ReadWrite)
    }

    /// What both allow, if anything.
    #[must_use]
    pub const fn meet(self, other: Access) -> Option<Access> {
        Access::of(self.reads() && other.reads(), self.writes() && other.writes())
    }

    /// Does this allow all that the other does?
    #[must_use]
    pub fn covers(self, other: Access) -> bool {
        self.meet(other) == Some(other)
    }
}
