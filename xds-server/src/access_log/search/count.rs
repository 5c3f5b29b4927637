//! How many calls a selection holds: by the tallies of whole hours where that is enough.

use super::effort::Effort;
use super::select::{has_filters, push_filters, push_owner_and_time};
use crate::access_log::call::LogFailed;
use crate::access_log::reader::{Reader, Select};
use crate::access_log::sql::{HOUR_MS, from_sql, to_sql};
use requestrocket_proto::region::v1::RecordsQuery;

/// Of one day.
pub(super) async fn count(
    day: &mut Reader,
    query: &RecordsQuery,
    effort: &Effort,
) -> Result<u64, LogFailed> {
    if !day.has_tallies() || has_filters(query) || !query.request_id.is_empty() {
        return one_by_one(day, query, effort).await;
    }
    let first = query.from_ms.unwrap_or(0).div_ceil(HOUR_MS);
    let end = query.to_ms.unwrap_or(u64::MAX) / HOUR_MS;
    if first >= end {
        return one_by_one(day, query, effort).await;
    }
    let mut sum = hours(day, query, (first, end), effort).await?;
    let part = |from_ms, to_ms| RecordsQuery {
        from_ms,
        to_ms,
        ..query.clone()
    };
    if query.from_ms.is_some() {
        let before = part(query.from_ms, Some(first * HOUR_MS));
        sum += one_by_one(day, &before, effort).await?;
    }
    if query.to_ms.is_some() {
        let behind = part(Some(end * HOUR_MS), query.to_ms);
        sum += one_by_one(day, &behind, effort).await?;
    }
    Ok(sum)
}

async fn hours(
    day: &mut Reader,
    query: &RecordsQuery,
    (first, end): (u64, u64),
    effort: &Effort,
) -> Result<u64, LogFailed> {
    let sum = "SELECT CAST(COALESCE(SUM(recorded), 0) AS BIGINT)";
    let mut select = day.beside(sum, "tally");
    select
        .push(" AND organisation_id = ")
        .text(&query.organisation_id);
    select.push(" AND hour >= ").number(to_sql(first));
    select.push(" AND hour < ").number(to_sql(end));
    if !query.proxy_id.is_empty() {
        select.push(" AND proxy_id = ").text(&query.proxy_id);
    }
    only_number(day, select, effort).await
}

async fn one_by_one(
    day: &mut Reader,
    query: &RecordsQuery,
    effort: &Effort,
) -> Result<u64, LogFailed> {
    let mut select = day.calls("SELECT COUNT(*)");
    push_owner_and_time(&mut select, query);
    push_filters(&mut select, query);
    only_number(day, select, effort).await
}

async fn only_number(day: &mut Reader, select: Select, effort: &Effort) -> Result<u64, LogFailed> {
    let number = day.conn.number(select).await;
    from_sql(number.map_err(|error| effort.failed(error))?)
}
