//! The instruction table: one row per instruction, from which encoder, verifier, disassembler and dispatch derive.
//!
//! A word is `op:8 a:8 b:8 c:8 k:32`, low byte first. `a`, `b`, `c` name registers of the running function's window or small
//! numbers; `k` is an index or a jump target (a word offset in the program's one code array). No register is read that was not
//! written on every path to the word; the verifier holds the lowering to it. `Call` and `CallSpread` leave nothing usable in the registers
//! above `a`, `CallBuiltin` and `CallNative` nothing from `b` on but `a`: whoever is called may use them as its own.

/// What an operand means, and so what the verifier must check about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Not used: must be zero.
    None,
    /// A register that is written.
    Out,
    /// A register that is read.
    In,
    /// First of a run of registers; its length is the next operand (`Count`), or fixed (see the row).
    First,
    /// Registers `r`, `r+1`, `r+2`: a loop's state.
    Triple,
    /// How many registers the run before it has; may be zero.
    Count,
    /// A small unsigned number, or a flag.
    Small,
    /// A signed 8-bit number.
    Byte,
    /// A signed 32-bit number.
    Int,
    /// An index into the program's constants.
    Const,
    /// An index into the program's access sites.
    Site,
    /// An index into the program's object templates.
    Template,
    /// An index into the program's functions.
    Function,
    /// A module variable's slot.
    Global,
    /// An index into the running function's captures.
    Capture,
    /// A builtin's number in the library the program was compiled against.
    Builtin,
    /// A native's number in the registry.
    Native,
    /// An index into the program's `use` table.
    Use,
    /// A word offset inside the same function.
    Target,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct OpRow {
    /// Its name in disassembly.
    pub name: &'static str,
    /// Operands `a`, `b`, `c`, `k`.
    pub operands: [Operand; 4],
    /// Whether fuel is looked at here, so that no straight run without one grows long.
    pub checkpoint: bool,
    /// What it does.
    pub effect: &'static str,
}

macro_rules! ops {
    ($($name:ident ($a:ident $b:ident $c:ident $k:ident) $check:literal $effect:literal;)*) => {
        /// An instruction. Its number is its place in [`OPS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the table's rows say what each does")]
        pub enum Op { $($name),* }
        /// The table.
        pub const OPS: &[OpRow] = &[$(OpRow {
            name: stringify!($name),
            operands: [Operand::$a, Operand::$b, Operand::$c, Operand::$k],
            checkpoint: $check,
            effect: $effect,
        }),*];
        /// The numbers of the instructions, for dispatch by `match` on the low byte.
        #[allow(missing_docs, non_upper_case_globals, reason = "the table's rows say what each does")]
        pub mod number { $(pub const $name: u8 = super::Op::$name as u8;)* }
        const ALL: &[Op] = &[$(Op::$name),*];
    };
}

