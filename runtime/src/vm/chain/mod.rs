//! The fast loop: one small function per instruction, each of which ends by calling the next one's.
//!
//! A handler does the common case of its instruction and then looks up the next word's handler in a table and calls it, in tail position.
//! An optimising compiler makes a jump of such a call, so that what the interpreter needs most stays in the processor's registers: the
//! window, the code, the word, its place. Nothing here relies on that jump: a *chain* is given fuel for [`CHAIN`] checkpoints, the verifier sees to it
//! that at most [`MAX_STRAIGHT`] words lie between two of them, and then the chain returns to [`Vm::fast`], which starts the next one. So the native stack holds a thousand small frames at worst, whatever a script does.
//! *Stepped*, a handler returns after its own instruction: the same handlers without a chain, which tests hold against it.
//!
//! A handler that leaves for the general path (`super::slow`: other types, a refused charge, another authority, an error) has changed nothing.
//! Nothing here is unsafe, words an error, or recurses otherwise than said.

mod access;
mod call;
mod jump;
mod make;
mod number;
mod repeat;
mod value;

use super::Vm;
use super::frame::Frame;
use super::window::{Window, window};
use crate::builtin::BuiltinRow;
use crate::heap::{Heap, Store, Unit, UnitId, Units};
use crate::value::{FunctionId, Value};
use ilu_lang::code::op::{Word, number as op};
use ilu_lang::code::program::MAX_STRAIGHT;
use ilu_sbx::SbxId;
use std::cell::Cell;

/// Checkpoints in one chain: fewer where frames are large and no call becomes a jump.
const CHAIN: i64 = if cfg!(debug_assertions) { 4 } else { 16 };

/// The frames that a chain puts on the native stack when no call becomes a jump: a few hundred bytes each.
const _: () = assert!(CHAIN as usize * MAX_STRAIGHT <= 1024);

/// Why the fast loop was left. The running frame's `pc` is up to date.
#[derive(Debug)]
pub(super) enum Exit {
    /// The word before the frame's `pc` takes the general path.
    Slow(Word),
    /// The slice of fuel is used up; the frame's `pc` names the word that asked.
    Fuel,
    /// A frame with a boundary returned this.
    Return(Value),
    /// The verifier let something through that it must not.
    Broken(&'static str),
}

/// Why a chain ended; what belongs to it is in the state.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Next {
    /// The word at `pc` is next, in the running frame.
    Go,
    /// A function whose end is a boundary's business ended with `value`.
    Return,
    /// The chain's fuel is used up, before the word at `pc`.
    Fuel,
    /// `word`, before `pc`, takes the general path.
    Slow,
    /// See `broken`.
    Broken,
}

/// What handlers work on beside the registers.
struct State<'h> {
    heap: &'h mut Store,
    units: &'h Units,
    /// Whose code is running.
    unit: &'h Unit,
    unit_id: UnitId,
    stack: &'h [Cell<Value>],
    frames: &'h mut Vec<Frame>,
    frame_room: usize,
    /// First register of the running frame.
    base: usize,
    closure: FunctionId,
    /// The `SbxId`, in a width of its own: read from a frame in one go with its neighbour, which was written apart from it, it would have to
    /// wait for both writes to reach the cache.
    authority: u64,
    /// Fuel left of the chain's.
    fuel: i64,
    /// Fuel left beyond that: of the slice, and of the account.
    beyond: i64,
    builtins: &'static [BuiltinRow],
    /// Where the next chain begins.
    pc: usize,
    word: Word,
    value: Value,
    broken: &'static str,
}

impl State<'_> {
    #[inline(always)]
    fn authority(&self) -> SbxId {
        SbxId(self.authority as u32)
    }
}

/// A handler. The order of its parameters is chosen for the processor's: the word comes in a register whose second byte can be read.
type Handler = for<'a, 'h> fn(&'a mut State<'h>, &'h Window, Word, usize, &'h [Word]) -> Next;

/// An instruction being executed. `pc` is the place after its word.
struct At<'a, 'h, const CHAINED: bool> {
    s: &'a mut State<'h>,
    regs: &'h Window,
    word: Word,
    pc: usize,
    code: &'h [Word],
}

