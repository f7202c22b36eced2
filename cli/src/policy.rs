//! Files of network rules, as `--pol` takes them: a JSON list of rows `{net, port, eff}` and of texts as `--net` takes them.

use ilu_pol::Data;
use ilu_pol::net::Rules;
use serde_json::Value;
use std::borrow::Cow;

/// The rules of a file's text, canonical.
///
/// # Errors
/// It is no JSON, or one of its rows is no rule.
pub fn read(text: &str) -> Result<Vec<String>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    // The JSON reader bounds the depth to twice what is looked at here.
    let rules = Rules::from_data(&data(&value)).map_err(|error| error.to_string())?;
    Ok(rules.texts().collect())
}

fn data(value: &Value) -> Data<'_> {
    match value {
        Value::Null => Data::Nil,
        Value::Bool(truth) => Data::Bool(*truth),
        Value::Number(number) => number.as_f64().map_or(Data::Nil, Data::Num),
        Value::String(text) => Data::text(text),
        Value::Array(items) => Data::List(items.iter().map(data).collect()),
        Value::Object(fields) => Data::Object(fields.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), data(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_list_of_rows_and_texts() {
        let text = r#"[{"net": "!"}, 1]"#;
        assert!(read(text).is_err());
        let text = r#"[{"net": "evil.example", "eff": false}, "*.example:443", {"net": "10.0.0.0/8", "port": "1..9", "eff": true}]"#;
        assert_eq!(read(text).unwrap(), ["!evil.example", "*.example:443", "10.0.0.0/8:1..9"]);
        assert_eq!(read("[]").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("", "it is not JSON"),
            ("{}", "the network rules must be a list, got obj"),
            ("[{\"net\": \"x\"}]", "rule 0 has no `eff`"),
            ("[{\"net\": \"x\", \"eff\": 1}]", "`eff` of rule 0 must be tru or fls, got num"),
            ("[{\"net\": \"x\", \"eff\": true, \"ports\": 1}]", "rule 0 has `ports`"),
            ("[\"x\", \"a.*.b\"]", "`*` stands alone"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