ops! {
    // ---- values into registers
    Move        (Out In None None)       false "a = b";
    Nil         (Out None None None)     false "a = nil";
    True        (Out None None None)     false "a = tru";
    False       (Out None None None)     false "a = fls";
    Int         (Out None None Int)      false "a = the number k";
    Const       (Out None None Const)    false "a = constant k";
    GetGlobal   (Out None None Global)   false "a = module variable k; one never assigned is looked up among names copied by use, else an error";
    SetGlobal   (In None None Global)    false "module variable k = a";
    GetCapture  (Out None None Capture)  false "a = capture k of the running closure (for a shared variable: its cell)";
    GetShared   (Out None None Capture)  false "a = what the cell in capture k of the running closure holds";
    SetShared   (In None None Capture)   false "the cell in capture k of the running closure now holds a";
    CellNew     (Out In None None)       false "a = a new cell that holds b";
    CellGet     (Out In None None)       false "a = what cell b holds";
    CellSet     (In In None None)        false "cell a now holds b";
    Unset       (Out None None None)     false "a = the unset mark: a variable that may be read before it is set starts so";
    NeedSet     (In None None Const)     false "error when a is the unset mark: the variable named by string constant k has no value yet";
    Builtin     (Out None None Builtin)  false "a = builtin k as a value";
    Native      (Out None None Native)   false "a = native k as a value";
    // ---- arithmetic
    Add         (Out In In None)         false "a = b + c";
    Sub         (Out In In None)         false "a = b - c";
    Mul         (Out In In None)         false "a = b * c";
    Div         (Out In In None)         false "a = b / c";
    Rem         (Out In In None)         false "a = b % c, sign of the divisor";
    AddI        (Out In Small Int)       false "a = b + k (a string b joins with k's text); c=1: k + b";
    SubI        (Out In None Int)        false "a = b - k";
    MulI        (Out In Small Int)       false "a = b * k; c=1: k * b";
    DivI        (Out In None Int)        false "a = b / k";
    RemI        (Out In None Int)        false "a = b % k";
    Neg         (Out In None None)       false "a = -b";
    Not         (Out In None None)       false "a = tru when b is falsy";
    Concat      (Out First Count None)   false "a = the texts of the c registers from b, joined (interpolation: any value, as prn shows it)";
    Lt          (Out In In None)         false "a = b < c";
    Le          (Out In In None)         false "a = b <= c";
    Eq          (Out In In None)         false "a = b == c, structural";
    Ne          (Out In In None)         false "a = b != c";
    // ---- control
    Jump        (None None None Target)  false "to k, forwards";
    JumpTrue    (In None None Target)    false "to k when a is truthy";
    JumpFalse   (In None None Target)    false "to k when a is falsy";
    JumpNil     (In None None Target)    false "to k when a is nil";
    JumpSet     (In None None Target)    false "to k when a holds an argument (an omitted one holds the unset mark)";
    JumpLt      (In In None Target)      false "to k when a < b";
    JumpLe      (In In None Target)      false "to k when a <= b";
    JumpEq      (In In None Target)      false "to k when a == b";
    JumpNe      (In In None Target)      false "to k when a != b";
    JumpIs      (In Small None Target)   false "to k when a is nil (b=0), fls (b=1), tru (b=2)";
    JumpIsNot   (In Small None Target)   false "to k when a is not nil (b=0), fls (b=1), tru (b=2)";
    JumpEqS     (In Const None Target)   false "to k when a is the short string constant b";
    JumpNeS     (In Const None Target)   false "to k when a is not the short string constant b";
    JumpLtI     (In Byte None Target)    false "to k when a < the number b";
    JumpLeI     (In Byte None Target)    false "to k when a <= the number b";
    JumpGtI     (In Byte None Target)    false "to k when a > the number b";
    JumpGeI     (In Byte None Target)    false "to k when a >= the number b";
    JumpEqI     (In Byte None Target)    false "to k when a == the number b";
    JumpNeI     (In Byte None Target)    false "to k when a != the number b";
    Loop        (None None None Target)  true  "back edge: one unit of fuel, then to k, backwards";
    LoopTrue    (In None None Target)    true  "back edge: one unit of fuel, then back to k when a is truthy";
    LoopLt      (In In None Target)      true  "back edge: one unit of fuel, then back to k when a < b";
    LoopLe      (In In None Target)      true  "back edge: one unit of fuel, then back to k when a <= b";
    LoopEq      (In In None Target)      true  "back edge: one unit of fuel, then back to k when a == b";
    LoopNe      (In In None Target)      true  "back edge: one unit of fuel, then back to k when a != b";
    LoopLtI     (In Byte None Target)    true  "back edge: one unit of fuel, then back to k when a < the number b";
    LoopLeI     (In Byte None Target)    true  "back edge: one unit of fuel, then back to k when a <= the number b";
    LoopGtI     (In Byte None Target)    true  "back edge: one unit of fuel, then back to k when a > the number b";
    LoopGeI     (In Byte None Target)    true  "back edge: one unit of fuel, then back to k when a >= the number b";
    LoopEqI     (In Byte None Target)    true  "back edge: one unit of fuel, then back to k when a == the number b";
    LoopNeI     (In Byte None Target)    true  "back edge: one unit of fuel, then back to k when a != the number b";
    Check       (None None None None)    true  "checkpoint that bills nothing, put into long straight code";
    ForPrep     (Triple Out Small Target) false "numeric loop over a..a+1 (c=1: right end left out): state a+2 = step, b = first value; to k when empty";
    ForLoop     (Triple Out Small Target) true  "next round: advance; when there is one: one unit of fuel, b = its value, back to k";
    IterNew     (Triple In None None)    false "loop over b: a = the source, a+1 and a+2 = position";
    IterNext    (Triple First Small Target) false "next round's values into b (and b+1 when c=2); to k when there is none";
    IterLoop    (Triple First Small Target) true "back edge: one unit of fuel; when there is a next round: its values into b (and b+1 when c=2), back to k";
    // ---- access
    GetIndex    (Out In In None)         false "a = b[c]";
    GetIndexI   (Out In None Int)        false "a = b[k]";
    GetIndexOr  (Out In In None)         false "a = b[c], nil when there is no such element";
    SetIndex    (In In In None)          false "a[b] = c";
    GetField    (Out In None Site)       false "a = b.name of site k";
    SetField    (In In None Site)        false "a.name of site k = b";
    // ---- making
    List        (Out First Count None)   false "a = a new list of the c registers from b";
    ListPush    (In First Count None)    false "append the c registers from b to list a";
    Push        (In In None Builtin)     true  "builtin k, which appends b to list a";
    ListSpread  (In In None None)        false "append the elements of list b to list a";
    ListTail    (Out In Small None)      false "a = a new list of b's elements from index c on";
    Object      (Out First None Template) false "a = a new object: keys of template k, values from b on";
    ObjectNew   (Out None None None)     false "a = {}";
    Range       (Out In In Int)          false "a = the list b..c (k=1: right end left out, empty when b >= c)";
    Closure     (Out None None Function) false "a = function k closed over what its captures name";
    // ---- calls
    Call        (First Count None None)  true  "a = a(a+1 .. a+b): the callee's registers start at a+1; one unit of fuel";
    CallSpread  (First Small None None)  true  "a = a(..list in a+1); b is 1";
    CallBuiltin (Out First Count Builtin) true "a = builtin k on the c registers from b";
    CallNative  (Out First Count Native) true  "a = native k on the c registers from b, through the doorway";
    Return      (In None None None)      true  "end of the function, with a";
    ReturnNil   (None None None None)    true  "end of the function, with nil";
    // ---- modules
    Use         (Out None None Use)      true  "a = the names of module k as a frozen object; runs the module when it has not run";
    UseAll      (In None None Use)       false "copy the names of a (made by Use k) into this module";
    // ---- patterns
    MatchList   (In Small Small Target)  false "to k unless a is a list of exactly b elements (c=1: at least b)";
    MatchObject (In None None Target)    false "to k unless a is an object";
    MatchNum    (In None None Target)    false "to k unless a is a number";
    HasKey      (Out In None Const)      false "a = whether object b has key k";
}

