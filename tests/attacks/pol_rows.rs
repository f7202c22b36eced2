//! POL-W, POL-E: policies that a reader takes for narrower than they are, and questions that want to be answered yes by accident. The twin of a
//! refusal is the same question to a policy that allows it, or to the plain rule that people write by hand and that falls for it.

use crate::bout::bout;
use ilu_tests::command::{Scratch, ilu};
use ilu_tests::tally::{Part, note};

pub fn pol_001_a_star_covers_every_text_and_nothing_else() {
    bout(|b| {
        b.control("an exact text", "use pol\nprn polwi(\"a\", \"a\"), polwi(\"a\", \"b\")", "tru fls");
        b.ok("any text", "use pol\nuse txt\nprn polwi(\"*\", \"\"), polwi(\"*\", \"a\"), polwi(\"*\", \"*\"), polwi(\"*\", \"a\\n\\0b\"), polwi(\"*\", txt.rpt(\"a\", 1000000))", "tru tru tru tru tru");
        for odd in ["nil", "1", "tru", "[]", "{}", "b\"a\"", "\\() 1", "sbxme()"] {
            b.error(odd, "must be a string", &format!("use pol\npolwi(\"*\", {odd})"));
            b.error(odd, "must be a string", &format!("use pol\npolwi({odd}, \"a\")"));
            b.error(odd, "must be a string", &format!("use pol\npolro({{a: \"*\", ac: \"*\", r: {odd}}}, \"x\", \"y\", \"z\")"));
        }
        b.twin("as text it is covered", "use pol\nprn polwi(\"*\", str(nil)), polwi(\"*\", str([]))", "tru tru");
    });
}

pub fn pol_002_a_prefix_is_one_of_bytes_and_its_trap_is_pointed_out() {
    bout(|b| {
        for (pattern, subject, covered) in [
            ("/data/pub*", "/data/pub", "tru"),
            ("/data/pub*", "/data/publisher", "tru"),
            ("/data/pub*", "/data/public-secret", "tru"),
            ("/data/pub*", "/data/pub/../priv", "tru"),
            ("/data/pub*", "/data/pu", "fls"),
            ("/data/pub*", "/DATA/pub", "fls"),
            ("/data/pub/*", "/data/pub/x", "tru"),
            ("/data/pub/*", "/data/pub", "fls"),
            ("/data/pub/*", "/data/public-secret", "fls"),
            ("https://a.example*", "https://a.example.evil.test/", "tru"),
            ("https://a.example/*", "https://a.example.evil.test/", "fls"),
        ] {
            b.ok(pattern, &format!("use pol\nprn polwi(\"{pattern}\", \"{subject}\")"), covered);
        }
        for trap in ["/data/pub*", "https://a.example*", "https://*", "a*b", "*.example.com", "**"] {
            b.ok(trap, &format!("use pol\nprn typ(pollint(\"{trap}\"))"), "str");
        }
        b.control(
            "what is no trap",
            "use pol\nprn pollint(\"/data/pub/*\"), pollint(\"*\"), pollint(\"read\"), pollint(\"svc-*\")",
            "nil nil nil nil",
        );
        // What a sandbox may open is decided by grants, which know where a name ends.
        b.file("pub/x", "public");
        b.file("public-secret", "secret");
        let script = "s = sbxmk(capfsro(), {dir: {\"HELD\": \"ro\"}})\nprn sbxrn(s, \\() __sys_read_file(\"/g/public-secret\"))";
        b.duel("a directory is no prefix", "__sys_read_file", ("/g/pub", "/g"), script, "secret");
    });
    let scratch = Scratch::new("trap");
    for (script, told) in [
        ("use pol\nprn polwi(\"/data/pub*\", \"/data/public-secret\")\n", Some("also covers")),
        ("rows = [{a: \"*\", ac: \"read\", r: \"https://a.example*\"}]\n", Some("also covers")),
        ("use pol\nprn polwi(\"*.example.com\", \"a.example.com\")\n", Some("only a star at the end")),
        ("use pol\nprn polwi(\"/data/pub/*\", \"/data/pub/x\")\n", None),
    ] {
        let file = scratch.write("t.ilu", script).display().to_string();
        let ran = ilu(&["check", "--color", "never", &file]);
        assert_eq!(ran.code, Some(0), "a warning is no error: {ran:?}");
        assert!(
            told.map_or(ran.err.is_empty(), |words| ran.err.contains("warning[W0001]") && ran.err.contains(words)),
            "{script}: {ran:?}"
        );
        note(if told.is_some() { Part::Attempt } else { Part::Control });
    }
}

