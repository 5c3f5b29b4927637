//! Proxy credentials: what callers present, kept as keyed digests, or what verifies it.

use requestrocket_policy::authn::DigestKey;
use requestrocket_policy::authn::jwt::{InvalidExpiry, expiry_ms};
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::api_key::PresentedKey;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::proxy_credential::Presented;

use super::{ConversionFailed, OpenKeys, Owner, signed_token};
use crate::records::record::SecretProblem;

const NO_END: u64 = 0;

/// What a caller has to present.
///
/// # Errors
/// Callers present nothing of this form, or the machine gives no randomness.
pub(super) fn presented(
    form: &SecretForm,
    owner: &Owner<'_>,
    keys: &OpenKeys,
) -> Result<Presented, ConversionFailed> {
    let key = &keys.digest;
    match form {
        SecretForm::PresentedKey(PresentedKey::Given(secret)) => {
            let digests = digests(key, secret, NO_END);
            Ok(Presented::ApiKey(wire::ApiKey { digests }))
        }
        SecretForm::Bearer(bearer) => {
            let digests = digests(key, &bearer.token, NO_END);
            let prefix = bearer.prefix.clone();
            Ok(Presented::Bearer(wire::Bearer { prefix, digests }))
        }
        SecretForm::BasicAuth(pair) => {
            let digests = digests(key, &pair.joined(), NO_END);
            Ok(Presented::BasicAuth(wire::BasicAuth { digests }))
        }
        SecretForm::Jwt(token) => {
            let digests = digests(key, token, valid_until_ms(token.expose())?);
            Ok(Presented::Jwt(wire::JwtString { digests }))
        }
        SecretForm::SignedToken(form) => {
            let token = signed_token::verified_by(form, owner, &keys.data)?;
            Ok(Presented::SignedToken(token))
        }
        SecretForm::PresentedKey(PresentedKey::Generated) => Err(SecretProblem::Shape.into()),
        SecretForm::None
        | SecretForm::InjectedKey(_)
        | SecretForm::Custom(_)
        | SecretForm::SignedJwt(_)
        | SecretForm::AwsSigV4(_)
        | SecretForm::Hmac(_)
        | SecretForm::OAuth2Target(_)
        | SecretForm::CustomToken(_) => Err(SecretProblem::AuthType.into()),
    }
}

fn digests(key: &DigestKey, value: &SecretText, valid_until_ms: u64) -> Vec<wire::SecretDigest> {
    let hmac_sha256 = key.digest(value.expose().as_bytes()).to_vec().into();
    vec![wire::SecretDigest {
        hmac_sha256,
        valid_until_ms,
    }]
}

/// `exp` of a literal token, unverified: the token is compared as a whole anyway.
fn valid_until_ms(token: &str) -> Result<u64, SecretProblem> {
    match expiry_ms(token) {
        Ok(end) => Ok(end.unwrap_or(NO_END)),
        Err(InvalidExpiry) => Err(SecretProblem::Expiry),
    }
}
