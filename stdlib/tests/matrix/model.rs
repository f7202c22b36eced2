//! What the algebra of rights says must come of a call.

use crate::scene::{Named, fits};
use ilu_cap::rights::{Operand, Refusal, Rights, RuleList, Subject, operands};
use ilu_cap::{CapSet, NativeId};
use ilu_pol::net::Host;
use ilu_sbx::{Access, Arg, Plain, Stop};
use std::collections::BTreeMap;

/// What must come of a call.
#[derive(Debug, PartialEq)]
pub enum Expected {
    /// Denied, by the rule of this code.
    Denied(&'static str),
    /// It may succeed or fail; it is not denied.
    NotDenied,
    /// The rights allow it and the path leads out, which the kernel finds: it does not succeed, and if it is denied it is for that.
    LeadsOut,
}

pub fn parts(text: &str) -> Vec<&str> {
    text.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

/// The mount a path is named through and the parts below it.
pub fn named<'m, 'p>(mounts: &'m [Named], path: &'p str) -> Option<(&'m Named, Vec<&'p str>)> {
    let wanted = parts(path);
    if !path.starts_with('/') {
        return mounts.iter().find(|(_, _, is_dir)| *is_dir).map(|first| (first, wanted));
    }
    let fitting = mounts.iter().filter(|(name, _, _)| wanted.starts_with(&parts(name)));
    fitting.max_by_key(|(name, _, _)| parts(name).len()).map(|found| (found, wanted[parts(found.0).len()..].to_vec()))
}

pub fn leads_out(rest: &[&str]) -> bool {
    let mut depth = 0;
    rest.iter().any(|part| {
        depth += if *part == ".." { -1 } else { 1 };
        depth < 0
    })
}

/// The model's verdict on a path.
pub fn on_path(model: &Rights, mounts: &[Named], native: NativeId, path: &str, want: Access) -> Expected {
    let Some(((_, grant, _), rest)) = named(mounts, path) else { return Expected::Denied("no-grant") };
    let verdict = model.judge(native, &Subject::Within(grant, want));
    if let Some(place) = grant.place.below(&rest.join("/")) {
        // By names alone, as on a disk without links, at least as much is allowed, and where mounts are apart the very same.
        let by_name = model.judge(native, &Subject::Place(&place, want));
        assert!(verdict.is_err() || by_name.is_ok(), "{path}");
        let apart = |other: &&Named| other.1 == *grant || !other.1.place.contains(&grant.place) && !grant.place.contains(&other.1.place);
        // A bound to a part of a mount is none through the mount as a whole, where a link may lead anywhere within.
        let is_bound = model.natives().bound(native).is_some();
        assert!(is_bound || !mounts.iter().all(|other| apart(&other)) || verdict == by_name, "{path}: {verdict:?} {by_name:?}");
    }
    match verdict {
        Ok(()) if leads_out(&rest) => Expected::LeadsOut,
        Ok(()) => Expected::NotDenied,
        Err(Refusal::NotGranted) => Expected::Denied("no-grant"),
        Err(Refusal::LessAccess(_)) if want.writes() => Expected::Denied("read-only"),
        Err(Refusal::LessAccess(_)) => Expected::Denied("write-only"),
        Err(Refusal::Bound) => Expected::Denied("bound"),
        Err(other) => panic!("{other:?}"),
    }
}

/// What of the leases has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Over<'a> {
    Nothing,
    /// That of these natives' calls.
    Natives(CapSet),
    /// That of the mount of this name.
    Mount(&'a str),
}

/// What the rights say of a name.
fn on_name(model: &Rights, native: NativeId, subject: &Subject<'_>, unknown: &'static str) -> Option<Expected> {
    match model.judge(native, subject) {
        Err(Refusal::NotGranted) => Some(Expected::Denied(unknown)),
        Err(Refusal::Bound) => Some(Expected::Denied("bound")),
        _ => None,
    }
}

/// The model's verdict on a host, at port 1 where there is one.
pub fn on_host(model: &Rights, native: NativeId, host: &str) -> Expected {
    let Ok(parsed) = Host::parse(host) else { return Expected::NotDenied };
    let rule = format!("{host}:1");
    let says = |list: &RuleList| list.rules().contains(&rule);
    match (model.judge(native, &Subject::Connection(&says)), parsed) {
        (Ok(()), _) => Expected::NotDenied,
        (Err(Refusal::NotGranted), Host::Address(_)) => Expected::Denied("special-address"),
        (Err(_), Host::Name(_)) if matches!(native.name(), "__sys_tcp_connect" | "__sys_tcp_listen" | "__sys_http_serve") => {
            Expected::NotDenied
        }
        (Err(Refusal::NotGranted), Host::Name(_)) => Expected::Denied("no-net-rule"),
        (Err(other), _) => panic!("{other:?}"),
    }
}

/// A text that is no path, is below a file, or names no entry of a directory that could be made or removed: an error, and nothing more
/// is asked.
pub fn is_no_subject(mounts: &[Named], native: NativeId, path: &str) -> bool {
    let manages = native.row().class == ilu_cap::Class::FsManage && native.name() != "__sys_copy";
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(".");
    let is_root = || named(mounts, path).is_some_and(|((_, _, is_dir), rest)| rest.is_empty() || !is_dir);
    let below_file = named(mounts, path).is_some_and(|((_, _, is_dir), rest)| !is_dir && (!rest.is_empty() || path.ends_with(['/', '.'])));
    below_file || path.is_empty() || path.contains('\0') || manages && (matches!(last, "." | "..") || is_root())
}

pub fn expected(model: &Rights, mounts: &[Named], native: NativeId, args: &[Arg<'_>], (revoked, over): (bool, Over<'_>)) -> Expected {
    if revoked {
        return Expected::Denied("revoked");
    }
    if !model.allows(native, &Subject::None) {
        return Expected::Denied("not-held");
    }
    if !fits(native, args) || ilu_std::natives().get(native).is_none() {
        return Expected::NotDenied;
    }
    if matches!(over, Over::Natives(leased) if leased.has(native)) {
        return Expected::Denied("lease-over");
    }
    let (mut paths, mut leads_out) = (Vec::new(), false);
    for (operand, arg) in operands(native).into_iter().zip(args) {
        match (operand, arg) {
            (Operand::Path(want), Arg::Str(path)) => {
                let invalid = path.is_empty() || path.contains('\0');
                let verdict = if invalid { Expected::NotDenied } else { on_path(model, mounts, native, path, want) };
                let through = named(mounts, path).map(|(mount, _)| mount.0);
                if !invalid && !matches!(verdict, Expected::Denied(_)) && through.is_some_and(|name| over == Over::Mount(name)) {
                    return Expected::Denied("lease-over");
                }
                if matches!(verdict, Expected::Denied(_)) || is_no_subject(mounts, native, path) {
                    return verdict;
                }
                // The kernel finds it out after all operands were judged.
                leads_out |= verdict == Expected::LeadsOut;
                paths.push(*path);
            }
            (Operand::Variable, Arg::Str(name)) => {
                let is_name = !name.is_empty() && !name.contains(['=', '\0']);
                if let Some(denied) = on_name(model, native, &Subject::Variable(name), "no-variable").filter(|_| is_name) {
                    return denied;
                }
            }
            (Operand::Program, Arg::Str(program)) => {
                let is_name = !program.is_empty() && !program.contains('\0');
                if let Some(denied) = on_name(model, native, &Subject::Program(program), "no-program").filter(|_| is_name) {
                    return denied;
                }
            }
            // No view has a secret.
            (Operand::Secret, Arg::Str(name)) if !name.is_empty() => return Expected::Denied("no-secret"),
            (Operand::Address, Arg::Str(url)) if native.row().class == ilu_cap::Class::Http => {
                if let Some((host, _)) = url.strip_prefix("http://").and_then(|rest| rest.split_once(":1/")) {
                    return on_host(model, native, host);
                }
            }
            (Operand::Address, Arg::Str(host)) if native.row().class != ilu_cap::Class::Http => {
                let ports = args.get(1).filter(|_| native.row().params.len() > 1);
                if ports.is_none_or(|port| matches!(port, Arg::Num(1.0))) {
                    return on_host(model, native, host);
                }
            }
            (Operand::Data, Arg::Str(target)) if native.name() == "__sys_symlink" => {
                if target.is_empty() || target.contains('\0') {
                    return Expected::NotDenied;
                }
                if target.starts_with('/') {
                    return Expected::Denied("absolute-link");
                }
            }
            _ => {}
        }
    }
    // What moves between two mounts is seen through the other one afterwards.
    let mount_of = |path: &str| named(mounts, path).map(|(mount, _)| mount.0);
    if let ("__sys_rename", [from, to]) = (native.name(), paths.as_slice())
        && mount_of(from) != mount_of(to)
    {
        let seen = [from, to].map(|path| on_path(model, mounts, native, path, Access::Read));
        if let Some(denied) = seen.into_iter().find(|verdict| matches!(verdict, Expected::Denied(_))) {
            return denied;
        }
    }
    if leads_out { Expected::LeadsOut } else { Expected::NotDenied }
}

#[derive(Default)]
pub struct Tally(pub BTreeMap<&'static str, usize>);

pub fn compare(tally: &mut Tally, what: &str, result: &Result<Plain, Stop>, expected: &Expected) {
    let code = match result {
        Err(Stop::Denied(denial)) => Some(denial.rule.code()),
        _ => None,
    };
    let agrees = match expected {
        Expected::Denied(rule) => code == Some(*rule),
        Expected::NotDenied => code.is_none(),
        Expected::LeadsOut => result.is_err() && matches!(code, None | Some("leads-out")),
    };
    assert!(agrees, "{what}: the model says {expected:?}, the doorway {result:?}");
    *tally.0.entry(code.unwrap_or("not denied")).or_default() += 1;
}
