//! Words of the documentation, and the JSON that PUT and PATCH start from.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What a layer decides when no rule matches.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", default = "allow")]
#[expect(dead_code, reason = "documents the words of domain::effect")]
pub(super) enum RuleEffect {
    Allow,
    Deny,
}

/// On which side of a proxy a credential stands.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents the words of domain::credential")]
pub(super) enum CredentialType {
    /// Callers present it.
    Proxy,
    /// Targets are given it.
    Target,
}

/// How a credential is presented or applied.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents the words of domain::credential")]
pub(super) enum CredentialAuthType {
    ApiKey,
    Bearer,
    BasicAuth,
    Jwt,
    /// For callers only.
    JwtVerify,
    #[schema(rename = "oauth2")]
    OAuth2,
    /// For targets only.
    CustomToken,
    /// For targets only.
    SignedJwt,
    /// For targets only.
    AwsSigV4,
    /// For targets only.
    Hmac,
    /// For targets only.
    Custom,
    /// For targets only.
    None,
}

/// How far the present state of a proxy came.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents the words of fleet")]
pub(super) enum ProxyState {
    Pending,
    Applied,
    Rejected,
    Incomplete,
    Inactive,
}

/// The members of an answer; none if it is no object.
pub(super) fn document(answer: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(answer) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    }
}
