//! Asking a token endpoint for what a code stands for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use requestrocket_policy::secret::SecretText;
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::attempt::Attempt;
use crate::domain::people::provider::Provider;

/// What a token endpoint answers (OpenID Connect Core 1.0 §3.1.3.3).
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) access_token: String,
}

/// How we show who we are (OpenID Connect Core 1.0 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Form,
}

/// Asks for tokens (OpenID Connect Core 1.0 §3.1.3.1).
pub(super) fn request(
    provider: &Provider,
    (endpoint, way): (&str, Way),
    attempt: &Attempt,
    (code, back): (SecretText, &str),
) -> http::Result<Request<Vec<u8>>> {
    let verifier = attempt.verifier(&provider.name);
    let (id, secret) = (&*provider.client_id, provider.client_secret.expose());
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code.expose())
        .append_pair("redirect_uri", back)
        .append_pair("code_verifier", verifier.expose());
    let request = Request::post(endpoint).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = match way {
        Way::Basic => request.header(AUTHORIZATION, basic(id, secret)),
        Way::Form => {
            form.append_pair("client_id", id)
                .append_pair("client_secret", secret);
            request
        }
    };
    request.body(form.finish().into_bytes())
}

/// Name and secret are form-encoded first (RFC 6749 §2.3.1).
fn basic(name: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(name), encoded(secret));
    format!("Basic {}", STANDARD.encode(pair))
}
