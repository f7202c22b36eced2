//! Digests for `cry`: of text (its UTF-8) or bytes, as hex digits. Fed piece by piece, so that fuel and the clock are looked at on the way.

use super::support::{arg, row};
use super::{BuiltinRow, Cx, Fault};
use crate::heap::Store;
use crate::value::{Kind, Value};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__cry_sha256", (1, 1), sha256, "The SHA-256 of text or bytes, in hex digits."),
    row("__cry_sha512", (1, 1), sha512, "The SHA-512 of text or bytes, in hex digits."),
    row("__cry_hmac", (2, 2), hmac, "The HMAC-SHA-256 of text or bytes under a key, in hex digits."),
    row("__cry_eq", (2, 2), equal, "Whether two texts or bytes are equal, in a time that does not tell where they differ."),
];

/// Bytes between two payments.
const PIECE: usize = 64 << 10;

fn raw(heap: &Store, value: Value) -> Option<&[u8]> {
    match value.kind() {
        Kind::Str(id) => Some(heap.str(id).as_bytes()),
        Kind::Bytes(id) => Some(heap.bytes(id)),
        _ => None,
    }
}

/// Pays for each piece of an argument and hands it on.
fn fed(cx: &mut Cx<'_>, args: &[Value], at: usize, who: &str, mut take: impl FnMut(&[u8])) -> Result<(), Fault> {
    let value = arg(args, at);
    let Some(length) = raw(cx.heap, value).map(<[u8]>::len) else { return Err(cx.wrong(who, "a string or bytes", value)) };
    let mut from = 0;
    loop {
        let until = (from + PIECE).min(length);
        cx.spend_text(until - from)?;
        take(raw(cx.heap, value).and_then(|bytes| bytes.get(from..until)).unwrap_or_default());
        if until == length {
            return Ok(());
        }
        from = until;
    }
}

fn hex(cx: &mut Cx<'_>, digest: &[u8]) -> Result<Value, Fault> {
    cx.build(2 * digest.len(), |_, out| {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
        digest.iter().for_each(|byte| out.extend([digit(byte >> 4), digit(byte & 15)]));
    })
}

fn sha256(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let mut digest = Sha256::new();
    fed(cx, args, 0, "cry.sha256", |bytes| digest.update(bytes))?;
    hex(cx, &digest.finalize())
}

fn sha512(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let mut digest = Sha512::new();
    fed(cx, args, 0, "cry.sha512", |bytes| digest.update(bytes))?;
    hex(cx, &digest.finalize())
}

fn hmac(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    // A key that is longer than a block stands for its digest: so says the standard, and so no copy of it is needed.
    let key = arg(args, 0);
    let length = raw(cx.heap, key).map_or(0, <[u8]>::len);
    let mut digest = Sha256::new();
    fed(cx, args, 0, "cry.hmac", |bytes| digest.update(bytes))?;
    let digest = digest.finalize();
    let short = match raw(cx.heap, key) {
        Some(bytes) if length <= 64 => bytes,
        _ => digest.as_slice(),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(short).map_err(|_| Fault::Broken("a key of any length is one"))?;
    fed(cx, args, 1, "cry.hmac", |bytes| mac.update(bytes))?;
    hex(cx, &mac.finalize().into_bytes())
}

fn equal(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (a, b) = (arg(args, 0), arg(args, 1));
    for value in [a, b] {
        let Some(length) = raw(cx.heap, value).map(<[u8]>::len) else { return Err(cx.wrong("cry.eq", "strings or bytes", value)) };
        cx.spend_text(length)?;
    }
    let (Some(a), Some(b)) = (raw(cx.heap, a), raw(cx.heap, b)) else { return Ok(Value::FALSE) };
    let differs = a.iter().zip(b).fold(u8::from(a.len() != b.len()), |differs, (a, b)| differs | (a ^ b));
    Ok(Value::bool(std::hint::black_box(differs) == 0))
}
