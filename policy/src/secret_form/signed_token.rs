//! `jwtVerify`, and `oauth2` of callers: what verifies a signed token, and what it must say.

mod introspection;
mod key_source;
mod published;

use serde_json::Value;

pub use self::{
    introspection::Introspection,
    key_source::{KeySource, SharedSecret},
    published::{KeysAt, Published},
};
use super::{auth_type::AuthType, endpoint::Endpoint};
use crate::{
    form::{
        fields::{Fields, boolean, integer},
        problem::{Fault, Invalid},
    },
    jose::{Algorithm, Requirement, Scalar},
};

/// Of `clockSkewSeconds`.
const DEFAULT_SKEW_SECONDS: u64 = 60;
const MAX_SKEW_SECONDS: u64 = 600;
/// Of audiences, scopes, required claims, and values of one.
const MAX_ITEMS: usize = 32;
/// Of each of their texts.
const MAX_TEXT_BYTES: usize = 512;
/// Of all of them: every proxy of the credential carries them.
const MAX_TEXTS_BYTES: usize = 4_096;

/// What is asked of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedToken {
    /// Which tokens they are.
    pub kind: Kind,
    /// Whose key signs them.
    pub keys: KeySource,
    /// By which of these; there is at least one, and each suits the key.
    pub algorithms: Vec<Algorithm>,
    /// `iss` must be that.
    pub issuer: Option<String>,
    /// `aud` must name one of them; empty: it may be anything.
    pub audience: Vec<String>,
    /// By how much the issuer's clock may differ.
    pub skew_seconds: u64,
    /// Top-level claims.
    pub required_claims: Vec<Requirement>,
    /// All must be in `scope` or `scp`.
    pub required_scopes: Vec<String>,
    /// Whether a token must end.
    pub requires_exp: bool,
}

/// Which tokens callers present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `jwtVerify`
    Jwt,
    /// `oauth2`
    OAuth2,
}

/// `{publicKey|sharedSecret|jwksUri, algorithms?, issuer?, audience?, clockSkewSeconds?, requiredClaims?,
/// requiredScopes?, requireExp?}`
pub(super) fn read(auth_type: AuthType, fields: &mut Fields<'_>) -> Option<SignedToken> {
    let kind = if auth_type == AuthType::OAuth2 {
        Kind::OAuth2
    } else {
        Kind::Jwt
    };
    let issuer = fields.optional("issuer", text);
    let keys = key_source::read(fields, kind, issuer.as_deref());
    let named = fields.list("algorithms", Algorithm::ALL.len(), algorithm);
    let audience = fields.list("audience", MAX_ITEMS, text);
    let skew_seconds = fields.optional("clockSkewSeconds", integer(0, MAX_SKEW_SECONDS));
    let required_claims = fields.object("requiredClaims", requirements);
    let required_scopes = match kind {
        Kind::Jwt => None,
        Kind::OAuth2 => fields.list("requiredScopes", MAX_ITEMS, scope),
    };
    let requires_exp = fields.optional("requireExp", boolean);
    let keys = keys?;
    let token = SignedToken {
        kind,
        algorithms: algorithms(fields, named, &keys)?,
        keys,
        issuer,
        audience: audience.unwrap_or_default(),
        skew_seconds: skew_seconds.unwrap_or(DEFAULT_SKEW_SECONDS),
        // An inner None was noted member by member.
        required_claims: required_claims.unwrap_or_else(|| Some(Vec::new()))?,
        required_scopes: required_scopes.unwrap_or_default(),
        requires_exp: requires_exp.unwrap_or(true),
    };
    if token.texts_bytes() > MAX_TEXTS_BYTES {
        let text = format!("and the other lists have more than {MAX_TEXTS_BYTES} bytes");
        fields.problem(Fault::InvalidSecret, "requiredClaims", text);
    }
    Some(token)
}

impl SignedToken {
    /// What is fetched, by its member.
    pub(super) fn endpoints(&self) -> Vec<(String, Endpoint)> {
        match &self.keys {
            KeySource::Published(published) => {
                let (member, url) = published.endpoint();
                vec![(member.to_owned(), url.clone())]
            }
            KeySource::Introspected(introspection) => {
                vec![("introspectionUrl".to_owned(), introspection.url.clone())]
            }
            KeySource::Public(_) | KeySource::Shared(_) => Vec::new(),
        }
    }

