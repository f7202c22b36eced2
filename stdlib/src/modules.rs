//! The table of the standard library's modules: each one's source and its page.

/// A module.
#[derive(Clone, Copy, Debug)]
pub struct ModuleSource {
    /// What `use` calls it.
    pub name: &'static str,
    /// Its source.
    pub source: &'static str,
    /// Its page, in Markdown.
    pub page: &'static str,
    /// Its tests: functions named `test_…`.
    pub tests: &'static str,
}

macro_rules! modules {
    ($($name:literal)*) => {
        /// All modules, by name.
        pub const MODULES: &[ModuleSource] = &[$(ModuleSource {
            name: $name,
            source: include_str!(concat!("../", $name, "/", $name, ".ilu")),
            page: include_str!(concat!("../", $name, "/", $name, ".md")),
            tests: include_str!(concat!("../", $name, "/", $name, "_test.ilu")),
        }),*];
    };
}

modules! { "args" "cap" "cry" "csv" "enc" "env" "fs" "jsn" "mth" "net" "obj" "obs" "os" "pol" "rex" "rnd" "sbx" "set" "syn" "tim" "trl" "tst" "txt" "web" }

/// A module by name.
#[must_use]
pub fn module(name: &str) -> Option<&'static ModuleSource> {
    MODULES.iter().find(|module| module.name == name)
}

impl ModuleSource {
    /// The readable names: the fields of the object that the module ends with (`map` of `trl.map`).
    #[must_use]
    pub fn readable(&self) -> Vec<&'static str> {
        let head = format!("\n{} = {{", self.name);
        let Some((_, body)) = self.source.rsplit_once(&head) else { return Vec::new() };
        let body = body.split_once('}').map_or(body, |(inside, _)| inside);
        body.split(',').filter_map(|entry| entry.split_once(':')).map(|(key, _)| key.trim().trim_matches('"')).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_ends_with_its_object_and_its_page_names_every_field() {
        for module in MODULES {
            let names = module.readable();
            assert!(!names.is_empty(), "{}", module.name);
            for name in names {
                let call = format!("{}.{name}", module.name);
                assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{call}");
                let flat = format!("{}{name}", module.name);
                assert!(module.page.contains(&call) || module.page.contains(&flat), "the page of {} does not name {call}", module.name);
            }
        }
    }

    #[test]
    fn modules_are_in_order_and_have_tests() {
        assert!(MODULES.is_sorted_by_key(|module| module.name));
        for module in MODULES {
            assert!(module.tests.contains("\ntest_"), "{}", module.name);
        }
        assert!(module("trl").is_some_and(|module| module.readable().contains(&"map")));
        assert!(module("none").is_none());
    }
}
