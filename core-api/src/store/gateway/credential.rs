//! Credentials. Their secrets are only ever written, sealed; nothing here reads one.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::gateway::consent::ConsentState;
use crate::domain::gateway::credential::{Credential, CredentialForm};
use crate::domain::id::{CredentialId, OrganisationId};
use crate::domain::listing::{ListQuery, Page};
use crate::store::gateway::destination::{hosts_column, hosts_text};
use crate::store::gateway::next_secret::next_column;
use crate::store::labels::{labels_column, labels_text};
use crate::store::listing::{Listing, page};
use crate::store::row::{column, flag, flag_column, number, optional_column, unsigned_column};

/// Everything but the secret.
const COLUMNS: &str = "credential_id, organisation_id, region_name, credential_name, \
     credential_side, auth_type, default_rule_effect, is_active, expires_at, allowed_hosts, version, \
     previous_until, next_version, next_switch_at, next_failed_at, consent_page, consent, is_temporary, labels, created_at, \
     updated_at, created_by, revision";

const LISTING: Listing = Listing {
    from: "credential",
    columns: COLUMNS,
    owner: "organisation_id",
    id: "credential_id",
    kind: "credential_side",
    temporary: Some("is_temporary"),
};

/// A page of the organisation's credentials.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn credential_list(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    query: &ListQuery,
) -> sqlx::Result<Page<Credential>> {
    page(
        conn,
        LISTING,
        &organisation.to_string(),
        query,
        credential_from_row,
    )
    .await
}

/// The organisation's credential with this id.
pub async fn credential_fetch(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: CredentialId,
) -> sqlx::Result<Option<Credential>> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM credential WHERE organisation_id = $1 AND credential_id = $2"
    )))
    .bind(organisation.to_string())
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(credential_from_row).transpose()
}

/// Adds a credential to its organisation, with its sealed secret if it has one.
pub async fn credential_insert(
    conn: &mut AnyConnection,
    credential: &Credential,
    sealed_secret: Option<&str>,
) -> sqlx::Result<()> {
    let CredentialForm {
        name,
        default_rule_effect,
        is_active,
        expires_at,
        allowed_hosts,
    } = &credential.form;
    sqlx::query(
        "INSERT INTO credential (credential_id, organisation_id, region_name, credential_name, \
         name_key, credential_side, auth_type, default_rule_effect, is_active, expires_at, version, \
         sealed_secret, secret_revision, labels, created_at, updated_at, created_by, revision, \
         allowed_hosts, consent_page, is_temporary) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
         $19, $20, $21)",
    )
    .bind(credential.id.to_string())
    .bind(credential.organisation.to_string())
    .bind(credential.region.as_str())
    .bind(name.as_str())
    .bind(name.key())
    .bind(credential.side.as_str())
    .bind(credential.auth_type.as_str())
    .bind(default_rule_effect.as_str())
    .bind(flag(*is_active))
    .bind(expires_at.map(|end| end.to_string()))
    .bind(number(credential.version)?)
    .bind(sealed_secret)
    .bind(number(credential.revision)?)
    .bind(labels_text(&credential.labels)?)
    .bind(credential.created_at.to_string())
    .bind(credential.updated_at.to_string())
    .bind(&credential.created_by)
    .bind(number(credential.revision)?)
    .bind(hosts_text(allowed_hosts))
    .bind(page_text(credential)?)
    .bind(flag(is_temporary(credential)))
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what may change of a credential besides its secret.
pub async fn credential_update(
    conn: &mut AnyConnection,
    credential: &Credential,
) -> sqlx::Result<()> {
    let CredentialForm {
        name,
        default_rule_effect,
        is_active,
        expires_at,
        allowed_hosts,
    } = &credential.form;
    sqlx::query(
        "UPDATE credential SET credential_name = $1, name_key = $2, default_rule_effect = $3, \
         is_active = $4, expires_at = $5, labels = $6, updated_at = $7, revision = $8, \
         allowed_hosts = $9 WHERE organisation_id = $10 AND credential_id = $11",
    )
    .bind(name.as_str())
    .bind(name.key())
    .bind(default_rule_effect.as_str())
    .bind(flag(*is_active))
    .bind(expires_at.map(|end| end.to_string()))
    .bind(labels_text(&credential.labels)?)
    .bind(credential.updated_at.to_string())
    .bind(number(credential.revision)?)
    .bind(hosts_text(allowed_hosts))
    .bind(credential.organisation.to_string())
    .bind(credential.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a credential its new secret, with the type and version that belong to it, as of
/// `revision`. Nobody has consented to it yet.
pub async fn credential_secret_update(
    conn: &mut AnyConnection,
    credential: &Credential,
    sealed_secret: Option<&str>,
    revision: u64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE credential SET auth_type = $1, version = $2, sealed_secret = $3, \
         secret_revision = $4, previous_until = $5, consent_page = $6, is_temporary = $7, \
         consent = 0, sealed_consent = NULL WHERE organisation_id = $8 AND credential_id = $9",
    )
    .bind(credential.auth_type.as_str())
    .bind(number(credential.version)?)
    .bind(sealed_secret)
    .bind(number(revision)?)
    .bind(credential.previous_until.map(|end| end.to_string()))
    .bind(page_text(credential)?)
    .bind(flag(is_temporary(credential)))
    .bind(credential.organisation.to_string())
    .bind(credential.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the secret before the present one.
pub async fn credential_previous_end(
    conn: &mut AnyConnection,
    credential: &Credential,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE credential SET previous_until = NULL, updated_at = $1, revision = $2 \
         WHERE organisation_id = $3 AND credential_id = $4",
    )
    .bind(credential.updated_at.to_string())
    .bind(number(credential.revision)?)
    .bind(credential.organisation.to_string())
    .bind(credential.id.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a credential that no proxy is bound to any more.
pub async fn credential_delete(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: CredentialId,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM credential WHERE organisation_id = $1 AND credential_id = $2")
        .bind(organisation.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

fn is_temporary(credential: &Credential) -> bool {
    let consent = credential.consent.as_ref();
    consent.is_some_and(|consent| consent.is_temporary)
}

fn page_text(credential: &Credential) -> sqlx::Result<Option<String>> {
    let page = credential.consent.as_ref().map(|consent| &consent.page);
    let text = page.map(serde_json::to_string).transpose();
    text.map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

fn consent(row: &AnyRow) -> sqlx::Result<Option<ConsentState>> {
    let Some(page) = row.try_get::<Option<String>, _>("consent_page")? else {
        return Ok(None);
    };
    let page = serde_json::from_str(&page);
    Ok(Some(ConsentState {
        page: page.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        number: unsigned_column(row, "consent")?,
        is_temporary: flag_column(row, "is_temporary")?,
    }))
}

pub(in crate::store) fn credential_from_row(row: &AnyRow) -> sqlx::Result<Credential> {
    Ok(Credential {
        id: column(row, "credential_id")?,
        organisation: column(row, "organisation_id")?,
        region: column(row, "region_name")?,
        side: column(row, "credential_side")?,
        auth_type: column(row, "auth_type")?,
        form: CredentialForm {
            name: column(row, "credential_name")?,
            default_rule_effect: column(row, "default_rule_effect")?,
            is_active: flag_column(row, "is_active")?,
            expires_at: optional_column(row, "expires_at")?,
            allowed_hosts: hosts_column(row)?,
        },
        labels: labels_column(row)?,
        version: unsigned_column(row, "version")?,
        previous_until: optional_column(row, "previous_until")?,
        next: next_column(row)?,
        consent: consent(row)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
    })
}
