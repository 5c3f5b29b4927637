//! `/clients/{clientId}/proxies/{proxyId}/evaluate`

use axum::Json;
use axum::response::IntoResponse;
use requestrocket_policy::evaluate::{
    Effect, Evaluation, FailedCondition, LayerName, LayerReport, RuleReport, SampleLayers, evaluate,
};
use requestrocket_proto::policy::v1 as wire;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sample::{SampleCall, check_size, refused, sample_call};
use super::written::{DRAFT, Draft, RuleDraftInput, draft_to_main_form};
use crate::domain::guard::rule::RuleForm;
use crate::domain::people::permission::Permission;
use crate::error::{ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Read};
use crate::http::routes::shape::{RuleEffect, with_optional};
use crate::service::guard::sample::{ProxyLayers, layers};
use crate::state::AppState;
use requestrocket_policy::form::fields::Fields;
use requestrocket_policy::form::problem::Problems;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(evaluate_call))
}

/// A sample call, and a rule that is tried on it.
#[derive(Debug)]
struct EvaluationInput {
    call: SampleCall,
    draft: Option<Draft<RuleForm>>,
}

impl ToSchema for EvaluationInput {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((RuleDraftInput::name().into(), RuleDraftInput::schema()));
        RuleDraftInput::schemas(schemas);
    }
}

impl PartialSchema for EvaluationInput {
    fn schema() -> RefOr<Schema> {
        let text = "A sample call, and a rule that is being written: tried as if it were stored.";
        with_optional::<RuleDraftInput>(SampleCall::schema(), text, DRAFT)
    }
}

/// What the rules say of a call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EvaluationResource {
    #[schema(value_type = RuleEffect)]
    effect: &'static str,
    /// Those that exist: of an incomplete proxy some are missing.
    layers: Vec<LayerResource>,
}

/// What one layer says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LayerResource {
    /// `proxyCredential`, `targetCredential`, `target` or `proxy`.
    layer: &'static str,
    #[schema(value_type = RuleEffect)]
    effect: &'static str,
    /// A rule's id, `default`, or `unreadable-body`.
    decided_by: String,
    /// In the order in which they are tried.
    rules: Vec<RuleReportResource>,
}

/// What one rule says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RuleReportResource {
    rule_id: String,
    matched: bool,
    /// The conditions that do not hold.
    failed: Vec<FailedResource>,
}

/// A condition that does not hold.
#[derive(Debug, Serialize, ToSchema)]
struct FailedResource {
    /// As in `headers[0].value`.
    condition: String,
    problem: String,
}

/// Says which rule decides a sample call on each layer, and why the others do not match. Nothing
/// is sent, counted or changed; a proxy that is inactive or incomplete can be tried too. `draft` is
/// a rule that is not stored, in one of the layers.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/proxies/{proxyId}/evaluate",
    tag = "rules",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    request_body = EvaluationInput,
    responses((status = 200, body = EvaluationResource))
)]
async fn evaluate_call(
    call: Read,
    InPath((client, proxy)): InPath<(String, String)>,
    mut body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let proxy = id(&proxy)?;
    let mut problems = Problems::default();
    draft_to_main_form(&mut body, "rule", &mut problems);
    let input = EvaluationInput::read(Fields::new(body.into_object(), &mut problems));
    let credential = input.as_ref().and_then(|input| input.call.credential);
    let mut conn = call.state.connect().await?;
    let mut layers = layers(&mut conn, scope.id(), proxy, credential).await?;
    // No connection is kept while the work waits for its place.
    drop(conn);
    problems.check()?;
    let EvaluationInput {
        call: sample,
        draft,
    } = input.ok_or(problems)?;
    check_size(&sample, 0)?;
    let is_draft = draft.is_some();
    if let Some(draft) = draft {
        draft.into_layers(&mut layers)?;
    }
    let tenant = scope.id().to_string();
    let work = move || judge(layers, &sample, is_draft);
    Ok(Json(call.state.trials.run(&tenant, work).await?).into_response())
}

impl EvaluationInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let call = sample_call(&mut fields);
        let draft = Draft::<RuleForm>::read(&mut fields);
        fields.finish();
        Some(Self { call: call?, draft })
    }
}

fn judge(
    layers: ProxyLayers,
    sample: &SampleCall,
    is_draft: bool,
) -> ApiResult<EvaluationResource> {
    let ProxyLayers {
        proxy_credential,
        target_credential,
        target,
        proxy,
    } = layers;
    let missing: Vec<LayerName> = [
        (LayerName::ProxyCredential, proxy_credential.is_none()),
        (LayerName::TargetCredential, target_credential.is_none()),
        (LayerName::Target, target.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    let layers = SampleLayers {
        proxy_credential: proxy_credential.unwrap_or_else(open_layer),
        target_credential: target_credential.unwrap_or_else(open_layer),
        target: target.unwrap_or_else(open_layer),
        proxy,
    };
    let Evaluation { effect, layers } =
        evaluate(layers, &sample.sample()).map_err(|invalid| refused(invalid, is_draft))?;
    let present = layers
        .into_iter()
        .filter(|report| !missing.contains(&report.layer));
    Ok(EvaluationResource {
        effect: word(effect),
        layers: present.map(LayerResource::from).collect(),
    })
}

/// Stands for a layer whose record is gone. It decides nothing and is not shown.
pub(super) fn open_layer() -> wire::Layer {
    wire::Layer {
        default_effect: wire::Effect::Allow.into(),
        ..wire::Layer::default()
    }
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    }
}

impl From<LayerReport> for LayerResource {
    fn from(report: LayerReport) -> Self {
        let LayerReport {
            layer,
            effect,
            decided_by,
            rules,
        } = report;
        Self {
            layer: layer.as_str(),
            effect: word(effect),
            decided_by: decided_by.to_string(),
            rules: rules.into_iter().map(RuleReportResource::from).collect(),
        }
    }
}

impl From<RuleReport> for RuleReportResource {
    fn from(report: RuleReport) -> Self {
        let RuleReport {
            rule_id,
            is_matched,
            failed,
        } = report;
        let failed = failed.into_iter();
        Self {
            rule_id: rule_id.to_string(),
            matched: is_matched,
            failed: failed
                .map(|FailedCondition { condition, problem }| FailedResource { condition, problem })
                .collect(),
        }
    }
}
