//! What rules, redactions and meters have in common in the store.
//!
//! Invariant: SQL text comes from constants and closed enums only; every value is bound.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row};

use crate::domain::gateway::region::RegionName;
use crate::domain::guard::attachment::{Attachable, AttachedTo, Attachment};
use crate::domain::id::OrganisationId;
use crate::domain::listing::{ListQuery, Page};
use crate::store::labels::{COLUMN as LABELS, labels_column, labels_text};
use crate::store::listing::{Listing, page_within};
use crate::store::row::{column, number, optional_column, unsigned, unsigned_column};

/// One column's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// TEXT
    Text(Option<String>),
    /// BIGINT
    Number(Option<i64>),
}

/// A form as its table has it.
pub trait StoredForm: Attachable + Sized {
    /// Its table.
    const TABLE: &'static str;
    /// The column of its id.
    const ID: &'static str;

    /// Its own columns, always the same ones in the same order.
    ///
    /// # Errors
    /// A value cannot be stored.
    fn values(&self) -> sqlx::Result<Vec<(&'static str, Value)>>;

    /// What it is searched and sorted by as its name.
    fn name_key(&self) -> String;

    /// Reads its own columns.
    ///
    /// # Errors
    /// A column is missing or does not parse.
    fn read(row: &AnyRow) -> sqlx::Result<Self>;
}

/// What is attached to one record so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Of one kind.
    pub count: u64,
    /// Of all kinds together.
    pub bytes: u64,
}

