//! Filter expressions, well-typed by construction (RFC 9535 §2.4.3).

use std::sync::Arc;

use super::{Number, RegexPattern, Segment};

/// A logical expression.
#[derive(Debug)]
pub(crate) enum Filter {
    Or(Box<[Filter]>),
    And(Box<[Filter]>),
    Not(Box<Filter>),
    Compare(Comparison),
    /// At least one node.
    Exists(Query),
    /// `match` and `search`.
    Matches {
        subject: Comparable,
        pattern: Pattern,
    },
}

/// The second argument of `match` and `search`.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// Written in the path.
    Fixed(RegexPattern),
    /// Taken from the document, or from a function.
    Computed { is_whole: bool, pattern: Comparable },
}

/// A query inside an expression.
#[derive(Debug)]
pub(crate) struct Query {
    /// From `$`, else from `@`.
    pub(crate) is_absolute: bool,
    pub(crate) segments: Box<[Arc<Segment>]>,
}

#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) left: Comparable,
    pub(crate) operator: Operator,
    pub(crate) right: Comparable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Something with one value or none.
#[derive(Debug)]
pub(crate) enum Comparable {
    Literal(Literal),
    /// A singular query: names and indices only.
    Singular(Query),
    Function(Box<Function>),
}

#[derive(Debug)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
}

/// A function whose result is a value.
#[derive(Debug)]
pub(crate) enum Function {
    Length(Comparable),
    Count(Query),
    Value(Query),
}

impl Function {
    /// As it is written.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Length(_) => "length",
            Self::Count(_) => "count",
            Self::Value(_) => "value",
        }
    }
}
