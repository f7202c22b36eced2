//! The disassembler: a program as text for people and for tests, each stretch of code under the source line it came from.

use super::op::{Op, Operand, Word};
use super::program::{Capture, Constant, FunctionCode, ModuleRef, Parts};
use std::fmt::Write as _;

/// Longest text of a constant that is shown.
const MAX_SHOWN: usize = 40;

/// The whole unit.
#[must_use]
pub fn disassemble(parts: &Parts) -> String {
    let mut out = String::new();
    for (number, function) in parts.functions.iter().enumerate() {
        header(&mut out, number, function);
        let mut line = 0;
        for at in function.entry..function.end {
            let Some(&word) = parts.code.get(at as usize) else { break };
            let start = parts.spans.get(at as usize).map_or(0, |span| span.start);
            let now = parts.source.line_number(start);
            if now != line {
                line = now;
                // Writing to a string cannot fail.
                _ = writeln!(out, "  ; {line}: {}", shown(parts.source.line(line).trim()));
            }
            _ = writeln!(out, "{at:5} {}", one(parts, word));
        }
    }
    out
}

fn header(out: &mut String, number: usize, function: &FunctionCode) {
    _ = write!(out, "fn {number} {} ({}", function.name, function.required);
    if function.optional > 0 {
        _ = write!(out, "+{}", function.optional);
    }
    if function.rest {
        out.push_str("..");
    }
    _ = write!(out, "), {} registers", function.registers);
    for (at, capture) in function.captures.iter().enumerate() {
        out.push_str(if at == 0 { ", captures " } else { " " });
        _ = match capture {
            Capture::Register(register) => write!(out, "r{register}"),
            Capture::Capture(number) => write!(out, "c{number}"),
            Capture::This => write!(out, "this"),
        };
    }
    out.push('\n');
}

/// One instruction.
fn one(parts: &Parts, word: Word) -> String {
    let Some(op) = Op::from_number(word.op()) else { return format!("?{:#018x}", word.0) };
    let row = op.row();
    let mut out = format!("{:<11}", row.name);
    let values = [u32::from(word.a()), u32::from(word.b()), u32::from(word.c()), word.k()];
    for (operand, value) in row.operands.iter().zip(values) {
        if *operand != Operand::None {
            out.push(' ');
            self::operand(&mut out, parts, *operand, value);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn operand(out: &mut String, parts: &Parts, operand: Operand, value: u32) {
    let at = value as usize;
    let text = |number: Option<&u32>| number.map_or_else(|| "?".to_owned(), |&number| constant(parts.constants.get(number as usize)));
    _ = match operand {
        Operand::None => Ok(()),
        Operand::Out | Operand::In | Operand::First | Operand::Triple => write!(out, "r{value}"),
        Operand::Count | Operand::Small => write!(out, "{value}"),
        Operand::Byte => write!(out, "#{}", value as u8 as i8),
        Operand::Int => write!(out, "#{}", value as i32),
        Operand::Const => write!(out, "{}", text(Some(&value))),
        Operand::Site => write!(out, ".{}", text(parts.sites.get(at)).trim_matches('"')),
        Operand::Template => {
            let keys: Vec<String> = parts.templates.get(at).map_or(&[][..], |keys| keys).iter().map(|key| text(Some(key))).collect();
            write!(out, "{{{}}}", keys.join(", "))
        }
        Operand::Function => write!(out, "fn {value} {}", parts.functions.get(at).map_or("?", |function| &function.name)),
        Operand::Global => write!(out, "${}", parts.globals.get(at).map_or("?", |global| &global.name)),
        Operand::Capture => write!(out, "c{value}"),
        Operand::Builtin => write!(out, "builtin {value}"),
        Operand::Native => write!(out, "native {value}"),
        Operand::Use => match parts.uses.get(at) {
            Some(ModuleRef::Std(name)) => write!(out, "{name}"),
            Some(ModuleRef::Path(path)) => write!(out, "{path:?}"),
            None => write!(out, "?"),
        },
        Operand::Target => write!(out, "-> {value}"),
    };
}

fn constant(constant: Option<&Constant>) -> String {
    match constant {
        Some(Constant::Num(number)) => number.to_string(),
        Some(Constant::Str(text)) => format!("{:?}", shown(text)),
        Some(Constant::Bytes(bytes)) => format!("b\"{}\"", bytes.iter().take(MAX_SHOWN).copied().collect::<Vec<u8>>().escape_ascii()),
        None => "?".to_owned(),
    }
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
