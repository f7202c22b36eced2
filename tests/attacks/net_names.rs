//! NET-D: names, what they lead to, and who is asked about them.

use crate::yard::{OTHER, PUBLIC, dial, quoted, yard};
use ilu_tests::tally::{Part, note};

const EITHER: &[i64] = &[1, 3];
const DENIED: &[i64] = &[3];
const ERROR: &[i64] = &[1];

pub fn net_022_a_name_that_leads_to_this_machine() {
    yard(
        &["good.test 127.0.0.1", "six.test ::1", "meta.test 169.254.169.254", "mapped.test ::ffff:10.0.0.1", "fine.test 93.184.216.34"],
        |y| {
            for name in ["good.test", "six.test", "meta.test", "mapped.test"] {
                for rule in ["*:*", "*.test:*", &format!("{name}:*")] {
                    y.refused(name, &["--net", rule], &dial(name, 80), DENIED);
                    y.refused(name, &["--net", rule], &format!("__sys_http_get(\"http://{name}/\")"), EITHER);
                    y.refused(name, &["--net", rule], &format!("prn __sys_dns(\"{name}\")"), DENIED);
                }
            }
            y.twin("good.test", "good.test", 80, &["127.0.0.1:80"]);
            y.twin("meta.test", "meta.test", 80, &["169.254.169.254:80"]);
            y.reaches(Part::Control, "fine.test", &["--net", "*.test"], &dial("fine.test", 80), &[&format!("{PUBLIC}:80")]);
        },
    );
}

pub fn net_023_the_port_that_is_meant_is_the_port_that_is_judged() {
    yard(&["good.test 127.0.0.1"], |y| {
        let rules = &["--net", "!127.0.0.1:8080", "--net", "127.0.0.0/8", "--net", "good.test:*"];
        y.refused("the denied port", rules, &dial("good.test", 8080), DENIED);
        y.reaches(Part::Control, "another", rules, &dial("good.test", 8081), &["127.0.0.1:8081"]);
        y.twin("the denied port", "good.test", 8080, &["127.0.0.1:8080"]);
    });
}

pub fn net_024_of_several_addresses_only_those_that_pass() {
    // The first does not listen: whoever falls back may only fall on what passed.
    let zone = [
        "a.test 93.184.216.34 127.0.0.1",
        "b.test 127.0.0.1 93.184.216.34",
        "dead.test 93.184.216.99 127.0.0.1",
        "two.test 127.0.0.1 93.184.216.35 93.184.216.34",
    ];
    yard(&zone, |y| {
        for _ in 0..20 {
            for name in ["a.test", "b.test"] {
                y.reaches(Part::Control, name, &["--net", "*:*"], &dial(name, 8080), &[&format!("{PUBLIC}:8080")]);
            }
        }
        y.refused("nobody answers at the one that passes", &["--net", "*:*"], &dial("dead.test", 8080), ERROR);
        y.refused("by HTTP", &["--net", "*:*"], "__sys_http_get(\"http://dead.test:8080/\")", EITHER);
        let many = "use trl\nx <- 0..<1000:\n    c = __sys_tcp_dial(\"b.test\", 8080)\n    __sys_tcp_close(c)\nprn \"done\"";
        note(Part::Attempt);
        let done = y.run(&["--net", "*:*"], many);
        y.expect(
            "1000 times",
            done.code == Some(0) && done.connects.len() == 1000 && done.connects.iter().all(|at| at.starts_with(PUBLIC)),
            &done,
        );
        y.reaches(
            Part::Control,
            "the second that passes",
            &["--net", &format!("!{OTHER}"), "--net", "*:*"],
            &dial("two.test", 8080),
            &[&format!("{PUBLIC}:8080")],
        );
        y.twin("one after the other", "dead.test", 8080, &["127.0.0.1:8080"]);
    });
}

