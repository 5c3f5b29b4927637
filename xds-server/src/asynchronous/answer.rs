//! What callers get, with the headers that every answer of the gateway has.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use requestrocket_policy::denial::{
    Asynchronous, Denial, GRANTED_MESSAGE, PROXY_CODE_HEADER, PROXY_MESSAGE_HEADER, ProxyCode,
    REQUEST_ID_HEADER,
};
use serde_json::Value;
use uuid::Uuid;

/// The refusal as the filter would say it.
pub(super) fn refusal(denial: Denial) -> Response {
    let said = denial.response(&Uuid::new_v4().to_string());
    let mut response = Response::new(Body::from(said.body));
    *response.status_mut() = status(said.status);
    for (name, value) in said.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Nothing was stored, or can be looked at.
pub(super) fn unavailable() -> Response {
    refusal(Denial::Asynchronous(Asynchronous::Unavailable))
}

/// JSON of a call that was let in; none: no body.
pub(super) fn granted(code: StatusCode, body: Option<&Value>) -> Response {
    let mut response = Response::new(body.map_or_else(Body::empty, |it| it.to_string().into()));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    let own = [
        (
            PROXY_CODE_HEADER,
            ProxyCode::AccessGranted.as_str().to_owned(),
        ),
        (PROXY_MESSAGE_HEADER, GRANTED_MESSAGE.to_owned()),
        (REQUEST_ID_HEADER, Uuid::new_v4().to_string()),
        // It is about one moment, and may hold what only its caller is to see.
        (header::CACHE_CONTROL.as_str(), "no-store".to_owned()),
    ];
    let kind = body.map(|_| (header::CONTENT_TYPE.as_str(), "application/json".to_owned()));
    for (name, value) in own.into_iter().chain(kind) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}
