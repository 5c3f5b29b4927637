//! Records of the store into what one proxy needs. Pure.
//!
//! Invariant: a record of another organisation never gets into a proxy, whatever the ids say.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use http::Uri;
use http::uri::Authority;
use requestrocket_proto::policy::v1 as wire;

use crate::records::record::{
    Credential, ObtainedToken, Organisation, Proxy, Records, StoredSecret, Target, denying_layer,
};
use crate::records::region_config::{CallerConfig, ProxyConfig, Scheme, TargetConfig};
use requestrocket_policy::secret_form::auth_type::Side;
use uuid::Uuid;

mod unusable;

use self::unusable::{Fits, unusable};

#[cfg(test)]
mod tests;

/// One proxy, as far as it can be used.
#[derive(Debug, Default)]
pub struct Assembled {
    /// None: it is gone, or as good as unknown.
    pub config: Option<ProxyConfig>,
    /// Which of its records cannot be used, and why, in one line; None when all can.
    pub unusable: Option<String>,
}

/// A proxy of `records`.
pub fn assemble(proxy: &Proxy, records: &Records) -> Assembled {
    let fits = Fits::of(proxy, records);
    Assembled {
        config: assemble_proxy(proxy, records, fits),
        unusable: unusable(proxy, records, fits),
    }
}

/// A proxy that nobody may call and that has this target and this credential for it. The target's
/// organisation is the one that counts.
pub fn assemble_uncalled(
    target: Target,
    credential: Credential,
    organisation: Organisation,
) -> Assembled {
    let proxy = Proxy {
        proxy_id: Uuid::nil().to_string(),
        organisation_id: target.organisation_id.clone(),
        is_active: true,
        proxy_credential_ids: Vec::new(),
        target_id: target.target_id.clone(),
        target_credential_id: credential.credential_id.clone(),
        timeout_seconds: NonZeroU32::MIN,
        max_response_bytes: 1,
        max_inspected_bytes: 1,
        alias: None,
        layer: denying_layer(),
        limits: wire::Limits::default(),
        meters: Vec::new(),
        cors: None,
    };
    let mut records = Records::default();
    let id = organisation.organisation_id.clone();
    records.organisations.insert(id, organisation);
    records.targets.insert(target.target_id.clone(), target);
    let id = credential.credential_id.clone();
    records.credentials.insert(id, credential);
    assemble(&proxy, &records)
}

/// Every proxy of `records` by its id.
pub fn assemble_all(records: &Records) -> impl Iterator<Item = (&str, Assembled)> {
    let proxies = records.proxies.iter();
    proxies.map(|(id, proxy)| (id.as_str(), assemble(proxy, records)))
}

/// The proxies named by `ids`; of those that are gone nothing.
pub fn assemble_some<'r>(
    ids: &'r BTreeSet<String>,
    records: &'r Records,
) -> impl Iterator<Item = (&'r str, Assembled)> {
    ids.iter().map(|id| {
        let proxy = records.proxies.get(id);
        let assembled = proxy.map(|proxy| assemble(proxy, records));
        (id.as_str(), assembled.unwrap_or_default())
    })
}

/// None: without its organisation nothing of a proxy can be opened; it is as good as unknown.
fn assemble_proxy(proxy: &Proxy, records: &Records, fits: Fits) -> Option<ProxyConfig> {
    let organisation = records.organisations.get(&proxy.organisation_id)?;
    let Organisation {
        organisation_id,
        is_suspended,
        credential_limits: _,
        keys,
    } = organisation;
    let target = records.targets.get(&proxy.target_id);
    let callers = match fits {
        Fits::All => proxy.proxy_credential_ids.as_slice(),
        Fits::None => &[],
    };
    let presented = callers
        .iter()
        .filter_map(|id| proxy_credential(records.credentials.get(id)?, organisation));
    let target = target
        // Ids are what the control plane says; whose a record is counts here.
        .filter(|target| target.organisation_id == *organisation_id)
        .and_then(target_config);
    let target_credential = records.credentials.get(&proxy.target_credential_id);
    // Without a target nothing is given to anyone.
    let target_credential = target_credential.filter(|credential| {
        let target = target.as_ref();
        target.is_none_or(|target| may_go_to(credential, target))
    });
    Some(ProxyConfig {
        proxy_id: proxy.proxy_id.clone(),
        organisation_id: organisation_id.clone(),
        alias: proxy.alias.clone(),
        is_active: proxy.is_active,
        is_suspended: *is_suspended,
        timeout_seconds: proxy.timeout_seconds,
        max_response_bytes: proxy.max_response_bytes,
        max_inspected_bytes: proxy.max_inspected_bytes,
        target_id: proxy.target_id.clone(),
        target,
        proxy_credentials: presented.collect(),
        target_credential: target_credential
            .and_then(|credential| injected_credential(credential, organisation_id)),
        layer: proxy.layer.clone(),
        limits: proxy.limits,
        meters: proxy.meters.clone(),
        cors: proxy.cors.clone(),
        data_key: keys.data_key.clone(),
        digest_key: keys.digest_key.clone(),
    })
}

