//! Names that differ little, for "did you mean".

/// Names longer than this are not searched for: nobody mistypes them, and the search is quadratic in the length.
pub const MAX_NAME: usize = 40;

/// The candidate that differs least from what was written, when it differs little.
pub fn nearest<'c>(wanted: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if wanted.len() > MAX_NAME {
        return None;
    }
    let most = if wanted.len() <= 2 { 0 } else { 1 + wanted.len() / 5 };
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_NAME && *candidate != wanted)
        .map(|candidate| (strsim::damerau_levenshtein(wanted, candidate), candidate))
        .filter(|&(distance, _)| distance <= most)
        .min_by_key(|&(distance, candidate)| (distance, candidate))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_little_is_near() {
        let known = ["split", "join", "trim"];
        assert_eq!(nearest("splt", known), Some("split"));
        assert_eq!(nearest("jion", known), Some("join"));
        assert_eq!(nearest("split", known), None);
        assert_eq!(nearest("upper", known), None);
        assert_eq!(nearest("tr", known), None);
        assert_eq!(nearest(&"x".repeat(MAX_NAME + 1), known), None);
    }
}
