//! Secrets as they are stored: sealed to the region of their credential.

use requestrocket_policy::secret::SecretBytes;
use sqlx::AnyConnection;

use crate::domain::gateway::credential::Credential;
use crate::error::{ApiError, ApiResult, Code};
use crate::region::sealing::{SealingUnavailable, SecretOwner, seal};
use crate::store::gateway::region::sealing_key;

/// A secret of that version, sealed to the credential's region.
pub(super) async fn sealed(
    conn: &mut AnyConnection,
    (credential, version): (&Credential, u64),
    secret: Option<&SecretBytes>,
) -> ApiResult<Option<String>> {
    let Some(secret) = secret else {
        return Ok(None);
    };
    let key = sealing_key(conn, credential.region.as_str()).await?;
    let owner = SecretOwner {
        region: credential.region.as_str(),
        organisation_id: &credential.organisation.to_string(),
        credential_id: &credential.id.to_string(),
        version,
    };
    seal(&key, &owner, secret.expose())
        .map(Some)
        .map_err(ApiError::internal)
}

impl From<SealingUnavailable> for ApiError {
    fn from(error: SealingUnavailable) -> Self {
        match error {
            SealingUnavailable::UnknownRegion | SealingUnavailable::NeverEnrolled => {
                Self::new(Code::RegionUnavailable, "the region has not connected yet")
            }
            SealingUnavailable::Store(error) => error.into(),
        }
    }
}
