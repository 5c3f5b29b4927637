//! `/clients/{clientId}/{credentials|targets|proxies}/{id}/rules`

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::attachments::{self, AttachedToResource, Resource, attached_to};
use super::conditions::{
    NamedCondition, NodeCondition, PathCondition, conditions, notes, to_main_form,
};
use super::declare::attachment_routes;
use crate::domain::guard::attachment::Attachment;
use crate::domain::guard::condition::{self, Conditions};
use crate::domain::guard::rule::{DEFAULT_PRIORITY, MAX_PRIORITY, RuleForm};
use crate::error::ApiResult;
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::labels;
use crate::http::list::{Filters, LabelParams, ListParams, Listed, RawQuery};
use crate::http::routes::shape::RuleEffect;
use crate::state::AppState;
use requestrocket_policy::form::fields::{Fields, boolean, integer, parsed};
use requestrocket_policy::form::problem::Problems;

/// A rule: what a layer allows or denies.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleResource {
    rule_id: Uuid,
    client_id: Uuid,
    attached_to: AttachedToResource,
    #[schema(value_type = RuleEffect)]
    effect: &'static str,
    priority: u64,
    rule_active: bool,
    methods: Vec<String>,
    #[schema(value_type = Option<PathCondition>)]
    path: Option<condition::PathCondition>,
    #[schema(value_type = Vec<NamedCondition>)]
    headers: Vec<condition::NamedCondition>,
    #[schema(value_type = Vec<NamedCondition>)]
    query: Vec<condition::NamedCondition>,
    #[schema(value_type = Vec<NodeCondition>)]
    body: Vec<condition::NodeCondition>,
    #[schema(value_type = Vec<NodeCondition>)]
    claims: Vec<condition::NodeCondition>,
    notes: Option<String>,
    labels: BTreeMap<String, String>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

/// What to send for a rule. It matches when all its conditions hold; one that is left out holds.
///
/// Also accepted: `pathPattern` with `pathPresence`, `headerChecks`, `queryChecks`, `token` for
/// claims, `regexFlags` for all patterns, `jsonPath` and `matchValue` in conditions of nodes,
/// `must_exist` and `must_not_exist`.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `form` reads")]
struct RuleInput {
    effect: RuleEffect,
    /// The highest matching rule of a layer decides, at equal priority deny; default 500.
    #[schema(minimum = 0, maximum = 1000)]
    priority: Option<u64>,
    /// Default true.
    rule_active: Option<bool>,
    /// Out of GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD; `GET` also means HEAD.
    #[schema(example = json!(["GET"]))]
    methods: Option<Vec<String>>,
    path: Option<PathCondition>,
    #[schema(max_items = 50)]
    headers: Option<Vec<NamedCondition>>,
    /// Decoded names and values.
    #[schema(max_items = 50)]
    query: Option<Vec<NamedCondition>>,
    /// Of the JSON request body.
    #[schema(max_items = 50)]
    body: Option<Vec<NodeCondition>>,
    /// Of the verified token.
    #[schema(max_items = 50)]
    claims: Option<Vec<NodeCondition>>,
    #[schema(max_length = 2000)]
    notes: Option<String>,
    /// Up to 32 pairs to find it by; no region hears of them.
    labels: Option<BTreeMap<String, String>>,
}

impl From<&Attachment<RuleForm>> for RuleResource {
    fn from(rule: &Attachment<RuleForm>) -> Self {
        let RuleForm {
            effect,
            priority,
            is_active,
            conditions,
            notes,
        } = &rule.form;
        let Conditions {
            methods,
            path,
            headers,
            query,
            body,
            claims,
        } = conditions.clone();
        Self {
            rule_id: rule.id.uuid(),
            client_id: rule.organisation.uuid(),
            attached_to: rule.attached_to.into(),
            effect: effect.as_str(),
            priority: *priority,
            rule_active: *is_active,
            methods,
            path,
            headers,
            query,
            body,
            claims,
            notes: notes.clone(),
            labels: labels::shown(&rule.labels),
            created_by: rule.created_by.clone(),
            created_at: rule.created_at.to_string(),
            updated_at: rule.updated_at.to_string(),
        }
    }
}

impl Resource for RuleForm {
    type View = RuleResource;
    const FILTERS: Filters = Filters {
        region: false,
        active: true,
        labels: true,
        priority: true,
        types: &[],
        temporary: false,
    };
    const FIXED: [&'static str; 6] = [
        "ruleId",
        "clientId",
        "attachedTo",
        "createdBy",
        "createdAt",
        "updatedAt",
    ];

    fn to_main_form(object: &mut Map<String, Value>, problems: &mut Problems) {
        to_main_form(object, "", problems);
    }

    fn form(mut fields: Fields<'_>) -> Option<Self> {
        let effect = fields.required("effect", parsed);
        let priority = fields.optional("priority", integer(0, MAX_PRIORITY));
        let is_active = fields.optional("ruleActive", boolean);
        let conditions = conditions(&mut fields, true);
        let notes = fields.optional("notes", notes);
        fields.finish();
        Some(Self {
            effect: effect?,
            priority: priority.unwrap_or(DEFAULT_PRIORITY),
            is_active: is_active.unwrap_or(true),
            conditions,
            notes,
        })
    }
}

attachment_routes! {
    RuleForm, RuleInput, RuleResource;
    tag "rules";
    paths "/clients/{clientId}/{attachedTo}/{attachedId}/rules",
        "/clients/{clientId}/{attachedTo}/{attachedId}/rules/{ruleId}";
    of (kind: String, record: String) => attached_to(&kind, &record)?;
    params (
        ("attachedTo" = String, Path, description = "`credentials`, `targets` or `proxies`"),
        ("attachedId" = Uuid, Path, description = "The record")
    ),
        ("ruleId" = Uuid, Path, description = "The rule");
    list list_rules "The rules of the record.";
    create create_rule "Adds a rule to the record.";
    get get_rule "One rule of the record.";
    replace replace_rule "Replaces a rule of the record.";
    change change_rule "Changes members of a rule of the record (JSON merge patch).";
    delete delete_rule "Deletes a rule of the record.";
}
