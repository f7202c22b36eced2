//! POL-S: seals. Two different things must never have one seal, nothing but the exact seal passes, and the key stays where it is. The twin is what
//! people do by hand: join the parts, compare with `==`.

use crate::bout::bout;
use ilu_pol::{Data, seal_ok};
use ilu_tests::tally::{Part, note};

/// Lists of parts of which no two may share a seal, and in which order.
fn all_differ(parts: &[&str]) -> String {
    format!(
        "use pol\nuse set\nparts = [{}]\nmacs = parts | map \\(p) polse(\"k\", p)\nprn len(macs | unq) == len(parts), len(parts)",
        parts.join(", ")
    )
}

/// The same by joining the parts' texts, as people do: how many are left.
fn joined(parts: &[&str]) -> String {
    format!("use txt\nparts = [{}]\nprn len(parts | map(\\(p) txt.join(p | map \\(x) str(x), \"\")) | unq) < len(parts)", parts.join(", "))
}

pub fn pol_023_no_two_ways_of_cutting_text_share_a_seal() {
    let parts = [
        "[\"ab\", \"c\"]",
        "[\"a\", \"bc\"]",
        "[\"abc\"]",
        "[\"a\", \"\", \"bc\"]",
        "[\"\", \"abc\"]",
        "[\"abc\", \"\"]",
        "[\"ab\\0c\"]",
        "[\"ab,c\"]",
        "[\"ab\", \",\", \"c\"]",
        "[]",
        "[\"\"]",
        "[\"\", \"\"]",
        "[\"s1:a\"]",
        "[\"a\", \"s2:bc\"]",
        "[\"2:ab\", \"1:c\"]",
    ];
    bout(|b| {
        b.ok("fifteen lists", &all_differ(&parts), "tru 15");
        b.error(
            "the seal of one for the other",
            "forged",
            "use pol\nm = polse(\"k\", [\"ab\", \"c\"])\nif !polse(\"k\", [\"a\", \"bc\"], m): err(\"forged\")",
        );
        b.twin("joined they share one", &joined(&parts[..4]), "tru");
        b.control("its own", "use pol\nprn polse(\"k\", [\"ab\", \"c\"], polse(\"k\", [\"ab\", \"c\"]))", "tru");
    });
}

pub fn pol_024_no_two_kinds_of_value_share_a_seal() {
    let parts = [
        "[1]",
        "[\"1\"]",
        "[tru]",
        "[\"tru\"]",
        "[nil]",
        "[\"\"]",
        "[\"nil\"]",
        "[]",
        "[[]]",
        "[[[]]]",
        "[\"a\", [\"b\"]]",
        "[[\"a\"], \"b\"]",
        "[[\"a\", \"b\"]]",
        "[{}]",
        "[{a: 1}]",
        "[[[\"a\", 1]]]",
        "[[\"a\", 1]]",
        "[{a: {b: 1}}]",
        "[{a: [[\"b\", 1]]}]",
        "[b\"a\"]",
        "[\"a\"]",
        "[0]",
        "[fls]",
        "[{a: nil}]",
        "[0.1]",
        "[\"0.1\"]",
    ];
    bout(|b| {
        b.ok("values of all kinds", &all_differ(&parts), "tru 26");
        b.ok("the order of keys is none, zero has no sign", "use pol\nprn polse(\"k\", [{a: 1, b: 2}]) == polse(\"k\", [{b: 2, a: 1}]), polse(\"k\", [1]) == polse(\"k\", [1.0]), polse(\"k\", [0]) == polse(\"k\", [-0])", "tru tru tru");
        b.error("a number's seal for its text", "forged", "use pol\nm = polse(\"k\", [1])\nif !polse(\"k\", [\"1\"], m): err(\"forged\")");
        b.twin("as joined text they share one", &joined(&parts[..2]), "tru");
        b.control("its own", "use pol\nprn polse(\"k\", [{a: 1}], polse(\"k\", [{a: 1}]))", "tru");
    });
}

