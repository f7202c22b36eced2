//! Access lists: rows `{a, ac, r}` of patterns for actor, action and resource. Deny wins; nothing said is a no.

use crate::wild::wild;
use crate::{Data, PolError, PolErrorKind};

/// A checked row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Pattern for who acts.
    pub actor: &'a str,
    /// Pattern for what is done.
    pub action: &'a str,
    /// Pattern for what it is done to.
    pub resource: &'a str,
}

impl<'a> Row<'a> {
    /// From `{a, ac, r}`; other fields may be there for people. `what` names the row in errors.
    pub fn new(data: &'a Data<'a>, what: &str) -> Result<Self, PolError> {
        if !matches!(data, Data::Object(_)) {
            return Err(PolError::wrong_type(what, "an object {a, ac, r}", data.type_name()));
        }
        let field = |key: &str| match data.field(key) {
            Some(Data::Str(text)) => Ok(&**text),
            Some(other) => Err(PolError::wrong_type(format_args!("`{key}` of {what}"), "a string", other.type_name())),
            None => Err(PolError::new(PolErrorKind::Malformed, format!("{what} has no `{key}`: a row is {{a, ac, r}}"))),
        };
        Ok(Self { actor: field("a")?, action: field("ac")?, resource: field("r")? })
    }
    /// Whether all three patterns cover what is asked.
    #[must_use]
    pub fn matches(&self, actor: &str, action: &str, resource: &str) -> bool {
        wild(self.actor, actor) && wild(self.action, action) && wild(self.resource, resource)
    }
}

fn rows<'a>(list: &'a Data<'a>, what: &str) -> Result<Vec<Row<'a>>, PolError> {
    let items = list.as_list(what)?;
    items.iter().enumerate().map(|(index, item)| Row::new(item, &format!("{what}[{index}]"))).collect()
}

