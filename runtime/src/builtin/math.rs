//! Numbers. What would not be a finite number is an error.

use super::support::row;
use super::{BuiltinRow, Cx, Fault};
use crate::heap;
use crate::value::Value;

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__mth_floor", (1, 1), |cx, args| one(cx, args, "mth.floor", f64::floor), "The whole number below."),
    row("__mth_ceil", (1, 1), |cx, args| one(cx, args, "mth.ceil", f64::ceil), "The whole number above."),
    row("__mth_round", (1, 1), |cx, args| one(cx, args, "mth.round", f64::round), "The nearest whole number, halves away from zero."),
    row("__mth_sqrt", (1, 1), |cx, args| one(cx, args, "mth.sqrt", f64::sqrt), "The square root."),
    row("__mth_exp", (1, 1), |cx, args| one(cx, args, "mth.exp", f64::exp), "e to the power of a number."),
    row("__mth_log", (1, 1), |cx, args| one(cx, args, "mth.log", f64::ln), "The natural logarithm."),
    row("__mth_sin", (1, 1), |cx, args| one(cx, args, "mth.sin", f64::sin), "The sine of an angle in radians."),
    row("__mth_cos", (1, 1), |cx, args| one(cx, args, "mth.cos", f64::cos), "The cosine of an angle in radians."),
    row("__mth_pow", (2, 2), pow, "A number to the power of another."),
];

fn one(cx: &mut Cx<'_>, args: &[Value], who: &str, function: fn(f64) -> f64) -> Result<Value, Fault> {
    let x = cx.num_arg(args, 0, who)?;
    finite(function(x), who, &[x])
}

fn pow(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (x, y) = (cx.num_arg(args, 0, "mth.pow")?, cx.num_arg(args, 1, "mth.pow")?);
    finite(x.powf(y), "mth.pow", &[x, y])
}

fn finite(result: f64, who: &str, of: &[f64]) -> Result<Value, Fault> {
    if result.is_finite() {
        return Ok(Value::num(result));
    }
    let of: Vec<String> = of.iter().map(|number| heap::number(*number)).collect();
    Err(Fault::Message(format!("{who}({}) is not a finite number", of.join(", "))))
}
