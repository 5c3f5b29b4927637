//! Asks providers for the tokens and keys that are due, mints those that nobody else does, and has
//! what comes of it stored and published.
//!
//! Invariant: of one token one request is on its way, however many processes share the store: who
//! asks holds its lease, renews it while the provider is slow, and what it learns is stored only
//! while the lease is still its own and nothing newer was learnt.

use std::sync::Arc;
use std::time::Duration;

use requestrocket_policy::secret_form::SecretForm;
use requestrocket_process::clock::Clock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::answer::{Failure, Obtained};
use super::client::Client;
use super::custom;
use super::key_life;
use super::key_source::KeySources;
use super::life;
use super::minted;
use super::oauth2::{self, Held};
use super::pace::Pace;
use super::provider::{Attempt, Placed, World};
use crate::metrics;
use crate::records::record::{
    Credential, ObtainedToken, OrganisationKeys, SecretProblem, StoredSecret,
};
use crate::region::RegionWriter;
use crate::secrets::ConversionFailed;
use crate::secrets::keys::RegionKeys;
use crate::secrets::recipe::TokenSafe;
use crate::store::credential::credential_list;
use crate::store::organisation::organisation_list;
use crate::store::token::{TokenKey, TokenRow, token_lease, token_list, token_list_due};
use crate::store::{Store, StoreFailed};

mod keys;

#[cfg(test)]
mod tests;

/// Tokens that are asked for at the same time, and of one organisation: providers that do not answer
/// must not keep the tokens of others waiting.
const MAX_AT_ONCE: usize = 256;
const MAX_OF_ONE: usize = 8;
/// Between two looks for what is due; what comes is looked at at once.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A process that died leaves a token alone for so long.
const LEASE_MS: u64 = 15_000;
/// What was learnt is tried to be stored again after these, while the lease lasts: a refresh token
/// that was rotated would be lost.
const STORE_DELAYS: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(600),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// What obtaining tokens takes.
#[derive(Clone, Debug)]
pub struct Renewals {
    /// Name of the region.
    pub region: String,
    /// Opens secrets.
    pub keys: Arc<RegionKeys>,
    /// Says what is due.
    pub store: Store,
    /// Takes what was obtained.
    pub writer: Arc<RegionWriter>,
    /// Speaks with providers.
    pub client: Client,
    /// What issuers publish.
    pub sources: KeySources,
    /// Whom refreshes must not keep waiting.
    pub pace: Pace,
    /// Says when.
    pub clock: Clock,
}

/// A token whose lease was taken.
struct Work {
    key: TokenKey,
    holder: String,
    row: TokenRow,
    credential: Credential,
    organisation_keys: OrganisationKeys,
}

