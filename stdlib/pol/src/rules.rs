//! Ordered rules `{caps, eff}`: the first whose capabilities are all held decides; none: no.

use crate::{Data, PolError, PolErrorKind};
use std::collections::HashSet;

/// A checked rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// All of these must be held for the rule to decide; at least one.
    pub caps: Vec<&'a str>,
    /// What it decides.
    pub effect: bool,
}

impl<'a> Rule<'a> {
    /// From `{caps, eff}`; `what` names it in errors. A rule without capabilities would match everything by accident, so there is none.
    pub fn new(data: &'a Data<'a>, what: &str) -> Result<Self, PolError> {
        if !matches!(data, Data::Object(_)) {
            return Err(PolError::wrong_type(what, "an object {caps, eff}", data.type_name()));
        }
        let missing = |key: &str| PolError::new(PolErrorKind::Malformed, format!("{what} has no `{key}`: a rule is {{caps, eff}}"));
        let caps = data.field("caps").ok_or_else(|| missing("caps"))?.as_texts(&format!("`caps` of {what}"))?;
        if caps.is_empty() {
            return Err(PolError::new(
                PolErrorKind::Malformed,
                format!("{what} needs at least one capability: without any it would match everything"),
            ));
        }
        let effect = match data.field("eff").ok_or_else(|| missing("eff"))? {
            Data::Bool(effect) => *effect,
            other => return Err(PolError::wrong_type(format_args!("`eff` of {what}"), "tru or fls", other.type_name())),
        };
        Ok(Self { caps, effect })
    }
    /// All rules of a list.
    pub fn list(data: &'a Data<'a>) -> Result<Vec<Self>, PolError> {
        let items = data.as_list("the rules")?;
        items.iter().enumerate().map(|(index, item)| Rule::new(item, &format!("rule {index}"))).collect()
    }
}

/// The verdict of the first rule whose capabilities are all in `held`; `false` when there is none.
#[must_use]
pub fn rules(rules: &[Rule<'_>], held: &[&str]) -> bool {
    let held: HashSet<&str> = held.iter().copied().collect();
    rules.iter().find(|rule| !rule.caps.is_empty() && rule.caps.iter().all(|cap| held.contains(cap))).is_some_and(|rule| rule.effect)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rule(caps: Data<'static>, eff: Data<'static>) -> Data<'static> {
        Data::Object(vec![("caps".into(), caps), ("eff".into(), eff)])
    }
    fn caps(names: &[&'static str]) -> Data<'static> {
        Data::List(names.iter().map(|name| Data::text(name)).collect())
    }
    fn decide(list: Vec<Data<'_>>, held: &[&str]) -> Result<bool, String> {
        let list = Data::List(list);
        Rule::list(&list).map(|parsed| rules(&parsed, held)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_rule_whose_capabilities_are_all_held_decides() {
        let narrow = || rule(caps(&["a", "b"]), Data::Bool(false));
        let wide = || rule(caps(&["a"]), Data::Bool(true));
        assert_eq!(decide(vec![narrow(), wide()], &["a", "b"]), Ok(false));
        assert_eq!(decide(vec![wide(), narrow()], &["a", "b"]), Ok(true));
        assert_eq!(decide(vec![narrow(), wide()], &["a"]), Ok(true));
        assert_eq!(decide(vec![narrow(), wide()], &["b"]), Ok(false));
        assert_eq!(decide(vec![], &["a"]), Ok(false));
        assert_eq!(decide(vec![wide()], &[]), Ok(false));
    }

    #[test]
    fn a_rule_that_could_match_by_accident_is_an_error_wherever_it_stands() {
        let good = || rule(caps(&["a"]), Data::Bool(true));
        let broken = [
            (rule(caps(&[]), Data::Bool(true)), "rule 1 needs at least one capability: without any it would match everything"),
            (rule(Data::text("a"), Data::Bool(true)), "`caps` of rule 1 must be a list, got str"),
            (rule(Data::List(vec![Data::Nil]), Data::Bool(true)), "`caps` of rule 1[0] must be a string, got nil"),
            (Data::Object(vec![("eff".into(), Data::Bool(true))]), "rule 1 has no `caps`: a rule is {caps, eff}"),
            (Data::Object(vec![("caps".into(), caps(&["a"]))]), "rule 1 has no `eff`: a rule is {caps, eff}"),
            (rule(caps(&["a"]), Data::Num(1.0)), "`eff` of rule 1 must be tru or fls, got num"),
            (rule(caps(&["a"]), Data::text("fls")), "`eff` of rule 1 must be tru or fls, got str"),
            (rule(caps(&["a"]), Data::Nil), "`eff` of rule 1 must be tru or fls, got nil"),
            (Data::Nil, "rule 1 must be an object {caps, eff}, got nil"),
        ];
        for (data, message) in broken {
            assert_eq!(decide(vec![good(), data], &["a"]), Err(message.to_string()));
        }
    }

    #[test]
    fn a_rule_without_capabilities_matches_nothing() {
        assert!(!rules(&[Rule { caps: Vec::new(), effect: true }], &[]));
        assert!(rules(&[Rule { caps: vec!["x"], effect: true }], &["x"]));
    }
}
