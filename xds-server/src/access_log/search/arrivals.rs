//! Records as they come: row by row of the newest days, whenever their calls were over.

use std::path::Path;
use std::time::Duration;

use prost::Message as _;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::arrivals_query::Behind;
use requestrocket_proto::region::v1::{
    Arrival, Arrivals, ArrivalsQuery, RecordPosition, RecordsQuery,
};
use sqlx::{QueryBuilder, Sqlite};
use time::Date;

use super::effort::Effort;
use super::page::{MAX_BYTES, MAX_LIMIT};
use super::select::{push_filters, push_owner_and_time};
use crate::access_log::call::LogFailed;
use crate::access_log::day::{Reader, day_of};
use crate::access_log::retention::{DayFile, days};
use crate::access_log::sql::{from_sql, to_sql};

/// Rows that are looked at for one answer, of all organisations.
const ROWS: u64 = 20_000;
/// What that may cost.
const MOST: u32 = 10_000;
const LONGEST: Duration = Duration::from_secs(1);

/// What came behind a place, or where that is now.
pub(in crate::access_log) async fn arrivals(
    folder: &Path,
    query: &ArrivalsQuery,
) -> Result<Arrivals, LogFailed> {
    let ArrivalsQuery { selection, behind } = query;
    let selection = selection.as_ref().ok_or(LogFailed::Damaged)?;
    let effort = Effort::of(MOST, LONGEST);
    let days = days(folder)?;
    match behind {
        None => now(&days, &effort).await,
        Some(Behind::Arrival(arrival)) => follow(&days, selection, *arrival, &effort).await,
        Some(Behind::Record(record)) => {
            let arrival = of_record(&days, selection, record, &effort).await?;
            follow(&days, selection, arrival, &effort).await
        }
    }
}

/// Behind all that is there.
async fn now(days: &[DayFile], effort: &Effort) -> Result<Arrivals, LogFailed> {
    let mut reached = Arrival::default();
    if let Some(DayFile { day, path }) = days.last()
        && let Some(mut reader) = effort.open(path).await?
    {
        reached = Arrival {
            day: number(*day),
            row: last_row(&mut reader, effort).await?,
        };
    }
    Ok(Arrivals {
        reached: Some(reached),
        ..Arrivals::default()
    })
}

/// Where a record came, or what was over when it was.
async fn of_record(
    days: &[DayFile],
    selection: &RecordsQuery,
    record: &RecordPosition,
    effort: &Effort,
) -> Result<Arrival, LogFailed> {
    let day = day_of(record.completed_at_ms);
    let mut arrival = Arrival {
        day: number(day),
        row: 0,
    };
    let file = days.iter().find(|file| file.day == day);
    let Some(DayFile { day: _, path }) = file else {
        return Ok(arrival);
    };
    let Some(mut reader) = effort.open(path).await? else {
        return Ok(arrival);
    };
    // `+` keeps that term from choosing the index: there is one call of an id.
    let select = "SELECT COALESCE(
            (SELECT rowid FROM call WHERE request_id = $1 AND +organisation_id = $2),
            (SELECT MAX(rowid) FROM call WHERE organisation_id = $2 AND completed_at_ms <= $3),
            0)";
    let row = sqlx::query_as(select)
        .bind(&record.request_id)
        .bind(&selection.organisation_id)
        .bind(to_sql(record.completed_at_ms))
        .fetch_one(&mut reader.conn)
        .await;
    let (row,): (i64,) = row.map_err(|error| effort.failed(error))?;
    arrival.row = from_sql(row)?;
    Ok(arrival)
}

async fn follow(
    days: &[DayFile],
    selection: &RecordsQuery,
    from: Arrival,
    effort: &Effort,
) -> Result<Arrivals, LogFailed> {
    let mut found = Arrivals {
        reached: Some(from),
        ..Arrivals::default()
    };
    for DayFile { day, path } in days {
        let day = number(*day);
        if day < from.day {
            continue;
        }
        let Some(mut reader) = effort.open(path).await? else {
            continue;
        };
        let first = if day == from.day { from.row } else { 0 };
        let last = last_row(&mut reader, effort).await?;
        let end = last.min(first.saturating_add(ROWS));
        let row = read(&mut reader, selection, (first, end), &mut found, effort).await?;
        found.reached = Some(Arrival { day, row });
        if row < last {
            found.is_more = true;
            break;
        }
    }
    Ok(found)
}

/// Takes what is selected of these rows; says up to where there was room.
async fn read(
    reader: &mut Reader,
    selection: &RecordsQuery,
    (first, end): (u64, u64),
    found: &mut Arrivals,
    effort: &Effort,
) -> Result<u64, LogFailed> {
    let mut select = QueryBuilder::<Sqlite>::new("SELECT rowid, record FROM call WHERE rowid > ");
    select.push_bind(to_sql(first));
    select.push(" AND rowid <= ").push_bind(to_sql(end));
    // By row, not by an index.
    select.push(" AND +");
    push_owner_and_time(&mut select, selection);
    push_filters(&mut select, selection);
    select.push(" ORDER BY rowid LIMIT ");
    select.push_bind(i64::from(MAX_LIMIT));
    let rows = select.build_query_as().fetch_all(&mut reader.conn).await;
    let rows: Vec<(i64, Vec<u8>)> = rows.map_err(|error| effort.failed(error))?;
    let limit = usize::try_from(MAX_LIMIT).unwrap_or(usize::MAX);
    let is_cut = rows.len() >= limit;
    let mut bytes: usize = found.records.iter().map(Record::encoded_len).sum();
    let mut reached = first;
    for (row, encoded) in rows {
        bytes += encoded.len();
        if bytes > MAX_BYTES || found.records.len() >= limit {
            return Ok(reached);
        }
        let record = Record::decode(&encoded[..]).map_err(|_| LogFailed::Damaged)?;
        found.records.push(record);
        reached = from_sql(row)?;
    }
    Ok(if is_cut { reached } else { end })
}

async fn last_row(reader: &mut Reader, effort: &Effort) -> Result<u64, LogFailed> {
    let row = sqlx::query_as("SELECT COALESCE(MAX(rowid), 0) FROM call")
        .fetch_one(&mut reader.conn)
        .await;
    let (row,): (i64,) = row.map_err(|error| effort.failed(error))?;
    from_sql(row)
}

/// Days since 1970-01-01.
fn number(day: Date) -> u32 {
    let epoch = Date::from_julian_day(UNIX_EPOCH_DAY).unwrap_or(Date::MIN);
    u32::try_from((day - epoch).whole_days()).unwrap_or(0)
}

/// As a Julian day.
const UNIX_EPOCH_DAY: i32 = 2_440_588;

#[cfg(test)]
mod tests;
