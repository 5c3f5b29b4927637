//! The life of an obtained token, without the token. Pure: moments and chance are arguments.

use super::answer::Failure;
use super::schedule;

/// Published keys are looked at again as if they lived for so long: about once an hour.
const KEYS_LIFE_MS: u64 = 4_000_000;
/// A provider gave no refresh token with a token that ends.
pub(super) const NO_REFRESH_TOKEN: &str = "no_refresh_token";
/// Nothing can be read of a consent.
const UNUSABLE_CONSENT: &str = "unusable_consent";
/// Failures after which another grant is needed, not another client.
const CONSENT_HELPS: [&str; 3] = ["invalid_grant", NO_REFRESH_TOKEN, UNUSABLE_CONSENT];

/// What is known of a token: when it ends, when it is asked for again, what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenLife {
    /// +1 with everything that is learnt.
    pub serial: u64,
    /// The present token is good until then; none: there is none yet.
    pub expires_at_ms: Option<u64>,
    /// When it was obtained.
    pub refreshed_at_ms: Option<u64>,
    /// When to ask; none: not before there is another secret.
    pub next_at_ms: Option<u64>,
    /// Failures since a token was obtained.
    pub attempts: u32,
    /// The last of them.
    pub error: Option<TokenError>,
    /// Of the last consent that came; 0 for none.
    pub consent: u64,
    /// What it brought was not shown to the provider yet.
    pub is_consented: bool,
}

/// Why there is no newer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    /// Trying again does not help.
    pub is_permanent: bool,
    /// One word.
    pub code: String,
    /// For people; no secret in it.
    pub text: String,
}

impl TokenError {
    fn of(failure: &Failure) -> Self {
        Self {
            is_permanent: failure.is_permanent,
            code: failure.code.clone(),
            text: failure.text.clone(),
        }
    }
}

/// Only another consent helps.
pub(super) fn unusable_consent() -> Failure {
    Failure {
        is_permanent: true,
        ..Failure::transient(UNUSABLE_CONSENT, "what the consent brought cannot be read")
    }
}

/// As the API says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStatus {
    /// There is a token, and the last thing heard of the provider was it.
    Active,
    /// Nobody has consented yet.
    PendingConsent,
    /// The first is on its way, or the first since somebody consented.
    Obtaining,
    /// The provider fails; it is asked again.
    Failing,
    /// The provider wants a grant that it took back.
    ReconsentNeeded,
    /// The provider does not want this client.
    InvalidClient,
}

impl TokenLife {
    /// Of a secret that is new: due at once, or when somebody has consented.
    #[must_use]
    pub fn new(serial: u64, needs_consent: bool) -> Self {
        Self {
            serial,
            next_at_ms: (!needs_consent).then_some(0),
            ..Self::default()
        }
    }

    /// After somebody has consented: due at once. The token that is there serves on, to its end.
    #[must_use]
    pub fn consented(&self, number: u64) -> Self {
        Self {
            serial: self.serial.saturating_add(1),
            next_at_ms: Some(0),
            attempts: 0,
            error: None,
            consent: number,
            is_consented: true,
            ..self.clone()
        }
    }

    /// After a consent came of which nothing can be read.
    #[must_use]
    pub fn unconsented(&self, number: u64) -> Self {
        Self {
            serial: self.serial.saturating_add(1),
            next_at_ms: None,
            error: Some(TokenError::of(&unusable_consent())),
            consent: number,
            is_consented: false,
            ..self.clone()
        }
    }

    /// After a token was obtained.
    pub(super) fn obtained(&self, life_ms: u64, now_ms: u64, random: u64) -> Self {
        Self {
            serial: self.serial.saturating_add(1),
            expires_at_ms: Some(now_ms.saturating_add(life_ms)),
            refreshed_at_ms: Some(now_ms),
            next_at_ms: Some(schedule::refresh_at(now_ms, life_ms, random)),
            attempts: 0,
            error: None,
            consent: self.consent,
            is_consented: false,
        }
    }

    /// After keys were fetched, which serve for so long when there are no others to be had.
    pub(super) fn fetched(&self, stale_ms: u64, now_ms: u64, random: u64) -> Self {
        Self {
            next_at_ms: Some(schedule::refresh_at(now_ms, KEYS_LIFE_MS, random)),
            ..self.obtained(stale_ms, now_ms, random)
        }
    }

