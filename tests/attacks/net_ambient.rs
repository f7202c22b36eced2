//! NET rows on what a client might pick up from around it: variables of the environment, cookies, open connections, files with credentials.

use crate::http_rig::{Rig, Want, check, run};
use ilu_tests::command::Scratch;
use ilu_tests::server::{After, Server, answer, ok};
use ilu_tests::tally::{self, Part};
use std::io::Write;

fn plain() -> Rig {
    Rig::new(|asked, stream| {
        let _ = stream.write_all(&ok(&asked.path));
        After::Keep
    })
}

pub fn net_057_no_variable_of_the_environment_names_a_proxy() {
    let rig = plain();
    let (good, proxy) = (rig.good.addr.to_string(), rig.fill("http://BAD"));
    let script = rig.fill("prn __sys_http_get(\"http://GOOD/x\").txt");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for no in ["", "other.test"] {
            tally::note(Part::Refusal);
            check(&script, &run(&["--net", &good], &[(name, &proxy), ("NO_PROXY", no), ("no_proxy", no)], &script), Want::Prints("/x"));
        }
    }
    assert_eq!(rig.bad.connections(), 0, "the proxy was asked");
    tally::note(Part::Control);
    check(&script, &run(&["--net", &good], &[], &script), Want::Prints("/x"));
    // The proxy is there and would answer.
    rig.twin("prn __sys_http_get(\"http://BAD/\").txt");
}

pub fn net_059_no_cookie_is_kept_or_shared() {
    let jar = "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Domain=test\r\nSet-Cookie: c=3; Secure\r\nSet-Cookie: d=4; Max-Age=9223372036854775808\r\nSet-Cookie: e=5; Expires=Thu, 99 Foo 99999\r\n";
    let rig = Rig::new(move |_, stream| {
        let _ = stream.write_all(&answer("200 OK", jar, b"x"));
        After::Keep
    });
    let script = "use sbx\nu = \"http://GOOD/\"\nget() = __sys_http_get(u).txt\nprn len(__sys_http_get(u).hdr[\"set-cookie\"])\n\
                  a = sbxmk([\"__sys_http_get\"])\nb = sbxmk([\"__sys_http_get\"])\nsbxrn(a, get)\nsbxrn(b, get)\nsbxrn(a, get)\nprn get()";
    rig.attack(script, Want::Prints("5\nx"));
    assert_eq!(rig.good.asked().len(), 5);
    assert!(rig.good.asked().iter().all(|asked| asked.field("cookie").is_none()));
    // A script that keeps them itself sends them.
    rig.control("u = \"http://GOOD/\"\nc = __sys_http_get(u).hdr[\"set-cookie\"][0]\nprn __sys_http_get(u, {hdr: {cookie: c}}).cod", "200");
    assert_eq!(rig.good.asked()[6].field("cookie"), Some("a=1; Path=/"));
}

pub fn net_060_a_connection_left_open_serves_its_sandbox_only() {
    let rig = plain();
    // The root may reach both, `a` the good one. What `a` and the root left open is of no use to `b`, nor to `a` once it is revoked.
    let head = "use sbx\nu = \"http://GOOD/x\"\nget() = __sys_http_get(u).txt\nprn get()\na = sbxmk([\"__sys_http_get\"])\n";
    tally::note(Part::Refusal);
    let b = format!("{head}prn sbxrn(a, get)\nb = sbxmk([\"__sys_http_get\"], {{net: []}})\nprn sbxrn(b, get)");
    let ran = rig.run(&[], &b);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), "/x\n/x\n"), "{ran:?}");
    assert_eq!(rig.good.connections(), 2, "one for the root and one for its child");
    tally::note(Part::Refusal);
    let revoked = format!("{head}prn sbxrn(a, get)\nsbxrv(a)\nprn try(\\() sbxrn(a, get)).err");
    let ran = rig.run(&[], &revoked);
    assert!(ran.code == Some(0) && ran.out.contains("revoked"), "{ran:?}");
    assert_eq!(rig.good.asked().len(), 4);
    tally::note(Part::Control);
    let again = format!("{head}i <- 0..9: sbxrn(a, get)\nprn sbxrn(a, get)");
    let before = rig.good.connections();
    check(&again, &rig.run(&[], &again), Want::Prints("/x\n/x"));
    assert_eq!(rig.good.connections(), before + 2, "each sandbox uses its own again");
    tally::note(Part::Twin);
    let allowed = b.replace("{net: []}", "{net: [\"GOOD\"]}");
    check(&allowed, &rig.run(&[], &allowed), Want::Prints("/x\n/x\n/x"));
}

