//! NET-A: spellings of addresses. Each is dialled, looked up and asked of `polnet` under rules that allow every name and every ordinary address
//! on every port; what it stands for is special, so nobody may be reached.

use crate::yard::{PUBLIC, Yard, dial, quoted, yard, yard_with};
use ilu_tests::tally::{Part, note};

/// Every name, every ordinary address, every port.
const OPEN: &[&str] = &["--net", "*:*", "--net", "0.0.0.0/0", "--net", "::/0"];
/// A denial, or an error: both are sound, and the row allows both.
const EITHER: &[i64] = &[1, 3];
const DENIED: &[i64] = &[3];
const ERROR: &[i64] = &[1];

/// A URL with a host: an IPv6 address stands in brackets there.
fn url(host: &str) -> String {
    let bracketed = host.contains(':') && !host.starts_with('[');
    if bracketed { format!("http://[{host}]:8080/") } else { format!("http://{host}:8080/") }
}

/// A spelling through each native that takes a host, and through the policy itself.
fn spelled(y: &mut Yard, host: &str, codes: &[i64]) {
    y.unasked(&format!("dial {host}"), OPEN, &dial(host, 8080), codes);
    y.unasked(&format!("dns {host}"), OPEN, &format!("__sys_dns({})", quoted(host)), codes);
    // A URL's parser may read what a dialler refuses to read, and still nobody is reached.
    y.unasked(&format!("get {host}"), OPEN, &format!("__sys_http_get({})", quoted(&url(host))), EITHER);
    note(Part::Refusal);
    let done = y.run(
        &[],
        &format!(
            "use pol\nr = try(\\() polnet([\"*:*\", \"0.0.0.0/0\", \"::/0\"], {}, nil, 8080))\nprn r.err == nil and r.val.eff",
            quoted(host)
        ),
    );
    let as_name = !host.contains(|c: char| c == ':' || c == '[' || c.is_ascii_digit());
    y.expect(&format!("polnet {host}"), done.code == Some(0) && (as_name || done.out == "fls\n"), &done);
}

fn spellings(y: &mut Yard, hosts: &[&str], codes: &[i64]) {
    hosts.iter().for_each(|host| spelled(y, host, codes));
    y.reaches(Part::Control, "an ordinary address", OPEN, &dial(PUBLIC, 8080), &[&format!("{PUBLIC}:8080")]);
}

pub fn net_001_loopback_in_dotted_spellings() {
    yard(&[], |y| {
        spellings(y, &["127.0.0.1", "127.1", "127.0.1", "127.127.127.127", "127.0.0.0"], DENIED);
        y.twin("127.1", "127.1", 8080, &["127.0.0.1:8080"]);
        y.reaches(Part::Control, "by its own rule", &["--net", "127.0.0.0/8"], &dial("127.127.127.127", 8080), &["127.127.127.127:8080"]);
    });
}

pub fn net_002_net_003_one_number_and_hexadecimal() {
    yard(&[], |y| {
        let hosts =
            ["2130706433", "2852039166", "3232235521", "0x7f000001", "0x7f.0.0.1", "0xA9FEA9FE", "0xA9.0xFE.0xA9.0xFE", "192.0x00A80001"];
        spellings(y, &hosts, DENIED);
        y.twin("a number", "2130706433", 8080, &["127.0.0.1:8080"]);
        y.twin("hexadecimal", "0xA9FEA9FE", 8080, &["169.254.169.254:8080"]);
        y.twin("mixed", "192.0x00A80001", 8080, &["192.168.0.1:8080"]);
    });
}

pub fn net_005_net_006_numbers_that_are_read_differently_or_wrap() {
    yard(&[], |y| {
        for host in ["010.0.0.1", "127.000.000.001", "192.168.001.001", "0177.0.0.1"] {
            y.unasked(host, OPEN, &dial(host, 8080), ERROR);
        }
        for host in ["425.510.425.510", "7147006462", "0x41414141A9FEA9FE", "4294967297", "256.0.0.1", "1.2.3.4.5", "0xffffffff1"] {
            y.unasked(host, OPEN, &dial(host, 8080), ERROR);
        }
        // Octal to this one, decimal to others.
        y.twin("a leading zero", "0177.0.0.1", 8080, &["127.0.0.1:8080"]);
        y.reaches(Part::Control, "the same without", &["--net", "127.0.0.1"], &dial("127.0.0.1", 8080), &["127.0.0.1:8080"]);
    });
}

