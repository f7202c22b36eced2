//! NET-S: sockets of other kinds, the other direction, peers that misbehave, and many of them.

use crate::yard::{PUBLIC, dial, quoted, yard};
use ilu_tests::tally::{Part, note};

const EITHER: &[i64] = &[1, 3];
const DENIED: &[i64] = &[3];
const ERROR: &[i64] = &[1];

pub fn net_063_no_socket_that_is_a_file() {
    let path = std::env::temp_dir().join(format!("ilu-unix-{}-{:?}.sock", std::process::id(), crate::lane::current()));
    let _ = std::fs::remove_file(&path);
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let path_text = path.display().to_string();
    yard(&["x.test 93.184.216.34"], |y| {
        for host in [
            "unix:/var/run/docker.sock",
            "/run/x.sock",
            "\0abstract",
            "@abstract",
            "unix:///run/x.sock",
            &path_text,
            &format!("unix:{path_text}"),
        ] {
            y.unasked(&host.escape_debug().to_string(), &["--net", "*:*"], &dial(host, 80), EITHER);
            for url in [format!("http+unix://{host}/"), format!("unix:{host}"), format!("http://{host}/")] {
                y.unasked(&url.escape_debug().to_string(), &["--net", "*:*"], &format!("__sys_http_get({})", quoted(&url)), EITHER);
            }
        }
        let option = format!("__sys_http_get(\"http://x.test/\", {{socketPath: {}, unix: {0}}})", quoted(&path_text));
        y.unasked("an option", &["--net", "*:*"], &option, EITHER);
        if listener.accept().is_ok() {
            y.fail("somebody came to the socket".to_owned());
        }
        y.reaches(Part::Control, "a host", &["--net", "*"], &dial("x.test", 80), &[&format!("{PUBLIC}:80")]);
        note(Part::Twin);
        drop(std::os::unix::net::UnixStream::connect(&path).unwrap());
        if listener.accept().is_err() {
            y.fail("a program without guards does not come to the socket".to_owned());
        }
    });
    std::fs::remove_file(&path).unwrap();
}

pub fn net_064_to_connect_is_not_to_listen() {
    yard(&["x.test 93.184.216.34"], |y| {
        let rules = &["--net", "127.0.0.1", "--net", "0.0.0.0", "--net", "*:*"];
        for script in [
            "__sys_tcp_listen(\"127.0.0.1\", 9000)",
            "__sys_tcp_listen(\"0.0.0.0\", 9000)",
            "__sys_tcp_accept(__sys_tcp_dial(\"127.0.0.1\", 8080))",
            "__sys_http_serve(\"127.0.0.1\", 9000, \\(r) r)",
        ] {
            note(Part::Refusal);
            let done = y.run_with("captc,capht,capio", rules, script);
            y.expect(script, done.code == Some(3) && done.err.contains("does not hold this capability"), &done);
        }
        // Held, it still needs a rule for the address, and names and `*` are none.
        for rule in ["*:*", "x.test:*", "127.0.0.2:9000", "127.0.0.1:9001", "0.0.0.0/0"] {
            y.refused(rule, &["--net", rule], "__sys_tcp_listen(\"127.0.0.1\", 9000)", DENIED);
        }
        y.refused("a name", &["--net", "*:*"], "__sys_tcp_listen(\"x.test\", 80)", ERROR);
        y.refused("port 0", &["--net", "127.0.0.1"], "__sys_tcp_listen(\"127.0.0.1\", 0)", ERROR);
        y.refused("to dial port 0", rules, "__sys_tcp_dial(\"x.test\", 0)", ERROR);
        // And to listen is not to connect.
        note(Part::Refusal);
        let done = y.run_with("capsv,capio", rules, &dial("127.0.0.1", 8080));
        y.expect("to listen only", done.code == Some(3) && done.connects.is_empty(), &done);
        // No native sends datagrams, opens raw sockets or joins groups: there is no name for it.
        for name in ["__sys_udp_send", "__sys_icmp", "__sys_raw_socket", "__sys_socket"] {
            note(Part::Refusal);
            let done = y.run(rules, &format!("{name}(\"x.test\", 53, \"x\")"));
            y.expect(name, done.code == Some(2), &done);
        }
        let both = "l = __sys_tcp_listen(\"127.0.0.1\", 9000)\nc = __sys_tcp_dial(\"127.0.0.1\", 9000)\ns = __sys_tcp_accept(l)\n__sys_tcp_send(c, \"hi\")\nprn typ(l), typ(s), __sys_tcp_recv(s)";
        note(Part::Control);
        let done = y.run(&["--net", "127.0.0.1:9000"], both);
        y.expect("with both rights", done.out == "lsn con b\"hi\"\n", &done);
        note(Part::Twin);
        let done = y.run_with("captc,capsv,capio", rules, "l = __sys_tcp_listen(\"127.0.0.1\", 9000)\nprn __sys_tcp_accept(l, 10)");
        y.expect("with the right to listen", done.out == "nil\n", &done);
    });
}

