//! What is sent to a token endpoint. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::oauth2::{
    BodyFormat, Certificate, Client, ClientAuth, Grant, IdEncoding, Method, OAuth2,
};
use requestrocket_policy::secret_form::private_key::CannotSign;
use requestrocket_policy::secret_form::signed_jwt::header;
use requestrocket_policy::secret_form::signed_token::Introspection;
use serde_json::{Map, Value};
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::assertion::{self, Issue};
use crate::secrets::consent::Given;

#[cfg(test)]
mod tests;

/// `grant_type` of a consent.
const CODE: &str = "authorization_code";
/// Life of what a client shows of itself.
const CLIENT_ASSERTION_S: u64 = 60;

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// In upper case.
    pub(super) method: String,
    /// With its query.
    pub(super) url: SecretText,
    /// By name.
    pub(super) headers: Vec<(String, SecretText)>,
    /// None for none.
    pub(super) body: Option<SecretText>,
    /// Of TLS.
    pub(super) certificate: Option<Certificate>,
}

/// What is shown for the token that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown<'a> {
    /// What the secret says.
    Grant,
    /// A refresh token that came with an earlier one.
    Refresh(&'a SecretText),
    /// What a consent brought.
    Consent(&'a Given),
}

/// The moment, and an id that was never used before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh<'a> {
    /// Seconds since 1970.
    pub(super) now_s: u64,
    /// For assertions.
    pub(super) id: &'a str,
}

type Parameters = Vec<(String, SecretText)>;

/// Whether a grant may be shown time and again, so that a lost refresh token is no loss.
pub(super) fn can_start_over(grant: &Grant) -> bool {
    match grant {
        Grant::ClientCredentials
        | Grant::Password { .. }
        | Grant::TokenExchange(_)
        | Grant::JwtBearer(_) => true,
        Grant::RefreshToken(_) | Grant::AuthorizationCode(_) => false,
    }
}

/// Whether refresh tokens of this grant are used; others are asked anew, which is as cheap.
pub(super) fn uses_refresh_tokens(grant: &Grant) -> bool {
    match grant {
        Grant::RefreshToken(_)
        | Grant::Password { .. }
        | Grant::TokenExchange(_)
        | Grant::AuthorizationCode(_) => true,
        Grant::ClientCredentials | Grant::JwtBearer(_) => false,
    }
}

/// The request for a token.
pub(super) fn build(
    form: &OAuth2,
    shown: Shown<'_>,
    fresh: Fresh<'_>,
) -> Result<Outgoing, CannotSign> {
    let is_refresh = matches!(shown, Shown::Refresh(_));
    let mut parameters = match shown {
        Shown::Grant => grant(&form.grant, fresh)?,
        Shown::Refresh(token) => refresh(token),
        Shown::Consent(given) => code(given),
    };
    // A consent says its scopes where it is asked for.
    let is_first = matches!(shown, Shown::Grant);
    let is_scoped = (is_first && !matches!(form.grant, Grant::RefreshToken(_)))
        || (form.request.scope_on_refresh && !matches!(shown, Shown::Consent(_)));
    if is_scoped && !form.request.scopes.is_empty() {
        let scopes = form.request.scopes.join(&form.request.scope_separator);
        put(&mut parameters, "scope", scopes);
    }
    for (name, value) in [
        ("audience", &form.request.audience),
        ("resource", &form.request.resource),
    ] {
        if let Some(value) = value {
            put(&mut parameters, name, value.clone());
        }
    }
    let mut headers = vec![text("accept", "application/json")];
    let asking = (&form.client, form.token_url.as_str());
    headers.extend(authenticate(asking, &mut parameters, fresh)?);
    for (name, value) in &form.request.extra {
        // No parameter may be there twice (RFC 6749 §3.2).
        parameters.retain(|(known, _)| known != name);
        parameters.push((name.clone(), value.clone()));
    }
    for (name, value) in &form.request.headers {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.clone(), value.clone()));
    }
    let endpoint = match &form.refresh_url {
        Some(url) if is_refresh => url,
        Some(_) | None => &form.token_url,
    };
    Ok(written(form, endpoint.as_str(), headers, &parameters))
}

