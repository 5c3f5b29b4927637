//! What operators see, and what they hold up.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::super::{StoreFailed, from_sql, to_sql};
use crate::queue::machine::{Reason, State};

/// Requests of one proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// UUID text, as below.
    pub organisation_id: String,
    /// Through which they came.
    pub proxy_id: String,
    /// None: all.
    pub state: Option<State>,
    /// None: all.
    pub reason: Option<Reason>,
    /// Accepted from then on (Unix time in milliseconds, as below).
    pub from_ms: u64,
    /// And before then.
    pub to_ms: u64,
    /// Older than this one, by when it was accepted and by its id.
    pub before: Option<(u64, String)>,
    /// So many at most.
    pub limit: u32,
}

/// A request, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRequest {
    /// UUID text.
    pub request_id: String,
    /// Where it stands.
    pub state: State,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// The request whose replay it is.
    pub replay_of: Option<String>,
    /// Unix time in milliseconds.
    pub created_at_ms: u64,
    /// That were begun.
    pub attempts: u32,
}

/// How many requests an organisation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Without an attempt.
    pub queued: u64,
    /// For another attempt.
    pub waiting: u64,
    /// With an attempt under way.
    pub delivering: u64,
    /// That have failed and are kept.
    pub failed: u64,
    /// Of the oldest that has not ended.
    pub oldest_deadline_ms: Option<u64>,
}

/// What may be held up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// What came through a proxy.
    Proxy(String),
    /// What goes to a target.
    Target(String),
}

/// A request, in columns.
#[derive(FromRow)]
struct ListRow {
    request_id: String,
    ended: Option<String>,
    reason: Option<String>,
    replay_of: Option<String>,
    created_at_ms: i64,
    begun: Option<i64>,
    lease_until_ms: Option<i64>,
    tried: i64,
}

/// Requests of a proxy, the newest first.
pub async fn requests_list(
    conn: &mut AnyConnection,
    selection: &Selection,
    now_ms: u64,
) -> Result<Vec<ListedRequest>, StoreFailed> {
    let Selection {
        organisation_id,
        proxy_id,
        state,
        reason,
        from_ms,
        to_ms,
        before,
        limit,
    } = selection;
    let (before_ms, before_id) = match before {
        Some((moment_ms, id)) => (to_sql(*moment_ms), id.as_str()),
        None => (i64::MAX, ""),
    };
    let sql = format!(
        "SELECT q.request_id, q.ended, q.reason, q.replay_of, q.created_at_ms, \
         r.attempts AS begun, r.lease_until_ms, (SELECT COUNT(*) FROM queued_attempt a \
         WHERE a.request_id = q.request_id) AS tried \
         FROM queued_request q LEFT JOIN queued_ready r \
         ON r.request_id = q.request_id AND r.is_over = 0 \
         WHERE q.organisation_id = $1 AND q.proxy_id = $2 AND q.created_at_ms >= $3 \
         AND q.created_at_ms < $4 AND (q.created_at_ms, q.request_id) < ($5, $6) {} {} \
         ORDER BY q.created_at_ms DESC, q.request_id DESC LIMIT $7",
        state.map_or_else(String::new, |state| state_condition(state, now_ms)),
        reason.map_or_else(String::new, |it| format!(
            "AND q.reason = '{}'",
            it.as_str()
        )),
    );
    let rows: Vec<ListRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(organisation_id)
        .bind(proxy_id)
        .bind(to_sql(*from_ms))
        .bind(to_sql(*to_ms))
        .bind(before_ms)
        .bind(before_id)
        .bind(i64::from(*limit))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| row.listed(now_ms)).collect())
}

/// What [`crate::queue::machine::Life::state`] says, in SQL.
fn state_condition(state: State, now_ms: u64) -> String {
    match state {
        State::Succeeded | State::Failed | State::Cancelled => {
            format!("AND q.ended = '{}'", state.as_str())
        }
        State::Delivering => format!("AND r.lease_until_ms > {now_ms}"),
        State::Queued => format!("AND r.lease_until_ms <= {now_ms} AND r.attempts = 0"),
        State::Waiting => format!("AND r.lease_until_ms <= {now_ms} AND r.attempts > 0"),
    }
}

