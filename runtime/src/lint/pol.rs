//! Literals in the hands of `pol`: patterns that cover more than they seem to, and rules that an earlier one always decides before. It looks at what is
//! written out and at nothing else, so it never sees what a program puts together.

use ilu_lang::ast::{Ast, Expr, ExprId, Key, Module, Stage, Stmt};
use ilu_lang::diagnostic::{Diagnostic, codes};
use std::collections::BTreeMap;

/// Most rules of a list that are compared with each other, and most capabilities of one that is: longer ones are made by programs.
const MAX_RULES: usize = 200;
const MAX_CAPABILITIES: usize = 64;

/// Functions of `pol` whose first argument is a pattern: flat name, and name in the object.
const TAKES_PATTERN: [&str; 3] = ["polwild", "polwi", "wild"];

/// Points out what is treacherous.
pub(super) fn look(ast: &Ast, found: &mut Vec<Diagnostic>) {
    let texts = Texts::new(ast);
    let uses_pol = ast.stmts.iter().any(|stmt| matches!(stmt, Stmt::Use { module: Module::Std(name), .. } if ast.name(*name) == "pol"));
    for expr in &ast.exprs {
        match expr {
            Expr::Call { callee, args } if uses_pol && takes_pattern(ast, *callee) => {
                if let Some(arg) = args.first().filter(|arg| !arg.spread) {
                    pattern(ast, &texts, arg.expr, found);
                }
            }
            Expr::Pipe { value, stage: Stage::Apply { callee, .. } } if uses_pol && takes_pattern(ast, *callee) => {
                pattern(ast, &texts, *value, found);
            }
            Expr::Object(_) => row(ast, &texts, expr, found),
            Expr::List(items) => rules(ast, items, found),
            _ => {}
        }
    }
}

/// Names that stand for one text in the whole program: bound once, to a literal.
struct Texts<'a>(BTreeMap<u32, Option<&'a str>>);

impl<'a> Texts<'a> {
    fn new(ast: &'a Ast) -> Self {
        let mut bound: BTreeMap<u32, Option<&'a str>> = BTreeMap::new();
        let mut bind = |name: u32, value: Option<&'a str>| {
            bound.entry(name).and_modify(|old| *old = None).or_insert(value);
        };
        let text = |id: ExprId| match ast.expr(id) {
            Expr::Str(text) => Some(&**text),
            _ => None,
        };
        for stmt in &ast.stmts {
            match stmt {
                Stmt::Def { name, value, .. } => bind(name.0, text(*value)),
                Stmt::Assign { target, value } => {
                    if let Expr::Name(name) = ast.expr(*target) {
                        bind(name.0, text(*value));
                    }
                }
                Stmt::Update { target, .. } => {
                    if let Expr::Name(name) = ast.expr(*target) {
                        bind(name.0, None);
                    }
                }
                Stmt::For { vars, .. } => vars.iter().for_each(|(name, _)| bind(name.0, None)),
                _ => {}
            }
        }
        ast.fns.iter().flat_map(|function| &function.params).for_each(|param| bind(param.name.0, None));
        Self(bound)
    }
    /// The text that an expression is, when that can be seen.
    fn of(&self, ast: &'a Ast, id: ExprId) -> Option<&'a str> {
        match ast.expr(id) {
            Expr::Str(text) => Some(text),
            Expr::Name(name) => self.0.get(&name.0).copied().flatten(),
            _ => None,
        }
    }
}

fn takes_pattern(ast: &Ast, callee: ExprId) -> bool {
    match ast.expr(callee) {
        Expr::Name(name) => ast.name(*name) != "wild" && TAKES_PATTERN.contains(&ast.name(*name)),
        Expr::Field { base, name, .. } => {
            matches!(ast.expr(*base), Expr::Name(base) if ast.name(*base) == "pol") && TAKES_PATTERN.contains(&ast.name(*name))
        }
        _ => false,
    }
}

fn pattern<'a>(ast: &'a Ast, texts: &Texts<'a>, id: ExprId, found: &mut Vec<Diagnostic>) {
    let Some(why) = texts.of(ast, id).and_then(ilu_pol::lint) else { return };
    found.push(Diagnostic::new(codes::PATTERN, ast.span(id), why));
}

/// The value of a key that is written out.
fn field(ast: &Ast, object: &Expr, key: &str) -> Option<ExprId> {
    let Expr::Object(entries) = object else { return None };
    let named = entries.iter().find(|entry| match &entry.key {
        Key::Name(name) => ast.name(*name) == key,
        Key::Text(text) => &**text == key,
        Key::Computed(_) => false,
    });
    named.map(|entry| entry.value)
}

/// An access row `{a, ac, r}`: each of the three is a pattern.
fn row<'a>(ast: &'a Ast, texts: &Texts<'a>, object: &Expr, found: &mut Vec<Diagnostic>) {
    let fields = ["a", "ac", "r"].map(|key| field(ast, object, key));
    if fields.iter().all(Option::is_some) {
        fields.into_iter().flatten().for_each(|id| pattern(ast, texts, id, found));
    }
}

