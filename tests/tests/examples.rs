//! The examples do their jobs, on real input, and agree with independent tools.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run other tools"
)]

use ilu_tests::command::{Ran, Scratch, ilu, ilu_in, root};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

fn example(name: &str) -> String {
    root().join("examples").join(name).to_string_lossy().into_owned()
}

fn fine(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(ran.err, "");
}

#[test]
fn the_readmes_first_command_reports_this_repositorys_lock_file() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let line = readme.lines().find(|line| line.contains("cargo run --release -- ")).unwrap();
    let args: Vec<&str> = line.split_once("cargo run --release -- ").unwrap().1.split(' ').collect();
    let scratch = Scratch::new("lock");
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    scratch.write("Cargo.lock", &lock);
    scratch.write("examples/lockfile.ilu", std::fs::read_to_string(example("lockfile.ilu")).unwrap());
    std::fs::create_dir(scratch.at("out")).unwrap();
    let ran = ilu_in(scratch.path(), &args, b"");
    fine(&ran);

    // The same figures from the same text, by other means.
    let names: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert!(ran.out.contains(&format!("{} crates, {} names", names.len(), distinct.len())), "{}", ran.out);
    let told: serde_json::Value = serde_json::from_str(&scratch.read("out/lockfile.json")).unwrap();
    assert_eq!(told["crates"], names.len());
    let several: Vec<&str> = told["several"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> =
        distinct.iter().copied().filter(|name| names.iter().filter(|other| other == &name).count() > 1).collect();
    assert_eq!(several.into_iter().collect::<BTreeSet<_>>(), expected);
    let registry = lock.lines().filter(|line| line.starts_with("source = \"registry+")).count();
    assert_eq!(told["sources"]["registry+https://github.com/rust-lang/crates.io-index"], registry);
    assert_eq!(told["sources"]["this workspace"], names.len() - registry);
}

/// Packages and their size, by section.
type Sections = BTreeMap<String, (u64, u64)>;

/// Sections and sizes by awk, whose language has nothing in common with ours.
fn by_awk(status: &Path) -> (Sections, Vec<(String, u64)>) {
    let script = r#"BEGIN { RS = ""; FS = "\n" }
        { p = ""; s = "unknown"; st = ""; z = 0
          for (i = 1; i <= NF; i++) {
            if ($i ~ /^Package: /) p = substr($i, 10)
            if ($i ~ /^Section: /) s = substr($i, 10)
            if ($i ~ /^Status: /) st = substr($i, 9)
            if ($i ~ /^Installed-Size: /) z = substr($i, 17) + 0
          }
          if (st == "install ok installed") print s "\t" z "\t" p }"#;
    let output = Command::new("awk").arg(script).arg(status).output().expect("awk is on every POSIX system");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut sections = BTreeMap::new();
    let mut packages = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let [section, size, name] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let size: u64 = size.parse().unwrap();
        let row: &mut (u64, u64) = sections.entry(section.to_string()).or_default();
        *row = (row.0 + 1, row.1 + size);
        packages.push((name.to_string(), size));
    }
    packages.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    (sections, packages)
}

fn packages_agree(directory: &Path) {
    let scratch = Scratch::new("packages");
    let host = format!("{}:/in:ro", directory.to_string_lossy());
    let out = format!("{}:/out:rw", scratch.path().to_string_lossy());
    let ran = ilu(&["run", "--dir", &host, "--dir", &out, "--grant", "capde,capio", &example("packages.ilu")]);
    fine(&ran);
    let told: serde_json::Value = serde_json::from_str(&scratch.read("packages.json")).unwrap();
    let (sections, packages) = by_awk(&directory.join("status"));
    assert!(!packages.is_empty(), "awk found nothing: there is nothing to agree on");
    assert_eq!(told["packages"], packages.len());
    assert_eq!(told["size"], packages.iter().map(|(_, size)| size).sum::<u64>());
    let ours: Sections = told["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["section"].as_str().unwrap().to_string(), (row["packages"].as_u64().unwrap(), row["size"].as_u64().unwrap())))
        .collect();
    assert_eq!(ours, sections);
    let sizes: Vec<u64> = told["sections"].as_array().unwrap().iter().map(|row| row["size"].as_u64().unwrap()).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    let largest: Vec<(String, u64)> = told["largest"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap().to_string(), row["size"].as_u64().unwrap()))
        .collect();
    assert_eq!(largest, packages.iter().take(10).cloned().collect::<Vec<_>>());
    assert_eq!(scratch.read("packages.txt").trim_end(), ran.out.trim_end());
}

#[test]
fn packages_agree_with_awk_on_this_systems_list() {
    let dpkg = Path::new("/var/lib/dpkg");
    if dpkg.join("status").is_file() {
        packages_agree(dpkg);
    } else {
        eprintln!("no /var/lib/dpkg/status here: only the made-up list is compared");
    }
}

