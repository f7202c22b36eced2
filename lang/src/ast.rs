//! The syntax tree, as plain data in an arena.
//!
//! Nodes name each other by index, so dropping, cloning and visiting a tree of any depth never recurses by itself. Every expression
//! carries its *height* (the longest way down to a leaf; the left operand of a binary operator, a pipeline's left value and a
//! postfix chain's base, and an `if` that is all of another one's other part do not add to it because later passes walk those spines in a loop). The arena refuses a node higher than
//! [`MAX_HEIGHT`]; whoever walks the tree may therefore recurse on everything but those spines.

use crate::source::Span;

/// Highest tree that later passes must be able to walk recursively. 200 levels of `if` inside lambdas inside lists is far beyond what
/// people write, and keeps the deepest walk inside a 1 MiB stack in a debug build.
pub const MAX_HEIGHT: u16 = 200;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
    )*};
}
ids! {
    /// An interned identifier of this tree.
    Name,
    /// An expression.
    ExprId,
    /// A statement.
    StmtId,
    /// A block: statements in order.
    BlockId,
    /// A function or lambda.
    FnId,
    /// A pattern of `mat`.
    PatId,
}

/// One compilation unit.
#[derive(Debug, Default)]
pub struct Ast {
    /// Identifiers by [`Name`].
    pub names: Vec<Box<str>>,
    /// Expressions by [`ExprId`], with their spans and heights in step.
    pub exprs: Vec<Expr>,
    /// Where each expression stands.
    pub expr_spans: Vec<Span>,
    /// Height of each expression.
    pub expr_heights: Vec<u16>,
    /// Statements by [`StmtId`].
    pub stmts: Vec<Stmt>,
    /// Where each statement stands.
    pub stmt_spans: Vec<Span>,
    /// Blocks by [`BlockId`].
    pub blocks: Vec<Vec<StmtId>>,
    /// Functions by [`FnId`].
    pub fns: Vec<Function>,
    /// Patterns by [`PatId`].
    pub pats: Vec<Pattern>,
    /// Where each pattern stands.
    pub pat_spans: Vec<Span>,
    /// The top-level statements.
    pub root: Option<BlockId>,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `nil`
    Nil,
    /// `tru`, `fls`
    Bool(bool),
    /// A number; never NaN, never infinite.
    Num(f64),
    /// A string with its escapes resolved.
    Str(Box<str>),
    /// `b"…"`
    Bytes(Box<[u8]>),
    /// `$"…{e}…"`
    Interp(Vec<Piece>),
    /// A name that is read. The name `_` is refused here by the resolver.
    Name(Name),
    /// `[a, b]`
    List(Vec<ExprId>),
    /// `{k: v}`
    Object(Vec<Entry>),
    /// `(e)`: kept because it ends a postfix chain.
    Paren(ExprId),
    /// `!e`, `not e`, `-e`
    Unary(UnOp, ExprId),
    /// `a + b` and kin, comparisons, `and`, `or`
    Binary(BinOp, ExprId, ExprId),
    /// `a..b`, `a..<b`
    Range {
        /// Left end.
        lo: ExprId,
        /// Right end.
        hi: ExprId,
        /// `..<`
        exclusive: bool,
    },
    /// `f(a, ..b)`, and the command call `f a, b`
    Call {
        /// What is called.
        callee: ExprId,
        /// Its arguments.
        args: Vec<Arg>,
    },
    /// `x[i]`, `x?[i]`
    Index {
        /// What is indexed.
        base: ExprId,
        /// The index.
        index: ExprId,
        /// `?[`
        optional: bool,
    },
    /// `x.k`, `x?.k`
    Field {
        /// Whose field.
        base: ExprId,
        /// Its name.
        name: Name,
        /// `?.`
        optional: bool,
    },
    /// `x | stage`, `x |> stage`
    Pipe {
        /// The value that goes in.
        value: ExprId,
        /// What it goes into.
        stage: Stage,
    },
    /// Stands for the piped value at the base of a [`Stage::Access`] chain.
    Hole,
    /// `\(a) e`
    Lambda(FnId),
    /// `if c: a | b`; a block's last expression is its value
    If {
        /// The condition.
        cond: ExprId,
        /// Taken when it is truthy.
        then: BlockId,
        /// Taken otherwise; nil when absent.
        otherwise: Option<BlockId>,
    },
    /// `mat x:` and its arms
    Match {
        /// What is matched.
        subject: ExprId,
        /// Tried in order.
        arms: Vec<Arm>,
    },
    /// What stood here did not parse; an error has been reported.
    Error,
}

/// A piece of an interpolated string.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Literal text, escapes and doubled braces resolved.
    Text(Box<str>),
    /// `{e}`
    Expr(ExprId),
}

/// `key: value` of an object literal. `{name}` arrives as `Key::Name(name)` with the expression `Name(name)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: ExprId,
    /// Where the key stands.
    pub span: Span,
}

/// The key of an object literal's entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// `{k: v}`
    Name(Name),
    /// `{"any text": v}`
    Text(Box<str>),
    /// `{[e]: v}`
    Computed(ExprId),
}

/// What a piped value goes into.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// `f`, `f(a)`, `f a`, `m.f(a)`, a lambda: called with the value before `args`. A callee that is a bare `Name` not in scope means `trl`'s.
    Apply {
        /// What is called.
        callee: ExprId,
        /// Further arguments.
        args: Vec<Arg>,
    },
    /// `.host`, `.a[0].b`: the chain, with [`Expr::Hole`] at its base.
    Access(ExprId),
}

