//! Counting and its ceilings: calendar windows, what an Envoy keeps per counter, the decision on
//! one call, and what is said about it.
//!
//! Every Envoy keeps an own count that only grows, the sum of all others as it last heard, and a
//! ceiling up to which it may count without asking its region ([`Slot`]). A call is admitted when
//! every limit has room ([`decide`]); only then are the counts increased ([`Tally::add`]).
//! Where nothing is near a limit, a busy worker counts in batches by itself ([`batch()`]). The
//! ceilings in force in a region never add up to more than the limit, so a limit holds exactly
//! while the region answers; while it does not, each Envoy goes on with its share.

mod batch;
mod counter;
mod decide;
mod exceeded;
mod heard;
mod micros;
mod near;
mod report;
mod set_aside;
mod slot;
mod sync;
mod tallies;
mod tally;
mod window;

pub use batch::Batch;
pub use counter::{Counter, CounterKind, Limits};
pub use decide::{Charged, Decision, decide};
pub use exceeded::{Exceeded, Standing};
pub use heard::Heard;
pub use micros::Micros;
pub use near::{NearLimit, near_limits};
pub use report::{Asked, Grant, Report};
pub use set_aside::batch;
pub use slot::{NEAR_PERCENT, SETTLE_MARGIN_MS, Slot};
pub use sync::{Answers, answers, request};
pub use tallies::Tallies;
pub use tally::{Adds, Charge, Tally};
pub use window::{Bounds, Calendar, Moment, PerWindow, Window};

#[cfg(test)]
mod tests;
