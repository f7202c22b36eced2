//! Natives of observability: rows of the sandbox's own log, and spans.
//!
//! They write into the event record and nowhere else. A row says what the script says; the record's other fields (who, where, when)
//! are not the script's to choose.

use crate::fs::read::text_arg;
use ilu_sbx::options::whole;
use ilu_sbx::{Arg, Permit, Plain, Stop};
use std::fmt::Write as _;

/// Fields of a row that are shown.
const SHOWN_FIELDS: usize = 8;

/// `__obs_log(level, message[, fields])`
pub fn log(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let mut row = format!("{}: {}", cut(text_arg(args, 0)?), cut(text_arg(args, 1)?));
    fields(&mut row, args.get(2));
    permit.about(&row);
    Ok(Plain::Nil)
}

/// `__obs_span_begin(name[, fields])`
pub fn span_begin(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let span = permit.begin_span()?;
    let mut row = format!("{} #{span}", cut(text_arg(args, 0)?));
    fields(&mut row, args.get(1));
    permit.about(&row);
    #[allow(clippy::cast_precision_loss, reason = "a counter")]
    Ok(Plain::Num(span as f64))
}

/// `__obs_span_end(span[, fields])` → its milliseconds
pub fn span_end(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let span = match args.first() {
        Some(Arg::Num(n)) => whole(*n),
        _ => None,
    };
    let span = span.ok_or_else(|| Stop::failed("no such span is open"))?;
    let ms = permit.end_span(span)?;
    let mut row = format!("#{span} {ms:.0} ms");
    fields(&mut row, args.get(1));
    permit.about(&row);
    Ok(Plain::Num(ms))
}

/// As much of a text as a row can show.
fn cut(text: &str) -> String {
    text.chars().take(ilu_sbx::limits::MAX_SUBJECT).collect()
}

fn fields(row: &mut String, arg: Option<&Arg<'_>>) {
    let Some(Arg::Object(pairs)) = arg else { return };
    for (key, value) in pairs.iter().take(SHOWN_FIELDS) {
        let _ = match value {
            Arg::Str(text) => write!(row, " {}={}", cut(key), cut(text)),
            Arg::Num(n) => write!(row, " {}={n}", cut(key)),
            Arg::Bool(on) => write!(row, " {}={}", cut(key), if *on { "tru" } else { "fls" }),
            other => write!(row, " {}={}", cut(key), other.type_name()),
        };
    }
}
