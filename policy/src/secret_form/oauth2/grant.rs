//! What is shown at the token endpoint for the first token.

use std::fmt;

use serde_json::{Map, Value};

use super::consent::{self, Consent};
use crate::{
    form::{
        fields::{Fields, integer, string},
        problem::Fault,
    },
    secret::SecretText,
    secret_form::{
        obtained::{long, name},
        private_key::{self, JwsKey},
        value::text,
    },
};

/// Bytes of the claims of an assertion.
const MAX_CLAIMS_BYTES: usize = 8_192;

/// Of which kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The client itself.
    ClientCredentials,
    /// A refresh token that somebody has already.
    RefreshToken(SecretText),
    /// Of a user, whose password is here.
    Password {
        /// Who.
        username: SecretText,
        /// And that.
        password: SecretText,
    },
    /// RFC 8693
    TokenExchange(Exchange),
    /// RFC 7523
    JwtBearer(Assertion),
    /// What somebody consented to; the code comes with their answer.
    AuthorizationCode(Consent),
}

/// A token for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Whose rights are wanted.
    pub subject: SecretText,
    /// What that is.
    pub subject_type: String,
    /// Who acts for them.
    pub actor: Option<SecretText>,
    /// What that is.
    pub actor_type: Option<String>,
    /// What is wanted.
    pub requested_type: Option<String>,
}

/// A JWT that is signed for each request.
#[derive(Clone, PartialEq)]
pub struct Assertion {
    /// With its algorithm.
    pub key: JwsKey,
    /// `kid`
    pub key_id: Option<String>,
    /// What it says besides `iat`, `exp` and `jti`.
    pub claims: Map<String, Value>,
    /// Its life.
    pub ttl_seconds: u64,
}

impl Eq for Assertion {}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assertion({})", self.key.algorithm().as_str())
    }
}

/// `grantType`, and what belongs to it.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Grant> {
    let word = fields.required("grantType", string)?;
    match word.as_str() {
        "client_credentials" => Some(Grant::ClientCredentials),
        "refresh_token" => fields
            .required("refreshToken", long)
            .map(Grant::RefreshToken),
        "password" => {
            let username = fields.required("username", text);
            let password = fields.required("password", text);
            Some(Grant::Password {
                username: username?,
                password: password?,
            })
        }
        "token_exchange" => exchange(fields).map(Grant::TokenExchange),
        "jwt_bearer" => fields
            .required_object("assertion", assertion)
            .map(Grant::JwtBearer),
        "authorization_code" => consent::read(fields).map(Grant::AuthorizationCode),
        _ => {
            let text = "must be one of `client_credentials`, `authorization_code`, \
                        `refresh_token`, `password`, `token_exchange`, `jwt_bearer`";
            fields.problem(Fault::ValidationFailed, "grantType", text);
            None
        }
    }
}

fn exchange(fields: &mut Fields<'_>) -> Option<Exchange> {
    let subject = fields.required("subjectToken", long);
    let subject_type = fields.required("subjectTokenType", name);
    let actor = fields.optional("actorToken", long);
    let actor_type = fields.optional("actorTokenType", name);
    if actor.is_some() != actor_type.is_some() {
        let text = "and `actorTokenType` belong together";
        fields.problem(Fault::ValidationFailed, "actorToken", text);
    }
    Some(Exchange {
        subject: subject?,
        subject_type: subject_type?,
        actor,
        actor_type,
        requested_type: fields.optional("requestedTokenType", name),
    })
}

fn assertion(mut fields: Fields<'_>) -> Option<Assertion> {
    let algorithm = fields.required("algorithm", private_key::algorithm);
    let key = JwsKey::read(&mut fields, algorithm);
    let key_id = fields.optional("keyId", name);
    let ttl = fields.optional("ttlSeconds", integer(1, 600));
    let claims = match fields.take("claims") {
        None => Some(Map::new()),
        Some(Value::Object(claims)) => {
            let bytes = serde_json::to_vec(&claims).map_or(usize::MAX, |text| text.len());
            if bytes > MAX_CLAIMS_BYTES {
                fields.problem(
                    Fault::ValidationFailed,
                    "claims",
                    "are more than 8192 bytes",
                );
            }
            Some(claims)
        }
        Some(_) => {
            fields.problem(Fault::ValidationFailed, "claims", "must be an object");
            None
        }
    };
    fields.finish();
    Some(Assertion {
        key: key?,
        key_id,
        claims: claims?,
        ttl_seconds: ttl.unwrap_or(300),
    })
}