pub fn pol_025_different_bytes_have_different_seals_and_what_is_no_data_has_none() {
    let parts = [
        "[\"\\u{e9}\"]",
        "[\"e\\u{301}\"]",
        "[\"a\"]",
        "[\"a \"]",
        "[\"a\\n\"]",
        "[\"a\\r\\n\"]",
        "[\"a\\0\"]",
        "[\"A\"]",
        "[\"\\u{feff}a\"]",
        "[\"a\\u{200b}\"]",
    ];
    bout(|b| {
        b.ok("texts that look alike", &all_differ(&parts), "tru 10");
        b.ok("a long part", "use pol\nuse txt\nlong = txt.rpt(\"a\", 3000000)\nm = polse(\"k\", [long])\nprn polse(\"k\", [long], m), polse(\"k\", [long + \"a\"], m)", "tru fls");
        b.ok(
            "many parts",
            "use pol\nparts = 0..<100000\nm = polse(\"k\", parts)\nprn polse(\"k\", parts, m), polse(\"k\", parts + [1], m)",
            "tru fls",
        );
        for odd in ["[\\() 1]", "[len]", "[sbxme()]", "[{a: len}]", "[[[\\() 1]]]"] {
            b.error(odd, "no canonical text", &format!("use pol\npolse(\"k\", {odd})"));
        }
        b.error("what contains itself", "in itself", "use pol\nx = [1]\nx[0] = x\npolse(\"k\", x)");
        b.error("too deep", "deep", "use pol\nx = []\ni <- 0..<1000: x = [x]\npolse(\"k\", x)");
        b.error("no list", "", "use pol\npolse(\"k\", \"a\")");
        b.twin("deep, but not too deep", "use pol\nx = []\ni <- 0..<50: x = [x]\nprn len(polse(\"k\", x))", "64");
        b.control("a text", "use pol\nprn len(polse(\"k\", [\"a\"]))", "64");
    });
}

pub fn pol_026_nothing_but_the_exact_seal_passes() {
    let head = "use pol\nuse txt\nm = polse(\"k\", [\"a\"])\n";
    bout(|b| {
        for (name, claimed) in [
            ("nothing", "\"\""),
            ("its beginning", "txt.join(0..<63 | map(\\(i) m[i]), \"\")"),
            ("its half", "txt.join(0..<32 | map(\\(i) m[i]), \"\")"),
            ("with a digit more", "m + \"0\""),
            ("twice", "m + m"),
            ("in capitals", "txt.upper(m)"),
            ("a blank before", "\" \" + m"),
            ("a line's end after", "m + \"\\n\""),
            ("prefixed", "\"0x\" + m"),
            ("its bytes", "enc.uhx(m)"),
            ("in base64", "enc.b64(enc.uhx(m))"),
            ("nil", "nil"),
            ("a number", "0"),
            ("true", "tru"),
            ("a list", "[m]"),
            ("an object", "{mac: m}"),
            ("another's", "polse(\"k\", [\"b\"])"),
            ("of another key", "polse(\"l\", [\"a\"])"),
            ("a shorter digest", "txt.rpt(\"0\", 40)"),
            ("zeros", "txt.rpt(\"0\", 64)"),
            ("no hexadecimal", "txt.rpt(\"g\", 64)"),
            ("sixty-four letters of two bytes", "txt.rpt(\"\\u{e9}\", 32)"),
            ("a function", "\\() m"),
        ] {
            note(Part::Refusal);
            let got = b.run(name, &format!("{head}use enc\nprn polse(\"k\", [\"a\"], {claimed})"));
            b.check(name, got.out == "fls\n", &(got.out.clone(), got.message.clone()));
        }
        b.twin(
            "compared by what a reader sees, some pass",
            &format!("{head}claimed = txt.upper(m) + \"\\n\"\nprn txt.trim(txt.lower(claimed)) == m, txt.has(m + m, m)"),
            "tru tru",
        );
        b.control("the seal", &format!("{head}prn polse(\"k\", [\"a\"], m), pol.sealok(\"k\", [\"a\"], m)"), "tru tru");
        b.error("an empty key", "empty", "use pol\npolse(\"\", [\"a\"])");
        b.error("an empty key, asked", "empty", "use pol\npolse(\"\", [\"a\"], \"x\")");
    });
}

