//! Attack row INT-010: the suite's own scripts, cut off, with a byte missing and with a byte changed. Whatever becomes of them, the compiler
//! gives a program or errors with places inside the text, and the interpreter ends what compiles within its budgets and without a bug of
//! ours, on a small stack.

use ilu::{Engine, Kind};
use ilu_tests::command::root;
use ilu_tests::expect::cases;
use ilu_tests::inside::{How, tiny};
use ilu_tests::suite::{FOLDER, files, is_helper};

/// Deterministic, and different for each seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % sides.max(1)
    }
}

/// The scripts of the suite, without the empty lines that keep their places.
fn corpus() -> Vec<String> {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| !is_helper(file)) {
        let bytes = std::fs::read(root().join(FOLDER).join(file)).unwrap();
        found.extend(cases(file, &bytes).into_iter().filter_map(|case| String::from_utf8(case.source).ok()));
    }
    let found: Vec<String> = found.into_iter().map(|text| text.trim_start().to_string()).filter(|text| text.len() < 4_000).collect();
    assert!(found.len() > 400, "only {} scripts", found.len());
    found
}

/// One mutant is compiled and, when it compiles, run.
fn try_out(engine: &Engine, text: &str) -> bool {
    match engine.compile("mutant", text) {
        Ok(program) => {
            let outcome = engine.run(&program, tiny(How::Usual));
            if let Err(error) = outcome.result {
                assert!(!matches!(error.kind, Kind::Bug), "{}\n{text}", error.message);
            }
            true
        }
        Err(error) => {
            assert!(!error.diagnostics.is_empty(), "refused without a reason:\n{text}");
            for found in &error.diagnostics {
                let (start, end) = (found.span.start as usize, found.span.end as usize);
                assert!(start <= end && end <= text.len(), "{found:?} lies outside\n{text}");
                assert!(found.message.len() < 600, "a long message: {}", found.message);
            }
            false
        }
    }
}

/// Runs the mutants on threads with a small stack, and asks that some compile and some do not.
fn all(mutate: impl Fn(&mut Dice, &str) -> Vec<String> + Sync) {
    let corpus = corpus();
    let engine = Engine::new();
    let halves: Vec<&[String]> = corpus.chunks(corpus.len().div_ceil(2)).collect();
    let counts = std::thread::scope(|scope| {
        let work = |(at, part): (usize, &&[String])| {
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15 + at as u64);
            let mut compiled = (0, 0);
            for text in *part {
                for mutant in mutate(&mut dice, text) {
                    if try_out(&engine, &mutant) { compiled.0 += 1 } else { compiled.1 += 1 }
                }
            }
            compiled
        };
        let threads: Vec<_> = halves
            .iter()
            .enumerate()
            .map(|part| std::thread::Builder::new().stack_size(1 << 20).spawn_scoped(scope, move || work(part)).unwrap())
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    });
    assert!(counts.0 > 500 && counts.1 > 500, "the mutants are not varied: {counts:?}");
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

pub fn int_010_every_beginning_of_a_script_is_a_program_or_an_error() {
    all(|dice, text| (0..24).map(|_| text[..boundary(text, dice.roll(text.len() + 1))].to_string()).collect());
}

pub fn int_010_a_missing_piece_leaves_a_program_or_an_error() {
    all(|dice, text| {
        let cut = |dice: &mut Dice| {
            let start = boundary(text, dice.roll(text.len()));
            let end = boundary(text, start + 1 + dice.roll(6)).max(start);
            format!("{}{}", &text[..start], &text[end..])
        };
        (0..24).map(|_| cut(dice)).collect()
    });
}

pub fn int_010_a_changed_piece_leaves_a_program_or_an_error() {
    const PIECES: [&str; 40] = [
        "(", ")", "[", "]", "{", "}", "\n", "\n  ", " ", ":", ",", "|", "|>", "..", "..<", "?.", "?[", "=", "==", "=>", "<-", "+", "-",
        "!", "\\(x) ", "\"", "$\"{", "#", "0", "9e9", "nil", "if ", "mat x:", "x", "_", "ret ", "brk", "use trl", "def ", "\u{e9}",
    ];
    all(|dice, text| {
        let change = |dice: &mut Dice| {
            let mut text = text.to_string();
            for _ in 0..=dice.roll(3) {
                let start = boundary(&text, dice.roll(text.len()));
                let end = boundary(&text, start + dice.roll(3)).max(start);
                text.replace_range(start..end, PIECES[dice.roll(PIECES.len())]);
            }
            text
        };
        (0..24).map(|_| change(dice)).collect()
    });
}

pub fn int_010_mixed_lines_of_different_scripts_are_a_program_or_an_error() {
    let corpus = corpus();
    let lines: Vec<&str> = corpus.iter().flat_map(|text| text.lines()).collect();
    all(|dice, text| {
        let mix = |dice: &mut Dice| {
            let mut out: Vec<&str> = text.lines().collect();
            for _ in 0..3 {
                let at = dice.roll(out.len() + 1);
                out.insert(at, lines[dice.roll(lines.len())]);
            }
            out.join("\n")
        };
        (0..24).map(|_| mix(dice)).collect()
    });
}
