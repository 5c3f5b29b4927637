//! Proxy credentials.

use requestrocket_proto::policy::v1::{self as wire, proxy_credential::Presented};

use super::{InvalidPolicy, layer, meter, token};
use crate::{
    authn::{Accepted, DIGEST_BYTES, Form, ProxyCredential, SecretDigest},
    id::{CredentialId, InvalidId},
};

/// Not a proxy credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredential {
    /// `credential_id`.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A digest of another length.
    #[error("digest must be {DIGEST_BYTES} bytes")]
    Digest,
    /// `signed_token`.
    #[error("token: {0}")]
    Token(#[from] token::InvalidToken),
    /// `layer`.
    #[error(transparent)]
    Layer(#[from] layer::InvalidLayer),
    /// `limits`.
    #[error(transparent)]
    Limits(#[from] meter::InvalidLimit),
}

pub(super) fn compile_all(
    credentials: Vec<wire::ProxyCredential>,
    safe: &token::Safe<'_>,
) -> Result<Box<[ProxyCredential]>, InvalidPolicy> {
    let numbered = credentials.into_iter().enumerate();
    numbered
        .map(|(position, credential)| {
            compile(credential, safe)
                .map_err(|source| InvalidPolicy::Credential { position, source })
        })
        .collect()
}

fn compile(
    credential: wire::ProxyCredential,
    safe: &token::Safe<'_>,
) -> Result<ProxyCredential, InvalidCredential> {
    let wire::ProxyCredential {
        credential_id,
        is_active,
        ends_at_ms,
        presented,
    } = credential;
    let id = credential_id.parse()?;
    let accepts = presented.map(|presented| accepted(presented, id, safe));
    Ok(ProxyCredential {
        id,
        is_active,
        // On the wire 0 is never.
        ends_at_ms: (ends_at_ms != 0).then_some(ends_at_ms),
        accepts: accepts.transpose()?,
    })
}

fn accepted(
    presented: Presented,
    id: CredentialId,
    safe: &token::Safe<'_>,
) -> Result<Accepted, InvalidCredential> {
    match presented {
        Presented::ApiKey(wire::ApiKey { digests }) => secret(Form::ApiKey, digests),
        Presented::Bearer(wire::Bearer { prefix, digests }) => {
            let prefix = prefix.into();
            secret(Form::Bearer { prefix }, digests)
        }
        Presented::BasicAuth(wire::BasicAuth { digests }) => secret(Form::BasicAuth, digests),
        Presented::Jwt(wire::JwtString { digests }) => secret(Form::Jwt, digests),
        Presented::SignedToken(signed) => Ok(token::compile(signed, id, safe)?),
    }
}

fn secret(form: Form, digests: Vec<wire::SecretDigest>) -> Result<Accepted, InvalidCredential> {
    let digests = digests.into_iter().map(digest).collect::<Result<_, _>>()?;
    Ok(Accepted::Secret { form, digests })
}

fn digest(digest: wire::SecretDigest) -> Result<SecretDigest, InvalidCredential> {
    let wire::SecretDigest {
        hmac_sha256,
        valid_until_ms,
    } = digest;
    let hmac = hmac_sha256
        .as_ref()
        .try_into()
        .map_err(|_| InvalidCredential::Digest)?;
    Ok(SecretDigest {
        hmac,
        valid_until_ms: (valid_until_ms != 0).then_some(valid_until_ms),
    })
}
