//! The tokens that regions obtain, as the regions report them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use requestrocket_proto::region::v1::{TokenState, TokenStates, TokenStatus};

use super::{Fleets, RegionState};

/// By credential id.
pub type Tokens = Arc<BTreeMap<String, TokenState>>;

impl RegionState {
    /// Takes a report.
    pub fn take_tokens(&mut self, report: TokenStates) {
        let TokenStates {
            is_first,
            tokens,
            removed,
        } = report;
        let known = Arc::make_mut(&mut self.tokens);
        if is_first {
            known.clear();
        }
        for id in removed {
            known.remove(&id);
        }
        for token in tokens {
            known.insert(token.credential_id.clone(), token);
        }
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
        state.take_tokens(report(true, vec![active("a"), active("b")], &[]));
        state.take_tokens(report(false, vec![active("c")], &["a"]));
        assert_eq!(state.tokens.keys().collect::<Vec<_>>(), ["b", "c"]);
        state.take_tokens(report(true, vec![active("d")], &[]));
        assert_eq!(state.tokens.keys().collect::<Vec<_>>(), ["d"]);
    }

    #[test]
    fn a_token_is_shown_with_the_secret_that_it_is_of() {
        let fleets = Fleets::default();
        let report = report(true, vec![token("a", 2, TokenStatus::Failing)], &[]);
        fleets.update("eu", |state| state.take_tokens(report));
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
                fleets.update("eu", |state| state.take_tokens(report));
                tokio::task::yield_now().await;
            }
            let report = report(false, vec![token("a", 2, TokenStatus::Failing)], &[]);
            fleets.update("eu", |state| state.take_tokens(report));
        };
        let began = tokio::time::Instant::now();
        tokio::join!(waiting, tell);
        assert!(began.elapsed() < limit);
    }
}
