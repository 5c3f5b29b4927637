//! A selection of calls as SQL.

use requestrocket_process::db::Dialect;
use requestrocket_proto::region::v1::{RecordPosition, RecordsQuery};

use crate::access_log::reader::Select;
use crate::access_log::sql::to_sql;

/// What an index alone selects by; an organisation is always part of it.
pub(super) fn push_owner_and_time(select: &mut Select, query: &RecordsQuery) {
    // `+` leaves the choice of the index to an id, of which there is one. PostgreSQL knows that by
    // itself, and knows no `+` of texts.
    let is_one = !query.request_id.is_empty() && select.dialect() == Dialect::Sqlite;
    let any_index = if is_one { "+" } else { "" };
    select.push(&format!("{any_index}organisation_id = "));
    select.text(&query.organisation_id);
    let proxy_id = format!("{any_index}proxy_id");
    for (column, value) in [
        (proxy_id.as_str(), &query.proxy_id),
        ("request_id", &query.request_id),
    ] {
        if !value.is_empty() {
            select.push(&format!(" AND {column} = ")).text(value);
        }
    }
    for (comparison, moment) in [(">=", query.from_ms), ("<", query.to_ms)] {
        if let Some(moment) = moment {
            select.push(&format!(" AND completed_at_ms {comparison} "));
            select.number(to_sql(moment));
        }
    }
}

/// Whether there is more than that to select by.
pub(super) fn has_filters(query: &RecordsQuery) -> bool {
    let mut select = Select::new(Dialect::Sqlite, "");
    push_filters(&mut select, query);
    !select.is_empty()
}

/// What has to be looked at call by call.
pub(super) fn push_filters(select: &mut Select, query: &RecordsQuery) {
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
        select.push(" AND (1 = 0");
        for range in &query.statuses {
            select.push(" OR status BETWEEN ");
            select.number(i64::from(range.first)).push(" AND ");
            select.number(i64::from(range.last));
        }
        select.push(")");
    }
    if !query.path_contains.is_empty() {
        // `LIKE` knows no case of ASCII letters, and takes `%` and `_` for patterns.
        let position = match select.dialect() {
            Dialect::Sqlite => "instr",
            Dialect::Postgres => "strpos",
        };
        select.push(&format!(" AND {position}(path, "));
        select.text(&query.path_contains).push(") > 0");
    }
    if !query.trace_id.is_empty() {
        select.push(" AND trace_id = ").text(&query.trace_id);
    }
    if query.min_duration_us > 0 {
        select.push(" AND duration_us >= ");
        select.number(to_sql(query.min_duration_us));
    }
    if query.is_denied {
        select.push(" AND proxy_code = 'proxy-access-denied'");
    }
}

fn push_one_of(select: &mut Select, column: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    let mut separator = format!(" AND {column} IN (");
    for value in values {
        select.push(&separator).text(value);
        ", ".clone_into(&mut separator);
    }
    select.push(")");
}

/// Only what lies there of a position in the order of completion.
pub(super) fn push_position(select: &mut Select, comparison: &str, position: &RecordPosition) {
    select.push(&format!(
        " AND (completed_at_ms, request_id) {comparison} ("
    ));
    select
        .number(to_sql(position.completed_at_ms))
        .push(", ")
        .text(&position.request_id)
        .push(")");
}

/// In the order that is asked for, that many from some place on.
pub(super) fn push_order(select: &mut Select, is_ascending: bool, limit: u64) {
    let order = if is_ascending { "ASC" } else { "DESC" };
    select.push(&format!(
        " ORDER BY completed_at_ms {order}, request_id {order} LIMIT "
    ));
    select.number(to_sql(limit));
}
