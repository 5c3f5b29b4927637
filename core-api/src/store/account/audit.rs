//! Reading audit logs.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::domain::account::audit::Log;
use crate::domain::account::chain::Hash;
use crate::domain::moment::Moment;
use crate::store::row::{column, number, unsigned, unsigned_column};

/// Which rows are asked for; what is not given selects nothing out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSelection {
    /// Then or later.
    pub from: Option<Moment>,
    /// Before then.
    pub to: Option<Moment>,
    /// Id of who acts.
    pub actor: Option<String>,
    /// Such as `proxy.update`.
    pub action: Option<String>,
    /// Such as `proxy`.
    pub resource_type: Option<String>,
    /// Of the record.
    pub resource_id: Option<String>,
}

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the log, from 1.
    pub number: u64,
    /// Its RFC 8785 JSON.
    pub document: String,
    /// Of the row before it.
    pub previous_hash: Hash,
    /// Its own.
    pub hash: Hash,
}

/// From where rows are read, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The newest of those before this one; without it the newest of all.
    NewestBefore(Option<u64>),
    /// The oldest of those behind the first number, up to the second.
    OldestWithin(u64, u64),
}

/// The next `limit` rows of a selection.
///
/// # Errors
/// The database does not answer, or a row is none of ours; so everywhere below.
pub async fn audit_list(
    conn: &mut AnyConnection,
    log: Log,
    selection: &AuditSelection,
    (reading, limit): (Reading, u64),
) -> sqlx::Result<Vec<AuditRow>> {
    let (least, most, way) = match reading {
        Reading::NewestBefore(before) => (0, before.map_or(i64::MAX, below), "DESC"),
        Reading::OldestWithin(behind, last) => (number(behind)?, number(last)?, "ASC"),
    };
    let texts = [
        ("at >=", selection.from.map(|moment| moment.to_string())),
        ("at <", selection.to.map(|moment| moment.to_string())),
        ("actor_id =", selection.actor.clone()),
        ("action =", selection.action.clone()),
        ("resource_type =", selection.resource_type.clone()),
        ("resource_id =", selection.resource_id.clone()),
    ];
    let asked: Vec<(&str, String)> = texts
        .into_iter()
        .filter_map(|(condition, value)| Some((condition, value?)))
        .collect();
    let conditions: Vec<String> = (4..)
        .zip(&asked)
        .map(|(place, (condition, _))| format!(" AND {condition} ${place}"))
        .collect();
    let conditions = conditions.concat();
    // What stands in the text are words of ours; what callers sent is bound.
    let select = AssertSqlSafe(format!(
        "SELECT number, document, previous_hash, hash FROM audit_row \
         WHERE log = $1 AND number > $2 AND number <= $3{conditions} \
         ORDER BY number {way} LIMIT {limit}"
    ));
    let query = sqlx::query(select)
        .bind(log.to_string())
        .bind(least)
        .bind(most);
    let query = asked
        .into_iter()
        .fold(query, |query, (_, value)| query.bind(value));
    let rows = query.fetch_all(conn).await?;
    rows.iter().map(audit_from_row).collect()
}

/// How many rows a log was ever given.
pub async fn audit_count(conn: &mut AnyConnection, log: Log) -> sqlx::Result<u64> {
    let count: Option<(i64,)> = sqlx::query_as("SELECT row_count FROM audit_head WHERE log = $1")
        .bind(log.to_string())
        .fetch_optional(conn)
        .await?;
    count.map_or(Ok(0), |(count,)| unsigned(count))
}

fn below(before: u64) -> i64 {
    i64::try_from(before.saturating_sub(1)).unwrap_or(i64::MAX)
}

fn audit_from_row(row: &AnyRow) -> sqlx::Result<AuditRow> {
    Ok(AuditRow {
        number: unsigned_column(row, "number")?,
        document: row.try_get("document")?,
        previous_hash: column(row, "previous_hash")?,
        hash: column(row, "hash")?,
    })
}
