//! JSONPath (RFC 9535).
//!
//! [`parse`] takes exactly what the RFC does, but for the bounds, and patterns that do not compile.
//! Evaluation is bounded as well, and sees every occurrence of a repeated name.

mod filter;
mod number;
mod parse;
mod pattern;

pub(crate) use self::filter::{
    Comparable, Comparison, Filter, Function, Literal, Operator, Pattern, Query,
};
pub(crate) use self::number::Number;
pub(crate) use self::pattern::RegexPattern;

use std::{fmt, str::FromStr, sync::Arc};

/// Bytes of a path.
pub const MAX_PATH_BYTES: usize = 1024;
/// Segments of a path, those inside its filter expressions included.
pub const MAX_SEGMENTS: usize = 64;
/// Selectors of a path, those inside its filter expressions included.
pub const MAX_SELECTORS: usize = 128;
/// Brackets and parentheses open at once.
pub const MAX_NESTING: usize = 8;

/// A path, compiled. Cloning shares it.
#[derive(Clone)]
pub struct JsonPath {
    text: Arc<str>,
    segments: Arc<[Arc<Segment>]>,
    is_streamable: bool,
}

/// Not a path, or one beyond the bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {position}")]
pub struct InvalidJsonPath {
    /// Where: 0-based, in bytes.
    pub position: usize,
    /// What is wrong.
    pub problem: Box<str>,
}

/// One step of a path.
#[derive(Debug)]
pub(crate) struct Segment {
    /// `..`: also from everything below.
    pub(crate) is_descendant: bool,
    /// Any of them.
    pub(crate) selectors: Box<[Selector]>,
}

/// Which children a segment selects.
#[derive(Debug)]
pub(crate) enum Selector {
    Name(Box<str>),
    Any,
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    Filter(Filter),
}

impl JsonPath {
    /// Compiles a path.
    pub fn parse(text: &str) -> Result<Self, InvalidJsonPath> {
        let segments = parse::parse(text)?;
        Ok(Self {
            text: text.into(),
            is_streamable: segments.iter().all(Segment::is_streamable),
            segments: segments.into_iter().map(Arc::new).collect(),
        })
    }

    /// Whether a stream can decide the path: no filter expressions, nothing counted from an end.
    pub fn is_streamable(&self) -> bool {
        self.is_streamable
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }
}

impl FromStr for JsonPath {
    type Err = InvalidJsonPath;

    fn from_str(text: &str) -> Result<Self, InvalidJsonPath> {
        Self::parse(text)
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonPath").field(&self.text).finish()
    }
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for JsonPath {}

impl Segment {
    fn is_streamable(&self) -> bool {
        self.selectors.iter().all(Selector::is_streamable)
    }
}

impl Selector {
    fn is_streamable(&self) -> bool {
        let is_from_start = |bound: &Option<i64>| bound.is_none_or(|at| at >= 0);
        match self {
            Self::Name(_) | Self::Any => true,
            Self::Index(index) => *index >= 0,
            Self::Slice { start, end, step } => {
                // A negative step begins at the end.
                is_from_start(start) && is_from_start(end) && *step >= 0
            }
            Self::Filter(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