/// Steps of a comparison that stops at the first difference.
fn steps_until_different(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(l, r)| l == r).count()
}

pub fn pol_027_the_comparison_takes_as_long_wherever_it_differs() {
    let source = std::fs::read_to_string(ilu_tests::command::root().join("stdlib/pol/src/seal.rs")).unwrap();
    assert!(source.contains("verify_slice") && !source.contains("== claimed"), "the check is the MAC's own");
    let page = std::fs::read_to_string(ilu_tests::command::root().join("stdlib/pol/pol.md")).unwrap();
    assert!(page.contains("never with `==`"), "the page says how not to compare");
    note(Part::Control);
    let key = b"key";
    let parts = [Data::text("a")];
    let right = ilu_pol::seal(key, &parts).unwrap();
    // Wrong in one digit, at each of 32 places: rounds of all, taken in turn, and the least of each.
    let wrong: Vec<String> = (0..32)
        .map(|at| {
            let mut digits: Vec<char> = right.chars().collect();
            digits[2 * at] = if digits[2 * at] == '0' { '1' } else { '0' };
            digits.into_iter().collect()
        })
        .collect();
    let mut least = [u128::MAX; 32];
    for _ in 0..400 {
        for (at, claimed) in wrong.iter().enumerate() {
            let start = std::time::Instant::now();
            for _ in 0..10 {
                assert!(!seal_ok(key, &parts, &Data::text(claimed)).unwrap());
            }
            least[at] = least[at].min(start.elapsed().as_nanos());
        }
    }
    note(Part::Refusal);
    let mean = |times: &[u128]| times.iter().sum::<u128>() as f64 / times.len() as f64;
    let (early, late) = (mean(&least[..8]), mean(&least[24..]));
    assert!((late / early - 1.0).abs() < 0.05, "differing early {early} ns, late {late} ns");
    // A comparison that stops where it differs tells where, by its steps.
    note(Part::Twin);
    let steps: Vec<usize> = wrong.iter().map(|claimed| steps_until_different(claimed.as_bytes(), right.as_bytes())).collect();
    assert_eq!(steps, (0..32).map(|at| 2 * at).collect::<Vec<_>>());
}

pub fn pol_028_the_seal_is_hmac_sha_256() {
    // Known answers for HMAC-SHA-256 over the canonical text, worked out by another program (Python's hmac), the last with a key longer than a
    // block; RFC 4231's own are in the crate's tests, on raw messages.
    bout(|b| {
        for (key, parts, mac) in [
            ("\"key\"", "[\"a\"]", KNOWN[0]),
            ("\"Jefe\"", "[\"what do ya want \", \"for nothing?\"]", KNOWN[1]),
            ("txt.rpt(\"k\", 131)", "[1, nil, tru, {b: 1, a: [b\"\\x00\\xff\"]}]", KNOWN[2]),
        ] {
            b.ok(key, &format!("use pol\nuse txt\nprn polse({key}, {parts})"), mac);
        }
        b.error(
            "a suffix that a hash of key and message would take",
            "forged",
            "use pol\nm = polse(\"k\", [\"a\"])\nif !polse(\"k\", [\"a\", \"b\"], m): err(\"forged\")",
        );
        b.ok(
            "a key is no text to be cut",
            "use pol\nprn polse(\"k\", [\"a\"]) == polse(\"k\\0\", [\"a\"]), polse(\"ka\", [\"\"]) == polse(\"k\", [\"a\"])",
            "tru fls",
        );
        b.control("its own", "use pol\nprn polse(\"k\", [\"a\", \"b\"], polse(\"k\", [\"a\", \"b\"]))", "tru");
        b.twin("the same parts", "use pol\nm = polse(\"k\", [\"a\", \"b\"])\nprn polse(\"k\", [\"a\", \"b\"], m)", "tru");
    });
}

