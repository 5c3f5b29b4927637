//! `/clients/{clientId}/{credentials|targets|proxies}/{id}/filters`

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::attachments::{self, AttachedToResource, Resource, attached_to};
use super::conditions::{conditions, json_path, notes, to_main_form};
use super::declare::attachment_routes;
use crate::domain::guard::attachment::Attachment;
use crate::domain::guard::condition::{
    Conditions, NamedCondition, NodeCondition, Path, PathCondition,
};
use crate::domain::guard::redaction::{MAX_REDACTION_PATHS, Operation, RedactionForm};
use crate::domain::label::{Labelled, Labels};
use crate::error::ApiResult;
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::labels;
use crate::http::list::{Filters, LabelParams, ListParams, Listed, RawQuery};
use crate::http::routes::shape::FilterOperation;
use crate::state::AppState;
use requestrocket_policy::form::fields::{Fields, boolean, parsed};
use requestrocket_policy::form::problem::{Fault, Problems};

/// A filter: what is taken out of JSON responses.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilterResource {
    filter_id: Uuid,
    client_id: Uuid,
    attached_to: AttachedToResource,
    #[schema(value_type = FilterOperation)]
    operation: &'static str,
    #[schema(value_type = Vec<String>)]
    paths: Vec<Path>,
    filter_active: bool,
    methods: Vec<String>,
    path: Option<PathCondition>,
    headers: Vec<NamedCondition>,
    query: Vec<NamedCondition>,
    claims: Vec<NodeCondition>,
    notes: Option<String>,
    labels: BTreeMap<String, String>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

/// What to send for a filter. Conditions limit it to some calls; they have the same aliases as
/// those of rules.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct FilterInput {
    #[schema(value_type = FilterOperation)]
    operation: Operation,
    /// 1 to 100 JSONPaths (RFC 9535) of at most 1024 bytes each.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 100, example = json!(["$..ssn"]))]
    paths: Vec<Path>,
    /// Default true.
    filter_active: Option<bool>,
    /// Out of GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD; `GET` also means HEAD.
    #[schema(value_type = Option<Vec<String>>, example = json!(["GET"]))]
    methods: Vec<String>,
    path: Option<PathCondition>,
    #[schema(value_type = Option<Vec<NamedCondition>>, max_items = 50)]
    headers: Vec<NamedCondition>,
    /// Decoded names and values.
    #[schema(value_type = Option<Vec<NamedCondition>>, max_items = 50)]
    query: Vec<NamedCondition>,
    /// Of the verified token.
    #[schema(value_type = Option<Vec<NodeCondition>>, max_items = 50)]
    claims: Vec<NodeCondition>,
    #[schema(max_length = 2000)]
    notes: Option<String>,
    /// Up to 32 pairs to find it by; no region hears of them.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Labels,
}

impl FilterInput {
    pub(super) fn read(mut fields: Fields<'_>, labels: Option<Labels>) -> Option<Self> {
        let operation = fields.required("operation", parsed);
        let paths = paths(&mut fields);
        let filter_active = fields.optional("filterActive", boolean);
        let Conditions {
            methods,
            path,
            headers,
            query,
            body: _,
            claims,
        } = conditions(&mut fields, false);
        let notes = fields.optional("notes", notes);
        fields.finish();
        Some(Self {
            operation: operation?,
            paths: paths?,
            filter_active,
            methods,
            path,
            headers,
            query,
            claims,
            notes,
            labels: labels?,
        })
    }
}

impl From<FilterInput> for Labelled<RedactionForm> {
    fn from(input: FilterInput) -> Self {
        let FilterInput {
            operation,
            paths,
            filter_active,
            methods,
            path,
            headers,
            query,
            claims,
            notes,
            labels,
        } = input;
        let form = RedactionForm {
            operation,
            paths,
            is_active: filter_active.unwrap_or(true),
            conditions: Conditions {
                methods,
                path,
                headers,
                query,
                body: Vec::new(),
                claims,
            },
            notes,
        };
        Self { form, labels }
    }
}

impl From<&Attachment<RedactionForm>> for FilterResource {
    fn from(filter: &Attachment<RedactionForm>) -> Self {
        let RedactionForm {
            operation,
            paths,
            is_active,
            conditions,
            notes,
        } = &filter.form;
        let Conditions {
            methods,
            path,
            headers,
            query,
            body: _,
            claims,
        } = conditions.clone();
        Self {
            filter_id: filter.id.uuid(),
            client_id: filter.organisation.uuid(),
            attached_to: filter.attached_to.into(),
            operation: operation.as_str(),
            paths: paths.clone(),
            filter_active: *is_active,
            methods,
            path,
            headers,
            query,
            claims,
            notes: notes.clone(),
            labels: labels::shown(&filter.labels),
            created_by: filter.created_by.clone(),
            created_at: filter.created_at.to_string(),
            updated_at: filter.updated_at.to_string(),
        }
    }
}

impl Resource for RedactionForm {
    type View = FilterResource;
    const KIND: &'static str = "filter";
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
        "filterId",
        "clientId",
        "attachedTo",
        "createdBy",
        "createdAt",
        "updatedAt",
    ];

    fn to_main_form(object: &mut Map<String, Value>, problems: &mut Problems) {
        to_main_form(object, "", problems);
    }

    fn form(fields: Fields<'_>, labels: Option<Labels>) -> Option<Labelled<Self>> {
        FilterInput::read(fields, labels).map(Labelled::from)
    }
}

fn paths(fields: &mut Fields<'_>) -> Option<Vec<Path>> {
    if !fields.has("paths") {
        fields.take("paths");
        fields.problem(Fault::ValidationFailed, "paths", "is required");
        return None;
    }
    let paths = fields.list("paths", MAX_REDACTION_PATHS, json_path)?;
    if paths.is_empty() {
        fields.problem(Fault::ValidationFailed, "paths", "must name at least one");
        return None;
    }
    Some(paths)
}

attachment_routes! {
    RedactionForm, FilterInput, FilterResource;
    tag "filters";
    paths "/clients/{clientId}/{attachedTo}/{attachedId}/filters",
        "/clients/{clientId}/{attachedTo}/{attachedId}/filters/{filterId}";
    of (kind: String, record: String) => attached_to(&kind, &record)?;
    params (
        ("attachedTo" = String, Path, description = "`credentials`, `targets` or `proxies`"),
        ("attachedId" = Uuid, Path, description = "The record")
    ),
        ("filterId" = Uuid, Path, description = "The filter");
    list list_filters "The filters of the record.";
    create create_filter "Adds a filter to the record.";
    get get_filter "One filter of the record.";
    replace replace_filter "Replaces a filter of the record.";
    change change_filter "Changes members of a filter of the record (JSON merge patch).";
    delete delete_filter "Deletes a filter of the record.";
}
