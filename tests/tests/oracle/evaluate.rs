//! The evaluator: walks the tree, keeps variables in maps.

use crate::{Expr, Op, Stmt, Value};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// A function with what it sees.
#[derive(Debug)]
pub struct Closure {
    names: Vec<String>,
    body: Body,
    scope: Rc<Scope>,
    /// Named functions do not rebind what is outside.
    named: bool,
}

#[derive(Debug)]
enum Body {
    Expr(Expr),
    Block(Vec<Stmt>),
}

/// Variables of a function, or of a round of a loop.
#[derive(Debug, Default)]
struct Scope {
    variables: RefCell<HashMap<String, Value>>,
    outer: Option<Rc<Scope>>,
    /// A round of a loop: what is made in it belongs to the function around.
    round: bool,
    /// The edge of a named function: assignments stop here.
    edge: bool,
}

/// Why a program ended early.
#[derive(Debug)]
pub enum Stop {
    Error,
    /// Beyond what the evaluator says anything about.
    GiveUp,
}

enum Flow {
    Stop(Stop),
    Brk,
    Cnt,
    Ret(Value),
}

impl From<Stop> for Flow {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

struct Machine {
    out: RefCell<String>,
    left: Cell<u32>,
    depth: Cell<u32>,
}

/// What a program prints, and how it ended when not well.
pub fn evaluate(program: &[Stmt]) -> (String, Option<Stop>) {
    let machine = Machine { out: RefCell::default(), left: Cell::new(60_000), depth: Cell::new(0) };
    let scope = Rc::new(Scope { edge: true, ..Scope::default() });
    let stop = match machine.block(program, &scope) {
        Ok(_) => None,
        Err(Flow::Stop(stop)) => Some(stop),
        Err(_) => Some(Stop::GiveUp),
    };
    (machine.out.into_inner(), stop)
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Nil => false,
        Value::Bool(b) => *b,
        Value::Num(n) => *n != 0.0,
        Value::Str(s) => !s.is_empty(),
        Value::List(items) => !items.borrow().is_empty(),
        Value::Fun(_) => true,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Num(a), Value::Num(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            Rc::ptr_eq(a, b) || (a.borrow().len() == b.borrow().len() && a.borrow().iter().zip(b.borrow().iter()).all(|(a, b)| equal(a, b)))
        }
        (Value::Fun(a), Value::Fun(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}

/// The text of a value; nothing where the evaluator leaves the spelling to others.
fn show(value: &Value, quoted: bool, depth: u32) -> Option<String> {
    Some(match value {
        _ if depth > 20 => return None,
        Value::Nil => "nil".into(),
        Value::Bool(b) => if *b { "tru" } else { "fls" }.into(),
        Value::Num(n) => ryu_js::Buffer::new().format(*n).to_string(),
        Value::Fun(_) => return None,
        Value::Str(s) if quoted => format!("\"{s}\""),
        Value::Str(s) => s.to_string(),
        Value::List(items) => {
            let parts: Option<Vec<String>> = items.borrow().iter().map(|item| show(item, true, depth + 1)).collect();
            format!("[{}]", parts?.join(", "))
        }
    })
}

fn text_of(value: &Value) -> Result<String, Stop> {
    show(value, false, 0).ok_or(Stop::GiveUp)
}

fn list(items: Vec<Value>) -> Result<Value, Stop> {
    if items.len() > 2000 { Err(Stop::GiveUp) } else { Ok(Value::List(Rc::new(RefCell::new(items)))) }
}

fn string(text: String) -> Result<Value, Stop> {
    if text.len() > 5000 { Err(Stop::GiveUp) } else { Ok(Value::Str(text.into())) }
}

fn finite(number: f64) -> Result<Value, Stop> {
    if number.is_finite() { Ok(Value::Num(number)) } else { Err(Stop::Error) }
}

fn binary(op: Op, a: &Value, b: &Value) -> Result<Value, Stop> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    Ok(match (op, a, b) {
        (Op::Eq, ..) => Value::Bool(equal(a, b)),
        (Op::Ne, ..) => Value::Bool(!equal(a, b)),
        (Op::Add, Value::Num(a), Value::Num(b)) => finite(a + b)?,
        (Op::Add, Value::Str(a), Value::Str(b)) => string(format!("{a}{b}"))?,
        (Op::Add, Value::Str(_), Value::Num(_)) | (Op::Add, Value::Num(_), Value::Str(_)) => string(text_of(a)? + &text_of(b)?)?,
        (Op::Add, Value::List(a), Value::List(b)) => list(a.borrow().iter().chain(b.borrow().iter()).cloned().collect())?,
        (Op::Sub, Value::Num(a), Value::Num(b)) => finite(a - b)?,
        (Op::Mul, Value::Num(a), Value::Num(b)) => finite(a * b)?,
        (Op::Div | Op::Rem, Value::Num(_), Value::Num(b)) if *b == 0.0 => return Err(Stop::Error),
        (Op::Div, Value::Num(a), Value::Num(b)) => finite(a / b)?,
        (Op::Rem, Value::Num(a), Value::Num(b)) => {
            let rest = a % b;
            Value::Num(if rest != 0.0 && (rest < 0.0) != (*b < 0.0) { rest + b } else { rest })
        }
        (Op::Lt | Op::Le | Op::Gt | Op::Ge, ..) => {
            let order = match (a, b) {
                (Value::Num(a), Value::Num(b)) => a.partial_cmp(b).ok_or(Stop::GiveUp)?,
                (Value::Str(a), Value::Str(b)) => a.chars().cmp(b.chars()),
                _ => return Err(Stop::Error),
            };
            Value::Bool(match op {
                Op::Lt => order == Less,
                Op::Le => order != Greater,
                Op::Gt => order == Greater,
                _ => order != Less || order == Equal,
            })
        }
        _ => return Err(Stop::Error),
    })
}

/// The place of an index, or nothing when there is no such element.
fn place(index: &Value, length: usize) -> Option<usize> {
    match index {
        Value::Num(n) if *n >= 0.0 && n.fract() == 0.0 && (*n as usize) < length => Some(*n as usize),
        _ => None,
    }
}

impl Scope {
    fn get(self: &Rc<Self>, name: &str) -> Option<Value> {
        let mut at = Some(self);
        while let Some(scope) = at {
            if let Some(value) = scope.variables.borrow().get(name) {
                return Some(value.clone());
            }
            at = scope.outer.as_ref();
        }
        None
    }

    /// `name = value`: rebinds what is visible up to the edge of a named function, else makes it in the function.
    fn set(self: &Rc<Self>, name: &str, value: Value) {
        let mut at = Rc::clone(self);
        loop {
            if at.variables.borrow().contains_key(name) {
                break;
            }
            match &at.outer {
                Some(outer) if !at.edge => at = Rc::clone(outer),
                _ => {
                    at = Rc::clone(self);
                    while at.round {
                        let Some(outer) = at.outer.clone() else { break };
                        at = outer;
                    }
                    break;
                }
            }
        }
        at.variables.borrow_mut().insert(name.to_string(), value);
    }

    fn round(self: &Rc<Self>, names: &[(&str, Value)]) -> Rc<Self> {
        let variables = names.iter().map(|(name, value)| ((*name).to_string(), value.clone())).collect();
        Rc::new(Self { variables: RefCell::new(variables), outer: Some(Rc::clone(self)), round: true, edge: false })
    }
}

impl Machine {
    fn tick(&self) -> Result<(), Stop> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(Stop::GiveUp),
        }
        Ok(())
    }

