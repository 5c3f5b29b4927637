//! Meter arithmetic admits exactly N: the code of the Envoys against the code of the region.

use requestrocket_policy::limit::{Adds, Charge, Counter, CounterKind, Limits};
use uuid::Uuid;

mod exact;
mod simulation;

/// 2026-11-26T06:50:00Z, the start of a minute.
pub(super) const START_MS: u64 = 1_795_675_800_000;

pub(super) fn counter(id: u128) -> Counter {
    Counter {
        kind: CounterKind::Proxy,
        id: Uuid::from_u128(id),
    }
}

pub(super) fn per_minute(limit: u64) -> Charge {
    Charge {
        counter: counter(1),
        limits: Limits {
            minute: Some(limit),
            ..Limits::default()
        },
        adds: Adds::One,
    }
}
