//! Regions and the one-time tokens with which they enrol.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, FromRow};
use time::OffsetDateTime;

use crate::domain::gateway::region::RegionName;
use crate::domain::listing::{ListQuery, Page};
use crate::domain::moment;
use crate::region::sealing::{RegionKey, SealingUnavailable};
use crate::store::listing::{Listing, page};
use crate::store::row::parsed;

/// A region as the store has it.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct RegionRow {
    /// As settings and records name it.
    pub region_name: String,
    /// Public base URL; none before it first connected.
    pub base_url: Option<String>,
    /// Where secrets are sealed to, base64; none before it first connected.
    pub sealing_public_key: Option<String>,
    /// Digest of the client certificate of the last enrolment.
    pub identity_digest: Option<String>,
    /// Everything up to here is durable in the region.
    pub stored_revision: i64,
    /// Removals up to here were purged from the change log.
    pub log_horizon: i64,
}

const COLUMNS: &str = "SELECT region_name, base_url, sealing_public_key, identity_digest, stored_revision, log_horizon FROM region";

/// Makes `region` unless it exists.
///
/// # Errors
/// The store does not answer; so everywhere below.
pub async fn region_ensure(
    conn: &mut AnyConnection,
    region: &RegionName,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO region (region_name, created_at) VALUES ($1, $2)
         ON CONFLICT (region_name) DO NOTHING",
    )
    .bind(region.as_str())
    .bind(moment::text(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// The region of this name.
pub async fn region_fetch(
    conn: &mut AnyConnection,
    region: &str,
) -> sqlx::Result<Option<RegionRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE region_name = $1"
    )))
    .bind(region)
    .fetch_optional(conn)
    .await
}

/// Everybody's: a constant stands where other lists have their owner.
const LISTING: Listing = Listing {
    from: "(SELECT r.*, r.region_name AS name_key FROM region r) AS regions",
    columns: "*",
    owner: "'everybody'",
    id: "region_name",
    kind: "",
    temporary: None,
};

/// A page of the regions.
pub async fn region_page(
    conn: &mut AnyConnection,
    query: &ListQuery,
) -> sqlx::Result<Page<RegionRow>> {
    page(conn, LISTING, "everybody", query, region_from_row).await
}

/// Notes the client certificate that `region` enrolled with; the one before counts no more.
pub async fn region_enrolled(
    conn: &mut AnyConnection,
    region: &RegionName,
    identity_digest: &str,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE region SET identity_digest = $1 WHERE region_name = $2")
        .bind(identity_digest)
        .bind(region.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes down what a region says of itself when it connects.
pub async fn region_connected(
    conn: &mut AnyConnection,
    region: &RegionName,
    base_url: &str,
    key: &RegionKey,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE region SET base_url = $1, sealing_public_key = $2 WHERE region_name = $3")
        .bind(base_url)
        .bind(BASE64.encode(key.to_bytes()))
        .bind(region.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that the link of `region` was up at that moment.
pub async fn region_seen(
    conn: &mut AnyConnection,
    region: &str,
    at: moment::Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE region SET seen_at = $1 WHERE region_name = $2 \
         AND (seen_at IS NULL OR seen_at < $1)",
    )
    .bind(at.to_string())
    .bind(region)
    .execute(conn)
    .await?;
    Ok(())
}

/// When the link of each region was last known to be up; those whose never was are left out.
pub async fn region_sightings(
    conn: &mut AnyConnection,
) -> sqlx::Result<Vec<(String, moment::Moment)>> {
    let select = "SELECT region_name, seen_at FROM region WHERE seen_at IS NOT NULL \
                  ORDER BY region_name";
    let rows: Vec<(String, String)> = sqlx::query_as(select).fetch_all(conn).await?;
    rows.into_iter()
        .map(|(region, seen)| Ok((region, parsed(&seen)?)))
        .collect()
}

/// Where secrets for `region` are sealed to.
///
/// # Errors
/// There is no such region, it never connected, or the store does not answer.
pub async fn sealing_key(
    conn: &mut AnyConnection,
    region: &str,
) -> Result<RegionKey, SealingUnavailable> {
    let row = region_fetch(conn, region)
        .await?
        .ok_or(SealingUnavailable::UnknownRegion)?;
    row.sealing_public_key
        .and_then(|key| BASE64.decode(key).ok())
        .and_then(|key| RegionKey::try_from(key.as_slice()).ok())
        .ok_or(SealingUnavailable::NeverEnrolled)
}

/// Notes that `region` has everything up to `revision`, and drops what it no longer needs: the
/// sealed copies of its secrets and consents and the removals it has heard of.
pub async fn region_stored(
    conn: &mut AnyConnection,
    region: &RegionName,
    revision: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE credential SET sealed_secret = NULL
         WHERE region_name = $1 AND sealed_secret IS NOT NULL AND secret_revision <= $2",
    )
    .bind(region.as_str())
    .bind(revision)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE credential SET sealed_consent = NULL
         WHERE region_name = $1 AND sealed_consent IS NOT NULL AND consent_revision <= $2",
    )
    .bind(region.as_str())
    .bind(revision)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE credential SET sealed_next = NULL
         WHERE region_name = $1 AND sealed_next IS NOT NULL AND next_revision <= $2",
    )
    .bind(region.as_str())
    .bind(revision)
    .execute(&mut *conn)
    .await?;
    let purged: Vec<(i64,)> = sqlx::query_as(
        "DELETE FROM change
         WHERE region_name = $1 AND is_removed = 1 AND revision <= $2 RETURNING revision",
    )
    .bind(region.as_str())
    .bind(revision)
    .fetch_all(&mut *conn)
    .await?;
    // Who has less than the newest of these can no longer learn what is removed: all is told again.
    let horizon = purged
        .into_iter()
        .map(|(revision,)| revision)
        .max()
        .unwrap_or(0);
    sqlx::query(
        "UPDATE region SET stored_revision = $1,
             log_horizon = CASE WHEN log_horizon < $2 THEN $2 ELSE log_horizon END
         WHERE region_name = $3",
    )
    .bind(revision)
    .bind(horizon)
    .bind(region.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps the digest of a token that lets `region` enrol once.
pub async fn enrolment_token_insert(
    conn: &mut AnyConnection,
    digest: &str,
    region: &RegionName,
    expires_at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO enrolment_token (token_digest, region_name, expires_at) VALUES ($1, $2, $3)",
    )
    .bind(digest)
    .bind(region.as_str())
    .bind(moment::text(expires_at))
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses up the token of this digest. None when it is unknown, used or expired.
pub async fn enrolment_token_use(
    conn: &mut AnyConnection,
    digest: &str,
    now: OffsetDateTime,
) -> sqlx::Result<Option<String>> {
    // One statement, so that of two enrolments with one token one succeeds.
    let used: Option<(String,)> = sqlx::query_as(
        "UPDATE enrolment_token SET used_at = $1
         WHERE token_digest = $2 AND used_at IS NULL AND expires_at > $1 RETURNING region_name",
    )
    .bind(moment::text(now))
    .bind(digest)
    .fetch_optional(conn)
    .await?;
    Ok(used.map(|(region,)| region))
}

fn region_from_row(row: &AnyRow) -> sqlx::Result<RegionRow> {
    RegionRow::from_row(row)
}

#[cfg(test)]
mod tests;