/// Nothing could be stored.
#[derive(Debug, thiserror::Error)]
enum RenewFailed {
    #[error(transparent)]
    Store(#[from] StoreFailed),
    #[error(transparent)]
    Seal(#[from] ConversionFailed),
}

impl Renewals {
    /// Runs until `stopping`, and then to the end of what it has begun: a refresh token that was
    /// rotated must not be lost.
    pub async fn run(self, stopping: CancellationToken) {
        let mut running = JoinSet::new();
        loop {
            self.begin(&mut running).await;
            tokio::select! {
                () = self.writer.came() => {}
                Some(_) = running.join_next() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stopping.cancelled() => break,
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn begin(&self, running: &mut JoinSet<()>) {
        let room = MAX_AT_ONCE.saturating_sub(running.len());
        let due = match self.due(room).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "tokens are not looked after");
                return;
            }
        };
        for credential_id in due {
            match self.take(&credential_id).await {
                Ok(Some(work)) => {
                    let renewals = self.clone();
                    running.spawn(async move { renewals.renew(work).await });
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(credential_id, %error, "token is not looked after"),
            }
        }
    }

    async fn due(&self, limit: usize) -> Result<Vec<String>, StoreFailed> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut tx = self.store.begin().await?;
        token_list_due(&mut tx, self.now_ms(), (MAX_OF_ONE, limit)).await
    }

    /// Takes the lease of a token that is due; None: another has it.
    async fn take(&self, credential_id: &str) -> Result<Option<Work>, StoreFailed> {
        let mut tx = self.store.begin().await?;
        let ids = [credential_id];
        let mut credentials = credential_list(&mut tx, Some(&ids)).await?;
        let mut tokens = token_list(&mut tx, Some(&ids)).await?;
        let (Some(credential), Some(row)) = (credentials.pop(), tokens.remove(credential_id))
        else {
            return Ok(None);
        };
        // Somebody may have asked since it was found.
        if row
            .life
            .next_at_ms
            .is_none_or(|next_ms| next_ms > self.now_ms())
        {
            return Ok(None);
        }
        let organisation = [credential.organisation_id.as_str()];
        let mut organisations = organisation_list(&mut tx, Some(&organisation)).await?;
        let Some(organisation) = organisations.pop() else {
            return Ok(None);
        };
        let key = TokenKey {
            credential_id: credential_id.to_owned(),
            version: credential.version,
            serial: row.life.serial,
        };
        let holder = Uuid::new_v4().to_string();
        let is_taken = token_lease(&mut tx, &key, &holder, self.lease()).await?;
        tx.commit().await?;
        Ok(is_taken.then(|| Work {
            key,
            holder,
            row,
            credential,
            organisation_keys: organisation.keys,
        }))
    }

    async fn renew(&self, work: Work) {
        let credential_id = work.key.credential_id.clone();
        match self.attempt(&work).await {
            Ok(outcome) => metrics::token_asked(outcome),
            Err(error) => {
                tracing::error!(credential_id, %error, "what became of a token is lost");
                metrics::token_asked("lost");
            }
        }
    }

    /// Says in a word what came of it.
    async fn attempt(&self, work: &Work) -> Result<&'static str, RenewFailed> {
        let WorkParts { safe, form } = match self.parts(work) {
            Ok(parts) => parts,
            Err(problem) => {
                let failure = Failure::transient("unusable_secret", problem.to_string());
                return self.failed(work, &failure).await;
            }
        };
        if let SecretForm::SignedToken(form) = &form {
            return self.fetch_keys(work, form).await;
        }
        let refresh_token = work.row.refresh_token.as_deref();
        let refresh_token = refresh_token.and_then(|sealed| safe.open_refresh_token(sealed));
        let sealed = work.row.consent.as_deref();
        let consent = sealed.and_then(|sealed| safe.open_consent(sealed));
        if sealed.is_some() && consent.is_none() {
            return self.failed(work, &life::unusable_consent()).await;
        }
        let held = Held {
            refresh_token: refresh_token.as_ref(),
            consent: consent.as_ref(),
        };
        let Some(asked) = self.leased(work, self.ask(&form, held)).await else {
            return Ok("overtaken");
        };
        match asked {
            Ok((obtained, placed)) => self.obtained(work, &safe, (&obtained, &placed)).await,
            Err(failure) => self.failed(work, &failure).await,
        }
    }

    fn parts(&self, work: &Work) -> Result<WorkParts<'_>, SecretProblem> {
        let secret = work.credential.secret.as_ref();
        let recipe = secret.ok().and_then(StoredSecret::recipe);
        let recipe = recipe.ok_or(SecretProblem::Damaged)?;
        let safe = TokenSafe::open(
            &self.region,
            &self.keys,
            &work.organisation_keys,
            &work.credential,
        )?;
        let form = safe.form(recipe)?;
        Ok(WorkParts { safe, form })
    }

    async fn ask(&self, form: &SecretForm, held: Held<'_>) -> Attempt {
        let world = self.world();
        match form {
            SecretForm::OAuth2Target(form) => oauth2::obtain(world, form, held).await,
            SecretForm::CustomToken(form) => custom::obtain(world, form).await,
            SecretForm::SignedJwt(form) => minted::mint(form, world.now_ms()),
            SecretForm::None
            | SecretForm::PresentedKey(_)
            | SecretForm::InjectedKey(_)
            | SecretForm::Bearer(_)
            | SecretForm::BasicAuth(_)
            | SecretForm::Jwt(_)
            | SecretForm::Custom(_)
            | SecretForm::SignedToken(_)
            | SecretForm::AwsSigV4(_)
            | SecretForm::Hmac(_) => {
                let text = "secret obtains no token";
                Err(Failure::transient("unusable_secret", text))
            }
        }
    }

