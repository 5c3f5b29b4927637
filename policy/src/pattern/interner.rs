//! Equal patterns of a layer are compiled once, within one budget.

use std::collections::{BTreeSet, HashMap};

use super::{InvalidPattern, Pattern};

/// What makes a pattern what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spelling<'a> {
    pub(crate) pattern: &'a str,
    pub(crate) flags: &'a str,
    pub(crate) is_of_names: bool,
}

/// Patterns that were compiled before.
#[derive(Debug, Default)]
pub(crate) struct Pool(HashMap<Box<str>, (usize, Pattern)>);

impl Pool {
    /// Compiles a pattern, if it can be; the bytes it takes.
    pub(crate) fn add(&mut self, spelling: Spelling<'_>) -> usize {
        let Ok(pattern) = spelling.parse() else {
            return 0;
        };
        let bytes = pattern.memory_bytes();
        let mut key = String::new();
        spelling.write(&mut key);
        self.0.insert(key.into(), (self.0.len(), pattern));
        bytes
    }
}

/// Compiles patterns and remembers them.
#[derive(Debug)]
pub(crate) struct Interner<'p> {
    pool: &'p Pool,
    /// Those of the pool, by number.
    used: BTreeSet<usize>,
    /// Others.
    known: HashMap<Box<str>, Pattern>,
    memory_bytes: usize,
    /// Of the pattern at hand.
    key: String,
}

/// What the compiled patterns of one layer may take together. It bounds the time of compiling too.
const LAYER_BYTES: usize = 4 << 20;

impl<'p> Interner<'p> {
    pub(crate) fn new(pool: &'p Pool) -> Self {
        Self {
            pool,
            used: BTreeSet::new(),
            known: HashMap::new(),
            memory_bytes: 0,
            key: String::new(),
        }
    }

    pub(crate) fn parse(&mut self, pattern: &str, flags: &str) -> Result<Pattern, InvalidPattern> {
        self.get(Spelling {
            pattern,
            flags,
            is_of_names: false,
        })
    }

    pub(crate) fn parse_header_name(
        &mut self,
        pattern: &str,
        flags: &str,
    ) -> Result<Pattern, InvalidPattern> {
        self.get(Spelling {
            pattern,
            flags,
            is_of_names: true,
        })
    }

    /// What all that was compiled takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    fn get(&mut self, spelling: Spelling<'_>) -> Result<Pattern, InvalidPattern> {
        spelling.write(&mut self.key);
        if let Some((number, pattern)) = self.pool.0.get(self.key.as_str()) {
            // Once for this layer, however often it stands in it.
            if self.used.insert(*number) {
                self.account(pattern)?;
            }
            return Ok(pattern.clone());
        }
        if let Some(known) = self.known.get(self.key.as_str()) {
            return Ok(known.clone());
        }
        let parsed = spelling.parse()?;
        self.account(&parsed)?;
        self.known.insert(self.key.as_str().into(), parsed.clone());
        Ok(parsed)
    }

    fn account(&mut self, pattern: &Pattern) -> Result<(), InvalidPattern> {
        self.memory_bytes = self.memory_bytes.saturating_add(pattern.memory_bytes());
        if self.memory_bytes > LAYER_BYTES {
            let problem = "the patterns become too large together when compiled";
            return Err(InvalidPattern::at(0, problem));
        }
        Ok(())
    }
}

impl Spelling<'_> {
    fn parse(self) -> Result<Pattern, InvalidPattern> {
        if self.is_of_names {
            Pattern::parse_header_name(self.pattern, self.flags)
        } else {
            Pattern::parse(self.pattern, self.flags)
        }
    }

    /// As one text, which no other spelling has.
    fn write(self, key: &mut String) {
        key.clear();
        key.push(if self.is_of_names { 'n' } else { ' ' });
        key.push_str(self.flags);
        // No flag is one.
        key.push('\n');
        key.push_str(self.pattern);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_patterns_share_what_was_compiled() {
        let pool = Pool::default();
        let mut interner = Interner::new(&pool);
        let first = interner.parse("a+", "").unwrap();
        let shared = |other: &Pattern| std::sync::Arc::ptr_eq(&first.0, &other.0);
        assert!(shared(&interner.parse("a+", "").unwrap()));
        assert!(!shared(&interner.parse("a+", "i").unwrap()));
        assert!(!shared(&interner.parse("a+?", "").unwrap()));
        assert!(!shared(&interner.parse_header_name("a+", "").unwrap()));
    }

    #[test]
    fn many_large_patterns_are_too_large_together() {
        let pool = Pool::default();
        let mut interner = Interner::new(&pool);
        let large = |n: usize| format!(r"(?i)[a-z{{}}]{{1,100}}\w{n}\w\w");
        let refused = (0..1_000).find_map(|n| interner.parse(&large(n), "").err());
        assert!(refused.unwrap().problem.contains("together"));
        assert!(interner.memory_bytes > LAYER_BYTES);
        // One that is known already costs nothing more.
        interner.parse(&large(0), "").unwrap();
    }
}
