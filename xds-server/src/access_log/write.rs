//! The one writer of the log: takes what waits, and commits it together.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use requestrocket_process::clock::Clock;
use time::Date;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::call::{Call, LogFailed};
use super::day::{DAY_MS, day_of};
use super::metrics;
use super::numbers::{Changes, Numbers, lock};
use super::place::Place;
use super::retention::Retention;
use super::room::Room;
use super::sink::Sink;
use super::telemetry::Uncounted;

/// Calls of one commit, about.
const TOGETHER: usize = 4_096;
/// Between two tries to write what could not be written.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks for what is too old.
const HOUSE: Duration = Duration::from_mins(1);

/// Writes; holds the connection.
#[derive(Debug)]
pub(super) struct Writer {
    sink: Sink,
    retention: Retention,
    clock: Clock,
    /// What is known of workers and was not written yet.
    changes: Changes,
    house_at_ms: u64,
    room: Room,
    /// There is no room for more than others need of the disk, or today's calls alone are more than
    /// is to be kept: no more are, and they count as lost.
    is_full: bool,
    /// When it was last looked.
    has_disk: bool,
    uncounted: Uncounted,
}

impl Writer {
    /// Opens the log; says what is known of workers.
    pub(super) async fn open(
        place: &Place,
        retention: Retention,
        clock: Clock,
        uncounted: Uncounted,
    ) -> Result<(Self, Numbers), LogFailed> {
        let (sink, numbers, changes) = Sink::open(place, &clock).await?;
        metrics::missing(numbers.missing());
        let room = Room::new(retention.bytes, clock.now().date());
        let writer = Self {
            sink,
            retention,
            clock,
            changes,
            house_at_ms: 0,
            room,
            is_full: false,
            has_disk: true,
            uncounted,
        };
        Ok((writer, numbers))
    }

    /// Writes until nothing more can come and nothing waits.
    pub(super) async fn run(
        mut self,
        mut taken: mpsc::Receiver<Vec<Call>>,
        numbers: &Mutex<Numbers>,
        stopping: CancellationToken,
    ) {
        loop {
            let waited = tokio::select! {
                waited = taken.recv() => waited,
                // What is too old goes, also where nobody calls.
                () = tokio::time::sleep(HOUSE) => {
                    self.keep_house(numbers).await;
                    continue;
                }
            };
            let Some(mut calls) = waited else { break };
            while calls.len() < TOGETHER
                && let Ok(more) = taken.try_recv()
            {
                calls.extend(more);
            }
            self.keep_house(numbers).await;
            if self.has_room() {
                metrics::left_out(self.room.sift(&mut calls));
                self.write(calls, numbers, &stopping).await;
            } else {
                metrics::left_out(calls.len());
            }
        }
        self.sink.close().await;
    }

