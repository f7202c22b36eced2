//! Where a script comes from: a file, standard input, the command line.

use ilu::host::{self, Folder};

/// A script's text and what messages call it.
#[derive(Debug)]
pub struct Script {
    /// The path as the operator wrote it, `<stdin>` or `<eval>`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The folder its own modules are read from; nothing for text that lies in none.
    pub folder: Option<Folder>,
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// In words for the operator.
pub fn from_file(path: &str) -> Result<Script, String> {
    if path == "-" {
        let text = host::read_stdin().map_err(|error| error.to_string())?;
        return Ok(Script { name: "<stdin>".to_string(), text, folder: None });
    }
    let (text, folder) = host::read_script(path).map_err(|error| error.to_string())?;
    Ok(Script { name: path.to_string(), text, folder })
}

/// Takes text from the command line.
#[must_use]
pub fn from_text(text: &str) -> Script {
    Script { name: "<eval>".to_string(), text: text.to_string(), folder: None }
}
