//! Keys that callers' tokens are verified with: fetched as tokens are obtained, and taken away when
//! nobody can see any more whether they are still good.

use prost::Message;
use requestrocket_policy::secret_form::signed_token::{KeySource, SignedToken};

use super::{RenewFailed, Renewals, Work, random};
use crate::records::record::FetchedKeys;
use crate::secrets::renew::answer::Failure;
use crate::secrets::renew::key_life;
use crate::secrets::signed_token::verification_key;
use crate::store::token::TokenRow;

/// Of all keys of a credential: every proxy that takes its tokens carries them. 500 keys on P-256
/// with short names fit, and 200 of RSA with 2048 bits.
const MAX_KEPT_BYTES: usize = 64 << 10;

impl Renewals {
    /// Says in a word what came of it.
    pub(super) async fn fetch_keys(
        &self,
        work: &Work,
        form: &SignedToken,
    ) -> Result<&'static str, RenewFailed> {
        let KeySource::Published(published) = &form.keys else {
            let failure = Failure::transient("unusable_secret", "secret has its keys");
            return self.failed(work, &failure).await;
        };
        let fetching = self.sources.keys(self.world(), published, &form.algorithms);
        let Some(fetched) = self.leased(work, fetching).await else {
            return Ok("overtaken");
        };
        let keys: Vec<_> = match fetched {
            Ok(keys) => keys.iter().map(verification_key).collect(),
            Err(failure) => return self.failed(work, &failure).await,
        };
        if keys.iter().map(Message::encoded_len).sum::<usize>() > MAX_KEPT_BYTES {
            let text = "keys that fit the credential are longer than 64 KiB together";
            return self
                .failed(work, &Failure::transient("too_many_keys", text))
                .await;
        }
        let now_ms = self.now_ms();
        let stale_ms = published.max_stale_seconds.saturating_mul(1_000);
        let life = work.row.life.fetched(stale_ms, now_ms, random());
        let row = TokenRow {
            keys: Some(FetchedKeys {
                keys,
                until_ms: key_life::until_ms(now_ms, stale_ms),
            }),
            life,
            ..work.row.clone()
        };
        self.store_row(work, &row, "ok").await
    }
}
