//! From records to what a region is told of them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use requestrocket_proto::region::v1::{
    Change, Credential, CredentialAuthType, CredentialSide, Organisation, Proxy, RecordKind,
    Removed, Target, change::Kind,
};

use crate::store::change::ChangeRow;
use crate::store::present::{CredentialState, OrganisationState, ProxyState, TargetState};

/// The present state of the records that some changes name, by id.
#[derive(Debug, Default)]
pub(super) struct Present {
    pub(super) organisations: BTreeMap<String, OrganisationState>,
    pub(super) credentials: BTreeMap<String, CredentialState>,
    pub(super) targets: BTreeMap<String, TargetState>,
    pub(super) proxies: BTreeMap<String, ProxyState>,
    /// In list order, by proxy.
    pub(super) proxy_credentials: BTreeMap<String, Vec<String>>,
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
            RecordKind::Organisation => Ok(self.organisations.get(id).map(organisation)),
            RecordKind::Credential => self.credentials.get(id).map(credential).transpose(),
            RecordKind::Target => Ok(self.targets.get(id).map(target)),
            RecordKind::Proxy => self.proxies.get(id).map(|row| self.proxy(row)).transpose(),
            RecordKind::Unspecified => Err(InvalidRecord::Kind),
        }
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
        } = row.clone();
        Ok(Kind::Proxy(Proxy {
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
            max_response_bytes: max_response_bytes
                .try_into()
                .map_err(|_| InvalidRecord::Number)?,
            alias: alias.unwrap_or_default(),
            ..Proxy::default()
        }))
    }
}

fn organisation(row: &OrganisationState) -> Kind {
    let OrganisationState {
        organisation_id,
        status,
    } = row.clone();
    // Refuse by default: whatever is not active is suspended.
    Kind::Organisation(Organisation {
        organisation_id,
        is_suspended: status != "active",
        ..Organisation::default()
    })
}

fn credential(row: &CredentialState) -> Result<Kind, InvalidRecord> {
    let CredentialState {
        credential_id,
        organisation_id,
        credential_side,
        auth_type,
        is_active,
        version,
        sealed_secret,
    } = row.clone();
    let sealed = BASE64.decode(sealed_secret.unwrap_or_default());
    Ok(Kind::Credential(Credential {
        credential_id,
        organisation_id,
        is_active: is_active != 0,
        version: version.try_into().map_err(|_| InvalidRecord::Number)?,
        side: side(&credential_side)?.into(),
        auth_type: auth_type_of(&auth_type)?.into(),
        sealed_secret: sealed.map_err(|_| InvalidRecord::SealedSecret)?.into(),
        ..Credential::default()
    }))
}

fn target(row: &TargetState) -> Kind {
    let TargetState {
        target_id,
        organisation_id,
        base_url,
    } = row.clone();
    Kind::Target(Target {
        target_id,
        organisation_id,
        base_url,
        ..Target::default()
    })
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
    match text {
        "none" => Ok(CredentialAuthType::None),
        "apiKey" => Ok(CredentialAuthType::ApiKey),
        "bearer" => Ok(CredentialAuthType::Bearer),
        "basicAuth" => Ok(CredentialAuthType::BasicAuth),
        "jwt" => Ok(CredentialAuthType::Jwt),
        "custom" => Ok(CredentialAuthType::Custom),
        _ => Err(InvalidRecord::AuthType),
    }
}

#[cfg(test)]
mod tests;
