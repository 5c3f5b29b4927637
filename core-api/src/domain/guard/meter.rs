//! Meters: what is counted of a proxy's calls, and what is too much.

use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::attachment::Attachable;
use super::condition::{Conditions, Path};
use crate::domain::id::MeterId;
use crate::domain::name::Name;
use crate::domain::people::organisation::InvalidWord;

/// A longer header name cannot be extracted from.
pub const MAX_HEADER_NAME_BYTES: usize = 256;

/// The two kinds of [`Counted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterType {
    /// Requests.
    RequestCount,
    /// Values of responses.
    ResponseValue,
}

/// The two kinds of [`Extraction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// The JSON body.
    Body,
    /// A header.
    Header,
}

/// What a meter counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// `request_count`: every admitted request is 1.
    Requests,
    /// `response_value`: what the response says.
    Value(Extraction),
}

/// Where a response says its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "location", rename_all = "camelCase")]
pub enum Extraction {
    /// In its JSON body.
    Body {
        /// Where there.
        path: Path,
    },
    /// In a header.
    Header {
        /// Which one.
        name: String,
    },
}

/// Ceilings of the calendar windows; None is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterLimits {
    /// Of a minute.
    pub minute: Option<NonZeroU64>,
    /// Of an hour.
    pub hour: Option<NonZeroU64>,
    /// Of a day.
    pub day: Option<NonZeroU64>,
    /// Of a month.
    pub month: Option<NonZeroU64>,
}

/// What a caller decides about a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterForm {
    /// For people, and what a refusal calls it.
    pub name: Name,
    /// What it counts.
    pub counted: Counted,
    /// Only active ones count and block.
    pub is_active: bool,
    /// Which requests count.
    pub conditions: Conditions,
    /// Without any the meter only observes.
    pub limits: MeterLimits,
}

impl Attachable for MeterForm {
    type Id = MeterId;
    const MAX_COUNT: u64 = 50;
    const PLURAL: &'static str = "meters";

    fn random_id() -> MeterId {
        MeterId::random()
    }
}

impl Counted {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> MeterType {
        match self {
            Self::Requests => MeterType::RequestCount,
            Self::Value(_) => MeterType::ResponseValue,
        }
    }

    /// Where the value is, if it is in the response.
    #[must_use]
    pub fn extraction(&self) -> Option<&Extraction> {
        match self {
            Self::Requests => None,
            Self::Value(extraction) => Some(extraction),
        }
    }
}

impl MeterType {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::RequestCount, Self::ResponseValue];

    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequestCount => "request_count",
            Self::ResponseValue => "response_value",
        }
    }
}

impl FromStr for MeterType {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "request_count" => Ok(Self::RequestCount),
            "response_value" => Ok(Self::ResponseValue),
            _ => Err(InvalidWord("`request_count`, `response_value`")),
        }
    }
}

impl Location {
    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Header => "header",
        }
    }
}

impl FromStr for Location {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "body" => Ok(Self::Body),
            "header" => Ok(Self::Header),
            _ => Err(InvalidWord("`body`, `header`")),
        }
    }
}

/// A header name as HTTP has them (RFC 9110 `token`).
#[must_use]
pub fn is_header_name(raw: &str) -> bool {
    (1..=MAX_HEADER_NAME_BYTES).contains(&raw.len())
        && raw
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