pub fn pol_003_no_other_character_widens_a_pattern() {
    bout(|b| {
        for (pattern, literal, others) in [
            ("a*b", "a*b", ["axb", "ab", "axxb"]),
            ("*b", "*b", ["ab", "b", "xb"]),
            ("?", "?", ["a", "", "ab"]),
            ("[a]", "[a]", ["a", "b", ""]),
            ("[a-z]", "[a-z]", ["b", "m", "z"]),
            ("*.example.com", "*.example.com", ["a.example.com", ".example.com", "example.com"]),
            (".", ".", ["a", "", "x"]),
            ("a|b", "a|b", ["a", "b", "|"]),
            ("{a,b}", "{a,b}", ["a", "b", "a,b"]),
            ("^a$", "^a$", ["a", "^a", "a$"]),
            ("%", "%", ["a", "anything", ""]),
        ] {
            b.twin(pattern, &format!("use pol\nprn polwi(\"{pattern}\", \"{literal}\")"), "tru");
            for other in others {
                note(Part::Refusal);
                let got = b.run(pattern, &format!("use pol\nprn polwi(\"{pattern}\", \"{other}\")"));
                b.check(&format!("{pattern} on {other:?}"), got.out == "fls\n", &(got.out.clone(), got.message.clone()));
            }
        }
        b.ok(
            "a star before the last is itself",
            "use pol\nprn polwi(\"**\", \"anything\"), polwi(\"**\", \"*x\"), polwi(\"a**\", \"ab\"), polwi(\"a**\", \"a*b\")",
            "fls tru fls tru",
        );
        b.ok("nothing escapes", "use pol\nprn polwi(\"\\\\*\", \"*\"), polwi(\"\\\\*\", \"\\\\x\")", "fls tru");
        b.control("a star at the end", "use pol\nprn polwi(\"a*\", \"abc\")", "tru");
    });
}

pub fn pol_005_spellings_that_look_alike_are_different_texts() {
    bout(|b| {
        for (pattern, alike) in [
            ("admin", "Admin"),
            ("admin", "ADMIN"),
            ("\\u{e9}", "e\\u{301}"),
            ("admin", "\\u{430}dmin"),
            ("admin", "admin "),
            ("admin", " admin"),
            ("a.example", "a.example."),
            ("/data", "/data/"),
            ("/data", "//data"),
            ("/data", "/./data"),
            ("/data/x", "/data/%78"),
            ("a b", "a\\tb"),
            ("admin", "admin\\0"),
            ("admin", "admin\\n"),
            ("k", "\\u{212a}"),
            ("ss", "\\u{df}"),
            ("fi", "\\u{fb01}"),
        ] {
            note(Part::Refusal);
            let got = b.run(pattern, &format!("use pol\nprn polwi(\"{pattern}\", \"{alike}\"), polac([{{a: \"{pattern}\", ac: \"*\", r: \"*\"}}], [], \"{alike}\", \"x\", \"y\")"));
            b.check(&format!("{pattern} on {alike}"), got.out == "fls fls\n", &(got.out.clone(), got.message.clone()));
        }
        b.twin(
            "a host that lowers and trims first lets them in",
            "use pol\nuse txt\nprn polwi(\"admin\", txt.trim(txt.lower(\" ADMIN\")))",
            "tru",
        );
        b.control("the same bytes", "use pol\nprn polwi(\"\\u{e9}\", \"\\u{e9}\")", "tru");
    });
}

