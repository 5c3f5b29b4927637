//! `proxyCors`: how it is read and shown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::gateway::cors::{
    ANY, Cors, DEFAULT_ALLOWED_HEADERS, DEFAULT_MAX_AGE_SECONDS, LARGEST_MAX_AGE_SECONDS,
    MAX_NAMES, header, header_or_any, origin,
};
use requestrocket_policy::form::fields::{Fields, boolean, integer, string};
use requestrocket_policy::form::problem::Fault;

const ORIGINS: &str = "allowedOrigins";
const HEADERS: &str = "allowedHeaders";

/// Which pages may call the proxy from a browser.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct CorsInput {
    /// `https://app.example.com`, `https://*.example.com` for every host below it, or `*` alone
    /// for everybody, which cannot be with `allowCredentials`.
    #[schema(min_items = 1, max_items = 100)]
    allowed_origins: Vec<String>,
    /// What pages may send, or `*` alone for anything; default `authorization` and `content-type`.
    #[schema(max_items = 100)]
    allowed_headers: Option<Vec<String>>,
    /// What pages may read besides the gateway's own headers.
    #[schema(max_items = 100)]
    exposed_headers: Option<Vec<String>>,
    /// Pages may send cookies and the like; default false.
    allow_credentials: Option<bool>,
    /// How long a browser may remember what it was allowed; default 600.
    #[schema(minimum = 0, maximum = 86_400)]
    max_age_seconds: Option<u32>,
}

/// Which pages may call the proxy from a browser.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CorsResource {
    allowed_origins: Vec<String>,
    allowed_headers: Vec<String>,
    exposed_headers: Vec<String>,
    allow_credentials: bool,
    max_age_seconds: u32,
}

impl From<&Cors> for CorsResource {
    fn from(cors: &Cors) -> Self {
        let Cors {
            allowed_origins,
            allowed_headers,
            exposed_headers,
            allow_credentials,
            max_age_seconds,
        } = cors.clone();
        Self {
            allowed_origins,
            allowed_headers,
            exposed_headers,
            allow_credentials,
            max_age_seconds,
        }
    }
}

impl CorsInput {
    /// Reads the members of `proxyCors`.
    pub(super) fn read(mut fields: Fields<'_>) -> Option<Self> {
        let has_origins = fields.has(ORIGINS);
        let has_headers = fields.has(HEADERS);
        let origins = fields.list(ORIGINS, MAX_NAMES, |value| origin(&string(value)?));
        let headers = fields.list(HEADERS, MAX_NAMES, |value| header_or_any(&string(value)?));
        let exposed_headers =
            fields.list("exposedHeaders", MAX_NAMES, |value| header(&string(value)?));
        let allow_credentials = fields.optional("allowCredentials", boolean);
        let max_age = fields.optional("maxAgeSeconds", integer(0, LARGEST_MAX_AGE_SECONDS));
        if !has_origins {
            fields.problem(Fault::ValidationFailed, ORIGINS, "is required");
        }
        if origins.as_ref().is_some_and(Vec::is_empty) {
            let text = "must name at least one";
            fields.problem(Fault::ValidationFailed, ORIGINS, text);
        }
        stands_alone(&mut fields, ORIGINS, origins.as_deref());
        stands_alone(&mut fields, HEADERS, headers.as_deref());
        // Browsers take no `*` beside credentials (Fetch, CORS protocol).
        if allow_credentials == Some(true) && has_any(origins.as_deref()) {
            let text = "must be false where `allowedOrigins` is `*`";
            fields.problem(Fault::ValidationFailed, "allowCredentials", text);
        }
        fields.finish();
        Some(Self {
            allowed_origins: origins?,
            allowed_headers: if has_headers { Some(headers?) } else { None },
            exposed_headers,
            allow_credentials,
            max_age_seconds: max_age.and_then(|seconds| u32::try_from(seconds).ok()),
        })
    }
}

impl From<CorsInput> for Cors {
    fn from(input: CorsInput) -> Self {
        let CorsInput {
            allowed_origins,
            allowed_headers,
            exposed_headers,
            allow_credentials,
            max_age_seconds,
        } = input;
        let default_headers = || DEFAULT_ALLOWED_HEADERS.map(str::to_owned).into();
        Self {
            allowed_origins,
            allowed_headers: allowed_headers.unwrap_or_else(default_headers),
            exposed_headers: exposed_headers.unwrap_or_default(),
            allow_credentials: allow_credentials.unwrap_or(false),
            max_age_seconds: max_age_seconds.unwrap_or(DEFAULT_MAX_AGE_SECONDS),
        }
    }
}

fn has_any(names: Option<&[String]>) -> bool {
    names.is_some_and(|names| names.iter().any(|name| name == ANY))
}

fn stands_alone(fields: &mut Fields<'_>, list: &str, names: Option<&[String]>) {
    if has_any(names) && names.is_some_and(|names| names.len() > 1) {
        fields.problem(
            Fault::ValidationFailed,
            list,
            "must name nothing beside `*`",
        );
    }
}
