//! A day that is open to be read, in either store, and selections that both understand.

use requestrocket_process::db::Dialect;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Executor as _, FromRow, Postgres, SqliteConnection};
use time::Date;

use super::call::LogFailed;
use super::numbers::Number;
use super::postgres;
use super::sql::{from_sql, to_sql};

/// Of files that have tallies, whose calls have their numbers, and whose calls are linked.
pub(super) const TALLIED: i64 = 1;
pub(super) const NUMBERED: i64 = 2;
pub(super) const LINKED: i64 = 3;
/// Of files whose calls are found by their traces.
pub(super) const TRACED: i64 = 4;

/// A connection to read by.
#[derive(Debug)]
pub(super) enum Conn {
    Sqlite(Box<SqliteConnection>),
    Postgres(PoolConnection<Postgres>),
}

/// A day that is open to be read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) conn: Conn,
    day: Date,
    /// Of a file, what it was begun with; tables have everything.
    version: i64,
}

/// A statement that is put together, with the values of its `$1`, `$2`, ….
#[derive(Clone, Debug)]
pub(super) struct Select {
    dialect: Dialect,
    sql: String,
    values: Vec<Value>,
}

#[derive(Clone, Debug)]
enum Value {
    Number(i64),
    Text(String),
}

/// A row that both give.
pub(super) trait AnyRow:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> AnyRow for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl Conn {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(super) async fn fetch<T: AnyRow>(&mut self, select: Select) -> sqlx::Result<Vec<T>> {
        let Select {
            dialect: _,
            sql,
            values,
        } = select;
        match self {
            Self::Sqlite(conn) => {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for value in values {
                    query = match value {
                        Value::Number(number) => query.bind(number),
                        Value::Text(text) => query.bind(text),
                    };
                }
                query.fetch_all(&mut **conn).await
            }
            Self::Postgres(conn) => {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for value in values {
                    query = match value {
                        Value::Number(number) => query.bind(number),
                        Value::Text(text) => query.bind(postgres::text(&text).into_owned()),
                    };
                }
                match postgres::in_time(query.fetch_all(&mut **conn)).await {
                    // What is too old is dropped at any time.
                    Err(error) if postgres::is_gone(&error) => Ok(Vec::new()),
                    rows => rows,
                }
            }
        }
    }

    /// Begins a transaction that sees one state of everything.
    pub(super) async fn begin(&mut self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(conn) => conn.execute("BEGIN").await?.rows_affected(),
            Self::Postgres(conn) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                conn.execute(begin).await?.rows_affected()
            }
        };
        Ok(())
    }

    /// Ends it.
    pub(super) async fn end(&mut self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(conn) => conn.execute("COMMIT").await?.rows_affected(),
            Self::Postgres(conn) => conn.execute("COMMIT").await?.rows_affected(),
        };
        Ok(())
    }

    /// The only number of a row.
    pub(super) async fn number(&mut self, select: Select) -> sqlx::Result<i64> {
        let rows: Vec<(i64,)> = self.fetch(select).await?;
        Ok(rows.first().map_or(0, |(number,)| *number))
    }
}

impl Reader {
    /// Of a day's file, begun by that version.
    pub(super) fn of_file(conn: SqliteConnection, day: Date, version: i64) -> Self {
        Self {
            conn: Conn::Sqlite(Box::new(conn)),
            day,
            version,
        }
    }

    /// Of a day's partition.
    pub(super) fn of_partition(conn: PoolConnection<Postgres>, day: Date) -> Self {
        Self {
            conn: Conn::Postgres(conn),
            day,
            version: TRACED,
        }
    }

    /// Whether it says how many calls there were.
    pub(super) fn has_tallies(&self) -> bool {
        self.version >= TALLIED
    }

    /// Whether its calls are found by their traces.
    pub(super) fn has_traces(&self) -> bool {
        self.version >= TRACED
    }

    /// Whether its calls are chained.
    pub(super) fn has_links(&self) -> bool {
        self.version >= LINKED
    }

    /// The place of a call in the order in which they came.
    pub(super) fn row(&self) -> &'static str {
        match &self.conn {
            Conn::Sqlite(_) => "rowid",
            Conn::Postgres(_) => "row_id",
        }
    }

    /// These of calls; conditions come next.
    pub(super) fn calls(&self, columns: &str) -> Select {
        let mut select = Select::new(self.conn.dialect(), columns);
        match &self.conn {
            Conn::Sqlite(_) => select.push(" FROM call WHERE "),
            Conn::Postgres(_) => {
                let table = postgres::partition(self.day);
                select.push(&format!(" FROM {table} WHERE day = "));
                select.number(i64::from(postgres::day_number(self.day)));
                select.push(" AND ")
            }
        };
        select
    }

    /// The same of what stands beside calls; the condition that it is of this day is there.
    pub(super) fn beside(&self, columns: &str, table: &str) -> Select {
        let mut select = Select::new(self.conn.dialect(), columns);
        match &self.conn {
            // A file has a day's.
            Conn::Sqlite(_) => select.push(&format!(" FROM {table} WHERE 1 = 1")),
            Conn::Postgres(_) => {
                select.push(&format!(" FROM call_log_{table} WHERE day = "));
                select.number(i64::from(postgres::day_number(self.day)))
            }
        };
        select
    }

    /// The newest call's place; 0 without one.
    pub(super) async fn last_row(&mut self) -> sqlx::Result<i64> {
        let columns = format!("SELECT COALESCE(MAX({}), 0)", self.row());
        let mut select = self.calls(&columns);
        select.push("1 = 1");
        self.conn.number(select).await
    }

    /// The numbers of calls behind that row of a file. In PostgreSQL they are known with the calls.
    pub(super) async fn numbers(&mut self, row: u64) -> Result<Vec<Number>, LogFailed> {
        if self.version < NUMBERED || matches!(self.conn, Conn::Postgres(_)) {
            return Ok(Vec::new());
        }
        let mut select = self.calls("SELECT worker_id, number");
        select.push("rowid > ");
        select.number(to_sql(row));
        select.push(" AND worker_id IS NOT NULL ORDER BY rowid");
        let rows: Vec<(Vec<u8>, i64)> = self.conn.fetch(select).await?;
        let number = |(worker, number): (Vec<u8>, i64)| {
            Ok(Number {
                worker: worker[..].try_into().map_err(|_| LogFailed::Damaged)?,
                number: from_sql(number)?,
            })
        };
        rows.into_iter().map(number).collect()
    }
}

impl Select {
    pub(super) fn new(dialect: Dialect, sql: &str) -> Self {
        Self {
            dialect,
            sql: sql.to_owned(),
            values: Vec::new(),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }

    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        self.value(Value::Number(number))
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.value(Value::Text(text.to_owned()))
    }

    fn value(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let place = format!("${}", self.values.len());
        self.push(&place)
    }
}
