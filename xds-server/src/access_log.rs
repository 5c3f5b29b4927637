//! The log of every call: Envoys tell of calls that are over, records are made of that and kept in
//! the region, a file or a partition for each UTC day.
//!
//! Invariants: no call waits for its record; what a record holds was masked before it came here.

mod call;
mod chain;
mod day;
#[cfg(test)]
mod fixtures;
mod known;
mod listeners;
mod metrics;
mod numbers;
mod place;
mod postgres;
mod reader;
mod record;
mod retention;
mod room;
mod search;
mod seen;
mod service;
mod sink;
mod sql;
mod telemetry;
mod verify;
mod write;

use std::ops::Range;
use std::sync::{Arc, Mutex};

use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::{
    Arrivals, ArrivalsQuery, Records, RecordsQuery, Telemetry, TelemetryQuery,
};
use tokio::sync::mpsc;
use tonic::Status;

use self::call::Call;
pub use self::call::LogFailed;
pub use self::listeners::Listeners;
use self::numbers::{Numbers, lock};
pub use self::place::Place;
pub use self::retention::Retention;
pub use self::seen::with_buckets;
pub use self::service::AccessLogs;
use self::telemetry::Uncounted;
pub use self::verify::verify;
use self::write::Writer;

/// Messages of Envoys that wait to be written; while so many do, none is read. One may be as large as
/// what an Envoy keeps for us.
const WAITING: usize = 2;

/// Where records are found; cheap to clone.
#[derive(Clone, Debug)]
pub struct CallLog {
    place: Place,
    clock: Clock,
    numbers: Arc<Mutex<Numbers>>,
}

/// Takes calls into the log. Its writer ends when this is gone, and what it took is written.
#[derive(Debug)]
pub struct Inlet(mpsc::Sender<Vec<Call>>);

impl CallLog {
    /// Opens the log in `place` and begins to write what comes in by the inlet.
    ///
    /// # Errors
    /// The folder or the newest file in it cannot be used, or the database.
    pub async fn open(
        place: Place,
        retention: Retention,
        clock: Clock,
        tasks: &TaskSet,
    ) -> Result<(Self, Inlet), LogFailed> {
        metrics::describe();
        seen::describe();
        let (waiting, taken) = mpsc::channel(WAITING);
        let uncounted = Uncounted::default();
        let (writer, numbers) =
            Writer::open(&place, retention, clock.clone(), uncounted.clone()).await?;
        telemetry::start(&place, uncounted, clock.clone(), tasks).await?;
        let numbers = Arc::new(Mutex::new(numbers));
        let stopping = tasks.stopping();
        let told = Arc::clone(&numbers);
        tasks.spawn("log of calls", async move {
            writer.run(taken, &told, stopping).await;
            Ok(())
        });
        let log = Self {
            place,
            clock,
            numbers,
        };
        Ok((log, Inlet(waiting)))
    }

    /// What is found of an organisation's calls.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn search(&self, query: &RecordsQuery) -> Result<Records, LogFailed> {
        let mut found = match search::search(&self.place, query).await {
            Ok(found) => found,
            Err(LogFailed::TooMuch) => {
                return Ok(Records {
                    is_too_much: true,
                    ..Records::default()
                });
            }
            Err(failed) => return Err(failed),
        };
        found.lost = lock(&self.numbers).lost(
            query.from_ms.unwrap_or(0)..query.to_ms.unwrap_or(u64::MAX),
            self.clock.unix_ms(),
        );
        Ok(found)
    }

    /// What an organisation's calls come to; none for a question that this version does not know.
    ///
    /// # Errors
    /// The sums cannot be read, or it takes too long.
    pub async fn telemetry(&self, query: &TelemetryQuery) -> Result<Option<Telemetry>, LogFailed> {
        let Some(mut told) = telemetry::answer(&self.place, query).await? else {
            return Ok(None);
        };
        let during = query.from_ms..query.to_ms;
        told.lost += lock(&self.numbers).lost(during, self.clock.unix_ms());
        Ok(Some(told))
    }

    /// Numbered calls that were missed in that time (Unix time in milliseconds), and whose records
    /// did not come within a minute.
    #[must_use]
    pub fn lost(&self, during: Range<u64>) -> u64 {
        lock(&self.numbers).lost(during, self.clock.unix_ms())
    }

    /// What came of an organisation's calls, or is to come from now on.
    ///
    /// # Errors
    /// A file cannot be read, or the question is not whole.
    pub async fn arrivals(&self, query: &ArrivalsQuery) -> Result<Arrivals, LogFailed> {
        search::arrivals(&self.place, query).await
    }
}

impl Inlet {
    /// Hands calls to the writer; waits while that has enough to do.
    async fn write(&self, calls: Vec<Call>) -> Result<(), Status> {
        let closed = |_| Status::unavailable("the region server stops");
        self.0.send(calls).await.map_err(closed)
    }
}
