//! One attempt to sign in: a secret of the browser's, of which everything else is made, so that
//! nothing has to be kept.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use requestrocket_policy::secret::SecretText;
use ring::hmac;
use sha2::{Digest as _, Sha256};

use crate::domain::people::provider::ProviderName;
use crate::identity::token::NewToken;

/// How long somebody may take at the provider.
pub const ATTEMPT_LIFE: Duration = Duration::from_mins(10);
const PREFIX: &str = "q-";
/// Longer addresses of ours are none.
const MAX_NEXT_BYTES: usize = 1_024;

/// An attempt.
#[derive(Debug)]
pub struct Attempt {
    secret: SecretText,
    /// Where to go afterwards: a path of the dashboard.
    next: String,
}

impl Attempt {
    /// One that leads to `next` afterwards.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn begin(next: Option<&str>) -> Result<Self, getrandom::Error> {
        let secret = NewToken::with_prefix(PREFIX)?;
        Ok(Self {
            secret: SecretText::new(secret.expose().to_owned()),
            next: next.filter(|next| is_ours(next)).unwrap_or("/").to_owned(),
        })
    }

    /// What the browser keeps.
    #[must_use]
    pub fn cookie(&self) -> String {
        let next = URL_SAFE_NO_PAD.encode(&self.next);
        format!("{}.{next}", self.secret.expose())
    }

    /// What a browser kept; none: it kept something else.
    #[must_use]
    pub fn of_cookie(value: &str) -> Option<Self> {
        let (secret, next) = value.split_once('.')?;
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok()?;
        (secret.starts_with(PREFIX) && is_ours(&next)).then(|| Self {
            secret: SecretText::new(secret.to_owned()),
            next,
        })
    }

    /// Where to go afterwards.
    #[must_use]
    pub fn next(&self) -> &str {
        &self.next
    }

    /// `state`: says that an answer is to this attempt, at this provider.
    #[must_use]
    pub fn state(&self, provider: &ProviderName) -> String {
        self.derived(&format!("state {provider}"))
    }

    /// Whether that is its state.
    #[must_use]
    pub fn has_state(&self, provider: &ProviderName, state: &str) -> bool {
        // Of digests nobody learns by the time that comparing takes.
        Sha256::digest(self.state(provider)) == Sha256::digest(state)
    }

    /// `nonce`: says that an ID token is for this attempt.
    #[must_use]
    pub fn nonce(&self, provider: &ProviderName) -> String {
        self.derived(&format!("nonce {provider}"))
    }

    /// `code_verifier` (RFC 7636 §4.1).
    #[must_use]
    pub fn verifier(&self, provider: &ProviderName) -> SecretText {
        SecretText::new(self.derived(&format!("verifier {provider}")))
    }

    /// `code_challenge` of it, by `S256` (RFC 7636 §4.2).
    #[must_use]
    pub fn challenge(&self, provider: &ProviderName) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier(provider).expose()))
    }

    fn derived(&self, label: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose().as_bytes());
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, label.as_bytes()))
    }
}

/// A path of this origin and nothing that a browser takes for another (WHATWG URL: `\` is `/`).
fn is_ours(next: &str) -> bool {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    is_path
        && next.len() <= MAX_NEXT_BYTES
        && next
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ProviderName {
        text.parse().unwrap()
    }

    #[test]
    fn everything_comes_from_the_cookie_and_nothing_can_be_told_from_anything_else() {
        let attempt = Attempt::begin(Some("/o/1/proxies?sort=name")).unwrap();
        let (corp, other) = (name("corp"), name("other"));
        let again = Attempt::of_cookie(&attempt.cookie()).unwrap();
        assert_eq!(again.next(), "/o/1/proxies?sort=name");
        assert!(again.has_state(&corp, &attempt.state(&corp)));
        assert_eq!(again.nonce(&corp), attempt.nonce(&corp));
        assert!(!again.has_state(&other, &attempt.state(&corp)));
        let all = [
            attempt.state(&corp),
            attempt.nonce(&corp),
            attempt.verifier(&corp).expose().to_owned(),
            attempt.state(&other),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        let stranger = Attempt::begin(None).unwrap();
        assert!(!stranger.has_state(&corp, &attempt.state(&corp)));
    }

    #[test]
    fn nobody_is_led_elsewhere() {
        for next in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a\r\nb",
            "",
        ] {
            assert_eq!(Attempt::begin(Some(next)).unwrap().next(), "/", "{next:?}");
            let cookie = format!("q-secret.{}", URL_SAFE_NO_PAD.encode(next));
            assert!(Attempt::of_cookie(&cookie).is_none(), "{next:?}");
        }
    }
}
