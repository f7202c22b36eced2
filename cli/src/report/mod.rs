//! Outcomes as text for people. Everything a script chose goes through [`clean`] or [`excerpt`] first.

pub mod clean;
pub mod data;
pub mod excerpt;
pub mod failure;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use clean::clean;
use excerpt::excerpt;
use ilu_lang::diagnostic::Diagnostic;
use ilu_lang::source::{Source, Span};
use serde_json::{Value, json};

/// Most errors of one source that are shown; the rest is counted.
pub const MAX_DIAGNOSTICS: usize = 20;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// With colours.
    pub color: bool,
}

impl Look {
    fn renderer(self) -> Renderer {
        if self.color { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii)
    }
}

/// All errors of one source, in order, with a closing line that counts them.
#[must_use]
pub fn diagnostics(source: &Source, found: &[Diagnostic], look: Look) -> String {
    let mut out = String::new();
    for one in found.iter().take(MAX_DIAGNOSTICS) {
        out.push_str(&diagnostic(source, one, look));
        out.push_str("\n\n");
    }
    if found.len() > MAX_DIAGNOSTICS {
        out.push_str(&format!("{} more errors are not shown\n", found.len() - MAX_DIAGNOSTICS));
    }
    let what = if found.iter().all(is_warning) { "warning" } else { "error" };
    let count = if found.len() == 1 { format!("1 {what}") } else { format!("{} {what}s", found.len()) };
    out.push_str(&format!("{}: {count}\n", clean(&source.name)));
    out
}

/// The same as data.
#[must_use]
pub fn diagnostics_as_json(source: &Source, found: &[Diagnostic]) -> Vec<Value> {
    let place = |span: Span| {
        let ((line, column), (end_line, end_column)) = (source.position(span.start), source.position(span.end));
        json!({"line": line, "column": column, "end_line": end_line, "end_column": end_column})
    };
    let one = |error: &Diagnostic| {
        let mut object = json!({"code": error.code, "message": error.message, "label": error.label, "help": error.help});
        if let (Value::Object(fields), Value::Object(where_to)) = (&mut object, place(error.span)) {
            fields.extend(where_to);
        }
        object
    };
    found.iter().take(MAX_DIAGNOSTICS).map(one).collect()
}

/// Warnings have codes of their own, `W0001` and on.
fn is_warning(found: &Diagnostic) -> bool {
    found.code.starts_with('W')
}

fn diagnostic(source: &Source, found: &Diagnostic, look: Look) -> String {
    let mut places = vec![Place { span: found.span, words: found.label.to_string(), primary: true }];
    places.extend(found.related.iter().map(|(span, words)| Place { span: *span, words: words.clone(), primary: false }));
    let level = if is_warning(found) { Level::WARNING } else { Level::ERROR };
    let title = level.primary_title(clean(&found.message)).id(found.code);
    let mut group = show_places(Group::with_title(title), source, &places);
    if let Some(help) = &found.help {
        group = group.element(Level::HELP.message(clean(help)));
    }
    look.renderer().render(&[group])
}

/// A message about one place of a source text, and what to do next.
#[must_use]
pub fn message_at(code: &str, message: &str, help: Option<&str>, source: &Source, span: Span, look: Look) -> String {
    let group = Group::with_title(Level::ERROR.primary_title(clean(message)).id(code));
    let mut group = show_places(group, source, &[Place { span, words: String::new(), primary: true }]);
    if let Some(help) = help {
        group = group.element(Level::HELP.message(clean(help)));
    }
    look.renderer().render(&[group])
}

/// A message about no place.
#[must_use]
pub fn message(code: &str, message: &str, look: Look) -> String {
    look.renderer().render(&[Group::with_title(Level::ERROR.primary_title(clean(message)).id(code))])
}

struct Place {
    span: Span,
    words: String,
    primary: bool,
}

