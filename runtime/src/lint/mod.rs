//! What is probably not meant in a text that compiles, and what of it can be put right without anybody's judgement. It looks at the tree and at what its names
//! mean; it never runs anything, and never says anything of a text that has errors.
//!
//! | code | what is pointed out | put right |
//! |---|---|---|
//! | `W0001` | a pattern of `pol` that covers more than it seems to, or in which a star is no wildcard | |
//! | `W0002` | a rule of `polrules` that an earlier one always decides before | |
//! | `W0003` | variables, parameters, functions and modules that nothing uses | modules, parameters, loop variables |
//! | `W0004` | names that hide a builtin, a module, or a variable around them | |
//! | `W0005` | statements behind `ret`, `brk`, `cnt`, `err`, and arms behind one that takes everything | |
//! | `W0006` | `0..len(x) - 1` | `0..<len(x)` |
//! | `W0007` | a `mat` that may take no arm | `_ => nil` |
//! | `W0008` | code for a sandbox that calls a native which the sandbox's list lacks | |

mod held;
mod names;
mod pol;
mod shape;

use crate::engine::Engine;
use crate::library::Names;
use ilu_lang::ast::Ast;
use ilu_lang::diagnostic::Diagnostic;
use ilu_lang::lower::lower;
use ilu_lang::parse::parse;
use ilu_lang::resolve::resolve;
use ilu_lang::source::{Source, Span};
use std::sync::Arc;

/// Most warnings of one text.
const MAX_WARNINGS: usize = 40;

/// What is pointed out, and how it is put right when that changes nothing that was meant.
#[derive(Clone, Debug)]
pub struct Warning {
    /// What, and where.
    pub diagnostic: Diagnostic,
    /// What to put in which place.
    pub fix: Option<(Span, String)>,
}

impl From<Diagnostic> for Warning {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, fix: None }
    }
}

/// What is probably not meant in a text. One that does not compile has no warnings: its errors come first.
#[must_use]
pub fn lint(engine: &Engine, source: &Arc<Source>) -> Vec<Warning> {
    let (ast, errors) = parse(source);
    if !errors.is_empty() {
        return Vec::new();
    }
    let (resolved, errors) = resolve(&ast, &Names(engine), false);
    if !errors.is_empty() || lower(source, &ast, &resolved).is_err() {
        return Vec::new();
    }
    let mut of_pol = Vec::new();
    pol::look(&ast, &mut of_pol);
    let mut found: Vec<Warning> = of_pol.into_iter().map(Warning::from).collect();
    let text = Text { source, ast: &ast };
    names::unused(&text, &resolved, &mut found);
    names::shadowed(&text, &resolved, &mut found);
    shape::look(&text, &resolved, &mut found);
    held::look(engine, &text, &mut found);
    found.sort_by_key(|one| (one.diagnostic.span.start, one.diagnostic.code));
    found.dedup_by(|a, b| a.diagnostic == b.diagnostic);
    found.truncate(MAX_WARNINGS);
    found
}

/// Most rounds of putting right: what is taken out of a text can leave something else without use.
const MAX_ROUNDS: usize = 10;

/// The text with everything put right that can be, and how much that was. It compiles, as the one that was given does, and comments stay where they are.
#[must_use]
pub fn fixed(engine: &Engine, source: &Arc<Source>) -> (String, usize) {
    let (mut now, mut count) = (Arc::clone(source), 0);
    for _ in 0..MAX_ROUNDS {
        let mut edits: Vec<(Span, String)> = lint(engine, &now).into_iter().filter_map(|warning| warning.fix).collect();
        edits.sort_by_key(|(span, _)| (span.start, span.end));
        // Two that touch the same place: the other's turn comes in the next round.
        let mut end = 0;
        edits.retain(|(span, _)| {
            let apart = span.start >= end;
            if apart {
                end = span.end.max(span.start + 1);
            }
            apart
        });
        if edits.is_empty() {
            break;
        }
        let mut text = now.text.to_string();
        for (span, new) in edits.iter().rev() {
            text.replace_range(span.start as usize..span.end as usize, new);
        }
        if engine.compile(now.name.to_string(), text.clone()).is_err() {
            // A repair that breaks what it repairs is none.
            break;
        }
        count += edits.len();
        now = Source::new(now.name.to_string(), text);
    }
    (now.text.to_string(), count)
}

/// A text and its tree.
struct Text<'a> {
    source: &'a Source,
    ast: &'a Ast,
}

impl Text<'_> {
    fn of(&self, span: Span) -> &str {
        self.source.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
    /// What stands between an offset and the end of its line.
    fn rest_of_line(&self, at: u32) -> &str {
        self.source.text.get(at as usize..).unwrap_or("").split('\n').next().unwrap_or("")
    }
    /// What stands between the beginning of its line and an offset.
    fn before_on_line(&self, at: u32) -> &str {
        self.source.text.get(..at as usize).unwrap_or("").rsplit('\n').next().unwrap_or("")
    }
}

#[cfg(test)]
mod tests;