pub fn net_007_short_forms_of_the_unspecified_address() {
    yard(&[], |y| {
        spellings(y, &["0", "0.0", "0.0.0.0", "0x.0x.0", "[::]", "::"], DENIED);
        // A rule that names it does not help: it is nobody's address.
        for rule in ["0.0.0.0", "0.0.0.0/8", "::"] {
            y.unasked(rule, &["--net", rule], &dial(if rule == "::" { "::" } else { "0" }, 8080), DENIED);
        }
        y.twin("it reaches this machine", "0.0.0.0", 8080, &["127.0.0.1:8080"]);
    });
}

pub fn net_008_net_009_ipv6_loopback_and_mapped_addresses() {
    yard(&[], |y| {
        let loopback = ["[::1]", "::1", "[0:0:0:0:0:0:0:1]", "[0000::1]", "[::0001]"];
        let mapped = ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:169.254.169.254]", "[::FFFF:127.0.0.1]", "::ffff:10.1.2.3"];
        spellings(y, &[&loopback[..], &mapped].concat(), DENIED);
        y.twin("loopback", "::1", 8080, &["[::1]:8080"]);
        y.twin("mapped", "::ffff:127.0.0.1", 8080, &["127.0.0.1:8080"]);
        y.reaches(Part::Control, "mapped is that address", &["--net", "127.0.0.1"], &dial("[::ffff:7f00:1]", 8080), &["127.0.0.1:8080"]);
        // A rule that denies an IPv4 address denies it in this form, too.
        y.unasked("denied as mapped", &["--net", &format!("!{PUBLIC}"), "--net", "*:*"], &dial(&format!("::ffff:{PUBLIC}"), 8080), DENIED);
    });
}

pub fn net_010_net_011_net_012_addresses_that_carry_another() {
    yard(&[], |y| {
        let carriers = [
            "[::127.0.0.1]",
            "[::ffff:0:127.0.0.1]",
            "[fe80::5efe:7f00:1]",
            "[2a00::5efe:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b:1::7f00:1]",
            "[2002:7f00:1::]",
            "[2002:a9fe:a9fe::]",
            "[2001:0:808:808::3f57:fffe]",
        ];
        spellings(y, &carriers, DENIED);
        for host in [
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2001:0:808:808::3f57:fffe",
            "2a00::5efe:7f00:1",
        ] {
            y.twin(host, host, 8080, &[&format!("[{host}]:8080")]);
        }
        for host in ["64:ff9c::1", "2001:4860:4860::8888"] {
            y.reaches(Part::Control, host, OPEN, &dial(host, 8080), &[&format!("[{host}]:8080")]);
        }
    });
}

/// Special addresses beside ordinary ones: `polnet` tells them apart without a network.
pub fn net_014_net_016_edges_of_the_special_blocks() {
    yard(&[], |y| {
        let pairs = [
            ("10.0.0.0", "9.255.255.255"),
            ("172.16.0.0", "172.15.255.255"),
            ("172.31.255.255", "172.32.0.0"),
            ("192.168.0.0", "192.167.255.255"),
            ("100.64.0.0", "100.63.255.255"),
            ("100.127.255.255", "100.128.0.0"),
            ("169.254.0.0", "169.253.255.255"),
            ("224.0.0.0", "223.255.255.255"),
            ("239.255.255.255", "223.0.0.1"),
            ("240.0.0.0", "223.0.0.2"),
            ("255.255.255.255", "1.1.1.1"),
            ("192.0.2.1", "192.0.1.1"),
            ("198.18.0.1", "198.17.0.1"),
            ("192.0.0.8", "192.0.1.8"),
            ("100::1", "200::1"),
            ("fc00::1", "fbff::1"),
            ("fec0::1", "fe00::1"),
            ("ff02::1", "fdff:0:0:1::1"),
        ];
        for (special, ordinary) in &pairs[..pairs.len() - 1] {
            let ask = |address: &str| format!("use pol\nprn polnet([\"*:*\"], nil, \"{address}\", 80).eff");
            note(Part::Refusal);
            let done = y.run(&[], &ask(special));
            y.expect(special, done.out == "fls\n", &done);
            note(Part::Control);
            let done = y.run(&[], &ask(ordinary));
            y.expect(ordinary, done.out == "tru\n", &done);
            y.unasked(special, OPEN, &dial(special, 8080), DENIED);
        }
        y.twin("a private one", "10.0.0.1", 8080, &["10.0.0.1:8080"]);
        y.twin("a local one", "fc00::1", 8080, &["[fc00::1]:8080"]);
    });
}

