//! When things happened: a drawing of all events over time, then the first and the last rows.

use super::{operands, place, sandbox, verdict};
use crate::page::html::{Html, bytes, duration, instant};
use ilu_sbx::{Counts, Event, Scale, Summary};

/// The drawing and the rows.
pub fn timeline(html: &mut Html, summary: &Summary) {
    html.raw("<section id=\"timeline\">\n<h2>Timeline</h2>\n");
    if summary.total == 0 {
        html.raw("<p>Nothing was asked for.</p>\n</section>\n");
        return;
    }
    chart(html, &summary.scale);
    html.raw("<div class=\"wide\"><table>\n<thead><tr><th class=\"n\">event</th><th class=\"n\">after</th><th>verdict</th><th>native</th>");
    html.raw("<th>on</th><th>rule</th><th>place</th><th>sandbox</th><th class=\"n\">bytes</th></tr></thead>\n<tbody>\n");
    for event in &summary.first {
        row(html, event, summary.scale.start);
    }
    if summary.left_out > 0 {
        html.raw("<tr><td colspan=\"9\" class=\"soft\">… ").num(summary.left_out);
        html.raw(" rows that the report did not keep; an audit file has them all …</td></tr>\n");
    }
    for event in &summary.last {
        row(html, event, summary.scale.start);
    }
    html.raw("</tbody></table></div>\n</section>\n");
}

fn row(html: &mut Html, event: &Event, start: f64) {
    html.raw("<tr><td class=\"n\">").num(event.seq).raw("</td><td class=\"n\">").text(&duration((event.when - start).max(0.0)));
    html.raw("</td><td>");
    verdict(html, event.verdict);
    if event.times > 1 {
        html.raw(" ×").num(event.times);
    }
    html.raw("</td><td class=\"w\"><code>").raw(event.native).raw("</code></td><td class=\"s\">");
    operands(html, event);
    html.raw("</td><td>").text(&event.rule).raw("</td><td class=\"p\">");
    place(html, event);
    html.raw("</td><td class=\"w\">");
    sandbox(html, event.sandbox);
    html.raw("</td><td class=\"n\">");
    let moved = event.cost.read.saturating_add(event.cost.written);
    if moved > 0 {
        html.text(&bytes(moved));
    }
    html.raw("</td></tr>\n");
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 90.0;
/// A short run is not stretched over the whole width: at least so many pieces are drawn.
const LEAST_SLOTS: usize = 24;
/// Least height of something that happened at all.
const SEEN: f64 = 3.0;

#[allow(clippy::cast_precision_loss, reason = "numbers that are drawn")]
fn chart(html: &mut Html, scale: &Scale) {
    let slots = scale.slots.len().max(LEAST_SLOTS) as f64;
    let wide = WIDTH / slots;
    let most = scale.slots.iter().map(|counts| counts.total()).max().unwrap_or(1).max(1) as f64;
    html.raw("<figure class=\"chart\"><svg viewBox=\"0 0 960 90\" role=\"img\" aria-label=\"events over time, by verdict\">");
    for (n, counts) in scale.slots.iter().enumerate() {
        if counts.total() == 0 {
            continue;
        }
        let Counts { allowed, failed, denied, limit } = *counts;
        html.raw("<g><title>").text(&format!("after {}: ", duration(n as f64 * scale.width)));
        html.text(&format!("{allowed} allowed, {failed} failed, {denied} denied, {limit} by a budget")).raw("</title>");
        // Denials stand at the foot, where they can't be pushed out of the drawing.
        let parts = [("denied", denied), ("limit", limit), ("failed", failed), ("allowed", allowed)];
        let mut top = HEIGHT;
        for (class, n_of_class) in parts {
            if n_of_class == 0 {
                continue;
            }
            let tall = (n_of_class as f64 / most * (HEIGHT - 3.0 * SEEN)).max(SEEN);
            top -= tall;
            html.raw("<rect class=\"").raw(class).raw("\" x=\"").at(n as f64 * wide).raw("\" y=\"").at(top.max(0.0));
            html.raw("\" width=\"").at((wide - 1.0).max(1.0)).raw("\" height=\"").at(tall).raw("\"/>");
        }
        html.raw("</g>");
    }
    html.raw("</svg><figcaption class=\"soft\">").text(&instant(scale.start)).raw(" and the ").text(&duration(slots * scale.width));
    html.raw(" after it, in pieces of ").text(&duration(scale.width)).raw(". ");
    html.raw("<span class=\"denied\">■ denied</span> <span class=\"limit\">■ by a budget</span> <span class=\"failed\">■ failed</span> ");
    html.raw("<span class=\"allowed\">■ allowed</span></figcaption></figure>\n");
}
