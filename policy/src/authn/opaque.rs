//! oauth2: an access token that only its authorization server can read (RFC 7662). The region asks that
//! server; what it said is remembered by the token's digest, and judged for each call.

use sha2::{Digest as _, Sha256};

use super::{
    AuthPorts, DIGEST_BYTES,
    introspected::{Introspected, Unknown},
    token_id::TokenId,
};
use crate::{
    id::CredentialId,
    jose::{ClaimChecks, Object},
};

/// What a credential accepts.
#[derive(Debug)]
pub(crate) struct OpaqueToken {
    checks: ClaimChecks,
    credential: CredentialId,
    version: u64,
    fingerprint: [u8; DIGEST_BYTES],
}

/// What a token is to a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Right,
    Wrong,
    Unknown,
}

impl OpaqueToken {
    /// Of that credential, by its message, which says all there is to know of it.
    pub(crate) fn new(
        checks: ClaimChecks,
        (credential, version): (CredentialId, u64),
        message: &[u8],
    ) -> Self {
        let fingerprint = Sha256::new()
            .chain_update(credential.as_uuid())
            .chain_update(message);
        Self {
            checks,
            credential,
            version,
            fingerprint: fingerprint.finalize().into(),
        }
    }

    /// The token with that digest.
    pub(super) fn id_of(&self, digest: [u8; DIGEST_BYTES]) -> TokenId {
        TokenId::new(self.fingerprint, digest)
    }

    pub(super) fn judge(
        &self,
        (token, digest): (&[u8], [u8; DIGEST_BYTES]),
        now_ms: u64,
        ports: &dyn AuthPorts,
    ) -> Standing {
        // Secrets of another kind are not shown to a server of tokens.
        if !is_token(token) {
            return Standing::Wrong;
        }
        match ports.introspected(&self.id_of(digest)) {
            Some(Introspected::Active(claims)) if self.is_right(&claims, now_ms) => Standing::Right,
            Some(Introspected::Active(_) | Introspected::Inactive) => Standing::Wrong,
            None => Standing::Unknown,
        }
    }

    /// The token, to be asked about.
    pub(super) fn unknown<'a>(
        &self,
        (token, digest): (&'a [u8], [u8; DIGEST_BYTES]),
    ) -> Unknown<'a> {
        Unknown {
            id: self.id_of(digest),
            credential: self.credential,
            version: self.version,
            token,
        }
    }

    fn is_right(&self, claims: &str, now_ms: u64) -> bool {
        let claims = Object::parse(claims.as_bytes());
        claims.is_ok_and(|claims| self.checks.check(&claims, now_ms).is_ok())
    }
}

/// As `Bearer` has them (RFC 6750, 2.1).
fn is_token(token: &[u8]) -> bool {
    let end = token.iter().rposition(|byte| *byte != b'=');
    let letters = end.and_then(|end| token.get(..=end)).unwrap_or_default();
    let is_legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    !letters.is_empty() && letters.iter().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_of_tokens_is_shown() {
        for (text, want) in [
            ("mF_9.B5f-4.1JqM", true),
            ("a+/~==", true),
            ("", false),
            ("==", false),
            ("a=b", false),
            ("Basic dXNlcjpwYXNz", false),
            ("pass word", false),
            ("p\u{e4}ss", false),
        ] {
            assert_eq!(is_token(text.as_bytes()), want, "{text}");
        }
    }
}
