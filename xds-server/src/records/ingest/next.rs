//! The second secret of a target credential, as it comes and as it is kept.

use requestrocket_policy::secret_form::auth_type::Side;
use requestrocket_proto::region::v1 as region;

use super::{Batch, IngestFailed};
use crate::records::record::{Credential, NextSecret, SecretProblem, StoredSecret};

type Secret = Result<StoredSecret, SecretProblem>;

impl Batch<'_> {
    /// What the record has beside its first secret.
    pub(super) async fn next_ingest(
        &mut self,
        record: &region::Credential,
        side: Side,
        stored: Option<&Credential>,
    ) -> Result<Option<NextSecret>, IngestFailed> {
        let Some(next) = record.next.as_ref().filter(|_| side == Side::Target) else {
            return Ok(None);
        };
        let same = stored
            .filter(|stored| stored.organisation_id == record.organisation_id)
            .and_then(|stored| stored.next.as_ref())
            .filter(|stored| stored.version == next.version);
        let secret = match same {
            Some(same) => same.secret.clone(),
            None => self.next_convert(record, next).await?,
        };
        let now_ms = self.now_ms;
        let failed_at_ms = match (same, &secret) {
            (Some(same), _) => same.failed_at_ms,
            // Nobody is to be given what cannot be used.
            (None, Err(_)) => now_ms,
            (None, Ok(_)) => 0,
        };
        let given_from_ms = next.given_from_ms;
        let is_time = given_from_ms != 0 && given_from_ms <= now_ms;
        Ok(Some(NextSecret {
            version: next.version,
            secret,
            given_from_ms,
            is_given: is_time && failed_at_ms == 0,
            failed_at_ms,
        }))
    }

    async fn next_convert(
        &mut self,
        record: &region::Credential,
        next: &region::NextSecret,
    ) -> Result<Secret, IngestFailed> {
        if next.sealed_secret.is_empty() {
            return Ok(Err(SecretProblem::Missing));
        }
        let as_first = region::Credential {
            version: next.version,
            sealed_secret: next.sealed_secret.clone(),
            ..record.clone()
        };
        let secret = self.secret_convert(&as_first).await?;
        // What is obtained is obtained with one secret.
        Ok(secret.and_then(|secret| match secret {
            StoredSecret::Injections(_) => Ok(secret),
            StoredSecret::Presented(_)
            | StoredSecret::Obtained(..)
            | StoredSecret::Published(..) => Err(SecretProblem::AuthType),
        }))
    }
}

/// What the second secret became the first with; None: it did not.
pub(super) fn promoted(record: &region::Credential, stored: &Credential) -> Option<Secret> {
    let next = stored.next.as_ref()?;
    (next.version == record.version).then(|| next.secret.clone())
}
