//! Looks for newer keys of issuers when an Envoy met a token that those it has do not verify, and for
//! other tokens when a target did not take one.
//!
//! Anybody can cause either, so a source is asked once in 30 seconds for it, and what waits here for
//! an answer is bounded.

mod introspected;
mod refused;

use std::sync::Arc;
use std::time::Duration;

use requestrocket_policy::id::CredentialId;
use requestrocket_policy::renewal::Obtained;
use requestrocket_policy::secret::SecretText;
use requestrocket_process::clock::Clock;
use requestrocket_proto::keys::v1::key_renewal_server::KeyRenewal;
use requestrocket_proto::keys::v1::{
    IntrospectRequest, IntrospectResponse, RenewRequest, RenewResponse, RenewTokenRequest,
    RenewTokenResponse, TokenState as WireState,
};
use requestrocket_proto::policy::v1::Injection;
use requestrocket_proto::region::v1::TokenState;
use tokio::sync::{Semaphore, watch};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::region::RegionWriter;
use crate::secrets::keys::RegionKeys;
use crate::secrets::renew::PAUSE_MS;
use crate::secrets::renew::client::Client;
use crate::secrets::renew::introspect::{Introspections, Said};
use crate::tokens::TokenStates;

pub use self::introspected::OpaqueTokens;
pub use self::refused::RefusedTokens;

/// For all that is done for a question. The filter waits for two seconds.
const PATIENCE: Duration = Duration::from_millis(1_700);
/// Questions that wait; others are answered at once.
const MAX_WAITING: usize = 256;

/// The filter waits for five seconds for what a token's server says.
const PATIENCE_OF_OPAQUE: Duration = Duration::from_millis(4_700);
/// Of all organisations, each of which has a hundred at most.
const MAX_INTROSPECTING: usize = 2_000;

/// Answers nodes that ask for newer keys.
#[derive(Debug)]
pub struct KeyRenewals {
    writer: Arc<RegionWriter>,
    states: watch::Receiver<TokenStates>,
    tokens: RefusedTokens,
    opaque: OpaqueTokens,
    places: Semaphore,
    /// Their servers may be slow, and keep nobody else waiting.
    opaque_places: Semaphore,
    clock: Clock,
}

impl KeyRenewals {
    /// Of the region that those tokens are of.
    #[must_use]
    pub fn new(tokens: RefusedTokens, opaque: OpaqueTokens) -> Self {
        let (writer, clock) = (Arc::clone(&tokens.writer), tokens.clock.clone());
        Self {
            states: writer.tokens(),
            writer,
            tokens,
            opaque,
            places: Semaphore::new(MAX_WAITING),
            opaque_places: Semaphore::new(MAX_INTROSPECTING),
            clock,
        }
    }

    /// Of a region with these keys, which asks by that client.
    #[must_use]
    pub fn asking(
        (region, keys): (&str, &Arc<RegionKeys>),
        client: &Client,
        tokens: &RefusedTokens,
    ) -> Self {
        let opaque = OpaqueTokens {
            region: region.to_owned(),
            keys: Arc::clone(keys),
            store: tokens.store.clone(),
            asked: Introspections::new(client.clone(), tokens.clock.clone()),
        };
        Self::new(tokens.clone(), opaque)
    }

    /// Whether keys were looked for, and found.
    pub(crate) async fn renew(&self, credential: &str) -> bool {
        let Ok(_place) = self.places.try_acquire() else {
            return false;
        };
        // Taken before anything is asked for, so that whatever is learnt from here on shows.
        let before = self.states.borrow().get(credential).map(Arc::clone);
        let Some(before) = before.filter(|state| self.may_be_renewed(state)) else {
            return false;
        };
        let looked = self.look(credential, &before);
        tokio::time::timeout(PATIENCE, looked)
            .await
            .unwrap_or(false)
    }

