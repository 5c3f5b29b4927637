//! Reads the log behind its writer, and adds up what it finds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use prost::Message as _;
use requestrocket_process::clock::Clock;
use requestrocket_proto::record::v1::Record;
use requestrocket_summary::Summary;
use time::Date;
use tokio_util::sync::CancellationToken;

use super::super::call::LogFailed;
use super::super::place::Place;
use super::super::reader::Reader;
use super::span::Span;
use super::store::{Key, Share, Sums};
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
    place: Place,
    sums: Sums,
    uncounted: Uncounted,
    clock: Clock,
    house_at_ms: u64,
}

impl Follower {
    pub(super) async fn open(
        place: &Place,
        uncounted: Uncounted,
        clock: Clock,
    ) -> Result<Self, LogFailed> {
        Ok(Self {
            place: place.clone(),
            sums: Sums::open(place).await?,
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
        let Some(mut log) = self.place.open_to_read(day).await? else {
            return Ok(());
        };
        let mut position = self.sums.position_fetch(day).await?;
        if position > log.last_row().await? {
            // The day was dropped, and there is another one of it.
            position = 0;
        }
        loop {
            let records = records_fetch(&mut log, position).await?;
            let Some((last, _)) = records.last() else {
                return Ok(());
            };
            position = *last;
            let sums = summed(records.iter().map(|(_, record)| record));
            let left_out = self.sums.summaries_add(&sums, (day, position)).await?;
            metrics::counted(records.len(), left_out);
        }
    }

    pub(super) async fn keep_house(&mut self) {
        let now_ms = self.clock.unix_ms();
        if now_ms < self.house_at_ms {
            return;
        }
        self.house_at_ms = now_ms.saturating_add(HOUSE_MS);
        let forgotten = async {
            let days = self.place.days().await?;
            let today = self.clock.now().date();
            let oldest = days.first().map_or(today, |day| *day);
            self.sums.summaries_forget(now_ms, oldest).await
        };
        if let Err(error) = forgotten.await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "old telemetry could not be dropped");
        }
    }
}

/// Records behind a position, in the order in which they were committed.
async fn records_fetch(log: &mut Reader, position: i64) -> Result<Vec<(i64, Record)>, LogFailed> {
    let row = log.row();
    let mut select = log.calls(&format!("SELECT {row}, record"));
    select.push(&format!("{row} > ")).number(position);
    select.push(&format!(" ORDER BY {row} LIMIT "));
    select.number(TOGETHER);
    let rows: Vec<(i64, Vec<u8>)> = log.conn.fetch(select).await?;
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
