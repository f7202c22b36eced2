//! What the heap books is what the allocator hands out: measured with a counting allocator while scripts' usual bombs grow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use ilu::heap::{Full, Function, Heap, Store, UnitId};
use ilu::value::{ListId, ObjectId, Value};
use ilu_sbx::ids::SbxId;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const LIMIT: usize = 32 << 20;

/// One measures at a time: there is one allocator.
static MEASURES: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Grows until the heap refuses. Values it wants kept it pushes on the list.
type Bomb = fn(&mut Store, ListId) -> Result<(), Full>;

fn key(store: &mut Store, number: usize) -> Result<ilu::value::StrId, Full> {
    store.intern(&format!("k{number}"))
}
fn object_of(value: Value) -> ObjectId {
    value.as_object().unwrap()
}

const BOMBS: &[(&str, Bomb)] = &[
    ("one list that grows", |store, keep| {
        loop {
            store.list_push(keep, Value::TRUE)?;
        }
    }),
    ("empty lists", |store, keep| {
        loop {
            let list = store.list_new(&[])?;
            store.list_push(keep, list)?;
        }
    }),
    ("pairs", |store, keep| {
        loop {
            let list = store.list_new(&[Value::NIL, Value::TRUE])?;
            store.list_push(keep, list)?;
        }
    }),
    ("lists of lists, each inside the next", |store, keep| {
        store.list_push(keep, Value::NIL)?;
        loop {
            let list = store.list_new(&[store.list(keep)[0]])?;
            store.list_set(keep, 0, list);
        }
    }),
    ("lists that grow one element each", |store, keep| {
        loop {
            let list = store.list_with_capacity(0)?;
            store.list_push(list, Value::NIL)?;
            store.list_push(keep, list.into())?;
        }
    }),
    ("short strings", |store, keep| {
        for number in 0.. {
            let text = store.string(&format!("text {number}"))?;
            store.list_push(keep, text)?;
        }
        Ok(())
    }),
    ("strings too long to be interned", |store, keep| {
        for number in 0.. {
            let text = store.string(&format!("{number:060}"))?;
            store.list_push(keep, text)?;
        }
        Ok(())
    }),
    ("strings that have room to spare", |store, keep| {
        loop {
            let mut text = String::with_capacity(4000);
            text.push_str(&"long ".repeat(200));
            let text = store.string_owned(text)?;
            store.list_push(keep, text)?;
        }
    }),
    ("a string that doubles", |store, keep| {
        let mut text = store.intern("ab")?;
        loop {
            text = store.concat(text, text)?;
            store.list_push(keep, text.into())?;
        }
    }),
    ("points", |store, keep| {
        let (x, y) = (store.intern("x")?, store.intern("y")?);
        loop {
            let point = store.object_with(&[x, y], &[Value::NIL, Value::NIL])?;
            store.list_push(keep, point)?;
        }
    }),
    ("objects filled key by key", |store, keep| {
        loop {
            let object = store.object_new()?;
            store.list_push(keep, object.into())?;
            for number in 0..5 {
                let key = key(store, number)?;
                store.set(object, key, Value::NIL)?;
            }
        }
    }),
    ("objects of twelve keys", |store, keep| {
        loop {
            let object = store.object_new()?;
            store.list_push(keep, object.into())?;
            for number in 0..12 {
                let key = key(store, number)?;
                store.set(object, key, Value::NIL)?;
            }
        }
    }),
    ("objects of twenty keys, some taken out and others put in", |store, keep| {
        loop {
            let object = store.object_new()?;
            store.list_push(keep, object.into())?;
            for number in 0..200 {
                let (new, old) = (key(store, number)?, key(store, number.wrapping_sub(14))?);
                store.set(object, new, Value::NIL)?;
                store.remove(object, old);
            }
        }
    }),
    ("one object that grows", |store, keep| {
        let object = store.object_new()?;
        store.list_push(keep, object.into())?;
        for number in 0.. {
            let key = key(store, number)?;
            store.set(object, key, Value::NIL)?;
        }
        Ok(())
    }),
    ("long keys", |store, keep| {
        let object = object_of(store.object_with(&[], &[])?);
        store.list_push(keep, object.into())?;
        for number in 0.. {
            let long = store.string(&format!("{number:0100}"))?;
            let key = store.key(long.as_str().unwrap())?;
            store.set(object, key, Value::NIL)?;
        }
        Ok(())
    }),
    ("closures without captures", |store, keep| {
        loop {
            let function = Function { unit: UnitId(0), function: 0, home: SbxId(0), gate: false, captures: Box::default() };
            let function = store.function_new(function)?;
            store.list_push(keep, function.into())?;
        }
    }),
    ("closures over cells", |store, keep| {
        loop {
            let cell = store.cell_new(Value::NIL)?;
            let function = Function {
                unit: UnitId(0),
                function: 0,
                home: SbxId(0),
                gate: false,
                captures: Box::new([cell.into(), Value::NIL, Value::NIL]),
            };
            let function = store.function_new(function)?;
            store.list_push(keep, function.into())?;
        }
    }),
    ("bytes", |store, keep| {
        loop {
            let bytes = store.bytes_new(vec![7; 100])?;
            store.list_push(keep, bytes)?;
        }
    }),
    ("sandbox references", |store, keep| {
        loop {
            let sandbox = store.sandbox_new(SbxId(1))?;
            store.list_push(keep, sandbox)?;
        }
    }),
];

