//! Which proxies are bound to a target or a credential.

use sqlx::{AnyConnection, Row};

use crate::domain::id::{CredentialId, OrganisationId, ProxyId, TargetId};
use crate::domain::moment::Moment;
use crate::store::row::{column, number};

/// What a proxy is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Its target.
    Target(TargetId),
    /// Its target credential.
    TargetCredential(CredentialId),
    /// One of its proxy credentials.
    ProxyCredential(CredentialId),
}

/// A proxy that is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyBinding {
    /// For who wants to look at it.
    pub id: ProxyId,
    /// For who reads the refusal.
    pub name: String,
}

impl Bound {
    fn id(self) -> String {
        match self {
            Self::Target(id) => id.to_string(),
            Self::TargetCredential(id) | Self::ProxyCredential(id) => id.to_string(),
        }
    }
}

/// The organisation's proxies that are bound to it, oldest first.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn proxy_binding_list(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    bound: Bound,
) -> sqlx::Result<Vec<ProxyBinding>> {
    let select = match bound {
        Bound::Target(_) => {
            "SELECT proxy_id, proxy_name FROM proxy \
             WHERE organisation_id = $1 AND live_target_id = $2 ORDER BY created_at, proxy_id"
        }
        Bound::TargetCredential(_) => {
            "SELECT proxy_id, proxy_name FROM proxy \
             WHERE organisation_id = $1 AND live_target_credential_id = $2 \
             ORDER BY created_at, proxy_id"
        }
        Bound::ProxyCredential(_) => {
            "SELECT p.proxy_id, p.proxy_name FROM proxy p \
             JOIN proxy_credential c ON c.proxy_id = p.proxy_id \
             WHERE p.organisation_id = $1 AND c.credential_id = $2 \
             ORDER BY p.created_at, p.proxy_id"
        }
    };
    let rows = sqlx::query(select)
        .bind(organisation.to_string())
        .bind(bound.id())
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ProxyBinding {
                id: column(row, "proxy_id")?,
                name: row.try_get("proxy_name")?,
            })
        })
        .collect()
}

/// Unbinds it from all proxies. A target's id and a target credential's id stay visible in them.
pub async fn proxy_binding_release(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    bound: Bound,
) -> sqlx::Result<()> {
    let statement = match bound {
        Bound::Target(_) => {
            "UPDATE proxy SET live_target_id = NULL \
             WHERE organisation_id = $1 AND live_target_id = $2"
        }
        Bound::TargetCredential(_) => {
            "UPDATE proxy SET live_target_credential_id = NULL \
             WHERE organisation_id = $1 AND live_target_credential_id = $2"
        }
        Bound::ProxyCredential(_) => {
            "DELETE FROM proxy_credential WHERE organisation_id = $1 AND credential_id = $2"
        }
    };
    sqlx::query(statement)
        .bind(organisation.to_string())
        .bind(bound.id())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that a proxy changed with what it is bound to, as of `revision`. Its version may be
/// beyond that already.
pub async fn proxy_revise(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    proxy: ProxyId,
    now: Moment,
    revision: u64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE proxy SET updated_at = $1, \
         revision = CASE WHEN revision >= $2 THEN revision + 1 ELSE $2 END \
         WHERE organisation_id = $3 AND proxy_id = $4",
    )
    .bind(now.to_string())
    .bind(number(revision)?)
    .bind(organisation.to_string())
    .bind(proxy.to_string())
    .execute(conn)
    .await?;
    Ok(())
}
