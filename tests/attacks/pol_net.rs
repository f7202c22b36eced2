//! POL-019, POL-020: files of network rules, and the rules themselves: what is not exactly right is an error before anything runs. Whether a connection
//! would be allowed is asked of `ilu explain`, so nothing is sent.

use ilu_tests::command::{Scratch, ilu};
use ilu_tests::tally::{Part, note};

/// The answer to whether a connection to this address and port would be allowed under these flags: the verdict, or what is wrong with the flags.
fn connects(flags: &[&str], ip: &str, port: &str) -> (Option<i32>, String) {
    let mut args = vec!["explain"];
    args.extend(flags);
    args.extend(["--", "__sys_tcp_connect", ip, port]);
    let ran = ilu(&args);
    (ran.code, ran.out + &ran.err)
}

pub fn pol_019_a_file_of_rules_that_is_not_right_stops_the_run() {
    let scratch = Scratch::new("pol");
    scratch.write("job.ilu", "prn 1\n");
    let job = scratch.at("job.ilu").display().to_string();
    let run = |text: Option<&[u8]>| {
        let path = match text {
            Some(text) => scratch.write("rules.json", text),
            None => scratch.at("none.json"),
        };
        let path = path.display().to_string();
        (ilu(&["run", "--color", "never", "--pol", &path, &job]), path)
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let many = format!("[{}]", vec!["{\"net\": \"a.example\", \"eff\": true}"; 100_000].join(","));
    for (name, text, says) in [
        ("missing", None, "no such file"),
        ("empty", Some(&b""[..]), "JSON"),
        ("blank", Some(b" \n"), "JSON"),
        ("cut off", Some(b"[{\"net\": \"a.example\", \"eff\": tr"), "JSON"),
        ("two documents", Some(b"[][]"), "JSON"),
        ("not UTF-8", Some(b"[\"\xff\"]"), "UTF-8"),
        ("nothing", Some(b"null"), "must be a list"),
        ("an object", Some(b"{}"), "must be a list"),
        ("of another version", Some(b"{\"version\": 2, \"rules\": []}"), "must be a list"),
        ("an unknown field", Some(b"[{\"net\": \"a.example\", \"eff\": true, \"method\": \"GET\"}]"), "`method`"),
        ("no verdict", Some(b"[{\"net\": \"a.example\"}]"), "has no `eff`"),
        ("a verdict that is text", Some(b"[{\"net\": \"a.example\", \"eff\": \"false\"}]"), "must be tru or fls"),
        ("a verdict that is 1", Some(b"[{\"net\": \"a.example\", \"eff\": 1}]"), "must be tru or fls"),
        ("two verdicts", Some(b"[{\"net\": \"a.example\", \"eff\": false, \"eff\": true}]"), "twice"),
        ("a row that is none, behind a good one", Some(b"[{\"net\": \"a.example\", \"eff\": true}, 1]"), "rule 1"),
        ("a row that is nil", Some(b"[null]"), "rule 0"),
        ("nested deep", Some(deep.as_bytes()), "JSON"),
        ("too many rows", Some(many.as_bytes()), "rules"),
    ] {
        let (ran, _) = run(text);
        assert!(ran.code == Some(2) && ran.out.is_empty() && ran.err.contains(says) && ran.err.len() < 8_000, "{name}: {ran:?}");
        note(Part::Refusal);
    }
    let directory = ilu(&["run", "--pol", &scratch.path().display().to_string(), &job]);
    assert_eq!(directory.code, Some(2), "{directory:?}");
    let (ran, path) = run(Some(b"[{\"net\": \"10.0.0.0/8\", \"eff\": true}]"));
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "1\n"), "{}", ran.err);
    assert_eq!(connects(&["--pol", &path], "10.1.2.3", "80").0, Some(0), "what it says counts");
    note(Part::Twin);
    // No rule is no network, and a file of no rules is none, too.
    let (ran, path) = run(Some(b"[]"));
    assert_eq!(ran.code, Some(0));
    for flags in [vec!["--pol", path.as_str()], vec!["--grant", "captc"], vec!["--grant", "capall"]] {
        let (code, said) = connects(&flags, "93.184.216.34", "443");
        assert!(code == Some(3) && said.contains("no network rule"), "{flags:?}: {said}");
        note(Part::Refusal);
    }
    assert_eq!(connects(&["--net", "93.184.216.34"], "93.184.216.34", "443").0, Some(0));
    note(Part::Control);
}

