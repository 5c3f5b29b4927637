//! `/clients/{clientId}/{credentials|targets|proxies}/{id}/rules`

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::attachments::{self, AttachedToResource, Resource, attached_to};
use super::conditions::{conditions, notes, to_main_form};
use super::declare::attachment_routes;
use crate::domain::guard::attachment::Attachment;
use crate::domain::guard::condition::{Conditions, NamedCondition, NodeCondition, PathCondition};
use crate::domain::guard::effect::Effect;
use crate::domain::guard::rule::{DEFAULT_PRIORITY, MAX_PRIORITY, RuleForm};
use crate::domain::label::{Labelled, Labels};
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
    path: Option<PathCondition>,
    headers: Vec<NamedCondition>,
    query: Vec<NamedCondition>,
    body: Vec<NodeCondition>,
    claims: Vec<NodeCondition>,
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
pub(super) struct RuleInput {
    #[schema(value_type = RuleEffect)]
    effect: Effect,
    /// The highest matching rule of a layer decides, at equal priority deny; default 500.
    #[schema(minimum = 0, maximum = 1000)]
    priority: Option<u64>,
    /// Default true.
    rule_active: Option<bool>,
    /// Out of GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD; `GET` also means HEAD.
    #[schema(value_type = Option<Vec<String>>, example = json!(["GET"]))]
    methods: Vec<String>,
    path: Option<PathCondition>,
    #[schema(value_type = Option<Vec<NamedCondition>>, max_items = 50)]
    headers: Vec<NamedCondition>,
    /// Decoded names and values.
    #[schema(value_type = Option<Vec<NamedCondition>>, max_items = 50)]
    query: Vec<NamedCondition>,
    /// Of the JSON request body.
    #[schema(value_type = Option<Vec<NodeCondition>>, max_items = 50)]
    body: Vec<NodeCondition>,
    /// Of the verified token.
    #[schema(value_type = Option<Vec<NodeCondition>>, max_items = 50)]
    claims: Vec<NodeCondition>,
    #[schema(max_length = 2000)]
    notes: Option<String>,
    /// Up to 32 pairs to find it by; no region hears of them.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Labels,
}

impl RuleInput {
    pub(super) fn read(mut fields: Fields<'_>, labels: Option<Labels>) -> Option<Self> {
        let effect = fields.required("effect", parsed);
        let priority = fields.optional("priority", integer(0, MAX_PRIORITY.into()));
        let rule_active = fields.optional("ruleActive", boolean);
        let Conditions {
            methods,
            path,
            headers,
            query,
            body,
            claims,
        } = conditions(&mut fields, true);
        let notes = fields.optional("notes", notes);
        fields.finish();
        Some(Self {
            effect: effect?,
            priority,
            rule_active,
            methods,
            path,
            headers,
            query,
            body,
            claims,
            notes,
            labels: labels?,
        })
    }
}

impl From<RuleInput> for Labelled<RuleForm> {
    fn from(input: RuleInput) -> Self {
        let RuleInput {
            effect,
            priority,
            rule_active,
            methods,
            path,
            headers,
            query,
            body,
            claims,
            notes,
            labels,
        } = input;
        let form = RuleForm {
            effect,
            priority: priority.unwrap_or(DEFAULT_PRIORITY),
            is_active: rule_active.unwrap_or(true),
            conditions: Conditions {
                methods,
                path,
                headers,
                query,
                body,
                claims,
            },
            notes,
        };
        Self { form, labels }
    }
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
    const KIND: &'static str = "rule";
    const FILTERS: Filters = Filters {
        region: false,
        active: true,
        labels: true,
        priority: true,
        types: &[],
        temporary: false,
        unread: false,
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

    fn form(fields: Fields<'_>, labels: Option<Labels>) -> Option<Labelled<Self>> {
        RuleInput::read(fields, labels).map(Labelled::from)
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
