//! Redactions: what is taken out of responses. The API calls them filters.

use std::str::FromStr;

use super::attachment::Attachable;
use super::condition::{Conditions, Path};
use crate::domain::id::FilterId;
use crate::domain::people::organisation::InvalidWord;

pub use requestrocket_policy::compile::MAX_REDACTION_PATHS;

/// What becomes of the nodes that the paths select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Only they stay.
    Retain,
    /// They go.
    Destroy,
}

/// What a caller decides about a redaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactionForm {
    /// What becomes of what the paths select.
    pub operation: Operation,
    /// At least one.
    pub paths: Vec<Path>,
    /// Only active ones are applied.
    pub is_active: bool,
    /// Which calls it concerns; none of them is of the body.
    pub conditions: Conditions,
    /// For people.
    pub notes: Option<String>,
}

impl Attachable for RedactionForm {
    type Id = FilterId;
    const MAX_COUNT: u64 = 100;
    const PLURAL: &'static str = "filters";

    fn random_id() -> FilterId {
        FilterId::random()
    }
}

impl Operation {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Retain, Self::Destroy];

    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retain => "retain",
            Self::Destroy => "destroy",
        }
    }
}

impl FromStr for Operation {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "retain" => Ok(Self::Retain),
            "destroy" => Ok(Self::Destroy),
            _ => Err(InvalidWord("`retain`, `destroy`")),
        }
    }
}
