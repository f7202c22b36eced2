//! What the pure builtins give, and how they refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{Cx, Fault, Run, bytes, json, list, math, object, text};
use crate::heap::{self, Bound, Heap};
use crate::value::Value;

/// A heap, fuel, and calls by name.
pub(super) struct Bench {
    pub(super) heap: Heap,
    pub(super) fuel: i64,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { heap: Heap::new(256 << 20), fuel: 1 << 40 }
    }
    pub(super) fn call(&mut self, name: &str, args: &[Value]) -> Result<Value, Fault> {
        let mut rows = [text::ROWS, list::ROWS, object::ROWS, json::ROWS, math::ROWS, bytes::ROWS].into_iter().flatten();
        let row = rows.find(|row| row.name == name).unwrap_or_else(|| panic!("no {name}"));
        #[allow(irrefutable_let_patterns, clippy::infallible_destructuring_match)]
        let Run::Pure(run) = row.run else { panic!("{name} is not pure") };
        run(&mut Cx { heap: &mut self.heap.store, fuel: &mut self.fuel }, args)
    }
    /// A JSON text as a value.
    pub(super) fn json(&mut self, source: &str) -> Value {
        let source = self.text(source);
        self.call("__jsn_dec", &[source]).unwrap()
    }
    pub(super) fn text(&mut self, text: &str) -> Value {
        self.heap.string(text).unwrap()
    }
    pub(super) fn shown(&self, value: Value) -> String {
        let mut out = String::new();
        heap::text(&self.heap, value, &mut out, Bound { work: 1 << 30, bytes: 1 << 30 }).unwrap();
        out
    }
    /// Calls with arguments written as JSON; the result as text, or the error's message after `!`.
    pub(super) fn run(&mut self, name: &str, args: &str) -> String {
        let args = self.json(args);
        let args = self.heap.list(args.as_list().unwrap()).to_vec();
        match self.call(name, &args) {
            Ok(value) => self.shown(value),
            Err(Fault::Message(message)) => format!("!{message}"),
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
}

#[track_caller]
fn check(cases: &[(&str, &str, &str)]) {
    let mut bench = Bench::new();
    for (name, args, expected) in cases {
        assert_eq!(bench.run(name, args), *expected, "{name} {args}");
    }
}

#[test]
fn text_functions_count_code_points() {
    check(&[
        ("__txt_split", r#"["a,b,,c", ","]"#, r#"["a", "b", "", "c"]"#),
        ("__txt_split", r#"["", ","]"#, r#"[""]"#),
        ("__txt_split", r#"["é--漢--", "--"]"#, r#"["é", "漢", ""]"#),
        ("__txt_split", r#"["aaa", "aa"]"#, r#"["", "a"]"#),
        ("__txt_split", r#"["abc", "abc"]"#, r#"["", ""]"#),
        ("__txt_split", r#"["abc", ""]"#, "!txt.split takes a separator that is not empty"),
        ("__txt_split", r#"[5, ","]"#, "!txt.split takes a string, got num"),
        ("__txt_lines", r#"["a\nb\r\n\nc"]"#, r#"["a", "b", "", "c"]"#),
        ("__txt_lines", r#"["a\n"]"#, r#"["a"]"#),
        ("__txt_lines", r#"["a\r"]"#, r#"["a\r"]"#),
        ("__txt_lines", r#"[""]"#, "[]"),
        ("__txt_lines", r#"["\n"]"#, r#"[""]"#),
        ("__txt_join", r#"[["a", 1, null, true], "-"]"#, "a-1-nil-tru"),
        ("__txt_join", r#"[[], "-"]"#, ""),
        ("__txt_join", r#"[[[]], "-"]"#, "!txt.join takes a list of strings or numbers, got lst"),
        ("__txt_trim", r#"[" \t\u00a0a b\r\n"]"#, "a b"),
        ("__txt_trim", r#"["   "]"#, ""),
        ("__txt_upper", r#"["aß1é"]"#, "ASS1É"),
        ("__txt_lower", r#"["AbÉ"]"#, "abé"),
        ("__txt_upper", r#"["abc"]"#, "ABC"),
        ("__txt_sub", r#"["héllo", 1, 3]"#, "él"),
        ("__txt_sub", r#"["hello", 1, 3]"#, "el"),
        ("__txt_sub", r#"["hello", 3, 1]"#, ""),
        ("__txt_sub", r#"["hello", 3, 1e300]"#, "lo"),
        ("__txt_sub", r#"["hello", -1, 2]"#, "!txt.sub takes a whole number from 0 on, got -1"),
        ("__txt_sub", r#"["hello", 0.5, 2]"#, "!txt.sub takes a whole number from 0 on, got 0.5"),
        ("__txt_rep", r#"["banana", "an", "AN"]"#, "bANANa"),
        ("__txt_rep", r#"["aaa", "aa", "b"]"#, "ba"),
        ("__txt_rep", r#"["aaa", "", "b"]"#, "!txt.rep takes a text to replace that is not empty"),
        ("__txt_find", r#"["héllo", "l", 0]"#, "2"),
        ("__txt_find", r#"["héllo", "l", 3]"#, "3"),
        ("__txt_find", r#"["héllo", "z", 0]"#, "nil"),
        ("__txt_find", r#"["abc", "", 3]"#, "3"),
        ("__txt_find", r#"["abc", "", 4]"#, "nil"),
        ("__txt_find", r#"["abc", "a", 1e300]"#, "nil"),
        ("__txt_has", r#"["a", ""]"#, "tru"),
        ("__txt_has", r#"["banana", "x"]"#, "fls"),
        ("__txt_starts", r#"["banana", "ban"]"#, "tru"),
        ("__txt_ends", r#"["banana", "ban"]"#, "fls"),
        ("__txt_pad", r#"["ab", 4, " ", false]"#, "ab  "),
        ("__txt_pad", r#"["7", 3, "0", true]"#, "007"),
        ("__txt_pad", r#"["é", 6, "→.", false]"#, "é→.→.→"),
        ("__txt_pad", r#"["long", 2, " ", false]"#, "long"),
        ("__txt_pad", r#"["a", 2, "", false]"#, "!txt.pad takes a filling that is not empty"),
        ("__txt_repeat", r#"["ab", 3]"#, "ababab"),
        ("__txt_repeat", r#"["ab", 0]"#, ""),
        ("__txt_repeat", r#"["", 1e300]"#, ""),
    ]);
}

#[test]
fn list_functions_do_what_their_rows_say() {
    check(&[
        ("__lst_slice", "[[1,2,3], 1, 2]", "[2]"),
        ("__lst_slice", "[[1,2,3], 0, 9]", "[1, 2, 3]"),
        ("__lst_slice", "[[1,2,3], 5, 9]", "[]"),
        ("__lst_slice", "[[1,2,3], 2, 1]", "[]"),
        ("__lst_rev", "[[1,2,3]]", "[3, 2, 1]"),
        ("__lst_sort", "[[3,1,2], null]", "[1, 2, 3]"),
        ("__lst_sort", r#"[["b","a","é","aa"], null]"#, r#"["a", "aa", "b", "é"]"#),
        ("__lst_sort", r#"[["x","y","z"], [2,1,2]]"#, r#"["y", "x", "z"]"#),
        ("__lst_sort", r#"[[[], {}], ["b", "a"]]"#, "[{}, []]"),
        ("__lst_sort", r#"[[1,"a"], null]"#, "!trl.srt can't order num and str"),
        ("__lst_sort", "[[[]], null]", "!trl.srt takes numbers or strings, got lst"),
        ("__lst_sort", "[[1], [1,2]]", "!trl.srt takes as many keys as elements"),
        ("__lst_sort", "[[], null]", "[]"),
        ("__lst_index", "[[1,[2],3], [2]]", "1"),
        ("__lst_index", "[[1], 2]", "nil"),
        ("__lst_sum", "[[1,2,3.5]]", "6.5"),
        ("__lst_sum", "[[]]", "0"),
        ("__lst_sum", r#"[[1,"2"]]"#, "!trl.sum takes a list of numbers, got str"),
        ("__lst_sum", "[[1e308,1e308]]", "!trl.sum: the sum is too large for a number"),
        ("__lst_uniq", r#"[[1,1,"a",[1],"a",[1],{"k":1},{"k":1},-0,0,null]]"#, r#"[1, "a", [1], {k: 1}, 0, nil]"#),
        ("__lst_flat", "[[1,[2,[3]],[]]]", "[1, 2, [3]]"),
        ("__lst_pop", "[[]]", "nil"),
        ("__lst_remove", "[[1], 1]", "!trl.remove: index 1 is out of range for a list of length 1"),
        ("__lst_insert", "[[1], 2, 5]", "!trl.insert: index 2 is out of range for a list of length 1"),
        ("__lst_push", r#"["a", 1]"#, "!trl.push takes a list, got str"),
    ]);
}

#[test]
fn a_list_is_changed_in_place_unless_it_is_frozen() {
    let mut bench = Bench::new();
    let list = bench.json("[1,2]");
    let (zero, three) = (Value::num(0.0), Value::num(3.0));
    bench.call("__lst_push", &[list, three]).unwrap();
    bench.call("__lst_insert", &[list, zero, Value::NIL]).unwrap();
    assert_eq!(bench.shown(list), "[nil, 1, 2, 3]");
    assert_eq!(bench.call("__lst_remove", &[list, zero]).unwrap(), Value::NIL);
    assert_eq!(bench.call("__lst_pop", &[list]).unwrap(), three);
    assert_eq!(bench.shown(list), "[1, 2]");
    bench.heap.freeze(list);
    for (name, args) in [
        ("__lst_push", &[list, zero] as &[Value]),
        ("__lst_pop", &[list]),
        ("__lst_insert", &[list, zero, zero]),
        ("__lst_remove", &[list, zero]),
    ] {
        assert!(matches!(bench.call(name, args), Err(Fault::Message(message)) if message.ends_with("frozen")), "{name}");
    }
    assert_eq!(bench.shown(list), "[1, 2]");
}

#[test]
fn object_functions_do_what_their_rows_say() {
    check(&[
        ("__obj_keys", r#"[{"b":1,"a":2}]"#, r#"["b", "a"]"#),
        ("__obj_vals", r#"[{"b":1,"a":2}]"#, "[1, 2]"),
        ("__obj_has", r#"[{"b":null}, "b"]"#, "tru"),
        ("__obj_has", r#"[{"b":null}, "never seen"]"#, "fls"),
        ("__obj_get", r#"[{"b":null}, "b", 5]"#, "nil"),
        ("__obj_get", r#"[{"b":null}, "a", 5]"#, "5"),
        ("__obj_del", r#"[{"b":7}, "b"]"#, "7"),
        ("__obj_del", r#"[{"b":7}, "a"]"#, "nil"),
        ("__obj_get", r#"[{}, 5, 5]"#, "!obj.get takes a string as key, got num"),
        ("__obj_keys", "[[]]", "!obj.keys takes an object, got lst"),
    ]);
    let mut bench = Bench::new();
    let object = bench.json(r#"{"a":1,"b":2,"c":3}"#);
    let key = bench.text("b");
    bench.call("__obj_del", &[object, key]).unwrap();
    assert_eq!(bench.shown(object), "{a: 1, c: 3}");
    bench.heap.freeze(object);
    assert!(bench.call("__obj_del", &[object, key]).is_err());
}

#[test]
fn numbers_stay_finite() {
    check(&[
        ("__mth_floor", "[-1.5]", "-2"),
        ("__mth_ceil", "[-1.5]", "-1"),
        ("__mth_round", "[2.5]", "3"),
        ("__mth_round", "[-2.5]", "-3"),
        ("__mth_sqrt", "[9]", "3"),
        ("__mth_sqrt", "[-1]", "!mth.sqrt(-1) is not a finite number"),
        ("__mth_log", "[0]", "!mth.log(0) is not a finite number"),
        ("__mth_exp", "[1000]", "!mth.exp(1000) is not a finite number"),
        ("__mth_pow", "[10, 400]", "!mth.pow(10, 400) is not a finite number"),
        ("__mth_pow", "[2, 10]", "1024"),
        ("__mth_cos", "[0]", "1"),
        ("__mth_sin", "[null]", "!mth.sin takes a number, got nil"),
    ]);
}

#[test]
fn bytes_and_text_turn_into_each_other() {
    let mut bench = Bench::new();
    let text = bench.text("aé");
    let bytes = bench.call("__enc_utf8", &[text]).unwrap();
    assert_eq!(bench.shown(bytes), r#"b"a\xc3\xa9""#);
    assert_eq!(bench.call("__enc_text", &[bytes]).unwrap(), text);
    let wrong = bench.heap.bytes_new(vec![b'a', 0xC3]).unwrap();
    assert!(matches!(bench.call("__enc_text", &[wrong]), Err(Fault::Message(message)) if message == "enc.text: not UTF-8 at byte 1"));
}

#[test]
fn encodings_say_where_the_input_is_wrong() {
    check(&[
        ("__enc_b64", r#"["foob"]"#, "Zm9vYg=="),
        ("__enc_ub64", r#"["Zm9vYg=="]"#, r#"b"foob""#),
        ("__enc_ub64", r#"["Zm9vYg"]"#, "!enc.ub64: too few or too many '=' from byte 6 on"),
        ("__enc_ub64", r#"["Zm9vY==="]"#, "!enc.ub64: '=' before the end, at byte 5"),
        ("__enc_ub64", r#"["Zm9v Zm9v"]"#, "!enc.ub64: no base64 digit at byte 4"),
        ("__enc_ub64", r#"["Zm9vYh=="]"#, "!enc.ub64: the last digit has bits of no byte, at byte 5"),
        ("__enc_ub64", r#"["Zm9vY"]"#, "!enc.ub64: a digit is missing at byte 5"),
        ("__enc_hex", r#"["aé"]"#, "61c3a9"),
        ("__enc_uhx", r#"["61C3a9"]"#, r#"b"a\xc3\xa9""#),
        ("__enc_uhx", r#"["61x"]"#, "!enc.uhx: no hex digit at byte 2"),
        ("__enc_uhx", r#"["616"]"#, "!enc.uhx: a digit is missing at byte 3"),
        ("__enc_ue", r#"["a/é"]"#, "a%2F%C3%A9"),
        ("__enc_ud", r#"["a%2f%C3%A9"]"#, "a/é"),
        ("__enc_ud", r#"["%41%4"]"#, "!enc.ud: no two hex digits behind the '%' at byte 3"),
        ("__enc_ud", r#"["%41x%ff"]"#, "!enc.ud: not UTF-8 at byte 4"),
        ("__enc_ord", r#"["é"]"#, "233"),
        ("__enc_ord", r#"["éa"]"#, "!enc.ord takes one character, got 2"),
        ("__enc_chr", "[233]", "é"),
        ("__enc_chr", "[55296]", "!enc.chr: no character has the code point 55296"),
        ("__enc_chr", "[1e300]", "!enc.chr: no character has the code point 1e+300"),
    ]);
}

#[test]
fn work_is_paid_before_it_is_done() {
    let mut bench = Bench::new();
    let long = bench.text(&"a".repeat(1 << 20));
    let (a, b) = (bench.text("a"), bench.text("bb"));
    let list = bench.call("__txt_split", &[long, a]).unwrap();
    let numbers = bench.heap.list_new(&vec![Value::num(1.0); 100_000]).unwrap();
    let digits = bench.text(&"61".repeat(1 << 19));
    let live = bench.heap.live();
    for (name, args) in [
        ("__txt_split", &[long, a] as &[Value]),
        ("__txt_rep", &[long, a, b]),
        ("__txt_repeat", &[long, Value::num(1e9)]),
        ("__txt_upper", &[long]),
        ("__txt_join", &[list, a]),
        ("__lst_sort", &[numbers, Value::NIL]),
        ("__lst_rev", &[numbers]),
        ("__lst_uniq", &[numbers]),
        ("__lst_index", &[numbers, a]),
        ("__jsn_enc", &[numbers, Value::NIL]),
        ("__jsn_dec", &[long]),
        ("__enc_utf8", &[long]),
        ("__enc_b64", &[long]),
        ("__enc_ub64", &[long]),
        ("__enc_hex", &[long]),
        ("__enc_uhx", &[digits]),
        ("__enc_ue", &[long]),
        ("__enc_ud", &[long]),
    ] {
        bench.fuel = 1000;
        assert!(matches!(bench.call(name, args), Err(Fault::Fuel)), "{name}");
    }
    assert!(bench.heap.live() < live + (1 << 20), "nothing is left booked");
}

#[test]
fn memory_is_booked_before_it_is_taken() {
    let mut bench = Bench::new();
    let text = bench.text(&"ab".repeat(1 << 20));
    let (a, wide) = (bench.text("a"), bench.text(&"x".repeat(1 << 20)));
    let big = Value::num(1e12);
    bench.fuel = i64::MAX;
    let live = bench.heap.live();
    for (name, args) in [
        ("__txt_repeat", &[text, Value::num(1000.0)] as &[Value]),
        ("__txt_rep", &[text, a, wide]),
        ("__txt_pad", &[a, big, a, Value::TRUE]),
    ] {
        let started = std::time::Instant::now();
        assert!(matches!(bench.call(name, args), Err(Fault::Full(_))), "{name}");
        assert!(started.elapsed().as_secs() < 5, "{name}");
        assert!(bench.heap.live() < live + 4096, "{name}: nothing is left booked");
    }
}

#[test]
fn an_encoding_is_booked_before_it_is_made() {
    let mut bench = Bench { heap: Heap::new(8 << 20), fuel: i64::MAX };
    // What is left is less than any of the encodings needs for it.
    let most = bench.text(&"6".repeat(6 << 20));
    let live = bench.heap.live();
    for name in ["__enc_utf8", "__enc_b64", "__enc_ub64", "__enc_hex", "__enc_uhx", "__enc_ue", "__enc_ud"] {
        assert!(matches!(bench.call(name, &[most]), Err(Fault::Full(_))), "{name}");
        assert_eq!(bench.heap.live(), live, "{name}: nothing is left booked");
    }
    // An error in the input leaves nothing booked either.
    let wrong = bench.text(&"%".repeat(1 << 16));
    let live = bench.heap.live();
    for name in ["__enc_ub64", "__enc_uhx", "__enc_ud"] {
        assert!(matches!(bench.call(name, &[wrong]), Err(Fault::Message(_))), "{name}");
        assert_eq!(bench.heap.live(), live, "{name}: nothing is left booked");
    }
}

#[test]
fn a_sort_is_stable_and_takes_any_numbers() {
    let mut bench = Bench::new();
    let keys: Vec<Value> = (0..1000u32).map(|at| Value::num([0.0, -0.0, f64::NAN, -1.0, 1e300][(at * 7 % 5) as usize])).collect();
    let items: Vec<Value> = (0..1000u32).map(|at| Value::num(f64::from(at))).collect();
    let (keys, items) = (bench.heap.list_new(&keys).unwrap(), bench.heap.list_new(&items).unwrap());
    let sorted = bench.call("__lst_sort", &[items, keys]).unwrap();
    let order: Vec<f64> = bench.heap.list(sorted.as_list().unwrap()).iter().map(|value| value.as_num().unwrap()).collect();
    let group = |at: f64| [1, 1, 3, 0, 2][(at as u32 * 7 % 5) as usize];
    assert!(order.is_sorted_by_key(|at| (group(*at), *at as u32)));
    assert_eq!(order.len(), 1000);
}
