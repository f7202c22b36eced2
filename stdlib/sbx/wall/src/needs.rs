//! What the grants of a root sandbox can ever need of the kernel: a column of the registry, and whether there is anything to use it on.

use ilu_cap::{CapSet, GrantKind, Kernel as KernelNeed};

/// Which kinds of grants there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// A directory or file to be seen.
    pub read: bool,
    /// One to be changed.
    pub write: bool,
    /// A network rule.
    pub net: bool,
    /// A program.
    pub program: bool,
}

/// What is needed of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    kinds: Vec<KernelNeed>,
    terminal: bool,
    editor: bool,
}

impl Needs {
    /// Of all these natives, as far as there are grants to use them on.
    #[must_use]
    pub fn of(caps: CapSet, granted: Granted) -> Needs {
        let mut needs = Needs::default();
        for native in caps.iter() {
            let usable = match native.row().grant {
                GrantKind::None | GrantKind::Env | GrantKind::Secret => true,
                GrantKind::DirRead => granted.read,
                GrantKind::DirWrite => granted.write,
                GrantKind::Net => granted.net,
                GrantKind::Run => granted.program,
            };
            if usable {
                native.row().kernel.iter().for_each(|kind| needs.add(*kind));
            }
        }
        needs
    }

    /// The same and one more.
    #[must_use]
    pub fn with(mut self, kind: KernelNeed) -> Needs {
        self.add(kind);
        self
    }

    /// The same and the terminal, for questions to the operator.
    #[must_use]
    pub const fn with_terminal(mut self) -> Needs {
        self.terminal = true;
        self
    }

    /// The same and what editing a line on the terminal takes: to change how it hands on what is typed.
    #[must_use]
    pub const fn with_editor(mut self) -> Needs {
        (self.terminal, self.editor) = (true, true);
        self
    }

    /// Does the operator edit lines?
    #[must_use]
    pub const fn has_editor(&self) -> bool {
        self.editor
    }

    /// Is the operator asked?
    #[must_use]
    pub const fn has_terminal(&self) -> bool {
        self.terminal
    }

    fn add(&mut self, kind: KernelNeed) {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
    }

    /// Is it among them?
    #[must_use]
    pub fn has(&self, kind: KernelNeed) -> bool {
        self.kinds.contains(&kind)
    }

    /// Is a file or directory ever opened?
    #[must_use]
    pub fn opens(&self) -> bool {
        [KernelNeed::OpenRead, KernelNeed::OpenWrite, KernelNeed::ChangeNames, KernelNeed::Resolve].iter().any(|kind| self.has(*kind))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ilu_cap::parse_list;

    #[test]
    fn what_cannot_be_used_is_not_needed() {
        let caps = parse_list("capall").unwrap();
        let none = Needs::of(caps, Granted::default());
        assert!(!none.opens() && !none.has(KernelNeed::Connect) && !none.has(KernelNeed::Execute));
        assert!(none.has(KernelNeed::Sleep) && none.has(KernelNeed::Threads));
        let all = Needs::of(caps, Granted { read: true, write: true, net: true, program: true });
        for kind in [
            KernelNeed::OpenRead,
            KernelNeed::OpenWrite,
            KernelNeed::ChangeNames,
            KernelNeed::Connect,
            KernelNeed::Listen,
            KernelNeed::Resolve,
            KernelNeed::Execute,
        ] {
            assert!(all.has(kind), "{kind:?}");
        }
        // A right to look is none to change, whatever natives are held.
        let looks = Needs::of(caps, Granted { read: true, ..Granted::default() });
        assert!(looks.has(KernelNeed::OpenRead) && !looks.has(KernelNeed::OpenWrite) && !looks.has(KernelNeed::ChangeNames));
    }
}