pub fn pol_007_large_policies_are_judged_in_time_that_grows_with_their_size() {
    bout(|b| {
        let rows = "use pol\nuse txt\nrow = {a: \"b*\", ac: \"*\", r: \"*\"}\nrows = 0..<ROWS | map \\(i) {a: $\"u{i}*\", ac: \"*\", r: \"*\"}\nlong = txt.rpt(\"u\", SIZE)\n";
        let sized = |rows_: &str, size: &str| rows.replace("ROWS", rows_).replace("SIZE", size);
        b.ok(
            "a hundred thousand rows, a long subject",
            &format!("{}prn polac(rows, [], long, \"x\", \"y\")", sized("100000", "1000000")),
            "fls",
        );
        b.ok("a long pattern", &format!("{}prn polwi(long + \"*\", long), polwi(long + \"v*\", long)", sized("1", "1000000")), "tru fls");
        let fuel = |rows_: usize| {
            format!(
                "{}before = sbxug(sbxme()).fuel\npolac(rows, [], long, \"x\", \"y\")\nprn sbxug(sbxme()).fuel - before",
                sized(&rows_.to_string(), "10")
            )
        };
        let cost = |b: &mut crate::bout::Bout, rows_: usize| {
            note(Part::Attempt);
            b.run("cost", &fuel(rows_)).out.trim().parse::<f64>().unwrap_or(f64::NAN)
        };
        let (small, large) = (cost(b, 1000), cost(b, 10_000));
        b.check("the charge grows with the rows and no faster", large > small * 5.0 && large < small * 20.0, &(small, large));
        let little = "s = sbxmk(capstdout(), {fuel: HELD})\nprn sbxtr(s, \\() polac(rows, [], long, \"x\", \"y\")).err";
        note(Part::Refusal);
        let got = b.run("little fuel", &format!("{}{}", sized("100000", "10"), little.replace("HELD", "1000")));
        b.check("little fuel", got.out.starts_with("fuel ran out"), &got.out);
        b.twin("enough", &format!("{}{}", sized("100000", "10"), little.replace("HELD", "50000000")), "nil");
        b.control("two rows", "use pol\nprn polac([{a: \"u*\", ac: \"*\", r: \"*\"}], [], \"uu\", \"x\", \"y\")", "tru");
    });
}

/// Asks an access list in both of its forms; `fls` in both or `tru` in both.
fn asks(allow: &str, deny: &str) -> String {
    format!(
        "use pol\nprn polac({allow}, {deny}, \"ann\", \"read\", \"/a\"), polac({{allow: {allow}, deny: {deny}}}, \"ann\", \"read\", \"/a\")"
    )
}

const EXACT: &str = "[{a: \"ann\", ac: \"read\", r: \"/a\"}]";
const WIDE: &str = "[{a: \"*\", ac: \"*\", r: \"*\"}]";

pub fn pol_008_deny_wins_however_specific_the_rows_are() {
    bout(|b| {
        for (allow, deny) in [(EXACT, EXACT), (WIDE, EXACT), (EXACT, WIDE), (WIDE, WIDE)] {
            note(Part::Refusal);
            let got = b.run("both", &asks(allow, deny));
            b.check("both match", got.out == "fls fls\n", &(got.out.clone(), got.message.clone()));
            b.twin("without the deny row", &asks(allow, "[]"), "tru tru");
        }
        b.control("a deny row of somebody else", &asks(EXACT, "[{a: \"bob\", ac: \"*\", r: \"*\"}]"), "tru tru");
        b.ok(
            "sandboxes have no deny rows: grants add up",
            "s = sbxmk(capfs(), {dir: {\"/g\": \"rw\", \"/g/d\": \"ro\"}})\nprn sbxrn(s, \\() __sys_write_file(\"/g/n\", \"x\"))",
            "nil",
        );
    });
}

pub fn pol_009_nothing_said_is_a_no() {
    bout(|b| {
        for (name, question) in [
            ("no row", asks("[]", "[]")),
            ("only denials", asks("[]", EXACT)),
            ("rows of others", asks("[{a: \"bob\", ac: \"*\", r: \"*\"}]", "[]")),
            ("an empty document", "use pol\nprn polac({}, \"ann\", \"read\", \"/a\"), polac({}, \"\", \"\", \"\")".into()),
            (
                "no deny list",
                format!(
                    "use pol\nprn polac({{allow: {WIDE}}}, \"ann\", \"read\", \"/a\"), polac({{allow: {WIDE}, deny: nil}}, \"ann\", \"read\", \"/a\")"
                ),
            ),
            (
                "no allow list",
                "use pol\nprn polac({deny: []}, \"ann\", \"read\", \"/a\"), polac({allow: nil, deny: []}, \"a\", \"b\", \"c\")".into(),
            ),
            ("no document", "use pol\nprn polac(nil, \"ann\", \"read\", \"/a\"), polru([], [\"a\"])".into()),
        ] {
            note(Part::Refusal);
            let got = b.run(name, &question);
            b.check(name, got.out == "fls fls\n", &(got.out.clone(), got.message.clone()));
        }
        b.twin("a row that says so", &asks(WIDE, "[]"), "tru tru");
        b.control("the exact row", &asks(EXACT, "[]"), "tru tru");
    });
}

