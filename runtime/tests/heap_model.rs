//! The heap against a model that never frees anything, with a collection after every step; and the laws of equality.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use ilu::heap::{Bound, Heap, equal};
use ilu::value::{Kind, Value};
use proptest::prelude::*;
use std::collections::HashSet;

const REGISTERS: usize = 8;
const BOUND: Bound = Bound { work: 1 << 24, bytes: 1 << 28 };

#[derive(Clone, Debug)]
enum Step {
    Number(usize, i8),
    Text(usize, u8, usize),
    Join(usize, usize, usize),
    List(usize, usize, usize),
    Push(usize, usize),
    Pop(usize),
    SetItem(usize, usize, usize),
    RemoveItem(usize, usize),
    Item(usize, usize, usize),
    Object(usize),
    SetKey(usize, u8, usize),
    RemoveKey(usize, u8),
    Key(usize, usize, u8),
    Cell(usize, usize),
    Forget(usize),
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let r = 0..REGISTERS;
    prop_oneof![
        (r.clone(), any::<i8>()).prop_map(|(a, b)| Number(a, b)),
        (r.clone(), any::<u8>(), 0..60usize).prop_map(|(a, b, c)| Text(a, b, c)),
        (r.clone(), r.clone(), r.clone()).prop_map(|(a, b, c)| Join(a, b, c)),
        (r.clone(), r.clone(), r.clone()).prop_map(|(a, b, c)| List(a, b, c)),
        (r.clone(), r.clone()).prop_map(|(a, b)| Push(a, b)),
        r.clone().prop_map(Pop),
        (r.clone(), 0..4usize, r.clone()).prop_map(|(a, b, c)| SetItem(a, b, c)),
        (r.clone(), 0..4usize).prop_map(|(a, b)| RemoveItem(a, b)),
        (r.clone(), r.clone(), 0..4usize).prop_map(|(a, b, c)| Item(a, b, c)),
        r.clone().prop_map(Object),
        (r.clone(), 0..20u8, r.clone()).prop_map(|(a, b, c)| SetKey(a, b, c)),
        (r.clone(), 0..20u8).prop_map(|(a, b)| RemoveKey(a, b)),
        (r.clone(), r.clone(), 0..20u8).prop_map(|(a, b, c)| Key(a, b, c)),
        (r.clone(), r.clone()).prop_map(|(a, b)| Cell(a, b)),
        r.prop_map(Forget),
    ]
}

/// A value of the model; containers are places in its arena.
#[derive(Clone, Debug, PartialEq)]
enum Ideal {
    Nil,
    Number(f64),
    Text(String),
    List(usize),
    Object(usize),
    Cell(usize),
}

#[derive(Default)]
struct Model {
    lists: Vec<Vec<Ideal>>,
    objects: Vec<Vec<(String, Ideal)>>,
    cells: Vec<Ideal>,
}

fn key_text(key: u8) -> String {
    // Some keys are too long to be interned as strings.
    if key.is_multiple_of(3) { format!("a key of some length, longer than what is interned: {key}") } else { format!("k{key}") }
}

struct Both {
    heap: Heap,
    registers: Vec<Value>,
    model: Model,
    ideal: Vec<Ideal>,
}