/// Two ends of one connection in one script.
const ENDS: &str = "l = __sys_tcp_listen(\"127.0.0.1\", 9000)\nc = __sys_tcp_dial(\"127.0.0.1\", 9000)\ns = __sys_tcp_accept(l)\n";
const RULES: &[&str] = &["--net", "127.0.0.1:9000"];

pub fn net_066_peers_that_say_nothing_or_too_much() {
    yard(&[], |y| {
        let said = |y: &mut crate::yard::Yard, name: &str, flags: &[&str], script: &str, code: i64, out: &str| {
            note(if code == 0 { Part::Attempt } else { Part::Refusal });
            let done = y.run(&[RULES, flags].concat(), &format!("{ENDS}{script}"));
            y.expect(name, done.code == Some(code) && done.out == out, &done);
        };
        said(y, "nothing comes", &[], "prn try(\\() __sys_tcp_recv(c, 10, 50)).err", 0, "nothing came within 50 ms\n");
        said(y, "nothing comes, until the deadline", &["--time", "300ms"], "__sys_tcp_recv(c)", 4, "");
        said(y, "nobody comes", &["--time", "300ms"], "__sys_tcp_accept(l)", 4, "");
        said(y, "the other end closed", &[], "__sys_tcp_close(s)\nprn __sys_tcp_recv(c)\nprn __sys_tcp_recv(c)", 0, "nil\nnil\n");
        said(
            y,
            "closed here",
            &[],
            "__sys_tcp_close(c)\n__sys_tcp_close(c)\nprn try(\\() __sys_tcp_recv(c)).err",
            0,
            "__sys_tcp_recv: the connection is closed\n",
        );
        said(
            y,
            "another thing",
            &[],
            "prn try(\\() __sys_tcp_recv(l)).err\nprn try(\\() __sys_tcp_accept(c)).err",
            0,
            "__sys_tcp_recv: this is not a connection\n__sys_tcp_accept: this is not a listener\n",
        );
        // What was sent and not read when it is closed comes back as a reset, or as the end.
        said(
            y,
            "reset",
            &[],
            "__sys_tcp_send(s, \"x\")\n__sys_tcp_close(c)\ntry(\\() __sys_tcp_send(s, \"y\"))\nr = try(\\() __sys_tcp_recv(s))\nprn r.err != nil or r.val == nil",
            0,
            "tru\n",
        );
        // A flood: each call takes what it may, and the budget of what is read ends it.
        let flood = "use sbx\nb = \"0123456789abcdef\"\nx <- 0..<12: b = b + b\n__sys_tcp_send(s, b)\n";
        said(y, "at most what is asked", &[], &format!("{flood}prn len(__sys_tcp_recv(c, 7))"), 0, "7\n");
        let inner = "r = sbxtr(sbxmk([\"__sys_tcp_recv\"], {read: 1000}), \\()\n    whl tru: __sys_tcp_recv(c, 100)\n)\nprn r.err";
        said(y, "a budget of what is read", &[], &format!("{flood}{inner}"), 0, "reading ran out (limit 1000 bytes)\n");
        // Nobody reads: sending ends with the deadline, not with memory.
        said(
            y,
            "nobody reads",
            &["--time", "1s", "--mem", "64M"],
            "b = \"0123456789abcdef\"\nx <- 0..<20: b = b + b\n__sys_tcp_send(s, b)",
            4,
            "",
        );
        note(Part::Control);
        let done = y.run(RULES, &format!("{ENDS}__sys_tcp_send(s, \"hi\")\nprn __sys_tcp_recv(c)"));
        y.expect("a peer that speaks", done.out == "b\"hi\"\n", &done);
        note(Part::Twin);
        let done = y.run(&[RULES, &["--time", "5s"]].concat(), &format!("{ENDS}prn try(\\() __sys_tcp_recv(c, 1, 400)).err"));
        y.expect("with more time it is only late", done.out == "nothing came within 400 ms\n", &done);
    });
}