impl ListRow {
    fn listed(self, now_ms: u64) -> ListedRequest {
        let ended = self.ended.as_deref();
        let ended = ended.and_then(|word| State::ALL.into_iter().find(|it| it.as_str() == word));
        let begun = self.begun.unwrap_or(0);
        let is_leased = self.lease_until_ms.map_or(0, from_sql) > now_ms;
        let state = ended.unwrap_or(match (is_leased, begun) {
            (true, _) => State::Delivering,
            (false, 0) => State::Queued,
            (false, _) => State::Waiting,
        });
        let reason = self.reason.as_deref();
        let attempts = u32::try_from(begun.max(self.tried)).unwrap_or(u32::MAX);
        ListedRequest {
            request_id: self.request_id,
            state,
            reason: reason.and_then(|word| Reason::ALL.into_iter().find(|it| it.as_str() == word)),
            replay_of: self.replay_of,
            created_at_ms: from_sql(self.created_at_ms),
            attempts,
        }
    }
}

/// Numbers of an organisation.
pub async fn totals_fetch(
    conn: &mut AnyConnection,
    organisation_id: &str,
    now_ms: u64,
) -> Result<Totals, StoreFailed> {
    let (queued, waiting, delivering, deadline_ms): (i64, i64, i64, Option<i64>) = sqlx::query_as(
        "SELECT COUNT(CASE WHEN lease_until_ms <= $2 AND attempts = 0 THEN 1 END), \
         COUNT(CASE WHEN lease_until_ms <= $2 AND attempts > 0 THEN 1 END), \
         COUNT(CASE WHEN lease_until_ms > $2 THEN 1 END), MIN(deadline_ms) \
         FROM queued_ready WHERE organisation_id = $1 AND is_over = 0",
    )
    .bind(organisation_id)
    .bind(to_sql(now_ms))
    .fetch_one(&mut *conn)
    .await?;
    let (failed,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM queued_request WHERE organisation_id = $1 AND ended = 'failed'",
    )
    .bind(organisation_id)
    .fetch_one(conn)
    .await?;
    Ok(Totals {
        queued: from_sql(queued),
        waiting: from_sql(waiting),
        delivering: from_sql(delivering),
        failed: from_sql(failed),
        oldest_deadline_ms: deadline_ms.map(from_sql),
    })
}

/// Has nothing delivered of a proxy or to a target, or goes on with it.
pub async fn pause(
    conn: &mut AnyConnection,
    (organisation_id, held): (&str, &Held),
    is_paused: bool,
    now_ms: u64,
) -> Result<(), StoreFailed> {
    let (sql, id) = match held {
        Held::Proxy(id) => (
            "INSERT INTO queued_proxy (proxy_id, organisation_id, is_paused, held_until_ms) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (proxy_id) DO UPDATE SET \
             is_paused = excluded.is_paused \
             WHERE queued_proxy.organisation_id = excluded.organisation_id",
            id,
        ),
        Held::Target(id) => (
            "INSERT INTO queued_target (target_id, organisation_id, failures_in_a_row, outcomes, \
             outcomes_seen, is_probing, rate_mark_us, claimed_at_ms, is_paused, used_at_ms) \
             VALUES ($1, $2, 0, 0, 0, 0, 0, 0, $3, $4) ON CONFLICT (target_id) DO UPDATE SET \
             is_paused = excluded.is_paused, used_at_ms = excluded.used_at_ms \
             WHERE queued_target.organisation_id = excluded.organisation_id",
            id,
        ),
    };
    sqlx::query(sql)
        .bind(id)
        .bind(organisation_id)
        .bind(i64::from(is_paused))
        .bind(to_sql(now_ms))
        .execute(conn)
        .await?;
    Ok(())
}
