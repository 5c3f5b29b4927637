//! Sealed secrets in, digests and envelopes out.
//!
//! Pure but for randomness. Invariant: plaintext lives in wiped types here and leaves this module
//! only as a keyed digest or an envelope; no problem text holds any of it.

use requestrocket_policy::authn::DigestKey;
use requestrocket_policy::envelope::{
    Binding, Key, KeyRing, NoRandomness, Nonce, PlaintextTooLong,
};
use requestrocket_policy::form::problem::{Fault, Problems};
use requestrocket_policy::id::{CredentialId, OrganisationId};
use requestrocket_policy::secret::SecretBytes;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_proto::policy::v1::proxy_credential::Presented;
use requestrocket_proto::region::v1 as region;

use self::keys::RegionKeys;
use self::recipe::TokenSafe;
use crate::records::record::{OrganisationKeys, PublishedKeys, SecretProblem, StoredSecret};

mod compute;
pub mod consent;
mod inject;
pub mod keys;
mod placed;
mod present;
pub mod queued;
pub mod recipe;
pub mod renew;
mod signed_token;

#[cfg(test)]
mod tests;

/// A secret was not converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversionFailed {
    /// The credential is unusable; others are not concerned.
    #[error(transparent)]
    Problem(#[from] SecretProblem),
    /// The machine gives no randomness: nothing can be stored now.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl From<PlaintextTooLong> for ConversionFailed {
    fn from(_: PlaintextTooLong) -> Self {
        Self::Problem(SecretProblem::Value)
    }
}

/// Whose secret is converted.
#[derive(Clone, Copy, Debug)]
struct Owner<'a> {
    region: &'a str,
    organisation: OrganisationId,
    credential: CredentialId,
    version: u64,
}

/// An organisation's keys, opened.
struct OpenKeys {
    /// A ring of one: it seals values and opens the digest key.
    data: KeyRing,
    digest: DigestKey,
}

/// Which side of a proxy a credential of the wire is on.
///
/// # Errors
/// The message names none.
pub fn side_of(credential: &region::Credential) -> Result<Side, SecretProblem> {
    match credential.side() {
        region::CredentialSide::Proxy => Ok(Side::Proxy),
        region::CredentialSide::Target => Ok(Side::Target),
        region::CredentialSide::Unspecified => Err(SecretProblem::AuthType),
    }
}

/// Fresh keys for an organisation, wrapped by the newest key of the region.
///
/// # Errors
/// The id is none, or the machine gives no randomness.
pub fn organisation_keys(
    region: &str,
    keys: &RegionKeys,
    organisation_id: &str,
) -> Result<OrganisationKeys, ConversionFailed> {
    let organisation = parse_id(organisation_id)?;
    let (data, digest) = (Key::generate()?, Key::generate()?);
    let data_binding = Binding::data_key(region, organisation);
    let digest_binding = Binding::digest_key(region, organisation);
    Ok(OrganisationKeys {
        data_key: keys
            .ring
            .seal(data.expose(), &data_binding, Nonce::random()?)?,
        digest_key: data.seal(digest.expose(), &digest_binding, Nonce::random()?)?,
    })
}

/// Opens the sealed secret of `credential` and brings it into the form that policies carry.
///
/// # Errors
/// What makes this credential unusable, or missing randomness.
pub fn convert(
    region: &str,
    keys: &RegionKeys,
    organisation_keys: &OrganisationKeys,
    credential: &region::Credential,
) -> Result<StoredSecret, ConversionFailed> {
    let owner = owner(region, credential)?;
    let side = side_of(credential)?;
    let auth_type = auth_type_of(credential)?;
    if !auth_type.is_of(side) {
        return Err(SecretProblem::AuthType.into());
    }
    if auth_type == AuthType::None {
        return Ok(StoredSecret::Injections(Vec::new()));
    }
    let secret = open_sealed(keys, &owner, &credential.sealed_secret)?;
    let form = SecretForm::open(auth_type, side, secret.expose());
    let form = form.map_err(|problems| problem_of(&problems))?;
    let open_keys = open_keys(keys, organisation_keys, &owner)?;
    match side {
        Side::Proxy => match present::presented(&form, &owner, &open_keys)? {
            Presented::SignedToken(token) if token.is_key_set || token.is_introspected => {
                let kept = (secret.expose(), &form);
                let recipe = recipe::keep(auth_type, kept, &owner, &open_keys)?;
                let published = PublishedKeys { recipe, token };
                Ok(StoredSecret::Published(published, None))
            }
            presented => Ok(StoredSecret::Presented(presented)),
        },
        Side::Target if form.is_obtained() => {
            let recipe = recipe::keep(auth_type, (secret.expose(), &form), &owner, &open_keys)?;
            Ok(StoredSecret::Obtained(recipe, None))
        }
        Side::Target => {
            let values = inject::values(&form)?;
            let sealed = values
                .iter()
                .map(|value| value.seal(&owner, &open_keys.data));
            Ok(StoredSecret::Injections(sealed.collect::<Result<_, _>>()?))
        }
    }
}

