//! Proxy credentials: what callers present, kept as keyed digests.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use requestrocket_policy::authn::DigestKey;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::proxy_credential::Presented;
use requestrocket_proto::region::v1::CredentialAuthType;
use serde::Deserialize;
use serde_json::{Number, Value};
use zeroize::Zeroizing;

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

#[derive(Deserialize)]
struct Claims {
    exp: Option<Value>,
}

/// `exp` of a literal token, unverified: the token is compared as a whole anyway.
fn valid_until_ms(token: &str) -> Result<u64, SecretProblem> {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let Ok(payload) = URL_SAFE_NO_PAD
        .decode(payload.trim_end_matches('='))
        .map(Zeroizing::new)
    else {
        return Ok(NO_END);
    };
    match serde_json::from_slice::<Claims>(&payload) {
        Ok(Claims {
            exp: Some(Value::Number(exp)),
        }) => Ok(to_ms(&exp)),
        Ok(Claims { exp: Some(_) }) => Err(SecretProblem::Expiry),
        Ok(Claims { exp: None }) | Err(_) => Ok(NO_END),
    }
}

/// Whole milliseconds; what lies before 1970 is long past, not without end.
fn to_ms(seconds: &Number) -> u64 {
    let long_past = 1;
    if let Some(seconds) = seconds.as_u64() {
        return seconds.saturating_mul(1000).max(long_past);
    }
    let seconds = seconds.as_f64().unwrap_or_default();
    if seconds <= 0.0 {
        return long_past;
    }
    let ms = Duration::try_from_secs_f64(seconds).map_or(u128::MAX, |span| span.as_millis());
    u64::try_from(ms).unwrap_or(u64::MAX).max(long_past)
}
