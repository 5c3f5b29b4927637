//! Secrets on their way to a region: HPKE (RFC 9180) in base mode to the region's public key.
//!
//! Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Layout of a sealed secret: version
//! (1 byte), encapsulated key (32 bytes), ciphertext with its tag.

use std::fmt;

use aes_gcm::aead::Generate as _;
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::AesGcm256,
    kdf::HkdfSha256, kem::X25519HkdfSha256, single_shot_open, single_shot_seal,
};
use zeroize::Zeroizing;

use super::{Binding, InvalidEnvelope, NoRandomness};
use crate::secret::SecretBytes;

type Kem = X25519HkdfSha256;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const INFO: &[u8] = b"requestrocket sealed secret v1";
const DOMAIN: &str = "requestrocket sealed secret";

/// A region's public key: whoever has it can seal for the region, and only the region can open.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingPublicKey(<Kem as hpke::Kem>::PublicKey);

/// A region's private key.
pub struct SealingPrivateKey(<Kem as hpke::Kem>::PrivateKey);

/// The bytes are not an X25519 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealing key must be 32 bytes of a valid X25519 key")]
pub struct InvalidSealingKey;

/// The secret could not be sealed: the public key is of low order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sealed to this public key")]
pub struct UnusableSealingKey;

impl SealingPublicKey {
    /// Reads the 32 bytes of the key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSealingKey> {
        <Kem as hpke::Kem>::PublicKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| InvalidSealingKey)
    }

    /// The 32 bytes of the key.
    pub fn to_bytes(&self) -> [u8; KEY_BYTES] {
        self.0.to_bytes().into()
    }

    /// Encrypts `plaintext` so that only the owner of the private key opens it, for `binding` only.
    pub fn seal(
        &self,
        plaintext: &[u8],
        binding: &Binding<'_>,
    ) -> Result<Vec<u8>, UnusableSealingKey> {
        let aad = binding.encode(DOMAIN, &[VERSION]);
        let sealed = single_shot_seal::<AesGcm256, HkdfSha256, Kem>(
            &OpModeS::Base,
            &self.0,
            INFO,
            plaintext,
            &aad,
        );
        let (encapsulated, ciphertext) = sealed.map_err(|_| UnusableSealingKey)?;
        Ok([&[VERSION], encapsulated.to_bytes().as_slice(), &ciphertext].concat())
    }
}

impl fmt::Debug for SealingPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingPublicKey")
            .field(&self.to_bytes())
            .finish()
    }
}

impl SealingPrivateKey {
    /// A fresh key.
    pub fn generate() -> Result<Self, NoRandomness> {
        let seed = <[u8; KEY_BYTES]>::try_generate().map(Zeroizing::new);
        let seed = seed.map_err(|_| NoRandomness)?;
        Ok(Self(Kem::derive_keypair(seed.as_slice()).0))
    }

    /// Reads the 32 bytes of the key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSealingKey> {
        <Kem as hpke::Kem>::PrivateKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| InvalidSealingKey)
    }

    /// The 32 bytes of the key, to be stored.
    pub fn to_bytes(&self) -> SecretBytes {
        SecretBytes::from(self.0.to_bytes().to_vec())
    }

    /// The public half.
    pub fn public_key(&self) -> SealingPublicKey {
        SealingPublicKey(Kem::sk_to_pk(&self.0))
    }

    /// Decrypts what was sealed to the public half for `binding`.
    pub fn open(
        &self,
        sealed: &[u8],
        binding: &Binding<'_>,
    ) -> Result<SecretBytes, InvalidEnvelope> {
        let (&version, rest) = sealed.split_first().ok_or(InvalidEnvelope::Truncated)?;
        if version != VERSION {
            return Err(InvalidEnvelope::UnknownVersion(version));
        }
        let (encapsulated, ciphertext) = rest
            .split_at_checked(KEY_BYTES)
            .ok_or(InvalidEnvelope::Truncated)?;
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated)
            .map_err(|_| InvalidEnvelope::NotAuthentic)?;
        let aad = binding.encode(DOMAIN, &[VERSION]);
        let opened = single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            INFO,
            ciphertext,
            &aad,
        );
        opened
            .map(SecretBytes::from)
            .map_err(|_| InvalidEnvelope::NotAuthentic)
    }
}

impl fmt::Debug for SealingPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
