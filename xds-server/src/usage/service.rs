//! What workers may tell, and what is answered of it.

use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::{
    BilledQuery, BilledUsage, Interval, Usage as WireUsage, UsageGrouping, UsageQuery, UsageSum,
};
use requestrocket_proto::usage::v1::usage_ledger_server::UsageLedger;
use requestrocket_proto::usage::v1::{Count, TellRequest, TellResponse, count};
use tokio::sync::{mpsc, oneshot};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::ledger::{Ledger, Told};
use super::{Grouping, Selection, Sum, WorkerId, hours, metrics};
use crate::store::usage::{
    CountKey, CountKind, Counted, usage_billed, usage_sum, usage_uncertain_list,
};
use crate::store::{Store, StoreFailed};

/// Messages that wait to be written; while so many do, others are refused and told again.
const WAITING: usize = 256;
/// Counts of one message; the filter sends half of that.
const MOST_COUNTS: usize = 10_000;
/// Sums of one answer about what is to be billed.
const MOST_BILLED: usize = 5_000;
/// What a worker's hour of a meter may come to, so that sums stay numbers: 36 thousand millions.
const MOST_MICROS: u64 = 1 << 55;

/// The usage of a region; a handle.
#[derive(Clone, Debug)]
pub struct Usage {
    store: Store,
    clock: Clock,
    told: mpsc::Sender<Told>,
}

impl Usage {
    /// Takes what workers tell into `store`, with a task of `tasks`.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn open(store: Store, clock: Clock, tasks: &TaskSet) -> Result<Self, StoreFailed> {
        metrics::describe();
        let (told, taken) = mpsc::channel(WAITING);
        let ledger = Ledger::open(store.clone(), clock.clone()).await?;
        let stopping = tasks.stopping();
        tasks.spawn("usage", async move {
            ledger.run(taken, stopping).await;
            Ok(())
        });
        Ok(Self { store, clock, told })
    }

    /// What is known of an organisation; none for a question that this version does not know, or
    /// whose answer is too long.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn answer(&self, query: &UsageQuery) -> Result<Option<WireUsage>, StoreFailed> {
        let Some(selection) = selection(query) else {
            return Ok(None);
        };
        let mut tx = self.store.begin().await?;
        let Some(sums) = usage_sum(&mut tx, &selection).await? else {
            return Ok(Some(WireUsage {
                is_too_much: true,
                ..WireUsage::default()
            }));
        };
        let range = (selection.from_ms, selection.to_ms);
        let mut uncertain = usage_uncertain_list(&mut tx, range).await?;
        for start_ms in &mut uncertain {
            *start_ms -= *start_ms % selection.span_ms;
        }
        uncertain.dedup();
        Ok(Some(WireUsage {
            sums: sums.into_iter().map(Sum::into_wire).collect(),
            uncertain_ms: uncertain,
            is_too_much: false,
        }))
    }

    /// What is to be billed: sums of every organisation.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn billed(&self, query: BilledQuery) -> Result<BilledUsage, StoreFailed> {
        let BilledQuery { from_ms, after } = query;
        let after = after.unwrap_or_default();
        let mut tx = self.store.begin().await?;
        let mut sums = usage_billed(&mut tx, (from_ms, &after), MOST_BILLED + 1).await?;
        let is_more = sums.len() > MOST_BILLED;
        sums.truncate(MOST_BILLED);
        Ok(BilledUsage { sums, is_more })
    }

    fn parse(&self, request: TellRequest) -> Result<(WorkerId, Vec<(CountKey, Counted)>), Status> {
        let TellRequest { worker_id, counts } = request;
        let invalid = || Status::invalid_argument("what is told is no usage");
        let worker = WorkerId(worker_id[..].try_into().map_err(|_| invalid())?);
        if counts.len() > MOST_COUNTS {
            return Err(invalid());
        }
        let now_ms = self.clock.unix_ms();
        let mut parsed = Vec::with_capacity(counts.len());
        for count in counts {
            let (key, counted) = counted(worker, &count).ok_or_else(invalid)?;
            if hours::is_open(key.start_ms, now_ms) {
                parsed.push((key, counted));
            } else {
                // Refused, the worker would tell it again and again.
                metrics::late();
            }
        }
        Ok((worker, parsed))
    }
}

#[tonic::async_trait]
impl UsageLedger for Usage {
    async fn tell(&self, request: Request<TellRequest>) -> Result<Response<TellResponse>, Status> {
        let (worker, counts) = self.parse(request.into_inner())?;
        let (answer, answered) = oneshot::channel();
        let told = Told {
            worker,
            counts,
            answer,
        };
        let full = |_| Status::resource_exhausted("too much waits to be stored");
        self.told.try_send(told).map_err(full)?;
        let lost = |_| Status::unavailable("usage cannot be stored now");
        answered.await.map_err(lost)?;
        Ok(Response::new(TellResponse {}))
    }
}

impl Sum {
    fn into_wire(self) -> UsageSum {
        let Self {
            start_ms,
            id,
            admitted,
            refused,
            value_micros,
        } = self;
        UsageSum {
            start_ms,
            id,
            admitted,
            refused,
            value_micros,
        }
    }
}

fn counted(worker: WorkerId, wire: &Count) -> Option<(CountKey, Counted)> {
    let Count {
        start_ms,
        organisation_id,
        proxy_id,
        of,
        admitted,
        refused,
        value_micros,
    } = wire;
    let (kind, share) = match of.as_ref()? {
        count::Of::CredentialId(id) => (CountKind::Credential, id),
        count::Of::MeterId(id) => (CountKind::Meter, id),
    };
    let key = CountKey {
        worker,
        organisation: Uuid::from_slice(organisation_id).ok()?,
        start_ms: *start_ms,
        proxy: Uuid::from_slice(proxy_id).ok()?,
        kind,
        share: Uuid::from_slice(share).ok()?,
    };
    let counted = Counted {
        admitted: *admitted,
        refused: *refused,
        value_micros: (*value_micros).min(MOST_MICROS),
    };
    Some((key, counted))
}

fn selection(query: &UsageQuery) -> Option<Selection> {
    let span_ms = match Interval::try_from(query.interval).ok()? {
        Interval::Unspecified | Interval::Minute => return None,
        Interval::Hour => hours::HOUR_MS,
        Interval::Day => 24 * hours::HOUR_MS,
    };
    Some(Selection {
        organisation: query.organisation_id.parse().ok()?,
        from_ms: query.from_ms,
        to_ms: query.to_ms,
        span_ms,
        grouping: match UsageGrouping::try_from(query.grouping).ok()? {
            UsageGrouping::Unspecified => Grouping::None,
            UsageGrouping::Proxy => Grouping::Proxy,
            UsageGrouping::Credential => Grouping::Credential,
            UsageGrouping::Meter => Grouping::Meter,
        },
    })
}
