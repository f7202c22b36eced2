//! Sets of names: environment variables, programs. Names are exact: nothing is folded, trimmed or matched by pattern.

use std::collections::BTreeSet;

/// A set of names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Names {
    names: BTreeSet<String>,
}

impl Names {
    /// Is it in?
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// In one or the other.
    #[must_use]
    pub fn union(&self, other: &Names) -> Names {
        self.names.union(&other.names).collect()
    }

    /// In both.
    #[must_use]
    pub fn intersection(&self, other: &Names) -> Names {
        self.names.intersection(&other.names).collect()
    }

    /// In this and not in the other; exact.
    #[must_use]
    pub fn difference(&self, other: &Names) -> Names {
        self.names.difference(&other.names).collect()
    }

    /// Is all of this in the other?
    #[must_use]
    pub fn is_subset(&self, other: &Names) -> bool {
        self.names.is_subset(&other.names)
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Its names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

impl<S: Into<String>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Names {
        Names { names: names.into_iter().map(Into::into).collect() }
    }
}
