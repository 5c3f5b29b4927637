//! Proxy credentials whose tokens are verified: keys and checks, as policies carry them.

use requestrocket_policy::envelope::{Binding, KeyRing, Nonce};
use requestrocket_policy::jose::{Algorithm, Curve, Numbers, PublicKey, Requirement, Scalar};
use requestrocket_policy::secret_form::signed_token::{KeySource, Kind, SharedSecret, SignedToken};
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::claim_value::Value;
use requestrocket_proto::policy::v1::verification_key::Material;

use super::{ConversionFailed, Owner};

/// What verifies the tokens of that form.
///
/// # Errors
/// The machine gives no randomness.
pub(super) fn verified_by(
    form: &SignedToken,
    owner: &Owner<'_>,
    data_key: &KeyRing,
) -> Result<wire::SignedToken, ConversionFailed> {
    let SignedToken {
        kind,
        keys,
        algorithms,
        issuer,
        audience,
        skew_seconds,
        required_claims,
        required_scopes,
        requires_exp,
    } = form;
    let token_type = match kind {
        Kind::Jwt => wire::TokenType::Jwt,
        Kind::OAuth2 => wire::TokenType::Oauth2,
    };
    let is_introspected = matches!(keys, KeySource::Introspected(_));
    let (keys, is_key_set) = match keys {
        KeySource::Public(key) => (vec![verification_key(key)], false),
        KeySource::Shared(secret) => (vec![shared_key(secret, owner, data_key)?], false),
        // They are fetched later.
        KeySource::Published(_) => (Vec::new(), true),
        KeySource::Introspected(_) => (Vec::new(), false),
    };
    let claims = wire::ClaimChecks {
        issuer: issuer.clone(),
        audience: audience.clone(),
        required: required_claims.iter().map(required).collect(),
        scopes: required_scopes.clone(),
        skew_ms: skew_seconds.saturating_mul(1_000),
        allows_endless: !requires_exp,
    };
    Ok(wire::SignedToken {
        r#type: token_type.into(),
        algorithms: algorithms.iter().copied().map(name).collect(),
        keys,
        is_key_set,
        claims: Some(claims),
        version: owner.version,
        keys_until_ms: 0,
        is_introspected,
    })
}

fn name(algorithm: Algorithm) -> String {
    algorithm.as_str().to_owned()
}

/// A public key, as policies carry it.
pub(super) fn verification_key(key: &PublicKey) -> wire::VerificationKey {
    let PublicKey {
        id,
        algorithm,
        numbers,
    } = key;
    let material = match numbers {
        Numbers::Rsa { modulus, exponent } => Material::Rsa(wire::RsaKey {
            modulus: modulus.clone().into(),
            exponent: exponent.clone().into(),
        }),
        Numbers::Ec { curve, x, y } => Material::Ec(wire::EcKey {
            curve: wire_curve(*curve).into(),
            x: x.clone().into(),
            y: y.clone().into(),
        }),
        Numbers::Ed25519(bytes) => Material::Ed25519(bytes.clone().into()),
    };
    wire::VerificationKey {
        key_id: id.clone(),
        algorithm: algorithm.map(name).unwrap_or_default(),
        material: Some(material),
    }
}

fn wire_curve(curve: Curve) -> wire::Curve {
    match curve {
        Curve::P256 => wire::Curve::P256,
        Curve::P384 => wire::Curve::P384,
        Curve::P521 => wire::Curve::P521,
    }
}

fn shared_key(
    secret: &SharedSecret,
    owner: &Owner<'_>,
    data_key: &KeyRing,
) -> Result<wire::VerificationKey, ConversionFailed> {
    let Owner {
        region,
        organisation,
        credential,
        version,
    } = *owner;
    let binding = Binding::shared_secret(region, organisation, (credential, version));
    let sealed = data_key.seal(secret.expose(), &binding, Nonce::random()?)?;
    Ok(wire::VerificationKey {
        key_id: None,
        algorithm: String::new(),
        material: Some(Material::SealedSecret(sealed.into())),
    })
}

fn required(claim: &Requirement) -> wire::RequiredClaim {
    let Requirement { name, allowed } = claim;
    let allowed = allowed.iter().map(|value| wire::ClaimValue {
        value: Some(match value {
            Scalar::Text(text) => Value::Text(text.to_string()),
            Scalar::Number(number) => Value::Number(*number),
            Scalar::Bool(bool) => Value::Boolean(*bool),
        }),
    });
    wire::RequiredClaim {
        name: name.to_string(),
        allowed: allowed.collect(),
    }
}