/// A rule `{caps, eff}` whose capabilities are all written out.
fn capabilities(ast: &Ast, id: ExprId) -> Option<Vec<&str>> {
    let object = ast.expr(id);
    field(ast, object, "eff")?;
    let Expr::List(caps) = ast.expr(field(ast, object, "caps")?) else { return None };
    let text = |id: &ExprId| match ast.expr(*id) {
        Expr::Str(text) => Some(&**text),
        _ => None,
    };
    if caps.len() > MAX_CAPABILITIES {
        return None;
    }
    caps.iter().map(text).collect()
}

/// A list of rules: one whose capabilities include all of an earlier one's is never reached.
fn rules(ast: &Ast, items: &[ExprId], found: &mut Vec<Diagnostic>) {
    if items.len() > MAX_RULES {
        return;
    }
    let read: Vec<_> = items.iter().map(|id| (*id, capabilities(ast, *id))).collect();
    for (at, (id, caps)) in read.iter().enumerate() {
        let Some(caps) = caps else { continue };
        let before = read.iter().take(at).find(|(_, earlier)| {
            earlier.as_ref().is_some_and(|earlier| !earlier.is_empty() && earlier.iter().all(|cap| caps.contains(cap)))
        });
        if let Some((earlier, _)) = before {
            let found_one =
                Diagnostic::new(codes::RULE, ast.span(*id), "this rule never decides: whenever it applies an earlier one does, too")
                    .related(ast.span(*earlier), "this one decides first")
                    .help("put the rule that asks for more capabilities first");
            found.push(found_one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<(&'static str, usize)> {
        let source = ilu_lang::source::Source::new("t.ilu", text);
        let (ast, errors) = ilu_lang::parse::parse(&source);
        assert!(errors.is_empty(), "{text}");
        let mut found = Vec::new();
        look(&ast, &mut found);
        found.sort_by_key(|one| one.span.start);
        found.into_iter().map(|one| (one.code, source.position(one.span.start).0)).collect()
    }

    #[test]
    fn a_treacherous_pattern_is_pointed_out_where_it_is_written() {
        assert_eq!(warnings("use pol\nx = 1\nprn polwi(\"/data/pub*\", \"y\")"), [(codes::PATTERN, 3)]);
        assert_eq!(
            warnings("use pol\nprn pol.wild(\"https://a.example*\", \"y\"), \"a*b\" | polwild(\"c\")"),
            [(codes::PATTERN, 2), (codes::PATTERN, 2)]
        );
        assert_eq!(warnings("use pol\np = \"/data*\"\nprn polwild(p, \"y\")"), [(codes::PATTERN, 3)]);
        assert_eq!(
            warnings("rows = [{a: \"*\", ac: \"read\", r: \"/docs*\"},\n  {\"a\": \"*.b\", ac: \"x\", r: \"*\", note: 1}]"),
            [(codes::PATTERN, 1), (codes::PATTERN, 2)]
        );
    }

    #[test]
    fn what_is_meant_is_not_pointed_out() {
        for text in [
            "use pol\nprn polwi(\"/data/pub/*\", \"y\"), polwi(\"*\", \"y\"), polwi(\"svc-*\", \"y\"), polwi(\"a\", \"/x*\")",
            "polwi(p, s) = p == s\nprn polwi(\"/data*\", \"y\")",
            "use pol\np = \"/data*\"\np = \"/data/*\"\nprn polwild(p, \"y\")",
            "use pol\nf(p) = polwild(p, \"y\")\nx = {r: \"/docs*\"}",
            "wild(p, s) = 1\nuse pol\nwild(\"/a*\", 1)",
        ] {
            assert_eq!(warnings(text), [], "{text}");
        }
    }

    #[test]
    fn a_rule_behind_one_that_asks_less_is_pointed_out() {
        assert_eq!(
            warnings("x = [{caps: [\"a\"], eff: tru},\n  {caps: [\"b\"], eff: tru},\n  {caps: [\"c\", \"a\"], eff: fls}]"),
            [(codes::RULE, 3)]
        );
        assert_eq!(warnings("x = [{caps: [\"a\"], eff: tru},\n  {caps: [\"a\"], eff: fls}]"), [(codes::RULE, 2)]);
        for text in [
            "x = [{caps: [\"a\", \"b\"], eff: tru}, {caps: [\"a\"], eff: fls}]",
            "x = [{caps: [], eff: tru}, {caps: [\"a\"], eff: fls}]",
            "x = [{caps: [y()], eff: tru}, {caps: [\"a\"], eff: fls}]\ny() = 1",
            "x = [{caps: [\"a\"]}, {caps: [\"a\"]}]",
        ] {
            assert_eq!(warnings(text), [], "{text}");
        }
    }
}
