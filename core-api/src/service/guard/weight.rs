//! What a proxy brings together is bounded: its own attachments, and those of its target and of
//! all its credentials. The engine compiles all of them at once, and has the last word; here are
//! only sums of what drafts weigh.

use requestrocket_policy::compile::MAX_WEIGHT;
use sqlx::AnyConnection;

use crate::domain::guard::attachment::AttachedTo;
use crate::domain::id::OrganisationId;
use crate::error::{ApiError, ApiResult, Code};
use crate::store::guard::weight::{ProxyWeight, weight_heaviest, weight_replace};

/// Notes what the record weighs after something was attached to it, or what is attached was changed.
///
/// # Errors
/// It is too much, for the record or for a proxy that uses it.
pub async fn weigh(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
    weight: ApiResult<u64>,
) -> ApiResult<()> {
    let weight = weight?;
    let before = weight_replace(conn, organisation, attached_to, weight).await?;
    // What gets lighter is always possible, also where it is still too much.
    if weight > before {
        check_proxies(conn, organisation, attached_to).await?;
    }
    Ok(())
}

/// Notes what the record weighs after something was taken from it, which must always be possible: what
/// is still too much stays as heavy as it was.
///
/// # Errors
/// The store does not answer.
pub async fn weigh_less(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
    weight: ApiResult<u64>,
) -> ApiResult<()> {
    match weight {
        Ok(weight) => {
            weight_replace(conn, organisation, attached_to, weight).await?;
            Ok(())
        }
        Err(error) if matches!(error.code(), Code::LimitReached) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether all proxies that use the record, or the proxy itself, bring not too much together.
///
/// # Errors
/// One of them does.
pub async fn check_proxies(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    used: AttachedTo,
) -> ApiResult<()> {
    match weight_heaviest(conn, organisation, used).await? {
        Some(ProxyWeight { proxy, weight }) if weight > MAX_WEIGHT as u64 => {
            let text = format!(
                "the rules, filters and meters of proxy {proxy}, its target and all its \
                 credentials become too large together when compiled: {weight} bytes of \
                 {MAX_WEIGHT}"
            );
            Err(ApiError::new(Code::LimitReached, text))
        }
        Some(_) | None => Ok(()),
    }
}
