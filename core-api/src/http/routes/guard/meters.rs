//! `/clients/{clientId}/proxies/{proxyId}/meters`

mod input;
pub mod usage;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use input::{MeterExtraction, MeterInput};

use super::attachments::{self, AttachedToResource};
use super::declare::attachment_routes;
use crate::domain::guard::attachment::{AttachedTo, Attachment};
use crate::domain::guard::condition::Conditions;
use crate::domain::guard::meter::{Extraction, MeterForm, MeterLimits};
use crate::error::{ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::labels;
use crate::http::list::{LabelParams, ListParams, Listed, RawQuery};
use crate::http::routes::shape::MeterType;
use crate::state::AppState;

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
            meter_type: counted.kind().as_str(),
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

attachment_routes! {
    MeterForm, MeterInput, MeterResource;
    tag "meters";
    paths "/clients/{clientId}/proxies/{proxyId}/meters",
        "/clients/{clientId}/proxies/{proxyId}/meters/{meterId}";
    of (proxy: String) => AttachedTo::Proxy(id(&proxy)?);
    params (("proxyId" = Uuid, Path, description = "The proxy")),
        ("meterId" = Uuid, Path, description = "The meter");
    list list_meters "The meters of the proxy.";
    create create_meter "Adds a meter to the proxy.";
    get get_meter "One meter of the proxy.";
    replace replace_meter "Replaces a meter of the proxy.";
    change change_meter "Changes members of a meter of the proxy (JSON merge patch).";
    delete delete_meter "Deletes a meter of the proxy.";
}
