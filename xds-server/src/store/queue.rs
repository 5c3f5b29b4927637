//! Requests that are delivered later: what waits, who has it, and what became of it.
//!
//! Locks are taken in one order, so that servers of a region do not wait for each other in circles:
//! idempotency keys, orderings, requests, targets. Claims lock targets first, and skip what others
//! have.

use requestrocket_process::db::Dialect;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{StoreFailed, from_sql, to_sql};
use crate::queue::machine::{Life, Stage};

mod attempt;
pub mod claim;
pub mod finish;
pub mod forget;
pub mod insert;
pub mod operate;
pub mod read;
pub mod replay;
pub mod target;

/// A request that has not ended, without what is large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// UUID text, as below.
    pub request_id: String,
    /// The tenant.
    pub organisation_id: String,
    /// Through which it came.
    pub proxy_id: String,
    /// Where it goes.
    pub target_id: String,
    /// Digest of proxy and ordering key.
    pub ordering: Option<String>,
    /// If it fails, those behind it wait.
    pub stops: bool,
    /// Sealed.
    pub bytes: u64,
    /// What an attempt may take.
    pub timeout_ms: u64,
    /// Of the last attempt; 0: there was none.
    pub started_at_ms: u64,
    /// Who has it. A request behind another is due never.
    pub life: Life,
}

/// A moment that does not come: BIGINT has no later one.
const NEVER_MS: u64 = i64::MAX.unsigned_abs();

#[derive(FromRow)]
struct ReadyRow {
    request_id: String,
    organisation_id: String,
    proxy_id: String,
    target_id: String,
    ordering: Option<String>,
    stops: i64,
    bytes: i64,
    timeout_ms: i64,
    attempts: i64,
    token: i64,
    started_at_ms: i64,
    lease_until_ms: i64,
    due_ms: Option<i64>,
    deadline_ms: i64,
}

const READY: &str = "SELECT r.request_id, r.organisation_id, r.proxy_id, r.target_id, r.ordering, \
                     r.stops, r.bytes, r.timeout_ms, r.attempts, r.token, r.started_at_ms, r.lease_until_ms, \
                     r.due_ms, r.deadline_ms FROM queued_ready r";

impl Ready {
    fn from_row(row: ReadyRow) -> Self {
        let stage = if row.lease_until_ms > 0 {
            Stage::Leased {
                until_ms: from_sql(row.lease_until_ms),
            }
        } else {
            Stage::Waiting {
                due_ms: row.due_ms.map_or(NEVER_MS, from_sql),
            }
        };
        let life = Life {
            stage,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            token: from_sql(row.token),
            deadline_ms: from_sql(row.deadline_ms),
        };
        Self {
            request_id: row.request_id,
            organisation_id: row.organisation_id,
            proxy_id: row.proxy_id,
            target_id: row.target_id,
            ordering: row.ordering,
            stops: row.stops != 0,
            bytes: from_sql(row.bytes),
            timeout_ms: from_sql(row.timeout_ms),
            started_at_ms: from_sql(row.started_at_ms),
            life,
        }
    }

    /// It has a lease, or had one that ended with nobody saying what became of the attempt.
    pub(crate) fn is_leased(&self) -> bool {
        matches!(self.life.stage, Stage::Leased { .. })
    }
}

/// A request that has not ended, locked; none: it has, or there is none.
pub async fn ready_lock(
    conn: &mut AnyConnection,
    dialect: Dialect,
    request_id: &str,
) -> Result<Option<Ready>, StoreFailed> {
    let sql = format!(
        "{READY} WHERE r.request_id = $1 AND r.is_over = 0 {}",
        for_update(dialect)
    );
    let row: Option<ReadyRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(request_id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(Ready::from_row))
}

/// Writes the life of a request that goes on.
async fn life_update(
    conn: &mut AnyConnection,
    ready: &Ready,
    started_at_ms: u64,
) -> Result<(), StoreFailed> {
    let Life {
        stage,
        attempts,
        token,
        deadline_ms: _,
    } = &ready.life;
    let (lease_until_ms, due_ms) = match stage {
        Stage::Leased { until_ms } => (*until_ms, Some(*until_ms)),
        Stage::Waiting { due_ms } => (0, (*due_ms != NEVER_MS).then_some(*due_ms)),
        // Those are not here.
        Stage::Ended(_) => (0, None),
    };
    sqlx::query(
        "UPDATE queued_ready SET attempts = $1, token = $2, started_at_ms = $3, \
         lease_until_ms = $4, due_ms = $5 WHERE request_id = $6",
    )
    .bind(i64::from(*attempts))
    .bind(to_sql(*token))
    .bind(to_sql(started_at_ms))
    .bind(to_sql(lease_until_ms))
    .bind(due_ms.map(to_sql))
    .bind(&ready.request_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks an ordering, so that nobody joins or leaves it meanwhile.
async fn ordering_lock(
    conn: &mut AnyConnection,
    dialect: Dialect,
    ordering: &str,
) -> Result<(), StoreFailed> {
    let sql = format!(
        "SELECT place FROM queued_ordering WHERE ordering = $1 {}",
        for_update(dialect)
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(ordering)
        .fetch_optional(conn)
        .await?;
    Ok(())
}

/// SQLite has one writer at a time, and no word for that.
fn for_update(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE",
    }
}

/// As above, leaving out what others have locked.
fn skip_locked(dialect: Dialect, table: char) -> String {
    match dialect {
        Dialect::Sqlite => String::new(),
        Dialect::Postgres => format!("FOR UPDATE OF {table} SKIP LOCKED"),
    }
}
