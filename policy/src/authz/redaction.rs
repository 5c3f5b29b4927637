//! Redactions of a layer: when they apply. What they do is the redactor's.

use std::sync::Arc;

use super::{
    conditions::{Conditions, Hold, Mode},
    nodes::Probe,
};
use crate::redact::Filter;

/// Called a filter in the API.
#[derive(Debug)]
pub struct Redaction {
    /// What it does with what. At least one path.
    pub filter: Arc<Filter>,
    /// Without body conditions.
    pub conditions: Conditions,
}

impl Redaction {
    /// Whether it applies to the call. In doubt it does.
    pub(super) async fn applies(&self, probe: &Probe<'_, '_>) -> bool {
        match self.conditions.hold(probe, Mode::Any).await {
            Hold::Yes | Hold::NeedsBody | Hold::Unreadable => true,
            Hold::No => false,
        }
    }
}
