//! The generator: programs that mostly make sense, from a seed.

use crate::{Expr, Op, Stmt};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap_or(0) % sides.max(1)
    }
    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Num,
    Bool,
    Str,
    List,
}

/// What can be named at a place.
#[derive(Clone, Default)]
struct View {
    /// Variables with the kind they mostly have.
    variables: Vec<(String, Kind)>,
    /// Those that an assignment may rebind here.
    own: Vec<(String, Kind)>,
    /// Functions: name and number of numeric parameters.
    functions: Vec<(String, usize)>,
    in_loop: bool,
    in_function: bool,
}

struct Maker {
    dice: Dice,
    names: usize,
}

/// A program.
pub fn generate(seed: u64) -> Vec<Stmt> {
    let mut maker = Maker { dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1), names: 0 };
    for _ in 0..8 {
        maker.dice.roll(2);
    }
    maker.program()
}

impl Maker {
    fn name(&mut self, of: &str) -> String {
        self.names += 1;
        format!("{of}{}", self.names)
    }

    fn kind(&mut self) -> Kind {
        [Kind::Num, Kind::Num, Kind::Bool, Kind::Str, Kind::List][self.dice.roll(5)]
    }

    fn program(&mut self) -> Vec<Stmt> {
        let mut view = View::default();
        let mut body = Vec::new();
        for kind in [Kind::Num, Kind::Num, Kind::Bool, Kind::Str, Kind::List, Kind::List] {
            self.declare(kind, &mut view, &mut body);
        }
        for _ in 0..1 + self.dice.roll(3) {
            let function = self.function(&mut view, 2);
            body.push(function);
        }
        body.extend(self.block(&mut view, 3, 10));
        let everything = view.own.iter().map(|(name, _)| Expr::Var(name.clone())).collect();
        body.push(Stmt::Print(everything));
        body
    }

    fn declare(&mut self, kind: Kind, view: &mut View, body: &mut Vec<Stmt>) {
        let name = self.name("v");
        let value = self.expr(kind, 1, view);
        body.push(Stmt::Assign(name.clone(), value));
        view.variables.push((name.clone(), kind));
        view.own.push((name, kind));
    }

    /// A named function: its own locals first, so that none is read before it has a value.
    fn function(&mut self, view: &mut View, depth: usize) -> Stmt {
        let name = self.name("f");
        let params: Vec<String> = (0..self.dice.roll(3)).map(|_| self.name("p")).collect();
        let mut inner = View { own: Vec::new(), in_loop: false, in_function: true, ..view.clone() };
        for param in &params {
            inner.variables.push((param.clone(), Kind::Num));
            inner.own.push((param.clone(), Kind::Num));
        }
        let mut body = Vec::new();
        for _ in 0..1 + self.dice.roll(2) {
            let kind = self.kind();
            self.declare(kind, &mut inner, &mut body);
        }
        if depth > 1 && self.dice.chance(30) {
            let nested = self.function(&mut inner, depth - 1);
            body.push(nested);
        }
        body.extend(self.block(&mut inner, depth, 4));
        body.push(Stmt::Value(self.expr(Kind::Num, 2, &inner)));
        view.functions.push((name.clone(), params.len()));
        Stmt::Function(name, params, body)
    }

    fn block(&mut self, view: &mut View, depth: usize, most: usize) -> Vec<Stmt> {
        let mut body = Vec::new();
        for _ in 0..1 + self.dice.roll(most) {
            self.stmt(view, depth, &mut body);
        }
        if body.is_empty() {
            body.push(Stmt::Print(Vec::new()));
        }
        body
    }

    /// A block whose names end with it.
    fn inner(&mut self, view: &View, depth: usize) -> Vec<Stmt> {
        self.block(&mut view.clone(), depth, 4)
    }

    fn own(&mut self, kind: Option<Kind>, view: &View) -> Option<(String, Kind)> {
        let fitting: Vec<_> = view.own.iter().filter(|(_, of)| kind.is_none_or(|kind| kind == *of)).collect();
        fitting.get(self.dice.roll(fitting.len())).map(|found| (*found).clone())
    }

