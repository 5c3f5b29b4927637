//! What callers' tokens say, for rules, redactions and meters.

use super::{grant::UsedCredential, request::Call};
use crate::{
    authn::{self, Presented},
    authz::Layers,
    http::RequestHead,
    policy::Policy,
};

impl Call<'_> {
    /// What the caller's token says, if that was verified and somebody asks.
    pub(super) fn claims(
        &self,
        policy: &Policy,
        (used, auth_type): UsedCredential,
        head: &RequestHead<'_>,
    ) -> Option<String> {
        let reads = || {
            let layers = policy.layers(used);
            policy.meters.read_claims() || layers.is_some_and(Layers::read_claims)
        };
        if !auth_type.has_claims() || !reads() {
            return None;
        }
        match authn::presented(head, self.query) {
            Presented::Header(value) => authn::claims(value),
            Presented::Query(value) => authn::claims(value.expose()),
            Presented::Missing | Presented::Several => None,
        }
    }
}