pub fn net_025_a_name_that_changes_its_mind() {
    // Whoever asks once to judge and once to connect gets two answers.
    let zone = [
        "rebind.test 93.184.216.34 | 169.254.169.254 | 93.184.216.34 | 127.0.0.1",
        "always.test 93.184.216.34 | 169.254.169.254",
        "twice.test 93.184.216.34 | 169.254.169.254",
    ];
    yard(&zone, |y| {
        let once = "r = try(\\() __sys_tcp_dial(\"rebind.test\", 80))\nif r.err == nil: __sys_tcp_close(r.val)\n";
        note(Part::Refusal);
        let done = y.run(&["--net", "*.test"], &once.repeat(4));
        y.expect(
            "dialled what was judged",
            done.code == Some(0) && done.connects.iter().all(|at| at == &format!("{PUBLIC}:80")) && done.connects.len() == 2,
            &done,
        );
        note(Part::Refusal);
        let done = y.run(&["--net", "*.test"], "x <- 0..<200:\n    try(\\() __sys_http_get(\"http://always.test/\"))\nprn 1");
        y.expect("by HTTP", done.connects.iter().all(|at| at == &format!("{PUBLIC}:80")), &done);
        y.reaches(Part::Control, "a name that stays", &["--net", PUBLIC], &dial(PUBLIC, 80), &[&format!("{PUBLIC}:80")]);
        note(Part::Attempt);
        let judged = y.run(&["--net", "*"], "prn __sys_dns(\"twice.test\")");
        y.expect("the first answer", judged.out == format!("[\"{PUBLIC}\"]\n"), &judged);
        y.twin("asked again", "twice.test", 80, &["169.254.169.254:80"]);
    });
}

pub fn net_027_answers_that_are_hostile_themselves() {
    let chain: Vec<String> = (0..20).map(|n| format!("c{n}.test CNAME c{}.test", n + 1)).collect();
    let mut zone: Vec<&str> = chain.iter().map(String::as_str).collect();
    zone.extend([
        "c20.test 10.0.0.1",
        "loop.test CNAME pool.test",
        "pool.test CNAME loop.test",
        "many.test MANY 4000",
        "text.test TXT 60000",
        "none.test NX",
        "fail.test SERVFAIL",
        "slow.test SILENT",
        "fine.test CNAME real.test",
        "real.test 93.184.216.34",
    ]);
    yard(&zone, |y| {
        for (name, codes) in [("c0.test", EITHER), ("loop.test", ERROR), ("text.test", ERROR), ("none.test", ERROR), ("fail.test", ERROR)] {
            y.refused(name, &["--net", "*:*", "--time", "20s"], &dial(name, 8080), codes);
        }
        for (name, why) in [
            ("none.test", "no address is known for \"none.test\""),
            ("loop.test", "\"loop.test\""),
            ("fail.test", "no name server gave an answer about \"fail.test\": trying again may help"),
            ("slow.test", "no name server gave an answer about \"slow.test\": trying again may help"),
        ] {
            note(Part::Attempt);
            let script = format!("prn try(\\() __sys_tcp_dial(\"{name}\", 80)).err\nprn try(\\() __sys_http_get(\"http://{name}/\")).err");
            let done = y.run(&["--net", "*:*"], &script);
            y.expect(&format!("what is said of {name}"), done.code == Some(0) && done.out.matches(why).count() == 2, &done);
        }
        let began = std::time::Instant::now();
        y.refused("slow.test", &["--net", "*:*", "--time", "500ms"], &dial("slow.test", 8080), &[4]);
        if began.elapsed() > std::time::Duration::from_secs(3) {
            y.fail(format!("the deadline of a lookup was noticed after {:?}", began.elapsed()));
        }
        note(Part::Attempt);
        let done = y.run(&["--net", "*:*", "--mem", "4M"], "prn len(__sys_dns(\"many.test\")) <= 64");
        y.expect("many.test", done.out == "tru\n" || done.code == Some(1), &done);
        y.reaches(Part::Control, "an alias of a fine one", &["--net", "*.test:*"], &dial("fine.test", 8080), &[&format!("{PUBLIC}:8080")]);
        y.twin("the end of the chain", "c0.test", 8080, &["10.0.0.1:8080"]);
    });
}

