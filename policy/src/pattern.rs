//! Regular expressions of rules: linear time, bounded size, matched on text.
//!
//! Patterns that are plain text with or without anchors (the most) cost a comparison; the others
//! run on what the `regex` crate is made of, from the same parse that finds the errors.

mod classes;
mod edges;
mod effort;
mod engine;
mod interner;
mod learnt;
mod literal;
mod twins;

use std::{borrow::Cow, fmt, sync::Arc};

use regex_syntax::{
    ast,
    hir::{self, Hir},
};

use self::{
    classes::{CLASS_BYTES, MAX_CLASSES, large_classes},
    engine::Engine,
    literal::Literal,
};
pub(crate) use self::{
    effort::Effort,
    interner::{Interner, Pool, Spelling},
};

/// A compiled pattern: an unanchored search. Clones share what was compiled.
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

/// The text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {position}: {problem}")]
pub struct InvalidPattern {
    /// Where, in bytes from the start of the pattern.
    pub position: usize,
    /// What is wrong there.
    pub problem: String,
}

struct Compiled {
    matcher: Matcher,
    /// How many of them the text names.
    large_classes: usize,
}

enum Matcher {
    Literal(Literal),
    Regex(Box<Engine>),
}

/// Longest text of a pattern.
pub const PATTERN_BYTES: usize = 4 << 10;
/// Deepest nesting of groups and classes.
const NESTING: u32 = 50;

impl Pattern {
    /// Compiles a pattern with flags out of `imsx`.
    pub fn parse(pattern: &str, flags: &str) -> Result<Self, InvalidPattern> {
        let (hir, classes) = parse(pattern, Flags::parse(flags, IgnoreCase::IfFlagged)?)?;
        Self::compile(&hir, classes)
    }

    /// As `parse`, for names of headers: case is ignored unless the pattern itself says otherwise, and
    /// `_` is `-`.
    pub fn parse_header_name(pattern: &str, flags: &str) -> Result<Self, InvalidPattern> {
        let (hir, classes) = parse(pattern, Flags::parse(flags, IgnoreCase::Always)?)?;
        Self::compile(&twins::closed(&hir), classes)
    }

    fn compile(hir: &Hir, large_classes: usize) -> Result<Self, InvalidPattern> {
        let matcher = match Literal::of(hir) {
            Some(literal) => Matcher::Literal(literal),
            None => Matcher::Regex(Box::new(Engine::compile(hir).map_err(|_| {
                InvalidPattern::at(0, "the pattern becomes too large when compiled")
            })?)),
        };
        Ok(Self(Arc::new(Compiled {
            matcher,
            large_classes,
        })))
    }

    /// Whether the pattern matches anywhere in the text; false when the effort does not suffice to
    /// tell, which the effort remembers.
    pub(crate) fn is_match(&self, text: &str, effort: &Effort) -> bool {
        match &self.0.matcher {
            Matcher::Literal(literal) => {
                effort.spend_on_comparison(text.len()) && literal.is_match(text)
            }
            Matcher::Regex(engine) => engine.is_match(text, effort),
        }
    }

    /// Bytes that the compiled form takes, and what else it cost to make in proportion.
    pub(crate) fn memory_bytes(&self) -> usize {
        let bytes = match &self.0.matcher {
            Matcher::Literal(literal) => literal.len(),
            Matcher::Regex(engine) => engine.memory_bytes(),
        };
        bytes.saturating_add(self.0.large_classes.saturating_mul(CLASS_BYTES))
    }
}

/// The text that patterns see of some bytes.
pub(crate) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    // U+FFFD in the place of what is no UTF-8, so that an invalid byte cannot dodge `.`.
    String::from_utf8_lossy(bytes)
}

#[derive(Clone, Copy)]
enum IgnoreCase {
    IfFlagged,
    Always,
}

/// Which of `imsx` are set.
struct Flags<'a> {
    flags: &'a str,
    ignore_case: IgnoreCase,
}

impl<'a> Flags<'a> {
    fn parse(flags: &'a str, ignore_case: IgnoreCase) -> Result<Self, InvalidPattern> {
        match flags.chars().find(|flag| !"imsx".contains(*flag)) {
            None => Ok(Self { flags, ignore_case }),
            Some(flag) => {
                let problem = format!("flag `{flag}` is unknown, the flags are i, m, s and x");
                Err(InvalidPattern::at(0, &problem))
            }
        }
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn ignores_case(&self) -> bool {
        match self.ignore_case {
            IgnoreCase::Always => true,
            IgnoreCase::IfFlagged => self.has('i'),
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the flags are parsed for this one use"
)]
fn parse(pattern: &str, flags: Flags<'_>) -> Result<(Hir, usize), InvalidPattern> {
    if pattern.len() > PATTERN_BYTES {
        let problem = format!("longer than {PATTERN_BYTES} bytes");
        return Err(InvalidPattern::at(PATTERN_BYTES, &problem));
    }
    let ast = ast::parse::ParserBuilder::new()
        .nest_limit(NESTING)
        .ignore_whitespace(flags.has('x'))
        .build()
        .parse(pattern)
        .map_err(|error| {
            let problem = syntax_problem(error.kind());
            InvalidPattern::at(error.span().start.offset, &problem)
        })?;
    // Before Unicode's tables are walked for them, which is what they cost.
    let classes = large_classes(&ast, flags.ignores_case());
    if classes > MAX_CLASSES {
        let problem = format!("more than {MAX_CLASSES} classes of many characters");
        return Err(InvalidPattern::at(0, &problem));
    }
    let hir = hir::translate::TranslatorBuilder::new()
        .case_insensitive(flags.ignores_case())
        .multi_line(flags.has('m'))
        .dot_matches_new_line(flags.has('s'))
        .build()
        .translate(pattern, &ast)
        .map_err(|error| {
            let problem = error.kind().to_string();
            InvalidPattern::at(error.span().start.offset, &problem)
        })?;
    Ok((hir, classes))
}

/// What a person reads; the parser's own words where they will do.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's enum may grow, and its words do"
)]
fn syntax_problem(kind: &ast::ErrorKind) -> String {
    match kind {
        ast::ErrorKind::UnsupportedLookAround => {
            "look-around (look-ahead and look-behind) is not supported".to_owned()
        }
        ast::ErrorKind::NestLimitExceeded(limit) => {
            format!("groups and classes are nested more than {limit} deep")
        }
        ast::ErrorKind::RepetitionMissing => "nothing to repeat".to_owned(),
        ast::ErrorKind::EscapeUnexpectedEof => "incomplete escape sequence".to_owned(),
        other => other.to_string(),
    }
}

impl InvalidPattern {
    fn at(position: usize, problem: &str) -> Self {
        Self {
            position,
            problem: problem.to_owned(),
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0.matcher {
            Matcher::Literal(_) => "Pattern(literal)",
            Matcher::Regex(_) => "Pattern(regex)",
        })
    }
}

#[cfg(test)]
mod tests;
