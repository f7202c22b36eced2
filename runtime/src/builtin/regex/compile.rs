//! From a pattern's text to the two automata that find where a match ends and where it began, and one that finds its groups.

use super::super::{Cx, Fault};
use crate::value::StrId;
use regex_automata::MatchKind;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures, pikevm::PikeVM};
use regex_automata::util::syntax;
use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};
use std::cell::RefCell;
use std::rc::Rc;

/// Bytes that each of a pattern's three automata may take.
const MAX_AUTOMATON: usize = 512 << 10;
/// Bytes of the tables that each of the two searches keeps; when they are full they begin anew.
const MAX_TABLES: usize = 256 << 10;
/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 8 << 10;
/// How deep a pattern may nest: the crate and [`plain_words`] recurse so deep.
const MAX_NESTING: u32 = 60;
/// Groups of a pattern.
const MAX_GROUPS: usize = 64;
/// Compiled patterns that a thread keeps.
const MAX_KEPT: usize = 8;
/// Units of fuel that a use costs for each byte of its pattern.
const FUEL_PER_BYTE: usize = 32;

/// A compiled pattern.
pub(super) struct Pattern {
    pub forward: DFA,
    pub reverse: DFA,
    /// What the two have worked out so far.
    pub tables: RefCell<(Cache, Cache)>,
    /// For the groups, when there are some.
    pub grouped: Option<PikeVM>,
    /// The names of the groups, in order.
    pub names: Vec<Option<Box<str>>>,
    /// States of the automaton: what a step can cost at most.
    pub states: usize,
}

thread_local! {
    /// The patterns used last, with their flags, the latest last.
    static KEPT: RefCell<Vec<(String, Rc<Pattern>)>> = const { RefCell::new(Vec::new()) };
}

/// Compiles a pattern, or finds it. What that costs does not depend on which.
pub(super) fn compiled(cx: &mut Cx<'_>, id: StrId, flags: &str, who: &str) -> Result<Rc<Pattern>, Fault> {
    let length = cx.heap.str(id).len();
    if length > MAX_PATTERN {
        return Err(Fault::Message(format!("{who}: a pattern has at most {MAX_PATTERN} bytes, got {length}")));
    }
    cx.spend(1 + length.saturating_mul(FUEL_PER_BYTE))?;
    if let Some(wrong) = flags.chars().find(|flag| !"imsx".contains(*flag)) {
        return Err(Fault::Message(format!("{who}: there is no flag `{}`; i, m, s and x are", wrong.escape_debug())));
    }
    // There is to be room for all of it. It belongs to the thread, so the room is given back.
    let most = 3 * MAX_AUTOMATON + 2 * MAX_TABLES;
    cx.heap.charge(most)?;
    cx.heap.release(most);
    let key = format!("{flags}/{}", cx.heap.str(id));
    let known = KEPT.with_borrow_mut(|kept| {
        let at = kept.iter().position(|(known, _)| *known == key)?;
        let found = kept.remove(at);
        let pattern = Rc::clone(&found.1);
        kept.push(found);
        Some(pattern)
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let pattern = Rc::new(build(cx.heap.str(id), flags).map_err(|why| Fault::Message(format!("{who}: bad pattern: {why}")))?);
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MAX_KEPT {
            kept.remove(0);
        }
        kept.push((key, Rc::clone(&pattern)));
    });
    Ok(pattern)
}

fn build(text: &str, flags: &str) -> Result<Pattern, String> {
    let has = |flag| flags.contains(flag);
    let config = syntax::Config::new()
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .ignore_whitespace(has('x'))
        .nest_limit(MAX_NESTING);
    let hir = plain_words(syntax::parse_with(text, &config).map_err(|error| reason(&error))?);
    let groups = hir.properties().explicit_captures_len();
    if groups > MAX_GROUPS {
        return Err(format!("it has {groups} groups, and may have {MAX_GROUPS}"));
    }
    let nfa = |reverse: bool, captures: WhichCaptures| -> Result<NFA, String> {
        let config = thompson::Config::new().nfa_size_limit(Some(MAX_AUTOMATON)).reverse(reverse).which_captures(captures);
        thompson::Compiler::new().configure(config).build_from_hir(&hir).map_err(|_| too_big())
    };
    let (there, back) = (nfa(false, WhichCaptures::None)?, nfa(true, WhichCaptures::None)?);
    let states = there.states().len().max(back.states().len());
    let dfa = |nfa: NFA, kind: MatchKind| {
        let config = DFA::config().match_kind(kind).cache_capacity(MAX_TABLES);
        DFA::builder().configure(config).build_from_nfa(nfa).map_err(|_| too_big())
    };
    let (forward, reverse) = (dfa(there, MatchKind::LeftmostFirst)?, dfa(back, MatchKind::All)?);
    let tables = RefCell::new((forward.create_cache(), reverse.create_cache()));
    let (grouped, names) = match groups {
        0 => (None, Vec::new()),
        _ => {
            let nfa = nfa(false, WhichCaptures::All)?;
            let names = nfa.group_info().pattern_names(regex_automata::PatternID::ZERO).skip(1).map(|name| name.map(Box::from)).collect();
            (Some(PikeVM::new_from_nfa(nfa).map_err(|_| too_big())?), names)
        }
    };
    Ok(Pattern { forward, reverse, tables, grouped, names, states })
}

fn too_big() -> String {
    "it stands for more than one may: fewer or smaller repetitions, or [0-9] and [a-z] in place of \\d and \\w, make it smaller".to_owned()
}

/// What is wrong with a pattern, on one line.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => format!("{}, at byte {}", error.kind(), error.span().start.offset),
        regex_syntax::Error::Translate(error) => format!("{}, at byte {}", error.kind(), error.span().start.offset),
        _ => "it can't be read".to_owned(),
    }
}

/// The same with `\b` and its kin about ASCII letters, digits and `_`: what others ask of all of Unicode can't be walked byte by byte.
fn plain_words(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Look(look) => Hir::look(match look {
            Look::WordUnicode => Look::WordAscii,
            Look::WordUnicodeNegate => Look::WordAsciiNegate,
            Look::WordStartUnicode => Look::WordStartAscii,
            Look::WordEndUnicode => Look::WordEndAscii,
            Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
            Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
            other => other,
        }),
        HirKind::Repetition(Repetition { min, max, greedy, sub }) => {
            Hir::repetition(Repetition { min, max, greedy, sub: Box::new(plain_words(*sub)) })
        }
        HirKind::Capture(Capture { index, name, sub }) => Hir::capture(Capture { index, name, sub: Box::new(plain_words(*sub)) }),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(plain_words).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(plain_words).collect()),
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
    }
}