pub fn net_029_a_name_that_no_rule_allows_is_not_even_asked_for() {
    let zone = ["secret.attacker.test 93.184.216.34", "api.good.test 93.184.216.34", "hunter2.attacker.test 93.184.216.35"];
    yard(&zone, |y| {
        let scripts = [
            dial("secret.attacker.test", 443),
            "__sys_dns(\"secret.attacker.test\")".to_owned(),
            "__sys_http_get(\"http://secret.attacker.test/\")".to_owned(),
            "__sys_http_post(\"https://hunter2.attacker.test/\", \"x\")".to_owned(),
            "__sys_tcp_connect(\"secret.attacker.test\", 443)".to_owned(),
        ];
        for script in &scripts {
            y.unasked("another host is allowed", &["--net", "*.good.test", "--net", "93.184.216.0/24"], script, EITHER);
            y.unasked("no rule at all", &[], script, EITHER);
            // To look a name up by itself is asked of any port.
            if !script.contains("dns") {
                y.unasked("another port is allowed", &["--net", "secret.attacker.test:1", "--net", "*:1"], script, EITHER);
            }
            note(Part::Refusal);
            let done = y.run_with("capio", &["--net", "*:*"], script);
            y.expect("no native", done.code == Some(3) && done.queries.is_empty() && done.udp == 0, &done);
        }
        // On any port, a name may be asked for by itself.
        y.unasked("denied by name", &["--net", "!*.attacker.test", "--net", "*:*"], "__sys_dns(\"secret.attacker.test\")", DENIED);
        y.reaches(Part::Control, "the allowed one", &["--net", "*.good.test"], &dial("api.good.test", 443), &[&format!("{PUBLIC}:443")]);
        note(Part::Control);
        let done = y.run(&["--net", "*.good.test"], "prn __sys_dns(\"api.good.test\")");
        y.expect(
            "only the name itself is asked for",
            done.queries.iter().all(|asked| asked.starts_with("api.good.test ")) && !done.queries.is_empty(),
            &done,
        );
        note(Part::Attempt);
        let done = y.run(&["--net", "*.good.test"], "try(\\() __sys_dns(\"nobody.good.test\"))");
        y.expect(
            "no search list",
            done.queries.iter().all(|asked| asked.starts_with("nobody.good.test ")) && !done.queries.is_empty(),
            &done,
        );
        y.twin("a program that asks", "secret.attacker.test", 443, &[&format!("{PUBLIC}:443")]);
        // The wire shows what nobody answers: a handshake at a port where nobody listens.
        y.shows("secret.attacker.test", 9, &[&format!("SYN {PUBLIC}:9")]);
    });
}

pub fn net_030_net_032_names_that_are_none() {
    yard(&["evil.test 93.184.216.34", "a.good.test 93.184.216.34"], |y| {
        let long = format!("{}.good.test", "a".repeat(64));
        let longest = format!("{}good.test", "abcdefg.".repeat(32));
        for host in [
            "evil.test\0.good.test",
            "evil.test%00.good.test",
            "a..good.test",
            ".good.test",
            "",
            ".",
            "a good.test",
            "evil.test\n.good.test",
            "evil.test/.good.test",
            "evil.test#.good.test",
            "evil.test@a.good.test",
            &long,
            &longest,
        ] {
            y.unasked(&host.escape_debug().to_string(), &["--net", "*.good.test:*", "--net", "*:*"], &dial(host, 443), EITHER);
        }
        let huge = "use txt\nh = \"a\"\nx <- 0..<23: h = h + h\nh = h + \".good.test\"\n__sys_tcp_dial(h, 443)";
        y.unasked("8 MiB", &["--net", "*.good.test:*"], huge, ERROR);
        y.reaches(Part::Control, "a name", &["--net", "*.good.test:*"], &dial("a.good.test", 443), &[&format!("{PUBLIC}:443")]);
        y.twin("what was meant", "evil.test", 443, &[&format!("{PUBLIC}:443")]);
    });
}

pub fn net_033_names_in_other_scripts() {
    let zone = ["xn--e1aybc.example.com 93.184.216.34", "test.example.com 93.184.216.35", "xn--tst-qla.example.com 93.184.216.35"];
    yard(&zone, |y| {
        let rule = &["--net", "xn--e1aybc.example.com"];
        for same in ["тест.example.com", "ТЕСТ.example.com", "XN--E1AYBC.Example.Com", "тест。example.com", "тест.example.com."]
        {
            y.reaches(Part::Control, same, rule, &dial(same, 443), &[&format!("{PUBLIC}:443")]);
        }
        for other in ["test.example.com", "tест.example.com", "tеst.example.com", "тест.examрle.com"] {
            y.unasked(other, rule, &dial(other, 443), DENIED);
        }
        for bad in [
            "xn--a.example.com",
            "xn--.example.com",
            "\u{200d}тест.example.com",
            "te\u{e01ef}\u{378}st.example.com",
            "\u{fffd}.example.com",
        ] {
            y.unasked(&bad.escape_debug().to_string(), rule, &dial(bad, 443), EITHER);
        }
        y.twin("a homograph", "test.example.com", 443, &[&format!("{OTHER}:443")]);
    });
}

