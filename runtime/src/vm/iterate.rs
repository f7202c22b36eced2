//! Loops: counted ones, and ones over a list, a string, an object, bytes, a channel or the lines of an open file.
//!
//! The three registers of a loop's state belong to the VM. Counted: current value, rounds left, step. Others: the source, the position
//! (elements given so far), and for strings the byte offset of the next code point.

use super::Vm;
use crate::builtin::Fault;
use crate::heap::Shared;
use crate::value::{HandleRef, Kind, Value};
use ilu_lang::code::op::{Op, Word};

impl Vm {
    /// `IterLoop` on anything but a list.
    pub(super) fn next_or_on(&mut self, word: Word) -> Result<(), Fault> {
        if self.fuel + self.reserve < 1 {
            return Err(Fault::Fuel);
        }
        if let Some(round) = self.next_round(word.a())? {
            self.begin_round(word, round);
            self.jump(word.k());
        }
        self.fuel -= 1;
        Ok(())
    }

    /// Puts a round's values where its variables are.
    fn begin_round(&mut self, word: Word, (first, second): (Value, Value)) {
        let (a, b) = (word.a(), word.b());
        if word.c() == 2 {
            self.set(b, first);
            self.set(b.wrapping_add(1), second);
        } else {
            // With one variable, an object gives its keys and everything else its elements.
            self.set(b, if self.get(a).as_object().is_some() { first } else { second });
        }
    }

    /// `ForPrep`, `IterNew`, and `IterNext` on anything but a list.
    pub(super) fn iterate(&mut self, op: Op, word: Word) -> Result<(), Fault> {
        let (a, b, c, k) = (word.a(), word.b(), word.c(), word.k());
        match op {
            Op::ForPrep => {
                let (from, step, count) = self.range_of(self.get(a), self.get(a.wrapping_add(1)), c == 1)?;
                if count < 1.0 {
                    self.jump(k);
                    return Ok(());
                }
                self.set(a, Value::num(from));
                self.set(a.wrapping_add(1), Value::num(count - 1.0));
                self.set(a.wrapping_add(2), Value::num(step));
                self.set(b, Value::num(from));
            }
            Op::IterNew => {
                let source = self.get(b);
                match source.kind() {
                    Kind::List(_) | Kind::Str(_) | Kind::Object(_) | Kind::Bytes(_) => {}
                    Kind::Handle(id) if !matches!(self.heap.shared(id), Some(Shared::Task(_))) => {}
                    _ => {
                        let what = self.given(source);
                        return Err(Fault::Message(format!("can't loop over {what}")));
                    }
                }
                self.set(a, source);
                self.set(a.wrapping_add(1), Value::num(0.0));
                self.set(a.wrapping_add(2), Value::num(0.0));
            }
            _ => match self.next_round(a)? {
                None => self.jump(k),
                Some(round) => self.begin_round(word, round),
            },
        }
        Ok(())
    }

    fn next_round(&mut self, a: u8) -> Result<Option<(Value, Value)>, Fault> {
        let (source, position) = (self.get(a), self.get(a.wrapping_add(1)));
        let at = position.as_num().ok_or(Fault::Broken("loop state"))? as usize;
        let round = match source.kind() {
            Kind::List(list) => self.heap.list(list).get(at).map(|&item| (position, item)),
            Kind::Object(object) => self.heap.entry(object, at).map(|(key, value)| (Value::from(key), value)),
            Kind::Bytes(id) => self.heap.bytes(id).get(at).map(|&byte| (position, Value::num(f64::from(byte)))),
            Kind::Str(id) => {
                let offset = self.get(a.wrapping_add(2)).as_num().ok_or(Fault::Broken("loop state"))? as usize;
                match self.heap.char_from(id, offset)? {
                    Some((character, next)) => {
                        self.set(a.wrapping_add(2), Value::num(next as f64));
                        Some((position, character))
                    }
                    None => None,
                }
            }
            Kind::Handle(handle) if self.heap.shared(handle).is_some() => self.next_received(source)?.map(|value| (position, value)),
            Kind::Handle(handle) => self.next_line(handle)?.map(|line| (position, line)),
            _ => return Err(Fault::Broken("loop source")),
        };
        self.set(a.wrapping_add(1), Value::num((at + 1) as f64));
        Ok(round)
    }

    /// A loop over a channel ends when that is closed and empty.
    fn next_received(&mut self, channel: Value) -> Result<Option<Value>, Fault> {
        let native = ilu_cap::by_name("__sys_chan_recv").ok_or(Fault::Broken("no native of channels"))?;
        self.receive(native, channel, Value::NIL, self.authority())
    }

    fn next_line(&mut self, handle: HandleRef) -> Result<Option<Value>, Fault> {
        let Some((id, _)) = self.heap.handle(handle) else { return Err(Fault::Broken("handle")) };
        self.settle();
        let (authority, account) = (self.authority(), self.account);
        let room = self.room();
        let Self { heap, realm, frames, .. } = self;
        let (file, line) = super::trace::script_place(heap, frames);
        let site = ilu_sbx::CallSite { authority, account, file, line, room };
        let read = realm.read_line(site, id);
        self.book_buffers();
        match read {
            Ok(Some(text)) => self.received(text.len(), |heap| heap.string_owned(text)).map(Some),
            Ok(None) => Ok(None),
            Err(stop) => Err(Fault::Stop(stop)),
        }
    }

    /// What open files and standard input hold of lines not yet given is booked on the heap: it is as much in use as a string.
    pub(super) fn book_buffers(&mut self) {
        let held = self.realm.held_bytes();
        self.heap.release(self.buffered);
        self.heap.hold(held);
        self.buffered = held;
        self.book_records();
    }

    /// What is kept of decisions is booked on the heap of the script's own isolate. Only the root's bound counts it: it is the run's memory, and
    /// how much there is of it is not for the sandbox to say whose calls are recorded.
    fn book_records(&mut self) {
        let (old, new) = (self.recorded, self.realm.recorded_bytes());
        if new == old || self.realm.number() != 0 {
            return;
        }
        self.recorded = new;
        self.heap.release(old);
        self.heap.hold(new);
        let root = self.realm.root();
        let bounds = || self.boundaries.iter().map(|boundary| &boundary.memory).chain([&self.memory]);
        let most = bounds().filter(|bound| bound.of == root).map(|bound| bound.most).max().unwrap_or(usize::MAX);
        let bounds = self.boundaries.iter_mut().map(|boundary| &mut boundary.memory).chain([&mut self.memory]);
        for bound in bounds.filter(|bound| bound.of != root) {
            bound.most = bound.most.saturating_add(new).saturating_sub(old).min(most);
        }
        self.apply_limit();
    }
}
