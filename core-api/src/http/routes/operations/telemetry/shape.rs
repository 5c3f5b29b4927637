//! What calls come to, as it is shown.

use std::collections::BTreeMap;

use requestrocket_proto::region::v1::TelemetryShare;
use requestrocket_summary::{AuthSummary, Summary};
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use super::super::requests::Completeness;
use super::range::{Interval, Range};
use crate::domain::moment::Moment;
use crate::http::amount::amount;
use crate::service::operations::telemetry::Told;

/// What calls come to, in all and interval by interval.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TelemetryResource {
    /// The beginning of the first interval.
    from: String,
    /// The end of the last one; exclusive.
    to: String,
    interval: Interval,
    totals: TelemetryTotals,
    /// Every interval, also without calls.
    series: Vec<TelemetryPoint>,
    response_codes: Vec<StatusCount>,
    proxy_codes: Vec<ProxyCodeCount>,
    auth_methods: Vec<AuthMethodCount>,
    /// What meters counted; of an organisation with more, 500 of them.
    meters: Vec<MeterTotal>,
    /// Of the organisation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<Top>,
    completeness: Completeness,
    /// Regions that could not be asked; what they have is not counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unavailable_regions: Vec<String>,
}

/// Sums, averages and percentiles of calls.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TelemetryTotals {
    requests: u64,
    /// Answers with a status from 400 on.
    errors: u64,
    /// Answers with `proxy-access-denied`.
    denied: u64,
    /// Answers with `rate-limit-exceeded`.
    rate_limited: u64,
    /// The part without errors; null without calls, as are averages and percentiles.
    success_rate: Option<f64>,
    #[schema(value_type = Option<f64>)]
    average_response_time_ms: Option<Number>,
    /// Half of the calls took no longer; within 1 %, as the other percentiles.
    #[serde(rename = "p50ResponseTimeMs")]
    #[schema(value_type = Option<f64>)]
    p50: Option<Number>,
    #[serde(rename = "p95ResponseTimeMs")]
    #[schema(value_type = Option<f64>)]
    p95: Option<Number>,
    #[serde(rename = "p99ResponseTimeMs")]
    #[schema(value_type = Option<f64>)]
    p99: Option<Number>,
    /// Of the time that the target did not take.
    #[schema(value_type = Option<f64>)]
    average_gateway_time_ms: Option<Number>,
    /// What all calls took together.
    #[schema(value_type = f64)]
    api_seconds: Number,
    /// Of bodies, as all bytes here.
    request_bytes: u64,
    response_bytes: u64,
}

/// One interval.
#[derive(Debug, Serialize, ToSchema)]
struct TelemetryPoint {
    start: String,
    #[serde(flatten)]
    totals: TelemetryTotals,
}

/// Calls by status.
#[derive(Debug, Serialize, ToSchema)]
struct StatusCount {
    /// Null when the caller got no head.
    status: Option<u32>,
    requests: u64,
}

/// Calls by `requestrocket-proxy-code`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProxyCodeCount {
    /// Null when none was said.
    proxy_code: Option<String>,
    requests: u64,
}

/// Calls by the type of the credential that the caller used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuthMethodCount {
    /// Null when none was right.
    auth_type: Option<String>,
    requests: u64,
    denied: u64,
}

/// What a meter counted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MeterTotal {
    meter_id: String,
    /// Null when it is gone.
    meter_name: Option<String>,
    #[schema(value_type = f64)]
    total: Number,
}

/// Those with most calls, at most ten of each.
#[derive(Debug, Serialize, ToSchema)]
struct Top {
    proxies: Vec<TopProxy>,
    credentials: Vec<TopCredential>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TopProxy {
    proxy_id: String,
    /// Null when it is gone.
    proxy_name: Option<String>,
    requests: u64,
    errors: u64,
    denied: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TopCredential {
    credential_id: String,
    /// Null when it is gone.
    credential_name: Option<String>,
    requests: u64,
    errors: u64,
    denied: u64,
}

/// Names of what is there, by id.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) proxies: BTreeMap<String, String>,
    pub(super) credentials: BTreeMap<String, String>,
    pub(super) meters: BTreeMap<String, String>,
}

/// Of what the calls are: an organisation names those with most of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Organisation,
    Part,
}

