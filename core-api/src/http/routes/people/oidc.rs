//! `/session/methods` and `/session/oidc/{provider}`: how somebody may sign in, and by whom.

use axum::Json;
use axum::extract::{RawQuery as Raw, State};
use axum::response::{Html, IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use requestrocket_policy::form::problem::Problems;
use requestrocket_policy::secret::SecretText;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::visitor;
use crate::error::{ApiError, ApiResult, Code};
use crate::http::author;
use crate::http::call::InPath;
use crate::http::query::Query;
use crate::http::session_cookie::{self, attempt};
use crate::identity::oidc::{Attempt, Client, Failed, Sent};
use crate::service::people::sso;
use crate::state::AppState;

/// Longer codes are none.
const MAX_CODE_BYTES: usize = 4_096;
/// Pages here load nothing and are in nobody's frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const FAILED: &str = "<!doctype html><html lang=\"en\"><head><title>Not signed in</title></head>\
    <body><h1>Not signed in</h1><p><a href=\"/app/sign-in\">Try again</a>, or ask whoever runs \
    RequestRocket for an invite.</p></body></html>";

/// What says how somebody may sign in.
pub fn public_router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_methods))
}

/// What browsers are sent through.
pub fn answers_router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(take))
        .routes(routes!(sign_out))
}

/// How somebody may sign in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignInMethods {
    /// By `POST /session`.
    password: bool,
    /// Whether a letter lets one choose another: `POST /session/forgot`.
    reset: bool,
    providers: Vec<ProviderResource>,
}

/// A provider: `GET /session/oidc/{provider}` leads there.
#[derive(Serialize, ToSchema)]
struct ProviderResource {
    provider: String,
    title: String,
}

/// How somebody may sign in.
#[utoipa::path(
    get,
    path = "/session/methods",
    tag = "session",
    responses((status = 200, body = SignInMethods))
)]
async fn get_methods(State(state): State<AppState>) -> Json<SignInMethods> {
    let providers = state.providers.each().map(|client| ProviderResource {
        provider: client.provider().name.to_string(),
        title: client.provider().title.clone(),
    });
    Json(SignInMethods {
        password: !state.is_sso_only,
        reset: !state.is_sso_only && state.sends_mail,
        providers: providers.collect(),
    })
}

/// Sends a browser to a provider, to sign in there. For browsers: whoever has a session by then goes to
/// `next`, a path of the dashboard.
#[utoipa::path(
    get,
    path = "/session/oidc/{provider}",
    tag = "session",
    params(
        ("provider" = String, Path, description = "Its name in the settings"),
        ("next" = Option<String>, Query, description = "Where to go afterwards"),
    ),
    responses((status = 303, description = "To the provider"))
)]
async fn begin(
    State(state): State<AppState>,
    InPath(provider): InPath<String>,
    Raw(query): Raw,
) -> ApiResult<Response> {
    let client = find(&state, &provider)?;
    let [next] = read(query.as_deref(), ["next"])?;
    let attempt = Attempt::begin(next.as_deref()).map_err(ApiError::internal)?;
    let at = (&*back(&state, client), state.clock.unix_ms());
    let url = client.authorization_url(&attempt, at).await;
    let url = url.map_err(|failed| told(client, &failed))?;
    let mut response = to(url.as_str())?;
    attempt::set(&mut response, &attempt, &state.public_url)?;
    Ok(response)
}

/// Takes what a provider says of somebody who signed in there, and begins a session.
#[utoipa::path(
    get,
    path = "/session/oidc/{provider}/callback",
    tag = "session",
    params(
        ("provider" = String, Path, description = "Its name in the settings"),
        ("state" = Option<String>, Query, description = "As it was sent to the provider"),
        ("code" = Option<String>, Query, description = "Of the provider"),
        ("error" = Option<String>, Query, description = "In its place: nobody signed in"),
        ("iss" = Option<String>, Query, description = "Who says so (RFC 9207)"),
    ),
    responses(
        (status = 303, description = "Signed in"),
        (status = 400, body = String, content_type = "text/html", description = "Not signed in"),
    )
)]
async fn take(
    State(state): State<AppState>,
    InPath(provider): InPath<String>,
    Raw(query): Raw,
    parts: Parts,
) -> ApiResult<Response> {
    let client = find(&state, &provider)?;
    // A HEAD is of whoever looks at links, and must not use one up.
    if parts.method != Method::GET {
        return Ok(page());
    }
    let mut response = match signed_in(&state, client, query.as_deref(), &parts).await {
        Ok(response) => response,
        Err(error) if error.is_internal() => return Err(error),
        Err(error) => {
            tracing::info!(?error, provider = %client.provider().name, "nobody is signed in");
            page()
        }
    };
    // Whatever came of it, the attempt is over.
    attempt::clear(&mut response, &state.public_url)?;
    Ok(response)
}

