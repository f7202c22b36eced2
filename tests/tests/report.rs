//! `--report`: what the command writes, and what a browser makes of it.
//!
//! Chromium is looked for where distributions put it, or at `ILU_CHROMIUM`. Where it is missing, the tests that need it say that they checked
//! nothing; with `ILU_NEEDS_CHROMIUM` set, as the gate sets it where it could install one, they fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the command and a browser"
)]

use ilu_tests::command::{Ran, Scratch, ilu_in};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names that would do something if they were ever taken for markup, or move what is around them.
const HOSTILE: [&str; 10] = [
    "<script>document.title='pwned'<_script>",
    "\"><img src=x onerror=document.title='pwned'>",
    "' onmouseover='document.title=1",
    "<_code><_td><_table><h1>pwned",
    "<_style><style>body{display:none}",
    "--><!--",
    "&lt;b&gt;",
    "evil\u{202e}gpj.exe",
    "a\u{1b}[2J\nb\r\tc\u{7f}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{627}\u{644}",
];

/// Runs a script that touches every hostile name, allowed and denied, and gives its report.
fn report(scratch: &Scratch) -> (Ran, String) {
    scratch.write("in/a.txt", "alpha");
    std::fs::create_dir_all(scratch.at("out")).unwrap();
    let mut program = String::from("use fs\nuse env\nuse sbx\nprn fsrd(\"/in/a.txt\")\n");
    for name in HOSTILE {
        // A file's name can't have a slash in it, a path that is denied can.
        let literal = format!("{:?}", name.replace('_', "")).replace("\\u{1b}", "\\x1b").replace("\\u{7f}", "\\x7f");
        let file = literal.replace('/', "_");
        program += &format!("fswr(\"/out/\" + {file}, \"x\")\ntry(\\() fsrd(\"/secret/\" + {literal}))\ntry(\\() env.get({literal}))\n");
    }
    program += "try(\\() sbxrn(sbxmk([]), \\() prn(1)))\nfsrd(\"/nowhere\")\n";
    scratch.write("job.ilu", program);
    let flags =
        ["run", "--dir", "in:/in", "--dir", "out:/out:rw", "--env", "LANG=C", "--report", "r.html", "--audit", "a.jsonl", "job.ilu"];
    let ran = ilu_in(scratch.path(), &flags, b"");
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    (ran, scratch.read("r.html"))
}

// ---- what the command writes