    fn stmt(&mut self, view: &mut View, depth: usize, body: &mut Vec<Stmt>) {
        let flat = depth == 0;
        match self.dice.roll(if flat { 8 } else { 15 }) {
            0 | 1 => {
                let kind = self.kind();
                body.push(Stmt::Print(vec![self.expr(kind, 2, view)]));
            }
            2 | 3 => {
                if let Some((name, kind)) = self.own(None, view) {
                    body.push(Stmt::Assign(name, self.expr(kind, 3, view)));
                }
            }
            4 => {
                if let Some((name, _)) = self.own(Some(Kind::Num), view) {
                    let op = [Op::Add, Op::Sub, Op::Mul, Op::Div][self.dice.roll(4)];
                    let value = if op == Op::Div { self.divisor() } else { self.expr(Kind::Num, 2, view) };
                    body.push(Stmt::Update(name, op, value));
                }
            }
            5 => {
                let lists: Vec<_> = view.variables.iter().filter(|(_, kind)| *kind == Kind::List).cloned().collect();
                if let Some((name, _)) = lists.get(self.dice.roll(lists.len())) {
                    let index = self.index(view);
                    let value = self.expr(Kind::Num, 2, view);
                    let guard = Expr::Bin(Op::Gt, Box::new(Expr::Len(Box::new(Expr::Var(name.clone())))), Box::new(Expr::Num(2.0)));
                    let set = Stmt::SetIndex(name.clone(), index, value);
                    body.push(if self.dice.chance(98) { Stmt::If(guard, vec![set], Vec::new()) } else { set });
                }
            }
            6 if view.in_loop => body.push(Stmt::If(
                self.expr(Kind::Bool, 2, view),
                vec![if self.dice.chance(50) { Stmt::Brk } else { Stmt::Cnt }],
                Vec::new(),
            )),
            6 | 7 if view.in_function && self.dice.chance(30) => {
                let value = self.expr(Kind::Num, 2, view);
                body.push(Stmt::If(self.expr(Kind::Bool, 1, view), vec![Stmt::Ret(value)], Vec::new()));
            }
            6 | 7 => {
                let kind = self.kind();
                self.declare(kind, view, body);
            }
            8 | 9 => {
                let kind = if self.dice.chance(80) { Kind::Bool } else { Kind::Num };
                let condition = self.expr(kind, 2, view);
                let yes = self.inner(view, depth - 1);
                let no = if self.dice.chance(60) { self.inner(view, depth - 1) } else { Vec::new() };
                body.push(Stmt::If(condition, yes, no));
            }
            10 => self.while_loop(view, depth, body),
            11 | 12 => self.for_loop(view, depth, body),
            13 => {
                let subject = self.expr(Kind::Num, 1, view);
                let arms = (0..1 + self.dice.roll(3)).map(|_| {
                    let pattern =
                        [Expr::Num(self.dice.roll(5) as f64), Expr::Str("a".into()), Expr::Nil, Expr::Bool(true), Expr::Num(-1.0)]
                            [self.dice.roll(5)]
                        .clone();
                    (pattern, self.inner(view, depth - 1))
                });
                let arms = arms.collect();
                body.push(Stmt::Match(subject, arms, self.inner(view, depth - 1)));
            }
            _ => self.closure(view, depth, body),
        }
    }

    /// A loop that counts a variable of its own down, so that it ends.
    fn while_loop(&mut self, view: &mut View, depth: usize, body: &mut Vec<Stmt>) {
        let counter = self.name("w");
        body.push(Stmt::Assign(counter.clone(), Expr::Num(self.dice.roll(5) as f64)));
        let mut inner = View { in_loop: true, ..view.clone() };
        inner.variables.push((counter.clone(), Kind::Num));
        let mut rounds = vec![Stmt::Update(counter.clone(), Op::Sub, Expr::Num(1.0))];
        rounds.extend(self.block(&mut inner, depth - 1, 4));
        let mut condition = Expr::Bin(Op::Gt, Box::new(Expr::Var(counter)), Box::new(Expr::Num(0.0)));
        if self.dice.chance(30) {
            let more = self.expr(Kind::Bool, 1, view);
            condition = Expr::Bin(if self.dice.chance(70) { Op::And } else { Op::Ne }, Box::new(condition), Box::new(more));
            if let Expr::Bin(Op::Ne, left, _) = condition {
                condition = *left;
            }
        }
        body.push(Stmt::While(condition, rounds));
    }

