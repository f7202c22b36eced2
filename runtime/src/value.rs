//! What a value *is*.
//!
//! Eight bytes. A number is its own IEEE bits. Everything else lives in the part of the NaN space that no arithmetic produces, from
//! `0xFFF9` in the top 16 bits up: the tag says the kind, the low 32 bits are an index into that kind's slab, never an address. So a
//! wrong index can give a wrong value at worst, and `from_bits` is ordinary safe code. For this to hold every NaN is replaced by
//! the canonical one when a number is made ([`Value::num`]): a NaN chosen from outside must not be able to spell a handle.

/// A value of the language.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value(u64);

const SPECIAL: u64 = 0xFFF9;
const STR: u64 = 0xFFFA;
const LIST: u64 = 0xFFFB;
const OBJECT: u64 = 0xFFFC;
const FUNCTION: u64 = 0xFFFD;
const OTHER: u64 = 0xFFFE;
const CALLABLE: u64 = 0xFFFF;
const FIRST_TAGGED: u64 = SPECIAL << 48;

/// Of a callable: bits 0..15 are its number, bit 15 says that it is a native, bits 16..48 are the sandbox it was named in.
const NUMBER: u32 = 0x7FFF;
const NATIVE: u64 = 0x8000;

/// Kinds that share the tag `OTHER`, told apart by bits 32..40.
const BYTES: u64 = 0;
const CELL: u64 = 1;
const HANDLE: u64 = 2;
const SANDBOX: u64 = 3;
const METHOD: u64 = 4;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
    )*};
}
ids! {
    /// A string on the heap.
    StrId,
    /// A list on the heap.
    ListId,
    /// An object on the heap.
    ObjectId,
    /// A function on the heap.
    FunctionId,
    /// Bytes on the heap.
    BytesId,
    /// A shared variable on the heap.
    CellId,
    /// An open resource on the heap (which holds its `HandleId` in the realm).
    HandleRef,
    /// A sandbox on the heap (which holds its `SbxId` in the realm).
    SandboxRef,
    /// A method of an open resource on the heap.
    MethodRef,
}

/// A value taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Num(f64),
    /// `nil`
    Nil,
    /// `tru`, `fls`
    Bool(bool),
    /// The mark of an argument that was not given or a variable never assigned; scripts never see it.
    Unset,
    /// A string.
    Str(StrId),
    /// A list.
    List(ListId),
    /// An object.
    Object(ObjectId),
    /// A function made by the script.
    Function(FunctionId),
    /// Bytes.
    Bytes(BytesId),
    /// A shared variable; scripts never see it.
    Cell(CellId),
    /// An open resource.
    Handle(HandleRef),
    /// A sandbox.
    Sandbox(SandboxRef),
    /// A method of an open resource: a native and its first argument.
    Method(MethodRef),
    /// A builtin by its number in the library.
    Builtin(u32),
    /// A native by its number in the registry.
    Native(u32),
}

impl Value {
    /// `nil`
    pub const NIL: Self = Self(FIRST_TAGGED);
    /// `fls`
    pub const FALSE: Self = Self(FIRST_TAGGED | 2);
    /// `tru`
    pub const TRUE: Self = Self(FIRST_TAGGED | 3);
    /// See [`Kind::Unset`].
    pub const UNSET: Self = Self(FIRST_TAGGED | 4);

