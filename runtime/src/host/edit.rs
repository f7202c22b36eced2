//! Source files that the operator named to be written again: `ilu fmt`.

use super::{HostError, says};
use std::io::Write;
use std::path::{Path, PathBuf};

/// How deep folders are walked.
const MAX_FOLDERS_DEEP: usize = 64;
/// Most files that one folder is walked for.
const MAX_FILES: usize = 100_000;

/// The scripts that a path names: itself, or all `.ilu` files below a directory, in order. Links to directories are not followed, and folders whose
/// name begins with a dot are left out.
///
/// # Errors
/// What the system says.
pub fn scripts(path: &str) -> Result<Vec<String>, HostError> {
    if path == "-" || !std::fs::metadata(path).map_err(says(path))?.is_dir() {
        return Ok(vec![path.to_string()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::from(path), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let name = folder.to_string_lossy().into_owned();
        for entry in std::fs::read_dir(&folder).map_err(says(&name))? {
            let entry = entry.map_err(says(&name))?;
            let (kind, path) = (entry.file_type().map_err(says(&name))?, entry.path());
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if kind.is_dir() && !hidden && depth < MAX_FOLDERS_DEEP {
                folders.push((path, depth + 1));
            } else if kind.is_file() && path.extension().is_some_and(|ending| ending == "ilu") && found.len() < MAX_FILES {
                found.push(path.to_str().ok_or_else(|| HostError::Name(name.clone()))?.to_string());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Puts a text in a file's place: all of it, or what was there stays. The file keeps its permissions; through a link, the file it leads to is
/// written.
///
/// # Errors
/// What the system says.
pub fn replace(path: &str, text: &str) -> Result<(), HostError> {
    let real = std::fs::canonicalize(path).map_err(says(path))?;
    let permissions = std::fs::metadata(&real).map_err(says(path))?.permissions();
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = real.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = write_new(&beside, text, permissions).and_then(|()| std::fs::rename(&beside, &real));
    if written.is_err() {
        // What could not be put in place is not left lying about; the first error is the one to tell.
        let _ = std::fs::remove_file(&beside);
    }
    written.map_err(says(path))
}

fn write_new(path: &Path, text: &str, permissions: std::fs::Permissions) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.set_permissions(permissions)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Names of files and folders that begin like the last part of a path, as the operator types it; those of folders end with `/`.
#[must_use]
pub fn names_like(path: &str) -> Vec<String> {
    /// Names that are offered at most.
    const MOST: usize = 200;
    let (folder, last) = path.rsplit_once('/').map_or((".", path), |(folder, last)| (if folder.is_empty() { "/" } else { folder }, last));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let fits = name.starts_with(last) && (!name.starts_with('.') || last.starts_with('.'));
        let is_dir = entry.path().is_dir();
        fits.then(|| if is_dir { format!("{name}/") } else { name })
    };
    let mut names: Vec<String> = entries.filter_map(Result::ok).filter_map(name).take(MOST).collect();
    names.sort();
    names
}
