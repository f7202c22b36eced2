//! Network rules as rights.
//!
//! What one rule matches is not known here: a list of rules is an opaque condition on a connection. Of two lists it is only known that one
//! which begins the other allows no more than it: the first rule that matches decides, and where none does the answer is no. A right is
//! then *one of several clauses, each of which asks that all its lists allow*. That is enough for exact unions and intersections,
//! and for a comparison that is never wrong when it says yes; it may say no of lists that differ only in spelling.

use std::sync::Arc;

/// An ordered list of rules in the operator's spelling; the first that matches decides, default deny.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleList {
    rules: Arc<[String]>,
}

impl RuleList {
    /// From rules in their order.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = String>) -> RuleList {
        RuleList { rules: rules.into_iter().collect() }
    }

    /// The rules in their order.
    #[must_use]
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// Is it certain that this allows nothing that the other does not?
    fn is_within(&self, other: &RuleList) -> bool {
        other.rules.starts_with(&self.rules)
    }
}

/// The lists that must all allow: sorted, none implied by another.
type Clause = Vec<RuleList>;

/// Which connections may be made. In normal form: no clause within another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Net {
    clauses: Vec<Clause>,
}

impl Net {
    /// What one list allows; an empty one allows nothing.
    #[must_use]
    pub fn rules(list: RuleList) -> Net {
        Net::normal(vec![vec![list]])
    }

    /// The verdict, when `judge` tells the verdict of one list.
    #[must_use]
    pub fn allows(&self, judge: &dyn Fn(&RuleList) -> bool) -> bool {
        self.clauses.iter().any(|clause| clause.iter().all(judge))
    }

    /// By one or the other.
    #[must_use]
    pub fn union(&self, other: &Net) -> Net {
        Net::normal(self.clauses.iter().chain(&other.clauses).cloned().collect())
    }

    /// By both.
    #[must_use]
    pub fn intersection(&self, other: &Net) -> Net {
        let both = |mine: &Clause, theirs: &Clause| mine.iter().chain(theirs).cloned().collect();
        Net::normal(self.clauses.iter().flat_map(|mine| other.clauses.iter().map(move |theirs| both(mine, theirs))).collect())
    }

    /// The clauses of this that are not certain to be within the other: an upper bound.
    #[must_use]
    pub fn difference(&self, other: &Net) -> Net {
        Net { clauses: self.clauses.iter().filter(|clause| !other.covers(clause)).cloned().collect() }
    }

    /// Is it certain that this allows nothing that the other does not?
    #[must_use]
    pub fn is_subset(&self, other: &Net) -> bool {
        self.clauses.iter().all(|clause| other.covers(clause))
    }

    /// Is nothing allowed?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Its clauses, each the lists that must all allow.
    pub fn clauses(&self) -> impl Iterator<Item = &[RuleList]> {
        self.clauses.iter().map(Vec::as_slice)
    }

    fn covers(&self, clause: &Clause) -> bool {
        self.clauses.iter().any(|wider| is_clause_within(clause, wider))
    }

    fn normal(mut clauses: Vec<Clause>) -> Net {
        for clause in &mut clauses {
            // Of two lists of which one begins the other, the shorter asks for both. Sorted, it stands before the longer.
            clause.sort_unstable();
            let mut kept: Clause = Vec::new();
            for list in clause.drain(..) {
                if !kept.iter().any(|known| known.is_within(&list)) {
                    kept.push(list);
                }
            }
            *clause = kept;
        }
        // An empty list allows nothing, and so does a clause that asks it.
        clauses.retain(|clause| clause.iter().all(|list| !list.rules.is_empty()));
        clauses.sort_unstable();
        clauses.dedup();
        let widest = |clause: &Clause| !clauses.iter().any(|other| other != clause && is_clause_within(clause, other));
        Net { clauses: clauses.iter().filter(|clause| widest(clause)).cloned().collect() }
    }
}

/// Each list of the wider clause must follow from one of the narrower's.
fn is_clause_within(narrow: &Clause, wide: &Clause) -> bool {
    wide.iter().all(|list| narrow.iter().any(|known| known.is_within(list)))
}
