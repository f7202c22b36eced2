//! Roles: named lists of capabilities.
//!
//! A role lists capabilities, never other roles, so there is nothing to expand and no cycle to fall into.

use crate::{Data, PolError, PolErrorKind};
use std::collections::{HashMap, HashSet};

/// A checked map of roles.
#[derive(Debug)]
pub struct Roles<'a> {
    by_name: HashMap<&'a str, &'a Data<'a>>,
}

impl<'a> Roles<'a> {
    /// From `{role: [capability, …]}`.
    pub fn new(map: &'a Data<'a>) -> Result<Self, PolError> {
        match map {
            Data::Object(entries) => Ok(Self { by_name: entries.iter().map(|(name, caps)| (&**name, caps)).collect() }),
            other => Err(PolError::wrong_type("the role map", "an object", other.type_name())),
        }
    }
    fn capabilities(&self, name: &str) -> Result<Vec<&'a str>, PolError> {
        let caps = self.by_name.get(name).ok_or_else(|| PolError::new(PolErrorKind::UnknownRole, format!("unknown role `{name}`")))?;
        let caps = caps.as_texts(&format!("role `{name}`"))?;
        match caps.iter().find(|cap| cap.is_empty() || cap.contains('*')) {
            Some(cap) => Err(PolError::new(
                PolErrorKind::Malformed,
                format!("role `{name}` lists `{cap}`, which is not a capability: name each one"),
            )),
            None => Ok(caps),
        }
    }
}

/// What one role may do, as listed.
pub fn role<'a>(map: &Roles<'a>, name: &str) -> Result<Vec<&'a str>, PolError> {
    map.capabilities(name)
}

/// What several roles may do together: each capability once, in order of first appearance.
pub fn roles<'a>(map: &Roles<'a>, names: &[&str]) -> Result<Vec<&'a str>, PolError> {
    let mut seen_roles = HashSet::new();
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for name in names {
        // A role named again and again must not cost its length each time.
        if seen_roles.insert(*name) {
            all.extend(map.capabilities(name)?.into_iter().filter(|cap| seen.insert(*cap)));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn map() -> Data<'static> {
        let list = |names: &[&'static str]| Data::List(names.iter().map(|n| Data::text(n)).collect());
        Data::Object(vec![
            ("reader".into(), list(&["read", "stat"])),
            ("writer".into(), list(&["read", "write"])),
            ("nobody".into(), list(&[])),
            ("root".into(), list(&["*"])),
            ("blank".into(), list(&[""])),
            ("text".into(), Data::text("read")),
            ("mixed".into(), Data::List(vec![Data::text("read"), Data::Num(1.0)])),
        ])
    }

    #[test]
    fn a_role_gives_its_list_and_several_give_their_union_in_order() {
        let map = map();
        let roles_map = Roles::new(&map).unwrap();
        assert_eq!(role(&roles_map, "reader").unwrap(), ["read", "stat"]);
        assert_eq!(role(&roles_map, "nobody").unwrap(), Vec::<&str>::new());
        assert_eq!(roles(&roles_map, &["writer", "reader", "writer"]).unwrap(), ["read", "write", "stat"]);
        assert_eq!(roles(&roles_map, &[]).unwrap(), Vec::<&str>::new());
    }

    #[test]
    fn unknown_and_malformed_roles_are_errors() {
        let map = map();
        let roles_map = Roles::new(&map).unwrap();
        assert_eq!(role(&roles_map, "Reader").unwrap_err().to_string(), "unknown role `Reader`");
        assert_eq!(role(&roles_map, "__proto__").unwrap_err().kind(), PolErrorKind::UnknownRole);
        assert_eq!(roles(&roles_map, &["reader", "x"]).unwrap_err().kind(), PolErrorKind::UnknownRole);
        assert_eq!(role(&roles_map, "root").unwrap_err().kind(), PolErrorKind::Malformed);
        assert_eq!(role(&roles_map, "blank").unwrap_err().kind(), PolErrorKind::Malformed);
        assert_eq!(role(&roles_map, "text").unwrap_err().to_string(), "role `text` must be a list, got str");
        assert_eq!(role(&roles_map, "mixed").unwrap_err().to_string(), "role `mixed`[1] must be a string, got num");
        assert_eq!(Roles::new(&Data::Nil).unwrap_err().to_string(), "the role map must be an object, got nil");
    }
}