    /// Runs `asking` and keeps the lease; None when it was lost.
    async fn leased<T>(&self, work: &Work, asking: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(asking);
        let mut renewing = tokio::time::interval(RENEW_EVERY);
        renewing.tick().await;
        loop {
            tokio::select! {
                biased;
                asked = &mut asking => return Some(asked),
                _ = renewing.tick() => match self.keep(work).await {
                    Ok(true) => {}
                    Ok(false) => return None,
                    // The answer is worth waiting for; its write will show whose lease it is.
                    Err(error) => tracing::warn!(%error, "lease of a token is not renewed"),
                },
            }
        }
    }

    async fn keep(&self, work: &Work) -> Result<bool, StoreFailed> {
        let mut tx = self.store.begin().await?;
        let is_kept = token_lease(&mut tx, &work.key, &work.holder, self.lease()).await?;
        tx.commit().await?;
        Ok(is_kept)
    }

    async fn obtained(
        &self,
        work: &Work,
        safe: &TokenSafe<'_>,
        (obtained, placed): (&Obtained, &Placed),
    ) -> Result<&'static str, RenewFailed> {
        let life = &work.row.life;
        let life = life.obtained(obtained.life_ms, self.now_ms(), random());
        let injections = safe.injections((&placed.apply, &placed.headers), &obtained.token)?;
        let refresh_token = match &obtained.refresh_token {
            Some(token) => Some(safe.seal_refresh_token(token)?),
            // The provider need not give another one (RFC 6749 §6).
            None => work.row.refresh_token.clone(),
        };
        let row = TokenRow {
            token: life.expires_at_ms.map(|serves_until_ms| ObtainedToken {
                injections,
                serves_until_ms,
                refresh_on: placed.refresh_on.iter().copied().map(u32::from).collect(),
            }),
            life,
            refresh_token,
            consent: None,
            ..work.row.clone()
        };
        self.store_row(work, &row, "ok").await
    }

    async fn failed(&self, work: &Work, failure: &Failure) -> Result<&'static str, RenewFailed> {
        let (credential_id, code) = (&work.key.credential_id, &failure.code);
        tracing::warn!(credential_id, code, "nothing was obtained");
        let now_ms = self.now_ms();
        let life = work.row.life.failed(failure, now_ms, random());
        let consent = work.row.consent.clone();
        let row = TokenRow {
            consent: consent.filter(|_| life.is_consented),
            life,
            ..work.row.clone()
        };
        let row = key_life::after(failure, row, now_ms);
        let outcome = if failure.is_permanent {
            "permanent"
        } else {
            "transient"
        };
        self.store_row(work, &row, outcome).await
    }

    async fn store_row(
        &self,
        work: &Work,
        row: &TokenRow,
        outcome: &'static str,
    ) -> Result<&'static str, RenewFailed> {
        let organisation_id = &work.credential.organisation_id;
        let free_at_ms = self.pace.free_at_ms(organisation_id);
        let mut row = row.clone();
        // Keys that are too old are taken away in time all the same.
        let end_ms = row.keys.as_ref().and(row.life.expires_at_ms);
        row.life.next_at_ms = row.life.next_at_ms.map(|next_ms| {
            let paid_ms = next_ms.max(free_at_ms);
            end_ms.map_or(paid_ms, |end_ms| paid_ms.min(end_ms.max(next_ms)))
        });
        let mut delays = STORE_DELAYS.into_iter();
        loop {
            let stored = self.writer.store_token(&work.key, &work.holder, &row).await;
            match (stored, delays.next()) {
                (Ok(Some(bytes)), _) => {
                    self.pace.published(organisation_id, bytes, self.now_ms());
                    return Ok(outcome);
                }
                (Ok(None), _) => return Ok("overtaken"),
                (Err(error), None) => return Err(error.into()),
                (Err(error), Some(delay)) => {
                    tracing::warn!(%error, "token is not stored yet");
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    fn lease(&self) -> (u64, u64) {
        let now_ms = self.now_ms();
        (now_ms, now_ms.saturating_add(LEASE_MS))
    }

    fn world(&self) -> World<'_> {
        World {
            client: &self.client,
            clock: &self.clock,
        }
    }

    fn now_ms(&self) -> u64 {
        self.world().now_ms()
    }
}

/// What was sealed, opened.
struct WorkParts<'a> {
    safe: TokenSafe<'a>,
    form: SecretForm,
}

fn random() -> u64 {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    // Both hold fixed bits, in different places.
    high.rotate_left(32) ^ low
}