    fn for_loop(&mut self, view: &mut View, depth: usize, body: &mut Vec<Stmt>) {
        let (item, at) = (self.name("i"), self.name("i"));
        let (source, kind) = match self.dice.roll(5) {
            0 | 1 => (Expr::Range(Box::new(self.small()), Box::new(self.small()), self.dice.chance(40)), Kind::Num),
            2 => (
                {
                    let of = self.expr(Kind::List, 1, view);
                    Expr::Range(Box::new(Expr::Num(0.0)), Box::new(Expr::Len(Box::new(of))), true)
                },
                Kind::Num,
            ),
            3 => (self.expr(Kind::Str, 1, view), Kind::Str),
            _ => (self.expr(Kind::List, 1, view), Kind::Num),
        };
        let mut inner = View { in_loop: true, ..view.clone() };
        inner.variables.push((item.clone(), kind));
        inner.own.push((item.clone(), kind));
        if self.dice.chance(25) {
            inner.variables.push((at.clone(), Kind::Num));
            let rounds = self.block(&mut inner, depth - 1, 4);
            body.push(Stmt::ForBoth(at, item, source, rounds));
        } else {
            let rounds = self.block(&mut inner, depth - 1, 4);
            body.push(Stmt::For(item, source, rounds));
        }
    }

    /// A lambda in a variable: it sees and may rebind what is around it; called once or twice.
    fn closure(&mut self, view: &mut View, depth: usize, body: &mut Vec<Stmt>) {
        let name = self.name("g");
        let param = self.name("p");
        let mut inner = View { in_loop: false, in_function: true, ..view.clone() };
        inner.variables.push((param.clone(), Kind::Num));
        inner.own.push((param.clone(), Kind::Num));
        let lambda = if self.dice.chance(50) {
            Expr::Lambda(vec![param], Box::new(self.expr(Kind::Num, 2, &inner)))
        } else {
            let mut block = self.block(&mut inner, depth - 1, 3);
            block.push(Stmt::Value(self.expr(Kind::Num, 1, &inner)));
            Expr::Block(vec![param], block)
        };
        body.push(Stmt::Assign(name.clone(), lambda));
        for _ in 0..1 + self.dice.roll(2) {
            let arg = self.expr(Kind::Num, 1, view);
            body.push(Stmt::Print(vec![Expr::Call(Box::new(Expr::Var(name.clone())), vec![arg])]));
        }
        view.functions.push((name, 1));
    }

    fn divisor(&mut self) -> Expr {
        Expr::Num([2.0, 3.0, 7.0, -2.0, -5.0, 4.0, 0.5, 128.0][self.dice.roll(8)])
    }

    fn small(&mut self) -> Expr {
        Expr::Num(self.dice.roll(9) as f64 - 2.0)
    }

    fn index(&mut self, view: &View) -> Expr {
        if self.dice.chance(95) { Expr::Num(self.dice.roll(3) as f64) } else { self.expr(Kind::Num, 1, view) }
    }

    fn variable(&mut self, kind: Kind, view: &View) -> Option<Expr> {
        let fitting: Vec<_> = view.variables.iter().filter(|(_, of)| *of == kind).collect();
        fitting.get(self.dice.roll(fitting.len())).map(|(name, _)| Expr::Var(name.clone()))
    }

    fn literal(&mut self, kind: Kind) -> Expr {
        match kind {
            Kind::Num if self.dice.chance(15) => {
                Expr::Num([0.5, 1000.0, 127.0, 128.0, -128.0, -129.0, 2_147_483_648.0, 1e9][self.dice.roll(8)])
            }
            Kind::Num => self.small(),
            Kind::Bool => Expr::Bool(self.dice.chance(50)),
            Kind::Str => Expr::Str(["", "a", "b", "ab", "é", "zz top"][self.dice.roll(6)].into()),
            Kind::List => Expr::List((0..self.dice.roll(5)).map(|_| self.small()).collect()),
        }
    }

