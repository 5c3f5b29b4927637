//! A request's head: framing, method and path, then credential, then the proxy's state, then the
//! swap. What depends on the proxy comes after the credential, so that only its callers learn it.

use super::{Grant, Resolved};
use crate::{
    authn::{self, AuthType, Presented},
    denial::Denial,
    http::{ALLOWED_METHODS, Lines, RequestHead, path::CallPath, query::is_sendable},
    id::CredentialId,
    policy::{Policy, Standing},
    swap::Edit,
};

/// The credential that matched.
pub(super) type UsedCredential = (CredentialId, AuthType);

/// A refusal, with the credential that the caller used if it was found right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) credential: Option<UsedCredential>,
    pub(super) denial: Denial,
}

impl Refused {
    pub(super) fn unknown(denial: Denial) -> Self {
        Self {
            credential: None,
            denial,
        }
    }

    pub(super) fn granted(grant: Grant, denial: Denial) -> Self {
        Self {
            credential: Some(grant.credential),
            denial,
        }
    }
}

/// A head whose framing and path are in order, whatever the proxy.
struct Call<'a> {
    method: &'a [u8],
    /// `:path` as sent.
    raw: &'a [u8],
    path: CallPath<'a>,
    query: Option<&'a [u8]>,
}

pub(super) fn judge<'e>(
    resolved: &'e Resolved,
    head: &RequestHead<'_>,
    now_ms: &dyn Fn() -> u64,
) -> Result<(Grant, Vec<Edit<'e>>), Refused> {
    let call = Call::parse(head).map_err(Refused::unknown)?;
    let presented = authn::presented(head, call.query);
    let (policy, used) =
        authenticate(resolved, &call, &presented, now_ms).map_err(Refused::unknown)?;
    let refused = |denial| Refused {
        credential: Some(used),
        denial,
    };
    match policy.standing {
        Standing::Active => {}
        Standing::Inactive => return Err(refused(Denial::ProxyInactive)),
        Standing::Suspended => return Err(refused(Denial::BillingSuspended)),
    }
    let upstream = policy
        .upstream
        .as_ref()
        .ok_or(refused(Denial::ProxyIncomplete))?;
    let edits = upstream.edits(head, &call.path, (call.raw, call.query));
    Ok((
        Grant {
            credential: used,
            is_head: call.method == b"HEAD",
        },
        edits,
    ))
}

impl<'a> Call<'a> {
    fn parse(head: &RequestHead<'a>) -> Result<Self, Denial> {
        let Lines::One(method) = head.method else {
            return Err(Denial::BadRequest);
        };
        // Envoy joins several Host lines with a comma, which no authority holds.
        match head.authority {
            Lines::None => {}
            Lines::One(authority) if !authority.contains(&b',') => {}
            Lines::One(_) | Lines::Several => return Err(Denial::BadRequest),
        }
        if !ALLOWED_METHODS
            .iter()
            .any(|allowed| allowed.as_bytes() == method)
        {
            return Err(Denial::MethodNotAllowed);
        }
        // Only CONNECT comes without a path.
        let Lines::One(raw) = head.path else {
            return Err(Denial::BadRequest);
        };
        let (path, query) = split_query(raw);
        let path = CallPath::parse(path).map_err(|_| Denial::PathAmbiguous)?;
        if !is_sendable(query.unwrap_or_default()) {
            return Err(Denial::BadRequest);
        }
        Ok(Self {
            method,
            raw,
            path,
            query,
        })
    }
}

fn split_query(raw: &[u8]) -> (&[u8], Option<&[u8]>) {
    match raw.iter().position(|&byte| byte == b'?') {
        Some(at) => (raw.get(..at).unwrap_or_default(), raw.get(at + 1..)),
        None => (raw, None),
    }
}

fn authenticate<'p>(
    resolved: &'p Resolved,
    call: &Call<'_>,
    presented: &Presented<'_>,
    now_ms: &dyn Fn() -> u64,
) -> Result<(&'p Policy, UsedCredential), Denial> {
    let value = match presented {
        Presented::Missing => return Err(Denial::CredentialMissing),
        Presented::Several => return Err(Denial::CredentialInvalid),
        Presented::Header(value) => *value,
        Presented::Query(value) => value.expose(),
    };
    let policy = match resolved {
        Resolved::Proxy(policy) => policy,
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
        .is_some_and(|segment| policy.names.contain(segment))
    {
        authn::refuse_unknown(value);
        return Err(Denial::CredentialInvalid);
    }
    authn::verify(&policy.credentials, &policy.digest_key, value, now_ms)
        .map(|used| (&**policy, used))
        .ok_or(Denial::CredentialInvalid)
}
