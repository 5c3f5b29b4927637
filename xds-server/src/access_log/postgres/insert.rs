//! Writes calls of one day: rows by `COPY`, and what goes with them, in one transaction.

use std::collections::BTreeMap;

use prost::Message as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use time::Date;

use super::copy::Rows;
use super::numbers::{self, numbers_update};
use super::{Postgres, day_number, in_time, partition};
use crate::access_log::call::{Call, LogFailed};
use crate::access_log::chain::{Chain, Hash, begin};
use crate::access_log::numbers::{Changes, Numbers};
use crate::access_log::retention::Retention;
use crate::access_log::sql::{HOUR_MS, from_sql, to_sql};

/// What a row takes beside its record, about.
const BESIDE_BYTES: usize = 400;
const COLUMNS: &str = "day, row_id, completed_at_ms, request_id, organisation_id, proxy_id, status, \
     code, proxy_code, method, credential_id, subject, path, duration_us, trace_id, record";
const FIELDS: i16 = 16;

/// The writer's connection.
#[derive(Debug)]
pub(in super::super) struct Writing {
    postgres: Postgres,
    /// None after a failure: the next try connects anew.
    conn: Option<PgConnection>,
    /// A commit of which nobody heard whether it was done.
    doubtful: Option<Doubtful>,
}

/// A chain that ends so, if it was.
#[derive(Clone, Copy, Debug)]
struct Doubtful {
    day: Date,
    before: Hash,
    after: Hash,
}

/// Up to where a day is written.
struct Written {
    last_row: u64,
    hash: Hash,
}

impl Writing {
    /// With tables to write into.
    pub(in super::super) async fn open(postgres: Postgres) -> Result<Self, LogFailed> {
        postgres.prepare().await?;
        Ok(Self {
            postgres,
            conn: None,
            doubtful: None,
        })
    }

    /// What is known of workers.
    pub(in super::super) async fn numbers(&mut self) -> Result<Numbers, LogFailed> {
        let mut conn = self.connection().await?;
        let known = numbers::numbers_fetch(&mut conn).await?;
        self.conn = Some(conn);
        Ok(known)
    }

    /// Writes calls of one day, and what changed of what is known of workers. To be called again with
    /// the same after a failure: what is written already is not written twice.
    pub(in super::super) async fn calls_insert(
        &mut self,
        day: Date,
        calls: &[Call],
        changes: &Changes,
    ) -> Result<(), LogFailed> {
        in_time(self.insert(day, calls, changes)).await
    }

    async fn insert(
        &mut self,
        day: Date,
        calls: &[Call],
        changes: &Changes,
    ) -> Result<(), LogFailed> {
        let records = calls.iter().map(|call| call.record.encode_to_vec());
        let records: Vec<Vec<u8>> = records.collect();
        let mut conn = self.connection().await?;
        let mut tx = conn.begin().await?;
        let written = day_lock(&mut tx, day).await?;
        if self.is_written(day, &written, &records) {
            tx.rollback().await?;
        } else {
            let after = linked(written.hash, &records);
            rows_copy(&mut tx, day, written.last_row, (calls, &records)).await?;
            link_insert(&mut tx, day, &written, (records.len(), after)).await?;
            tallies_add(&mut tx, day, calls).await?;
            numbers_update(&mut tx, changes).await?;
            self.doubtful = Some(Doubtful {
                day,
                before: written.hash,
                after,
            });
            tx.commit().await?;
        }
        self.doubtful = None;
        self.conn = Some(conn);
        Ok(())
    }

    async fn connection(&mut self) -> Result<PgConnection, LogFailed> {
        match self.conn.take() {
            Some(conn) => Ok(conn),
            None => self.postgres.connect().await,
        }
    }

    /// Whether the try before was done after all.
    fn is_written(&self, day: Date, written: &Written, records: &[Vec<u8>]) -> bool {
        self.doubtful.is_some_and(|doubtful| {
            doubtful.day == day
                && doubtful.after == written.hash
                && doubtful.after == linked(doubtful.before, records)
        })
    }

    /// Drops days that are not to be kept; says how many bytes are left.
    pub(in super::super) async fn drop_old(
        &self,
        retention: Retention,
        today: Date,
    ) -> Result<u64, LogFailed> {
        in_time(self.postgres.drop_old(retention, today)).await
    }

    /// Everything is committed.
    pub(in super::super) async fn close(self) {
        if let Some(conn) = self.conn {
            let _ = conn.close().await;
        }
    }
}

fn linked(before: Hash, records: &[Vec<u8>]) -> Hash {
    let mut chain = Chain::behind(before);
    for record in records {
        chain.add(record);
    }
    chain.end()
}

