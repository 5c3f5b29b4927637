//! Is this credential right?
//!
//! Presented values are hashed before they are compared, and the comparison takes the same time
//! whatever the outcome. A refusal costs the same whether the proxy exists or not, except that a
//! well-formed JWT costs more where tokens are verified, and may wait for newer keys there; what may be a
//! token waits where a server is asked about it.

mod api_key;
mod attempt;
mod basic;
mod bearer;
mod digest;
mod extract;
mod introspected;
pub mod jwt;
mod opaque;
mod remembered;
mod subject;
mod token;
mod token_id;

pub use digest::{DIGEST_BYTES, DigestKey, InvalidDigestKey};
pub use introspected::{Introspected, Unknown};
pub use remembered::{MAX_REMEMBERED, Remembered};
pub use token::AuthPorts;
pub use token_id::TokenId;

pub(crate) use attempt::{Unverified, introspected_claims, refuse_unknown, verify};
pub(crate) use digest::SecretDigest;
pub(crate) use extract::{Presented, presented};
pub(crate) use opaque::OpaqueToken;
pub(crate) use subject::{named_in, subject};
pub(crate) use token::{SignedToken, claims};

use crate::id::CredentialId;

/// How a proxy credential is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthType {
    /// The value as it is.
    ApiKey,
    /// A prefix and a token.
    Bearer,
    /// `Basic` and a base64 pair of user name and password.
    BasicAuth,
    /// A literal JWT, compared as text.
    Jwt,
    /// A JWT whose signature is verified.
    JwtVerify,
    /// An access token whose signature is verified.
    OAuth2,
}

impl AuthType {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "apiKey",
            Self::Bearer => "bearer",
            Self::BasicAuth => "basicAuth",
            Self::Jwt => "jwt",
            Self::JwtVerify => "jwtVerify",
            Self::OAuth2 => "oauth2",
        }
    }

    /// Whether who presents it is known by the claims of a token.
    pub(crate) fn has_claims(self) -> bool {
        match self {
            Self::JwtVerify | Self::OAuth2 => true,
            Self::ApiKey | Self::Bearer | Self::BasicAuth | Self::Jwt => false,
        }
    }
}

/// A credential of a proxy.
#[derive(Debug)]
pub(crate) struct ProxyCredential {
    pub(crate) id: CredentialId,
    pub(crate) is_active: bool,
    /// Unix time in milliseconds; none for no end.
    pub(crate) ends_at_ms: Option<u64>,
    /// None for a credential that matches nobody.
    pub(crate) accepts: Option<Accepted>,
}

impl ProxyCredential {
    /// How who has it is known, as long as it lets anybody in.
    pub(crate) fn lets_in(&self, now_ms: impl FnOnce() -> u64) -> Option<AuthType> {
        let auth_type = match self.accepts.as_ref()? {
            Accepted::Secret { form, digests: _ } => form.auth_type(),
            Accepted::Token(token) => token.auth_type,
            Accepted::Opaque(_) => AuthType::OAuth2,
        };
        let is_over = || self.ends_at_ms.is_some_and(|end_ms| now_ms() >= end_ms);
        (self.is_active && !is_over()).then_some(auth_type)
    }
}

/// What a caller may present.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// One of these secrets.
    Secret {
        form: Form,
        digests: Box<[SecretDigest]>,
    },
    /// A token of an issuer's.
    Token(Box<SignedToken>),
    /// A token that its server is asked about.
    Opaque(Box<OpaqueToken>),
}

/// What of the presented value is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    ApiKey,
    Bearer { prefix: Box<str> },
    BasicAuth,
    Jwt,
}

impl Form {
    pub(crate) fn auth_type(&self) -> AuthType {
        match self {
            Self::ApiKey => AuthType::ApiKey,
            Self::Bearer { prefix: _ } => AuthType::Bearer,
            Self::BasicAuth => AuthType::BasicAuth,
            Self::Jwt => AuthType::Jwt,
        }
    }
}
