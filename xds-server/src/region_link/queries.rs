//! Questions of the control plane that only the region can answer. They wait beside the batches.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use requestrocket_proto::region::v1::{Answer, MeterUsageQuery, Query, answer, query};

use crate::access_log::CallLog;
use crate::meters::Meters;
use crate::terms::KnownTerms;
use crate::usage::Usage;

/// Questions that are looked into at a time; the region cannot say what others ask.
const MAX_OPEN: usize = 64;
/// Answers that wait for the wire; while so many do, no question is taken from it.
const MAX_READY: usize = 64;

/// Questions of one session, and the answers that were not sent yet.
pub(super) struct Queries {
    meters: Meters,
    calls: CallLog,
    usage: Usage,
    terms: KnownTerms,
    open: FuturesUnordered<BoxFuture<'static, Answer>>,
    ready: VecDeque<Answer>,
}

impl Queries {
    /// None yet.
    pub(super) fn new(meters: Meters, calls: CallLog, usage: Usage, terms: KnownTerms) -> Self {
        Self {
            meters,
            calls,
            usage,
            terms,
            open: FuturesUnordered::new(),
            ready: VecDeque::new(),
        }
    }

    /// Begins to look into a question.
    pub(super) fn ask(&mut self, query: Query) {
        let Query { query_id, kind } = query;
        let (meters, calls) = (self.meters.clone(), self.calls.clone());
        let (usage, terms) = (self.usage.clone(), self.terms.clone());
        match kind.filter(|_| self.open.len() < MAX_OPEN) {
            Some(kind) => self.open.push(Box::pin(async move {
                let kind = look_into(kind, (&meters, &calls, &usage, &terms)).await;
                Answer { query_id, kind }
            })),
            None => self.ready.push_back(Answer {
                query_id,
                kind: None,
            }),
        }
    }

    /// Waits until one more question is answered; never ends while none is open.
    pub(super) async fn progress(&mut self) {
        match self.open.next().await {
            Some(answer) => self.ready.push_back(answer),
            // At once ready, it would have the session's `select!` spin.
            None => std::future::pending().await,
        }
    }

    /// Whether the wire may bring more questions.
    pub(super) fn has_place(&self) -> bool {
        self.ready.len() < MAX_READY
    }

    /// Whether an answer waits to be sent.
    pub(super) fn is_any(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The answer to send next.
    pub(super) fn next(&mut self) -> Option<Answer> {
        self.ready.pop_front()
    }
}

/// None: the region cannot say.
async fn look_into(
    kind: query::Kind,
    (meters, calls, usage, terms): (&Meters, &CallLog, &Usage, &KnownTerms),
) -> Option<answer::Kind> {
    match kind {
        query::Kind::MeterUsage(MeterUsageQuery { meter_id }) => {
            let usage = meters.usage(&meter_id).await?;
            Some(answer::Kind::MeterUsage(usage))
        }
        query::Kind::Records(query) => match calls.search(&query).await {
            Ok(records) => Some(answer::Kind::Records(records)),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "calls could not be searched");
                None
            }
        },
        query::Kind::Usage(query) => match usage.answer(&query).await {
            Ok(told) => told.map(answer::Kind::Usage),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "usage could not be read");
                None
            }
        },
        query::Kind::Terms(query) => match terms.answer(&query).await {
            Ok(terms) => Some(answer::Kind::Terms(terms)),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "what judged a call could not be read");
                None
            }
        },
        query::Kind::Telemetry(query) => match calls.telemetry(&query).await {
            Ok(told) => told.map(answer::Kind::Telemetry),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "telemetry could not be read");
                None
            }
        },
        query::Kind::Arrivals(query) => match calls.arrivals(&query).await {
            Ok(arrivals) => Some(answer::Kind::Arrivals(arrivals)),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "calls could not be followed");
                None
            }
        },
    }
}
