//! The tokens that regions obtain, as the regions report them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use requestrocket_proto::region::v1::{TokenState, TokenStates, TokenStatus};

use super::{Fleets, RegionState};

/// What a region may tell of its tokens, in bytes as they are sent: some 500,000 of them.
const MAX_BYTES: usize = 64 << 20;
/// Of the words of a provider, in characters.
const MAX_WORDS: usize = 300;

/// A region tells of more than it may.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is told of tokens is longer than {MAX_BYTES} bytes")]
pub struct TooLong;

/// By credential id.
pub type Tokens = Arc<BTreeMap<String, TokenState>>;

impl RegionState {
    /// Takes a report.
    ///
    /// # Errors
    /// With it, all that the region told is too long.
    pub fn take_tokens(&mut self, report: TokenStates) -> Result<(), TooLong> {
        let TokenStates {
            is_first,
            tokens,
            removed,
        } = report;
        let known = Arc::make_mut(&mut self.tokens);
        if is_first {
            known.clear();
            self.token_bytes = 0;
        }
        let mut gone = Vec::new();
        gone.extend(removed.iter().filter_map(|id| known.remove(id)));
        for mut token in tokens {
            for words in [&mut token.last_error, &mut token.last_error_code] {
                *words = words.chars().take(MAX_WORDS).collect();
            }
            self.token_bytes = self.token_bytes.saturating_add(token.encoded_len());
            gone.extend(known.insert(token.credential_id.clone(), token));
        }
        let gone: usize = gone.iter().map(Message::encoded_len).sum();
        self.token_bytes = self.token_bytes.saturating_sub(gone);
        if self.token_bytes > MAX_BYTES {
            return Err(TooLong);
        }
        Ok(())
    }

    /// Nothing more is to be waited for: the token was tried for, or nobody tells of it.
    fn is_tried(&self, credential: &str, version: u64) -> bool {
        let token = self.tokens.get(credential);
        let is_tried = token.is_some_and(|token| {
            token.version > version
                || (token.version == version && token.status() != TokenStatus::Obtaining)
        });
        is_tried || !self.is_connected()
    }
}

impl Fleets {
    /// What `region` says of the token of a credential whose secret is of this version.
    #[must_use]
    pub fn token(&self, region: &str, credential: &str, version: u64) -> Option<TokenState> {
        let regions = self.regions.borrow();
        let token = regions.get(region)?.tokens.get(credential)?;
        (token.version == version).then(|| token.clone())
    }

    /// Waits until the first attempt to obtain a token has ended, for `limit` at most.
    pub async fn wait_token(
        &self,
        region: &str,
        (credential, version): (&str, u64),
        limit: Duration,
    ) {
        let mut regions = self.regions.subscribe();
        let tried = regions.wait_for(|regions| {
            regions
                .get(region)
                .is_none_or(|state| state.is_tried(credential, version))
        });
        // Whoever waited too long is told by what is shown.
        let _ = tokio::time::timeout(limit, tried).await;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Link;
    use super::*;

    fn token(id: &str, version: u64, status: TokenStatus) -> TokenState {
        TokenState {
            credential_id: id.to_owned(),
            version,
            status: status.into(),
            ..TokenState::default()
        }
    }

    fn report(is_first: bool, tokens: Vec<TokenState>, removed: &[&str]) -> TokenStates {
        TokenStates {
            is_first,
            tokens,
            removed: removed.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn a_report_adds_to_what_is_known_unless_it_is_the_first() {
        let mut state = RegionState::default();
        let active = |id| token(id, 1, TokenStatus::Active);
        state
            .take_tokens(report(true, vec![active("a"), active("b")], &[]))
            .unwrap();
        state
            .take_tokens(report(false, vec![active("c")], &["a"]))
            .unwrap();
        assert_eq!(state.tokens.keys().collect::<Vec<_>>(), ["b", "c"]);
        state
            .take_tokens(report(true, vec![active("d")], &[]))
            .unwrap();
        assert_eq!(state.tokens.keys().collect::<Vec<_>>(), ["d"]);
    }

    #[test]
    fn a_region_tells_of_no_more_than_fits() {
        let mut state = RegionState::default();
        let long = |id: usize| TokenState {
            credential_id: format!("{id}{}", "x".repeat(16 << 20)),
            last_error: "y".repeat(1_000),
            ..TokenState::default()
        };
        for id in 0..3 {
            assert_eq!(
                state.take_tokens(report(false, vec![long(id)], &[])),
                Ok(())
            );
        }
        let told = state.tokens.values().next().unwrap();
        assert_eq!(told.last_error.len(), MAX_WORDS);
        assert_eq!(state.take_tokens(report(false, vec![long(2)], &[])), Ok(()));
        let more = report(false, vec![long(3)], &[]);
        assert_eq!(state.take_tokens(more), Err(TooLong));
    }

    #[test]
    fn a_token_is_shown_with_the_secret_that_it_is_of() {
        let fleets = Fleets::default();
        let report = report(true, vec![token("a", 2, TokenStatus::Failing)], &[]);
        fleets.update("eu", |state| state.take_tokens(report).unwrap());
        for (region, version, is_shown) in [("eu", 2, true), ("eu", 1, false), ("us", 2, false)] {
            assert_eq!(fleets.token(region, "a", version).is_some(), is_shown);
        }
    }

    #[tokio::test]
    async fn the_first_attempt_is_waited_for_while_somebody_can_tell_of_it() {
        let fleets = Fleets::default();
        let limit = Duration::from_hours(1);
        fleets.wait_token("eu", ("a", 1), limit).await;
        fleets.update("eu", |state| state.link = Link::Up);
        let waiting = fleets.wait_token("eu", ("a", 2), limit);
        let tell = async {
            for (version, status) in [(1, TokenStatus::Active), (2, TokenStatus::Obtaining)] {
                let report = report(false, vec![token("a", version, status)], &[]);
                fleets.update("eu", |state| state.take_tokens(report).unwrap());
                tokio::task::yield_now().await;
            }
            let report = report(false, vec![token("a", 2, TokenStatus::Failing)], &[]);
            fleets.update("eu", |state| state.take_tokens(report).unwrap());
        };
        let began = tokio::time::Instant::now();
        tokio::join!(waiting, tell);
        assert!(began.elapsed() < limit);
    }
}