    fn block(&self, body: &[Stmt], scope: &Rc<Scope>) -> Result<Value, Flow> {
        // The functions of a block are there from its start.
        for stmt in body {
            if let Stmt::Function(name, names, body) = stmt {
                let closure = Closure { names: names.clone(), body: Body::Block(body.clone()), scope: Rc::clone(scope), named: true };
                scope.set(name, Value::Fun(Rc::new(closure)));
            }
        }
        let mut last = Value::Nil;
        for stmt in body {
            last = self.stmt(stmt, scope)?;
        }
        Ok(last)
    }

    fn stmt(&self, stmt: &Stmt, scope: &Rc<Scope>) -> Result<Value, Flow> {
        self.tick()?;
        match stmt {
            Stmt::Print(items) => {
                let values = items.iter().map(|item| self.expr(item, scope)).collect::<Result<Vec<_>, _>>()?;
                let texts = values.iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
                *self.out.borrow_mut() += &(texts.join(" ") + "\n");
            }
            Stmt::Assign(name, e) => {
                let value = self.expr(e, scope)?;
                scope.set(name, value);
            }
            Stmt::Update(name, op, e) => {
                let old = scope.get(name).ok_or(Stop::GiveUp)?;
                let value = binary(*op, &old, &self.expr(e, scope)?)?;
                scope.set(name, value);
            }
            Stmt::SetIndex(name, index, e) => {
                let target = scope.get(name).ok_or(Stop::GiveUp)?;
                let index = self.expr(index, scope)?;
                let value = self.expr(e, scope)?;
                let Value::List(items) = target else { return Err(Stop::Error.into()) };
                let at = place(&index, items.borrow().len()).ok_or(Stop::Error)?;
                items.borrow_mut()[at] = value;
            }
            Stmt::If(c, yes, no) => return self.block(if truthy(&self.expr(c, scope)?) { yes } else { no }, scope),
            Stmt::While(c, body) => {
                while truthy(&self.expr(c, scope)?) {
                    if !self.round(body, scope)? {
                        break;
                    }
                }
            }
            Stmt::For(name, source, body) => self.each(source, scope, |_, value| scope.round(&[(name, value)]), body)?,
            Stmt::ForBoth(i, name, source, body) => {
                self.each(source, scope, |at, value| scope.round(&[(i, Value::Num(at as f64)), (name, value)]), body)?;
            }
            Stmt::Brk => return Err(Flow::Brk),
            Stmt::Cnt => return Err(Flow::Cnt),
            Stmt::Ret(e) => return Err(Flow::Ret(self.expr(e, scope)?)),
            Stmt::Value(e) => return self.expr(e, scope),
            Stmt::Function(..) => {}
            Stmt::Match(e, arms, rest) => {
                let value = self.expr(e, scope)?;
                for (pattern, body) in arms {
                    let pattern = self.expr(pattern, scope)?;
                    if equal(&value, &pattern) {
                        return self.block(body, scope);
                    }
                }
                return self.block(rest, scope);
            }
        }
        Ok(Value::Nil)
    }

