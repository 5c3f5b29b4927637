//! One attempt to obtain a token of an `oauth2` secret.

use requestrocket_policy::json::path::JsonPath;
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::oauth2::{AnswerForm, ClientAuth, Grant, OAuth2};
use uuid::Uuid;

use super::answer::{self, Answer, Failure, Obtained, Reading};
use super::life::NO_REFRESH_TOKEN;
use super::provider::{Attempt, Placed, World};
use super::request::{Fresh, Shown, build, can_start_over, uses_refresh_tokens};
use crate::secrets::consent::Given;

/// What there is to show besides the secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'a> {
    /// That came with an earlier token.
    pub(super) refresh_token: Option<&'a SecretText>,
    /// What a consent brought, unless it was shown before.
    pub(super) consent: Option<&'a Given>,
}

/// Shows a new consent, or else the refresh token that came last; a grant that can be shown again
/// is, where the provider does not take that one any more.
pub(super) async fn obtain(world: World<'_>, form: &OAuth2, held: Held<'_>) -> Attempt {
    let stored = held.refresh_token;
    let stored = stored.filter(|_| uses_refresh_tokens(&form.grant) && held.consent.is_none());
    let shown = match (held.consent, stored) {
        (Some(given), _) => Shown::Consent(given),
        (None, Some(token)) => Shown::Refresh(token),
        (None, None) if form.consent().is_some() => return Err(no_refresh_token()),
        (None, None) => Shown::Grant,
    };
    let obtained = match ask(world, form, shown).await {
        Err(failure)
            if stored.is_some()
                && failure.is_permanent
                && failure.code == "invalid_grant"
                && can_start_over(&form.grant) =>
        {
            ask(world, form, Shown::Grant).await
        }
        other => other,
    };
    let placed = Placed {
        apply: form.apply.clone(),
        headers: form.headers.clone(),
        refresh_on: form.refresh_on.clone(),
    };
    Ok((obtained?, placed))
}

/// A code is good for one token.
fn no_refresh_token() -> Failure {
    let text = "the provider gave no refresh token with the token that ends";
    Failure {
        is_permanent: true,
        ..Failure::transient(NO_REFRESH_TOKEN, text)
    }
}

async fn ask(world: World<'_>, form: &OAuth2, shown: Shown<'_>) -> Result<Obtained, Failure> {
    let reading = reading(&form.answer).ok_or_else(|| {
        Failure::transient("unusable_secret", "secret has a path that cannot be read")
    })?;
    let id = Uuid::new_v4().to_string();
    let fresh = Fresh {
        now_s: world.now_ms() / 1_000,
        id: &id,
    };
    let request = build(form, shown, fresh)
        .map_err(|error| Failure::transient("unusable_key", error.to_string()))?;
    let response = world.client.send(&request).await?;
    let now_ms = world.now_ms();
    let retry_after = response.headers.get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok());
    let answer = Answer {
        status: response.status,
        retry_after_ms: retry_after.and_then(|value| answer::retry_after_ms(value, now_ms)),
        body: &response.body,
    };
    answer::read(answer, &reading, &hidden(form, shown), now_ms)
}

fn reading(form: &AnswerForm) -> Option<Reading> {
    let usual =
        |path: &Option<JsonPath>, usual: &str| path.clone().or_else(|| JsonPath::parse(usual).ok());
    Some(Reading {
        token: usual(&form.token, "$.access_token")?,
        expires_in: usual(&form.expires_in, "$.expires_in"),
        expires_in_unit_ms: if form.is_in_milliseconds { 1 } else { 1_000 },
        expires_at: form.expires_at.clone(),
        default_life_ms: form.default_ttl_seconds.saturating_mul(1_000),
    })
}

/// What must not be repeated of an answer.
fn hidden<'a>(form: &'a OAuth2, shown: Shown<'a>) -> Vec<&'a str> {
    let mut hidden: Vec<&SecretText> = Vec::new();
    match &form.client.auth {
        ClientAuth::Basic(secret, _) | ClientAuth::Post(secret) => hidden.push(secret),
        ClientAuth::PrivateKeyJwt(_) | ClientAuth::Tls | ClientAuth::None => {}
    }
    match &form.grant {
        Grant::RefreshToken(token) => hidden.push(token),
        Grant::Password { username, password } => hidden.extend([username, password]),
        Grant::TokenExchange(exchange) => {
            hidden.push(&exchange.subject);
            hidden.extend(&exchange.actor);
        }
        Grant::ClientCredentials | Grant::JwtBearer(_) | Grant::AuthorizationCode(_) => {}
    }
    match shown {
        Shown::Grant => {}
        Shown::Refresh(token) => hidden.push(token),
        Shown::Consent(given) => {
            hidden.push(&given.code);
            hidden.extend(&given.verifier);
        }
    }
    hidden.extend(form.request.extra.values());
    hidden.extend(form.request.headers.values());
    hidden.into_iter().map(SecretText::expose).collect()
}
