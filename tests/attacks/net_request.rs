//! NET rows on requests that a script builds: what is sent is one well-formed request, or nothing.

use crate::http_rig::{NATIVES, Rig, Want, check, run};
use ilu_tests::server::{After, ok};
use ilu_tests::tally::{self, Part};
use std::io::Write;

fn echo() -> Rig {
    Rig::new(|asked, stream| {
        let _ = stream.write_all(&ok(&format!("{} {}", asked.path, asked.body.len())));
        After::Keep
    })
}

/// Errors, and nothing was sent: not even a connection was made.
fn never_sent(rig: &Rig, scripts: &[&str], want: Want<'_>) {
    let before = rig.good.connections();
    for script in scripts {
        rig.attack(script, want);
    }
    assert_eq!(rig.good.connections(), before, "{}: something was sent", tally::current());
}

pub fn net_070_a_field_stays_on_its_line() {
    let rig = echo();
    for bad in ["a\\r\\nX-Evil: 1", "a\\nX-Evil: 1", "a\\rX-Evil: 1", "a\\0b", "a\\r\\n b", "a\\x7f", "caf\\u{e9}", "\\u{4a}\\u{10a}"] {
        for name in ["X-A", "Cookie", "Content-Type", "User-Agent", "Authorization"] {
            never_sent(
                &rig,
                &[&format!("prn __sys_http_get(\"http://GOOD/\", {{hdr: {{\"{name}\": \"{bad}\"}}}})")],
                Want::Error("can't be sent"),
            );
        }
    }
    for name in ["X-A\\r\\nX-Evil", "X-A:", "X A", "", " X", "X\\0", "X\\u{e9}", "X\\t", "(x)"] {
        never_sent(
            &rig,
            &[&format!("prn __sys_http_get(\"http://GOOD/\", {{hdr: {{\"{name}\": \"1\"}}}})")],
            Want::Error("no name of a header field"),
        );
    }
    for name in ["Host", "content-length", "Transfer-Encoding", "connection", "Upgrade", "TE", "Trailer", "Expect", "keep-alive"] {
        never_sent(
            &rig,
            &[&format!("prn __sys_http_get(\"http://GOOD/\", {{hdr: {{\"{name}\": \"1\"}}}})")],
            Want::Error("not a script's to set"),
        );
    }
    rig.control("prn __sys_http_get(\"http://GOOD/\", {hdr: {\"X-A\": [\"one\", \"two, three\"]}}).txt", "/ 0");
    let head = &rig.good.asked()[0].head;
    assert_eq!(head.to_lowercase().matches("x-a: ").count(), 2, "{head}");
}

pub fn net_071_a_request_line_is_one_line() {
    let rig = echo();
    for bad in
        ["/a\\r\\nX-Evil: 1", "/a b", "/a\\tb", "/a\\0", "/a HTTP/1.1\\r\\n\\r\\nGET /evil", "/?a\\nb", "/#a\\nb", "/\\u{2028}", "/\\u{a0}"]
    {
        never_sent(&rig, &[&format!("prn __sys_http_get(\"http://GOOD{bad}\")")], Want::Error("http: bad request:"));
    }
    for host in ["a\\r\\nb", "a b", "a\\0b", "a%00b", "a%0d%0ab", "[::1", "a<b", "a^b", "a|b", "%"] {
        never_sent(&rig, &[&format!("prn __sys_http_get(\"http://{host}/\")")], Want::DenyOrError);
    }
    // There is no native that takes a method.
    never_sent(&rig, &["prn __sys_http_get(\"http://GOOD/\", {met: \"GET / HTTP/1.1\\r\\nX: y\"})"], Want::Error("no option"));
    rig.control("prn __sys_http_get(\"http://GOOD/caf\\u{e9}?\\u{e9}=\\\"<>\").txt", "/caf%C3%A9?%C3%A9=%22%3C%3E 0");
    for asked in rig.good.asked() {
        assert_eq!(asked.head.matches("HTTP/1.1").count(), 1, "{asked:?}");
    }
}

