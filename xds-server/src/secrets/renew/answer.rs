//! What a token endpoint answered: a token and its life, or a failure. Pure.
//!
//! Nothing of a body gets into a failure but the code of an OAuth error and the beginning of its
//! description, and of those no secret that the request carried.

use super::schedule::clamp_life;
use requestrocket_policy::echo;
use requestrocket_policy::secret::SecretText;

mod expiry;
mod fields;
mod reading;
mod retry_after;

#[cfg(test)]
mod tests;

pub(super) use self::expiry::{moment_ms, span_ms};
pub(super) use self::fields::Document;
pub(super) use self::reading::Reading;
pub(crate) use self::retry_after::retry_after_ms;

/// Longest token that is taken.
pub(super) const MAX_TOKEN_BYTES: usize = 32 << 10;
/// Characters of a description that are shown.
const MAX_DESCRIPTION_CHARS: usize = 200;
/// Of an error code that is a number.
const MAX_CODE_DIGITS: usize = 6;
/// Bytes of an error code that are shown.
const MAX_CODE_BYTES: usize = 64;
/// Of a provider's words so much is looked at for secrets, which may be escaped and are three times
/// as long then.
const MAX_WORDS_BYTES: usize = 4 * MAX_TOKEN_BYTES;
/// So much of what was looked at is shown at most, before stars are left out and it is cut.
const MAX_BEGINNING_BYTES: usize = 4 << 10;
/// Shorter ones could be any word of an error's description.
const MIN_HIDDEN_BYTES: usize = 6;
/// The code of an error that its provider did not name.
const NO_WORD: &str = "provider_error";
/// The only errors that trying again does not help.
const PERMANENT: [&str; 5] = [
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

/// An answer as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    /// HTTP status.
    pub(super) status: u16,
    /// What its `Retry-After` comes to.
    pub(super) retry_after_ms: Option<u64>,
    /// All of it.
    pub(super) body: &'a [u8],
}

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Obtained {
    /// What calls are given.
    pub(super) token: SecretText,
    /// From now on.
    pub(super) life_ms: u64,
    /// For the next time; None: the old one stays.
    pub(super) refresh_token: Option<SecretText>,
}

/// No token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Trying again does not help.
    pub(super) is_permanent: bool,
    /// The provider's code, or ours: one word.
    pub(super) code: String,
    /// For people; no secret in it.
    pub(super) text: String,
    /// Nobody is to ask before.
    pub(super) retry_after_ms: Option<u64>,
}

impl Failure {
    /// One that time may mend.
    pub(super) fn transient(code: &str, text: impl Into<String>) -> Self {
        Self {
            is_permanent: false,
            code: code.to_owned(),
            text: text.into(),
            retry_after_ms: None,
        }
    }

    /// The same, and nobody is to ask within that time.
    pub(super) fn until(self, pause_ms: u64) -> Self {
        let told_ms = self.retry_after_ms.unwrap_or(0);
        Self {
            retry_after_ms: Some(told_ms.max(pause_ms)),
            ..self
        }
    }
}

/// Reads an answer; `secrets` are what must not be repeated.
pub(super) fn read(
    answer: Answer<'_>,
    reading: &Reading,
    secrets: &[&str],
    now_ms: u64,
) -> Result<Obtained, Failure> {
    if let Some(failure) = failure_of(answer.status, answer.body, secrets) {
        let retry_after_ms = answer.retry_after_ms;
        return Err(Failure {
            retry_after_ms,
            ..failure
        });
    }
    let document = Document::of(answer.body).ok_or_else(|| {
        Failure::transient(
            "unreadable_answer",
            "endpoint answered neither JSON nor a form",
        )
    })?;
    token(&document, reading, now_ms)
}

/// What an answer says went wrong, in its body or by its status.
pub(super) fn failure_of(status: u16, body: &[u8], secrets: &[&str]) -> Option<Failure> {
    if (300..400).contains(&status) {
        return Some(failure_of_status(status));
    }
    // Some say an error with status 200.
    let document = Document::of(body);
    document
        .and_then(|document| provider_error(&document, status, secrets))
        .or_else(|| (!(200..300).contains(&status)).then(|| failure_of_status(status)))
}