pub fn pol_010_the_order_and_the_number_of_rows_change_nothing() {
    let shuffle = "use pol\nuse trl\nrows = [{a: \"ann\", ac: \"read\", r: \"/a*\"}, {a: \"bob\", ac: \"*\", r: \"*\"}, {a: \"*\", ac: \"read\", r: \"/b/*\"}, {a: \"ann\", ac: \"*\", r: \"/c\"}]\n\
        no = [{a: \"*\", ac: \"*\", r: \"/a/secret*\"}, {a: \"bob\", ac: \"read\", r: \"/a\"}]\n\
        asked = [[\"ann\", \"read\", \"/a\"], [\"ann\", \"read\", \"/a/secret\"], [\"bob\", \"write\", \"/x\"], [\"bob\", \"read\", \"/a\"], [\"eve\", \"read\", \"/b/1\"], [\"eve\", \"write\", \"/b/1\"]]\n\
        all(rs, ns) = asked | map \\(q) polac(rs, ns, q[0], q[1], q[2])\n\
        turn(xs, n) =\n  k = n % len(xs)\n  trl.drop(xs, k) + trl.take(xs, k)\n\
        first = all(rows, no)\nsame = 0\ni <- 0..<1000:\n  rs = turn(rows, i)\n  if i % 3 == 0: rs = trl.rev(rs)\n  if i % 5 == 0: rs = rs + rows\n  if all(rs, turn(no, i)) == first: same += 1\nprn same, first\n";
    bout(|b| {
        b.ok("turned, reversed, repeated", shuffle, "1000 [tru, fls, tru, fls, tru, fls]");
        let split = "use pol\none = [{a: \"ann\", ac: \"*\", r: \"*\"}]\nmany = [{a: \"ann\", ac: \"read\", r: \"*\"}, {a: \"ann\", ac: \"write\", r: \"*\"}]\nprn polac(one, [], \"ann\", \"read\", \"/\") == polac(many, [], \"ann\", \"read\", \"/\"), polac(many, [], \"ann\", \"run\", \"/\")";
        b.ok("split into several", split, "tru fls");
        b.ok("in ordered rules the order does decide, as said", "use pol\na = {caps: [\"x\"], eff: tru}\nb = {caps: [\"x\", \"y\"], eff: fls}\nprn polru([a, b], [\"x\", \"y\"]), polru([b, a], [\"x\", \"y\"])", "tru fls");
        b.control("one row", &asks(EXACT, "[]"), "tru tru");
    });
}

pub fn pol_011_names_that_stand_for_several_functions_never_guess() {
    bout(|b| {
        b.control("each by its arguments", "use pol\nprn polro({r: [\"a\"]}, \"r\"), polro({r: [\"a\"]}, [\"r\"]), polca([\"a\"], [\"b\"]), polca([\"a\"]), len(polse(\"k\", [1]))", "[\"a\"] [\"a\"] [\"a\", \"b\"] l1:s1:a 64");
        for (name, question) in [
            ("too few", "polac([], [], \"a\")"),
            ("too many", &*format!("polac({WIDE}, [], \"a\", \"b\", \"c\", \"d\")")),
            ("none", "polac()"),
            ("a list for the document", &*format!("polac({WIDE}, \"a\", \"b\", \"c\")")),
            ("a document for the list", &*format!("polac({{allow: {WIDE}, deny: []}}, [], \"a\", \"b\", \"c\")")),
            ("lists and document swapped", &*format!("polac(\"a\", \"b\", \"c\", {WIDE}, [])")),
            ("a number for the actor", &*format!("polac({WIDE}, [], 1, \"b\", \"c\")")),
            ("nil for the action", &*format!("polac({WIDE}, [], \"a\", nil, \"c\")")),
            ("nil for the list", &*format!("polacl(nil, {WIDE}, \"a\", \"b\", 1)")),
            ("role: three", "polro({r: [\"a\"]}, \"r\", \"s\")"),
            ("role: one", "polro({r: [\"a\"]})"),
            ("row: five", "polro({a: \"*\", ac: \"*\", r: \"*\"}, \"a\", \"b\", \"c\", \"d\")"),
            ("row: a list", &*format!("polro({WIDE}, \"a\", \"b\", \"c\")")),
            ("seal: one", "polse(\"k\")"),
            ("seal: four", "polse(\"k\", [1], \"x\", \"y\")"),
            ("seal: no parts", "polse(\"k\", \"parts\")"),
            ("concatenation: none", "polca()"),
            ("concatenation: not lists", "polca([1], 2)"),
            ("full name: too many", "polwild(\"*\", \"a\", \"b\")"),
            ("full name: too few", "polsub([\"a\"])"),
        ] {
            b.error(name, "", &format!("use pol\n{question}"));
        }
        b.twin(
            "the right arguments",
            &format!("use pol\nprn polac({WIDE}, [], \"a\", \"b\", \"c\"), polac({{allow: {WIDE}, deny: []}}, \"a\", \"b\", \"c\")"),
            "tru tru",
        );
    });
}

