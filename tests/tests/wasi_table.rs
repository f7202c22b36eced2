//! A plugin with a configuration it may read and an output directory it may write: the expectations that any capability-based file system
//! interface is measured by, and its four adversaries, through the command line.
//!
//! `/config` is granted read-only, `/output` read-write. Each refusal stands beside a success that differs in one thing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "tests prepare directories")]
#![cfg(unix)]

use ilu_tests::command::{Ran, Scratch, ilu_in};
use std::os::unix::fs::symlink;

const SECRET: &str = "the host's private key";

/// A host with a tenant's two directories, another tenant beside it, and a secret above.
fn host() -> Scratch {
    let host = Scratch::new("wasi");
    host.write("tenant-a/config/settings.toml", "level = 3\n");
    host.write("tenant-a/config/sub/more.toml", "more = 1\n");
    host.write("tenant-b/data.txt", SECRET);
    host.write("host-private-key.pem", SECRET);
    std::fs::create_dir_all(host.at("tenant-a/output")).unwrap();
    symlink("settings.toml", host.at("tenant-a/config/inside")).unwrap();
    symlink("../../tenant-b/data.txt", host.at("tenant-a/config/outside")).unwrap();
    symlink(host.at("tenant-b"), host.at("tenant-a/config/neighbour")).unwrap();
    symlink("../../tenant-b", host.at("tenant-a/output/neighbour")).unwrap();
    host
}

fn plugin(host: &Scratch, program: &str) -> Ran {
    plugin_with(host, program, &[])
}

/// Runs a plugin with its two directories and these arguments, which are data from outside.
fn plugin_with(host: &Scratch, program: &str, args: &[&str]) -> Ran {
    let mut line = vec!["run", "--dir", "tenant-a/config:/config:ro", "--dir", "tenant-a/output:/output:rw", "-e", program, "--"];
    line.extend(args);
    ilu_in(host.path(), &line, b"")
}

fn allowed(host: &Scratch, program: &str, prints: &str) {
    let ran = plugin(host, program);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), prints), "{program}\n{}", ran.err);
}

/// Exit code 3, nothing printed, and no word about the host.
fn denied(host: &Scratch, ran: &Ran, what: &str) {
    assert_eq!(ran.code, Some(3), "{what}\n{}{}", ran.out, ran.err);
    assert_eq!(ran.out, "", "{what}");
    assert!(!ran.err.contains(SECRET), "{what}: {}", ran.err);
    let path = host.path().to_string_lossy().into_owned();
    assert!(!ran.err.contains(&path), "{what} shows a host path: {}", ran.err);
}

fn refused(host: &Scratch, program: &str) {
    denied(host, &plugin(host, program), program);
}

#[test]
fn row_1_the_configuration_can_be_read() {
    allowed(&host(), "use fs\nprn fsrd(\"/config/settings.toml\")", "level = 3\n\n");
}

#[test]
fn row_2_dot_dot_does_not_lead_out_of_the_configuration() {
    let host = host();
    refused(&host, "use fs\nfsrd(\"/config/../../etc/passwd\")");
    refused(&host, "use fs\nfsrd(\"/config/../../host-private-key.pem\")");
    refused(&host, "use fs\nfsrd(\"/config/sub/../../../host-private-key.pem\")");
    allowed(&host, "use fs\nprn fsrd(\"/config/sub/../settings.toml\")", "level = 3\n\n");
}

#[test]
fn row_3_an_absolute_path_is_the_guests_and_no_grant_covers_etc() {
    refused(&host(), "use fs\nfsrd(\"/etc/passwd\")");
}

#[test]
fn row_4_a_link_to_a_file_inside_is_followed() {
    allowed(&host(), "use fs\nprn fsrd(\"/config/inside\")", "level = 3\n\n");
}

#[test]
fn row_5_a_link_to_a_file_outside_is_not() {
    let host = host();
    refused(&host, "use fs\nfsrd(\"/config/outside\")");
    refused(&host, "use fs\nfsrd(\"/config/neighbour/data.txt\")");
    refused(&host, "use fs\nfsls(\"/config/neighbour\")");
    refused(&host, "use fs\nfsls(\"/config/neighbour/\")");
}

#[test]
fn row_6_the_configuration_cannot_be_changed() {
    let host = host();
    for program in [
        "use fs\nfswr(\"/config/modified.toml\", \"x\")",
        "use fs\nfswr(\"/config/settings.toml\", \"x\")",
        "use fs\nfs.app(\"/config/settings.toml\", \"x\")",
        "use fs\nfs.rm(\"/config/settings.toml\")",
        "use fs\nfs.md(\"/config/new\")",
        "use fs\nfs.mv(\"/config/settings.toml\", \"/output/settings.toml\")",
        "use fs\nfs.mv(\"/config/settings.toml\", \"/config/other.toml\")",
        "use fs\nfs.cp(\"/config/settings.toml\", \"/config/copy.toml\")",
    ] {
        refused(&host, program);
    }
    assert_eq!(host.read("tenant-a/config/settings.toml"), "level = 3\n");
    assert_eq!(std::fs::read_dir(host.at("tenant-a/config")).unwrap().count(), 5);
    // The guard off: the same write with the directory granted for writing works.
    let ran =
        ilu_in(host.path(), &["run", "--dir", "tenant-a/config:/config:rw", "-e", "use fs\nfswr(\"/config/modified.toml\", \"x\")"], b"");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(host.read("tenant-a/config/modified.toml"), "x");
}

