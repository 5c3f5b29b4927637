//! Sums in PostgreSQL, beside the log.

use std::collections::BTreeMap;

use prost::Message as _;
use requestrocket_summary::Summary;
use sqlx::{Connection as _, PgConnection};
use time::Date;

use super::super::span::Span;
use super::{Interval, Key, Share, decoded, merged};
use crate::access_log::call::LogFailed;
use crate::access_log::postgres::{Postgres, day_number, in_time};
use crate::access_log::sql::{from_sql, to_sql};

/// The connection that writes them.
#[derive(Debug)]
pub(in super::super) struct InPostgres {
    postgres: Postgres,
    /// None after a failure: the next try connects anew.
    conn: Option<PgConnection>,
}

/// Keys, column by column.
#[derive(Default)]
struct Columns<'a> {
    lengths: Vec<i64>,
    organisations: Vec<&'a str>,
    kinds: Vec<i64>,
    ids: Vec<&'a str>,
    starts: Vec<i64>,
}

impl InPostgres {
    pub(super) fn new(postgres: Postgres) -> Self {
        Self {
            postgres,
            conn: None,
        }
    }

    async fn connection(&mut self) -> Result<PgConnection, LogFailed> {
        match self.conn.take() {
            Some(conn) => Ok(conn),
            None => self.postgres.connect().await,
        }
    }

    pub(super) async fn position_fetch(&mut self, day: Date) -> Result<i64, LogFailed> {
        in_time(self.position(day)).await
    }

    pub(super) async fn summaries_add(
        &mut self,
        sums: &BTreeMap<Key, Summary>,
        counted: (Date, i64),
    ) -> Result<u64, LogFailed> {
        in_time(self.add(sums, counted)).await
    }

    pub(super) async fn summaries_forget(
        &mut self,
        now_ms: u64,
        oldest: Date,
    ) -> Result<(), LogFailed> {
        in_time(self.forget(now_ms, oldest)).await
    }

    async fn position(&mut self, day: Date) -> Result<i64, LogFailed> {
        let mut conn = self.connection().await?;
        let sql = "SELECT position FROM call_log_counted WHERE day = $1";
        let row: Option<(i64,)> = sqlx::query_as(sql)
            .bind(i64::from(day_number(day)))
            .fetch_optional(&mut conn)
            .await?;
        self.conn = Some(conn);
        Ok(row.map_or(0, |(position,)| position))
    }

    async fn add(
        &mut self,
        sums: &BTreeMap<Key, Summary>,
        (day, position): (Date, i64),
    ) -> Result<u64, LogFailed> {
        let mut conn = self.connection().await?;
        let mut tx = conn.begin().await?;
        let totals = totals_fetch(&mut tx, sums).await?;
        let parts = sums.keys().filter(|key| key.share != Share::All);
        let new = parts.filter(|key| !totals.contains_key(key));
        let mut places: Vec<_> = new.map(Key::place).collect();
        places.dedup();
        let taken = taken_fetch(&mut tx, &places).await?;
        let (merged, left_out) = merged(sums, totals, taken);
        summaries_upsert(&mut tx, &merged).await?;
        sqlx::query(
            "INSERT INTO call_log_counted VALUES ($1, $2) \
             ON CONFLICT (day) DO UPDATE SET position = excluded.position",
        )
        .bind(i64::from(day_number(day)))
        .bind(position)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.conn = Some(conn);
        Ok(left_out)
    }

    async fn forget(&mut self, now_ms: u64, oldest: Date) -> Result<(), LogFailed> {
        let mut conn = self.connection().await?;
        for span in Span::ALL {
            sqlx::query("DELETE FROM call_log_summary WHERE length_ms = $1 AND start_ms < $2")
                .bind(to_sql(span.length_ms()))
                .bind(to_sql(span.kept_from_ms(now_ms)))
                .execute(&mut conn)
                .await?;
        }
        sqlx::query("DELETE FROM call_log_counted WHERE day < $1")
            .bind(i64::from(day_number(oldest)))
            .execute(&mut conn)
            .await?;
        self.conn = Some(conn);
        Ok(())
    }
}