pub fn pol_012_the_first_rule_that_applies_decides() {
    let rules = "use pol\nnet = {caps: [\"net\"], eff: tru}\nboth = {caps: [\"net\", \"secret\"], eff: fls}\n";
    bout(|b| {
        b.control("a rule", &format!("{rules}prn polru([net], [\"net\"])"), "tru");
        b.ok(
            "in order and reversed",
            &format!("{rules}prn polru([both, net], [\"net\", \"secret\"]), polru([net, both], [\"net\", \"secret\"])"),
            "fls tru",
        );
        b.ok("no match is a no", &format!("{rules}prn polru([both, net], [\"x\"]), polru([], [\"net\"]), polru([net], [])"), "fls fls fls");
    });
    // A rule that an earlier one always decides before is pointed out where it is written.
    let scratch = Scratch::new("rules");
    let file = scratch.write(
        "r.ilu",
        "use pol\nrules = [{caps: [\"net\"], eff: tru}, {caps: [\"net\", \"secret\"], eff: fls}]\nprn polru(rules, [\"net\"])\n",
    );
    let told = ilu(&["check", "--color", "never", &file.display().to_string()]);
    note(Part::Attempt);
    assert!(told.err.contains("never decides") && told.code == Some(0), "{told:?}");
    let file = scratch.write(
        "s.ilu",
        "use pol\nrules = [{caps: [\"net\", \"secret\"], eff: fls}, {caps: [\"net\"], eff: tru}]\nprn polru(rules, [\"net\"])\n",
    );
    let told = ilu(&["check", "--color", "never", &file.display().to_string()]);
    note(Part::Control);
    assert!(told.err.is_empty() && told.code == Some(0), "{told:?}");
}

pub fn pol_013_only_true_allows() {
    // What people write by hand: whatever counts as true is a yes.
    let naive = "naive(rules, ctx) =\n  r <- rules:\n    ok = tru\n    c <- r.caps: if !trl.has(ctx, c): ok = fls\n    if ok: ret if r.eff: \"yes\" | \"no\"\n  \"no\"\n";
    bout(|b| {
        for effect in ["\"fls\"", "\"false\"", "\"no\"", "1", "{}", "[0]", "\"deny\""] {
            b.error(effect, "must be tru or fls", &format!("use pol\npolru([{{caps: [\"a\"], eff: {effect}}}], [\"a\"])"));
            b.twin(effect, &format!("use trl\n{naive}prn naive([{{caps: [\"a\"], eff: {effect}}}], [\"a\"])"), "yes");
        }
        for effect in ["nil", "0", "\"\"", "[]"] {
            b.error(effect, "must be tru or fls", &format!("use pol\npolru([{{caps: [\"a\"], eff: {effect}}}], [\"a\"])"));
        }
        b.error("missing", "has no `eff`", "use pol\npolru([{caps: [\"a\"]}], [\"a\"])");
        b.error(
            "in a rule that would not decide",
            "must be tru or fls",
            "use pol\npolru([{caps: [\"a\"], eff: tru}, {caps: [\"b\"], eff: 1}], [\"a\"])",
        );
        b.control(
            "true, and false",
            "use pol\nprn polru([{caps: [\"a\"], eff: tru}], [\"a\"]), polru([{caps: [\"a\"], eff: fls}], [\"a\"])",
            "tru fls",
        );
    });
}

