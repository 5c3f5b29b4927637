//! What is found of calls: day by day, in the order that is asked for, up to a page.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use prost::Message as _;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::{Records, RecordsQuery};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::call::LogFailed;
use super::day::{from_sql, open_to_read, to_sql};
use super::retention::{DayFile, days};
use super::write::day_of;

/// Records of a page, and their bytes: it is one message of the link.
const MAX_LIMIT: u32 = 1_000;
const MAX_BYTES: usize = 1 << 20;
/// What SQLite may do for a search, whatever days it is about: so many steps at once, so many times;
/// about a second.
const STEPS: i32 = 10_000;
const TIMES: u32 = 5_000;

/// Reads a page and counts its selection.
pub(super) async fn search(folder: &Path, query: &RecordsQuery) -> Result<Records, LogFailed> {
    let mut days = days_of(folder, query)?;
    if !query.is_ascending {
        days.reverse();
    }
    let limit = query.limit.clamp(1, MAX_LIMIT);
    let mut page = Page {
        records: Vec::new(),
        room: usize::try_from(limit).unwrap_or(1),
        bytes: MAX_BYTES,
        is_more: false,
    };
    let mut recorded: u64 = 0;
    let times = Arc::new(AtomicU32::new(0));
    for DayFile { day: _, path } in days {
        let Some(mut conn) = bounded(&path, Arc::clone(&times)).await? else {
            continue;
        };
        if !page.is_more {
            page.read(&mut conn, query).await?;
        }
        recorded += count(&mut conn, query).await?;
    }
    Ok(Records {
        records: page.records,
        is_more: page.is_more,
        recorded,
        lost: 0,
    })
}

fn days_of(folder: &Path, query: &RecordsQuery) -> Result<Vec<DayFile>, LogFailed> {
    let first = query.from_ms.map(day_of);
    let last = query.to_ms.map(day_of);
    let mut days = days(folder)?;
    days.retain(|file| {
        first.is_none_or(|first| file.day >= first) && last.is_none_or(|last| file.day <= last)
    });
    Ok(days)
}

/// A connection whose statements end when they take too long. None: the day begins or is dropped
/// just now.
async fn bounded(
    path: &Path,
    times: Arc<AtomicU32>,
) -> Result<Option<SqliteConnection>, LogFailed> {
    let Some(mut conn) = open_to_read(path).await? else {
        return Ok(None);
    };
    let go_on = move || times.fetch_add(1, Ordering::Relaxed) < TIMES;
    conn.lock_handle().await?.set_progress_handler(STEPS, go_on);
    Ok(Some(conn))
}

struct Page {
    records: Vec<Record>,
    /// Records that it may still take.
    room: usize,
    bytes: usize,
    is_more: bool,
}

impl Page {
    async fn read(
        &mut self,
        conn: &mut SqliteConnection,
        query: &RecordsQuery,
    ) -> Result<(), LogFailed> {
        let mut select = QueryBuilder::<Sqlite>::new("SELECT record FROM call WHERE ");
        select_calls(&mut select, query);
        let (order, is_behind) = if query.is_ascending {
            ("ASC", ">")
        } else {
            ("DESC", "<")
        };
        if let Some(after) = &query.after {
            select.push(format!(" AND (completed_at_ms, request_id) {is_behind} ("));
            select.push_bind(to_sql(after.completed_at_ms)).push(", ");
            select.push_bind(after.request_id.clone()).push(")");
        }
        select.push(format!(
            " ORDER BY completed_at_ms {order}, request_id {order} LIMIT "
        ));
        // One more says whether there is more.
        select.push_bind(i64::try_from(self.room + 1).unwrap_or(i64::MAX));
        let rows: Vec<(Vec<u8>,)> = select.build_query_as().fetch_all(conn).await?;
        for (encoded,) in rows {
            if self.room == 0 || self.bytes < encoded.len() {
                self.is_more = true;
                return Ok(());
            }
            self.room -= 1;
            self.bytes -= encoded.len();
            let record = Record::decode(&encoded[..]).map_err(|_| LogFailed::Damaged)?;
            self.records.push(record);
        }
        Ok(())
    }
}

async fn count(conn: &mut SqliteConnection, query: &RecordsQuery) -> Result<u64, LogFailed> {
    let mut select = QueryBuilder::<Sqlite>::new("SELECT COUNT(*) FROM call WHERE ");
    select_calls(&mut select, query);
    let (count,): (i64,) = select.build_query_as().fetch_one(conn).await?;
    from_sql(count)
}

/// The selection without its position. An organisation is always part of it.
fn select_calls(select: &mut QueryBuilder<Sqlite>, query: &RecordsQuery) {
    // `+` leaves the choice of the index to an id, of which there is one.
    let is_one = !query.request_id.is_empty();
    let any_index = if is_one { "+" } else { "" };
    select.push(format!("{any_index}organisation_id = "));
    select.push_bind(query.organisation_id.clone());
    let proxy_id = format!("{any_index}proxy_id");
    for (column, value) in [
        (proxy_id.as_str(), &query.proxy_id),
        ("request_id", &query.request_id),
    ] {
        if !value.is_empty() {
            select.push(format!(" AND {column} = "));
            select.push_bind(value.clone());
        }
    }
    for (comparison, moment) in [(">=", query.from_ms), ("<", query.to_ms)] {
        if let Some(moment) = moment {
            select.push(format!(" AND completed_at_ms {comparison} "));
            select.push_bind(to_sql(moment));
        }
    }
    for (column, values) in [
        ("code", &query.codes),
        ("proxy_code", &query.proxy_codes),
        ("method", &query.methods),
        ("credential_id", &query.credential_ids),
        ("subject", &query.subjects),
    ] {
        select_one_of(select, column, values);
    }
    if !query.statuses.is_empty() {
        select.push(" AND (");
        let mut ranges = select.separated(" OR ");
        for range in &query.statuses {
            ranges.push("status BETWEEN ");
            ranges.push_bind_unseparated(i64::from(range.first));
            ranges.push_unseparated(" AND ");
            ranges.push_bind_unseparated(i64::from(range.last));
        }
        select.push(")");
    }
    if !query.path_contains.is_empty() {
        select.push(" AND instr(path, ");
        select.push_bind(query.path_contains.clone()).push(") > 0");
    }
    if query.min_duration_us > 0 {
        select.push(" AND duration_us >= ");
        select.push_bind(to_sql(query.min_duration_us));
    }
    if query.is_denied {
        select.push(" AND proxy_code = 'proxy-access-denied'");
    }
}

fn select_one_of(select: &mut QueryBuilder<Sqlite>, column: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    select.push(format!(" AND {column} IN ("));
    let mut list = select.separated(", ");
    for value in values {
        list.push_bind(value.clone());
    }
    select.push(")");
}

#[cfg(test)]
mod tests;
