//! Writing HTML so that text can't become markup: markup is what stands in this crate's source, everything else is escaped.

use crate::report::clean::clean;

/// A page being written.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// Markup. Only what is written in the source has this type; what a script, a path or an operator chose can't have it.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text: control characters, invisible ones and those that turn its direction are written out, very long text is cut.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for c in clean(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '`' => self.0.push_str("&#96;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Text that someone else chose, set apart: its letters may run from right to left without turning what is around them.
    pub fn code(&mut self, text: &str) -> &mut Self {
        self.raw("<code><bdi>").text(text).raw("</bdi></code>")
    }

    /// A whole number, its digits in groups.
    pub fn num(&mut self, number: u64) -> &mut Self {
        self.text(&grouped(number))
    }

    /// A number for an attribute of a drawing.
    pub fn at(&mut self, number: f64) -> &mut Self {
        self.text(&format!("{number:.1}"))
    }

    /// The page.
    pub fn finish(self) -> String {
        self.0
    }
}

/// `1_234_567`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// Bytes as people read them: `512 B`, `1.5 KiB`.
pub fn bytes(number: u64) -> String {
    if number < 1024 {
        return format!("{number} B");
    }
    #[allow(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
    let mut size = number as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, next);
    }
    format!("{size:.1} {unit}")
}

/// Milliseconds as people read them.
pub fn duration(ms: f64) -> String {
    match ms {
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 120_000.0 => format!("{:.2} s", ms / 1000.0),
        ms => format!("{:.1} min", ms / 60_000.0),
    }
}

/// Milliseconds since 1970 as a date and time of day in UTC: `2023-11-14 22:13:20.000Z`.
pub fn instant(ms: f64) -> String {
    /// Milliseconds up to the year 9999: what is outside is no date that a clock gives.
    const LAST: f64 = 253_402_300_799_999.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to LAST")]
    let ms = ms.clamp(0.0, LAST) as u64;
    let (days, ms) = (ms / 86_400_000, ms % 86_400_000);
    // Years from March on, in eras of 400: the leap day is then the last of its year.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + carry;
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let mut html = Html::default();
        html.code("</code><script>alert(1)</script>&amp;\"'` onload=x\u{202e}\u{0}\n");
        assert_eq!(
            html.finish(),
            "<code><bdi>&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&quot;&#39;&#96; onload=x\\u{202e}\\x00\\n</bdi></code>"
        );
    }

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1_000"), (20_000_000_000, "20_000_000_000")] {
            assert_eq!(grouped(number), text);
        }
        for (number, text) in [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (256 << 20, "256.0 MiB"), (u64::MAX, "16384.0 PiB")] {
            assert_eq!(bytes(number), text);
        }
        assert_eq!((duration(3.2), duration(1500.0), duration(600_000.0)), ("3 ms".into(), "1.50 s".into(), "10.0 min".into()));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (ms, text) in [
            (0.0, "1970-01-01 00:00:00.000Z"),
            (951_782_400_000.0, "2000-02-29 00:00:00.000Z"),
            (951_868_799_999.0, "2000-02-29 23:59:59.999Z"),
            (1_700_000_000_000.0, "2023-11-14 22:13:20.000Z"),
            (4_107_542_400_000.0, "2100-03-01 00:00:00.000Z"),
            (-1.0, "1970-01-01 00:00:00.000Z"),
            (f64::INFINITY, "9999-12-31 23:59:59.999Z"),
            (f64::NAN, "1970-01-01 00:00:00.000Z"),
        ] {
            assert_eq!(instant(ms), text);
        }
    }
}
