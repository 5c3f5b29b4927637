//! What is open to strangers is bounded by their address: invalid tokens and invites that are none.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, Method, StatusCode};

use super::origin::origin;
use super::session_cookie::presented;
use crate::error::{ApiError, Code};
use crate::state::AppState;

/// Extension of a request: who is at the other end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Where a stranger may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Of protected routes, before authentication. A token is always looked at: who shares an address
    /// with a stranger, such as that of a load balancer, is not shut out.
    Protected,
    /// Of routes for everybody; what only reads is never refused.
    Public,
    /// Of where people sign in. Whatever they come with besides, an address that failed too often is
    /// shut out: else one who tries passwords would add a token of their own. Letters that are asked
    /// for count too.
    SignIn,
    /// Of what browsers are sent to: a token means nothing there, and whatever is asked for in vain
    /// counts. A HEAD uses up nothing and tells nothing. Each is looked at: any page can have a
    /// browser ask in vain, and whom a provider sends back afterwards is not shut out.
    Answers,
}

impl Door {
    fn is_bounded(self, method: &Method) -> bool {
        match self {
            Self::Protected => true,
            Self::Public | Self::SignIn => *method == Method::POST,
            Self::Answers => *method != Method::HEAD,
        }
    }

    /// Whether who failed too often is refused unheard.
    fn is_shut(self, has_token: bool) -> bool {
        match self {
            Self::Protected | Self::Public => !has_token,
            Self::SignIn => true,
            Self::Answers => false,
        }
    }

    fn is_failure(self, has_token: bool, status: StatusCode) -> bool {
        match (self, has_token) {
            (Self::Protected, _) | (Self::Public, true) => status == StatusCode::UNAUTHORIZED,
            (Self::SignIn, _) if status == StatusCode::ACCEPTED => true,
            (Self::Public, false) | (Self::SignIn | Self::Answers, _) => status.is_client_error(),
        }
    }
}

/// The middleware of every route.
pub async fn bound(
    State((state, door)): State<(AppState, Door)>,
    request: Request,
    next: Next,
) -> Response {
    if !door.is_bounded(request.method()) {
        return next.run(request).await;
    }
    let peer = peer(&state, request.extensions(), request.headers());
    let has_token = names_somebody(request.headers(), &state);
    if door.is_shut(has_token)
        && let Some(refusal) = used_up(&state, peer)
    {
        return refusal;
    }
    let response = next.run(request).await;
    if door.is_failure(has_token, response.status()) {
        return counted(&state, peer, response);
    }
    response
}

/// Whether there is something that may show who calls.
pub(super) fn names_somebody(headers: &HeaderMap, state: &AppState) -> bool {
    headers.contains_key(AUTHORIZATION) || presented(headers, &state.public_url).is_some()
}

/// From where a request comes. Those without an address are one.
pub(super) fn peer(state: &AppState, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    let peer = extensions.get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(address)| *address);
    origin(peer, headers, &state.trusted_proxies)
}

fn used_up(state: &AppState, peer: IpAddr) -> Option<Response> {
    let (limit, now) = (state.failures_per_minute, state.now());
    let left = state.failures.check(peer, limit, now).err()?;
    Some(refusal(limit, left))
}

/// The failure, or above the limit a refusal in its place.
fn counted(state: &AppState, peer: IpAddr, failure: Response) -> Response {
    let (limit, now) = (state.failures_per_minute, state.now());
    match state.failures.count(peer, limit, now) {
        Ok(()) => failure,
        Err(left) => refusal(limit, left),
    }
}

fn refusal(limit: u64, left: u64) -> Response {
    let text = format!("more than {limit} failures from this address in a minute");
    ApiError::new(Code::RateLimited, text)
        .retry_after(left)
        .into_response()
}