/// An argument of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arg {
    /// The argument.
    pub expr: ExprId,
    /// `..xs`
    pub spread: bool,
}

/// A prefix operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnOp {
    /// `!e`, `not e`
    Not,
    /// `-e`
    Neg,
}

/// An infix operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum BinOp {
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

/// A function: named (`f(a) = …`) or a lambda.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The name; none for a lambda.
    pub name: Option<Name>,
    /// Where the name (or the `\`) stands.
    pub name_span: Span,
    /// In order; at most one `rest`, and it is last; those with defaults come after those without.
    pub params: Vec<Param>,
    /// A block even when one expression was written.
    pub body: BlockId,
    /// All of it.
    pub span: Span,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Its name; `_` binds nothing.
    pub name: Name,
    /// Where it stands.
    pub span: Span,
    /// `b = 2`
    pub default: Option<ExprId>,
    /// `..xs`
    pub rest: bool,
}

/// An arm of `mat`.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// What the subject must look like.
    pub pattern: PatId,
    /// `if c`
    pub guard: Option<ExprId>,
    /// What is done then.
    pub body: BlockId,
}

/// A pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// `_`
    Any,
    /// A literal: nil, boolean, number (sign included), string, bytes.
    Literal(ExprId),
    /// A name: binds the value (always a new binding of the arm).
    Bind(Name),
    /// `[p, q, ..rest]`
    List {
        /// Patterns of the first elements.
        items: Vec<PatId>,
        /// `..rest`: takes what is left; `Some(None)` is `.._` or a bare `..`.
        rest: Option<Option<Name>>,
    },
    /// `{k: p}`, `{k}`: an object that has each key; others may be there too.
    Object(Vec<(Box<str>, PatId)>),
    /// `a..b`, `a..<b` over numbers; the operands are number literals.
    Range {
        /// Least.
        lo: ExprId,
        /// Most.
        hi: ExprId,
        /// `..<`
        exclusive: bool,
    },
    /// `p | q`; binds no names.
    Or(Vec<PatId>),
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Stmt {
    /// An expression for its effect, or as the block's value.
    Expr(ExprId),
    /// `target = value`; the target is a `Name`, `Index` or `Field` expression.
    Assign {
        /// Where it goes.
        target: ExprId,
        /// What goes there.
        value: ExprId,
    },
    /// `target += value` and kin.
    Update {
        /// Add, Sub, Mul or Div.
        op: BinOp,
        /// Read, then written; its base and index are evaluated once.
        target: ExprId,
        /// The right operand.
        value: ExprId,
    },
    /// `def name = value`
    Def {
        /// The constant.
        name: Name,
        /// Where its name stands.
        name_span: Span,
        /// Its value.
        value: ExprId,
    },
    /// `f(a) = …`
    Fn(FnId),
    /// `ret`, `ret e`
    Ret(Option<ExprId>),
    /// `brk`
    Brk,
    /// `cnt`
    Cnt,
    /// `whl c:`
    While {
        /// Tested before each round.
        cond: ExprId,
        /// A round.
        body: BlockId,
    },
    /// `x <- source:`, `a, b <- source:`
    For {
        /// One or two names, new in each round.
        vars: Vec<(Name, Span)>,
        /// What is gone through.
        source: ExprId,
        /// A round.
        body: BlockId,
    },
    /// `use fs`, `use "lib.ilu"`, `use "lib.ilu" as m`
    Use {
        /// What is loaded.
        module: Module,
        /// `as m`
        alias: Option<Name>,
    },
    /// What stood here did not parse; an error has been reported.
    Error,
}

/// What `use` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// A module of the standard library.
    Std(Name),
    /// A file, relative to the importing one.
    Path(Box<str>),
}

impl Ast {
    /// The text of a name.
    #[must_use]
    pub fn name(&self, name: Name) -> &str {
        self.names.get(name.0 as usize).map_or("", |text| text)
    }
    /// An expression.
    #[must_use]
    pub fn expr(&self, id: ExprId) -> &Expr {
        self.exprs.get(id.0 as usize).unwrap_or(&Expr::Error)
    }
    /// Where an expression stands.
    #[must_use]
    pub fn span(&self, id: ExprId) -> Span {
        self.expr_spans.get(id.0 as usize).copied().unwrap_or_default()
    }
    /// A statement.
    #[must_use]
    pub fn stmt(&self, id: StmtId) -> &Stmt {
        self.stmts.get(id.0 as usize).unwrap_or(&Stmt::Error)
    }
    /// Where a statement stands.
    #[must_use]
    pub fn stmt_span(&self, id: StmtId) -> Span {
        self.stmt_spans.get(id.0 as usize).copied().unwrap_or_default()
    }
    /// The `if` that is all there is in a block: the next of a chain, when the block is an `if`'s other part.
    #[must_use]
    pub fn chained_if(&self, block: BlockId) -> Option<ExprId> {
        let [only] = self.block(block) else { return None };
        match self.stmt(*only) {
            Stmt::Expr(expr) if matches!(self.expr(*expr), Expr::If { .. }) => Some(*expr),
            _ => None,
        }
    }
    /// The statements of a block.
    #[must_use]
    pub fn block(&self, id: BlockId) -> &[StmtId] {
        self.blocks.get(id.0 as usize).map_or(&[], |stmts| stmts)
    }
    /// A function.
    #[must_use]
    pub fn function(&self, id: FnId) -> Option<&Function> {
        self.fns.get(id.0 as usize)
    }
    /// A pattern.
    #[must_use]
    pub fn pat(&self, id: PatId) -> &Pattern {
        self.pats.get(id.0 as usize).unwrap_or(&Pattern::Any)
    }
}