pub fn net_035_patterns_match_whole_labels() {
    let zone = [
        "example.com 93.184.216.34",
        "a.example.com 93.184.216.34",
        "a.b.example.com 93.184.216.34",
        "evilexample.com 93.184.216.35",
        "example.com.evil.test 93.184.216.35",
    ];
    yard(&zone, |y| {
        let rule = &["--net", "*.example.com"];
        for below in ["a.example.com", "a.b.example.com", "A.Example.COM", "a.example.com."] {
            y.reaches(Part::Control, below, rule, &dial(below, 443), &[&format!("{PUBLIC}:443")]);
        }
        for other in ["example.com", "evilexample.com", "example.com.evil.test", "example.comx", "xample.com"] {
            y.unasked(other, rule, &dial(other, 443), DENIED);
        }
        y.twin("a name that ends alike", "evilexample.com", 443, &[&format!("{OTHER}:443")]);
    });
}

pub fn net_036_patterns_that_mean_nothing_are_refused_when_they_are_read() {
    yard(&["x.test 93.184.216.34"], |y| {
        for rule in [
            "",
            "*.",
            "*.*.x",
            "a.*.x",
            "*x",
            "http://x",
            "x/y",
            "x y",
            "!",
            "x:",
            "*.127.0.0.1",
            "10.0.0.1/8",
            "1.2.3.4/33",
            "x:0-9",
            "x:70000",
            "💥:x",
        ] {
            note(Part::Refusal);
            let done = y.run(&["--net", rule], "prn 1");
            y.expect(&format!("--net {rule:?}"), done.code == Some(2) && done.out.is_empty(), &done);
            note(Part::Refusal);
            let script = format!("use sbx\nsbxmk([], {{net: [{}]}})", quoted(rule));
            let done = y.run(&["--net", "*:*"], &script);
            y.expect(&format!("sbxmk {rule:?}"), done.code == Some(1), &done);
        }
        y.reaches(Part::Control, "`*`", &["--net", "*"], &dial("x.test", 443), &[&format!("{PUBLIC}:443")]);
        y.reaches(Part::Twin, "a rule that says what it means", &["--net", "x.test"], &dial("x.test", 443), &[&format!("{PUBLIC}:443")]);
    });
}

pub fn net_037_net_038_ports() {
    yard(&["good.test 93.184.216.34"], |y| {
        for port in ["22", "80", "8080", "444", "442", "65535"] {
            y.unasked(port, &["--net", "good.test:443"], &dial("good.test", port.parse().unwrap()), DENIED);
        }
        for port in ["0", "65536", "-1", "443.5", "1e9", "443 + 65536", "\"443\"", "nil", "[443]"] {
            y.unasked(port, &["--net", "*:*"], &format!("__sys_tcp_dial(\"good.test\", {port})"), ERROR);
        }
        for url in
            ["good.test:22", "good.test:0", "good.test:65536", "good.test:-1", "good.test:+443", "good.test:https", "good.test:４４３"]
        {
            y.unasked(url, &["--net", "good.test:443"], &format!("__sys_http_get(\"http://{url}/\")"), EITHER);
        }
        y.unasked("http on 443's rule", &["--net", "good.test:443"], "__sys_http_get(\"http://good.test/\")", EITHER);
        y.reaches(Part::Control, "443", &["--net", "good.test:443"], &dial("good.test", 443), &[&format!("{PUBLIC}:443")]);
        let last = &["--net", "127.0.0.1:65535", "--net", "good.test:65535"];
        for host in ["127.0.0.1", "good.test"] {
            y.unasked("one below the last", last, &dial(host, 65534), DENIED);
            y.unasked("no port", last, &format!("__sys_tcp_dial(\"{host}\", 0)"), ERROR);
        }
        y.reaches(Part::Control, "the last", last, &dial("127.0.0.1", 65535), &["127.0.0.1:65535"]);
        y.unasked("a range's end", &["--net", "good.test:1..442"], &dial("good.test", 443), DENIED);
        y.reaches(
            Part::Control,
            "a range's end is in it",
            &["--net", "good.test:1..443"],
            &dial("good.test", 443),
            &[&format!("{PUBLIC}:443")],
        );
        y.twin("any port", "good.test", 22, &[&format!("{PUBLIC}:22")]);
    });
}

