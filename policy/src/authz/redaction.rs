//! Redactions of a layer: when they apply. What they do is the redactor's.

use super::{
    conditions::{Conditions, Hold, Mode},
    nodes::Probe,
};
use crate::{id::FilterId, json::path::JsonPath};

/// What becomes of what the paths select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It stays, and the rest goes.
    Retain,
    /// It goes.
    Destroy,
}

/// Called a filter in the API.
#[derive(Debug)]
pub struct Redaction {
    /// Its id.
    pub id: FilterId,
    /// Retain or destroy.
    pub operation: Operation,
    /// At least one.
    pub paths: Box<[JsonPath]>,
    /// Without body conditions.
    pub conditions: Conditions,
}

impl Redaction {
    /// Whether it applies to the call. In doubt it does.
    pub(super) fn applies(&self, probe: &Probe<'_, '_>) -> bool {
        match self.conditions.hold(probe, Mode::Any) {
            Hold::Yes | Hold::NeedsBody | Hold::Unreadable => true,
            Hold::No => false,
        }
    }
}
