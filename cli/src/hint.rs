//! Which flag would have allowed a denied call. The sandbox names the grant; what it comes to on this command line depends on the flags that
//! were given: `--grant` is an exact list, and without it a resource flag brings the natives it needs.

use crate::args::GrantFlags;
use crate::grants::AT_FIRST;
use crate::quantity::DirSpec;
use ilu_cap::{Class, GrantKind, by_name};
use ilu_pol::net::{Rule as NetRule, Where};
use ilu_sbx::denial::{escape, shell_word};
use ilu_sbx::{Denial, Rule};

/// Puts the flag for this command line into a denial, of a call with these operands, of a native that the script does not hold.
pub fn for_this_command_line(denial: &mut Denial, on: &[String], flags: &GrantFlags) {
    // A grant that the script itself holds back is told in terms of `sbxmk`.
    let at_root = denial.grant.as_ref().is_some_and(|grant| grant.starts_with("--grant "));
    if denial.rule != Rule::NotHeld || !at_root {
        return;
    }
    let Some(row) = by_name(denial.native).map(ilu_cap::NativeId::row) else { return };
    let path = on.first().and_then(|word| plain_word(word));
    let hint = match (flags.grant.as_deref(), row.grant) {
        (Some(""), _) => format!("--grant {}", row.name),
        (Some(list), _) => format!("--grant {list},{}", row.name),
        (None, GrantKind::DirRead) => format!("--dir {}", path.unwrap_or("PATH")),
        (None, GrantKind::DirWrite) => match path.and_then(|path| flags.dir.iter().find(|spec| covers(&spec.guest, path))) {
            Some(spec) => for_writing(spec),
            None => format!("--dir {}:rw", path.map_or("PATH", folder)),
        },
        (None, GrantKind::Secret) => format!("--secret {}=HOST", path.unwrap_or("NAME")),
        (None, GrantKind::Env) => format!("--env {}", path.unwrap_or("NAME")),
        (None, GrantKind::Net) if row.class != Class::Serve => {
            format!("--net {}", on.first().and_then(|on| net_flag(on)).unwrap_or("HOST:PORT".to_string()))
        }
        (None, _) => format!("--grant {},{}", AT_FIRST.join(","), row.name),
    };
    denial.grant = Some(hint);
}

/// A directory's flag, with the right to write. Where it is on the host is the operator's to know, not for a message that a script's author may see.
fn for_writing(spec: &DirSpec) -> String {
    if spec.host == spec.guest {
        return format!("--dir {}", shell_word(&format!("{}:rw", spec.guest)));
    }
    format!("--dir {}, where HOST is what {} is granted from", shell_word(&format!("HOST:{}:rw", spec.guest)), escape(&spec.guest, 80))
}

/// Whether a path lies in what the script calls `guest`.
fn covers(guest: &str, path: &str) -> bool {
    path.strip_prefix(guest.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// An operand, when it is a word that a shell takes as it stands.
fn plain_word(word: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@' | '%');
    (!word.is_empty() && !word.starts_with('-') && word.chars().all(plain)).then_some(word)
}

/// The rule that would allow what a call was about: a host, a host and a port, or a URL.
pub fn net_flag(on: &str) -> Option<String> {
    net_rule(on).map(|rule| shell_word(&rule.to_string()))
}

/// The same as a rule.
pub fn net_rule(on: &str) -> Option<NetRule> {
    let on = match on.split_once("://") {
        None => on,
        Some((_, rest)) => {
            let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
            authority.rsplit_once('@').map_or(authority, |(_, host)| host)
        }
    };
    NetRule::from_text(on).ok().filter(|rule| rule.allow && rule.at != Where::Any)
}

/// The directory in which a file would be made.
pub fn folder(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        None => ".",
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn hint(native: &'static str, subject: Option<&str>, flags: &[&str]) -> String {
        let mut args = vec!["ilu", "run", "-e", "1"];
        args.extend(flags);
        let Command::Run(run) = Cli::try_parse_from(args).unwrap().command else { panic!("run") };
        let mut denial = Denial {
            native,
            on: Vec::new(),
            rule: Rule::NotHeld,
            grant: Some(format!("--grant {native}")),
            retry: false,
            file: "a.ilu".to_string(),
            line: 1,
        };
        let on: Vec<String> = subject.iter().map(ToString::to_string).collect();
        for_this_command_line(&mut denial, &on, &run.grants);
        denial.grant.unwrap()
    }

    #[test]
    fn the_hint_is_a_flag_that_does_it_on_this_command_line() {
        for (native, subject, flags, flag) in [
            ("__sys_read_file", Some("/etc/passwd"), &[][..], "--dir /etc/passwd"),
            ("__sys_read_file", Some("a b"), &[], "--dir PATH"),
            ("__sys_read_file", None, &[], "--dir PATH"),
            ("__sys_write_file", Some("/out/a.txt"), &["--dir", "x:/in"], "--dir /out:rw"),
            ("__sys_write_file", Some("a.txt"), &[], "--dir .:rw"),
            ("__sys_mkdir", Some("/a"), &[], "--dir /:rw"),
            ("__sys_write_file", Some("/in/a.txt"), &["--dir", "x y:/in"], "--dir HOST:/in:rw, where HOST is what /in is granted from"),
            (
                "__sys_write_file",
                Some("/in/a.txt"),
                &["--dir", "x:/i", "--dir", "x:/in"],
                "--dir HOST:/in:rw, where HOST is what /in is granted from",
            ),
            ("__sys_rename", Some("d/a.txt"), &["--dir", "d"], "--dir d:rw"),
            ("__sys_getenv", Some("LANG"), &[], "--env LANG"),
            ("__sys_secret", Some("KEY"), &[], "--secret KEY=HOST"),
            ("__sys_tcp_dial", Some("api.example.com"), &[], "--net api.example.com"),
            ("__sys_http_get", Some("https://u:p@api.example.com:8080/x"), &[], "--net api.example.com:8080"),
            ("__sys_http_get", Some("https://[::1]/"), &[], "--net '[::1]'"),
            ("__sys_dns", Some("*"), &[], "--net HOST:PORT"),
            ("__sys_random", None, &[], "--grant capstdout,__sys_stderr,__sys_argv,captm,capch,capsp,__sys_random"),
            ("__sys_random", None, &["--grant", "capio"], "--grant capio,__sys_random"),
            ("__sys_read_file", Some("x"), &["--grant", "capio"], "--grant capio,__sys_read_file"),
        ] {
            assert_eq!(hint(native, subject, flags), flag, "{native} {subject:?} {flags:?}");
        }
    }
}
