//! From records to what a region is told of them.

use std::num::NonZeroU64;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_process::clock::unix_ms;
use requestrocket_proto::policy::v1::{Layer, Limits};
use requestrocket_proto::region::v1::{self as wire, CredentialAuthType, CredentialSide};
use requestrocket_proto::region::v1::{Change, RecordKind, Removed, change};

use crate::domain::gateway::consent::{ConsentState, SealedConsent};
use crate::domain::gateway::cors::Cors;
use crate::domain::gateway::credential::{Credential, CredentialForm};
use crate::domain::gateway::proxy::{Proxy, ProxyForm};
use crate::domain::gateway::slot::NextSecret;
use crate::domain::gateway::target::{Target, TargetForm};
use crate::domain::guard::effect::Effect;
use crate::domain::moment::Moment;
use crate::domain::people::organisation::{Organisation, OrganisationStatus, Standing};
use crate::region::policy_spec;
use crate::store::log::change::ChangeRow;
use crate::store::log::current::{Current, Found, SealedCredential};
use crate::store::log::write::{InvalidKind, Kind};

/// What the store has of a record means nothing; the region is not told of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidRecord<'r> {
    #[error(transparent)]
    Kind(#[from] InvalidKind),
    #[error("it or what belongs to it cannot be read: {0}")]
    Row(&'r sqlx::Error),
    #[error("what a consent brought cannot be read")]
    Consent,
    #[error("number is out of range")]
    Number,
}

type Told<'r, T> = Result<T, InvalidRecord<'r>>;

/// What the region is told of `row`: the record as it is now, or that it is gone.
pub(super) fn change<'c>(current: &'c Current, row: &ChangeRow) -> Told<'c, Change> {
    let kind: Kind = row.kind.parse()?;
    let state = if row.is_removed == 0 {
        state(current, kind, &row.record_id)?
    } else {
        None
    };
    let removed = || {
        change::Kind::Removed(Removed {
            kind: record_kind(kind).into(),
            id: row.record_id.clone(),
        })
    };
    Ok(Change {
        kind: Some(state.unwrap_or_else(removed)),
    })
}

/// None when the record vanished after its change was read; its removal follows.
fn state<'c>(current: &'c Current, kind: Kind, id: &str) -> Told<'c, Option<change::Kind>> {
    match kind {
        Kind::Organisation => Ok(one(&current.organisations, id)?.map(organisation)),
        Kind::Credential => {
            let found = one(&current.credentials, id)?;
            found.map(|found| credential(current, found)).transpose()
        }
        Kind::Target => {
            let found = one(&current.targets, id)?;
            found.map(|found| target(current, found)).transpose()
        }
        Kind::Proxy => {
            let found = one(&current.proxies, id)?;
            found.map(|found| proxy(current, found)).transpose()
        }
    }
}

fn one<'c, T>(found: &'c Found<T>, id: &str) -> Told<'c, Option<&'c T>> {
    let found = found.get(id).map(Result::as_ref).transpose();
    found.map_err(InvalidRecord::Row)
}

fn some<'c, T>(found: &'c Found<Vec<T>>, id: &str) -> Told<'c, &'c [T]> {
    Ok(one(found, id)?.map_or(&[], Vec::as_slice))
}

/// What is attached to the record of this id.
fn layer<'c>(current: &'c Current, id: &str, default_effect: Effect) -> Told<'c, Option<Layer>> {
    let rules = some(&current.rules, id)?;
    let redactions = some(&current.redactions, id)?;
    Ok(Some(policy_spec::layer(default_effect, rules, redactions)))
}

fn organisation(organisation: &Organisation) -> change::Kind {
    let is_suspended = organisation.status == OrganisationStatus::Suspended
        || organisation.standing == Standing::Suspended;
    change::Kind::Organisation(wire::Organisation {
        organisation_id: organisation.id.to_string(),
        is_suspended,
        credential_limits: Some(Limits {
            minute: organisation.credential_limit(),
            ..Limits::default()
        }),
    })
}

// No `..` below: a new field must be told to the region or left out on purpose.

fn credential<'c>(current: &'c Current, sealed: &SealedCredential) -> Told<'c, change::Kind> {
    let Credential {
        id,
        organisation,
        region: _,
        side,
        auth_type,
        form:
            CredentialForm {
                name: _,
                default_rule_effect,
                is_active,
                expires_at,
                allowed_hosts,
            },
        labels: _,
        version,
        previous_until,
        next,
        consent: state,
        created_at: _,
        updated_at: _,
        created_by: _,
        revision: _,
    } = &sealed.credential;
    let id = id.to_string();
    Ok(change::Kind::Credential(wire::Credential {
        layer: layer(current, &id, *default_rule_effect)?,
        credential_id: id,
        organisation_id: organisation.to_string(),
        is_active: *is_active,
        version: *version,
        side: side_of(*side).into(),
        auth_type: auth_type_of(*auth_type).into(),
        sealed_secret: sealed.secret.clone().unwrap_or_default().into(),
        ends_at_ms: end_ms(*expires_at),
        previous_ends_at_ms: end_ms(*previous_until),
        allowed_hosts: allowed_hosts.iter().map(ToString::to_string).collect(),
        consent: consent(state.as_ref(), sealed.consent.as_ref())?,
        next: next.as_ref().map(|next| next_secret(next, sealed)),
    }))
}

fn next_secret(next: &NextSecret, sealed: &SealedCredential) -> wire::NextSecret {
    let NextSecret {
        version,
        switch_at,
        failed_at,
    } = next;
    wire::NextSecret {
        version: *version,
        sealed_secret: sealed.next.clone().unwrap_or_default().into(),
        // The region knows it, too, but for one whose store was lost.
        given_from_ms: end_ms(switch_at.filter(|_| failed_at.is_none())),
    }
}