/// One snippet per place; places on one line share it, unless that line is too long to be shown whole.
fn show_places<'a>(mut group: Group<'a>, source: &Source, places: &[Place]) -> Group<'a> {
    let shown: Vec<_> = places.iter().map(|place| (place, excerpt(source, place.span))).collect();
    let mut done: Vec<usize> = Vec::new();
    for (_, first) in &shown {
        if !first.cut {
            if done.contains(&first.line) {
                continue;
            }
            done.push(first.line);
        }
        let mut snippet = Snippet::source(first.text.clone()).line_start(first.line);
        if first.cut {
            // The drawn columns are the window's: the true place is said by itself.
            group = group.element(Origin::path(clean(&source.name)).line(first.line).char_column(first.column));
        } else {
            snippet = snippet.path(clean(&source.name));
        }
        for (place, here) in
            shown.iter().filter(|(_, here)| std::ptr::eq(here, first) || here.line == first.line && !here.cut && !first.cut)
        {
            let kind = if place.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(here.range.clone());
            snippet = snippet.annotation(if place.words.is_empty() { annotation } else { annotation.label(clean(&place.words)) });
        }
        group = group.element(snippet);
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    const PLAIN: Look = Look { color: false };

    fn at(source: &Source, what: &str) -> Span {
        let at = source.text.find(what).unwrap();
        Span::new(at as u32, (at + what.len()) as u32)
    }

    #[test]
    fn an_error_shows_its_place_its_relatives_and_help() {
        let source = Source::new("a.ilu", "def x = 1\n\nx = 2\nprn x\n");
        let found = Diagnostic::new("E0303", at(&source, "x = 2"), "`x` is a constant")
            .label("assigned again")
            .related(at(&source, "x = 1"), "bound here")
            .help("use another name");
        assert_snapshot!(diagnostics(&source, &[found], PLAIN));
    }

    #[test]
    fn two_places_on_one_line_share_it() {
        let source = Source::new("a.ilu", "f(a, b, a) = a\n");
        let found = Diagnostic::new("E0301", Span::new(8, 9), "two parameters are called `a`").related(Span::new(2, 3), "the first one");
        assert_snapshot!(diagnostics(&source, &[found], PLAIN));
    }

    #[test]
    fn a_place_far_out_on_a_long_line_shows_its_true_column() {
        let source = Source::new("a.ilu", format!("x = {}nope{}", "1 + ".repeat(5_000), " + 1".repeat(5_000)));
        let found = Diagnostic::new("E0300", at(&source, "nope"), "nothing here is called `nope`");
        assert_snapshot!(diagnostics(&source, &[found], PLAIN));
    }

    #[test]
    fn hostile_text_in_source_name_and_message_is_shown_harmless() {
        let source = Source::new("a\x1b[2J.ilu", "x = '\x1b[31m\u{202e}' + nope\n");
        let shown = message_at("E0601", "bad\nerror: fake \x1b]0;title\x07", None, &source, at(&source, "nope"), PLAIN);
        assert_snapshot!(shown);
        assert!(!shown.contains('\x1b'));
    }

    #[test]
    fn places_near_and_far_on_one_long_line_are_each_shown() {
        let source = Source::new("a.ilu", format!("near{} far{}", " é".repeat(100), " é".repeat(100)));
        let (near, far) = (at(&source, "near"), at(&source, "far"));
        for (first, second) in [(near, far), (far, near)] {
            let found = Diagnostic::new("E0300", first, "no").label("here").related(second, "and there");
            let shown = diagnostics(&source, &[found], PLAIN);
            assert!(shown.contains("here") && shown.contains("and there"), "{shown}");
        }
    }

    #[test]
    fn no_text_and_no_places_break_the_drawing() {
        const PARTS: [&str; 14] = [
            "x",
            "\n",
            "\r\n",
            "\t",
            "é",
            "…",
            "\u{202e}",
            "\x1b",
            "\u{fffd}",
            "\u{1f468}\u{200d}\u{1f469}",
            "\u{301}",
            "　",
            " = ",
            "0123456789",
        ];
        // Knuth's multiplier: any sequence will do, and the same one each time.
        let mut state = 1_u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for _ in 0..3_000 {
            let many = [3, 30, 300][below(3)];
            let line_ends = below(2) == 0;
            let text: String = (0..below(many)).map(|_| PARTS[below(14)]).filter(|part| line_ends || !part.contains('\n')).collect();
            let source = Source::new("a.ilu", text);
            let mut span = || {
                let (a, b) = (below(source.text.len() + 3), below(source.text.len() + 3));
                let on_boundary =
                    |at: usize| source.text.floor_char_boundary(at.min(source.text.len())) as u32 + u32::from(at > source.text.len());
                Span::new(on_boundary(a.min(b)), on_boundary(a.max(b)))
            };
            let found = Diagnostic::new("E0300", span(), "no").label("a").related(span(), "b").related(span(), "c");
            assert!(diagnostics(&source, std::slice::from_ref(&found), PLAIN).contains("a.ilu"), "{:?} {found:?}", source.text);
            assert!(!message_at("E0601", "no", None, &source, found.span, Look { color: true }).is_empty());
        }
    }

    #[test]
    fn a_flood_of_errors_is_cut() {
        let source = Source::new("a.ilu", "x\n");
        let found = vec![Diagnostic::new("E0300", Span::new(0, 1), "no"); MAX_DIAGNOSTICS + 3];
        let shown = diagnostics(&source, &found, PLAIN);
        assert_eq!(shown.matches("error[E0300]").count(), MAX_DIAGNOSTICS);
        assert!(shown.ends_with("3 more errors are not shown\na.ilu: 23 errors\n"), "{shown}");
    }
}