pub fn net_060_revoking_closes_what_was_left_open() {
    let rig = plain();
    let other = Server::start(|_, stream| {
        let _ = stream.write_all(&ok("x"));
        After::Keep
    });
    // The second server tells how many connections to the first are open when it is asked.
    let (open, rules) = (&rig.good, other.addr.to_string());
    let script = format!(
        "use sbx\nget() = __sys_http_get(\"http://GOOD/x\").txt\na = sbxmk([\"__sys_http_get\"])\nsbxrn(a, get)\nsbxrv(a)\n__sys_http_get(\"http://{rules}/\")\n__sys_sleep(1500)"
    );
    let (script, rules) = (rig.fill(&script), rules);
    let good = rig.good.addr.to_string();
    tally::note(Part::Control);
    let asking = std::thread::spawn(move || run(&["--net", &good, "--net", &rules, "--grant", "capht,captm"], &[], &script));
    while other.asked().is_empty() && !asking.is_finished() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut closed = false;
    for _ in 0..200 {
        closed = open.open() == 0 && open.connections() == 1;
        if closed || asking.is_finished() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let running = !asking.is_finished();
    let ran = asking.join().unwrap();
    assert!(closed && running, "the connection of a revoked sandbox stays open: {ran:?}");
}

pub fn net_062_no_credentials_are_found_lying_about() {
    let home = Scratch::new("home");
    home.write(".netrc", "machine 127.0.0.1 login user password hunter2\n");
    home.write(".config/ilu/credentials", "hunter2");
    home.write(".curlrc", "user = user:hunter2\n");
    let rig = Rig::new(|asked, stream| {
        let raw = match asked.path.as_str() {
            "/ntlm" => answer("401 Unauthorized", "WWW-Authenticate: NTLM\r\nWWW-Authenticate: Negotiate\r\n", b"no"),
            "/basic" => answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", b"no"),
            "/proxy" => answer("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=\"x\"\r\n", b"no"),
            _ => ok("fine"),
        };
        let _ = stream.write_all(&raw);
        After::Keep
    });
    let at = home.path().display().to_string();
    let env = [
        ("HOME", at.as_str()),
        ("NETRC", &home.at(".netrc").display().to_string()),
        ("XDG_CONFIG_HOME", &home.at(".config").display().to_string()),
    ];
    let good = rig.good.addr.to_string();
    for (path, code) in [("ntlm", "401"), ("basic", "401"), ("proxy", "407"), ("x", "200")] {
        tally::note(Part::Attempt);
        let script = format!("prn __sys_http_get(\"http://{good}/{path}\").cod");
        check(&script, &run(&["--net", &good], &env, &script), Want::Prints(code));
    }
    let asked = rig.good.asked();
    assert_eq!(asked.len(), 4, "nothing is tried again with credentials");
    assert!(asked.iter().all(|asked| asked.field("authorization").is_none() && !asked.head.contains("hunter2")));
    rig.control("prn __sys_http_get(\"http://GOOD/x\", {hdr: {authorization: \"Basic x\"}}).txt", "fine");
    assert_eq!(rig.good.asked()[4].field("authorization"), Some("Basic x"));
}
