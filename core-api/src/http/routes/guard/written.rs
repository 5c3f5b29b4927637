//! `draft` of evaluate and preview: a rule or filter that is being written, tried in its layer.

use requestrocket_policy::authz::LayerName;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::{Fault, Invalid, Problems};
use requestrocket_proto::policy::v1 as wire;
use serde_json::Value;
use utoipa::ToSchema;

use super::conditions::to_main_form;
use super::filters::FilterInput;
use super::rules::RuleInput;
use crate::domain::guard::redaction::RedactionForm;
use crate::domain::guard::rule::RuleForm;
use crate::domain::id::{FilterId, RuleId};
use crate::domain::label::{Labelled, Labels};
use crate::error::{ApiError, ApiResult};
use crate::http::body::Body;
use crate::http::labels;
use crate::region::policy_spec;
use crate::service::guard::sample::ProxyLayers;

/// The member of a body that holds it.
pub(super) const DRAFT: &str = "draft";
/// By which answers name what is not stored yet.
const NEW: &str = "00000000-0000-0000-0000-000000000000";

/// A rule that is being written.
#[derive(Debug, ToSchema)]
#[schema(as = RuleDraftInput)]
#[expect(dead_code, reason = "documents what Draft reads")]
pub(super) struct RuleDraftInput {
    /// Where it is tried: `proxyCredential`, `targetCredential`, `target` or `proxy`.
    #[schema(pattern = "^(proxyCredential|targetCredential|target|proxy)$")]
    layer: String,
    rule: RuleInput,
    /// The rule of the layer in whose place it stands, and under whose id it is shown; a new one is
    /// shown as `00000000-0000-0000-0000-000000000000`.
    #[schema(value_type = Option<Uuid>)]
    replaces: Option<RuleId>,
}

/// A filter that is being written.
#[derive(Debug, ToSchema)]
#[schema(as = FilterDraftInput)]
#[expect(dead_code, reason = "documents what Draft reads")]
pub(super) struct FilterDraftInput {
    /// Where it is tried: `proxyCredential`, `targetCredential`, `target` or `proxy`.
    #[schema(pattern = "^(proxyCredential|targetCredential|target|proxy)$")]
    layer: String,
    filter: FilterInput,
    /// The filter of the layer in whose place it stands, and under whose id it is shown; a new one
    /// is shown as `00000000-0000-0000-0000-000000000000`.
    #[schema(value_type = Option<Uuid>)]
    replaces: Option<FilterId>,
}

/// What is tried, and where.
#[derive(Debug)]
pub(super) struct Draft<F> {
    layer: LayerName,
    form: F,
    /// The id of what it stands for.
    replaces: Option<String>,
}

impl Draft<RuleForm> {
    /// The draft of a body, if it has one; what is refused is noted.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let read = |mut fields: Fields<'_>| {
            let layer = fields.required("layer", layer_name);
            let rule = fields.required_object("rule", |fields| {
                RuleInput::read(fields, Some(Labels::default()))
            });
            let replaces: Option<RuleId> = fields.optional("replaces", parsed);
            fields.finish();
            Some(Self {
                layer: layer?,
                form: Labelled::<RuleForm>::from(rule?).form,
                replaces: replaces.map(|id| id.to_string()),
            })
        };
        fields.object(DRAFT, read).flatten()
    }

    /// `layers` as they would be with it.
    pub(super) fn into_layers(self, layers: &mut ProxyLayers) -> ApiResult<()> {
        let layer = layer_mut(layers, self.layer)?;
        let id = self.replaces.as_deref().unwrap_or(NEW);
        layer.rules.retain(|rule| rule.rule_id != id);
        if self.form.is_active {
            let rule = policy_spec::rule(RuleId::random(), &self.form);
            let rule_id = id.to_owned();
            layer.rules.push(wire::Rule { rule_id, ..rule });
        }
        Ok(())
    }
}

impl Draft<RedactionForm> {
    /// The draft of a body, if it has one; what is refused is noted.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let read = |mut fields: Fields<'_>| {
            let layer = fields.required("layer", layer_name);
            let filter = fields.required_object("filter", |fields| {
                FilterInput::read(fields, Some(Labels::default()))
            });
            let replaces: Option<FilterId> = fields.optional("replaces", parsed);
            fields.finish();
            Some(Self {
                layer: layer?,
                form: Labelled::<RedactionForm>::from(filter?).form,
                replaces: replaces.map(|id| id.to_string()),
            })
        };
        fields.object(DRAFT, read).flatten()
    }

    /// `layers` as they would be with it.
    pub(super) fn into_layers(self, layers: &mut ProxyLayers) -> ApiResult<()> {
        let layer = layer_mut(layers, self.layer)?;
        let id = self.replaces.as_deref().unwrap_or(NEW);
        layer.redactions.retain(|filter| filter.filter_id != id);
        if self.form.is_active {
            let filter = policy_spec::redaction(FilterId::random(), &self.form);
            let filter_id = id.to_owned();
            layer.redactions.push(wire::Redaction {
                filter_id,
                ..filter
            });
        }
        Ok(())
    }
}

/// Older spellings and labels of the draft, whose `kind` is `rule` or `filter`, as they are read
/// everywhere.
pub(super) fn draft_to_main_form(body: &mut Body, kind: &str, problems: &mut Problems) {
    body.rewrite(|object| {
        let draft = object.get_mut(DRAFT).and_then(Value::as_object_mut);
        let written = draft.and_then(|draft| draft.get_mut(kind));
        if let Some(Value::Object(written)) = written {
            to_main_form(written, &format!("{DRAFT}.{kind}."), problems);
            labels::take_tried(written, problems);
        }
    });
}

fn layer_name(value: &Value) -> Result<LayerName, Invalid> {
    let all = [
        LayerName::ProxyCredential,
        LayerName::TargetCredential,
        LayerName::Target,
        LayerName::Proxy,
    ];
    let found = all.into_iter().find(|name| value == name.as_str());
    let text = "must be `proxyCredential`, `targetCredential`, `target` or `proxy`";
    found.ok_or_else(|| Invalid::value(text))
}

fn layer_mut(layers: &mut ProxyLayers, name: LayerName) -> Result<&mut wire::Layer, ApiError> {
    let layer = match name {
        LayerName::ProxyCredential => layers.proxy_credential.as_mut(),
        LayerName::TargetCredential => layers.target_credential.as_mut(),
        LayerName::Target => layers.target.as_mut(),
        LayerName::Proxy => Some(&mut layers.proxy),
    };
    layer.ok_or_else(|| {
        let mut problems = Problems::default();
        let text = "names a record that the proxy does not have any more";
        problems.add(Fault::ReferenceNotFound, "draft.layer", text);
        problems.into()
    })
}
