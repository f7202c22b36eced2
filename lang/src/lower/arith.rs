//! Expressions by kind, operators, and conditions that jump.

use super::{Dst, Label, Lower, Want};
use crate::ast::{BinOp, Expr, ExprId, UnOp};
use crate::code::op::Op;
use crate::code::program::{Constant, MAX_SHORT};
use crate::source::Span;

/// An operator of a run: the whole expression, the operator, its operands.
type Step = (ExprId, BinOp, ExprId, ExprId);

impl Lower<'_> {
    /// Evaluates into a register. The register is written last, unless it may hold intermediate values.
    pub(super) fn expr(&mut self, id: ExprId, dst: Dst) {
        let (ast, span) = (self.ast, self.ast.span(id));
        let mark = self.mark();
        match ast.expr(id) {
            Expr::Nil | Expr::Error => _ = self.emit(Op::Nil, dst.reg, 0, 0, 0, span),
            Expr::Bool(value) => _ = self.emit(if *value { Op::True } else { Op::False }, dst.reg, 0, 0, 0, span),
            Expr::Num(value) => self.load_number(*value, dst.reg, span),
            Expr::Str(text) => {
                let constant = self.text(text);
                self.emit(Op::Const, dst.reg, 0, 0, constant, span);
            }
            Expr::Bytes(bytes) => {
                let constant = self.constant(Constant::Bytes(bytes.clone()));
                self.emit(Op::Const, dst.reg, 0, 0, constant, span);
            }
            Expr::Name(_) => self.read(id, dst.reg),
            Expr::Hole => self.move_to(dst.reg, self.hole, span),
            Expr::Paren(_) => self.expr(self.bare(id), dst),
            Expr::Interp(pieces) => self.interpolation(pieces, dst, span),
            Expr::List(items) => self.list(items, dst, span),
            Expr::Object(entries) => self.object(entries, dst, span),
            Expr::Unary(op, inner) => self.unary(*op, *inner, id, dst),
            Expr::Binary(BinOp::And | BinOp::Or, ..) => self.short_circuit(id, dst),
            Expr::Binary(..) => self.operators(id, dst),
            Expr::Range { lo, hi, exclusive } => {
                let lo = self.stable(*lo, &[*hi]);
                let hi = self.any(*hi);
                self.emit(Op::Range, dst.reg, lo, hi, u32::from(*exclusive), span);
            }
            Expr::Call { .. } | Expr::Index { .. } | Expr::Field { .. } => self.chain(id, dst),
            Expr::Pipe { .. } => self.pipe(id, dst),
            Expr::Lambda(function) => self.closure(*function, dst.reg, span),
            Expr::If { .. } => self.if_expr(id, Want::Value(dst)),
            Expr::Match { .. } => self.match_expr(id, Want::Value(dst)),
        }
        self.release(mark);
    }

    /// A register with the value: the variable's own when it is one, else a new one.
    pub(super) fn any(&mut self, id: ExprId) -> u8 {
        let id = self.bare(id);
        match self.ast.expr(id) {
            Expr::Hole => return self.hole,
            Expr::Name(_) => {
                let meaning = self.resolved.name(id);
                if let Some(register) = self.plain_register(meaning.place) {
                    self.check_set(meaning, register, self.ast.span(id));
                    return register;
                }
            }
            _ => {}
        }
        let dst = self.temp();
        self.expr(id, dst);
        dst.reg
    }

    /// Like [`Self::any`], for a value that must outlive the evaluation of others: a variable that they assign to is copied first.
    pub(super) fn stable(&mut self, id: ExprId, later: &[ExprId]) -> u8 {
        if later.iter().any(|other| self.resolved.assigning.contains(other)) {
            let dst = self.temp();
            self.expr(id, dst);
            return dst.reg;
        }
        self.any(id)
    }

    /// Evaluates, and hands on to whoever wants it.
    pub(super) fn give(&mut self, id: ExprId, want: Want) {
        match (want, self.ast.expr(self.bare(id))) {
            (Want::Value(dst), _) => self.expr(id, dst),
            (_, Expr::If { .. }) => self.if_expr(self.bare(id), want),
            (_, Expr::Match { .. }) => self.match_expr(self.bare(id), want),
            (Want::Effect, _) => {
                let mark = self.mark();
                if !self.appends(id) {
                    self.any(id);
                }
                self.release(mark);
            }
            (Want::Tail, _) => {
                let mark = self.mark();
                let register = self.any(id);
                self.emit(Op::Return, register, 0, 0, 0, self.ast.span(id));
                self.release(mark);
            }
        }
    }

    fn unary(&mut self, op: UnOp, inner: ExprId, id: ExprId, dst: Dst) {
        let span = self.ast.span(id);
        if let Some(value) = self.number_literal(id) {
            return self.load_number(value, dst.reg, span);
        }
        let register = self.any(inner);
        let op = if op == UnOp::Not { Op::Not } else { Op::Neg };
        self.emit(op, dst.reg, register, 0, 0, span);
    }

    /// A run of operators with their left operands: `a + b * c - d …`, from the innermost left operand outwards.
    fn operators(&mut self, id: ExprId, dst: Dst) {
        let ast = self.ast;
        let (mut steps, mut leftmost) = (Vec::new(), id);
        while let Expr::Binary(op, left, right) = ast.expr(leftmost) {
            if matches!(op, BinOp::And | BinOp::Or) {
                break;
            }
            steps.push((leftmost, *op, *left, *right));
            leftmost = *left;
        }
        let mut accumulator = None;
        if let Some(literal) = self.literal_first(leftmost, &mut steps, dst, &mut accumulator) {
            return self.operator_run(&steps, literal, dst, accumulator);
        }
        let rights = steps.last().map(|step| step.3);
        let left = match self.any_plain(leftmost, rights.as_slice()) {
            Some(register) => register,
            None => {
                let own = self.scratch(dst);
                accumulator = Some(own);
                self.expr(leftmost, own);
                own.reg
            }
        };
        self.operator_run(&steps, left, dst, accumulator);
    }

    /// `2 * x …`, `1 + x …`: the literal is the instruction's own. Takes the step away and says where its result is.
    fn literal_first(&mut self, leftmost: ExprId, steps: &mut Vec<Step>, dst: Dst, accumulator: &mut Option<Dst>) -> Option<u8> {
        let &(whole, op, left_id, right) = steps.last()?;
        let op = match op {
            BinOp::Add => Op::AddI,
            BinOp::Mul => Op::MulI,
            _ => return None,
        };
        let int = self.int_literal(leftmost)?;
        if self.int_literal(right).is_some() {
            return None;
        }
        steps.pop();
        let out = if steps.is_empty() { dst.reg } else { accumulator.insert(self.scratch(dst)).reg };
        let span = self.between(self.ast.span(left_id).end, self.ast.span(right).start, self.ast.span(whole));
        let mark = self.mark();
        let right = self.any(right);
        self.emit(op, out, right, 1, int as u32, span);
        self.release(mark);
        Some(out)
    }

    /// The steps that are left, with what they begin with.
    fn operator_run(&mut self, steps: &[Step], mut left: u8, dst: Dst, mut accumulator: Option<Dst>) {
        let ast = self.ast;
        for (at, (whole, op, left_id, right)) in steps.iter().enumerate().rev() {
            let out = if at == 0 {
                dst.reg
            } else {
                let own = match accumulator {
                    Some(own) => own,
                    None => self.scratch(dst),
                };
                accumulator = Some(own);
                own.reg
            };
            let span = self.between(ast.span(*left_id).end, ast.span(*right).start, ast.span(*whole));
            self.operator(*op, out, left, *right, span);
            left = out;
        }
    }

    /// The register of a plain variable, unless one of `later` assigns to a variable.
    pub(super) fn any_plain(&mut self, id: ExprId, later: &[ExprId]) -> Option<u8> {
        let bare = self.bare(id);
        let plain = match self.ast.expr(bare) {
            Expr::Hole => true,
            Expr::Name(_) => self.plain_register(self.resolved.name(bare).place).is_some(),
            _ => false,
        };
        (plain && !later.iter().any(|other| self.resolved.assigning.contains(other))).then(|| self.any(bare))
    }

    /// `out = left op right`
    pub(super) fn operator(&mut self, op: BinOp, out: u8, left: u8, right: ExprId, span: Span) {
        let immediate = match op {
            BinOp::Add => Some(Op::AddI),
            BinOp::Sub => Some(Op::SubI),
            BinOp::Mul => Some(Op::MulI),
            BinOp::Div => Some(Op::DivI),
            BinOp::Rem => Some(Op::RemI),
            _ => None,
        };
        if let (Some(op), Some(int)) = (immediate, self.int_literal(right)) {
            self.emit(op, out, left, 0, int as u32, span);
            return;
        }
        let mark = self.mark();
        let right = self.any(right);
        let (op, b, c) = match op {
            BinOp::Add => (Op::Add, left, right),
            BinOp::Sub => (Op::Sub, left, right),
            BinOp::Mul => (Op::Mul, left, right),
            BinOp::Div => (Op::Div, left, right),
            BinOp::Rem => (Op::Rem, left, right),
            BinOp::Lt => (Op::Lt, left, right),
            BinOp::Le => (Op::Le, left, right),
            BinOp::Gt => (Op::Lt, right, left),
            BinOp::Ge => (Op::Le, right, left),
            BinOp::Ne => (Op::Ne, left, right),
            BinOp::Eq | BinOp::And | BinOp::Or => (Op::Eq, left, right),
        };
        self.emit(op, out, b, c, 0, span);
        self.release(mark);
    }

    /// The operands of a run of one and the same short-circuit operator.
    fn operands(&self, id: ExprId, which: BinOp) -> Vec<ExprId> {
        let (mut operands, mut left) = (Vec::new(), id);
        while let Expr::Binary(op, next, right) = self.ast.expr(left) {
            if *op != which {
                break;
            }
            operands.push(*right);
            left = *next;
        }
        operands.push(left);
        operands.reverse();
        operands
    }

    /// `a and b`, `a or b` as values: the operand that decided.
    fn short_circuit(&mut self, id: ExprId, dst: Dst) {
        let Expr::Binary(op, ..) = self.ast.expr(id) else { return };
        let jump = if *op == BinOp::And { Op::JumpFalse } else { Op::JumpTrue };
        let operands = self.operands(id, *op);
        let own = self.scratch(dst);
        let end = self.label();
        for (at, operand) in operands.iter().enumerate() {
            self.expr(*operand, own);
            if at + 1 < operands.len() {
                self.jump(jump, own.reg, 0, end, self.ast.span(*operand));
            }
        }
        self.bind(end);
        self.move_to(dst.reg, own.reg, self.ast.span(id));
    }

    /// Jumps when the condition's truth is `when`, else goes on.
    pub(super) fn condition(&mut self, id: ExprId, when: bool, to: Label) {
        let mark = self.mark();
        let (id, mut when) = (self.bare(id), when);
        let mut inner = id;
        while let Expr::Unary(UnOp::Not, next) = self.ast.expr(inner) {
            inner = self.bare(*next);
            when = !when;
        }
        let span = self.ast.span(inner);
        match self.ast.expr(inner) {
            Expr::Bool(value) if *value == when => self.jump(Op::Jump, 0, 0, to, span),
            Expr::Bool(_) => {}
            Expr::Binary(op @ (BinOp::And | BinOp::Or), ..) => self.condition_run(inner, *op, when, to),
            Expr::Binary(op @ (BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge | BinOp::Eq | BinOp::Ne), left, right) => {
                let span = self.between(self.ast.span(*left).end, self.ast.span(*right).start, span);
                self.compare_jump(*op, *left, *right, when, to, span);
            }
            _ => {
                let register = self.any(inner);
                self.jump(if when { Op::JumpTrue } else { Op::JumpFalse }, register, 0, to, span);
            }
        }
        self.release(mark);
    }

    /// `and` and `or` as conditions: each operand jumps by itself.
    fn condition_run(&mut self, id: ExprId, op: BinOp, when: bool, to: Label) {
        let operands = self.operands(id, op);
        // `and` is decided by a false operand, `or` by a true one.
        let decides = op == BinOp::Or;
        let decided = if decides == when { to } else { self.label() };
        for (at, operand) in operands.iter().enumerate() {
            if at + 1 < operands.len() {
                self.condition(*operand, decides, decided);
            } else {
                self.condition(*operand, when, to);
            }
        }
        if decides != when {
            self.bind(decided);
        }
    }

    /// A comparison fused with its jump. There is no NaN, so `not a < b` is `b <= a`.
    fn compare_jump(&mut self, op: BinOp, left: ExprId, right: ExprId, when: bool, to: Label, span: Span) {
        if matches!(op, BinOp::Eq | BinOp::Ne) {
            let same = when == (op == BinOp::Eq);
            let special = match self.ast.expr(self.bare(right)) {
                Expr::Nil => Some(0),
                Expr::Bool(truth) => Some(1 + u8::from(*truth)),
                _ => None,
            };
            if let Some(special) = special {
                let register = self.any(left);
                return self.jump(if same { Op::JumpIs } else { Op::JumpIsNot }, register, special, to, span);
            }
            if let Some(text) = self.short_text(right) {
                let register = self.any(left);
                return self.jump(if same { Op::JumpEqS } else { Op::JumpNeS }, register, text, to, span);
            }
        }
        let (op, b, c) = self.comparison(op, left, right, when);
        self.jump(op, b, c, to, span);
    }

    /// The constant of a short string literal, when a byte can name it.
    fn short_text(&mut self, id: ExprId) -> Option<u8> {
        let ast = self.ast;
        let Expr::Str(text) = ast.expr(self.bare(id)) else { return None };
        if text.len() > MAX_SHORT {
            return None;
        }
        let constant = self.text(text);
        u8::try_from(constant).ok()
    }

    /// The jump of a comparison, with its operands.
    fn comparison(&mut self, op: BinOp, left: ExprId, right: ExprId, when: bool) -> (Op, u8, u8) {
        let op = if when { op } else { opposite(op) };
        let (op, left, right) = if self.byte_literal(left).is_some() { (mirrored(op), right, left) } else { (op, left, right) };
        let b = self.stable(left, &[right]);
        if let Some(byte) = self.byte_literal(right) {
            let op = match op {
                BinOp::Lt => Op::JumpLtI,
                BinOp::Le => Op::JumpLeI,
                BinOp::Gt => Op::JumpGtI,
                BinOp::Ge => Op::JumpGeI,
                BinOp::Ne => Op::JumpNeI,
                _ => Op::JumpEqI,
            };
            return (op, b, byte);
        }
        let c = self.any(right);
        match op {
            BinOp::Lt => (Op::JumpLt, b, c),
            BinOp::Le => (Op::JumpLe, b, c),
            BinOp::Gt => (Op::JumpLt, c, b),
            BinOp::Ge => (Op::JumpLe, c, b),
            BinOp::Ne => (Op::JumpNe, b, c),
            _ => (Op::JumpEq, b, c),
        }
    }

    /// A loop's back edge that is taken when the condition holds.
    pub(super) fn back_edge(&mut self, id: ExprId, start: u32, span: Span) {
        let (id, mark) = (self.bare(id), self.mark());
        let (op, a, b, span) = match self.ast.expr(id) {
            Expr::Binary(op @ (BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge | BinOp::Eq | BinOp::Ne), left, right) => {
                let span = self.between(self.ast.span(*left).end, self.ast.span(*right).start, self.ast.span(id));
                let (op, a, b) = self.comparison(*op, *left, *right, true);
                (looping(op), a, b, span)
            }
            _ => (Op::LoopTrue, self.any(id), 0, span),
        };
        self.emit(op, a, b, 0, start, span);
        self.release(mark);
    }

    /// The first of the conditions that must all hold, when it is small enough to stand at a loop's start and once more at its end; and
    /// the others.
    pub(super) fn repeated(&self, cond: ExprId) -> Option<(ExprId, Vec<ExprId>)> {
        let cond = self.bare(cond);
        let mut operands = match self.ast.expr(cond) {
            Expr::Binary(BinOp::And, ..) => self.operands(cond, BinOp::And),
            _ => vec![cond],
        };
        let mut left = MAX_REPEATED;
        let first = self.bare(*operands.first()?);
        // A literal is decided where it stands, and what it decides needs no test.
        if matches!(self.ast.expr(first), Expr::Bool(_) | Expr::Num(_)) || !self.is_small(first, &mut left) {
            return None;
        }
        Some((first, operands.split_off(1)))
    }

    /// Whether an expression is made of at most so many names, literals, operators, accesses and calls. Looks no deeper than that.
    fn is_small(&self, id: ExprId, left: &mut usize) -> bool {
        let Some(fewer) = left.checked_sub(1) else { return false };
        *left = fewer;
        match self.ast.expr(self.bare(id)) {
            Expr::Name(_) | Expr::Num(_) | Expr::Str(_) | Expr::Bool(_) | Expr::Nil => true,
            Expr::Binary(op, a, b) => !matches!(op, BinOp::And | BinOp::Or) && self.is_small(*a, left) && self.is_small(*b, left),
            Expr::Field { base, optional: false, .. } => self.is_small(*base, left),
            Expr::Index { base, index, optional: false } => self.is_small(*base, left) && self.is_small(*index, left),
            Expr::Call { callee, args } => {
                self.is_small(*callee, left) && args.iter().all(|arg| !arg.spread && self.is_small(arg.expr, left))
            }
            _ => false,
        }
    }
}

