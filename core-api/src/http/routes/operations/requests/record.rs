//! A record as it is shown.

use std::collections::BTreeMap;

use requestrocket_proto::record::v1::{Asynchronous, Denial, MeterDelta, Pair, Record, Removed};
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::moment::Moment;
use crate::http::amount::amount;

/// One call that passed, or was refused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestRecord {
    /// `requestrocket-request-id` of the answer.
    request_id: String,
    client_id: String,
    proxy_id: String,
    /// Null when the proxy is gone.
    proxy_name: Option<String>,
    region: String,
    /// The Envoy.
    node_id: String,
    /// Of what the proxy was called with.
    config_version: String,
    received_at: Option<String>,
    /// Null when nothing was sent to the target.
    sent_at: Option<String>,
    completed_at: Option<String>,
    #[schema(value_type = f64)]
    duration_ms: Number,
    /// Without what the target took.
    #[schema(value_type = f64)]
    gateway_duration_ms: Number,
    #[schema(value_type = Option<f64>)]
    target_duration_ms: Option<Number>,
    method: String,
    /// As rules see it.
    path: String,
    /// Names and values, decoded. What may be a secret is `***`.
    query: Vec<[String; 2]>,
    /// Names and values; most values are `***`.
    request_headers: Vec<[String; 2]>,
    caller_address: Option<String>,
    protocol: String,
    /// The credential that the caller used; null when none was right.
    credential_id: Option<String>,
    auth_type: Option<String>,
    subject: Option<String>,
    target_id: Option<String>,
    target_host: Option<String>,
    /// Null when the caller got no head.
    status: Option<u32>,
    /// Null when the target did not answer, or its answer was replaced.
    target_status: Option<u32>,
    proxy_code: Option<String>,
    /// `code` of the error, such as `RULE_DENIED`.
    code: Option<String>,
    denial: Option<DenialResource>,
    /// Filters that took something out of the response, by their stage.
    filters: Vec<RemovedResource>,
    /// What the call added to meters.
    meters: Vec<MeterDeltaResource>,
    warnings: Vec<String>,
    /// Of the body, as all bytes here.
    request_bytes: u64,
    response_bytes: u64,
    /// `caller_closed`, `target_reset`, `target_timeout`, `connect_failed`, `cut`.
    flags: Vec<String>,
    /// Of `traceparent`.
    trace_id: Option<String>,
    /// Null when the caller waited for the answer.
    #[serde(rename = "async")]
    asynchronous: Option<AsyncResource>,
}

/// What denied a call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DenialResource {
    layer: String,
    /// The rule, or `default`, or `unreadable-body`.
    rule_id: String,
}

/// Which asynchronous request a call is about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AsyncResource {
    request_id: String,
    /// 0: the call that brought it.
    attempt: u32,
}

/// What the filters of a stage took out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RemovedResource {
    /// `targetCredential`, `target`, `proxyCredential` or `proxy`.
    stage: String,
    /// Top-most nodes that went.
    removed: u64,
}

/// What a call added to a meter.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MeterDeltaResource {
    meter_id: String,
    #[schema(value_type = f64)]
    delta: Number,
}

impl RequestRecord {
    /// With the names of proxies that are there.
    #[expect(clippy::too_many_lines, reason = "a line for each member, twice")]
    pub(super) fn new(record: Record, names: &BTreeMap<String, String>) -> Self {
        let Record {
            request_id,
            organisation_id,
            proxy_id,
            region,
            node_id,
            config_version,
            received_at_ms,
            sent_at_ms,
            completed_at_ms,
            duration_us,
            target_duration_us,
            method,
            path,
            query,
            headers,
            caller_address,
            protocol,
            credential_id,
            auth_type,
            subject,
            target_host,
            status,
            target_status,
            proxy_code,
            code,
            denial,
            warnings,
            request_bytes,
            response_bytes,
            flags,
            trace_id,
            target_id,
            filters,
            meters,
            asynchronous,
        } = record;
        Self {
            proxy_name: names.get(&proxy_id).cloned(),
            request_id,
            client_id: organisation_id,
            proxy_id,
            region,
            node_id,
            config_version,
            received_at: moment(received_at_ms),
            sent_at: sent_at_ms.and_then(moment),
            completed_at: moment(completed_at_ms),
            duration_ms: millis(duration_us),
            gateway_duration_ms: millis(
                duration_us.saturating_sub(target_duration_us.unwrap_or(0)),
            ),
            target_duration_ms: target_duration_us.map(millis),
            method,
            path,
            query: pairs(query),
            request_headers: pairs(headers),
            caller_address: filled(caller_address),
            protocol,
            credential_id: filled(credential_id),
            auth_type: filled(auth_type),
            subject: filled(subject),
            target_id: filled(target_id),
            target_host: filled(target_host),
            status: Some(status).filter(|status| *status > 0),
            target_status,
            proxy_code: filled(proxy_code),
            code: filled(code),
            denial: denial.map(|Denial { layer, rule_id }| DenialResource { layer, rule_id }),
            filters: filters.into_iter().map(RemovedResource::new).collect(),
            meters: meters.iter().map(MeterDeltaResource::new).collect(),
            warnings,
            request_bytes,
            response_bytes,
            flags,
            trace_id: filled(trace_id),
            asynchronous: asynchronous.map(AsyncResource::new),
        }
    }
}

impl AsyncResource {
    fn new(
        Asynchronous {
            request_id,
            attempt,
        }: Asynchronous,
    ) -> Self {
        // A region of ours says no other.
        let id = Uuid::from_slice(&request_id).unwrap_or_default();
        Self {
            request_id: id.to_string(),
            attempt,
        }
    }
}

impl RemovedResource {
    pub(super) fn new(Removed { stage, nodes }: Removed) -> Self {
        Self {
            stage,
            removed: nodes,
        }
    }
}

impl MeterDeltaResource {
    fn new(MeterDelta { meter_id, micros }: &MeterDelta) -> Self {
        // A region of ours says no other.
        let id = Uuid::from_slice(meter_id).unwrap_or_default();
        Self {
            meter_id: id.to_string(),
            delta: amount(*micros),
        }
    }
}

fn pairs(pairs: Vec<Pair>) -> Vec<[String; 2]> {
    let pairs = pairs.into_iter();
    pairs.map(|Pair { name, value }| [name, value]).collect()
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn moment(unix_ms: u64) -> Option<String> {
    Moment::of_unix_ms(unix_ms).map(|moment| moment.to_string())
}

/// With three decimals, those that are there.
fn millis(micros: u64) -> Number {
    let text = format!("{}.{:03}", micros / 1_000, micros % 1_000);
    let number = text.parse().ok().and_then(Number::from_f64);
    number.unwrap_or_else(|| Number::from(micros / 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_null_and_times_add_up() {
        let record = Record {
            proxy_id: "p".to_owned(),
            duration_us: 1_234_567,
            target_duration_us: Some(1_000_000),
            sent_at_ms: Some(1_000),
            ..Record::default()
        };
        let names = BTreeMap::from([("p".to_owned(), "Name".to_owned())]);
        let shown = serde_json::to_value(RequestRecord::new(record, &names)).unwrap();
        assert_eq!(shown["proxyName"], "Name");
        assert_eq!(shown["durationMs"].to_string(), "1234.567");
        assert_eq!(shown["gatewayDurationMs"].to_string(), "234.567");
        assert_eq!(shown["sentAt"], "1970-01-01T00:00:01.000Z");
        for member in [
            "credentialId",
            "code",
            "denial",
            "status",
            "targetStatus",
            "traceId",
        ] {
            assert!(shown[member].is_null(), "{member}");
        }
    }
}
