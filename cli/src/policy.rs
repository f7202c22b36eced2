//! Files of network rules, as `--pol` takes them: a JSON list of rows `{net, port, eff}` and of texts as `--net` takes them.

use ilu_pol::Data;
use ilu_pol::net::Rules;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The rules of a file's text, canonical.
///
/// # Errors
/// It is no JSON, names a field twice, or one of its rows is no rule.
pub fn read(text: &str) -> Result<Vec<String>, String> {
    let Json(data) = serde_json::from_str(text).map_err(|error| format!("it is not JSON that can be taken: {error}"))?;
    let rules = Rules::from_data(&data).map_err(|error| error.to_string())?;
    Ok(rules.texts().collect())
}

/// JSON as plain data. A field that stands twice is an error: of two readers one would take the first and one the last. The JSON reader bounds the
/// depth to twice what is looked at here.
struct Json(Data<'static>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader).map(Json)
    }
}

struct Reader;

#[allow(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
impl<'de> Visitor<'de> for Reader {
    type Value = Data<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of network rules")
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Data::Nil)
    }
    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Data::Bool(truth))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Data::Num(number))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Data::Num(number as f64))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Data::Num(number as f64))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Data::Str(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Data::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields: Vec<(Cow<'static, str>, Data<'static>)> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        while let Some((key, Json(value))) = entries.next_entry::<String, Json>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("`{}` stands twice in one row", crate::report::clean::clean(&key))));
            }
            fields.push((Cow::Owned(key), value));
        }
        Ok(Data::Object(fields))
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
            ("[{\"net\": \"a\", \"eff\": false, \"eff\": true}]", "`eff` stands twice in one row"),
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
