//! `/clients/{clientId}/proxies`

mod body;
mod cors;
mod input;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use body::ProxyInput;
use cors::CorsResource;
use input::{read_change, read_new};

use crate::domain::account::audit::{Log, Subject};
use crate::domain::gateway::alias::Alias;
use crate::domain::gateway::proxy::{PlacedProxy, ProxyForm};
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::labels;
use crate::http::list::{self, Filters, LabelParams, ListParams, Listed, RawQuery};
use crate::http::routes::gateway::status;
use crate::http::routes::shape::{ProxyState, RuleEffect, document};
use crate::region::fleet::Fleets;
use crate::service::gateway::proxies;
use crate::state::AppState;
use crate::store::gateway::proxy::{proxy_fetch, proxy_list};

const FILTERS: Filters = Filters {
    region: true,
    active: true,
    labels: true,
    priority: false,
    types: &[],
    temporary: false,
    unread: false,
};

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_proxies, create_proxy))
        .routes(routes!(
            get_proxy,
            replace_proxy,
            change_proxy,
            delete_proxy
        ))
}

/// A proxy: callers' credentials, a target, and what the target is given.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProxyResource {
    proxy_id: Uuid,
    client_id: Uuid,
    proxy_name: String,
    proxy_region: String,
    /// The first match counts; empty when all were deleted.
    proxy_proxy_credential_ids: Vec<Uuid>,
    /// The first of them.
    proxy_proxy_credential_id: Option<Uuid>,
    proxy_target_id: Uuid,
    proxy_target_credential_id: Uuid,
    proxy_active: bool,
    #[schema(value_type = RuleEffect)]
    proxy_default_rule_effect: &'static str,
    proxy_timeout_seconds: u64,
    proxy_max_requests_per_minute: Option<u64>,
    proxy_max_requests_per_day: Option<u64>,
    proxy_max_response_bytes: u64,
    proxy_max_inspected_bytes: u64,
    proxy_alias: Option<String>,
    proxy_cors: Option<CorsResource>,
    /// Where to call it; null before the region first connected.
    #[serde(rename = "proxyBaseURL")]
    proxy_base_url: Option<String>,
    #[serde(rename = "proxyAsyncBaseURL")]
    proxy_async_base_url: Option<String>,
    /// Live: the entity tag does not cover it.
    #[schema(value_type = ProxyState)]
    proxy_status: &'static str,
    labels: BTreeMap<String, String>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

impl ProxyResource {
    fn new(placed: &PlacedProxy, fleets: &Fleets) -> Self {
        let proxy = &placed.proxy;
        let form: &ProxyForm = &proxy.form;
        let url = |entry: &str| {
            let base = placed.region_base_url.as_deref()?;
            Some(format!(
                "{}/{entry}/{}",
                base.trim_end_matches('/'),
                proxy.id
            ))
        };
        let credentials: Vec<_> = form.proxy_credentials.iter().map(|id| id.uuid()).collect();
        Self {
            proxy_id: proxy.id.uuid(),
            client_id: proxy.organisation.uuid(),
            proxy_name: form.name.to_string(),
            proxy_region: proxy.region.to_string(),
            proxy_proxy_credential_id: credentials.first().copied(),
            proxy_proxy_credential_ids: credentials,
            proxy_target_id: form.target.uuid(),
            proxy_target_credential_id: form.target_credential.uuid(),
            proxy_active: form.is_active,
            proxy_default_rule_effect: form.default_rule_effect.as_str(),
            proxy_timeout_seconds: form.timeout_seconds,
            proxy_max_requests_per_minute: form.max_requests_per_minute.map(Into::into),
            proxy_max_requests_per_day: form.max_requests_per_day.map(Into::into),
            proxy_max_response_bytes: form.max_response_bytes,
            proxy_max_inspected_bytes: form.max_inspected_bytes,
            proxy_alias: form.alias.as_ref().map(Alias::to_string),
            proxy_cors: form.cors.as_ref().map(CorsResource::from),
            proxy_base_url: url("api"),
            proxy_async_base_url: url("async"),
            proxy_status: status::word(placed, fleets),
            labels: labels::shown(&proxy.labels),
            created_by: proxy.created_by.clone(),
            created_at: proxy.created_at.to_string(),
            updated_at: proxy.updated_at.to_string(),
        }
    }
}

