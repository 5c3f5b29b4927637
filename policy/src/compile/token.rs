//! Credentials whose tokens are verified.

use prost::Message as _;
use requestrocket_proto::policy::v1::{self as wire, claim_value, verification_key::Material};

use crate::{
    authn::{Accepted, AuthType, OpaqueToken, SignedToken},
    envelope::{Binding, InvalidEnvelope, KeyRing},
    id::{CredentialId, OrganisationId, Region},
    jose::{
        Algorithm, Algorithms, ClaimChecks, Curve, InvalidKey, Key, KeyMaterial, Keys, Requirement,
        Scalar, UnknownAlgorithm, Verifier,
    },
};

/// Not a credential whose tokens could be verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// `type`.
    #[error("type is unknown")]
    Type,
    /// `algorithms`, or that of a key.
    #[error(transparent)]
    Algorithm(#[from] UnknownAlgorithm),
    /// There is no algorithm: it would let nobody in, for ever.
    #[error("there are no algorithms")]
    NoAlgorithm,
    /// More or fewer keys than one, which are no set.
    #[error("there must be one key, or a set")]
    Keys,
    /// A key without material, or of an unknown curve.
    #[error("key has no known material")]
    Material,
    /// One of `keys`.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// `sealed_secret` does not open.
    #[error("shared secret: {0}")]
    Secret(#[from] InvalidEnvelope),
    /// `claims` are missing, or a value in them.
    #[error("claim checks are incomplete")]
    Claims,
}

/// What opens the sealed values of an organisation.
pub(super) struct Safe<'a> {
    pub(super) data_key: &'a KeyRing,
    pub(super) region: &'a Region,
    pub(super) organisation: OrganisationId,
}

pub(super) fn compile(
    token: wire::SignedToken,
    id: CredentialId,
    safe: &Safe<'_>,
) -> Result<Accepted, InvalidToken> {
    // All of it, so that with other keys or checks nothing of what was remembered holds.
    let message = token.encode_to_vec();
    if token.is_introspected {
        let wire::SignedToken {
            claims, version, ..
        } = token;
        let checks = checks(claims.ok_or(InvalidToken::Claims)?)?;
        let opaque = OpaqueToken::new(checks, (id, version), &message);
        return Ok(Accepted::Opaque(Box::new(opaque)));
    }
    let auth_type = match token.r#type() {
        wire::TokenType::Jwt => AuthType::JwtVerify,
        wire::TokenType::Oauth2 => AuthType::OAuth2,
        wire::TokenType::Unspecified => return Err(InvalidToken::Type),
    };
    let wire::SignedToken {
        r#type: _,
        algorithms,
        keys,
        is_key_set,
        claims,
        version,
        keys_until_ms,
        is_introspected: _,
    } = token;
    let keys = keys.into_iter();
    let keys = keys.map(|one| key(one, (id, version), safe));
    let keys: Vec<Key> = keys.collect::<Result<_, _>>()?;
    let verifier = Verifier {
        algorithms: set_of(&algorithms)?,
        keys: if is_key_set {
            Keys::Set(keys.into())
        } else {
            Keys::One(Box::new(only(keys)?))
        },
        // Absent checks are no empty ones: those would let in whatever the issuer signs.
        claims: checks(claims.ok_or(InvalidToken::Claims)?)?,
    };
    let keys_until_ms = (keys_until_ms != 0).then_some(keys_until_ms);
    let accepted = SignedToken::new(auth_type, verifier, (id, &message));
    Ok(Accepted::Token(Box::new(accepted.until(keys_until_ms))))
}

fn set_of(names: &[String]) -> Result<Algorithms, InvalidToken> {
    let algorithms = names.iter().map(|name| name.parse::<Algorithm>());
    let algorithms: Algorithms = algorithms.collect::<Result<_, _>>()?;
    if algorithms.is_empty() {
        return Err(InvalidToken::NoAlgorithm);
    }
    Ok(algorithms)
}

fn only(keys: Vec<Key>) -> Result<Key, InvalidToken> {
    let mut keys = keys.into_iter();
    match (keys.next(), keys.next()) {
        (Some(only), None) => Ok(only),
        (None | Some(_), _) => Err(InvalidToken::Keys),
    }
}

fn key(
    key: wire::VerificationKey,
    owner: (CredentialId, u64),
    safe: &Safe<'_>,
) -> Result<Key, InvalidToken> {
    let wire::VerificationKey {
        key_id,
        algorithm,
        material,
    } = key;
    let algorithm = (!algorithm.is_empty()).then(|| algorithm.parse());
    Ok(Key {
        id: key_id.map(Into::into),
        algorithm: algorithm.transpose()?,
        material: match material.ok_or(InvalidToken::Material)? {
            Material::Rsa(wire::RsaKey { modulus, exponent }) => {
                KeyMaterial::rsa(&modulus, &exponent)?
            }
            Material::Ec(point) => ec(&point)?,
            Material::Ed25519(bytes) => KeyMaterial::ed25519(&bytes)?,
            Material::SealedSecret(sealed) => {
                let region = safe.region.as_str();
                let binding = Binding::shared_secret(region, safe.organisation, owner);
                KeyMaterial::secret(safe.data_key.open(&sealed, &binding)?)?
            }
        },
    })
}

fn ec(key: &wire::EcKey) -> Result<KeyMaterial, InvalidToken> {
    let curve = match key.curve() {
        wire::Curve::P256 => Curve::P256,
        wire::Curve::P384 => Curve::P384,
        wire::Curve::P521 => Curve::P521,
        wire::Curve::Unspecified => return Err(InvalidToken::Material),
    };
    let wire::EcKey { curve: _, x, y } = key;
    Ok(KeyMaterial::ec(curve, x, y)?)
}

fn checks(checks: wire::ClaimChecks) -> Result<ClaimChecks, InvalidToken> {
    let wire::ClaimChecks {
        issuer,
        audience,
        required,
        scopes,
        skew_ms,
        allows_endless,
    } = checks;
    Ok(ClaimChecks {
        issuer: issuer.map(Into::into),
        audience: audience.into_iter().map(Into::into).collect(),
        required: required
            .into_iter()
            .map(requirement)
            .collect::<Result<_, _>>()?,
        scopes: scopes.into_iter().map(Into::into).collect(),
        skew_ms,
        requires_exp: !allows_endless,
    })
}

fn requirement(claim: wire::RequiredClaim) -> Result<Requirement, InvalidToken> {
    let wire::RequiredClaim { name, allowed } = claim;
    let allowed = allowed.into_iter().map(|wire::ClaimValue { value }| {
        Ok(match value.ok_or(InvalidToken::Claims)? {
            claim_value::Value::Text(text) => Scalar::Text(text.into()),
            claim_value::Value::Number(number) => Scalar::Number(number),
            claim_value::Value::Boolean(bool) => Scalar::Bool(bool),
        })
    });
    Ok(Requirement {
        name: name.into(),
        allowed: allowed.collect::<Result<_, InvalidToken>>()?,
    })
}

#[cfg(test)]
mod tests;
