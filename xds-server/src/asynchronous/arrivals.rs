//! What Envoys hand over: calls that their filter has let in, from nodes only.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http::Method;
use requestrocket_policy::denial::{Asynchronous, Denial};
use requestrocket_policy::passage::{ARRIVAL_HEADER, Arrival};
use tonic::Status;

use super::answer::refusal;
use super::{Arrivals, intake, question};

/// For everything that is no service of gRPC.
pub(super) fn router(arrivals: Arrivals) -> Router {
    Router::new().fallback(answer).with_state(arrivals)
}

/// The path begins as callers' did: the filter has put the proxy's id in its second segment.
async fn answer(State(arrivals): State<Arrivals>, request: Request) -> Response {
    let header = request.headers().get(ARRIVAL_HEADER);
    let arrival = header.and_then(|value| Arrival::from_header(value.as_bytes()));
    let Some(arrival) = arrival else {
        // As to a service that is not there: what comes without a word of the filter is no arrival.
        return Status::unimplemented("").into_http();
    };
    let path = request.uri().path();
    let mut segments = path.trim_start_matches('/').splitn(3, '/');
    let (entry, _proxy) = (segments.next(), segments.next());
    let below = segments.next().map(str::to_owned);
    match (entry, request.method()) {
        (Some("async"), _) => intake::take(&arrivals, arrival, below, request).await,
        (Some("requests"), &Method::GET) => {
            question::status(&arrivals, &arrival, below.as_deref(), request.uri().query()).await
        }
        (Some("requests"), &Method::DELETE) => {
            question::cancel(&arrivals, &arrival, below.as_deref()).await
        }
        _ => refusal(Denial::Asynchronous(Asynchronous::UnknownRequest)),
    }
}
