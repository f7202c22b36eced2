//! The list of files of grants that the operator trusts.

use super::{Granted, HostError, read_text, says};
use std::io;
use std::path::{Path, PathBuf};

/// Is a file trusted?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// With exactly this text.
    Yes,
    /// It was, with another text.
    Changed,
    /// It never was.
    No,
}

/// The list of trusted files: the SHA-256 of each one's text and its real path, a line each.
fn trust_list() -> Option<PathBuf> {
    state_file("trusted")
}

/// A file of ours in the folder for what programs remember of the operator.
pub(super) fn state_file(name: &str) -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")))?;
    Some(state.join("ilu").join(name))
}

fn digest(text: &str) -> String {
    use sha2::Digest;
    use std::fmt::Write as _;
    let mut hex = String::new();
    for byte in sha2::Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Looks a file up in the operator's list.
#[must_use]
pub fn trusted(real: &Path, text: &str) -> Trusted {
    let list = trust_list().and_then(|path| std::fs::File::open(path).ok()).and_then(|file| read_text("trusted", file).ok());
    let Some(real) = real.to_str() else { return Trusted::No };
    let known = list.iter().flat_map(|list| list.lines()).find_map(|line| line.split_once("  ").filter(|(_, path)| *path == real));
    match known {
        Some((known, _)) if known == digest(text) => Trusted::Yes,
        Some(_) => Trusted::Changed,
        None => Trusted::No,
    }
}

/// Puts a file with this text on the operator's list; gives the text's SHA-256.
///
/// # Errors
/// What the system says; there is no place for the list.
pub fn trust(real: &Path, text: &str) -> Result<String, HostError> {
    let shown = real.display().to_string();
    let no_trust = || HostError::NoTrust(shown.clone());
    let plain = real.to_str().filter(|path| !path.contains(['\n', '\r'])).ok_or_else(no_trust)?;
    let list = trust_list().ok_or_else(no_trust)?;
    let name = list.display().to_string();
    let folder = list.parent().ok_or_else(no_trust)?;
    std::fs::create_dir_all(folder).map_err(says(&name))?;
    let old = match std::fs::File::open(&list) {
        Ok(file) => read_text(&name, file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(says(&name)(error)),
    };
    let digest = digest(text);
    let mut lines: Vec<String> =
        old.lines().filter(|line| line.split_once("  ").is_none_or(|(_, path)| path != plain)).map(str::to_owned).collect();
    lines.push(format!("{digest}  {plain}\n"));
    // Beside it and then in its place: a reader sees the old list or the new.
    let new = list.with_extension("new");
    std::fs::write(&new, lines.join("\n")).map_err(says(&name))?;
    std::fs::rename(&new, &list).map_err(says(&name))?;
    Ok(digest)
}

/// Refuses a place that a script may write when the list of trusted files lies in it, or the place among them.
///
/// # Errors
/// It does.
pub fn apart_from_trust(path: &str, granted: &Granted) -> Result<(), HostError> {
    let Some(list) = trust_list() else { return Ok(()) };
    let folder = list.parent().unwrap_or(&list);
    let Ok(folder) = std::fs::canonicalize(folder) else { return Ok(()) };
    if folder.starts_with(granted.real()) || granted.real().starts_with(&folder) {
        return Err(HostError::HoldsTrust(path.to_string()));
    }
    Ok(())
}
