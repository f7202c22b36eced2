//! Places in directory trees, and sets of them.
//!
//! A [`Place`] is a root (a number: which of the operator's directories) and the parts of the path below it. It stands for itself and
//! all below. Places are compared part by part, never as text, and no part is `..`: what a link or a `..` leads to only the kernel knows,
//! so a path with one in it is no place.

/// A directory or file, and all below it, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    // The order of the fields matters: sorted, a place stands right before those it contains.
    root: u32,
    parts: Vec<String>,
}

impl Place {
    /// The whole tree of a root.
    #[must_use]
    pub const fn root(root: u32) -> Place {
        Place { root, parts: Vec::new() }
    }

    /// What a relative path names below this. Empty parts and `.` name nothing.
    #[must_use]
    pub fn below(&self, path: &str) -> Option<Place> {
        let mut place = self.clone();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => return None,
                _ => place.parts.push(part.to_owned()),
            }
        }
        Some(place)
    }

    /// Which root it is in.
    #[must_use]
    pub const fn root_number(&self) -> u32 {
        self.root
    }

    /// The parts of its path below the root.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Is the other one this, or below it?
    #[must_use]
    pub fn contains(&self, other: &Place) -> bool {
        self.root == other.root && other.parts.starts_with(&self.parts)
    }

    /// The parts that lead from this to a place below it.
    #[must_use]
    pub fn path_to<'a>(&self, other: &'a Place) -> Option<&'a [String]> {
        if self.root == other.root { other.parts.strip_prefix(self.parts.as_slice()) } else { None }
    }
}

/// A set of places. In normal form: sorted, and none within another, so that equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Places {
    least: Vec<Place>,
}

impl Places {
    /// Is a place, with all below it, in the set?
    #[must_use]
    pub fn contains(&self, place: &Place) -> bool {
        // Sorted, nothing can stand between a place and the one that contains it: it would be within that one too.
        let after = self.least.partition_point(|known| known <= place);
        after.checked_sub(1).and_then(|at| self.least.get(at)).is_some_and(|known| known.contains(place))
    }

    /// In one or the other.
    #[must_use]
    pub fn union(&self, other: &Places) -> Places {
        self.least.iter().chain(&other.least).cloned().collect()
    }

    /// In both.
    #[must_use]
    pub fn intersection(&self, other: &Places) -> Places {
        let mine = self.least.iter().filter(|place| other.contains(place));
        mine.chain(other.least.iter().filter(|place| self.contains(place))).cloned().collect()
    }

    /// The places of this that the other does not cover whole. That is an upper bound: of `/a` without `/a/b` it leaves `/a`, because
    /// nothing smaller made of whole trees would give, together with the other, all of this again.
    #[must_use]
    pub fn difference(&self, other: &Places) -> Places {
        Places { least: self.least.iter().filter(|place| !other.contains(place)).cloned().collect() }
    }

    /// Is all of this in the other?
    #[must_use]
    pub fn is_subset(&self, other: &Places) -> bool {
        self.least.iter().all(|place| other.contains(place))
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.least.is_empty()
    }

    /// Its places, none within another, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Place> {
        self.least.iter()
    }
}

impl FromIterator<Place> for Places {
    fn from_iter<I: IntoIterator<Item = Place>>(places: I) -> Places {
        let mut least: Vec<Place> = places.into_iter().collect();
        least.sort_unstable();
        least.dedup_by(|next, kept| kept.contains(next));
        Places { least }
    }
}
