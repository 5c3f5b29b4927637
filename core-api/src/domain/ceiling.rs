//! How many records there may be, so that nobody fills the store.

/// The ceilings of creations; what is there already stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Credentials of an organisation.
    pub credentials: u64,
    /// Targets of an organisation.
    pub targets: u64,
    /// Proxies of an organisation.
    pub proxies: u64,
    /// Members of an organisation.
    pub members: u64,
    /// Invites of an organisation that can still be accepted.
    pub invites: u64,
    /// Webhooks of an organisation.
    pub webhooks: u64,
    /// Tokens of a user.
    pub tokens: u64,
    /// Organisations that a user owns.
    pub organisations: u64,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self {
            credentials: 10_000,
            targets: 10_000,
            proxies: 10_000,
            members: 1_000,
            invites: 100,
            webhooks: 20,
            tokens: 100,
            organisations: 100,
        }
    }
}
