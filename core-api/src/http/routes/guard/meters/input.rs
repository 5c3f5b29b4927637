//! Reads what is sent for a meter.

use std::num::NonZeroU64;

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::MeterResource;
use crate::domain::gateway::proxy::LARGEST_LIMIT;
use crate::domain::guard::condition::{Conditions, Path};
use crate::domain::guard::meter::{
    Counted, Extraction, Location, MeterForm, MeterLimits, MeterType, is_header_name,
};
use crate::domain::label::{Labelled, Labels};
use crate::domain::name::Name;
use crate::http::list::Filters;
use crate::http::routes::guard::attachments::Resource;
use crate::http::routes::guard::conditions::{conditions, json_path, to_main_form};
use crate::http::routes::shape;
use requestrocket_policy::form::fields::{Fields, boolean, integer, parsed, string};
use requestrocket_policy::form::problem::{Fault, Invalid, Problems};

/// Where a response says its value.
#[derive(Debug, ToSchema)]
pub(super) struct MeterExtraction {
    /// `body` or `header`.
    #[schema(value_type = String, example = "body")]
    location: Location,
    /// In the body: a JSONPath (RFC 9535); several nodes are summed.
    #[schema(value_type = Option<String>, example = "$.usage.total_tokens", max_length = 1024)]
    path: Option<Path>,
    /// Of the header.
    #[schema(max_length = 256)]
    name: Option<String>,
}

/// What to send for a meter.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct MeterInput {
    /// 1 to 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    meter_name: Name,
    #[schema(value_type = shape::MeterType)]
    meter_type: MeterType,
    /// Default true.
    meter_active: Option<bool>,
    /// Of `response_value`, and only there.
    extraction: Option<MeterExtraction>,
    /// Which requests count; default all.
    conditions: Option<Conditions>,
    limits: Option<MeterLimitsInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Labels,
}

/// Ceilings of the calendar windows (UTC), at least 1. Without any the meter only observes.
#[derive(Debug, ToSchema)]
pub(super) struct MeterLimitsInput {
    #[schema(value_type = Option<u64>, minimum = 1)]
    minute: Option<NonZeroU64>,
    #[schema(value_type = Option<u64>, minimum = 1)]
    hour: Option<NonZeroU64>,
    #[schema(value_type = Option<u64>, minimum = 1)]
    day: Option<NonZeroU64>,
    #[schema(value_type = Option<u64>, minimum = 1)]
    month: Option<NonZeroU64>,
}

impl MeterInput {
    fn read(mut fields: Fields<'_>, labels: Option<Labels>) -> Option<Self> {
        let meter_name = fields.required("meterName", parsed);
        let meter_type = fields.required("meterType", parsed);
        let extraction = extraction(&mut fields, meter_type);
        let meter_active = fields.optional("meterActive", boolean);
        let conditions = fields.object("conditions", |mut fields| {
            let conditions = conditions(&mut fields, true);
            fields.finish();
            conditions
        });
        let limits = fields.object("limits", MeterLimitsInput::read);
        fields.finish();
        Some(Self {
            meter_name: meter_name?,
            meter_type: meter_type?,
            meter_active,
            extraction,
            conditions,
            limits,
            labels: labels?,
        })
    }

    /// None: what it counts was refused.
    fn into_form(self) -> Option<Labelled<MeterForm>> {
        let counted = match self.meter_type {
            MeterType::RequestCount => Counted::Requests,
            MeterType::ResponseValue => Counted::Value(self.extraction?.into_domain()?),
        };
        let form = MeterForm {
            name: self.meter_name,
            counted,
            is_active: self.meter_active.unwrap_or(true),
            conditions: self.conditions.unwrap_or_default(),
            limits: self.limits.map(MeterLimits::from).unwrap_or_default(),
        };
        let labels = self.labels;
        Some(Labelled { form, labels })
    }
}

impl MeterExtraction {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let location = fields.required("location", parsed);
        let path = at(&mut fields, ("path", Location::Body), location, json_path);
        let name = at(
            &mut fields,
            ("name", Location::Header),
            location,
            header_name,
        );
        fields.finish();
        Some(Self {
            location: location?,
            path,
            name,
        })
    }

    /// None: what belongs to the location was refused.
    fn into_domain(self) -> Option<Extraction> {
        match self.location {
            Location::Body => self.path.map(|path| Extraction::Body { path }),
            Location::Header => self.name.map(|name| Extraction::Header { name }),
        }
    }
}

impl MeterLimitsInput {
    fn read(mut fields: Fields<'_>) -> Self {
        let limits = Self {
            minute: limit(&mut fields, "minute"),
            hour: limit(&mut fields, "hour"),
            day: limit(&mut fields, "day"),
            month: limit(&mut fields, "month"),
        };
        fields.finish();
        limits
    }
}

impl From<MeterLimitsInput> for MeterLimits {
    fn from(input: MeterLimitsInput) -> Self {
        let MeterLimitsInput {
            minute,
            hour,
            day,
            month,
        } = input;
        Self {
            minute,
            hour,
            day,
            month,
        }
    }
}

impl Resource for MeterForm {
    type View = MeterResource;
    const KIND: &'static str = "meter";
    const FILTERS: Filters = Filters {
        region: false,
        active: true,
        labels: true,
        priority: false,
        types: &[],
        temporary: false,
        unread: false,
    };
    const FIXED: [&'static str; 6] = [
        "meterId",
        "clientId",
        "attachedTo",
        "createdBy",
        "createdAt",
        "updatedAt",
    ];

    fn name(form: &Self) -> String {
        form.name.to_string()
    }

    fn to_main_form(object: &mut Map<String, Value>, problems: &mut Problems) {
        if let Some(Value::Object(conditions)) = object.get_mut("conditions") {
            to_main_form(conditions, "conditions.", problems);
        }
    }

    fn form(fields: Fields<'_>, labels: Option<Labels>) -> Option<Labelled<Self>> {
        MeterInput::read(fields, labels)?.into_form()
    }
}

/// What goes with the type, once that is known.
fn extraction(fields: &mut Fields<'_>, meter_type: Option<MeterType>) -> Option<MeterExtraction> {
    let has_extraction = fields.has("extraction");
    let extraction = fields.object("extraction", MeterExtraction::read);
    let text = match (meter_type?, has_extraction) {
        (MeterType::RequestCount, true) => "is of `response_value` only",
        (MeterType::ResponseValue, false) => "is required for `response_value`",
        _ => return extraction.flatten(),
    };
    fields.problem(Fault::ValidationFailed, "extraction", text);
    None
}

/// A member that belongs to one location. Of an unknown one nothing can be said.
fn at<T>(
    fields: &mut Fields<'_>,
    (name, of): (&str, Location),
    location: Option<Location>,
    read: impl FnOnce(&Value) -> Result<T, Invalid>,
) -> Option<T> {
    if location == Some(of) {
        return fields.required(name, read);
    }
    if fields.take(name).is_some() && location.is_some() {
        let text = format!("is of location `{}` only", of.as_str());
        fields.problem(Fault::ValidationFailed, name, text);
    }
    None
}

fn header_name(value: &Value) -> Result<String, Invalid> {
    let name = string(value)?;
    if is_header_name(&name) {
        Ok(name)
    } else {
        Err(Invalid::value("must be the name of a header"))
    }
}

fn limit(fields: &mut Fields<'_>, name: &str) -> Option<NonZeroU64> {
    fields
        .optional(name, integer(1, LARGEST_LIMIT))
        .and_then(NonZeroU64::new)
}
