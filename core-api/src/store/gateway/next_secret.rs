//! The second secrets of target credentials.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::domain::gateway::credential::Credential;
use crate::domain::gateway::region::RegionName;
use crate::domain::gateway::slot::NextSecret;
use crate::domain::id::CredentialId;
use crate::domain::moment::Moment;
use crate::store::row::{number, optional_column, unsigned};
use sqlx::Row as _;

/// Puts the second secret of a credential in the place of the first, as of `revision`. The record has
/// its version already.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn next_promote(
    conn: &mut AnyConnection,
    credential: &Credential,
    revision: u64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE credential SET version = $1, sealed_secret = sealed_next, secret_revision = $2, \
         sealed_next = NULL, next_version = NULL, next_switch_at = NULL, next_failed_at = NULL \
         WHERE organisation_id = $3 AND credential_id = $4",
    )
    .bind(number(credential.version)?)
    .bind(number(revision)?)
    .bind(credential.organisation.to_string())
    .bind(credential.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a credential another second secret, sealed, as of `revision`; or none.
pub async fn next_replace(
    conn: &mut AnyConnection,
    credential: &Credential,
    sealed_next: Option<&str>,
    revision: u64,
) -> sqlx::Result<()> {
    let next = credential.next.as_ref();
    let moment = |at: Option<Moment>| at.map(|at| at.to_string());
    sqlx::query(
        "UPDATE credential SET next_version = $1, next_switch_at = $2, next_failed_at = $3, \
         sealed_next = $4, next_revision = $5 WHERE organisation_id = $6 AND credential_id = $7",
    )
    .bind(next.map(|next| number(next.version)).transpose()?)
    .bind(next.and_then(|next| moment(next.switch_at)))
    .bind(next.and_then(|next| moment(next.failed_at)))
    .bind(sealed_next)
    .bind(number(revision)?)
    .bind(credential.organisation.to_string())
    .bind(credential.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes from when on targets are given the second secret of a credential.
pub async fn next_switch(conn: &mut AnyConnection, credential: &Credential) -> sqlx::Result<()> {
    let switch_at = credential.next.as_ref().and_then(|next| next.switch_at);
    sqlx::query(
        "UPDATE credential SET next_switch_at = $1, updated_at = $2, revision = $3 \
         WHERE organisation_id = $4 AND credential_id = $5",
    )
    .bind(switch_at.map(|at| at.to_string()))
    .bind(credential.updated_at.to_string())
    .bind(number(credential.revision)?)
    .bind(credential.organisation.to_string())
    .bind(credential.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that targets of `region` refused the second secret of that version; false: that was known,
/// or there is none any more.
pub async fn next_failed(
    conn: &mut AnyConnection,
    region: &RegionName,
    (credential, version): (CredentialId, u64),
    failed_at: Moment,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE credential SET next_failed_at = $1 WHERE region_name = $2 AND credential_id = $3 \
         AND next_version = $4 AND next_failed_at IS NULL",
    )
    .bind(failed_at.to_string())
    .bind(region.as_str())
    .bind(credential.to_string())
    .bind(number(version)?)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) fn next_column(row: &AnyRow) -> sqlx::Result<Option<NextSecret>> {
    let Some(version) = row.try_get::<Option<i64>, _>("next_version")? else {
        return Ok(None);
    };
    Ok(Some(NextSecret {
        version: unsigned(version)?,
        switch_at: optional_column(row, "next_switch_at")?,
        failed_at: optional_column(row, "next_failed_at")?,
    }))
}
