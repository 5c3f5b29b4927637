//! What decides a call through a proxy, as the records have it now: for trying calls.

use requestrocket_proto::policy::v1 as wire;
use sqlx::AnyConnection;

use crate::domain::gateway::proxy::Proxy;
use crate::domain::guard::attachment::AttachedTo;
use crate::domain::guard::effect::Effect;
use crate::domain::guard::redaction::RedactionForm;
use crate::domain::guard::rule::RuleForm;
use crate::domain::id::{CredentialId, OrganisationId, ProxyId};
use crate::error::{ApiError, ApiResult};
use crate::region::policy_spec;
use crate::store::gateway::credential::credential_fetch;
use crate::store::gateway::proxy::proxy_fetch;
use crate::store::gateway::target::target_fetch;
use crate::store::guard::attachment::attachment_active;
use requestrocket_policy::form::problem::{Fault, Problems};

/// The layers of one call; None where the record is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyLayers {
    /// Of the credential that the caller uses.
    pub proxy_credential: Option<wire::Layer>,
    /// Of the proxy's target credential.
    pub target_credential: Option<wire::Layer>,
    /// Of the proxy's target.
    pub target: Option<wire::Layer>,
    /// Of the proxy itself.
    pub proxy: wire::Layer,
}

/// The layers of a call through the organisation's proxy with `credential`, or with the proxy's
/// first one.
///
/// # Errors
/// There is no such proxy, or the credential is none of its.
pub async fn layers(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    proxy: ProxyId,
    credential: Option<CredentialId>,
) -> ApiResult<ProxyLayers> {
    let proxy = proxy_fetch(conn, organisation, proxy).await?;
    let proxy = proxy.ok_or_else(ApiError::not_found)?.proxy;
    let proxy_credential = match used_credential(&proxy, credential)? {
        Some(credential) => credential_layer(conn, organisation, credential).await?,
        None => None,
    };
    let target_credential =
        credential_layer(conn, organisation, proxy.form.target_credential).await?;
    let target = match target_fetch(conn, organisation, proxy.form.target).await? {
        Some(target) => {
            let attached_to = AttachedTo::Target(target.id);
            let effect = target.form.default_rule_effect;
            Some(layer_of(conn, organisation, attached_to, effect).await?)
        }
        None => None,
    };
    let attached_to = AttachedTo::Proxy(proxy.id);
    let effect = proxy.form.default_rule_effect;
    Ok(ProxyLayers {
        proxy_credential,
        target_credential,
        target,
        proxy: layer_of(conn, organisation, attached_to, effect).await?,
    })
}

/// The active rules and redactions of one record.
///
/// # Errors
/// The store does not answer.
pub async fn layer_of(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
    default_effect: Effect,
) -> sqlx::Result<wire::Layer> {
    let rules = attachment_active::<RuleForm>(conn, organisation, attached_to).await?;
    let redactions = attachment_active::<RedactionForm>(conn, organisation, attached_to).await?;
    Ok(policy_spec::layer(default_effect, &rules, &redactions))
}

async fn credential_layer(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    credential: CredentialId,
) -> sqlx::Result<Option<wire::Layer>> {
    let Some(credential) = credential_fetch(conn, organisation, credential).await? else {
        return Ok(None);
    };
    let attached_to = AttachedTo::Credential(credential.id);
    let effect = credential.form.default_rule_effect;
    layer_of(conn, organisation, attached_to, effect)
        .await
        .map(Some)
}

/// None when all of the proxy's credentials are gone.
fn used_credential(
    proxy: &Proxy,
    wanted: Option<CredentialId>,
) -> Result<Option<CredentialId>, Problems> {
    let own = &proxy.form.proxy_credentials;
    match wanted {
        None => Ok(own.first().copied()),
        Some(wanted) if own.contains(&wanted) => Ok(Some(wanted)),
        Some(_) => {
            let mut problems = Problems::default();
            let text = "names no proxy credential of the proxy";
            problems.add(Fault::ReferenceNotFound, "credentialId", text);
            Err(problems)
        }
    }
}
