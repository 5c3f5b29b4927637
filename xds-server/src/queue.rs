//! Requests that are accepted now and delivered later.
//!
//! [`intake`] is what comes in, [`carrier`] who takes it to its target, [`status`] what people are
//! told. [`machine`], [`retry`], [`breaker`] and [`fairness`] decide; they are pure.

use std::time::Duration;

pub mod breaker;
pub mod carrier;
pub mod fairness;
pub mod intake;
pub mod machine;
pub mod retry;
pub mod status;

#[cfg(test)]
pub(crate) mod fixtures;

pub use carrier::{Answer, Attempt, Carrier, NoWay, Outcome, Pace, Request};
pub use intake::{Accepted, Callback, IdempotencyKey, Intake, IntakeError, Ordering};
pub use status::{Cancelled, Status, Tried};

/// From acceptance to the last moment at which an attempt may begin.
pub const DEADLINE: Duration = Duration::from_mins(15);
/// The most of a response's body that is kept.
pub const MAX_RESPONSE_BYTES: usize = 6 << 20;
/// What a lease lasts beyond the time that an attempt may take.
pub const LEASE_SLACK: Duration = Duration::from_secs(30);
