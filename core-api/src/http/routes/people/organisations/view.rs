//! What answers say of an organisation.

use std::num::NonZeroU64;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::account::audit::{Log, Subject};
use crate::domain::people::organisation::{Limits, Organisation};
use crate::http::labels;
use crate::http::routes::shape::document;

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganisationResource {
    client_id: Uuid,
    client_name: String,
    /// `basic`, `team` or `business`.
    client_plan: &'static str,
    /// `active` or `suspended`.
    client_status: &'static str,
    configuration: ConfigurationResource,
    labels: BTreeMap<String, String>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

/// Limits and regions of an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigurationResource {
    limits: LimitsResource,
    /// Where the organisation may have resources; empty for everywhere.
    regions: Vec<String>,
}

/// Ceilings; null is unlimited.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LimitsResource {
    /// Copied to new proxies.
    requests_per_minute: Option<u64>,
    /// Copied to new proxies.
    requests_per_day: Option<u64>,
    /// Per proxy credential, on plan business.
    credential_requests_per_minute: Option<u64>,
    /// Per user token, on plan business.
    api_requests_per_minute: Option<u64>,
}

impl From<&Organisation> for OrganisationResource {
    fn from(organisation: &Organisation) -> Self {
        Self {
            client_id: organisation.id.uuid(),
            client_name: organisation.name.to_string(),
            client_plan: organisation.plan.as_str(),
            client_status: organisation.status.as_str(),
            configuration: organisation.into(),
            labels: labels::shown(&organisation.labels),
            created_by: organisation.created_by.clone(),
            created_at: organisation.created_at.to_string(),
            updated_at: organisation.updated_at.to_string(),
        }
    }
}

impl From<&Organisation> for ConfigurationResource {
    fn from(organisation: &Organisation) -> Self {
        let Limits {
            requests_per_minute,
            requests_per_day,
            credential_requests_per_minute,
            api_requests_per_minute,
        } = organisation.limits;
        let number = |limit: Option<NonZeroU64>| limit.map(NonZeroU64::get);
        let limits = LimitsResource {
            requests_per_minute: number(requests_per_minute),
            requests_per_day: number(requests_per_day),
            credential_requests_per_minute: number(credential_requests_per_minute),
            api_requests_per_minute: number(api_requests_per_minute),
        };
        let regions = organisation
            .allowed_regions
            .iter()
            .map(ToString::to_string)
            .collect();
        Self { limits, regions }
    }
}

impl Subject for Organisation {
    const KIND: &'static str = "client";

    fn log(&self) -> Log {
        Log::Organisation(self.id)
    }

    fn named(&self) -> (String, String) {
        (self.id.to_string(), self.name.to_string())
    }

    fn members(&self) -> Map<String, Value> {
        document(&OrganisationResource::from(self))
    }
}
