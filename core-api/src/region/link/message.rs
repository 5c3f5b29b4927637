//! From records to what a region is told of them.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use requestrocket_policy::secret_form::auth_type::AuthType;
use requestrocket_process::clock::unix_ms;
use requestrocket_proto::region::v1::{
    self as wire, Change, Credential, CredentialAuthType, CredentialSide, Organisation, Proxy,
    RecordKind, Removed, Target, change::Kind,
};

use requestrocket_proto::policy::v1::{Layer, Limits};

use crate::domain::gateway::cors::Cors;
use crate::domain::moment::Moment;
use crate::domain::people::organisation::Plan;
use crate::region::policy_spec::{self, InvalidRow};
use crate::store::log::attached_state::{Attached, MeterState, RedactionState, RuleState};
use crate::store::log::change::ChangeRow;
use crate::store::log::present::{CredentialState, OrganisationState, ProxyState, TargetState};

/// The present state of the records that some changes name, by id.
#[derive(Debug, Default)]
pub(super) struct Present {
    pub(super) organisations: BTreeMap<String, OrganisationState>,
    pub(super) credentials: BTreeMap<String, CredentialState>,
    pub(super) targets: BTreeMap<String, TargetState>,
    pub(super) proxies: BTreeMap<String, ProxyState>,
    /// In list order, by proxy.
    pub(super) proxy_credentials: BTreeMap<String, Vec<String>>,
    /// Of records of every kind.
    pub(super) rules: Attached<RuleState>,
    /// Of records of every kind.
    pub(super) redactions: Attached<RedactionState>,
    /// By proxy.
    pub(super) meters: Attached<MeterState>,
}

/// A row of the store that means nothing; the region is not told of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidRecord {
    #[error("kind of record is unknown")]
    Kind,
    #[error("auth type is unknown")]
    AuthType,
    #[error("credential is on no side")]
    Side,
    #[error("sealed secret is not base64")]
    SealedSecret,
    #[error("number is out of range")]
    Number,
    #[error("moment cannot be read")]
    Moment,
    #[error("plan is unknown")]
    Plan,
    #[error("what pages may call it cannot be read")]
    Cors,
    #[error("an attachment cannot be read")]
    Attachment(#[from] InvalidRow),
}

impl Present {
    /// What the region is told of `row`: the record as it is now, or that it is gone.
    pub(super) fn change(&self, row: &ChangeRow) -> Result<Change, InvalidRecord> {
        let kind = record_kind(&row.kind)?;
        let state = if row.is_removed == 0 {
            self.state(kind, &row.record_id)?
        } else {
            None
        };
        let removed = || {
            Kind::Removed(Removed {
                kind: kind.into(),
                id: row.record_id.clone(),
            })
        };
        Ok(Change {
            kind: Some(state.unwrap_or_else(removed)),
        })
    }

    /// None when the record vanished after its change was read; its removal follows.
    fn state(&self, kind: RecordKind, id: &str) -> Result<Option<Kind>, InvalidRecord> {
        match kind {
            RecordKind::Organisation => self.organisations.get(id).map(organisation).transpose(),
            RecordKind::Credential => {
                let credential = |row| self.credential(row);
                self.credentials.get(id).map(credential).transpose()
            }
            RecordKind::Target => self.targets.get(id).map(|row| self.target(row)).transpose(),
            RecordKind::Proxy => self.proxies.get(id).map(|row| self.proxy(row)).transpose(),
            RecordKind::Unspecified => Err(InvalidRecord::Kind),
        }
    }

    /// What is attached to the record of this id.
    fn layer(&self, id: &str, default_effect: &str) -> Result<Option<Layer>, InvalidRecord> {
        let rules = self.rules.get(id).map_or(&[][..], Vec::as_slice);
        let redactions = self.redactions.get(id).map_or(&[][..], Vec::as_slice);
        Ok(Some(policy_spec::stored_layer(
            default_effect,
            rules,
            redactions,
        )?))
    }

    fn proxy(&self, row: &ProxyState) -> Result<Kind, InvalidRecord> {
        // No `..`: a new column must be told to the region or left out on purpose.
        let ProxyState {
            proxy_id,
            organisation_id,
            live_target_id,
            live_target_credential_id,
            is_active,
            timeout_seconds,
            max_response_bytes,
            alias,
            default_rule_effect,
            max_requests_per_minute,
            max_requests_per_day,
            max_inspected_bytes,
            cors,
        } = row.clone();
        let meters = self.meters.get(&proxy_id).into_iter().flatten();
        Ok(Kind::Proxy(Proxy {
            layer: self.layer(&proxy_id, &default_rule_effect)?,
            limits: Some(Limits {
                minute: policy_spec::limit(max_requests_per_minute)?,
                hour: None,
                day: policy_spec::limit(max_requests_per_day)?,
                month: None,
            }),
            meters: meters
                .map(policy_spec::stored_meter)
                .collect::<Result<_, _>>()?,
            max_inspected_bytes: unsigned(max_inspected_bytes)?,
            proxy_credential_ids: self
                .proxy_credentials
                .get(&proxy_id)
                .cloned()
                .unwrap_or_default(),
            proxy_id,
            organisation_id,
            is_active: is_active != 0,
            target_id: live_target_id.unwrap_or_default(),
            target_credential_id: live_target_credential_id.unwrap_or_default(),
            timeout_seconds: timeout_seconds
                .try_into()
                .map_err(|_| InvalidRecord::Number)?,
            max_response_bytes: unsigned(max_response_bytes)?,
            alias: alias.unwrap_or_default(),
            cors: cors.as_deref().map(self::cors).transpose()?.map(Box::new),
        }))
    }

