//! `/clients/{clientId}/usage`

mod period;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::RawQuery;
use futures::future::join_all;
use requestrocket_policy::form::problem::{Fault, Problems};
use requestrocket_proto::region::v1::{TelemetryQuery, UsageQuery};
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::period::{Period, PeriodParams, UsageInterval};
use super::requests::regions;
use crate::domain::moment::Moment;
use crate::domain::people::permission::Permission;
use crate::error::ApiResult;
use crate::http::amount::amount;
use crate::http::call::{InPath, Read};
use crate::identity::caller::Scope;
use crate::service::operations::telemetry::telemetry;
use crate::service::operations::usage::{Found, UsageKey, Used, usage};
use crate::state::AppState;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_usage))
}

/// What was let through, as Envoys counted it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageResource {
    from: String,
    /// Exclusive.
    to: String,
    interval: UsageInterval,
    /// Where there was any.
    rows: Vec<UsageRow>,
    /// Regions that could not be asked; what they have is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unavailable_regions: Vec<String>,
}

/// One interval of one proxy, credential, meter, region, or of all.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageRow {
    start: String,
    /// Exclusive.
    end: String,
    /// Null without `groupBy`, and of what is too much to be told apart.
    key: Option<String>,
    /// Calls that were let through.
    admitted: u64,
    /// Calls of known callers that rules or limits refused.
    refused: u64,
    /// What meters counted, up to six decimals.
    #[schema(value_type = f64)]
    values: Number,
    /// Of bodies, from records; null where `groupBy` is `proxy`, `credential` or `meter`.
    request_bytes: Option<u64>,
    response_bytes: Option<u64>,
    /// An Envoy ended in that time: what it let through in its last 200 ms may be missing.
    uncertain: bool,
}

/// What was let through in each interval: every call, whatever becomes of its record.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/usage",
    tag = "telemetry",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        PeriodParams,
    ),
    responses((status = 200, body = UsageResource), (status = 304, description = "As known"))
)]
async fn get_usage(
    call: Read,
    InPath(client): InPath<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadUsage).await?;
    let period = Period::read(raw.as_deref(), call.state.clock.unix_ms())?;
    let regions = regions(&call, &scope).await?;
    let query = UsageQuery {
        organisation_id: scope.id().to_string(),
        from_ms: period.from_ms,
        to_ms: period.to_ms,
        interval: period.interval.to_wire().into(),
        grouping: period.group_by.to_wire().into(),
    };
    let is_by_region = period.group_by.is_region();
    let found = usage(&call.state.fleets, &regions, &query, is_by_region).await;
    if found.too_much {
        let mut problems = Problems::default();
        let text = "is too long ago: there is more than one answer holds";
        problems.add(Fault::ValidationFailed, "from", text);
        problems.check()?;
    }
    let bytes = bytes(&call, &scope, &period, &regions).await;
    call.answer_content(&UsageResource::new(&period, found, bytes.as_ref()))
}

/// Bytes of requests and responses, where they are known.
type Bytes = BTreeMap<UsageKey, (u64, u64)>;

async fn bytes(
    call: &Read,
    scope: &Scope,
    period: &Period,
    regions: &BTreeSet<String>,
) -> Option<Bytes> {
    if !period.group_by.is_whole() {
        return None;
    }
    let query = TelemetryQuery {
        organisation_id: scope.id().to_string(),
        of: None,
        from_ms: period.from_ms,
        to_ms: period.to_ms,
        interval: period.interval.to_wire().into(),
    };
    // Each alone, for `telemetry` adds up all that it asks.
    let asked = regions.iter().map(async |region| {
        let only = BTreeSet::from([region.clone()]);
        (region, telemetry(&call.state.fleets, &only, &query).await)
    });
    let mut bytes = Bytes::new();
    for (region, told) in join_all(asked).await {
        for (start_ms, summary) in told.points {
            let is_region = period.group_by.is_region();
            let id = if is_region {
                region.clone()
            } else {
                String::new()
            };
            let start_ms = period.interval.start_ms(start_ms);
            let (sent, answered) = bytes.entry(UsageKey { start_ms, id }).or_default();
            *sent = sent.saturating_add(summary.request_bytes);
            *answered = answered.saturating_add(summary.response_bytes);
        }
    }
    Some(bytes)
}

impl UsageResource {
    fn new(period: &Period, found: Found, bytes: Option<&Bytes>) -> Self {
        let mut sums: BTreeMap<UsageKey, Used> = BTreeMap::new();
        for (key, used) in found.sums {
            let start_ms = period.interval.start_ms(key.start_ms);
            sums.entry(UsageKey { start_ms, ..key })
                .or_default()
                .add(used);
        }
        let rows = sums.into_iter().map(|(key, used)| {
            let bytes = bytes.map(|all| all.get(&key).copied().unwrap_or_default());
            UsageRow::new(period, key, used, bytes)
        });
        Self {
            from: text(period.from_ms),
            to: text(period.to_ms),
            interval: period.interval,
            rows: rows.collect(),
            unavailable_regions: found.unavailable,
        }
    }
}

impl UsageRow {
    fn new(period: &Period, key: UsageKey, used: Used, bytes: Option<(u64, u64)>) -> Self {
        let Used {
            admitted,
            refused,
            value_micros,
            is_uncertain,
        } = used;
        Self {
            start: text(key.start_ms),
            end: text(period.interval.end_ms(key.start_ms)),
            key: Some(key.id).filter(|id| !id.is_empty() && *id != uuid::Uuid::nil().to_string()),
            admitted,
            refused,
            values: amount(value_micros),
            request_bytes: bytes.map(|(sent, _)| sent),
            response_bytes: bytes.map(|(_, answered)| answered),
            uncertain: is_uncertain,
        }
    }
}

fn text(unix_ms: u64) -> String {
    // What no calendar holds is far ahead.
    let moment = Moment::of_unix_ms(unix_ms);
    moment.map(|moment| moment.to_string()).unwrap_or_default()
}