impl<'a> Columns<'a> {
    fn of(keys: impl Iterator<Item = &'a Key>) -> Self {
        let mut columns = Self::default();
        for key in keys {
            let (kind, id) = key.share.columns();
            columns.lengths.push(to_sql(key.span.length_ms()));
            columns.organisations.push(&key.organisation_id);
            columns.kinds.push(kind);
            columns.ids.push(id);
            columns.starts.push(to_sql(key.start_ms));
        }
        columns
    }
}

/// Of these keys, what they come to so far.
async fn totals_fetch<'a>(
    conn: &mut PgConnection,
    sums: &'a BTreeMap<Key, Summary>,
) -> Result<BTreeMap<&'a Key, Summary>, LogFailed> {
    let columns = Columns::of(sums.keys());
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT key.place, summary FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::BIGINT[], \
         $4::TEXT[], $5::BIGINT[]) WITH ORDINALITY \
         AS key (length_ms, organisation_id, kind, share_id, start_ms, place) \
         JOIN call_log_summary USING (length_ms, organisation_id, kind, share_id, start_ms) \
         ORDER BY key.place",
    )
    .bind(columns.lengths)
    .bind(columns.organisations)
    .bind(columns.kinds)
    .bind(columns.ids)
    .bind(columns.starts)
    .fetch_all(conn)
    .await?;
    // In the order of the keys, so that one look at them is enough.
    let mut rows = rows.into_iter().peekable();
    let mut totals = BTreeMap::new();
    for (place, key) in (1..).zip(sums.keys()) {
        if let Some((_, bytes)) = rows.next_if(|(found, _)| *found == place) {
            totals.insert(key, decoded(&bytes)?);
        }
    }
    Ok(totals)
}

/// How many shares have sums of their own in these intervals.
async fn taken_fetch<'a>(
    conn: &mut PgConnection,
    places: &[Interval<'a>],
) -> Result<BTreeMap<Interval<'a>, u64>, LogFailed> {
    let lengths = places.iter().map(|(span, ..)| to_sql(span.length_ms()));
    let starts = places.iter().map(|(_, start_ms, _)| to_sql(*start_ms));
    let organisations = places.iter().map(|(.., organisation)| *organisation);
    let rows: Vec<(i64,)> = sqlx::query_as(
        "SELECT (SELECT COUNT(*) FROM call_log_summary sum WHERE sum.length_ms = key.length_ms \
         AND sum.organisation_id = key.organisation_id AND sum.start_ms = key.start_ms \
         AND sum.kind > 0) FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::BIGINT[]) WITH ORDINALITY \
         AS key (length_ms, organisation_id, start_ms, place) ORDER BY key.place",
    )
    .bind(lengths.collect::<Vec<_>>())
    .bind(organisations.collect::<Vec<_>>())
    .bind(starts.collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let taken = places.iter().zip(rows);
    taken
        .map(|(place, (count,))| Ok((*place, from_sql(count)?)))
        .collect()
}

async fn summaries_upsert(
    conn: &mut PgConnection,
    merged: &[(&Key, Summary)],
) -> Result<(), LogFailed> {
    let columns = Columns::of(merged.iter().map(|(key, _)| *key));
    let number = |of: fn(&Summary) -> u64| {
        let numbers = merged.iter().map(|(_, sum)| to_sql(of(sum)));
        numbers.collect::<Vec<_>>()
    };
    let summaries = merged.iter().map(|(_, sum)| sum.to_wire().encode_to_vec());
    sqlx::query(
        "INSERT INTO call_log_summary SELECT * FROM UNNEST($1::BIGINT[], $2::TEXT[], \
         $3::BIGINT[], $4::TEXT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[], $8::BIGINT[], \
         $9::BYTEA[]) ON CONFLICT (length_ms, organisation_id, kind, share_id, start_ms) \
         DO UPDATE SET requests = excluded.requests, errors = excluded.errors, \
         denied = excluded.denied, summary = excluded.summary",
    )
    .bind(columns.lengths)
    .bind(columns.organisations)
    .bind(columns.kinds)
    .bind(columns.ids)
    .bind(columns.starts)
    .bind(number(|sum| sum.requests))
    .bind(number(|sum| sum.errors))
    .bind(number(|sum| sum.denied))
    .bind(summaries.collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
