//! What an error about a name advises: the nearest name that exists, or the module that has it.

use super::foreign::foreign;
use super::{Binding, MAX_ERRORS, Resolver};
use crate::ast::Name;
use crate::diagnostic::{Diagnostic, codes};
use crate::similar::{MAX_NAME, nearest};
use crate::source::Span;

/// Most names that all searches of one unit compare with, so that many errors in a text with many names stay cheap.
pub(super) const MAX_COMPARED: usize = 200_000;

impl Resolver<'_> {
    /// Reports, up to the limit.
    pub(super) fn error(&mut self, diagnostic: Diagnostic) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(diagnostic);
        }
    }

    pub(super) fn unknown_name(&mut self, name: Name, span: Span, stage: bool) {
        if self.errors.len() >= MAX_ERRORS {
            return;
        }
        let text = self.ast.name(name);
        let what = if stage { "function" } else { "name" };
        let mut diagnostic =
            Diagnostic::new(codes::UNKNOWN_NAME, span, format!("unknown {what} `{}`", shown(text))).label("not bound anywhere in sight");
        if let Some(help) = self.help_for(text, stage) {
            diagnostic = diagnostic.help(help);
        }
        self.error(diagnostic);
    }

    /// What to write instead: the module that has the name, what other languages' words are called here, the function of a module that is
    /// called so when it is read, or the nearest name.
    fn help_for(&mut self, text: &str, stage: bool) -> Option<String> {
        self.module_with(text)
            .or_else(|| foreign(text).map(str::to_owned))
            .or_else(|| self.field_called(text))
            .or_else(|| self.similar(text, stage))
    }

    /// The functions whose readable name this is: a name that stands alone means one of them in a pipeline only.
    fn field_called(&self, text: &str) -> Option<String> {
        let has = |module: &String| self.library.readable(module).is_some_and(|names| names.iter().any(|name| name == text));
        let modules: Vec<String> = self.library.modules().into_iter().filter(has).collect();
        let calls = modules.iter().map(|module| format!("`{module}.{text}`")).collect::<Vec<_>>().join(" or ");
        let (first, rest) = modules.split_first()?;
        let uses = if rest.is_empty() { format!("`use {first}`") } else { "`use` of its module".to_owned() };
        let stage =
            if modules.iter().any(|module| module == "trl") { format!(", or a stage of a pipeline: `xs | {text}`") } else { String::new() };
        Some(format!("call {calls}, after {uses}{stage}"))
    }

    /// The module that would have brought a name.
    fn module_with(&self, text: &str) -> Option<String> {
        let module = self
            .library
            .modules()
            .into_iter()
            .find(|module| module == text || self.library.exports(module).is_some_and(|names| names.iter().any(|name| name == text)))?;
        Some(format!("`{text}` comes with a module: add `use {module}`"))
    }

    fn similar(&mut self, text: &str, stage: bool) -> Option<String> {
        let bound: usize = self.frames.iter().map(|frame| frame.bound.len()).sum();
        self.compared += bound;
        if self.compared > MAX_COMPARED {
            return None;
        }
        let mut known = self.library.names();
        if stage {
            known.extend(self.library.readable("trl").unwrap_or_default());
        }
        for frame in &self.frames {
            known.extend(frame.bound.keys().map(|&name| self.ast.name(name).to_owned()));
        }
        nearest(text, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"))
    }

    pub(super) fn unknown_module(&mut self, name: Name, span: Span) {
        let text = self.ast.name(name);
        let known = self.library.modules();
        let mut diagnostic = Diagnostic::new(codes::UNKNOWN_MODULE, span, format!("there is no module `{}`", shown(text)));
        diagnostic = match nearest(text, known.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean `use {near}`?")),
            None => diagnostic.help(format!("a file is loaded by its path: `use \"{}.ilu\"`", shown(text))),
        };
        self.error(diagnostic);
    }

    /// A variable of this function is read where no assignment came before.
    pub(super) fn early_read(&mut self, name: Name, span: Span) {
        let text = shown(self.ast.name(name));
        let diagnostic = Diagnostic::new(codes::EARLY_READ, span, format!("`{text}` is read before it has a value"))
            .label("no assignment comes before this");
        let outer = self.frames.len().checked_sub(1).and_then(|below| self.frames.get(..below)).unwrap_or_default();
        let outside = outer.iter().rev().find_map(|frame| frame.bound.get(&name));
        let named = self.frames.last().is_some_and(|frame| frame.named);
        let help = match outside {
            Some(binding) if named => {
                let whose = if matches!(binding, Binding::Global(_)) { "the module's" } else { "the outer" };
                format!(
                    "a named function that assigns `{text}` makes its own; to change {whose} `{text}` use a lambda, or take it as a parameter and return the new value"
                )
            }
            _ if self.builtin_or_native(self.ast.name(name)).is_some() => {
                format!("an assignment to `{text}` makes a variable that hides the builtin of that name; give the variable another name")
            }
            _ => format!("give `{text}` a value before this line"),
        };
        self.error(diagnostic.help(help));
    }
}

/// A name from a script, fit for a message: not longer than a line can hold.
pub(super) fn shown(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default()),
        None => name.to_owned(),
    }
}
