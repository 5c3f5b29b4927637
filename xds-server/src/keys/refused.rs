//! Obtains another token when a target did not take the one that calls are given.
//!
//! A target may refuse every token, for ever. So a provider is asked once because of each, and of none
//! that it gave within the last thirty seconds.

use std::sync::Arc;

use requestrocket_policy::renewal::Obtained;
use requestrocket_process::clock::Clock;
use requestrocket_proto::policy::v1::Injection;

use crate::region::RegionWriter;
use crate::secrets::renew::PAUSE_MS;
use crate::secrets::renew::pace::Pace;
use crate::store::credential::credential_list;
use crate::store::token::{TokenRow, token_list};
use crate::store::{Store, StoreFailed};

/// What finding another token takes.
#[derive(Clone, Debug)]
pub struct RefusedTokens {
    /// Has it obtained.
    pub writer: Arc<RegionWriter>,
    /// Has it then.
    pub store: Store,
    /// Whom that must not keep waiting.
    pub pace: Pace,
    /// Says how old it is.
    pub clock: Clock,
}

impl RefusedTokens {
    /// Of the region that `writer` writes.
    #[must_use]
    pub fn new(writer: &Arc<RegionWriter>, store: &Store, clock: &Clock) -> Self {
        Self {
            writer: Arc::clone(writer),
            store: store.clone(),
            pace: Pace::default(),
            clock: clock.clone(),
        }
    }

    /// What calls are given in the place of that token; none: there is no other.
    pub(super) async fn replace(
        &self,
        refused: &Obtained,
    ) -> Result<Option<Vec<Injection>>, StoreFailed> {
        let Some((organisation_id, row)) = self.find(refused).await? else {
            return Ok(None);
        };
        // An earlier call may have had it obtained.
        if let Some(another) = another(&row, refused) {
            return Ok(Some(another));
        }
        let now_ms = self.clock.unix_ms();
        let is_on_its_way = row.life.next_at_ms.is_some_and(|next_ms| next_ms <= now_ms);
        if !is_on_its_way && !may_be_obtained(&row, now_ms) {
            return Ok(None);
        }
        let due_ms = self.pace.free_at_ms(&organisation_id).max(now_ms);
        let credential = (row.credential_id.as_str(), row.version);
        let ends_at_ms = refused.serves_until_ms;
        self.writer.refused(credential, ends_at_ms, due_ms).await?;
        self.learnt(&row.credential_id, refused).await;
        let found = self.find(refused).await?;
        Ok(found.and_then(|(_, row)| another(&row, refused)))
    }

    /// Returns when something is known that was not when the token was refused.
    async fn learnt(&self, credential_id: &str, refused: &Obtained) {
        let mut tokens = self.writer.tokens();
        let learnt = tokens.wait_for(|states| {
            states.get(credential_id).is_none_or(|now| {
                now.version != refused.version
                    || now.expires_at_ms != Some(refused.serves_until_ms)
                    // It failed, and a longer wait brings nothing.
                    || now.attempts > 0
            })
        });
        // Its end is that of the process.
        let _ = learnt.await;
    }

    /// The credential's token with whose it is, if it is of that version.
    async fn find(&self, refused: &Obtained) -> Result<Option<(String, TokenRow)>, StoreFailed> {
        let id = refused.credential.to_string();
        let mut tx = self.store.begin().await?;
        let mut credentials = credential_list(&mut tx, Some(&[&id])).await?;
        let row = token_list(&mut tx, Some(&[&id])).await?.remove(&id);
        let credential = credentials.pop();
        let found = credential.zip(row).filter(|(credential, row)| {
            credential.version == refused.version && row.version == refused.version
        });
        Ok(found.map(|(credential, row)| (credential.organisation_id, row)))
    }
}

/// What there is, if it is not what was refused.
fn another(row: &TokenRow, refused: &Obtained) -> Option<Vec<Injection>> {
    let token = row.token.as_ref()?;
    // A token has no name: the region and its Envoys tell tokens apart by their ends.
    let is_another = token.serves_until_ms != refused.serves_until_ms;
    is_another.then(|| token.injections.clone())
}

/// Without a refresh token a consent is good for one token, which may be taken elsewhere.
fn may_be_obtained(row: &TokenRow, now_ms: u64) -> bool {
    let life = &row.life;
    let is_given = life.consent == 0 || row.refresh_token.is_some();
    let is_old = |at_ms: u64| at_ms.saturating_add(PAUSE_MS) <= now_ms;
    let is_refreshed = life.next_at_ms.is_some() && life.error.is_none();
    is_given && is_refreshed && life.refreshed_at_ms.is_some_and(is_old)
}
