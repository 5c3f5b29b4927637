//! A target credential is given to no host but those that its owner allowed.

use requestrocket_policy::destination::is_allowed;
use requestrocket_policy::form::problem::{Fault, Problems};
use sqlx::AnyConnection;
use url::Url;

use crate::domain::guard::attachment::AttachedTo;
use crate::domain::id::OrganisationId;
use crate::error::ApiResult;
use crate::store::gateway::destination::{Destination, destinations};

/// Checks all proxies that use the record, or the proxy itself, as they are written now.
///
/// # Errors
/// `DESTINATION_NOT_ALLOWED`: each proxy that would give a credential to another host, under `field`.
pub(crate) async fn check_destinations(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    used: AttachedTo,
    field: &str,
) -> ApiResult<()> {
    let mut problems = Problems::default();
    for destination in destinations(conn, organisation, used).await? {
        let Destination {
            proxy,
            credential,
            base_url,
            allowed_hosts,
        } = destination;
        let url = Url::parse(&base_url).ok();
        // Without a host: on no list, so it gets nothing.
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        if !is_allowed(&allowed_hosts, host) {
            let text = format!(
                "proxy {proxy} would give credential {credential} to {host}, which is none of its \
                 `credentialAllowedHosts`"
            );
            problems.add(Fault::DestinationNotAllowed, field, text);
        }
    }
    Ok(problems.check()?)
}
