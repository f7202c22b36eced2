//! Which `ilu.toml` counts: the one the operator names, or the one beside the script when the operator has trusted exactly this text.

use crate::args::{GrantFlags, Trust};
use crate::exit::Exit;
use crate::profile;
use crate::report::clean::clean;
use crate::terminal::Terminal;
use ilu::host::{self, Folder, Trusted};

/// What the file beside a script is called.
const NAME: &str = "ilu.toml";
/// The profile that counts when none is named.
const DEFAULT: &str = "default";

/// The flags with a profile's grants among them.
///
/// # Errors
/// What is wrong with the file, or that it does not count although a profile of it is asked for.
pub fn apply(flags: &GrantFlags, folder: Option<&Folder>, terminal: &Terminal) -> Result<GrantFlags, String> {
    let wanted = flags.profile.as_deref();
    if let Some(path) = &flags.config {
        let (text, _) = host::read_config(path).map_err(|error| format!("--config {error}"))?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| if folder.is_empty() { "/" } else { folder });
        return merged(flags, &text, wanted.unwrap_or(DEFAULT), folder, path);
    }
    let beside = folder.and_then(|folder| folder.real.to_str()).map(|folder| (folder, format!("{}/{NAME}", folder.trim_end_matches('/'))));
    let Some((folder, path)) = beside else { return without(flags, "text that is not in a file has no ilu.toml beside it") };
    let Ok((text, real)) = host::read_config(&path) else {
        return without(flags, "there is no ilu.toml beside the script that could be read");
    };
    match host::trusted(&real, &text) {
        Trusted::Yes if wanted.is_some() || has_default(&text) => merged(flags, &text, wanted.unwrap_or(DEFAULT), folder, &path),
        Trusted::Yes => Ok(flags.clone()),
        Trusted::No => without(flags, "the ilu.toml beside the script is not trusted; `ilu trust FILE` does that"),
        Trusted::Changed => {
            let why = "the ilu.toml beside the script has changed since it was trusted, so it does not count; `ilu trust FILE` trusts it as it is now";
            if wanted.is_none() {
                terminal.tell(why);
            }
            without(flags, why)
        }
    }
}

fn has_default(text: &str) -> bool {
    profile::names(text).is_ok_and(|names| names.iter().any(|name| name == DEFAULT))
}

fn without(flags: &GrantFlags, why: &str) -> Result<GrantFlags, String> {
    if flags.profile.is_some() { Err(format!("--profile: {why}; --config FILE names one")) } else { Ok(flags.clone()) }
}

fn merged(flags: &GrantFlags, text: &str, name: &str, folder: &str, path: &str) -> Result<GrantFlags, String> {
    let profile = profile::read(text, name, folder).map_err(|why| format!("{}: {why}", clean(path)))?;
    Ok(profile::add(profile, flags))
}

/// Runs `ilu trust`.
pub fn trust(args: &Trust, terminal: &Terminal) -> Exit {
    let trusted = host::read_config(&args.file).map_err(|error| error.to_string()).and_then(|(text, real)| {
        let names = profile::names(&text).map_err(|why| format!("{}: {why}", clean(&args.file)))?;
        let digest = host::trust(&real, &text).map_err(|error| error.to_string())?;
        Ok((names, digest, real))
    });
    match trusted {
        Err(message) => terminal.usage(&message),
        Ok((names, digest, real)) => {
            let names = names.iter().map(|name| clean(name)).collect::<Vec<_>>().join(", ");
            terminal.print(&format!("trusted as it is now: {}\nsha256: {digest}\nprofiles: {names}\n", clean(&real.display().to_string())))
        }
    }
}