pub fn pol_019_pol_020_files_of_rules_are_whole_or_nothing_starts() {
    let place = ilu_tests::command::Scratch::new("pol");
    yard(&["x.test 93.184.216.34", "y.test 93.184.216.35"], |y| {
        let file = |text: &str| {
            place.write("rules.json", text);
            place.at("rules.json").display().to_string()
        };
        let good = "[{\"net\": \"x.test\", \"port\": 443, \"eff\": true}]";
        let cut = &good[..good.len() - 1];
        for text in [
            "",
            cut,
            "{}",
            "null",
            "\"*\"",
            "[[]]",
            "[{}]",
            "[{\"net\": \"x.test\"}]",
            "[{\"net\": \"x.test\", \"eff\": \"true\"}]",
            "[{\"net\": \"x.test\", \"eff\": true, \"v\": 2}]",
            "{\"version\": 9, \"net\": []}",
        ] {
            note(Part::Refusal);
            let done = y.run(&["--pol", &file(text)], "prn 1");
            y.expect(text, done.code == Some(2) && done.out.is_empty(), &done);
        }
        for at in [
            "10.0.0.0/33",
            "10.0.0.1/8",
            "fc00::/129",
            "::10.0.0.0/8",
            "10.0.0.0/8::",
            "::ffff:0:0/96",
            "http://x.test",
            "x.test:80",
            "x.test/a",
            "x test",
            "0.0.0.0/00",
            "10.0.0/8",
            "*.",
        ] {
            note(Part::Refusal);
            let done = y.run(&["--pol", &file(&format!("[{{\"net\": \"{at}\", \"eff\": true}}]"))], "prn 1");
            y.expect(at, done.code == Some(2) && done.out.is_empty(), &done);
        }
        for port in ["\"9..1\"", "65536", "-1", "1.5", "\"\"", "\"443x\"", "\"1...9\"", "[1]"] {
            note(Part::Refusal);
            let done = y.run(&["--pol", &file(&format!("[{{\"net\": \"x.test\", \"port\": {port}, \"eff\": true}}]"))], "prn 1");
            y.expect(port, done.code == Some(2) && done.out.is_empty(), &done);
        }
        for gone in ["/nowhere/rules.json", "/", "/dev/null/x"] {
            note(Part::Refusal);
            let done = y.run(&["--pol", gone], "prn 1");
            y.expect(gone, done.code == Some(2) && done.out.is_empty(), &done);
        }
        // A file without a rule allows nothing, and one that denies can't be overruled by a flag.
        y.unasked("no rule", &["--pol", &file("[]")], &dial("x.test", 443), DENIED);
        let denies = file("[{\"net\": \"x.test\", \"eff\": false}, {\"net\": \"::ffff:93.184.216.35\", \"eff\": false}]");
        y.unasked("the file denies", &["--net", "*:*", "--pol", &denies], &dial("x.test", 443), DENIED);
        y.refused("the file denies, as mapped", &["--net", "*:*", "--pol", &denies], &dial("y.test", 443), DENIED);
        let rules = file(
            "[{\"net\": \"10.0.0.0/8\", \"port\": 80, \"eff\": true}, {\"net\": \"10.0.0.0/16\", \"port\": 80, \"eff\": false}, {\"net\": \"0.0.0.0/0\", \"eff\": true}]",
        );
        y.reaches(Part::Control, "of rules that overlap the first decides", &["--pol", &rules], &dial("10.0.0.1", 80), &["10.0.0.1:80"]);
        y.unasked("all of IPv4 is what is ordinary of it", &["--pol", &rules], &dial("127.0.0.1", 80), DENIED);
        y.reaches(Part::Control, "the file allows", &["--pol", &file(good)], &dial("x.test", 443), &[&format!("{PUBLIC}:443")]);
        y.twin("without a policy", "y.test", 443, &[&format!("{OTHER}:443")]);
    });
}
