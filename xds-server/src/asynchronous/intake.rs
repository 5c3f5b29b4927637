//! A request comes in: it is made durable, and only then answered.

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use requestrocket_policy::denial::{Asynchronous, Denial};
use requestrocket_policy::passage::{Arrival, REQUEST_HEADER};
use serde_json::json;

use super::Arrivals;
use super::answer::{granted, refusal, unavailable};
use super::is_end_to_end;
use crate::queue::{self, Accepted, IdempotencyKey, Intake, IntakeError, Ordering};
use crate::translate::ProxyPassage;

const KEY: &str = "idempotency-key";
const ORDERING_KEY: &str = "requestrocket-ordering-key";
const ORDERING_POLICY: &str = "requestrocket-ordering-policy";
const CALLBACK_URL: &str = "requestrocket-callback-url";
const CALLBACK_BODY: &str = "requestrocket-callback-body";
const REPLAYED: &str = "idempotent-replayed";

/// What a caller says to the region server.
struct Wishes {
    ordering: Option<Ordering>,
    idempotency: Option<IdempotencyKey>,
}

/// Takes a request whose path below the proxy is `below`, without its leading slash.
pub(super) async fn take(
    arrivals: &Arrivals,
    arrival: Arrival,
    below: Option<String>,
    request: Request,
) -> Response {
    let taken = accept(arrivals, &arrival, below, request).await;
    match taken {
        Ok(accepted) => answer(arrivals, &arrival, accepted),
        Err(denial) => refusal(denial),
    }
}

async fn accept(
    arrivals: &Arrivals,
    arrival: &Arrival,
    below: Option<String>,
    request: Request,
) -> Result<Accepted, Denial> {
    let proxy_id = arrival.proxy.to_string();
    let passage = arrivals.snapshots.borrow().passage(&proxy_id).cloned();
    // Its Envoy may know more than this server, or less, for a moment.
    let passage = passage.ok_or(Denial::Asynchronous(Asynchronous::Unavailable))?;
    let wishes = Wishes::read(request.headers())?;
    if declares_more(request.headers(), &passage) {
        return Err(Denial::RequestTooLarge);
    }
    let (parts, body) = request.into_parts();
    let held = arrivals.room.take(body, passage.max_body_bytes).await?;
    let kept = queue::Request {
        method: parts.method.to_string(),
        path: format!("/{}", below.unwrap_or_default()),
        query: parts.uri.query().map(str::to_owned),
        headers: kept_headers(&parts.headers),
        body: held.bytes.clone(),
    };
    let intake = Intake {
        organisation_id: arrival.organisation.to_string(),
        proxy_id,
        credential_id: arrival.sender.credential.to_string(),
        target_id: passage.target_id.clone(),
        request: kept,
        caller: arrival.sender.encode().into(),
        ordering: wishes.ordering,
        idempotency: wishes.idempotency,
        callback: None,
        timeout: passage.timeout,
        keep_response: passage.kept,
    };
    let accepted = arrivals.queue.accept(intake).await;
    accepted.map_err(|error| {
        let denial = match error {
            IntakeError::KeyReused => Asynchronous::KeyReused,
            IntakeError::KeyBusy => Asynchronous::KeyBusy,
            IntakeError::Full | IntakeError::Away => Asynchronous::Unavailable,
        };
        Denial::Asynchronous(denial)
    })
}

fn answer(arrivals: &Arrivals, arrival: &Arrival, accepted: Accepted) -> Response {
    let (request_id, is_replayed) = match accepted {
        Accepted::New(id) => (id, false),
        Accepted::Replayed(id) => (id, true),
    };
    let url = format!(
        "{}/requests/{}/{request_id}",
        arrivals.base_url, arrival.proxy
    );
    let body = json!({ "requestId": request_id, "status": "queued", "statusUrl": url });
    let mut response = granted(StatusCode::ACCEPTED, Some(&body));
    let (Ok(url), Ok(id)) = (
        HeaderValue::from_str(&url),
        HeaderValue::from_str(&request_id),
    ) else {
        return unavailable();
    };
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, url);
    headers.insert(REQUEST_HEADER, id);
    if is_replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

fn declares_more(headers: &HeaderMap, passage: &ProxyPassage) -> bool {
    let declared = headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    declared.is_some_and(|bytes| bytes > passage.max_body_bytes)
}

/// In order, as far as they are the caller's.
fn kept_headers(headers: &HeaderMap) -> Vec<(String, Bytes)> {
    let lines = headers.iter();
    let lines = lines.filter(|(name, _)| is_end_to_end(name.as_str()));
    let own = |value: &HeaderValue| Bytes::copy_from_slice(value.as_bytes());
    lines
        .map(|(name, value)| (name.as_str().to_owned(), own(value)))
        .collect()
}

impl Wishes {
    fn read(headers: &HeaderMap) -> Result<Self, Denial> {
        let bad = Denial::Asynchronous;
        let ordering = || Ok((one(headers, ORDERING_KEY)?, one(headers, ORDERING_POLICY)?));
        let (key, policy) = ordering().map_err(|NotOne| bad(Asynchronous::BadOrdering))?;
        let ordering = Ordering::read(key, policy);
        let idempotency = one(headers, KEY).map_err(|NotOne| bad(Asynchronous::BadKey))?;
        let idempotency = idempotency.map(str::parse).transpose();
        // No proxy lists hosts that may be told of outcomes.
        let mut about_calls = [CALLBACK_URL, CALLBACK_BODY].into_iter();
        if about_calls.any(|name| headers.contains_key(name)) {
            return Err(bad(Asynchronous::BadCallback));
        }
        Ok(Self {
            ordering: ordering.map_err(|_| bad(Asynchronous::BadOrdering))?,
            idempotency: idempotency.map_err(|_| bad(Asynchronous::BadKey))?,
        })
    }
}

/// A header has several lines, or is no text.
struct NotOne;

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, NotOne> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| NotOne),
        (Some(_), Some(_)) => Err(NotOne),
    }
}