#[test]
fn the_page_tells_what_the_audit_tells() {
    let scratch = Scratch::new("report");
    let (_, page) = report(&scratch);
    let rows: Vec<Value> = scratch.read("a.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |verdict: &str| rows.iter().filter(|row| row["verdict"] == verdict).count();
    for (class, says) in
        [("allowed", " allowed"), ("failed", " allowed and failed"), ("denied", " denied"), ("limit", " ended by a budget")]
    {
        let says = format!("<li class=\"{class}\"><b>{}</b>{says}</li>", of(class));
        assert!(page.contains(&says), "{says}");
    }
    assert!(of("denied") > 15 && of("allowed") > 10, "{} {}", of("denied"), of("allowed"));
    assert_eq!(page.matches("<article").count(), of("denied"), "no denial of this run is of the kind of another");
    let verified = ilu_in(scratch.path(), &["audit", "verify", "a.jsonl"], b"");
    assert!(verified.code == Some(0), "{}", verified.err);
    let head = verified.out.trim_end().rsplit(' ').next().unwrap();
    assert!(page.contains(head), "the page notes the head of the audit record");
    let denials = page.find("id=\"denials\"").unwrap();
    for later in ["failure", "budgets", "timeline", "touched", "grants", "natives"] {
        assert!(page.find(&format!("id=\"{later}\"")).unwrap() > denials, "{later}");
    }
}

#[test]
fn a_report_goes_to_a_page_that_the_script_can_not_change() {
    let scratch = Scratch::new("report");
    scratch.write("d/old.html", "old");
    std::os::unix::fs::symlink("d/old.html", scratch.at("link.html")).unwrap();
    for (dir, path, code, says) in [
        ("d:/d:rw", "d/new.html", 2, "the script may write"),
        ("d:/d:rw", "d/old.html", 2, "the script may write"),
        ("d:/d:rw", "link.html", 2, "the script may write"),
        (".:/d:rw", "r.html", 2, "the script may write"),
        ("d:/d:rw", "no/such/place.html", 2, "no such file"),
        ("d:/d:rw", "job.ilu", 2, ".html"),
        ("d:/d:rw", "-", 2, ".html"),
        ("d:/d:rw", "both.html", 2, "the audit is written there"),
        ("d:/d:rw", "r.html", 0, ""),
    ] {
        let ran = ilu_in(scratch.path(), &["run", "--dir", dir, "--report", path, "--audit", "both.html", "-e", "prn 1"], b"");
        // The audit is refused first where the whole place is writable.
        assert_eq!(ran.code, Some(code), "{dir} {path}: {}", ran.err);
        assert!(ran.err.contains(says), "{dir} {path}: {}", ran.err);
        assert_eq!(ran.out.is_empty(), code == 2, "{dir} {path}: nothing has run");
    }
    assert_eq!(scratch.read("d/old.html"), "old");
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_that_can_not_be_written_is_told() {
    let scratch = Scratch::new("report");
    std::os::unix::fs::symlink("/dev/full", scratch.at("full.html")).unwrap();
    for (program, code) in [("1", 1), ("use os\nos.exit(7)", 7), ("err(1)", 1)] {
        let ran = ilu_in(scratch.path(), &["run", "--report", "full.html", "-e", program], b"");
        assert_eq!(ran.code, Some(code), "{}", ran.err);
        assert!(ran.err.contains("--report full.html"), "{}", ran.err);
    }
    let ran = ilu_in(scratch.path(), &["run", "--json", "--report", "full.html", "-e", "__sys_stderr(\"x\")"], b"");
    assert!(ran.err.starts_with("x\nerror[E0907]: --report") && ran.err.lines().last().unwrap().starts_with('{'), "{}", ran.err);
}

#[test]
fn every_run_that_began_has_a_page() {
    let scratch = Scratch::new("report");
    for (flags, program, code, says) in [
        (&[][..], "1", 0, "Nothing was asked for"),
        (&[], "err(\"<b>no\")", 1, "&lt;b&gt;no"),
        (&["--fuel", "1000"], "whl tru: 1", 4, "a budget ran out"),
        (&[], "use os\nos.exit(7)", 7, "os.exit 7"),
    ] {
        let mut args = vec!["run", "--report", "r.html"];
        args.extend(flags);
        args.extend(["-e", program]);
        let ran = ilu_in(scratch.path(), &args, b"");
        assert_eq!(ran.code, Some(code), "{}", ran.err);
        let page = scratch.read("r.html");
        assert!(page.contains(says) && page.ends_with("</html>\n"), "{program}: {says}");
    }
}

// ---- what a browser makes of it

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("ILU_CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];
    let found = named.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("ILU_NEEDS_CHROMIUM").is_none(), "there is no Chromium, and it was said that there would be");
        eprintln!("NOT CHECKED: the report was not rendered, there is no Chromium here");
    }
    found
}

/// Dark is 0, light is 1, in the settings of the engine.
fn browse(browser: &Path, scratch: &Scratch, page: &str, scheme: u8, flags: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.arg("120").arg(browser).args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]);
    command
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", scratch.at("profile").display()));
    command.args(flags).arg(format!("file://{}", scratch.at(page).display()));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{page}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Names of elements and of attributes in a serialised page.
fn names(dom: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut elements, mut attributes) = (BTreeSet::new(), BTreeSet::new());
    for tag in dom.split('<').skip(1).filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic())) {
        let tag = tag.split_once('>').unwrap().0;
        elements.insert(tag.split([' ', '/']).next().unwrap().to_string());
        for (n, piece) in tag.split('"').enumerate() {
            if let (0, Some(name)) = (n % 2, piece.trim().strip_suffix('=').and_then(|rest| rest.rsplit(' ').next())) {
                attributes.insert(name.to_string());
            }
        }
    }
    (elements, attributes)
}

#[test]
fn hostile_names_are_text_in_the_rendered_page() {
    let Some(browser) = chromium() else { return };
    let scratch = Scratch::new("report");
    let (_, page) = report(&scratch);
    let dom = browse(&browser, &scratch, "r.html", 1, &["--dump-dom"]);
    let (elements, attributes) = names(&dom);
    let known = "html head meta title style body header main footer section article nav h1 h2 h3 p a ul li b span code bdi dl dt dd div table thead \
                 tbody tr th td br svg g rect figure figcaption";
    let known: BTreeSet<String> = known.split_whitespace().map(str::to_string).collect();
    let strange: Vec<_> = elements.difference(&known).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(elements.len() > 30, "the page was rendered: {elements:?}");
    assert!(!attributes.iter().any(|name| name.starts_with("on") || name == "src" || name == "style"), "{attributes:?}");
    assert!(dom.contains("<title>ilu report: job.ilu</title>"), "no script changed the title");
    // Every name is there, as text: in the denials, the timeline and the tables.
    for text in [
        "&lt;script&gt;document.title",
        "&lt;img src=x onerror=",
        "onmouseover=",
        "evil\\u{202e}gpj.exe",
        "a\\x1b[2J\\nb\\r\\tc\\x7f",
        "--&gt;&lt;!--",
    ] {
        assert!(dom.matches(text).count() >= 5, "{text}: {}", dom.matches(text).count());
    }
    // The browser repaired nothing: the page it holds has the tags that were written.
    for element in ["article", "tr", "td", "bdi", "section", "rect"] {
        let count = |text: &str| text.matches(&format!("<{element}")).count() - text.matches(&format!("<{element}er")).count();
        assert_eq!(count(&dom), count(&page), "{element}");
    }
}

