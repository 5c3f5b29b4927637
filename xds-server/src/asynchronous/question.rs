//! What callers ask about requests they left: how they stand, and to have them back.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use requestrocket_policy::denial::{Asynchronous, Denial};
use requestrocket_policy::passage::Arrival;

use super::Arrivals;
use super::answer::{granted, refusal, unavailable};
use crate::queue::Cancelled;

/// No question waits longer.
const MAX_WAIT: Duration = Duration::from_secs(30);
const WAIT: &str = "wait";

/// How a request stands.
pub(super) async fn status(
    arrivals: &Arrivals,
    arrival: &Arrival,
    request_id: Option<&str>,
    query: Option<&str>,
) -> Response {
    let Some(wait) = wait(query) else {
        return refusal(Denial::Asynchronous(Asynchronous::BadWait));
    };
    let (proxy_id, request_id) = (arrival.proxy.to_string(), request_id.unwrap_or_default());
    match arrivals.queue.status(&proxy_id, request_id, wait).await {
        Ok(Some(status)) => granted(StatusCode::OK, Some(&status.to_json(true))),
        Ok(None) => unknown(),
        Err(error) => {
            tracing::warn!(%error, "a request cannot be looked at");
            unavailable()
        }
    }
}

/// Takes a request back.
pub(super) async fn cancel(
    arrivals: &Arrivals,
    arrival: &Arrival,
    request_id: Option<&str>,
) -> Response {
    let (proxy_id, request_id) = (arrival.proxy.to_string(), request_id.unwrap_or_default());
    match arrivals.queue.cancel(&proxy_id, request_id).await {
        Ok(Cancelled::Done) => granted(StatusCode::NO_CONTENT, None),
        Ok(Cancelled::TooLate) => refusal(Denial::Asynchronous(Asynchronous::NotCancellable)),
        Ok(Cancelled::Unknown) => unknown(),
        Err(error) => {
            tracing::warn!(%error, "a request cannot be taken back");
            unavailable()
        }
    }
}

fn unknown() -> Response {
    refusal(Denial::Asynchronous(Asynchronous::UnknownRequest))
}

/// What `wait` says, once; none: it is no number of seconds, or too long.
fn wait(query: Option<&str>) -> Option<Duration> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut waits = pairs.filter(|(name, _)| name == WAIT);
    let (first, second) = (waits.next(), waits.next());
    let Some((_, text)) = first else {
        return Some(Duration::ZERO);
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number && second.is_none());
    let wait = seconds.map(Duration::from_secs);
    wait.filter(|wait| *wait <= MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_whole_number_of_seconds_up_to_thirty() {
        for (query, want) in [
            (None, Some(0)),
            (Some(""), Some(0)),
            (Some("other=1"), Some(0)),
            (Some("wait=0"), Some(0)),
            (Some("a=1&wait=30"), Some(30)),
            (Some("wait=31"), None),
            (Some("wait="), None),
            (Some("wait=-1"), None),
            (Some("wait=+1"), None),
            (Some("wait=1.5"), None),
            (Some("wait=1&wait=1"), None),
            (Some("wait=99999999999999999999"), None),
        ] {
            let got = wait(query).map(|wait| wait.as_secs());
            assert_eq!(got, want, "{query:?}");
        }
    }
}
