//! The one pattern language of access rows: exact text, `*`, or `prefix*`.
//!
//! A star anywhere but at the end is an ordinary character, and so are `?`, `[`, `\`. Nothing is escaped, nothing is normalised.
//! `prefix*` is a prefix of *bytes*: it knows nothing of path components or host labels, which [`lint`] exists to point out.

/// Whether `pattern` covers `subject`.
#[must_use]
pub fn wild(pattern: &str, subject: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => subject.starts_with(prefix),
        None => pattern == subject,
    }
}

/// What is treacherous about a pattern, in a sentence; nothing when it is not.
///
/// `/data/pub*` also covers `/data/public-secret`, `https://a.example*` also covers `https://a.example.evil.test`: a prefix that looks
/// like a path or URL should end where a component ends. A star in another place is literal, which is seldom what was meant.
#[must_use]
pub fn lint(pattern: &str) -> Option<String> {
    let body = pattern.strip_suffix('*').unwrap_or(pattern);
    if body.contains('*') {
        return Some(format!("in `{pattern}` only a star at the end is a wildcard; any other is an ordinary character"));
    }
    if body.len() == pattern.len() {
        return None;
    }
    let looks_like_path = body.contains('/') || body.contains('\\');
    let at_boundary = body.ends_with(['/', '\\', '?', '#', '=', '&']) && !body.ends_with("://");
    if looks_like_path && !at_boundary {
        return Some(format!(
            "`{pattern}` is a prefix of bytes: it also covers `{body}-anything`; end the prefix with `/` (`{body}/*`) to stay below it"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_star_at_the_end_is_special() {
        let cases = [
            ("*", "", true),
            ("*", "a\0\n", true),
            ("*", "*", true),
            ("", "", true),
            ("", "a", false),
            ("/data/pub*", "/data/pub", true),
            ("/data/pub*", "/data/public-secret", true),
            ("/data/pub/*", "/data/public-secret", false),
            ("/data/pub/*", "/data/pub/x", true),
            ("a*b", "a*b", true),
            ("a*b", "axb", false),
            ("*b", "ab", false),
            ("*b", "*b", true),
            ("**", "anything", false),
            ("**", "*x", true),
            ("?", "a", false),
            ("[a]", "a", false),
            ("*.example.com", "a.example.com", false),
            ("a**", "a*b", true),
            ("a**", "ab", false),
            ("\\*", "\\x", true),
            ("\\*", "*", false),
            ("A", "a", false),
            ("a ", "a", false),
            ("é", "e\u{301}", false),
            ("é*", "éa", true),
        ];
        for (pattern, subject, expected) in cases {
            assert_eq!(wild(pattern, subject), expected, "{pattern:?} on {subject:?}");
        }
    }

    #[test]
    fn a_prefix_that_stops_inside_a_component_is_pointed_out() {
        for pattern in ["/data/pub*", "https://a.example*", "https://*", "C:\\data*", "a*b", "*.example.com", "**"] {
            assert!(lint(pattern).is_some(), "{pattern}");
        }
        for pattern in ["*", "", "read", "/data/pub", "/data/pub/*", "svc-*", "https://a.example/*", "https://a.example/find?q=*"] {
            assert_eq!(lint(pattern), None, "{pattern}");
        }
    }
}
