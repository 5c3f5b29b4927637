//! Reads the log behind its writer, and adds up what it finds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message as _;
use requestrocket_process::clock::Clock;
use requestrocket_proto::record::v1::Record;
use requestrocket_summary::Summary;
use sqlx::{Connection as _, SqliteConnection};
use time::Date;
use tokio_util::sync::CancellationToken;

use super::super::call::LogFailed;
use super::super::day::{Reader, open_to_read};
use super::super::retention;
use super::span::Span;
use super::store::{self, Key, Share};
use super::{Uncounted, metrics};

/// Records of one commit.
const TOGETHER: i64 = 4_096;
/// Between two looks at the log: what comes meanwhile is committed together.
const PACE: Duration = Duration::from_secs(1);
/// Between two looks for what is too old.
const HOUSE_MS: u64 = 60_000;

/// Counts; holds the connection that writes sums.
#[derive(Debug)]
pub(super) struct Follower {
    folder: PathBuf,
    conn: SqliteConnection,
    uncounted: Uncounted,
    clock: Clock,
    house_at_ms: u64,
}

impl Follower {
    pub(super) async fn open(
        folder: &Path,
        uncounted: Uncounted,
        clock: Clock,
    ) -> Result<Self, LogFailed> {
        Ok(Self {
            folder: folder.to_owned(),
            conn: store::open(folder).await?,
            uncounted,
            clock,
            house_at_ms: 0,
        })
    }

    /// Counts until it is told to stop; what is not counted by then, the next run counts.
    pub(super) async fn run(mut self, stopping: CancellationToken) {
        let following = async {
            loop {
                let days = self.uncounted.take().await;
                self.follow(days).await;
                self.keep_house().await;
                tokio::time::sleep(PACE).await;
            }
        };
        // A transaction that is dropped is undone.
        tokio::select! {
            () = following => {}
            () = stopping.cancelled() => {}
        }
    }

    /// Counts what is new in these days; those that cannot be read are left for the next time.
    pub(super) async fn follow(&mut self, days: BTreeSet<Date>) {
        for day in days {
            if let Err(error) = self.follow_day(day).await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, %day, "calls are not counted yet");
                metrics::delayed();
                self.uncounted.add(day);
            }
        }
    }

    async fn follow_day(&mut self, day: Date) -> Result<(), LogFailed> {
        let path = retention::path(&self.folder, day);
        let Some(Reader { conn: mut log, .. }) = open_to_read(&path).await? else {
            return Ok(());
        };
        let mut position = store::position_fetch(&mut self.conn, day).await?;
        if position > last_position(&mut log).await? {
            // The file was dropped, and there is another one.
            position = 0;
        }
        loop {
            let records = records_fetch(&mut log, position).await?;
            let Some((last, _)) = records.last() else {
                break;
            };
            position = *last;
            let sums = summed(records.iter().map(|(_, record)| record));
            let left_out = store::summaries_add(&mut self.conn, &sums, (day, position)).await?;
            metrics::counted(records.len(), left_out);
        }
        log.close().await?;
        Ok(())
    }

    pub(super) async fn keep_house(&mut self) {
        let now_ms = self.clock.unix_ms();
        if now_ms < self.house_at_ms {
            return;
        }
        self.house_at_ms = now_ms.saturating_add(HOUSE_MS);
        let forgotten = async {
            let days = retention::days(&self.folder)?;
            let today = self.clock.now().date();
            let oldest = days.first().map_or(today, |file| file.day);
            store::summaries_forget(&mut self.conn, now_ms, oldest).await
        };
        if let Err(error) = forgotten.await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "old telemetry could not be dropped");
        }
    }
}

async fn last_position(log: &mut SqliteConnection) -> Result<i64, LogFailed> {
    let sql = "SELECT COALESCE(MAX(rowid), 0) FROM call";
    let (last,): (i64,) = sqlx::query_as(sql).fetch_one(log).await?;
    Ok(last)
}

/// Records behind a position, in the order in which they were committed.
async fn records_fetch(
    log: &mut SqliteConnection,
    position: i64,
) -> Result<Vec<(i64, Record)>, LogFailed> {
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT rowid, record FROM call WHERE rowid > $1 ORDER BY rowid LIMIT $2")
            .bind(position)
            .bind(TOGETHER)
            .fetch_all(log)
            .await?;
    let decoded = rows.into_iter().map(|(position, bytes)| {
        let record = Record::decode(&bytes[..]).map_err(|_| LogFailed::Damaged)?;
        Ok((position, record))
    });
    decoded.collect()
}

/// What records come to, in every span that they are in.
pub(super) fn summed<'a>(records: impl Iterator<Item = &'a Record>) -> BTreeMap<Key, Summary> {
    let mut minutes: BTreeMap<Key, Summary> = BTreeMap::new();
    for record in records {
        for share in shares(record) {
            let key = Key {
                span: Span::Minute,
                start_ms: Span::Minute.start_ms(record.completed_at_ms),
                organisation_id: record.organisation_id.clone(),
                share,
            };
            minutes.entry(key).or_default().add(record);
        }
    }
    let mut sums = minutes.clone();
    for (key, minute) in minutes {
        for span in [Span::Hour, Span::Day] {
            let start_ms = span.start_ms(key.start_ms);
            let key = Key {
                span,
                start_ms,
                ..key.clone()
            };
            sums.entry(key).or_default().merge(&minute);
        }
    }
    sums
}

fn shares(record: &Record) -> impl Iterator<Item = Share> {
    let proxy = Share::Proxy(record.proxy_id.clone());
    let credential = Some(&record.credential_id).filter(|id| !id.is_empty());
    let credential = credential.map(|id| Share::Credential(id.clone()));
    [Some(Share::All), Some(proxy), credential]
        .into_iter()
        .flatten()
}
