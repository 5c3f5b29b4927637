//! `/clients/{clientId}/requests` and `/clients/{clientId}/proxies/{proxyId}/requests`

mod explain;
mod export;
mod record;
mod selection;
mod tail;

use std::collections::BTreeSet;

use axum::extract::RawQuery;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::RecordsQuery;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::record::RequestRecord;
use self::selection::{FilterParams, PageParams, Selection};
use crate::domain::gateway::region::RegionName;
use crate::domain::id::ProxyId;
use crate::domain::moment::Moment;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, Code, id};
use crate::http::call::{InPath, Read};
use crate::http::lines::Wanted;
use crate::identity::caller::Scope;
use crate::service::operations::requests::{Found, search};
use crate::state::AppState;
use crate::store::gateway::proxy::proxy_fetch;
use crate::store::gateway::proxy_names::{proxy_names, proxy_regions};

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_requests_of_proxy))
        .routes(routes!(list_requests))
        .routes(routes!(get_request_of_proxy))
        .routes(routes!(get_request))
        .merge(explain::router())
        .merge(tail::router())
}

/// A page of records.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RequestRecords {
    data: Vec<RequestRecord>,
    pagination: RequestPagination,
    completeness: Completeness,
    /// Regions that could not be asked; what they have is not in the page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unavailable_regions: Vec<String>,
}

/// Where the next page begins.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RequestPagination {
    limit: u32,
    /// Null: there is nothing more.
    next_cursor: Option<String>,
}

/// How much of what passed the records tell.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Completeness {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    /// Records of the selection, when its first page was made.
    pub(super) recorded: u64,
    /// Calls of the whole region in that time whose record is missing; one that lasts for more than
    /// a minute counts as missing until it ends.
    pub(super) lost: u64,
    /// Calls that were not recorded on purpose.
    pub(super) sampled_out: u64,
}

/// The calls of a proxy. `Accept: application/x-ndjson` asks for all of them, a record a line.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/requests",
    tag = "requests",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        PageParams,
        FilterParams,
    ),
    responses(
        (status = 200, content(
            (RequestRecords = "application/json"),
            (String = "application/x-ndjson"),
        )),
        (status = 304, description = "As known"),
    )
)]
async fn list_requests_of_proxy(
    call: Read,
    InPath((client, proxy)): InPath<(String, String)>,
    RawQuery(raw): RawQuery,
    wanted: Wanted,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let (proxy, region) = proxy_of(&call, &scope, &proxy).await?;
    let owner = (scope.id().to_string(), Some(proxy.to_string()));
    let selection = Selection::read(raw.as_deref(), owner)?;
    if wanted == Wanted::Lines {
        return export::export(&call, &scope, only(&region), selection).await;
    }
    let found = find(&call.state, only(&region), &selection.query).await?;
    refuse_away(&found.unavailable)?;
    page(&call, &scope, &selection, found).await
}

/// The calls of all proxies, of those that are gone too. `Accept: application/x-ndjson` asks for all
/// of them, a record a line.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/requests",
    tag = "requests",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        PageParams,
        FilterParams,
        ("region" = Option<String>, Query, description = "Only calls in this region"),
    ),
    responses(
        (status = 200, content(
            (RequestRecords = "application/json"),
            (String = "application/x-ndjson"),
        )),
        (status = 304, description = "As known"),
    )
)]
async fn list_requests(
    call: Read,
    InPath(client): InPath<String>,
    RawQuery(raw): RawQuery,
    wanted: Wanted,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let selection = Selection::read(raw.as_deref(), (scope.id().to_string(), None))?;
    let regions = match &selection.region {
        Some(region) => only(region),
        None => regions(&call, &scope).await?,
    };
    if wanted == Wanted::Lines {
        return export::export(&call, &scope, regions, selection).await;
    }
    let found = find(&call.state, regions, &selection.query).await?;
    if selection.region.is_some() {
        refuse_away(&found.unavailable)?;
    }
    page(&call, &scope, &selection, found).await
}

/// One call of a proxy.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/requests/{requestId}",
    tag = "requests",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        ("requestId" = Uuid, Path, description = "`requestrocket-request-id` of the answer"),
    ),
    responses((status = 200, body = RequestRecord), (status = 304, description = "As known"))
)]
async fn get_request_of_proxy(
    call: Read,
    InPath((client, proxy, request)): InPath<(String, String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let (proxy, region) = proxy_of(&call, &scope, &proxy).await?;
    one(&call, &scope, (only(&region), Some(proxy)), &request).await
}

/// One call.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/requests/{requestId}",
    tag = "requests",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("requestId" = Uuid, Path, description = "`requestrocket-request-id` of the answer"),
    ),
    responses((status = 200, body = RequestRecord), (status = 304, description = "As known"))
)]
async fn get_request(call: Read, InPath((client, request)): InPath<(String, String)>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let regions = regions(&call, &scope).await?;
    one(&call, &scope, (regions, None), &request).await
}

