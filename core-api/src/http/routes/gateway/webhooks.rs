//! `/webhooks/oauth2`: where providers send browsers back after somebody consented.
//!
//! Invariants: nothing of the request is repeated in an answer, nobody is sent anywhere, and every
//! answer of a provider that fails looks alike.

use axum::extract::{RawQuery, Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use requestrocket_policy::secret::SecretText;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::account::audit::Origin;
use crate::error::ApiResult;
use crate::http::query::Query;
use crate::service::gateway::consents::{self, Answer, Taken};
use crate::state::AppState;
use requestrocket_policy::form::problem::Problems;

/// Longer codes are none; those of known providers have up to 2,000 bytes.
const MAX_CODE_BYTES: usize = 4_096;
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    // The address of the page holds state and code (RFC 9700 §4.2).
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];
const CONNECTED: &str = "<!doctype html><html lang=\"en\"><head><title>Connected</title></head>\
    <body><h1>Connected</h1><p>You can close this window.</p></body></html>";
const FAILED: &str = "<!doctype html><html lang=\"en\"><head><title>Not connected</title></head>\
    <body><h1>Not connected</h1><p>Ask for a new link and try again.</p></body></html>";

const LATER: &str = "<!doctype html><html lang=\"en\"><head><title>Not connected</title></head>\
    <body><h1>Not connected</h1><p>Try again later.</p></body></html>";

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(take_consent))
}

/// Takes what a provider says after somebody consented. For browsers: it needs no token, and the
/// answer is a page.
#[utoipa::path(
    get,
    path = "/webhooks/oauth2",
    tag = "credentials",
    params(
        ("state" = Option<String>, Query, description = "As it was sent to the provider"),
        ("code" = Option<String>, Query, description = "Of the provider"),
        ("error" = Option<String>, Query, description = "In its place: nobody consented"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/html", description = "Connected"),
        (status = 400, body = String, content_type = "text/html", description = "Not connected"),
    )
)]
async fn take_consent(
    State(state): State<AppState>,
    method: Method,
    origin: Origin,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    // A HEAD is of whoever looks at links, and must not use one up.
    if method != Method::GET {
        return Ok(page(StatusCode::BAD_REQUEST, FAILED));
    }
    let taken = match read(query.as_deref()) {
        Some((returned, answer)) => {
            consents::take(&state, origin, returned.expose(), answer).await?
        }
        None => Taken::Refused("the answer is of no form"),
    };
    match taken {
        Taken::Connected => Ok(page(StatusCode::OK, CONNECTED)),
        Taken::Refused(reason) => {
            tracing::info!(reason, "consent is not taken");
            Ok(page(StatusCode::BAD_REQUEST, FAILED))
        }
    }
}

/// The middleware before these routes: what is refused there, or goes wrong here, is a page, too.
pub async fn pages(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_page = response.headers().contains_key(CONTENT_SECURITY_POLICY);
    if is_page {
        return response;
    }
    let again = response.headers_mut().remove(RETRY_AFTER);
    let mut page = page(response.status(), LATER);
    page.headers_mut()
        .extend(again.map(|after| (RETRY_AFTER, after)));
    page
}

fn page(status: StatusCode, text: &'static str) -> Response {
    let mut response = (status, Html(text)).into_response();
    response.headers_mut().extend(HEADERS);
    response
}

/// The state and what came with it; what else providers say does not matter.
fn read(query: Option<&str>) -> Option<(SecretText, Answer)> {
    let mut problems = Problems::default();
    let [state, code, error] = {
        // No parameter may come twice (RFC 6749 §3.1): which one counts would be a guess.
        let mut query = Query::new(query, &mut problems);
        ["state", "code", "error"].map(|name| query.take(name))
    };
    problems.check().ok()?;
    let answer = match (code, error) {
        (Some(code), None) => Answer::Code(SecretText::new(code)),
        (None, Some(_)) => Answer::Refusal,
        (Some(_), Some(_)) | (None, None) => return None,
    };
    if let Answer::Code(code) = &answer {
        let text = code.expose();
        let is_legal =
            (1..=MAX_CODE_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
        is_legal.then_some(())?;
    }
    Some((SecretText::new(state?), answer))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::error::ApiError;

    #[test]
    fn an_answer_has_a_state_and_either_a_code_or_an_error_once() {
        let code = |text: &str| Some(Some(text.to_owned()));
        let long = format!("state=s&code={}", "c".repeat(MAX_CODE_BYTES + 1));
        for (query, want) in [
            ("state=s&code=a%2Fb%2B", code("a/b+")),
            ("code=c&state=s&scope=x&session_state=y", code("c")),
            (
                "state=s&error=access_denied&error_description=no",
                Some(None),
            ),
            ("state=s", None),
            ("code=c", None),
            ("state=s&code=", None),
            ("state=s&code=%0a", None),
            ("state=s&code=c&code=d", None),
            ("state=s&state=t&code=c", None),
            ("state=s&code=c&error=e", None),
            ("state=s&code=%ff", None),
            (long.as_str(), None),
            ("", None),
        ] {
            let read = read(Some(query)).map(|(state, answer)| {
                assert_eq!(state.expose(), "s");
                match answer {
                    Answer::Code(code) => Some(code.expose().to_owned()),
                    Answer::Refusal => None,
                }
            });
            assert_eq!(read, want, "{query}");
        }
    }

    #[tokio::test]
    async fn a_fault_is_a_page_that_says_nothing_of_it() {
        let fault = async || -> ApiResult { Err(ApiError::internal("secret table")) };
        let app: Router = Router::new().route("/", get(fault)).layer(from_fn(pages));
        let request = Request::new(axum::body::Body::empty());
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 4096).await;
        assert_eq!(body.unwrap(), LATER);
    }

    #[test]
    fn pages_hold_nothing_that_is_run_or_fetched() {
        for page in [CONNECTED, FAILED, LATER] {
            for part in ["<script", "<style", "src=", "href=", "{"] {
                assert!(!page.contains(part), "{part}");
            }
        }
    }
}