impl Both {
    fn new() -> Self {
        Self {
            heap: Heap::new(1 << 24),
            registers: vec![Value::NIL; REGISTERS],
            model: Model::default(),
            ideal: vec![Ideal::Nil; REGISTERS],
        }
    }
    fn put(&mut self, register: usize, value: Value, ideal: Ideal) {
        self.registers[register] = value;
        self.ideal[register] = ideal;
    }
    fn collect(&mut self) {
        let registers = &self.registers;
        self.heap.collect(&mut |marker| marker.values(registers));
    }
    fn text(&mut self, to: usize, text: String) {
        let value = self.heap.string(&text).unwrap();
        self.put(to, value, Ideal::Text(text));
    }
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Number(to, number) => self.put(to, Value::num(f64::from(number)), Ideal::Number(f64::from(number))),
            Step::Text(to, seed, length) => self.text(to, char::from(seed).to_string().repeat(length)),
            Step::Join(to, a, b) => {
                if let (Ideal::Text(x), Ideal::Text(y)) = (&self.ideal[a], &self.ideal[b])
                    && x.len() + y.len() < 1000
                {
                    let joined = format!("{x}{y}");
                    let id = self.heap.concat(self.registers[a].as_str().unwrap(), self.registers[b].as_str().unwrap()).unwrap();
                    self.put(to, id.into(), Ideal::Text(joined));
                }
            }
            Step::List(to, a, b) => {
                let value = self.heap.list_new(&[self.registers[a], self.registers[b]]).unwrap();
                self.model.lists.push(vec![self.ideal[a].clone(), self.ideal[b].clone()]);
                self.put(to, value, Ideal::List(self.model.lists.len() - 1));
            }
            Step::Object(to) => {
                let id = self.heap.object_new().unwrap();
                self.model.objects.push(Vec::new());
                self.put(to, id.into(), Ideal::Object(self.model.objects.len() - 1));
            }
            Step::Cell(to, of) => {
                let id = self.heap.cell_new(self.registers[of]).unwrap();
                self.model.cells.push(self.ideal[of].clone());
                self.put(to, id.into(), Ideal::Cell(self.model.cells.len() - 1));
            }
            Step::Forget(register) => self.put(register, Value::NIL, Ideal::Nil),
            Step::Push(..) | Step::Pop(_) | Step::SetItem(..) | Step::RemoveItem(..) | Step::Item(..) => self.list_step(step),
            Step::SetKey(..) | Step::RemoveKey(..) | Step::Key(..) => self.object_step(step),
        }
    }
    fn list_step(&mut self, step: &Step) {
        let at = match *step {
            Step::Push(at, _) | Step::Pop(at) | Step::SetItem(at, ..) | Step::RemoveItem(at, _) | Step::Item(_, at, _) => at,
            _ => return,
        };
        let (Some(id), Ideal::List(place)) = (self.registers[at].as_list(), self.ideal[at].clone()) else { return };
        let items = &mut self.model.lists[place];
        match *step {
            Step::Push(_, from) => {
                self.heap.list_push(id, self.registers[from]).unwrap();
                items.push(self.ideal[from].clone());
            }
            Step::Pop(_) => assert_eq!(self.heap.list_pop(id).is_some(), items.pop().is_some()),
            Step::SetItem(_, index, from) => {
                assert_eq!(self.heap.list_set(id, index, self.registers[from]), index < items.len());
                if let Some(item) = items.get_mut(index) {
                    *item = self.ideal[from].clone();
                }
            }
            Step::RemoveItem(_, index) => {
                assert_eq!(self.heap.list_remove(id, index).is_some(), index < items.len());
                if index < items.len() {
                    items.remove(index);
                }
            }
            Step::Item(to, _, index) => {
                if let (Some(&value), Some(ideal)) = (self.heap.list(id).get(index), items.get(index).cloned()) {
                    self.put(to, value, ideal);
                }
            }
            _ => {}
        }
    }
    fn object_step(&mut self, step: &Step) {
        let (at, key) = match *step {
            Step::SetKey(at, key, _) | Step::RemoveKey(at, key) | Step::Key(_, at, key) => (at, key_text(key)),
            _ => return,
        };
        let (Some(id), Ideal::Object(place)) = (self.registers[at].as_object(), self.ideal[at].clone()) else { return };
        let pairs = &mut self.model.objects[place];
        let found = pairs.iter().position(|pair| pair.0 == key);
        match *step {
            Step::SetKey(_, _, from) => {
                let name = self.heap.intern(&key).unwrap();
                let position = self.heap.set(id, name, self.registers[from]).unwrap();
                assert_eq!(position, found.unwrap_or(pairs.len()));
                match found {
                    Some(found) => pairs[found].1 = self.ideal[from].clone(),
                    None => pairs.push((key, self.ideal[from].clone())),
                }
            }
            Step::RemoveKey(..) => {
                let removed = self.heap.known_key(&key).and_then(|name| self.heap.remove(id, name));
                assert_eq!(removed.is_some(), found.is_some());
                if let Some(found) = found {
                    pairs.remove(found);
                }
            }
            Step::Key(to, ..) => {
                let value = self.heap.known_key(&key).and_then(|name| self.heap.get(id, name));
                assert_eq!(value.is_some(), found.is_some(), "{key}");
                if let (Some(value), Some(found)) = (value, found) {
                    let ideal = pairs[found].1.clone();
                    self.put(to, value, ideal);
                }
            }
            _ => {}
        }
    }
    /// Every value the registers reach is what the model has.
    fn check(&self) {
        let mut seen = HashSet::new();
        let mut open: Vec<(Value, &Ideal)> = self.registers.iter().copied().zip(&self.ideal).collect();
        while let Some((value, ideal)) = open.pop() {
            match (value.kind(), ideal) {
                (Kind::Nil, Ideal::Nil) => {}
                (Kind::Num(a), Ideal::Number(b)) => assert_eq!(a, *b),
                (Kind::Str(id), Ideal::Text(text)) => {
                    assert_eq!(self.heap.str(id), text);
                    assert_eq!(self.heap.chars(id), text.chars().count());
                    assert_eq!(self.heap.is_ascii(id), text.is_ascii());
                }
                (Kind::List(id), Ideal::List(place)) => {
                    let (items, ideals) = (self.heap.list(id), &self.model.lists[*place]);
                    assert_eq!(items.len(), ideals.len());
                    if seen.insert(value) {
                        open.extend(items.iter().copied().zip(ideals));
                    }
                }
                (Kind::Object(id), Ideal::Object(place)) => {
                    let ideals = &self.model.objects[*place];
                    assert_eq!(self.heap.object_len(id), ideals.len());
                    let new = seen.insert(value);
                    for (position, (key, ideal)) in ideals.iter().enumerate() {
                        let (name, value) = self.heap.entry(id, position).unwrap();
                        assert_eq!(self.heap.str(name), key);
                        assert_eq!(self.heap.position(id, name), Some(position));
                        assert_eq!(self.heap.known_key(key), Some(name));
                        if new {
                            open.push((value, ideal));
                        }
                    }
                }
                (Kind::Cell(id), Ideal::Cell(place)) => {
                    if seen.insert(value) {
                        open.push((self.heap.cell(id), &self.model.cells[*place]));
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_heap_is_the_model_with_a_collection_after_every_step(steps in prop::collection::vec(step(), 1..120)) {
        let mut both = Both::new();
        for step in &steps {
            both.step(step);
            both.collect();
            both.check();
        }
        both.registers.fill(Value::NIL);
        both.collect();
        prop_assert!(both.heap.live() < 16 << 10, "{} booked in an empty heap", both.heap.live());
    }

    #[test]
    fn equality_is_reflexive_symmetric_transitive_and_sees_every_change(steps in prop::collection::vec(step(), 1..60)) {
        let (mut one, mut two) = (Both::new(), Both::new());
        for step in &steps {
            one.step(step);
            two.step(step);
            two.collect();
        }
        let same = |a: Value, b: Value| equal(&one.heap, a, b, BOUND).unwrap().0;
        for (&a, x) in one.registers.iter().zip(&one.ideal) {
            prop_assert!(same(a, a));
            for (&b, y) in one.registers.iter().zip(&one.ideal) {
                prop_assert_eq!(same(a, b), same(b, a));
                if x == y {
                    prop_assert!(same(a, b));
                }
                for &c in &one.registers {
                    if same(a, b) && same(b, c) {
                        prop_assert!(same(a, c));
                    }
                }
            }
        }
        for (a, b) in (0..REGISTERS).flat_map(|a| (0..REGISTERS).map(move |b| (a, b))) {
            let here = same(one.registers[a], one.registers[b]);
            let there = equal(&two.heap, two.registers[a], two.registers[b], BOUND).unwrap().0;
            prop_assert_eq!(here, there, "collections change nothing about equality");
        }
    }
}
