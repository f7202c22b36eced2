//! The parts of the page that come first: denials, how the run failed, budgets.

pub mod timeline;
pub mod touched;

use super::html::{Html, bytes, duration, grouped};
use ilu::{Kind, Outcome};
use ilu_sbx::{Budget, Event, Ledger, NO_LIMIT, Spent, Verdict};

/// Opens a badge of one of the four colours; `</span>` ends it.
pub fn badge(html: &mut Html, class: &str) {
    html.raw(match class {
        "allowed" => "<span class=\"badge allowed\">",
        "failed" => "<span class=\"badge failed\">",
        "limit" => "<span class=\"badge limit\">",
        _ => "<span class=\"badge denied\">",
    });
}

/// A verdict as a badge.
pub fn verdict(html: &mut Html, verdict: Verdict) {
    badge(html, verdict.text());
    html.raw(verdict.text()).raw("</span>");
}

/// The operands of a call, each by itself.
pub fn operands(html: &mut Html, event: &Event) {
    for (n, subject) in event.subjects.iter().enumerate() {
        if n > 0 {
            html.raw(" → ");
        }
        html.code(subject);
    }
}

/// Where in the source.
pub fn place(html: &mut Html, event: &Event) {
    html.code(&format!("{}:{}", event.file, event.line));
}

/// Whose authority was asked.
pub fn sandbox(html: &mut Html, number: u64) {
    if number == ilu_sbx::ROOT_NUMBER {
        html.raw("its own");
    } else {
        html.raw("#").text(&number.to_string());
    }
}

/// What was refused, by which rule, and what would allow it.
pub fn denials(html: &mut Html, ledger: &Ledger) {
    html.raw("<section id=\"denials\">\n<h2>Denials</h2>\n");
    if ledger.denied.is_empty() {
        html.raw("<p>Nothing was denied.</p>\n");
    }
    for event in &ledger.denied {
        denial(html, event);
    }
    if ledger.denied_more > 0 {
        html.raw("<p>").num(ledger.denied_more).raw(" more calls were denied, of kinds that there was no room to keep.</p>\n");
    }
    html.raw("</section>\n");
}

fn denial(html: &mut Html, event: &Event) {
    html.raw("<article class=\"card\">");
    verdict(html, event.verdict);
    html.raw(" <code>").raw(event.native).raw("</code> ");
    operands(html, event);
    if event.times > 1 {
        html.raw(" <span class=\"soft\">").num(event.times).raw(" times</span>");
    }
    html.raw("\n<dl><dt>where</dt><dd>");
    place(html, event);
    html.raw(" in ");
    if event.sandbox == ilu_sbx::ROOT_NUMBER {
        html.raw("the script's own sandbox");
    } else {
        html.raw("sandbox ");
        sandbox(html, event.sandbox);
    }
    html.raw("</dd>");
    if let Some(denial) = &event.denial {
        html.raw("<dt>rule</dt><dd>").text(&denial.rule.text()).raw(" <span class=\"soft\">(").raw(denial.rule.code()).raw(")</span></dd>");
        html.raw("<dt>would allow it</dt><dd>");
        match &denial.grant {
            Some(grant) => html.code(grant),
            None => html.raw("no grant would"),
        };
        html.raw("</dd><dt>trying again</dt><dd>").raw(if denial.retry { "may help" } else { "can't help" }).raw("</dd>");
    }
    html.raw("</dl></article>\n");
}

/// Why the run ended before its end, unless a denial says it already.
pub fn failure(html: &mut Html, outcome: &Outcome) {
    let Err(error) = &outcome.result else { return };
    if matches!(error.kind, Kind::Exit(_)) {
        return;
    }
    html.raw("<section id=\"failure\">\n<h2>How it ended</h2>\n<p>").code(&error.message);
    if let Some(place) = error.place() {
        let (line, _) = place.position();
        html.raw(" at ").code(&format!("{}:{line}", place.source.name));
    }
    html.raw("</p>\n</section>\n");
}

/// What was used of each budget.
pub fn budgets(html: &mut Html, spent: &[Spent]) {
    html.raw(
        "<section id=\"budgets\">\n<h2>Budgets</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>budget</th><th class=\"n\">used</th>",
    );
    html.raw("<th class=\"n\">limit</th><th class=\"n\">of it</th><th></th></tr></thead>\n<tbody>\n");
    for row in spent {
        let share = share(row);
        html.raw("<tr><td>").text(&row.budget.text()).raw("</td><td class=\"n\">").text(&amount(row.budget, row.used));
        html.raw("</td><td class=\"n\">");
        match row.limit {
            NO_LIMIT => html.raw("none"),
            limit => html.text(&amount(row.budget, limit)),
        };
        html.raw("</td><td class=\"n\">").text(&percent(share, row.used));
        html.raw("</td><td class=\"m\"><svg viewBox=\"0 0 200 10\" role=\"img\" aria-hidden=\"true\">");
        html.raw("<rect class=\"back\" width=\"200\" height=\"10\" rx=\"3\"/><rect class=\"meter ");
        html.raw(if share >= 1.0 {
            "denied"
        } else if share >= 0.8 {
            "failed"
        } else {
            "allowed"
        });
        // A sliver for what would be too little to see.
        let width = if row.used == 0 { 0.0 } else { (200.0 * share).clamp(1.5, 200.0) };
        html.raw("\" height=\"10\" rx=\"3\" width=\"").at(width).raw("\"/></svg></td></tr>\n");
    }
    html.raw("</tbody></table></div>\n</section>\n");
}

fn amount(budget: Budget, n: u64) -> String {
    match budget {
        Budget::Memory | Budget::Output | Budget::Read | Budget::Written => bytes(n),
        #[allow(clippy::cast_precision_loss, reason = "milliseconds that are shown")]
        Budget::Time => duration(n as f64),
        Budget::Fuel | Budget::Depth | Budget::Calls(_) => grouped(n),
    }
}

/// The used part of a limit, from 0 to 1.
fn share(row: &Spent) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a ratio that is drawn")]
    match row.limit {
        NO_LIMIT => 0.0,
        0 => f64::from(u8::from(row.used > 0)),
        limit => (row.used as f64 / limit as f64).min(1.0),
    }
}

fn percent(share: f64, used: u64) -> String {
    match share * 100.0 {
        _ if used == 0 => "0 %".to_owned(),
        part if part < 0.1 => "< 0.1 %".to_owned(),
        part => format!("{part:.1} %"),
    }
}