impl TelemetryResource {
    /// Of what `told` says, with the names of what is there.
    pub(super) fn new(range: &Range, (told, of): (Told, Of), names: &Names) -> Self {
        let whole = told.whole();
        let empty = Summary::default();
        let series = range.starts().map(|start_ms| TelemetryPoint {
            start: text(start_ms),
            totals: TelemetryTotals::of(told.points.get(&start_ms).unwrap_or(&empty)),
        });
        Self {
            from: text(range.from_ms),
            to: text(range.to_ms),
            interval: range.interval,
            totals: TelemetryTotals::of(&whole),
            series: series.collect(),
            response_codes: whole.statuses.iter().map(StatusCount::of).collect(),
            proxy_codes: whole.proxy_codes.iter().map(ProxyCodeCount::of).collect(),
            auth_methods: whole.auth_types.iter().map(AuthMethodCount::of).collect(),
            meters: MeterTotal::all(&whole, names),
            top: match of {
                Of::Organisation => Some(Top::of(told.proxies, told.credentials, names)),
                Of::Part => None,
            },
            completeness: Completeness {
                from: Some(text(range.from_ms)),
                to: Some(text(range.to_ms)),
                recorded: whole.requests,
                lost: told.lost,
                sampled_out: 0,
            },
            unavailable_regions: told.unavailable,
        }
    }
}

