//! What is wrong with a request body: every finding, with its place.

use crate::{json::path::InvalidJsonPath, pattern::InvalidPattern};

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Missing, of the wrong type, out of range or malformed.
    ValidationFailed,
    /// No such member.
    UnknownField,
    /// Server-set or fixed at creation, and different from what is stored.
    FieldImmutable,
    /// Not an http(s) base URL.
    InvalidUrl,
    /// A literal address that targets may not have.
    AddressNotAllowed,
    /// A target that a credential may not be given to.
    DestinationNotAllowed,
    /// A secret value that cannot be presented.
    InvalidSecret,
    /// Not a regular expression of the engine.
    InvalidPattern,
    /// Not a JSONPath (RFC 9535).
    InvalidJsonPath,
    /// Names a record that the organisation does not have.
    ReferenceNotFound,
    /// The records of a proxy lie in different regions.
    RegionMismatch,
    /// A credential of the other side.
    CredentialTypeMismatch,
    /// No such region.
    UnknownRegion,
    /// The organisation may not use the region.
    RegionNotAllowed,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Why.
    pub fault: Fault,
    /// Path of the member, such as `limits.minute` or `headers[0].name`.
    pub field: String,
    /// For people: lower case, no full stop, never holds a secret.
    pub text: String,
    /// Offset in bytes inside a pattern.
    pub position: Option<usize>,
}

/// A value that a parser refused; the reader adds the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Why.
    pub fault: Fault,
    /// For people.
    pub text: String,
    /// Offset in bytes inside a pattern.
    pub position: Option<usize>,
}

impl Invalid {
    /// A finding of kind `VALIDATION_FAILED`.
    pub fn value(text: impl Into<String>) -> Self {
        Self::new(Fault::ValidationFailed, text)
    }

    /// A finding of the given kind.
    pub fn new(fault: Fault, text: impl Into<String>) -> Self {
        Self {
            fault,
            text: text.into(),
            position: None,
        }
    }

    /// The same finding with where in the value it is.
    #[must_use]
    pub fn position(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }

    /// The same finding at its place.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> Problem {
        Problem {
            fault: self.fault,
            field: field.into(),
            text: self.text,
            position: self.position,
        }
    }
}

impl From<InvalidPattern> for Invalid {
    fn from(invalid: InvalidPattern) -> Self {
        let InvalidPattern { position, problem } = invalid;
        Self::new(Fault::InvalidPattern, problem).position(position)
    }
}

impl From<InvalidJsonPath> for Invalid {
    fn from(invalid: InvalidJsonPath) -> Self {
        let InvalidJsonPath { position, problem } = invalid;
        Self::new(Fault::InvalidJsonPath, problem).position(position)
    }
}

/// Findings that an answer lists at most; a body may hold tens of thousands.
pub const MAX_LISTED: usize = 100;

/// All findings so far, in the order they were found; of many the first ones, and how many more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    listed: Vec<Problem>,
    unlisted: usize,
    has_unknown: bool,
}

impl Problems {
    /// Notes one more.
    pub fn push(&mut self, problem: Problem) {
        self.has_unknown |= problem.fault == Fault::UnknownField;
        if self.listed.len() < MAX_LISTED {
            self.listed.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    /// Notes `fault` at `field`.
    pub fn add(&mut self, fault: Fault, field: impl Into<String>, text: impl Into<String>) {
        self.push(Invalid::new(fault, text).at(field));
    }

    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The findings, if there are any.
    ///
    /// # Errors
    /// There are.
    pub fn check(&self) -> Result<(), Self> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.clone())
        }
    }

    /// The first findings, and how many more there were.
    pub fn into_parts(self) -> (Vec<Problem>, usize) {
        (self.listed, self.unlisted)
    }

    /// The one that names the answer: an unknown member before all, else the first.
    pub fn leading(&self) -> Option<Fault> {
        if self.has_unknown {
            return Some(Fault::UnknownField);
        }
        self.listed.first().map(|problem| problem.fault)
    }
}
