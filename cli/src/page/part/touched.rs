//! What was touched, through which grants and by which natives; and what was granted and never needed.

use super::badge;
use crate::page::Granted;
use crate::page::html::{Html, bytes, duration};
use ilu_sbx::{Counts, Summary, Touched, What};

/// Rows of one table; a page with more is not read.
const MAX_ROWS: usize = 500;

/// Files, programs, hosts and variables, a table each.
pub fn touched(html: &mut Html, summary: &Summary) {
    html.raw("<section id=\"touched\">\n<h2>What it touched, or tried to</h2>\n");
    if summary.touched.is_empty() {
        html.raw("<p>No file, program, host or variable.</p>\n");
    }
    for (what, title) in [
        (What::File, "<h3>Files</h3>\n"),
        (What::Program, "<h3>Programs</h3>\n"),
        (What::Host, "<h3>Hosts</h3>\n"),
        (What::Variable, "<h3>Variables</h3>\n"),
    ] {
        let mut rows: Vec<&Touched> = summary.touched.iter().filter(|row| row.what == what).collect();
        if rows.is_empty() {
            continue;
        }
        // What was denied comes first; a stable sort keeps the rest in the order in which it was touched.
        rows.sort_by_key(|row| row.verdicts.denied == 0);
        html.raw(title);
        table(html, &rows, summary.scale.start);
    }
    if summary.touched_more > 0 {
        html.raw("<p>").num(summary.touched_more).raw(" more events were about things that there was no room to keep.</p>\n");
    }
    html.raw("</section>\n");
}

fn table(html: &mut Html, rows: &[&Touched], start: f64) {
    html.raw("<div class=\"wide\"><table>\n<thead><tr><th>name</th><th>verdicts</th><th>how</th><th class=\"n\">read</th>");
    html.raw("<th class=\"n\">written</th><th>last rule</th><th class=\"n\">first</th><th class=\"n\">last</th></tr></thead>\n<tbody>\n");
    for row in rows.iter().take(MAX_ROWS) {
        html.raw("<tr><td class=\"s\">").code(&row.subject).raw("</td><td>");
        counts(html, row.verdicts);
        html.raw("</td><td class=\"w\">");
        for (n, (native, times)) in row.natives.iter().enumerate() {
            html.raw(if n > 0 { "<br><code>" } else { "<code>" }).raw(native).raw("</code>");
            if *times > 1 {
                html.raw(" ×").num(*times);
            }
        }
        for size in [row.read, row.written] {
            html.raw("</td><td class=\"n\">");
            if size > 0 {
                html.text(&bytes(size));
            }
        }
        html.raw("</td><td>").text(&row.rule);
        for when in [row.first, row.last] {
            html.raw("</td><td class=\"n\">").text(&duration((when - start).max(0.0)));
        }
        html.raw("</td></tr>\n");
    }
    if rows.len() > MAX_ROWS {
        html.raw("<tr><td colspan=\"8\" class=\"soft\">… ").num((rows.len() - MAX_ROWS) as u64).raw(" more</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}

fn counts(html: &mut Html, verdicts: Counts) {
    let Counts { allowed, failed, denied, limit } = verdicts;
    for (class, n) in [("allowed", allowed), ("failed", failed), ("denied", denied), ("limit", limit)] {
        if n > 0 {
            badge(html, class);
            html.raw(class);
            if n > 1 {
                html.raw(" ×").num(n);
            }
            html.raw("</span> ");
        }
    }
}

/// Each grant, with how many calls it allowed.
pub fn grants(html: &mut Html, granted: &Granted, summary: &Summary) {
    html.raw("<section id=\"grants\">\n<h2>Grants</h2>\n");
    if granted.dirs.is_empty() && granted.env.is_empty() {
        html.raw("<p>No directory and no variable was granted.</p>\n</section>\n");
        return;
    }
    html.raw(
        "<div class=\"wide\"><table>\n<thead><tr><th>grant</th><th>access</th><th class=\"n\">calls allowed</th></tr></thead>\n<tbody>\n",
    );
    for (guest, access) in &granted.dirs {
        // As the record writes the rule; a name with slashes too many is the same grant.
        let used = |rule: &str| rule.strip_suffix(access).and_then(|rule| rule.strip_prefix("dir ")).is_some_and(|name| same(name, guest));
        let calls = summary.rules.iter().filter(|(rule, _)| used(rule)).map(|(_, n)| n).sum();
        html.raw("<tr><td class=\"s\">").code(guest).raw("</td><td>").raw(access).raw("</td><td class=\"n\">");
        calls_or_none(html, calls);
    }
    for name in &granted.env {
        let variable = summary.touched.iter().find(|row| row.what == What::Variable && row.subject == *name);
        html.raw("<tr><td class=\"s\">").code(name).raw("</td><td>variable</td><td class=\"n\">");
        calls_or_none(html, variable.map_or(0, |row| row.verdicts.allowed));
    }
    html.raw("</tbody></table></div>\n</section>\n");
}

fn calls_or_none(html: &mut Html, calls: u64) {
    if calls == 0 {
        html.raw("<span class=\"soft\">never needed</span>");
    } else {
        html.num(calls);
    }
    html.raw("</td></tr>\n");
}

/// Do two texts name the same guest path?
fn same(a: &str, b: &str) -> bool {
    let parts = |text: &str| text.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect::<Vec<_>>();
    a.trim_end().starts_with('/') == b.starts_with('/') && parts(a.trim_end()) == parts(b)
}

/// Calls by native, and what was held and never called.
pub fn natives(html: &mut Html, granted: &Granted, summary: &Summary) {
    html.raw("<section id=\"natives\">\n<h2>Natives</h2>\n");
    if !summary.natives.is_empty() {
        html.raw("<div class=\"wide\"><table>\n<thead><tr><th>native</th><th>verdicts</th></tr></thead>\n<tbody>\n");
        for (native, verdicts) in &summary.natives {
            html.raw("<tr><td><code>").raw(native).raw("</code></td><td>");
            counts(html, *verdicts);
            html.raw("</td></tr>\n");
        }
        html.raw("</tbody></table></div>\n");
    }
    let idle: Vec<&'static str> = granted
        .natives
        .iter()
        .copied()
        .filter(|held| !summary.natives.iter().any(|(called, counts)| called == held && counts.allowed + counts.failed > 0))
        .collect();
    if !idle.is_empty() {
        html.raw("<p>Held and never called: ");
        for (n, native) in idle.iter().enumerate() {
            html.raw(if n > 0 { ", <code>" } else { "<code>" }).raw(native).raw("</code>");
        }
        html.raw(".</p>\n");
    }
    html.raw("</section>\n");
}
