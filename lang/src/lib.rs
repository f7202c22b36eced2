//! The front end of ilu, from text to a verified [`Program`](code::program::Program):
//!
//! `source` → `token` (logos) → `layout` (indentation, glue, command-call marks) → `grammar` (lalrpop) → `ast` → `resolve` → `lower` →
//! `code::verify`.
//!
//! It knows no values and does no I/O. What names exist outside the text it asks of a [`library::Library`].

#![forbid(unsafe_code)]

pub mod ast;
pub mod code;
pub mod compile;
pub mod diagnostic;
pub mod format;
pub mod highlight;
mod layout;
mod lex;
pub mod library;
pub mod lower;
pub mod parse;
pub mod resolve;
pub mod similar;
pub mod source;
pub mod token;
