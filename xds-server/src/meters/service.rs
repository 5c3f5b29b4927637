//! The counting service of a region: takes requests apart, waits, answers.

use std::sync::Arc;
use std::time::Duration;

use requestrocket_policy::limit::{Counter, CounterKind, Grant, Report, Window};
use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::meter::v1::meter_sync_server::MeterSync;
use requestrocket_proto::meter::v1::{SyncRequest, SyncResponse};
use requestrocket_proto::region::v1::{MeterUsage, WindowUsage};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status};
use uuid::Uuid;

use super::memory::Memory;
use super::metrics::{self, Outcome};
use super::redis::Redis;
use super::totals::{At, Incarnation, Key, Request};
use super::{MAX_REPORTS, POLL_MS};
use crate::store::{Store, StoreFailed};

/// Questions that wait at a time; further ones are not answered.
const MAX_WAITING: usize = 4_096;

/// Counts of one region; a handle.
#[derive(Clone, Debug)]
pub struct Meters(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    backend: Backend,
    clock: Clock,
    started: Instant,
    waiting: Semaphore,
    stopping: CancellationToken,
}

#[derive(Debug)]
enum Backend {
    Memory(Memory),
    Redis(Redis),
}

/// Counting cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMeters {
    /// Stored counts cannot be read.
    #[error(transparent)]
    Store(#[from] StoreFailed),
    /// The URL names no Redis. It may hold a password and is not repeated.
    #[error("`redis_url` names no Redis")]
    Redis,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Not what the contract allows.
    #[error("{0}")]
    Invalid(&'static str),
    /// The counts cannot be had, or the server stops.
    #[error("counts cannot be had now")]
    Unavailable,
    /// Too many questions wait.
    #[error("too many questions wait")]
    Overloaded,
}

impl Meters {
    /// Counts in memory and in `store`, kept up by a task of `tasks`.
    ///
    /// # Errors
    /// The stored counts cannot be read.
    pub async fn in_memory(
        store: Store,
        clock: Clock,
        tasks: &TaskSet,
    ) -> Result<Self, InvalidMeters> {
        let started = Instant::now();
        let at = At {
            wall_ms: clock.unix_ms(),
            steady_ms: 0,
        };
        let backend = Backend::Memory(Memory::open(store, fresh_epoch(), at).await?);
        let meters = Self::new(backend, (clock, started), tasks.stopping());
        let keeper = meters.clone();
        tasks.spawn("meter counts", async move {
            if let Backend::Memory(memory) = &keeper.0.backend {
                let clock = || keeper.0.clock.unix_ms();
                memory.keep(clock, keeper.0.stopping.clone()).await;
            }
            Ok(())
        });
        Ok(meters)
    }

    /// Counts in Redis, which servers of the same region share.
    ///
    /// # Errors
    /// The URL names no Redis; one that is away is no error.
    pub fn in_redis(
        url: &str,
        region: &str,
        clock: Clock,
        stopping: CancellationToken,
    ) -> Result<Self, InvalidMeters> {
        let redis = Redis::new(url, region).map_err(|_| InvalidMeters::Redis)?;
        let backend = Backend::Redis(redis);
        Ok(Self::new(backend, (clock, Instant::now()), stopping))
    }

    fn new(
        backend: Backend,
        (clock, started): (Clock, Instant),
        stopping: CancellationToken,
    ) -> Self {
        metrics::describe();
        Self(Arc::new(Inner {
            backend,
            clock,
            started,
            waiting: Semaphore::new(MAX_WAITING),
            stopping,
        }))
    }

    /// What a meter counted in the windows that are open; none when it cannot be had.
    pub async fn usage(&self, meter_id: &str) -> Option<MeterUsage> {
        let counter = Counter {
            kind: CounterKind::Meter,
            id: Uuid::parse_str(meter_id).ok()?,
        };
        let now_ms = self.0.clock.unix_ms();
        let mut windows = Vec::new();
        for window in Window::ALL {
            let bounds = window.bounds(now_ms);
            let key = Key {
                counter,
                window,
                start_ms: bounds.start_ms,
            };
            windows.push(WindowUsage {
                window: window.to_wire().into(),
                start_ms: bounds.start_ms,
                end_ms: bounds.end_ms,
                used_micros: self.used_micros(&key).await?,
            });
        }
        Some(MeterUsage { windows })
    }

    async fn used_micros(&self, key: &Key) -> Option<u64> {
        match &self.0.backend {
            Backend::Memory(memory) => Some(memory.used_micros(key)),
            Backend::Redis(redis) => match redis.used_micros(key).await {
                Ok(used) => Some(used),
                Err(error) => {
                    tracing::warn!(%error, "Redis does not answer");
                    None
                }
            },
        }
    }

    /// Answers one request, after a wait when a lease of another Envoy must end first.
    ///
    /// # Errors
    /// The request is wrong, or cannot be answered now.
    pub async fn answer(&self, request: SyncRequest) -> Result<SyncResponse, Unanswered> {
        let request = self.parse(request)?;
        metrics::reports_taken(request.reports.len());
        let mut wait = None;
        // What is answered at the first look has not waited, however long the look takes.
        let mut steady_ms = request.received_ms;
        loop {
            if self.0.stopping.is_cancelled() {
                return Err(Unanswered::Unavailable);
            }
            if let (epoch, Some(grants)) = self.look(&request, steady_ms).await? {
                return Ok(SyncResponse {
                    grants: grants.into_iter().map(Grant::to_wire).collect(),
                    epoch,
                });
            }
            if wait.is_none() {
                let permit = self.0.waiting.try_acquire();
                let permit = permit.map_err(|_| Unanswered::Overloaded)?;
                wait = Some((permit, metrics::Waiting::begin()));
            }
            // Leases end by themselves, or on another server: nobody could notify.
            sleep(Duration::from_millis(POLL_MS)).await;
            steady_ms = self.steady_ms();
        }
    }

    async fn look(
        &self,
        request: &Request,
        steady_ms: u64,
    ) -> Result<(u32, Option<Vec<Grant>>), Unanswered> {
        let at = At {
            wall_ms: self.0.clock.unix_ms(),
            steady_ms,
        };
        match &self.0.backend {
            Backend::Memory(memory) => Ok((memory.epoch(), memory.sync(request, at))),
            Backend::Redis(redis) => redis.sync(request, at).await.map_err(|error| {
                tracing::warn!(%error, "Redis does not answer");
                Unanswered::Unavailable
            }),
        }
    }

    fn parse(&self, request: SyncRequest) -> Result<Request, Unanswered> {
        let SyncRequest {
            incarnation,
            reports,
            sent_at_ms,
        } = request;
        if reports.len() > MAX_REPORTS {
            return Err(Unanswered::Invalid("too many reports"));
        }
        let incarnation = Incarnation::from_bytes(&incarnation)
            .ok_or(Unanswered::Invalid("incarnation must be 16 bytes"))?;
        let reports = reports
            .into_iter()
            .map(Report::from_wire)
            .collect::<Option<_>>()
            .ok_or(Unanswered::Invalid("a report names no counter or window"))?;
        Ok(Request {
            incarnation,
            sent_at_ms,
            received_ms: self.steady_ms(),
            reports,
        })
    }

    fn steady_ms(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[tonic::async_trait]
impl MeterSync for Meters {
    async fn sync(
        &self,
        request: tonic::Request<SyncRequest>,
    ) -> Result<Response<SyncResponse>, Status> {
        let answer = self.answer(request.into_inner()).await;
        metrics::request_ended(match &answer {
            Ok(_) => Outcome::Answered,
            Err(Unanswered::Invalid(_)) => Outcome::Invalid,
            Err(Unanswered::Unavailable) => Outcome::Unavailable,
            Err(Unanswered::Overloaded) => Outcome::Overloaded,
        });
        Ok(Response::new(answer?))
    }
}

impl From<Unanswered> for Status {
    fn from(unanswered: Unanswered) -> Self {
        let text = unanswered.to_string();
        match unanswered {
            Unanswered::Invalid(_) => Self::invalid_argument(text),
            Unanswered::Unavailable => Self::unavailable(text),
            Unanswered::Overloaded => Self::resource_exhausted(text),
        }
    }
}

/// Another one for every start; never 0.
fn fresh_epoch() -> u32 {
    let (bits, ..) = Uuid::new_v4().as_fields();
    bits.max(1)
}

#[cfg(test)]
mod tests;
