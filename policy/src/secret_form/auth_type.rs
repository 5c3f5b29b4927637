//! The words of credentials: on which side of a proxy, and how they are presented or applied.

use std::{fmt, str::FromStr};

/// On which side of a proxy a credential stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Callers present it.
    Proxy,
    /// Targets are given it.
    Target,
}

/// How a credential is presented or applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// Nothing is applied.
    None,
    /// A key alone; `key` means it too.
    ApiKey,
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    BasicAuth,
    /// A literal JWT.
    Jwt,
    /// Headers and parameters of one's own.
    Custom,
    /// A JWT whose signature is verified.
    JwtVerify,
    /// OAuth 2.0: access tokens that callers present or that targets are given.
    OAuth2,
    /// A token that requests of one's own obtain.
    CustomToken,
    /// A JWT that is signed here.
    SignedJwt,
    /// AWS Signature Version 4.
    AwsSigV4,
    /// A keyed hash over parts of the request.
    Hmac,
}

/// Not a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of `proxy`, `target`")]
pub struct InvalidSide;

/// Not an auth type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAuthType;

impl Side {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Proxy, Self::Target];

    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Target => "target",
        }
    }
}

impl FromStr for Side {
    type Err = InvalidSide;

    fn from_str(raw: &str) -> Result<Self, InvalidSide> {
        match raw {
            "proxy" => Ok(Self::Proxy),
            "target" => Ok(Self::Target),
            _ => Err(InvalidSide),
        }
    }
}

impl AuthType {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::ApiKey,
        Self::Bearer,
        Self::BasicAuth,
        Self::Jwt,
        Self::JwtVerify,
        Self::OAuth2,
        Self::CustomToken,
        Self::SignedJwt,
        Self::AwsSigV4,
        Self::Hmac,
        Self::Custom,
        Self::None,
    ];

    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "apiKey",
            Self::Bearer => "bearer",
            Self::BasicAuth => "basicAuth",
            Self::Jwt => "jwt",
            Self::Custom => "custom",
            Self::JwtVerify => "jwtVerify",
            Self::OAuth2 => "oauth2",
            Self::CustomToken => "customToken",
            Self::SignedJwt => "signedJwt",
            Self::AwsSigV4 => "awsSigV4",
            Self::Hmac => "hmac",
        }
    }

    /// A credential of `side` may have this type.
    #[must_use]
    pub fn is_of(self, side: Side) -> bool {
        match self {
            Self::ApiKey | Self::Bearer | Self::BasicAuth | Self::Jwt | Self::OAuth2 => true,
            Self::JwtVerify => side == Side::Proxy,
            Self::None
            | Self::Custom
            | Self::CustomToken
            | Self::SignedJwt
            | Self::AwsSigV4
            | Self::Hmac => side == Side::Target,
        }
    }
}

impl FromStr for AuthType {
    type Err = InvalidAuthType;

    fn from_str(raw: &str) -> Result<Self, InvalidAuthType> {
        let raw = if raw == "key" { "apiKey" } else { raw };
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.as_str() == raw).ok_or(InvalidAuthType)
    }
}

impl fmt::Display for InvalidAuthType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be one of ")?;
        for (position, auth_type) in AuthType::ALL.into_iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}`{}`", auth_type.as_str())?;
            if auth_type == AuthType::ApiKey {
                f.write_str(" (or `key`)")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for InvalidAuthType {}
