//! What messages are signed with, as Standard Webhooks says it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// As long as the hash.
const BYTES: usize = 32;

/// The secret of a webhook; prints as nothing.
pub struct HookSecret(Zeroizing<Vec<u8>>);

/// It has another length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret of the webhook cannot be used")]
pub struct InvalidHookSecret;

impl HookSecret {
    /// A new one.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new(vec![0; BYTES]);
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// What [`expose`](Self::expose) gave.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(bytes: Zeroizing<Vec<u8>>) -> Result<Self, InvalidHookSecret> {
        if bytes.len() == BYTES {
            Ok(Self(bytes))
        } else {
            Err(InvalidHookSecret)
        }
    }

    /// Its bytes, to be sealed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// As its owner is shown it, once: `whsec_` and base64.
    #[must_use]
    pub fn shown(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", BASE64.encode(&*self.0)))
    }

    /// The signature of a message: `v1,` and base64.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let signed = format!("{id}.{timestamp}.{body}");
        let tag = hmac::sign(&key, signed.as_bytes());
        format!("v1,{}", BASE64.encode(tag))
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // Computed with `openssl dgst -sha256 -mac HMAC`, of a key of 32 bytes 0x2a.
        let secret = HookSecret::parse(Zeroizing::new(vec![0x2a; BYTES])).unwrap();
        let signature = secret.sign("msg_1", 1_700_000_000, r#"{"a":1}"#);
        assert_eq!(signature, "v1,DJvzz6D5wxW72nCAr9XIwJPGsGeJ6/0+Qb77Tskdmgc=");
        assert_eq!(
            *secret.shown(),
            format!("whsec_{}", BASE64.encode([0x2a; BYTES]))
        );
        assert_eq!(format!("{secret:?}"), "[redacted]");
    }

    #[test]
    fn secrets_differ_and_have_their_length() {
        let (one, other) = (
            HookSecret::generate().unwrap(),
            HookSecret::generate().unwrap(),
        );
        assert_ne!(one.expose(), other.expose());
        let short = HookSecret::parse(Zeroizing::new(vec![0; BYTES - 1]));
        assert_eq!(short.unwrap_err(), InvalidHookSecret);
    }
}
