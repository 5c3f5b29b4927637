//! What callers send for an organisation.

use std::num::NonZeroU64;

use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::gateway::region::RegionName;
use crate::domain::label::{Labelled, Labels};
use crate::domain::name::Name;
use crate::domain::people::organisation::{Limits, Organisation, OrganisationStatus, Plan};
use crate::service::people::organisations::{Configuration, Settings};
use requestrocket_policy::form::fields::{Fields, integer, parsed};
use requestrocket_policy::form::problem::{Fault, Invalid};

/// JSON numbers are exact up to here everywhere.
const MAX_LIMIT: u64 = 9_007_199_254_740_991;
const MAX_REGIONS: usize = 1000;

/// What to send for a new organisation.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct NewOrganisationInput {
    /// 1 to 200 characters.
    #[schema(value_type = String)]
    client_name: Name,
    configuration: Option<ConfigurationInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Labels,
}

/// What to send for an organisation.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct OrganisationInput {
    /// 1 to 200 characters.
    #[schema(value_type = String)]
    client_name: Name,
    /// `basic`, `team` or `business`; only PATCH with an operator token changes it.
    #[schema(value_type = Option<String>)]
    client_plan: Option<Plan>,
    /// `active` or `suspended`; only PATCH with an operator token changes it.
    #[schema(value_type = Option<String>)]
    client_status: Option<OrganisationStatus>,
    configuration: Option<ConfigurationInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Labels,
}

/// Limits and regions of an organisation.
#[derive(Debug, ToSchema)]
pub(super) struct ConfigurationInput {
    limits: Option<LimitsInput>,
    /// Names of regions; empty (default) for everywhere.
    #[schema(value_type = Option<Vec<String>>)]
    regions: Vec<RegionName>,
}

/// Ceilings; null (default) is unlimited.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct LimitsInput {
    /// Copied to new proxies.
    #[schema(value_type = Option<u64>, minimum = 1)]
    requests_per_minute: Option<NonZeroU64>,
    /// Copied to new proxies.
    #[schema(value_type = Option<u64>, minimum = 1)]
    requests_per_day: Option<NonZeroU64>,
    /// Per proxy credential, on plan business.
    #[schema(value_type = Option<u64>, minimum = 1)]
    credential_requests_per_minute: Option<NonZeroU64>,
    /// Per user token, on plan business.
    #[schema(value_type = Option<u64>, minimum = 1)]
    api_requests_per_minute: Option<NonZeroU64>,
}

impl NewOrganisationInput {
    /// Reads the body of POST without its labels.
    pub(super) fn read(mut fields: Fields<'_>, labels: Option<Labels>) -> Option<Self> {
        let client_name = fields.required("clientName", parsed);
        let configuration = fields.object("configuration", ConfigurationInput::read);
        fields.finish();
        Some(Self {
            client_name: client_name?,
            configuration,
            labels: labels?,
        })
    }

    /// The name, and what else was decided.
    pub(super) fn into_parts(self) -> (Name, Labelled<Configuration>) {
        let form = configured(self.configuration);
        let labels = self.labels;
        (self.client_name, Labelled { form, labels })
    }
}

impl OrganisationInput {
    /// Reads the body of PUT, or what PATCH made of it, without its labels.
    pub(super) fn read(mut fields: Fields<'_>, labels: Option<Labels>) -> Option<Self> {
        let client_name = fields.required("clientName", parsed);
        let client_plan = fields.optional("clientPlan", parsed);
        let client_status = fields.optional("clientStatus", parsed);
        let configuration = fields.object("configuration", ConfigurationInput::read);
        fields.finish();
        Some(Self {
            client_name: client_name?,
            client_plan,
            client_status,
            configuration,
            labels: labels?,
        })
    }

    /// What `current` is to be; plan and status stay where nothing is said of them.
    pub(super) fn onto(self, current: &Organisation) -> Settings {
        Settings {
            name: self.client_name,
            plan: self.client_plan.unwrap_or(current.plan),
            status: self.client_status.unwrap_or(current.status),
            configuration: configured(self.configuration),
            labels: self.labels,
        }
    }
}

impl ConfigurationInput {
    /// Reads a configuration; what is left out is unlimited.
    pub(super) fn read(mut fields: Fields<'_>) -> Self {
        let limits = fields.object("limits", LimitsInput::read);
        let regions = fields
            .list("regions", MAX_REGIONS, parsed::<RegionName>)
            .unwrap_or_default();
        for (index, region) in regions.iter().enumerate() {
            if regions.iter().take(index).any(|earlier| earlier == region) {
                fields.problem(Fault::ValidationFailed, "regions", "names a region twice");
            }
        }
        fields.finish();
        Self { limits, regions }
    }
}

impl From<ConfigurationInput> for Configuration {
    fn from(input: ConfigurationInput) -> Self {
        Self {
            limits: input.limits.map(Limits::from).unwrap_or_default(),
            allowed_regions: input.regions,
        }
    }
}

impl LimitsInput {
    fn read(mut fields: Fields<'_>) -> Self {
        let limits = Self {
            requests_per_minute: fields.optional("requestsPerMinute", limit),
            requests_per_day: fields.optional("requestsPerDay", limit),
            credential_requests_per_minute: fields.optional("credentialRequestsPerMinute", limit),
            api_requests_per_minute: fields.optional("apiRequestsPerMinute", limit),
        };
        fields.finish();
        limits
    }
}

impl From<LimitsInput> for Limits {
    fn from(input: LimitsInput) -> Self {
        let LimitsInput {
            requests_per_minute,
            requests_per_day,
            credential_requests_per_minute,
            api_requests_per_minute,
        } = input;
        Self {
            requests_per_minute,
            requests_per_day,
            credential_requests_per_minute,
            api_requests_per_minute,
        }
    }
}

fn configured(sent: Option<ConfigurationInput>) -> Configuration {
    sent.map(Configuration::from).unwrap_or_default()
}

fn limit(value: &Value) -> Result<NonZeroU64, Invalid> {
    let number = integer(1, MAX_LIMIT)(value)?;
    NonZeroU64::new(number).ok_or_else(|| Invalid::value("must be at least 1"))
}