/// Whether some allow row matches and no deny row does.
#[must_use]
pub fn acl(allow: &[Row<'_>], deny: &[Row<'_>], actor: &str, action: &str, resource: &str) -> bool {
    let any = |rows: &[Row<'_>]| rows.iter().any(|row| row.matches(actor, action, resource));
    !any(deny) && any(allow)
}

/// The same for a document `{allow, deny}`. A missing document, or one that lacks a list, is no policy, and so denies everything; a document
/// that is there but malformed is an error.
pub fn acl_document(
    allow: Option<&Data<'_>>,
    deny: Option<&Data<'_>>,
    actor: &str,
    action: &str,
    resource: &str,
) -> Result<bool, PolError> {
    let nil = Data::Nil;
    let (allow, deny) = (allow.unwrap_or(&nil), deny.unwrap_or(&nil));
    // Every row is read before any decides, so that the answer, errors included, does not depend on the order of rows.
    let allow_rows = if *allow == Data::Nil { None } else { Some(rows(allow, "allow")?) };
    let deny_rows = if *deny == Data::Nil { None } else { Some(rows(deny, "deny")?) };
    Ok(match (allow_rows, deny_rows) {
        (Some(allow), Some(deny)) => acl(&allow, &deny, actor, action, resource),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn row<'a>(actor: &'a str, action: &'a str, resource: &'a str) -> Row<'a> {
        Row { actor, action, resource }
    }

    #[test]
    fn deny_wins_however_specific_and_nothing_said_is_a_no() {
        let exact = [row("ann", "read", "/a")];
        let wide = [row("*", "*", "*")];
        let cases: [(&[Row<'_>], &[Row<'_>], bool); 8] = [
            (&exact, &exact, false),
            (&wide, &exact, false),
            (&exact, &wide, false),
            (&wide, &wide, false),
            (&[], &[], false),
            (&[], &exact, false),
            (&exact, &[], true),
            (&wide, &[row("bob", "*", "*")], true),
        ];
        for (allow, deny, expected) in cases {
            assert_eq!(acl(allow, deny, "ann", "read", "/a"), expected, "{allow:?} {deny:?}");
        }
    }

    #[test]
    fn a_document_without_a_list_denies_and_a_malformed_one_is_an_error() {
        let all = Data::List(vec![Data::Object(vec![
            ("a".into(), Data::text("*")),
            ("ac".into(), Data::text("*")),
            ("r".into(), Data::text("*")),
            ("note".into(), Data::text("everyone")),
        ])]);
        let none = Data::List(vec![]);
        assert!(acl_document(Some(&all), Some(&none), "x", "y", "z").unwrap());
        assert!(!acl_document(Some(&all), None, "x", "y", "z").unwrap());
        assert!(!acl_document(Some(&all), Some(&Data::Nil), "x", "y", "z").unwrap());
        assert!(!acl_document(None, None, "x", "y", "z").unwrap());
        let broken = Data::List(vec![Data::Object(vec![("a".into(), Data::text("*")), ("ac".into(), Data::text("*"))])]);
        assert_eq!(
            acl_document(Some(&all), Some(&broken), "x", "y", "z").unwrap_err().to_string(),
            "deny[0] has no `r`: a row is {a, ac, r}"
        );
        assert_eq!(
            acl_document(Some(&Data::text("*")), Some(&none), "x", "y", "z").unwrap_err().to_string(),
            "allow must be a list, got str"
        );
        let number = Data::List(vec![Data::Object(vec![
            ("a".into(), Data::Num(1.0)),
            ("ac".into(), Data::text("*")),
            ("r".into(), Data::text("*")),
        ])]);
        assert_eq!(
            acl_document(Some(&number), Some(&none), "x", "y", "z").unwrap_err().to_string(),
            "`a` of allow[0] must be a string, got num"
        );
    }

    fn any_row() -> impl Strategy<Value = (String, String, String)> {
        let pattern = "[ab]{0,2}\\*?";
        (pattern, pattern, pattern)
    }

    fn view(rows: &[(String, String, String)]) -> Vec<Row<'_>> {
        rows.iter().map(|(a, b, c)| row(a, b, c)).collect()
    }

    proptest! {
        #[test]
        fn order_and_repetition_of_rows_change_nothing(
            allow in proptest::collection::vec(any_row(), 0..6), deny in proptest::collection::vec(any_row(), 0..3), seed in any::<u64>(), ask in ("[ab]{0,2}", "[ab]{0,2}", "[ab]{0,2}")
        ) {
            let answer = acl(&view(&allow), &view(&deny), &ask.0, &ask.1, &ask.2);
            let mut shuffled = allow.clone();
            if !shuffled.is_empty() {
                let by = (seed as usize) % shuffled.len();
                shuffled.rotate_left(by);
                shuffled.push(shuffled[0].clone());
                shuffled.reverse();
            }
            let mut denied = deny.clone();
            denied.reverse();
            prop_assert_eq!(acl(&view(&shuffled), &view(&denied), &ask.0, &ask.1, &ask.2), answer);
        }

        #[test]
        fn one_more_deny_row_never_allows_and_one_more_allow_row_never_denies(
            allow in proptest::collection::vec(any_row(), 0..6), deny in proptest::collection::vec(any_row(), 0..3), extra in any_row(), ask in ("[ab]{0,2}", "[ab]{0,2}", "[ab]{0,2}")
        ) {
            let before = acl(&view(&allow), &view(&deny), &ask.0, &ask.1, &ask.2);
            let mut more = deny.clone();
            more.push(extra.clone());
            prop_assert!(before || !acl(&view(&allow), &view(&more), &ask.0, &ask.1, &ask.2));
            let mut more = allow.clone();
            more.push(extra);
            prop_assert!(!before || acl(&view(&more), &view(&deny), &ask.0, &ask.1, &ask.2));
        }
    }

    #[test]
    fn a_row_is_an_object() {
        let why = Row::new(&Data::Num(1.0), "row 0").unwrap_err().to_string();
        assert!(why.contains("an object {a, ac, r}"), "{why}");
    }
}