    /// A number. Any NaN becomes the canonical one.
    #[inline]
    #[must_use]
    pub fn num(number: f64) -> Self {
        if number.is_nan() { Self(f64::NAN.to_bits() & !(1 << 63)) } else { Self(number.to_bits()) }
    }
    /// A number, unless it is infinite or none: what arithmetic gives when nothing overflowed.
    #[inline]
    #[must_use]
    pub const fn finite(number: f64) -> Option<Self> {
        // One comparison: without the sign, what is finite comes before what is not.
        if number.to_bits() << 1 < f64::INFINITY.to_bits() << 1 { Some(Self(number.to_bits())) } else { None }
    }
    /// A boolean.
    #[inline]
    #[must_use]
    pub const fn bool(truth: bool) -> Self {
        if truth { Self::TRUE } else { Self::FALSE }
    }
    const fn tagged(tag: u64, index: u32) -> Self {
        Self(tag << 48 | index as u64)
    }
    const fn other(kind: u64, index: u32) -> Self {
        Self(OTHER << 48 | kind << 32 | index as u64)
    }
    /// A builtin.
    #[must_use]
    pub const fn builtin(number: u32) -> Self {
        Self(CALLABLE << 48 | (number & NUMBER) as u64)
    }
    /// A native.
    #[must_use]
    pub const fn native(number: u32) -> Self {
        Self(CALLABLE << 48 | NATIVE | (number & NUMBER) as u64)
    }
    /// A builtin or native as it is named in a sandbox, by the sandbox's number: it carries that, as a function carries its home.
    #[inline]
    #[must_use]
    pub const fn named_in(self, home: u32) -> Self {
        Self(self.0 & !0xFFFF_FFFF_0000 | (home as u64) << 16)
    }
    /// The sandbox a builtin or native was named in; 0 for none.
    #[must_use]
    pub const fn home(self) -> u32 {
        (self.0 >> 16) as u32
    }
    /// Its 64 bits; equal bits are the same value.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
    /// Whether it is a number.
    #[inline]
    #[must_use]
    pub const fn is_num(self) -> bool {
        self.0 < FIRST_TAGGED
    }
    /// The number it is; for everything else a NaN, with which arithmetic gives another and every comparison fails.
    #[inline]
    #[must_use]
    pub const fn float(self) -> f64 {
        f64::from_bits(self.0)
    }
    /// Whether it is nil, a boolean or the unset mark.
    #[inline]
    #[must_use]
    pub const fn is_special(self) -> bool {
        self.0 >> 48 == SPECIAL
    }
    /// The number it is.
    #[inline]
    #[must_use]
    pub const fn as_num(self) -> Option<f64> {
        if self.is_num() { Some(f64::from_bits(self.0)) } else { None }
    }
    /// The list it is.
    #[inline]
    #[must_use]
    pub const fn as_list(self) -> Option<ListId> {
        if self.0 >> 48 == LIST { Some(ListId(self.0 as u32)) } else { None }
    }
    /// The object it is.
    #[inline]
    #[must_use]
    pub const fn as_object(self) -> Option<ObjectId> {
        if self.0 >> 48 == OBJECT { Some(ObjectId(self.0 as u32)) } else { None }
    }
    /// The string it is.
    #[inline]
    #[must_use]
    pub const fn as_str(self) -> Option<StrId> {
        if self.0 >> 48 == STR { Some(StrId(self.0 as u32)) } else { None }
    }
    /// The function it is.
    #[inline]
    #[must_use]
    pub const fn as_function(self) -> Option<FunctionId> {
        if self.0 >> 48 == FUNCTION { Some(FunctionId(self.0 as u32)) } else { None }
    }
    /// The shared variable it is.
    #[inline]
    #[must_use]
    pub const fn as_cell(self) -> Option<CellId> {
        if self.0 >> 32 == OTHER << 16 | CELL { Some(CellId(self.0 as u32)) } else { None }
    }
    /// Taken apart.
    #[inline]
    #[must_use]
    pub const fn kind(self) -> Kind {
        if self.is_num() {
            return Kind::Num(f64::from_bits(self.0));
        }
        let index = self.0 as u32;
        match self.0 >> 48 {
            STR => Kind::Str(StrId(index)),
            LIST => Kind::List(ListId(index)),
            OBJECT => Kind::Object(ObjectId(index)),
            FUNCTION => Kind::Function(FunctionId(index)),
            OTHER => match self.0 >> 32 & 0xFF {
                BYTES => Kind::Bytes(BytesId(index)),
                CELL => Kind::Cell(CellId(index)),
                HANDLE => Kind::Handle(HandleRef(index)),
                SANDBOX => Kind::Sandbox(SandboxRef(index)),
                _ => Kind::Method(MethodRef(index)),
            },
            CALLABLE if self.0 & NATIVE != 0 => Kind::Native(index & NUMBER),
            CALLABLE => Kind::Builtin(index & NUMBER),
            _ => match index {
                2 => Kind::Bool(false),
                3 => Kind::Bool(true),
                4 => Kind::Unset,
                _ => Kind::Nil,
            },
        }
    }
}

macro_rules! from_ids {
    ($($id:ident => $make:expr;)*) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                #[allow(clippy::redundant_closure_call, reason = "one row per kind")]
                ($make)(id.0)
            }
        }
    )*};
}
from_ids! {
    StrId => |index| Value::tagged(STR, index);
    ListId => |index| Value::tagged(LIST, index);
    ObjectId => |index| Value::tagged(OBJECT, index);
    FunctionId => |index| Value::tagged(FUNCTION, index);
    BytesId => |index| Value::other(BYTES, index);
    CellId => |index| Value::other(CELL, index);
    HandleRef => |index| Value::other(HANDLE, index);
    SandboxRef => |index| Value::other(SANDBOX, index);
    MethodRef => |index| Value::other(METHOD, index);
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_from_outside_cannot_spell_a_handle() {
        for bits in [0xFFF9_0000_0000_0003u64, 0xFFFF_0001_0000_0000, 0xFFFA_0000_0000_0001, 0x7FF8_0000_0000_0001] {
            let value = Value::num(f64::from_bits(bits));
            assert!(value.is_num(), "{bits:#x}");
        }
    }

    #[test]
    fn every_kind_comes_apart_as_it_was_made() {
        assert_eq!(Value::from(StrId(7)).kind(), Kind::Str(StrId(7)));
        assert_eq!(Value::from(SandboxRef(u32::MAX)).kind(), Kind::Sandbox(SandboxRef(u32::MAX)));
        assert_eq!(Value::from(MethodRef(3)).kind(), Kind::Method(MethodRef(3)));
        assert_eq!(Value::native(9).kind(), Kind::Native(9));
        assert_eq!(Value::builtin(9).kind(), Kind::Builtin(9));
        for callable in [Value::native(9), Value::builtin(9)] {
            assert_eq!((callable.home(), callable.named_in(u32::MAX).home()), (0, u32::MAX));
            assert_eq!(callable.named_in(7).kind(), callable.kind());
            assert_eq!(callable.named_in(7).named_in(0), callable);
        }
        assert_eq!(Value::num(-0.5).kind(), Kind::Num(-0.5));
        for (value, kind) in
            [(Value::NIL, Kind::Nil), (Value::TRUE, Kind::Bool(true)), (Value::FALSE, Kind::Bool(false)), (Value::UNSET, Kind::Unset)]
        {
            assert_eq!(value.kind(), kind);
        }
    }
}
