//! Counting together: what the Envoys of a region tell, what the region answers.
//!
//! Every Envoy reports its own counts as they are. The region answers what all others counted, and
//! leases ceilings: up to there the Envoy may count without asking, for half a second. Invariant:
//! in each counter's window the counts, or the leases where those are higher, never add up to more
//! than the limit. So nothing that is lost, doubled or late lets more calls through.
//!
//! A lease counts until its Envoy was heard after the lease's end, by the clock that measures it:
//! only then is all known that was counted under it. [`totals::Totals`] and the script of `redis`
//! do the same, which one suite shows.

mod count;
mod incarnation;
mod memory;
mod metrics;
mod redis;
mod service;
pub mod totals;

pub use self::service::{InvalidMeters, Meters, Unanswered};

#[cfg(test)]
mod tests;

/// For how long after its question an Envoy may use a lease.
pub const LEASE_MS: u32 = 500;
/// A lease of an Envoy that is not heard any more ends by the region's clock, so much after it was
/// given. What such an Envoy counted and never told is lost.
pub const FORGET_MS: u64 = 2_000;
/// For so long nothing is leased after a start without memory: leases of the run before end, and
/// every Envoy hears of the new epoch and tells its counts.
pub const QUIET_MS: u64 = 1_000;
/// How long a question waits for leases of others to end.
pub const MAX_WAIT_MS: u64 = 1_200;
/// Reports of one request at most.
pub const MAX_REPORTS: usize = 2_000;
/// How often a question that waits is looked at.
pub const POLL_MS: u64 = 25;
/// An Envoy counts among those that share when it was heard within this time.
pub const HEARD_MS: u64 = 3_000;
/// Clocks of Envoys differ from the region's by no more, or their windows are not judged.
pub const SKEW_MS: u64 = 60_000;
