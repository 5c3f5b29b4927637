//! One attempt to obtain a token of an `oauth2` secret.

use requestrocket_policy::json::path::JsonPath;
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::oauth2::{AnswerForm, ClientAuth, Grant, OAuth2};
use uuid::Uuid;

use super::answer::{self, Answer, Failure, Obtained, Reading};
use super::provider::{Attempt, Placed, World};
use super::request::{Fresh, Shown, build, can_start_over, uses_refresh_tokens};

/// Shows the refresh token that came last, if there is one; a grant that can be shown again is,
/// where the provider does not take that one any more.
pub(super) async fn obtain(
    world: World<'_>,
    form: &OAuth2,
    stored: Option<&SecretText>,
) -> Attempt {
    let stored = stored.filter(|_| uses_refresh_tokens(&form.grant));
    let first = match stored {
        Some(token) => ask(world, form, Shown::Refresh(token)).await,
        None => ask(world, form, Shown::Grant).await,
    };
    let obtained = match first {
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
    };
    Ok((obtained?, placed))
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
    match &form.client_auth {
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
        Grant::ClientCredentials | Grant::JwtBearer(_) => {}
    }
    if let Shown::Refresh(token) = shown {
        hidden.push(token);
    }
    hidden.extend(form.request.extra.values());
    hidden.extend(form.request.headers.values());
    hidden.into_iter().map(SecretText::expose).collect()
}