impl<const CHAINED: bool> At<'_, '_, CHAINED> {
    /// Register `a`.
    #[inline(always)]
    fn a(&self) -> Value {
        self.regs[self.word.a() as usize].get()
    }
    #[inline(always)]
    fn b(&self) -> Value {
        self.regs[self.word.b() as usize].get()
    }
    #[inline(always)]
    fn c(&self) -> Value {
        self.regs[self.word.c() as usize].get()
    }
    #[inline(always)]
    fn k(&self) -> usize {
        self.word.k() as usize
    }
    /// Register `a`, or one of the two after it: a loop's state.
    #[inline(always)]
    fn part(&self, of: u8) -> &Cell<Value> {
        &self.regs[self.word.a().wrapping_add(of) as usize]
    }
    /// Writes register `a` and goes on.
    #[inline(always)]
    fn set(self, value: Value) -> Next {
        self.regs[self.word.a() as usize].set(value);
        self.next()
    }
    /// The next word.
    #[inline(always)]
    fn next(self) -> Next {
        if !CHAINED {
            self.s.pc = self.pc;
            return Next::Go;
        }
        match self.code.get(self.pc) {
            Some(&word) => (CHAINED_TABLE[word.op() as usize])(self.s, self.regs, word, self.pc + 1, self.code),
            None => broken(self.s, "code ran out"),
        }
    }
    /// The word at `k`.
    #[inline(always)]
    fn jump(self) -> Next {
        let target = self.k();
        if !CHAINED {
            self.s.pc = target;
            return Next::Go;
        }
        // An end of its own keeps the jump a branch, which the processor predicts; a conditional move would have to wait.
        match self.code.get(target) {
            Some(&word) => (CHAINED_TABLE[word.op() as usize])(self.s, self.regs, word, target + 1, self.code),
            None => broken(self.s, "a jump out of the code"),
        }
    }
    /// Jumps or goes on.
    #[inline(always)]
    fn jump_if(self, condition: bool) -> Next {
        if condition { self.jump() } else { self.next() }
    }
    /// The general path.
    #[inline(always)]
    fn slow(self) -> Next {
        slow(self.s, self.word, self.pc)
    }
    #[inline(always)]
    fn broken(self, what: &'static str) -> Next {
        broken(self.s, what)
    }
    /// Whether a unit of fuel was left; it is billed then.
    #[inline(always)]
    fn bill(&mut self) -> bool {
        if self.s.fuel <= 0 {
            return false;
        }
        self.s.fuel -= 1;
        true
    }
    /// The chain ends before this word, for lack of fuel.
    #[inline(always)]
    fn dry(self) -> Next {
        dry(self.s, self.pc)
    }
}

/// The end of a chain. What the compiler knows of a result it fills in at the place of the call, which then is no jump any more, and every
/// handler with such a call would have to save registers.
#[inline(always)]
fn end(next: Next) -> Next {
    std::hint::black_box(next)
}

/// What is not worth its room in a handler, as a function of the same form, called in tail position: a call in the middle would cost the
/// common case the saving of registers.
macro_rules! aside {
    ($m:expr, $chained:ident, |$n:ident| $body:expr) => {{
        #[inline(never)]
        fn aside<'h, const $chained: bool>(
            s: &mut $crate::vm::chain::State<'h>,
            regs: &'h $crate::vm::window::Window,
            word: ilu_lang::code::op::Word,
            pc: usize,
            code: &'h [ilu_lang::code::op::Word],
        ) -> $crate::vm::chain::Next {
            #[allow(unused_mut)]
            let mut $n = $crate::vm::chain::At::<$chained> { s, regs, word, pc, code };
            $body
        }
        let m = $m;
        aside::<$chained>(m.s, m.regs, m.word, m.pc, m.code)
    }};
}
use aside;

#[cold]
#[inline(never)]
fn slow(s: &mut State<'_>, word: Word, pc: usize) -> Next {
    (s.word, s.pc) = (word, pc);
    end(Next::Slow)
}

#[cold]
#[inline(never)]
fn broken(s: &mut State<'_>, what: &'static str) -> Next {
    s.broken = what;
    end(Next::Broken)
}

#[inline(never)]
fn dry(s: &mut State<'_>, pc: usize) -> Next {
    s.pc = pc - 1;
    end(Next::Fuel)
}

fn general<const CHAINED: bool>(at: At<'_, '_, CHAINED>) -> Next {
    at.slow()
}

macro_rules! table {
    ($($name:ident => $body:path;)*) => {
        const fn handlers<const CHAINED: bool>() -> [Handler; 256] {
            fn other<'h, const CHAINED: bool>(s: &mut State<'h>, regs: &'h Window, word: Word, pc: usize, code: &'h [Word]) -> Next {
                general(At::<CHAINED> { s, regs, word, pc, code })
            }
            let mut table: [Handler; 256] = [other::<CHAINED>; 256];
            $({
                fn handler<'h, const CHAINED: bool>(s: &mut State<'h>, regs: &'h Window, word: Word, pc: usize, code: &'h [Word]) -> Next {
                    $body(At::<CHAINED> { s, regs, word, pc, code })
                }
                table[op::$name as usize] = handler::<CHAINED>;
            })*
            table
        }
    };
}

