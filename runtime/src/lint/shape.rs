//! Code that is never reached, ranges that run to the last index, and `mat` without an arm for everything else.

use super::{Text, Warning};
use ilu_lang::ast::{Arm, BinOp, Expr, ExprId, Pattern, Stmt};
use ilu_lang::diagnostic::{Diagnostic, codes};
use ilu_lang::resolve::{Place, Resolved};
use ilu_lang::source::Span;

/// Points them out.
pub(super) fn look(text: &Text<'_>, resolved: &Resolved, found: &mut Vec<Warning>) {
    for block in &text.ast.blocks {
        let Some(end) = block.iter().position(|stmt| ends(text, resolved, text.ast.stmt(*stmt))) else { continue };
        // Functions of a block are there from its beginning on.
        let after = block.get(end + 1..).unwrap_or_default().iter().find(|stmt| !matches!(text.ast.stmt(**stmt), Stmt::Fn(_)));
        if let (Some(after), Some(end)) = (after, block.get(end)) {
            let report = Diagnostic::new(codes::UNREACHABLE, text.ast.stmt_span(*after), "this is never reached");
            found.push(report.related(text.ast.stmt_span(*end), "nothing goes on behind this").into());
        }
    }
    for (id, expr) in (0..).map(ExprId).zip(&text.ast.exprs) {
        match expr {
            Expr::Range { lo, hi, exclusive: false } => found.extend(to_length(text, resolved, id, (*lo, *hi))),
            Expr::Match { arms, .. } => arms_of(text, id, arms, found),
            _ => {}
        }
    }
}

/// Whether nothing behind a statement of the same block is reached.
fn ends(text: &Text<'_>, resolved: &Resolved, stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Ret(_) | Stmt::Brk | Stmt::Cnt => true,
        Stmt::Expr(expr) => matches!(text.ast.expr(*expr), Expr::Call { callee, .. } if is_builtin(text, resolved, *callee, "err")),
        _ => false,
    }
}

fn is_builtin(text: &Text<'_>, resolved: &Resolved, callee: ExprId, wanted: &str) -> bool {
    matches!(text.ast.expr(callee), Expr::Name(name) if text.ast.name(*name) == wanted)
        && matches!(resolved.name(callee).place, Place::Builtin(_))
}

/// `0..len(x) - 1`: for something empty it is `0..-1`, which counts down.
fn to_length(text: &Text<'_>, resolved: &Resolved, range: ExprId, (lo, hi): (ExprId, ExprId)) -> Option<Warning> {
    let Expr::Binary(BinOp::Sub, length, one) = text.ast.expr(hi) else { return None };
    let Expr::Call { callee, args } = text.ast.expr(*length) else { return None };
    let is = |id: ExprId, number: f64| matches!(text.ast.expr(id), Expr::Num(n) if (n - number).abs() < f64::EPSILON);
    if !is(lo, 0.0) || !is(*one, 1.0) || args.len() != 1 || !is_builtin(text, resolved, *callee, "len") {
        return None;
    }
    let span = text.ast.span(range);
    let length = text.of(text.ast.span(*length));
    let better = format!("{}..<{length}", text.of(text.ast.span(lo)));
    let report = Diagnostic::new(codes::RANGE_TO_LENGTH, span, "this counts down, 0 and -1, when there are no elements");
    // A comment in between would be lost.
    let fix = (!text.of(span).contains('#')).then(|| (span, better.clone()));
    Some(Warning { diagnostic: report.help(format!("write `{better}`")), fix })
}

/// Whether a pattern takes every value.
fn takes_all(text: &Text<'_>, arm: &Arm) -> bool {
    arm.guard.is_none() && matches!(text.ast.pat(arm.pattern), Pattern::Any | Pattern::Bind(_))
}

fn arms_of(text: &Text<'_>, id: ExprId, arms: &[Arm], found: &mut Vec<Warning>) {
    let place = |arm: &Arm| text.ast.pat_spans.get(arm.pattern.0 as usize).copied().unwrap_or_default();
    if let Some(last) = arms.iter().position(|arm| takes_all(text, arm)) {
        if let (Some(after), Some(all)) = (arms.get(last + 1), arms.get(last)) {
            let report = Diagnostic::new(codes::UNREACHABLE, place(after), "this arm is never taken");
            found.push(report.related(place(all), "this one takes everything").into());
        }
        return;
    }
    let has = |wanted: bool| {
        arms.iter().any(|arm| {
            let Pattern::Literal(literal) = text.ast.pat(arm.pattern) else { return false };
            arm.guard.is_none() && matches!(text.ast.expr(*literal), Expr::Bool(truth) if *truth == wanted)
        })
    };
    if has(true) && has(false) {
        return;
    }
    let Some(last) = arms.last() else { return };
    let span = text.ast.span(id);
    let head = Span::new(span.start, (span.start + 3).min(span.end));
    let report = Diagnostic::new(codes::NO_LAST_ARM, head, "this `mat` is nil when no arm fits");
    let indent = text.before_on_line(place(last).start);
    let end = end_of(text, last, span);
    let alone = indent.trim().is_empty() && {
        let rest = text.rest_of_line(end).trim();
        rest.is_empty() || rest.starts_with('#')
    };
    let line_end = end + u32::try_from(text.rest_of_line(end).trim_end_matches('\r').len()).unwrap_or(0);
    let fix = alone.then(|| (Span::new(line_end, line_end), format!("\n{indent}_ => nil")));
    found.push(Warning {
        diagnostic: report.help("say what is meant: `_ => …` is the arm for everything else, `_ => nil` if that is nil"),
        fix,
    });
}

/// Where the last arm ends.
fn end_of(text: &Text<'_>, arm: &Arm, whole: Span) -> u32 {
    let last = text.ast.block(arm.body).last().map(|stmt| text.ast.stmt_span(*stmt).end);
    last.unwrap_or(whole.end).max(text.ast.pat_spans.get(arm.pattern.0 as usize).map_or(0, |span| span.end))
}
