//! `/clients/{clientId}/proxies/{proxyId}/preview`

use axum::Json;
use axum::response::IntoResponse;
use requestrocket_policy::denial::Denial;
use requestrocket_policy::evaluate::SampleLayers;
use requestrocket_policy::preview::{Change, Operation, Outcome, Preview, SampleResponse, preview};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::evaluate::open_layer;
use super::sample::{HeaderPair, SampleCall, check_size, headers, refused, sample_call};
use crate::domain::people::permission::Permission;
use crate::error::{ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Read};
use crate::service::guard::sample::{ProxyLayers, layers};
use crate::state::AppState;
use requestrocket_policy::form::fields::{Fields, integer, string};
use requestrocket_policy::form::problem::Problems;

/// Stands for the id that a real answer would have.
const NO_REQUEST: &str = "00000000-0000-0000-0000-000000000000";

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(preview_response))
}

/// A sample call and what the target answers to it.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `read` reads")]
struct PreviewInput {
    /// One of the proxy's credentials; default its first.
    credential_id: Option<Uuid>,
    #[schema(example = "GET")]
    method: String,
    /// Below the proxy's URL: leading slash, no query.
    #[schema(example = "/v1/customers/1")]
    path: String,
    /// Pairs of name and value.
    #[schema(max_items = 200)]
    headers: Option<Vec<Vec<String>>>,
    /// Without its `?`.
    query: Option<String>,
    body: Option<String>,
    /// As of a verified token.
    claims: Option<serde_json::Map<String, serde_json::Value>>,
    response: SampleResponseInput,
}

/// What a target answers.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `sample_response` reads")]
struct SampleResponseInput {
    /// 200 to 599, default 200.
    #[schema(minimum = 200, maximum = 599)]
    status: Option<u16>,
    /// Pairs of name and value; left out: one `Content-Type: application/json`.
    #[schema(max_items = 200, example = json!([["content-type", "application/json"]]))]
    headers: Option<Vec<Vec<String>>>,
    /// Decoded: no content coding is taken off.
    #[schema(example = "{\"id\":1,\"ssn\":\"000-00-0000\"}")]
    body: Option<String>,
}

/// What the caller would get, and why.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewResource {
    /// The target's, or 422.
    status: u16,
    body: String,
    /// A record of the stream was no JSON: the response ends there.
    cut: bool,
    /// What the stages did, in their order.
    changes: Vec<ChangeResource>,
}

/// Something that a stage did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeResource {
    /// A normalised path (RFC 9535, 2.7) into what the stage got.
    #[schema(example = "$['ssn']")]
    path: String,
    /// `targetCredential`, `target`, `proxyCredential` or `proxy`.
    stage: &'static str,
    /// Null where retain filters left it out.
    filter_id: Option<String>,
    /// `retain` with a filter: it stays. Else it goes.
    operation: &'static str,
    /// Of a stream: which record, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<usize>,
}

/// A target's answer that a caller of the API made up.
struct MadeUp {
    status: u16,
    content_type: Option<String>,
    body: String,
}

/// Says what a caller would get of a sample response, and which filter took what out. Nothing is
/// sent, counted or changed; rules and limits are not judged.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/proxies/{proxyId}/preview",
    tag = "filters",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    request_body = PreviewInput,
    responses((status = 200, body = PreviewResource))
)]
async fn preview_response(
    call: Read,
    InPath((client, proxy)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let proxy = id(&proxy)?;
    let mut problems = Problems::default();
    let sample = read(body, &mut problems);
    let credential = sample.as_ref().and_then(|(call, _)| call.credential);
    let mut conn = call.state.connect().await?;
    let layers = layers(&mut conn, scope.id(), proxy, credential).await?;
    drop(conn);
    problems.check()?;
    let (sample, response) = sample.ok_or(problems)?;
    check_size(&sample, response.body.len())?;
    let tenant = scope.id().to_string();
    let work = move || judge(layers, &sample, &response);
    Ok(Json(call.state.trials.run(&tenant, work).await?).into_response())
}

fn read(body: Body, problems: &mut Problems) -> Option<(SampleCall, MadeUp)> {
    let mut fields = Fields::new(body.into_object(), problems);
    let call = sample_call(&mut fields);
    let response = fields.required_object("response", sample_response);
    fields.finish();
    Some((call?, response?))
}

fn sample_response(mut fields: Fields<'_>) -> Option<MadeUp> {
    let status = fields.optional("status", integer(200, 599)).unwrap_or(200);
    let content_type = if fields.has("headers") {
        content_type(headers(&mut fields).unwrap_or_default())
    } else {
        fields.take("headers");
        Some("application/json".to_owned())
    };
    let body = fields.optional("body", string).unwrap_or_default();
    fields.finish();
    Some(MadeUp {
        status: status.try_into().ok()?,
        content_type,
        body,
    })
}

/// Lines of the same name are one list, as Envoy joins them.
fn content_type(headers: Vec<HeaderPair>) -> Option<String> {
    let lines = headers
        .into_iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let values: Vec<String> = lines.map(|(_, value)| value).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn judge(
    layers: ProxyLayers,
    sample: &SampleCall,
    response: &MadeUp,
) -> ApiResult<PreviewResource> {
    let ProxyLayers {
        proxy_credential,
        target_credential,
        target,
        proxy,
    } = layers;
    let layers = SampleLayers {
        proxy_credential: proxy_credential.unwrap_or_else(open_layer),
        target_credential: target_credential.unwrap_or_else(open_layer),
        target: target.unwrap_or_else(open_layer),
        proxy,
    };
    let response = SampleResponse {
        status: response.status,
        content_type: response.content_type.as_deref(),
        body: &response.body,
    };
    let Preview { outcome, changes } =
        preview(layers, &sample.sample(), &response).map_err(refused)?;
    let (status, body, cut) = match outcome {
        Outcome::Sent(body) => (response.status, body, false),
        Outcome::Cut(body) => (response.status, body, true),
        Outcome::NotFilterable => {
            let answer = Denial::ResponseNotFilterable.response(NO_REQUEST);
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            (answer.status, body, false)
        }
    };
    Ok(PreviewResource {
        status,
        body,
        cut,
        changes: changes.into_iter().map(ChangeResource::from).collect(),
    })
}

impl From<Change> for ChangeResource {
    fn from(change: Change) -> Self {
        let Change {
            record,
            path,
            stage,
            filter,
            operation,
        } = change;
        Self {
            path,
            stage: stage.as_str(),
            filter_id: filter.as_deref().map(str::to_owned),
            operation: match operation {
                Operation::Retain => "retain",
                Operation::Destroy => "destroy",
            },
            record,
        }
    }
}
