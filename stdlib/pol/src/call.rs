//! The functions by name, on plain data: what a language binds.

use crate::{Data, PolError, PolErrorKind, Roles, Row, Rule};

/// A function that [`call`] knows.
#[derive(Clone, Copy, Debug)]
pub struct FunctionRow {
    /// Its full name.
    pub name: &'static str,
    /// How many arguments it takes.
    pub args: u8,
    /// What it answers.
    pub doc: &'static str,
}

/// The table of functions.
pub const FUNCTIONS: &[FunctionRow] = &[
    FunctionRow { name: "polsub", args: 2, doc: "(held, need): whether every needed name is held" },
    FunctionRow { name: "polrole", args: 2, doc: "(map, role): the capabilities of a role" },
    FunctionRow { name: "polroles", args: 2, doc: "(map, roles): the capabilities of several roles, each once" },
    FunctionRow { name: "polrow", args: 4, doc: "(row, actor, action, resource): whether one access row matches" },
    FunctionRow { name: "polwild", args: 2, doc: "(pattern, text): exact, `*`, or `prefix*`" },
    FunctionRow { name: "pollint", args: 1, doc: "(pattern): what is treacherous about it, or nil" },
    FunctionRow { name: "polacl", args: 5, doc: "(allow, deny, actor, action, resource): deny wins, default deny" },
    FunctionRow { name: "polacldoc", args: 4, doc: "({allow, deny}, actor, action, resource): the same for a document" },
    FunctionRow { name: "polrules", args: 2, doc: "(rules, held): the first rule whose capabilities are all held decides" },
    FunctionRow { name: "polnet", args: 4, doc: "(rules, host, ip, port): {eff, row, rule, why} of a connection by network rules" },
    FunctionRow { name: "polcanon", args: 1, doc: "(parts): the canonical text of a list of parts" },
    FunctionRow { name: "polseal", args: 2, doc: "(key, parts): HMAC-SHA-256 of the canonical text, in hex" },
    FunctionRow { name: "polsealok", args: 3, doc: "(key, parts, mac): whether the seal is right, in constant time" },
];

/// Calls a function of [`FUNCTIONS`] by its name.
pub fn call(name: &str, args: &[Data<'_>]) -> Result<Data<'static>, PolError> {
    let row = FUNCTIONS
        .iter()
        .find(|row| row.name == name)
        .ok_or_else(|| PolError::new(PolErrorKind::UnknownFunction, format!("there is no policy function `{name}`")))?;
    if args.len() != usize::from(row.args) {
        return Err(PolError::new(PolErrorKind::Arity, format!("{name} takes {} arguments, got {}", row.args, args.len())));
    }
    match (name, args) {
        ("polsub", [held, need]) => Ok(Data::Bool(crate::subset(&held.as_texts("held")?, &need.as_texts("need")?))),
        ("polrole", [map, role]) => Ok(texts(crate::role(&Roles::new(map)?, role.as_str("the role")?)?)),
        ("polroles", [map, names]) => Ok(texts(crate::roles(&Roles::new(map)?, &names.as_texts("roles")?)?)),
        ("polrow", [row, actor, action, resource]) => {
            let (actor, action, resource) = asked(actor, action, resource)?;
            Ok(Data::Bool(Row::new(row, "the row")?.matches(actor, action, resource)))
        }
        ("polwild", [pattern, text]) => Ok(Data::Bool(crate::wild(pattern.as_str("the pattern")?, text.as_str("the text")?))),
        ("pollint", [pattern]) => Ok(crate::lint(pattern.as_str("the pattern")?).map_or(Data::Nil, |text| Data::Str(text.into()))),
        ("polacl", [allow, deny, actor, action, resource]) => document(Some(allow), Some(deny), actor, action, resource),
        ("polacldoc", [doc, actor, action, resource]) => match doc {
            Data::Nil | Data::Object(_) => document(doc.field("allow"), doc.field("deny"), actor, action, resource),
            other => Err(PolError::wrong_type("the document", "an object {allow, deny}", other.type_name())),
        },
        ("polrules", [rules, held]) => Ok(Data::Bool(crate::rules(&Rule::list(rules)?, &held.as_texts("ctx")?))),
        ("polnet", [rules, host, ip, port]) => crate::net::ask(rules, host, ip, port),
        ("polcanon", [parts]) => Ok(Data::Str(crate::canonical(parts.as_list("the parts")?)?.into())),
        ("polseal", [key, parts]) => Ok(Data::Str(crate::seal(key_bytes(key)?, parts.as_list("the parts")?)?.into())),
        ("polsealok", [key, parts, mac]) => Ok(Data::Bool(crate::seal_ok(key_bytes(key)?, parts.as_list("the parts")?, mac)?)),
        _ => Err(PolError::new(PolErrorKind::UnknownFunction, format!("there is no policy function `{name}`"))),
    }
}

fn document(
    allow: Option<&Data<'_>>,
    deny: Option<&Data<'_>>,
    actor: &Data<'_>,
    action: &Data<'_>,
    resource: &Data<'_>,
) -> Result<Data<'static>, PolError> {
    let (actor, action, resource) = asked(actor, action, resource)?;
    crate::acl_document(allow, deny, actor, action, resource).map(Data::Bool)
}

fn asked<'a>(actor: &'a Data<'_>, action: &'a Data<'_>, resource: &'a Data<'_>) -> Result<(&'a str, &'a str, &'a str), PolError> {
    Ok((actor.as_str("the actor")?, action.as_str("the action")?, resource.as_str("the resource")?))
}

