//! Values of scripts as JSON.

use super::clean::is_unsafe;
use ilu::host::wall::Report;
use ilu_sbx::Plain;
use serde_json::{Map, Number, Value, json};
use std::fmt::Write;

/// Nesting deeper than this is shown as `null`: a JSON reader recurses.
const MAX_DEPTH: usize = 100;

/// A value as JSON: whole numbers without a fraction, bytes as a list of numbers, an open resource as `null`.
#[must_use]
pub fn as_json(value: &Plain) -> Value {
    at_depth(value, 0)
}

/// What stands of the second wall, and what does not hold without the rest.
#[must_use]
pub fn wall(report: &Report) -> Value {
    let missing: Vec<Value> = report.gaps.iter().map(|gap| json!({"lost": gap.lost, "why": gap.why})).collect();
    json!({"landlock": report.landlock, "seccomp": report.seccomp, "missing": missing})
}

/// A value as one line of JSON that a terminal can show: what could move its cursor, hide text or turn its direction is written as `\u`.
#[must_use]
pub fn one_line(value: &Value) -> String {
    let text = value.to_string();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Such a character can only stand in a string, where its escape means the same.
        if is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn at_depth(value: &Plain, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    match value {
        Plain::Nil | Plain::Handle(_) => Value::Null,
        Plain::Bool(truth) => Value::Bool(*truth),
        Plain::Num(number) => Value::Number(num(*number)),
        Plain::Str(text) => Value::String(text.clone()),
        Plain::Bytes(bytes) => Value::Array(bytes.iter().map(|byte| Value::from(*byte)).collect()),
        Plain::List(items) => Value::Array(items.iter().map(|item| at_depth(item, depth + 1)).collect()),
        Plain::Object(fields) => {
            Value::Object(fields.iter().map(|(key, item)| (key.clone(), at_depth(item, depth + 1))).collect::<Map<_, _>>())
        }
    }
}

/// Whole numbers that a double holds exactly are written as such.
fn num(number: f64) -> Number {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within ±2^53")]
        return Number::from(number as i64);
    }
    Number::from_f64(number).unwrap_or_else(|| Number::from(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_shape_and_numbers_their_digits() {
        let value = Plain::Object(vec![
            ("whole".into(), Plain::Num(42.0)),
            ("part".into(), Plain::Num(0.5)),
            ("list".into(), Plain::List(vec![Plain::Nil, Plain::Bool(true), Plain::Str("\u{1b}".into())])),
            ("bytes".into(), Plain::Bytes(vec![0, 255])),
        ]);
        assert_eq!(as_json(&value).to_string(), r#"{"whole":42,"part":0.5,"list":[null,true,"\u001b"],"bytes":[0,255]}"#);
    }

    #[test]
    fn one_line_moves_no_cursor_and_means_the_same() {
        let value = Value::from("a\u{9b}31m\u{202e}\u{2028}\u{e0041}\n\"é");
        let line = one_line(&value);
        assert_eq!(line, r#""a\u009b31m\u202e\u2028\udb40\udc41\n\"é""#);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }

    #[test]
    fn deep_values_are_cut() {
        let deep = (0..500).fold(Plain::Nil, |inner, _| Plain::List(vec![inner]));
        let text = as_json(&deep).to_string();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}