fn proxy_credential(credential: &Credential, organisation: &Organisation) -> Option<CallerConfig> {
    let usable = usable_secret(credential, &organisation.organisation_id, Side::Proxy)?;
    let presented = match usable {
        StoredSecret::Presented(presented) => presented.clone(),
        StoredSecret::Published(published, fetched) => published.presented(fetched.as_ref()),
        StoredSecret::Injections(_) | StoredSecret::Obtained(..) => return None,
    };
    Some(CallerConfig {
        credential_id: credential.credential_id.clone(),
        is_active: credential.is_active,
        ends_at_ms: credential.ends_at_ms,
        presented,
        previous: credential.previous.clone(),
        layer: credential.layer.clone(),
        limits: organisation.credential_limits,
    })
}

fn injected_credential(
    credential: &Credential,
    organisation_id: &str,
) -> Option<wire::TargetCredential> {
    let usable = usable_secret(credential, organisation_id, Side::Target)?;
    let (injections, serves_until_ms, refresh_on) = match usable {
        StoredSecret::Injections(injections) => (injections.clone(), None, Vec::new()),
        StoredSecret::Obtained(_, Some(token)) => {
            let ObtainedToken {
                injections,
                serves_until_ms,
                refresh_on,
            } = token.clone();
            (injections, Some(serves_until_ms), refresh_on)
        }
        // It was never good: calls are told to come again.
        StoredSecret::Obtained(_, None) => (Vec::new(), Some(0), Vec::new()),
        StoredSecret::Presented(_) | StoredSecret::Published(..) => return None,
    };
    let (version, _) = credential.given();
    credential.is_active.then(|| wire::TargetCredential {
        credential_id: credential.credential_id.clone(),
        version,
        injections,
        serves_until_ms,
        refresh_on,
        // Where it is told of.
        is_token_apart: false,
        layer: Some(credential.layer.clone()),
        ends_at_ms: credential.ends_at_ms,
    })
}

/// Whether its owner allows it at the host of that target (RFC 3986, 3.2).
fn may_go_to(credential: &Credential, target: &TargetConfig) -> bool {
    let authority = target.authority.parse::<Authority>();
    authority.is_ok_and(|authority| credential.allowed_hosts.contain(authority.host()))
}

fn usable_secret<'a>(
    credential: &'a Credential,
    organisation_id: &str,
    side: Side,
) -> Option<&'a StoredSecret> {
    let is_usable = unusable::problem(credential, organisation_id, side).is_none();
    let (_, secret) = credential.given();
    secret.as_ref().ok().filter(|_| is_usable)
}

/// None, with a log line, for a URL that the control plane should never have let pass.
pub fn target_config(target: &Target) -> Option<TargetConfig> {
    let config = parse_base_url(&target.base_url, &target.layer);
    if config.is_none() {
        tracing::warn!(
            target_id = target.target_id,
            "base URL of the target cannot be used"
        );
    }
    config
}

fn parse_base_url(raw: &str, layer: &wire::Layer) -> Option<TargetConfig> {
    let url: Uri = raw.parse().ok()?;
    let scheme = match url.scheme_str()? {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return None,
    };
    let authority = url.authority()?;
    let is_plain = !authority.host().is_empty()
        // What stands before `@` could pass for the host.
        && !authority.as_str().contains('@')
        // `Uri` drops a fragment, so the text is searched.
        && !raw.contains(['?', '#']);
    let path = url.path();
    is_plain.then(|| TargetConfig {
        scheme,
        authority: authority.to_string(),
        base_path: path.trim_end_matches('/').to_owned(),
        layer: layer.clone(),
    })
}
