//! jwtVerify and oauth2: a token that its issuer signed, with or without `Bearer `. Nothing of it is
//! compared; what was found right is remembered by its digest.

use sha2::{Digest as _, Sha256};

use super::{
    AuthType, DIGEST_BYTES, bearer,
    introspected::{Introspected, Unknown},
    token_id::TokenId,
};
use crate::{
    id::CredentialId,
    jose::{Keys, Refused, Signatures, Trial, Verifier, claims_text},
};

/// A token may be remembered for that long.
const MAX_REMEMBERED_MS: u64 = 600_000;

/// What authentication asks of the host, which remembers nothing if it does not say so.
pub trait AuthPorts: Signatures {
    /// Unix time in milliseconds; the far future when nobody knows.
    fn now_ms(&self) -> u64;

    /// Until when a token that was found right need not be looked at again; none: nobody remembers.
    fn right_until_ms(&self, token: &TokenId) -> Option<u64> {
        let _ = token;
        None
    }

    /// A token was refused that a newer key of the credential's issuer may have signed.
    fn want_newer_keys(&self, credential: CredentialId) {
        let _ = credential;
    }

    /// What the credential's authorization server says of an opaque token; none: that is not known.
    fn introspected(&self, token: &TokenId) -> Option<Introspected> {
        let _ = token;
        None
    }

    /// A token was presented that a server has to be asked about.
    fn want_introspection(&self, token: Unknown<'_>) {
        let _ = token;
    }

    /// A token was found right.
    fn remember(&self, token: TokenId, until_ms: u64) {
        let _ = (token, until_ms);
    }
}

/// What a credential accepts.
#[derive(Debug)]
pub(crate) struct SignedToken {
    pub(crate) auth_type: AuthType,
    pub(crate) verifier: Verifier,
    fingerprint: [u8; DIGEST_BYTES],
    /// Unix time in milliseconds from which its keys are none.
    keys_until_ms: Option<u64>,
}

impl SignedToken {
    /// Of that credential, by its message, which says all there is to know of it.
    pub(crate) fn new(
        auth_type: AuthType,
        verifier: Verifier,
        (id, message): (CredentialId, &[u8]),
    ) -> Self {
        let fingerprint = Sha256::new()
            .chain_update(id.as_uuid())
            .chain_update(message);
        Self {
            auth_type,
            verifier,
            fingerprint: fingerprint.finalize().into(),
            keys_until_ms: None,
        }
    }

    /// With keys that are none from that moment on.
    pub(crate) fn until(self, keys_until_ms: Option<u64>) -> Self {
        Self {
            keys_until_ms,
            ..self
        }
    }

    /// Whether its issuer may have newer keys, after that refusal.
    pub(super) fn may_have_newer_keys(&self, refused: Refused) -> bool {
        matches!(self.verifier.keys, Keys::Set(_)) && refused.may_know_newer_keys()
    }

    /// Whether the token is right, of which that is the digest.
    pub(super) fn verify(
        &self,
        (token, digest): (&[u8], [u8; DIGEST_BYTES]),
        trial: &Trial<'_>,
        ports: &dyn AuthPorts,
    ) -> Result<(), Refused> {
        let id = TokenId::new(self.fingerprint, digest);
        let now_ms = trial.now_ms();
        // Before what is remembered: keys that ended vouch for nothing that they verified, either.
        if self.keys_until_ms.is_some_and(|end| now_ms >= end) {
            return Err(Refused::NoKey);
        }
        if ports.right_until_ms(&id).is_some_and(|end| now_ms < end) {
            return Ok(());
        }
        let verified = self.verifier.verify(token, trial)?;
        // Without a clock there is no moment until which.
        let Some(longest) = now_ms.checked_add(MAX_REMEMBERED_MS) else {
            return Ok(());
        };
        let until_ms = verified.end_ms.map_or(longest, |end| end.min(longest));
        ports.remember(id, until_ms);
        Ok(())
    }
}

/// The token of what was presented.
pub(super) fn presented(value: &[u8]) -> &[u8] {
    bearer::compared(value, PREFIX).unwrap_or(value)
}

pub(super) const PREFIX: &str = "Bearer ";

/// What a token says that was found right.
pub(crate) fn claims(value: &[u8]) -> Option<String> {
    claims_text(presented(value))
}
