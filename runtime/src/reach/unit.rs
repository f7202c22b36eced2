//! The units of a walk: the program, its modules, the standard library's, literal texts for sandboxes.

use super::Walk;
use super::value::{Fun, What};
use crate::vm::module::relative_to;
use ilu_lang::code::program::{FunctionCode, ModuleRef, Program};
use std::collections::HashMap;
use std::sync::Arc;

/// Where a unit came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// A file of the program, by its path from the program's folder.
    Program(Box<str>),
    /// A module of the standard library.
    Std(Box<str>),
    /// A text that is run in a sandbox.
    Text(Box<str>),
}

/// A unit.
pub(super) struct Unit {
    pub(super) origin: Origin,
    pub(super) program: Arc<Program>,
    /// What each module variable may hold.
    pub(super) globals: Vec<What>,
    /// Slots of the exported ones, by name.
    pub(super) exports: HashMap<Box<str>, usize>,
    /// Units whose names are copied in by `use "file"`; nothing for one that can't be told.
    pub(super) copied: Vec<Option<usize>>,
}

impl Walk<'_> {
    pub(super) fn add_unit(&mut self, origin: Origin, program: Arc<Program>) -> usize {
        let globals = vec![What::none(); program.globals.len()];
        let exported = program.globals.iter().enumerate().filter(|(_, global)| global.exported);
        let exports = exported.map(|(slot, global)| (global.name.clone(), slot)).collect();
        self.units.push(Unit { origin: origin.clone(), program, globals, exports, copied: Vec::new() });
        self.by_origin.insert(origin, self.units.len() - 1);
        self.changed = true;
        self.units.len() - 1
    }

    pub(super) fn code(&self, fun: Fun) -> Option<&FunctionCode> {
        self.units.get(fun.unit)?.program.functions.get(fun.function as usize)
    }

    /// The line of a word.
    pub(super) fn line(&self, unit: usize, word: u32) -> usize {
        let Some(unit) = self.units.get(unit) else { return 1 };
        unit.program.spans.get(word as usize).map_or(1, |span| unit.program.source.line_number(span.start))
    }

    /// A module of the standard library.
    pub(super) fn std_unit(&mut self, name: &str) -> Option<usize> {
        let origin = Origin::Std(name.into());
        if let Some(&unit) = self.by_origin.get(&origin) {
            return Some(unit);
        }
        let program = self.engine.std_program(name).ok()?;
        Some(self.add_unit(origin, program))
    }

    /// A text that is run in a sandbox; nothing when it does not compile, for then it never runs.
    pub(super) fn text_unit(&mut self, text: &str) -> Option<usize> {
        let origin = Origin::Text(text.into());
        if let Some(&unit) = self.by_origin.get(&origin) {
            return Some(unit);
        }
        let program = self.engine.compile("<eval>", text).ok()?;
        Some(self.add_unit(origin, program))
    }

    /// What an instruction `Use` of a function loads, with its top level among what is reached. Nothing when it can't be told.
    pub(super) fn used(&mut self, from: Fun, number: u32, line: usize) -> Option<usize> {
        let unit = self.units.get(from.unit)?;
        let module = unit.program.uses.get(number as usize)?.clone();
        let origin = unit.origin.clone();
        let path = match module {
            ModuleRef::Std(name) => return self.std_unit(&name),
            ModuleRef::Path(path) => path,
        };
        // The program's own top levels run with its own authority. Everything else may run in a sandbox, which reads files by itself.
        let own = matches!(origin, Origin::Program(_));
        if !own || from.function != 0 {
            self.native_named(from, "__sys_read_file", line);
            let why = format!("`use \"{path}\"` may be read by a sandbox: what it sees under that name is not known before the run");
            self.cannot_tell(from, line, why);
        }
        let Origin::Program(of) = origin else { return None };
        let path = relative_to(&of, &path).ok()?;
        let origin = Origin::Program(path.clone());
        if let Some(&unit) = self.by_origin.get(&origin) {
            return Some(unit);
        }
        let text = match &mut self.loader {
            Some(loader) => loader.load(&path),
            None => Err("there is no folder to read it from".to_owned()),
        };
        match text.and_then(|text| self.engine.compile(path.to_string(), text).map_err(|error| error.summary())) {
            Ok(program) => Some(self.add_unit(origin, program)),
            Err(why) => {
                self.cannot_tell(from, line, format!("`use \"{path}\"`: {why}"));
                None
            }
        }
    }
}
