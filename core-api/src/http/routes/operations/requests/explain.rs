//! `…/requests/{requestId}/explain`

use requestrocket_policy::evaluate::{Effect, FailedCondition};
use requestrocket_policy::preview::Operation;
use requestrocket_policy::recall::{FilterRecall, LayerRecall, MeterRecall, RuleRecall};
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::record::RemovedResource;
use super::{only, proxy_of, the_one};
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, Code};
use crate::http::amount::amount;
use crate::http::call::{InPath, Read};
use crate::http::routes::shape::RuleEffect;
use crate::service::operations::explain::{
    Explanation, MeterExplanation, Recorded, explain, terms,
};
use crate::state::AppState;

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(explain_request))
}

/// Why a call passed or did not, by the configuration that judged it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExplanationResource {
    request_id: String,
    /// Of what the proxy was called with.
    config_version: String,
    /// Whether that configuration is still known; if not, only the record says anything.
    configuration_known: bool,
    /// As the record has it.
    code: Option<String>,
    /// Null: nobody can tell, or rules were not asked.
    #[schema(value_type = Option<RuleEffect>)]
    effect: Option<&'static str>,
    /// Those that there were. Empty when rules were not asked.
    layers: Vec<LayerExplanation>,
    /// In the order of their stages.
    filters: Vec<FilterExplanation>,
    /// What the stages took out, as the record has it.
    removed: Vec<RemovedResource>,
    meters: Vec<MeterExplanationResource>,
    /// What the record does not tell and conditions ask for, such as `proxy: body[0]`.
    unknown: Vec<String>,
}

/// What one layer made of the call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LayerExplanation {
    /// `proxyCredential`, `targetCredential`, `target` or `proxy`.
    layer: &'static str,
    /// Null: nobody can tell.
    #[schema(value_type = Option<RuleEffect>)]
    effect: Option<&'static str>,
    /// A rule's id, `default`, or `unreadable-body`; null: nobody can tell.
    decided_by: Option<String>,
    /// In the order in which they are tried.
    rules: Vec<RuleExplanation>,
}

/// What one rule made of the call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RuleExplanation {
    rule_id: String,
    /// Null: nobody can tell.
    matched: Option<bool>,
    /// The conditions that did not hold for certain.
    failed: Vec<FailedExplanation>,
}

/// A condition that did not hold.
#[derive(Debug, Serialize, ToSchema)]
struct FailedExplanation {
    /// As in `headers[0].value`.
    condition: String,
    problem: String,
}

/// Whether a filter applied to the response, if that was one that filters apply to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FilterExplanation {
    /// `targetCredential`, `target`, `proxyCredential` or `proxy`.
    stage: &'static str,
    filter_id: String,
    /// `retain` or `destroy`.
    operation: &'static str,
    /// Whether its conditions held; null: nobody can tell.
    applied: Option<bool>,
}

/// What a meter made of the call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MeterExplanationResource {
    meter_id: String,
    /// Whether its conditions held; null: nobody can tell.
    matched: Option<bool>,
    /// What was counted; null: nobody can tell.
    #[schema(value_type = Option<f64>)]
    delta: Option<Number>,
}

