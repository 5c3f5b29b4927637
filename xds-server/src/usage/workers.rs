//! Who tells, and who does not any more. Pure: time is an argument.

use std::collections::BTreeMap;

use super::{WorkerId, hours};

/// A worker tells at least once a second; one that has not for so long has ended.
const SILENCE_MS: u64 = 10_000;
/// What it told last was of what it had let through by then; what came after is of this time.
const UNTOLD_MS: u64 = 1_000;
/// What is stored may be older by so much: after a restart everything since then is doubtful.
const STALE_MS: u64 = 10_000;
/// Workers that are told apart; of others nobody knows when they end.
const MOST: usize = 4_096;

#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "units stand in names")]
struct Heard {
    /// Unix time in milliseconds: it may have let calls through from then on that nobody knows of,
    since_ms: u64,
    /// until then.
    until_ms: u64,
    /// By the steady clock.
    steady_ms: u64,
    /// `since_ms` as it is stored.
    stored_ms: Option<u64>,
}

/// All that were heard.
#[derive(Debug, Default)]
pub(super) struct Workers(BTreeMap<WorkerId, Heard>);

impl Workers {
    /// One that was heard before this process began.
    pub(super) fn restore(&mut self, worker: WorkerId, heard_ms: u64, now_ms: u64) {
        // It may have gone on until now.
        let heard = Heard {
            since_ms: heard_ms,
            until_ms: now_ms.max(heard_ms),
            steady_ms: 0,
            stored_ms: Some(heard_ms),
        };
        self.0.insert(worker, heard);
    }

    /// It is there.
    pub(super) fn hear(&mut self, worker: WorkerId, now_ms: u64, steady_ms: u64) {
        let known = self.0.get(&worker);
        if known.is_none() && self.0.len() >= MOST {
            return;
        }
        let heard = Heard {
            since_ms: now_ms.saturating_sub(UNTOLD_MS),
            until_ms: now_ms.saturating_add(UNTOLD_MS),
            steady_ms,
            stored_ms: known.and_then(|known| known.stored_ms),
        };
        self.0.insert(worker, heard);
    }

    /// What is to be stored of those that are there.
    pub(super) fn unstored(&self) -> Vec<(WorkerId, u64)> {
        let is_stale = |heard: &Heard| {
            let stored_ms = heard.stored_ms;
            stored_ms.is_none_or(|stored| stored.saturating_add(STALE_MS) <= heard.since_ms)
        };
        let unstored = self.0.iter().filter(|(_, heard)| is_stale(heard));
        unstored.map(|(id, heard)| (*id, heard.since_ms)).collect()
    }

    /// It is stored.
    pub(super) fn are_stored(&mut self, stored: &[(WorkerId, u64)]) {
        for (id, since_ms) in stored {
            if let Some(heard) = self.0.get_mut(id) {
                heard.stored_ms = Some(*since_ms);
            }
        }
    }

    /// Those that have ended, with the hours that may miss something.
    pub(super) fn ended(&self, steady_ms: u64) -> Vec<(WorkerId, Vec<u64>)> {
        let is_silent = |heard: &Heard| steady_ms >= heard.steady_ms.saturating_add(SILENCE_MS);
        let ended = self.0.iter().filter(|(_, heard)| is_silent(heard));
        ended
            .map(|(id, heard)| {
                let hours = hours::between(heard.since_ms, heard.until_ms);
                (*id, hours.collect())
            })
            .collect()
    }

    /// Their ends are stored.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        self.0.remove(&worker);
    }
}