    fn texts_bytes(&self) -> usize {
        let lists = self.audience.iter().chain(&self.required_scopes);
        let claims = self.required_claims.iter().map(|claim| {
            let values = claim.allowed.iter().map(|value| match value {
                Scalar::Text(text) => text.len(),
                Scalar::Number(_) | Scalar::Bool(_) => size_of::<f64>(),
            });
            claim.name.len() + values.sum::<usize>()
        });
        lists.map(String::len).chain(claims).sum()
    }
}

/// Those that were named, each of which must suit the key; by default all that do.
fn algorithms(
    fields: &mut Fields<'_>,
    named: Option<Vec<Algorithm>>,
    keys: &KeySource,
) -> Option<Vec<Algorithm>> {
    let Some(named) = named else {
        let suited = Algorithm::ALL.into_iter().filter(|one| keys.suits(*one));
        return Some(suited.collect());
    };
    if named.is_empty() {
        fields.problem(Fault::InvalidSecret, "algorithms", "must not be empty");
        return None;
    }
    let misfit = named.iter().find(|one| !keys.suits(**one));
    if let Some(misfit) = misfit {
        let text = format!("`{}` does not suit the key", misfit.as_str());
        fields.problem(Fault::InvalidSecret, "algorithms", text);
        return None;
    }
    Some(named)
}

fn algorithm(value: &Value) -> Result<Algorithm, Invalid> {
    let name = value.as_str().ok_or_else(no_string)?;
    name.parse()
        .map_err(|error| Invalid::new(Fault::InvalidSecret, format!("{error}")))
}

/// None when a member is refused.
fn requirements(mut members: Fields<'_>) -> Option<Vec<Requirement>> {
    let names = members.names();
    let mut claims = Vec::with_capacity(names.len());
    for name in &names {
        let checked = members.checked(name, checked_text(name));
        let allowed = members.required(name, allowed);
        claims.extend(checked.zip(allowed).map(|(name, allowed)| Requirement {
            name: name.into(),
            allowed,
        }));
    }
    if names.len() > MAX_ITEMS {
        let text = format!("has more than {MAX_ITEMS} claims");
        members.problem(Fault::InvalidSecret, "", text);
    }
    members.finish();
    (claims.len() == names.len()).then_some(claims)
}

fn allowed(value: &Value) -> Result<Box<[Scalar]>, Invalid> {
    let Some(values) = value.as_array() else {
        return Ok(Box::new([scalar(value)?]));
    };
    if (1..=MAX_ITEMS).contains(&values.len()) {
        return values.iter().map(scalar).collect();
    }
    Err(invalid(format!("must have 1 to {MAX_ITEMS} values")))
}

fn scalar(value: &Value) -> Result<Scalar, Invalid> {
    let number = || value.as_f64().filter(|number| number.is_finite());
    match value {
        Value::String(text) => Ok(Scalar::Text(checked_text(text)?.into())),
        Value::Bool(bool) => Ok(Scalar::Bool(*bool)),
        Value::Number(_) => number()
            .map(Scalar::Number)
            .ok_or_else(|| invalid("is too large")),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(Invalid::value("must be a string, number or boolean"))
        }
    }
}

/// Scopes have no blanks (RFC 6749 §3.3).
fn scope(value: &Value) -> Result<String, Invalid> {
    let scope = text(value)?;
    if scope.contains(' ') {
        return Err(invalid("must be one scope, without blanks"));
    }
    Ok(scope)
}

fn text(value: &Value) -> Result<String, Invalid> {
    checked_text(value.as_str().ok_or_else(no_string)?)
}

fn checked_text(text: &str) -> Result<String, Invalid> {
    if (1..=MAX_TEXT_BYTES).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(invalid(format!("must be 1 to {MAX_TEXT_BYTES} bytes")))
}

fn no_string() -> Invalid {
    Invalid::value("must be a string")
}

fn invalid(text: impl Into<String>) -> Invalid {
    Invalid::new(Fault::InvalidSecret, text)
}

#[cfg(test)]
mod tests;