impl Op {
    /// Whether it goes back to its target, which is then a loop's head.
    #[must_use]
    pub const fn is_back_edge(self) -> bool {
        matches!(
            self,
            Self::Loop
                | Self::ForLoop
                | Self::IterLoop
                | Self::LoopTrue
                | Self::LoopLt
                | Self::LoopLe
                | Self::LoopEq
                | Self::LoopNe
                | Self::LoopLtI
                | Self::LoopLeI
                | Self::LoopGtI
                | Self::LoopGeI
                | Self::LoopEqI
                | Self::LoopNeI
        )
    }
    /// The instruction of a number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        ALL.get(number as usize).copied()
    }
    /// Its row.
    #[must_use]
    pub fn row(self) -> &'static OpRow {
        &OPS[self as usize]
    }
}

/// One instruction word.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Word(pub u64);

impl Word {
    /// Packs an instruction.
    #[must_use]
    pub const fn new(op: Op, a: u8, b: u8, c: u8, k: u32) -> Self {
        Self(op as u64 | (a as u64) << 8 | (b as u64) << 16 | (c as u64) << 24 | (k as u64) << 32)
    }
    /// Number of the instruction.
    #[must_use]
    pub const fn op(self) -> u8 {
        self.0 as u8
    }
    /// Operand `a`.
    #[must_use]
    pub const fn a(self) -> u8 {
        (self.0 >> 8) as u8
    }
    /// Operand `b`.
    #[must_use]
    pub const fn b(self) -> u8 {
        (self.0 >> 16) as u8
    }
    /// The same instruction with another `k`: a jump whose target became known.
    #[must_use]
    pub const fn with_k(self, k: u32) -> Self {
        Self(self.0 & 0xFFFF_FFFF | (k as u64) << 32)
    }
    /// Operand `c`.
    #[must_use]
    pub const fn c(self) -> u8 {
        (self.0 >> 24) as u8
    }
    /// Operand `k`.
    #[must_use]
    pub const fn k(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Op::from_number(self.op()) {
            Some(op) => write!(f, "{op:?} {} {} {} {}", self.a(), self.b(), self.c(), self.k() as i32),
            None => write!(f, "?{:#x}", self.0),
        }
    }
}