/// HMAC-SHA-256 of the three above.
const KNOWN: [&str; 3] = [
    "b96bc1dc1ba74749be45eefce9eeb228d3b031c74cbc3675230fe40d53c97fc8",
    "f8be692f1dd9bdc7e2cf7ad56146dac57f51a673f392979adaffefc0b529a40e",
    "888a4b096f5991173824d826b01f6048550803fa8d55cb6f4571b138f00b9eaa",
];

pub fn pol_030_a_seal_says_what_its_parts_say() {
    // Replay is not the seal's to see: version and purpose are parts, as the page says.
    bout(|b| {
        let old = "use pol\nold = polse(\"k\", [\"policy.toml\", \"tenant-a\", 1, \"text\"])\n";
        for (name, parts) in [
            ("a newer version", "[\"policy.toml\", \"tenant-a\", 2, \"text\"]"),
            ("another tenant", "[\"policy.toml\", \"tenant-b\", 1, \"text\"]"),
            ("another file", "[\"other.toml\", \"tenant-a\", 1, \"text\"]"),
        ] {
            note(Part::Refusal);
            let got = b.run(name, &format!("{old}prn polse(\"k\", {parts}, old)"));
            b.check(name, got.out == "fls\n", &got.out);
        }
        b.twin(
            "without them among the parts it passes again",
            "use pol\nold = polse(\"k\", [\"text\"])\nprn polse(\"k\", [\"text\"], old)",
            "tru",
        );
        b.control("the same", &format!("{old}prn polse(\"k\", [\"policy.toml\", \"tenant-a\", 1, \"text\"], old)"), "tru");
    });
    let page = std::fs::read_to_string(ilu_tests::command::root().join("stdlib/pol/pol.md")).unwrap();
    assert!(page.contains("put a version and the purpose among the parts"), "the page says that a seal has no time");
}

pub fn pol_031_guessing_costs_and_the_key_is_not_to_be_had() {
    let host = "use pol\nsecret = \"k-4711\"\nmac = polse(secret, [\"a\"])\ncheck = sbxgt(\\(parts, m) polse(secret, parts, m))\n";
    bout(|b| {
        let guess = "s = sbxmk(capstdout(), {fuel: HELD})\nr = sbxtr(s, \\()\n  found = 0\n  i <- 4000..<5000: if polse($\"k-{i}\", [\"a\"], mac): found = i\n  found\n)\nprn r.val, r.err";
        note(Part::Refusal);
        let got = b.run("guessing", &format!("{host}{}", guess.replace("HELD", "5000")));
        b.check("guessing ends with the fuel", got.out == "nil fuel ran out (limit 5000)\n", &got.out);
        b.twin("with fuel for a thousand a weak key is found", &format!("{host}{}", guess.replace("HELD", "10000000")), "4711 nil");
        b.control("the host's own check", &format!("{host}prn check([\"a\"], mac), check([\"b\"], mac)"), "tru fls");
        for (name, text) in [
            ("its name", "secret"),
            ("through the gate's fields", "\\\\(c) c.secret"),
            ("through an error of it", "\\\\(c) try(\\\\() c(nil, nil)).err"),
            ("as text", "\\\\(c) str(c)"),
            ("through the module", "use pol\\nstr(pol)"),
            ("through its log", "use sbx\\n\\\\(c) str(sbxlg(sbxme()))"),
            ("through an error with its parts", "\\\\(c) try(\\\\() c([c], 'x')).err"),
        ] {
            note(Part::Refusal);
            let got = b.run(name, &format!("{host}s = sbxmk([])\nr = try(\\()\n  f = sbxev(s, \"{text}\")\n  if typ(f) == \"fun\": f(check) | f\n)\nprn str(r.val) + str(r.err)"));
            b.check(name, !got.out.contains("4711") && got.code == 0, &(got.out.clone(), got.message.clone()));
        }
    });
}
