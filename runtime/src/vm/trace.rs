//! Where in the source something happens, and who called.

use super::frame::Frame;
use crate::heap::{Heap, Origin, Unit};
use crate::task::Spot;
use ilu_lang::source::{Source, Span};
use std::sync::Arc;

/// Rows of a trace that are kept at each end; what lies between is counted.
const KEPT: usize = 12;

/// A place in a source.
#[derive(Clone, Debug)]
pub struct Place {
    /// The source.
    pub source: Arc<Source>,
    /// The range of the instruction.
    pub span: Span,
    /// The function it is in.
    pub function: String,
    /// Whether it is the standard library's own code.
    pub library: bool,
}

impl Place {
    /// Line and column, from 1.
    #[must_use]
    pub fn position(&self) -> (usize, usize) {
        self.source.position(self.span.start)
    }
}

/// The calls that led somewhere, innermost first.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The rows that were kept.
    pub rows: Vec<Place>,
    /// How many were left out, and after which row.
    pub left_out: Option<(usize, usize)>,
}

impl Trace {
    /// The place to point at: the innermost one in the script's own code.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.rows.iter().find(|row| !row.library).or_else(|| self.rows.first())
    }
}

fn span_of(unit: &Unit, frame: &Frame) -> Span {
    unit.program.spans.get((frame.pc as usize).saturating_sub(1)).copied().unwrap_or_default()
}

fn place_of(heap: &Heap, frame: &Frame) -> Option<Place> {
    let unit = heap.units.get(frame.unit)?;
    let function = unit.program.functions.get(frame.function as usize).map_or_else(String::new, |function| function.name.to_string());
    Some(Place {
        source: Arc::clone(&unit.program.source),
        span: span_of(unit, frame),
        function,
        library: matches!(unit.origin, Origin::Std(_)),
    })
}

/// The trace of the frames as they are.
pub(super) fn of(heap: &Heap, frames: &[Frame]) -> Trace {
    let place = |frame: &Frame| place_of(heap, frame);
    if frames.len() <= 2 * KEPT {
        return Trace { rows: frames.iter().rev().filter_map(place).collect(), left_out: None };
    }
    let (outer, inner) = (frames.get(..KEPT).unwrap_or_default(), frames.get(frames.len() - KEPT..).unwrap_or_default());
    Trace {
        rows: inner.iter().rev().chain(outer.iter().rev()).filter_map(place).collect(),
        left_out: Some((frames.len() - 2 * KEPT, KEPT)),
    }
}

/// How many frames of the standard library are looked through for the script's line.
const LOOKED_THROUGH: usize = 64;

/// File and line of the innermost frame in the script's own code, for the record of what it does.
pub(super) fn script_place<'a>(heap: &'a Heap, frames: &[Frame]) -> (&'a str, u32) {
    let mut last = ("", 0);
    for frame in frames.iter().rev().take(LOOKED_THROUGH) {
        let Some(unit) = heap.units.get(frame.unit) else { break };
        let source = &unit.program.source;
        if !matches!(unit.origin, Origin::Std(_)) {
            return (&source.name, line_of(source, span_of(unit, frame)));
        }
        if last.1 == 0 {
            last = (&source.name, line_of(source, span_of(unit, frame)));
        }
    }
    last
}

/// The place of the innermost frame in the script's own code, to be put into words later.
pub(super) fn script_spot(heap: &Heap, frames: &[Frame]) -> Option<Spot> {
    let mut last = None;
    for frame in frames.iter().rev().take(LOOKED_THROUGH) {
        let unit = heap.units.get(frame.unit)?;
        let spot = Spot { source: Arc::clone(&unit.program.source), start: span_of(unit, frame).start };
        if !matches!(unit.origin, Origin::Std(_)) {
            return Some(spot);
        }
        last = last.or(Some(spot));
    }
    last
}

fn line_of(source: &Source, span: Span) -> u32 {
    u32::try_from(source.line_number(span.start)).unwrap_or(u32::MAX)
}
