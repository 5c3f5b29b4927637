//! Where a value goes that a target is given.

use serde_json::Value;

use super::value::{header_name, query_name};
use crate::{
    envelope::Location,
    form::{
        fields::{Fields, string},
        problem::Invalid,
    },
};

/// The two places that people can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A request header.
    Header,
    /// A query parameter.
    Query,
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        match place {
            Place::Header => Self::Header,
            Place::Query => Self::Query,
        }
    }
}

/// `{location?, name?}`: a header by default, and `Authorization`.
pub(super) fn read(fields: &mut Fields<'_>) -> (Place, String) {
    let place = fields.optional("location", place).unwrap_or(Place::Header);
    let name = fields.optional("name", |value| match place {
        Place::Header => header_name(&string(value)?),
        Place::Query => query_name(&string(value)?),
    });
    (place, name.unwrap_or_else(|| "Authorization".to_owned()))
}

fn place(value: &Value) -> Result<Place, Invalid> {
    match value.as_str() {
        Some("header") => Ok(Place::Header),
        Some("query") => Ok(Place::Query),
        _ => Err(Invalid::value("must be `header` or `query`")),
    }
}