/// Most parts of a loop's condition that stands in the code twice.
const MAX_REPEATED: usize = 12;

/// The back edge of a jump.
fn looping(op: Op) -> Op {
    match op {
        Op::JumpLt => Op::LoopLt,
        Op::JumpLe => Op::LoopLe,
        Op::JumpEq => Op::LoopEq,
        Op::JumpNe => Op::LoopNe,
        Op::JumpLtI => Op::LoopLtI,
        Op::JumpLeI => Op::LoopLeI,
        Op::JumpGtI => Op::LoopGtI,
        Op::JumpGeI => Op::LoopGeI,
        Op::JumpEqI => Op::LoopEqI,
        _ => Op::LoopNeI,
    }
}

fn opposite(op: BinOp) -> BinOp {
    match op {
        BinOp::Lt => BinOp::Ge,
        BinOp::Le => BinOp::Gt,
        BinOp::Gt => BinOp::Le,
        BinOp::Ge => BinOp::Lt,
        BinOp::Eq => BinOp::Ne,
        BinOp::Ne => BinOp::Eq,
        other => other,
    }
}

/// The comparison with its sides exchanged.
fn mirrored(op: BinOp) -> BinOp {
    match op {
        BinOp::Lt => BinOp::Gt,
        BinOp::Le => BinOp::Ge,
        BinOp::Gt => BinOp::Lt,
        BinOp::Ge => BinOp::Le,
        other => other,
    }
}