#[test]
fn packages_agree_with_awk_on_a_list_of_megabytes() {
    let scratch = Scratch::new("status");
    let mut status = String::new();
    for n in 0..6000_u32 {
        let state = if n % 7 == 3 { "deinstall ok config-files" } else { "install ok installed" };
        status.push_str(&format!("Package: made-up-{n}\nStatus: {state}\n"));
        if n % 11 != 0 {
            status.push_str(&format!("Section: section-{}\n", n.wrapping_mul(2_654_435_761) % 23));
        }
        if n % 13 != 0 {
            status.push_str(&format!("Installed-Size: {}\n", n.wrapping_mul(40_503) % 100_000));
        }
        status
            .push_str(&format!("Description: the package number {n}\n a longer text: with a colon\n .\n{}\n", " more of it\n".repeat(20)));
    }
    assert!(status.len() > 1_500_000);
    scratch.write("status", status);
    packages_agree(scratch.path());
}

#[test]
fn untrusted_text_runs_and_its_denials_are_shown() {
    let run = |source: &[&str]| {
        let file = example("untrusted.ilu");
        let mut args = vec!["run", "--grant", "capde,capio,cappr", &file, "--"];
        args.extend(source);
        let ran = ilu(&args);
        fine(&ran);
        ran.out
    };
    let sample = run(&[]);
    assert!(sample.contains("sum: 5050"), "{sample}");
    assert!(sample.contains("denied 4 calls"), "{sample}");
    for native in ["__sys_read_file", "__sys_write_file", "__sys_stdout", "__os_run"] {
        assert!(sample.contains(native), "{sample}");
    }
    assert!(run(&["6 * 7"]).contains("value:  42"), "{}", run(&["6 * 7"]));
    assert!(run(&["whl tru: 1"]).contains("fuel"));
    let stolen = run(&["use fs\nfs.rd(\"/etc/passwd\")"]);
    assert!(stolen.contains("error:") && !stolen.contains("root:"), "{stolen}");
    assert!(run(&["x = = 1"]).contains("error:"));
}

#[test]
fn the_changes_of_a_repository_are_what_git_says() {
    let git = Path::new("/usr/bin/git");
    if !git.exists() {
        println!("there is no {}: nothing was checked", git.display());
        return;
    }
    let scratch = Scratch::new("changes");
    scratch.write("repo/x", "");
    let repo = scratch.at("repo");
    let run = |args: &[&str]| {
        let done = Command::new(git).arg("-C").arg(&repo).args(args).env_clear().output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    run(&["init", "-q"]);
    for author in ["Ada <a@x>", "Ben <b@x>", "Ada <a@x>"] {
        run(&["-c", "user.name=c", "-c", "user.email=c@x", "commit", "-q", "--allow-empty", "-m", "m", "--author", author]);
    }
    let dir = format!("{}:/repo", repo.display());
    let file = example("changes.ilu");
    let mut command = Command::new(ilu_tests::command::binary());
    command.args(["run", "--run", "git", "--dir", &dir, "--env", "GIT_CONFIG_NOSYSTEM=1", &file]).env_clear().env("PATH", "/usr/bin");
    let ran = ilu_tests::command::finish(command, b"");
    fine(&ran);
    assert_eq!(ran.out, "2 Ada\n1 Ben\n");
}

/// Words by what Rust's own library makes of the same text.
fn words(dir: &Path, counts: &mut BTreeMap<String, u64>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            words(&path, counts);
        } else if path.extension().is_some_and(|end| end == "md" || end == "txt") {
            let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
            for word in text.split(|c: char| !c.is_ascii_lowercase()).filter(|word| !word.is_empty()) {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        }
    }
}

#[test]
fn the_word_count_agrees_with_another_whatever_the_number_of_tasks() {
    let mut counts = BTreeMap::new();
    words(&root().join("docs"), &mut counts);
    let first = format!("{} words, {} different\n", counts.values().sum::<u64>(), counts.len());
    let grant = format!("{}:/text:ro", root().join("docs").display());
    for tasks in ["1", "7"] {
        let ran = ilu(&["run", "--dir", &grant, &example("wordcount.ilu"), "--", tasks, "3"]);
        fine(&ran);
        assert!(ran.out.starts_with(&first), "{} is not {first}", ran.out);
        let mut rows: Vec<u64> = ran.out.lines().skip(1).map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        let mut most: Vec<u64> = counts.values().copied().collect();
        most.sort_unstable_by(|a, b| b.cmp(a));
        rows.truncate(3);
        assert_eq!(rows, most[..3]);
    }
}

#[test]
fn the_pipeline_sums_what_comes_in() {
    let ran = ilu_in(
        root().as_path(),
        &["run", "--grant", "capio,capsp,capch,capstdout", &example("pipeline.ilu")],
        b"a 1\nb 2.5\nwhat\na 41\nb x\n",
    );
    fine(&ran);
    assert_eq!(ran.out, "a 42\nb 2.5\nleft out: 2\n");
}
