//! The pipeline from a source text to a program.

use crate::ast::{Ast, Module, Stmt};
use crate::code::program::Program;
use crate::code::verify::verify;
use crate::diagnostic::{Diagnostic, codes};
use crate::library::Library;
use crate::lower::lower;
use crate::parse::build::MAX_NODES;
use crate::parse::{advise_comments, parse_within};
use crate::resolve::resolve;
use crate::source::{Source, Span};
use std::collections::HashSet;
use std::sync::Arc;

/// Compiles a unit. `trusted` texts are the standard library's own: they see the builtins whose names start with `__`.
///
/// Syntax errors hide errors about names, because what did not parse may have bound them.
pub fn compile(source: &Arc<Source>, library: &dyn Library, trusted: bool) -> Result<Program, Vec<Diagnostic>> {
    compile_within(source, library, trusted, MAX_NODES)
}

/// What the compiler holds at most, in bytes per part of a text, tree and code together: 126 were measured, for a pipeline of the
/// shortest lambdas.
pub const BYTES_PER_PART: usize = 128;

/// Compiles a unit of at most so many parts; one of more ends with [`codes::TOO_LONG`].
pub fn compile_within(source: &Arc<Source>, library: &dyn Library, trusted: bool, parts: usize) -> Result<Program, Vec<Diagnostic>> {
    let (mut ast, errors) = parse_within(source, parts);
    if !errors.is_empty() {
        return Err(errors);
    }
    if library.earlier().is_some() {
        mention_exports(&mut ast, library);
    }
    let (resolved, mut errors) = resolve(&ast, library, trusted);
    if !errors.is_empty() {
        advise_comments(&source.text, &mut errors);
        return Err(errors);
    }
    let parts = lower(source, &ast, &resolved)?;
    drop((ast, resolved));
    verify(parts).map_err(|fault| {
        vec![Diagnostic::new(codes::UNVERIFIED, Span::default(), format!("the compiler made code that does not verify: {fault}"))]
    })
}

/// Has all names that the text's modules bring mentioned in it: later inputs of the session may need them.
fn mention_exports(ast: &mut Ast, library: &dyn Library) {
    let brought = ast.stmts.iter().filter_map(|stmt| match stmt {
        Stmt::Use { module: Module::Std(name), alias: None } => library.exports(ast.name(*name)),
        _ => None,
    });
    let brought: Vec<String> = brought.flatten().collect();
    let mut known: HashSet<&str> = ast.names.iter().map(|name| &**name).collect();
    let more: Vec<Box<str>> = brought.iter().filter(|name| known.insert(name)).map(|name| name.as_str().into()).collect();
    ast.names.extend(more);
}
