//! `ilu.toml`: grants in named profiles. Text to flags and back; which file counts is decided in `config.rs`.

use crate::args::GrantFlags;
use crate::quantity::{self, DirSpec};
use crate::report::clean::clean;
use std::fmt::Write;
use toml::{Table, Value};

/// The keys of a profile: those of the flags.
const KEYS: [&str; 13] = ["grant", "dir", "run", "env", "secret", "net", "pol", "ca", "fuel", "mem", "time", "out", "depth"];

/// What can be written as a profile.
pub trait Source {
    /// Lists of texts by key; the first is written even when it is empty.
    fn lists(&self) -> [(&'static str, Vec<String>); 6];
    /// Budgets by key.
    fn budgets(&self) -> [(&'static str, String); 4];
}

/// A profile as TOML.
pub fn write(name: &str, source: &impl Source) -> String {
    let mut out = format!("[profile.{name}]\n");
    let quoted = |text: &String| Value::String(text.clone()).to_string();
    for (key, items) in source.lists().into_iter().filter(|(key, items)| *key == "grant" || !items.is_empty()) {
        let _ = writeln!(out, "{key} = [{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", "));
    }
    for (key, value) in source.budgets() {
        let plain = value.chars().all(|c| c.is_ascii_digit());
        let _ = writeln!(out, "{key} = {}", if plain { value } else { quoted(&value) });
    }
    out
}

/// Reads one profile of a file's text. Host paths are relative to `folder`, where the file is.
///
/// # Errors
/// What is wrong with the file, in words for the operator: not TOML, an unknown key, a value that the flag would not take, no such profile.
pub fn read(text: &str, name: &str, folder: &str) -> Result<GrantFlags, String> {
    let profiles = profiles(text)?;
    // All of them are looked at, so that a mistake does not wait for the day on which its profile is used.
    let mut found = None;
    for (other, value) in &profiles {
        let flags = profile(value, folder).map_err(|why| format!("profile `{}`: {why}", clean(other)))?;
        if other == name {
            found = Some(flags);
        }
    }
    found.ok_or_else(|| {
        let near = ilu_cap::near(name, profiles.keys().map(String::as_str));
        let near = near.map(|near| format!(" (did you mean `{}`?)", clean(near))).unwrap_or_default();
        format!("there is no profile `{}`{near}", clean(name))
    })
}

/// The names of a file's profiles, when all of them are right.
///
/// # Errors
/// What is wrong with the file.
pub fn names(text: &str) -> Result<Vec<String>, String> {
    let profiles = profiles(text)?;
    for (name, value) in &profiles {
        profile(value, "").map_err(|why| format!("profile `{}`: {why}", clean(name)))?;
    }
    Ok(profiles.keys().cloned().collect())
}

fn profiles(text: &str) -> Result<Table, String> {
    let file: Table = text.parse().map_err(|error: toml::de::Error| error.to_string().trim_end().to_string())?;
    known(&file, &["profile"])?;
    match file.get("profile") {
        None => Ok(Table::new()),
        Some(Value::Table(profiles)) => Ok(profiles.clone()),
        Some(_) => Err("`profile` is a table: [profile.NAME]".to_string()),
    }
}

fn known(table: &Table, keys: &[&'static str]) -> Result<(), String> {
    let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) else { return Ok(()) };
    let near = ilu_cap::near(key, keys.iter().copied()).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    Err(format!("unknown key `{}`{near}", clean(key)))
}

fn profile(value: &Value, folder: &str) -> Result<GrantFlags, String> {
    let Value::Table(table) = value else { return Err("it is a table: [profile.NAME]".to_string()) };
    known(table, &KEYS)?;
    let mut flags = GrantFlags::default();
    if let Some(value) = table.get("grant") {
        flags.grant = Some(texts("grant", value)?.join(","));
    }
    for text in table.get("dir").map_or(Ok(Vec::new()), |value| texts("dir", value))? {
        let spec = quantity::dir_spec(&text).map_err(|why| format!("dir: {why}"))?;
        flags.dir.push(DirSpec { host: from(folder, &spec.host), ..spec });
    }
    for text in table.get("env").map_or(Ok(Vec::new()), |value| texts("env", value))? {
        flags.env.push(quantity::env_spec(&text).map_err(|why| format!("env: {why}"))?);
    }
    for text in table.get("run").map_or(Ok(Vec::new()), |value| texts("run", value))? {
        // A name is looked for in PATH; a path is the file's own.
        flags.run.push(if text.contains('/') { from(folder, &text) } else { text });
    }
    for text in table.get("secret").map_or(Ok(Vec::new()), |value| texts("secret", value))? {
        flags.secret.push(quantity::secret_spec(&text).map_err(|why| format!("secret: {why}"))?);
    }
    for text in table.get("net").map_or(Ok(Vec::new()), |value| texts("net", value))? {
        flags.net.push(quantity::net_rule(&text).map_err(|why| format!("net: {why}"))?);
    }
    for path in table.get("pol").map_or(Ok(Vec::new()), |value| texts("pol", value))? {
        flags.pol.push(from(folder, &path));
    }
    for path in table.get("ca").map_or(Ok(Vec::new()), |value| texts("ca", value))? {
        flags.ca.push(from(folder, &path));
    }
    flags.fuel = number(table, "fuel", quantity::count)?;
    flags.mem = number(table, "mem", quantity::size)?;
    flags.out = number(table, "out", quantity::size)?;
    flags.depth = number(table, "depth", quantity::count)?;
    flags.time = number(table, "time", quantity::duration)?;
    Ok(flags)
}

/// A text, or a list of them.
fn texts(key: &str, value: &Value) -> Result<Vec<String>, String> {
    let wrong = || format!("`{key}` is a list of texts");
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_string).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}

/// A number, or a text as the flag takes it.
fn number<T>(table: &Table, key: &str, read: fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    let text = match table.get(key) {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(_) => return Err(format!("`{key}` is a number, or a text as its flag takes it")),
    };
    read(&text).map(Some).map_err(|why| format!("{key}: {why}"))
}

fn from(folder: &str, host: &str) -> String {
    if host.starts_with('/') || folder.is_empty() || folder == "." { host.to_string() } else { format!("{folder}/{host}") }
}

/// Grants of a profile and of the command line together: directories and variables add up, of everything else the command line's holds.
pub fn add(profile: GrantFlags, line: &GrantFlags) -> GrantFlags {
    let line = line.clone();
    GrantFlags {
        grant: line.grant.or(profile.grant),
        dir: [profile.dir, line.dir].concat(),
        run: [profile.run, line.run].concat(),
        env: [profile.env, line.env].concat(),
        secret: [profile.secret, line.secret].concat(),
        // Those of the line come first: what it denies, no profile allows.
        net: [line.net, profile.net].concat(),
        pol: [line.pol, profile.pol].concat(),
        ca: [profile.ca, line.ca].concat(),
        fuel: line.fuel.or(profile.fuel),
        mem: line.mem.or(profile.mem),
        time: line.time.or(profile.time),
        out: line.out.or(profile.out),
        depth: line.depth.or(profile.depth),
        ..line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_holds_what_the_flags_hold() {
        let text = "[profile.a]\ngrant = [\"capio\", \"__sys_getenv\"]\ndir = [\"in:/in\", \"/x:/out:rw\"]\nenv = \"LANG\"\nsecret = \"KEY=api.example.com\"\nnet = [\"!a.example.com\", \"*.Example.com\"]\npol = \"p.json\"\nfuel = 5_000\nmem = \"16M\"\ntime = \"2s\"\n";
        let flags = read(text, "a", "conf").unwrap();
        assert_eq!(flags.grant.as_deref(), Some("capio,__sys_getenv"));
        let dirs: Vec<_> = flags.dir.iter().map(|spec| (spec.host.as_str(), spec.guest.as_str(), spec.writable)).collect();
        assert_eq!(dirs, [("conf/in", "/in", false), ("/x", "/out", true)]);
        assert_eq!((flags.net.join(" ").as_str(), flags.pol.join(" ").as_str()), ("!a.example.com *.example.com", "conf/p.json"));
        assert_eq!(flags.secret, [("KEY".to_string(), "api.example.com".to_string())]);
        assert_eq!(flags.env, [("LANG".to_string(), None)]);
        assert_eq!((flags.fuel, flags.mem, flags.time.map(|time| time.as_secs())), (Some(5000), Some(16 << 20), Some(2)));
        assert_eq!((flags.out, flags.depth), (None, None));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_may_have_been_meant() {
        for (text, told) in [
            ("[profile.a]\ndirs = []", "profile `a`: unknown key `dirs` (did you mean `dir`?)"),
            ("[profiles.a]\n", "unknown key `profiles` (did you mean `profile`?)"),
            ("[profile.b]\nmem = \"much\"", "profile `b`: mem: give a size"),
            ("[profile.b]\nfuel = -1", "profile `b`: fuel: give a whole number"),
            ("[profile.b]\ndir = [1]", "profile `b`: `dir` is a list of texts"),
            ("[profile.main]\n[profile.aa]", "there is no profile `a` (did you mean `aa`?)"),
            ("profile = 1", "`profile` is a table"),
            ("[profile.a]\n[profile.a]", "duplicate"),
            ("", "there is no profile `a`"),
        ] {
            let error = read(text, "a", "").unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_the_line_says_wins_and_places_add_up() {
        let profile = read("[profile.a]\ngrant = \"capio\"\ndir = \"a\"\nfuel = 5\nmem = \"1M\"", "a", "").unwrap();
        let line = GrantFlags { fuel: Some(7), dir: vec![quantity::dir_spec("b").unwrap()], ..GrantFlags::default() };
        let both = add(profile, &line);
        assert_eq!((both.grant.as_deref(), both.fuel, both.mem), (Some("capio"), Some(7), Some(1 << 20)));
        assert_eq!(both.dir.iter().map(|spec| spec.host.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
