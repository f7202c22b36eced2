//! An oracle for the compiler and the interpreter: random programs of a part of the language, run by the engine and by a plain evaluator of the
//! programs' trees. Both must print the same and fail at the same place.
//!
//! The evaluator shares nothing with the engine: no parser (it has the tree the text was written from), no bytecode, no registers, no
//! handles.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test, which takes its seeds from the environment")]
#![allow(missing_docs, reason = "the names of the tree's parts say it")]

mod evaluate;
mod generate;

use evaluate::{Stop, evaluate};
use generate::generate;
use ilu_tests::expect::Case;
use ilu_tests::inside::{How, run};
use ilu_tests::suite::Ended;
use std::fmt;
use std::rc::Rc;

/// A value of the part.
#[derive(Clone, Debug)]
pub enum Value {
    Nil,
    Bool(bool),
    Num(f64),
    Str(Rc<str>),
    List(Rc<std::cell::RefCell<Vec<Value>>>),
    Fun(Rc<evaluate::Closure>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    And,
    Or,
}

#[derive(Clone, Debug)]
pub enum Expr {
    Nil,
    Bool(bool),
    Num(f64),
    Str(String),
    Var(String),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    Bin(Op, Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Index(Box<Expr>, Box<Expr>),
    IndexOr(Box<Expr>, Box<Expr>),
    Len(Box<Expr>),
    Range(Box<Expr>, Box<Expr>, bool),
    Interp(Vec<Expr>),
    Lambda(Vec<String>, Box<Expr>),
    Block(Vec<String>, Vec<Stmt>),
    Call(Box<Expr>, Vec<Expr>),
    Pipe(Box<Expr>, String),
    Try(Box<Expr>),
}

#[derive(Clone, Debug)]
pub enum Stmt {
    Print(Vec<Expr>),
    Assign(String, Expr),
    Update(String, Op, Expr),
    SetIndex(String, Expr, Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    While(Expr, Vec<Stmt>),
    For(String, Expr, Vec<Stmt>),
    ForBoth(String, String, Expr, Vec<Stmt>),
    Brk,
    Cnt,
    Ret(Expr),
    Value(Expr),
    Function(String, Vec<String>, Vec<Stmt>),
    Match(Expr, Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Add => "+",
        Op::Sub => "-",
        Op::Mul => "*",
        Op::Div => "/",
        Op::Rem => "%",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::Eq => "==",
        Op::Ne => "!=",
        Op::And => "and",
        Op::Or => "or",
    }
}

fn commas(items: &[Expr]) -> String {
    items.iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Expr {
    /// As source text, with parentheses around every operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(true) => f.write_str("tru"),
            Self::Bool(false) => f.write_str("fls"),
            Self::Num(number) if *number < 0.0 => write!(f, "({number})"),
            Self::Num(number) => write!(f, "{number}"),
            Self::Str(text) => write!(f, "\"{text}\""),
            Self::Var(name) => f.write_str(name),
            Self::Not(e) => write!(f, "(not {e})"),
            Self::Neg(e) => write!(f, "(-{e})"),
            Self::Bin(op, a, b) => write!(f, "({a} {} {b})", sign(*op)),
            Self::If(c, a, b) => write!(f, "(if {c}: {a} | {b})"),
            Self::List(items) => write!(f, "[{}]", commas(items)),
            Self::Index(a, i) => write!(f, "{a}[{i}]"),
            Self::IndexOr(a, i) => write!(f, "{a}?[{i}]"),
            Self::Len(e) => write!(f, "len({e})"),
            Self::Range(a, b, exclusive) => write!(f, "({a}{}{b})", if *exclusive { "..<" } else { ".." }),
            Self::Interp(parts) => {
                f.write_str("$\"")?;
                parts.iter().try_for_each(|part| write!(f, "<{{ {part} }}>"))?;
                f.write_str("\"")
            }
            Self::Lambda(names, body) => write!(f, "(\\({}) {body})", names.join(", ")),
            // A lambda with a block stands at the end of an assignment only, which writes it with its own indentation.
            Self::Block(names, _) => write!(f, "\\({})", names.join(", ")),
            Self::Call(callee, args) => write!(f, "{callee}({})", commas(args)),
            Self::Pipe(value, name) => write!(f, "({value} |> {name})"),
            Self::Try(e) => write!(f, "(try(\\() {e}).val)"),
        }
    }
}

/// Statements as source text, indented by this many blanks.
pub fn text(body: &[Stmt], indent: usize) -> String {
    let pad = " ".repeat(indent);
    let block = |body: &[Stmt]| text(body, indent + 2);
    let mut out = String::new();
    for stmt in body {
        out += &pad;
        out += &match stmt {
            Stmt::Print(items) => format!("prn({})\n", commas(items)),
            Stmt::Assign(name, e @ Expr::Block(_, body)) => format!("{name} = {e}\n{}", block(body)),
            Stmt::Assign(name, e) => format!("{name} = {e}\n"),
            Stmt::Update(name, op, e) => format!("{name} {}= {e}\n", sign(*op)),
            Stmt::SetIndex(name, i, e) => format!("{name}[{i}] = {e}\n"),
            Stmt::If(c, yes, no) if no.is_empty() => format!("if {c}:\n{}", block(yes)),
            Stmt::If(c, yes, no) => format!("if {c}:\n{}{pad}|\n{}", block(yes), block(no)),
            Stmt::While(c, body) => format!("whl {c}:\n{}", block(body)),
            Stmt::For(name, source, body) => format!("{name} <- {source}:\n{}", block(body)),
            Stmt::ForBoth(i, name, source, body) => format!("{i}, {name} <- {source}:\n{}", block(body)),
            Stmt::Brk => "brk\n".into(),
            Stmt::Cnt => "cnt\n".into(),
            Stmt::Ret(e) => format!("ret {e}\n"),
            Stmt::Value(e) => format!("{e}\n"),
            Stmt::Function(name, names, body) => format!("{name}({}) =\n{}", names.join(", "), block(body)),
            Stmt::Match(e, arms, rest) => {
                let arm = |(pattern, body): &(Expr, Vec<Stmt>)| {
                    format!("{pad}  {} =>\n{}", pattern.to_string().trim_matches(['(', ')']), text(body, indent + 4))
                };
                format!("mat {e}:\n{}{pad}  _ =>\n{}", arms.iter().map(arm).collect::<String>(), text(rest, indent + 4))
            }
        };
    }
    out
}

/// Runs one program both ways. Gives whether it ended well and whether it failed; neither when the evaluator gave up on it.
fn compare(seed: u64) -> (bool, bool) {
    let program = generate(seed);
    let (printed, stop) = evaluate(&program);
    if matches!(stop, Some(Stop::GiveUp)) {
        return (false, false);
    }
    let source = text(&program, 0);
    let case = Case { source: source.clone().into_bytes(), ..Case::default() };
    let ran = run(&case, if seed.is_multiple_of(7) { How::CollectAlways } else { How::Usual }).unwrap();
    let stepped = run(&case, How::Stepped).unwrap();
    assert_eq!((&stepped.out, stepped.fuel), (&ran.out, ran.fuel), "seed {seed}: instructions chained and one at a time\n{source}");
    let same = matches!((&stop, &ran.ended), (None, Ended::Fine) | (Some(Stop::Error), Ended::Raised(_, 1)));
    assert!(
        same && printed == ran.out,
        "seed {seed}: the evaluator ended {stop:?}, the engine {:?}\n{source}\n--- the evaluator\n{printed}\n--- the engine\n{}",
        ran.ended,
        ran.out
    );
    (stop.is_none(), stop.is_some())
}

fn many(seeds: std::ops::Range<u64>) {
    let workers = 2;
    let counts: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let work = |worker: u64| {
            let mut counts = (0, 0);
            for seed in seeds.clone().filter(|seed| seed % workers == worker) {
                let (well, failed) = compare(seed);
                counts.0 += usize::from(well);
                counts.1 += usize::from(failed);
            }
            counts
        };
        let threads: Vec<_> = (0..workers)
            .map(|worker| std::thread::Builder::new().stack_size(8 << 20).spawn_scoped(scope, move || work(worker)).unwrap())
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let (well, failed) = counts.iter().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let asked = usize::try_from(seeds.end - seeds.start).unwrap();
    assert!(well * 4 > asked && failed * 20 > asked, "the programs are not varied: {well} ended well, {failed} failed, of {asked}");
}

#[test]
fn random_programs_do_what_a_plain_evaluator_says() {
    let first = std::env::var("ILU_SEED").ok().and_then(|seed| seed.parse().ok());
    match first {
        Some(seed) => many(seed..seed + std::env::var("ILU_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(1)),
        None => many(1..3001),
    }
}
