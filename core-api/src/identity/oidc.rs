//! Signing in by an OpenID provider: authorization code flow with PKCE (OpenID Connect Core 1.0 §3.1,
//! RFC 7636, RFC 9700 §2.1).
//!
//! Invariants: an answer counts only at the browser that asked (its cookie makes state, nonce and
//! verifier), only for the provider that was asked, and only by an ID token that this provider signed.

mod attempt;
mod claims;
mod client;
mod redeem;
mod signatures;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::attempt::{ATTEMPT_LIFE, Attempt};
pub use self::client::{Client, Failed, Sent};
use crate::domain::people::provider::{Provider, ProviderName};
use crate::outbound::Outbound;

/// The providers of the settings; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Providers(Arc<BTreeMap<ProviderName, Client>>);

impl Providers {
    /// Asks nobody yet.
    #[must_use]
    pub fn new(providers: impl IntoIterator<Item = Provider>, outbound: &Outbound) -> Self {
        let clients = providers.into_iter().map(|provider| {
            let name = provider.name.clone();
            (name, Client::new(provider, outbound.clone()))
        });
        Self(Arc::new(clients.collect()))
    }

    /// The one with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Client> {
        self.0.get(&name.parse().ok()?)
    }

    /// All of them, by name.
    pub fn each(&self) -> impl Iterator<Item = &Client> {
        self.0.values()
    }
}
