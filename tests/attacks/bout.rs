//! Rows about authority, in this process: a text under grants, refused or not, beside the same text with the guard off.
//!
//! A *duel* is one text in which `HELD` stands for what a sandbox is given: with too little of it the attack must be refused, with enough it must
//! succeed, and that second run is its twin. After every run a known-good text runs in the same engine, and no message may show where the
//! granted directory really is, nor what lies beside it.

use ilu::host::Granted;
use ilu::{Kind, Outcome};
use ilu_cap::CapSet;
use ilu_sbx::{Access, Grants, Limits, Mount, Opened};
use ilu_tests::command::Scratch;
use ilu_tests::inside::run_text;
use ilu_tests::tally::{Part, note};

/// What lies beside the granted directory, and must never be seen.
const CANARY: &str = "canary-4f1d9c";

/// A row being tried.
pub struct Bout {
    caps: CapSet,
    limits: Limits,
    head: &'static str,
    place: Scratch,
    env: Vec<(String, String)>,
    failures: Vec<String>,
}

/// How a text ended.
#[derive(Debug)]
pub struct Ended {
    /// As the command's exit code.
    pub code: u8,
    /// Standard output.
    pub out: String,
    /// The uncaught error's message, or nothing.
    pub message: String,
    /// The native that was denied, when that ended it.
    pub native: String,
    /// The whole of it.
    pub outcome: Outcome,
}

/// Tries a row whose texts begin with `use sbx`, `use cap`, under every native there is and `/g`, writable, which holds `a.txt` and `m.ilu`.
pub fn bout(row: impl FnOnce(&mut Bout)) {
    let place = Scratch::new("bout");
    place.write("R/a.txt", "alpha");
    place.write("R/d/b.txt", "beta");
    place.write("outside/secret.txt", CANARY);
    let env = vec![("LANG".to_owned(), "C".to_owned())];
    let limits = Limits { fuel: 200_000_000, memory: 192 << 20, wall_ms: 60_000, ..Limits::default() };
    let mut bout = Bout { caps: CapSet::all(), limits, head: "use sbx\nuse cap\n", place, env, failures: Vec::new() };
    row(&mut bout);
    let secret = bout.place.read("outside/secret.txt");
    if secret != CANARY {
        bout.failures.push("what lies beside the grant was changed".to_owned());
    }
    assert!(bout.failures.is_empty(), "{} failures:\n{}", bout.failures.len(), bout.failures.join("\n"));
}

impl Bout {
    /// From now on texts are run with these natives.
    pub fn grant(&mut self, list: &str) {
        self.caps = ilu_cap::parse_list(list).unwrap();
    }
    /// A file in the granted directory.
    pub fn file(&self, name: &str, text: &str) {
        self.place.write(&format!("R/{name}"), text);
    }
    /// What is wrong, when something is.
    pub fn check(&mut self, name: &str, holds: bool, got: &dyn std::fmt::Debug) {
        if !holds {
            self.failures.push(format!("{name}: {got:?}"));
        }
    }

    /// Runs a text as it is.
    pub fn run(&mut self, name: &str, text: &str) -> Ended {
        let root = self.place.at("R").display().to_string();
        let Ok(Granted::Dir { dir, .. }) = ilu::host::open(&root) else { panic!("{root} is a directory") };
        let mounts = vec![Mount { guest: "/g".to_owned(), opened: Opened::Dir(dir), access: Access::ReadWrite }];
        let grants = Grants {
            caps: self.caps,
            mounts,
            env: self.env.clone(),
            programs: Vec::new(),
            secrets: Vec::new(),
            net: Vec::new(),
            argv: Vec::new(),
            limits: self.limits.clone(),
        };
        let (outcome, out, err) = run_text(&format!("{}{text}", self.head), grants, |_| {});
        let (code, message, native) = match &outcome.result {
            Ok(_) => (0, String::new(), String::new()),
            Err(error) => {
                let native = if let Kind::Denied(denial) = &error.kind { denial.native.to_string() } else { String::new() };
                (error.exit_code(), error.message.clone(), native)
            }
        };
        let here = self.place.path().display().to_string();
        for said in [&out, &err, &message] {
            if said.contains(&here) || said.contains(CANARY) {
                self.failures.push(format!("{name}: a host path or the canary leaked: {said}"));
            }
        }
        let (after, seen, _) = run_text("prn [1, 2] | map \\(x) x + 1", Grants { caps: CapSet::all(), ..Grants::default() }, |_| {});
        if after.result.is_err() || seen != "[2, 3]\n" {
            self.failures.push(format!("{name}: afterwards a known-good text gave {seen:?}, {:?}", after.result));
        }
        Ended { code, out, message, native, outcome }
    }

    fn prints(&mut self, part: Part, name: &str, text: &str, prints: &str) {
        note(part);
        let got = self.run(name, text);
        if got.code != 0 || got.out.trim_end_matches('\n') != prints {
            self.failures
                .push(format!("{part:?} {name}: expected {prints:?}, got {:?} {:?} (code {})\n{text}", got.out, got.message, got.code));
        }
    }
    /// It must be refused, in a way that the text itself tells of by printing exactly this.
    pub fn tells(&mut self, name: &str, text: &str, prints: &str) {
        self.prints(Part::Refusal, name, text, prints);
    }
    /// It ends well and prints exactly this.
    pub fn ok(&mut self, name: &str, text: &str, prints: &str) {
        self.prints(Part::Attempt, name, text, prints);
    }
    /// The same as a control.
    pub fn control(&mut self, name: &str, text: &str, prints: &str) {
        self.prints(Part::Control, name, text, prints);
    }
    /// The same as a twin: the guard is off.
    pub fn twin(&mut self, name: &str, text: &str, prints: &str) {
        self.prints(Part::Twin, name, text, prints);
    }
    /// It is denied this native, and prints nothing.
    pub fn denied(&mut self, name: &str, native: &str, text: &str) {
        note(Part::Refusal);
        let got = self.run(name, text);
        if got.code != 3 || got.native != native || !got.out.is_empty() {
            self.failures
                .push(format!("{name}: {native} was to be denied, got {:?} {:?} (code {})\n{text}", got.out, got.message, got.code));
        }
    }
    /// It ends with an error of its own that says this.
    pub fn error(&mut self, name: &str, says: &str, text: &str) {
        note(Part::Refusal);
        self.ends(name, 1, says, text);
    }
    fn ends(&mut self, name: &str, code: u8, says: &str, text: &str) {
        let got = self.run(name, text);
        if got.code != code || !got.message.contains(says) {
            self.failures.push(format!("{name}: code {code} and {says:?} expected, got {:?} (code {})\n{text}", got.message, got.code));
        }
    }
    /// With `narrow` for `HELD` it is denied this native; with `wide` it prints this.
    pub fn duel(&mut self, name: &str, native: &str, (narrow, wide): (&str, &str), text: &str, prints: &str) {
        assert!(text.contains("HELD"), "{name}: nothing differs");
        self.denied(name, native, &text.replace("HELD", narrow));
        self.twin(name, &text.replace("HELD", wide), prints);
    }
    /// With `narrow` for `HELD` it is an error that says this; with `wide` it prints this.
    pub fn refused(&mut self, name: &str, says: &str, (narrow, wide): (&str, &str), text: &str, prints: &str) {
        assert!(text.contains("HELD"), "{name}: nothing differs");
        self.error(name, says, &text.replace("HELD", narrow));
        self.twin(name, &text.replace("HELD", wide), prints);
    }
}
