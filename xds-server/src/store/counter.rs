//! Counts of calls and values.

use requestrocket_policy::limit::{Counter, CounterKind, Micros, Window};
use sqlx::AnyConnection;
use uuid::Uuid;

use super::{StoreFailed, from_sql, to_sql};
use crate::meters::totals::{Key, Row};

type SqlRow = (String, String, String, i64, String, i64);

/// Writes what incarnations counted; an older count changes nothing.
pub async fn counter_upsert(conn: &mut AnyConnection, rows: &[Row]) -> Result<(), StoreFailed> {
    for row in rows {
        let Row {
            key,
            incarnation,
            own,
        } = row;
        sqlx::query(
            "INSERT INTO counter \
             (kind, counter_id, window_name, start_ms, end_ms, incarnation, own_micros) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (kind, counter_id, window_name, start_ms, incarnation) \
             DO UPDATE SET own_micros = excluded.own_micros \
             WHERE counter.own_micros < excluded.own_micros",
        )
        .bind(kind_name(key.counter.kind))
        .bind(key.counter.id.to_string())
        .bind(key.window.name())
        .bind(to_sql(key.start_ms))
        .bind(to_sql(key.end_ms()))
        .bind(incarnation.to_string())
        .bind(to_sql(own.get()))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Counts of windows that end after `moment_ms`.
pub async fn counter_list(
    conn: &mut AnyConnection,
    moment_ms: u64,
) -> Result<Vec<Row>, StoreFailed> {
    let rows: Vec<SqlRow> = sqlx::query_as(
        "SELECT kind, counter_id, window_name, start_ms, incarnation, own_micros \
         FROM counter WHERE end_ms > $1",
    )
    .bind(to_sql(moment_ms))
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().filter_map(|row| {
        let read = from_row(&row);
        if read.is_none() {
            tracing::error!(counter = row.1, "stored count is damaged");
        }
        read
    });
    Ok(rows.collect())
}

/// Deletes counts of windows that ended by `moment_ms`.
pub async fn counter_delete_ended(
    conn: &mut AnyConnection,
    moment_ms: u64,
) -> Result<(), StoreFailed> {
    sqlx::query("DELETE FROM counter WHERE end_ms <= $1")
        .bind(to_sql(moment_ms))
        .execute(conn)
        .await?;
    Ok(())
}

fn from_row((kind, id, window, start_ms, incarnation, own): &SqlRow) -> Option<Row> {
    let kind = CounterKind::ALL
        .into_iter()
        .find(|known| kind_name(*known) == kind)?;
    let window = Window::ALL
        .into_iter()
        .find(|known| known.name() == window)?;
    let counter = Counter {
        kind,
        id: Uuid::parse_str(id).ok()?,
    };
    Some(Row {
        key: Key {
            counter,
            window,
            start_ms: from_sql(*start_ms),
        },
        incarnation: incarnation.parse().ok()?,
        own: Micros::new(from_sql(*own)),
    })
}

fn kind_name(kind: CounterKind) -> &'static str {
    match kind {
        CounterKind::Plan => "plan",
        CounterKind::Proxy => "proxy",
        CounterKind::Meter => "meter",
    }
}
