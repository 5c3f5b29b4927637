//! How a target answered its region last.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::gateway::target::TargetHealth;

/// What a call of a target came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TargetHealth)]
pub(super) struct TargetHealthResource {
    /// It was answered, whatever the answer said.
    reachable: bool,
    /// Of the answer; null: there was none.
    status: Option<u16>,
    checked_at: String,
}

impl TargetHealthResource {
    pub(super) fn new(health: &TargetHealth) -> Self {
        let TargetHealth {
            is_reachable,
            status,
            checked_at,
        } = health;
        Self {
            reachable: *is_reachable,
            status: *status,
            checked_at: checked_at.to_string(),
        }
    }
}
