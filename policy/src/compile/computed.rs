//! What is sealed of a value that is computed for each call, to the scheme that computes it.

use prost::Message as _;
use requestrocket_proto::policy::v1 as wire;
use wire::{computed::Scheme as WireScheme, signed_jwt::Key as WireKey};

use crate::{
    secret::SecretBytes,
    sign::{
        AwsSecret, AwsSigner, Carrier, Encoding, Hash, HmacPlaces, HmacSigner, JwtKey, Life,
        MacKey, Minter, Payload, Scheme, Template,
    },
    swap::is_injectable_header,
};

/// Cannot be computed. Says nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidComputed {
    /// Not a message, or of a scheme that this build does not know.
    #[error("value is of no scheme that is known")]
    Scheme,
    /// There is one request to sign, and whoever signs last would sign what the other put.
    #[error("only one value can be computed")]
    Several,
    /// Not a header name, or one that is not the credential's to set.
    #[error("header of that name cannot be injected")]
    HeaderName,
    /// A text would end the header it goes into, or is none of its kind.
    #[error("text cannot be used")]
    Text,
    /// Not a key of its kind.
    #[error("key cannot be used")]
    Key,
}

/// The scheme of an opened value.
pub(super) fn compile(value: &SecretBytes) -> Result<Box<dyn Scheme>, InvalidComputed> {
    let message = wire::Computed::decode(value.expose()).map_err(|_| InvalidComputed::Scheme)?;
    match message.scheme {
        Some(WireScheme::SignedJwt(jwt)) => Ok(Box::new(minter(jwt)?)),
        Some(WireScheme::AwsSigV4(aws)) => Ok(Box::new(aws_signer(aws)?)),
        Some(WireScheme::Hmac(hmac)) => Ok(Box::new(hmac_signer(hmac)?)),
        None => Err(InvalidComputed::Scheme),
    }
}

fn minter(jwt: wire::SignedJwt) -> Result<Minter, InvalidComputed> {
    let wire::SignedJwt {
        header,
        claims,
        ttl_seconds,
        is_each_call,
        location,
        name,
        prefix,
        hash,
        key,
    } = jwt;
    let prefix = plain(prefix)?.into();
    let place = match wire::Location::try_from(location) {
        Ok(wire::Location::Header) => Carrier::Header(header_name(&name)?.into(), prefix),
        Ok(wire::Location::Query) if !name.is_empty() => Carrier::Query(name.into(), prefix),
        Ok(wire::Location::Query | wire::Location::Computed | wire::Location::Unspecified)
        | Err(_) => return Err(InvalidComputed::Text),
    };
    let key = jwt_key(hash_of(hash)?, key)?;
    let life = Life {
        seconds: ttl_seconds,
        is_each_call,
    };
    let minter = Minter::new(key, (&header, &claims), life, place);
    minter.ok_or(InvalidComputed::Text)
}

fn jwt_key(hash: Hash, key: Option<WireKey>) -> Result<JwtKey, InvalidComputed> {
    match key {
        Some(WireKey::Secret(secret)) => Ok(JwtKey::Mac(Box::new(mac_key(hash, &secret)?))),
        Some(WireKey::Rsa(pkcs8)) => Ok(JwtKey::Rsa(hash, secret(&pkcs8))),
        Some(WireKey::Ecdsa(wire::EcdsaKey {
            pkcs8,
            coordinate_bytes,
        })) => {
            let width = usize::try_from(coordinate_bytes).map_err(|_| InvalidComputed::Key)?;
            Ok(JwtKey::Ecdsa(hash, secret(&pkcs8), width))
        }
        Some(WireKey::Ed25519Seed(seed)) => {
            let key = JwtKey::ed25519(&secret(&seed));
            key.ok_or(InvalidComputed::Key)
        }
        None => Err(InvalidComputed::Key),
    }
}

fn aws_signer(aws: wire::AwsSigV4) -> Result<AwsSigner, InvalidComputed> {
    let wire::AwsSigV4 {
        access_key_id,
        secret_access_key,
        session_token,
        region,
        service,
        unsigned_payload,
    } = aws;
    let token = secret(&session_token);
    if token.expose().iter().any(u8::is_ascii_control) {
        return Err(InvalidComputed::Text);
    }
    Ok(AwsSigner::new(AwsSecret {
        access_key_id: plain(access_key_id)?,
        secret_access_key: secret(&secret_access_key),
        session_token: (!token.expose().is_empty()).then_some(token),
        region: plain(region)?,
        service: plain(service)?,
        payload: if unsigned_payload {
            Payload::Unsigned
        } else {
            Payload::Hashed
        },
    }))
}

fn hmac_signer(hmac: wire::HmacSignature) -> Result<HmacSigner, InvalidComputed> {
    let wire::HmacSignature {
        key,
        hash,
        string_to_sign,
        is_base64,
        header,
        prefix,
        timestamp_header,
    } = hmac;
    let template = Template::parse(&string_to_sign).map_err(|_| InvalidComputed::Text)?;
    // Of other names nobody knows here what Envoy will send.
    let is_sent = |name: &str| name == "host" || is_injectable_header(name);
    if !template.headers().all(is_sent) {
        return Err(InvalidComputed::HeaderName);
    }
    let encoding = if is_base64 {
        Encoding::Base64
    } else {
        Encoding::Hex
    };
    let timestamp_header = if timestamp_header.is_empty() {
        None
    } else {
        Some(header_name(&timestamp_header)?)
    };
    let places = HmacPlaces {
        header: header_name(&header)?,
        prefix: plain(prefix)?,
        timestamp_header,
    };
    let key = mac_key(hash_of(hash)?, &key)?;
    Ok(HmacSigner::new(key, template, encoding, places))
}

fn hash_of(hash: i32) -> Result<Hash, InvalidComputed> {
    match wire::Hash::try_from(hash) {
        Ok(wire::Hash::Sha256) => Ok(Hash::Sha256),
        Ok(wire::Hash::Sha384) => Ok(Hash::Sha384),
        Ok(wire::Hash::Sha512) => Ok(Hash::Sha512),
        Ok(wire::Hash::Unspecified) | Err(_) => Err(InvalidComputed::Scheme),
    }
}

fn mac_key(hash: Hash, key: &[u8]) -> Result<MacKey, InvalidComputed> {
    if key.is_empty() {
        return Err(InvalidComputed::Key);
    }
    MacKey::new(hash, key).ok_or(InvalidComputed::Key)
}

fn secret(bytes: &[u8]) -> SecretBytes {
    SecretBytes::from(bytes)
}

/// In lower case.
fn header_name(name: &str) -> Result<String, InvalidComputed> {
    if is_injectable_header(name) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(InvalidComputed::HeaderName)
    }
}

fn plain(text: String) -> Result<String, InvalidComputed> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        Err(InvalidComputed::Text)
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
