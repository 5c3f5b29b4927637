//! Records as they come: row by row of the newest days, whenever their calls were over.

use std::time::Duration;

use prost::Message as _;
use requestrocket_process::db::Dialect;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::arrivals_query::Behind;
use requestrocket_proto::region::v1::{
    Arrival, Arrivals, ArrivalsQuery, RecordPosition, RecordsQuery,
};

use super::effort::Effort;
use super::page::{MAX_BYTES, MAX_LIMIT};
use super::select::{push_filters, push_owner_and_time};
use crate::access_log::call::LogFailed;
use crate::access_log::day::day_of;
use crate::access_log::place::Place;
use crate::access_log::postgres::day_number;
use crate::access_log::reader::Reader;
use crate::access_log::sql::{from_sql, to_sql};

/// Rows that are looked at for one answer, of all organisations.
const ROWS: u64 = 20_000;
/// What that may cost.
const MOST: u32 = 10_000;
const LONGEST: Duration = Duration::from_secs(1);

/// What came behind a place, or where that is now.
pub(in crate::access_log) async fn arrivals(
    place: &Place,
    query: &ArrivalsQuery,
) -> Result<Arrivals, LogFailed> {
    let ArrivalsQuery { selection, behind } = query;
    let selection = selection.as_ref().ok_or(LogFailed::Damaged)?;
    let effort = Effort::of(MOST, LONGEST);
    match behind {
        None => now(place, &effort).await,
        Some(Behind::Arrival(arrival)) => follow(place, selection, *arrival, &effort).await,
        Some(Behind::Record(record)) => {
            let arrival = of_record(place, selection, record, &effort).await?;
            follow(place, selection, arrival, &effort).await
        }
    }
}

/// Behind all that is there.
async fn now(place: &Place, effort: &Effort) -> Result<Arrivals, LogFailed> {
    let mut reached = Arrival::default();
    if let Some(day) = place.days().await?.last()
        && let Some(mut reader) = effort.open(place, *day).await?
    {
        reached = Arrival {
            day: day_number(*day),
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
    place: &Place,
    selection: &RecordsQuery,
    record: &RecordPosition,
    effort: &Effort,
) -> Result<Arrival, LogFailed> {
    let day = day_of(record.completed_at_ms);
    let mut arrival = Arrival {
        day: day_number(day),
        row: 0,
    };
    if !place.days().await?.contains(&day) {
        return Ok(arrival);
    }
    let Some(mut reader) = effort.open(place, day).await? else {
        return Ok(arrival);
    };
    let mut own = reader.calls(&format!("SELECT {}", reader.row()));
    let one = RecordsQuery {
        organisation_id: selection.organisation_id.clone(),
        request_id: record.request_id.clone(),
        ..RecordsQuery::default()
    };
    push_owner_and_time(&mut own, &one);
    let row = reader.conn.number(own).await;
    arrival.row = from_sql(row.map_err(|error| effort.failed(error))?)?;
    if arrival.row == 0 {
        let mut before = reader.calls(&format!("SELECT COALESCE(MAX({}), 0)", reader.row()));
        before.push("organisation_id = ");
        before.text(&selection.organisation_id);
        before.push(" AND completed_at_ms <= ");
        before.number(to_sql(record.completed_at_ms));
        let row = reader.conn.number(before).await;
        arrival.row = from_sql(row.map_err(|error| effort.failed(error))?)?;
    }
    Ok(arrival)
}

async fn follow(
    place: &Place,
    selection: &RecordsQuery,
    from: Arrival,
    effort: &Effort,
) -> Result<Arrivals, LogFailed> {
    let mut found = Arrivals {
        reached: Some(from),
        ..Arrivals::default()
    };
    for date in place.days().await? {
        let day = day_number(date);
        if day < from.day {
            continue;
        }
        let Some(mut reader) = effort.open_for((place, date), selection).await? else {
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
    let row = reader.row();
    let mut select = reader.calls(&format!("SELECT {row}, record"));
    select.push(&format!("{row} > ")).number(to_sql(first));
    select.push(&format!(" AND {row} <= ")).number(to_sql(end));
    select.push(match select.dialect() {
        // By row, not by an index.
        Dialect::Sqlite => " AND +",
        Dialect::Postgres => " AND ",
    });
    push_owner_and_time(&mut select, selection);
    push_filters(&mut select, selection);
    select.push(&format!(" ORDER BY {row} LIMIT "));
    select.number(i64::from(MAX_LIMIT));
    let rows = reader.conn.fetch(select).await;
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
    let row = reader.last_row().await;
    from_sql(row.map_err(|error| effort.failed(error))?)
}

#[cfg(test)]
mod tests;
