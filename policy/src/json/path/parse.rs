//! The grammar of RFC 9535 and of nothing else, within the bounds and well-typed.
//!
//! Recursive, but no deeper than [`MAX_NESTING`]; it never goes back by more than blanks.

mod cursor;
mod expression;
mod function;
mod literal;

use std::sync::Arc;

use self::cursor::Cursor;
use super::{
    InvalidJsonPath, MAX_NESTING, MAX_PATH_BYTES, MAX_SEGMENTS, MAX_SELECTORS, Query, Segment,
    Selector,
};

/// A text that is being read, and what is left of the bounds of one path.
struct Parser<'t> {
    cursor: Cursor<'t>,
    segments: usize,
    selectors: usize,
    nesting: usize,
}

/// Segments, and whether they stand there as those of a singular query (RFC 9535 §2.3.5.1): names
/// and indices only, without blanks in their brackets.
struct Written {
    segments: Vec<Segment>,
    is_singular: bool,
}

/// A query in an expression.
struct WrittenQuery {
    query: Query,
    is_singular: bool,
}

/// Stands before a segment's selectors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dots {
    None,
    One,
    Two,
}

pub(super) fn parse(text: &str) -> Result<Vec<Segment>, InvalidJsonPath> {
    if text.len() > MAX_PATH_BYTES {
        let at = text.floor_char_boundary(MAX_PATH_BYTES);
        return Err(refuse(at, "path is longer than 1024 bytes"));
    }
    let mut parser = Parser {
        cursor: Cursor::new(text),
        segments: MAX_SEGMENTS,
        selectors: MAX_SELECTORS,
        nesting: MAX_NESTING,
    };
    parser.cursor.expect('$')?;
    let Written { segments, .. } = parser.segments()?;
    parser.cursor.end()?;
    Ok(segments)
}

impl Parser<'_> {
    /// A query that begins with `$` or `@`.
    fn query(&mut self) -> Result<WrittenQuery, InvalidJsonPath> {
        let is_absolute = self.cursor.take("$");
        if !is_absolute {
            self.cursor.expect('@')?;
        }
        let Written {
            segments,
            is_singular,
        } = self.segments()?;
        Ok(WrittenQuery {
            query: Query {
                is_absolute,
                segments: segments.into_iter().map(Arc::new).collect(),
            },
            is_singular,
        })
    }

    /// All that follow each other. Blanks stand before a segment, never after the last.
    fn segments(&mut self) -> Result<Written, InvalidJsonPath> {
        let mut written = Written {
            segments: Vec::new(),
            is_singular: true,
        };
        while let Some('.' | '[') = self.cursor.peek_behind_blanks() {
            self.cursor.skip_blanks();
            let (segment, is_singular) = self.segment()?;
            written.segments.push(segment);
            written.is_singular &= is_singular;
        }
        Ok(written)
    }

    fn segment(&mut self) -> Result<(Segment, bool), InvalidJsonPath> {
        self.segments = match self.segments.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.cursor.refuse("path has too many segments")),
        };
        // Before one dot, with which it begins.
        let dots = if self.cursor.take("..") {
            Dots::Two
        } else if self.cursor.take(".") {
            Dots::One
        } else {
            Dots::None
        };
        let is_descendant = dots == Dots::Two;
        let (selectors, is_plain) = match (dots, self.cursor.peek()) {
            (Dots::None | Dots::Two, Some('[')) => self.bracketed()?,
            (Dots::One | Dots::Two, _) => (vec![self.shorthand()?], true),
            (Dots::None, _) => return Err(self.cursor.unexpected()),
        };
        let is_one = matches!(*selectors, [Selector::Name(_) | Selector::Index(_)]);
        let segment = Segment {
            is_descendant,
            selectors: selectors.into(),
        };
        Ok((segment, is_plain && is_one && !is_descendant))
    }

    /// `*` or a name behind dots.
    fn shorthand(&mut self) -> Result<Selector, InvalidJsonPath> {
        self.count_selector()?;
        if self.cursor.take("*") {
            return Ok(Selector::Any);
        }
        let is_first = |one: char| one.is_ascii_alphabetic() || one == '_' || !one.is_ascii();
        if !self.cursor.peek().is_some_and(is_first) {
            return Err(self.cursor.unexpected());
        }
        let name = self
            .cursor
            .take_while(|one| is_first(one) || one.is_ascii_digit());
        Ok(Selector::Name(name.into()))
    }

    /// The selectors in brackets, and whether there is no blank among them.
    fn bracketed(&mut self) -> Result<(Vec<Selector>, bool), InvalidJsonPath> {
        self.open('[')?;
        let mut selectors = Vec::new();
        let mut is_plain = true;
        loop {
            is_plain &= !self.cursor.skip_blanks();
            selectors.push(self.selector()?);
            is_plain &= !self.cursor.skip_blanks();
            if !self.cursor.take(",") {
                self.close(']')?;
                return Ok((selectors, is_plain));
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, InvalidJsonPath> {
        self.count_selector()?;
        match self.cursor.peek() {
            Some('\'' | '"') => Ok(Selector::Name(self.cursor.string()?.into())),
            Some('*') => {
                self.cursor.expect('*')?;
                Ok(Selector::Any)
            }
            Some('?') => {
                self.cursor.expect('?')?;
                self.cursor.skip_blanks();
                Ok(Selector::Filter(self.expression()?))
            }
            Some(_) | None => self.index_or_slice(),
        }
    }

    fn index_or_slice(&mut self) -> Result<Selector, InvalidJsonPath> {
        let start = self.cursor.integer_if_any()?;
        if self.cursor.peek_behind_blanks() != Some(':') {
            return match start {
                Some(index) => Ok(Selector::Index(index)),
                None => Err(self.cursor.unexpected()),
            };
        }
        self.cursor.skip_blanks();
        self.cursor.expect(':')?;
        self.cursor.skip_blanks();
        let end = self.cursor.integer_if_any()?;
        let mut step = None;
        if self.cursor.peek_behind_blanks() == Some(':') {
            self.cursor.skip_blanks();
            self.cursor.expect(':')?;
            self.cursor.skip_blanks();
            step = self.cursor.integer_if_any()?;
        }
        Ok(Selector::Slice {
            start,
            end,
            step: step.unwrap_or(1),
        })
    }

    fn count_selector(&mut self) -> Result<(), InvalidJsonPath> {
        self.selectors = match self.selectors.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.cursor.refuse("path has too many selectors")),
        };
        Ok(())
    }

    /// A bracket or parenthesis opens.
    fn open(&mut self, bracket: char) -> Result<(), InvalidJsonPath> {
        self.nesting = match self.nesting.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.cursor.refuse("path is nested too deeply")),
        };
        self.cursor.expect(bracket)
    }

    fn close(&mut self, bracket: char) -> Result<(), InvalidJsonPath> {
        self.nesting = self.nesting.saturating_add(1);
        self.cursor.expect(bracket)
    }
}

fn refuse(position: usize, problem: &str) -> InvalidJsonPath {
    InvalidJsonPath {
        position,
        problem: problem.into(),
    }
}
