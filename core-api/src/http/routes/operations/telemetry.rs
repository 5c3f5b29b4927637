//! `…/telemetry` of an organisation, of one of its proxies and of one of its credentials.

mod range;
mod shape;

use std::collections::BTreeSet;

use axum::extract::RawQuery;
use requestrocket_proto::region::v1::{TelemetryQuery, TelemetryShare, telemetry_query};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::range::{Range, RangeParams};
use self::shape::{Names, Of, TelemetryResource};
use super::requests::{only, proxy_of, refuse_away, regions};
use crate::domain::gateway::region::RegionName;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::call::{InPath, Read};
use crate::identity::caller::Scope;
use crate::service::operations::telemetry::{Told, telemetry};
use crate::state::AppState;
use crate::store::gateway::credential::credential_fetch;
use crate::store::gateway::proxy_names::{credential_names, meter_names, proxy_names};

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_telemetry))
        .routes(routes!(get_telemetry_of_proxy))
        .routes(routes!(get_telemetry_of_credential))
}

/// What the calls of all proxies come to, of those that are gone too.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/telemetry",
    tag = "telemetry",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        RangeParams,
        ("region" = Option<String>, Query, description = "Only calls in this region"),
    ),
    responses((status = 200, body = TelemetryResource), (status = 304, description = "As known"))
)]
async fn get_telemetry(
    call: Read,
    InPath(client): InPath<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let range = read(&call, raw.as_deref(), true)?;
    let regions = match &range.region {
        Some(region) => only(region),
        None => regions(&call, &scope).await?,
    };
    let told = telemetry(&call.state.fleets, &regions, &query(&scope, &range, None)).await;
    if range.region.is_some() {
        refuse_away(&told.unavailable)?;
    }
    let names = names(&call, &scope, &told).await?;
    call.answer_content(&TelemetryResource::new(
        &range,
        (told, Of::Organisation),
        &names,
    ))
}

/// What the calls of a proxy come to.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/telemetry",
    tag = "telemetry",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        RangeParams,
    ),
    responses((status = 200, body = TelemetryResource), (status = 304, description = "As known"))
)]
async fn get_telemetry_of_proxy(
    call: Read,
    InPath((client, proxy)): InPath<(String, String)>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let (proxy, region) = proxy_of(&call, &scope, &proxy).await?;
    let of = telemetry_query::Of::ProxyId(proxy.to_string());
    one(&call, &scope, (of, &region), raw.as_deref()).await
}

/// What the calls come to whose callers used a credential.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/credentials/{credentialId}/telemetry",
    tag = "telemetry",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("credentialId" = Uuid, Path, description = "The credential"),
        RangeParams,
    ),
    responses((status = 200, body = TelemetryResource), (status = 304, description = "As known"))
)]
async fn get_telemetry_of_credential(
    call: Read,
    InPath((client, credential)): InPath<(String, String)>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let mut conn = call.state.connect().await?;
    let found = credential_fetch(&mut conn, scope.id(), id(&credential)?).await?;
    // No connection is kept while the region is asked.
    drop(conn);
    let credential = found.ok_or_else(ApiError::not_found)?;
    let of = telemetry_query::Of::CredentialId(credential.id.to_string());
    one(&call, &scope, (of, &credential.region), raw.as_deref()).await
}

fn read(call: &Read, raw: Option<&str>, is_whole: bool) -> ApiResult<Range> {
    Range::read(raw, call.state.clock.unix_ms(), is_whole)
}

fn query(scope: &Scope, range: &Range, of: Option<telemetry_query::Of>) -> TelemetryQuery {
    TelemetryQuery {
        organisation_id: scope.id().to_string(),
        of,
        from_ms: range.from_ms,
        to_ms: range.to_ms,
        interval: range.interval.to_wire().into(),
    }
}

async fn one(
    call: &Read,
    scope: &Scope,
    (of, region): (telemetry_query::Of, &RegionName),
    raw: Option<&str>,
) -> ApiResult {
    let range = read(call, raw, false)?;
    let query = query(scope, &range, Some(of));
    let told = telemetry(&call.state.fleets, &only(region), &query).await;
    refuse_away(&told.unavailable)?;
    let names = names(call, scope, &told).await?;
    call.answer_content(&TelemetryResource::new(&range, (told, Of::Part), &names))
}

async fn names(call: &Read, scope: &Scope, told: &Told) -> ApiResult<Names> {
    let (proxies, credentials) = (ids(&told.proxies), ids(&told.credentials));
    let whole = told.whole();
    let meters = whole.meters.keys().map(String::as_str).collect();
    let mut conn = call.state.connect().await?;
    Ok(Names {
        proxies: proxy_names(&mut conn, scope.id(), &proxies).await?,
        credentials: credential_names(&mut conn, scope.id(), &credentials).await?,
        meters: meter_names(&mut conn, scope.id(), &meters).await?,
    })
}

fn ids(shares: &[TelemetryShare]) -> BTreeSet<&str> {
    shares.iter().map(|share| share.id.as_str()).collect()
}
