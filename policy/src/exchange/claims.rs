//! What callers' tokens say, for rules, redactions and meters.

use super::{grant::UsedCredential, ports::Ports, request::Call};
use crate::{
    authn::{self, Presented, introspected_claims},
    authz::Layers,
    http::RequestHead,
    policy::Policy,
};

impl Call<'_> {
    /// What the caller's token says, if that was verified and somebody asks.
    pub(super) fn claims(
        &self,
        (policy, (used, auth_type)): (&Policy, UsedCredential),
        head: &RequestHead<'_>,
        ports: &dyn Ports,
    ) -> Option<String> {
        let reads = || {
            let layers = policy.layers(used);
            policy.meters.read_claims() || layers.is_some_and(Layers::read_claims)
        };
        // Nobody verified the claims of a token that is only compared.
        if !auth_type.has_claims() || !reads() {
            return None;
        }
        let admission = policy.admission();
        let (credentials, key) = (&admission.credentials, &admission.digest_key);
        let claims = |value: &[u8]| {
            let said = introspected_claims(credentials, key, (used, value), ports);
            said.or_else(|| authn::claims(value))
        };
        match authn::presented(head, self.query) {
            Presented::Header(value) => claims(value),
            Presented::Query(value) => claims(value.expose()),
            Presented::Missing | Presented::Several => None,
        }
    }
}