    /// After there was none. The token that is there serves on, to its end.
    pub(super) fn failed(&self, failure: &Failure, now_ms: u64, random: u64) -> Self {
        let attempts = self.attempts.saturating_add(1);
        let again = schedule::retry_at(now_ms, attempts, failure.retry_after_ms, random);
        Self {
            serial: self.serial.saturating_add(1),
            next_at_ms: (!failure.is_permanent).then_some(again),
            attempts,
            error: Some(TokenError::of(failure)),
            is_consented: self.is_consented && !failure.is_permanent,
            ..self.clone()
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> TokenStatus {
        match (&self.error, self.expires_at_ms) {
            (Some(error), _) if !error.is_permanent => TokenStatus::Failing,
            (Some(error), _) if CONSENT_HELPS.contains(&error.code.as_str()) => {
                TokenStatus::ReconsentNeeded
            }
            (Some(_), _) => TokenStatus::InvalidClient,
            (None, Some(_)) if !self.is_consented => TokenStatus::Active,
            (None, _) if self.next_at_ms.is_none() => TokenStatus::PendingConsent,
            (None, _) => TokenStatus::Obtaining,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(is_permanent: bool, code: &str) -> Failure {
        Failure {
            is_permanent,
            ..Failure::transient(code, "text")
        }
    }

    #[test]
    fn a_token_is_asked_for_again_before_its_end() {
        let new = TokenLife::new(4, false);
        assert_eq!(
            (new.next_at_ms, new.status()),
            (Some(0), TokenStatus::Obtaining)
        );
        let got = new.obtained(10_000, 1_000, 80);
        let want = TokenLife {
            serial: 5,
            expires_at_ms: Some(11_000),
            refreshed_at_ms: Some(1_000),
            next_at_ms: Some(9_000),
            attempts: 0,
            error: None,
            consent: 0,
            is_consented: false,
        };
        assert_eq!(got, want);
        assert_eq!(got.status(), TokenStatus::Active);
    }

    #[test]
    fn a_transient_failure_leaves_the_token_and_asks_again() {
        let token = TokenLife::new(0, false).obtained(10_000, 0, 0);
        let first = token.failed(&failure(false, "http_503"), 7_000, 499);
        assert_eq!(first.expires_at_ms, Some(10_000));
        assert_eq!(first.next_at_ms, Some(7_500));
        assert_eq!((first.attempts, first.status()), (1, TokenStatus::Failing));
        let second = first.failed(&failure(false, "timeout"), 7_500, 1_999);
        assert_eq!((second.attempts, second.next_at_ms), (2, Some(9_500)));
        let mended = second.obtained(10_000, 9_500, 0);
        assert_eq!((mended.attempts, mended.error), (0, None));
    }

    #[test]
    fn a_permanent_failure_waits_for_another_secret() {
        for (code, want) in [
            ("invalid_grant", TokenStatus::ReconsentNeeded),
            ("invalid_client", TokenStatus::InvalidClient),
            ("invalid_scope", TokenStatus::InvalidClient),
        ] {
            let token = TokenLife::new(0, false).obtained(10_000, 0, 0);
            let failed = token.failed(&failure(true, code), 7_000, 0);
            assert_eq!((failed.next_at_ms, failed.status()), (None, want));
            assert_eq!(failed.expires_at_ms, Some(10_000), "it serves to its end");
        }
    }
    #[test]
    fn a_consent_is_waited_for_shown_once_and_asked_for_again() {
        let pending = TokenLife::new(3, true);
        let stands = |life: &TokenLife| (life.next_at_ms, life.status());
        assert_eq!(stands(&pending), (None, TokenStatus::PendingConsent));
        let consented = pending.consented(1);
        assert_eq!((consented.serial, consented.consent), (4, 1));
        assert_eq!(stands(&consented), (Some(0), TokenStatus::Obtaining));
        let delayed = consented.failed(&failure(false, "timeout"), 0, 0);
        assert!(delayed.is_consented, "the code is shown again");
        let token = delayed.obtained(10_000, 0, 80);
        assert!(!token.is_consented);
        assert_eq!(token.status(), TokenStatus::Active);
        for code in ["invalid_grant", NO_REFRESH_TOKEN] {
            let over = token.failed(&failure(true, code), 8_000, 0);
            assert_eq!(stands(&over), (None, TokenStatus::ReconsentNeeded));
            let again = over.consented(2);
            assert_eq!(stands(&again), (Some(0), TokenStatus::Obtaining));
            assert_eq!(again.expires_at_ms, Some(10_000), "it serves to its end");
        }
        let refused = consented.failed(&failure(true, "invalid_grant"), 0, 0);
        assert!(!refused.is_consented, "a code that was refused is gone");
        let unread = pending.unconsented(7);
        assert_eq!(stands(&unread), (None, TokenStatus::ReconsentNeeded));
        assert_eq!(unread.consent, 7);
    }
}