    /// Tries until it is done: meanwhile Envoys keep what there is, as far as they have room.
    async fn write(
        &mut self,
        calls: Vec<Call>,
        numbers: &Mutex<Numbers>,
        stopping: &CancellationToken,
    ) {
        for (day, calls) in by_day(calls) {
            self.see(&calls, numbers);
            while let Err(error) = self.write_day(day, &calls).await {
                failed(&error);
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = stopping.cancelled() => return,
                }
            }
            metrics::recorded(calls.len());
            self.uncounted.add(day);
        }
    }

    /// What is missed is known at once; it is written with the calls.
    fn see(&mut self, calls: &[Call], numbers: &Mutex<Numbers>) {
        let now_ms = self.clock.unix_ms();
        let mut numbers = lock(numbers);
        for number in calls.iter().filter_map(|call| call.number) {
            numbers.see(number, now_ms, &mut self.changes);
        }
        metrics::missing(numbers.missing());
    }

    async fn write_day(&mut self, day: Date, calls: &[Call]) -> Result<(), LogFailed> {
        self.sink.calls_insert(day, calls, &self.changes).await?;
        self.changes = Changes::default();
        Ok(())
    }

    /// Whether anything can be recorded now.
    fn has_room(&mut self) -> bool {
        // What cannot be found out shows when it is written.
        let has_disk = self.sink.has_disk().unwrap_or(true);
        if !has_disk && self.has_disk {
            tracing::error!("the disk is nearly full: calls are not recorded");
        }
        self.has_disk = has_disk;
        has_disk && !self.is_full
    }

    async fn keep_house(&mut self, numbers: &Mutex<Numbers>) {
        let now_ms = self.clock.unix_ms();
        if now_ms < self.house_at_ms {
            return;
        }
        self.house_at_ms = now_ms.saturating_add(HOUSE.as_millis().try_into().unwrap_or(u64::MAX));
        let today = self.clock.now().date();
        let oldest_ms = now_ms.saturating_sub(DAY_MS * u64::from(self.retention.days));
        // That is written with the next calls.
        {
            let mut known = lock(numbers);
            known.forget_before(oldest_ms, &mut self.changes);
            metrics::missing(known.missing());
        }
        match self.sink.drop_old(self.retention, today).await {
            Ok(bytes) => {
                self.room.set_size(bytes, today);
                let is_full = bytes > self.retention.bytes;
                if is_full && !self.is_full {
                    tracing::error!("the log of calls is full: no more are recorded today");
                }
                self.is_full = is_full;
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "what is too old of the log of calls could not be dropped"
                );
            }
        }
    }
}

fn failed(error: &LogFailed) {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "calls could not be recorded");
    metrics::delayed();
}