    /// One round; whether the loop goes on.
    fn round(&self, body: &[Stmt], scope: &Rc<Scope>) -> Result<bool, Flow> {
        self.tick()?;
        match self.block(body, &scope.round(&[])) {
            Ok(_) | Err(Flow::Cnt) => Ok(true),
            Err(Flow::Brk) => Ok(false),
            Err(flow) => Err(flow),
        }
    }

    fn each(&self, source: &Expr, scope: &Rc<Scope>, enter: impl Fn(usize, Value) -> Rc<Scope>, body: &[Stmt]) -> Result<(), Flow> {
        let source = self.expr(source, scope)?;
        let item = |at: usize| match &source {
            Value::List(items) => Ok(items.borrow().get(at).cloned()),
            Value::Str(text) => Ok(text.chars().nth(at).map(|c| Value::Str(c.to_string().into()))),
            _ => Err(Stop::Error),
        };
        let mut at = 0;
        while let Some(value) = item(at)? {
            if !self.round(body, &enter(at, value))? {
                break;
            }
            at += 1;
        }
        Ok(())
    }

    fn call(&self, callee: &Value, args: Vec<Value>) -> Result<Value, Stop> {
        let Value::Fun(closure) = callee else { return Err(Stop::Error) };
        if closure.names.len() != args.len() {
            return Err(Stop::Error);
        }
        if self.depth.get() > 60 {
            return Err(Stop::GiveUp);
        }
        self.depth.set(self.depth.get() + 1);
        let variables = closure.names.iter().cloned().zip(args).collect();
        let scope = Scope { variables: RefCell::new(variables), outer: Some(Rc::clone(&closure.scope)), round: false, edge: closure.named };
        let scope = Rc::new(scope);
        let result = match &closure.body {
            Body::Expr(e) => self.expr(e, &scope),
            Body::Block(body) => self.block(body, &scope),
        };
        self.depth.set(self.depth.get() - 1);
        match result {
            Ok(value) | Err(Flow::Ret(value)) => Ok(value),
            Err(Flow::Stop(stop)) => Err(stop),
            Err(Flow::Brk | Flow::Cnt) => Err(Stop::GiveUp),
        }
    }

