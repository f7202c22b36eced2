//! Reading a native's arguments.

use crate::plain::Arg;
use crate::stop::Stop;

/// Largest whole number that a double holds exactly, and so the largest count or offset a script can name.
pub const MAX_WHOLE: u64 = 1 << 53;

/// A number as a count: finite, whole, not negative. What is not finite has no fraction that is 0.
#[must_use]
pub fn whole(n: f64) -> Option<u64> {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range has been checked")]
    (n.fract() == 0.0 && (0.0..=MAX_WHOLE as f64).contains(&n)).then_some(n as u64)
}

/// An object of options: each key known, each value of the right kind.
#[derive(Debug)]
pub struct Options<'a, 'b> {
    native: &'static str,
    fields: &'b [(&'a str, Arg<'a>)],
}

impl<'a, 'b> Options<'a, 'b> {
    /// Takes an optional argument apart.
    ///
    /// # Errors
    /// It is no object, or has a key that is not among the known.
    pub fn new(native: &'static str, arg: Option<&'b Arg<'a>>, known: &[&'static str]) -> Result<Options<'a, 'b>, Stop> {
        let fields: &[(&str, Arg<'_>)] = match arg {
            None | Some(Arg::Nil) => &[],
            Some(Arg::Object(fields)) => fields,
            Some(other) => return Err(Stop::Failed(format!("{native}: options are an obj, got {}", other.type_name()))),
        };
        for (key, _) in fields {
            if !known.contains(key) {
                let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Stop::Failed(format!("{native}: no option {}; it has: {list}", crate::denial::quote(key))));
            }
        }
        Ok(Options { native, fields })
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'b Arg<'a>> {
        // Of a repeated key the last one counts, as in the language's own objects.
        self.fields.iter().rev().find(|(k, _)| *k == key).map(|(_, value)| value).filter(|value| !matches!(value, Arg::Nil))
    }

    /// A switch, off when absent.
    ///
    /// # Errors
    /// It is no boolean.
    pub fn flag(&self, key: &str) -> Result<bool, Stop> {
        match self.get(key) {
            None => Ok(false),
            Some(Arg::Bool(on)) => Ok(*on),
            Some(other) => Err(Stop::Failed(format!("{}: option {key} is tru or fls, got {}", self.native, other.type_name()))),
        }
    }

    /// A count.
    ///
    /// # Errors
    /// It is no whole number from 0.
    pub fn count(&self, key: &str) -> Result<Option<u64>, Stop> {
        match self.get(key) {
            None => Ok(None),
            Some(Arg::Num(n)) => {
                whole(*n).map(Some).ok_or_else(|| Stop::Failed(format!("{}: option {key} is a whole number from 0", self.native)))
            }
            Some(other) => Err(Stop::Failed(format!("{}: option {key} is a whole number, got {}", self.native, other.type_name()))),
        }
    }
}
