//! What callers send for an organisation.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::gateway::region::RegionName;
use crate::domain::label::Labels;
use crate::domain::name::Name;
use crate::domain::people::organisation::{Limits, Organisation};
use crate::service::people::organisations::{Configuration, Settings};
use requestrocket_policy::form::fields::{Fields, integer, parsed};
use requestrocket_policy::form::problem::{Fault, Invalid};

/// JSON numbers are exact up to here everywhere.
const MAX_LIMIT: u64 = 9_007_199_254_740_991;
const MAX_REGIONS: usize = 1000;

/// What to send for a new organisation.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `new_organisation` reads")]
pub(super) struct NewOrganisationInput {
    /// 1 to 200 characters.
    client_name: String,
    configuration: Option<ConfigurationInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    labels: Option<BTreeMap<String, String>>,
}

/// What to send for an organisation.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `settings` reads")]
pub(super) struct OrganisationInput {
    /// 1 to 200 characters.
    client_name: String,
    /// `basic`, `team` or `business`; only PATCH with an operator token changes it.
    client_plan: Option<String>,
    /// `active` or `suspended`; only PATCH with an operator token changes it.
    client_status: Option<String>,
    configuration: Option<ConfigurationInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    labels: Option<BTreeMap<String, String>>,
}

/// Limits and regions of an organisation.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `configuration` reads")]
pub(super) struct ConfigurationInput {
    limits: Option<LimitsInput>,
    /// Names of regions; empty (default) for everywhere.
    regions: Option<Vec<String>>,
}

/// Ceilings; null (default) is unlimited.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `limits` reads")]
pub(super) struct LimitsInput {
    /// Copied to new proxies.
    #[schema(minimum = 1)]
    requests_per_minute: Option<u64>,
    /// Copied to new proxies.
    #[schema(minimum = 1)]
    requests_per_day: Option<u64>,
    /// Per proxy credential, on plan business.
    #[schema(minimum = 1)]
    credential_requests_per_minute: Option<u64>,
    /// Per user token, on plan business.
    #[schema(minimum = 1)]
    api_requests_per_minute: Option<u64>,
}

/// Reads the body of POST.
pub(super) fn new_organisation(mut fields: Fields<'_>) -> Option<(Name, Configuration)> {
    let name = fields.required("clientName", parsed);
    let configuration = fields.object("configuration", configuration);
    fields.finish();
    Some((name?, configuration.unwrap_or_default()))
}

/// Reads the body of PUT, or what PATCH made of it.
pub(super) fn settings(
    mut fields: Fields<'_>,
    labels: Option<Labels>,
    current: &Organisation,
) -> Option<Settings> {
    let name = fields.required("clientName", parsed);
    let plan = fields.optional("clientPlan", parsed);
    let status = fields.optional("clientStatus", parsed);
    let configuration = fields.object("configuration", configuration);
    fields.finish();
    Some(Settings {
        name: name?,
        plan: plan.unwrap_or(current.plan),
        status: status.unwrap_or(current.status),
        configuration: configuration.unwrap_or_default(),
        labels: labels?,
    })
}

/// Reads a configuration; what is left out is unlimited.
pub(super) fn configuration(mut fields: Fields<'_>) -> Configuration {
    let limits = fields.object("limits", limits).unwrap_or_default();
    let regions = fields
        .list("regions", MAX_REGIONS, parsed::<RegionName>)
        .unwrap_or_default();
    for (index, region) in regions.iter().enumerate() {
        if regions.iter().take(index).any(|earlier| earlier == region) {
            fields.problem(Fault::ValidationFailed, "regions", "names a region twice");
        }
    }
    fields.finish();
    Configuration {
        limits,
        allowed_regions: regions,
    }
}

fn limits(mut fields: Fields<'_>) -> Limits {
    let limits = Limits {
        requests_per_minute: fields.optional("requestsPerMinute", limit),
        requests_per_day: fields.optional("requestsPerDay", limit),
        credential_requests_per_minute: fields.optional("credentialRequestsPerMinute", limit),
        api_requests_per_minute: fields.optional("apiRequestsPerMinute", limit),
    };
    fields.finish();
    limits
}

fn limit(value: &Value) -> Result<NonZeroU64, Invalid> {
    let number = integer(1, MAX_LIMIT)(value)?;
    NonZeroU64::new(number).ok_or_else(|| Invalid::value("must be at least 1"))
}