    fn expr(&self, e: &Expr, scope: &Rc<Scope>) -> Result<Value, Flow> {
        self.tick()?;
        Ok(match e {
            Expr::Nil => Value::Nil,
            Expr::Bool(b) => Value::Bool(*b),
            Expr::Num(n) => Value::Num(*n),
            Expr::Str(s) => Value::Str(s.as_str().into()),
            Expr::Var(name) => scope.get(name).ok_or(Stop::GiveUp)?,
            Expr::Not(e) => Value::Bool(!truthy(&self.expr(e, scope)?)),
            Expr::Neg(e) => match self.expr(e, scope)? {
                Value::Num(n) => Value::Num(-n),
                _ => return Err(Stop::Error.into()),
            },
            Expr::Bin(Op::And, a, b) => match self.expr(a, scope)? {
                a if truthy(&a) => self.expr(b, scope)?,
                a => a,
            },
            Expr::Bin(Op::Or, a, b) => match self.expr(a, scope)? {
                a if truthy(&a) => a,
                _ => self.expr(b, scope)?,
            },
            Expr::Bin(op, a, b) => {
                let (a, b) = (self.expr(a, scope)?, self.expr(b, scope)?);
                binary(*op, &a, &b)?
            }
            Expr::If(c, a, b) => self.expr(if truthy(&self.expr(c, scope)?) { a } else { b }, scope)?,
            Expr::List(items) => list(items.iter().map(|item| self.expr(item, scope)).collect::<Result<_, _>>()?)?,
            Expr::Index(a, i) | Expr::IndexOr(a, i) => {
                let lenient = matches!(e, Expr::IndexOr(..));
                let base = self.expr(a, scope)?;
                if lenient && matches!(base, Value::Nil) {
                    return Ok(Value::Nil);
                }
                let index = self.expr(i, scope)?;
                let found = match &base {
                    Value::List(items) => place(&index, items.borrow().len()).map(|at| items.borrow()[at].clone()),
                    Value::Str(text) => {
                        place(&index, text.chars().count()).and_then(|at| text.chars().nth(at)).map(|c| Value::Str(c.to_string().into()))
                    }
                    _ => return Err(Stop::Error.into()),
                };
                match found {
                    Some(value) => value,
                    None if lenient && matches!(index, Value::Num(_)) => Value::Nil,
                    None if lenient => return Err(Stop::GiveUp.into()),
                    None => return Err(Stop::Error.into()),
                }
            }
            Expr::Len(e) => match self.expr(e, scope)? {
                Value::List(items) => Value::Num(items.borrow().len() as f64),
                Value::Str(text) => Value::Num(text.chars().count() as f64),
                _ => return Err(Stop::Error.into()),
            },
            Expr::Range(a, b, exclusive) => {
                let (a, b) = (self.expr(a, scope)?, self.expr(b, scope)?);
                let (Value::Num(a), Value::Num(b)) = (a, b) else { return Err(Stop::Error.into()) };
                if a.fract() != 0.0 || b.fract() != 0.0 || a.abs() > 9007199254740992.0 || b.abs() > 9007199254740992.0 {
                    return Err(Stop::Error.into());
                }
                if (a - b).abs() > 1000.0 {
                    return Err(Stop::GiveUp.into());
                }
                let (from, to) = (a as i64, b as i64);
                let numbers: Vec<i64> = match exclusive {
                    true => (from..to).collect(),
                    false if from <= to => (from..=to).collect(),
                    false => (to..=from).rev().collect(),
                };
                list(numbers.into_iter().map(|n| Value::Num(n as f64)).collect())?
            }
            Expr::Interp(parts) => {
                let values = parts.iter().map(|part| self.expr(part, scope)).collect::<Result<Vec<_>, _>>()?;
                let texts = values.iter().map(|value| Ok(format!("<{}>", text_of(value)?))).collect::<Result<String, Stop>>()?;
                string(texts)?
            }
            Expr::Lambda(names, body) => Value::Fun(Rc::new(Closure {
                names: names.clone(),
                body: Body::Expr((**body).clone()),
                scope: Rc::clone(scope),
                named: false,
            })),
            Expr::Block(names, body) => Value::Fun(Rc::new(Closure {
                names: names.clone(),
                body: Body::Block(body.clone()),
                scope: Rc::clone(scope),
                named: false,
            })),
            Expr::Call(callee, args) => {
                let callee = self.expr(callee, scope)?;
                let args = args.iter().map(|arg| self.expr(arg, scope)).collect::<Result<_, _>>()?;
                self.call(&callee, args)?
            }
            Expr::Pipe(value, name) => {
                let value = self.expr(value, scope)?;
                let callee = scope.get(name).ok_or(Stop::GiveUp)?;
                self.call(&callee, vec![value])?
            }
            Expr::Try(e) => {
                // The thunk is a lambda: it sees this scope.
                let depth = self.depth.get();
                match self.expr(e, scope) {
                    Ok(value) => value,
                    Err(Flow::Stop(Stop::Error)) => {
                        self.depth.set(depth);
                        Value::Nil
                    }
                    Err(flow) => return Err(flow),
                }
            }
        })
    }
}