pub fn pol_020_address_rules_are_exact_or_errors() {
    for rule in [
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "10.0.0.0/8/8",
        "fc00::/129",
        "fc00::1/7",
        "::ffff:0:0/96",
        "::ffff:10.0.0.0/104",
        "http://a.example",
        "a.example/x",
        "a b",
        " a.example",
        "a.example ",
        "a.example:65536",
        "a.example:-1",
        "a.example:9..1",
        "a.example:1..",
        "a.example:http",
        "a.example:80:90",
        ":80",
        "",
        "!",
        "a*.example",
        "*.*",
        "*a",
        "**",
        "[::1",
        "::1]",
        "[10.0.0.1]x",
        "1.2.3",
        "010.0.0.1",
        "0x7f.1",
        "127.1",
        "2130706433",
        "a..example",
        ".example",
        "a_\u{1}b",
        "user@a.example",
        "a.example?",
        "localhost",
        "*.localhost",
        "fe80::1%eth0",
        "\u{ff11}0.0.0.1",
    ] {
        let (code, said) = connects(&[&format!("--net={rule}")], "10.1.2.3", "80");
        assert_eq!(code, Some(2), "{rule:?}: {said}");
        let row = format!("use sbx\nprn try(\\() sbxmk([\"__sys_tcp_connect\"], {{net: [{{net: \"{rule}\", eff: tru}}]}})).err");
        let data = ilu(&["run", "--grant", "captc,capio", "--net", "*", "-e", &row]);
        assert!(data.code == Some(2) || data.out.trim() != "nil", "{rule:?} as data: {data:?}");
        note(Part::Refusal);
    }
    // Rules in a row, an address and a port: whether it is allowed. Names are compared with names and addresses with addresses, whatever their form.
    let cases: [(&[&str], &str, &str, bool); 26] = [
        (&["10.0.0.0/8"], "10.255.255.255", "1", true),
        (&["10.0.0.0/8"], "11.0.0.0", "1", false),
        (&["10.1.2.3/32"], "10.1.2.3", "1", true),
        (&["10.1.2.3/32"], "10.1.2.4", "1", false),
        (&["0.0.0.0/0"], "93.184.216.34", "80", true),
        (&["0.0.0.0/0"], "10.1.2.3", "80", false),
        (&["0.0.0.0/0"], "169.254.169.254", "80", false),
        (&["0.0.0.0/0"], "127.0.0.1", "80", false),
        (&["::/0"], "2606:2800:220:1::1", "80", true),
        (&["::/0"], "::1", "80", false),
        (&["*:*"], "127.0.0.1", "80", false),
        (&["10.0.0.0/8"], "::ffff:10.1.2.3", "80", true),
        (&["!10.1.2.3", "10.0.0.0/8"], "::ffff:10.1.2.3", "80", false),
        (&["!10.0.0.0/8", "10.1.2.3"], "10.1.2.3", "80", false),
        (&["10.1.2.3", "!10.0.0.0/8"], "10.1.2.3", "80", true),
        (&["10.1.2.3", "!10.0.0.0/8"], "10.1.2.4", "80", false),
        (&["!10.1.2.3:80", "10.0.0.0/8"], "10.1.2.3", "80", false),
        (&["!10.1.2.3:80", "10.0.0.0/8"], "10.1.2.3", "81", true),
        (&["10.1.2.3:80"], "10.1.2.3", "80", true),
        (&["10.1.2.3:80"], "10.1.2.3", "443", false),
        (&["10.1.2.3:80..90"], "10.1.2.3", "90", true),
        (&["10.1.2.3:80..90"], "10.1.2.3", "91", false),
        (&["10.1.2.3:*"], "10.1.2.3", "65535", true),
        (&["*"], "93.184.216.34", "22", false),
        (&["a.example"], "10.1.2.3", "80", false),
        (&["127.0.0.1"], "::1", "80", false),
    ];
    for (rules, ip, port, allowed) in cases {
        let flags: Vec<&str> = rules.iter().flat_map(|rule| ["--net", rule]).collect();
        let (code, said) = connects(&flags, ip, port);
        assert_eq!(code, Some(if allowed { 0 } else { 3 }), "{rules:?} for {ip}:{port}: {said}");
        note(if allowed { Part::Twin } else { Part::Refusal });
    }
    for (ip, port) in [
        ("10.1.2.3", "0"),
        ("10.1.2.3", "65536"),
        ("10.1.2.3", "-1"),
        ("10.1.2.3", "80.5"),
        ("10.1.2.300", "80"),
        ("1.2.3", "80"),
        ("a.example", "80"),
        ("", "80"),
        ("10.1.2.3 ", "80"),
    ] {
        let (code, said) = connects(&["--net", "10.0.0.0/8"], ip, port);
        assert!(code != Some(0) || said.contains("it would fail"), "{ip}:{port}: {said}");
        note(Part::Refusal);
    }
    assert_eq!(connects(&["--net", "10.0.0.0/8"], "10.1.2.3", "80").0, Some(0));
    note(Part::Control);
}