/// Whatever stands on the allocator's side of the books but not on the heap's: the test's own strings and the like.
const SLACK: usize = 64 << 10;

#[test]
fn what_is_booked_covers_what_is_held_through_growth_collection_and_the_end() {
    let _alone = MEASURES.lock();
    for (name, bomb) in BOMBS {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let mut heap = Heap::new(LIMIT);
        let keep = heap.list_with_capacity(0).unwrap();
        let Err(full) = bomb(&mut heap, keep) else { panic!("{name}: a bomb has no end") };
        assert!(full.needs > 0);
        let (real, booked) = (ALLOCATOR.current_usage() - before, heap.live());
        assert!(booked <= LIMIT, "{name}: {booked} booked");
        assert!(booked > LIMIT / 4, "{name}: refused at {booked} of {LIMIT}");
        assert!(real as f64 <= booked as f64 * 1.25 + SLACK as f64, "{name}: {real} held, {booked} booked");
        assert!(real as f64 * 2.6 + SLACK as f64 >= booked as f64, "{name}: only {real} held, {booked} booked");

        heap.collect(&mut |marker| marker.value(keep.into()));
        let peak = ALLOCATOR.peak_usage() - before;
        assert!(peak <= LIMIT + LIMIT / 20 + SLACK, "{name}: {peak} at the peak, collection included");
        let real = ALLOCATOR.current_usage() - before;
        assert!(real as f64 <= heap.live() as f64 * 1.25 + SLACK as f64, "{name}: {real} held, {} booked after a collection", heap.live());

        heap.collect(&mut |_| {});
        let real = ALLOCATOR.current_usage() - before;
        assert!(heap.live() < 16 << 10, "{name}: {} booked in an empty heap", heap.live());
        assert!(real < SLACK, "{name}: {real} held by an empty heap");
    }
}

/// No module, no builtin.
struct Nothing;

impl ilu_lang::library::Library for Nothing {
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

#[test]
fn what_is_booked_for_a_loaded_program_covers_what_it_holds() {
    let _alone = MEASURES.lock();
    let many = |count: usize, part: fn(usize) -> String| (0..count).map(part).collect::<String>();
    let texts = [
        ("a small one", "x = 1\n".to_owned()),
        ("empty lines", "\n".repeat(20_000)),
        ("a long comment", format!("# {}\n", "a".repeat(20_000))),
        ("names", many(500, |n| format!("v{n} = 1\n"))),
        ("functions", many(500, |n| format!("f{n}(x) = x\n"))),
        ("captures", format!("f(a, b, c, d) = [{}1]\n", "\\() [a, b, c, d], ".repeat(200))),
        ("fields", format!("o = {{}}\n{}", many(500, |n| format!("o.f{n} = 1\n")))),
        ("literals of objects", format!("f() = [{}1]\n", many(300, |n| format!("{{a{n}: 1}}, ")))),
        ("texts", format!("f() = [{}1]\n", many(300, |n| format!("\"some text {n}\", ")))),
        ("numbers", format!("f() = [{}1]\n", many(300, |n| format!("{n}.5, ")))),
        ("files used", many(200, |n| format!("use \"file{n}.ilu\" as u{n}\n"))),
    ];
    let mut wrong = Vec::new();
    for (name, text) in texts {
        let before = ALLOCATOR.current_usage();
        let mut heap = Heap::new(LIMIT);
        loop {
            let source = ilu_lang::source::Source::new("<eval>", text.as_str());
            let program = ilu_lang::compile::compile(&source, &Nothing, false).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
            if heap.unit_new(program.into(), SbxId(0), ilu::heap::Origin::Text).is_err() {
                break;
            }
        }
        let (real, booked) = (ALLOCATOR.current_usage() - before, heap.live());
        if real as f64 > booked as f64 * 1.1 + SLACK as f64 || real as f64 * 2.0 + (SLACK as f64) < booked as f64 {
            wrong.push(format!("{name}: {real} held, {booked} booked"));
        }
        drop(heap);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