impl TelemetryTotals {
    fn of(summary: &Summary) -> Self {
        let percentiles = summary.durations.percentiles();
        let average = |sum: u64| {
            let half = summary.requests / 2;
            let average = sum.saturating_add(half).checked_div(summary.requests);
            average.map(|us| decimal(us, 3))
        };
        Self {
            requests: summary.requests,
            errors: summary.errors,
            denied: summary.denied,
            rate_limited: summary.rate_limited,
            success_rate: success_rate(summary),
            average_response_time_ms: average(summary.duration_us),
            p50: percentiles.map(|all| decimal(all.p50, 3)),
            p95: percentiles.map(|all| decimal(all.p95, 3)),
            p99: percentiles.map(|all| decimal(all.p99, 3)),
            average_gateway_time_ms: average(summary.gateway_us),
            api_seconds: decimal(summary.duration_us, 6),
            request_bytes: summary.request_bytes,
            response_bytes: summary.response_bytes,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
fn success_rate(summary: &Summary) -> Option<f64> {
    let whole = summary.requests as f64;
    (summary.requests > 0).then(|| 1.0 - summary.errors as f64 / whole)
}

impl StatusCount {
    fn of((status, requests): (&u32, &u64)) -> Self {
        Self {
            status: Some(*status).filter(|status| *status > 0),
            requests: *requests,
        }
    }
}

impl ProxyCodeCount {
    fn of((proxy_code, requests): (&String, &u64)) -> Self {
        Self {
            proxy_code: filled(proxy_code),
            requests: *requests,
        }
    }
}

impl AuthMethodCount {
    fn of((auth_type, auth): (&String, &AuthSummary)) -> Self {
        let AuthSummary { requests, denied } = *auth;
        Self {
            auth_type: filled(auth_type),
            requests,
            denied,
        }
    }
}

impl MeterTotal {
    fn all(whole: &Summary, names: &Names) -> Vec<Self> {
        let meters = whole.meters.iter();
        let totals = meters.map(|(id, micros)| Self {
            meter_id: id.clone(),
            meter_name: names.meters.get(id).cloned(),
            total: amount(*micros),
        });
        totals.collect()
    }
}

impl Top {
    fn of(proxies: Vec<TelemetryShare>, credentials: Vec<TelemetryShare>, names: &Names) -> Self {
        let proxies = proxies.into_iter().map(|share| {
            let TelemetryShare {
                id,
                requests,
                errors,
                denied,
            } = share;
            TopProxy {
                proxy_name: names.proxies.get(&id).cloned(),
                proxy_id: id,
                requests,
                errors,
                denied,
            }
        });
        let credentials = credentials.into_iter().map(|share| {
            let TelemetryShare {
                id,
                requests,
                errors,
                denied,
            } = share;
            TopCredential {
                credential_name: names.credentials.get(&id).cloned(),
                credential_id: id,
                requests,
                errors,
                denied,
            }
        });
        Self {
            proxies: proxies.collect(),
            credentials: credentials.collect(),
        }
    }
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn text(unix_ms: u64) -> String {
    // What no calendar holds is far ahead.
    let moment = Moment::of_unix_ms(unix_ms);
    moment.map(|moment| moment.to_string()).unwrap_or_default()
}

/// A whole number of the `places`-th part of one.
fn decimal(number: u64, places: usize) -> Number {
    let digits = format!("{number:0width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let number = format!("{whole}.{part}").parse().ok();
    number
        .and_then(Number::from_f64)
        .unwrap_or_else(|| Number::from(0))
}

#[cfg(test)]
mod tests {
    use requestrocket_proto::record::v1::{MeterDelta, Record};

    use super::*;

    #[test]
    fn without_calls_there_are_no_rates_averages_or_percentiles() {
        let range = Range::read(Some("from=0&to=172800000"), 172_800_000, true).unwrap();
        let shown = TelemetryResource::new(&range, (Told::default(), Of::Part), &Names::default());
        let shown = serde_json::to_value(shown).unwrap();
        assert_eq!(shown["series"].as_array().unwrap().len(), 48);
        for totals in [&shown["totals"], &shown["series"][47]] {
            for (member, value) in totals.as_object().unwrap() {
                let is_null =
                    member.starts_with('p') || member.contains("verage") || member == "successRate";
                assert_eq!(value.is_null(), is_null, "{member}");
                assert!(
                    is_null || member == "start" || value.as_f64() == Some(0.0),
                    "{member}"
                );
            }
        }
        assert_eq!(shown["series"][1]["start"], "1970-01-01T01:00:00.000Z");
        assert!(shown.get("top").is_none() && shown.get("unavailableRegions").is_none());
    }

    #[test]
    fn totals_are_of_all_intervals() {
        let range = Range::read(Some("from=0&to=172800000"), 172_800_000, true).unwrap();
        let mut told = Told::default();
        for (start_ms, status, duration_us) in
            [(0, 200, 1_000), (0, 404, 3_000), (3_600_000, 0, 5_500)]
        {
            let point = told.points.entry(start_ms).or_default();
            point.add(&Record {
                status,
                duration_us,
                target_duration_us: Some(500),
                meters: [(1, 500_000), (2, 1_000_000)]
                    .map(|(id, micros)| MeterDelta {
                        meter_id: vec![id; 16].into(),
                        micros,
                    })
                    .into(),
                ..Record::default()
            });
        }
        let names = Names {
            meters: BTreeMap::from([(
                uuid::Uuid::from_bytes([1; 16]).to_string(),
                "Tokens".to_owned(),
            )]),
            ..Names::default()
        };
        let shown = TelemetryResource::new(&range, (told, Of::Organisation), &names);
        let shown = serde_json::to_value(shown).unwrap();
        let totals = &shown["totals"];
        assert_eq!(totals["requests"], 3);
        assert_eq!(totals["successRate"], 1.0 - 1.0 / 3.0);
        assert_eq!(totals["averageResponseTimeMs"].to_string(), "3.167");
        assert_eq!(totals["averageGatewayTimeMs"].to_string(), "2.667");
        assert_eq!(totals["apiSeconds"].to_string(), "0.0095");
        assert_eq!(shown["series"][0]["requests"], 2);
        let middle = shown["series"][1]["p50ResponseTimeMs"].to_string();
        assert_eq!(middle, "5.488");
        let statuses = serde_json::json!([
            {"status": null, "requests": 1}, {"status": 200, "requests": 1},
            {"status": 404, "requests": 1},
        ]);
        assert_eq!(shown["responseCodes"], statuses);
        assert_eq!(shown["completeness"]["recorded"], 3);
        let id = |byte| uuid::Uuid::from_bytes([byte; 16]).to_string();
        let meters = serde_json::json!([
            {"meterId": id(1), "meterName": "Tokens", "total": 1.5},
            {"meterId": id(2), "meterName": null, "total": 3},
        ]);
        assert_eq!(shown["meters"], meters);
        assert_eq!(
            shown["top"],
            serde_json::json!({"proxies": [], "credentials": []})
        );
    }
}