pub fn pol_014_no_rule_applies_by_accident() {
    let naive = "naive(rules, ctx) =\n  r <- rules:\n    ok = tru\n    if r.caps:\n      c <- r.caps: if !trl.has(ctx, c): ok = fls\n    if ok: ret r.eff\n  fls\n";
    bout(|b| {
        for (name, rule, says) in [
            ("no capability", "{caps: [], eff: tru}", "at least one capability"),
            ("none at all", "{eff: tru}", "has no `caps`"),
            ("a text", "{caps: \"a\", eff: tru}", "must be a list"),
            ("nil", "{caps: nil, eff: tru}", "must be a list"),
            ("nil in the list", "{caps: [nil], eff: tru}", "must be a string"),
            ("an object", "{caps: {a: 1}, eff: tru}", "must be a list"),
            ("no object", "[\"a\"]", "must be an object"),
        ] {
            b.error(name, says, &format!("use pol\npolru([{rule}], [\"a\"])"));
        }
        for rule in ["{caps: [], eff: tru}", "{eff: tru}", "{caps: nil, eff: tru}"] {
            b.twin(rule, &format!("use trl\n{naive}prn naive([{rule}], [])"), "tru");
        }
        for ctx in ["nil", "\"net\"", "{net: tru}", "1", "[1]", "[nil]", "[[\"net\"]]"] {
            b.error(ctx, "", &format!("use pol\npolru([{{caps: [\"net\"], eff: tru}}], {ctx})"));
        }
        b.ok("more held than asked is fine, less is not", "use pol\nr = [{caps: [\"a\", \"b\"], eff: tru}]\nprn polru(r, [\"a\", \"b\", \"c\"]), polru(r, [\"a\"]), polru(r, [\"a\", \"a\"])", "tru fls fls");
        b.control("a rule", "use pol\nprn polru([{caps: [\"net\"], eff: tru}], [\"net\"])", "tru");
    });
}

pub fn pol_015_a_question_about_sets_takes_sets() {
    bout(|b| {
        for (name, question) in [
            ("nothing needed is nil", "polsu([\"a\"], nil)"),
            ("needed is a text", "polsu([\"a\"], \"a\")"),
            ("needed nests", "polsu([\"a\"], [[\"a\"]])"),
            ("needed holds nil", "polsu([\"a\"], [nil])"),
            ("held is nil", "polsu(nil, [\"a\"])"),
            ("held is nil and nothing needed", "polsu(nil, [])"),
            ("held is a text", "polsu(\"abc\", [\"a\"])"),
            ("held is an object", "polsu({a: 1}, [\"a\"])"),
            ("held holds numbers", "polsu([1], [\"1\"])"),
            ("members of a text", "polme(\"abc\", \"a\")"),
        ] {
            b.error(name, "", &format!("use pol\n{question}"));
        }
        b.ok("needing nothing is met, as the page says", "use pol\nprn polsu([], []), polsu([\"a\"], [])", "tru tru");
        b.ok("repeats count once", "use pol\nprn polsu([\"a\"], [\"a\", \"a\"]), polsu([\"a\", \"a\"], [\"a\", \"b\"])", "tru fls");
        b.twin("lists of texts", "use pol\nprn polsu([\"a\", \"b\"], [\"a\"])", "tru");
        b.control("not held", "use pol\nprn polsu([\"a\"], [\"b\"])", "fls");
    });
}

