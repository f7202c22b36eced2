//! Between text and bytes.

use super::support::{arg, row};
use super::{BuiltinRow, Cx, Fault};
use crate::value::{Kind, Value};

/// The rows.
pub const ROWS: &[BuiltinRow] = &[
    row("__enc_utf8", (1, 1), utf8, "The bytes of a text, as UTF-8."),
    row("__enc_text", (1, 1), text, "The text that bytes are, as UTF-8; an error when they are not."),
];

fn utf8(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let id = cx.text_arg(args, 0, "enc.utf8")?;
    let length = cx.heap.str(id).len();
    cx.spend_text(length)?;
    cx.heap.charge(length)?;
    let bytes = cx.heap.str(id).as_bytes().to_vec();
    cx.heap.release(length);
    Ok(cx.heap.bytes_new(bytes)?)
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
