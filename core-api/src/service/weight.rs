//! What a proxy brings together is bounded: its own attachments, and those of its target and of
//! all its credentials. The engine compiles all of them at once, and has the last word.

use requestrocket_policy::compile::{MAX_WEIGHT, check_layer, check_meters};
use sqlx::AnyConnection;

use super::sample::layer_of;
use crate::domain::attachment::AttachedTo;
use crate::domain::effect::Effect;
use crate::domain::id::OrganisationId;
use crate::domain::meter::MeterForm;
use crate::error::{ApiError, ApiResult, Code};
use crate::spec;
use crate::store::attachment::attachment_active;
use crate::store::weight::{ProxyWeight, weight_heaviest, weight_replace};

/// Weighs the record again after something was attached to it, or what is attached was changed.
///
/// # Errors
/// It is too much, for the record or for a proxy that uses it.
pub async fn weigh(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
) -> ApiResult<()> {
    let weight = compiled(conn, organisation, attached_to).await?;
    let before = weight_replace(conn, organisation, attached_to, weight).await?;
    if weight > before {
        check_proxies(conn, organisation, attached_to).await?;
    }
    Ok(())
}

/// Weighs the record again after something was taken from it, which must always be possible: what
/// is still too much stays as heavy as it was.
///
/// # Errors
/// The store does not answer.
pub async fn weigh_less(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
) -> ApiResult<()> {
    match compiled(conn, organisation, attached_to).await {
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

/// What is fine by itself may be too much together.
async fn compiled(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
) -> ApiResult<u64> {
    // Which default effect does not matter here.
    let layer = layer_of(conn, organisation, attached_to, Effect::Deny).await?;
    let mut weight = check_layer(layer).map_err(|invalid| too_much(&invalid))?;
    if matches!(attached_to, AttachedTo::Proxy(_)) {
        let meters = attachment_active::<MeterForm>(conn, organisation, attached_to).await?;
        weight += check_meters(spec::meters(&meters)).map_err(|invalid| too_much(&invalid))?;
    }
    Ok(weight as u64)
}

fn too_much(invalid: &dyn std::error::Error) -> ApiError {
    let text = format!("too much is attached to this record: {invalid}");
    ApiError::new(Code::LimitReached, text)
}
