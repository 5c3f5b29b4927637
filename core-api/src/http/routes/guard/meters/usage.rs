//! `/clients/{clientId}/proxies/{proxyId}/meters/{meterId}/usage`

use requestrocket_proto::meter::v1::Window;
use requestrocket_proto::region::v1::{MeterUsage, MeterUsageQuery, WindowUsage, answer, query};
use serde::Serialize;
use serde_json::Number;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::guard::attachment::AttachedTo;
use crate::domain::guard::meter::{MeterForm, MeterLimits};
use crate::domain::moment::Moment;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, Code, id};
use crate::http::amount::amount;
use crate::http::call::{InPath, Read};
use crate::region::fleet::Unanswered;
use crate::state::AppState;
use crate::store::guard::attachment::attachment_fetch;

/// Counters are in millionths.
const MICROS: u64 = 1_000_000;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_meter_usage))
}

/// What a meter counted in the windows that are open now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MeterUsageResource {
    meter_id: Uuid,
    /// Minute, hour, day and month.
    windows: Vec<WindowResource>,
}

/// One calendar window (UTC).
#[derive(Debug, Serialize, ToSchema)]
struct WindowResource {
    /// `minute`, `hour`, `day` or `month`.
    window: &'static str,
    start: String,
    /// Exclusive.
    end: String,
    /// Up to six decimals.
    #[schema(value_type = f64)]
    used: Number,
    limit: Option<u64>,
    /// Null without a limit.
    #[schema(value_type = Option<f64>)]
    remaining: Option<Number>,
}

/// What a meter counted, as its region knows it now.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/meters/{meterId}/usage",
    tag = "meters",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        ("meterId" = Uuid, Path, description = "The meter"),
    ),
    responses(
        (status = 200, body = MeterUsageResource),
        (status = 304, description = "As known"),
        (status = 503, description = "The region cannot be asked now", body = crate::error::ErrorBody),
    )
)]
async fn get_meter_usage(
    call: Read,
    InPath((client, proxy, meter)): InPath<(String, String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let (proxy, meter) = (AttachedTo::Proxy(id(&proxy)?), id(&meter)?);
    let mut conn = call.state.connect().await?;
    let found = attachment_fetch::<MeterForm>(&mut conn, scope.id(), proxy, meter).await?;
    // No connection is kept while the region is asked.
    drop(conn);
    let meter = found.ok_or_else(ApiError::not_found)?;
    let question = query::Kind::MeterUsage(MeterUsageQuery {
        meter_id: meter.id.to_string(),
    });
    let region = meter.region.as_str();
    let answer = call.state.fleets.ask(region, question).await?;
    let answer::Kind::MeterUsage(usage) = answer else {
        return Err(Unanswered::Unknown.into());
    };
    let windows = windows(&usage, meter.form.limits).ok_or(Unanswered::Unknown)?;
    call.answer_content(&MeterUsageResource {
        meter_id: meter.id.uuid(),
        windows,
    })
}

/// None unless the region told of all four.
fn windows(usage: &MeterUsage, limits: MeterLimits) -> Option<Vec<WindowResource>> {
    let MeterLimits {
        minute,
        hour,
        day,
        month,
    } = limits;
    let all = [
        (Window::Minute, "minute", minute),
        (Window::Hour, "hour", hour),
        (Window::Day, "day", day),
        (Window::Month, "month", month),
    ];
    let told = |window| usage.windows.iter().find(|told| told.window() == window);
    all.into_iter()
        .map(|(kind, name, limit)| window(name, told(kind)?, limit.map(u64::from)))
        .collect()
}

fn window(name: &'static str, usage: &WindowUsage, limit: Option<u64>) -> Option<WindowResource> {
    let WindowUsage {
        window: _,
        start_ms,
        end_ms,
        used_micros,
    } = *usage;
    let left = |limit: u64| limit.saturating_mul(MICROS).saturating_sub(used_micros);
    Some(WindowResource {
        window: name,
        start: moment(start_ms)?,
        end: moment(end_ms)?,
        used: amount(used_micros),
        limit,
        remaining: limit.map(|limit| amount(left(limit))),
    })
}

fn moment(unix_ms: u64) -> Option<String> {
    let nanoseconds = i128::from(unix_ms) * 1_000_000;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
    Some(Moment::from(moment).to_string())
}

impl From<Unanswered> for ApiError {
    fn from(unanswered: Unanswered) -> Self {
        Self::new(Code::RegionAway, unanswered.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_never_falls_below_zero() {
        let usage = |used_micros| WindowUsage {
            window: Window::Minute.into(),
            start_ms: 0,
            end_ms: 60_000,
            used_micros,
        };
        for (used, limit, want) in [
            (0, Some(10), Some("10")),
            (9_500_000, Some(10), Some("0.5")),
            (11_000_000, Some(10), Some("0")),
            (11_000_000, None, None),
        ] {
            let window = window("minute", &usage(used), limit).unwrap();
            let remaining = window.remaining.map(|number| number.to_string());
            assert_eq!(remaining.as_deref(), want);
        }
    }

    #[test]
    fn an_answer_without_all_windows_is_none() {
        let window = |kind: Window| WindowUsage {
            window: kind.into(),
            ..WindowUsage::default()
        };
        let mut usage = MeterUsage {
            windows: vec![
                window(Window::Month),
                window(Window::Minute),
                window(Window::Hour),
            ],
        };
        assert!(windows(&usage, MeterLimits::default()).is_none());
        usage.windows.push(window(Window::Day));
        let told = windows(&usage, MeterLimits::default()).unwrap();
        let names: Vec<_> = told.iter().map(|window| window.window).collect();
        assert_eq!(names, ["minute", "hour", "day", "month"]);
    }
}
