//! Which hosts target credentials may be given to, and which proxies give them to which.

use requestrocket_policy::destination::HostPattern;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::domain::guard::attachment::AttachedTo;
use crate::domain::id::{CredentialId, OrganisationId, ProxyId};
use crate::store::row::{column, optional_column, parsed};

/// A target credential that may not be given to every host, and the target that a proxy gives it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The proxy.
    pub proxy: ProxyId,
    /// The credential.
    pub credential: CredentialId,
    /// Where to.
    pub base_url: String,
    /// The only hosts that it may be given to.
    pub allowed_hosts: Vec<HostPattern>,
}

/// What the organisation's proxies that use the record, or the proxy itself, give to where, as far as
/// it may not go everywhere.
///
/// # Errors
/// The database does not answer.
pub async fn destinations(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    used: AttachedTo,
) -> sqlx::Result<Vec<Destination>> {
    let using = match used {
        AttachedTo::Proxy(_) => "p.proxy_id",
        AttachedTo::Target(_) => "p.live_target_id",
        AttachedTo::Credential(_) => "p.live_target_credential_id",
    };
    let select = format!(
        "SELECT p.proxy_id, c.credential_id, t.base_url, c.allowed_hosts FROM proxy p \
         JOIN target t ON t.target_id = p.live_target_id \
         JOIN credential c ON c.credential_id = p.live_target_credential_id \
         WHERE p.organisation_id = $1 AND {using} = $2 AND c.allowed_hosts IS NOT NULL \
         ORDER BY p.proxy_id"
    );
    let rows = sqlx::query(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(used.id().to_string())
        .fetch_all(conn)
        .await?;
    rows.iter().map(destination).collect()
}

fn destination(row: &AnyRow) -> sqlx::Result<Destination> {
    Ok(Destination {
        proxy: column(row, "proxy_id")?,
        credential: column(row, "credential_id")?,
        base_url: column(row, "base_url")?,
        allowed_hosts: hosts_column(row)?,
    })
}

/// As they are stored; a host holds no blank.
pub fn hosts_text(hosts: &[HostPattern]) -> Option<String> {
    let hosts: Vec<&str> = hosts.iter().map(HostPattern::as_str).collect();
    (!hosts.is_empty()).then(|| hosts.join(" "))
}

/// From `allowed_hosts`.
///
/// # Errors
/// Nothing of ours wrote that.
pub fn hosts_column(row: &AnyRow) -> sqlx::Result<Vec<HostPattern>> {
    let text: Option<String> = optional_column(row, "allowed_hosts")?;
    let hosts = text.as_deref().unwrap_or_default().split_whitespace();
    hosts.map(parsed).collect()
}