/// The page with a script of the test's own, and without the policy that would stop it.
fn with_script(page: &str, script: &str) -> String {
    let (before, rest) = page.split_once("<meta http-equiv").unwrap();
    let after = rest.split_once('>').unwrap().1;
    format!("{before}{after}").replace("</body>", &format!("<script>{script}</script></body>"))
}

#[test]
fn the_page_stops_a_script_even_if_one_were_in_it() {
    let Some(browser) = chromium() else { return };
    let scratch = Scratch::new("report");
    let (_, page) = report(&scratch);
    let script = "document.documentElement.setAttribute('data-ran', 'yes')";
    scratch.write("free.html", with_script(&page, script));
    scratch.write("held.html", page.replace("</body>", &format!("<script>{script}</script><img src=x onerror=\"{script}\"></body>")));
    assert!(browse(&browser, &scratch, "free.html", 1, &["--dump-dom"]).contains("<html lang=\"en\" data-ran=\"yes\">"));
    assert!(browse(&browser, &scratch, "held.html", 1, &["--dump-dom"]).contains("<html lang=\"en\">"));
}

const MEASURE: &str = "
const style = getComputedStyle(document.body);
const box = (id) => document.getElementById(id).getBoundingClientRect();
const ids = ['denials', 'failure', 'budgets', 'timeline', 'touched', 'grants', 'natives'];
const hidden = [...document.querySelectorAll('td, dd, h2')].filter((e) => e.textContent.trim() && e.getClientRects().length == 0).length;
document.title = JSON.stringify({
  background: style.backgroundColor, color: style.color, hidden,
  wide: document.documentElement.scrollWidth, window: innerWidth,
  tops: ids.map((id) => box(id).top), heights: ids.map((id) => box(id).height),
  bars: [...document.querySelectorAll('#timeline rect')].filter((e) => e.getBoundingClientRect().height > 1).length,
  red: getComputedStyle(document.querySelector('.card .badge')).color,
});";

fn measured(browser: &Path, scratch: &Scratch, scheme: u8, size: &str) -> Value {
    let dom = browse(browser, scratch, "measured.html", scheme, &["--dump-dom", &format!("--window-size={size}")]);
    let title = dom.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
    serde_json::from_str(title).unwrap_or_else(|_| panic!("{title}"))
}

/// Brightness of `rgb(r, g, b)`, from 0 to 765.
fn brightness(color: &Value) -> u32 {
    let digits = color.as_str().unwrap().trim_start_matches("rgb(").trim_end_matches(')');
    digits.split(", ").map(|part| part.parse::<u32>().unwrap()).sum()
}

#[test]
fn the_page_is_readable_in_light_and_dark_and_on_a_narrow_screen() {
    let Some(browser) = chromium() else { return };
    let scratch = Scratch::new("report");
    let (_, page) = report(&scratch);
    scratch.write("measured.html", with_script(&page, MEASURE));
    for (scheme, size) in [(1, "1200,900"), (0, "1200,900"), (1, "520,900")] {
        let found = measured(&browser, &scratch, scheme, size);
        let (background, color) = (brightness(&found["background"]), brightness(&found["color"]));
        assert!(background.abs_diff(color) > 450, "{found}");
        assert_eq!(background > color, scheme == 1, "{found}");
        assert!(brightness(&found["red"]).abs_diff(background) > 200, "{found}");
        assert_eq!(found["hidden"], 0, "{found}");
        assert!(found["wide"].as_u64() <= found["window"].as_u64(), "nothing makes the page wider than the window: {found}");
        let numbers = |name: &str| found[name].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect::<Vec<_>>();
        assert!(numbers("tops").is_sorted(), "denials come first: {found}");
        assert!(numbers("heights").iter().all(|height| *height > 20.0), "{found}");
        assert!(found["bars"].as_u64() >= Some(1), "{found}");
    }
    let shot = |name: &str, scheme: u8| {
        let to = format!("--screenshot={}", scratch.at(name).display());
        browse(&browser, &scratch, "r.html", scheme, &[&to, "--window-size=1000,1400"]);
        std::fs::read(scratch.at(name)).unwrap()
    };
    let (light, dark) = (shot("light.png", 1), shot("dark.png", 0));
    assert!(light.starts_with(b"\x89PNG") && dark.starts_with(b"\x89PNG"));
    assert!(light.len() > 20_000 && dark.len() > 20_000 && light != dark, "{} {}", light.len(), dark.len());
}
