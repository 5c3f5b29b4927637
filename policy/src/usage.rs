//! What one worker let through, hour by hour, and what of it its region has (`requestrocket.usage.v1`).
//!
//! Counts only grow and are told as they are. Pure: time is an argument.

use std::collections::BTreeMap;

use prost::Message as _;
use requestrocket_proto::usage::v1 as wire;
use uuid::Uuid;

use crate::{
    id::{CredentialId, OrganisationId, ProxyId},
    limit::{Micros, Window},
};

/// Counts that are kept; beyond, an organisation's are counted as one.
const MOST: usize = 20_000;
/// Counts of one message.
const MOST_TOLD: usize = 5_000;

/// What is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Whose.
    pub organisation: OrganisationId,
    /// Of which proxy.
    pub proxy: ProxyId,
    /// Calls by what, or what a meter counted.
    pub of: Of,
}

/// A credential that callers used, or a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// Calls with it.
    Credential(CredentialId),
    /// What it counted.
    Meter(Uuid),
}

/// How much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Calls that were let through.
    pub admitted: u64,
    /// Calls that rules or limits refused.
    pub refused: u64,
    /// What a meter counted.
    pub value: Micros,
}

/// What became of a call of a known caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was let through.
    Admitted,
    /// A rule or a limit refused it.
    Refused,
}

/// An hour of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    start_ms: u64,
    share: Share,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    now: Amounts,
    /// On its way to the region, or there.
    sent: Amounts,
    /// The region has it.
    known: Amounts,
}

/// All counts of a worker.
#[derive(Debug, Default)]
pub struct Ledger {
    start_ms: u64,
    entries: BTreeMap<Key, Entry>,
}

/// What was told in one message.
#[derive(Debug)]
pub struct Told(Vec<(Key, Amounts)>);

impl Amounts {
    /// Of one call.
    #[must_use]
    pub fn of_call(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Admitted => Self {
                admitted: 1,
                ..Self::default()
            },
            Outcome::Refused => Self {
                refused: 1,
                ..Self::default()
            },
        }
    }

    /// Of a meter.
    #[must_use]
    pub fn of_value(value: Micros) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            admitted: self.admitted.saturating_add(other.admitted),
            refused: self.refused.saturating_add(other.refused),
            value: self.value.plus(other.value),
        }
    }
}

impl Ledger {
    /// From now on it counts for the hour of this moment; an hour once begun is never left for an
    /// earlier one.
    pub fn set_time(&mut self, now_ms: u64) {
        let start_ms = Window::Hour.bounds(now_ms).start_ms;
        if start_ms <= self.start_ms {
            return;
        }
        self.start_ms = start_ms;
        self.forget_known();
    }

    /// Counts.
    pub fn add(&mut self, share: Share, amounts: Amounts) {
        let start_ms = self.start_ms;
        let mut key = Key { start_ms, share };
        if self.entries.len() >= MOST && !self.entries.contains_key(&key) {
            key.share = Share {
                proxy: Uuid::nil().into(),
                of: match share.of {
                    Of::Credential(_) => Of::Credential(Uuid::nil().into()),
                    Of::Meter(_) => Of::Meter(Uuid::nil()),
                },
                ..share
            };
        }
        let entry = self.entries.entry(key).or_default();
        entry.now = entry.now.plus(amounts);
    }

    /// What the region may not know and is not on its way to it; none if there is no such thing.
    pub fn tell(&mut self) -> Option<Told> {
        let unsent = |(_, entry): &(&Key, &mut Entry)| entry.now != entry.sent;
        let unsent = self.entries.iter_mut().filter(unsent).take(MOST_TOLD);
        let told: Vec<_> = unsent
            .map(|(key, entry)| {
                entry.sent = entry.now;
                (*key, entry.now)
            })
            .collect();
        (!told.is_empty()).then_some(Told(told))
    }

    /// The region has what was told.
    pub fn is_known(&mut self, told: &Told) {
        for (key, amounts) in &told.0 {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.known = *amounts;
            }
        }
        if told.0.iter().any(|(key, _)| key.start_ms < self.start_ms) {
            self.forget_known();
        }
    }

    /// Nobody knows whether it has: it is told again.
    pub fn is_lost(&mut self, told: &Told) {
        for (key, _) in &told.0 {
            if let Some(entry) = self.entries.get_mut(key) {
                // Whatever was told since: counts are no differences, so twice does no harm.
                entry.sent = entry.known;
            }
        }
    }

    fn forget_known(&mut self) {
        let start_ms = self.start_ms;
        // An hour that is over grows no more.
        self.entries
            .retain(|key, entry| key.start_ms >= start_ms || entry.known != entry.now);
    }
}

/// An encoded `TellRequest`; of nothing, it says that the worker is there.
#[must_use]
pub fn request(worker: [u8; 16], told: Option<&Told>) -> Vec<u8> {
    let counts = told.into_iter().flat_map(|told| &told.0);
    let request = wire::TellRequest {
        worker_id: worker.to_vec().into(),
        counts: counts.map(|(key, amounts)| count(key, *amounts)).collect(),
    };
    request.encode_to_vec()
}

/// Whether this is an encoded `TellResponse`.
#[must_use]
pub fn is_answer(bytes: &[u8]) -> bool {
    wire::TellResponse::decode(bytes).is_ok()
}

fn count(key: &Key, amounts: Amounts) -> wire::Count {
    let Key {
        start_ms,
        share: Share {
            organisation,
            proxy,
            of,
        },
    } = key;
    let id = |uuid: &Uuid| uuid.as_bytes().to_vec().into();
    let Amounts {
        admitted,
        refused,
        value,
    } = amounts;
    wire::Count {
        start_ms: *start_ms,
        organisation_id: id(organisation.as_uuid()),
        proxy_id: id(proxy.as_uuid()),
        of: Some(match of {
            Of::Credential(credential) => wire::count::Of::CredentialId(id(credential.as_uuid())),
            Of::Meter(meter) => wire::count::Of::MeterId(id(meter)),
        }),
        admitted,
        refused,
        value_micros: value.get(),
    }
}

#[cfg(test)]
mod tests;
