//! Patterns of `mat`.

use super::build::{Builder, Element};
use crate::ast::{Expr, ExprId, PatId, Pattern};
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Span;

impl Builder<'_> {
    /// Adds a pattern.
    pub fn pattern(&mut self, l: u32, r: u32, pattern: Pattern) -> PatId {
        let of = |pat: &PatId| self.pat_heights.get(pat.0 as usize).copied().unwrap_or(0) + 1;
        let height = match &pattern {
            Pattern::List { items, .. } | Pattern::Or(items) => items.iter().map(of).max().unwrap_or(0),
            Pattern::Object(fields) => fields.iter().map(|(_, pat)| of(pat)).max().unwrap_or(0),
            _ => 0,
        };
        let span = Span::new(l, r);
        let (pattern, height) = if self.allowed(height, span) { (pattern, height) } else { (Pattern::Any, 0) };
        self.count(span);
        self.ast.pats.push(pattern);
        self.ast.pat_spans.push(span);
        self.pat_heights.push(height);
        PatId(u32::try_from(self.ast.pats.len() - 1).unwrap_or(u32::MAX))
    }

    /// `_` or a name.
    pub fn bind(&mut self, l: u32, r: u32, name: &str) -> PatId {
        let pattern = if name == "_" { Pattern::Any } else { Pattern::Bind(self.name(name)) };
        self.pattern(l, r, pattern)
    }

    /// `a..b`; an empty one could never match.
    pub fn pattern_range(&mut self, l: u32, r: u32, lo: ExprId, hi: ExprId, exclusive: bool) -> PatId {
        if let (Expr::Num(least), Expr::Num(most)) = (self.ast.expr(lo), self.ast.expr(hi))
            && (least > most || exclusive && least >= most)
        {
            let report = Diagnostic::new(codes::BAD_PATTERN, Span::new(l, r), "this range matches nothing");
            self.reports.push(report.help("in a pattern the smaller end stands first"));
        }
        self.pattern(l, r, Pattern::Range { lo, hi, exclusive })
    }

    /// `..`, `..rest`
    pub fn rest_element(&mut self, l: u32, r: u32, name: Option<&str>) -> Element {
        let name = name.filter(|name| *name != "_").map(|name| self.name(name));
        Element::Rest(name, Span::new(l, r))
    }

    /// `[p, q, ..rest]`
    pub fn pattern_list(&mut self, l: u32, r: u32, elements: Vec<Element>) -> PatId {
        let mut items = Vec::with_capacity(elements.len());
        let mut rest = None;
        let last = elements.len().saturating_sub(1);
        for (index, element) in elements.into_iter().enumerate() {
            match element {
                Element::One(pattern) => items.push(pattern),
                Element::Rest(name, _) if index == last => rest = Some(name),
                Element::Rest(_, span) => {
                    self.reports.push(Diagnostic::new(codes::BAD_PATTERN, span, "`..` stands last in a list pattern"));
                }
            }
        }
        self.pattern(l, r, Pattern::List { items, rest })
    }

    /// `p | q`, or `p` alone.
    pub fn alternatives(&mut self, l: u32, r: u32, patterns: Vec<PatId>) -> PatId {
        match patterns.as_slice() {
            [one] => *one,
            _ => {
                if let Some(span) = self.first_binding(&patterns) {
                    let report = Diagnostic::new(codes::BAD_PATTERN, span, "a pattern with `|` cannot bind names");
                    self.reports.push(report.help("use `_`, or write two arms"));
                }
                self.pattern(l, r, Pattern::Or(patterns))
            }
        }
    }

    /// Where the first name is bound in these patterns, if one is. A pattern is looked through once: alternatives inside alternatives were
    /// looked through when they were made.
    fn first_binding(&self, patterns: &[PatId]) -> Option<Span> {
        let mut work: Vec<PatId> = patterns.iter().rev().copied().collect();
        while let Some(id) = work.pop() {
            match self.ast.pat(id) {
                Pattern::Bind(_) | Pattern::List { rest: Some(Some(_)), .. } => return self.ast.pat_spans.get(id.0 as usize).copied(),
                Pattern::List { items, .. } => work.extend(items.iter().rev()),
                Pattern::Object(fields) => work.extend(fields.iter().rev().map(|(_, pattern)| pattern)),
                _ => {}
            }
        }
        None
    }
}
