//! Consents that somebody was asked for. What they bring is only ever written, sealed.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::gateway::consent::{ConsentRequest, SealedConsent};
use crate::domain::gateway::credential::Credential;
use crate::domain::id::{CredentialId, OrganisationId};
use crate::domain::moment::Moment;
use crate::store::row::{column, number, unsigned_column};

/// Remembers whom the answer with this state is expected from, and nobody else for the credential.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn consent_request_put(
    conn: &mut AnyConnection,
    request: &ConsentRequest,
    state_digest: &str,
) -> sqlx::Result<()> {
    let ConsentRequest {
        credential,
        organisation,
        version,
        user,
        redirect_uri,
        sealed_verifier,
        expires_at,
    } = request;
    consent_request_forget(&mut *conn, *credential).await?;
    sqlx::query(
        "INSERT INTO consent_request (credential_id, organisation_id, state_digest, version, \
         user_id, redirect_uri, sealed_verifier, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(credential.to_string())
    .bind(organisation.to_string())
    .bind(state_digest)
    .bind(number(*version)?)
    .bind(user.to_string())
    .bind(redirect_uri)
    .bind(sealed_verifier.as_deref())
    .bind(expires_at.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// No answer is expected for this credential any more.
pub async fn consent_request_forget(
    conn: &mut AnyConnection,
    credential: CredentialId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM consent_request WHERE credential_id = $1")
        .bind(credential.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Whose answer this state belongs to; None when it is unknown.
pub async fn consent_request_home(
    conn: &mut AnyConnection,
    state_digest: &str,
) -> sqlx::Result<Option<OrganisationId>> {
    let row = sqlx::query("SELECT organisation_id FROM consent_request WHERE state_digest = $1")
        .bind(state_digest)
        .fetch_optional(conn)
        .await?;
    row.as_ref()
        .map(|row| column(row, "organisation_id"))
        .transpose()
}

/// Uses up a state; None when it is unknown, used or expired.
pub async fn consent_request_take(
    conn: &mut AnyConnection,
    state_digest: &str,
    now: Moment,
) -> sqlx::Result<Option<ConsentRequest>> {
    // One statement reads and uses it up, so that of two answers one finds it.
    let row = sqlx::query("DELETE FROM consent_request WHERE state_digest = $1 RETURNING *")
        .bind(state_digest)
        .fetch_optional(conn)
        .await?;
    let request = row.as_ref().map(request_from_row).transpose()?;
    Ok(request.filter(|request| now < request.expires_at))
}

/// Gives a credential what a consent brought, as of `revision`.
pub async fn credential_consented(
    conn: &mut AnyConnection,
    credential: &Credential,
    consent: &SealedConsent,
    revision: u64,
) -> sqlx::Result<()> {
    let sealed = serde_json::to_string(consent);
    let sealed = sealed.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let given = credential.consent.as_ref().map_or(0, |it| it.number);
    sqlx::query(
        "UPDATE credential SET consent = $1, is_temporary = 0, sealed_consent = $2, \
         consent_revision = $3, updated_at = $4, revision = $5 \
         WHERE organisation_id = $6 AND credential_id = $7",
    )
    .bind(number(given)?)
    .bind(sealed)
    .bind(number(revision)?)
    .bind(credential.updated_at.to_string())
    .bind(number(credential.revision)?)
    .bind(credential.organisation.to_string())
    .bind(credential.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Made before the first moment; nobody has ever consented, nobody is expected to at the second, and
/// no proxy uses it.
const IS_ABANDONED: &str = "c.is_temporary = 1 AND c.created_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM consent_request r \
     WHERE r.credential_id = c.credential_id AND r.expires_at > $2) \
     AND NOT EXISTS (SELECT 1 FROM proxy p WHERE p.organisation_id = c.organisation_id \
     AND p.live_target_credential_id = c.credential_id)";

/// Some of the credentials that were made before `made_before`, to which nobody has ever consented,
/// from whom no answer is expected and that no proxy uses.
pub async fn credential_abandoned_list(
    conn: &mut AnyConnection,
    made_before: Moment,
    now: Moment,
) -> sqlx::Result<Vec<(OrganisationId, CredentialId)>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT c.organisation_id, c.credential_id FROM credential c \
         WHERE {IS_ABANDONED} ORDER BY c.created_at LIMIT 100"
    )))
    .bind(made_before.to_string())
    .bind(now.to_string())
    .fetch_all(conn)
    .await?;
    let ids = |row: &AnyRow| {
        Ok((
            column(row, "organisation_id")?,
            column(row, "credential_id")?,
        ))
    };
    rows.iter().map(ids).collect()
}

/// Whether [`credential_abandoned_list`] would name it.
pub async fn credential_is_abandoned(
    conn: &mut AnyConnection,
    (organisation, credential): (OrganisationId, CredentialId),
    made_before: Moment,
    now: Moment,
) -> sqlx::Result<bool> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT 1 FROM credential c \
         WHERE {IS_ABANDONED} AND c.organisation_id = $3 AND c.credential_id = $4"
    )))
    .bind(made_before.to_string())
    .bind(now.to_string())
    .bind(organisation.to_string())
    .bind(credential.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some())
}

fn request_from_row(row: &AnyRow) -> sqlx::Result<ConsentRequest> {
    Ok(ConsentRequest {
        credential: column(row, "credential_id")?,
        organisation: column(row, "organisation_id")?,
        version: unsigned_column(row, "version")?,
        user: column(row, "user_id")?,
        redirect_uri: row.try_get("redirect_uri")?,
        sealed_verifier: row.try_get("sealed_verifier")?,
        expires_at: column(row, "expires_at")?,
    })
}
