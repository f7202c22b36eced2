//! The native that runs programs.

use ilu_sbx::{Arg, Ended, Options, Permit, Plain, Stop, Wanted};

/// Milliseconds that a program may take when nothing else is said.
const USUAL_MS: u64 = 60_000;
/// Bytes of each output when nothing else is said.
const USUAL_BYTES: u64 = 1 << 20;
/// Most bytes of each output that can be asked for.
const MOST_BYTES: u64 = 256 << 20;
/// Bytes of memory when nothing else is said.
const USUAL_MEMORY: u64 = 1 << 30;
/// Most bytes of memory that can be asked for.
const MOST_MEMORY: u64 = 16 << 30;
/// Milliseconds between two looks at deadlines and interrupts.
const MOMENT_MS: f64 = 20.0;

/// `__os_run(cmd[, args, {in, cwd, ms, max, mem, env, bytes}])` → `{cod, out, er, ms}`, and `note` where a program failed that might have been denied the network
pub fn run(permit: &mut Permit<'_>, args: &[Arg<'_>]) -> Result<Plain, Stop> {
    let native = permit.native();
    let wrong = |text: &str| Stop::Failed(format!("{native}: {text}"));
    let Some(Arg::Str(program)) = args.first() else { return Err(wrong("the program is a str")) };
    let options = Options::new(native, args.get(2), &["in", "cwd", "ms", "max", "mem", "env", "bytes"])?;
    let list = match args.get(1) {
        None | Some(Arg::Nil) => Vec::new(),
        Some(Arg::List(items)) => {
            let text = |item: &Arg<'_>| match item {
                Arg::Str(text) => Ok((*text).to_owned()),
                other => Err(wrong(&format!("arguments are a list of str, got {} in it", other.type_name()))),
            };
            items.iter().map(text).collect::<Result<Vec<String>, Stop>>()?
        }
        Some(other) => return Err(wrong(&format!("arguments are a list of str, got {}", other.type_name()))),
    };
    let input = match options.get("in") {
        None => Vec::new(),
        Some(Arg::Str(text)) => text.as_bytes().to_vec(),
        Some(Arg::Bytes(bytes)) => bytes.to_vec(),
        Some(other) => return Err(wrong(&format!("option in is a str or byt, got {}", other.type_name()))),
    };
    let cwd = match options.get("cwd") {
        None => None,
        Some(Arg::Str(path)) => Some(*path),
        Some(other) => return Err(wrong(&format!("option cwd is a path, got {}", other.type_name()))),
    };
    let env = match options.get("env") {
        None => None,
        Some(Arg::List(names)) => {
            let name = |item: &Arg<'_>| if let Arg::Str(name) = item { Some(name.to_string()) } else { None };
            let names = names.iter().map(name).collect::<Option<Vec<String>>>();
            Some(names.ok_or_else(|| wrong("option env is a list of names of granted variables"))?)
        }
        Some(_) => return Err(wrong("option env is a list of names of granted variables: their values are the operator's")),
    };
    let (bytes, limit) = (options.flag("bytes")?, options.count("ms")?.unwrap_or(USUAL_MS));
    let most = options.count("max")?.unwrap_or(USUAL_BYTES);
    if most > MOST_BYTES {
        return Err(wrong(&format!("option max is at most {MOST_BYTES}")));
    }
    let memory = options.count("mem")?.unwrap_or(USUAL_MEMORY);
    if memory > MOST_MEMORY {
        return Err(wrong(&format!("option mem is at most {MOST_MEMORY}")));
    }
    // Before it starts: afterwards it could not be begun again to make room.
    permit.room(most * 2)?;
    let started = permit.mono_ms();
    let env = env.as_ref().map(|names| names.iter().map(String::as_str).collect());
    let mut running = permit.launch(program, list, Wanted { cwd, env, input, most, memory })?;
    let (_, has_less) = permit.program_ports();
    let ended = loop {
        permit.pulse()?;
        if let Some(ended) = running.step(MOMENT_MS).map_err(Stop::Failed)? {
            break ended;
        }
        #[allow(clippy::cast_precision_loss, reason = "milliseconds")]
        if permit.mono_ms() - started > limit as f64 {
            return Err(Stop::Failed(format!("the program did not end within {limit} ms, and was ended (option ms allows more)")));
        }
    };
    permit.charge_read((ended.out.len() + ended.err.len()) as u64)?;
    let note = (has_less && ended.code != 0).then(|| NO_NETWORK.to_owned());
    Ok(told(ended, (permit.mono_ms() - started).floor(), bytes, note))
}

/// Why a program has no network although its sandbox has.
const NO_NETWORK: &str = "the program had no network: the kernel knows ports and no names or addresses, so it can't be told this sandbox's network rules; \
                          do the request with http or net, and give the program what came of it";

fn told(ended: Ended, ms: f64, bytes: bool, note: Option<String>) -> Plain {
    let output = |output: Vec<u8>| match bytes {
        true => Plain::Bytes(output),
        // What is no text is shown as such: a message may quote anything.
        false => Plain::Str(String::from_utf8_lossy(&output).into_owned()),
    };
    let mut fields = vec![
        ("cod".to_owned(), Plain::Num(f64::from(ended.code))),
        ("out".to_owned(), output(ended.out)),
        ("er".to_owned(), output(ended.err)),
        ("ms".to_owned(), Plain::Num(ms)),
    ];
    fields.extend(note.map(|note| ("note".to_owned(), Plain::Str(note))));
    Plain::Object(fields)
}
