//! What is answered of an organisation's calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use requestrocket_process::db::Dialect;
use requestrocket_proto::region::v1::{
    Telemetry, TelemetryPoint, TelemetryQuery, TelemetryShare, telemetry_query,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use super::super::call::LogFailed;
use super::super::place::Place;
use super::super::reader::{Conn, Select};
use super::super::sql::{from_sql, to_sql};
use super::span::Span;
use super::store::{self, Share, sqlite};

/// Intervals of one answer.
const MOST_POINTS: u64 = 2_000;
/// Proxies or credentials that are named.
const TOP: i64 = 10;
const BUSY: Duration = Duration::from_secs(5);
/// What SQLite may do for an answer: so many steps at once, so many times; about half a second.
const STEPS: i32 = 10_000;
const TIMES: u32 = 2_500;
/// What PostgreSQL may take for each statement.
const LONGEST: Duration = Duration::from_secs(1);

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
    place: &Place,
    query: &TelemetryQuery,
) -> Result<Option<Telemetry>, LogFailed> {
    let Some(asked) = Question::of(query) else {
        return Ok(None);
    };
    let mut conn = open_to_read(place).await?;
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
    Ok(Some(told))
}

/// A connection that waits for nobody, and whose statements end when they take too long.
async fn open_to_read(place: &Place) -> Result<Conn, LogFailed> {
    match place {
        Place::Files(folder) => {
            let options = SqliteConnectOptions::new()
                .filename(sqlite::path(folder))
                .busy_timeout(BUSY)
                .pragma("query_only", "ON");
            let mut conn = SqliteConnection::connect_with(&options).await?;
            let times = Arc::new(AtomicU32::new(0));
            let go_on = move || times.fetch_add(1, Ordering::Relaxed) < TIMES;
            conn.lock_handle().await?.set_progress_handler(STEPS, go_on);
            Ok(Conn::Sqlite(conn.into()))
        }
        Place::Postgres(postgres) => Ok(Conn::Postgres(postgres.search(LONGEST).await?)),
    }
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

    async fn points(&self, conn: &mut Conn, of: &Share) -> Result<Vec<TelemetryPoint>, LogFailed> {
        let (kind, id) = of.columns();
        let table = match conn.dialect() {
            Dialect::Sqlite => "summary",
            Dialect::Postgres => "call_log_summary",
        };
        let mut select = self.select(conn, "SELECT start_ms, summary", table);
        select.push(" AND kind = ").number(kind);
        select.push(" AND share_id = ").text(id);
        select.push(" ORDER BY start_ms");
        let rows: Vec<(i64, Vec<u8>)> = conn.fetch(select).await?;
        let points = rows.into_iter().map(|(start_ms, bytes)| {
            Ok(TelemetryPoint {
                start_ms: from_sql(start_ms)?,
                summary: Some(store::decoded(&bytes)?.to_wire()),
            })
        });
        points.collect()
    }

    /// Those of a kind with most calls.
    async fn top(&self, conn: &mut Conn, of: &Share) -> Result<Vec<TelemetryShare>, LogFailed> {
        let (kind, _) = of.columns();
        let table = match conn.dialect() {
            // By that index, which holds all that is summed: no row has to be read.
            Dialect::Sqlite => "summary INDEXED BY summary_shares",
            Dialect::Postgres => "call_log_summary",
        };
        let columns = "SELECT share_id, CAST(SUM(requests) AS BIGINT), \
             CAST(SUM(errors) AS BIGINT), CAST(SUM(denied) AS BIGINT)";
        let mut select = self.select(conn, columns, table);
        select.push(" AND kind = ").number(kind);
        select.push(" GROUP BY share_id ORDER BY 2 DESC, share_id LIMIT ");
        select.number(TOP);
        let rows: Vec<(String, i64, i64, i64)> = conn.fetch(select).await?;
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

    /// These of the organisation's sums of that time; more conditions come next.
    fn select(&self, conn: &Conn, columns: &str, table: &str) -> Select {
        let mut select = Select::new(conn.dialect(), columns);
        select.push(&format!(" FROM {table} WHERE length_ms = "));
        select.number(to_sql(self.span.length_ms()));
        select.push(" AND organisation_id = ");
        select.text(&self.organisation_id);
        select.push(" AND start_ms >= ");
        select.number(to_sql(self.from_ms));
        select.push(" AND start_ms < ").number(to_sql(self.to_ms));
        select
    }
}
