//! What the servers of callers' opaque tokens say of them.

use std::sync::Arc;

use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::signed_token::{Introspection, KeySource};

use crate::records::record::{Credential, StoredSecret};
use crate::secrets::keys::RegionKeys;
use crate::secrets::recipe::TokenSafe;
use crate::secrets::renew::introspect::{Asking, Introspections, Said};
use crate::store::credential::credential_list;
use crate::store::organisation::organisation_list;
use crate::store::{Store, StoreFailed};

/// What asking takes.
#[derive(Clone, Debug)]
pub struct OpaqueTokens {
    /// Name of the region.
    pub region: String,
    /// Opens secrets.
    pub keys: Arc<RegionKeys>,
    /// Has them.
    pub store: Store,
    /// Asks.
    pub asked: Introspections,
}

impl OpaqueTokens {
    /// What its server says of a token that was presented for that version of a credential, and for
    /// how long that holds; none: nobody could say.
    pub(super) async fn ask(
        &self,
        (credential_id, version): (&str, u64),
        token: &SecretText,
    ) -> Result<Option<(Said, u64)>, StoreFailed> {
        let Some((organisation_id, form)) = self.form(credential_id, version).await? else {
            return Ok(None);
        };
        let asking = Asking {
            organisation_id: &organisation_id,
            credential_id,
            version,
        };
        Ok(self.asked.ask(asking, &form, token).await)
    }

    /// Whose it is, and whom to ask.
    async fn form(
        &self,
        credential_id: &str,
        version: u64,
    ) -> Result<Option<(String, Introspection)>, StoreFailed> {
        let mut tx = self.store.begin().await?;
        let credential = credential_list(&mut tx, Some(&[credential_id]))
            .await?
            .pop();
        // A secret of another version may name another server, which is none of this token's.
        let credential = credential.filter(|credential| credential.version == version);
        let Some(credential) = credential.filter(|credential| credential.is_active) else {
            return Ok(None);
        };
        let id = credential.organisation_id.as_str();
        let organisation = organisation_list(&mut tx, Some(&[id])).await?.pop();
        let Some(organisation) = organisation else {
            return Ok(None);
        };
        let safe = TokenSafe::open(&self.region, &self.keys, &organisation.keys, &credential);
        let form = safe.ok().and_then(|safe| introspection(&safe, &credential));
        Ok(form.map(|form| (organisation.organisation_id, form)))
    }
}

fn introspection(safe: &TokenSafe<'_>, credential: &Credential) -> Option<Introspection> {
    let Ok(StoredSecret::Published(published, _)) = &credential.secret else {
        return None;
    };
    let SecretForm::SignedToken(form) = safe.form(&published.recipe).ok()? else {
        return None;
    };
    match form.keys {
        KeySource::Introspected(introspection) => Some(introspection),
        KeySource::Public(_) | KeySource::Shared(_) | KeySource::Published(_) => None,
    }
}
