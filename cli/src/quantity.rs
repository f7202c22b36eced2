//! The values of flags: counts, sizes, durations, directories, variables. Pure text to data; every error says what would be right.

use ilu_sbx::Secret;
use std::time::Duration;

/// `--dir`: what to open on the host, what the script calls it, and whether it may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirSpec {
    /// The operator's text for a directory or a file.
    pub host: String,
    /// What the script calls it.
    pub guest: String,
    /// Whether the script may change what is in it.
    pub writable: bool,
}

/// A whole number, with `_` between digits if that reads better.
pub fn count(text: &str) -> Result<u64, String> {
    let digits = plain_digits(text).ok_or("give a whole number, such as 50000 or 50_000")?;
    digits.parse().map_err(|_| format!("that is more than {}", u64::MAX))
}

/// A number of bytes: `64M`, `64MiB` and `64m` are 64 × 1024², `64MB` is 64 × 1000².
pub fn size(text: &str) -> Result<u64, String> {
    const HELP: &str = "give a size in bytes, or with a unit: 4096, 64K, 64M, 1GiB";
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let digits = plain_digits(digits).ok_or(HELP)?;
    let number: u64 = digits.parse().map_err(|_| "that is more than a machine can count".to_string())?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(HELP.to_string()),
    };
    number.checked_mul(factor).ok_or_else(|| "that is more than a machine can count".to_string())
}

/// A length of time: `500ms`, `2s`, `1.5s`, `3m`, `1h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    const HELP: &str = "give a length of time with its unit: 500ms, 2s, 1.5s, 3m, 1h";
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let (Some(whole), Some(part)) = (plain_digits(whole), plain_digits(part)) else { return Err(HELP.to_string()) };
    let seconds: f64 = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(HELP.to_string()),
    };
    let number: f64 = format!("{whole}.{part}").parse().map_err(|_| HELP.to_string())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "that is longer than a machine can count".to_string())
}

/// `HOST[:GUEST][:ro|rw]`. A last part `ro` or `rw` is the access; then the last colon parts host from guest.
pub fn dir_spec(text: &str) -> Result<DirSpec, String> {
    let (rest, writable) = match text.rsplit_once(':') {
        Some((rest, "ro")) => (rest, false),
        Some((rest, "rw")) => (rest, true),
        _ => (text, false),
    };
    let (host, guest) = rest.rsplit_once(':').unwrap_or((rest, rest));
    if host.is_empty() || guest.is_empty() {
        return Err("give HOST, HOST:GUEST or HOST:GUEST:rw, with nothing left empty".to_string());
    }
    if rest.contains(':') && guest.split('/').any(|part| part == "..") {
        return Err(format!("the guest path `{guest}` must not contain `..`"));
    }
    if text.contains('\0') {
        return Err("a path can't contain a NUL".to_string());
    }
    Ok(DirSpec { host: host.to_string(), guest: guest.to_string(), writable })
}

/// `NAME` or `NAME=VALUE`.
pub fn env_spec(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_string())),
        None => (text, None),
    };
    if name.is_empty() || name.contains('\0') {
        return Err("give NAME or NAME=VALUE".to_string());
    }
    Ok((name.to_string(), value))
}

/// NAME=HOST: a secret's name, and the canonical rule of a host that it is bound to.
///
/// # Errors
/// It is none, or HOST means no host in particular.
pub fn secret_spec(text: &str) -> Result<(String, String), String> {
    let (name, host) = text.split_once('=').ok_or("give NAME=HOST")?;
    if name.is_empty() || name.contains('\0') {
        return Err("give NAME=HOST".to_string());
    }
    Ok((name.to_string(), Secret::host(host)?.to_string()))
}

/// Digits with the `_` between them taken out; nothing when there is no digit, or a `_` that is not between two.
fn plain_digits(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let ends_well = bytes.first()?.is_ascii_digit() && bytes.last()?.is_ascii_digit();
    let plain = ends_well && !text.contains("__") && bytes.iter().all(|b| b.is_ascii_digit() || *b == b'_');
    plain.then(|| text.replace('_', ""))
}

/// A network rule, in its canonical text.
///
/// # Errors
/// It is none, or would not do what it seems to say.
pub fn net_rule(text: &str) -> Result<String, String> {
    ilu_pol::net::Rule::from_text(text).map(|rule| rule.to_string()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_1024_and_of_1000() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("4_096", 4096),
            ("12b", 12),
            ("64K", 64 << 10),
            ("64k", 64 << 10),
            ("64M", 64 << 20),
            ("64MiB", 64 << 20),
            ("64MB", 64_000_000),
            ("1GiB", 1 << 30),
            ("2g", 2 << 30),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "M", "64 M", "64X", "-1", "1.5G", "1__0", "_1", "1_", "99999999999999999999", "18446744073709551615K", "٣"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        for (text, ms) in [("500ms", 500), ("2s", 2000), ("1.5s", 1500), ("3m", 180_000), ("1h", 3_600_000), ("0ms", 0), ("1_000ms", 1000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "s", "5 s", "1.s", ".5s", "1.2.3s", "-1s", "1e3s", "5d", "inf", "99999999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_are_whole() {
        assert_eq!(count("50_000"), Ok(50_000));
        for text in ["", "1.0", "-1", "1k", "0x10", "99999999999999999999"] {
            assert!(count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_directory_is_host_guest_and_access() {
        for (text, host, guest, writable) in [
            ("data", "data", "data", false),
            (".", ".", ".", false),
            ("data:ro", "data", "data", false),
            ("data:rw", "data", "data", true),
            ("data:/in", "data", "/in", false),
            ("data:/in:rw", "data", "/in", true),
            ("/var/lib/dpkg:/in:ro", "/var/lib/dpkg", "/in", false),
            ("a:b:/in:rw", "a:b", "/in", true),
            ("ro", "ro", "ro", false),
            ("x:/ro", "x", "/ro", false),
            ("a b:/c d", "a b", "/c d", false),
        ] {
            assert_eq!(dir_spec(text), Ok(DirSpec { host: host.into(), guest: guest.into(), writable }), "{text}");
        }
        for text in ["", ":", ":/in", "data:", "data::rw", ":ro", "data:/in/../x", "da\0ta"] {
            assert!(dir_spec(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_bound_to_a_host() {
        assert_eq!(secret_spec("KEY=API.example.com"), Ok(("KEY".into(), "api.example.com".into())));
        assert_eq!(secret_spec("KEY=127.0.0.1:8080"), Ok(("KEY".into(), "127.0.0.1:8080".into())));
        for text in ["KEY", "=x", "KEY=", "KEY=*", "KEY=!x", "KEY=a.*.b"] {
            assert!(secret_spec(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_may_have_a_value_with_anything_in_it() {
        assert_eq!(env_spec("LANG"), Ok(("LANG".into(), None)));
        assert_eq!(env_spec("A=b=c"), Ok(("A".into(), Some("b=c".into()))));
        assert_eq!(env_spec("A="), Ok(("A".into(), Some(String::new()))));
        assert!(env_spec("=x").is_err());
        assert!(env_spec("").is_err());
    }
}