#[test]
fn row_7_the_output_can_be_written() {
    let host = host();
    allowed(
        &host,
        "use fs\nfswr(\"/output/report.txt\", fsrd(\"/config/settings.toml\"))\nprn fsrd(\"/output/report.txt\")",
        "level = 3\n\n",
    );
    assert_eq!(host.read("tenant-a/output/report.txt"), "level = 3\n");
}

#[test]
fn row_8_dot_dot_does_not_lead_from_the_output_into_the_configuration() {
    let host = host();
    refused(&host, "use fs\nfswr(\"/output/../config/settings.toml\", \"x\")");
    refused(&host, "use fs\nfswr(\"/output/../../tenant-b/data.txt\", \"x\")");
    refused(&host, "use fs\nfswr(\"/output/neighbour/data.txt\", \"x\")");
    assert_eq!(host.read("tenant-a/config/settings.toml"), "level = 3\n");
    assert_eq!(host.read("tenant-b/data.txt"), SECRET);
}

#[test]
fn row_9_no_other_path_can_be_opened_and_none_can_be_told_to_exist() {
    let host = host();
    let mut messages = Vec::new();
    for path in ["/", "/etc", "/proc/self/environ", "/tmp", "/configuration", "/output2/x", "/config2", "/no-such-thing"] {
        let ran = plugin(&host, &format!("use fs\nfsrd(\"{path}\")"));
        denied(&host, &ran, path);
        let ran = plugin(&host, &format!("use fs\nprn fs.has(\"{path}\")"));
        denied(&host, &ran, path);
        messages.push(ran.err.replace(path, "PATH"));
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "what exists and what does not get different answers: {messages:#?}");
}

#[test]
fn adversary_1_a_path_put_together_from_foreign_input_stays_inside() {
    let host = host();
    let program = "use fs\nuse os\nprn fsrd(\"/config/\" + os.argv()[0])";
    for input in
        ["../../host-private-key.pem", "../host-private-key.pem", "sub/../../../host-private-key.pem", "/../../host-private-key.pem"]
    {
        denied(&host, &plugin_with(&host, program, &[input]), input);
    }
    let ran = plugin_with(&host, program, &["settings.toml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "level = 3\n\n"), "{}", ran.err);
}

#[test]
fn adversary_2_a_link_planted_by_an_earlier_tenant_leads_nowhere() {
    let host = host();
    refused(&host, "use fs\nfsrd(\"/output/neighbour/data.txt\")");
    refused(&host, "use fs\nfsls(\"/output/neighbour\")");
    refused(&host, "use fs\nfs.cp(\"/output/neighbour/data.txt\", \"/output/mine.txt\")");
    // The guard off: with the neighbour granted as well, and under its own name, its data can be read.
    let ran = ilu_in(host.path(), &["run", "--dir", "tenant-b:/b", "-e", "use fs\nprn fsrd(\"/b/data.txt\")"], b"");
    assert_eq!(ran.out.trim_end(), SECRET, "{}", ran.err);
}

#[test]
fn adversary_3_an_absolute_host_path_is_no_way_round_the_grant() {
    let host = host();
    for target in ["host-private-key.pem", "tenant-a/config/settings.toml", "tenant-b/data.txt"] {
        let path = host.at(target).to_string_lossy().into_owned();
        let ran = plugin_with(&host, "use fs\nuse os\nfsrd(os.argv()[0])", &[&path]);
        assert_eq!(ran.code, Some(3), "{path}: {}{}", ran.out, ran.err);
        assert!(!ran.err.contains(SECRET));
    }
}

#[test]
fn adversary_4_no_part_of_the_language_opens_files_beside_the_grants() {
    let host = host();
    host.write("tenant-a/helper.ilu", "stolen = 1\n");
    host.write("helper.ilu", "stolen = 1\n");
    // Everything that takes a path, in a run that was given no directory at all.
    for program in [
        "use fs\nfsrd(\"host-private-key.pem\")",
        "use fs\nfsrd(\"./host-private-key.pem\")",
        "use fs\nfs.lines(\"host-private-key.pem\")",
        "use fs\nfs.open(\"host-private-key.pem\")",
        "use fs\nfs.has(\"host-private-key.pem\")",
        "use fs\nfs.stat(\"host-private-key.pem\")",
        "use fs\nfs.ls(\".\")",
        "use sbx\nsbxld(sbxme(), \"helper.ilu\")",
        "__sys_read_file(\"host-private-key.pem\")",
        "__sys_read(\"host-private-key.pem\")",
        "__sys_open_read(\"host-private-key.pem\")",
    ] {
        let ran = ilu_in(host.path(), &["run", "-e", program], b"");
        denied(&host, &ran, program);
    }
    // The guard off: with the directory granted, the first of them works.
    let ran = ilu_in(host.path(), &["run", "--dir", ".", "-e", "use fs\nprn fsrd(\"host-private-key.pem\")"], b"");
    assert_eq!(ran.out.trim_end(), SECRET, "{}", ran.err);
}