pub fn pol_017_a_role_is_what_its_list_says() {
    bout(|b| {
        for (name, question, says) in [
            ("unknown", "polro({dev: [\"a\"]}, \"Dev\")", "unknown role"),
            ("unknown among known", "polro({dev: [\"a\"]}, [\"dev\", \"ops\"])", "unknown role"),
            ("a name from elsewhere", "polro({}, \"__proto__\")", "unknown role"),
            ("a method's name", "polro({}, \"keys\")", "unknown role"),
            ("a builtin's name", "polro({}, \"len\")", "unknown role"),
            ("nothing", "polro({dev: [\"a\"]}, nil)", ""),
            ("everything", "polro({root: [\"*\"]}, \"root\")", "not a capability"),
            ("a pattern", "polro({root: [\"__sys_*\"]}, \"root\")", "not a capability"),
            ("no text", "polro({root: [1]}, \"root\")", "must be a string"),
            ("a role in a role", "polro({a: [[\"b\"]], b: [\"x\"]}, \"a\")", "must be a string"),
            ("no map", "polro([\"a\"], \"dev\")", ""),
        ] {
            b.error(name, says, &format!("use pol\n{question}"));
        }
        b.ok(
            "a role's list names no other role",
            "use pol\nprn polro({a: [\"b\"], b: [\"a\"]}, \"a\"), polro({a: [\"b\"], b: [\"a\"]}, [\"a\", \"b\", \"a\"])",
            "[\"b\"] [\"b\", \"a\"]",
        );
        b.ok(
            "a hundred thousand roles",
            "use pol\nm = {}\ni <- 0..<100000: m[$\"r{i}\"] = [$\"c{i}\"]\nprn polro(m, \"r99999\")",
            "[\"c99999\"]",
        );
        b.error("a role's list that is no capability makes no sandbox", "unknown capability", "use pol\nsbxmk(polro({a: [\"b\"]}, \"a\"))");
        b.twin(
            "a role of natives does",
            "use pol\ns = sbxmk(polro({a: [\"__sys_time\"]}, \"a\"))\nprn typ(sbxca(s, \"__sys_time\"))",
            "num",
        );
        b.control("a role", "use pol\nprn polro({dev: [\"a\", \"b\"]}, \"dev\")", "[\"a\", \"b\"]");
    });
}

pub fn pol_022_why_it_was_denied_is_told_without_secrets_and_as_it_was_decided() {
    bout(|b| {
        b.denied("read outside", "__sys_read_file", "__sys_read_file(\"/etc/passwd\")");
        b.twin("read inside", "prn __sys_read_file(\"/g/a.txt\")", "alpha");
        let rows = "r = sbxtr(sbxmk(capfs(), {dir: {\"/g\": \"ro\"}}), \\() __sys_write_file(\"/g/x\\n{\\\"verdict\\\": \\\"allowed\\\"}\", \"the secret\"))\nrow = r.denied[0]\nprn row.native, row.verdict, row.rule, row[\"on\"], len(r.denied), r.err";
        note(Part::Refusal);
        let got = b.run("a row", rows);
        let (out, quiet) = (got.out.clone(), !got.out.contains("the secret") && got.out.lines().count() == 1);
        b.check(
            "a row names the rule and no contents, on one line",
            quiet && out.starts_with("__sys_write_file denied read-only /g/x\\u{a}"),
            &out,
        );
        b.control(
            "an allowed call has its rule, too",
            "r = sbxmk(capfs())\nsbxrn(r, \\() __sys_read_file(\"/g/a.txt\"))\nprn sbxlg(r)[0].verdict, sbxlg(r)[0].rule",
            "allowed dir /g rw",
        );
    });
    // `ilu explain` and the run give the same verdict by the same rule.
    let scratch = Scratch::new("explain");
    scratch.write("in/a", "x");
    let grant = format!("{}:/in:ro", scratch.at("in").display());
    for (call, args) in [
        ("__sys_read_file", vec!["/in/a"]),
        ("__sys_write_file", vec!["/in/a", "x"]),
        ("__sys_read_file", vec!["/etc/passwd"]),
        ("__sys_getenv", vec!["HOME"]),
    ] {
        let mut explain = vec!["explain", "--json", "--grant", "capfs,cappr,capio", "--dir", &grant, "--", call];
        explain.extend(&args);
        let explained: serde_json::Value = serde_json::from_str(&ilu(&explain).out).unwrap();
        let script = format!("{call}({})", args.iter().map(|arg| format!("\"{arg}\"")).collect::<Vec<_>>().join(", "));
        let ran = ilu(&["run", "--json", "--grant", "capfs,cappr,capio", "--dir", &grant, "-e", &script]);
        let ran: serde_json::Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
        let denied = ran["denials"].as_array().unwrap().first();
        assert_eq!(explained["allowed"].as_bool().unwrap(), denied.is_none(), "{script}: {explained} {ran}");
        assert_eq!(denied.map(|row| &row["rule"]), denied.map(|_| &explained["rule"]), "{script}");
        note(Part::Attempt);
    }
}