/// The proxy, and where it is.
pub(in crate::http::routes) async fn proxy_of(
    call: &Read,
    scope: &Scope,
    proxy: &str,
) -> ApiResult<(ProxyId, RegionName)> {
    let mut conn = call.state.connect().await?;
    let found = proxy_fetch(&mut conn, scope.id(), id(proxy)?).await?;
    let proxy = found.ok_or_else(ApiError::not_found)?.proxy;
    Ok((proxy.id, proxy.region))
}

/// Has the regions searched, in one of the organisation's places.
pub(in crate::http::routes) async fn find(
    state: &AppState,
    regions: BTreeSet<String>,
    query: &RecordsQuery,
) -> ApiResult<Found> {
    let (fleets, asked) = (state.fleets.clone(), query.clone());
    let work = async move { search(&fleets, &regions, &asked).await };
    let organisation = &query.organisation_id;
    state
        .searches
        .wait_for(organisation, work, &state.tasks)
        .await?
}

/// Only this one.
pub(in crate::http::routes) fn only(region: &RegionName) -> BTreeSet<String> {
    BTreeSet::from([region.as_str().to_owned()])
}

/// Where the organisation's calls may have been recorded: where it has proxies, and where it may have
/// had some.
pub(super) async fn regions(call: &Read, scope: &Scope) -> ApiResult<BTreeSet<String>> {
    let mut conn = call.state.connect().await?;
    let mut regions = proxy_regions(&mut conn, scope.id()).await?;
    regions.extend(call.state.fleets.connected());
    Ok(regions)
}

/// What only a region can answer cannot be had while it is away.
pub(in crate::http::routes) fn refuse_away(unavailable: &[String]) -> ApiResult<()> {
    if unavailable.is_empty() {
        return Ok(());
    }
    let text = "the region cannot be asked now";
    Err(ApiError::new(Code::RegionAway, text))
}

async fn page(call: &Read, scope: &Scope, selection: &Selection, found: Found) -> ApiResult {
    let Found {
        records,
        next,
        recorded,
        lost,
        unavailable,
    } = found;
    let proxies = records.iter().map(|record| record.proxy_id.as_str());
    let mut conn = call.state.connect().await?;
    let names = proxy_names(&mut conn, scope.id(), &proxies.collect()).await?;
    drop(conn);
    let records = records.into_iter();
    let moment = |unix_ms: Option<u64>| unix_ms.and_then(Moment::of_unix_ms);
    let query = &selection.query;
    let recorded = selection.recorded.unwrap_or(recorded);
    call.answer_content(&RequestRecords {
        data: records
            .map(|record| RequestRecord::new(record, &names))
            .collect(),
        pagination: RequestPagination {
            limit: query.limit,
            next_cursor: next.and_then(|position| selection.cursor(&position, recorded)),
        },
        completeness: Completeness {
            from: moment(query.from_ms).map(|moment| moment.to_string()),
            to: moment(query.to_ms).map(|moment| moment.to_string()),
            recorded,
            lost,
            sampled_out: 0,
        },
        unavailable_regions: unavailable,
    })
}

async fn one(
    call: &Read,
    scope: &Scope,
    regions: (BTreeSet<String>, Option<ProxyId>),
    request: &str,
) -> ApiResult {
    let record = the_one(call, scope, regions, request).await?;
    let mut conn = call.state.connect().await?;
    let proxies = BTreeSet::from([record.proxy_id.as_str()]);
    let names = proxy_names(&mut conn, scope.id(), &proxies).await?;
    drop(conn);
    call.answer_content(&RequestRecord::new(record, &names))
}

/// The record of one call.
async fn the_one(
    call: &Read,
    scope: &Scope,
    (regions, proxy): (BTreeSet<String>, Option<ProxyId>),
    request: &str,
) -> ApiResult<Record> {
    let request: Uuid = id(request)?;
    let owner = (scope.id().to_string(), proxy.map(|proxy| proxy.to_string()));
    let mut query = Selection::read(None, owner)?.query;
    query.request_id = request.to_string();
    query.is_uncounted = true;
    let found = find(&call.state, regions, &query).await?;
    let Some(record) = found.records.into_iter().next() else {
        // It may be there.
        refuse_away(&found.unavailable)?;
        return Err(ApiError::not_found());
    };
    Ok(record)
}
