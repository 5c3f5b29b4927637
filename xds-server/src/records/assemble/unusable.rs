//! What of a proxy is stored and cannot be used. Pure.
//!
//! What is gone is not named: the control plane knows that by itself.

use prost::Message;
use requestrocket_policy::compile::MAX_ADMISSION_BYTES;
use requestrocket_policy::swap::is_injectable_header;
use requestrocket_proto::policy::v1::{Injection, Location};

use super::{may_go_to, parse_base_url};
use crate::records::record::{Credential, Proxy, Records, SecretProblem, StoredSecret};
use requestrocket_policy::secret_form::auth_type::Side;

const CALLERS_TOO_LONG: &str = "keys of all callers are too long together";
/// Of the filter's limit, for all that is not of callers.
const ROOM_BYTES: usize = 64 << 10;
/// Of a caller beside its secrets.
const CALLER_BYTES: usize = 256;

/// Whether the filter takes what the callers of a proxy bring. If not, it takes none of them: what is
/// refused need not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fits {
    /// All of them.
    All,
    /// Together they are too much.
    None,
}

/// Which records of the proxy cannot be used, and why, in one line; None when all can.
pub(super) fn unusable(proxy: &Proxy, records: &Records, fits: Fits) -> Option<String> {
    if !records.organisations.contains_key(&proxy.organisation_id) {
        return Some("organisation is not known to the region".to_owned());
    }
    let callers = proxy
        .proxy_credential_ids
        .iter()
        .map(|id| (id, Side::Proxy));
    let credentials = callers.chain([(&proxy.target_credential_id, Side::Target)]);
    let credentials = credentials.filter_map(|(id, side)| {
        let credential = records.credentials.get(id)?;
        let problem = problem(credential, &proxy.organisation_id, side)?;
        Some(format!("credential {id}: {problem}"))
    });
    let target = records.targets.get(&proxy.target_id);
    let target = target.and_then(|target| {
        let is_own = target.organisation_id == proxy.organisation_id;
        let is_usable = is_own && parse_base_url(&target.base_url, &target.layer).is_some();
        (!is_usable).then(|| format!("target {}: base URL cannot be used", target.target_id))
    });
    let parts: Vec<String> = credentials
        .chain(target)
        .chain(destination(proxy, records))
        .chain((fits == Fits::None).then(|| CALLERS_TOO_LONG.to_owned()))
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

impl Fits {
    pub(super) fn of(proxy: &Proxy, records: &Records) -> Self {
        let bytes = |id: &String| {
            let credential = records.credentials.get(id)?;
            let secret = match credential.secret.as_ref().ok()? {
                StoredSecret::Presented(presented) => presented.encoded_len(),
                StoredSecret::Published(published, fetched) => {
                    let keys = fetched.iter().flat_map(|fetched| &fetched.keys);
                    published.token.encoded_len() + keys.map(Message::encoded_len).sum::<usize>()
                }
                StoredSecret::Injections(_) | StoredSecret::Obtained(..) => return None,
            };
            let previous = credential.previous.as_ref();
            let previous = previous.map_or(0, |previous| previous.presented.encoded_len());
            Some(secret + previous + CALLER_BYTES)
        };
        let callers = proxy.proxy_credential_ids.iter().filter_map(bytes);
        if callers.sum::<usize>() > MAX_ADMISSION_BYTES - ROOM_BYTES {
            Self::None
        } else {
            Self::All
        }
    }
}

/// A target credential whose owner does not allow it at the proxy's target.
fn destination(proxy: &Proxy, records: &Records) -> Option<String> {
    let credential = records.credentials.get(&proxy.target_credential_id)?;
    let target = records.targets.get(&proxy.target_id)?;
    let config = parse_base_url(&target.base_url, &target.layer)?;
    let problem = SecretProblem::Destination;
    let is_allowed = may_go_to(credential, &config);
    (!is_allowed).then(|| format!("credential {}: {problem}", credential.credential_id))
}

/// Why the credential cannot be used on this side of a proxy of the organisation.
pub(super) fn problem(
    credential: &Credential,
    organisation_id: &str,
    side: Side,
) -> Option<SecretProblem> {
    if credential.organisation_id != organisation_id || credential.side != side {
        return Some(SecretProblem::AuthType);
    }
    match credential.given().1 {
        Ok(StoredSecret::Presented(_) | StoredSecret::Published(..)) => {
            (side != Side::Proxy).then_some(SecretProblem::Damaged)
        }
        Ok(StoredSecret::Injections(_) | StoredSecret::Obtained(..)) if side != Side::Target => {
            Some(SecretProblem::Damaged)
        }
        // Names were checked where the form was read, by the version that runs now.
        Ok(StoredSecret::Obtained(..)) => None,
        // What was stored when other names were allowed: the filter would refuse the policy.
        Ok(StoredSecret::Injections(injections)) => {
            let is_usable = injections.iter().all(is_allowed);
            (!is_usable).then_some(SecretProblem::Name)
        }
        Err(problem) => Some(*problem),
    }
}

fn is_allowed(injection: &Injection) -> bool {
    match injection.location() {
        Location::Header => is_injectable_header(&injection.name),
        // Of what is computed the name is the scheme's.
        Location::Query | Location::Computed => !injection.name.is_empty(),
        Location::Unspecified => false,
    }
}
