//! The chain of an audit record: each line carries the SHA-256 of the line before it, and the last one says how many there were.
//!
//! So a line that was edited, cut out, put in or moved shows, and shows where. What does not show is a record that someone wrote anew from
//! some line to its end: the chain has no secret. Whoever must be sure of that keeps the head (the last line's SHA-256) where the record's
//! writer can't reach. This file reads and writes bytes that it is handed; it opens nothing.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// SHA-256 of a line.
pub type Hash = [u8; 32];

/// What the first line carries: there is none before it.
const NONE: Hash = [0; 32];

/// Longest line that is read, in bytes. The writer's longest holds two paths and a file's name, every character escaped: some 75 KiB.
const MAX_LINE: u64 = 256 << 10;

/// The schema's version, as every line carries it.
const HEAD: &str = "{\"v\":1,\"seq\":";

/// The writer's end of a chain.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    last: Hash,
    lines: u64,
}

impl Default for Chain {
    fn default() -> Chain {
        Chain { last: NONE, lines: 0 }
    }
}

impl Chain {
    /// How a line begins: `{"v":1,"seq":7,"prev":"…"`. All that follows is fields that begin with a comma.
    pub(crate) fn begin(&self, out: &mut String, seq: u64) {
        let _ = write!(out, "{HEAD}{seq},\"prev\":\"{}\"", hex(&self.last));
    }

    /// Takes note of a line that was written, newline included.
    pub(crate) fn add(&mut self, line: &str) {
        self.last = Sha256::digest(line.as_bytes()).into();
        self.lines += 1;
    }

    /// The line that closes the chain after `seq` events.
    pub(crate) fn closing(&self, seq: u64, ms: f64) -> String {
        let mut out = String::with_capacity(160);
        self.begin(&mut out, seq + 1);
        let _ = writeln!(out, ",\"ms\":{ms:.0},\"events\":{}}}", self.lines);
        out
    }

    /// SHA-256 of the last line, in hex.
    pub(crate) fn head(&self) -> String {
        hex(&self.last)
    }
}

fn hex(hash: &Hash) -> String {
    let mut out = String::with_capacity(64);
    for byte in hash {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn from_hex(text: &[u8]) -> Option<Hash> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut hash = NONE;
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.chunks(2)) {
        *byte = digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?;
    }
    Some(hash)
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Every line is where it was written, as it was written, and none is missing.
    Whole {
        /// How many events.
        events: u64,
        /// SHA-256 of the closing line, in hex.
        head: String,
    },
    /// Not so.
    Broken(Break),
}

/// The first place at which a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// Line of the file, from 1; for a missing end the line that should be there.
    pub line: u64,
    /// What happened to it.
    pub how: How,
    /// The same in words.
    pub message: String,
}

/// What can happen to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is not what was written.
    Edited,
    /// It, or what was before it, is missing.
    Cut,
    /// It was not written here.
    Inserted,
    /// It was written at another place.
    Reordered,
}

impl How {
    /// The word for it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            How::Edited => "edited",
            How::Cut => "cut",
            How::Inserted => "inserted",
            How::Reordered => "reordered",
        }
    }
}

/// One line as the chain sees it.
#[derive(Clone, Debug)]
struct Line {
    hash: Hash,
    /// What could be read of it; nothing when it is not of the writer's form.
    link: Option<Link>,
    /// Did it end with a newline?
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    seq: u64,
    prev: Hash,
    /// The count of a closing line.
    events: Option<u64>,
}

/// The next line; nothing at the end.
fn read_line(from: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    from.take(MAX_LINE).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let ended = bytes.last() == Some(&b'\n');
    let mut hasher = Sha256::new();
    hasher.update(&bytes);
    let too_long = !ended && bytes.len() as u64 == MAX_LINE;
    if too_long {
        skip_line(from)?;
    }
    let link = if ended { link(&bytes) } else { None };
    Ok(Some(Line { hash: hasher.finalize().into(), link, ended: ended || too_long }))
}

fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let held = from.fill_buf()?;
        let (used, done) = match held.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (held.len(), held.is_empty()),
        };
        from.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// Reads a line of exactly the form that the writer gives it. JSON that only means the same is not what was written.
fn link(line: &[u8]) -> Option<Link> {
    let rest = line.strip_suffix(b"}\n")?.strip_prefix(HEAD.as_bytes())?;
    let (seq, rest) = number(rest)?;
    let rest = rest.strip_prefix(b",\"prev\":\"")?;
    let (prev, rest) = rest.split_at_checked(64)?;
    let rest = rest.strip_prefix(b"\",\"ms\":")?;
    Some(Link { seq, prev: from_hex(prev)?, events: closing(rest) })
}

fn closing(rest: &[u8]) -> Option<u64> {
    let (_, rest) = number(rest)?;
    let (events, rest) = number(rest.strip_prefix(b",\"events\":")?)?;
    rest.is_empty().then_some(events)
}

fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.len() > 1 && digits.first() == Some(&b'0') {
        return None;
    }
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// Checks a record from its first line to its last. It needs no more memory for a long record than for a short one.
///
/// # Errors
/// What the system says while reading.
pub fn verify(from: &mut (impl BufRead + Seek)) -> io::Result<Verified> {
    let mut walk = Walk { number: 0, last: NONE, seq: 0, closed: None };
    while let Some(line) = read_line(from)? {
        walk.number += 1;
        let number = walk.number;
        if !line.ended {
            return Ok(broken(number, How::Cut, format!("line {number} is cut off before its end")));
        }
        match line.link {
            Some(link) if link.prev == walk.last && walk.closed.is_none() && link.seq == walk.seq + 1 => {
                if link.events.is_some_and(|events| events != walk.seq) {
                    return Ok(broken(number, How::Edited, format!("line {number} was edited: it counts other events than there are")));
                }
                (walk.last, walk.seq, walk.closed) = (line.hash, link.seq, link.events);
            }
            _ => return explain(from, &walk, &line).map(Verified::Broken),
        }
    }
    let next = walk.number + 1;
    Ok(match walk.closed {
        Some(events) => Verified::Whole { events, head: hex(&walk.last) },
        None => broken(next, How::Cut, format!("line {next}, the closing one, is missing: the run did not end, or its end was cut off")),
    })
}

fn broken(line: u64, how: How, message: String) -> Verified {
    Verified::Broken(Break { line, how, message })
}

/// How far a walk has come: the last line that was in its place.
struct Walk {
    number: u64,
    last: Hash,
    seq: u64,
    closed: Option<u64>,
}

/// What the rest of the file says about a line that does not follow the one before it.
#[derive(Default)]
struct Facts {
    /// The line that it does follow.
    follows: Option<u64>,
    /// The line after that one.
    after_that: Option<Hash>,
    /// The line that follows the last good one.
    successor: Option<u64>,
    /// A later line of the very same bytes.
    again: Option<u64>,
}

/// Reads the file once more.
fn facts(from: &mut (impl BufRead + Seek), walk: &Walk, odd: &Line) -> io::Result<Facts> {
    from.seek(SeekFrom::Start(0))?;
    let prev = odd.link.map(|link| link.prev);
    let mut facts = Facts { follows: (prev == Some(NONE)).then_some(0), ..Facts::default() };
    let mut number = 0;
    while let Some(line) = read_line(from)? {
        if facts.follows == Some(number) {
            facts.after_that = Some(line.hash);
        }
        number += 1;
        if facts.follows.is_none() && prev == Some(line.hash) {
            facts.follows = Some(number);
        }
        if number > walk.number && facts.successor.is_none() && line.link.is_some_and(|link| link.prev == walk.last) {
            facts.successor = Some(number);
        }
        if number > walk.number && facts.again.is_none() && line.hash == odd.hash {
            facts.again = Some(number);
        }
    }
    Ok(facts)
}

/// Says what happened where line `walk.number` is not the one that follows the line before it.
fn explain(from: &mut (impl BufRead + Seek), walk: &Walk, line: &Line) -> io::Result<Break> {
    let (here, before) = (walk.number, walk.number - 1);
    let facts = facts(from, walk, line)?;
    let found = |line, how, message| Ok(Break { line, how, message });
    if walk.closed.is_some() && facts.follows.is_none_or(|follows| follows >= before) {
        return found(here, How::Inserted, format!("line {here} was put in after the closing line"));
    }
    let Some(link) = line.link else {
        return match facts.successor {
            Some(_) => found(here, How::Inserted, format!("line {here} was put in: it is no line of a record")),
            None => found(here, How::Edited, format!("line {here} was edited: it has not the form of a record's line")),
        };
    };
    if link.prev == walk.last {
        return match facts.successor {
            Some(there) => found(here, How::Inserted, format!("line {here} was put in: line {there} follows line {before}")),
            None => found(here, How::Edited, format!("line {here} was edited: its number is {}, not {}", link.seq, walk.seq + 1)),
        };
    }
    match facts.follows {
        Some(there) if there > here => {
            if let Some(again) = facts.again {
                return found(here, How::Inserted, format!("line {here} was put in: it is line {again} once more"));
            }
            let message = format!("line {here} was moved: it follows what now is line {there}");
            return found(here, How::Reordered, message);
        }
        Some(there) if there < before => {
            let first = there + 1;
            return match facts.after_that {
                Some(hash) if hash == line.hash => {
                    found(here, How::Inserted, format!("line {here} was put in: it is line {first} once more"))
                }
                _ => found(first, How::Inserted, format!("line {first} was put in: line {here} follows line {there}")),
            };
        }
        _ => {}
    }
    if let Some(there) = facts.successor {
        return found(here, How::Inserted, format!("line {here} was put in: line {there} follows line {before}"));
    }
    if link.seq > walk.seq + 1 {
        let (first, last) = (walk.seq + 1, link.seq - 1);
        let what = if first == last { format!("event {first} is") } else { format!("events {first} to {last} are") };
        return found(here, How::Cut, format!("before line {here} something was cut out: {what} missing"));
    }
    if link.seq <= walk.seq {
        return found(here, How::Inserted, format!("line {here} was put in: there is an event {} already", link.seq));
    }
    match before {
        0 => found(1, How::Edited, "line 1 was edited: a first line follows none".to_owned()),
        _ => found(before, How::Edited, format!("line {before} was edited, or the `prev` of line {here}: they do not fit")),
    }
}
