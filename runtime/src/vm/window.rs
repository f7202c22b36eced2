//! The registers of a running function: a window of the stack, taken anew at each call and return. Never charges, never fails otherwise than
//! by finding no room.

use super::WINDOW;
use crate::value::Value;
use ilu_lang::code::program::FunctionCode;

/// Registers of a frame.
pub(super) type Window = [Value; WINDOW];

/// The registers of the frame whose first one stands there.
#[inline(always)]
pub(super) fn window(stack: &mut [Value], base: usize) -> Option<&mut Window> {
    stack.get_mut(base..)?.first_chunk_mut::<WINDOW>()
}

/// What `JumpIs` compares with.
pub(super) const SPECIAL: [Value; 3] = [Value::NIL, Value::FALSE, Value::TRUE];

/// Registers that a call clears in one go.
const CLEARED: usize = 8;

/// Clears a callee's registers behind its `count` arguments: whatever it read before it wrote must be nil, never what another call left
/// there. Nothing above the callee's own registers is in use, so most calls clear a few more at once instead of counting.
#[inline(always)]
pub(super) fn clear(regs: &mut Window, count: u8, registers: u16) {
    let Some(rest) = regs.get_mut(count as usize..) else { return };
    match rest.first_chunk_mut::<CLEARED>() {
        Some(some) if (registers as usize) <= count as usize + CLEARED => *some = [Value::NIL; CLEARED],
        _ => {
            if let Some(own) = rest.get_mut(..(registers as usize).saturating_sub(count as usize)) {
                own.fill(Value::NIL);
            }
        }
    }
}

/// Whether a call with `count` arguments fits without defaults and rest.
#[inline(always)]
pub(super) fn exact(function: &FunctionCode, count: u8) -> bool {
    function.required == count && function.optional == 0 && !function.rest
}
