//! What becomes of one condition, and how that is called.

use std::fmt;

/// Whether a condition asks for something to be there or not to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Present,
    Absent,
}

/// One condition, tried on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Holds,
    Fails(Part, Problem),
    NeedsBody,
    Unreadable,
}

/// Why a condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    OtherMethod,
    PathDiffers,
    PathMatches,
    /// Nothing of that name, or nowhere the path leads to.
    Missing,
    /// There are occurrences; none has a matching value.
    NoValueMatches,
    /// There are occurrences, and an allow rule wants all to match.
    SomeValueDiffers,
    Present,
    /// The decision needs a body that is not there yet.
    #[cfg(any(test, feature = "explain"))]
    NoBodyYet,
    /// The patterns of the call's rules take too long on it.
    #[cfg(any(test, feature = "explain"))]
    TooMuchWork,
    #[cfg(any(test, feature = "explain"))]
    Unreadable,
}

/// A condition that does not hold, and why.
#[cfg(any(test, feature = "explain"))]
pub(crate) type Failure = (Field, Problem);

/// A list of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// `headers`.
    Headers,
    /// `query`.
    Query,
    /// `body`.
    Body,
    /// `claims`.
    Claims,
}

/// A part of one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The condition itself.
    Whole,
    /// `name`.
    Name,
    /// `path`.
    Path,
    /// `value`.
    Value,
    /// `presence`.
    Presence,
}

/// A place in the conditions, as in `headers[0].value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `methods`, one of them.
    Method(usize),
    /// `methods`, all of them.
    Methods,
    /// `path`.
    Path(Part),
    /// One of a list.
    Item(Section, usize, Part),
}

impl Field {
    /// The same condition, another part of it.
    pub(crate) fn with(self, part: Part) -> Self {
        match self {
            Self::Method(_) | Self::Methods => self,
            Self::Path(_) => Self::Path(part),
            Self::Item(section, position, _) => Self::Item(section, position, part),
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Headers => "headers",
            Self::Query => "query",
            Self::Body => "body",
            Self::Claims => "claims",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "",
            Self::Name => ".name",
            Self::Path => ".path",
            Self::Value => ".value",
            Self::Presence => ".presence",
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(position) => write!(f, "methods[{position}]"),
            Self::Methods => f.write_str("methods"),
            Self::Path(part) => write!(f, "path{part}"),
            Self::Item(section, position, part) => write!(f, "{section}[{position}]{part}"),
        }
    }
}

#[cfg(any(test, feature = "explain"))]
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherMethod => "the method is none of these",
            Self::PathDiffers => "the path does not match",
            Self::PathMatches => "the path matches and must not",
            Self::Missing => "there is none",
            Self::NoValueMatches => "no value matches",
            Self::SomeValueDiffers => "not every value matches, as an allow rule demands",
            Self::Present => "it is there and must not be",
            Self::NoBodyYet => "the body is not known",
            Self::TooMuchWork => "the patterns take too long on this call",
            Self::Unreadable => "the body cannot be read without doubt",
        })
    }
}
