//! Canonical text: two lists of parts share it only when they are the same data.
//!
//! Every value says its type and how long it is before its contents, so no delimiter inside a text can shift a boundary:
//!
//! | value | text |
//! |---|---|
//! | `nil`, `tru`, `fls` | `n` `t` `f` |
//! | number | `d`, shortest scientific form, `;` (minus zero is zero) |
//! | string | `s`, length in bytes, `:`, the bytes |
//! | bytes | `b`, length in bytes, `:`, lower-case hex |
//! | list | `l`, count, `:`, the elements |
//! | object | `o`, count, `:`, each key (as a string) and value, ordered by the keys' bytes |

use crate::{Data, MAX_DEPTH, PolError, PolErrorKind};
use std::fmt::Write;

/// The canonical text of a list of parts.
pub fn canonical(parts: &[Data<'_>]) -> Result<String, PolError> {
    let mut out = String::new();
    header(&mut out, 'l', parts.len());
    for part in parts {
        encode(part, &mut out, 1)?;
    }
    Ok(out)
}

fn header(out: &mut String, tag: char, length: usize) {
    out.push(tag);
    out.push_str(&length.to_string());
    out.push(':');
}

fn text(out: &mut String, text: &str) {
    header(out, 's', text.len());
    out.push_str(text);
}

/// Recursion is bounded by [`MAX_DEPTH`].
fn encode(data: &Data<'_>, out: &mut String, depth: usize) -> Result<(), PolError> {
    if depth > MAX_DEPTH {
        return Err(PolError::new(
            PolErrorKind::Unsealable,
            format!("nested more than {MAX_DEPTH} deep (or it contains itself): it has no canonical text"),
        ));
    }
    match data {
        Data::Nil => out.push('n'),
        Data::Bool(true) => out.push('t'),
        Data::Bool(false) => out.push('f'),
        Data::Num(number) => {
            let number = if *number == 0.0 { 0.0 } else { *number };
            // Writing to a string cannot fail.
            let _ = write!(out, "d{number:e};");
        }
        Data::Str(value) => text(out, value),
        Data::Bytes(bytes) => {
            header(out, 'b', bytes.len());
            for byte in bytes.iter() {
                let _ = write!(out, "{byte:02x}");
            }
        }
        Data::List(items) => {
            header(out, 'l', items.len());
            for item in items {
                encode(item, out, depth + 1)?;
            }
        }
        Data::Object(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            header(out, 'o', sorted.len());
            for (key, value) in sorted {
                text(out, key);
                encode(value, out, depth + 1)?;
            }
        }
        Data::Other(name) => return Err(PolError::new(PolErrorKind::Unsealable, format!("{name} has no canonical text"))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::borrow::Cow;

    /// Reads a canonical text back. That it can, for any data, is the proof that no two differing data share a text.
    fn decode(text: &mut &[u8]) -> Option<Data<'static>> {
        let (tag, rest) = text.split_first()?;
        *text = rest;
        Some(match tag {
            b'n' => Data::Nil,
            b't' => Data::Bool(true),
            b'f' => Data::Bool(false),
            b'd' => {
                let end = text.iter().position(|byte| *byte == b';')?;
                let number = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
                *text = &text[end + 1..];
                Data::Num(number)
            }
            b's' => {
                let length = length(text)?;
                let value = String::from_utf8(text.get(..length)?.to_vec()).ok()?;
                *text = &text[length..];
                Data::Str(value.into())
            }
            b'b' => {
                let length = length(text)? * 2;
                let digits = std::str::from_utf8(text.get(..length)?).ok()?;
                let bytes = (0..length / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap()).collect::<Vec<_>>();
                *text = &text[length..];
                Data::Bytes(bytes.into())
            }
            b'l' => {
                let count = length(text)?;
                Data::List((0..count).map(|_| decode(text)).collect::<Option<_>>()?)
            }
            b'o' => {
                let count = length(text)?;
                let entry = |text: &mut &[u8]| match decode(text)? {
                    Data::Str(key) => Some((key, decode(text)?)),
                    _ => None,
                };
                Data::Object((0..count).map(|_| entry(text)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
    fn length(text: &mut &[u8]) -> Option<usize> {
        let end = text.iter().position(|byte| *byte == b':')?;
        let length = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
        *text = &text[end + 1..];
        Some(length)
    }
    /// The same data with what does not distinguish values taken out: order of keys, sign of zero.
    fn normal(data: &Data<'static>) -> Data<'static> {
        match data {
            Data::Num(number) if *number == 0.0 => Data::Num(0.0),
            Data::List(items) => Data::List(items.iter().map(normal).collect()),
            Data::Object(entries) => {
                let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key.clone(), normal(value))).collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                Data::Object(entries)
            }
            other => other.clone(),
        }
    }
    pub(crate) fn any_data() -> impl Strategy<Value = Data<'static>> {
        let leaf = prop_oneof![
            Just(Data::Nil),
            any::<bool>().prop_map(Data::Bool),
            proptest::num::f64::NORMAL.prop_map(Data::Num),
            (-3i32..3).prop_map(|n| Data::Num(f64::from(n))),
            Just(Data::Num(-0.0)),
            "[ab:;0-9lso\u{e9}]{0,6}".prop_map(|text| Data::Str(text.into())),
            proptest::collection::vec(any::<u8>(), 0..4).prop_map(|bytes| Data::Bytes(Cow::Owned(bytes))),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Data::List),
                proptest::collection::btree_map("[ab:]{0,2}", inner, 0..4)
                    .prop_map(|map| Data::Object(map.into_iter().rev().map(|(key, value)| (Cow::Owned(key), value)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_two_differing_lists_of_parts_share_a_text(parts in proptest::collection::vec(any_data(), 0..5)) {
            let text = canonical(&parts).unwrap();
            let mut rest = text.as_bytes();
            let back = decode(&mut rest);
            prop_assert_eq!(rest.len(), 0);
            prop_assert_eq!(back, Some(normal(&Data::List(parts))));
        }
    }

    #[test]
    fn texts_are_stable() {
        let parts = [
            Data::text("ab"),
            Data::Num(1.0),
            Data::Num(-0.0),
            Data::Num(0.1),
            Data::Nil,
            Data::Bool(true),
            Data::Bytes(Cow::Borrowed(&[0, 255])),
            Data::Object(vec![("b".into(), Data::Bool(false)), ("a".into(), Data::List(vec![]))]),
            Data::text("é"),
        ];
        assert_eq!(canonical(&parts).unwrap(), "l9:s2:abd1e0;d0e0;d1e-1;ntb2:00ffo2:s1:al0:s1:bfs2:é");
    }

    #[test]
    fn what_is_not_plain_data_has_no_text() {
        assert_eq!(canonical(&[Data::Other("fun".into())]).unwrap_err().to_string(), "fun has no canonical text");
        let mut deep = Data::Nil;
        for _ in 0..MAX_DEPTH + 1 {
            deep = Data::List(vec![deep]);
        }
        assert_eq!(canonical(&[deep]).unwrap_err().kind(), PolErrorKind::Unsealable);
    }
}
