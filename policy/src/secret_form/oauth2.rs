//! `oauth2` of targets: how the region obtains access tokens, and where they go.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    custom::{Values, values},
    endpoint::{Endpoint, endpoint},
    obtained::{self, Apply, name},
    value::header_name,
};
use crate::{
    form::{
        fields::{Fields, boolean, string},
        problem::{Fault, Invalid},
    },
    json::path::JsonPath,
    secret::SecretText,
};

mod client;
mod consent;
mod grant;

#[cfg(test)]
mod tests;

pub use self::client::{Certificate, Client, ClientAuth, IdEncoding, Signer};
pub use self::consent::{Consent, Pkce};
pub use self::grant::{Assertion, Exchange, Grant};

/// Scopes, and parameters and headers of one's own.
const MAX_ITEMS: usize = 64;

/// How tokens are obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2 {
    /// What is shown for the first one.
    pub grant: Grant,
    /// Where.
    pub token_url: Endpoint,
    /// Where later ones come from; none: from there, too.
    pub refresh_url: Option<Endpoint>,
    /// Who asks.
    pub client: Client,
    /// How requests are written.
    pub request: RequestForm,
    /// Where in an answer things are.
    pub answer: AnswerForm,
    /// Where the token goes.
    pub apply: Apply,
    /// What goes beside it.
    pub headers: Values,
    /// Statuses of the target that have another one obtained.
    pub refresh_on: Vec<u16>,
}

/// How a token request is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestForm {
    /// `POST`, or `GET`.
    pub method: Method,
    /// Where the parameters are.
    pub body: BodyFormat,
    /// Asked for.
    pub scopes: Vec<String>,
    /// Between scopes.
    pub scope_separator: String,
    /// Asked for again at a refresh.
    pub scope_on_refresh: bool,
    /// `audience`
    pub audience: Option<String>,
    /// `resource` (RFC 8707)
    pub resource: Option<String>,
    /// Headers of one's own.
    pub headers: Values,
    /// Parameters of one's own.
    pub extra: BTreeMap<String, SecretText>,
}

/// Of a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// With a body.
    Post,
    /// Without.
    Get,
}

/// Where the parameters of a token request are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
    /// In the URL.
    Query,
}

/// Where in an answer things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerForm {
    /// Of the token.
    pub token: Option<JsonPath>,
    /// Of its life.
    pub expires_in: Option<JsonPath>,
    /// The life is of milliseconds.
    pub is_in_milliseconds: bool,
    /// Of its end.
    pub expires_at: Option<JsonPath>,
    /// When nothing else says it.
    pub default_ttl_seconds: u64,
}

impl OAuth2 {
    /// What somebody has to consent to before there is a token; none: nobody has to.
    #[must_use]
    pub fn consent(&self) -> Option<&Consent> {
        match &self.grant {
            Grant::AuthorizationCode(consent) => Some(consent),
            Grant::ClientCredentials
            | Grant::RefreshToken(_)
            | Grant::Password { .. }
            | Grant::TokenExchange(_)
            | Grant::JwtBearer(_) => None,
        }
    }

    /// By member.
    pub(super) fn endpoints(&self) -> Vec<(String, Endpoint)> {
        let token = ("tokenUrl".to_owned(), self.token_url.clone());
        let refresh = self.refresh_url.clone();
        let refresh = refresh.map(|url| ("refreshUrl".to_owned(), url));
        let consent = self.consent().map(|it| it.authorization_url.clone());
        let consent = consent.map(|url| ("authorizationUrl".to_owned(), url));
        std::iter::once(token)
            .chain(refresh)
            .chain(consent)
            .collect()
    }
}

/// Reads the members of an `oauth2` secret of a target.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<OAuth2> {
    let grant = grant::read(fields);
    let token_url = fields.required("tokenUrl", endpoint);
    let refresh_url = fields.optional("refreshUrl", endpoint);
    let client = Client::read(fields);
    let request = request(fields);
    let answer = answer(fields);
    let apply = obtained::apply(fields);
    // Of headers an inner None was noted member by member.
    let headers = fields.object("headers", |members| values(members, header_name));
    let refresh_on = obtained::refresh_on(fields);
    Some(OAuth2 {
        grant: grant?,
        token_url: token_url?,
        refresh_url,
        client: client?,
        request: request?,
        answer,
        apply: apply?,
        headers: headers.unwrap_or_else(|| Some(Values::new()))?,
        refresh_on,
    })
}

