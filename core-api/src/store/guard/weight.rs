//! What the attachments of records weigh, and those that a proxy brings together.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::attachment::{column_of, key_of, tables};
use crate::domain::guard::attachment::AttachedTo;
use crate::domain::id::{OrganisationId, ProxyId};
use crate::store::row::{column, number, unsigned_column};

/// A proxy with all that it brings together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyWeight {
    /// Which.
    pub proxy: ProxyId,
    /// Of its own attachments and those of its target and of all its credentials.
    pub weight: u64,
}

/// One active attachment as it is; any change of it has a revision of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttachedVersion {
    /// UUID text, to tell proxies apart in one answer.
    pub id: String,
    /// Of its last change.
    pub revision: u64,
}

/// The proxies that use a record, one of them being a proxy itself.
const USING: [&str; 3] = [
    "p.proxy_id = $2",
    "p.live_target_id = $2",
    "(p.live_target_credential_id = $2 OR EXISTS (SELECT 1 FROM proxy_credential used \
     WHERE used.proxy_id = p.proxy_id AND used.credential_id = $2))",
];

/// The versions of all that is active of the attachments of the organisation's record, sorted.
///
/// # Errors
/// The database does not answer.
pub async fn attached_versions(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
) -> sqlx::Result<Vec<AttachedVersion>> {
    let column = column_of(attached_to);
    let selects = tables(attached_to).iter().map(|table| {
        format!(
            "SELECT {} AS id, revision FROM {table} \
             WHERE organisation_id = $1 AND {column} = $2 AND is_active = 1",
            key_of(table)
        )
    });
    let select = selects.collect::<Vec<_>>().join(" UNION ALL ");
    let rows = sqlx::query(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(attached_to.id().to_string())
        .fetch_all(conn)
        .await?;
    let version = |row: &AnyRow| {
        Ok(AttachedVersion {
            id: row.try_get("id")?,
            revision: unsigned_column(row, "revision")?,
        })
    };
    let mut versions = rows.iter().map(version).collect::<sqlx::Result<Vec<_>>>()?;
    versions.sort_unstable();
    Ok(versions)
}

/// What is attached to the organisation's record weighs so much now; what it weighed before.
///
/// # Errors
/// There is no such record, or the database does not answer.
pub async fn weight_replace(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
    weight: u64,
) -> sqlx::Result<u64> {
    let (table, id) = (attached_to.kind(), column_of(attached_to));
    // `RETURNING` would tell the new weight, not the one before.
    let select =
        format!("SELECT attached_weight FROM {table} WHERE organisation_id = $1 AND {id} = $2");
    let before = sqlx::query(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(attached_to.id().to_string())
        .fetch_one(&mut *conn)
        .await?;
    let update =
        format!("UPDATE {table} SET attached_weight = $1 WHERE organisation_id = $2 AND {id} = $3");
    sqlx::query(AssertSqlSafe(update))
        .bind(number(weight)?)
        .bind(organisation.to_string())
        .bind(attached_to.id().to_string())
        .execute(conn)
        .await?;
    unsigned_column(&before, "attached_weight")
}

/// The heaviest of the organisation's proxies that use the record, if any does.
///
/// # Errors
/// The database does not answer.
pub async fn weight_heaviest(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    used: AttachedTo,
) -> sqlx::Result<Option<ProxyWeight>> {
    let [itself, target, credential] = USING;
    let using = match used {
        AttachedTo::Proxy(_) => itself,
        AttachedTo::Target(_) => target,
        AttachedTo::Credential(_) => credential,
    };
    // PostgreSQL sums BIGINT to NUMERIC, which sqlx's `Any` does not read.
    let select = format!(
        "SELECT p.proxy_id, CAST(p.attached_weight \
         + COALESCE((SELECT t.attached_weight FROM target t \
             WHERE t.target_id = p.live_target_id), 0) \
         + COALESCE((SELECT c.attached_weight FROM credential c \
             WHERE c.credential_id = p.live_target_credential_id), 0) \
         + COALESCE((SELECT SUM(c.attached_weight) FROM proxy_credential pc \
             JOIN credential c ON c.credential_id = pc.credential_id \
             WHERE pc.proxy_id = p.proxy_id), 0) AS BIGINT) AS weight \
         FROM proxy p WHERE p.organisation_id = $1 AND {using} \
         ORDER BY weight DESC, p.proxy_id LIMIT 1"
    );
    let row = sqlx::query(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(used.id().to_string())
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        Ok(ProxyWeight {
            proxy: column(&row, "proxy_id")?,
            weight: unsigned_column(&row, "weight")?,
        })
    })
    .transpose()
}