table! {
    Move => value::copy;
    Nil => value::nil;
    True => value::yes;
    False => value::no;
    Int => value::int;
    Const => value::constant;
    GetGlobal => value::global;
    SetGlobal => value::set_global;
    GetCapture => value::capture;
    GetShared => value::shared;
    SetShared => value::set_shared;
    CellNew => value::cell_new;
    CellGet => value::cell;
    CellSet => value::set_cell;
    Unset => value::unset;
    NeedSet => value::need_set;
    Builtin => value::builtin;
    Native => value::native;
    Add => number::add;
    Sub => number::sub;
    Mul => number::mul;
    Div => number::div;
    Rem => number::rem;
    AddI => number::add_int;
    SubI => number::sub_int;
    MulI => number::mul_int;
    DivI => number::div_int;
    RemI => number::rem_int;
    Neg => number::neg;
    Not => number::not;
    Lt => number::lt;
    Le => number::le;
    Eq => number::eq;
    Ne => number::ne;
    Jump => jump::always;
    JumpTrue => jump::if_true;
    JumpFalse => jump::if_false;
    JumpNil => jump::if_nil;
    JumpSet => jump::if_set;
    JumpLt => jump::lt;
    JumpLe => jump::le;
    JumpEq => jump::eq;
    JumpNe => jump::ne;
    JumpIs => jump::is;
    JumpIsNot => jump::is_not;
    JumpEqS => jump::eq_text;
    JumpNeS => jump::ne_text;
    JumpLtI => jump::lt_int;
    JumpLeI => jump::le_int;
    JumpGtI => jump::gt_int;
    JumpGeI => jump::ge_int;
    JumpEqI => jump::eq_int;
    JumpNeI => jump::ne_int;
    MatchList => jump::unless_list;
    MatchObject => jump::unless_object;
    MatchNum => jump::unless_num;
    Loop => repeat::always;
    LoopTrue => repeat::if_true;
    LoopLt => repeat::lt;
    LoopLe => repeat::le;
    LoopEq => repeat::eq;
    LoopNe => repeat::ne;
    LoopLtI => repeat::lt_int;
    LoopLeI => repeat::le_int;
    LoopGtI => repeat::gt_int;
    LoopGeI => repeat::ge_int;
    LoopEqI => repeat::eq_int;
    LoopNeI => repeat::ne_int;
    Check => repeat::check;
    ForPrep => repeat::for_prep;
    ForLoop => repeat::for_loop;
    IterNext => repeat::iter_next;
    IterLoop => repeat::iter_loop;
    GetIndex => access::index;
    GetIndexI => access::index_int;
    SetIndex => access::set_index;
    GetField => access::field;
    SetField => access::set_field;
    List => make::list;
    Push => make::push;
    Object => make::object;
    ObjectNew => make::object_new;
    Call => call::call;
    Return => call::give_back;
    ReturnNil => call::give_back_nil;
    CallBuiltin => call::builtin;
}

static CHAINED_TABLE: [Handler; 256] = handlers::<true>();
static STEPPED_TABLE: [Handler; 256] = handlers::<false>();

impl Vm {
    /// Runs from the topmost frame until something needs the general path.
    #[inline(never)]
    pub(super) fn fast(&mut self) -> Exit {
        let table = if self.stepped { &STEPPED_TABLE } else { &CHAINED_TABLE };
        let Vm { heap: Heap { store, units }, stack, frames, fuel, reserve, frame_room, builtins, .. } = self;
        let Some(&Frame { pc, base, unit: unit_id, closure, authority, .. }) = frames.last() else { return Exit::Broken("no frame") };
        let Some(unit) = units.get(unit_id) else { return Exit::Broken("a running unit was collected") };
        let (reserve, slice) = (*reserve, *fuel);
        let mut s = State {
            heap: store,
            units,
            unit,
            unit_id,
            stack: Cell::from_mut(stack.as_mut_slice()).as_slice_of_cells(),
            frames,
            frame_room: *frame_room,
            base: base as usize,
            closure,
            authority: u64::from(authority.0),
            fuel: 0,
            beyond: slice + reserve,
            builtins,
            pc: pc as usize,
            word: Word(0),
            value: Value::NIL,
            broken: "",
        };
        let exit = loop {
            // A chain gets its part of what the slice has left; what another one overdrew is taken from that.
            let left = s.fuel + s.beyond - reserve;
            let (part, rest) = (left.min(CHAIN), left - left.min(CHAIN));
            (s.fuel, s.beyond) = (part, rest + reserve);
            let code = s.unit.program.code.as_slice();
            let (Some(&word), Some(regs)) = (code.get(s.pc), window(s.stack, s.base)) else {
                break Exit::Broken("code or registers ran out");
            };
            let after = s.pc + 1;
            match (table[word.op() as usize])(&mut s, regs, word, after, code) {
                Next::Go => {}
                Next::Fuel if part > 0 => {}
                Next::Fuel => break Exit::Fuel,
                Next::Slow => break Exit::Slow(s.word),
                Next::Return => break Exit::Return(s.value),
                Next::Broken => break Exit::Broken(s.broken),
            }
        };
        *fuel = s.fuel + s.beyond - reserve;
        let pc = s.pc;
        if let Some(frame) = frames.last_mut() {
            frame.pc = pc as u32;
        }
        exit
    }
}
