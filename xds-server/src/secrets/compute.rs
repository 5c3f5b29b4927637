//! Target credentials whose value is computed for each call: what the filter needs for that.

use prost::Message as _;
use requestrocket_policy::jose::{Algorithm, Hash};
use requestrocket_policy::policy::Location;
use requestrocket_policy::secret::SecretBytes;
use requestrocket_policy::secret_form::aws_sig_v4::AwsSigV4;
use requestrocket_policy::secret_form::hmac::Hmac;
use requestrocket_policy::secret_form::private_key::KeyKind;
use requestrocket_policy::secret_form::signed_jwt::{SignedJwt, SigningKey};
use requestrocket_proto::policy::v1 as wire;
use wire::computed::Scheme;
use wire::signed_jwt::Key;

use super::placed::{PlacedValue, wire_location};

pub(super) fn signed_jwt(jwt: &SignedJwt) -> PlacedValue {
    let scheme = Scheme::SignedJwt(wire::SignedJwt {
        header: jwt.header.clone(),
        claims: jwt.claims.clone(),
        ttl_seconds: jwt.ttl_seconds,
        is_each_call: jwt.is_each_call,
        location: wire_location(Location::from(jwt.location)).into(),
        name: jwt.name.clone(),
        prefix: jwt.prefix.clone(),
        hash: wire_hash(hash_of(jwt.algorithm)).into(),
        key: Some(key(&jwt.key)),
    });
    computed("signedJwt", scheme, false)
}

pub(super) fn aws_sig_v4(aws: &AwsSigV4) -> PlacedValue {
    let token = aws.session_token.as_ref().map_or("", |it| it.expose());
    let scheme = Scheme::AwsSigV4(wire::AwsSigV4 {
        access_key_id: aws.access_key_id.clone(),
        secret_access_key: bytes(aws.secret_access_key.expose().as_bytes()),
        session_token: bytes(token.as_bytes()),
        region: aws.region.clone(),
        service: aws.service.clone(),
        unsigned_payload: aws.unsigned_payload,
    });
    computed("awsSigV4", scheme, !aws.unsigned_payload)
}

pub(super) fn hmac(hmac: &Hmac) -> PlacedValue {
    let scheme = Scheme::Hmac(wire::HmacSignature {
        key: bytes(hmac.key.expose()),
        hash: wire_hash(hmac.hash).into(),
        string_to_sign: hmac.string_to_sign.clone(),
        is_base64: hmac.is_base64,
        header: hmac.header.clone(),
        prefix: hmac.prefix.clone(),
        timestamp_header: hmac.timestamp_header.clone().unwrap_or_default(),
    });
    computed("hmac", scheme, hmac.reads_body)
}

fn computed(name: &str, scheme: Scheme, reads_body: bool) -> PlacedValue {
    let message = wire::Computed {
        scheme: Some(scheme),
    };
    PlacedValue {
        location: Location::Computed,
        name: name.to_owned(),
        value: SecretBytes::from(message.encode_to_vec()),
        around: (0, 0),
        reads_body,
    }
}

fn key(key: &SigningKey) -> Key {
    match key {
        SigningKey::Shared(secret) => Key::Secret(bytes(secret.expose())),
        SigningKey::Private(key) => {
            let material = bytes(key.bytes.expose());
            match key.kind {
                KeyKind::Rsa => Key::Rsa(material),
                KeyKind::Ec(curve) => Key::Ecdsa(wire::EcdsaKey {
                    pkcs8: material,
                    coordinate_bytes: u32::try_from(curve.bytes()).unwrap_or_default(),
                }),
                KeyKind::Ed25519 => Key::Ed25519Seed(material),
            }
        }
    }
}

/// Ed25519 has its own and is told none.
fn hash_of(algorithm: Algorithm) -> Hash {
    match algorithm {
        Algorithm::Hs(hash) | Algorithm::Rs(hash) | Algorithm::Ps(hash) => hash,
        Algorithm::Es(curve) => curve.hash(),
        Algorithm::EdDsa => Hash::Sha512,
    }
}

fn wire_hash(hash: Hash) -> wire::Hash {
    match hash {
        Hash::Sha256 => wire::Hash::Sha256,
        Hash::Sha384 => wire::Hash::Sha384,
        Hash::Sha512 => wire::Hash::Sha512,
    }
}

fn bytes(secret: &[u8]) -> prost::bytes::Bytes {
    prost::bytes::Bytes::copy_from_slice(secret)
}