/// The question about a token (RFC 7662, 2.1).
pub(super) fn introspection(
    form: &Introspection,
    token: &SecretText,
    fresh: Fresh<'_>,
) -> Result<Outgoing, CannotSign> {
    let Introspection { url, client } = form;
    let mut parameters = vec![
        ("token".to_owned(), token.clone()),
        text("token_type_hint", "access_token"),
    ];
    let mut headers = vec![
        text("accept", "application/json"),
        text("content-type", "application/x-www-form-urlencoded"),
    ];
    headers.extend(authenticate(
        (client, url.as_str()),
        &mut parameters,
        fresh,
    )?);
    Ok(Outgoing {
        method: "POST".to_owned(),
        url: SecretText::new(url.as_str().to_owned()),
        headers,
        body: Some(encode(&parameters)),
        certificate: client.certificate.clone(),
    })
}

fn written(form: &OAuth2, url: &str, mut headers: Parameters, parameters: &Parameters) -> Outgoing {
    let encoded = || encode(parameters);
    let (url, body) = match form.request.body {
        BodyFormat::Query => {
            // The endpoint may have a query of its own, which has to stay (RFC 6749 §3.2).
            let joint = if url.contains('?') { "&" } else { "?" };
            (
                SecretText::new([url, joint, encoded().expose()].concat()),
                None,
            )
        }
        BodyFormat::Form => {
            headers.push(text("content-type", "application/x-www-form-urlencoded"));
            (SecretText::new(url.to_owned()), Some(encoded()))
        }
        BodyFormat::Json => {
            headers.push(text("content-type", "application/json"));
            (SecretText::new(url.to_owned()), Some(json(parameters)))
        }
    };
    let method = match form.request.method {
        Method::Post => "POST",
        Method::Get => "GET",
    };
    Outgoing {
        method: method.to_owned(),
        url,
        headers,
        body,
        certificate: form.client.certificate.clone(),
    }
}

fn grant(grant: &Grant, fresh: Fresh<'_>) -> Result<Parameters, CannotSign> {
    match grant {
        Grant::ClientCredentials => Ok(vec![text("grant_type", "client_credentials")]),
        Grant::RefreshToken(token) => Ok(refresh(token)),
        Grant::Password { username, password } => Ok(vec![
            text("grant_type", "password"),
            ("username".to_owned(), username.clone()),
            ("password".to_owned(), password.clone()),
        ]),
        Grant::TokenExchange(exchange) => {
            let kind = "urn:ietf:params:oauth:grant-type:token-exchange";
            let mut parameters = vec![
                text("grant_type", kind),
                ("subject_token".to_owned(), exchange.subject.clone()),
                text("subject_token_type", &exchange.subject_type),
            ];
            if let Some(actor) = &exchange.actor {
                parameters.push(("actor_token".to_owned(), actor.clone()));
            }
            for (name, value) in [
                ("actor_token_type", &exchange.actor_type),
                ("requested_token_type", &exchange.requested_type),
            ] {
                parameters.extend(value.as_deref().map(|value| text(name, value)));
            }
            Ok(parameters)
        }
        Grant::JwtBearer(it) => {
            let header = header(it.key.algorithm(), it.key_id.as_deref());
            let issue = Issue {
                now_s: fresh.now_s,
                ttl_s: it.ttl_seconds,
                id: fresh.id,
            };
            let signed = assertion::sign(&it.key, &header, issue, it.claims.clone())?;
            Ok(vec![
                text("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion".to_owned(), signed),
            ])
        }
        // There is nothing to show before somebody has consented: see `Shown::Consent`.
        Grant::AuthorizationCode(_) => Ok(vec![text("grant_type", CODE)]),
    }
}

