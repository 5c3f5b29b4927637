//! What was let through: told by the workers of Envoys, kept in the region's store.
//!
//! Invariant: what was answered is durable. Counts are told as they are, so nothing that is lost,
//! late or comes twice changes a sum; only what a worker let through between its last word and its
//! end is missing, and the hour says so.

mod hours;
mod ledger;
mod metrics;
mod service;
mod workers;

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

pub use self::service::Usage;

/// One run of the filter on one worker of an Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkerId(pub [u8; 16]);

/// The text names no worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("worker must be 32 hexadecimal digits")]
pub struct InvalidWorker;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Whose.
    pub organisation: Uuid,
    /// The first hour that counts, Unix time in milliseconds.
    pub from_ms: u64,
    /// Exclusive.
    pub to_ms: u64,
    /// How long intervals are.
    pub span_ms: u64,
    /// By what sums are told apart.
    pub grouping: Grouping,
}

/// By what sums are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// By nothing.
    None,
    /// By proxy.
    Proxy,
    /// By the credential that callers used.
    Credential,
    /// By meter.
    Meter,
}

/// One sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Start of the interval.
    pub start_ms: u64,
    /// Of what; empty: of everything.
    pub id: String,
    /// Calls that were let through.
    pub admitted: u64,
    /// Calls of known callers that rules or limits refused.
    pub refused: u64,
    /// What meters counted.
    pub value_micros: u64,
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for WorkerId {
    type Err = InvalidWorker;

    fn from_str(text: &str) -> Result<Self, InvalidWorker> {
        // `from_str_radix` takes a sign, too.
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).map_err(|_| InvalidWorker)?;
        is_hex
            .then_some(Self(bits.to_be_bytes()))
            .ok_or(InvalidWorker)
    }
}

#[cfg(test)]
mod tests;
