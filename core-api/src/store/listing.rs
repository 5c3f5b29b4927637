//! Pages of records, the same way for every list.
//!
//! Invariant: SQL text comes from constants and closed enums only; every value is bound.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::labels::{COLUMN as LABELS, needle};
use super::row::{flag, unsigned};
use crate::domain::listing::{ListQuery, Order, Page, Sort};

/// The table of a list and which of its columns the filters mean.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Table or join.
    pub from: &'static str,
    /// What to select.
    pub columns: &'static str,
    /// The column that names the owner: every list is of one owner.
    pub owner: &'static str,
    /// Ties are sorted by it.
    pub id: &'static str,
    /// What `?type=` compares; unused when the list has no types.
    pub kind: &'static str,
    /// The column that is 1 for what only lists show that ask for it; none: everything is shown.
    pub temporary: Option<&'static str>,
}

enum Bind {
    Text(String),
    Number(i64),
}

struct Conditions {
    sql: String,
    binds: Vec<Bind>,
}

impl Conditions {
    fn add(&mut self, before: &str, bind: Bind, after: &str) {
        self.binds.push(bind);
        let condition = format!(" AND {before} ${}{after}", self.binds.len());
        self.sql.push_str(&condition);
    }

    fn among(&mut self, column: &str, values: &[String]) {
        let first = self.binds.len() + 1;
        let places = (first..first + values.len()).map(|place| format!("${place}"));
        let places = places.collect::<Vec<_>>().join(", ");
        let condition = format!(" AND {column} IN ({places})");
        self.sql.push_str(&condition);
        self.binds.extend(values.iter().cloned().map(Bind::Text));
    }
}

/// The page that `query` asks for, of the records of `owner`.
///
/// # Errors
/// The database does not answer.
pub async fn page<T>(
    conn: &mut AnyConnection,
    listing: Listing,
    owner: &str,
    query: &ListQuery,
    read: impl Fn(&AnyRow) -> sqlx::Result<T>,
) -> sqlx::Result<Page<T>> {
    page_within(conn, listing, (owner, None), query, read).await
}

/// The same, of the records of `owner` for which the comparison (such as `record_id =`) holds with the
/// value that `within` names.
///
/// # Errors
/// The database does not answer.
pub async fn page_within<T>(
    conn: &mut AnyConnection,
    listing: Listing,
    (owner, within): (&str, Option<(&str, &str)>),
    query: &ListQuery,
    read: impl Fn(&AnyRow) -> sqlx::Result<T>,
) -> sqlx::Result<Page<T>> {
    let Listing { from, columns, .. } = listing;
    let Conditions { sql, binds } = conditions(listing, owner, within, query)?;
    let count = format!("SELECT COUNT(*) AS total FROM {from} WHERE {sql}");
    let total: i64 = bound(count, &binds)
        .fetch_one(&mut *conn)
        .await?
        .try_get("total")?;
    // What stands in the text is a number or a word of ours; what callers sent is bound.
    let order = order(conn, listing.id, query);
    let (limit, offset) = (query.limit, query.offset());
    let select = format!(
        "SELECT {columns} FROM {from} WHERE {sql} ORDER BY {order} LIMIT {limit} OFFSET {offset}"
    );
    let rows = bound(select, &binds).fetch_all(conn).await?;
    let items = rows.iter().map(read).collect::<sqlx::Result<_>>()?;
    Ok(Page {
        items,
        total: unsigned(total)?,
    })
}

fn conditions(
    listing: Listing,
    owner: &str,
    within: Option<(&str, &str)>,
    query: &ListQuery,
) -> sqlx::Result<Conditions> {
    let mut conditions = Conditions {
        sql: format!("{} = $1", listing.owner),
        binds: vec![Bind::Text(owner.to_owned())],
    };
    if let Some((comparison, value)) = within {
        conditions.add(comparison, Bind::Text(value.to_owned()), "");
    }
    if let Some(column) = listing.temporary.filter(|_| !query.includes_temporary) {
        conditions.add(&format!("{column} ="), Bind::Number(0), "");
    }
    if let Some(region) = &query.region {
        conditions.add("region_name =", Bind::Text(region.to_string()), "");
    }
    if let Some(is_active) = query.is_active {
        conditions.add("is_active =", Bind::Number(flag(is_active)), "");
    }
    if let Some(kind) = &query.kind {
        conditions.add(&format!("{} =", listing.kind), Bind::Text(kind.clone()), "");
    }
    if let Some(pattern) = query.search_pattern() {
        conditions.add("name_key LIKE", Bind::Text(pattern), r" ESCAPE '\'");
    }
    if let Some(among) = &query.among {
        conditions.among(listing.id, among);
    }
    // LIKE would not tell upper case from lower in SQLite.
    let (before, after) = (format!("REPLACE({LABELS},"), format!(", '') <> {LABELS}"));
    for filter in &query.labels {
        conditions.add(&before, Bind::Text(needle(filter)?), &after);
    }
    Ok(conditions)
}

fn order(conn: &AnyConnection, id: &str, query: &ListQuery) -> String {
    let way = match query.order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let column = match query.sort {
        Sort::CreatedAt => "created_at",
        Sort::Priority => "priority",
        // By code point on both databases; PostgreSQL's default depends on the server's locale.
        Sort::Name if conn.backend_name() == "PostgreSQL" => "name_key COLLATE \"C\"",
        Sort::Name => "name_key",
    };
    format!("{column} {way}, {id} {way}")
}

fn bound(
    sql: String,
    binds: &[Bind],
) -> sqlx::query::Query<'_, sqlx::Any, sqlx::any::AnyArguments> {
    binds
        .iter()
        .fold(sqlx::query(AssertSqlSafe(sql)), |query, bind| match bind {
            Bind::Text(text) => query.bind(text.as_str()),
            Bind::Number(number) => query.bind(*number),
        })
}
