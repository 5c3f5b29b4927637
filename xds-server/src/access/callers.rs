//! Who may call a proxy, of its configuration.

use requestrocket_policy::access::Access;
use requestrocket_policy::id::CredentialId;
use requestrocket_proto::policy::v1::{SecretDigest, proxy_credential::Presented};

use crate::records::region_config::{CallerConfig, ProxyConfig};

/// Who may call a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callers {
    /// None: they may.
    closed: Option<Access>,
    /// Credentials in force, each with the moment (Unix time in milliseconds) when it ends.
    credentials: Box<[(CredentialId, u64)]>,
}

impl Callers {
    /// Of this proxy.
    #[must_use]
    pub fn of(config: &ProxyConfig) -> Self {
        let closed = match (config.is_active, config.is_suspended) {
            (false, _) => Some(Access::Inactive),
            (true, true) => Some(Access::Suspended),
            (true, false) => None,
        };
        let credentials = config.proxy_credentials.iter().filter_map(|credential| {
            let id = credential.credential_id.parse().ok()?;
            Some((id, ends_ms(credential)?))
        });
        Self {
            closed,
            credentials: credentials.collect(),
        }
    }

    /// Whether calls with this credential may go on. In the order of a call's checks: what depends
    /// on the proxy comes after the credential.
    #[must_use]
    pub fn access(&self, credential: CredentialId, now_ms: u64) -> Access {
        let mut credentials = self.credentials.iter();
        let is_in_force = credentials.any(|(id, ends_ms)| *id == credential && now_ms < *ends_ms);
        if is_in_force {
            self.closed.unwrap_or(Access::Granted)
        } else {
            Access::Revoked
        }
    }
}

/// When the last secret of a credential ends; none when nobody can present any.
fn ends_ms(credential: &CallerConfig) -> Option<u64> {
    let last = match &credential.presented {
        Presented::ApiKey(one) => last_end_ms(&one.digests),
        Presented::Bearer(one) => last_end_ms(&one.digests),
        Presented::BasicAuth(one) => last_end_ms(&one.digests),
        Presented::Jwt(one) => last_end_ms(&one.digests),
        // Nobody here knows the tokens.
        Presented::SignedToken(_) => Some(u64::MAX),
    };
    let previous = credential.previous.iter().map(|one| one.ends_at_ms);
    let last = last.into_iter().chain(previous).max();
    let ends = last.map(|last| last.min(end_or_never(credential.ends_at_ms)));
    ends.filter(|_| credential.is_active)
}

fn last_end_ms(digests: &[SecretDigest]) -> Option<u64> {
    let ends = digests.iter();
    ends.map(|digest| end_or_never(digest.valid_until_ms)).max()
}

/// As messages say it: 0 is never.
fn end_or_never(at_ms: u64) -> u64 {
    if at_ms == 0 { u64::MAX } else { at_ms }
}

#[cfg(test)]
impl Callers {
    /// Of a proxy that nobody may call.
    pub(crate) fn nobody() -> Self {
        Self {
            closed: None,
            credentials: Box::default(),
        }
    }
}