fn key_bytes<'a>(key: &'a Data<'_>) -> Result<&'a [u8], PolError> {
    match key {
        Data::Str(text) => Ok(text.as_bytes()),
        Data::Bytes(bytes) => Ok(bytes),
        other => Err(PolError::wrong_type("the key", "a string or bytes", other.type_name())),
    }
}

fn texts(names: Vec<&str>) -> Data<'static> {
    Data::List(names.into_iter().map(|name| Data::Str(name.to_string().into())).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn list(names: &[&'static str]) -> Data<'static> {
        Data::List(names.iter().map(|name| Data::text(name)).collect())
    }

    #[test]
    fn every_function_of_the_table_can_be_called_and_counts_its_arguments() {
        for row in FUNCTIONS {
            let args = vec![Data::Other("tsk".into()); usize::from(row.args)];
            let error = call(row.name, &args).unwrap_err();
            assert_eq!(error.kind(), PolErrorKind::Type, "{}: {error}", row.name);
            let error = call(row.name, &args[1..]).unwrap_err();
            assert_eq!(error.kind(), PolErrorKind::Arity, "{}", row.name);
        }
        assert_eq!(call("polx", &[]).unwrap_err().kind(), PolErrorKind::UnknownFunction);
    }

    #[test]
    fn subset_wants_two_lists_of_texts() {
        assert_eq!(call("polsub", &[list(&["a", "b"]), list(&["b", "b"])]).unwrap(), Data::Bool(true));
        assert_eq!(call("polsub", &[list(&["a"]), list(&["b"])]).unwrap(), Data::Bool(false));
        assert_eq!(call("polsub", &[list(&[]), list(&[])]).unwrap(), Data::Bool(true));
        assert_eq!(call("polsub", &[Data::Nil, list(&[])]).unwrap_err().to_string(), "held must be a list, got nil");
        assert_eq!(call("polsub", &[list(&[]), Data::text("a")]).unwrap_err().to_string(), "need must be a list, got str");
        let nested = Data::List(vec![list(&["a"])]);
        assert_eq!(call("polsub", &[list(&["a"]), nested]).unwrap_err().to_string(), "need[0] must be a string, got lst");
    }

    #[test]
    fn a_missing_document_denies_and_a_list_in_its_place_is_an_error() {
        let ask = |doc: Data<'static>| call("polacldoc", &[doc, Data::text("a"), Data::text("b"), Data::text("c")]);
        assert_eq!(ask(Data::Nil).unwrap(), Data::Bool(false));
        assert_eq!(ask(Data::Object(vec![])).unwrap(), Data::Bool(false));
        assert_eq!(ask(list(&[])).unwrap_err().to_string(), "the document must be an object {allow, deny}, got lst");
        assert_eq!(
            call("polacl", &[list(&[]), list(&[]), Data::Nil, Data::text("b"), Data::text("c")]).unwrap_err().to_string(),
            "the actor must be a string, got nil"
        );
    }

    #[test]
    fn a_connection_is_judged_by_rules_as_data() {
        let ask = |host: Data<'static>, ip: Data<'static>, port: Data<'static>| {
            let rules = list(&["!a.example.com", "*.example.com", "127.0.0.1:8080"]);
            match call("polnet", &[rules, host, ip, port]) {
                Ok(Data::Object(fields)) => format!("{:?} {:?} {:?}", fields[0].1, fields[1].1, fields[3].1),
                other => format!("{other:?}"),
            }
        };
        let num = Data::Num;
        for (host, ip, port, told) in [
            (Data::text("B.example.com."), Data::Nil, num(443.0), "Bool(true) Num(1.0) Str(\"the rule *.example.com\")"),
            (Data::text("b.example.com"), Data::text("93.184.216.34"), num(443.0), "Bool(true) Num(1.0) Str(\"the rule *.example.com\")"),
            (Data::text("a.example.com"), Data::Nil, Data::Nil, "Bool(false) Num(0.0) Str(\"the rule !a.example.com\")"),
            (
                Data::text("b.example.com"),
                Data::text("10.0.0.1"),
                num(443.0),
                "Bool(false) Nil Str(\"the address is special (private), and no rule names it\")",
            ),
            (Data::text("localhost"), Data::Nil, num(8080.0), "Bool(true) Num(2.0) Str(\"the rule 127.0.0.1:8080\")"),
            (Data::text("2130706433"), Data::Nil, num(8080.0), "Bool(true) Num(2.0) Str(\"the rule 127.0.0.1:8080\")"),
            (Data::text("other.test"), Data::Nil, num(443.0), "Bool(false) Nil Str(\"no rule matches\")"),
        ] {
            assert_eq!(ask(host, ip, port), told);
        }
        assert!(ask(Data::Nil, Data::Nil, Data::Nil).contains("a host or an ip is needed"));
        assert!(ask(Data::text("010.0.0.1"), Data::Nil, Data::Nil).contains("a number with a 0 before it"));
        assert!(ask(Data::text("127.0.0.1"), Data::text("127.0.0.2"), Data::Nil).contains("and the ip another"));
        assert!(ask(Data::text("x"), Data::text("y"), Data::Nil).contains("the ip is no address"));
        assert!(ask(Data::text("x"), Data::Nil, num(0.5)).contains("a port is a whole number"));
    }

    #[test]
    fn seals_and_roles_go_through_by_name() {
        let parts = list(&["a", "b"]);
        let mac = call("polseal", &[Data::text("k"), parts.clone()]).unwrap();
        assert_eq!(call("polsealok", &[Data::text("k"), parts.clone(), mac]).unwrap(), Data::Bool(true));
        assert_eq!(call("polsealok", &[Data::text("k"), parts, Data::Nil]).unwrap(), Data::Bool(false));
        let map = Data::Object(vec![("r".into(), list(&["x"]))]);
        assert_eq!(call("polrole", &[map.clone(), Data::text("r")]).unwrap(), list(&["x"]));
        assert_eq!(call("polroles", &[map, list(&["r", "r"])]).unwrap(), list(&["x"]));
        assert_eq!(call("polwild", &[Data::text("*"), Data::Nil]).unwrap_err().to_string(), "the text must be a string, got nil");
        assert_eq!(call("pollint", &[Data::text("a")]).unwrap(), Data::Nil);
    }
}