fn request(fields: &mut Fields<'_>) -> Option<RequestForm> {
    let method = fields.optional("method", |value| match value.as_str() {
        Some("POST") => Ok(Method::Post),
        Some("GET") => Ok(Method::Get),
        _ => Err(Invalid::value("must be `POST` or `GET`")),
    });
    let method = method.unwrap_or(Method::Post);
    let body = fields.optional("bodyFormat", |value| match value.as_str() {
        Some("form") => Ok(BodyFormat::Form),
        Some("json") => Ok(BodyFormat::Json),
        Some("query") => Ok(BodyFormat::Query),
        _ => Err(Invalid::value("must be `form`, `json` or `query`")),
    });
    let default = match method {
        Method::Post => BodyFormat::Form,
        Method::Get => BodyFormat::Query,
    };
    let body = body.unwrap_or(default);
    if method == Method::Get && body != BodyFormat::Query {
        let text = "must be `query` where `method` is `GET`";
        fields.problem(Fault::ValidationFailed, "bodyFormat", text);
    }
    let headers = fields.object("tokenHeaders", |members| values(members, token_header));
    let extra = fields.object("extraParams", |members| values(members, parameter));
    Some(RequestForm {
        method,
        body,
        scopes: fields.list("scopes", MAX_ITEMS, scope).unwrap_or_default(),
        scope_separator: fields
            .optional("scopeSeparator", separator)
            .unwrap_or_else(|| " ".to_owned()),
        scope_on_refresh: fields
            .optional("scopeOnRefresh", boolean)
            .unwrap_or_default(),
        audience: fields.optional("audience", name),
        resource: fields.optional("resource", name),
        headers: headers.unwrap_or_else(|| Some(Values::new()))?,
        extra: extra.unwrap_or_else(|| Some(Values::new()))?,
    })
}

fn answer(fields: &mut Fields<'_>) -> AnswerForm {
    let unit = fields.optional("expiresInUnit", |value| match value.as_str() {
        Some("s") => Ok(false),
        Some("ms") => Ok(true),
        _ => Err(Invalid::value("must be `s` or `ms`")),
    });
    AnswerForm {
        token: fields.optional("tokenPath", obtained::path),
        expires_in: fields.optional("expiresInPath", obtained::path),
        is_in_milliseconds: unit.unwrap_or_default(),
        expires_at: fields.optional("expiresAtPath", obtained::path),
        default_ttl_seconds: fields
            .optional("defaultTtlSeconds", obtained::ttl_seconds)
            .unwrap_or(300),
    }
}

fn scope(value: &Value) -> Result<String, Invalid> {
    let raw = string(value)?;
    let is_legal = (1..=1024).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic());
    if is_legal {
        return Ok(raw);
    }
    Err(Invalid::value("must be 1 to 1024 visible ASCII characters"))
}

fn separator(value: &Value) -> Result<String, Invalid> {
    let raw = string(value)?;
    if [" ", ",", "+", ";", "|", ":"].contains(&raw.as_str()) {
        return Ok(raw);
    }
    Err(Invalid::value(
        "must be a blank or one of `,` `+` `;` `|` `:`",
    ))
}

/// The client sends some itself. `Authorization` may take the place of its own: some providers want
/// a scheme there that no client authentication makes.
pub(super) fn token_header(raw: &str) -> Result<String, Invalid> {
    let own = ["accept", "content-type", "content-length", "host"];
    if own.contains(&raw.to_ascii_lowercase().as_str()) {
        let text = "names a header that is set by itself";
        return Err(Invalid::new(Fault::InvalidSecret, text));
    }
    header_name(raw)
}

/// What the grant says is not said a second time.
fn parameter(raw: &str) -> Result<String, Invalid> {
    let own = [
        "grant_type",
        "client_id",
        "client_secret",
        "client_assertion",
        "code",
        "code_verifier",
        "redirect_uri",
    ];
    let is_legal = (1..=256).contains(&raw.len()) && !raw.chars().any(char::is_control);
    if own.contains(&raw) || !is_legal {
        return Err(Invalid::value("is not the name of an extra parameter"));
    }
    Ok(raw.to_owned())
}
