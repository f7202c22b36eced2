//! Between text and bytes, and the encodings that carry bytes as text: base64, hex, percent-encoding, code points.
//!
//! What is encoded may be text (its UTF-8 is meant) or bytes. Decoding is strict: what no encoder writes is an error that names the byte of the
//! input, so that no two texts stand for the same bytes but by the case of hex digits or an escape that was not needed.

use super::support::{arg, row};
use super::{BuiltinRow, Cx, Fault};
use crate::heap::{Full, Store};
use crate::value::{Kind, Value};
use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__enc_utf8", (1, 1), utf8, "The bytes of a text, as UTF-8."),
    row("__enc_text", (1, 1), text, "The text that bytes are, as UTF-8; an error when they are not."),
    row("__enc_b64", (1, 1), base64_of, "Text or bytes in base64."),
    row("__enc_ub64", (1, 1), base64_to, "The bytes that base64 stands for."),
    row("__enc_hex", (1, 1), hex_of, "Text or bytes in hex digits."),
    row("__enc_uhx", (1, 1), hex_to, "The bytes that hex digits stand for."),
    row("__enc_ue", (1, 1), percent_of, "Text or bytes as part of a URL."),
    row("__enc_ud", (1, 1), percent_to, "The text that a part of a URL stands for."),
    row("__enc_ord", (1, 1), ord, "The code point of a character."),
    row("__enc_chr", (1, 1), chr, "The character of a code point."),
];

/// What a URL's part may not hold as it is: everything but RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Fewest bytes of input of which one is the first of an escape that takes three.
const ESCAPE: usize = 3;

/// The bytes of a text, or bytes. Of anything else, none: [`input`] has looked before.
fn raw(heap: &Store, value: Value) -> &[u8] {
    match value.kind() {
        Kind::Str(id) => heap.str(id).as_bytes(),
        Kind::Bytes(id) => heap.bytes(id),
        _ => &[],
    }
}

/// The one argument, text or bytes, and its length; going over it once is paid.
fn input(cx: &mut Cx<'_>, args: &[Value], who: &str) -> Result<(Value, usize), Fault> {
    let value = arg(args, 0);
    if !matches!(value.kind(), Kind::Str(_) | Kind::Bytes(_)) {
        return Err(cx.wrong(who, "a string or bytes", value));
    }
    let length = raw(cx.heap, value).len();
    cx.spend_text(length)?;
    Ok((value, length))
}

/// New bytes, at most so many, paid for before they are made.
fn build(cx: &mut Cx<'_>, most: usize, fill: impl FnOnce(&Store, &mut Vec<u8>) -> Result<(), Fault>) -> Result<Value, Fault> {
    cx.spend_text(most)?;
    cx.heap.charge(most)?;
    let mut bytes = Vec::new();
    let filled = match bytes.try_reserve_exact(most) {
        Ok(()) => fill(cx.heap, &mut bytes),
        Err(_) => Err(Full { needs: most }.into()),
    };
    cx.heap.release(most);
    filled?;
    Ok(cx.heap.bytes_new(bytes)?)
}

fn utf8(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "enc.utf8")?;
    build(cx, cx.heap.str(id).len(), |heap, out| {
        out.extend_from_slice(heap.str(id).as_bytes());
        Ok(())
    })
}

fn text(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let value = arg(args, 0);
    let Kind::Bytes(id) = value.kind() else { return Err(cx.wrong("enc.text", "bytes", value)) };
    let length = cx.heap.bytes(id).len();
    cx.spend_text(length)?;
    if let Err(error) = std::str::from_utf8(cx.heap.bytes(id)) {
        return Err(Fault::Message(format!("enc.text: not UTF-8 at byte {}", error.valid_up_to())));
    }
    cx.build(length, |heap, out| out.push_str(std::str::from_utf8(heap.bytes(id)).unwrap_or_default()))
}

fn base64_of(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (value, length) = input(cx, args, "enc.b64")?;
    let bytes = base64::encoded_len(length, true).unwrap_or(usize::MAX);
    cx.build(bytes, |heap, out| STANDARD.encode_string(raw(heap, value), out))
}

fn base64_to(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (value, length) = input(cx, args, "enc.ub64")?;
    build(cx, base64::decoded_len_estimate(length), |heap, out| {
        let given = raw(heap, value);
        STANDARD.decode_vec(given, out).map_err(|error| not_base64(given, &error))
    })
}

