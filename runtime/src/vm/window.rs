//! The registers of a running function: a window of the stack, taken anew at each call and return. Never charges, never fails otherwise than
//! by finding no room. They are cells, because a caller's window and its callee's overlap.

use super::WINDOW;
use crate::value::Value;
use ilu_lang::code::program::FunctionCode;
use std::cell::Cell;

/// Registers of a frame.
pub(super) type Window = [Cell<Value>; WINDOW];

/// The registers of the frame whose first one stands there.
#[inline(always)]
pub(super) fn window(stack: &[Cell<Value>], base: usize) -> Option<&Window> {
    stack.get(base..)?.first_chunk::<WINDOW>()
}

/// What `JumpIs` compares with.
pub(super) const SPECIAL: [Value; 3] = [Value::NIL, Value::FALSE, Value::TRUE];

/// Registers that a call clears in one go.
const CLEARED: usize = 8;

/// Clears a callee's registers behind its `count` arguments: whatever it read before it wrote must be nil, never what another call left
/// there. Nothing above the callee's own registers is in use, so most calls clear a few more at once instead of counting.
#[inline(always)]
pub(super) fn clear(regs: &Window, count: u8, registers: u16) {
    let Some(rest) = regs.get(count as usize..) else { return };
    match rest.first_chunk::<CLEARED>() {
        Some(some) if (registers as usize) <= count as usize + CLEARED => some.iter().for_each(|register| register.set(Value::NIL)),
        _ => {
            if let Some(own) = rest.get(..(registers as usize).saturating_sub(count as usize)) {
                own.iter().for_each(|register| register.set(Value::NIL));
            }
        }
    }
}

/// Whether a call with `count` arguments fits without defaults and rest.
#[inline(always)]
pub(super) fn exact(function: &FunctionCode, count: u8) -> bool {
    // One branch for all three.
    (function.required ^ count) | function.optional | u8::from(function.rest) == 0
}
