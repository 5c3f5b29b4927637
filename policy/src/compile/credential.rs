//! Proxy credentials.

use requestrocket_proto::policy::v1::{self as wire, proxy_credential::Presented};

use super::{InvalidPolicy, layer, meter};
use crate::{
    authn::{Accepted, DIGEST_BYTES, Form, ProxyCredential, SecretDigest},
    id::InvalidId,
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
    /// `layer`.
    #[error(transparent)]
    Layer(#[from] layer::InvalidLayer),
    /// `limits`.
    #[error(transparent)]
    Limits(#[from] meter::InvalidLimit),
}

pub(super) fn compile_all(
    credentials: Vec<wire::ProxyCredential>,
) -> Result<Box<[ProxyCredential]>, InvalidPolicy> {
    let numbered = credentials.into_iter().enumerate();
    numbered
        .map(|(position, credential)| {
            compile(credential).map_err(|source| InvalidPolicy::Credential { position, source })
        })
        .collect()
}

fn compile(credential: wire::ProxyCredential) -> Result<ProxyCredential, InvalidCredential> {
    let wire::ProxyCredential {
        credential_id,
        is_active,
        ends_at_ms,
        presented,
    } = credential;
    Ok(ProxyCredential {
        id: credential_id.parse()?,
        is_active,
        ends_at_ms: (ends_at_ms != 0).then_some(ends_at_ms),
        accepts: presented.map(accepted).transpose()?,
    })
}

fn accepted(presented: Presented) -> Result<Accepted, InvalidCredential> {
    let (form, digests) = match presented {
        Presented::ApiKey(wire::ApiKey { digests }) => (Form::ApiKey, digests),
        Presented::Bearer(wire::Bearer { prefix, digests }) => (
            Form::Bearer {
                prefix: prefix.into(),
            },
            digests,
        ),
        Presented::BasicAuth(wire::BasicAuth { digests }) => (Form::BasicAuth, digests),
        Presented::Jwt(wire::JwtString { digests }) => (Form::Jwt, digests),
    };
    let digests = digests.into_iter().map(digest).collect::<Result<_, _>>()?;
    Ok(Accepted { form, digests })
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
