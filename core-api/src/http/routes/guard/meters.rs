//! `/clients/{clientId}/proxies/{proxyId}/meters`

mod input;
mod usage;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use input::{MeterExtraction, MeterInput, MeterType};

use super::attachments::{self, AttachedToResource};
use super::conditions::ConditionsShape;
use crate::domain::guard::attachment::{AttachedTo, Attachment};
use crate::domain::guard::condition::Conditions;
use crate::domain::guard::meter::{Extraction, MeterForm, MeterLimits};
use crate::error::{ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::labels;
use crate::http::list::{LabelParams, ListParams, Listed, RawQuery};
use crate::state::AppState;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_meters, create_meter))
        .routes(routes!(
            get_meter,
            replace_meter,
            change_meter,
            delete_meter
        ))
        .merge(usage::router())
}

/// A meter: what is counted of a proxy's calls.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeterResource {
    meter_id: Uuid,
    client_id: Uuid,
    attached_to: AttachedToResource,
    meter_name: String,
    #[schema(value_type = MeterType)]
    meter_type: &'static str,
    meter_active: bool,
    #[schema(value_type = Option<MeterExtraction>)]
    extraction: Option<Extraction>,
    #[schema(value_type = ConditionsShape)]
    conditions: Conditions,
    limits: MeterLimitsResource,
    labels: BTreeMap<String, String>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

/// Ceilings of the calendar windows (UTC); null is none.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeterLimitsResource {
    minute: Option<u64>,
    hour: Option<u64>,
    day: Option<u64>,
    month: Option<u64>,
}

impl From<&Attachment<MeterForm>> for MeterResource {
    fn from(meter: &Attachment<MeterForm>) -> Self {
        let MeterForm {
            name,
            counted,
            is_active,
            conditions,
            limits,
        } = &meter.form;
        Self {
            meter_id: meter.id.uuid(),
            client_id: meter.organisation.uuid(),
            attached_to: meter.attached_to.into(),
            meter_name: name.to_string(),
            meter_type: counted.kind(),
            meter_active: *is_active,
            extraction: counted.extraction().cloned(),
            conditions: conditions.clone(),
            limits: (*limits).into(),
            labels: labels::shown(&meter.labels),
            created_by: meter.created_by.clone(),
            created_at: meter.created_at.to_string(),
            updated_at: meter.updated_at.to_string(),
        }
    }
}

impl From<MeterLimits> for MeterLimitsResource {
    fn from(limits: MeterLimits) -> Self {
        let MeterLimits {
            minute,
            hour,
            day,
            month,
        } = limits;
        Self {
            minute: minute.map(Into::into),
            hour: hour.map(Into::into),
            day: day.map(Into::into),
            month: month.map(Into::into),
        }
    }
}

/// The meters of the proxy.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/meters",
    tag = "meters",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        ListParams,
        LabelParams,
        ("active" = Option<bool>, Query, description = "Only active or inactive ones"),
    ),
    responses((status = 200, body = Listed<MeterResource>))
)]
async fn list_meters(
    call: Read,
    InPath((client, proxy)): InPath<(String, String)>,
    query: RawQuery,
) -> ApiResult {
    let attached_to = AttachedTo::Proxy(id(&proxy)?);
    attachments::list::<MeterForm>(call, &client, attached_to, query).await
}

/// Adds a meter to the proxy.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/proxies/{proxyId}/meters",
    tag = "meters",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    request_body = MeterInput,
    responses((status = 201, body = MeterResource))
)]
async fn create_meter(
    call: Mutation,
    InPath((client, proxy)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    let attached_to = AttachedTo::Proxy(id(&proxy)?);
    attachments::create::<MeterForm>(call, &client, attached_to, body).await
}

/// One meter of the proxy.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/meters/{meterId}",
    tag = "meters",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        ("meterId" = Uuid, Path, description = "The meter"),
    ),
    responses((status = 200, body = MeterResource), (status = 304, description = "As known"))
)]
async fn get_meter(
    call: Read,
    InPath((client, proxy, meter)): InPath<(String, String, String)>,
) -> ApiResult {
    let attached_to = AttachedTo::Proxy(id(&proxy)?);
    attachments::get::<MeterForm>(call, &client, attached_to, &meter).await
}

/// Replaces a meter of the proxy.
#[utoipa::path(
    put,
    path = "/clients/{clientId}/proxies/{proxyId}/meters/{meterId}",
    tag = "meters",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        ("meterId" = Uuid, Path, description = "The meter"),
    ),
    request_body = MeterInput,
    responses((status = 200, body = MeterResource))
)]
async fn replace_meter(
    call: Mutation,
    InPath((client, proxy, meter)): InPath<(String, String, String)>,
    body: Body,
) -> ApiResult {
    let attached_to = AttachedTo::Proxy(id(&proxy)?);
    attachments::update::<MeterForm>(call, &client, (attached_to, &meter), body).await
}

/// Changes members of a meter of the proxy (JSON merge patch).
#[utoipa::path(
    patch,
    path = "/clients/{clientId}/proxies/{proxyId}/meters/{meterId}",
    tag = "meters",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        ("meterId" = Uuid, Path, description = "The meter"),
    ),
    request_body(content = MeterInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = MeterResource))
)]
async fn change_meter(
    call: Mutation,
    InPath((client, proxy, meter)): InPath<(String, String, String)>,
    body: Body,
) -> ApiResult {
    let attached_to = AttachedTo::Proxy(id(&proxy)?);
    attachments::update::<MeterForm>(call, &client, (attached_to, &meter), body).await
}

/// Deletes a meter of the proxy.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}/proxies/{proxyId}/meters/{meterId}",
    tag = "meters",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        ("meterId" = Uuid, Path, description = "The meter"),
    ),
    responses((status = 204))
)]
async fn delete_meter(
    call: Mutation,
    InPath((client, proxy, meter)): InPath<(String, String, String)>,
) -> ApiResult {
    let attached_to = AttachedTo::Proxy(id(&proxy)?);
    attachments::delete::<MeterForm>(call, &client, attached_to, &meter).await
}