pub fn net_067_counts_that_are_none() {
    yard(&[], |y| {
        for max in ["-1", "0", "0.5", "\"8\"", "[]", "tru", "-0.1", "9007199254740993 * 4"] {
            y.refused(max, RULES, &format!("{ENDS}__sys_tcp_recv(c, {max})"), ERROR);
        }
        for ms in ["-1", "0.5", "\"1\"", "{}"] {
            y.refused(ms, RULES, &format!("{ENDS}__sys_tcp_recv(c, 1, {ms})"), ERROR);
        }
        for data in ["1", "nil", "[\"a\"]", "{}", "c", "\\() 1"] {
            y.refused(data, RULES, &format!("{ENDS}__sys_tcp_send(c, {data})"), ERROR);
        }
        // A number that is large and whole is no more than a bound: nothing of that size is made.
        note(Part::Attempt);
        let done = y.run(&[RULES, &["--mem", "4M"]].concat(), &format!("{ENDS}__sys_tcp_send(s, \"hi\")\nprn __sys_tcp_recv(c, 1e12)"));
        y.expect("a large bound", done.out == "b\"hi\"\n", &done);
        // Memory for what may come is asked for before it is read.
        note(Part::Refusal);
        let done = y.run(&[RULES, &["--mem", "300K"]].concat(), &format!("{ENDS}__sys_tcp_send(s, \"hi\")\nprn __sys_tcp_recv(c, 1e6)"));
        y.expect("no room", done.code == Some(4), &done);
        note(Part::Control);
        let done = y.run(RULES, &format!("{ENDS}__sys_tcp_send(s, \"hi\")\nprn __sys_tcp_recv(c, 1), __sys_tcp_recv(c, 9)"));
        y.expect("counts", done.out == "b\"h\" b\"i\"\n", &done);
        note(Part::Twin);
        let done = y.run(&[RULES, &["--mem", "64M"]].concat(), &format!("{ENDS}__sys_tcp_send(s, \"hi\")\nprn __sys_tcp_recv(c, 1e6)"));
        y.expect("room", done.out == "b\"hi\"\n", &done);
    });
}

pub fn net_068_many_sockets() {
    yard(&["x.test 93.184.216.34"], |y| {
        let open =
            |n: u32, keep: &str| format!("all = []\nx <- 0..<{n}:\n    c = __sys_tcp_dial(\"x.test\", 80)\n    {keep}\nprn \"done\"");
        note(Part::Refusal);
        let done = y.run(&["--net", "x.test"], &open(10_000, "all = all + [c]"));
        y.expect("kept", done.code == Some(1) && done.err.contains("too many open files (limit 64)") && done.connects.len() <= 66, &done);
        // A sandbox's own bound is its own: whoever made it goes on.
        note(Part::Refusal);
        let own = "use sbx\nr = sbxtr(sbxmk([\"__sys_tcp_dial\"], {fds: 5}), \\()\n    a = []\n    whl tru: a = a + [__sys_tcp_dial(\"x.test\", 80)]\n)\nprn r.err\nprn typ(__sys_tcp_dial(\"x.test\", 80))";
        let done = y.run(&["--net", "x.test"], own);
        y.expect("in a sandbox", done.out == "too many open files (limit 5)\ncon\n", &done);
        note(Part::Twin);
        let done = y.run(&["--net", "x.test"], &open(2_000, "__sys_tcp_close(c)"));
        y.expect("closed, any number", done.out == "done\n" && done.connects.len() == 2_000, &done);
        note(Part::Control);
        let done = y.run(&["--net", "x.test"], &open(300, "nil"));
        y.expect("dropped, the collector closes them", done.out == "done\n", &done);
    });
}
