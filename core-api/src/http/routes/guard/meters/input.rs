//! Reads what is sent for a meter.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::MeterResource;
use crate::domain::gateway::proxy::LARGEST_LIMIT;
use crate::domain::guard::meter::{Counted, Extraction, MeterForm, MeterLimits, is_header_name};
use crate::http::list::Filters;
use crate::http::routes::guard::attachments::Resource;
use crate::http::routes::guard::conditions::{
    ConditionsShape, conditions, json_path, to_main_form,
};
use requestrocket_policy::form::fields::{Fields, boolean, integer, parsed, string};
use requestrocket_policy::form::problem::{Fault, Invalid, Problems};

/// What a meter counts.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "documents the words of domain::meter")]
pub(super) enum MeterType {
    /// Every admitted request is 1.
    RequestCount,
    /// What the response says.
    ResponseValue,
}

/// Where a response says its value.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `extraction` reads")]
pub(super) struct MeterExtraction {
    /// `body` or `header`.
    #[schema(example = "body")]
    location: String,
    /// In the body: a JSONPath (RFC 9535); several nodes are summed.
    #[schema(example = "$.usage.total_tokens", max_length = 1024)]
    path: Option<String>,
    /// Of the header.
    #[schema(max_length = 256)]
    name: Option<String>,
}

/// What to send for a meter.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `form` reads")]
pub(super) struct MeterInput {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    meter_name: String,
    meter_type: MeterType,
    /// Default true.
    meter_active: Option<bool>,
    /// Of `response_value`, and only there.
    extraction: Option<MeterExtraction>,
    /// Which requests count; default all.
    conditions: Option<ConditionsShape>,
    limits: Option<MeterLimitsInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    labels: Option<BTreeMap<String, String>>,
}

/// Ceilings of the calendar windows (UTC), at least 1. Without any the meter only observes.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `limits` reads")]
pub(super) struct MeterLimitsInput {
    #[schema(minimum = 1)]
    minute: Option<u64>,
    #[schema(minimum = 1)]
    hour: Option<u64>,
    #[schema(minimum = 1)]
    day: Option<u64>,
    #[schema(minimum = 1)]
    month: Option<u64>,
}

impl Resource for MeterForm {
    type View = MeterResource;
    const FILTERS: Filters = Filters {
        region: false,
        active: true,
        labels: true,
        priority: false,
        types: &[],
        temporary: false,
    };
    const FIXED: [&'static str; 6] = [
        "meterId",
        "clientId",
        "attachedTo",
        "createdBy",
        "createdAt",
        "updatedAt",
    ];

    fn to_main_form(object: &mut Map<String, Value>, problems: &mut Problems) {
        if let Some(Value::Object(conditions)) = object.get_mut("conditions") {
            to_main_form(conditions, "conditions.", problems);
        }
    }

    fn form(mut fields: Fields<'_>) -> Option<Self> {
        let name = fields.required("meterName", parsed);
        let counted = counted(&mut fields);
        let is_active = fields.optional("meterActive", boolean);
        let conditions = fields.object("conditions", |mut fields| {
            let conditions = conditions(&mut fields, true);
            fields.finish();
            conditions
        });
        let limits = fields.object("limits", limits);
        fields.finish();
        Some(Self {
            name: name?,
            counted: counted?,
            is_active: is_active.unwrap_or(true),
            conditions: conditions.unwrap_or_default(),
            limits: limits.unwrap_or_default(),
        })
    }
}

/// The type, and the extraction that goes with it.
fn counted(fields: &mut Fields<'_>) -> Option<Counted> {
    let is_value = fields.required("meterType", |value| match string(value)?.as_str() {
        "request_count" => Ok(false),
        "response_value" => Ok(true),
        _ => Err(Invalid::value(
            "must be one of `request_count`, `response_value`",
        )),
    });
    let has_extraction = fields.has("extraction");
    let extraction = fields.object("extraction", extraction).flatten();
    let mut refuse = |text: &str| {
        fields.problem(Fault::ValidationFailed, "extraction", text);
        None
    };
    match (is_value?, has_extraction) {
        (false, false) => Some(Counted::Requests),
        (false, true) => refuse("is of `response_value` only"),
        (true, false) => refuse("is required for `response_value`"),
        (true, true) => extraction.map(Counted::Value),
    }
}

fn extraction(mut fields: Fields<'_>) -> Option<Extraction> {
    let is_body = fields.required("location", |value| match string(value)?.as_str() {
        "body" => Ok(true),
        "header" => Ok(false),
        _ => Err(Invalid::value("must be one of `body`, `header`")),
    });
    let extraction = match is_body {
        None => {
            // Which of them belongs here is not known.
            fields.take("path");
            fields.take("name");
            None
        }
        Some(true) => {
            absent(&mut fields, "name", "is of location `header` only");
            let path = fields.required("path", json_path);
            path.map(|path| Extraction::Body { path })
        }
        Some(false) => {
            absent(&mut fields, "path", "is of location `body` only");
            let name = fields.required("name", header_name);
            name.map(|name| Extraction::Header { name })
        }
    };
    fields.finish();
    extraction
}

fn absent(fields: &mut Fields<'_>, name: &str, problem: &str) {
    if fields.take(name).is_some() {
        fields.problem(Fault::ValidationFailed, name, problem);
    }
}

fn header_name(value: &Value) -> Result<String, Invalid> {
    let name = string(value)?;
    if is_header_name(&name) {
        Ok(name)
    } else {
        Err(Invalid::value("must be the name of a header"))
    }
}

fn limits(mut fields: Fields<'_>) -> MeterLimits {
    let limits = MeterLimits {
        minute: limit(&mut fields, "minute"),
        hour: limit(&mut fields, "hour"),
        day: limit(&mut fields, "day"),
        month: limit(&mut fields, "month"),
    };
    fields.finish();
    limits
}

fn limit(fields: &mut Fields<'_>, name: &str) -> Option<NonZeroU64> {
    fields
        .optional(name, integer(1, LARGEST_LIMIT))
        .and_then(NonZeroU64::new)
}
