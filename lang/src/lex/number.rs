//! Number literals: how far one reaches, and what it is worth.

/// Why a literal is not a number.
#[derive(Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The end of the sentence "`1__0` is not a number: …".
    pub words: &'static str,
    /// What to do; may be empty.
    pub help: &'static str,
}

const fn flaw(words: &'static str, help: &'static str) -> Flaw {
    Flaw { words, help }
}

/// Whole numbers above this are not all doubles, so a hexadecimal literal above it would silently mean another number.
const EXACT: u64 = 1 << 53;

/// Length of the literal that starts `text`, with everything glued to it that could have been meant as a part of it. `0..3` ends before
/// the dots; `1.2.3` is taken whole, to be refused whole.
pub fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let hex = bytes.starts_with(b"0x") || bytes.starts_with(b"0X");
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let goes_on = match byte {
            b'.' => next.is_some_and(|next| next.is_ascii_digit()),
            b'+' | b'-' => {
                !hex && at > 0 && matches!(bytes.get(at - 1), Some(b'e' | b'E')) && next.is_some_and(|next| next.is_ascii_digit())
            }
            _ => byte.is_ascii_alphanumeric() || byte == b'_',
        };
        if !goes_on {
            break;
        }
        at += 1;
    }
    at
}

/// What a literal is worth.
pub fn value(text: &str) -> Result<f64, Flaw> {
    if let Some(digits) = text.strip_prefix("0x") {
        return hexadecimal(digits);
    }
    if text.len() > 1 && text.starts_with('0') && text.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic) {
        return match text.as_bytes().get(1) {
            Some(b'X') => Err(flaw("a hexadecimal number starts with `0x`", "")),
            Some(b'b' | b'B' | b'o' | b'O') => Err(flaw("only decimal and hexadecimal (`0x`) numbers exist", "")),
            Some(b'e' | b'E') => decimal(text),
            _ => Err(flaw("a letter follows its digits", "a name starts with a letter or `_`")),
        };
    }
    decimal(text)
}

fn hexadecimal(digits: &str) -> Result<f64, Flaw> {
    if digits.contains('.') {
        return Err(flaw("a hexadecimal number has no fraction", ""));
    }
    let mut value: u64 = 0;
    for digit in plain(digits)?.chars() {
        let Some(digit) = digit.to_digit(16) else { return Err(flaw("hexadecimal digits are 0-9, a-f and A-F", "")) };
        value = value * 16 + u64::from(digit);
        if value > EXACT {
            return Err(flaw("above 0x20000000000000 a number is not exact any more", ""));
        }
    }
    Ok(value as f64)
}

fn decimal(text: &str) -> Result<f64, Flaw> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at).unwrap_or(""), text.get(at + 1..)),
        None => (text, None),
    };
    let mut parts = mantissa.split('.');
    let mut clean = String::with_capacity(text.len());
    clean.push_str(&digits(parts.next().unwrap_or(""))?);
    if let Some(fraction) = parts.next() {
        clean.push('.');
        clean.push_str(&digits(fraction)?);
    }
    if parts.next().is_some() {
        return Err(flaw("it has two decimal points", ""));
    }
    if let Some(exponent) = exponent {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if unsigned.is_empty() {
            return Err(flaw("digits must follow the `e`", ""));
        }
        clean.push('e');
        if exponent.starts_with('-') {
            clean.push('-');
        }
        clean.push_str(&digits(unsigned)?);
    }
    match clean.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(flaw("it is too large", "the largest number is about 1.8e308")),
        Err(_) => Err(flaw("its digits cannot be read", "")),
    }
}

/// Decimal digits without their `_`.
fn digits(text: &str) -> Result<String, Flaw> {
    if text.bytes().any(|byte| byte == b'.') {
        return Err(flaw("it has two decimal points", ""));
    }
    if text.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'_') {
        return Err(flaw("a letter follows its digits", "a name starts with a letter or `_`"));
    }
    plain(text)
}

/// Digits without their `_`, each of which stands between two digits.
fn plain(text: &str) -> Result<String, Flaw> {
    if text.is_empty() {
        return Err(flaw("it has no digits", ""));
    }
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return Err(flaw("a `_` stands between two digits", ""));
    }
    Ok(text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_worth_what_it_says() {
        let cases = [
            ("42", 42.0),
            ("3.25", 3.25),
            ("0xFF", 255.0),
            ("1e9", 1e9),
            ("1E9", 1e9),
            ("1_000", 1000.0),
            ("0", 0.0),
            ("007", 7.0),
            ("0e5", 0.0),
            ("1e-3", 0.001),
            ("2.5e+3", 2500.0),
            ("0x1_0", 16.0),
            ("1e-999999999", 0.0),
            ("0x20000000000000", 9_007_199_254_740_992.0),
        ];
        for (text, want) in cases {
            assert_eq!(length(text), text.len(), "{text}");
            assert_eq!(value(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn a_literal_ends_where_a_range_begins() {
        assert_eq!(length("0..3"), 1);
        assert_eq!(length("1.5..2"), 3);
        assert_eq!(length("1.foo"), 1);
        assert_eq!(length("1-2"), 1);
        assert_eq!(length("1e-2"), 4);
        assert_eq!(length("0xe-2"), 3);
    }

    #[test]
    fn a_bad_literal_is_refused_whole() {
        for text in [
            "0x",
            "0b2",
            "0o8",
            "1__0",
            "1_",
            "9e",
            "1.2.3",
            "1e999999999",
            "0xG",
            "12ab",
            "0X1",
            "0x20000000000001",
            "0x1.5",
            "1e5.5",
            "0a",
            "1e2e3",
            "1e+1_",
        ] {
            assert_eq!(length(text), text.len(), "{text}");
            assert!(value(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_million_digits_take_linear_time() {
        let text = "9".repeat(1_000_000);
        assert!(value(&text).is_err());
        let text = format!("0.{}", "9".repeat(1_000_000));
        assert_eq!(value(&text), Ok(1.0));
    }
}
