//! The smallest change of the grant flags after which a denied call is allowed. The doorway says what is missing; here it becomes flags.

use crate::args::GrantFlags;
use crate::grants::AT_FIRST;
use crate::hint::{folder, net_flag};
use crate::quantity::DirSpec;
use ilu_cap::{Class, GrantKind, Native};
use ilu_sbx::denial::shell_word;
use ilu_sbx::path::{GuestPath, GuestPrefix};
use ilu_sbx::{Denial, Rule};

/// Adds what is missing; the flag in words, or nothing when no flag would help. `on` is what the call was about, as written.
pub fn widen(flags: &mut GrantFlags, denial: &Denial, row: &Native, on: &[String]) -> Option<String> {
    let last = on.last().map(String::as_str);
    match &denial.rule {
        Rule::NotHeld => match (&flags.grant, row.grant) {
            (Some(list), _) => {
                let list = if list.is_empty() { row.name.to_string() } else { format!("{list},{}", row.name) };
                Some(exactly(flags, list))
            }
            (None, GrantKind::DirRead) => Some(directory(flags, last?, false)),
            (None, GrantKind::DirWrite) => Some(directory(flags, last?, true)),
            (None, GrantKind::Env) => Some(variable(flags, last?)),
            (None, GrantKind::Secret) => Some(secret(flags, last?)),
            (None, GrantKind::Net) if row.class != Class::Serve => network(flags, last?),
            (None, _) => Some(exactly(flags, format!("{},{}", AT_FIRST.join(","), row.name))),
        },
        Rule::NoGrant => {
            let writes = denial.grant.as_ref().is_some_and(|hint| hint.trim_end_matches('\'').ends_with(":rw"));
            Some(directory(flags, last?, writes))
        }
        Rule::ReadOnly(guest) => {
            let spec = flags.dir.iter_mut().find(|spec| prefix(&spec.guest).as_ref() == Some(guest))?;
            let before = text(spec);
            spec.writable = true;
            Some(format!("{} in place of {before}", text(spec)))
        }
        Rule::NoVariable => Some(variable(flags, last?)),
        Rule::NoSecret => Some(secret(flags, last?)),
        Rule::NoConnection | Rule::SpecialAddress(_) => network(flags, last?),
        _ => None,
    }
}

/// A grant flag as it is written.
pub fn text(spec: &DirSpec) -> String {
    let access = if spec.writable { "rw" } else { "ro" };
    // A colon in the host's name must not be taken for the one before the guest's.
    let words = if spec.host == spec.guest && !spec.host.contains(':') {
        format!("{}:{access}", spec.host)
    } else {
        format!("{}:{}:{access}", spec.host, spec.guest)
    };
    format!("--dir {}", shell_word(&words))
}

fn prefix(guest: &str) -> Option<String> {
    GuestPath::new(guest).ok().map(|guest| GuestPrefix::new(guest).text())
}

fn exactly(flags: &mut GrantFlags, list: String) -> String {
    let flag = format!("--grant {}", shell_word(&list));
    flags.grant = Some(list);
    flag
}

fn variable(flags: &mut GrantFlags, name: &str) -> String {
    flags.env.push((name.to_string(), None));
    format!("--env {}", shell_word(name))
}

/// The host is the operator's to say.
fn secret(flags: &mut GrantFlags, name: &str) -> String {
    flags.secret.push((name.to_string(), "host".to_string()));
    format!("--secret {}", shell_word(&format!("{name}=HOST")))
}

/// A rule for what a call was about.
fn network(flags: &mut GrantFlags, on: &str) -> Option<String> {
    let rule = net_flag(on)?;
    flags.net.push(rule.trim_matches('\'').to_string());
    Some(format!("--net {rule}"))
}

/// A directory for a path: one that covers it made writable, else the path itself, or to write it the directory it is in.
fn directory(flags: &mut GrantFlags, path: &str, writes: bool) -> String {
    let below = |spec: &&mut DirSpec| {
        let prefix = GuestPath::new(&spec.guest).map(GuestPrefix::new);
        matches!((prefix, GuestPath::new(path)), (Ok(prefix), Ok(path)) if path.below(&prefix).is_some())
    };
    if let (true, Some(spec)) = (writes, flags.dir.iter_mut().find(below)) {
        let before = text(spec);
        spec.writable = true;
        return format!("{} in place of {before}", text(spec));
    }
    let what = if writes { folder(path) } else { path };
    let spec = DirSpec { host: what.to_string(), guest: what.to_string(), writable: writes };
    let flag = text(&spec);
    flags.dir.push(spec);
    flag
}
