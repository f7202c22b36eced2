//! Tables as text with separators, for `csv`, read by the state machine of `csv-core`.

use super::support::row;
use super::{BuiltinRow, Cx, Fault};
use crate::heap::{Full, STEP_BYTES};
use crate::value::{ListId, StrId, Value};
use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

/// The rows.
pub const ROWS: &[BuiltinRow] = &[row("__csv_rows", (2, 2), rows, "The rows of a table, each a list of texts.")];

fn rows(cx: &mut Cx<'_>, args: &[Value]) -> Result<Value, Fault> {
    let (id, separator) = (cx.text_arg(args, 0, "csv.dec")?, cx.text_arg(args, 1, "csv.dec")?);
    let &[separator] = cx.heap.str(separator).as_bytes() else { return Err(wrong_separator()) };
    if matches!(separator, b'"' | b'\r' | b'\n') || !separator.is_ascii() {
        return Err(wrong_separator());
    }
    // No field is longer than the text.
    let length = cx.heap.str(id).len();
    cx.heap.charge(length + 1)?;
    let mut field = Vec::new();
    let read = match field.try_reserve_exact(length + 1) {
        Ok(()) => {
            field.resize(length + 1, 0);
            let mut reader = ReaderBuilder::new().delimiter(separator).build();
            read(cx, id, &mut reader, &mut field)
        }
        Err(_) => Err(Full { needs: length + 1 }.into()),
    };
    drop(field);
    cx.heap.release(length + 1);
    Ok(read?.into())
}

fn wrong_separator() -> Fault {
    Fault::message("csv takes one ASCII character as a separator, and no quote or line's end")
}

fn read(cx: &mut Cx<'_>, id: StrId, reader: &mut Reader, field: &mut [u8]) -> Result<ListId, Fault> {
    let table = cx.heap.list_with_capacity(0)?;
    let mut open: Option<ListId> = None;
    // The end of the input is known only when there is no more: what came of a field by then stays.
    let (mut at, mut filled) = (0, 0);
    loop {
        let rest = cx.heap.str(id).as_bytes().get(at..).unwrap_or_default();
        let (result, took, gave) = reader.read_field(rest, field.get_mut(filled..).unwrap_or_default());
        at += took;
        filled += gave;
        cx.spend(1 + took / STEP_BYTES)?;
        let record_end = match result {
            ReadFieldResult::Field { record_end } => record_end,
            ReadFieldResult::InputEmpty => continue,
            ReadFieldResult::OutputFull => return Err(Fault::Broken("a field longer than its table")),
            ReadFieldResult::End => return Ok(table),
        };
        let text = field
            .get(..std::mem::take(&mut filled))
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .ok_or(Fault::Broken("a field that is not text"))?;
        let value = cx.heap.string(text)?;
        let row = match open {
            Some(row) => row,
            None => {
                let row = cx.heap.list_with_capacity(0)?;
                cx.heap.list_push(table, row.into())?;
                row
            }
        };
        cx.heap.list_push(row, value)?;
        open = (!record_end).then_some(row);
    }
}
