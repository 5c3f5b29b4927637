//! What callers' tokens say, for rules, redactions and meters.

use super::{call::Call, grant::UsedCredential, ports::Ports};
use crate::{
    admission::Admission,
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
        if !reads() {
            return None;
        }
        self.said((policy.admission(), (used, auth_type)), head, ports)
    }

    /// What the caller's token says, whoever asks.
    pub(super) fn said(
        &self,
        (admission, (used, auth_type)): (&Admission, UsedCredential),
        head: &RequestHead<'_>,
        ports: &dyn Ports,
    ) -> Option<String> {
        // Nobody verified the claims of a token that is only compared.
        if !auth_type.has_claims() {
            return None;
        }
        if let Some(delivery) = head.delivery {
            return delivery.sender.claims.clone();
        }
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
