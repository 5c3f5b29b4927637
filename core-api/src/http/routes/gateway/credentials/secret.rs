//! Reads `credentialSecret`: one shape per type and side.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::gateway::credential::{AuthType, Side};
use crate::domain::gateway::secret::{Place, Secret, SecretText, header_name, prefix, query_name};
use crate::domain::problem::{Fault, Invalid};
use crate::http::fields::{Fields, string};
use crate::service::gateway::credentials::NewSecret;

/// Room for values that a request may be given by one credential.
const MAX_CUSTOM_VALUES: usize = 64;

/// The secret in `fields`, which are the members of `credentialSecret`.
pub(super) fn read(auth_type: AuthType, side: Side, mut fields: Fields<'_>) -> Option<NewSecret> {
    let secret = match (auth_type, side) {
        (AuthType::ApiKey, Side::Proxy) => match fields.take("key") {
            None => Some(NewSecret::Generate),
            Some(value) => {
                let key = fields.checked("key", text(&value, SecretText::bare));
                key.map(|key| NewSecret::Given(Secret::ProxyKey(key)))
            }
        },
        (AuthType::ApiKey, Side::Target) => target_key(&mut fields).map(NewSecret::Given),
        (AuthType::Bearer, _) => bearer(&mut fields).map(NewSecret::Given),
        (AuthType::BasicAuth, _) => basic_auth(&mut fields).map(NewSecret::Given),
        (AuthType::Jwt, _) => {
            let token = fields.required("token", |value| text(value, SecretText::jwt));
            token.map(|token| NewSecret::Given(Secret::Jwt(token)))
        }
        (AuthType::Custom, _) => custom(&mut fields).map(NewSecret::Given),
        (AuthType::None, _) => Some(NewSecret::Given(Secret::None)),
    };
    fields.finish();
    secret
}

fn target_key(fields: &mut Fields<'_>) -> Option<Secret> {
    let key = fields.required("key", |value| text(value, SecretText::bare));
    let place = fields.optional("location", |value| match value.as_str() {
        Some("header") => Ok(Place::Header),
        Some("query") => Ok(Place::Query),
        _ => Err(Invalid::value("must be `header` or `query`")),
    });
    let place = place.unwrap_or(Place::Header);
    let name = fields.optional("name", |value| match place {
        Place::Header => header_name(&string(value)?),
        Place::Query => query_name(&string(value)?),
    });
    let prefix = fields.optional("prefix", |value| prefix(&string(value)?));
    Some(Secret::TargetKey {
        key: key?,
        place,
        name: name.unwrap_or_else(|| "Authorization".to_owned()),
        prefix: prefix.unwrap_or_default(),
    })
}

fn bearer(fields: &mut Fields<'_>) -> Option<Secret> {
    let token = fields.required("token", |value| text(value, SecretText::bare));
    let prefix = fields.optional("prefix", |value| prefix(&string(value)?));
    let prefix = prefix.unwrap_or_else(|| "Bearer ".to_owned());
    Some(Secret::Bearer {
        token: token?,
        prefix,
    })
}

fn basic_auth(fields: &mut Fields<'_>) -> Option<Secret> {
    let username = fields.required("username", |value| text(value, SecretText::username));
    let password = fields.required("password", |value| text(value, SecretText::password));
    let (username, password) = (username?, password?);
    if username.expose().is_empty() && password.expose().is_empty() {
        fields.problem(Fault::InvalidSecret, "password", "and `username` are empty");
        return None;
    }
    Some(Secret::BasicAuth { username, password })
}

fn custom(fields: &mut Fields<'_>) -> Option<Secret> {
    let has_any = fields.has("headers") || fields.has("query");
    let headers = fields.object("headers", |members| values(members, header_name));
    let query = fields.object("query", |members| values(members, query_name));
    if !has_any {
        fields.problem(Fault::ValidationFailed, "headers", "or `query` is required");
    }
    // An inner None was noted member by member.
    let (headers, query) = (
        headers.unwrap_or_else(|| Some(Values::new()))?,
        query.unwrap_or_else(|| Some(Values::new()))?,
    );
    let mut names: Vec<_> = headers
        .keys()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < headers.len() {
        fields.problem(Fault::InvalidSecret, "headers", "names a header twice");
    }
    if has_any && headers.is_empty() && query.is_empty() {
        fields.problem(Fault::InvalidSecret, "headers", "and `query` are empty");
    }
    if headers.len() + query.len() > MAX_CUSTOM_VALUES {
        fields.problem(
            Fault::InvalidSecret,
            "headers",
            "and `query` have more than 64 values",
        );
    }
    Some(Secret::Custom { headers, query })
}

type Values = BTreeMap<String, SecretText>;

/// None when a member is refused.
fn values(
    mut members: Fields<'_>,
    check_name: impl Fn(&str) -> Result<String, Invalid>,
) -> Option<Values> {
    let mut values = Some(Values::new());
    for name in members.names() {
        let checked = members.checked(&name, check_name(&name));
        let value = members.required(&name, |value| text(value, SecretText::bare));
        values = values.and_then(|mut values| {
            values.insert(checked?, value?);
            Some(values)
        });
    }
    members.finish();
    values
}

fn text(
    value: &Value,
    check: impl Fn(&str) -> Result<SecretText, Invalid>,
) -> Result<SecretText, Invalid> {
    match value {
        Value::String(raw) => check(raw),
        _ => Err(Invalid::value("must be a string")),
    }
}