pub fn net_015_where_clouds_answer_their_machines() {
    yard(&[], |y| {
        let hosts =
            ["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fe80::a9fe:a9fe", "168.63.129.16"];
        spellings(y, &hosts, DENIED);
        for host in ["169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16"] {
            y.twin(host, host, 80, &[&format!("{host}:80")]);
        }
    });
}

pub fn net_018_names_of_this_machine() {
    let hosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 mymachine\n10.1.2.3 intranet intranet.corp\n";
    yard_with(&["trick.localhost 93.184.216.34"], Some(hosts), |y| {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "ip6-localhost",
            "ip6-loopback",
            "foo.localhost",
            "trick.localhost",
            "mymachine",
            "intranet",
            "intranet.corp",
            "INTRANET.corp.",
        ] {
            y.unasked(host, OPEN, &dial(host, 8080), DENIED);
            y.unasked(host, OPEN, &format!("__sys_http_get(\"http://{host}:8080/\")"), EITHER);
        }
        y.twin("localhost", "localhost", 8080, &["[::1]:8080"]);
        y.twin("an alias", "intranet", 8080, &["10.1.2.3:8080"]);
        y.reaches(Part::Control, "by the address's rule", &["--net", "127.0.0.1:8080"], &dial("LocalHost.", 8080), &["127.0.0.1:8080"]);
        y.reaches(
            Part::Control,
            "the alias, named, and its address",
            &["--net", "intranet:8080", "--net", "10.0.0.0/8"],
            &dial("intranet", 8080),
            &["10.1.2.3:8080"],
        );
    });
}

pub fn net_019_escapes_are_decoded_once_by_the_one_parser() {
    let zone = ["api.test 93.184.216.34", "localhost 127.0.0.1"];
    yard(&zone, |y| {
        for host in ["%31%32%37.0.0.1", "%6c%6f%63%61%6c%68%6f%73%74", "%30%78%37%66.0.0.1", "%30%78%61%39%66%65%61%39%66%65"] {
            y.unasked(host, &["--net", "api.test:443"], &dial(host, 443), EITHER);
            y.unasked(host, OPEN, &dial(host, 443), EITHER);
        }
        // Decoded twice this would be an address.
        y.unasked("twice", OPEN, &dial("%2531%2532%2537.0.0.1", 443), EITHER);
        y.reaches(Part::Control, "an escaped name", &["--net", "api.test:443"], &dial("%61pi.test", 443), &[&format!("{PUBLIC}:443")]);
        y.twin("what it stands for", "127.0.0.1", 443, &["127.0.0.1:443"]);
    });
}

pub fn net_021_brackets() {
    yard(&["example.com 93.184.216.34"], |y| {
        let rule: &[&str] = &["--net", "example.com", "--net", "*:*"];
        for host in ["[::1", "::1]", "[[::1]]", ":::80", "[example.com]", "[", "]", "[]", "[::1]:80", "[::1%25lo]"] {
            y.unasked(host, rule, &dial(host, 443), ERROR);
        }
        // With a port of its own an address needs no brackets; this one is special.
        y.unasked("no brackets", rule, &dial("::1", 443), DENIED);
        y.unasked("no brackets in a URL", rule, "__sys_http_get(\"http://::1/\")", EITHER);
        y.twin("loopback", "::1", 443, &["[::1]:443"]);
        y.reaches(Part::Control, "the host", rule, &dial("example.com", 443), &[&format!("{PUBLIC}:443")]);
    });
}
