//! Values of scripts as JSON.

use ilu_sbx::Plain;
use serde_json::{Map, Number, Value};

/// Nesting deeper than this is shown as `null`: a JSON reader recurses.
const MAX_DEPTH: usize = 100;

/// A value as JSON: whole numbers without a fraction, bytes as a list of numbers, an open resource as `null`.
#[must_use]
pub fn as_json(value: &Plain) -> Value {
    at_depth(value, 0)
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
    fn deep_values_are_cut() {
        let deep = (0..500).fold(Plain::Nil, |inner, _| Plain::List(vec![inner]));
        let text = as_json(&deep).to_string();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}