impl Subject for PlacedProxy {
    const KIND: &'static str = "proxy";

    fn log(&self) -> Log {
        Log::Organisation(self.proxy.organisation)
    }

    fn named(&self) -> (String, String) {
        (self.proxy.id.to_string(), self.proxy.form.name.to_string())
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = document(&ProxyResource::new(self, &Fleets::default()));
        // They follow from its region, and from what Envoys have.
        for derived in ["proxyStatus", "proxyBaseURL", "proxyAsyncBaseURL"] {
            members.remove(derived);
        }
        members
    }
}

/// The organisation's proxies.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies",
    tag = "proxies",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ListParams,
        LabelParams,
        ("region" = Option<String>, Query, description = "Only of this region"),
        ("active" = Option<bool>, Query, description = "Only active or inactive ones"),
    ),
    responses((status = 200, body = Listed<ProxyResource>))
)]
async fn list_proxies(call: Read, InPath(client): InPath<String>, query: RawQuery) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let query = query.list(FILTERS)?;
    let page = proxy_list(&mut *call.state.connect().await?, scope.id(), &query).await?;
    let fleets = &call.state.fleets;
    Ok(list::answer(&query, page, |proxy| {
        ProxyResource::new(&proxy, fleets)
    }))
}

/// Adds a proxy.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/proxies",
    tag = "proxies",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body = ProxyInput,
    responses((status = 201, body = ProxyResource))
)]
async fn create_proxy(call: Mutation, InPath(client): InPath<String>, body: Body) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let (region, new) = read_new(body, &scope.organisation.limits)?;
    let (placed, done) = proxies::create(&call.change, &scope, region, new).await?;
    let resource = ProxyResource::new(&placed, &call.change.state.fleets);
    let id = placed.proxy.id.to_string();
    Ok(call.created(&done, &id, &resource).await)
}

/// One proxy.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}",
    tag = "proxies",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    responses((status = 200, body = ProxyResource), (status = 304, description = "As known"))
)]
async fn get_proxy(call: Read, InPath((client, proxy)): InPath<(String, String)>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let found = proxy_fetch(&mut *call.state.connect().await?, scope.id(), id(&proxy)?).await?;
    let placed = found.ok_or_else(ApiError::not_found)?;
    let resource = ProxyResource::new(&placed, &call.state.fleets);
    Ok(call.answer(&resource, &Tag::of_revision(placed.proxy.revision)))
}

/// Replaces a proxy.
#[utoipa::path(
    put,
    path = "/clients/{clientId}/proxies/{proxyId}",
    tag = "proxies",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    request_body = ProxyInput,
    responses((status = 200, body = ProxyResource))
)]
async fn replace_proxy(
    call: Mutation,
    InPath((client, proxy)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    update(call, &client, &proxy, body).await
}

/// Changes members of a proxy (JSON merge patch).
#[utoipa::path(
    patch,
    path = "/clients/{clientId}/proxies/{proxyId}",
    tag = "proxies",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    request_body(content = ProxyInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = ProxyResource))
)]
async fn change_proxy(
    call: Mutation,
    InPath((client, proxy)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    update(call, &client, &proxy, body).await
}

async fn update(call: Mutation, client: &str, proxy: &str, body: Body) -> ApiResult {
    let scope = call.enter(client, Permission::WriteResources).await?;
    let fleets = &call.change.state.fleets;
    let read = |current: &PlacedProxy| {
        let shown = ProxyResource::new(current, fleets);
        read_change(body, &current.proxy, &shown, &scope.organisation.limits)
    };
    let (proxy, done) = proxies::update(&call.change, &scope, proxy, read).await?;
    Ok(call
        .updated(&done, &ProxyResource::new(&proxy, fleets))
        .await)
}

/// Deletes a proxy; its credentials and its target stay.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}/proxies/{proxyId}",
    tag = "proxies",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    responses((status = 204))
)]
async fn delete_proxy(
    call: Mutation,
    InPath((client, proxy)): InPath<(String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let done = proxies::delete(&call.change, &scope, &proxy).await?;
    Ok(call.deleted(&done).await)
}
