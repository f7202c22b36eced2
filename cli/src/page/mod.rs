//! The report of a run: one page that needs nothing beside it, in which an operator sees what the run touched and when, denials first.
//!
//! A reader of the event record like the audit file. The page has no scripts and allows none; its only style is the one in it.

mod html;
mod part;
#[cfg(test)]
mod tests;

use html::Html;
use ilu::{Kind, Outcome};
use ilu_sbx::Counts;
use sha2::{Digest, Sha256};

/// What the operator granted, as far as the page tells it.
#[derive(Debug, Default)]
pub struct Granted {
    /// Directories and files: the guest's name, and the access.
    pub dirs: Vec<(String, &'static str)>,
    /// Environment variables.
    pub env: Vec<String>,
    /// Natives.
    pub natives: Vec<&'static str>,
}

/// What a page is about.
#[derive(Debug)]
pub struct Subject<'a> {
    /// What messages call the script.
    pub script: &'a str,
    /// What it held.
    pub granted: &'a Granted,
    /// What it came to.
    pub outcome: &'a Outcome,
}

const STYLE: &str = include_str!("style.css");

/// The page.
#[must_use]
pub fn page(subject: &Subject<'_>) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-");
    html.text(&base64(&Sha256::digest(STYLE.as_bytes())));
    html.raw("'; base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    html.raw(
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n",
    );
    html.raw("<title>ilu report: ").text(subject.script).raw("</title>\n<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    header(&mut html, subject);
    html.raw("<main>\n");
    part::denials(&mut html, &subject.outcome.ledger);
    part::failure(&mut html, subject.outcome);
    part::budgets(&mut html, &subject.outcome.spent);
    if let Some(summary) = &subject.outcome.ledger.summary {
        part::timeline::timeline(&mut html, summary);
        part::touched::touched(&mut html, summary);
        part::touched::grants(&mut html, subject.granted, summary);
        part::touched::natives(&mut html, subject.granted, summary);
    } else {
        html.raw("<p>The run left no record: it ended before it began, or by a bug of ilu.</p>\n");
    }
    html.raw("</main>\n");
    footer(&mut html, subject.outcome);
    html.raw("</body>\n</html>\n");
    html.finish()
}

/// How the run ended, in a word and with the class of its colour.
fn ending(outcome: &Outcome) -> (&'static str, &'static str, String) {
    match outcome.result.as_ref().map_err(|error| &error.kind) {
        Ok(_) => ("allowed", "finished", String::new()),
        Err(Kind::Error) => ("failed", "uncaught error", String::new()),
        Err(Kind::Refused) => ("failed", "refused", String::new()),
        Err(Kind::Denied(_)) => ("denied", "uncaught denial", String::new()),
        Err(Kind::Limit | Kind::InnerLimit) => ("limit", "a budget ran out", String::new()),
        Err(Kind::Exit(code)) => ("allowed", "os.exit", format!(" {code}")),
        Err(Kind::Interrupted) => ("failed", "interrupted", String::new()),
        Err(_) => ("denied", "a bug of ilu", String::new()),
    }
}

fn header(html: &mut Html, subject: &Subject<'_>) {
    let (class, word, more) = ending(subject.outcome);
    html.raw("<header>\n<h1>Report of ").code(subject.script).raw(" ");
    part::badge(html, class);
    html.raw(word).text(&more).raw("</span></h1>\n");
    if let Some(summary) = &subject.outcome.ledger.summary {
        if summary.total > 0 {
            html.raw("<p class=\"soft\">First event ").text(&html::instant(summary.scale.start)).raw("</p>\n");
        }
        html.raw("<ul class=\"counts\">");
        let Counts { allowed, failed, denied, limit } = summary.verdicts;
        for (class, word, n) in [
            ("<li class=\"allowed\"><b>", "</b> allowed</li>", allowed),
            ("<li class=\"failed\"><b>", "</b> allowed and failed</li>", failed),
            ("<li class=\"denied\"><b>", "</b> denied</li>", denied),
            ("<li class=\"limit\"><b>", "</b> ended by a budget</li>", limit),
        ] {
            html.raw(class).num(n).raw(word);
        }
        html.raw("</ul>\n");
    }
    html.raw("<nav><a href=\"#denials\">Denials</a><a href=\"#budgets\">Budgets</a><a href=\"#timeline\">Timeline</a>");
    html.raw("<a href=\"#touched\">What it touched</a><a href=\"#grants\">Grants</a><a href=\"#natives\">Natives</a></nav>\n</header>\n");
}

fn footer(html: &mut Html, outcome: &Outcome) {
    html.raw("<footer>\n");
    if let Some(sealed) = &outcome.audit {
        html.raw("<p>The audit record of this run has ").num(sealed.events).raw(" events; its head is ").code(&sealed.head);
        html.raw(". <code>ilu audit verify FILE --head HEAD</code> checks it.</p>\n");
    }
    html.raw("<p>Paths, names and programs are shown as the script wrote them, with control and invisible characters written out. ");
    html.raw("Contents and values of variables are never recorded. Times are UTC. Made by ilu ").raw(env!("CARGO_PKG_VERSION"));
    html.raw(".</p>\n</footer>\n");
}

/// The alphabet that a content security policy takes.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let digit = (word >> (18 - 6 * n) & 63) as usize;
            out.push(if n > chunk.len() { '=' } else { DIGITS.get(digit).map_or('=', |byte| char::from(*byte)) });
        }
    }
    out
}
