//! `/clients/{clientId}/proxies/{proxyId}/preview`

use axum::Json;
use axum::response::IntoResponse;
use requestrocket_policy::denial::Denial;
use requestrocket_policy::evaluate::SampleLayers;
use requestrocket_policy::preview::{Change, Operation, Outcome, Preview, SampleResponse, preview};
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::evaluate::open_layer;
use super::sample::{HeaderPair, SampleCall, check_size, headers, refused, sample_call};
use super::written::{DRAFT, Draft, FilterDraftInput, draft_to_main_form};
use crate::domain::guard::redaction::RedactionForm;
use crate::domain::people::permission::Permission;
use crate::error::{ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Read};
use crate::http::routes::shape::{with_optional, with_required};
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

/// A sample call, what the target answers to it, and a filter that is tried on that.
#[derive(Debug)]
struct PreviewInput {
    call: SampleCall,
    response: SampleResponseInput,
    draft: Option<Draft<RedactionForm>>,
}

/// What a target answers.
#[derive(Debug, ToSchema)]
struct SampleResponseInput {
    /// 200 to 599, default 200.
    #[schema(minimum = 200, maximum = 599)]
    status: Option<u16>,
    /// Pairs of name and value; left out: one `Content-Type: application/json`.
    #[schema(
        value_type = Option<Vec<Vec<String>>>,
        max_items = 200,
        example = json!([["content-type", "application/json"]])
    )]
    headers: Option<Vec<HeaderPair>>,
    /// Decoded: no content coding is taken off.
    #[schema(example = "{\"id\":1,\"ssn\":\"000-00-0000\"}")]
    body: Option<String>,
}

impl ToSchema for PreviewInput {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let response = SampleResponseInput::name().into();
        schemas.push((response, SampleResponseInput::schema()));
        schemas.push((FilterDraftInput::name().into(), FilterDraftInput::schema()));
        FilterDraftInput::schemas(schemas);
    }
}

impl PartialSchema for PreviewInput {
    fn schema() -> RefOr<Schema> {
        let text = "A sample call, what the target answers to it, and a filter that is being \
                    written: tried as if it were stored.";
        let sample = with_required::<SampleResponseInput>(SampleCall::schema(), text, "response");
        with_optional::<FilterDraftInput>(sample, text, DRAFT)
    }
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

/// Says what a caller would get of a sample response, and which filter took what out. Nothing is
/// sent, counted or changed; rules and limits are not judged. `draft` is a filter that is not
/// stored, in one of the layers.
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
    mut body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let proxy = id(&proxy)?;
    let mut problems = Problems::default();
    draft_to_main_form(&mut body, "filter", &mut problems);
    let input = PreviewInput::read(Fields::new(body.into_object(), &mut problems));
    let credential = input.as_ref().and_then(|input| input.call.credential);
    let mut conn = call.state.connect().await?;
    let mut layers = layers(&mut conn, scope.id(), proxy, credential).await?;
    // No connection is kept while the work waits for its place.
    drop(conn);
    problems.check()?;
    let mut input = input.ok_or(problems)?;
    check_size(
        &input.call,
        input.response.body.as_ref().map_or(0, String::len),
    )?;
    let draft = input.draft.take();
    let is_draft = draft.is_some();
    if let Some(draft) = draft {
        draft.into_layers(&mut layers)?;
    }
    let tenant = scope.id().to_string();
    let work = move || judge(layers, &input, is_draft);
    Ok(Json(call.state.trials.run(&tenant, work).await?).into_response())
}

impl PreviewInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let call = sample_call(&mut fields);
        let response = fields.required_object("response", SampleResponseInput::read);
        let draft = Draft::<RedactionForm>::read(&mut fields);
        fields.finish();
        Some(Self {
            call: call?,
            response: response?,
            draft,
        })
    }
}

impl SampleResponseInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let status = fields.optional("status", integer(200, 599));
        let has_headers = fields.has("headers");
        let headers = headers(&mut fields);
        let body = fields.optional("body", string);
        fields.finish();
        Some(Self {
            status: status.and_then(|status| status.try_into().ok()),
            // Refused ones are noted; they must not read as none.
            headers: if has_headers { Some(headers?) } else { None },
            body,
        })
    }

    /// As the engine takes it.
    fn content_type(&self) -> Option<String> {
        match &self.headers {
            Some(headers) => content_type(headers),
            None => Some("application/json".to_owned()),
        }
    }
}

/// Lines of the same name are one list, as Envoy joins them.
fn content_type(headers: &[HeaderPair]) -> Option<String> {
    let lines = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let values: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn judge(layers: ProxyLayers, input: &PreviewInput, is_draft: bool) -> ApiResult<PreviewResource> {
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
    let answered = input.response.status.unwrap_or(200);
    let content_type = input.response.content_type();
    let response = SampleResponse {
        status: answered,
        content_type: content_type.as_deref(),
        body: input.response.body.as_deref().unwrap_or_default(),
    };
    let Preview { outcome, changes } = preview(layers, &input.call.sample(), &response)
        .map_err(|invalid| refused(invalid, is_draft))?;
    let (status, body, cut) = match outcome {
        Outcome::Sent(body) => (answered, body, false),
        Outcome::Cut(body) => (answered, body, true),
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
