//! Keys that issuers publish: where they are, and which of them are taken.

use std::sync::Arc;

use requestrocket_policy::jose::{Algorithm, PublicKey, read_key_set};
use requestrocket_policy::secret_form::endpoint::Endpoint;
use requestrocket_policy::secret_form::signed_token::{KeysAt, Published};
use serde::Deserialize;

use super::answer::Failure;
use super::provider::World;
use super::shelf::{PAUSE_MS, Shelf};

#[cfg(test)]
mod tests;

/// Of the name of a key. Longer ones are no names, and every proxy of a credential carries them.
const MAX_KEY_ID_BYTES: usize = 256;

/// What issuers published last. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct KeySources {
    issuers: Shelf<Issuer>,
    sets: Shelf<Arc<[PublicKey]>>,
}

/// What an issuer says of itself (OpenID Connect Discovery 1.0 §3).
#[derive(Clone, Debug, Deserialize)]
struct Issuer {
    issuer: String,
    jwks_uri: String,
}

impl KeySources {
    /// The keys that may verify tokens of these algorithms.
    pub(super) async fn keys(
        &self,
        world: World<'_>,
        published: &Published,
        algorithms: &[Algorithm],
    ) -> Result<Vec<PublicKey>, Failure> {
        let found = self.find(world, published, algorithms).await;
        // Before that the shelf would say the same.
        found.map_err(|failure| failure.until(PAUSE_MS))
    }

    async fn find(
        &self,
        world: World<'_>,
        published: &Published,
        algorithms: &[Algorithm],
    ) -> Result<Vec<PublicKey>, Failure> {
        let keys = match &published.place {
            KeysAt::KeySet(url) => self.sets.get(world, url, key_set).await?,
            KeysAt::Discovery { document, issuer } => {
                let described = self.issuers.get(world, document, description).await?;
                let url = place_of(&described, issuer)?;
                self.sets.get(world, &url, key_set).await?
            }
        };
        let fits = |key: &&PublicKey| algorithms.iter().any(|one| key.suits(*one));
        let keys: Vec<_> = keys.iter().filter(fits).cloned().collect();
        if keys.is_empty() {
            let text = "key set has no key for the algorithms of the credential";
            return Err(Failure::transient(NO_KEYS, text));
        }
        Ok(keys)
    }
}

/// The code of a set that was read and has nothing in it: its issuer took the keys back.
pub(super) const NO_KEYS: &str = "no_keys";

fn description(body: &[u8]) -> Result<Issuer, Failure> {
    serde_json::from_slice(body).map_err(|_| {
        let text = "discovery document is no JSON object with `issuer` and `jwks_uri`";
        Failure::transient("unreadable_discovery", text)
    })
}

/// Where the keys are, if the document is about that issuer and no other.
fn place_of(described: &Issuer, issuer: &str) -> Result<Endpoint, Failure> {
    // Else another's keys pass for this issuer's (OpenID Connect Discovery 1.0 §4.3).
    if described.issuer != issuer {
        let text = "discovery document is of another issuer than the credential names";
        return Err(Failure::transient("issuer_mismatch", text));
    }
    Endpoint::parse(&described.jwks_uri).map_err(|_| {
        let text = "discovery document has a `jwks_uri` that cannot be called";
        Failure::transient("unreadable_discovery", text)
    })
}

fn key_set(body: &[u8]) -> Result<Arc<[PublicKey]>, Failure> {
    let set = read_key_set(body);
    let set = set.map_err(|error| Failure::transient("unreadable_keys", error.to_string()))?;
    let is_named = |key: &PublicKey| {
        let name = key.id.as_ref();
        name.is_none_or(|name| name.len() <= MAX_KEY_ID_BYTES)
    };
    Ok(set.keys.into_iter().filter(is_named).collect())
}
