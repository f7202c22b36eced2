//! From terminals to words: what stands in the text, each with what the layout marked before it.

use crate::token::Tok;

/// Text that is written as one.
#[derive(Debug)]
pub struct Word<'t, 's> {
    /// What it is; for an interpolated string its opening.
    pub tok: &'t Tok<'s>,
    /// As it stands in the source.
    pub text: &'s str,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset past its last byte.
    pub end: usize,
    /// A blank before it makes it an argument of the name before.
    pub argument: bool,
    /// A statement begins with it.
    pub begins: bool,
    /// It is the first of a block.
    pub opens: bool,
    /// Blocks that end before it.
    pub closes: usize,
    /// The first word after the block that this one is the first of.
    pub after: Option<usize>,
}

/// The words of a text.
pub fn words<'t, 's>(text: &'s str, terminals: &'t [(u32, Tok<'s>, u32)]) -> Vec<Word<'t, 's>> {
    let mut words: Vec<Word<'t, 's>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let (mut argument, mut begins, mut opens, mut closes) = (false, true, false, 0);
    // Interpolated strings around this terminal.
    let mut strings = 0_usize;
    for (start, tok, end) in terminals {
        let (start, end) = (*start as usize, *end as usize);
        match tok {
            Tok::InterpClose => strings = strings.saturating_sub(1),
            Tok::InterpOpen => strings += 1,
            _ => {}
        }
        if strings > 1 || strings == 1 && *tok != Tok::InterpOpen || *tok == Tok::InterpClose {
            if let Some(word) = words.last_mut() {
                word.end = end;
                word.text = text.get(word.start..end).unwrap_or_default();
            }
            continue;
        }
        match tok {
            Tok::Newline => begins = true,
            Tok::Indent => (begins, opens) = (true, true),
            Tok::Dedent => {
                begins = false;
                closes += 1;
            }
            Tok::Juxt | Tok::JuxtOne => argument = true,
            Tok::EndIf => {}
            tok => {
                let at = words.len();
                for _ in 0..closes {
                    if let Some(word) = open.pop().and_then(|opener| words.get_mut(opener)) {
                        word.after = Some(at);
                    }
                }
                if opens {
                    open.push(at);
                }
                let text = text.get(start..end).unwrap_or_default();
                words.push(Word { tok, text, start, end, argument, begins, opens, closes, after: None });
                (argument, begins, opens, closes) = (false, false, false, 0);
            }
        }
    }
    words
}

impl Word<'_, '_> {
    /// Does it open a bracket?
    pub const fn is_opener(&self) -> bool {
        matches!(self.tok, Tok::Open | Tok::CallOpen | Tok::ListOpen | Tok::IndexOpen | Tok::OptIndexOpen | Tok::ObjectOpen)
    }

    /// Does it close one?
    pub const fn is_closer(&self) -> bool {
        matches!(self.tok, Tok::Close | Tok::ListClose | Tok::ObjectClose)
    }
}