/// Where the organisation's record is, if there is such a record.
///
/// # Errors
/// The database does not answer; so for every function here.
pub async fn attached_region(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
) -> sqlx::Result<Option<RegionName>> {
    let (table, id) = (attached_to.kind(), column_of(attached_to));
    let select =
        format!("SELECT region_name FROM {table} WHERE organisation_id = $1 AND {id} = $2");
    let row = sqlx::query(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(attached_to.id().to_string())
        .fetch_optional(conn)
        .await?;
    row.map(|row| column(&row, "region_name")).transpose()
}

/// A page of what is attached to the organisation's record.
pub async fn attachment_list<F: StoredForm>(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
    query: &ListQuery,
) -> sqlx::Result<Page<Attachment<F>>> {
    let listing = Listing {
        from: F::TABLE,
        columns: "*",
        owner: "organisation_id",
        id: F::ID,
        kind: "",
        temporary: None,
    };
    let (owner, id) = (organisation.to_string(), attached_to.id().to_string());
    let comparison = format!("{} =", column_of(attached_to));
    let owner = (owner.as_str(), Some((comparison.as_str(), id.as_str())));
    page_within(conn, listing, owner, query, attachment_from_row).await
}

/// All active ones that are attached to the organisation's record, by id.
pub async fn attachment_active<F: StoredForm>(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
) -> sqlx::Result<Vec<Attachment<F>>> {
    let (table, key, column) = (F::TABLE, F::ID, column_of(attached_to));
    let select = format!(
        "SELECT * FROM {table} WHERE organisation_id = $1 AND {column} = $2 AND is_active = 1 \
         ORDER BY {key}"
    );
    let rows = sqlx::query(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(attached_to.id().to_string())
        .fetch_all(conn)
        .await?;
    rows.iter().map(attachment_from_row).collect()
}

/// The one of this id that is attached to the organisation's record.
pub async fn attachment_fetch<F: StoredForm>(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
    id: F::Id,
) -> sqlx::Result<Option<Attachment<F>>> {
    let (table, key, column) = (F::TABLE, F::ID, column_of(attached_to));
    let select = format!(
        "SELECT * FROM {table} WHERE organisation_id = $1 AND {column} = $2 AND {key} = $3"
    );
    let row = sqlx::query(AssertSqlSafe(select))
        .bind(organisation.to_string())
        .bind(attached_to.id().to_string())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(attachment_from_row).transpose()
}

/// What is attached to the organisation's record besides the one of this id.
pub async fn attachment_taken<F: StoredForm>(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    attached_to: AttachedTo,
    besides: F::Id,
) -> sqlx::Result<Taken> {
    let mut taken = Taken::default();
    for table in tables(attached_to) {
        let (key, column) = (key_of(table), column_of(attached_to));
        // PostgreSQL sums BIGINT to NUMERIC, which sqlx's `Any` does not read.
        let select = format!(
            "SELECT COUNT(*) AS count, CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS bytes \
             FROM {table} WHERE organisation_id = $1 AND {column} = $2 AND {key} <> $3"
        );
        let row = sqlx::query(AssertSqlSafe(select))
            .bind(organisation.to_string())
            .bind(attached_to.id().to_string())
            .bind(besides.to_string())
            .fetch_one(&mut *conn)
            .await?;
        taken.bytes += unsigned_column(&row, "bytes")?;
        if *table == F::TABLE {
            taken.count = unsigned(row.try_get("count")?)?;
        }
    }
    Ok(taken)
}

/// Attaches it.
pub async fn attachment_insert<F: StoredForm>(
    conn: &mut AnyConnection,
    attachment: &Attachment<F>,
) -> sqlx::Result<()> {
    let text = |value: String| Value::Text(Some(value));
    let mut values = vec![
        (F::ID, text(attachment.id.to_string())),
        ("organisation_id", text(attachment.organisation.to_string())),
        ("region_name", text(attachment.region.to_string())),
        (
            column_of(attachment.attached_to),
            text(attachment.attached_to.id().to_string()),
        ),
        ("created_at", text(attachment.created_at.to_string())),
        ("created_by", text(attachment.created_by.clone())),
    ];
    values.extend(changing(attachment)?);
    let columns: Vec<&str> = values.iter().map(|(column, _)| *column).collect();
    let marks: Vec<String> = (1..=values.len()).map(|mark| format!("${mark}")).collect();
    let insert = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        F::TABLE,
        columns.join(", "),
        marks.join(", ")
    );
    bound(insert, values).execute(conn).await?;
    Ok(())
}

/// Writes what may change of it.
pub async fn attachment_update<F: StoredForm>(
    conn: &mut AnyConnection,
    attachment: &Attachment<F>,
) -> sqlx::Result<()> {
    let values = changing(attachment)?;
    let sets: Vec<String> = (1..)
        .zip(&values)
        .map(|(mark, (column, _))| format!("{column} = ${mark}"))
        .collect();
    let (organisation, id) = (values.len() + 1, values.len() + 2);
    let update = format!(
        "UPDATE {} SET {} WHERE organisation_id = ${organisation} AND {} = ${id}",
        F::TABLE,
        sets.join(", "),
        F::ID
    );
    bound(update, values)
        .bind(attachment.organisation.to_string())
        .bind(attachment.id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes it.
pub async fn attachment_delete<F: StoredForm>(
    conn: &mut AnyConnection,
    organisation: OrganisationId,
    id: F::Id,
) -> sqlx::Result<()> {
    let (table, key) = (F::TABLE, F::ID);
    let delete = format!("DELETE FROM {table} WHERE organisation_id = $1 AND {key} = $2");
    sqlx::query(AssertSqlSafe(delete))
        .bind(organisation.to_string())
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Bytes that a form takes in the store.
///
/// # Errors
/// A value cannot be stored.
pub fn size<F: StoredForm>(form: &F) -> sqlx::Result<u64> {
    let values = form.values()?;
    let texts = values.iter().filter_map(|(_, value)| match value {
        Value::Text(text) => text.as_deref(),
        Value::Number(_) => None,
    });
    Ok(texts.map(|text| text.len() as u64).sum())
}

/// A value as the JSON text that its column holds.
///
/// # Errors
/// It cannot be written.
pub fn json(value: &impl serde::Serialize) -> sqlx::Result<Value> {
    let text = serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(Value::Text(Some(text)))
}

/// The value of a JSON column.
///
/// # Errors
/// The column is missing or does not hold such a value.
pub fn json_column<T: serde::de::DeserializeOwned>(row: &AnyRow, name: &str) -> sqlx::Result<T> {
    from_json(&row.try_get::<String, _>(name)?)
}

/// The value that a JSON column holds.
///
/// # Errors
/// It is not such a value.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

pub(super) fn column_of(attached_to: AttachedTo) -> &'static str {
    match attached_to {
        AttachedTo::Credential(_) => "credential_id",
        AttachedTo::Target(_) => "target_id",
        AttachedTo::Proxy(_) => "proxy_id",
    }
}

/// The tables of what can be attached there.
pub(super) fn tables(attached_to: AttachedTo) -> &'static [&'static str] {
    match attached_to {
        AttachedTo::Credential(_) | AttachedTo::Target(_) => &["rule", "redaction"],
        AttachedTo::Proxy(_) => &["rule", "redaction", "meter"],
    }
}

pub(super) fn key_of(table: &str) -> &'static str {
    match table {
        "rule" => "rule_id",
        "redaction" => "filter_id",
        _ => "meter_id",
    }
}

fn changing<F: StoredForm>(attachment: &Attachment<F>) -> sqlx::Result<Vec<(&'static str, Value)>> {
    let mut values = attachment.form.values()?;
    let size_bytes = number(size(&attachment.form)?)?;
    values.extend([
        ("name_key", Value::Text(Some(attachment.form.name_key()))),
        ("size_bytes", Value::Number(Some(size_bytes))),
        (LABELS, Value::Text(Some(labels_text(&attachment.labels)?))),
        (
            "updated_at",
            Value::Text(Some(attachment.updated_at.to_string())),
        ),
        (
            "revision",
            Value::Number(Some(number(attachment.revision)?)),
        ),
    ]);
    Ok(values)
}

fn bound(
    statement: String,
    values: Vec<(&'static str, Value)>,
) -> Query<'static, Any, AnyArguments> {
    let query = sqlx::query(AssertSqlSafe(statement));
    values
        .into_iter()
        .fold(query, |query, (_, value)| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
}

pub(in crate::store) fn attachment_from_row<F: StoredForm>(
    row: &AnyRow,
) -> sqlx::Result<Attachment<F>> {
    Ok(Attachment {
        id: column(row, F::ID)?,
        organisation: column(row, "organisation_id")?,
        region: column(row, "region_name")?,
        attached_to: attached_to(row)?,
        form: F::read(row)?,
        labels: labels_column(row)?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: row.try_get("created_by")?,
        revision: unsigned_column(row, "revision")?,
    })
}

/// The table of meters has no columns for credentials and targets.
fn attached_to(row: &AnyRow) -> sqlx::Result<AttachedTo> {
    if let Some(id) = optional_column(row, "proxy_id")? {
        return Ok(AttachedTo::Proxy(id));
    }
    if let Some(id) = optional_column(row, "target_id")? {
        return Ok(AttachedTo::Target(id));
    }
    column(row, "credential_id").map(AttachedTo::Credential)
}
