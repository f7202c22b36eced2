//! JSON: what is read, what is refused, what comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::MAX_DEPTH;
use crate::builtin::Fault;
use crate::builtin::tests::Bench;
use crate::heap::{Bound, equal};
use crate::value::Value;
use proptest::prelude::*;

fn decode(bench: &mut Bench, source: &str) -> Result<Value, String> {
    let source = bench.text(source);
    bench.call("__jsn_dec", &[source]).map_err(|fault| match fault {
        Fault::Message(message) => message,
        other => panic!("{other:?}"),
    })
}
fn encode(bench: &mut Bench, value: Value, indent: Value) -> Result<String, String> {
    match bench.call("__jsn_enc", &[value, indent]) {
        Ok(text) => Ok(bench.shown(text)),
        Err(Fault::Message(message)) => Err(message),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_the_rfc_allows_is_read() {
    let mut bench = Bench::new();
    for (source, shown) in [
        (" [ ] ", "[]"),
        ("{}", "{}"),
        ("null", "nil"),
        ("\"\"", ""),
        (" [1 , -0 , -0.5e-2, 1E+2 , 123e65]\n", "[1, 0, -0.005, 100, 1.23e+67]"),
        (r#"["\"\\\/\b\f\n\r\t"]"#, r#"["\"\\/\u{8}\u{c}\n\r\t"]"#),
        (r#"["\u0060\u012a\u12AB\uD801\udc37\uDBFF\uDFFF"]"#, "[\"`Īካ𐐷\u{10ffff}\"]"),
        (r#"["\u0000"]"#, r#"["\0"]"#),
        (r#"["\\u0000"]"#, r#"["\\u0000"]"#),
        ("[\"\u{7f}\u{2028}é€😀\"]", "[\"\\u{7f}\u{2028}é€😀\"]"),
        (r#"{"a":"b","a":"c"}"#, r#"{a: "c"}"#),
        (r#"{"a":1,"b":2,"a":3}"#, "{a: 3, b: 2}"),
        (r#"{"":0, "a b":[{}, {"x":[null]}]}"#, r#"{"": 0, "a b": [{}, {x: [nil]}]}"#),
        (
            "[1e-400, 0.1, 4.9e-324, 1.7976931348623157e308, 9007199254740993]",
            "[0, 0.1, 5e-324, 1.7976931348623157e+308, 9007199254740992]",
        ),
        ("\u{feff}[]", "[]"),
        ("\t[\r\n]", "[]"),
    ] {
        let value = decode(&mut bench, source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(bench.shown(value), shown, "{source}");
    }
}

#[test]
fn what_the_rfc_forbids_is_refused_with_its_place() {
    let mut bench = Bench::new();
    for (source, place, what) in [
        ("", "1, column 1", "expected a value, got the end of the text"),
        ("[1,]", "1, column 4", "expected a value, got `]`"),
        ("[1\n,\n x]", "3, column 2", "expected a value, got `x`"),
        ("[1 2]", "1, column 4", "expected `,` or `]`, got `2`"),
        ("[", "1, column 2", "expected a value, got the end of the text"),
        ("[é]", "1, column 2", "expected a value, got `é`"),
        ("{\"é\" 1}", "1, column 6", "expected `:`, got `1`"),
        ("{\"a\":1,}", "1, column 8", "expected a key in double quotes, got `}`"),
        ("{a:1}", "1, column 2", "expected a key in double quotes, got `a`"),
        ("{'a':1}", "1, column 2", "expected a key in double quotes, got `'`"),
        ("{\"a\":1", "1, column 7", "expected `,` or `}`, got the end of the text"),
        ("{1:1}", "1, column 2", "expected a key in double quotes, got `1`"),
        ("[] []", "1, column 4", "expected the end, got `[`"),
        ("1 2", "1, column 3", "expected the end, got `2`"),
        ("]", "1, column 1", "expected a value, got `]`"),
        ("[,1]", "1, column 2", "expected a value, got `,`"),
        ("tru", "1, column 1", "expected a value, got `t`"),
        ("nulll", "1, column 5", "expected the end, got `l`"),
        ("NaN", "1, column 1", "expected a value, got `N`"),
        ("-Infinity", "1, column 2", "expected a digit, got `I`"),
        ("+1", "1, column 1", "expected a value, got `+`"),
        ("01", "1, column 1", "a number starts with a superfluous 0"),
        ("-01", "1, column 1", "a number starts with a superfluous 0"),
        ("-", "1, column 2", "expected a digit, got the end of the text"),
        (".5", "1, column 1", "expected a value, got `.`"),
        ("1.", "1, column 3", "expected a digit, got the end of the text"),
        ("1.e1", "1, column 3", "expected a digit, got `e`"),
        ("1e", "1, column 3", "expected a digit, got the end of the text"),
        ("1e+", "1, column 4", "expected a digit, got the end of the text"),
        ("0x1", "1, column 2", "expected the end, got `x`"),
        ("1_000", "1, column 2", "expected the end, got `_`"),
        ("[1e999]", "1, column 2", "a number is too large"),
        ("[-1e999]", "1, column 2", "a number is too large"),
        ("\"a\tb\"", "1, column 3", "a control character in a string must be escaped"),
        ("\"a\nb\"", "1, column 3", "a control character in a string must be escaped"),
        ("[\"a\0b\"]", "1, column 4", "a control character in a string must be escaped"),
        ("\"abc", "1, column 1", "a string without an end"),
        ("\"abc\\\"", "1, column 1", "a string without an end"),
        ("\"\\", "1, column 1", "a string without an end"),
        ("\"\\x00\"", "1, column 2", "no such escape"),
        ("\"ab\\é\"", "1, column 4", "no such escape"),
        ("\"\\U0041\"", "1, column 2", "no such escape"),
        ("\"\\u00g0\"", "1, column 2", "`\\u` takes four hexadecimal digits"),
        ("\"\\u+041\"", "1, column 2", "`\\u` takes four hexadecimal digits"),
        ("\"\\u00\"", "1, column 2", "`\\u` takes four hexadecimal digits"),
        ("\"\\ud800\"", "1, column 2", "half a surrogate pair is no character"),
        ("\"\\ud800\\ud800\"", "1, column 2", "half a surrogate pair is no character"),
        ("\"\\udc00\\ud800\"", "1, column 2", "half a surrogate pair is no character"),
        ("\"\\ud800\\n\"", "1, column 2", "half a surrogate pair is no character"),
        ("'a'", "1, column 1", "expected a value, got `'`"),
        ("[1] // no", "1, column 5", "expected the end, got `/`"),
        ("\u{c}[]", "1, column 1", "expected a value, got the control character U+000C"),
        ("\u{a0}[]", "1, column 1", "expected a value, got `\u{a0}`"),
        ("\u{feff}", "1, column 2", "expected a value, got the end of the text"),
        ("[\u{feff}]", "1, column 2", "expected a value, got `\u{feff}`"),
    ] {
        let error = decode(&mut bench, source).expect_err(source);
        assert_eq!(error, format!("jsn.dec: line {place}: {what}"), "{source}");
    }
}

#[test]
fn depth_has_an_end_in_both_directions_and_what_is_written_can_be_read() {
    let mut bench = Bench::new();
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deepest = decode(&mut bench, &nested(MAX_DEPTH)).unwrap();
    assert_eq!(encode(&mut bench, deepest, Value::NIL).unwrap(), nested(MAX_DEPTH));
    assert!(decode(&mut bench, &nested(MAX_DEPTH + 1)).unwrap_err().ends_with("nested deeper than 1000"));
    assert!(decode(&mut bench, &"[".repeat(1_000_000)).unwrap_err().ends_with("nested deeper than 1000"));
    assert!(decode(&mut bench, &"{\"\":".repeat(100_000)).unwrap_err().ends_with("nested deeper than 1000"));
    let deeper = bench.heap.list_new(&[deepest]).unwrap();
    assert!(encode(&mut bench, deeper, Value::NIL).unwrap_err().starts_with("jsn.enc: nested deeper than 1000 (at $[0][0]"));
}

#[test]
fn values_are_written_compact_or_indented() {
    let mut bench = Bench::new();
    let value = decode(&mut bench, "{\"a\": [1, 2.50, -0], \"b\": {}, \"c\": [], \"\\u0001\\\"\": \"é\\u001f\\n\\/\\u007f\"}").unwrap();
    let text = "{\"a\":[1,2.5,0],\"b\":{},\"c\":[],\"\\u0001\\\"\":\"é\\u001f\\n/\u{7f}\"}";
    assert_eq!(encode(&mut bench, value, Value::NIL).unwrap(), text);
    assert_eq!(encode(&mut bench, value, Value::num(0.0)).unwrap(), text);
    let value = decode(&mut bench, "{\"a\":[1,[2]],\"b\":{},\"c\":{\"d\":null}}").unwrap();
    let indented = "{\n  \"a\": [\n    1,\n    [\n      2\n    ]\n  ],\n  \"b\": {},\n  \"c\": {\n    \"d\": null\n  }\n}";
    assert_eq!(encode(&mut bench, value, Value::num(2.0)).unwrap(), indented);
    for wrong in [Value::num(17.0), Value::num(-1.0), Value::num(0.5), Value::TRUE] {
        assert!(encode(&mut bench, value, wrong).unwrap_err().starts_with("jsn.enc takes "));
    }
}

#[test]
fn what_json_has_not_is_named_with_its_place_and_nothing_of_its_inside() {
    let mut bench = Bench::new();
    let bytes = bench.heap.bytes_new(vec![1]).unwrap();
    let sandbox = bench.heap.sandbox_new(ilu_sbx::ids::SbxId(3)).unwrap();
    let (users, name) = (bench.heap.intern("users").unwrap(), bench.heap.intern("name").unwrap());
    for (value, kind) in [(Value::builtin(7), "bif"), (Value::native(7), "bif"), (bytes, "byt"), (sandbox, "sbx")] {
        let user = bench.heap.object_with(&[name], &[value]).unwrap();
        let list = bench.heap.list_new(&[Value::NIL, user]).unwrap();
        let top = bench.heap.object_with(&[users], &[list]).unwrap();
        assert_eq!(encode(&mut bench, top, Value::NIL).unwrap_err(), format!("jsn.enc: JSON has no {kind} (at $.users[1].name)"));
    }
    let list = bench.heap.list_with_capacity(1).unwrap();
    bench.heap.list_push(list, list.into()).unwrap();
    assert_eq!(encode(&mut bench, list.into(), Value::NIL).unwrap_err(), "jsn.enc: the value contains itself (at $[0])");
}

#[test]
fn sixty_doublings_end_in_a_limit() {
    let mut bench = Bench::new();
    let leaf = bench.heap.list_new(&[]).unwrap();
    let bomb = (0..60).fold(leaf, |inner, _| bench.heap.list_new(&[inner, inner]).unwrap());
    let live = bench.heap.live();
    bench.fuel = 1_000_000;
    assert!(matches!(bench.call("__jsn_enc", &[bomb, Value::NIL]), Err(Fault::Fuel)));
    bench.fuel = i64::MAX;
    bench.heap.set_limit(live + (1 << 20));
    assert!(matches!(bench.call("__jsn_enc", &[bomb, Value::NIL]), Err(Fault::Full(_))));
    assert_eq!(bench.heap.live(), live, "nothing is left booked");
}

#[test]
fn reading_within_too_little_memory_is_refused_and_gives_the_text_back() {
    let mut bench = Bench::new();
    let source = format!("[{}1]", "[],".repeat(100_000));
    let text = bench.text(&source);
    let limit = bench.heap.live() + (1 << 20);
    bench.heap.set_limit(limit);
    assert!(matches!(bench.call("__jsn_dec", &[text]), Err(Fault::Full(_))));
    assert_eq!(bench.heap.str(text.as_str().unwrap()), source);
}

/// Any JSON value, as text made by another implementation's rules: here, by hand.
fn any_json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i32>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}"))
    ];
    let text = any::<String>().prop_map(|text| quote(&text));
    let leaf = prop_oneof![Just("null".to_owned()), Just("true".to_owned()), Just("false".to_owned()), number, text.clone()];
    leaf.prop_recursive(5, 60, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec((text.clone(), inner), 0..12).prop_map(|pairs| format!(
                "{{{}}}",
                pairs.into_iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(",")
            )),
        ]
    })
}
fn quote(text: &str) -> String {
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{escaped}\"")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn what_was_read_comes_back_equal_after_writing_and_reading(source in any_json(), indent in 0..5u32) {
        let mut bench = Bench::new();
        let value = decode(&mut bench, &source).unwrap();
        let text = encode(&mut bench, value, Value::num(f64::from(indent))).unwrap();
        let again = decode(&mut bench, &text).unwrap();
        let bound = Bound { work: 1 << 30, bytes: 1 << 30 };
        prop_assert!(equal(&bench.heap, value, again, bound).unwrap().0, "{source}\n{text}");
        prop_assert_eq!(encode(&mut bench, again, Value::num(f64::from(indent))).unwrap(), text);
    }
    #[test]
    fn no_text_is_too_odd_to_be_refused_in_order(source in r#"[\[\]{}:,"\\u0-9dDeE+\-. \n\u{0}é\u{1F600}tfn]{0,40}"#) {
        let mut bench = Bench::new();
        if let Ok(value) = decode(&mut bench, &source) {
            let text = encode(&mut bench, value, Value::NIL).unwrap();
            prop_assert!(decode(&mut bench, &text).is_ok());
        }
    }
}