/// Says why a call passed or was denied: its record, judged anew by the configuration that was in
/// force. What the record does not tell is said.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/requests/{requestId}/explain",
    tag = "requests",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        ("requestId" = Uuid, Path, description = "`requestrocket-request-id` of the answer"),
    ),
    responses((status = 200, body = ExplanationResource), (status = 304, description = "As known"))
)]
async fn explain_request(
    call: Read,
    InPath((client, proxy, request)): InPath<(String, String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let (proxy, region) = proxy_of(&call, &scope, &proxy).await?;
    let record = the_one(&call, &scope, (only(&region), Some(proxy)), &request).await?;
    let asked = terms(&call.state.fleets, region.as_str(), &record).await;
    let kept = asked.map_err(|why| ApiError::new(Code::RegionAway, why.to_string()))?;
    let recorded = Recorded::new(record);
    let Some(kept) = kept else {
        return call.answer_content(&ExplanationResource::new(&recorded, None));
    };
    let tenant = scope.id().to_string();
    let work = move || {
        let explanation = explain(&recorded, kept)?;
        Ok(ExplanationResource::new(&recorded, Some(explanation)))
    };
    call.answer_content(&call.state.trials.run(&tenant, work).await?)
}

impl ExplanationResource {
    fn new(recorded: &Recorded, explanation: Option<Explanation>) -> Self {
        let record = recorded.record();
        let removed = record.filters.iter().cloned();
        let mut unknown = Vec::new();
        let configuration_known = explanation.is_some();
        let Explanation {
            effect,
            layers,
            filters,
            meters,
        } = explanation.unwrap_or_else(|| Explanation {
            effect: recorded.effect(),
            layers: Vec::new(),
            filters: Vec::new(),
            meters: Vec::new(),
        });
        let mut note = |of: &str, conditions: &[String]| {
            for condition in conditions {
                let text = format!("{of}: {condition}");
                if !unknown.contains(&text) {
                    unknown.push(text);
                }
            }
        };
        for layer in &layers {
            for rule in layer.rules.iter().filter(|rule| rule.is_matched.is_none()) {
                note(&format!("rule {}", rule.rule_id), &rule.unknown);
            }
        }
        for filter in filters.iter().filter(|it| it.is_applied.is_none()) {
            note(&format!("filter {}", filter.filter_id), &filter.unknown);
        }
        for meter in meters.iter().filter(|it| it.recall.is_meant.is_none()) {
            let recall = &meter.recall;
            note(&format!("meter {}", recall.meter_id), &recall.unknown);
        }
        Self {
            request_id: record.request_id.clone(),
            config_version: record.config_version.clone(),
            configuration_known,
            code: Some(record.code.clone()).filter(|code| !code.is_empty()),
            effect: effect.map(word),
            layers: layers.into_iter().map(LayerExplanation::new).collect(),
            filters: filters.into_iter().map(FilterExplanation::new).collect(),
            removed: removed.map(RemovedResource::new).collect(),
            meters: meters.iter().map(MeterExplanationResource::new).collect(),
            unknown,
        }
    }
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    }
}

impl LayerExplanation {
    fn new(layer: LayerRecall) -> Self {
        Self {
            layer: layer.layer.as_str(),
            effect: layer.effect.map(word),
            decided_by: layer.decided_by,
            rules: layer.rules.into_iter().map(RuleExplanation::new).collect(),
        }
    }
}

impl RuleExplanation {
    fn new(rule: RuleRecall) -> Self {
        let RuleRecall {
            rule_id,
            is_matched,
            failed,
            unknown: _,
        } = rule;
        let failed = failed.into_iter();
        Self {
            rule_id: rule_id.to_string(),
            matched: is_matched,
            failed: failed
                .map(|FailedCondition { condition, problem }| FailedExplanation {
                    condition,
                    problem,
                })
                .collect(),
        }
    }
}

impl FilterExplanation {
    fn new(filter: FilterRecall) -> Self {
        let FilterRecall {
            stage,
            filter_id,
            operation,
            is_applied,
            unknown: _,
        } = filter;
        Self {
            stage: stage.as_str(),
            filter_id: filter_id.to_string(),
            operation: match operation {
                Operation::Retain => "retain",
                Operation::Destroy => "destroy",
            },
            applied: is_applied,
        }
    }
}

impl MeterExplanationResource {
    fn new(meter: &MeterExplanation) -> Self {
        let MeterRecall {
            meter_id,
            is_meant,
            unknown: _,
        } = &meter.recall;
        Self {
            meter_id: meter_id.to_string(),
            matched: *is_meant,
            delta: meter.delta_micros.map(amount),
        }
    }
}
