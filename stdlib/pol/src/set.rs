//! Sets of capability names, as lists.

use std::collections::HashSet;

/// Whether `held` has every name of `need`. Needing nothing is met by anyone, so a caller for whom that would be wrong asks first.
#[must_use]
pub fn subset(held: &[&str], need: &[&str]) -> bool {
    let held: HashSet<&str> = held.iter().copied().collect();
    need.iter().all(|name| held.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn subset_is_reflexive_and_transitive(
            a in proptest::collection::vec("[a-d]", 0..5), b in proptest::collection::vec("[a-d]", 0..5), c in proptest::collection::vec("[a-d]", 0..5)
        ) {
            let s = |xs: &[String], ys: &[String]| subset(&xs.iter().map(String::as_str).collect::<Vec<_>>(), &ys.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert!(s(&a, &a));
            prop_assert!(s(&a, &[]));
            if s(&a, &b) && s(&b, &c) {
                prop_assert!(s(&a, &c));
            }
            let expected = b.iter().all(|x| a.contains(x));
            prop_assert_eq!(s(&a, &b), expected);
        }
    }
}
