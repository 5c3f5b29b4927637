//! Whose call it is, before anything is done for it.

use super::{Resolved, call::Call, grant::UsedCredential, passage, ports::Ports};
use crate::{
    authn::{self, Presented, Unverified},
    denial::Denial,
    http::RequestHead,
};

/// The credential of the proxy's that the call came with.
pub(super) fn authenticate(
    resolved: &Resolved,
    (head, call): (&RequestHead<'_>, &Call<'_>),
    ports: &dyn Ports,
) -> Result<UsedCredential, Denial> {
    let presented = match head.delivery {
        // Whoever sends it was asked who it is.
        Some(_) => Presented::Header(b""),
        None => authn::presented(head, call.query),
    };
    let value = match &presented {
        Presented::Missing => return Err(Denial::CredentialMissing),
        Presented::Several => return Err(Denial::CredentialInvalid),
        Presented::Header(value) => *value,
        Presented::Query(value) => value.expose(),
    };
    let admission = match resolved {
        Resolved::Proxy(policy) => &policy.admission,
        Resolved::Admission(admission) => admission,
        Resolved::UnknownProxy => {
            authn::refuse_unknown(value);
            return Err(Denial::CredentialInvalid);
        }
        Resolved::Fault => return Err(Denial::GatewayFault),
    };
    // The route was chosen by Envoy; the path is what the caller asked for.
    if !call
        .path
        .proxy
        .is_some_and(|segment| admission.names.contain(segment))
    {
        authn::refuse_unknown(value);
        return Err(Denial::CredentialInvalid);
    }
    if let Some(delivery) = head.delivery {
        return passage::still_let_in(admission, delivery, ports);
    }
    let verified = authn::verify(&admission.credentials, &admission.digest_key, value, ports);
    verified.map_err(|unverified| match unverified {
        Unverified::Wrong => Denial::CredentialInvalid,
        Unverified::Unknown => Denial::CredentialCheckUnavailable,
    })
}
