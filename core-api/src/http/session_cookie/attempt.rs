//! The cookie of an attempt to sign in by a provider.

use cookie::Cookie;
use cookie::time::Duration;
use http::{HeaderMap, Response};

use super::{cookie_named, is_plain, only, put};
use crate::error::{ApiError, ApiResult};
use crate::identity::oidc::{ATTEMPT_LIFE, Attempt};

const SECURE: &str = "__Host-rr-oidc";
const PLAIN: &str = "rr-oidc";

/// The attempt that the browser began, if there is exactly one.
pub(in crate::http) fn presented(headers: &HeaderMap, public_url: &str) -> Option<Attempt> {
    Attempt::of_cookie(&only(headers, name(public_url))?)
}

/// Has the browser keep an attempt. It comes along when the provider sends the browser back, as that
/// is a page that is gone to (`SameSite=Lax`).
///
/// # Errors
/// The cookie is no header.
pub(in crate::http) fn set<B>(
    response: &mut Response<B>,
    attempt: &Attempt,
    public_url: &str,
) -> ApiResult<()> {
    let life = Duration::try_from(ATTEMPT_LIFE).map_err(ApiError::internal)?;
    put(response, &cookie(&attempt.cookie(), life, public_url))
}

/// Has the browser forget it.
///
/// # Errors
/// The cookie is no header.
pub(in crate::http) fn clear<B>(response: &mut Response<B>, public_url: &str) -> ApiResult<()> {
    put(response, &cookie("", Duration::ZERO, public_url))
}

fn cookie<'a>(value: &'a str, life: Duration, public_url: &str) -> Cookie<'a> {
    cookie_named((name(public_url), value), life, public_url)
}

fn name(public_url: &str) -> &'static str {
    if is_plain(public_url) { PLAIN } else { SECURE }
}
