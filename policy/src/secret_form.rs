//! The plaintext of every `credentialSecret`: its members, defaults and limits, once.
//!
//! The Core API reads it when a credential is saved and tells what is wrong, member by member; the
//! region reads it again after opening, by the same lines, because what passes goes onto the wire.
//! One file a type.

use serde_json::{Map, Value};

use crate::{
    form::{
        fields::Fields,
        problem::{Fault, Problems},
    },
    secret::SecretText,
};

pub mod api_key;
pub mod auth_type;
pub mod aws_sig_v4;
pub mod basic_auth;
pub mod bearer;
pub mod custom;
pub mod custom_token;
pub mod endpoint;
pub mod hmac;
pub mod jwt;
pub mod oauth2;
pub mod obtained;
pub mod place;
pub mod private_key;
pub mod signed_jwt;
pub mod signed_token;
pub mod value;

use auth_type::{AuthType, Side};
use endpoint::Endpoint;

/// The secret of a credential, by its type and side.
#[derive(Clone, Debug, PartialEq)]
pub enum SecretForm {
    /// `none`: there is none.
    None,
    /// `apiKey` of callers.
    PresentedKey(api_key::PresentedKey),
    /// `apiKey` of targets.
    InjectedKey(api_key::InjectedKey),
    /// `bearer`
    Bearer(bearer::Bearer),
    /// `basicAuth`
    BasicAuth(basic_auth::BasicAuth),
    /// `jwt`: a literal token.
    Jwt(SecretText),
    /// `jwtVerify`, and `oauth2` of callers.
    SignedToken(Box<signed_token::SignedToken>),
    /// `custom`
    Custom(custom::Custom),
    /// `signedJwt`
    SignedJwt(Box<signed_jwt::SignedJwt>),
    /// `awsSigV4`
    AwsSigV4(Box<aws_sig_v4::AwsSigV4>),
    /// `hmac`
    Hmac(Box<hmac::Hmac>),
    /// `oauth2` of targets.
    OAuth2Target(Box<oauth2::OAuth2>),
    /// `customToken`
    CustomToken(Box<custom_token::CustomToken>),
}

impl SecretForm {
    /// The URLs that the region calls, by the path of their member.
    #[must_use]
    pub fn endpoints(&self) -> Vec<(String, Endpoint)> {
        match self {
            Self::OAuth2Target(form) => form.endpoints(),
            Self::CustomToken(form) => form.endpoints(),
            Self::SignedToken(form) => form.endpoints(),
            Self::None
            | Self::PresentedKey(_)
            | Self::InjectedKey(_)
            | Self::Bearer(_)
            | Self::BasicAuth(_)
            | Self::Jwt(_)
            | Self::Custom(_)
            | Self::SignedJwt(_)
            | Self::AwsSigV4(_)
            | Self::Hmac(_) => Vec::new(),
        }
    }

    /// Whether there is nothing to give to targets, or to verify tokens with, before the region has
    /// obtained it.
    #[must_use]
    pub fn is_obtained(&self) -> bool {
        let is_minted = matches!(self, Self::SignedJwt(form) if form.minted_ahead().is_some());
        is_minted || !self.endpoints().is_empty()
    }

    /// The form, when somebody has to consent before there is a token, and to what.
    #[must_use]
    pub fn consent(&self) -> Option<(&oauth2::OAuth2, &oauth2::Consent)> {
        match self {
            Self::OAuth2Target(form) => Some((form, form.consent()?)),
            Self::CustomToken(_)
            | Self::None
            | Self::PresentedKey(_)
            | Self::InjectedKey(_)
            | Self::Bearer(_)
            | Self::BasicAuth(_)
            | Self::Jwt(_)
            | Self::Custom(_)
            | Self::SignedToken(_)
            | Self::SignedJwt(_)
            | Self::AwsSigV4(_)
            | Self::Hmac(_) => None,
        }
    }

    /// Reads the members of a `credentialSecret`; what is wrong is noted in them.
    pub fn read(auth_type: AuthType, side: Side, mut fields: Fields<'_>) -> Option<Self> {
        let form = match (auth_type, side) {
            (AuthType::None, _) => Some(Self::None),
            (AuthType::ApiKey, Side::Proxy) => {
                api_key::presented(&mut fields).map(Self::PresentedKey)
            }
            (AuthType::ApiKey, Side::Target) => {
                api_key::injected(&mut fields).map(Self::InjectedKey)
            }
            (AuthType::Bearer, _) => bearer::read(&mut fields).map(Self::Bearer),
            (AuthType::BasicAuth, _) => basic_auth::read(&mut fields).map(Self::BasicAuth),
            (AuthType::Jwt, _) => jwt::read(&mut fields).map(Self::Jwt),
            (AuthType::Custom, _) => custom::read(&mut fields).map(Self::Custom),
            (AuthType::SignedJwt, _) => {
                let form = signed_jwt::read(&mut fields);
                form.map(|form| Self::SignedJwt(Box::new(form)))
            }
            (AuthType::AwsSigV4, _) => {
                let form = aws_sig_v4::read(&mut fields);
                form.map(|form| Self::AwsSigV4(Box::new(form)))
            }
            (AuthType::Hmac, _) => hmac::read(&mut fields).map(|form| Self::Hmac(Box::new(form))),
            (AuthType::JwtVerify, _) | (AuthType::OAuth2, Side::Proxy) => {
                let token = signed_token::read(auth_type, &mut fields);
                token.map(|token| Self::SignedToken(Box::new(token)))
            }
            (AuthType::OAuth2, Side::Target) => {
                let form = oauth2::read(&mut fields);
                form.map(|form| Self::OAuth2Target(Box::new(form)))
            }
            (AuthType::CustomToken, Side::Target) => {
                let form = custom_token::read(&mut fields);
                form.map(|form| Self::CustomToken(Box::new(form)))
            }
            (AuthType::CustomToken, Side::Proxy) => {
                fields.problem(Fault::InvalidSecret, "", "is not for callers");
                None
            }
        };
        fields.finish();
        form
    }

    /// Reads the text that was sealed.
    ///
    /// # Errors
    /// It is no JSON object, or has problems. Their texts hold nothing of it.
    pub fn open(auth_type: AuthType, side: Side, json: &[u8]) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        // The reader's own words could quote the secret.
        let object: Map<String, Value> = serde_json::from_slice(json).map_err(|_| {
            let mut problems = Problems::default();
            problems.add(Fault::ValidationFailed, "", "must be a JSON object");
            problems
        })?;
        let form = Self::read(auth_type, side, Fields::new(object, &mut problems));
        problems.check()?;
        form.ok_or(problems)
    }
}

#[cfg(test)]
mod tests;
