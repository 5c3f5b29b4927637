//! Proxy credentials: what callers present, kept as keyed digests.

use requestrocket_policy::authn::DigestKey;
use requestrocket_policy::authn::jwt::{InvalidExpiry, expiry_ms};
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::proxy_credential::Presented;
use requestrocket_proto::region::v1::CredentialAuthType;

use super::shape;
use crate::records::record::SecretProblem;

const NO_END: u64 = 0;

/// What a caller has to present, from the JSON text of the secret.
pub(super) fn presented(
    auth_type: CredentialAuthType,
    json: &[u8],
    key: &DigestKey,
) -> Result<Presented, SecretProblem> {
    match auth_type {
        CredentialAuthType::ApiKey => {
            let secret: shape::PresentedKey = shape::parse(json)?;
            let digests = digests(key, shape::value(&secret.key)?, NO_END);
            Ok(Presented::ApiKey(wire::ApiKey { digests }))
        }
        CredentialAuthType::Bearer => {
            let secret: shape::Bearer = shape::parse(json)?;
            let digests = digests(key, shape::value(&secret.token)?, NO_END);
            let prefix = shape::prefix(secret.prefix, "Bearer ")?;
            Ok(Presented::Bearer(wire::Bearer { prefix, digests }))
        }
        CredentialAuthType::BasicAuth => {
            let secret: shape::BasicAuth = shape::parse(json)?;
            let joined = shape::user_and_password(&secret)?;
            let digests = digests(key, joined.expose(), NO_END);
            Ok(Presented::BasicAuth(wire::BasicAuth { digests }))
        }
        CredentialAuthType::Jwt => {
            let secret: shape::Jwt = shape::parse(json)?;
            let token = shape::value(&secret.token)?;
            let digests = digests(key, token, valid_until_ms(token)?);
            Ok(Presented::Jwt(wire::JwtString { digests }))
        }
        CredentialAuthType::Unspecified | CredentialAuthType::None | CredentialAuthType::Custom => {
            Err(SecretProblem::AuthType)
        }
    }
}

fn digests(key: &DigestKey, value: &str, valid_until_ms: u64) -> Vec<wire::SecretDigest> {
    let hmac_sha256 = key.digest(value.as_bytes()).to_vec().into();
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
