//! Asks the servers of opaque tokens about them (RFC 7662).
//!
//! Anybody can make up a token. So what a server said holds for a while, of one token one question is
//! on its way, and an organisation has so many at most; others are told that nobody could say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::signed_token::Introspection;
use requestrocket_process::clock::Clock;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::client::{Client, Response};
use super::request::{Fresh, introspection};

#[cfg(test)]
mod tests;

/// Questions of one organisation, and to one server, that are on their way.
const MAX_OF_ONE: usize = 100;
/// What a server said holds for so long, of an active token not beyond its end.
const ACTIVE_MS: u64 = 60_000;
const INACTIVE_MS: u64 = 10_000;
/// Answers that are kept.
const MAX_KEPT: usize = 10_000;
/// Of the claims of a token: every worker that meets it keeps them.
const MAX_CLAIMS_BYTES: usize = 16 << 10;

/// Of a token, as one version of a credential sees it.
type TokenId = [u8; 32];

/// What a server said of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is good; its claims, JSON text.
    Active(Arc<str>),
    /// It is none.
    Inactive,
}

/// Whose token it is.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// UUID text.
    pub organisation_id: &'a str,
    /// UUID text.
    pub credential_id: &'a str,
    /// Of its secret.
    pub version: u64,
}

/// What was asked lately. Clones know the same.
#[derive(Clone)]
pub struct Introspections {
    client: Client,
    clock: Clock,
    slots: Arc<Mutex<BTreeMap<TokenId, Arc<Slot>>>>,
    /// By organisation, and by server.
    places: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
}

/// Held while a question is on its way.
type Slot = tokio::sync::Mutex<Option<Known>>;

#[derive(Clone)]
struct Known {
    said: Said,
    until_ms: u64,
}

/// What is known is for nobody to read.
impl fmt::Debug for Introspections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Introspections")
    }
}

impl Introspections {
    /// Nothing was asked yet.
    #[must_use]
    pub fn new(client: Client, clock: Clock) -> Self {
        Self {
            client,
            clock,
            slots: Arc::default(),
            places: Arc::default(),
        }
    }

    /// What its server says of a token, and for how many milliseconds that holds; none: nobody could
    /// say.
    pub async fn ask(
        &self,
        asking: Asking<'_>,
        form: &Introspection,
        token: &SecretText,
    ) -> Option<(Said, u64)> {
        let slot = self.slot(id_of(asking, token));
        let mut known = slot.lock().await;
        if let Some(left) = self.left(known.as_ref()) {
            return Some(left);
        }
        let own = format!("organisation {}", asking.organisation_id);
        let server = format!("server {}", form.url.as_str());
        let _places = [self.place(own)?, self.place(server)?];
        *known = self.known(form, token).await;
        self.left(known.as_ref())
    }

    fn left(&self, known: Option<&Known>) -> Option<(Said, u64)> {
        let Known { said, until_ms } = known?;
        let left_ms = until_ms.checked_sub(self.clock.unix_ms())?;
        (left_ms > 0).then(|| (said.clone(), left_ms))
    }

    async fn known(&self, form: &Introspection, token: &SecretText) -> Option<Known> {
        let now_ms = self.clock.unix_ms();
        let id = Uuid::new_v4().to_string();
        let fresh = Fresh {
            now_s: now_ms / 1_000,
            id: &id,
        };
        let request = introspection(form, token, fresh).ok()?;
        match self.client.send(&request).await {
            Ok(response) => read(&response, now_ms),
            Err(failure) => {
                tracing::warn!(code = failure.code, "a token could not be introspected");
                None
            }
        }
    }

    fn slot(&self, id: TokenId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_KEPT && !slots.contains_key(&id) {
            let is_known = |slot: &Slot| {
                let known = slot.try_lock();
                known.is_ok_and(|known| self.left(known.as_ref()).is_some())
            };
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || is_known(slot));
            if slots.len() >= MAX_KEPT {
                slots.retain(|_, slot| Arc::strong_count(slot) > 1);
            }
        }
        Arc::clone(slots.entry(id).or_default())
    }

    /// None: as many questions as may be are on their way.
    fn place(&self, whose: String) -> Option<OwnedSemaphorePermit> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MAX_KEPT {
            places.retain(|_, places| places.available_permits() < MAX_OF_ONE);
        }
        let places = places
            .entry(whose)
            .or_insert_with(|| Arc::new(Semaphore::new(MAX_OF_ONE)));
        Arc::clone(places).try_acquire_owned().ok()
    }
}

fn id_of(asking: Asking<'_>, token: &SecretText) -> TokenId {
    let Asking {
        organisation_id,
        credential_id,
        version,
    } = asking;
    // Of a token nothing is kept by which it could be presented.
    Sha256::new()
        .chain_update(organisation_id)
        .chain_update(credential_id)
        .chain_update(version.to_be_bytes())
        .chain_update(token.expose())
        .finalize()
        .into()
}

/// None: it is no answer to the question.
fn read(response: &Response, now_ms: u64) -> Option<Known> {
    let said: Option<Map<String, Value>> = (response.status == 200)
        .then(|| serde_json::from_slice(&response.body).ok())
        .flatten();
    let Some((said, is_active)) = said.and_then(|said| {
        said.get("active")?
            .as_bool()
            .map(|active| (said.clone(), active))
    }) else {
        let status = response.status;
        tracing::warn!(status, "a token could not be introspected");
        return None;
    };
    if !is_active {
        return Some(Known {
            said: Said::Inactive,
            until_ms: now_ms.saturating_add(INACTIVE_MS),
        });
    }
    let end_ms = said.get("exp").and_then(Value::as_f64);
    let end_ms = end_ms.and_then(|seconds| {
        let end = std::time::Duration::try_from_secs_f64(seconds).ok()?;
        u64::try_from(end.as_millis()).ok()
    });
    let longest_ms = now_ms.saturating_add(ACTIVE_MS);
    let claims = serde_json::to_string(&said).ok()?;
    let until_ms = end_ms.map_or(longest_ms, |end_ms| end_ms.min(longest_ms));
    // What has ended, or cannot be carried, lets nobody in.
    let said = if claims.len() > MAX_CLAIMS_BYTES || until_ms <= now_ms {
        Said::Inactive
    } else {
        Said::Active(claims.into())
    };
    Some(Known {
        // What has ended is not asked about with every call.
        until_ms: until_ms.max(now_ms.saturating_add(1_000)),
        said,
    })
}
