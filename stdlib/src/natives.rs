//! The table of natives this build has.

use ilu_sbx::{NativeFn, Natives};

/// Canonical names and functions.
const ROWS: &[(&str, NativeFn)] = &[];

/// The functions behind the registry's rows. A row without one answers that it is not in this build.
#[must_use]
pub fn natives() -> Natives {
    Natives::new(ROWS)
}
