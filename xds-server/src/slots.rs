//! Which of its two secrets a target credential gives to targets: the second one from its moment on,
//! and the first one again when targets refuse the second.
//!
//! Invariant: what is decided here is in the store before anybody is told.

mod counts;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use requestrocket_proto::region::v1 as region;
use tokio::sync::watch;

use crate::records::record::NextSecret;

pub use self::task::{SlotWatch, start};

/// Failures of one message.
const FAILURES_A_MESSAGE: usize = 1_000;

/// How the second secret of a credential stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotState {
    /// Of the secret.
    pub version: u64,
    /// Unix time in milliseconds; 0: not before somebody says so.
    pub given_from_ms: u64,
    /// Targets are given it.
    pub is_given: bool,
    /// Unix time in milliseconds; 0: targets have not refused it.
    pub failed_at_ms: u64,
}

/// By credential id; those without a second secret are absent.
pub type Slots = OrdMap<Arc<str>, SlotState>;

/// How the second secrets stand now. Cheap to clone, and the same for all clones.
#[derive(Clone, Debug)]
pub struct SlotRegister(Arc<watch::Sender<Slots>>);

impl Default for SlotRegister {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }
}

impl SlotRegister {
    /// How they stand, and word of every change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Slots> {
        self.0.subscribe()
    }

    /// These are all there are.
    pub fn replace(&self, all: &BTreeMap<String, NextSecret>) {
        let next = all.iter();
        let next = next.map(|(id, next)| (Arc::from(id.as_str()), state(next)));
        self.0.send_replace(next.collect::<Slots>());
    }

    /// What these credentials have; some have none.
    pub fn update<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a String>,
        rows: &BTreeMap<String, NextSecret>,
    ) {
        self.0.send_if_modified(|slots| {
            let mut is_changed = false;
            for id in ids {
                let before = slots.get(id.as_str()).copied();
                let after = rows.get(id).map(state);
                is_changed |= before != after;
                match after {
                    Some(after) => slots.insert(id.as_str().into(), after),
                    None => slots.remove(id.as_str()),
                };
            }
            is_changed
        });
    }
}

fn state(next: &NextSecret) -> SlotState {
    let NextSecret {
        version,
        secret: _,
        given_from_ms,
        is_given,
        failed_at_ms,
    } = next;
    SlotState {
        version: *version,
        given_from_ms: *given_from_ms,
        is_given: *is_given,
        failed_at_ms: *failed_at_ms,
    }
}

/// Which second secrets failed in `after` and not in `before`, in messages; `None`: nothing was told
/// yet.
#[must_use]
pub fn told(before: Option<&Slots>, after: &Slots) -> Vec<region::SlotFailures> {
    let was_told = |id: &Arc<str>, state: &SlotState| {
        let before = before.and_then(|before| before.get(id));
        before == Some(state)
    };
    let failed = after.iter().filter(|(_, state)| state.failed_at_ms != 0);
    let failures: Vec<_> = failed
        .filter(|(id, state)| !was_told(id, state))
        .map(|(id, state)| region::SlotFailure {
            credential_id: id.to_string(),
            version: state.version,
            failed_at_ms: state.failed_at_ms,
        })
        .collect();
    let messages = failures.chunks(FAILURES_A_MESSAGE);
    let messages = messages.map(|failures| region::SlotFailures {
        failures: failures.to_vec(),
    });
    messages.collect()
}

#[cfg(test)]
mod tests;
