//! Random programs, mostly free of errors: few names, so that scopes, captures and assignments meet in every combination.

pub fn program(seed: u64) -> String {
    let mut maker = Maker { state: seed | 1, out: String::new(), functions: 0, loops: 0 };
    maker.out.push_str("a = 1\nb = 2\nc = [3]\nd = {}\ne = nil\n");
    maker.block(0, 0, 8);
    maker.out
}

struct Maker {
    state: u64,
    out: String,
    /// Functions and loops around this place.
    functions: u32,
    loops: u32,
}

impl Maker {
    fn pick(&mut self, count: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % count
    }

    fn name(&mut self) -> &'static str {
        ["a", "b", "c", "d", "e"][self.pick(5) as usize]
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.out += &format!("{}{text}\n", "  ".repeat(indent));
    }

    fn block(&mut self, indent: usize, depth: u32, most: u64) {
        for _ in 0..=self.pick(most) {
            self.stmt(indent, depth);
        }
    }

    fn stmt(&mut self, indent: usize, depth: u32) {
        let choice = if depth > 3 { self.pick(8) } else { self.pick(20) };
        let (name, other) = (self.name(), self.name());
        match choice {
            0..=3 => self.bind(indent, depth, &format!("{name} = ")),
            4 => self.bind(indent, depth, &format!("{name} += ")),
            5 => self.bind(indent, depth, &format!("{name}.k = ")),
            6 => self.bind(indent, depth, &format!("{name}[{other}] -= ")),
            7 => self.jump(indent),
            8..=10 => {
                let cond = self.expr(depth + 1);
                self.line(indent, &format!("if {cond}:"));
                self.block(indent + 1, depth + 1, 3);
                if self.pick(2) == 0 {
                    self.line(indent, "|");
                    self.block(indent + 1, depth + 1, 3);
                }
            }
            11..=12 => self.while_loop(indent, depth),
            13..=14 => self.for_loop(indent, depth, name, other),
            15..=16 => {
                let functions = self.functions;
                let head = ["f(a) =", "g(b, c = 2) =", "h(a, ..d) =", "k() ="][self.pick(4) as usize];
                self.line(indent, &if functions == 0 { head.replace('(', &format!("{}(", self.out.len())) } else { head.to_owned() });
                self.nested(indent, depth);
            }
            17 => {
                let head = ["\\()", "\\(a)", "\\(b, e)"][self.pick(3) as usize];
                self.line(indent, &format!("{name} = {head}"));
                self.nested(indent, depth);
            }
            _ => self.match_stmt(indent, depth, name),
        }
    }

    fn nested(&mut self, indent: usize, depth: u32) {
        let loops = std::mem::take(&mut self.loops);
        self.functions += 1;
        // A named function's own names need an assignment further up, if only one that may not happen.
        for name in ["a", "b", "c", "d", "e"] {
            let condition = ["", "if len([]): "][self.pick(2) as usize];
            self.line(indent + 1, &format!("{condition}{name} = 1"));
        }
        self.block(indent + 1, depth + 1, 5);
        self.functions -= 1;
        self.loops = loops;
    }

    fn while_loop(&mut self, indent: usize, depth: u32) {
        let cond = self.expr(depth + 1);
        self.line(indent, &format!("whl {cond}:"));
        self.loops += 1;
        self.block(indent + 1, depth + 1, 4);
        self.loops -= 1;
    }

    fn for_loop(&mut self, indent: usize, depth: u32, name: &str, other: &str) {
        let source = self.expr(depth + 1);
        let head = match self.pick(3) {
            0 => format!("{name} <- 0..({source}):"),
            1 if name != other => format!("{name}, {other} <- {source}:"),
            _ => format!("{name} <- {source}:"),
        };
        self.line(indent, &head);
        self.loops += 1;
        self.block(indent + 1, depth + 1, 4);
        self.loops -= 1;
    }

    fn match_stmt(&mut self, indent: usize, depth: u32, name: &str) {
        let subject = self.expr(depth + 1);
        self.line(indent, &format!("{name} = mat {subject}:"));
        for _ in 0..=self.pick(3) {
            let pattern = ["[a, b]", "{c, d: [e, ..b]}", "1..9", "\"x\" | nil | [_]", "d", "_", "300"][self.pick(7) as usize];
            let guard = if self.pick(3) == 0 { format!(" if {}", self.expr(depth + 2)) } else { String::new() };
            self.line(indent + 1, &format!("{pattern}{guard} =>"));
            self.block(indent + 2, depth + 2, 2);
        }
    }

    fn jump(&mut self, indent: usize) {
        let word = match self.pick(3) {
            0 if self.loops > 0 => "brk",
            1 if self.loops > 0 => "cnt",
            2 if self.functions > 0 => "ret a",
            _ => "prn a",
        };
        self.line(indent, word);
    }

    fn bind(&mut self, indent: usize, depth: u32, target: &str) {
        let value = self.expr(depth);
        self.line(indent, &format!("{target}{value}"));
    }

    fn expr(&mut self, depth: u32) -> String {
        let name = self.name();
        if depth > 4 {
            return if self.pick(3) == 0 { "1".to_owned() } else { name.to_owned() };
        }
        let (one, two) = (self.expr(depth + 2), self.expr(depth + 1));
        match self.pick(24) {
            0..=3 => name.to_owned(),
            4 => format!("({one} + {two} * {name} - 3)"),
            5 => format!("({one} < {two})"),
            6 => format!("({one} and {two} and {name})"),
            7 => format!("({one} or {two})"),
            8 => format!("{name}({one}, {two})"),
            9 => format!("{name}(..{one}, {two})"),
            10 => format!("{name}?.k[{one}]({two})?.m"),
            11 => format!("{name}?[{one}].k"),
            12 => format!("[{one}, {two}, 300, -1]"),
            13 => format!("{{k: {one}, \"m n\": {two}, [{name}]: 1}}"),
            14 => format!("$\"x {{{name}}} y {{ {one} }}\""),
            15 => format!("({one} | str | map(\\(d) {two}) | .k)"),
            16 => format!("(if {one}: {two} | {name})"),
            17 => format!("(if {one} == 1 and !{name}: {two})"),
            18 => format!("(\\(b) {one})"),
            19 => format!("len({one})"),
            20 => format!("(not {one} != {two})"),
            21 => format!("({one}..<{two})"),
            22 => format!("-{name}.k"),
            _ => format!("{name}[0]"),
        }
    }
}
