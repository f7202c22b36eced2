//! Unions, differences and comparisons of bundles: `capde - capne`, `capfs + capch`, `capde and captr`, `capfs in capde`.
//!
//! Operators stand between words and are taken from left to right; `in` compares all that is left of it with all that is right of it.

use ilu_cap::{CapSet, Unknown, parse_list};

/// What an expression comes to.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// A set.
    Set(CapSet),
    /// What of the left set is not in the right one: nothing when it is a subset.
    Subset(CapSet),
}

/// Is this word an operator? No bundle and no native is called like one.
pub fn is_operator(word: &str) -> bool {
    matches!(word, "+" | "-" | "and" | "in")
}

/// Works an expression out.
///
/// # Errors
/// A name is unknown, or an operator does not stand between two names.
pub fn answer(words: &[&str]) -> Result<Answer, String> {
    let mut sides = words.split(|word| *word == "in");
    match (sides.next(), sides.next(), sides.next()) {
        (Some(only), None, _) => set(only).map(Answer::Set),
        (Some(left), Some(right), None) => Ok(Answer::Subset(set(left)?.difference(set(right)?))),
        _ => Err("`in` can stand once: `capfs in capde`".to_string()),
    }
}

fn set(words: &[&str]) -> Result<CapSet, String> {
    let form = || "an operator stands between two names: `capde - capne`, `capfs + capch`, `capde and captr`, `capfs in capde`".to_string();
    let operand = |word: &str| {
        if is_operator(word) {
            return Err(form());
        }
        parse_list(word).map_err(|unknown: Unknown| unknown.to_string())
    };
    let (first, rest) = words.split_first().ok_or_else(form)?;
    let mut all = operand(first)?;
    for pair in rest.chunks(2) {
        let [operator, word] = pair else { return Err(form()) };
        let next = operand(word)?;
        all = match *operator {
            "+" => all.union(next),
            "-" => all.difference(next),
            "and" => all.intersection(next),
            _ => return Err(form()),
        };
    }
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Answer, String> {
        answer(&text.split(' ').collect::<Vec<_>>())
    }

    fn names(text: &str) -> Vec<&'static str> {
        match of(text) {
            Ok(Answer::Set(set)) => set.names(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn operators_are_taken_from_left_to_right() {
        assert_eq!(names("capfs - capfsro"), ["__sys_write_file"]);
        assert_eq!(names("capstdout + captime"), ["__sys_stdout", "__sys_time"]);
        assert_eq!(names("capai and capfs"), ["__sys_write_file"]);
        assert_eq!(names("capfs - capfsro + captime - __sys_write_file"), ["__sys_time"]);
        assert_eq!(names("capfs,captime - capfsro,__sys_write"), ["__sys_time"]);
        assert!(names("capfs - capall").is_empty());
    }

    #[test]
    fn a_subset_is_answered_with_what_is_missing() {
        assert_eq!(of("capfs in capde"), Ok(Answer::Subset(CapSet::EMPTY)));
        assert_eq!(of("capde - capne - capch in capfsrwt"), Ok(Answer::Subset(CapSet::EMPTY)));
        let Ok(Answer::Subset(missing)) = of("capfs + capex in capde + captime") else { panic!() };
        assert_eq!(missing.names(), ["__os_run"]);
    }

    #[test]
    fn what_is_no_expression_says_so() {
        for wrong in ["+", "capfs +", "- capfs", "capfs + - capne", "capfs capne + capch", "in capfs", "capfs in", "a in b in c", "in"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert_eq!(of("capfs - capnee").unwrap_err(), "unknown capability `capnee` (did you mean `capne`?)");
    }
}