    fn expr(&mut self, kind: Kind, depth: usize, view: &View) -> Expr {
        // Rarely what does not fit: errors are part of the language, but end most programs.
        match self.dice.roll(1200) {
            0 => return Expr::Nil,
            1..=3 => return self.wild(depth, view),
            _ => {}
        }
        if depth == 0 || self.dice.chance(25) {
            let found = if self.dice.chance(65) { self.variable(kind, view) } else { None };
            return found.unwrap_or_else(|| self.literal(kind));
        }
        let depth = depth - 1;
        match self.dice.roll(12) {
            0 => {
                let (c, a, b) = (self.expr(Kind::Bool, depth, view), self.expr(kind, depth, view), self.expr(kind, depth, view));
                return Expr::If(Box::new(c), Box::new(a), Box::new(b));
            }
            1 => {
                let op = if self.dice.chance(50) { Op::And } else { Op::Or };
                return Expr::Bin(op, Box::new(self.expr(kind, depth, view)), Box::new(self.expr(kind, depth, view)));
            }
            2 if self.dice.chance(30) => return Expr::Try(Box::new(self.expr(kind, depth, view))),
            _ => {}
        }
        match kind {
            Kind::Num => self.number(depth, view),
            Kind::Bool => self.truth(depth, view),
            Kind::Str => match self.dice.roll(4) {
                0 => Expr::Interp(
                    (0..1 + self.dice.roll(3))
                        .map(|_| {
                            let kind = self.kind();
                            self.expr(kind, depth, view)
                        })
                        .collect(),
                ),
                1 => {
                    let text = self.expr(Kind::Str, depth, view);
                    Expr::IndexOr(Box::new(text), Box::new(self.index(view)))
                }
                _ => {
                    let other = if self.dice.chance(70) { Kind::Str } else { Kind::Num };
                    Expr::Bin(Op::Add, Box::new(self.expr(Kind::Str, depth, view)), Box::new(self.expr(other, depth, view)))
                }
            },
            Kind::List => match self.dice.roll(3) {
                0 => Expr::Range(Box::new(self.small()), Box::new(self.small()), self.dice.chance(50)),
                1 => Expr::List((0..self.dice.roll(5)).map(|_| self.expr(Kind::Num, depth, view)).collect()),
                _ => Expr::Bin(Op::Add, Box::new(self.expr(Kind::List, depth, view)), Box::new(self.expr(Kind::List, depth, view))),
            },
        }
    }

    fn wild(&mut self, depth: usize, view: &View) -> Expr {
        let kind = self.kind();
        self.expr(kind, depth.saturating_sub(1), view)
    }

    fn number(&mut self, depth: usize, view: &View) -> Expr {
        match self.dice.roll(12) {
            0 => Expr::Neg(Box::new(self.expr(Kind::Num, depth, view))),
            1 => {
                let of = if self.dice.chance(50) { Kind::Str } else { Kind::List };
                Expr::Len(Box::new(self.expr(of, depth, view)))
            }
            2 | 3 => {
                let list = self.variable(Kind::List, view).unwrap_or_else(|| self.literal(Kind::List));
                let index = Box::new(self.index(view));
                let element = if self.dice.chance(4) { Expr::Index(Box::new(list), index) } else { Expr::IndexOr(Box::new(list), index) };
                Expr::Bin(Op::Or, Box::new(element), Box::new(self.small()))
            }
            4 | 5 if !view.functions.is_empty() => {
                let (name, count) = view.functions[self.dice.roll(view.functions.len())].clone();
                if count == 1 && self.dice.chance(30) {
                    return Expr::Pipe(Box::new(self.expr(Kind::Num, depth, view)), name);
                }
                let count = if self.dice.chance(2) { count + 1 } else { count };
                Expr::Call(Box::new(Expr::Var(name)), (0..count).map(|_| self.expr(Kind::Num, depth.min(1), view)).collect())
            }
            6 => {
                let param = self.name("p");
                let mut inner = view.clone();
                inner.variables.push((param.clone(), Kind::Num));
                let lambda = Expr::Lambda(vec![param], Box::new(self.expr(Kind::Num, depth, &inner)));
                Expr::Call(Box::new(lambda), vec![self.expr(Kind::Num, depth, view)])
            }
            other => {
                let op = [Op::Add, Op::Sub, Op::Mul, Op::Rem, Op::Div][other % 5];
                let divides = matches!(op, Op::Rem | Op::Div) && !self.dice.chance(3);
                let right = if divides { self.divisor() } else { self.expr(Kind::Num, depth, view) };
                Expr::Bin(op, Box::new(self.expr(Kind::Num, depth, view)), Box::new(right))
            }
        }
    }

    fn truth(&mut self, depth: usize, view: &View) -> Expr {
        let pair = |maker: &mut Self, kind: Kind| (Box::new(maker.expr(kind, depth, view)), Box::new(maker.expr(kind, depth, view)));
        match self.dice.roll(6) {
            0 => Expr::Not(Box::new(self.expr(Kind::Bool, depth, view))),
            1 => {
                let kind = self.kind();
                let (a, b) = pair(self, kind);
                Expr::Bin(if self.dice.chance(50) { Op::Eq } else { Op::Ne }, a, b)
            }
            2 => {
                let (a, b) = pair(self, Kind::Str);
                Expr::Bin([Op::Lt, Op::Le, Op::Gt, Op::Ge][self.dice.roll(4)], a, b)
            }
            _ => {
                let (a, b) = pair(self, Kind::Num);
                Expr::Bin([Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq, Op::Ne][self.dice.roll(6)], a, b)
            }
        }
    }
}
