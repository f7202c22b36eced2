//! Makes text that a script or a path chose safe to show inside a message of ours: no terminal control, no reordering, no line of its own,
//! no flood.

/// Longest piece of a script's text in a message, in characters; the rest is counted, not shown.
pub const MAX_SHOWN: usize = 2_000;

/// The text on one line, with every control character written out (`\n`, `\x1b`, `\u{202e}`) and cut at [`MAX_SHOWN`] characters.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_SHOWN));
    let mut chars = text.chars();
    for c in chars.by_ref().take(MAX_SHOWN) {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_unsafe(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    let more = chars.count();
    if more > 0 {
        out.push_str(&format!("… ({more} more characters)"));
    }
    out
}

/// The same number of characters, each of which can be shown: for source lines, where columns must stay what they are.
#[must_use]
pub fn clean_char(c: char) -> char {
    match c {
        '\t' => ' ',
        c if is_unsafe(c) => '\u{fffd}',
        c => c,
    }
}

/// Controls of the terminal (C0, DEL, C1) and invisible characters that reorder or hide text around them.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_comes_through() {
        let hostile = "a\x1b[2J\u{9b}31m\u{7f}\u{202e}b\u{e0041}\u{2028}c\r\n\td\0";
        let shown = clean(hostile);
        assert_eq!(shown, r"a\x1b[2J\u{9b}31m\x7f\u{202e}b\u{e0041}\u{2028}c\r\n\td\x00");
        assert!(shown.chars().all(|c| !is_unsafe(c)));
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(clean("grüße, 世界 👋🏽 `x`"), "grüße, 世界 👋🏽 `x`");
    }

    #[test]
    fn long_text_is_cut_and_counted() {
        let shown = clean(&"x".repeat(MAX_SHOWN + 7));
        assert!(shown.ends_with("… (7 more characters)"));
        assert!(shown.len() < MAX_SHOWN + 40);
    }
}
