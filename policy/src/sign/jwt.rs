//! Tokens that the gateway mints itself (RFC 7519, RFC 7515).
//!
//! A token serves all calls until most of its life is over, or one call alone. The signature is ours for HMAC and
//! Ed25519; for RSA and the curves of NIST it is the host's, which does it many times faster.

mod ecdsa;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};

use super::{CannotSign, Hash, MacKey, Outgoing, Placed, Scheme, Tools, kept::Kept};
use crate::secret::SecretBytes;

/// What signs.
#[derive(Debug)]
pub(crate) enum JwtKey {
    /// `HS256` to `HS512`.
    Mac(Box<MacKey>),
    /// `EdDSA`.
    Ed25519(Box<SigningKey>),
    /// `RS256` to `RS512`: a key in PKCS#8.
    Rsa(Hash, SecretBytes),
    /// `ES256` to `ES512`: a key in PKCS#8, and how many bytes a coordinate of its curve has.
    Ecdsa(Hash, SecretBytes, usize),
}

/// Where the token goes.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// A header's name, in lower case, and what stands before the token.
    Header(Box<str>, Box<str>),
    /// A parameter's name, and what stands before the token.
    Query(Box<str>, Box<str>),
}

/// How long a token is good for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// From when it is minted until its `exp`.
    pub(crate) seconds: u64,
    /// It serves one call.
    pub(crate) is_each_call: bool,
}

/// Mints tokens.
#[derive(Debug)]
pub(crate) struct Minter {
    key: JwtKey,
    /// The header, encoded.
    header: Box<str>,
    /// The claims' members, without those that are of the moment.
    claims: Box<str>,
    life: Life,
    prefix: Box<str>,
    headers: Box<[Box<str>]>,
    parameter: Option<Box<str>>,
    minted: Kept<SecretBytes>,
}

/// After so much of its life a token is not used any more, in percent.
const USED_PERCENT: u64 = 80;
/// The latest moment that somebody could mean: the end of the year 9999.
const LAST_MS: u64 = 253_402_300_799_999;

impl Life {
    /// For so long calls are given the same token.
    fn used_ms(self) -> u64 {
        if self.is_each_call {
            return 0;
        }
        self.seconds.saturating_mul(1_000) / 100 * USED_PERCENT
    }
}

impl Minter {
    /// `header` is the JSON text of the token's header; `claims` that of its claims, an object
    /// without `iat`, `exp` and `jti`. None: it is none.
    pub(crate) fn new(
        key: JwtKey,
        (header, claims): (&str, &str),
        life: Life,
        place: Carrier,
    ) -> Option<Self> {
        let claims = claims.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        let (header_name, parameter, prefix) = match place {
            Carrier::Header(name, prefix) => (Some(name), None, prefix),
            Carrier::Query(name, prefix) => (None, Some(name), prefix),
        };
        Some(Self {
            key,
            header: URL_SAFE_NO_PAD.encode(header).into(),
            claims: claims.into(),
            life,
            prefix,
            headers: header_name.into_iter().collect(),
            parameter,
            minted: Kept::nothing(),
        })
    }

    fn mint(&self, now_ms: u64, tools: &dyn Tools) -> Result<SecretBytes, CannotSign> {
        // A host without a clock says the far future.
        if now_ms > LAST_MS {
            return Err(CannotSign);
        }
        let issued = now_ms / 1_000;
        let expires = issued.saturating_add(self.life.seconds);
        let id = uuid::Builder::from_random_bytes(tools.random().ok_or(CannotSign)?);
        let id = id.into_uuid();
        let claims = &self.claims;
        let comma = if claims.is_empty() { "" } else { "," };
        let payload = format!(r#"{{{claims}{comma}"iat":{issued},"exp":{expires},"jti":"{id}"}}"#);
        let text = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(payload));
        let signature = self.key.sign(text.as_bytes(), tools)?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let value = [&*self.prefix, &text, ".", &signature].concat();
        Ok(SecretBytes::from(value.into_bytes()))
    }
}

impl JwtKey {
    /// A key made of 32 bytes.
    pub(crate) fn ed25519(seed: &SecretBytes) -> Option<Self> {
        let seed = <&[u8; 32]>::try_from(seed.expose()).ok()?;
        Some(Self::Ed25519(Box::new(SigningKey::from_bytes(seed))))
    }

    fn sign(&self, text: &[u8], tools: &dyn Tools) -> Result<Vec<u8>, CannotSign> {
        match self {
            Self::Mac(key) => Ok(key.mac(text)),
            Self::Ed25519(key) => Ok(key.sign(text).to_bytes().to_vec()),
            Self::Rsa(hash, key) => tools.sign(*hash, key, text).ok_or(CannotSign),
            Self::Ecdsa(hash, key, width) => {
                let signature = tools.sign(*hash, key, text).ok_or(CannotSign)?;
                ecdsa::fixed(&signature, *width).ok_or(CannotSign)
            }
        }
    }
}

impl Scheme for Minter {
    fn headers(&self) -> &[Box<str>] {
        &self.headers
    }

    fn parameter(&self) -> Option<&[u8]> {
        self.parameter.as_deref().map(str::as_bytes)
    }

    fn reads_body(&self) -> bool {
        false
    }

    fn sign(
        &self,
        request: &Outgoing<'_>,
        tools: &dyn Tools,
    ) -> Result<Vec<Placed<'_>>, CannotSign> {
        let now_ms = request.now_ms;
        let used_ms = self.life.used_ms();
        let token = self.minted.get_or_make(now_ms, || {
            let token = self.mint(now_ms, tools)?;
            Ok((token, now_ms.saturating_add(used_ms)))
        })?;
        let secret = self.prefix.len()..token.expose().len();
        Ok(vec![Placed {
            header: self.headers.first().map(|name| &**name),
            value: token,
            secret,
        }])
    }
}

#[cfg(test)]
mod tests;
