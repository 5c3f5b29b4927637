//! Takes requests whose turn it is.

use std::collections::BTreeMap;

use super::breaker::Passage;
use super::carrier::Carrier;
use super::fairness::{Candidate, Rate, shares};
use super::{LEASE_SLACK, Shared, ms};
use crate::store::StoreFailed;
use crate::store::queue::Ready;
use crate::store::queue::claim::{ready_claim, ready_due};
use crate::store::queue::target::{DueTarget, breaker_update, target_claimed, targets_due};

/// What a server has under way, and how much more it takes.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// Attempts by organisation.
    pub(super) busy: BTreeMap<String, u32>,
    /// Attempts that may begin.
    pub(super) free: u32,
    /// Sealed bytes that may be opened.
    pub(super) free_bytes: u64,
}

/// Requests that are leased from now on.
pub(super) async fn claim(
    shared: &Shared,
    carrier: &impl Carrier,
    mut load: Load,
) -> Result<Vec<Ready>, StoreFailed> {
    let (store, now_ms) = (&shared.store, shared.clock.unix_ms());
    let mut tx = store.begin().await?;
    let due = targets_due(&mut tx, store.dialect(), now_ms).await?;
    let candidates: Vec<Candidate> = due
        .iter()
        .map(|target| Candidate {
            organisation_id: target.organisation_id.clone(),
            target_id: target.target_id.clone(),
            room: room(target, carrier, now_ms),
        })
        .collect();
    let turns = shares(&load.busy, &candidates, load.free);
    let mut claimed = Vec::new();
    for target in &due {
        let Some(share) = turns.get(&target.target_id) else {
            continue;
        };
        let key = (target.target_id.as_str(), now_ms);
        let mut begun = 0;
        for ready in ready_due(&mut tx, store.dialect(), key, *share).await? {
            let Some(left) = load.free_bytes.checked_sub(ready.bytes) else {
                break;
            };
            let lease_ms = ready.timeout_ms.saturating_add(ms(LEASE_SLACK));
            if let Some(ready) = ready_claim(&mut tx, &ready, now_ms, lease_ms).await? {
                load.free_bytes = left;
                begun += 1;
                claimed.push(ready);
            }
        }
        if begun == 0 {
            continue;
        }
        let rate = Rate::of(carrier.pace(&target.target_id));
        let mark_us = target.rate_mark_us;
        let spent = rate.map_or(mark_us, |rate| rate.spent(mark_us, now_ms, begun));
        target_claimed(&mut tx, &target.target_id, spent, now_ms).await?;
        if target.breaker.passage(now_ms) == Passage::Probe {
            let probed = target.breaker.probed(now_ms);
            breaker_update(&mut tx, &target.target_id, probed).await?;
        }
    }
    tx.commit().await?;
    Ok(claimed)
}

/// How many more attempts a target takes now.
fn room(target: &DueTarget, carrier: &impl Carrier, now_ms: u64) -> u32 {
    let pace = carrier.pace(&target.target_id);
    let at_once = pace.concurrency.max(1).saturating_sub(target.busy);
    let at_once = match target.breaker.passage(now_ms) {
        Passage::All => at_once,
        Passage::Probe => at_once.min(1),
        Passage::Shut => 0,
    };
    Rate::of(pace).map_or(at_once, |rate| {
        at_once.min(rate.room(target.rate_mark_us, now_ms))
    })
}
