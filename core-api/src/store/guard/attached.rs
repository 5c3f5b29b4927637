//! What goes when a record goes: by id only.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::attachment::{StoredForm, column_of};
use crate::domain::account::audit::Entry;
use crate::domain::guard::attachment::{Attachable as _, AttachedTo};
use crate::domain::guard::meter::MeterForm;
use crate::domain::guard::redaction::RedactionForm;
use crate::domain::guard::rule::RuleForm;
use crate::domain::id::OrganisationId;

/// The ids of all that is attached to one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachedIds {
    rules: Vec<String>,
    filters: Vec<String>,
    meters: Vec<String>,
}

impl AttachedIds {
    /// The entry, which then names them.
    #[must_use]
    pub fn along(self, entry: Entry) -> Entry {
        let entry = entry.along(RuleForm::PLURAL, self.rules);
        let entry = entry.along(RedactionForm::PLURAL, self.filters);
        entry.along(MeterForm::PLURAL, self.meters)
    }
}

/// What is attached to the organisation's record.
///
/// # Errors
/// The database does not answer.
pub async fn attached_ids(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
) -> sqlx::Result<AttachedIds> {
    let owner = (organisation, attached_to);
    Ok(AttachedIds {
        rules: ids::<RuleForm>(conn, owner).await?,
        filters: ids::<RedactionForm>(conn, owner).await?,
        meters: match attached_to {
            AttachedTo::Proxy(_) => ids::<MeterForm>(conn, owner).await?,
            AttachedTo::Credential(_) | AttachedTo::Target(_) => Vec::new(),
        },
    })
}

async fn ids<F: StoredForm>(
    conn: &mut AnyConnection,
    (organisation, attached_to): (OrganisationId, AttachedTo),
) -> sqlx::Result<Vec<String>> {
    let (table, key, column) = (F::TABLE, F::ID, column_of(attached_to));
    let select = format!(
        "SELECT {key} FROM {table} WHERE organisation_id = $1 AND {column} = $2 ORDER BY {key}"
    );
    let ids: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(attached_to.id().to_string())
        .fetch_all(conn)
        .await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}
