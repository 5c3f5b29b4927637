//! What is answered of an organisation's calls.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use requestrocket_proto::region::v1::{
    Telemetry, TelemetryPoint, TelemetryQuery, TelemetryShare, telemetry_query,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use super::super::call::LogFailed;
use super::super::sql::{from_sql, to_sql};
use super::span::Span;
use super::store::{self, Share};

/// Intervals of one answer.
const MOST_POINTS: u64 = 2_000;
/// Proxies or credentials that are named.
const TOP: i64 = 10;
const BUSY: Duration = Duration::from_secs(5);
/// What SQLite may do for an answer: so many steps at once, so many times; about half a second.
const STEPS: i32 = 10_000;
const TIMES: u32 = 2_500;

/// Who is asked about, and when.
struct Question {
    organisation_id: String,
    share: Share,
    span: Span,
    from_ms: u64,
    to_ms: u64,
}

/// Reads the sums; none for a question that this version does not know.
pub(in super::super) async fn answer(
    folder: &Path,
    query: &TelemetryQuery,
) -> Result<Option<Telemetry>, LogFailed> {
    let Some(asked) = Question::of(query) else {
        return Ok(None);
    };
    let mut conn = open_to_read(folder).await?;
    let mut told = Telemetry {
        points: asked.points(&mut conn, &asked.share).await?,
        ..Telemetry::default()
    };
    if asked.share == Share::All {
        let proxies = Share::Proxy(String::new());
        let credentials = Share::Credential(String::new());
        told.proxies = asked.top(&mut conn, &proxies).await?;
        told.credentials = asked.top(&mut conn, &credentials).await?;
    } else {
        // Some of what has no place may be of this share.
        let whole = asked.points(&mut conn, &Share::All).await?;
        let sums = whole.into_iter().filter_map(|point| point.summary);
        told.lost = sums.map(|sum| sum.unplaced).sum();
    }
    conn.close().await?;
    Ok(Some(told))
}

/// A connection that waits for nobody, and whose statements end when they take too long.
async fn open_to_read(folder: &Path) -> Result<SqliteConnection, LogFailed> {
    let options = SqliteConnectOptions::new()
        .filename(store::path(folder))
        .busy_timeout(BUSY)
        .pragma("query_only", "ON");
    let mut conn = SqliteConnection::connect_with(&options).await?;
    let times = Arc::new(AtomicU32::new(0));
    let go_on = move || times.fetch_add(1, Ordering::Relaxed) < TIMES;
    conn.lock_handle().await?.set_progress_handler(STEPS, go_on);
    Ok(conn)
}

impl Question {
    fn of(query: &TelemetryQuery) -> Option<Self> {
        let span = Span::from_wire(query.interval)?;
        let asked = Self {
            organisation_id: query.organisation_id.clone(),
            share: match &query.of {
                None => Share::All,
                Some(telemetry_query::Of::ProxyId(id)) => Share::Proxy(id.clone()),
                Some(telemetry_query::Of::CredentialId(id)) => Share::Credential(id.clone()),
            },
            span,
            from_ms: span.start_ms(query.from_ms),
            to_ms: query.to_ms,
        };
        let points = asked.to_ms.checked_sub(asked.from_ms)? / span.length_ms();
        (points <= MOST_POINTS).then_some(asked)
    }

    async fn points(
        &self,
        conn: &mut SqliteConnection,
        of: &Share,
    ) -> Result<Vec<TelemetryPoint>, LogFailed> {
        let (kind, id) = of.columns();
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT start_ms, summary FROM summary WHERE length_ms = $1 AND organisation_id = $2 \
             AND kind = $3 AND share_id = $4 AND start_ms >= $5 AND start_ms < $6 \
             ORDER BY start_ms",
        )
        .bind(to_sql(self.span.length_ms()))
        .bind(&self.organisation_id)
        .bind(kind)
        .bind(id)
        .bind(to_sql(self.from_ms))
        .bind(to_sql(self.to_ms))
        .fetch_all(conn)
        .await?;
        let points = rows.into_iter().map(|(start_ms, bytes)| {
            Ok(TelemetryPoint {
                start_ms: from_sql(start_ms)?,
                summary: Some(store::decoded(&bytes)?.to_wire()),
            })
        });
        points.collect()
    }

    /// Those of a kind with most calls.
    async fn top(
        &self,
        conn: &mut SqliteConnection,
        of: &Share,
    ) -> Result<Vec<TelemetryShare>, LogFailed> {
        let (kind, _) = of.columns();
        // By that index, which holds all that is summed: no row has to be read.
        let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(
            "SELECT share_id, SUM(requests), SUM(errors), SUM(denied) \
             FROM summary INDEXED BY summary_shares \
             WHERE length_ms = $1 AND organisation_id = $2 AND start_ms >= $3 AND start_ms < $4 \
             AND kind = $5 GROUP BY share_id ORDER BY 2 DESC, share_id LIMIT $6",
        )
        .bind(to_sql(self.span.length_ms()))
        .bind(&self.organisation_id)
        .bind(to_sql(self.from_ms))
        .bind(to_sql(self.to_ms))
        .bind(kind)
        .bind(TOP)
        .fetch_all(conn)
        .await?;
        let shares = rows.into_iter().map(|(id, requests, errors, denied)| {
            Ok(TelemetryShare {
                id,
                requests: from_sql(requests)?,
                errors: from_sql(errors)?,
                denied: from_sql(denied)?,
            })
        });
        shares.collect()
    }
}
