//! Secrets that are kept, because tokens or keys are obtained with them, and what comes of that: sealed
//! under the organisation's data key like everything else.

use std::borrow::Cow;
use std::fmt;

use requestrocket_policy::envelope::{Binding, Nonce};
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_policy::secret_form::custom::Values;
use requestrocket_policy::secret_form::obtained::Apply;
use requestrocket_proto::policy::v1 as wire;

use super::consent::Given;
use super::keys::RegionKeys;
use super::{ConversionFailed, OpenKeys, Owner, inject, open_keys, parse_id};
use crate::records::record::{Credential, OrganisationKeys, Recipe, SecretProblem};

/// What a secret is bound to where it is kept.
const RECIPE: &str = "recipe";
/// And a refresh token that came later.
const REFRESH_TOKEN: &str = "refresh-token";
/// And what a consent brought, until it was shown.
const CONSENT: &str = "consent";

/// Keeps a secret whose form was read.
pub(super) fn keep(
    auth_type: AuthType,
    (secret, form): (&[u8], &SecretForm),
    owner: &Owner<'_>,
    keys: &OpenKeys,
) -> Result<Recipe, ConversionFailed> {
    let binding = owner.binding(RECIPE);
    let sealed = keys.data.seal(secret, &binding, Nonce::random()?)?;
    Ok(Recipe {
        auth_type,
        sealed,
        needs_consent: form.consent().is_some(),
    })
}

impl<'a> Owner<'a> {
    fn binding(&self, field: &'a str) -> Binding<'a> {
        let Owner {
            region,
            organisation,
            credential,
            version,
        } = *self;
        Binding {
            // With the kind in it, none of these opens in another one's place.
            field: Cow::Borrowed(field),
            ..Binding::secret(region, organisation, credential, version)
        }
    }
}

/// One credential's keys, opened: what its token needs while it is obtained.
pub struct TokenSafe<'a> {
    owner: Owner<'a>,
    side: Side,
    keys: OpenKeys,
}

impl fmt::Debug for TokenSafe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSafe({:?})", self.owner.credential)
    }
}

impl<'a> TokenSafe<'a> {
    /// Opens the keys.
    ///
    /// # Errors
    /// They do not open, or the ids are none.
    pub fn open(
        region: &'a str,
        keys: &RegionKeys,
        organisation_keys: &OrganisationKeys,
        credential: &Credential,
    ) -> Result<Self, SecretProblem> {
        let owner = Owner {
            region,
            organisation: parse_id(&credential.organisation_id)?,
            credential: parse_id(&credential.credential_id)?,
            version: credential.version,
        };
        Self::of((owner, credential.side), keys, organisation_keys)
    }

    pub(super) fn of(
        (owner, side): (Owner<'a>, Side),
        keys: &RegionKeys,
        organisation_keys: &OrganisationKeys,
    ) -> Result<Self, SecretProblem> {
        let keys = open_keys(keys, organisation_keys, &owner)?;
        Ok(Self { owner, side, keys })
    }

    /// What the owner of the credential wrote.
    ///
    /// # Errors
    /// It does not open, or is refused by now.
    pub fn form(&self, recipe: &Recipe) -> Result<SecretForm, SecretProblem> {
        let secret = self
            .keys
            .data
            .open(&recipe.sealed, &self.owner.binding(RECIPE))
            .map_err(|_| SecretProblem::Damaged)?;
        SecretForm::open(recipe.auth_type, self.side, secret.expose())
            .map_err(|_| SecretProblem::Shape)
    }

    /// What calls are given: the token in its place, and what goes beside it.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn injections(
        &self,
        (apply, headers): (&Apply, &Values),
        token: &SecretText,
    ) -> Result<Vec<wire::Injection>, ConversionFailed> {
        let values = inject::obtained(apply, headers, token);
        let sealed = values
            .iter()
            .map(|value| value.seal(&self.owner, &self.keys.data));
        sealed.collect()
    }

    /// A refresh token, for the store.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn seal_refresh_token(&self, token: &SecretText) -> Result<Vec<u8>, ConversionFailed> {
        let binding = self.owner.binding(REFRESH_TOKEN);
        let bytes = token.expose().as_bytes();
        Ok(self.keys.data.seal(bytes, &binding, Nonce::random()?)?)
    }

    /// What a consent brought, for the store.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn seal_consent(&self, given: &Given) -> Result<Vec<u8>, ConversionFailed> {
        let binding = self.owner.binding(CONSENT);
        let bytes = given.encode();
        Ok(self.keys.data.seal(&bytes, &binding, Nonce::random()?)?)
    }

    /// What a consent brought, of the store; none: it does not open.
    #[must_use]
    pub fn open_consent(&self, sealed: &[u8]) -> Option<Given> {
        let binding = self.owner.binding(CONSENT);
        let opened = self.keys.data.open(sealed, &binding).ok()?;
        Given::decode(opened.expose())
    }

    /// A refresh token of the store; none: it does not open.
    #[must_use]
    pub fn open_refresh_token(&self, sealed: &[u8]) -> Option<SecretText> {
        let binding = self.owner.binding(REFRESH_TOKEN);
        let opened = self.keys.data.open(sealed, &binding).ok()?;
        let text = std::str::from_utf8(opened.expose()).ok()?;
        Some(SecretText::new(text.to_owned()))
    }
}

/// The value of an injection, opened.
#[cfg(test)]
pub(crate) fn opened(
    (region, keys): (&str, &RegionKeys),
    organisation_keys: &OrganisationKeys,
    credential: &Credential,
    injection: &wire::Injection,
) -> String {
    use requestrocket_policy::policy::Location;
    let safe = TokenSafe::open(region, keys, organisation_keys, credential).unwrap();
    let Owner {
        region,
        organisation,
        credential,
        version,
    } = safe.owner;
    let location = match injection.location() {
        wire::Location::Query => Location::Query,
        wire::Location::Header | wire::Location::Computed | wire::Location::Unspecified => {
            Location::Header
        }
    };
    let place = (location, injection.name.as_str());
    let binding = Binding::injection(region, organisation, (credential, version), place);
    let opened = safe
        .keys
        .data
        .open(&injection.sealed_value, &binding)
        .unwrap();
    String::from_utf8(opened.expose().to_vec()).unwrap()
}