pub fn net_073_fields_without_end_are_refused() {
    let rig = echo();
    let many = "h = {}\ni <- 0..<N: h[\"x\" + str(i)] = \"v\"\nprn __sys_http_get(\"http://GOOD/\", {hdr: h}).txt";
    never_sent(&rig, &[&many.replace('N', "65"), &many.replace('N', "32769")], Want::Error("at most 64 header fields"));
    let values = "use trl\nv = trl.map(0..<60000, \\(x) \"x\")\nprn __sys_http_get(\"http://GOOD/\", {hdr: {a: v}}).txt";
    never_sent(&rig, &[values], Want::Error("at most 64 header fields"));
    let million = values.replace("60000", "1000000");
    never_sent(&rig, &[&million], Want::Error("elements"));
    never_sent(&rig, &["use txt\nprn __sys_http_get(\"http://GOOD/\", {hdr: {a: txt.rpt(\"x\", 67108864)}}).txt"], Want::Error("at most"));
    never_sent(
        &rig,
        &[
            "c = {}\nc.c = c\nprn __sys_http_get(\"http://GOOD/\", {hdr: {a: c}}).txt",
            "c = {}\nc.c = c\nprn __sys_http_get(\"http://GOOD/\", {hdr: c}).txt",
        ],
        Want::Error("is text"),
    );
    never_sent(
        &rig,
        &["prn __sys_http_get(\"http://GOOD/\", {hdr: {a: prn}}).txt", "prn __sys_http_get(\"http://GOOD/\", {hdr: {a: 1}}).txt"],
        Want::Error("is text"),
    );
    rig.control(&many.replace('N', "64"), "/ 0");
}

pub fn net_074_a_body_is_bytes_that_are_there() {
    let rig = echo();
    for body in ["prn", "\\() 1", "sbxme()", "[1]", "{a: 1}", "1", "tru", "0/1"] {
        never_sent(
            &rig,
            &[&format!("use sbx\nprn __sys_http_post(\"http://GOOD/\", {body}).txt")],
            Want::Error("jsn.enc makes text of a value"),
        );
    }
    never_sent(
        &rig,
        &["use net\nc = [1]\nc[0] = c\nprn net.post(\"http://GOOD/\", c).txt", "use net\nprn net.post(\"http://GOOD/\", {f: prn}).txt"],
        Want::Error(""),
    );
    never_sent(&rig, &["prn __sys_http_post(\"http://GOOD/\", nil, {from: \"/etc/passwd\"}).txt"], Want::Deny);
    rig.control("prn __sys_http_post(\"http://GOOD/\", b\"\\xff\\x00\").txt, __sys_http_post(\"http://GOOD/\", \"\").txt, __sys_http_post(\"http://GOOD/\").txt", "/ 2 / 0 / 0");
    // A body that the budget does not hold is not begun.
    let scratch = ilu_tests::command::Scratch::new("upload");
    let file = std::fs::File::create(scratch.at("large")).unwrap();
    file.set_len(10 << 30).unwrap();
    let (good, dir) = (rig.good.addr.to_string(), format!("{}:/d", scratch.path().display()));
    let script = rig.fill("use sbx\nc = sbxmk([\"__sys_http_post\", \"__sys_read_file\"], {read: 1000000})\nr = sbxtr(c, \\() __sys_http_post(\"http://GOOD/\", nil, {from: \"/d/large\"}).txt)\nprn r.err");
    tally::note(Part::Attempt);
    check(&script, &run(&["--net", &good, "--dir", &dir], &[], &script), Want::Prints("reading ran out (limit 1000000 bytes)"));
    let text = "use txt\nprn try(\\() __sys_http_post(\"http://GOOD/\", txt.rpt(\"x\", 10000000000)).txt).err";
    tally::note(Part::Attempt);
    let ran = rig.run(&[], text);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    // What is sent may be seen, or it is a way out of a directory that may only be written.
    let script = rig.fill("prn __sys_http_post(\"http://GOOD/\", nil, {from: \"/d/small\"}).txt");
    scratch.write("small", "abc");
    tally::note(Part::Refusal);
    let inside = format!(
        "use sbx\nc = sbxmk([\"__sys_http_post\", \"__sys_read_file\"], {{dir: {{\"/d\": \"wo\"}}}})\nsbxrn(c, \\()\n    {script}\n)"
    );
    let writable = format!("{}:/d:rw", scratch.path().display());
    check(&inside, &run(&["--net", &good, "--dir", &writable], &[], &inside), Want::Deny);
    tally::note(Part::Refusal);
    check(&script, &run(&["--net", &good, "--dir", &dir, "--grant", "capht,capio"], &[], &script), Want::Deny);
    tally::note(Part::Twin);
    check(&script, &run(&["--net", &good, "--dir", &dir, "--grant", NATIVES], &[], &script), Want::Prints("/ 3"));
}

pub fn net_075_a_time_is_a_whole_number_of_milliseconds() {
    let rig = echo();
    for ms in ["0", "-1", "0.5", "1e300", "18446744073709551615", "9007199254740993", "\"5\"", "[1]", "tru", "86400001"] {
        never_sent(&rig, &[&format!("prn __sys_http_get(\"http://GOOD/\", {{ms: {ms}}}).txt")], Want::Error("ms"));
    }
    rig.control("prn __sys_http_get(\"http://GOOD/\", {ms: 86400000}).txt, __sys_http_get(\"http://GOOD/\", {ms: 5000}).txt, __sys_http_get(\"http://GOOD/\", {ms: nil}).txt", "/ 0 / 0 / 0");
}
