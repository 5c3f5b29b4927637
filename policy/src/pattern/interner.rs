//! Equal patterns of a layer are compiled once, within one budget.

use std::collections::BTreeMap;

use super::{InvalidPattern, Pattern};

/// Compiles patterns and remembers them.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    /// By text, flags, and whether it is of header names.
    known: BTreeMap<(String, String, bool), Pattern>,
    memory_bytes: usize,
}

/// What the compiled patterns of one layer may take together. It bounds the time of compiling too.
const LAYER_BYTES: usize = 4 << 20;

impl Interner {
    pub(crate) fn parse(&mut self, pattern: &str, flags: &str) -> Result<Pattern, InvalidPattern> {
        self.get(pattern, flags, false)
    }

    pub(crate) fn parse_header_name(
        &mut self,
        pattern: &str,
        flags: &str,
    ) -> Result<Pattern, InvalidPattern> {
        self.get(pattern, flags, true)
    }

    /// What all that was compiled takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    fn get(
        &mut self,
        pattern: &str,
        flags: &str,
        is_of_names: bool,
    ) -> Result<Pattern, InvalidPattern> {
        let key = (pattern.to_owned(), flags.to_owned(), is_of_names);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let parsed = if is_of_names {
            Pattern::parse_header_name(pattern, flags)?
        } else {
            Pattern::parse(pattern, flags)?
        };
        self.memory_bytes = self.memory_bytes.saturating_add(parsed.memory_bytes());
        if self.memory_bytes > LAYER_BYTES {
            let problem = "the patterns become too large together when compiled";
            return Err(InvalidPattern::at(0, problem));
        }
        self.known.insert(key, parsed.clone());
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_patterns_share_what_was_compiled() {
        let mut interner = Interner::default();
        let first = interner.parse("a+", "").unwrap();
        let shared = |other: &Pattern| std::sync::Arc::ptr_eq(&first.0, &other.0);
        assert!(shared(&interner.parse("a+", "").unwrap()));
        assert!(!shared(&interner.parse("a+", "i").unwrap()));
        assert!(!shared(&interner.parse("a+?", "").unwrap()));
        assert!(!shared(&interner.parse_header_name("a+", "").unwrap()));
    }

    #[test]
    fn many_large_patterns_are_too_large_together() {
        let mut interner = Interner::default();
        let large = |n: usize| format!(r"(?i)[a-z{{}}]{{1,100}}\w{n}\w\w");
        let refused = (0..1_000).find_map(|n| interner.parse(&large(n), "").err());
        assert!(refused.unwrap().problem.contains("together"));
        assert!(interner.memory_bytes > LAYER_BYTES);
        // One that is known already costs nothing more.
        interner.parse(&large(0), "").unwrap();
    }
}
