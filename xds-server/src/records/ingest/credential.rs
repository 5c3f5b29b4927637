//! Credentials: a new secret is converted, an old one kept when it is of the same version.

use requestrocket_policy::destination::AllowedHosts;
use requestrocket_proto::region::v1 as region;

use super::next::promoted;
use super::{Batch, Context, IngestFailed};
use crate::metrics;
use crate::records::record::{
    Credential, NextSecret, PreviousSecret, SecretProblem, StoredSecret, denying_layer,
};
use crate::secrets::{ConversionFailed, convert, side_of};
use crate::store::credential::{credential_delete, credential_upsert};
use crate::store::token::token_insert;
use requestrocket_policy::secret_form::auth_type::Side;

type Secret = Result<StoredSecret, SecretProblem>;

impl Batch<'_> {
    pub(super) async fn credential_ingest(
        &mut self,
        record: region::Credential,
    ) -> Result<(), IngestFailed> {
        metrics::change_stored("credential");
        let credential_id = record.credential_id.clone();
        let stored = self.stored.credentials.remove(&credential_id);
        let Ok(side) = side_of(&record) else {
            tracing::error!(credential_id, "credential of no side is dropped");
            credential_delete(self.conn, &[&credential_id]).await?;
            self.touched.credentials.insert(credential_id);
            return Ok(());
        };
        self.mentioned.credentials.insert(credential_id.clone());
        // Most changes bring no secret: the control plane forgot it when the region had it.
        let secret = match kept_secret(&record, side, stored.as_ref()) {
            Some(secret) => secret,
            None => self.secret_convert(&record).await?,
        };
        let previous = previous_secret(&record, side, stored.as_ref());
        let next = self.next_ingest(&record, side, stored.as_ref()).await?;
        let credential = from_wire(&record, side, (secret, previous, next));
        // A full sync repeats all there is: what is the same touches no proxy.
        if stored.as_ref() != Some(&credential) {
            credential_upsert(self.conn, &credential).await?;
            if let Some(recipe) = credential
                .secret
                .as_ref()
                .ok()
                .and_then(StoredSecret::recipe)
            {
                let (version, needs_consent) = (credential.version, recipe.needs_consent);
                token_insert(self.conn, &credential_id, version, needs_consent).await?;
            }
            self.touched.credentials.insert(credential_id.clone());
        }
        self.consent_ingest(&record, &credential).await?;
        self.stored.credentials.insert(credential_id, credential);
        Ok(())
    }

    pub(super) async fn secret_convert(
        &mut self,
        record: &region::Credential,
    ) -> Result<Secret, IngestFailed> {
        let organisation = self.organisation_or_new(&record.organisation_id).await?;
        let Context { region, keys } = self.context;
        let converted = match organisation {
            Some(organisation) => convert(region, keys, &organisation.keys, record),
            None => Err(ConversionFailed::Problem(SecretProblem::Keys)),
        };
        let secret = match converted {
            Ok(secret) => Ok(secret),
            Err(ConversionFailed::Problem(problem)) => Err(problem),
            Err(ConversionFailed::Randomness(error)) => return Err(error.into()),
        };
        report(record, secret.as_ref().err().copied());
        Ok(secret)
    }
}

/// What to go on with when no secret came along; None when there is one to convert.
fn kept_secret(
    record: &region::Credential,
    side: Side,
    stored: Option<&Credential>,
) -> Option<Secret> {
    let needs_none = record.auth_type() == region::CredentialAuthType::None;
    if needs_none || !record.sealed_secret.is_empty() {
        return None;
    }
    let same = stored
        .filter(|stored| stored.organisation_id == record.organisation_id && stored.side == side);
    let same = same.and_then(|stored| {
        if stored.version == record.version {
            Some(stored.secret.clone())
        } else {
            promoted(record, stored)
        }
    });
    Some(same.unwrap_or(Err(SecretProblem::Missing)))
}

/// What callers presented before this version, while it is accepted: what is stored of the version
/// before, or what was kept of it then. A version that never came here has left nothing to accept.
fn previous_secret(
    record: &region::Credential,
    side: Side,
    stored: Option<&Credential>,
) -> Option<PreviousSecret> {
    let ends_at_ms = record.previous_ends_at_ms;
    let stored = stored.filter(|stored| {
        stored.organisation_id == record.organisation_id && stored.side == side && ends_at_ms != 0
    })?;
    let presented = if stored.version == record.version {
        stored.previous.as_ref()?.presented.clone()
    } else if stored.version.checked_add(1) == Some(record.version) {
        match &stored.secret {
            Ok(StoredSecret::Presented(presented)) => presented.clone(),
            // Nobody could ask any more: the secret is another.
            Ok(StoredSecret::Published(published, _)) if published.token.is_introspected => {
                return None;
            }
            // The keys that were there last: nobody fetches others for it.
            Ok(StoredSecret::Published(published, fetched)) => {
                published.presented(fetched.as_ref())
            }
            Ok(StoredSecret::Injections(_) | StoredSecret::Obtained(..)) | Err(_) => return None,
        }
    } else {
        return None;
    };
    Some(PreviousSecret {
        presented,
        ends_at_ms,
    })
}

fn report(record: &region::Credential, problem: Option<SecretProblem>) {
    metrics::secret_converted(problem);
    if let Some(problem) = problem {
        let (credential_id, version) = (record.credential_id.as_str(), record.version);
        tracing::error!(credential_id, version, %problem, "credential cannot be used");
    }
}

fn from_wire(
    record: &region::Credential,
    side: Side,
    (secret, previous, next): (Secret, Option<PreviousSecret>, Option<NextSecret>),
) -> Credential {
    let region::Credential {
        credential_id,
        organisation_id,
        is_active,
        version,
        side: _,
        auth_type: _,
        sealed_secret: _,
        layer,
        ends_at_ms,
        previous_ends_at_ms: _,
        allowed_hosts,
        // Of its token.
        consent: _,
        next: _,
    } = record.clone();
    Credential {
        credential_id,
        organisation_id,
        side,
        is_active,
        version,
        ends_at_ms,
        allowed_hosts: AllowedHosts::read(allowed_hosts),
        secret,
        previous,
        next,
        layer: layer.unwrap_or_else(denying_layer),
    }
}