    /// What calls are given in the place of a token; nothing: there is no other.
    pub(crate) async fn replace(&self, refused: &Obtained) -> Vec<Injection> {
        let Ok(_place) = self.places.try_acquire() else {
            return Vec::new();
        };
        let replaced = tokio::time::timeout(PATIENCE, self.tokens.replace(refused)).await;
        match replaced {
            Ok(Ok(injections)) => injections.unwrap_or_default(),
            Ok(Err(error)) => {
                tracing::warn!(%error, "no other token is looked for");
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// What its server says of a token, and for how many milliseconds that holds.
    pub(crate) async fn said(&self, of: (&str, u64), token: &SecretText) -> Option<(Said, u64)> {
        let _place = self.opaque_places.try_acquire().ok()?;
        let said = tokio::time::timeout(PATIENCE_OF_OPAQUE, self.opaque.ask(of, token)).await;
        match said.ok()? {
            Ok(said) => said,
            Err(error) => {
                tracing::warn!(%error, "a token is not introspected");
                None
            }
        }
    }

    async fn look(&self, credential: &str, before: &TokenState) -> bool {
        let now_ms = self.clock.unix_ms();
        if let Err(error) = self.writer.hasten(credential, now_ms, PAUSE_MS).await {
            tracing::warn!(%error, "keys are not looked for");
            return false;
        }
        let mut states = self.states.clone();
        let looked = states.wait_for(|states| {
            let now = states.get(credential);
            now.is_none_or(|now| is_another(before, now))
        });
        looked.await.is_ok_and(|states| {
            let now = states.get(credential);
            now.is_some_and(|now| now.last_refresh_at_ms > before.last_refresh_at_ms)
        })
    }

    /// A source that fails is asked again by itself.
    fn may_be_renewed(&self, state: &TokenState) -> bool {
        // Without a first look one is due anyway.
        let looked_ms = state.last_refresh_at_ms.unwrap_or(u64::MAX);
        state.attempts == 0 && looked_ms.saturating_add(PAUSE_MS) <= self.clock.unix_ms()
    }
}

fn answer(said: Option<(Said, u64)>) -> IntrospectResponse {
    let Some((said, holds_ms)) = said else {
        return IntrospectResponse::default();
    };
    let (state, claims) = match said {
        Said::Active(claims) => (WireState::Active, claims.to_string()),
        Said::Inactive => (WireState::Inactive, String::new()),
    };
    IntrospectResponse {
        state: state.into(),
        claims,
        holds_ms: u32::try_from(holds_ms).unwrap_or(u32::MAX),
    }
}

fn credential(bytes: &[u8]) -> Result<CredentialId, Status> {
    let id = Uuid::from_slice(bytes);
    let id = id.map_err(|_| Status::invalid_argument("id must be of 16 bytes"))?;
    Ok(CredentialId::from(id))
}

/// Something was learnt.
fn is_another(before: &TokenState, now: &TokenState) -> bool {
    before.version != now.version
        || before.last_refresh_at_ms != now.last_refresh_at_ms
        || before.attempts != now.attempts
}

#[tonic::async_trait]
impl KeyRenewal for KeyRenewals {
    async fn renew(
        &self,
        request: Request<RenewRequest>,
    ) -> Result<Response<RenewResponse>, Status> {
        let RenewRequest { credential_id } = request.into_inner();
        let credential = credential(&credential_id)?.to_string();
        let is_renewed = Self::renew(self, &credential).await;
        Ok(Response::new(RenewResponse { is_renewed }))
    }

    async fn renew_token(
        &self,
        request: Request<RenewTokenRequest>,
    ) -> Result<Response<RenewTokenResponse>, Status> {
        let RenewTokenRequest {
            credential_id,
            version,
            serves_until_ms,
        } = request.into_inner();
        let refused = Obtained {
            credential: credential(&credential_id)?,
            version,
            serves_until_ms,
        };
        let injections = self.replace(&refused).await;
        Ok(Response::new(RenewTokenResponse { injections }))
    }

    async fn introspect(
        &self,
        request: Request<IntrospectRequest>,
    ) -> Result<Response<IntrospectResponse>, Status> {
        let IntrospectRequest {
            credential_id,
            version,
            token,
        } = request.into_inner();
        let credential = credential(&credential_id)?.to_string();
        let token = String::from_utf8(token.to_vec());
        let token = token.map_err(|_| Status::invalid_argument("token must be text"))?;
        let token = SecretText::new(token);
        let said = self.said((&credential, version), &token).await;
        Ok(Response::new(answer(said)))
    }
}
