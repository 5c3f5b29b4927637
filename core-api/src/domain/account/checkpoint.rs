//! Signed statements of how an audit log ended at a moment. Who changes rows afterwards cannot make
//! them fit without the key, nor where copies are kept elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::chain::{Hash, canonical};
use crate::domain::moment::Moment;

/// How a log ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checkpoint {
    /// Which one, such as `client:ID`.
    pub log: String,
    /// How many rows it had been given.
    pub rows: u64,
    /// Of the last of them, in hexadecimal.
    pub hash: String,
    /// When: RFC 3339.
    pub at: String,
    /// It was made for the end of an export, behind which nothing follows.
    pub end: bool,
    /// The public key that it is signed with, in base64.
    pub key: String,
    /// Ed25519 (RFC 8032) over the RFC 8785 JSON of `at`, `end`, `hash`, `log` and `rows`, in base64.
    pub signature: String,
}

/// Signs checkpoints. Does not print.
pub struct AuditKey {
    pair: Ed25519KeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
}

/// A public key that checkpoints may be signed with: 32 bytes in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPublicKey(Vec<u8>);

/// No such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an Ed25519 key, as `audit key` prints it")]
pub struct InvalidAuditKey;

impl AuditKey {
    /// A new one.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn generate() -> Result<Self, InvalidAuditKey> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        Self::parse(pkcs8.map_err(|_| InvalidAuditKey)?.as_ref())
    }

    /// From PKCS#8 (RFC 8410).
    ///
    /// # Errors
    /// It is none.
    pub fn parse(pkcs8: &[u8]) -> Result<Self, InvalidAuditKey> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| InvalidAuditKey)?;
        let pkcs8 = Zeroizing::new(pkcs8.to_vec());
        Ok(Self { pair, pkcs8 })
    }

    /// PKCS#8, for its file only.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.pkcs8
    }

    /// What checkpoints are verified with.
    #[must_use]
    pub fn public(&self) -> AuditPublicKey {
        AuditPublicKey(self.pair.public_key().as_ref().to_vec())
    }

    /// The statement that `log` ends so.
    ///
    /// # Errors
    /// Never: what is signed can be written.
    pub fn sign(
        &self,
        (log, rows, hash): (String, u64, Hash),
        at: Moment,
        end: bool,
    ) -> serde_json::Result<Checkpoint> {
        let mut checkpoint = Checkpoint {
            log,
            rows,
            hash: hash.to_string(),
            at: at.to_string(),
            end,
            key: self.public().to_string(),
            signature: String::new(),
        };
        let signature = self.pair.sign(checkpoint.covered()?.as_bytes());
        checkpoint.signature = BASE64.encode(signature.as_ref());
        Ok(checkpoint)
    }
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl std::str::FromStr for AuditPublicKey {
    type Err = InvalidAuditKey;

    fn from_str(raw: &str) -> Result<Self, InvalidAuditKey> {
        let bytes = BASE64.decode(raw).map_err(|_| InvalidAuditKey)?;
        if bytes.len() == 32 {
            Ok(Self(bytes))
        } else {
            Err(InvalidAuditKey)
        }
    }
}

impl std::fmt::Display for AuditPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl Checkpoint {
    fn covered(&self) -> serde_json::Result<String> {
        let Self {
            log,
            rows,
            hash,
            at,
            end,
            key: _,
            signature: _,
        } = self;
        canonical(&json!({"at": at, "end": end, "hash": hash, "log": log, "rows": rows}))
    }

    /// Whether one of `keys` signed it; without any, whether the key did that it names itself.
    #[must_use]
    pub fn is_signed_by(&self, keys: &[AuditPublicKey]) -> bool {
        let Ok(own) = self.key.parse::<AuditPublicKey>() else {
            return false;
        };
        let (Ok(covered), Ok(signature)) = (self.covered(), BASE64.decode(&self.signature)) else {
            return false;
        };
        let is_known = keys.is_empty() || keys.contains(&own);
        let key = UnparsedPublicKey::new(&ED25519, &own.0);
        is_known && key.verify(covered.as_bytes(), &signature).is_ok()
    }

    /// Its line of an export.
    #[must_use]
    pub fn line(&self) -> Value {
        json!({ "checkpoint": self })
    }

    /// From a line of an export; None: it is another line.
    #[must_use]
    pub fn of_line(line: &Value) -> Option<Self> {
        Self::deserialize(line.get("checkpoint")?).ok()
    }
}