/// What an answer without a readable error comes to.
pub(super) fn failure_of_status(status: u16) -> Failure {
    if (300..400).contains(&status) {
        return Failure::transient("redirect", "endpoint redirects");
    }
    Failure::transient(
        &format!("http_{status}"),
        format!("endpoint answered {status}"),
    )
}

/// The token itself is what a header may carry, and no longer than what is taken.
pub(super) fn checked_token(text: &str) -> Result<SecretText, Failure> {
    if text.is_empty() {
        return Err(Failure::transient("missing_token", "answer has no token"));
    }
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !is_plain || text.len() > MAX_TOKEN_BYTES {
        let problem = "token is too long or has bytes that a header cannot carry";
        return Err(Failure::transient("unusable_token", problem));
    }
    Ok(SecretText::new(text.to_owned()))
}

fn token(document: &Document, reading: &Reading, now_ms: u64) -> Result<Obtained, Failure> {
    let kind = document.member("token_type").unwrap_or_default();
    if ["dpop", "mac"].contains(&kind.to_ascii_lowercase().as_str()) {
        return Err(Failure::transient(
            "unsupported_token_type",
            "provider gives tokens that a header alone cannot present",
        ));
    }
    let text = document.first_string(&reading.token);
    let token = checked_token(text.as_deref().map_or("", String::as_str))?;
    let life_ms = expiry::life_ms(document, reading, token.expose(), now_ms);
    let refresh_token = document.member("refresh_token");
    if refresh_token.is_some_and(|text| text.len() > MAX_TOKEN_BYTES) {
        let problem = "refresh token is too long";
        return Err(Failure::transient("unusable_token", problem));
    }
    Ok(Obtained {
        token,
        life_ms: clamp_life(life_ms),
        refresh_token: refresh_token
            .filter(|text| !text.is_empty())
            .map(|text| SecretText::new(text.to_owned())),
    })
}

/// An error that the provider put into words, whatever the status.
fn provider_error(document: &Document, status: u16, secrets: &[&str]) -> Option<Failure> {
    let code = document.error_code()?;
    let description = document.error_description();
    let is_permanent = status != 429 && status < 500 && PERMANENT.contains(&code.as_str());
    let said = shown(&code, MAX_CODE_BYTES, secrets);
    let text = match description {
        Some(text) => format!("{said}: {}", shown(&text, MAX_DESCRIPTION_CHARS, secrets)),
        None => said.clone(),
    };
    let code = if is_word(&said) {
        said
    } else {
        NO_WORD.to_owned()
    };
    Some(Failure {
        is_permanent,
        code,
        text,
        retry_after_ms: None,
    })
}

/// As errors are named. A secret is seldom one, in whatever form it is repeated.
fn is_word(code: &str) -> bool {
    let is_word = |is_letter: fn(&u8) -> bool| code.bytes().all(|b| is_letter(&b) || b == b'_');
    let is_number = code.len() <= MAX_CODE_DIGITS && code.bytes().all(|b| b.is_ascii_digit());
    !code.is_empty()
        && (is_number || is_word(u8::is_ascii_lowercase) || is_word(u8::is_ascii_uppercase))
}

/// Nothing where there is no such part.
fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

/// What of a provider's words is shown: printable, short, and no secret, in whatever form it is
/// repeated.
fn shown(text: &str, chars: usize, secrets: &[&str]) -> String {
    let window = part(text, 0, text.floor_char_boundary(MAX_WORDS_BYTES));
    let values = secrets.iter().map(|it| it.as_bytes().to_vec().into());
    // As long as before: what begins where it is shown is whole in what was looked at.
    let mut masked = echo::masked(window, values.collect());
    for secret in secrets.iter().filter(|it| it.len() >= MIN_HIDDEN_BYTES) {
        masked = masked.replace(secret, &"*".repeat(secret.len()));
    }
    let beginning = part(&masked, 0, masked.floor_char_boundary(MAX_BEGINNING_BYTES));
    let mut stars = 0;
    let is_kept = |char: &char| {
        stars = if *char == '*' { stars + 1 } else { 0 };
        stars <= 3 && !char.is_control()
    };
    beginning.chars().filter(is_kept).take(chars).collect()
}
