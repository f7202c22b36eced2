//! Units: what loading a program makes, what keeps it alive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::value::FunctionId;
use ilu_lang::code::program::Program;
use ilu_lang::library::Library;
use ilu_lang::source::Source;
use std::sync::Arc;

struct Nothing;
impl Library for Nothing {
    fn builtin(&self, _: &str, _: bool) -> Option<u32> {
        None
    }
    fn native(&self, _: &str) -> Option<u32> {
        None
    }
    fn exports(&self, _: &str) -> Option<Vec<String>> {
        None
    }
    fn modules(&self) -> Vec<String> {
        Vec::new()
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

const SOURCE: &str = "\
point(a) = {x: a, y: [a.x, a.a_key_that_is_longer_than_a_string_that_is_interned]}
text = \"some text of a length at which strings are not interned any more\"
other = b\"bytes\"
number = 1234.5
";

fn program() -> Arc<Program> {
    let source = Source::new("unit.ilu", SOURCE);
    Arc::new(ilu_lang::compile::compile(&source, &Nothing, false).unwrap_or_else(|errors| panic!("{errors:?}")))
}
fn load(heap: &mut Heap) -> UnitId {
    heap.unit_new(program(), SbxId(1), Origin::Text).unwrap()
}
fn function(heap: &mut Heap, unit: UnitId, function: u32) -> FunctionId {
    heap.function_new(Function { unit, function, home: SbxId(1), gate: false, captures: Box::default() }).unwrap()
}

#[test]
fn loading_makes_constants_keys_and_unset_variables() {
    let mut heap = Heap::new(1 << 20);
    let id = load(&mut heap);
    let unit = heap.units.get(id).unwrap();
    assert_eq!(unit.constants.len(), unit.program.constants.len());
    assert!(unit.globals.iter().all(|value| value.get() == Value::UNSET));
    assert_eq!(unit.globals.len(), unit.program.globals.len());
    let mut keys: Vec<&str> = unit.sites.iter().map(|site| heap.str(site.key)).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a_key_that_is_longer_than_a_string_that_is_interned", "x"]);
    assert!(unit.sites.iter().all(|site| heap.is_interned(site.key)));
    let template: Vec<&str> = unit.templates[0].iter().map(|key| heap.str(*key)).collect();
    assert_eq!(template, ["x", "y"]);
}

#[test]
fn a_unit_lives_as_long_as_a_function_or_a_frame_names_it() {
    let mut heap = Heap::new(1 << 20);
    let id = load(&mut heap);
    let kept = function(&mut heap, id, 1);
    let name = heap.intern("imported").unwrap();
    let value = heap.list_new(&[Value::TRUE]).unwrap();
    heap.import(id, name, value).unwrap();
    let global = heap.list_new(&[Value::FALSE]).unwrap();
    heap.units.get_mut(id).unwrap().globals[0].set(global);
    for by_frame in [false, true] {
        heap.collect(&mut |marker| if by_frame { marker.unit(id) } else { marker.value(kept.into()) });
        let unit = heap.units.get(id).unwrap();
        assert_eq!(heap.list(unit.globals[0].get().as_list().unwrap()), [Value::FALSE]);
        assert_eq!(heap.list(unit.imports[&name].as_list().unwrap()), [Value::TRUE]);
        assert_eq!(heap.str(name), "imported");
        assert!(unit.constants.iter().all(|value| value.as_str().is_none_or(|id| !heap.str(id).is_empty())));
    }
    heap.collect(&mut |_| {});
    assert!(heap.units.get(id).is_none());
    assert!(heap.live() < 4096, "{}", heap.live());
}

#[test]
fn a_program_that_is_loaded_over_and_over_is_charged() {
    let mut heap = Heap::new(1 << 20);
    let program = program();
    let loaded = (0..).take_while(|_| heap.unit_new(program.clone(), SbxId(1), Origin::Text).is_ok()).count();
    assert!((100..2000).contains(&loaded), "{loaded}");
    let mut heap = Heap::new(1 << 20);
    let of_engine = (0..).take_while(|_| heap.unit_new(program.clone(), SbxId(1), Origin::Std("unit".into())).is_ok()).count();
    assert!(of_engine > loaded, "{of_engine} against {loaded}: the engine's own programs are not charged twice");
}

#[test]
fn a_function_is_shown_by_its_name() {
    let mut heap = Heap::new(1 << 20);
    let id = load(&mut heap);
    let function = function(&mut heap, id, 1);
    assert_eq!(short_text(&heap, function.into(), 40), "<fun point>");
    heap.collect(&mut |_| {});
    assert_eq!(short_text(&heap, function.into(), 40), "<fun \\>", "stale");
}
