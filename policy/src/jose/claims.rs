//! What the claims of a token must say (RFC 7519 §4.1), and RFC 7662 of an opaque one.

use super::object::{InvalidObject, Object, Value};

/// What a credential asks of claims.
#[derive(Debug)]
pub struct ClaimChecks {
    /// `iss` must be that; none: it may be missing and anything.
    pub issuer: Option<Box<str>>,
    /// `aud` must name one of them; empty: it may be missing and anything.
    pub audience: Box<[Box<str>]>,
    /// All of them.
    pub required: Box<[Requirement]>,
    /// All must be in `scope` or `scp`.
    pub scopes: Box<[Box<str>]>,
    /// By how much the issuer's clock may differ.
    pub skew_ms: u64,
    /// Whether `exp` must be there. If it is, it counts.
    pub requires_exp: bool,
}

/// A claim that must be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// Of a member of the claims themselves.
    pub name: Box<str>,
    /// One of them must be its value, or an element of that.
    pub allowed: Box<[Scalar]>,
}

/// A value that claims are compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A string.
    Text(Box<str>),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
}

/// Why claims are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClaims {
    /// No such object.
    #[error("claims: {0}")]
    Object(#[from] InvalidObject),
    /// `exp`, `nbf` or `iat` is no moment in time.
    #[error("`exp`, `nbf` and `iat` must be numbers of seconds")]
    Time,
    /// There is no `exp`.
    #[error("`exp` is missing")]
    Endless,
    /// `exp` has passed.
    #[error("token has expired")]
    Expired,
    /// `nbf` or `iat` has not come yet.
    #[error("token is not valid yet")]
    Early,
    /// `iss` is missing or another.
    #[error("`iss` is another")]
    Issuer,
    /// `aud` is missing or names others.
    #[error("`aud` names others")]
    Audience,
    /// A claim is missing or has another value.
    #[error("a required claim is missing or another")]
    Required,
    /// A scope is missing.
    #[error("a required scope is missing")]
    Scope,
}

/// After the year 9999 is no moment in time.
const MAX_SECONDS: f64 = 253_402_300_800.0;

impl ClaimChecks {
    /// Checks all; says when the claims end, in Unix time in milliseconds, if they do.
    pub fn check(&self, claims: &Object<'_>, now_ms: u64) -> Result<Option<u64>, InvalidClaims> {
        let end_ms = self.check_times(claims, now_ms)?;
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        if !self.required.iter().all(|it| it.holds(claims)) {
            return Err(InvalidClaims::Required);
        }
        if !self.scopes.iter().all(|it| has_scope(claims, it)) {
            return Err(InvalidClaims::Scope);
        }
        Ok(end_ms)
    }

    fn check_times(&self, claims: &Object<'_>, now_ms: u64) -> Result<Option<u64>, InvalidClaims> {
        let end_ms = moment_ms(claims, "exp")?;
        if end_ms.is_none() && self.requires_exp {
            return Err(InvalidClaims::Endless);
        }
        if end_ms.is_some_and(|end| now_ms >= end.saturating_add(self.skew_ms)) {
            return Err(InvalidClaims::Expired);
        }
        let latest_ms = now_ms.saturating_add(self.skew_ms);
        for name in ["nbf", "iat"] {
            if moment_ms(claims, name)?.is_some_and(|moment| moment > latest_ms) {
                return Err(InvalidClaims::Early);
            }
        }
        Ok(end_ms)
    }

    fn check_issuer(&self, claims: &Object<'_>) -> Result<(), InvalidClaims> {
        let Some(wanted) = &self.issuer else {
            return Ok(());
        };
        let issuer = claims.get("iss");
        if issuer
            .and_then(Value::into_text)
            .is_some_and(|issuer| issuer == **wanted)
        {
            Ok(())
        } else {
            Err(InvalidClaims::Issuer)
        }
    }

    fn check_audience(&self, claims: &Object<'_>) -> Result<(), InvalidClaims> {
        let is_ours = |one: &Value<'_>| {
            let one = one.as_text();
            one.is_some_and(|one| self.audience.iter().any(|ours| **ours == *one))
        };
        let named = claims.get("aud");
        if self.audience.is_empty() || named.is_some_and(|named| any(&named, is_ours)) {
            Ok(())
        } else {
            Err(InvalidClaims::Audience)
        }
    }
}

impl Requirement {
    fn holds(&self, claims: &Object<'_>) -> bool {
        let is_allowed = |value: &Value<'_>| self.allowed.iter().any(|it| it.is(value));
        claims
            .get(&self.name)
            .is_some_and(|value| any(&value, is_allowed))
    }
}

impl Scalar {
    fn is(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Text(wanted), Value::Text(text)) => **wanted == **text,
            (Self::Bool(wanted), Value::Bool(bool)) => wanted == bool,
            // As written in JSON, so equal numbers are equal bits or zeros.
            (Self::Number(wanted), Value::Number(number)) => {
                wanted.total_cmp(number).is_eq() || (*wanted + *number).abs() == 0.0
            }
            (Self::Text(_) | Self::Bool(_) | Self::Number(_), _) => false,
        }
    }
}

/// Whether that is so of the value, or of an element of it.
fn any(value: &Value<'_>, is_so: impl Fn(&Value<'_>) -> bool) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(is_so),
        Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Null | Value::Other => {
            is_so(value)
        }
    }
}

/// `scope` is a text with blanks between (RFC 8693 §4.2); some issuers have an array, or name it
/// `scp`.
fn has_scope(claims: &Object<'_>, wanted: &str) -> bool {
    let names_it = |value: &Value<'_>| {
        let scopes = value.as_text();
        scopes.is_some_and(|scopes| scopes.split(' ').any(|scope| scope == wanted))
    };
    let values = ["scope", "scp"]
        .into_iter()
        .filter_map(|name| claims.get(name));
    values.into_iter().any(|value| any(&value, names_it))
}

/// A moment that claims name: a number of seconds since the epoch, with fractions (RFC 7519 §2).
fn moment_ms(claims: &Object<'_>, name: &str) -> Result<Option<u64>, InvalidClaims> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(seconds)) if seconds < MAX_SECONDS => {
            // `Duration` has no negatives, and every clock is past the epoch.
            let since_epoch = std::time::Duration::try_from_secs_f64(seconds.max(0.0));
            let since_epoch = since_epoch.map_err(|_| InvalidClaims::Time)?;
            let ms = u64::try_from(since_epoch.as_millis());
            ms.map(Some).map_err(|_| InvalidClaims::Time)
        }
        Some(_) => Err(InvalidClaims::Time),
    }
}

#[cfg(test)]
mod tests;
