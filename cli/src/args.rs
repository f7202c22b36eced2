//! What can stand on the command line: a command is a type, a flag is a field. Only shapes are checked here; what a flag opens or grants
//! is decided in `grants.rs`.

use crate::quantity::{self, DirSpec};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// Runs ilu scripts, which can touch nothing they were not given.
#[derive(Debug, Parser)]
#[command(name = "ilu", version, propagate_version = true, bin_name = "ilu", arg_required_else_help = true, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  ilu hello.ilu                                        `ilu FILE` is short for `ilu run FILE`
  ilu run -e 'prn 6 * 7'
  ilu run --dir data:/in --dir out:/out:rw job.ilu -- --verbose
  ilu check src/*.ilu
  ilu caps capde

Exit codes: 0 fine, 1 uncaught error, 2 source or usage error, 3 uncaught denial, 4 a budget ran out,
5 a layer that was required is missing, 70 a bug of ours; a script's own os.exit(n) gives n.";

const RUN_EXAMPLES: &str = "\
Examples:
  ilu run -e 'prn 1 + 1'
  echo 'prn \"hi\"' | ilu run -
  ilu run --dir /var/lib/dpkg:/in:ro --dir out:/out:rw --grant capde,capio packages.ilu
  ilu run --net api.example.com --net 127.0.0.1:8080 client.ilu
  ilu run --env LANG --mem 16M --time 2s --audit - job.ilu -- first second

A script started with no flag has stdout, stderr, its arguments, the clock, channels and tasks.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  ilu explain E0301
  ilu explain --dir data:/in -- __sys_read_file /in/a.txt
  ilu explain --dir data:/in -- __sys_write_file /in/a.txt
  ilu explain -- __sys_getenv HOME
  ilu explain --net '*.example.com' -- __sys_tcp_dial api.example.com 443

Nothing is done. The exit code is 0 when the call would be allowed and 3 when it would be denied.";

const LEARN_EXAMPLES: &str = "\
Examples:
  ilu learn --dir .:/work:rw --env LANG job.ilu -- --verbose
  ilu learn --dir data:/in --dir out:/out:rw job.ilu > ilu.toml

The script runs, with the grants given and no more. What it prints goes to standard error.";

const FMT_EXAMPLES: &str = "\
Examples:
  ilu fmt job.ilu
  ilu fmt --check .
  ilu fmt - < job.ilu

A script that does not parse is left as it is.";

const TEST_EXAMPLES: &str = "\
Examples:
  ilu test
  ilu test src/job_test.ilu --filter parses
  ilu test --dir fixtures:/in

A test is a function without parameters whose name begins with test_; it has failed when it raises.";

const REPL_EXAMPLES: &str = "\
Examples:
  ilu repl
  ilu repl --dir data:/in --net api.example.com --fuel 1000000
  ilu repl --grant capde,capio --audit audit.jsonl

At the prompt `:help` says what there is. Budgets are of each input, memory of the session.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  ilu completions bash > ~/.local/share/bash-completion/completions/ilu
  ilu completions zsh > ~/.zfunc/_ilu
  ilu completions fish > ~/.config/fish/completions/ilu.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  ilu man | man -l -
  ilu man run | man -l -";

const CHECK_EXAMPLES: &str = "\
Examples:
  ilu check src/*.ilu
  ilu check --fix job.ilu
  ilu check --caps job.ilu
  ilu check --caps --json job.ilu";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a script
    Run(Box<Run>),
    /// An interactive session; `ilu` alone on a terminal is the same
    #[command(after_help = REPL_EXAMPLES)]
    Repl(Box<Repl>),
    /// Run a script within the grants given and tell the smallest it needed, as flags and as a profile
    #[command(after_help = LEARN_EXAMPLES)]
    Learn(Box<Run>),
    /// Compile scripts and say what is wrong with them
    Check(Check),
    /// Write scripts in the one formatting
    #[command(after_help = FMT_EXAMPLES)]
    Fmt(Fmt),
    /// Run the `test_…` functions of `*_test.ilu` files, each in a sandbox of its own
    #[command(after_help = TEST_EXAMPLES)]
    Test(Box<Test>),
    /// Say whether a call would be allowed, by which rule, and what would allow it; or what a code of an error means
    Explain(Box<Explain>),
    /// Trust an ilu.toml as it is now: beside a script it counts from then on, until it changes
    Trust(Trust),
    /// Show what bundles of natives hold
    Caps(Caps),
    /// Say which promise is kept by which layer on this machine, and what is missing
    Doctor(Doctor),
    /// Print what completes this command's words in a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print or write the manual pages
    #[command(after_help = MAN_EXAMPLES)]
    Man(Man),
    /// Work with audit files
    #[command(subcommand)]
    Audit(Audit),
}

/// `ilu run`
#[derive(Clone, Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct Run {
    /// The script; `-` reads it from standard input
    #[arg(value_name = "FILE", required_unless_present = "eval", conflicts_with = "eval")]
    pub file: Option<String>,
    /// Run this text instead of a file
    #[arg(short = 'e', long = "eval", value_name = "SRC", allow_hyphen_values = true)]
    pub eval: Option<String>,
    /// The script's own arguments
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
    /// The second wall, Landlock and seccomp: as much as the kernel has, all of it or no run (exit code 5), none
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Wall::Auto, help_heading = "Grants")]
    pub wall: Wall,
    /// On a terminal, let it obey the control characters in what the script writes
    #[arg(long)]
    pub raw: bool,
    /// On a terminal, ask for what is missing: for once, for this run, or never
    #[arg(long, help_heading = "Grants")]
    pub ask: bool,
    /// What it may touch.
    #[command(flatten)]
    pub grants: GrantFlags,
    /// How to tell.
    #[command(flatten)]
    pub output: OutputFlags,
}

/// `ilu repl`
#[derive(Clone, Debug, Args)]
pub struct Repl {
    /// What the session's inputs have as arguments
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
    /// The second wall: as much as the kernel has of what a session can be held in, or none
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Wall::Auto, help_heading = "Grants")]
    pub wall: Wall,
    /// Ask for what is missing: for once, for this session, or never
    #[arg(long, help_heading = "Grants")]
    pub ask: bool,
    /// Keep nothing of what is typed for the next session
    #[arg(long)]
    pub no_history: bool,
    /// What it may touch.
    #[command(flatten)]
    pub grants: GrantFlags,
    /// Colours; NO_COLOR is honoured
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Output")]
    pub color: Color,
}

impl Run {
    /// For text that comes from no file.
    pub fn of_text(grants: GrantFlags, args: Vec<String>, wall: Wall, ask: bool, color: Color) -> Run {
        Run { file: None, eval: None, args, wall, raw: false, ask, grants, output: OutputFlags { json: false, color } }
    }
}

/// `ilu completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `ilu man`
#[derive(Debug, Args)]
pub struct Man {
    /// The command whose page it is; `ilu` itself when none is named
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// `ilu check`
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
#[command(mut_arg("json", |json| json.help("Tell what is wrong as one JSON list on standard output")))]
pub struct Check {
    /// The scripts; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Also tell every native a script can reach, each with a way to it; the script's own modules are read
    #[arg(long)]
    pub caps: bool,
    /// Put right what can be without judgement, in its place; `-` goes to standard output. A script that does not compile is left as it is
    #[arg(long)]
    pub fix: bool,
    /// How to tell.
    #[command(flatten)]
    pub output: OutputFlags,
}

/// `ilu fmt`
#[derive(Debug, Args)]
pub struct Fmt {
    /// The scripts, or folders of them; `-` formats standard input to standard output
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Write nothing; name the scripts that are not formatted, and exit with 1 if there are any
    #[arg(long)]
    pub check: bool,
    /// When to draw messages in colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// `ilu test`
#[derive(Debug, Args)]
pub struct Test {
    /// Files of tests, or folders that are walked for `*_test.ilu`; the current one when there is none
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Only the tests that have this in their name
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// What each test may touch.
    #[command(flatten)]
    pub grants: GrantFlags,
    /// The second wall, around all tests together: as much as the kernel has, all of it or no test (exit code 5), none
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Wall::Auto)]
    pub wall: Wall,
    /// When to draw messages in colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// `ilu explain`
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
#[command(mut_arg("json", |json| json.help("Tell the answer as one JSON object on standard output")))]
pub struct Explain {
    /// Print the page of this code of an error or a warning instead: E0301, W0003
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
    /// The native and its arguments: text as it stands, numbers, lists and options as JSON; what is to be written can be left out
    #[arg(last = true, required_unless_present = "code", conflicts_with = "code", value_name = "NATIVE [ARG]")]
    pub call: Vec<String>,
    /// What is granted.
    #[command(flatten)]
    pub grants: GrantFlags,
    /// How to tell.
    #[command(flatten)]
    pub output: OutputFlags,
}

/// `ilu trust`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ilu trust ./ilu.toml")]
pub struct Trust {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: String,
}

/// `ilu caps`
#[derive(Debug, Args)]
pub struct Caps {
    /// Bundles or natives, or an expression of them; none lists all bundles
    ///
    /// `capde - capne` is what is in one and not in the other, `capfs + capch` what is in either, `capde and captr` what is in both;
    /// `capfs in capde` asks whether all of one is in the other: exit code 1 when it is not. From left to right, `in` last.
    #[arg(value_name = "BUNDLE")]
    pub names: Vec<String>,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// `ilu doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// `ilu audit`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Check that an audit file is as it was written: no line edited, cut, inserted or moved
    ///
    /// Exit codes: 0 whole, 1 broken, 2 can't be read.
    Verify(Verify),
}

/// `ilu audit verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// The audit file
    #[arg(value_name = "FILE")]
    pub file: String,
    /// Also check that its last line has this SHA-256, as noted when it was written
    #[arg(long, value_name = "HEAD")]
    pub head: Option<String>,
    /// How to tell.
    #[command(flatten)]
    pub output: OutputFlags,
}

/// What the script may touch and how much it may use. Nothing here has an ambient default.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Grants")]
pub struct GrantFlags {
    /// Exactly these natives: bundles or natives, comma-separated (capde,capio,__sys_getenv)
    ///
    /// Without it the script holds stdout, stderr, argv, time, channels and tasks, and each resource flag adds the natives it needs.
    #[arg(long, value_name = "LIST")]
    pub grant: Option<String>,
    /// A directory or file for the script; default guest path: as written; default access: ro
    ///
    /// A last part `:ro` or `:rw` is the access. In what is left the last colon parts HOST from GUEST, so a host path with a colon in it
    /// needs its guest path named. The script's current directory is the first one.
    #[arg(long, value_name = "HOST[:GUEST][:ro|rw]", value_parser = quantity::dir_spec)]
    pub dir: Vec<DirSpec>,
    /// One program for the script, as the file it is now; it can use what the script's sandbox can, and no network
    #[arg(long, value_name = "PROG")]
    pub run: Vec<String>,
    /// One environment variable: the process's own, or this value
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = quantity::env_spec)]
    pub env: Vec<(String, Option<String>)>,
    /// A host that may be reached: a name, *.DOMAIN, an address, a network or *; a leading ! denies; the first that matches decides
    ///
    /// PORT is a number, FROM..TO or *; without it a name is reached on 443 and 80, an address on all. Names and * never reach addresses of
    /// this machine, of private networks and the like: only a rule with the address itself does ('127.0.0.1:8080', '10.0.0.0/8').
    #[arg(long, value_name = "[!]HOST[:PORT]", value_parser = quantity::net_rule)]
    pub net: Vec<String>,
    /// A file of network rules as JSON: [{"net": HOST, "port": PORT, "eff": true}]; they stand before those of --net
    #[arg(long, value_name = "FILE")]
    pub pol: Vec<String>,
    /// The process's own variable NAME, which requests to HOST may carry and the script never sees; again for more hosts
    #[arg(long, value_name = "NAME=HOST", value_parser = quantity::secret_spec)]
    pub secret: Vec<(String, String)>,
    /// A file of certificates in PEM whose signatures HTTPS trusts too, besides the authorities that are built in
    #[arg(long, value_name = "FILE")]
    pub ca: Vec<String>,
    /// Fuel: a deterministic count of what the script does
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = quantity::count)]
    pub fuel: Option<u64>,
    /// Memory of the script's values: 64M, 1GiB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = quantity::size)]
    pub mem: Option<u64>,
    /// Wall time: 500ms, 2s, 1m
    #[arg(long, value_name = "DUR", allow_hyphen_values = true, value_parser = quantity::duration)]
    pub time: Option<Duration>,
    /// Bytes it may print on standard output and error together
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = quantity::size)]
    pub out: Option<u64>,
    /// Deepest nesting of calls
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = quantity::count)]
    pub depth: Option<u64>,
    /// A file of profiles; one beside the script counts only when it is trusted
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    /// The profile whose grants are added; `default` if there is one
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Write each decision as one line of JSON to this file; `-` is standard error
    #[arg(long, value_name = "FILE")]
    pub audit: Option<String>,
    /// Write a page that shows what the run touched and when, denials first
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<String>,
}

/// How outcomes are told.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputFlags {
    /// Tell the outcome as one JSON object on standard error
    #[arg(long)]
    pub json: bool,
    /// Colours in our messages; NO_COLOR is honoured
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
}

/// How much of the second wall there has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wall {
    /// As much as the kernel has; --json and `ilu doctor` say what is missing
    Auto,
    /// All of it, or nothing is run
    Require,
    /// None
    Off,
}

/// When our messages have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Words that may stand first; anything else there is a file or a flag of `run`.
const FIRST_WORDS: [&str; 18] = [
    "run",
    "repl",
    "completions",
    "man",
    "check",
    "fmt",
    "test",
    "explain",
    "learn",
    "trust",
    "caps",
    "doctor",
    "audit",
    "help",
    "-h",
    "--help",
    "-V",
    "--version",
];

/// Makes `ilu FILE …` into `ilu run FILE …`. A script that is called like a command is run as `ilu ./check`.
pub fn with_command(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let named = args.get(1).is_none_or(|first| FIRST_WORDS.iter().any(|word| first == OsStr::new(word)));
    if !named {
        args.insert(1, OsString::from("run"));
    }
    args
}

/// What may have been meant by a word that nothing takes: an argument of the script, or a command.
pub fn tips(given: &[OsString], stray: &str) -> Vec<String> {
    let mut tips = Vec::new();
    if stray.starts_with('-') {
        return tips;
    }
    let first = given.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    let is_command = FIRST_WORDS.contains(&first);
    if !is_command && first.chars().all(|c| c.is_ascii_alphanumeric()) {
        tips.push(format!(
            "`{first}` is no command, so it was taken for the script: the commands are `run`, `repl`, `check`, `fmt`, `test`, `explain`, `learn`, `trust`, `caps`, `doctor`, `audit`, `completions` and `man`"
        ));
    }
    if !is_command || first == "run" {
        tips.push(format!("the script's own arguments stand behind `--`: ilu run FILE -- {stray}"));
    }
    tips
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(with_command(args.iter().map(OsString::from)))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_first_word_that_is_no_command_is_a_file_to_run() {
        for args in [&["ilu", "a.ilu"][..], &["ilu", "run", "a.ilu"], &["ilu", "--color", "never", "a.ilu"]] {
            let Command::Run(run) = parse(args).unwrap().command else { panic!("{args:?}") };
            assert_eq!(run.file.as_deref(), Some("a.ilu"));
        }
    }

    #[test]
    fn everything_after_two_dashes_is_the_scripts() {
        let Command::Run(run) = parse(&["ilu", "a.ilu", "--", "--fuel", "3", "-"]).unwrap().command else { panic!() };
        assert_eq!(run.args, ["--fuel", "3", "-"]);
        assert_eq!(run.grants.fuel, None);
    }

    #[test]
    fn a_word_too_many_gets_a_tip() {
        let given = |args: &[&str]| args.iter().map(OsString::from).collect::<Vec<_>>();
        let behind = "the script's own arguments stand behind `--`: ilu run FILE -- b".to_string();
        assert_eq!(tips(&given(&["ilu", "a.ilu", "b"]), "b"), std::slice::from_ref(&behind));
        assert_eq!(tips(&given(&["ilu", "run", "a.ilu", "b"]), "b"), std::slice::from_ref(&behind));
        let command =
            "`runn` is no command, so it was taken for the script: the commands are `run`, `repl`, `check`, `fmt`, `test`, `explain`, `learn`, `trust`, `caps`, `doctor`, `audit`, `completions` and `man`"
                .to_string();
        assert_eq!(tips(&given(&["ilu", "runn", "b"]), "b"), [command, behind]);
        assert!(tips(&given(&["ilu", "a.ilu", "--dri"]), "--dri").is_empty());
        assert!(tips(&given(&["ilu", "caps", "--json=1"]), "--json").is_empty());
    }

    #[test]
    fn text_to_run_may_start_with_a_dash_and_excludes_a_file() {
        let Command::Run(run) = parse(&["ilu", "-e", "-1"]).unwrap().command else { panic!() };
        assert_eq!(run.eval.as_deref(), Some("-1"));
        assert!(parse(&["ilu", "-e", "1", "a.ilu"]).is_err());
        assert!(parse(&["ilu", "run"]).is_err());
    }
}