    fn credential(&self, row: &CredentialState) -> Result<Kind, InvalidRecord> {
        let CredentialState {
            credential_id,
            organisation_id,
            credential_side,
            auth_type,
            is_active,
            expires_at,
            allowed_hosts,
            previous_until,
            version,
            sealed_secret,
            default_rule_effect,
        } = row.clone();
        let sealed = BASE64.decode(sealed_secret.unwrap_or_default());
        Ok(Kind::Credential(Credential {
            layer: self.layer(&credential_id, &default_rule_effect)?,
            credential_id,
            organisation_id,
            is_active: is_active != 0,
            version: unsigned(version)?,
            side: side(&credential_side)?.into(),
            auth_type: auth_type_of(&auth_type)?.into(),
            sealed_secret: sealed.map_err(|_| InvalidRecord::SealedSecret)?.into(),
            ends_at_ms: end_ms(expires_at.as_deref())?,
            previous_ends_at_ms: end_ms(previous_until.as_deref())?,
            allowed_hosts: hosts(allowed_hosts.as_deref()),
        }))
    }

    fn target(&self, row: &TargetState) -> Result<Kind, InvalidRecord> {
        let TargetState {
            target_id,
            organisation_id,
            base_url,
            default_rule_effect,
        } = row.clone();
        Ok(Kind::Target(Target {
            layer: self.layer(&target_id, &default_rule_effect)?,
            target_id,
            organisation_id,
            base_url,
        }))
    }
}

/// As they are stored.
fn hosts(text: Option<&str>) -> Vec<String> {
    let hosts = text.unwrap_or_default().split_whitespace();
    hosts.map(str::to_owned).collect()
}

fn cors(text: &str) -> Result<wire::Cors, InvalidRecord> {
    let Cors {
        allowed_origins,
        allowed_headers,
        exposed_headers,
        allow_credentials,
        max_age_seconds,
    } = serde_json::from_str(text).map_err(|_| InvalidRecord::Cors)?;
    Ok(wire::Cors {
        allowed_origins,
        allowed_headers,
        exposed_headers,
        allow_credentials,
        max_age_seconds,
    })
}

fn organisation(row: &OrganisationState) -> Result<Kind, InvalidRecord> {
    let OrganisationState {
        organisation_id,
        status,
        plan,
        credential_requests_per_minute,
    } = row.clone();
    let plan: Plan = plan.parse().map_err(|_| InvalidRecord::Plan)?;
    let configured = policy_spec::limit(credential_requests_per_minute)?.and_then(NonZeroU64::new);
    // Refuse by default: whatever is not active is suspended.
    Ok(Kind::Organisation(Organisation {
        organisation_id,
        is_suspended: status != "active",
        credential_limits: Some(Limits {
            minute: plan.credential_requests_per_minute(configured),
            ..Limits::default()
        }),
    }))
}

fn unsigned(number: i64) -> Result<u64, InvalidRecord> {
    number.try_into().map_err(|_| InvalidRecord::Number)
}

/// As messages say an end: 0 is never, so what ended before all time ended at its first moment.
fn end_ms(moment: Option<&str>) -> Result<u64, InvalidRecord> {
    let Some(moment) = moment else { return Ok(0) };
    let moment: Moment = moment.parse().map_err(|_| InvalidRecord::Moment)?;
    Ok(u64::try_from(unix_ms(moment.get())).map_or(1, |end| end.max(1)))
}

fn record_kind(text: &str) -> Result<RecordKind, InvalidRecord> {
    match text {
        "organisation" => Ok(RecordKind::Organisation),
        "credential" => Ok(RecordKind::Credential),
        "target" => Ok(RecordKind::Target),
        "proxy" => Ok(RecordKind::Proxy),
        _ => Err(InvalidRecord::Kind),
    }
}

fn side(text: &str) -> Result<CredentialSide, InvalidRecord> {
    match text {
        "proxy" => Ok(CredentialSide::Proxy),
        "target" => Ok(CredentialSide::Target),
        _ => Err(InvalidRecord::Side),
    }
}

fn auth_type_of(text: &str) -> Result<CredentialAuthType, InvalidRecord> {
    let auth_type = AuthType::ALL.into_iter().find(|it| it.as_str() == text);
    Ok(match auth_type.ok_or(InvalidRecord::AuthType)? {
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
    })
}

#[cfg(test)]
mod tests;
