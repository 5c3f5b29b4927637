//! Reads a sample call, for evaluate and preview.

use requestrocket_policy::evaluate::{InvalidSample, Sample};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::guard::meter::is_header_name;
use crate::domain::id::CredentialId;
use crate::error::{ApiError, ApiResult, Code};
use requestrocket_policy::form::fields::{Fields, parsed, string};
use requestrocket_policy::form::problem::{Fault, Invalid, Problems};

/// Header lines of a sample.
const MAX_HEADERS: usize = 200;
/// All parts of a sample together.
const MAX_SAMPLE_BYTES: usize = 64 * 1024;

/// Name and value.
pub(super) type HeaderPair = (String, String);

/// A sample call.
#[derive(Clone, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(as = SampleCallInput)]
pub(super) struct SampleCall {
    /// One of the proxy's credentials; default its first.
    #[schema(rename = "credentialId", value_type = Option<Uuid>)]
    pub(super) credential: Option<CredentialId>,
    #[schema(example = "GET")]
    method: String,
    /// Below the proxy's URL: leading slash, no query.
    #[schema(example = "/v1/invoices")]
    path: String,
    /// Pairs of name and value.
    #[schema(value_type = Option<Vec<Vec<String>>>, max_items = 200, example = json!([["x-team", "billing"]]))]
    headers: Vec<HeaderPair>,
    /// Without its `?`.
    #[schema(value_type = Option<String>, example = "a=1&b=2")]
    query: String,
    body: Option<String>,
    /// As of a verified token.
    #[schema(value_type = Option<serde_json::Map<String, Value>>)]
    claims: Option<String>,
}

impl SampleCall {
    /// As the engine takes it.
    pub(super) fn sample(&self) -> Sample<'_> {
        Sample {
            method: &self.method,
            path: &self.path,
            headers: &self.headers,
            query: &self.query,
            body: self.body.as_deref(),
            claims: self.claims.as_deref(),
        }
    }
}

/// Reads the members of a sample call; whatever is refused is noted.
pub(super) fn sample_call(fields: &mut Fields<'_>) -> Option<SampleCall> {
    let credential = fields.optional("credentialId", parsed);
    let method = fields.required("method", string);
    let path = fields.required("path", string);
    let headers = headers(fields);
    let query = fields.optional("query", string);
    let body = fields.optional("body", string);
    let claims = fields.optional("claims", |value| match value {
        Value::Object(_) => Ok(value.to_string()),
        _ => Err(Invalid::value("must be an object")),
    });
    Some(SampleCall {
        credential,
        method: method?.to_ascii_uppercase(),
        path: path?,
        headers: headers.unwrap_or_default(),
        query: query.unwrap_or_default(),
        body,
        claims,
    })
}

/// `headers`: pairs of name and value.
pub(super) fn headers(fields: &mut Fields<'_>) -> Option<Vec<HeaderPair>> {
    fields.list("headers", MAX_HEADERS, header)
}

fn header(value: &Value) -> Result<HeaderPair, Invalid> {
    let invalid = || Invalid::value("must be a list of a header's name and its value");
    let [Value::String(name), Value::String(value)] =
        value.as_array().ok_or_else(invalid)?.as_slice()
    else {
        return Err(invalid());
    };
    let is_sendable = |c: char| c == '\t' || !c.is_control();
    if is_header_name(name) && value.chars().all(is_sendable) {
        Ok((name.clone(), value.clone()))
    } else {
        Err(invalid())
    }
}

/// Refuses a sample that would keep the process busy for seconds: filters and rules go through all
/// of it, each on its own.
pub(super) fn check_size(call: &SampleCall, response: usize) -> ApiResult<()> {
    let lines = call.headers.iter();
    let size = lines
        .map(|(name, value)| name.len() + value.len())
        .sum::<usize>()
        + call.path.len()
        + call.query.len()
        + call.body.as_ref().map_or(0, String::len)
        + call.claims.as_ref().map_or(0, String::len)
        + response;
    if size <= MAX_SAMPLE_BYTES {
        return Ok(());
    }
    let text = format!("a sample has at most {MAX_SAMPLE_BYTES} bytes, this one has {size}");
    Err(ApiError::new(Code::BodyTooLarge, text))
}

/// What the engine says of a sample, at the member that it means.
pub(super) fn refused(invalid: InvalidSample, is_draft: bool) -> ApiError {
    let field = match invalid {
        InvalidSample::Method => "method",
        InvalidSample::Path | InvalidSample::PathAmbiguous => "path",
        InvalidSample::Query => "query",
        InvalidSample::Claims => "claims",
        InvalidSample::TooManyChanges | InvalidSample::TooMuchWork => "response.body",
        InvalidSample::Layer { .. } if is_draft => "draft",
        // What was saved compiled when it was saved.
        InvalidSample::Layer { .. } => return ApiError::internal(invalid),
    };
    let mut problems = Problems::default();
    problems.add(Fault::ValidationFailed, field, invalid.to_string());
    problems.into()
}