fn not_base64(given: &[u8], error: &DecodeError) -> Fault {
    let end = given.len() - given.iter().rev().take_while(|byte| **byte == b'=').count();
    Fault::Message(match error {
        DecodeError::InvalidByte(at, b'=') => format!("enc.ub64: '=' before the end, at byte {at}"),
        DecodeError::InvalidByte(at, _) => format!("enc.ub64: no base64 digit at byte {at}"),
        DecodeError::InvalidLastSymbol(at, _) => format!("enc.ub64: the last digit has bits of no byte, at byte {at}"),
        DecodeError::InvalidLength(_) => format!("enc.ub64: a digit is missing at byte {end}"),
        DecodeError::InvalidPadding => format!("enc.ub64: too few or too many '=' from byte {end} on"),
    })
}

fn hex_of(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (value, length) = input(cx, args, "enc.hex")?;
    cx.build(length.saturating_mul(2), |heap, out| {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
        raw(heap, value).iter().for_each(|byte| out.extend([digit(byte >> 4), digit(byte & 15)]));
    })
}

/// The number of two hex digits.
fn pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

fn hex_to(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (value, length) = input(cx, args, "enc.uhx")?;
    build(cx, length / 2, |heap, out| {
        let given = raw(heap, value);
        let (pairs, rest) = given.as_chunks::<2>();
        for &[high, low] in pairs {
            match pair(high, low) {
                Some(byte) => out.push(byte),
                None => break,
            }
        }
        match given.get(out.len() * 2..).and_then(|left| left.iter().position(|byte| !byte.is_ascii_hexdigit())) {
            Some(at) => Err(Fault::Message(format!("enc.uhx: no hex digit at byte {}", out.len() * 2 + at))),
            None if rest.is_empty() => Ok(()),
            None => Err(Fault::Message(format!("enc.uhx: a digit is missing at byte {length}"))),
        }
    })
}

fn percent_of(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (value, length) = input(cx, args, "enc.ue")?;
    let stays = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let kept = raw(cx.heap, value).iter().filter(|byte| stays(byte)).count();
    let bytes = (length - kept).saturating_mul(ESCAPE).saturating_add(kept);
    cx.build(bytes, |heap, out| out.extend(percent_encode(raw(heap, value), ESCAPED)))
}

fn percent_to(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (value, length) = input(cx, args, "enc.ud")?;
    cx.spend_text(length)?;
    cx.heap.charge(length)?;
    let decoded = percent_bytes(raw(cx.heap, value));
    cx.heap.release(length);
    match String::from_utf8(decoded?) {
        Ok(text) => Ok(cx.heap.string_owned(text)?),
        Err(error) => {
            let at = percent_position(raw(cx.heap, value), error.utf8_error().valid_up_to());
            Err(Fault::Message(format!("enc.ud: not UTF-8 at byte {at}")))
        }
    }
}

/// The bytes that percent-encoded ones stand for. A `%` without two hex digits behind it is an error.
fn percent_bytes(given: &[u8]) -> Result<Vec<u8>, Fault> {
    for at in memchr::memchr_iter(b'%', given) {
        let digits = given.get(at + 1..at + ESCAPE).and_then(|digits| digits.as_array());
        if digits.is_none_or(|&[high, low]| pair(high, low).is_none()) {
            return Err(Fault::Message(format!("enc.ud: no two hex digits behind the '%' at byte {at}")));
        }
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(given.len()).map_err(|_| Full { needs: given.len() })?;
    bytes.extend(percent_decode(given));
    Ok(bytes)
}

/// Where in the percent-encoded bytes the decoded byte of that number comes from.
fn percent_position(given: &[u8], number: usize) -> usize {
    (0..number).fold(0, |at, _| if given.get(at) == Some(&b'%') { at + ESCAPE } else { at + 1 })
}

fn ord(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "enc.ord")?;
    let mut chars = cx.heap.str(id).chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) => Ok(Value::num(f64::from(u32::from(one)))),
        _ => Err(Fault::Message(format!("enc.ord takes one character, got {}", cx.heap.chars(id)))),
    }
}

fn chr(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let number = cx.count_arg(args, 0, "enc.chr")?;
    let Some(one) = u32::try_from(number).ok().and_then(char::from_u32) else {
        let given = crate::heap::number(cx.num_arg(args, 0, "enc.chr")?);
        return Err(Fault::Message(format!("enc.chr: no character has the code point {given}")));
    };
    cx.build(one.len_utf8(), |_, out| out.push(one))
}