async fn signed_in(
    state: &AppState,
    client: &Client,
    query: Option<&str>,
    parts: &Parts,
) -> ApiResult<Response> {
    let [returned, code, error, issuer] = read(query, ["state", "code", "error", "iss"])?;
    let refused = |text: &str| ApiError::new(Code::Forbidden, text.to_owned());
    let begun = attempt::presented(&parts.headers, &state.public_url);
    let begun = begun.ok_or_else(|| refused("the attempt was begun at no browser, or long ago"))?;
    let returned = returned.ok_or_else(|| refused("`state` is missing"))?;
    if !begun.has_state(&client.provider().name, &returned) {
        return Err(refused("`state` is of another attempt"));
    }
    let code = match (code, error) {
        (Some(code), None) if (1..=MAX_CODE_BYTES).contains(&code.len()) => SecretText::new(code),
        _ => return Err(refused("the provider lets nobody in")),
    };
    let at = (&*back(state, client), state.clock.unix_ms());
    let known = client.who(&begun, Sent { code, issuer }, at).await;
    let known = known.map_err(|failed| told(client, &failed))?;
    let had = session_cookie::presented(&parts.headers, &state.public_url);
    let from = (visitor(state, parts), author::of(state, parts));
    let whom = (client.provider(), &known);
    let secret = sso::sign_in(state, whom, from, had.as_deref()).await?;
    let mut response = to(&format!("/app{}", begun.next()))?;
    session_cookie::set(&mut response, &secret, &state.public_url)?;
    Ok(response)
}

/// Sends a browser to where it signs out at the provider too, and then back. Our own session is ended
/// by `DELETE /session`, before.
#[utoipa::path(
    get,
    path = "/session/oidc/{provider}/logout",
    tag = "session",
    params(("provider" = String, Path, description = "Its name in the settings")),
    responses((status = 303, description = "To the provider, or back if it has no such place"))
)]
async fn sign_out(
    State(state): State<AppState>,
    InPath(provider): InPath<String>,
) -> ApiResult<Response> {
    let client = find(&state, &provider)?;
    let home = format!("{}/app/sign-in", state.public_url);
    let url = client.end_session_url((&home, state.clock.unix_ms())).await;
    let url = url.map_err(|failed| told(client, &failed))?;
    to(url.as_ref().map_or("/app/sign-in", |url| url.as_str()))
}

fn find<'s>(state: &'s AppState, name: &str) -> ApiResult<&'s Client> {
    state.providers.get(name).ok_or_else(ApiError::not_found)
}

/// Where the provider sends browsers back to.
fn back(state: &AppState, client: &Client) -> String {
    let name = &client.provider().name;
    format!("{}/session/oidc/{name}/callback", state.public_url)
}

/// Parameters, none of which may come twice (RFC 6749 §3.1). Others do not matter.
fn read<const N: usize>(query: Option<&str>, names: [&str; N]) -> ApiResult<[Option<String>; N]> {
    let mut problems = Problems::default();
    let values = {
        let mut query = Query::new(query, &mut problems);
        names.map(|name| query.take(name))
    };
    problems.check()?;
    Ok(values)
}

fn told(client: &Client, failed: &Failed) -> ApiError {
    let provider = &client.provider().name;
    match failed {
        Failed::Away(_) => tracing::warn!(%failed, %provider, "a provider is away"),
        Failed::Unproved(_) => tracing::info!(%failed, %provider, "nobody is signed in"),
    }
    let code = match failed {
        Failed::Away(_) => Code::Unavailable,
        Failed::Unproved(_) => Code::Forbidden,
    };
    ApiError::new(code, failed.to_string())
}

fn to(place: &str) -> ApiResult<Response> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    let place = HeaderValue::from_str(place).map_err(ApiError::internal)?;
    headers.insert(LOCATION, place);
    // Also what tells such an answer from a refusal, which becomes a page.
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address of the page holds state and code (RFC 9700 §4.2).
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

fn page() -> Response {
    let mut response = (StatusCode::BAD_REQUEST, Html(FAILED)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
