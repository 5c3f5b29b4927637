//! Questions of the control plane that only the region can answer. They wait beside the batches.

use std::collections::VecDeque;

use anyhow::Context as _;
use requestrocket_proto::region::v1::{Answer, MeterUsageQuery, Query, answer, query};
use tokio::task::JoinSet;

use crate::access_log::CallLog;
use crate::audit::Vault;
use crate::meters::Meters;
use crate::target_tests::TargetTests;
use crate::terms::KnownTerms;
use crate::usage::Usage;

/// Questions that are looked into at a time; the region cannot say what others ask.
const MAX_OPEN: usize = 64;
/// Answers that wait for the wire; while so many do, no question is taken from it.
const MAX_READY: usize = 64;

/// Who knows the answers.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What meters counted.
    pub meters: Meters,
    /// What calls there were.
    pub calls: CallLog,
    /// What was let through.
    pub usage: Usage,
    /// What judged calls.
    pub terms: KnownTerms,
    /// How the control plane's audit logs ended.
    pub vault: Vault,
    /// Whether targets answer.
    pub targets: TargetTests,
}

/// Questions of one session, and the answers that were not sent yet.
pub(super) struct Queries {
    sources: Sources,
    /// Tasks: a question that has the store's lock goes on while the session waits for the store.
    open: JoinSet<Answer>,
    ready: VecDeque<Answer>,
}

impl Queries {
    /// None yet.
    pub(super) fn new(sources: Sources) -> Self {
        Self {
            sources,
            open: JoinSet::new(),
            ready: VecDeque::new(),
        }
    }

    /// Begins to look into a question.
    pub(super) fn ask(&mut self, query: Query) {
        let Query { query_id, kind } = query;
        let sources = self.sources.clone();
        match kind.filter(|_| self.open.len() < MAX_OPEN) {
            Some(kind) => {
                self.open.spawn(async move {
                    let kind = look_into(kind, &sources).await;
                    Answer { query_id, kind }
                });
            }
            None => self.ready.push_back(Answer {
                query_id,
                kind: None,
            }),
        }
    }

    /// Waits until one more question is answered; never ends while none is open.
    pub(super) async fn progress(&mut self) {
        match self.open.join_next().await {
            Some(Ok(answer)) => self.ready.push_back(answer),
            // Whoever asked waits no longer than for a region that is away.
            Some(Err(error)) => tracing::error!(%error, "a question ended without an answer"),
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
async fn look_into(kind: query::Kind, sources: &Sources) -> Option<answer::Kind> {
    match find(kind, sources).await {
        Ok(answer) => answer,
        Err(error) => {
            let error: &dyn std::error::Error = error.as_ref();
            tracing::warn!(error, "a question of the control plane stays open");
            None
        }
    }
}

async fn find(kind: query::Kind, sources: &Sources) -> anyhow::Result<Option<answer::Kind>> {
    let Sources {
        meters,
        calls,
        usage,
        terms,
        vault,
        targets,
    } = sources;
    let answer = match kind {
        query::Kind::MeterUsage(MeterUsageQuery { meter_id }) => {
            let usage = meters.usage(&meter_id).await;
            return Ok(usage.map(answer::Kind::MeterUsage));
        }
        query::Kind::Records(query) => {
            let found = calls.search(&query).await;
            answer::Kind::Records(found.context("calls cannot be searched")?)
        }
        query::Kind::Arrivals(query) => {
            let found = calls.arrivals(&query).await;
            answer::Kind::Arrivals(found.context("calls cannot be followed")?)
        }
        query::Kind::Usage(query) => {
            let told = usage.answer(&query).await;
            return Ok(told
                .context("usage cannot be read")?
                .map(answer::Kind::Usage));
        }
        query::Kind::Billed(query) => {
            let told = usage.billed(query).await;
            answer::Kind::Billed(told.context("usage cannot be read")?)
        }
        query::Kind::Telemetry(query) => {
            let told = calls.telemetry(&query).await;
            let told = told.context("telemetry cannot be read")?;
            return Ok(told.map(answer::Kind::Telemetry));
        }
        query::Kind::Terms(query) => {
            let kept = terms.answer(&query).await;
            answer::Kind::Terms(kept.context("what judged a call cannot be read")?)
        }
        query::Kind::TargetTest(query) => {
            let test = targets.answer(query).await;
            let test = test.context("a target cannot be tested")?;
            return Ok(test.map(answer::Kind::TargetTest));
        }
        query::Kind::Audit(query) => {
            let kept = vault.answer(&query).await;
            answer::Kind::Audit(kept.context("checkpoints cannot be kept or read")?)
        }
    };
    Ok(Some(answer))
}