fn code(given: &Given) -> Parameters {
    let Given {
        code,
        verifier,
        redirect_uri,
    } = given;
    let mut parameters = vec![
        text("grant_type", CODE),
        ("code".to_owned(), code.clone()),
        // The same again, which binds the code to it (RFC 6749 §4.1.3).
        text("redirect_uri", redirect_uri),
    ];
    let verifier = verifier.iter();
    parameters.extend(verifier.map(|it| ("code_verifier".to_owned(), it.clone())));
    parameters
}

fn refresh(token: &SecretText) -> Parameters {
    vec![
        text("grant_type", "refresh_token"),
        ("refresh_token".to_owned(), token.clone()),
    ]
}

/// What shows who asks: a header, or parameters that are added.
fn authenticate(
    (client, url): (&Client, &str),
    parameters: &mut Parameters,
    fresh: Fresh<'_>,
) -> Result<Option<(String, SecretText)>, CannotSign> {
    let id = client.id.as_str();
    match &client.auth {
        ClientAuth::Basic(secret, encoding) => return Ok(Some(basic(id, secret, *encoding))),
        ClientAuth::Post(secret) => {
            put(parameters, "client_id", id.to_owned());
            parameters.push(("client_secret".to_owned(), secret.clone()));
        }
        ClientAuth::PrivateKeyJwt(signer) => {
            let audience = signer.audience.as_deref();
            // Who is to take it is the endpoint, unless it goes by another name (RFC 7523 §3).
            let audience = audience.unwrap_or(url);
            let claims = [("iss", id), ("sub", id), ("aud", audience)];
            let claims = claims.map(|(name, value)| (name.to_owned(), Value::from(value)));
            let header = header(signer.key.algorithm(), signer.key_id.as_deref());
            // The grant may be an assertion, too, with the id itself.
            let id_of_jwt = format!("{}-client", fresh.id);
            let issue = Issue {
                now_s: fresh.now_s,
                ttl_s: CLIENT_ASSERTION_S,
                id: &id_of_jwt,
            };
            let jwt = assertion::sign(&signer.key, &header, issue, Map::from_iter(claims))?;
            put(parameters, "client_id", id.to_owned());
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            parameters.push(text("client_assertion_type", kind));
            parameters.push(("client_assertion".to_owned(), jwt));
        }
        ClientAuth::Tls | ClientAuth::None => put(parameters, "client_id", id.to_owned()),
    }
    Ok(None)
}

fn basic(id: &str, secret: &SecretText, encoding: IdEncoding) -> (String, SecretText) {
    let written = |text: &str| match encoding {
        // RFC 6749 §2.3.1 wants both encoded; not all providers decode them.
        IdEncoding::Raw => Zeroizing::new(text.to_owned()),
        IdEncoding::Form => Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>()),
    };
    let (id, secret) = (written(id), written(secret.expose()));
    let pair = Zeroizing::new([id.as_str(), ":", secret.as_str()].concat());
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    let value = SecretText::new(["Basic ", encoded.as_str()].concat());
    ("authorization".to_owned(), value)
}

fn encode(parameters: &Parameters) -> SecretText {
    let mut serializer = Serializer::new(String::new());
    for (name, value) in parameters {
        serializer.append_pair(name, value.expose());
    }
    SecretText::new(serializer.finish())
}

fn json(parameters: &Parameters) -> SecretText {
    let members: std::collections::BTreeMap<&str, &str> = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    SecretText::new(serde_json::to_string(&members).unwrap_or_default())
}

fn text(name: &str, value: &str) -> (String, SecretText) {
    (name.to_owned(), SecretText::new(value.to_owned()))
}

fn put(parameters: &mut Parameters, name: &str, value: String) {
    parameters.push((name.to_owned(), SecretText::new(value)));
}