/// Opens what a consent to `credential` brought and brings it into the form that the store keeps.
///
/// # Errors
/// It is not of this credential and version, or the machine gives no randomness.
pub fn convert_consent(
    region: &str,
    keys: &RegionKeys,
    organisation_keys: &OrganisationKeys,
    (credential, consent): (&region::Credential, &region::Consent),
) -> Result<Vec<u8>, ConversionFailed> {
    let owner = owner(region, credential)?;
    let given = consent::open(keys, &owner, consent)?;
    TokenSafe::of((owner, Side::Target), keys, organisation_keys)?.seal_consent(&given)
}

fn owner<'a>(region: &'a str, credential: &region::Credential) -> Result<Owner<'a>, SecretProblem> {
    Ok(Owner {
        region,
        organisation: parse_id(&credential.organisation_id)?,
        credential: parse_id(&credential.credential_id)?,
        version: credential.version,
    })
}

fn auth_type_of(credential: &region::Credential) -> Result<AuthType, SecretProblem> {
    use region::CredentialAuthType as Wire;
    match credential.auth_type() {
        Wire::None => Ok(AuthType::None),
        Wire::ApiKey => Ok(AuthType::ApiKey),
        Wire::Bearer => Ok(AuthType::Bearer),
        Wire::BasicAuth => Ok(AuthType::BasicAuth),
        Wire::Jwt => Ok(AuthType::Jwt),
        Wire::Custom => Ok(AuthType::Custom),
        Wire::JwtVerify => Ok(AuthType::JwtVerify),
        Wire::Oauth2 => Ok(AuthType::OAuth2),
        Wire::CustomToken => Ok(AuthType::CustomToken),
        Wire::SignedJwt => Ok(AuthType::SignedJwt),
        Wire::AwsSigV4 => Ok(AuthType::AwsSigV4),
        Wire::Hmac => Ok(AuthType::Hmac),
        Wire::Unspecified => Err(SecretProblem::AuthType),
    }
}

/// A bad value, or else another shape.
fn problem_of(problems: &Problems) -> SecretProblem {
    match problems.leading() {
        Some(Fault::InvalidSecret) => SecretProblem::Value,
        _ => SecretProblem::Shape,
    }
}

fn open_sealed(
    keys: &RegionKeys,
    owner: &Owner<'_>,
    sealed: &[u8],
) -> Result<SecretBytes, SecretProblem> {
    if sealed.is_empty() {
        return Err(SecretProblem::Missing);
    }
    let Owner {
        region,
        organisation,
        credential,
        version,
    } = *owner;
    let binding = Binding::secret(region, organisation, credential, version);
    keys.sealing
        .open(sealed, &binding)
        .map_err(|_| SecretProblem::Sealed)
}

fn open_keys(
    keys: &RegionKeys,
    wrapped: &OrganisationKeys,
    owner: &Owner<'_>,
) -> Result<OpenKeys, SecretProblem> {
    let damaged = SecretProblem::Keys;
    let data = open_data_key(keys, wrapped, (owner.region, owner.organisation))?;
    let digest_binding = Binding::digest_key(owner.region, owner.organisation);
    let digest = data
        .open(&wrapped.digest_key, &digest_binding)
        .map_err(|_| damaged)?;
    let digest = DigestKey::new(digest.expose()).map_err(|_| damaged)?;
    Ok(OpenKeys { data, digest })
}

/// A ring of one.
fn open_data_key(
    keys: &RegionKeys,
    wrapped: &OrganisationKeys,
    (region, organisation): (&str, OrganisationId),
) -> Result<KeyRing, SecretProblem> {
    let binding = Binding::data_key(region, organisation);
    let data = keys.ring.open(&wrapped.data_key, &binding);
    let data = data.map_err(|_| SecretProblem::Keys)?;
    let data = Key::unnamed(data).map_err(|_| SecretProblem::Keys)?;
    Ok(KeyRing::of(data))
}

fn parse_id<T: std::str::FromStr>(raw: &str) -> Result<T, SecretProblem> {
    raw.parse().map_err(|_| SecretProblem::Sealed)
}
