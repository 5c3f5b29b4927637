//! Credentials: what callers present, and what targets are given.

use std::str::FromStr;

use super::region::RegionName;
use crate::domain::guard::effect::Effect;
use crate::domain::id::{CredentialId, OrganisationId};
use crate::domain::moment::Moment;
use crate::domain::name::Name;
use crate::domain::people::organisation::InvalidWord;

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
}

/// No auth type, or one that cannot be used yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuthType {
    /// Described, but not to be had.
    #[error("is not supported yet")]
    NotYet,
    /// No such word.
    #[error("must be one of `apiKey` (or `key`), `bearer`, `basicAuth`, `jwt`, `custom`, `none`")]
    Unknown,
}

/// What may change of a credential besides its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialForm {
    /// Its name.
    pub name: Name,
    /// What its layer decides when no rule matches.
    pub default_rule_effect: Effect,
    /// Whether it counts.
    pub is_active: bool,
}

/// The record. Its secret is no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it is used.
    pub region: RegionName,
    /// Its side.
    pub side: Side,
    /// Its type.
    pub auth_type: AuthType,
    /// What its owner decided.
    pub form: CredentialForm,
    /// Of the secret: +1 for every new one.
    pub version: u64,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// User id.
    pub created_by: String,
    /// Of its last change.
    pub revision: u64,
}

impl Credential {
    /// The word for its state.
    #[must_use]
    pub fn status(&self) -> &'static str {
        if self.form.is_active {
            "active"
        } else {
            "inactive"
        }
    }
}

impl Side {
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
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "proxy" => Ok(Self::Proxy),
            "target" => Ok(Self::Target),
            _ => Err(InvalidWord("`proxy`, `target`")),
        }
    }
}

impl AuthType {
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
        }
    }

    /// A credential of `side` may have this type.
    #[must_use]
    pub fn is_of(self, side: Side) -> bool {
        match self {
            Self::ApiKey | Self::Bearer | Self::BasicAuth | Self::Jwt => true,
            Self::None | Self::Custom => side == Side::Target,
        }
    }
}

impl FromStr for AuthType {
    type Err = InvalidAuthType;

    fn from_str(raw: &str) -> Result<Self, InvalidAuthType> {
        match raw {
            "none" => Ok(Self::None),
            "apiKey" | "key" => Ok(Self::ApiKey),
            "bearer" => Ok(Self::Bearer),
            "basicAuth" => Ok(Self::BasicAuth),
            "jwt" => Ok(Self::Jwt),
            "custom" => Ok(Self::Custom),
            "jwtVerify" | "oauth2" | "customToken" | "signedJwt" | "awsSigV4" | "hmac" => {
                Err(InvalidAuthType::NotYet)
            }
            _ => Err(InvalidAuthType::Unknown),
        }
    }
}
