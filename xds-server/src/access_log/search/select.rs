//! A selection of calls as SQL.

use requestrocket_proto::region::v1::{RecordPosition, RecordsQuery};
use sqlx::{QueryBuilder, Sqlite};

use crate::access_log::sql::to_sql;

/// What an index alone selects by; an organisation is always part of it.
pub(super) fn push_owner_and_time(select: &mut QueryBuilder<Sqlite>, query: &RecordsQuery) {
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
}

/// Whether there is more than that to select by.
pub(super) fn has_filters(query: &RecordsQuery) -> bool {
    let mut select = QueryBuilder::new("");
    push_filters(&mut select, query);
    !select.sql().as_str().is_empty()
}

/// What has to be looked at call by call.
pub(super) fn push_filters(select: &mut QueryBuilder<Sqlite>, query: &RecordsQuery) {
    for (column, values) in [
        ("code", &query.codes),
        ("proxy_code", &query.proxy_codes),
        ("method", &query.methods),
        ("credential_id", &query.credential_ids),
        ("subject", &query.subjects),
    ] {
        push_one_of(select, column, values);
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
        // `LIKE` knows no case of ASCII letters, and takes `%` and `_` for patterns.
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

fn push_one_of(select: &mut QueryBuilder<Sqlite>, column: &str, values: &[String]) {
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

/// Only what lies there of a position in the order of completion.
pub(super) fn push_position(
    select: &mut QueryBuilder<Sqlite>,
    comparison: &str,
    position: &RecordPosition,
) {
    select.push(format!(" AND (completed_at_ms, request_id) {comparison} ("));
    select
        .push_bind(to_sql(position.completed_at_ms))
        .push(", ");
    select.push_bind(position.request_id.clone()).push(")");
}

/// In the order that is asked for, that many from some place on.
pub(super) fn push_order(select: &mut QueryBuilder<Sqlite>, is_ascending: bool, limit: u64) {
    let order = if is_ascending { "ASC" } else { "DESC" };
    select.push(format!(
        " ORDER BY completed_at_ms {order}, request_id {order} LIMIT "
    ));
    select.push_bind(to_sql(limit));
}
