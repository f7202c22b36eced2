//! The pipeline from a source text to a program.

use crate::code::program::Program;
use crate::code::verify::verify;
use crate::diagnostic::{Diagnostic, codes};
use crate::library::Library;
use crate::lower::lower;
use crate::parse::parse;
use crate::resolve::resolve;
use crate::source::{Source, Span};
use std::sync::Arc;

/// Compiles a unit. `trusted` texts are the standard library's own: they see the builtins whose names start with `__`.
///
/// Syntax errors hide errors about names, because what did not parse may have bound them.
pub fn compile(source: &Arc<Source>, library: &dyn Library, trusted: bool) -> Result<Program, Vec<Diagnostic>> {
    let (ast, errors) = parse(source);
    if !errors.is_empty() {
        return Err(errors);
    }
    let (resolved, errors) = resolve(&ast, library, trusted);
    if !errors.is_empty() {
        return Err(errors);
    }
    let parts = lower(source, &ast, &resolved)?;
    drop((ast, resolved));
    verify(parts).map_err(|fault| {
        vec![Diagnostic::new(codes::UNVERIFIED, Span::default(), format!("the compiler made code that does not verify: {fault}"))]
    })
}