fn by_day(calls: Vec<Call>) -> BTreeMap<Date, Vec<Call>> {
    let mut days: BTreeMap<Date, Vec<Call>> = BTreeMap::new();
    for call in calls {
        days.entry(day_of(call.record.completed_at_ms))
            .or_default()
            .push(call);
    }
    days
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use requestrocket_process::tasks::TaskSet;
    use requestrocket_proto::record::v1::Record;
    use requestrocket_proto::region::v1::RecordsQuery;
    use time::macros::datetime;

    use super::super::CallLog;
    use super::super::fixtures::TestLog;
    use super::super::numbers::{GRACE_MS, Number};
    use super::super::retention;
    use super::*;

    const RETENTION: Retention = Retention {
        days: 2,
        bytes: 1 << 30,
    };

    fn call(number: u64, clock: &Clock) -> Call {
        Call {
            record: Record {
                request_id: format!("id-{number}"),
                organisation_id: "home".to_owned(),
                completed_at_ms: clock.unix_ms(),
                ..Record::default()
            },
            number: Some(Number {
                worker: [1; 16],
                number,
            }),
        }
    }

    async fn found(log: &CallLog) -> (u64, u64) {
        let query = RecordsQuery {
            organisation_id: "home".to_owned(),
            limit: 1,
            ..RecordsQuery::default()
        };
        let found = log.search(&query).await.unwrap();
        (found.recorded, found.lost)
    }

    /// Writes these in one run of the process.
    async fn run(place: &Place, clock: &Clock, numbers: &[u64]) -> (u64, u64) {
        run_keeping(RETENTION, place, clock, numbers).await
    }

    async fn run_keeping(
        retention: Retention,
        place: &Place,
        clock: &Clock,
        numbers: &[u64],
    ) -> (u64, u64) {
        let tasks = TaskSet::default();
        let open = CallLog::open(place.clone(), retention, clock.clone(), &tasks);
        let (log, inlet) = open.await.unwrap();
        for number in numbers {
            inlet.write(vec![call(*number, clock)]).await.unwrap();
        }
        // What waits is written before the end.
        drop(inlet);
        tasks.shutdown().await;
        found(&log).await
    }

    #[tokio::test]
    async fn what_was_missed_is_known_after_a_restart_and_what_comes_late_is_not_missed() {
        for log in TestLog::each().await {
            let clock = Clock::manual(datetime!(2026-11-29 12:00 UTC));
            assert_eq!(run(&log.place, &clock, &[1, 2, 6]).await, (3, 0));
            clock.advance(Duration::from_millis(GRACE_MS));
            assert_eq!(run(&log.place, &clock, &[]).await, (3, 3));
            assert_eq!(run(&log.place, &clock, &[4, 7]).await, (5, 2));
            // On the next day, too.
            clock.advance(Duration::from_hours(12));
            assert_eq!(run(&log.place, &clock, &[3, 5]).await, (7, 0));
        }
    }

    /// A process that is killed may have written its calls and not yet their numbers.
    #[tokio::test]
    async fn numbers_that_were_not_written_with_their_calls_are_known_all_the_same() {
        let log = TestLog::files();
        let clock = Clock::manual(datetime!(2026-11-29 23:59 UTC));
        assert_eq!(run(&log.place, &clock, &[1, 2]).await, (2, 0));
        let numbers = log.db.folder().join("calls/numbers.db");
        let before = std::fs::read(&numbers).unwrap();
        assert_eq!(run(&log.place, &clock, &[3, 5]).await, (4, 0));
        std::fs::write(&numbers, before).unwrap();
        clock.advance(Duration::from_millis(GRACE_MS));
        assert_eq!(run(&log.place, &clock, &[6]).await, (5, 0));
        clock.advance(Duration::from_millis(GRACE_MS));
        assert_eq!(run(&log.place, &clock, &[]).await, (5, 1));
    }

    /// Whoever calls often does not fill the disk, and what is not recorded is missed.
    #[tokio::test]
    async fn when_today_alone_is_too_much_no_more_is_recorded() {
        for log in TestLog::each().await {
            let clock = Clock::manual(datetime!(2026-11-29 12:00 UTC));
            assert_eq!(run(&log.place, &clock, &[1]).await, (1, 0));
            let none = Retention {
                bytes: 1,
                ..RETENTION
            };
            let full = run_keeping(none, &log.place, &clock, &[2, 3]).await;
            assert_eq!(full, (1, 0));
            assert_eq!(run(&log.place, &clock, &[4]).await, (2, 0));
            clock.advance(Duration::from_millis(GRACE_MS));
            assert_eq!(run(&log.place, &clock, &[]).await, (2, 2));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_written_later() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shown = recorder.handle();
        let _recorded = ::metrics::set_default_local_recorder(&recorder);
        let files = TestLog::files();
        let clock = Clock::manual(datetime!(2026-11-29 12:00 UTC));
        let tasks = TaskSet::default();
        let open = CallLog::open(files.place.clone(), RETENTION, clock.clone(), &tasks);
        let (log, inlet) = open.await.unwrap();
        // A day whose file is no file.
        clock.advance(Duration::from_hours(24));
        let blocked = retention::path(&files.db.folder().join("calls"), clock.now().date());
        std::fs::create_dir(&blocked).unwrap();
        inlet.write(vec![call(1, &clock)]).await.unwrap();
        while !shown.render().contains("rr_call_log_failures_total 1") {
            tokio::task::yield_now().await;
        }
        std::fs::remove_dir(&blocked).unwrap();
        while found(&log).await != (1, 0) {
            tokio::task::yield_now().await;
        }
        drop(inlet);
        tasks.shutdown().await;
    }
    #[tokio::test]
    async fn days_that_are_too_old_are_dropped_whole() {
        for log in TestLog::each().await {
            let clock = Clock::manual(datetime!(2026-11-26 12:00 UTC));
            for number in 1..=4 {
                run(&log.place, &clock, &[number]).await;
                clock.advance(Duration::from_hours(24));
            }
            // Two days are kept, and the next one has begun.
            assert_eq!(run(&log.place, &clock, &[5]).await, (2, 0));
            let days = log.place.days().await.unwrap();
            assert_eq!(days.len(), 2, "{days:?}");
        }
    }
}