/// Waits for whoever else writes the day, and makes its partition if it is not there.
async fn day_lock(conn: &mut PgConnection, day: Date) -> Result<Written, LogFailed> {
    let sql = "SELECT last_row, hash FROM call_log_day WHERE day = $1 FOR UPDATE";
    let row: Option<(i64, Vec<u8>)> = sqlx::query_as(sql)
        .bind(i64::from(day_number(day)))
        .fetch_optional(&mut *conn)
        .await?;
    if let Some((last_row, hash)) = row {
        return Ok(Written {
            last_row: from_sql(last_row)?,
            hash: hash[..].try_into().map_err(|_| LogFailed::Damaged)?,
        });
    }
    let hash = begin(day);
    sqlx::query("INSERT INTO call_log_day VALUES ($1, 0, $2)")
        .bind(i64::from(day_number(day)))
        .bind(&hash[..])
        .execute(&mut *conn)
        .await?;
    let (table, number) = (partition(day), day_number(day));
    // Attached, because a partition that is made as one waits for everybody who reads any day.
    for sql in [
        format!("CREATE TABLE {table} (LIKE call_log INCLUDING ALL)"),
        format!("ALTER TABLE call_log ATTACH PARTITION {table} FOR VALUES IN ({number})"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await?;
    }
    Ok(Written { last_row: 0, hash })
}

async fn rows_copy(
    conn: &mut PgConnection,
    day: Date,
    last_row: u64,
    (calls, records): (&[Call], &[Vec<u8>]),
) -> Result<(), LogFailed> {
    let bytes: usize = records
        .iter()
        .map(|record| record.len() + BESIDE_BYTES)
        .sum();
    let mut rows = Rows::with_capacity(bytes);
    let mut row_id = last_row;
    for (Call { record, number: _ }, encoded) in calls.iter().zip(records) {
        row_id += 1;
        rows.row(FIELDS);
        rows.number(i64::from(day_number(day)));
        rows.number(to_sql(row_id));
        rows.number(to_sql(record.completed_at_ms));
        rows.text(&record.request_id);
        rows.text(&record.organisation_id);
        rows.text(&record.proxy_id);
        rows.number(i64::from(record.status));
        rows.text(&record.code);
        rows.text(&record.proxy_code);
        rows.text(&record.method);
        rows.text(&record.credential_id);
        rows.text(&record.subject);
        rows.text(&record.path);
        rows.number(to_sql(record.duration_us));
        rows.text(&record.trace_id);
        rows.bytes(encoded);
    }
    let table = partition(day);
    let copy = format!("COPY {table} ({COLUMNS}) FROM STDIN (FORMAT binary)");
    let mut copying = conn.copy_in_raw(&copy).await?;
    copying.send(rows.finish()).await?;
    copying.finish().await?;
    Ok(())
}

/// Links rows to those before.
async fn link_insert(
    conn: &mut PgConnection,
    day: Date,
    written: &Written,
    (count, hash): (usize, Hash),
) -> Result<(), LogFailed> {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let last = to_sql(written.last_row.saturating_add(count));
    let number = i64::from(day_number(day));
    sqlx::query("INSERT INTO call_log_link VALUES ($1, $2, $3, $4)")
        .bind(number)
        .bind(to_sql(written.last_row + 1))
        .bind(last)
        .bind(&hash[..])
        .execute(&mut *conn)
        .await?;
    sqlx::query("UPDATE call_log_day SET last_row = $2, hash = $3 WHERE day = $1")
        .bind(number)
        .bind(last)
        .bind(&hash[..])
        .execute(conn)
        .await?;
    Ok(())
}

async fn tallies_add(conn: &mut PgConnection, day: Date, calls: &[Call]) -> Result<(), LogFailed> {
    let mut tallies: BTreeMap<(&str, u64, &str), i64> = BTreeMap::new();
    for Call { record, .. } in calls {
        let hour = record.completed_at_ms / HOUR_MS;
        let key = (&*record.organisation_id, hour, &*record.proxy_id);
        *tallies.entry(key).or_default() += 1;
    }
    let (mut organisations, mut hours) = (Vec::new(), Vec::new());
    let (mut proxies, mut recorded) = (Vec::new(), Vec::new());
    for ((organisation, hour, proxy), count) in tallies {
        organisations.push(organisation);
        hours.push(to_sql(hour));
        proxies.push(proxy);
        recorded.push(count);
    }
    sqlx::query(
        "INSERT INTO call_log_tally SELECT $1, * FROM UNNEST($2::TEXT[], $3::BIGINT[], \
         $4::TEXT[], $5::BIGINT[]) ON CONFLICT (day, organisation_id, hour, proxy_id) \
         DO UPDATE SET recorded = call_log_tally.recorded + excluded.recorded",
    )
    .bind(i64::from(day_number(day)))
    .bind(organisations)
    .bind(hours)
    .bind(proxies)
    .bind(recorded)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use requestrocket_proto::record::v1::Record;
    use requestrocket_proto::region::v1::RecordsQuery;

    use super::*;
    use crate::access_log::day::day_of;
    use crate::access_log::fixtures::TestLog;
    use crate::access_log::place::Place;
    use crate::access_log::search::search;

    fn call(id: &str) -> Call {
        Call {
            record: Record {
                request_id: id.to_owned(),
                organisation_id: "home".to_owned(),
                path: "/with\0zero".to_owned(),
                ..Record::default()
            },
            number: None,
        }
    }

    async fn recorded(place: &Place) -> u64 {
        let query = RecordsQuery {
            organisation_id: "home".to_owned(),
            path_contains: "with\0".to_owned(),
            ..RecordsQuery::default()
        };
        search(place, &query).await.unwrap().recorded
    }

    /// The connection may end between a commit and its answer.
    #[tokio::test]
    async fn what_was_committed_without_a_word_is_not_written_twice() {
        for log in TestLog::each().await {
            let Place::Postgres(postgres) = &log.place else {
                continue;
            };
            let mut writing = Writing::open(postgres.clone()).await.unwrap();
            let (day, changes) = (day_of(0), Changes::default());
            let calls = [call("a"), call("b")];
            writing.calls_insert(day, &calls, &changes).await.unwrap();
            let records = calls.each_ref().map(|call| call.record.encode_to_vec());
            let doubtful = Doubtful {
                day,
                before: begin(day),
                after: linked(begin(day), &records),
            };
            writing.doubtful = Some(doubtful);
            writing.calls_insert(day, &calls, &changes).await.unwrap();
            assert_eq!(recorded(&log.place).await, 2);
            // Others are written.
            writing.doubtful = Some(doubtful);
            let other = [call("c")];
            writing.calls_insert(day, &other, &changes).await.unwrap();
            assert_eq!(recorded(&log.place).await, 3);
            writing.close().await;
        }
    }
}