/// The last consent, with what it brought while the region does not have that.
fn consent<'c>(
    state: Option<&ConsentState>,
    sealed: Option<&SealedConsent>,
) -> Told<'c, Option<wire::Consent>> {
    let number = state.map_or(0, |state| state.number);
    let told = wire::Consent {
        number,
        ..wire::Consent::default()
    };
    let Some(sealed) = sealed else {
        return Ok((number > 0).then_some(told));
    };
    let SealedConsent {
        code,
        verifier,
        redirect_uri,
    } = sealed;
    let bytes = |text: &str| BASE64.decode(text).map_err(|_| InvalidRecord::Consent);
    Ok(Some(wire::Consent {
        sealed_code: bytes(code)?.into(),
        sealed_verifier: bytes(verifier.as_deref().unwrap_or_default())?.into(),
        redirect_uri: redirect_uri.clone(),
        ..told
    }))
}

fn target<'c>(current: &'c Current, target: &Target) -> Told<'c, change::Kind> {
    let Target {
        id,
        organisation,
        region: _,
        form:
            TargetForm {
                name: _,
                base_url,
                test_path,
                check_seconds,
                default_rule_effect,
            },
        labels: _,
        created_at: _,
        updated_at: _,
        created_by: _,
        revision: _,
        health: _,
    } = target;
    let id = id.to_string();
    Ok(change::Kind::Target(wire::Target {
        layer: layer(current, &id, *default_rule_effect)?,
        target_id: id,
        organisation_id: organisation.to_string(),
        base_url: base_url.to_string(),
        check_seconds: check_seconds.unwrap_or_default(),
        test_path: test_path.clone().unwrap_or_default(),
    }))
}

fn proxy<'c>(current: &'c Current, proxy: &Proxy) -> Told<'c, change::Kind> {
    let Proxy {
        id,
        organisation,
        region: _,
        form,
        labels: _,
        has_target,
        has_target_credential,
        created_at: _,
        updated_at: _,
        created_by: _,
        revision: _,
    } = proxy;
    let ProxyForm {
        name: _,
        proxy_credentials,
        target,
        target_credential,
        is_active,
        default_rule_effect,
        timeout_seconds,
        max_requests_per_minute,
        max_requests_per_day,
        max_response_bytes,
        max_inspected_bytes,
        alias,
        cors,
    } = form;
    let id = id.to_string();
    // The API goes on showing the id of what is deleted; the region must not wait for it.
    let live = |is_there: &bool, id: String| if *is_there { id } else { String::new() };
    let limits = Limits {
        minute: max_requests_per_minute.map(NonZeroU64::get),
        hour: None,
        day: max_requests_per_day.map(NonZeroU64::get),
        month: None,
    };
    Ok(change::Kind::Proxy(wire::Proxy {
        layer: layer(current, &id, *default_rule_effect)?,
        limits: Some(limits),
        meters: policy_spec::meters(some(&current.meters, &id)?),
        max_inspected_bytes: *max_inspected_bytes,
        proxy_credential_ids: proxy_credentials.iter().map(ToString::to_string).collect(),
        proxy_id: id,
        organisation_id: organisation.to_string(),
        is_active: *is_active,
        target_id: live(has_target, target.to_string()),
        target_credential_id: live(has_target_credential, target_credential.to_string()),
        timeout_seconds: u32::try_from(*timeout_seconds).map_err(|_| InvalidRecord::Number)?,
        max_response_bytes: *max_response_bytes,
        alias: alias.as_ref().map(ToString::to_string).unwrap_or_default(),
        cors: cors.clone().map(|cors| Box::new(cors_of(cors))),
    }))
}

fn cors_of(cors: Cors) -> wire::Cors {
    let Cors {
        allowed_origins,
        allowed_headers,
        exposed_headers,
        allow_credentials,
        max_age_seconds,
    } = cors;
    wire::Cors {
        allowed_origins,
        allowed_headers,
        exposed_headers,
        allow_credentials,
        max_age_seconds,
    }
}

/// As messages say an end: 0 is never, so what ended before all time ended at its first moment.
fn end_ms(end: Option<Moment>) -> u64 {
    end.map_or(0, |end| {
        u64::try_from(unix_ms(end.get())).map_or(1, |end| end.max(1))
    })
}

fn record_kind(kind: Kind) -> RecordKind {
    match kind {
        Kind::Organisation => RecordKind::Organisation,
        Kind::Credential => RecordKind::Credential,
        Kind::Target => RecordKind::Target,
        Kind::Proxy => RecordKind::Proxy,
    }
}

fn side_of(side: Side) -> CredentialSide {
    match side {
        Side::Proxy => CredentialSide::Proxy,
        Side::Target => CredentialSide::Target,
    }
}

fn auth_type_of(auth_type: AuthType) -> CredentialAuthType {
    match auth_type {
        AuthType::None => CredentialAuthType::None,
        AuthType::ApiKey => CredentialAuthType::ApiKey,
        AuthType::Bearer => CredentialAuthType::Bearer,
        AuthType::BasicAuth => CredentialAuthType::BasicAuth,
        AuthType::Jwt => CredentialAuthType::Jwt,
        AuthType::Custom => CredentialAuthType::Custom,
        AuthType::JwtVerify => CredentialAuthType::JwtVerify,
        AuthType::OAuth2 => CredentialAuthType::Oauth2,
        AuthType::CustomToken => CredentialAuthType::CustomToken,
        AuthType::SignedJwt => CredentialAuthType::SignedJwt,
        AuthType::AwsSigV4 => CredentialAuthType::AwsSigV4,
        AuthType::Hmac => CredentialAuthType::Hmac,
    }
}

#[cfg(test)]
mod tests;
